// SPDX-License-Identifier: Apache-2.0
/* msync: writing back what was changed through shared mappings. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include <linux/mman.h>
#include "internal.h"

/* Syncs the part of the file behind [start, end) of vma. Called without mmap_lock, on a reference. */
static int sync_part(struct file *f, loff_t start, loff_t end)
{
	int err = filemap_write_and_wait_range(f->f_mapping, start, end);

	if (!err && f->f_op->fsync)
		err = f->f_op->fsync(f, start, end, 1);
	return err;
}

SYSCALL_DEFINE3(msync, unsigned long, start, size_t, len, int, flags)
{
	struct mm_struct *mm = current->mm;
	unsigned long end;
	int unmapped = 0, err = 0;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC) ||
	    offset_in_page(start))
		return -EINVAL;
	end = start + PAGE_ALIGN(len);
	if (end < start)
		return -ENOMEM;
	mmap_read_lock(mm);
	while (start < end) {
		struct vm_area_struct *vma = find_vma(mm, start);
		unsigned long stop;
		struct file *f;
		loff_t off;

		if (!vma || vma->vm_start >= end) {
			unmapped = -ENOMEM;
			break;
		}
		if (start < vma->vm_start) {
			start = vma->vm_start;
			unmapped = -ENOMEM;
		}
		if ((flags & MS_INVALIDATE) && (vma->vm_flags & VM_LOCKED)) {
			err = -EBUSY;
			break;
		}
		stop = min(end, vma->vm_end);
		f = vma->vm_file;
		if ((flags & MS_SYNC) && f && vma->vm_ops && (vma->vm_flags & VM_SHARED)) {
			off = (loff_t)linear_page_index(vma, start) << PAGE_SHIFT;
			get_file(f);
			mmap_read_unlock(mm);
			err = sync_part(f, off, off + (stop - start) - 1);
			fput(f);
			mmap_read_lock(mm);
			if (err)
				break;
		}
		start = stop;
	}
	mmap_read_unlock(mm);
	return err ?: unmapped;
}
