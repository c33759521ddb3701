// SPDX-License-Identifier: Apache-2.0
/* madvise: dropping pages, flags of VMAs, reading ahead. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include <linux/mman.h>
#include <linux/falloc.h>
#include "internal.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* DONTNEED and FREE: the pages go at once. For FREE that is early, but allowed: the caller has said that it does not need them. */
static int madvise_dontneed(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned long end,
			    bool free)
{
	if (vma->vm_flags & (VM_LOCKED | VM_PFNMAP))
		return -EINVAL;
	if (free && !vma_is_anonymous(vma))
		return -EINVAL;
	zap_range(mm, start, end, 0);
	return 0;
}

static int madvise_willneed(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct file *f = vma->vm_file;

	if (!f)
		return 0; /* what was anonymous and is not there needs no reading */
	if ((vma->vm_ops && (vma->vm_ops->flags & VM_OPS_FAULT_AROUND)) && !f->f_mapping->in_memory)
		force_page_cache_readahead(f->f_mapping, f, linear_page_index(vma, start), (end - start) >> PAGE_SHIFT);
	return 0;
}

/* REMOVE: a hole in the file behind a shared mapping. Drops and retakes mmap_lock. */
static int madvise_remove(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct file *f = vma->vm_file;
	loff_t off = (loff_t)linear_page_index(vma, start) << PAGE_SHIFT;
	int err;

	if (vma->vm_flags & VM_LOCKED)
		return -EINVAL;
	if (!f || !vma->vm_ops || (vma->vm_flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return f ? -EACCES : -EINVAL;
	if (!f->f_op->fallocate)
		return -EOPNOTSUPP;
	get_file(f);
	mmap_write_unlock(mm);
	err = f->f_op->fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, end - start);
	fput(f);
	mmap_write_lock(mm);
	return err;
}

static int madvise_flags(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned long end,
			 int advice)
{
	unsigned long flags = vma->vm_flags;

	switch (advice) {
	case MADV_DONTFORK:
		flags |= VM_DONTCOPY;
		break;
	case MADV_DOFORK:
		if (flags & VM_IO)
			return -EINVAL;
		flags &= ~VM_DONTCOPY;
		break;
	case MADV_WIPEONFORK:
		if (vma->vm_file || (flags & VM_SHARED))
			return -EINVAL;
		flags |= VM_WIPEONFORK;
		break;
	case MADV_KEEPONFORK:
		flags &= ~VM_WIPEONFORK;
		break;
	case MADV_DONTDUMP:
		flags |= VM_DONTDUMP;
		break;
	case MADV_DODUMP:
		flags &= ~VM_DONTDUMP;
		break;
	}
	if (flags == vma->vm_flags)
		return 0;
	vma = vma_carve(mm, vma, start, end);
	if (!vma)
		return -EAGAIN;
	vma->vm_flags = flags;
	vma_try_merge(mm, vma);
	return 0;
}

/* Pages that are not likely to be needed: the next reclaim finds them unreferenced. Only the page cache is ever reclaimed. */
static void madvise_cold(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long addr = start, next;
	pte_t *p;

	spin_lock(&mm->page_table_lock);
	for_each_pte_table(mm, addr, next, end, p)
	{
		for (unsigned long i = 0; i < (next - addr) >> PAGE_SHIFT; i++) {
			if ((p[i] & (PTE_PRESENT | PTE_FILE | PTE_SPECIAL)) == (PTE_PRESENT | PTE_FILE))
				ClearPageReferenced(pte_page(p[i]));
		}
	}
	spin_unlock(&mm->page_table_lock);
}

static int madvise_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned long end,
		       int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
		return madvise_dontneed(mm, vma, start, end, advice == MADV_FREE);
	case MADV_WILLNEED:
		return madvise_willneed(vma, start, end);
	case MADV_REMOVE:
		return madvise_remove(mm, vma, start, end);
	case MADV_COLD:
	case MADV_PAGEOUT:
		if (vma->vm_flags & (VM_LOCKED | VM_PFNMAP))
			return -EINVAL;
		madvise_cold(mm, start, end);
		return 0;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
		return 0; /* the granule finds out by itself */
	}
	return madvise_flags(mm, vma, start, end, advice);
}

static bool advice_known(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	}
	return false; /* MERGEABLE, HUGEPAGE and the like: there are no such things here */
}

/* Only page tables change: mmap_lock for reading is enough. */
static bool advice_reads(int advice)
{
	return advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_WILLNEED || advice == MADV_COLD ||
	       advice == MADV_PAGEOUT;
}

static int madvise_walk(struct mm_struct *mm, unsigned long start, unsigned long end, int advice)
{
	unsigned long addr = start;
	int unmapped = 0, err;

	while (addr < end) {
		struct vm_area_struct *vma = find_vma(mm, addr);
		unsigned long stop;

		if (!vma || vma->vm_start >= end)
			return -ENOMEM;
		if (vma->vm_start > addr) {
			unmapped = -ENOMEM;
			addr = vma->vm_start;
		}
		stop = min(end, vma->vm_end);
		if (!(vma->vm_flags & VM_STUBS)) {
			err = madvise_vma(mm, vma, addr, stop, advice);
			if (err)
				return err;
		}
		addr = stop;
	}
	return unmapped;
}

static int do_madvise(struct mm_struct *mm, unsigned long start, size_t len, int advice)
{
	bool reads = advice_reads(advice);
	int err;

	if (!advice_known(advice) || offset_in_page(start))
		return -EINVAL;
	if (len && !PAGE_ALIGN(len))
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (start + len < start)
		return -EINVAL;
	if (!len)
		return 0;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return mm_populate(mm, start, len, advice == MADV_POPULATE_READ ? POPULATE_READ : POPULATE_WRITE);
	if (reads)
		mmap_read_lock(mm);
	else
		mmap_write_lock(mm);
	err = madvise_walk(mm, start, start + len, advice);
	if (reads)
		mmap_read_unlock(mm);
	else
		mmap_write_unlock(mm);
	return err;
}

SYSCALL_DEFINE3(madvise, unsigned long, start, size_t, len, int, advice)
{
	return do_madvise(current->mm, start, len, advice);
}
