// SPDX-License-Identifier: Apache-2.0
/* From a file's pages to the page tables that show them: unmapping and write-protecting in every address space. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

/**
 * DOC: reverse map
 *
 * A file's VMAs are on mapping->i_mmap. A walk holds i_mmap_lock while it changes page tables, one mm's page_table_lock at a
 * time. The current process' host mappings change at once; another process' need a shoot-down, which waits for a thread of that
 * process, so it is noted as a target and done when i_mmap_lock has been dropped, before any page is released. When the targets or the
 * batch of pages are full, the walk stops, does what was noted, and begins again: what it did already is found done.
 *
 * Fork: the child's process inherits the parent's host mappings at a moment inside start_thread(), long after the page tables were copied
 * and the child's VMAs put on i_mmap, each behind its parent's.
 *  - The walk finds the child's VMA: the child is forking, so it is a target whatever its entries say, and the shoot-down
 *    waits until dup_mm_done(), when it has a process. What it inherited goes then.
 *  - The walk does not find it yet: then the parent's rmap_pending was raised before dup_mm() looked at it, and either the
 *    parent's shoot-down is over or dup_mm() itself unmaps the parent's process before the copy.
 *
 * Anonymous pages carry the mm's id and address of their first mapping (page->rmap, page->index): nothing moves or swaps them yet.
 *
 * Lock order: page lock, i_mmap_lock, page_table_lock.
 */
static DECLARE_WAIT_QUEUE_HEAD(fork_queue);

void fork_wait_begin(struct mm_struct *child)
{
	smp_store_release(&child->forking, 1);
}

void fork_wait_end(struct mm_struct *child)
{
	if (READ_ONCE(child->forking)) {
		smp_store_release(&child->forking, 0);
		wake_up_all(&fork_queue);
	}
}

void fork_wait(struct mm_struct *child)
{
	wait_event(fork_queue, !smp_load_acquire(&child->forking));
}

#define RMAP_TARGETS 12
struct rmap_target {
	struct mm_struct *mm;
	unsigned long start, end;
};
struct rmap_walk {
	unsigned int n;
	struct rmap_target target[RMAP_TARGETS];
	int hprot; /* of the shoot-downs; < 0: unmap */
	struct zap_batch batch;
};

/* i_mmap_lock is held, so the VMA and with it its mm exist. */
static void add_target(struct rmap_walk *w, struct mm_struct *mm, unsigned long start, unsigned long end)
{
	refcount_inc(&mm->mm_count);
	atomic_inc(&mm->rmap_pending);
	w->target[w->n++] = (struct rmap_target){mm, start, end};
}

static void do_targets(struct rmap_walk *w)
{
	for (unsigned int i = 0; i < w->n; i++) {
		struct rmap_target *t = &w->target[i];

		if (READ_ONCE(t->mm->forking))
			fork_wait(t->mm);
		platform->shootdown(t->mm, t->start, t->end - t->start, w->hprot);
		atomic_dec(&t->mm->rmap_pending);
		mmdrop(t->mm);
	}
	w->n = 0;
	zap_batch_release(&w->batch);
}

/* The part of vma that shows pages [first, last] of its file. */
static bool vma_file_range(struct vm_area_struct *vma, pgoff_t first, pgoff_t last, unsigned long *start,
			   unsigned long *end)
{
	pgoff_t vlast = vma->vm_pgoff + vma_pages(vma) - 1;

	if (vlast < first || vma->vm_pgoff > last)
		return false;
	*start = first > vma->vm_pgoff ? vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT) : vma->vm_start;
	*end = last < vlast ? vma->vm_start + ((last - vma->vm_pgoff + 1) << PAGE_SHIFT) : vma->vm_end;
	return true;
}

/* One VMA of an unmapping walk; false: the walk must do its targets and begin again. */
static bool unmap_vma(struct rmap_walk *w, struct vm_area_struct *vma, unsigned long start, unsigned long end,
		      unsigned int flags)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned int before = w->batch.n;
	unsigned long stop;

	if (mm == current->mm) {
		zap_local(mm, start, end, flags);
		return true;
	}
	if (w->n == RMAP_TARGETS)
		return false;
	stop = zap_remote(mm, start, end, flags, &w->batch);
	if (w->batch.n != before || READ_ONCE(mm->forking))
		add_target(w, mm, start, stop);
	return stop == end;
}

void unmap_mapping_range(struct address_space *mapping, u64 start, u64 len, bool even_cows)
{
	pgoff_t first = start >> PAGE_SHIFT;
	pgoff_t last = len ? (start + len - 1) >> PAGE_SHIFT : ~0UL;
	struct rmap_walk w = {.hprot = -1};
	struct vm_area_struct *vma;
	bool complete;

	if (len && start + len < start)
		last = ~0UL;
	if (list_empty(&mapping->i_mmap))
		return;
	do {
		complete = true;
		mutex_lock(&mapping->i_mmap_lock);
		list_for_each_entry (vma, &mapping->i_mmap, i_mmap_node) {
			unsigned long s, e;

			if (!vma_file_range(vma, first, last, &s, &e))
				continue;
			if (!unmap_vma(&w, vma, s, e, even_cows ? 0 : ZAP_FILE_ONLY)) {
				complete = false;
				break;
			}
		}
		mutex_unlock(&mapping->i_mmap_lock);
		do_targets(&w);
	} while (!complete);
}

