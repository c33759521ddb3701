// SPDX-License-Identifier: Apache-2.0
/* Taking pages out of page tables, and the host mappings with them. */
#include <husk/mm.h>
#include "internal.h"

/**
 * DOC: zapping
 *
 * A page may be used for something else only when no host mapping shows it any more. In the current process the host mappings of the range go
 * first, in one call, then the entries, all under page_table_lock, so no fault can come between. For another process the
 * entries go first, their references move to a batch, the process is shot down, and then the batch is released. Whoever finds an entry
 * empty meanwhile may use the address again: the mapping that it makes may be hit by the shoot-down, and the next fault makes it anew.
 */
void page_add_anon(struct page *p, struct mm_struct *mm, unsigned long addr)
{
	p->flags |= 1u << PG_anon | 1u << PG_uptodate;
	p->type = PGT_ANON;
	p->rmap = mm->id;
	p->index = addr >> PAGE_SHIFT;
	atomic_set(&p->_mapcount, 1);
}

bool page_remove_map(struct page *p, pte_t pte)
{
	int left = atomic_dec_return(&p->_mapcount);

	if (unlikely(left < 0))
		panic("mm: page %lx unmapped more often than mapped (entry %llx)", page_to_pfn(p),
		      (unsigned long long)pte);
	return !left;
}

/* the host may fail to split a mapping when it has too many: then everything of this process' goes, and faults make it anew */
void host_unmap(struct mm_struct *mm, unsigned long start, unsigned long len)
{
	if (likely(!platform->unmap(mm, start, len)))
		return;
	if (platform->unmap(mm, 0, TASK_SIZE))
		panic("mm: the host keeps mappings at %lx", start);
}

void host_protect(struct mm_struct *mm, unsigned long start, unsigned long len, int hprot)
{
	if (unlikely(platform->protect(mm, start, len, hprot)))
		host_unmap(mm, start, len);
}

/* The smallest range that holds every entry of [*start, end) with a host mapping; false: there is none. */
static bool host_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned long *first,
		       unsigned long *last)
{
	unsigned long addr = start, next;
	pte_t *p;

	*first = ~0UL;
	*last = 0;
	for_each_pte_table(mm, addr, next, end, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			if (*p & PTE_HOST) {
				if (*first == ~0UL)
					*first = a;
				*last = a + PAGE_SIZE;
			}
		}
	}
	return *last != 0;
}

struct rss_count {
	long n[3], anon, unmapped; /* anon, unmapped: pages that nothing maps any more */
};

static void apply_rss(struct mm_struct *mm, struct rss_count *r)
{
	for (int i = 0; i < 3; i++) {
		if (r->n[i])
			atomic_long_sub(r->n[i], mm_rss(mm, i));
	}
	if (r->anon)
		mod_vm_stat(NR_ANON_PAGES, -r->anon);
	if (r->unmapped)
		mod_vm_stat(NR_FILE_MAPPED, -r->unmapped);
}

/* Forgets one entry; the page's reference is returned to the caller, NULL when there was none. */
static struct page *zap_entry(pte_t *p, struct rss_count *rss)
{
	pte_t e = *p;
	struct page *pg;

	*p = 0;
	if (e & PTE_SPECIAL)
		return NULL;
	pg = pte_page(e);
	rss->n[pte_rss_kind(e, pg)]++;
	if (page_remove_map(pg, e)) {
		if (e & PTE_ANON)
			rss->anon++;
		else
			rss->unmapped++;
	}
	return pg;
}

static void zap_now(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags,
		    struct rss_count *rss)
{
	unsigned long addr = start, next;
	pte_t *p;

	for_each_pte_table(mm, addr, next, end, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			struct page *pg;

			if (!(*p & PTE_PRESENT))
				continue;
			if ((flags & ZAP_FILE_ONLY) && (*p & PTE_ANON)) {
				*p &= ~PTE_HOST; /* it went with its neighbours */
				continue;
			}
			pg = zap_entry(p, rss);
			if (pg)
				put_page(pg);
		}
	}
}

void zap_local(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags)
{
	struct rss_count rss = {.unmapped = 0};
	unsigned long first, last;

	spin_lock(&mm->page_table_lock);
	if (host_range(mm, start, end, &first, &last))
		host_unmap(mm, first, last - first);
	zap_now(mm, start, end, flags, &rss);
	apply_rss(mm, &rss);
	spin_unlock(&mm->page_table_lock);
}

void zap_exit(struct mm_struct *mm)
{
	struct rss_count rss = {.unmapped = 0};
	struct vm_area_struct *vma;

	update_hiwater(mm);
	spin_lock(&mm->page_table_lock);
	list_for_each_entry (vma, &mm->mmap, vm_list)
		zap_now(mm, vma->vm_start, vma->vm_end, 0, &rss);
	apply_rss(mm, &rss);
	spin_unlock(&mm->page_table_lock);
}

unsigned long zap_remote(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags,
			 struct zap_batch *b)
{
	struct rss_count rss = {.unmapped = 0};
	unsigned long addr = start, next;
	pte_t *p;

	spin_lock(&mm->page_table_lock);
	for_each_pte_table(mm, addr, next, end, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			struct page *pg;

			if (!(*p & PTE_PRESENT) || ((flags & ZAP_FILE_ONLY) && (*p & PTE_ANON)))
				continue;
			if (b->n == ZAP_BATCH) {
				end = a;
				goto out;
			}
			pg = zap_entry(p, &rss);
			if (pg)
				b->page[b->n++] = pg;
		}
	}
out:
	apply_rss(mm, &rss);
	spin_unlock(&mm->page_table_lock);
	return end;
}

void zap_batch_release(struct zap_batch *b)
{
	while (b->n)
		put_page(b->page[--b->n]);
}

void zap_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags)
{
	struct zap_batch b = {.n = 0};

	update_hiwater(mm);
	if (mm == current->mm) {
		zap_local(mm, start, end, flags);
		return;
	}
	while (start < end) {
		unsigned long stop = zap_remote(mm, start, end, flags, &b);

		if (b.n)
			platform->shootdown(mm, start, stop - start, -1);
		zap_batch_release(&b);
		start = stop;
	}
}
