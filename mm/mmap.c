// SPDX-License-Identifier: Apache-2.0
/* mmap, munmap, brk: choosing addresses, making and removing mappings. */
#include <husk/mm.h>
#include <husk/init.h>
#include <husk/proc_fs.h>
#include <husk/syscalls.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include "internal.h"

int sysctl_mmap_min_addr = MMAP_MIN_ADDR;
static int sysctl_randomize_va_space = 2;

/**
 * DOC: choosing an address
 *
 * Top-down from mmap_base. gap_hint is where the last search ended: everything between it and mmap_base is in use, but
 * for gaps of at most gap_size bytes. A request larger than that goes on from the hint; a smaller one, and a
 * failed one, begins at the top. An unmapping above the hint raises it. A mapping of a file with text gets `room`
 * behind it that is left free for its stubs (arch/x86/text.c).
 */
static bool randomize(void)
{
	return sysctl_randomize_va_space && !(current->personality & ADDR_NO_RANDOMIZE);
}

void mm_pick_layout(struct mm_struct *mm)
{
	const unsigned long stack_pad = (0x3fffffUL << PAGE_SHIFT) + STACK_GUARD_GAP;
	unsigned long gap = rlimit(RLIMIT_STACK), rnd = 0;

	if (randomize())
		rnd = (get_random_u64() & 0xfffffffUL) << PAGE_SHIFT;
	if (gap + stack_pad > gap)
		gap += stack_pad;
	gap = clamp_t(unsigned long, gap, 128UL << 20, TASK_SIZE / 6 * 5);
	mm->mmap_base = PAGE_ALIGN(STACK_TOP - gap - rnd);
	mm->gap_hint = mm->mmap_base;
	mm->gap_size = 0;
}

/* where a VMA's claim on addresses begins: below a stack lies its guard gap */
static unsigned long claim_start(const struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_GROWSDOWN))
		return vma->vm_start;
	return vma->vm_start > STACK_GUARD_GAP ? vma->vm_start - STACK_GUARD_GAP : 0;
}

/* Is [addr, addr + len) free? */
static bool range_free(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return !vma || addr + len <= claim_start(vma);
}

static unsigned long search_down(struct mm_struct *mm, unsigned long from, unsigned long need, unsigned long *largest)
{
	unsigned long hi = from;
	struct vm_area_struct *vma = find_vma(mm, from);

	/* vma: the lowest that ends above hi; it may begin below */
	if (vma) {
		hi = min(hi, claim_start(vma));
		vma = vma_prev(vma);
	} else if (!list_empty(&mm->mmap)) {
		vma = list_last_entry(&mm->mmap, struct vm_area_struct, vm_list);
	}
	for (; vma; vma = vma_prev(vma)) {
		if (hi > vma->vm_end) {
			unsigned long gap = hi - vma->vm_end;

			if (gap >= need)
				return hi - need;
			*largest = max(*largest, gap);
		}
		hi = min(hi, claim_start(vma));
	}
	if (hi >= need && hi - need >= sysctl_mmap_min_addr)
		return hi - need;
	return -ENOMEM;
}

static unsigned long search_up(struct mm_struct *mm, unsigned long from, unsigned long limit, unsigned long need)
{
	unsigned long addr = from;
	struct vm_area_struct *vma;

	for (vma = find_vma(mm, addr); vma; vma = vma_next(vma)) {
		if (addr + need > limit)
			return -ENOMEM;
		if (addr + need <= claim_start(vma))
			return addr;
		addr = max(addr, vma->vm_end);
	}
	return addr + need <= limit ? addr : -ENOMEM;
}

static unsigned long search_topdown(struct mm_struct *mm, unsigned long need)
{
	unsigned long addr, largest = mm->gap_size;

	if (need > mm->gap_size && mm->gap_hint < mm->mmap_base) {
		addr = search_down(mm, mm->gap_hint, need, &largest);
		if (!IS_ERR_VALUE(addr))
			goto out;
	}
	largest = 0;
	addr = search_down(mm, mm->mmap_base, need, &largest);
	if (IS_ERR_VALUE(addr))
		return search_up(mm, mm->mmap_base, TASK_SIZE, need);
out:
	mm->gap_size = largest;
	mm->gap_hint = addr;
	return addr;
}

