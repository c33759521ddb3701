/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of mm/ share with each other and with nobody else. */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/proc_mm.h>
#include "pgtable.h"

/* ---- page_alloc.c ---- */
#define NR_MM_SHARDS 8
/* A hint that spreads tasks over the small caches; any value is correct. */
static inline unsigned int mm_shard(void)
{
#ifdef HUSK_UNIT
	return 0;
#else
	return current_thread_info()->slot & (NR_MM_SHARDS - 1);
#endif
}
/**
 * alloc_user_run - up to 2^order contiguous pages for anonymous memory
 * @got: how many came, a power of two. Each has a reference of its own and order 0.
 * @zeroed: they are known to hold zeroes; else the caller clears them
 */
struct page *alloc_user_run(unsigned int order, unsigned long *got, bool *zeroed);
/* alloc_sparse_run: the same for pages that will be used here and there; fresh: the host was not asked for any of them (back_piece) */
struct page *alloc_sparse_run(unsigned int order, unsigned long *got, bool *fresh);
/* alloc_user_pages: n of them if possible, else a power of two that is less */
struct page *alloc_user_pages(unsigned long n, unsigned long *got, bool *zeroed);
bool dirty_run_free(unsigned long n); /* would they be memory that was used before? */
void cache_single_page(
	struct page *p); /* p, one reference, becomes the next single page that this thread gets: a hint */
void drain_page_caches(void);
/* release_free_pages: give memory of dirty free blocks of at least 2^min_order pages to the host until at most keep are left */
unsigned long release_free_pages(unsigned long keep, unsigned int min_order);
/* first and past-the-last page that was ever handed out: bounds for scans of mem_map */
extern unsigned long lowest_pfn, highest_pfn;
static inline bool get_page_unless_zero(struct page *p)
{
	return atomic_inc_not_zero(&p->_refcount);
}

/* ---- backing.c ---- */
/* backing_order: in what pieces fresh memory is taken from the host, n pages behind the first that can be free; 0: as it is touched */
unsigned int backing_order(unsigned long n);
/* back_piece: take one, naturally aligned; pair: its other half is free and fresh, too, and nobody else's. No lock held. */
void back_piece(unsigned long pfn, unsigned int order, bool pair);
/* release_order: the smallest blocks worth giving back: what the host backs with one piece is not torn up */
unsigned int release_order(void);

/* vma_text_mapped: what a new executable mapping of a file needs beside it. mmap_lock is held for writing. */
void vma_text_mapped(struct mm_struct *mm, struct vm_area_struct *vma);

/* ---- recycle.c ---- */
void recycle_taken(const struct address_space *m, pgoff_t index);
void recycle_added(const struct address_space *m, pgoff_t index);

/* ---- kmemd (vmscan.c) ---- */
/* reclaim_some: as reclaim_pages(), but looks at no more than that many pages */
unsigned long reclaim_some(unsigned long nr, unsigned long look);
void wake_kmemd(void);
void kmemd_dirty_excess(void);
/* reclaim_wait: let kmemd do what must wait (unmap, write back); true: there is memory again */
bool reclaim_wait(void);
static inline void schedule_timeout_uninterruptible(s64 ns)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(ns);
}

/* ---- vma.c ---- */
struct vm_area_struct *vma_alloc(struct mm_struct *mm);
struct vm_area_struct *vma_dup(struct vm_area_struct *old);
void vma_free(struct vm_area_struct *vma); /* drops the file; calls ->close */
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma);
void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma);
int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, struct vm_area_struct **high);
struct vm_area_struct *vma_try_merge(struct mm_struct *mm, struct vm_area_struct *vma);
/* vma_carve: the part [start, end) of vma as a VMA of its own, NULL when out of memory or over max_map_count */
struct vm_area_struct *vma_carve(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start,
				 unsigned long end);
struct vm_area_struct *vma_next(struct vm_area_struct *vma);
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start, unsigned long end);
void vma_add_i_mmap(struct vm_area_struct *vma, struct vm_area_struct *after);
void vma_del_i_mmap(struct vm_area_struct *vma);
void vm_stat_account(struct mm_struct *mm, unsigned long vm_flags, long pages);
bool may_expand_vm(struct mm_struct *mm, unsigned long vm_flags, unsigned long pages);
static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}
static inline pgoff_t linear_page_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((addr - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}
static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
	return !vma->vm_ops;
}
static inline bool vma_accessible(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC);
}
/* private and writable memory is what overcommit accounting counts */
static inline bool accountable(unsigned long vm_flags)
{
	return (vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}
#define STACK_GUARD_GAP (256UL << PAGE_SHIFT)
extern int sysctl_max_map_count, sysctl_mmap_min_addr;

/* ---- mmap.c ---- */
unsigned long get_unmapped_area(struct mm_struct *mm, struct file *file, unsigned long addr, unsigned long len,
				unsigned long flags, unsigned long room);
void mm_pick_layout(struct mm_struct *mm);
/* mm_populate: fault in what is mapped in the range; mmap_lock not held. write: POPULATE_WRITE's meaning; else as VMAs allow. */
int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long len, int how);
enum { POPULATE_AS_ALLOWED, POPULATE_READ, POPULATE_WRITE };
bool mlock_future_ok(struct mm_struct *mm, unsigned long vm_flags, unsigned long bytes);

