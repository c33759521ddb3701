// SPDX-License-Identifier: Apache-2.0
/* Anonymous memory: first touch in granules, and breaking copy-on-write. */
#include <husk/mm.h>
#include "internal.h"
#include "uaccess.h"

/**
 * DOC: filling new pages
 *
 * New pages are filled before anybody can see them, through the direct map; but in a fresh process each first touch of the direct map is a
 * host fault. Where no other thread lives in the address space (mm_is_private_to_us()) the pages are mapped first, all at once, and then
 * filled at their user address, with page_table_lock held. Should that access fail, the direct map is used after all.
 */
#define GRANULE_ORDER 4
#define GRANULE (1UL << GRANULE_ORDER)
#define COW_ORDER 2
#define MAX_ANON_ORDER 9

static void clear_direct(struct page *p, unsigned long n)
{
	memset(page_address(p), 0, n << PAGE_SHIFT);
}

/* n pages at user address addr, mapped writable by this process alone */
static void clear_mapped(unsigned long addr, struct page *p, unsigned long n)
{
	unsigned long left;

	current->pagefault_disabled++;
	left = __clear_user((void *)addr, n << PAGE_SHIFT);
	current->pagefault_disabled--;
	if (unlikely(left))
		clear_direct(p, n);
}

static void copy_mapped(unsigned long addr, struct page *to, struct page *from)
{
	unsigned long left;

	current->pagefault_disabled++;
	left = __copy_user((void *)addr, page_address(from), PAGE_SIZE);
	current->pagefault_disabled--;
	if (unlikely(left))
		memcpy(page_address(to), page_address(from), PAGE_SIZE);
}

static void put_run(struct page *p, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		put_page(p + i);
}

/* Narrow [*start, *end) to the entries around addr that are empty. Without a table all are. Entry of addr is empty. */
static bool trim_to_empty(struct mm_struct *mm, unsigned long addr, unsigned long *start, unsigned long *end)
{
	pte_t *p = pte_find(mm, addr);
	unsigned long lo = addr, hi = addr + PAGE_SIZE;

	if (!p)
		return true;
	if (*p & PTE_PRESENT)
		return false;
	while (lo > *start && !(p[-(long)((addr - lo) >> PAGE_SHIFT) - 1] & PTE_PRESENT))
		lo -= PAGE_SIZE;
	while (hi < *end && !(p[(hi - addr) >> PAGE_SHIFT] & PTE_PRESENT))
		hi += PAGE_SIZE;
	*start = lo;
	*end = hi;
	return true;
}

static bool range_empty(pte_t *p, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		if (p[i] & PTE_PRESENT)
			return false;
	}
	return true;
}

/* Where the granule goes: sequential faults go on upward from addr; others take what is aligned around it. */
static void anon_window(struct fault_ctx *c, unsigned long *start, unsigned long *end)
{
	bool sequential = c->addr == READ_ONCE(c->vma->fault_next);
	unsigned int order = fault_order(c->vma, c->addr, GRANULE_ORDER, MAX_ANON_ORDER);

	if (sequential && order > GRANULE_ORDER) {
		*start = c->addr;
		*end = min(c->addr + (PAGE_SIZE << order), pmd_end(c->addr, c->vma->vm_end));
	} else {
		fault_window(c, order, start, end);
	}
}

/* got pages within [start, end) so that addr is among them */
static unsigned long place_run(unsigned long addr, unsigned long start, unsigned long end, unsigned long got)
{
	unsigned long size = got << PAGE_SHIFT, at;

	if (size == end - start)
		return start;
	at = max(start, ALIGN_DOWN(addr, size)); /* a power of two */

	if (at + size > end)
		at = end - size;
	return at;
}

vm_fault_t do_anonymous_page(struct fault_ctx *c)
{
	struct mm_struct *mm = c->mm;
	bool write = c->vma->vm_flags & VM_WRITE;
	bool zeroed, late, flushed = false;
	unsigned long start, end, n, got, at;
	struct page *run;
	u64 flags;
	pte_t *p;

	anon_window(c, &start, &end);
again:
	spin_lock(&mm->page_table_lock);
	if (!trim_to_empty(mm, c->addr, &start, &end)) {
		spin_unlock(&mm->page_table_lock);
		return 0;
	}
	spin_unlock(&mm->page_table_lock);
	n = (end - start) >> PAGE_SHIFT;
	run = alloc_user_pages(n, &got, &zeroed);
	if (!run)
		return VM_FAULT_OOM;
	at = place_run(c->addr, start, end, got);
	late = !zeroed && write && mm_is_private_to_us(mm);
	if (!zeroed && !late)
		clear_direct(run, got);

	spin_lock(&mm->page_table_lock);
	p = pte_modify(mm, at);
	if (!p) {
		spin_unlock(&mm->page_table_lock);
		put_run(run, got);
		return VM_FAULT_OOM;
	}
	if (!range_empty(p, got)) {
		spin_unlock(&mm->page_table_lock);
		put_run(run, got);
		if (flushed)
			return 0;
		flushed = true;
		start = c->addr;
		end = start + PAGE_SIZE;
		goto again;
	}
	flags = PTE_ANON | PTE_DIRTY | PTE_YOUNG | (write ? PTE_WRITE : 0);
	for (unsigned long i = 0; i < got; i++) {
		page_add_anon(run + i, mm, at + (i << PAGE_SHIFT));
		p[i] = mk_pte(run + i, flags);
	}
	atomic_long_add(got, &mm->rss_anon);
	mod_vm_stat(NR_ANON_PAGES, got);
	if (write)
		vma_allows_write(c->vma);
	host_map_range(c, at, at + (got << PAGE_SHIFT), false);
	if (late)
		clear_mapped(at, run, got);
	spin_unlock(&mm->page_table_lock);
	c->vma->fault_next = at + (got << PAGE_SHIFT);
	return 0;
}

