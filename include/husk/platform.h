/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform: how guest code runs, and how the host is asked for mappings and threads.
 *
 * One table of operations; nothing above arch/ knows which platform it is on. "The current process" is the
 * host process of current->mm. Preconditions are part of the contract.
 */
#ifndef HUSK_PLATFORM_H
#define HUSK_PLATFORM_H

#include <hostif/hostif.h>
#include <husk/types.h>

struct mm_struct;
struct task_struct;
struct pt_regs;
struct kernel_clone_args;

#define HPROT_READ 1
#define HPROT_WRITE 2
#define HPROT_EXEC 4 /* the pages were scanned; mapped read and execute, never writable at once */

struct platform_ops {
	const char *name;
	/**
	 * @map: make [va, va+npages) show the RAM pages pfn, pfn+1, ... in the current process, replacing what was there.
	 * @populate: also fill the host's page tables now. mm->mmap_lock held. 0, -ENOMEM.
	 */
	int (*map)(struct mm_struct *mm, unsigned long va, unsigned long pfn, unsigned long npages, int hprot,
		   bool populate);
	/** @unmap: remove host mappings in [va, va+len) of the current process; afterwards an access faults into do_page_fault(). */
	int (*unmap)(struct mm_struct *mm, unsigned long va, unsigned long len);
	/** @protect: change access of existing host mappings in the range; parts without mapping are skipped. */
	int (*protect)(struct mm_struct *mm, unsigned long va, unsigned long len, int hprot);
	/**
	 * @shootdown: as unmap (hprot < 0) or protect, but in mm's process, whichever it is; returns when no thread of it can use the old
	 * mapping any more. Holds no lock of mm while waiting. Caller holds nothing that mm's threads may need but page locks.
	 */
	void (*shootdown)(struct mm_struct *mm, unsigned long va, unsigned long len, int hprot);
	/** @mm_init: platform part of a new mm (no host process yet). */
	int (*mm_init)(struct mm_struct *mm);
	/** @mm_destroy: the last user is gone; the host process is gone or about to be reused. */
	void (*mm_destroy)(struct mm_struct *mm);
	/**
	 * @start_thread: make a host thread for child, which starts in ret_from_fork with child->ti->regs.
	 * Shares the current host process when child->mm == current->mm or child is a kernel thread of the kernel process;
	 * else a new host process with a copy of current's mappings (fork; the caller holds current->mm's mmap_lock, page
	 * tables are already copied and write-protected). 0 or -EAGAIN, -ENOMEM.
	 */
	int (*start_thread)(struct task_struct *child, struct kernel_clone_args *a);
	/**
	 * @switch_mm: current leaves its address space for the empty one of mm (execve). Reuses the current host process when no other
	 * task lives in it (sole), else moves to a blank one. Afterwards no user mapping exists. Cannot fail once it returns 0.
	 */
	int (*switch_mm)(struct mm_struct *mm, bool sole);
	/** @exit_thread: ends the calling host thread for ever; the task's kernel stack is free for reuse once the host thread is off it. */
	void (*exit_thread)(void) __noreturn;
	/** @kick: make t, if it runs user code, enter the kernel soon. Harmless otherwise. */
	void (*kick)(struct task_struct *t);
};
extern const struct platform_ops *platform;

/* Host services that are the same on every platform (arch/x86/hostcall.c) */
/* host_futex_wait: sleep while *uaddr == val (a word in RAM), at most ns nanoseconds (INT64_MAX: for ever). 0, -EAGAIN, -ETIMEDOUT, -EINTR. */
int host_futex_wait(u32 *uaddr, u32 val, s64 ns);
int host_futex_wake(u32 *uaddr, u32 n);
/* host_ram_release: give the host back the memory of free RAM pages; they read as zero afterwards. */
int host_ram_release(unsigned long pfn, unsigned long npages);
/*
 * ram_back: have the host back 2^order free RAM pages, naturally aligned, with one piece of its memory; they stay zero. 0; -EINTR: it did not come
 * to it; else -errno: the host has no such pieces. The arch sets it at boot where RAM can have them; else it stays NULL. The host
 * is kept from a larger piece by a page in the other half of what is twice as large: other says what is known about that half.
 */
