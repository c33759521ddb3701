/* SPDX-License-Identifier: Apache-2.0 */
/* What the rest of the kernel tells the trace of system calls (kernel/trace/); see docs/design/trace.md. */
#ifndef HUSK_TRACE_H
#define HUSK_TRACE_H

#include <husk/sched.h>

struct kernel_siginfo;
struct trace_task;

/* Somebody traces. Changed under trace_lock; which tasks it is about, TIF_TRACE says. */
extern u32 trace_on;

/* The calls that the reader wants to see: a bit for each. */
extern u64 trace_calls[];
static inline bool trace_wants(u64 nr)
{
	return nr < 512 && (trace_calls[nr / 64] >> (nr % 64) & 1);
}

/* trace_reconfigure - the reader changed its wishes (HOSTIF_EV_TRACE) */
void trace_reconfigure(void);

/**
 * trace_syscall_enter - a task with TIF_TRACE begins a call
 * Return: true when the call is to be made; false when regs->ax holds an injected result.
 */
bool trace_syscall_enter(struct pt_regs *regs);
/* trace_syscall_exit - it ended; regs->ax is the result */
void trace_syscall_exit(struct pt_regs *regs);

/* trace_fork - child is about to be published; tasklist_lock held */
void __trace_fork(struct task_struct *child);
static inline void trace_fork(struct task_struct *child)
{
	if (unlikely(trace_on))
		__trace_fork(child);
}
/* trace_started - current is new and runs for the first time */
void trace_started(void);
/* trace_first_exec - pid 1 became the sandbox's program: shown as if it had called execve */
void trace_first_exec(void);
/* trace_exit - current ends; holds no lock. May be called twice. */
void __trace_exit(int status);
static inline void trace_exit(int status)
{
	if (unlikely(current->trace || test_thread_flag(TIF_TRACE)))
		__trace_exit(status);
}
/* trace_sleep - current goes to sleep in a call */
void __trace_sleep(void);
static inline void trace_sleep(struct task_struct *me)
{
	if (unlikely(me->trace))
		__trace_sleep();
}

/* Are t's signals shown? Then ignored ones are queued too, as under a debugger, and reported when they are taken. */
bool __trace_signals(struct task_struct *t);
static inline bool trace_signals(struct task_struct *t)
{
	return unlikely(test_tsk_flag(t, TIF_TRACE)) && __trace_signals(t);
}
void trace_signal(int sig, const struct kernel_siginfo *info); /* current takes it; no lock held */
void trace_stop(int sig);				       /* current is about to stop; no lock held */

/**
 * struct trace_fs_ops - what fs/ tells: the length of a name without NUL, or -errno
 * @fd: what descriptor fd of current refers to, as /proc/self/fd/N has it; AT_FDCWD: the working directory. @file: the same of a file
 */
struct file;
struct trace_fs_ops {
	long (*fd)(int fd, char *buf, unsigned long n);
	long (*file)(struct file *f, char *buf, unsigned long n);
};
extern const struct trace_fs_ops *trace_fs;

#endif
