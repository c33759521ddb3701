// SPDX-License-Identifier: Apache-2.0
/* mincore: which pages are in memory. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include "internal.h"

static bool page_resident(struct vm_area_struct *vma, unsigned long addr, pte_t e)
{
	struct page *p;
	bool up;

	if (e & PTE_PRESENT)
		return true;
	if (!vma->vm_file || !vma->vm_ops || !(vma->vm_ops->flags & VM_OPS_FAULT_AROUND))
		return false;
	p = find_get_any_page(vma->vm_file->f_mapping, linear_page_index(vma, addr));
	if (!p)
		return false;
	up = PageUptodate(p);
	put_page(p);
	return up;
}

/* Fills vec for pages from addr, up to n and within one VMA; how many, or -ENOMEM. mmap_lock is held for reading. */
static long mincore_vma(struct mm_struct *mm, unsigned long addr, unsigned long n, u8 *vec)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	unsigned long end;
	long i;

	if (!vma || addr < vma->vm_start)
		return -ENOMEM;
	end = min(addr + (n << PAGE_SHIFT), vma->vm_end);
	for (i = 0; addr < end; addr += PAGE_SIZE, i++) {
		pte_t e;

		spin_lock(&mm->page_table_lock);
		e = pte_get(mm, addr);
		spin_unlock(&mm->page_table_lock);
		vec[i] = page_resident(vma, addr, e);
	}
	return i;
}

SYSCALL_DEFINE3(mincore, unsigned long, start, size_t, len, unsigned char *, vec)
{
	struct mm_struct *mm = current->mm;
	unsigned long pages;
	u8 buf[512];
	long done;

	if (offset_in_page(start))
		return -EINVAL;
	if (!access_ok((void *)start, len))
		return -ENOMEM;
	pages = PFN_UP(len);
	if (!access_ok(vec, pages))
		return -EFAULT;
	for (; pages; pages -= done, start += (unsigned long)done << PAGE_SHIFT, vec += done) {
		mmap_read_lock(mm);
		done = mincore_vma(mm, start, min_t(unsigned long, pages, sizeof(buf)), buf);
		mmap_read_unlock(mm);
		if (done < 0)
			return done;
		if (copy_to_user(vec, buf, done))
			return -EFAULT;
	}
	return 0;
}
