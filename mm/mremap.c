// SPDX-License-Identifier: Apache-2.0
/* mremap: growing, shrinking and moving mappings. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include <linux/mman.h>
#include "internal.h"

static int prepare_tables(struct mm_struct *mm, unsigned long from, unsigned long to, unsigned long len)
{
	unsigned long addr = from, next;
	pte_t *p;

	for_each_pte_table(mm, addr, next, from + len, p)
	{
		unsigned long at = to + (addr - from), last = to + (next - from) - PAGE_SIZE;

		if (!pte_modify(mm, at) || !pte_modify(mm, last))
			return -ENOMEM;
	}
	return 0;
}

/* Entries of text are not moved: their stubs lie where they lay. They come back by faults. */
static void move_entry(struct mm_struct *mm, pte_t *src, unsigned long to)
{
	pte_t e = *src;
	struct page *p;

	*src = 0;
	if (!(e & PTE_SPECIAL)) {
		p = pte_page(e);
		if (e & PTE_TEXT) {
			atomic_long_dec(mm_rss(mm, pte_rss_kind(e, p)));
			if (page_remove_map(p, e))
				mod_vm_stat(NR_FILE_MAPPED, -1);
			put_page(p);
			return;
		}
		if ((e & PTE_ANON) && page_mapcount(p) == 1)
			p->index = to >> PAGE_SHIFT;
	}
	*pte_modify(mm, to) = e & ~(PTE_HOST | PTE_EXEC);
}

/* Moves what is at [from, from + len) to `to`; host mappings go first, and are made at the new place where something was moved. */
static int move_page_tables(struct vm_area_struct *vma, unsigned long from, unsigned long to, unsigned long len)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long addr = from, next;
	struct fault_ctx c;
	pte_t *p;

	spin_lock(&mm->page_table_lock);
	if (prepare_tables(mm, from, to, len)) {
		spin_unlock(&mm->page_table_lock);
		return -ENOMEM;
	}
	if (pte_next_table(mm, from, from + len) < from + len)
		host_unmap(mm, from, len);
	for_each_pte_table(mm, addr, next, from + len, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			if (*p & PTE_PRESENT)
				move_entry(mm, p, to + (a - from));
		}
	}
	fault_init(&c, mm, vma, 0, 0);
	c.addr = ~0UL;
	for (addr = to; (addr = pte_next_table(mm, addr, to + len)) < to + len; addr = next) {
		next = pmd_end(addr, to + len);
		host_map_range(&c, addr, next, false);
	}
	spin_unlock(&mm->page_table_lock);
	return 0;
}

/* What a larger mapping costs: limits and accounting. */
static int charge_growth(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long pages)
{
	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return -EFAULT;
	if (!mlock_future_ok(mm, vma->vm_flags, pages << PAGE_SHIFT))
		return -EAGAIN;
	if (!may_expand_vm(mm, vma->vm_flags, pages))
		return -ENOMEM;
	if ((vma->vm_flags & VM_ACCOUNT) && vm_enough_memory(pages))
		return -ENOMEM;
	return 0;
}

static void grow_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long end)
{
	struct address_space *m = vma->vm_file && vma->vm_ops ? vma->vm_file->f_mapping : NULL;
	unsigned long pages = (end - vma->vm_end) >> PAGE_SHIFT;

	if (m)
		mutex_lock(&m->i_mmap_lock);
	vma->vm_end = end;
	if (m)
		mutex_unlock(&m->i_mmap_lock);
	vm_stat_account(mm, vma->vm_flags, pages);
	if (vma->vm_flags & VM_LOCKED)
		mm->locked_vm += pages;
}

/* A VMA like vma for its part at old, at new_addr, with what is mapped there; the old part goes unless it is to stay. */
static unsigned long move_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long old,
			      unsigned long old_len, unsigned long new_addr, unsigned long new_len, bool keep_old)
{
	unsigned long grown = new_len > old_len ? (new_len - old_len) >> PAGE_SHIFT : 0;
	unsigned long kept = keep_old ? old_len >> PAGE_SHIFT : 0;
	struct vm_area_struct *new;
	int err;

	if (mm->map_count >= sysctl_max_map_count - 3)
		return -ENOMEM;
	err = charge_growth(mm, vma, keep_old || !old_len ? new_len >> PAGE_SHIFT : grown);
	if (err)
		return err;
	new = vma_dup(vma);
	if (!new)
		goto out_nomem;
	new->vm_start = new_addr;
	new->vm_end = new_addr + new_len;
	new->vm_pgoff = vma_is_anonymous(vma) ? new_addr >> PAGE_SHIFT : linear_page_index(vma, old);
	new->fault_next = 0;
	vma_link(mm, new);
	vma_add_i_mmap(new, vma);
	if (old_len && move_page_tables(new, old, new_addr, min(old_len, new_len))) {
		vma_del_i_mmap(new);
		vma_unlink(mm, new);
		vma_free(new);
		goto out_nomem;
	}
	vm_stat_account(mm, new->vm_flags, new_len >> PAGE_SHIFT);
	if (new->vm_flags & VM_LOCKED)
		mm->locked_vm += new_len >> PAGE_SHIFT;
	vma_text_mapped(mm, new);
	if (!keep_old && old_len) {
		/* its pages' charge moves with them: undo what unmapping takes off */
		unsigned long moved = min(old_len, new_len) >> PAGE_SHIFT;

		if (vma->vm_flags & VM_ACCOUNT)
			atomic_long_add(moved, &vm_committed_as);
		do_munmap(mm, old, old_len); /* if that fails, an empty mapping stays, with a charge of its own */
	} else if (kept && (vma->vm_flags & VM_LOCKED)) {
		vma->vm_flags &= ~VM_LOCKED;
		mm->locked_vm -= vma_pages(vma);
	}
	vma_try_merge(mm, new);
	return new_addr;
out_nomem:
	if (vma->vm_flags & VM_ACCOUNT)
		vm_unacct_memory(keep_old || !old_len ? new_len >> PAGE_SHIFT : grown);
	return -ENOMEM;
}

