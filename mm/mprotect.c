// SPDX-License-Identifier: Apache-2.0
/* mprotect: rights of VMAs, page-table entries and host mappings. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include "internal.h"

/**
 * DOC: changing rights
 *
 * Rights are only ever taken away here, from entries and from host mappings; what is newly allowed comes with the next fault. In
 * particular nothing becomes executable: a page that is run for the first time is scanned then (mm/fault.c).
 */
static inline pte_t allowed(pte_t e, unsigned long vm_flags)
{
	if (!(vm_flags & VM_WRITE))
		e &= ~PTE_WRITE;
	if (!(vm_flags & VM_EXEC))
		e &= ~PTE_EXEC;
	return e;
}

/* Host mappings of the range are of no use any more: it is inaccessible, or text views in it make way for the pages themselves. */
static bool must_unmap(struct mm_struct *mm, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, next;
	pte_t *p;

	if (!vma_accessible(vma))
		return true;
	if (vma->vm_flags & VM_EXEC)
		return false;
	for_each_pte_table(mm, addr, next, vma->vm_end, p)
	{
		for (unsigned long i = 0; i < (next - addr) >> PAGE_SHIFT; i++) {
			if (p[i] & PTE_TEXT)
				return true;
		}
	}
	return false;
}

static void strip_unmapped(struct mm_struct *mm, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, next;
	pte_t *p;

	host_unmap(mm, vma->vm_start, vma->vm_end - vma->vm_start);
	for_each_pte_table(mm, addr, next, vma->vm_end, p)
	{
		for (unsigned long i = 0; i < (next - addr) >> PAGE_SHIFT; i++) {
			pte_t e = p[i];

			if (!(e & PTE_PRESENT))
				continue;
			if ((e & PTE_TEXT) && !(vma->vm_flags & VM_EXEC)) {
				struct page *pg = pte_page(e);

				atomic_long_dec(mm_rss(mm, pte_rss_kind(e, pg)));
				if (page_remove_map(pg, e))
					mod_vm_stat(NR_FILE_MAPPED, -1);
				put_page(pg);
				p[i] = 0;
				continue;
			}
			p[i] = allowed(e, vma->vm_flags) & ~PTE_HOST;
		}
	}
}

static void strip_mapped(struct mm_struct *mm, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, next, start = 0, end = 0;
	bool lost = false;
	pte_t *p;

	for_each_pte_table(mm, addr, next, vma->vm_end, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			pte_t e = *p, n = allowed(e, vma->vm_flags);

			if (!(e & PTE_HOST) || a != end || (n & (PTE_WRITE | PTE_EXEC))) {
				if (lost)
					host_protect(mm, start, end - start, HPROT_READ);
				lost = false;
				start = end = a;
			}
			if (e & PTE_HOST && !(n & (PTE_WRITE | PTE_EXEC)))
				end = a + PAGE_SIZE;
			lost |= (e & PTE_HOST) && n != e;
			*p = n;
			/* rights lost but others kept: the host's are made anew by the next fault */
			if ((e & PTE_HOST) && n != e && (n & (PTE_WRITE | PTE_EXEC))) {
				host_protect(mm, a, PAGE_SIZE, HPROT_READ);
				lost = false;
			}
		}
	}
	if (lost)
		host_protect(mm, start, end - start, HPROT_READ);
}

static void change_protection(struct mm_struct *mm, struct vm_area_struct *vma)
{
	if (pte_next_table(mm, vma->vm_start, vma->vm_end) == vma->vm_end)
		return;
	spin_lock(&mm->page_table_lock);
	if (must_unmap(mm, vma))
		strip_unmapped(mm, vma);
	else
		strip_mapped(mm, vma);
	spin_unlock(&mm->page_table_lock);
}

/**
 * mprotect_fixup - give the part [start, end) of vma new flags
 *
 * mmap_lock is held for writing. vma may be split, and merged away. 0 or -ENOMEM.
 */
