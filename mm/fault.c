// SPDX-License-Identifier: Apache-2.0
/* Page faults: deciding what a fault means, host mappings, stacks that grow, execution of private pages. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

/**
 * DOC: faults
 *
 * A host mapping costs 2-3 us to make, and 0.2-0.3 us a page to fill, so a fault maps as much as it sensibly can: a granule.
 * fault_anon.c makes anonymous memory and breaks copy-on-write, fault_file.c maps the page cache; here is what is common.
 *
 * mmap_lock is held for reading from finding the VMA to the end. page_table_lock is held from the (last) look at an entry to the end of
 * the host call that shows what was written there. Between, whoever dropped the lock compares the entry with what it saw, and on a
 * difference returns 0: the access faults again if it still has to.
 *
 * Write xor execute: a page of a VMA that is both writable and executable is one or the other. A write makes it PTE_WRITE and takes
 * PTE_EXEC away; an execution takes PTE_WRITE and the host's write access away, has the page scanned, and sets PTE_EXEC if nobody was
 * given write access meanwhile (scan_seq) and nobody else holds the page (its count is its mappings').
 */
void fault_note_stale(struct fault_ctx *c, struct page *page, pte_t old, unsigned long addr)
{
	if (c->local || !(old & PTE_HOST)) {
		put_page(page);
		return;
	}
	if (c->flush_end == 0)
		atomic_inc(&c->mm->rmap_pending); /* a fork must not copy the old mapping: mm/rmap.c */
	c->flush_start = min(c->flush_start, addr);
	c->flush_end = max(c->flush_end, addr + PAGE_SIZE);
	BUG_ON(c->nstale == FAULT_MAX_STALE);
	c->stale[c->nstale++] = page;
}

void fault_done(struct fault_ctx *c)
{
	if (likely(!c->flush_end))
		return;
	if (READ_ONCE(c->mm->forking))
		fork_wait(c->mm);
	platform->shootdown(c->mm, c->flush_start, c->flush_end - c->flush_start, -1);
	atomic_dec(&c->mm->rmap_pending);
	while (c->nstale)
		put_page(c->stale[--c->nstale]);
	c->flush_start = ~0UL;
	c->flush_end = 0;
}

bool mm_is_private_to_us(struct mm_struct *mm)
{
	return mm == current->mm && refcount_read(&mm->mm_users) == 1;
}

void fault_window(struct fault_ctx *c, unsigned int order, unsigned long *start, unsigned long *end)
{
	unsigned long size = PAGE_SIZE << order;
	unsigned long lo = ALIGN_DOWN(c->addr, size), hi = lo + size;

	*start = max(lo, max(c->vma->vm_start, c->addr & PMD_MASK));
	*end = min(hi, pmd_end(c->addr, c->vma->vm_end));
}

/* How large a granule: doubles while faults are sequential; smaller when memory is short. */
unsigned int fault_order(struct vm_area_struct *vma, unsigned long addr, unsigned int least, unsigned int most)
{
	unsigned int order = least;
	unsigned long left = nr_free_pages();

	if (addr == READ_ONCE(vma->fault_next))
		order = min_t(unsigned int, vma->fault_run + 2, most);
	vma->fault_run = order;
	if (unlikely(left < totalram_pages / 8)) {
		order = min_t(unsigned int, order, 2);
		if (left < totalram_pages / 16 || left < 8 * min_free_pages)
			order = 0;
	}
	return order;
}

/* The entry of addr if it can be executed, else 0. */
static pte_t exec_pte(struct mm_struct *mm, unsigned long addr)
{
	pte_t e = addr < TASK_SIZE ? pte_get(mm, addr) : 0;

	return (e & PTE_PRESENT) && (e & PTE_EXEC) && !(e & PTE_SPECIAL) ? e : 0;
}

/*
 * Executable pages come to lie next to others: nothing forbidden may lie across the border. page_table_lock is held. Text views within one
 * VMA are neighbours in their file, and were looked at as such.
 */
static void check_borders(struct fault_ctx *c, unsigned long start, unsigned long end)
{
	pte_t lo = start ? exec_pte(c->mm, start - PAGE_SIZE) : 0, hi;

	for (unsigned long a = start; a <= end; a += PAGE_SIZE, lo = hi) {
		hi = exec_pte(c->mm, a);
		if (!lo || !hi || ((lo & hi & PTE_TEXT) && a > c->vma->vm_start && a < c->vma->vm_end))
			continue;
		text_ops->cut_border(pte_page(lo), pte_page(hi));
	}
}

