// SPDX-License-Identifier: Apache-2.0
/* Pages that fork copies at once, for both sides write them as soon as they run. */
#include <husk/mm.h>
#include "internal.h"
#include "uaccess.h"

/**
 * DOC: early copies
 *
 * A fault on a page to be copied is dear: a signal of the host's, a host mapping, in the child a first touch of the direct map. Some pages
 * are surely written when fork returns, as the stack's; others the faults after earlier forks show. Of these the child gets copies at once,
 * and the parent keeps what it has, mapping and all. The child's host process inherits a mapping of the parent's page there:
 * dup_mm_child() replaces it before any user memory is touched. Only private pages that nobody else has are copied, and only where no
 * other thread could write to them meanwhile.
 */

/* Pages of a family of address spaces that were copied on write. What is copied early is not seen here any more, so all is forgotten now and then. */
struct fork_history {
	refcount_t refs;
	unsigned int next, forks;
	unsigned long addr[FORK_COPIES - FORK_SOON];
};
#define FORK_FORGET 32 /* forks */

void fork_note(struct mm_struct *mm, unsigned long addr)
{
	struct fork_history *h = mm->fork_history;

	if (h) /* a hint: whoever else writes to it now does no harm */
		WRITE_ONCE(h->addr[h->next++ % ARRAY_SIZE(h->addr)], addr);
}

void fork_history_put(struct fork_history *h)
{
	if (h && refcount_dec_and_test(&h->refs))
		kfree(h);
}

/* The child shares its parent's; mmap_lock of old is held for writing. */
void fork_history_share(struct mm_struct *mm, struct mm_struct *old)
{
	struct fork_history *h = old->fork_history;

	if (!h) {
		h = kzalloc(sizeof(*h), GFP_KERNEL);
		if (!h)
			return;
		refcount_set(&h->refs, 1);
		old->fork_history = h;
	}
	refcount_inc(&h->refs);
	mm->fork_history = h;
	if (++h->forks % FORK_FORGET == 0)
		memset(h->addr, 0, sizeof(h->addr));
}

static void copies_add(struct fork_copies *c, unsigned long addr)
{
	unsigned long got;
	bool zeroed;

	addr &= PAGE_MASK;
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->addr[i] == addr)
			return;
	}
	if (!addr || !(c->page[c->n] = alloc_user_run(0, &got, &zeroed)))
		return;
	c->addr[c->n++] = addr;
}

/* Not where other threads write meanwhile. */
void fork_copies_begin(struct fork_copies *c, const unsigned long *soon)
{
	struct fork_history *h = current->mm->fork_history;

	c->n = 0;
	if (!mm_is_private_to_us(current->mm))
		return;
	for (unsigned int i = 0; i < FORK_SOON; i++)
		copies_add(c, soon[i]);
	for (unsigned int i = 0; h && i < ARRAY_SIZE(h->addr); i++)
		copies_add(c, READ_ONCE(h->addr[i]));
}

void fork_copies_end(struct fork_copies *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->page[i])
			put_page(c->page[i]);
	}
}

/* The child's entry for a page that is copied now, or 0. */
pte_t fork_copy_now(struct mm_struct *mm, struct fork_copies *c, unsigned long addr, pte_t e)
{
	struct page *from = pte_page(e), *to = NULL;
	unsigned long left = PAGE_SIZE;

	for (unsigned int i = 0; i < c->n; i++) {
		if (c->addr[i] == addr)
			swap(to, c->page[i]);
	}
	if (likely(!to))
		return 0;
	if (!(e & PTE_ANON) || (e & PTE_SPECIAL) || page_mapcount(from) != 1 || page_count(from) != 1) {
		put_page(to);
		return 0;
	}
	current->pagefault_disabled++;
	if (e & PTE_HOST)
		left = __copy_user(page_address(to), (void *)addr, PAGE_SIZE);
	current->pagefault_disabled--;
	if (left)
		memcpy(page_address(to), page_address(from), PAGE_SIZE);
	page_add_anon(to, mm, addr);
	mod_vm_stat(NR_ANON_PAGES, 1);
	mm->copied[mm->nr_copied++] = addr;
	return mk_pte(to, PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
}

void dup_mm_child(void)
{
	struct mm_struct *mm = current->mm;

	spin_lock(&mm->page_table_lock);
	for (unsigned int i = 0; i < mm->nr_copied; i++) {
		unsigned long addr = mm->copied[i];
		pte_t *p = pte_find(mm, addr);

		if (!p || !(*p & PTE_PRESENT) || platform->map(mm, addr, pte_pfn(*p), 1, pte_hprot(*p), true)) {
			host_unmap(mm, addr, PAGE_SIZE);
			continue;
		}
		*p |= PTE_HOST;
		mm->host_vmas++;
	}
	mm->nr_copied = 0;
	spin_unlock(&mm->page_table_lock);
}
