// SPDX-License-Identifier: Apache-2.0
/* Reaching user pages of any address space through the direct map: futex keys, /proc/PID/mem, exec, process_vm_readv. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/boot.h>
#include "internal.h"

/*
 * When mm is not current's, only its page tables change; host mappings follow when its own process faults. A page that is to be written is
 * the mm's own (COW broken) and not executable for as long as the reference lasts: exec_anon_page() refuses pages that somebody holds.
 */

/* May it be done at all? Forced accesses (debuggers) see what could be made readable, and write private copies. */
static int gup_vma_ok(struct vm_area_struct *vma, unsigned int gup)
{
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return -EFAULT;
	if (gup & GUP_WRITE) {
		if (vma->vm_flags & VM_STUBS)
			return -EFAULT;
		if (vma->vm_flags & VM_WRITE)
			return 0;
		if (!(gup & GUP_FORCE) || (vma->vm_flags & VM_SHARED) || !(vma->vm_flags & VM_MAYWRITE))
			return -EFAULT;
		return 0;
	}
	if (vma_accessible(vma))
		return 0;
	return (gup & GUP_FORCE) && (vma->vm_flags & VM_MAYREAD) ? 0 : -EFAULT;
}

/* Does the entry give what is asked for? */
static bool pte_good(struct vm_area_struct *vma, pte_t e, unsigned int gup)
{
	if (!(e & PTE_PRESENT))
		return false;
	if (!(gup & GUP_WRITE))
		return true;
	if (e & PTE_WRITE)
		return true;
	/* forced: a private page of its own that nobody runs */
	return !(vma->vm_flags & VM_WRITE) && (e & PTE_ANON) && !(e & PTE_EXEC) && page_mapcount(pte_page(e)) == 1;
}

/* One look: the page, ERR_PTR, or NULL after a fault was handled and the look must be repeated. mmap_lock is held for reading. */
static struct page *gup_once(struct fault_ctx *c, struct mm_struct *mm, unsigned long addr, unsigned int gup)
{
	struct vm_area_struct *vma = find_extend_vma(mm, addr);
	struct page *p;
	vm_fault_t r;
	pte_t e;

	if (!vma || gup_vma_ok(vma, gup))
		return ERR_PTR(-EFAULT);
	fault_init(c, mm, vma, addr, gup & GUP_WRITE ? FAULT_FLAG_WRITE : 0);
	c->force = gup & GUP_FORCE;
	spin_lock(&mm->page_table_lock);
	e = pte_get(mm, addr);
	if (pte_good(vma, e, gup)) {
		if (e & PTE_TEXT) { /* the original bytes, not what runs */
			spin_unlock(&mm->page_table_lock);
			return read_mapping_page(vma->vm_file->f_mapping, linear_page_index(vma, addr), vma->vm_file);
		}
		p = pte_page(e);
		get_page(p);
		if (gup & GUP_WRITE)
			mm->scan_seq++;
		spin_unlock(&mm->page_table_lock);
		return p;
	}
	spin_unlock(&mm->page_table_lock);
	r = handle_mm_fault(c);
	if (r & VM_FAULT_OOM)
		return ERR_PTR(-ENOMEM);
	if (r & (VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV))
		return ERR_PTR(-EFAULT);
	return NULL;
}

static struct page *gup_page(struct mm_struct *mm, unsigned long addr, unsigned int gup, int *err)
{
	struct fault_ctx c = {.flush_end = 0};
	struct page *p;

	*err = -EFAULT;
	if (addr >= TASK_SIZE)
		return NULL;
	do {
		mmap_read_lock(mm);
		p = gup_once(&c, mm, addr & PAGE_MASK, gup);
		mmap_read_unlock(mm);
		fault_done(&c);
		if (!p && fatal_signal_pending(current))
			p = ERR_PTR(-EINTR);
	} while (!p);
	if (IS_ERR(p)) {
		*err = PTR_ERR(p);
		return NULL;
	}
	return p;
}

struct page *get_user_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	int err;

	return gup_page(mm, addr, write ? GUP_WRITE : 0, &err);
}

/* A write through the direct map to a shared file page: the file changes, and what was made of it to run is out of date. */
static void wrote_page(struct page *p)
{
	if (!p->mapping || PageAnon(p))
		return;
	lock_page(p);
	if (p->mapping) {
		page_drop_text(p);
		set_page_dirty(p);
	}
	unlock_page(p);
}

/* The host's vDSO is there for every program, above its own memory; its text is shown, not its data. Bytes copied. */
static int read_vdso(unsigned long addr, void *buf, int len)
{
	if (!boot->vdso || addr < boot->vdso || addr >= boot->vdso_end)
		return 0;
	len = min_t(unsigned long, len, boot->vdso_end - addr);
	memcpy(buf, (const void *)addr, len);
	return len;
}