/* One host mapping; the host's limit on their number is met by starting over. */
static void host_map(struct fault_ctx *c, unsigned long addr, unsigned long pfn, unsigned long n, int hprot,
		     bool populate)
{
	struct mm_struct *mm = c->mm;
	int err;

	if (hprot & HPROT_EXEC)
		check_borders(c, addr, addr + (n << PAGE_SHIFT));
	err = platform->map(mm, addr, pfn, n, hprot, populate);
	if (unlikely(err)) {
		/* what is mapped is only a cache of the page tables; entries keep PTE_HOST, which says "may be" */
		host_unmap(mm, 0, TASK_SIZE);
		err = platform->map(mm, addr, pfn, n, hprot, populate);
		if (err)
			pr_warn_once("mm: the host refuses a mapping at %lx: %d\n", addr, err);
	}
	mm->host_vmas++;
}

void host_map_range(struct fault_ctx *c, unsigned long start, unsigned long end, bool again)
{
	unsigned long run_start = 0, run_pfn = 0, run_n = 0;
	int run_prot = 0;
	/* wide windows of a file are not all used: the host fills its tables as they are, 64 KiB at a fault */
	bool populate = !c->vma->vm_ops || end - start <= 16 * PAGE_SIZE;
	pte_t *p;

	/* a debugger may have a page of inaccessible memory made: it is not shown to the process */
	if (!c->local || !vma_accessible(c->vma))
		return;
	p = pte_find(c->mm, start);
	for (unsigned long a = start; p && a < end; a += PAGE_SIZE, p++) {
		pte_t e = *p;
		bool want = (e & PTE_PRESENT) && (again || !(e & PTE_HOST) || a == c->addr);

		if (want && run_n && pte_pfn(e) == run_pfn + run_n && pte_hprot(e) == run_prot) {
			run_n++;
		} else {
			if (run_n)
				host_map(c, run_start, run_pfn, run_n, run_prot, populate);
			run_n = 0;
			if (want) {
				run_start = a;
				run_pfn = pte_pfn(e);
				run_n = 1;
				run_prot = pte_hprot(e);
			}
		}
		if (want)
			*p = e | PTE_HOST | PTE_YOUNG;
	}
	if (run_n)
		host_map(c, run_start, run_pfn, run_n, run_prot, populate);
}

/* The entry allows what was tried: the host's mapping is missing or weaker. */
static vm_fault_t remap(struct fault_ctx *c, pte_t pte)
{
	unsigned long start, end;

	if (c->local) {
		/* nothing there although we thought so: then it is probably all gone */
		bool gone = (pte & PTE_HOST) && !(c->flags & FAULT_FLAG_PROT);

		fault_window(c, 4, &start, &end);
		host_map_range(c, start, end, gone);
	}
	spin_unlock(&c->mm->page_table_lock);
	return 0;
}

/* A page-cache page is mapped where text is to run: drop the entry, so that the fault brings the text view. */
static vm_fault_t exec_file_page(struct fault_ctx *c, pte_t *ptep)
{
	struct page *p = pte_page(*ptep);
	pte_t old = *ptep;

	if (c->local && (old & PTE_HOST))
		host_unmap(c->mm, c->addr, PAGE_SIZE);
	*ptep = 0;
	if (page_remove_map(p, old))
		mod_vm_stat(NR_FILE_MAPPED, -1);
	atomic_long_dec(mm_rss(c->mm, pte_rss_kind(old, p)));
	fault_note_stale(c, p, old, c->addr);
	spin_unlock(&c->mm->page_table_lock);
	return do_file_fault(c);
}

/* Nobody but page tables refers to it, and no entry lets anybody write (the caller's was cleared). */
static bool only_mapped(struct page *p, int extra)
{
	return page_count(p) == page_mapcount(p) + extra;
}

/* Execution of a private page: scan it, then let it run. page_table_lock is held; dropped. */
static vm_fault_t exec_anon_page(struct fault_ctx *c, pte_t *ptep)
{
	struct mm_struct *mm = c->mm;
	struct page *p = pte_page(*ptep);
	pte_t old = *ptep & ~(PTE_WRITE | PTE_EXEC), now;
	u64 seq = mm->scan_seq;
	int err;

	if (!c->local) {
		spin_unlock(&mm->page_table_lock);
		return 0; /* only its own process runs code */
	}
	/* it is changed where it lies: not in somebody else's copy. A debugger's breakpoint has a page of its own already. */
	if (page_mapcount(p) > 1)
		return do_wp_anon(c, ptep);
	if (!only_mapped(p, 0)) {
		spin_unlock(&mm->page_table_lock);
		host_yield();
		return 0;
	}
	if (old != *ptep && (*ptep & PTE_HOST))
		host_protect(mm, c->addr, PAGE_SIZE, HPROT_READ);
	*ptep = old;
	get_page(p);
	spin_unlock(&mm->page_table_lock);

	err = text_ops->scan_private(mm, c->addr, p);

	spin_lock(&mm->page_table_lock);
	ptep = pte_find(mm, c->addr);
	now = ptep ? *ptep : 0;
	if (!err && seq == mm->scan_seq && (now & ~(PTE_YOUNG | PTE_HOST)) == (old & ~(PTE_YOUNG | PTE_HOST)) &&
	    only_mapped(p, 1)) {
		*ptep = now | PTE_EXEC;
		host_map_range(c, c->addr, c->addr + PAGE_SIZE, false);
	}
	spin_unlock(&mm->page_table_lock);
	put_page(p);
	return err ? VM_FAULT_SIGSEGV : 0;
}

