// SPDX-License-Identifier: Apache-2.0
/* Address spaces: making, copying for fork, tearing down. */
#include <husk/mm.h>
#include "internal.h"

/**
 * DOC: fork and the host's copy of mappings
 *
 * The host process of a fork's child starts with a copy of the parent's host mappings. dup_mm() therefore leaves no mapping in the parent's
 * process that the child may not have: private pages are write-protected, VM_DONTCOPY and VM_WIPEONFORK ranges are unmapped. From the
 * copy until dup_mm_done() the child is `forking`: it has page tables but no process of its own. mm/rmap.c says what that means to somebody
 * who takes a page away meanwhile.
 */
static struct kmem_cache *mm_cache;
static u64 next_mm_id = 2; /* 1 is the kernel process */
static LIST_HEAD(mm_all);
static DEFINE_SPINLOCK(mm_all_lock);

static struct kmem_cache *get_mm_cache(void)
{
	struct kmem_cache *c = smp_load_acquire(&mm_cache);

	if (unlikely(!c)) {
		c = KMEM_CACHE(mm_struct);
		if (c && cmpxchg(&mm_cache, NULL, c)) {
			kmem_cache_destroy(c);
			c = mm_cache;
		}
	}
	return c;
}

struct mm_struct *mm_alloc(void)
{
	struct kmem_cache *c = get_mm_cache();
	struct mm_struct *mm = c ? kmem_cache_zalloc(c, GFP_KERNEL) : NULL;

	if (!mm)
		return NULL;
	INIT_LIST_HEAD(&mm->mmap);
	mm->mm_rb = RB_ROOT;
	init_rwsem(&mm->mmap_lock);
	spin_lock_init(&mm->page_table_lock);
	refcount_set(&mm->mm_users, 1);
	refcount_set(&mm->mm_count, 1);
	mm->dumpable = 1;
	mm->id = __atomic_fetch_add(&next_mm_id, 1, __ATOMIC_RELAXED);
	if (pgd_alloc(mm))
		goto out_free;
	if (platform->mm_init(mm))
		goto out_pgd;
	mm_pick_layout(mm);
	spin_lock(&mm_all_lock);
	list_add_tail(&mm->mm_list, &mm_all);
	spin_unlock(&mm_all_lock);
	return mm;
out_pgd:
	pgd_free(mm);
out_free:
	kmem_cache_free(mm_cache, mm);
	return NULL;
}

void mmdrop(struct mm_struct *mm)
{
	if (!refcount_dec_and_test(&mm->mm_count))
		return;
	spin_lock(&mm_all_lock);
	list_del(&mm->mm_list);
	spin_unlock(&mm_all_lock);
	fork_history_put(mm->fork_history);
	pgd_free(mm);
	kmem_cache_free(mm_cache, mm);
}

/* The address space has no task any more: no host mapping of it can be used again. */
static void exit_mmap(struct mm_struct *mm)
{
	struct vm_area_struct *vma, *n;

	fork_wait_end(mm);
	mmap_write_lock(mm);
	list_for_each_entry (vma, &mm->mmap, vm_list)
		vma_del_i_mmap(vma);
	zap_exit(mm);
	list_for_each_entry_safe (vma, n, &mm->mmap, vm_list) {
		if (vma->vm_flags & VM_ACCOUNT)
			vm_unacct_memory(vma_pages(vma));
		vma_unlink(mm, vma);
		vma_free(vma);
	}
	spin_lock(&mm->page_table_lock);
	pte_free_tables(mm, 0, 1UL << 47);
	spin_unlock(&mm->page_table_lock);
	mmap_write_unlock(mm);
}

void mmput(struct mm_struct *mm)
{
	if (!refcount_dec_and_test(&mm->mm_users))
		return;
	exit_mmap(mm);
	if (mm->exe_file) {
		allow_write_access(mm->exe_file);
		fput(mm->exe_file);
	}
	mm->exe_file = NULL;
	platform->mm_destroy(mm);
	mmdrop(mm);
}

struct mm_struct *get_task_mm(struct task_struct *t)
{
	struct mm_struct *mm;