static void mm_gap_freed(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	if (end > mm->gap_hint && start < mm->mmap_base)
		mm->gap_hint = min(end, mm->mmap_base);
}

unsigned long get_unmapped_area(struct mm_struct *mm, struct file *file, unsigned long addr, unsigned long len,
				unsigned long flags, unsigned long room)
{
	unsigned long need = max(len, room);

	if (len > TASK_SIZE)
		return -ENOMEM;
	if (flags & MAP_FIXED) {
		if (offset_in_page(addr))
			return -EINVAL;
		if (addr > TASK_SIZE - len)
			return -ENOMEM;
		return addr < sysctl_mmap_min_addr ? -EPERM : addr;
	}
	if (addr) {
		addr = max_t(unsigned long, PAGE_ALIGN(addr), PAGE_ALIGN(sysctl_mmap_min_addr));
		if (addr <= TASK_SIZE - len && range_free(mm, addr, need <= TASK_SIZE - addr ? need : len))
			return addr;
	}
	if (flags & MAP_32BIT) {
		unsigned long start = 0x40000000;

		if (randomize())
			start += (get_random_u64() & 0x1fff) << PAGE_SHIFT;
		return search_up(mm, start, 0x80000000, len);
	}
	if (!file && IS_ALIGNED(len, PMD_SIZE)) {
		/* so that the host can show it with large page-table entries */
		addr = search_topdown(mm, need + PMD_SIZE - PAGE_SIZE);
		if (!IS_ERR_VALUE(addr)) {
			addr = ALIGN(addr, PMD_SIZE);
			if (addr < mm->mmap_base)
				mm->gap_hint = addr;
			return addr;
		}
	}
	addr = search_topdown(mm, need);
	if (IS_ERR_VALUE(addr) && room > len)
		addr = search_topdown(mm, len);
	return addr;
}

/* ---- removing ---- */

/* Is the text that uses these stubs still mapped below them? */
static bool stubs_in_use(struct vm_area_struct *stubs)
{
	struct vm_area_struct *v = vma_prev(stubs);

	for (; v && !(v->vm_flags & VM_STUBS) && stubs->vm_start - v->vm_start < 1UL << 30; v = vma_prev(v)) {
		struct address_space *m = v->vm_file ? v->vm_file->f_mapping : NULL;
		unsigned long base = v->vm_start - (v->vm_pgoff << PAGE_SHIFT);

		if (m && m->text && (v->vm_flags & VM_EXEC) && stubs->vm_start < base + text_ops->span(m) + PMD_SIZE)
			return true;
	}
	return false;
}

static void drop_vmas(struct mm_struct *mm, struct list_head *dead, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma, *n;

	zap_range(mm, start, end, 0);
	list_for_each_entry_safe (vma, n, dead, vm_list) {
		long pages = vma_pages(vma);

		if (vma->vm_flags & VM_ACCOUNT)
			vm_unacct_memory(pages);
		if (vma->vm_flags & VM_LOCKED)
			mm->locked_vm -= pages;
		vm_stat_account(mm, vma->vm_flags, -pages);
		vma_free(vma);
	}
}

/* Page tables that no VMA needs any more: from the VMA before to the one behind. */
static void free_tables(struct mm_struct *mm, struct vm_area_struct *prev, struct vm_area_struct *next)
{
	unsigned long lo = prev ? ALIGN(prev->vm_end, PMD_SIZE) : 0;
	unsigned long hi = next ? ALIGN_DOWN(next->vm_start, PMD_SIZE) : ALIGN(TASK_SIZE, PMD_SIZE);

	if (lo >= hi)
		return;
	spin_lock(&mm->page_table_lock);
	pte_free_tables(mm, lo, hi);
	spin_unlock(&mm->page_table_lock);
}