enum ram_other_half {
	RAM_HALF_UNKNOWN, /* perhaps in use, perhaps not backed */
	RAM_HALF_BACKED,  /* some page of it is */
	RAM_HALF_FRESH,	  /* nobody's, and it shall stay without backing */
};
#define RAM_BACK_MAX HOSTIF_BACK_ORDER /* the largest order: the jail lets no more pass */
extern int (*ram_back)(unsigned long pfn, unsigned int order, enum ram_other_half other);
void host_clock_gettime(int clk, s64 *sec, s64 *nsec);
/* CPU time of the calling host thread, in ns */
u64 host_thread_cputime(void);
unsigned host_getcpu(void);
void host_yield(void);
void host_set_affinity(unsigned long mask); /* of the calling thread; the host may know better */
long host_membarrier_sync_core(
	void); /* every running thread of this host process executes a barrier and serialises; 0 or -errno */
__noreturn void host_shutdown(int status); /* report to the monitor and end the sandbox */

/* arch/x86: called by kernel/fork.c and exec */
void arch_copy_thread(struct task_struct *child, struct kernel_clone_args *a); /* fills child->ti from current */
void arch_start_user(struct pt_regs *regs, unsigned long ip,
		     unsigned long sp); /* registers for a fresh program; resets FPU, fs base */
/* schedule_tail (kernel/fork.c): the arch calls it first thing in a new task's own context: set_child_tid and the like */
void schedule_tail(struct task_struct *t);
/* arch_restart_syscall: make regs run the interrupted system call nr again (patched call sites included) */
void arch_restart_syscall(struct pt_regs *regs, long nr);
unsigned arch_min_sigstack(void); /* AT_MINSIGSTKSZ */
long arch_prctl_fs(struct task_struct *t, int code, unsigned long addr);
void arch_restart_syscall(struct pt_regs *regs,
			  long nr); /* user mode will make system call nr at the same place again */
struct thread_info *alloc_thread_info(struct task_struct *t); /* a kernel stack slot, or NULL */
void free_thread_info(struct thread_info *ti);

/*
 * Executable text (arch/x86/text.c). A file page that is executed has a second page, its text view: scanned, and patched as call
 * sites are met. The page cache owns both.
 */
struct address_space;
struct page;
enum text_form { TEXT_COPY, TEXT_SAME, TEXT_IN_PLACE };
/**
 * struct text_ops - what the arch does for mm and fs, which stand on either side of it
 * @view: the view of page (locked, uptodate) of mapping at index; NULL when out of memory. The view lives as long as the page.
 * @view_plain: the same without patched system-call sites, for address spaces that are traced; it goes with the view.
 * @form: what the view of a page (locked, of an immutable mapping) must be. TEXT_COPY: a page of its own; TEXT_SAME: nothing in the page is
 *	ever changed, it may be its own view; TEXT_IN_PLACE: only call sites are patched, it may be the view if nobody looks at it as data.
 * @same_known: would form() say TEXT_SAME without a look at the page? Never waits.
 * @prepare: view() will be called: read what it will need of other pages; may wait for them. page is locked, invalidate_lock not held.
 * @view_lossy: something forbidden in the page is not an instruction that could be made to run elsewhere: perhaps data, which the view has lost
 * @page_release: the page leaves the cache or its content changes: drop its view. Nothing maps the view any more, or only with a reference.
 * @mapping_release: the mapping is going away (fs/inode.c, at eviction)
 * @scan_private: a private page is about to be executable at va: scan and defuse it in place (page not writable anywhere). 0 or -EPERM.
 * @cut_border: lo and hi (text views or private pages, neither writable) are about to be executable one behind the other: what lo contributes
 *	to a forbidden sequence that they spell together becomes int3. Neighbours in a file were looked at before; these somebody put there.
 * @span: bytes of address space to keep for a mapping of this file from offset 0, stub area included; 0: no need.
 * @mapped: mm has mapped file text at va (file offset off): map its stub area. Called with mmap_lock held for writing.
 *	False: something else lies there, and the file's views must not be shown at this address.
 */
struct text_ops {
	struct page *(*view)(struct address_space *mapping, struct page *page, pgoff_t index);
	struct page *(*view_plain)(struct address_space *mapping, struct page *page, pgoff_t index);
	enum text_form (*form)(struct address_space *mapping, struct page *page, pgoff_t index);
	bool (*same_known)(struct address_space *mapping, struct page *page);
	void (*prepare)(struct address_space *mapping, struct page *page, pgoff_t index);
	bool (*view_lossy)(struct page *view);
	void (*page_release)(struct page *page);
	void (*mapping_release)(struct address_space *mapping);
	int (*scan_private)(struct mm_struct *mm, unsigned long va, struct page *page);
	void (*cut_border)(struct page *lo, struct page *hi);
	unsigned long (*span)(struct address_space *mapping);
	bool (*mapped)(struct mm_struct *mm, struct address_space *mapping, unsigned long va, u64 off,
		       unsigned long len);
};
extern const struct text_ops *text_ops;

#endif