/* Takes the entry of addr out if it shows page p. */
static void unmap_one(struct rmap_walk *w, struct vm_area_struct *vma, unsigned long addr, struct page *p)
{
	struct mm_struct *mm = vma->vm_mm;
	bool hit = false;
	pte_t *ptep;

	spin_lock(&mm->page_table_lock);
	ptep = pte_find(mm, addr);
	if (ptep && (*ptep & PTE_PRESENT) && !(*ptep & PTE_SPECIAL) && pte_page(*ptep) == p) {
		hit = true;
		if (mm == current->mm && (*ptep & PTE_HOST))
			host_unmap(mm, addr, PAGE_SIZE);
		atomic_long_dec(mm_rss(mm, pte_rss_kind(*ptep, p)));
		if (page_remove_map(p, *ptep))
			mod_vm_stat(NR_FILE_MAPPED, -1); /* a file's page or its view: never anonymous */
		*ptep = 0;
	}
	spin_unlock(&mm->page_table_lock);
	if (mm == current->mm) {
		if (hit)
			put_page(p); /* the caller has one of its own */
		return;
	}
	if (hit)
		w->batch.page[w->batch.n++] = p;
	if (hit || READ_ONCE(mm->forking))
		add_target(w, mm, addr, addr + PAGE_SIZE);
}

/* Takes page p (p or its text view, at index) out of every page table. The caller holds the page lock and a reference. */
static void unmap_index(struct address_space *m, pgoff_t index, struct page *p)
{
	struct rmap_walk w = {.hprot = -1};
	struct vm_area_struct *vma;

	for (int full = 1; full;) {
		full = 0;
		mutex_lock(&m->i_mmap_lock);
		list_for_each_entry (vma, &m->i_mmap, i_mmap_node) {
			unsigned long s, e;

			if (!vma_file_range(vma, index, index, &s, &e))
				continue;
			if (w.n == RMAP_TARGETS) {
				full = 1;
				break;
			}
			unmap_one(&w, vma, s, p);
		}
		mutex_unlock(&m->i_mmap_lock);
		do_targets(&w);
	}
}

static void unmap_text(struct address_space *m, struct page *p)
{
	unmap_index(m, p->index, p->text);
	if (p->text->text && p->text->text != p)
		unmap_index(m, p->index, p->text->text);
}

void unmap_page(struct page *p)
{
	struct address_space *m = p->mapping;

	if (!m || list_empty(&m->i_mmap))
		return;
	unmap_index(m, p->index, p);
	if (p->text)
		unmap_text(m, p);
}

void page_drop_text(struct page *p)
{
	struct address_space *m = p->mapping;

	if (!p->text)
		return;
	if (!m) {
		text_ops->page_release(p);
		return;
	}
	down_write(&m->invalidate_lock); /* mm/fault_file.c */
	unmap_text(m, p);
	text_ops->page_release(p);
	up_write(&m->invalidate_lock);
}

/* Write-protects one entry of a shared mapping; false: no room for another target. */
static bool mkclean_one(struct rmap_walk *w, struct vm_area_struct *vma, unsigned long addr, struct page *p, bool *any)
{
	struct mm_struct *mm = vma->vm_mm;
	bool hit = false;
	pte_t *ptep;

	if (mm != current->mm && w->n == RMAP_TARGETS)
		return false;
	spin_lock(&mm->page_table_lock);
	ptep = pte_find(mm, addr);
	if (ptep && (*ptep & (PTE_PRESENT | PTE_WRITE)) == (PTE_PRESENT | PTE_WRITE) && pte_page(*ptep) == p) {
		*ptep &= ~(PTE_WRITE | PTE_DIRTY);
		hit = true;
		if (mm == current->mm && (*ptep & PTE_HOST))
			host_protect(mm, addr, PAGE_SIZE, HPROT_READ);
	}
	spin_unlock(&mm->page_table_lock);
	*any |= hit;
	if (mm != current->mm && (hit || READ_ONCE(mm->forking)))
		add_target(w, mm, addr, addr + PAGE_SIZE);
	return true;
}

bool page_mkclean(struct page *p)
{
	struct address_space *m = p->mapping;
	struct rmap_walk w = {.hprot = HPROT_READ};
	struct vm_area_struct *vma;
	bool any = false, full;

	if (!m || list_empty(&m->i_mmap) || !page_mapcount(p))
		return false;
	do {
		full = false;
		mutex_lock(&m->i_mmap_lock);
		list_for_each_entry (vma, &m->i_mmap, i_mmap_node) {
			unsigned long s, e;

			if (!(vma->vm_flags & VM_SHARED) || !vma_file_range(vma, p->index, p->index, &s, &e))
				continue;
			if (!mkclean_one(&w, vma, s, p, &any)) {
				full = true;
				break;
			}
		}
		mutex_unlock(&m->i_mmap_lock);
		do_targets(&w);
	} while (full);
	return any;
}