/* Unlinks the VMAs of [start, end), which are whole; stubs that are needed stay. True when one stayed. */
static bool detach_vmas(struct mm_struct *mm, struct vm_area_struct *first, unsigned long end, struct list_head *dead)
{
	struct vm_area_struct *vma = first, *next;
	bool kept = false;

	/* text before its stubs, so that these are found unused */
	for (; vma && vma->vm_start < end; vma = next) {
		next = vma_next(vma);
		if ((vma->vm_flags & VM_STUBS) && stubs_in_use(vma)) {
			kept = true;
			continue;
		}
		vma_del_i_mmap(vma);
		vma_unlink(mm, vma);
		list_add_tail(&vma->vm_list, dead);
	}
	return kept;
}

static int split_ends(struct mm_struct *mm, struct vm_area_struct **first, unsigned long start, unsigned long end)
{
	struct vm_area_struct *last;
	int err;

	if ((*first)->vm_start < start) {
		/* the hole in the middle of one makes one more VMA, at most */
		if (end < (*first)->vm_end && mm->map_count >= sysctl_max_map_count)
			return -ENOMEM;
		err = split_vma(mm, *first, start, first);
		if (err)
			return err;
	}
	last = find_vma(mm, end - 1);
	if (last && last->vm_start < end && last->vm_end > end)
		return split_vma(mm, last, end, NULL);
	return 0;
}

static int unmap_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool *kept)
{
	struct vm_area_struct *first, *prev, *next;
	LIST_HEAD(dead);
	int err;

	*kept = false;
	first = find_vma_intersection(mm, start, end);
	if (!first)
		return 0;
	err = split_ends(mm, &first, start, end);
	if (err)
		return err;
	prev = vma_prev(first);
	*kept = detach_vmas(mm, first, end, &dead);
	next = find_vma(mm, end);
	/* stubs behind the text that has just gone */
	if (next && (next->vm_flags & VM_STUBS) && !stubs_in_use(next)) {
		struct vm_area_struct *n = vma_next(next);

		vma_unlink(mm, next);
		list_add_tail(&next->vm_list, &dead);
		end = next->vm_end;
		next = n;
	}
	if (!list_empty(&dead))
		drop_vmas(mm, &dead, start, end);
	if (*kept)
		return 0;
	free_tables(mm, prev, next);
	mm_gap_freed(mm, start, end);
	return 0;
}

int do_munmap(struct mm_struct *mm, unsigned long start, size_t len)
{
	bool kept;

	if (offset_in_page(start) || start > TASK_SIZE || len > TASK_SIZE - start)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len)
		return -EINVAL;
	return unmap_range(mm, start, start + len, &kept);
}

int vm_munmap(unsigned long start, size_t len)
{
	struct mm_struct *mm = current->mm;
	int err;

	mmap_write_lock(mm);
	err = do_munmap(mm, start, len);
	mmap_write_unlock(mm);
	return err;
}

SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len)
{
	return vm_munmap(addr, len);
}

/* ---- making ---- */

/*
 * Text that the kernel or the dynamic linker maps is there to be run. Who else maps it may only want to read it, as valgrind does, which
 * translates code and never runs it, and keeps account of what lies where: he sees the file as it is, and there are no stubs behind it.
 */
static bool reads_text(struct mm_struct *mm)
{
	unsigned long ip = task_pt_regs(current)->ip;

	return mm == current->mm && mm->end_code && !(ip >= mm->interp_start && ip < mm->interp_end);
}

void vma_text_mapped(struct mm_struct *mm, struct vm_area_struct *vma)
{
	bool own = vma->vm_file && vma->vm_ops && (vma->vm_flags & VM_EXEC) &&
		   ((!(vma->vm_flags & VM_SHARED) && reads_text(mm)) ||
		    !text_ops->mapped(mm, vma->vm_file->f_mapping, vma->vm_start, (u64)vma->vm_pgoff << PAGE_SHIFT,
				      vma->vm_end - vma->vm_start));

	vma->vm_flags = own ? vma->vm_flags | VM_OWN_TEXT : vma->vm_flags & ~VM_OWN_TEXT;
}

static unsigned long calc_vm_flags(unsigned long prot, unsigned long flags)
{
	return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
	       (prot & PROT_EXEC ? VM_EXEC : 0) | (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) |
	       (flags & MAP_LOCKED ? VM_LOCKED : 0) |
	       (flags & MAP_NORESERVE && sysctl_overcommit_memory != 2 ? VM_NORESERVE : 0) | VM_MAYREAD | VM_MAYWRITE |
	       VM_MAYEXEC;
}

