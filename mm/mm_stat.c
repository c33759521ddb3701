// SPDX-License-Identifier: Apache-2.0
// What mm counts of itself and of an address space, for whoever shows it (fs/proc, the statistics page, getrusage).
#include <husk/proc_mm.h>
#include "internal.h"

/**
 * vm_stat_read - a counter of the whole sandbox
 *
 * Return: pages (faults: how many there were); never negative, though sums of running updates may be for a moment.
 */
unsigned long vm_stat_read(enum vm_stat_item i)
{
	long n = atomic64_read(&vm_stat[i]);

	return n > 0 ? n : 0;
}

unsigned long mem_available(void)
{
	unsigned long cache = vm_stat_read(NR_FILE_PAGES) - min(vm_stat_read(NR_SHMEM), vm_stat_read(NR_FILE_PAGES));
	unsigned long keep = min(cache / 2, min_free_pages);
	long n = (long)nr_free_pages() - (long)min_free_pages + (long)(cache - keep);

	return n > 0 ? n : 0;
}

static void smap_page(struct smap *s, pte_t e)
{
	struct page *p = pte_page(e);
	int users = max(page_mapcount(p), 1);
	bool dirty = (e & PTE_DIRTY) || PageDirty(p);

	s->rss++;
	s->pss += ((u64)PAGE_SIZE << 12) / users;
	if (dirty)
		s->pss_dirty += ((u64)PAGE_SIZE << 12) / users;
	if (users > 1)
		*(dirty ? &s->shared_dirty : &s->shared_clean) += 1;
	else
		*(dirty ? &s->private_dirty : &s->private_clean) += 1;
	if (e & PTE_ANON)
		s->anon++;
	if (e & PTE_YOUNG)
		s->referenced++;
}

/**
 * mm_smap_add - count the pages of a mapping
 * @s: what they are added to
 * @vma: its mmap_lock is held, for reading at least
 */
void mm_smap_add(struct smap *s, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, next;
	pte_t *p;

	s->size += vma_pages(vma);
	if (vma->vm_flags & VM_LOCKED)
		s->locked += vma_pages(vma);
	spin_lock(&vma->vm_mm->page_table_lock);
	for_each_pte_table(vma->vm_mm, addr, next, vma->vm_end, p)
	{
		for (unsigned long i = 0; i < (next - addr) >> PAGE_SHIFT; i++) {
			if ((p[i] & (PTE_PRESENT | PTE_SPECIAL)) == PTE_PRESENT)
				smap_page(s, p[i]);
		}
	}
	spin_unlock(&vma->vm_mm->page_table_lock);
}

unsigned long task_rss(struct mm_struct *mm)
{
	return get_mm_rss(mm);
}

unsigned long task_max_rss(struct mm_struct *mm)
{
	update_hiwater(mm);
	return mm->hiwater_rss;
}
