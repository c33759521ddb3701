/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct thread_info: the arch's part of a task, at the top of its kernel stack slot; struct pt_regs.
 *
 * A slot is THREAD_SIZE bytes, aligned to its size, in RAM (so the kernel can find it from rsp). The
 * stack grows down from the thread_info. The same stack is the host's alternate signal stack.
 */
#ifndef HUSK_THREAD_INFO_H
#define HUSK_THREAD_INFO_H

#include <husk/types.h>

#define THREAD_ORDER 3
#define THREAD_SIZE (PAGE_SIZE << THREAD_ORDER)

struct pt_regs {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 orig_ax; /* system-call number, or -1 */
	u64 ip, cs, flags, sp, ss;
};

struct task_struct;
struct host_sigcontext;
#define THREAD_CALLS 8 /* how many system calls a thread remembers */

#define TIF_SIGPENDING 0    /* look for signals before going to user mode */
#define TIF_NOTIFY_RESUME 1 /* task work (shoot-downs, ...) to do */
#define TIF_SYNC_CORE 2	    /* serialise before user code runs: text was patched */
#define TIF_FULL_EXIT 3	    /* leave by iretq with every register */
#define TIF_SYSCALL_TRACE 4
#define TIF_SINGLESTEP 5
#define TIF_RESTORE_SIGMASK 6
#define TIF_PTRACED 7 /* somebody traces the task: system calls take the slow way in C */
#define TIF_SYSCALL_EMU 8
#define TIF_TRACE 9	       /* calls are recorded for husk trace */
#define TIF_PTRACE_WORK 0x1b0  /* SYSCALL_TRACE, SINGLESTEP, PTRACED, SYSCALL_EMU */
#define TIF_SYSCALL_WORK 0x3b0 /* these and TRACE: do_syscall_64() looks */
#define TIF_WATCH 10	       /* debug registers are in use: arch/x86/watch.c */
#define TIF_WORK_MASK 0x43     /* loop in do_notify_resume while any of these is set */

struct thread_info {
	struct pt_regs regs; /* user registers while in the kernel */
	struct task_struct *task;
	u64 flags;		/* TIF_* bits, atomic */
	u32 in_user;		/* 1 while user code runs: the gate takes it atomically */
	u32 slot;		/* index into the gate's table */
	u64 kstack_top;		/* where the gate puts rsp */
	u64 mm_id;		/* which host process this thread belongs to; the gate compares */
	u64 fs_base;		/* set on leaving for user mode when fs_dirty */
	void *host_frame;	/* host signal frame whose FPU state is to be restored on leaving, or NULL */
	int host_tid, host_pid; /* in the jail's pid namespace; 0 while none */
	u32 kick_sent;		/* at most one host kick outstanding */
	u32 fs_dirty;
	u64 arch[24]; /* private to arch/x86 */
	u64 sleep_bp; /* frame of the function that waits in host_sleep(), 0 while awake: for dumps and the watchdog */
	/* for reports of a crash, here and from outside: */
	u32 lock_depth; /* spinlocks, mutexes and rw_semaphores held */
	u64 ncalls;	/* system calls begun, ever; the last ones: calls[(ncalls - 1) % THREAD_CALLS] and before */
	struct {
		s64 ret;
		u32 nr;
		u32 done; /* 0: it has not returned yet */
	} calls[THREAD_CALLS];
	/*
	 * Stopped by a crash: where the host's signal frame has this thread's registers (struct sigcontext of the host's ABI; its fpstate
	 * points to the extended state, or is NULL). ip may lie in user code or in the kernel. NULL: the thread did not stop.
	 */
	struct host_sigcontext *crash_regs;
	u32 crash_fatal; /* its oops is the end of the sandbox */
	u32 crash_pad;
};
#define THREAD_STACK_GUARD PAGE_SIZE /* the lowest page of a slot is not accessible in the process that runs its task */

#if !defined(HUSK_HOSTED) && !defined(HUSK_UNIT) /* HUSK_UNIT: kernel code linked into a hosted test */
static inline struct thread_info *current_thread_info(void)
{
	unsigned long sp;
	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct thread_info *)((sp & ~(THREAD_SIZE - 1)) + THREAD_SIZE - 1024);
}
#define current (current_thread_info()->task)
#define current_pt_regs() (&current_thread_info()->regs)
#else
extern struct task_struct *hosted_current;
#define current hosted_current
#define current_pt_regs() (&current->ti->regs)
#endif

/*
 * host_sleep: host_futex_wait() of a task that has nothing to do, or waits for somebody else. It says where it sleeps, so that a dump shows it
 * even when its host thread is gone, and the watchdog knows that it is not spinning. Not on the boot's or a blank's stack.
 */
#if !defined(HUSK_HOSTED) && !defined(HUSK_UNIT)
#define host_sleep(word, val, ns)                                                                                      \
	({                                                                                                             \
		struct thread_info *ti_ = current_thread_info();                                                       \
		int ret_;                                                                                              \
		WRITE_ONCE(ti_->sleep_bp, (u64)__builtin_frame_address(0));                                            \
		ret_ = host_futex_wait(word, val, ns);                                                                 \
		WRITE_ONCE(ti_->sleep_bp, 0);                                                                          \
		ret_;                                                                                                  \
	})
#else
#define host_sleep(word, val, ns) host_futex_wait(word, val, ns)
#endif
static_assert(sizeof(struct thread_info) <= 1024, "thread_info outgrew its place");
#define task_pt_regs(t) (&(t)->ti->regs)

#endif
