/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of crashes: oops, warnings, bad locks; what arch/ shows of registers and stacks. docs/design/oops.md. */
#ifndef HUSK_OOPS_H
#define HUSK_OOPS_H

#include <husk/kernel.h>

struct host_sigcontext;
struct task_struct;
struct thread_info;

/**
 * oops - the kernel cannot go on here
 * @cause: a line. @c: where it happened, in RAM until the sandbox ends
 * Writes the report. Kills the task (and its process) if it holds no lock and the kernel can do without it; else panic().
 */
void oops(const char *cause, struct host_sigcontext *c) __noreturn __cold;
/* warn_report: the report of a WARN; the kernel goes on */
void warn_report(const char *cause, struct host_sigcontext *c) __cold;
/* oops_why_fatal: why an oops of the current task would be the end of the sandbox; NULL: only its process is killed */
extern int panic_on_oops, panic_on_warn, oops_limit; /* /proc/sys/kernel */
extern u32 oops_in_progress;			     /* a report is being written: the log must not wait for ever */
extern const char *(*oops_syscall_name)(unsigned long nr);

/**
 * struct lock_reports - what is done about locks that are in a bad way; locking stands below those who can say so
 * @bad: a lock is not what its user believes. @lock is only named. Also for lockdep
 * @spin_stalled: a lock did not change hands for so many seconds: a spinlock's holder never sleeps, so that is a deadlock
 * @mutex_stalled: the same of a mutex, which is only reported
 */
struct lock_reports {
	void (*bad)(const void *lock, const char *what);
	void (*spin_stalled)(void *lock, unsigned int seconds);
	void (*mutex_stalled)(void *lock, unsigned int seconds);
};
extern const struct lock_reports lock_reports; /* kernel/oops.c */
void bad_lock(const void *lock, const char *what) __cold;
/* the boot's, before the first lock that could be contended */
void locking_init(unsigned int ncpus, const struct lock_reports *reports);
extern int lock_patience; /* seconds; 0: for ever */

/* Why /proc/sys/kernel/tainted is not 0; as Linux numbers them. */
#define TAINT_PROPRIETARY_MODULE 0
#define TAINT_FORCED_MODULE 1
#define TAINT_DIE 7
#define TAINT_WARN 9
#define TAINT_OOT_MODULE 12
extern unsigned long tainted_mask;
void add_taint(unsigned int bit);

/* ---- arch ---- */
/* lines of a report: where and with what registers; the kernel stack from there; a user's registers */
void arch_show_regs(const struct host_sigcontext *c);
void arch_show_trace(const struct host_sigcontext *c);
void arch_show_user_regs(const struct thread_info *ti);
void dump_stack(void);				  /* backtrace of the caller */
void arch_show_task_trace(struct task_struct *t); /* of a sleeping task: what its stack says while nobody writes it */
/* the caller's caller, for reports without a trap */
struct host_sigcontext *arch_capture(unsigned long ip, unsigned long bp, unsigned long sp);
void arch_oops_leave(void (*fn)(void *),
		     struct task_struct *t) __noreturn; /* the report is written, the task goes on to its end */
unsigned long crash_ip(const struct host_sigcontext *c);
/* another thread panicked first: this one stops here. @c may be NULL */
void crash_wait(struct thread_info *ti, struct host_sigcontext *c) __noreturn;
void arch_stop_threads(void); /* panic: all other threads stop; each one's crash_regs is set */

#endif
