/* SPDX-License-Identifier: Apache-2.0 */
/* Debuggers: what the rest of the kernel tells kernel/ptrace*.c, and what that asks of the arch. */
#ifndef HUSK_PTRACE_H
#define HUSK_PTRACE_H

#include <husk/sched.h>
/* the ABI's header has a pt_regs of its own */
#define pt_regs uapi_pt_regs
#include <linux/ptrace.h>
#undef pt_regs

/* task->ptrace. An option PTRACE_O_x is PT_OPTIONS(PTRACE_O_x). */
#define PT_PTRACED 1u
#define PT_OPT_SHIFT 3
#define PT_SEIZED 0x10000u
#define PT_OPTIONS(o) ((unsigned)(o) << PT_OPT_SHIFT)
#define PT_OPTIONS_MASK PT_OPTIONS(PTRACE_O_MASK)

static inline bool ptrace_reparented(const struct task_struct *t)
{
	return !same_thread_group(t->real_parent, t->parent);
}
static inline bool ptrace_event_enabled(const struct task_struct *t, int event)
{
	return t->ptrace & PT_OPTIONS(1u << event);
}

/* Tracee side, kernel/ptrace_stop.c. */
void ptrace_event_stop(int event, unsigned long message);
void ptrace_exec_event(pid_t old_pid);
/**
 * ptrace_event - current does something that a tracer may have asked to be told of
 * @event: PTRACE_EVENT_*. May stop; the caller holds no lock.
 */
static inline void ptrace_event(int event, unsigned long message)
{
	if (unlikely(current->ptrace) && ptrace_event_enabled(current, event))
		ptrace_event_stop(event, message);
}
void ptrace_notify(int exit_code, unsigned long message);
/* siglock held, dropped and taken again; the signal to act upon, 0: none */
int ptrace_signal(int sig, struct kernel_siginfo *info);
void do_jobctl_trap(void);			/* likewise */
void ptrace_trap_notify(struct task_struct *t); /* siglock held: a seized task tells its tracer of a change */
void task_clear_jobctl_trapping(struct task_struct *t);
bool ptrace_syscall_enter(struct pt_regs *regs); /* false: the call is not to be made */
void ptrace_syscall_exit(struct pt_regs *regs);

/* Tracer side and the life of the relation, kernel/ptrace.c; tasklist_lock held for writing but for the last. */
void ptrace_init_task(struct task_struct *child, bool traced);
void ptrace_unlink(struct task_struct *t);
struct list_head;
void exit_ptrace(struct task_struct *tracer, struct list_head *dead);
/* ptrace_may_access: may current look into t, as by ptrace? real_ids: judged by its real ids, not those for file access */
bool ptrace_may_access(struct task_struct *t, bool real_ids);
/* ptrace_unsafe_exec: a set-id program would run under a tracer that may not have its rights */
bool ptrace_unsafe_exec(void);
/* kernel/ptrace_request.c: requests that need a stopped tracee */
long ptrace_request(struct task_struct *t, long request, unsigned long addr, unsigned long data);

/* Arch (arch/x86/ptrace.c) */
void arch_ptrace_stopping(
	void); /* current is about to stop for its tracer: its registers are put where the tracer finds them */
void arch_ptrace_resumed(void); /* and goes on */
long arch_ptrace(struct task_struct *t, long request, unsigned long addr, unsigned long data);
int arch_regset(struct task_struct *t, unsigned type, bool set, void __user *buf, size_t *len);
void arch_syscall_info(struct task_struct *t, struct ptrace_syscall_info *info, u64 args[6]);
void arch_set_single_step(struct task_struct *t, bool on);
void arch_ptrace_disable(struct task_struct *t); /* the tracer leaves */
/* arch_settle_ip: current's instruction pointer leaves what the kernel put into text. True: it was there. */
bool arch_settle_ip(void);
#define AUDIT_ARCH_X86_64_HUSK 0xc000003eu

/* For core files, of a stopped task: the 27 words of the ABI's user_regs_struct; the extended state and its size, or NULL. */
void arch_core_regs(struct task_struct *t, u64 *regs);
const void *arch_core_xstate(struct task_struct *t, size_t *size);

#endif