bool mlock_future_ok(struct mm_struct *mm, unsigned long vm_flags, unsigned long bytes)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK);

	if (!(vm_flags & VM_LOCKED) || capable(CAP_IPC_LOCK))
		return true;
	return mm->locked_vm + (bytes >> PAGE_SHIFT) <= limit >> PAGE_SHIFT;
}

static long check_file(struct file *file, unsigned long prot, unsigned long flags, unsigned long pgoff,
		       unsigned long len, unsigned long *vm_flags)
{
	unsigned long type = flags & MAP_TYPE;

	if (type == MAP_SHARED_VALIDATE) {
		if (flags & MAP_SYNC)
			return -EOPNOTSUPP;
		if (flags & ~(MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN | MAP_DENYWRITE |
			      MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |
			      MAP_32BIT | MAP_HUGETLB | (0x3fUL << MAP_HUGE_SHIFT)))
			return -EOPNOTSUPP;
		type = MAP_SHARED;
	}
	if (type == MAP_SHARED) {
		if ((prot & PROT_WRITE) && !(file->f_mode & FMODE_WRITE))
			return -EACCES;
		if (S_ISREG(file_inode(file)->i_mode) && (file_inode(file)->i_flags & S_APPEND) &&
		    (file->f_mode & FMODE_WRITE))
			return -EACCES;
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		if (!(file->f_mode & FMODE_WRITE))
			*vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
	} else if (type != MAP_PRIVATE) {
		return -EINVAL;
	}
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (file->f_path.mnt && (file->f_path.mnt->mnt_flags & MNT_NOEXEC)) {
		if (*vm_flags & VM_EXEC)
			return -EPERM;
		*vm_flags &= ~VM_MAYEXEC;
	}
	if (!file->f_op->mmap)
		return -ENODEV;
	return *vm_flags & VM_GROWSDOWN ? -EINVAL : 0;
}

/* Frees [addr, addr + len) for a new mapping. */
static int clear_range(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	bool kept;
	int err = unmap_range(mm, addr, addr + len, &kept);

	if (err)
		return err;
	return kept ? -ENOMEM : 0;
}

/* Let the file's driver have the VMA; on failure the file is still the VMA's. */
static long map_file(struct vm_area_struct *vma, struct file *file)
{
	int err;

	vma->vm_file = get_file(file);
	err = file->f_op->mmap(file, vma);
	if (err)
		return err;
	return 0;
}

static unsigned long mmap_region(struct mm_struct *mm, struct file *file, unsigned long addr, unsigned long len,
				 unsigned long vm_flags, unsigned long pgoff)
{
	unsigned long pages = len >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	unsigned long charged = 0;
	long err;

	if (!may_expand_vm(mm, vm_flags, pages)) {
		unsigned long inside = 0;

		for (vma = find_vma_intersection(mm, addr, addr + len); vma && vma->vm_start < addr + len;
		     vma = vma_next(vma))
			inside += (min(vma->vm_end, addr + len) - max(vma->vm_start, addr)) >> PAGE_SHIFT;
		if (!may_expand_vm(mm, vm_flags, pages - inside))
			return -ENOMEM;
	}
	err = clear_range(mm, addr, len);
	if (err)
		return err;
	if (accountable(vm_flags)) {
		if (vm_enough_memory(pages))
			return -ENOMEM;
		charged = pages;
		vm_flags |= VM_ACCOUNT;
	}
	err = -ENOMEM;
	vma = vma_alloc(mm);
	if (!vma)
		goto out_unacct;
	vma->vm_start = addr;
	vma->vm_end = addr + len;
	vma->vm_flags = vm_flags;
	vma->vm_pgoff = pgoff;
	if (file) {
		err = map_file(vma, file);
		if (err)
			goto out_free;
	}
	vma_link(mm, vma);
	vma_add_i_mmap(vma, NULL);
	vm_stat_account(mm, vma->vm_flags, pages);
	if (vma->vm_flags & VM_LOCKED)
		mm->locked_vm += pages;
	vma_text_mapped(mm, vma);
	vma_try_merge(mm, vma);
	return addr;
out_free:
	vma->vm_ops = NULL; /* a failed mmap has nothing to close */
	vma_free(vma);
out_unacct:
	if (charged)
		vm_unacct_memory(charged);
	return err;
}