vm_fault_t handle_mm_fault(struct fault_ctx *c)
{
	struct mm_struct *mm = c->mm;
	struct vm_area_struct *vma = c->vma;
	pte_t *ptep, pte;

	spin_lock(&mm->page_table_lock);
	ptep = pte_find(mm, c->addr);
	pte = ptep ? *ptep : 0;
	if (!(pte & PTE_PRESENT)) {
		spin_unlock(&mm->page_table_lock);
		return vma_is_anonymous(vma) ? do_anonymous_page(c) : do_file_fault(c);
	}
	if ((c->flags & FAULT_FLAG_WRITE) && !(pte & PTE_WRITE)) {
		if (!(vma->vm_flags & VM_SHARED) && (pte & PTE_ANON))
			return do_wp_anon(c, ptep);
		spin_unlock(&mm->page_table_lock);
		return vma->vm_flags & VM_SHARED ? do_wp_shared(c, pte) : do_cow_file(c, pte);
	}
	if ((c->flags & FAULT_FLAG_INSTRUCTION) && !(pte & PTE_EXEC)) {
		if (pte & PTE_ANON)
			return exec_anon_page(c, ptep);
		return exec_file_page(c, ptep);
	}
	return remap(c, pte);
}

/* The VMA of addr, a stack grown to it if need be. mmap_lock is held for reading, before and after; NULL: there is none. */
struct vm_area_struct *find_extend_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	if (vma && likely(vma->vm_start <= addr))
		return vma;
	if (!vma || !(vma->vm_flags & VM_GROWSDOWN))
		return NULL;
	mmap_read_unlock(mm);
	mmap_write_lock(mm);
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start > addr && expand_stack(vma, addr))
		vma = NULL;
	downgrade_write(&mm->mmap_lock);
	return vma;
}

static bool access_allowed(const struct vm_area_struct *vma, unsigned int flags)
{
	if (flags & FAULT_FLAG_WRITE)
		return vma->vm_flags & VM_WRITE;
	if (flags & FAULT_FLAG_INSTRUCTION)
		return vma->vm_flags & VM_EXEC;
	return vma_accessible(vma);
}

static int fault_error(vm_fault_t r, int *sig, int *code)
{
	*sig = r & VM_FAULT_SIGBUS ? SIGBUS : SIGSEGV;
	*code = r & VM_FAULT_SIGBUS ? BUS_ADRERR : SEGV_ACCERR;
	if (r & VM_FAULT_OOM) {
		/* the killer had nothing left to kill, or it chose this task, which then has SIGKILL pending */
		*sig = SIGKILL;
		*code = SI_KERNEL;
	}
	return -EFAULT;
}

int do_page_fault(unsigned long addr, unsigned int flags, int *sig, int *code)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct fault_ctx c;
	vm_fault_t r;

	*sig = SIGSEGV;
	*code = SEGV_MAPERR;
	if (unlikely(addr >= TASK_SIZE || !mm))
		return -EFAULT;
	if (unlikely(current->pagefault_disabled) && !(flags & FAULT_FLAG_USER))
		return -EFAULT;
	mod_vm_stat(PGFAULT, 1);
	do {
		mmap_read_lock(mm);
		vma = find_extend_vma(mm, addr);
		if (unlikely(!vma)) {
			mmap_read_unlock(mm);
			return -EFAULT;
		}
		if (unlikely(!access_allowed(vma, flags))) {
			mmap_read_unlock(mm);
			*code = SEGV_ACCERR;
			return -EFAULT;
		}
		fault_init(&c, mm, vma, addr, flags);
		r = handle_mm_fault(&c);
		mmap_read_unlock(mm);
	} while ((r & VM_FAULT_RETRY) && !fatal_signal_pending(current));
	if (r & VM_FAULT_MAJOR) {
		current->maj_flt++;
		mod_vm_stat(PGMAJFAULT, 1);
	} else {
		current->min_flt++;
	}
	if (unlikely(r & (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV)))
		return fault_error(r, sig, code);
	return 0;
}