static struct vm_area_struct *mremap_vma(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
					 unsigned long new_len, unsigned long flags, long *err)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	*err = -EFAULT;
	if (!vma || vma->vm_start > addr || (vma->vm_flags & VM_STUBS))
		return NULL;
	*err = -EINVAL;
	/* nothing moves with an old length of 0: a second mapping of what is shared */
	if (!old_len && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return NULL;
	if ((flags & MREMAP_DONTUNMAP) && (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP)))
		return NULL;
	*err = -EFAULT;
	if (old_len > vma->vm_end - addr)
		return NULL;
	if (new_len > old_len && (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP)))
		return NULL;
	*err = 0;
	return vma;
}

static unsigned long mremap_to(struct mm_struct *mm, unsigned long addr, unsigned long old_len, unsigned long new_addr,
			       unsigned long new_len, unsigned long flags)
{
	struct vm_area_struct *vma;
	long err;

	if (flags & MREMAP_FIXED) {
		if (offset_in_page(new_addr) || new_len > TASK_SIZE || new_addr > TASK_SIZE - new_len)
			return -EINVAL;
		if (new_addr < sysctl_mmap_min_addr)
			return -EPERM;
		if (addr + old_len > new_addr && new_addr + new_len > addr)
			return -EINVAL;
		err = do_munmap(mm, new_addr, new_len);
		if (err)
			return err;
		if (find_vma_intersection(mm, new_addr, new_addr + new_len))
			return -ENOMEM;
	}
	if (old_len > new_len) {
		err = do_munmap(mm, addr + new_len, old_len - new_len);
		if (err)
			return err;
		old_len = new_len;
	}
	vma = mremap_vma(mm, addr, old_len, new_len, flags, &err);
	if (!vma)
		return err;
	if (!(flags & MREMAP_FIXED)) {
		new_addr = get_unmapped_area(mm, vma->vm_file, flags & MREMAP_DONTUNMAP ? new_addr : 0, new_len, 0, 0);
		if (IS_ERR_VALUE(new_addr))
			return new_addr;
	}
	return move_vma(mm, vma, addr, old_len, new_addr, new_len, flags & MREMAP_DONTUNMAP);
}

static unsigned long do_mremap(struct mm_struct *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
			       unsigned long flags, unsigned long new_addr)
{
	struct vm_area_struct *vma;
	unsigned long end;
	long err;

	vma = find_vma(mm, addr);
	if (!vma || vma->vm_start > addr)
		return -EFAULT;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return mremap_to(mm, addr, old_len, new_addr, new_len, flags);
	if (old_len >= new_len) {
		if (vma->vm_flags & VM_STUBS)
			return -EFAULT;
		if (old_len > new_len) {
			err = do_munmap(mm, addr + new_len, old_len - new_len);
			if (err)
				return err;
		}
		return addr;
	}
	vma = mremap_vma(mm, addr, old_len, new_len, flags, &err);
	if (!vma)
		return err;
	end = addr + new_len;
	if (old_len && old_len == vma->vm_end - addr && end > addr && end <= TASK_SIZE) {
		struct vm_area_struct *next = vma_next(vma);
		unsigned long claim =
			next ? next->vm_start - (next->vm_flags & VM_GROWSDOWN ? STACK_GUARD_GAP : 0) : TASK_SIZE;

		if (end <= claim) {
			err = charge_growth(mm, vma, (new_len - old_len) >> PAGE_SHIFT);
			if (err)
				return err;
			grow_vma(mm, vma, end);
			vma_try_merge(mm, vma);
			return addr;
		}
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	new_addr = get_unmapped_area(mm, vma->vm_file, 0, new_len, 0, 0);
	if (IS_ERR_VALUE(new_addr))
		return new_addr;
	return move_vma(mm, vma, addr, old_len, new_addr, new_len, false);
}

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len, unsigned long, new_len, unsigned long, flags,
		unsigned long, new_addr)
{
	struct mm_struct *mm = current->mm;
	bool locked = false;
	unsigned long ret;

	if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old_len != new_len))
		return -EINVAL;
	if (offset_in_page(addr) || old_len > TASK_SIZE || new_len > TASK_SIZE)
		return -EINVAL;
	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if (!new_len)
		return -EINVAL;
	mmap_write_lock(mm);
	ret = do_mremap(mm, addr, old_len, new_len, flags, new_addr);
	if (!IS_ERR_VALUE(ret) && new_len > old_len) {
		struct vm_area_struct *vma = find_vma(mm, ret);

		locked = vma && (vma->vm_flags & VM_LOCKED);
	}
	mmap_write_unlock(mm);
	if (locked)
		mm_populate(mm, ret + old_len, new_len - old_len, POPULATE_AS_ALLOWED);
	return ret;
}