/* Shared anonymous memory is an unlinked file of its own. */
static unsigned long map_shared_anon(struct mm_struct *mm, unsigned long addr, unsigned long len,
				     unsigned long vm_flags)
{
	struct file *f = shmem_file_setup("dev/zero", len, vm_flags);
	unsigned long ret;

	if (IS_ERR(f))
		return PTR_ERR(f);
	ret = mmap_region(mm, f, addr, len, vm_flags | VM_SHARED | VM_MAYSHARE, 0);
	fput(f);
	return ret;
}

/* Memory of this kind is written at once by who asks for it (malloc): the fault is saved. */
#define PREMAP_MAX (1UL << 20)
#define PREMAP_NOT (MAP_FIXED | MAP_NORESERVE | MAP_STACK | MAP_GROWSDOWN | MAP_POPULATE)

unsigned long do_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		      unsigned long pgoff)
{
	struct mm_struct *mm = current->mm;
	unsigned long vm_flags, room = 0;
	long err;

	if (!len)
		return -EINVAL;
	if ((prot & PROT_READ) && (current->personality & READ_IMPLIES_EXEC) &&
	    !(file && file->f_path.mnt && (file->f_path.mnt->mnt_flags & MNT_NOEXEC)))
		prot |= PROT_EXEC;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	if (len > TASK_SIZE)
		return -ENOMEM;
	len = PAGE_ALIGN(len);
	if (pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EOVERFLOW;
	if (mm->map_count > sysctl_max_map_count)
		return -ENOMEM;
	vm_flags = calc_vm_flags(prot, flags) | mm->def_flags;
	if (file && !pgoff && !(flags & MAP_FIXED) && (flags & MAP_TYPE) == MAP_PRIVATE)
		room = PAGE_ALIGN(text_ops->span(file->f_mapping));
	addr = get_unmapped_area(mm, file, addr, len, flags, room);
	if (IS_ERR_VALUE(addr))
		return addr;
	if ((flags & MAP_FIXED_NOREPLACE) && find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;
	if ((flags & MAP_LOCKED) && !capable(CAP_IPC_LOCK) && !rlimit(RLIMIT_MEMLOCK))
		return -EPERM;
	if (!mlock_future_ok(mm, vm_flags, len))
		return -EAGAIN;
	if (file) {
		err = check_file(file, prot, flags, pgoff, len, &vm_flags);
		if (err)
			return err;
		addr = mmap_region(mm, file, addr, len, vm_flags, pgoff);
		if ((flags & MAP_FIXED) && !IS_ERR_VALUE(addr))
			file_premap(mm, find_vma(mm, addr));
		return addr;
	}
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
		if (vm_flags & VM_GROWSDOWN)
			return -EINVAL;
		return map_shared_anon(mm, addr, len, vm_flags);
	case MAP_PRIVATE:
		addr = mmap_region(mm, NULL, addr, len, vm_flags, addr >> PAGE_SHIFT);
		if (!IS_ERR_VALUE(addr) && prot == (PROT_READ | PROT_WRITE) && len <= PREMAP_MAX &&
		    !(flags & PREMAP_NOT))
			anon_premap(mm, find_vma(mm, addr), addr);
		return addr;
	}
	return -EINVAL;
}

unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		      u64 offset)
{
	struct mm_struct *mm = current->mm;
	unsigned long ret;
	bool populate;

	if (offset_in_page(offset))
		return -EINVAL;
	mmap_write_lock(mm);
	ret = do_mmap(file, addr, len, prot, flags, offset >> PAGE_SHIFT);
	populate = !IS_ERR_VALUE(ret) && ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE ||
					  ((flags & MAP_LOCKED) | (mm->def_flags & VM_LOCKED)));
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(mm, ret, PAGE_ALIGN(len), POPULATE_AS_ALLOWED);
	return ret;
}