int access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, int len, bool write)
{
	unsigned int gup = GUP_FORCE | (write ? GUP_WRITE : 0);
	int done = 0, err;

	if (addr >= TASK_SIZE)
		return write ? 0 : read_vdso(addr, buf, len);
	while (done < len) {
		unsigned long off = offset_in_page(addr + done);
		int n = min_t(int, len - done, PAGE_SIZE - off);
		struct page *p = gup_page(mm, addr + done, gup, &err);

		if (!p)
			break;
		if (write)
			memcpy((char *)page_address(p) + off, (char *)buf + done, n);
		else
			memcpy((char *)buf + done, (char *)page_address(p) + off, n);
		if (write)
			wrote_page(p);
		put_page(p);
		done += n;
	}
	return done;
}

int copy_to_mm(struct mm_struct *mm, unsigned long addr, const void *buf, size_t len)
{
	size_t done = 0;
	int err;

	while (done < len) {
		unsigned long off = offset_in_page(addr + done);
		size_t n = min_t(size_t, len - done, PAGE_SIZE - off);
		struct page *p = gup_page(mm, addr + done, GUP_WRITE, &err);

		if (!p)
			return err == -ENOMEM ? -ENOMEM : -EFAULT;
		memcpy((char *)page_address(p) + off, (const char *)buf + done, n);
		wrote_page(p);
		put_page(p);
		done += n;
	}
	return 0;
}

/**
 * mm_access - the address space of t, if current may look into it
 *
 * As ptrace(2) asks: the same user in every respect, no right that current lacks, and dumpable; or CAP_SYS_PTRACE. A reference, ERR_PTR(-EPERM), or
 * ERR_PTR(-ESRCH) when t has none.
 */
struct mm_struct *mm_access(struct task_struct *t)
{
	const struct cred *me = current->cred, *other = t->cred;
	struct mm_struct *mm = get_task_mm(t);

	if (!mm)
		return ERR_PTR(-ESRCH);
	if (mm == current->mm || same_thread_group(t, current) || capable(CAP_SYS_PTRACE))
		return mm;
	if (mm->dumpable == 1 && me->uid == other->uid && me->uid == other->euid && me->uid == other->suid &&
	    me->gid == other->gid && me->gid == other->egid && me->gid == other->sgid &&
	    !(other->cap_permitted & ~me->cap_permitted))
		return mm;
	mmput(mm);
	return ERR_PTR(-EPERM);
}

bool mm_has_copy(struct mm_struct *mm, unsigned long addr)
{
	pte_t e;

	spin_lock(&mm->page_table_lock);
	e = pte_get(mm, addr);
	spin_unlock(&mm->page_table_lock);
	return (e & PTE_PRESENT) && (e & PTE_ANON);
}

bool vma_has_copies(struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, next;
	struct mm_struct *mm = vma->vm_mm;
	bool found = false;
	pte_t *p;

	spin_lock(&mm->page_table_lock);
	for_each_pte_table(mm, addr, next, vma->vm_end, p)
	{
		for (unsigned long i = 0; i < (next - addr) >> PAGE_SHIFT && !found; i++)
			found = (p[i] & (PTE_PRESENT | PTE_ANON)) == (PTE_PRESENT | PTE_ANON);
		if (found)
			break;
	}
	spin_unlock(&mm->page_table_lock);
	return found;
}

struct page *core_page(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	bool hole;
	int err;

	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	hole = !vma || vma->vm_start > addr;
	if (!hole && vma_is_anonymous(vma)) {
		spin_lock(&mm->page_table_lock);
		hole = !(pte_get(mm, addr) & PTE_PRESENT);
		spin_unlock(&mm->page_table_lock);
	}
	mmap_read_unlock(mm);
	return hole ? NULL : gup_page(mm, addr, GUP_FORCE, &err);
}

/**
 * access_remote_iter - copy between another address space and an iterator
 * @mm: the other one; a reference is the caller's, mmap_lock is not held
 * @addr, @len: where in it
 * @it: the near side; advanced by what was copied
 * @write: to @mm, else from it
 *
 * Return: bytes copied, fewer than asked for at the first page that cannot be had; -EFAULT when there were none.
 */
ssize_t access_remote_iter(struct mm_struct *mm, unsigned long addr, size_t len, struct iov_iter *it, bool write)
{
	size_t done = 0;
	int err;

	while (done < len && iov_iter_count(it)) {
		unsigned long off = offset_in_page(addr + done);
		size_t n = min(min_t(size_t, len - done, PAGE_SIZE - off), iov_iter_count(it)), got;
		struct page *p = gup_page(mm, addr + done, write ? GUP_WRITE : 0, &err);

		if (!p)
			return done ? (ssize_t)done : -EFAULT;
		if (write)
			got = copy_page_from_iter(p, off, n, it);
		else
			got = copy_page_to_iter(p, off, n, it);
		if (write && p->mapping && !PageAnon(p)) {
			lock_page(p);
			if (p->mapping) {
				page_drop_text(p);
				set_page_dirty(p);
			}
			unlock_page(p);
		}
		put_page(p);
		done += got;
		if (got < n)
			return done ? (ssize_t)done : -EFAULT;
	}
	return done;
}