	task_lock(t);
	mm = t->mm;
	if (mm && (t->flags & PF_KTHREAD || !refcount_inc_not_zero(&mm->mm_users)))
		mm = NULL;
	task_unlock(t);
	return mm;
}

/* Host mappings [start, end) that were writable and must not be. */
struct wp_run {
	unsigned long start, end;
	bool write;
};

static void wp_flush(struct mm_struct *mm, struct wp_run *r)
{
	if (r->write)
		host_protect(mm, r->start, r->end - r->start, HPROT_READ);
	r->start = r->end = 0;
	r->write = false;
}

/* Where the entries of a table go: mm's, and what is counted on the way. */
struct table_copy {
	struct mm_struct *mm;
	struct vm_area_struct *vma; /* the parent's */
	struct fork_copies *copies;
	bool shared;
	struct wp_run run;
	long rss[3];
};

/* Copies the entries of one table; both page table locks are held. */
static void copy_table(struct mm_struct *old, pte_t *src, pte_t *dst, unsigned long addr, unsigned long next,
		       struct table_copy *t)
{
	struct wp_run *run = &t->run;

	for (; addr < next; addr += PAGE_SIZE, src++, dst++) {
		pte_t e = *src;

		if (!(e & PTE_PRESENT)) {
			if (run->end)
				wp_flush(old, run);
			continue;
		}
		if (!t->shared && t->copies->n && (*dst = fork_copy_now(t->mm, t->copies, t->vma, addr, src))) {
			t->rss[pte_rss_kind(*dst, pte_page(*dst))]++;
			if (run->end)
				wp_flush(old, run);
			continue;
		}
		e = *src;
		if (!(e & PTE_SPECIAL)) {
			struct page *p = pte_page(e);

			get_page(p);
			atomic_inc(&p->_mapcount);
			t->rss[pte_rss_kind(e, p)]++;
		}
		if (!t->shared && (e & PTE_WRITE)) {
			if (e & PTE_HOST) {
				if (run->end != addr) {
					if (run->end)
						wp_flush(old, run);
					run->start = addr;
				}
				run->end = addr + PAGE_SIZE;
				run->write = true;
			}
			e &= ~PTE_WRITE;
			*src = e;
		} else if (run->end == addr && (e & PTE_HOST) && !(e & (PTE_EXEC | PTE_WRITE))) {
			run->end = addr + PAGE_SIZE; /* read-only already: one call goes over it */
		} else if (run->end) {
			wp_flush(old, run);
		}
		*dst = e;
	}
}

static int copy_ptes(struct mm_struct *mm, struct mm_struct *old, struct vm_area_struct *vma,
		     struct fork_copies *copies)
{
	struct table_copy t = {.mm = mm, .vma = vma, .copies = copies, .shared = vma->vm_flags & VM_SHARED};
	unsigned long addr = vma->vm_start, end = vma->vm_end, next;
	pte_t *src, *dst;
	int err = 0;

	spin_lock(&old->page_table_lock);
	spin_lock(&mm->page_table_lock);
	for_each_pte_table(old, addr, next, end, src)
	{
		dst = pte_modify(mm, addr);
		if (!dst) {
			err = -ENOMEM;
			break;
		}
		copy_table(old, src, dst, addr, next, &t);
	}
	if (t.run.end)
		wp_flush(old, &t.run);
	for (int i = 0; i < 3; i++)
		if (t.rss[i])
			atomic_long_add(t.rss[i], mm_rss(mm, i));
	spin_unlock(&mm->page_table_lock);
	spin_unlock(&old->page_table_lock);
	return err;
}

/* The child's process would inherit these host mappings, and must not have them. */
static void hide_from_child(struct mm_struct *old, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, next;
	bool any = false;
	pte_t *p;

	spin_lock(&old->page_table_lock);
	for_each_pte_table(old, addr, next, vma->vm_end, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			if (*p & PTE_HOST) {
				*p &= ~PTE_HOST;
				any = true;
			}
		}
	}
	if (any)
		host_unmap(old, vma->vm_start, vma->vm_end - vma->vm_start);
	spin_unlock(&old->page_table_lock);
}