/* MAP_HUGETLB: there is no pool of huge pages; sizes that x86 does not have are told first. */
static int no_huge_pages(unsigned long flags)
{
	unsigned log = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

	if (!(flags & MAP_ANONYMOUS) || (log && log != 21 && log != 30))
		return -EINVAL;
	return -ENOMEM;
}

SYSCALL_DEFINE6(mmap, unsigned long, addr, unsigned long, len, unsigned long, prot, unsigned long, flags, int, fd,
		unsigned long, off)
{
	struct file *file = NULL;
	unsigned long ret;

	if (offset_in_page(off))
		return -EINVAL;
	if (flags & MAP_HUGETLB)
		return no_huge_pages(flags);
	if (!(flags & MAP_ANONYMOUS)) {
		file = fget(fd);
		if (!file)
			return -EBADF;
	}
	ret = vm_mmap(file, addr, len, prot, flags, off);
	if (file)
		fput(file);
	return ret;
}

/* ---- brk ---- */

/* Anonymous memory at a fixed place, mmap_lock held. */
static int do_brk_flags(struct mm_struct *mm, unsigned long addr, unsigned long len, unsigned long flags)
{
	unsigned long vm_flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | mm->def_flags | flags;
	unsigned long ret;

	if (!mlock_future_ok(mm, vm_flags, len))
		return -EAGAIN;
	if (mm->map_count > sysctl_max_map_count)
		return -ENOMEM;
	ret = mmap_region(mm, NULL, addr, len, vm_flags, addr >> PAGE_SHIFT);
	return IS_ERR_VALUE(ret) ? (int)ret : 0;
}

static unsigned long do_brk(struct mm_struct *mm, unsigned long brk, unsigned long *grown)
{
	unsigned long old = PAGE_ALIGN(mm->brk), new = PAGE_ALIGN(brk);
	struct vm_area_struct *next;

	if (brk < mm->start_brk || brk > TASK_SIZE)
		return mm->brk;
	if ((brk - mm->start_brk) + (mm->end_data - mm->start_data) > rlimit(RLIMIT_DATA))
		return mm->brk;
	if (new < old) {
		if (do_munmap(mm, new, old - new))
			return mm->brk;
	} else if (new > old) {
		next = find_vma(mm, old);
		if (next && new + PAGE_SIZE > claim_start(next))
			return mm->brk;
		if (do_brk_flags(mm, old, new - old, 0))
			return mm->brk;
		*grown = new - old;
	}
	mm->brk = brk;
	return brk;
}

SYSCALL_DEFINE1(brk, unsigned long, brk)
{
	struct mm_struct *mm = current->mm;
	unsigned long ret, grown = 0;
	bool lock;

	mmap_write_lock(mm);
	ret = do_brk(mm, brk, &grown);
	lock = mm->def_flags & VM_LOCKED;
	mmap_write_unlock(mm);
	if (grown && lock)
		mm_populate(mm, PAGE_ALIGN(ret) - grown, grown, POPULATE_AS_ALLOWED);
	return ret;
}

/* ---- stacks and special mappings ---- */

int expand_stack(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	struct vm_area_struct *prev = vma_prev(vma);
	unsigned long low, size, pages, limit = rlimit(RLIMIT_STACK);

	addr &= PAGE_MASK;
	if (!(vma->vm_flags & VM_GROWSDOWN))
		return -EFAULT;
	if (addr >= vma->vm_start)
		return 0;
	if (addr < sysctl_mmap_min_addr || vma->vm_end - addr > limit)
		return -ENOMEM;
	/* a guard gap to what lies below, unless that is itself a guard */
	low = sysctl_mmap_min_addr;
	if (prev) {
		low = prev->vm_end;
		if (!(prev->vm_flags & VM_GROWSDOWN) && vma_accessible(prev))
			low += STACK_GUARD_GAP;
	}
	if (addr < low)
		return -ENOMEM;
	/* in steps of the fault granule, where there is room and the limit allows it */
	size = vma->vm_end - ALIGN_DOWN(addr, 16 * PAGE_SIZE);
	if (ALIGN_DOWN(addr, 16 * PAGE_SIZE) >= low && size <= limit)
		addr = ALIGN_DOWN(addr, 16 * PAGE_SIZE);
	pages = (vma->vm_start - addr) >> PAGE_SHIFT;
	if (!may_expand_vm(mm, vma->vm_flags, pages) || !mlock_future_ok(mm, vma->vm_flags, pages << PAGE_SHIFT))
		return -ENOMEM;
	if ((vma->vm_flags & VM_ACCOUNT) && vm_enough_memory(pages))
		return -ENOMEM;
	/* nothing lies between, so the tree's order does not change */
	vma->vm_start = addr;
	vma->vm_pgoff -= pages;
	vm_stat_account(mm, vma->vm_flags, pages);
	if (vma->vm_flags & VM_LOCKED)
		mm->locked_vm += pages;
	return 0;
}