/* anon_premap: the first granule of a new mapping, before it is touched; mmap_lock is held for writing */
void anon_premap(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr)
{
	struct fault_ctx c;

	if (mm != current->mm || nr_free_pages() < totalram_pages / 4)
		return;
	fault_init(&c, mm, vma, addr, FAULT_FLAG_WRITE);
	do_anonymous_page(&c); /* if it fails, the fault will say so */
}

static inline bool exclusive(pte_t e)
{
	struct page *p = pte_page(e);

	return page_mapcount(p) == 1 && page_count(p) == 1;
}

/* The page is about to be written, so nobody runs it any more. */
static void take_exec(struct fault_ctx *c, pte_t *ptep)
{
	if (!(*ptep & PTE_EXEC))
		return;
	if (*ptep & PTE_HOST) {
		get_page(pte_page(*ptep));
		if (c->local)
			host_unmap(c->mm, c->addr, PAGE_SIZE);
		fault_note_stale(c, pte_page(*ptep), *ptep, c->addr);
	}
	*ptep &= ~(PTE_EXEC | PTE_HOST);
}

/* The page is ours alone: let it be written where it is, and its neighbours of the granule that are too. */
static vm_fault_t reuse(struct fault_ctx *c, pte_t *ptep)
{
	unsigned long start = c->addr, end = c->addr + PAGE_SIZE;
	unsigned long lo, hi;

	if (!(c->vma->vm_flags & VM_WRITE)) { /* a debugger's access: the page may be written by it, not by the guest */
		take_exec(c, ptep);
		c->mm->scan_seq++;
		spin_unlock(&c->mm->page_table_lock);
		return 0;
	}
	if (!c->local)
		take_exec(c, ptep);
	vma_allows_write(c->vma);
	if (!(c->vma->vm_flags & VM_EXEC)) {
		fault_window(c, GRANULE_ORDER, &lo, &hi);
		for (pte_t *q = ptep - 1; start > lo; q--, start -= PAGE_SIZE) {
			if ((*q & (PTE_PRESENT | PTE_ANON | PTE_HOST)) != (PTE_PRESENT | PTE_ANON | PTE_HOST) ||
			    !exclusive(*q))
				break;
			*q |= PTE_WRITE | PTE_DIRTY;
		}
		for (pte_t *q = ptep + 1; end < hi; q++, end += PAGE_SIZE) {
			if ((*q & (PTE_PRESENT | PTE_ANON | PTE_HOST)) != (PTE_PRESENT | PTE_ANON | PTE_HOST) ||
			    !exclusive(*q))
				break;
			*q |= PTE_WRITE | PTE_DIRTY;
		}
	}
	*ptep = (*ptep & ~PTE_EXEC) | PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
	if (c->local) {
		/* mappings are there: one mprotect, unless the fault says that this one is not */
		if ((*ptep & PTE_HOST) && (c->flags & FAULT_FLAG_PROT))
			host_protect(c->mm, start, end - start, HPROT_READ | HPROT_WRITE);
		else
			host_map_range(c, start, end, true);
	}
	spin_unlock(&c->mm->page_table_lock);
	return 0;
}

/* Are all entries of the granule in use and copy-on-write? Then they are copied together. */
static bool whole_granule_cow(struct fault_ctx *c, unsigned long start, unsigned long end)
{
	pte_t *p = pte_find(c->mm, start);

	if (end - start < 2 * PAGE_SIZE || (c->vma->vm_flags & VM_EXEC) || !(c->vma->vm_flags & VM_WRITE))
		return false;
	for (; start < end; start += PAGE_SIZE, p++) {
		if ((*p & (PTE_PRESENT | PTE_ANON | PTE_WRITE)) != (PTE_PRESENT | PTE_ANON) ||
		    page_mapcount(pte_page(*p)) == 1)
			return false;
	}
	return true;
}