/* ---- mprotect.c ---- */

/* ---- fault.c ---- */
/**
 * struct fault_ctx - one fault being handled
 *
 * mm->mmap_lock is held (read or write) by the caller for all of it. When mm is not current's, no host call is
 * made; host mappings that must go are noted in flush_*, and the pages behind them are kept in stale[] until fault_done().
 */
#define FAULT_MAX_STALE 16
struct fault_ctx {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	unsigned long addr; /* page aligned */
	unsigned int flags; /* FAULT_FLAG_* */
	bool local;	    /* mm is current's: make host mappings */
	bool force;	    /* a debugger's access: COW whatever vm_flags say about writing */
	unsigned long flush_start, flush_end;
	unsigned int nstale;
	struct page *stale[FAULT_MAX_STALE];
};
#define VM_FAULT_RETRY 0x400
static inline void fault_init(struct fault_ctx *c, struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr,
			      unsigned int flags)
{
	c->mm = mm;
	c->vma = vma;
	c->addr = addr & PAGE_MASK;
	c->flags = flags;
	c->local = mm == current->mm;
	c->force = false;
	c->flush_start = ~0UL;
	c->flush_end = 0;
	c->nstale = 0;
}
vm_fault_t handle_mm_fault(struct fault_ctx *c);
/* find_extend_vma: the VMA of an address, a stack grown down to it; NULL. mmap_lock is held for reading, and may be let go in between. */
struct vm_area_struct *find_extend_vma(struct mm_struct *mm, unsigned long addr);
/* fault_done: with no lock of c->mm held: shoot down what handle_mm_fault() noted, drop the pages */
void fault_done(struct fault_ctx *c);
void fault_note_stale(struct fault_ctx *c, struct page *page, pte_t old, unsigned long addr);
/* the range of the fault's granule: [start, end) around addr, within the VMA and one page table, at most 2^order pages */
void fault_window(struct fault_ctx *c, unsigned int order, unsigned long *start, unsigned long *end);
unsigned int fault_order(struct vm_area_struct *vma, unsigned long addr, unsigned int min, unsigned int max);
vm_fault_t do_anonymous_page(struct fault_ctx *c);
vm_fault_t do_wp_anon(struct fault_ctx *c, pte_t *ptep); /* page_table_lock held; drops it */
vm_fault_t do_file_fault(struct fault_ctx *c);
vm_fault_t do_wp_shared(struct fault_ctx *c, pte_t pte);
void anon_premap(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr);
void file_premap(struct mm_struct *mm, struct vm_area_struct *vma);
vm_fault_t do_cow_file(struct fault_ctx *c, pte_t pte);
/* map present entries of [start, end) in the host; page_table_lock held; force: those that are thought to be mapped, too */
void host_map_range(struct fault_ctx *c, unsigned long start, unsigned long end, bool again);
void host_unmap(struct mm_struct *mm, unsigned long start, unsigned long len);
void host_protect(struct mm_struct *mm, unsigned long start, unsigned long len, int hprot);
/* copies and clears that use the user mapping where only this thread can see it; else the direct map */
bool mm_is_private_to_us(struct mm_struct *mm);

static inline void vma_allows_write(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_EXEC)
		vma->vm_mm->scan_seq++;
}

/* ---- fork_copies.c ---- */
struct fork_history;
struct fork_copies {
	unsigned int n;
	unsigned long addr[FORK_COPIES];
	struct page *page[FORK_COPIES]; /* to copy to; NULL: used */
};
void fork_copies_begin(struct fork_copies *c, const unsigned long *soon); /* may wait for memory */
void fork_copies_end(struct fork_copies *c);
/*
 * fork_copy_now: the child mm's entry for the page at addr of vma, if it is one to copy now; *src, the parent's, changes. Else 0. Both page
 * table locks are held.
 */
pte_t fork_copy_now(struct mm_struct *mm, struct fork_copies *c, struct vm_area_struct *vma, unsigned long addr,
		    pte_t *src);
/* fork_copies_map: the parent's copies into its host process; needed before anything touches its user memory */
void fork_copies_map(struct mm_struct *mm);
/* fork_note: the page at addr was written after a fork, and had to be copied or made writable again */
void fork_note(struct mm_struct *mm, unsigned long addr);
void fork_history_share(struct mm_struct *mm, struct mm_struct *old);
void fork_history_put(struct fork_history *h);

