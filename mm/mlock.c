// SPDX-License-Identifier: Apache-2.0
/* mlock and friends, and filling mappings ahead of use. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include <linux/mman.h>
#include "internal.h"

/* What a fault for populating this VMA is; < 0: it cannot be populated that way. */
static int populate_flags(struct vm_area_struct *vma, int how)
{
	if (how == POPULATE_AS_ALLOWED) {
		if (vma->vm_flags & (VM_IO | VM_PFNMAP) || !vma_accessible(vma))
			return -EFAULT;
		return (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE ? FAULT_FLAG_WRITE : 0;
	}
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return -EINVAL;
	if (how == POPULATE_WRITE)
		return vma->vm_flags & VM_WRITE ? FAULT_FLAG_WRITE : -EINVAL;
	return vma_accessible(vma) ? 0 : -EINVAL;
}

static bool populated(struct mm_struct *mm, unsigned long addr, unsigned int flags)
{
	pte_t e;

	spin_lock(&mm->page_table_lock);
	e = pte_get(mm, addr);
	spin_unlock(&mm->page_table_lock);
	return (e & PTE_PRESENT) && (!(flags & FAULT_FLAG_WRITE) || (e & PTE_WRITE));
}

/* One fault at addr, or none if the page is there. Takes mmap_lock. *next: where to go on. */
static int populate_one(struct mm_struct *mm, unsigned long addr, unsigned long end, int how, unsigned long *next)
{
	struct vm_area_struct *vma;
	struct fault_ctx c;
	vm_fault_t r = 0;
	int flags;

	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (!vma || vma->vm_start >= end || (vma->vm_start > addr && how != POPULATE_AS_ALLOWED)) {
		mmap_read_unlock(mm);
		*next = end;
		return -ENOMEM;
	}
	addr = max(addr, vma->vm_start);
	end = min(end, vma->vm_end);
	flags = populate_flags(vma, how);
	if (flags < 0) {
		mmap_read_unlock(mm);
		*next = end;
		return flags;
	}
	while (addr < end && populated(mm, addr, flags))
		addr += PAGE_SIZE;
	if (addr < end) {
		/* known to be wanted whole: the largest granules */
		vma->fault_next = addr;
		vma->fault_run = 16;
		fault_init(&c, mm, vma, addr, flags);
		r = handle_mm_fault(&c);
	}
	mmap_read_unlock(mm);
	if (addr < end)
		fault_done(&c);
	*next = addr;
	if (r & VM_FAULT_OOM)
		return -ENOMEM;
	return r & (VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV) ? -EFAULT : 0;
}

int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long len, int how)
{
	unsigned long addr = start, end = start + len, next;
	int err, first = 0;

	while (addr < end) {
		err = populate_one(mm, addr, end, how, &next);
		if (err) {
			if (how != POPULATE_AS_ALLOWED || next <= addr)
				return err;
			first = first ?: err;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		addr = next;
	}
	return first;
}

static int lock_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool lock)
{
	struct vm_area_struct *vma = find_vma(mm, start);
	unsigned long addr = start;

	if (!vma || vma->vm_start > start)
		return -ENOMEM;
	for (; addr < end; vma = find_vma(mm, addr)) {
		unsigned long stop;

		if (!vma || vma->vm_start > addr)
			return -ENOMEM;
		stop = min(end, vma->vm_end);
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP | VM_STUBS)) && !!(vma->vm_flags & VM_LOCKED) != lock) {
			long pages = (stop - addr) >> PAGE_SHIFT;

			vma = vma_carve(mm, vma, addr, stop);
			if (!vma)
				return -ENOMEM;
			vma->vm_flags ^= VM_LOCKED;
			mm->locked_vm += lock ? pages : -pages;
			vma_try_merge(mm, vma);
		}
		addr = stop;
	}
	return 0;
}

static unsigned long pages_locked(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);
	unsigned long n = 0;

	for (; vma && vma->vm_start < end; vma = vma_next(vma)) {
		if (vma->vm_flags & VM_LOCKED)
			n += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	}
	return n;
}

static int do_mlock(unsigned long start, size_t len, bool populate)
{
	struct mm_struct *mm = current->mm;
	unsigned long limit = rlimit(RLIMIT_MEMLOCK), locked;
	int err = -ENOMEM;

	if (!limit && !capable(CAP_IPC_LOCK))
		return -EPERM;
	len = PAGE_ALIGN(len + offset_in_page(start));
	start &= PAGE_MASK;
	if (start + len < start)
		return -EINVAL;
	if (!len)
		return 0;
	mmap_write_lock(mm);
	locked = mm->locked_vm + (len >> PAGE_SHIFT) - pages_locked(mm, start, start + len);
	if (locked <= limit >> PAGE_SHIFT || capable(CAP_IPC_LOCK))
		err = lock_range(mm, start, start + len, true);
	mmap_write_unlock(mm);
	if (!err && populate) {
		err = mm_populate(mm, start, len, POPULATE_AS_ALLOWED);
		if (err == -EFAULT)
			err = -ENOMEM;
	}
	return err;
}

SYSCALL_DEFINE2(mlock, unsigned long, start, size_t, len)
{
	return do_mlock(start, len, true);
}

SYSCALL_DEFINE3(mlock2, unsigned long, start, size_t, len, int, flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return do_mlock(start, len, !(flags & MLOCK_ONFAULT));
}

SYSCALL_DEFINE2(munlock, unsigned long, start, size_t, len)
{
	struct mm_struct *mm = current->mm;
	int err;

	len = PAGE_ALIGN(len + offset_in_page(start));
	start &= PAGE_MASK;
	if (start + len < start)
		return -EINVAL;
	if (!len)
		return 0;
	mmap_write_lock(mm);
	err = lock_range(mm, start, start + len, false);
	mmap_write_unlock(mm);
	return err;
}

/* Every VMA there is; those that cannot be are left out. */
static void lock_all(struct mm_struct *mm, bool lock)
{
	struct vm_area_struct *vma;

	list_for_each_entry (vma, &mm->mmap, vm_list) {
		if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_STUBS) || !!(vma->vm_flags & VM_LOCKED) == lock)
			continue;
		vma->vm_flags ^= VM_LOCKED;
		mm->locked_vm += lock ? vma_pages(vma) : -vma_pages(vma);
	}
}

SYSCALL_DEFINE1(mlockall, int, flags)
{
	struct mm_struct *mm = current->mm;

	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!rlimit(RLIMIT_MEMLOCK) && !capable(CAP_IPC_LOCK))
		return -EPERM;
	mmap_write_lock(mm);
	if ((flags & MCL_CURRENT) && mm->total_vm > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT && !capable(CAP_IPC_LOCK)) {
		mmap_write_unlock(mm);
		return -ENOMEM;
	}
	mm->def_flags = flags & MCL_FUTURE ? VM_LOCKED : 0;
	if (flags & MCL_CURRENT)
		lock_all(mm, true);
	mmap_write_unlock(mm);
	if ((flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
		mm_populate(mm, 0, TASK_SIZE, POPULATE_AS_ALLOWED);
	return 0;
}

SYSCALL_DEFINE0(munlockall)
{
	struct mm_struct *mm = current->mm;

	mmap_write_lock(mm);
	mm->def_flags = 0;
	lock_all(mm, false);
	mmap_write_unlock(mm);
	return 0;
}