struct cow {
	unsigned long start, n;
	pte_t old[GRANULE];
};

/*
 * How many pages a copy-on-write fault copies: a few, since a child of fork() mostly touches a page here and there; the whole granule
 * when the faults go on where the last copies ended.
 */
static void cow_window(struct fault_ctx *c, struct cow *w)
{
	unsigned long end;

	if (c->addr == READ_ONCE(c->vma->fault_next)) {
		w->start = c->addr;
		end = min(c->addr + (PAGE_SIZE << GRANULE_ORDER), pmd_end(c->addr, c->vma->vm_end));
	} else {
		fault_window(c, COW_ORDER, &w->start, &end);
	}
	w->n = (end - w->start) >> PAGE_SHIFT;
	if (w->start == c->addr)
		w->n = 1UL << ilog2(w->n);
	if (!is_power_of_2(w->n) || !whole_granule_cow(c, w->start, w->start + (w->n << PAGE_SHIFT))) {
		w->start = c->addr;
		w->n = 1;
	}
	c->vma->fault_next = w->start + (w->n << PAGE_SHIFT);
}

/* Entries unchanged since they were looked at, but for what does not matter? */
static bool cow_unchanged(pte_t *p, const struct cow *w)
{
	for (unsigned long i = 0; i < w->n; i++) {
		if ((p[i] ^ w->old[i]) & ~(PTE_HOST | PTE_YOUNG))
			return false;
	}
	return true;
}

/* Put n copies at run in place of the old pages; page_table_lock is held. */
static void cow_install(struct fault_ctx *c, struct cow *w, pte_t *p, struct page *run, bool late)
{
	u64 flags = PTE_ANON | PTE_DIRTY | PTE_YOUNG | (c->vma->vm_flags & VM_WRITE ? PTE_WRITE : 0);
	pte_t was[GRANULE];
	long more = w->n;

	for (unsigned long i = 0; i < w->n; i++) {
		was[i] = p[i];
		page_add_anon(run + i, c->mm, w->start + (i << PAGE_SHIFT));
		p[i] = mk_pte(run + i, flags);
	}
	if (flags & PTE_WRITE)
		vma_allows_write(c->vma);
	if (c->local) {
		if (flags & PTE_WRITE)
			host_map_range(c, w->start, w->start + (w->n << PAGE_SHIFT), false);
		else
			host_unmap(c->mm, w->start, w->n << PAGE_SHIFT);
	}
	for (unsigned long i = 0; i < w->n; i++) {
		struct page *old = pte_page(was[i]);

		if (late)
			copy_mapped(w->start + (i << PAGE_SHIFT), run + i, old);
		more -= page_remove_map(old, was[i]);
		fault_note_stale(c, old, was[i], w->start + (i << PAGE_SHIFT));
	}
	if (more)
		mod_vm_stat(NR_ANON_PAGES, more);
}

vm_fault_t do_wp_anon(struct fault_ctx *c, pte_t *ptep)
{
	struct mm_struct *mm = c->mm;
	struct page *run, *old[GRANULE];
	struct cow w = {c->addr, 1, {0}};
	unsigned long got;
	vm_fault_t ret = 0;
	bool zeroed, late;
	pte_t *p;

	fork_note(mm, c->addr);
	if (exclusive(*ptep))
		return reuse(c, ptep);
	cow_window(c, &w);
	p = pte_find(mm, w.start);
	for (unsigned long i = 0; i < w.n; i++) {
		w.old[i] = p[i];
		old[i] = pte_page(p[i]);
		get_page(old[i]);
	}
	spin_unlock(&mm->page_table_lock);

	run = alloc_user_run(ilog2(w.n), &got, &zeroed);
	if (!run) {
		ret = VM_FAULT_OOM;
		goto out;
	}
	if (got < w.n) { /* no room for a granule: just the page */
		unsigned long i = (c->addr - w.start) >> PAGE_SHIFT;

		put_run(run + 1, got - 1);
		swap(old[0], old[i]);
		w.old[0] = w.old[i];
		w.start = c->addr;
		for (unsigned long k = 1; k < w.n; k++)
			put_page(old[k]);
		w.n = 1;
	}
	late = (c->vma->vm_flags & VM_WRITE) && mm_is_private_to_us(mm);
	for (unsigned long i = 0; i < w.n && !late; i++)
		memcpy(page_address(run + i), page_address(old[i]), PAGE_SIZE);
	spin_lock(&mm->page_table_lock);
	p = pte_find(mm, w.start);
	if (p && cow_unchanged(p, &w)) {
		cow_install(c, &w, p, run, late);
		run = NULL;
	}
	spin_unlock(&mm->page_table_lock);
	if (run)
		put_run(run, w.n);
out:
	for (unsigned long i = 0; i < w.n; i++)
		put_page(old[i]);
	return ret;
}