int setup_stack_vma(struct mm_struct *mm, unsigned long *top)
{
	const unsigned long size = 33UL << PAGE_SHIFT;
	struct vm_area_struct *vma;

	*top = STACK_TOP;
	if (randomize())
		*top -= (get_random_u64() & 0x3fffffUL) << PAGE_SHIFT;
	vma = vma_alloc(mm);
	if (!vma)
		return -ENOMEM;
	vma->vm_end = *top;
	vma->vm_start = *top - size;
	vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
	vma->vm_flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_GROWSDOWN | VM_ACCOUNT;
	if (vm_enough_memory(size >> PAGE_SHIFT)) {
		vma_free(vma);
		return -ENOMEM;
	}
	mmap_write_lock(mm);
	vma_link(mm, vma);
	vm_stat_account(mm, vma->vm_flags, size >> PAGE_SHIFT);
	mm->start_stack = *top;
	mmap_write_unlock(mm);
	return 0;
}

/* The pages of a special mapping, shared by the VMAs that show them. */
struct special_pages {
	refcount_t users;
	unsigned long n;
	struct page *page[];
};

static void special_open(struct vm_area_struct *vma)
{
	struct special_pages *s = vma->vm_private_data;

	refcount_inc(&s->users);
}

static void special_close(struct vm_area_struct *vma)
{
	struct special_pages *s = vma->vm_private_data;

	if (!refcount_dec_and_test(&s->users))
		return;
	for (unsigned long i = 0; i < s->n; i++)
		put_page(s->page[i]);
	kfree(s);
}

static vm_fault_t special_fault(struct vm_fault *vmf)
{
	struct special_pages *s = vmf->vma->vm_private_data;

	if (vmf->pgoff >= s->n || !s->page[vmf->pgoff])
		return VM_FAULT_SIGBUS;
	vmf->page = s->page[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

const struct vm_operations_struct special_mapping_vm_ops = {
	.open = special_open,
	.close = special_close,
	.fault = special_fault,
};

int insert_special_mapping(struct mm_struct *mm, unsigned long addr, unsigned long len, unsigned long vm_flags,
			   struct page **pages)
{
	unsigned long n = len >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	struct special_pages *s;

	if (offset_in_page(addr) || offset_in_page(len) || !n || addr > TASK_SIZE - len)
		return -EINVAL;
	if (find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;
	s = kmalloc(sizeof(*s) + n * sizeof(s->page[0]), GFP_KERNEL);
	vma = vma_alloc(mm);
	if (!s || !vma) {
		kfree(s);
		if (vma)
			vma_free(vma);
		return -ENOMEM;
	}
	refcount_set(&s->users, 1);
	s->n = n;
	for (unsigned long i = 0; i < n; i++) {
		s->page[i] = pages[i];
		get_page(pages[i]);
	}
	vma->vm_start = addr;
	vma->vm_end = addr + len;
	vma->vm_flags = vm_flags;
	vma->vm_ops = &special_mapping_vm_ops;
	vma->vm_private_data = s;
	vma_link(mm, vma);
	vm_stat_account(mm, vm_flags, n);
	return 0;
}

SYSCTL_INT("vm/max_map_count", 0644, sysctl_max_map_count, 0, 0x7fffffff);
SYSCTL_INT("vm/mmap_min_addr", 0644, sysctl_mmap_min_addr, PAGE_SIZE, 1 << 30);
SYSCTL_INT("kernel/randomize_va_space", 0644, sysctl_randomize_va_space, 0, 2);