static int mprotect_fixup(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  unsigned long newflags)
{
	unsigned long old = vma->vm_flags, pages = (end - start) >> PAGE_SHIFT;
	bool charged = false;

	if (newflags == old)
		return 0;
	if (accountable(newflags) && !(old & VM_ACCOUNT) && !(old & VM_SHARED)) {
		if (!may_expand_vm(mm, newflags, accountable(old) ? 0 : pages) || vm_enough_memory(pages))
			return -ENOMEM;
		charged = true;
		newflags |= VM_ACCOUNT;
	}
	vma = vma_carve(mm, vma, start, end);
	if (!vma) {
		if (charged)
			vm_unacct_memory(pages);
		return -ENOMEM;
	}
	vm_stat_account(mm, old, -(long)pages);
	vma->vm_flags = newflags;
	vm_stat_account(mm, newflags, pages);
	change_protection(mm, vma);
	if (!(old & VM_EXEC))
		vma_text_mapped(mm, vma);
	vma_try_merge(mm, vma);
	return 0;
}

static int mprotect_range(struct mm_struct *mm, unsigned long start, unsigned long end, unsigned long prot,
			  unsigned long grows)
{
	bool rier = (current->personality & READ_IMPLIES_EXEC) && (prot & PROT_READ);
	unsigned long want = (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
			     (prot & PROT_EXEC ? VM_EXEC : 0);
	struct vm_area_struct *vma = find_vma(mm, start);
	unsigned long addr;
	int err;

	if (!vma)
		return -ENOMEM;
	if (grows == PROT_GROWSDOWN) {
		if (vma->vm_start >= end)
			return -ENOMEM;
		if (!(vma->vm_flags & VM_GROWSDOWN))
			return -EINVAL;
		start = vma->vm_start;
	} else if (vma->vm_start > start) {
		return -ENOMEM;
	} else if (grows == PROT_GROWSUP) {
		return -EINVAL; /* nothing grows up here */
	}
	for (addr = start; addr < end; vma = find_vma(mm, addr)) {
		unsigned long stop, flags;

		if (!vma || vma->vm_start > addr)
			return -ENOMEM;
		if (vma->vm_flags & VM_STUBS)
			return -EACCES;
		flags = (vma->vm_flags & ~(VM_READ | VM_WRITE | VM_EXEC)) | want;
		if (rier && (vma->vm_flags & VM_MAYEXEC))
			flags |= VM_EXEC;
		if ((flags & ~(flags >> 4)) & (VM_READ | VM_WRITE | VM_EXEC))
			return -EACCES;
		stop = min(end, vma->vm_end);
		err = mprotect_fixup(mm, vma, addr, stop, flags);
		if (err)
			return err;
		addr = stop;
	}
	return 0;
}

static int do_mprotect(unsigned long start, size_t len, unsigned long prot)
{
	unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	struct mm_struct *mm = current->mm;
	unsigned long end;
	int err;

	prot &= ~(PROT_GROWSDOWN | PROT_GROWSUP);
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (offset_in_page(start))
		return -EINVAL;
	if (!len)
		return 0;
	len = PAGE_ALIGN(len);
	end = start + len;
	if (end <= start)
		return -ENOMEM;
	if (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
		return -EINVAL;
	mmap_write_lock(mm);
	err = mprotect_range(mm, start, end, prot, grows);
	mmap_write_unlock(mm);
	return err;
}

SYSCALL_DEFINE3(mprotect, unsigned long, start, size_t, len, unsigned long, prot)
{
	return do_mprotect(start, len, prot);
}

/* Protection keys belong to the kernel here: a guest has none, as on a machine without them. */
SYSCALL_DEFINE4(pkey_mprotect, unsigned long, start, size_t, len, unsigned long, prot, int, pkey)
{
	return pkey == -1 ? do_mprotect(start, len, prot) : -EINVAL;
}

SYSCALL_DEFINE2(pkey_alloc, unsigned long, flags, unsigned long, init)
{
	return flags || (init & ~3UL) ? -EINVAL : -ENOSPC;
}

SYSCALL_DEFINE1(pkey_free, int, pkey)
{
	return -EINVAL;
}