static int dup_vma(struct mm_struct *mm, struct mm_struct *old, struct vm_area_struct *vma, struct fork_copies *copies)
{
	struct vm_area_struct *new;

	if (vma->vm_flags & VM_DONTCOPY) {
		hide_from_child(old, vma);
		return 0;
	}
	if ((vma->vm_flags & VM_ACCOUNT) && vm_enough_memory(vma_pages(vma)))
		return -ENOMEM;
	new = vma_dup(vma);
	if (!new) {
		if (vma->vm_flags & VM_ACCOUNT)
			vm_unacct_memory(vma_pages(vma));
		return -ENOMEM;
	}
	new->vm_mm = mm;
	new->vm_flags &= ~VM_LOCKED;
	vma_link(mm, new);
	vma_add_i_mmap(new, vma);
	vm_stat_account(mm, new->vm_flags, vma_pages(new));
	if (vma->vm_flags & VM_WIPEONFORK) {
		hide_from_child(old, vma);
		return 0;
	}
	return copy_ptes(mm, old, vma, copies);
}

static void copy_layout(struct mm_struct *mm, struct mm_struct *old)
{
	mm->mmap_base = old->mmap_base;
	mm->gap_hint = old->gap_hint;
	mm->gap_size = old->gap_size;
	mm->start_code = old->start_code;
	mm->end_code = old->end_code;
	mm->interp_start = old->interp_start;
	mm->interp_end = old->interp_end;
	mm->start_data = old->start_data;
	mm->end_data = old->end_data;
	mm->start_brk = old->start_brk;
	mm->brk = old->brk;
	mm->start_stack = old->start_stack;
	mm->arg_start = old->arg_start;
	mm->arg_end = old->arg_end;
	mm->env_start = old->env_start;
	mm->env_end = old->env_end;
	mm->dumpable = old->dumpable;
	mm->plain_text = old->plain_text;
	mm->core_filter = old->core_filter;
	mm->host_vmas = old->host_vmas;
	memcpy(mm->auxv, old->auxv, sizeof(mm->auxv));
	mm->exe_file = old->exe_file;
	if (mm->exe_file) {
		get_file(mm->exe_file);
		deny_write_access(mm->exe_file); /* cannot fail: old's keeps writers out */
	}
}

struct mm_struct *dup_mm(const unsigned long *soon)
{
	struct mm_struct *old = current->mm, *mm = mm_alloc();
	struct vm_area_struct *vma;
	struct fork_copies copies;

	if (!mm)
		return NULL;
	fork_copies_begin(&copies, soon);
	mmap_write_lock(old);
	update_hiwater(old);
	copy_layout(mm, old);
	fork_history_share(mm, old);
	fork_wait_begin(mm);
	list_for_each_entry (vma, &old->mmap, vm_list) {
		if (dup_vma(mm, old, vma, &copies))
			goto out_fail;
	}
	fork_copies_end(&copies);
	/* somebody took pages away whose host mappings may still be there to be inherited: see mm/rmap.c */
	if (atomic_read(&old->rmap_pending)) {
		spin_lock(&old->page_table_lock);
		host_unmap(old, 0, TASK_SIZE);
		spin_unlock(&old->page_table_lock);
	}
	mm->hiwater_rss = get_mm_rss(mm);
	mm->hiwater_vm = mm->total_vm;
	refcount_inc(&mm->mm_count); /* the child may be gone before dup_mm_done() */
	old->fork_child = mm;
	return mm;
out_fail:
	fork_copies_end(&copies);
	fork_copies_map(old);
	mmap_write_unlock(old);
	mmput(mm);
	return NULL;
}

void dup_mm_done(void)
{
	struct mm_struct *old = current->mm;
	struct mm_struct *mm = old->fork_child;

	old->fork_child = NULL;
	fork_copies_map(old);
	mmap_write_unlock(old);
	if (mm) {
		fork_wait_end(mm);
		mmdrop(mm);
	}
}