/* ---- zap.c ---- */
/* pages taken out of another process' page tables, kept until its host mappings are gone */
#define ZAP_BATCH 120
struct zap_batch {
	unsigned int n;
	struct page *page[ZAP_BATCH];
};
#define ZAP_FILE_ONLY 1 /* leave private copies */
/* zap_local: drop the pages of [start, end) of the current process' mm, host mappings first. Takes page_table_lock. */
void zap_local(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags);
/* zap_exit: all VMAs', where nothing can use the host mappings any more; mmap_lock is held for writing */
void zap_exit(struct mm_struct *mm);
/* zap_remote: take entries out until the batch is full; returns where it stopped. The caller shoots down, then releases the batch. */
unsigned long zap_remote(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags,
			 struct zap_batch *b);
void zap_batch_release(struct zap_batch *b);
/* zap_range: whichever fits mm; may wait for a shoot-down. No spinlock held. */
void zap_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned int flags);
void fork_wait_begin(struct mm_struct *child);
void fork_wait_end(struct mm_struct *child);
void fork_wait(struct mm_struct *child);
void page_add_anon(struct page *p, struct mm_struct *mm, unsigned long addr);
/* page_add_map: one more entry for p; 1 when it is the first */
static inline int page_add_map(struct page *p)
{
	return atomic_inc_return(&p->_mapcount) == 1;
}
/* page_remove_map: a page-table entry for p is gone, true: the last; the reference is still the caller's */
bool page_remove_map(struct page *p, pte_t pte);
static inline int pte_rss_kind(pte_t pte, struct page *p)
{
	if (pte & PTE_ANON)
		return 0;
	return p->flags & (1u << PG_swapbacked) ? 2 : 1;
}
static inline atomic_long_t *mm_rss(struct mm_struct *mm, int kind)
{
	return kind == 0 ? &mm->rss_anon : kind == 1 ? &mm->rss_file : &mm->rss_shmem;
}
static inline unsigned long get_mm_rss(struct mm_struct *mm)
{
	long n = atomic_long_read(&mm->rss_anon) + atomic_long_read(&mm->rss_file) + atomic_long_read(&mm->rss_shmem);

	return n > 0 ? n : 0;
}
static inline void update_hiwater(struct mm_struct *mm)
{
	unsigned long rss = get_mm_rss(mm);

	if (mm->hiwater_rss < rss)
		mm->hiwater_rss = rss;
	if (mm->hiwater_vm < mm->total_vm)
		mm->hiwater_vm = mm->total_vm;
}
/* text_run.c: the page kept for the view of index, one reference, or NULL */
struct page *text_run_take(struct address_space *m, pgoff_t index);
bool text_lies_well(struct address_space *m,
		    const struct page *p);    /* a page of the file: in its place, or beside a neighbour? */
void text_runs_free(struct address_space *m); /* i_pages_lock held */
void page_drop_text(struct page *p);	      /* the page's content changes: forget its text view (page locked) */
/* unmap_page: take a locked page-cache page out of all page tables */
void unmap_page(struct page *p);

/* ---- gup.c ---- */
#define GUP_WRITE 1
#define GUP_FORCE 2

/* ---- filemap.c, readahead.c, writeback.c ---- */
void page_cache_sync_readahead(struct address_space *m, struct file *f, pgoff_t index, unsigned long want);
void page_cache_async_readahead(struct address_space *m, struct file *f, struct page *page, pgoff_t index);
/* page_cache_fault_readahead: a mapped page is missing. text: it will be run, so it and its neighbours come to lie where their views belong */
void page_cache_fault_readahead(struct address_space *m, struct file *f, pgoff_t index, bool text);
void force_page_cache_readahead(struct address_space *m, struct file *f, pgoff_t index, unsigned long nr);
unsigned int find_get_pages_range(struct address_space *m, pgoff_t *index, pgoff_t last, unsigned int max,
				  struct page **pages);
unsigned long invalidate_mapping_pages(struct address_space *m, pgoff_t first, pgoff_t last);
void __delete_from_page_cache(struct page *p); /* i_pages_lock held; the cache's reference becomes the caller's */
void cancel_dirty_page(struct page *p);
int write_one_page(struct page *p, struct address_space *m, bool wait); /* page locked; unlocks */
void balance_dirty_pages(struct address_space *m);
bool writeback_work(void); /* one round of the periodic write-back; true: something is still dirty */
u64 writeback_next(void);  /* when the next round is due, 0: nothing is dirty */
void writeback_inodes(bool all);
extern int dirty_background_ratio, dirty_ratio;

/* ---- oom.c ---- */
extern int sysctl_overcommit_memory, sysctl_overcommit_ratio;

#endif
