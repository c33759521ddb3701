// SPDX-License-Identifier: Apache-2.0
/* Pages that fork copies at once, for both sides write them as soon as they run. */
#include <husk/mm.h>
#include "internal.h"

/**
 * DOC: early copies
 *
 * A fault on a page to be copied is dear: a signal of the host's, a host mapping, a first touch of the direct map. Some pages
 * are surely written when fork returns, as the stack's; others the faults after earlier forks show. Of these a copy is made at once.
 * The child takes over the parent's page, with the host mapping that it inherits, and has nothing to do; the copy is the parent's, which maps it
 * (fork_copies_map) when the child runs already: mostly the parent waits for the child then. From the copy to that moment the parent's host mapping shows
 * the child's page, so nothing may touch the parent's user memory but through its page tables. Only private pages that nobody else has are
 * copied, and only where no other thread could write to them meanwhile.
 */

/*
 * Pages of a family of address spaces that were copied on write. The first ones stay: pages that took turns here would cost host calls at each fork,
 * to make them writable first. What is copied early is not seen here any more, so all is forgotten now and then.
 */
struct fork_history {
	refcount_t refs;
	unsigned int forks;
	unsigned long addr[FORK_COPIES - FORK_SOON];
};
#define FORK_FORGET 64 /* forks */

void fork_note(struct mm_struct *mm, unsigned long addr)
{
	struct fork_history *h = mm->fork_history;

	for (unsigned int i = 0; h && i < ARRAY_SIZE(h->addr); i++) {
		unsigned long known = READ_ONCE(h->addr[i]);

		if (known == addr)
			return;
		if (!known) { /* a hint: whoever else writes to it now does no harm */
			WRITE_ONCE(h->addr[i], addr);
			return;
		}
	}
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

/* In order: neighbours shall need one host mapping. */
static void copies_add(struct fork_copies *c, unsigned long addr)
{
	unsigned int i = c->n;

	addr &= PAGE_MASK;
	while (i && c->addr[i - 1] > addr)
		i--;
	if (!addr || (i && c->addr[i - 1] == addr))
		return;
	memmove(c->addr + i + 1, c->addr + i, (c->n - i) * sizeof(c->addr[0]));
	c->addr[i] = addr;
	c->n++;
}

/* Pages for the addresses from number i on: neighbours get neighbours. How many it found pages for, or tried to. */
static unsigned int alloc_neighbours(struct fork_copies *c, unsigned int i)
{
	unsigned long got, n = 1;
	struct page *p;
	bool zeroed;

	while (i + n < c->n && c->addr[i + n] == c->addr[i] + n * PAGE_SIZE)
		n++;
	p = alloc_user_run(ilog2(n), &got, &zeroed);
	if (!p)
		got = 1;
	for (unsigned long k = 0; k < got; k++)
		c->page[i + k] = p ? p + k : NULL;
	return got;
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
	for (unsigned int i = 0; i < c->n; i += alloc_neighbours(c, i))
		;
}

void fork_copies_end(struct fork_copies *c)
{
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->page[i])
			put_page(c->page[i]);
	}
}

/* The page to copy to, if addr is one to copy now. */
static struct page *copy_wanted(struct fork_copies *c, unsigned long addr)
{
	struct page *to = NULL;

	for (unsigned int i = 0; i < c->n; i++) {
		if (c->addr[i] == addr)
			swap(to, c->page[i]);
	}
	return to;
}

static bool copyable(pte_t e)
{
	struct page *p = pte_page(e);

	return (e & PTE_ANON) && !(e & (PTE_SPECIAL | PTE_EXEC)) && page_mapcount(p) == 1 && page_count(p) == 1;
}

pte_t fork_copy_now(struct mm_struct *mm, struct fork_copies *c, struct vm_area_struct *vma, unsigned long addr,
		    pte_t *src)
{
	struct mm_struct *old = vma->vm_mm;
	struct page *to = copy_wanted(c, addr), *from = pte_page(*src);
	pte_t e = *src;

	if (likely(!to))
		return 0;
	if (!copyable(e) || (vma->vm_flags & (VM_WRITE | VM_EXEC)) != VM_WRITE)
		goto out_put;
	if (!(e & PTE_WRITE) || !(e & PTE_HOST)) { /* the child shall inherit it writable */
		e |= PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
		*src = e;
		if (platform->map(old, addr, page_to_pfn(from), 1, pte_hprot(e), true))
			goto out_put;
		e |= PTE_HOST;
		old->host_vmas++;
	}
	/* in the direct map: the parent may not have touched its mapping since the last fork */
	memcpy(page_address(to), page_address(from), PAGE_SIZE);
	page_add_anon(to, old, addr);
	mod_vm_stat(NR_ANON_PAGES, 1);
	*src = mk_pte(to, PTE_ANON | PTE_WRITE | PTE_DIRTY | PTE_YOUNG);
	old->copied[old->nr_copied++] = addr;
	page_add_anon(from, mm, addr);
	return e;
out_put:
	put_page(to);
	return 0;
}

/*
 * Maps the copies at *at and what follows it in memory on both sides; *at goes behind them. Not populated: what only children write the parent
 * need not touch before the next fork, which then has nothing to take away there (2.5 us in place of 6).
 */
static void map_run(struct mm_struct *mm, unsigned int *at)
{
	unsigned long addr = mm->copied[*at], n = 0;
	pte_t *p = pte_find(mm, addr);

	if (!p || !(*p & PTE_PRESENT)) {
		host_unmap(mm, addr, PAGE_SIZE);
		++*at;
		return;
	}
	do {
		n++;
	} while (*at + n < mm->nr_copied && mm->copied[*at + n] == addr + n * PAGE_SIZE &&
		 ((addr + n * PAGE_SIZE) & ~PMD_MASK) && pte_pfn(p[n]) == pte_pfn(p[0]) + n &&
		 pte_hprot(p[n]) == pte_hprot(p[0]));
	*at += n;
	if (platform->map(mm, addr, pte_pfn(*p), n, pte_hprot(*p), false)) {
		host_unmap(mm, addr, n * PAGE_SIZE);
		return;
	}
	for (unsigned long i = 0; i < n; i++)
		p[i] |= PTE_HOST;
}

void fork_copies_map(struct mm_struct *mm)
{
	unsigned int i = 0;

	spin_lock(&mm->page_table_lock);
	while (i < mm->nr_copied)
		map_run(mm, &i);
	mm->nr_copied = 0;
	spin_unlock(&mm->page_table_lock);
}
