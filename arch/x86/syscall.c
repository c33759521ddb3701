// SPDX-License-Identifier: Apache-2.0
// System-call dispatch, from the one table (arch/x86/syscalls.tbl).

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/init.h>
#include <husk/oops.h>
#include <husk/ptrace.h>
#include <husk/trace.h>
#include "arch.h"

typedef long (*sys_call_fn)(struct pt_regs *);

long sys_ni_syscall(struct pt_regs *regs);

#define X(nr, name, level, args, limits) SYS_DECL_##level(name)
#define SYS_DECL_FULL(name) long sys_##name(struct pt_regs *);
#define SYS_DECL_PART(name) SYS_DECL_FULL(name)
#define SYS_DECL_NONE(name)
#include <syscall_table.h>
#undef X

#define SYS_PTR_FULL(name) sys_##name
#define SYS_PTR_PART(name) sys_##name
#define SYS_PTR_NONE(name) sys_ni_syscall
#define NR_syscalls 512
static const sys_call_fn sys_call_table[NR_syscalls] = {
#define X(nr, name, level, args, limits) [nr] = SYS_PTR_##level(name),
#include <syscall_table.h>
#undef X
};
static const char *const sys_call_names[NR_syscalls] = {
#define X(nr, name, level, args, limits) [nr] = #name,
#include <syscall_table.h>
#undef X
};
static u8 ni_logged[NR_syscalls];

const char *syscall_name(unsigned long nr)
{
	return nr < NR_syscalls && sys_call_names[nr] ? sys_call_names[nr] : "?";
}

long sys_ni_syscall(struct pt_regs *regs)
{
	u64 nr = regs->orig_ax;

	if (nr < NR_syscalls && !__atomic_exchange_n(&ni_logged[nr], 1, __ATOMIC_RELAXED))
		pr_notice("%s[%d]: system call %lu (%s) is not built\n", current->comm, current->pid, (unsigned long)nr,
			  syscall_name(nr));
	return -ENOSYS;
}

static int oops_names(void)
{
	oops_syscall_name = syscall_name;
	return 0;
}
core_initcall(oops_names);

/* The table's function, its number and result kept for a crash report. */
static __always_inline void call_syscall(struct pt_regs *regs, u64 nr)
{
	struct thread_info *ti = container_of(regs, struct thread_info, regs);
	sys_call_fn fn;
	u32 n;

	if (unlikely(nr >= NR_syscalls) || unlikely(!(fn = sys_call_table[nr]))) {
		regs->ax = -ENOSYS;
		return;
	}
	n = ti->ncalls++ % THREAD_CALLS;
	ti->calls[n].nr = nr;
	ti->calls[n].done = 0;
	regs->ax = fn(regs);
	ti->calls[n].ret = regs->ax;
	ti->calls[n].done = 1;
	lockdep_user_exit();
}

/* husk trace looks on, or not. */
static void call_recorded(struct pt_regs *regs)
{
	if (!test_thread_flag(TIF_TRACE) || trace_syscall_enter(regs))
		call_syscall(regs, regs->orig_ax);
	trace_syscall_exit(regs);
}

/* A call of a task that is ptraced. The tracer may change the number and the arguments; -1: no call, ax stays as it is. */
static void do_syscall_traced(struct pt_regs *regs)
{
	set_thread_flag(TIF_FULL_EXIT); /* the tracer sees and sets every register */
	regs->ax = -ENOSYS;
	if ((!test_thread_flag(TIF_SYSCALL_TRACE) && !test_thread_flag(TIF_SYSCALL_EMU)) ||
	    ptrace_syscall_enter(regs)) {
		if (regs->orig_ax != -1UL)
			call_recorded(regs);
	}
	ptrace_syscall_exit(regs);
}

static noinline void do_syscall_slow(struct pt_regs *regs)
{
	if (container_of(regs, struct thread_info, regs)->flags & TIF_PTRACE_WORK)
		do_syscall_traced(regs);
	else
		call_recorded(regs);
}

/* Called by the gate and by the trap path; regs->orig_ax is the number. */
void do_syscall_64(struct pt_regs *regs)
{
	u64 work = READ_ONCE(container_of(regs, struct thread_info, regs)->flags) & TIF_SYSCALL_WORK;

	if (unlikely(work) && ((work & TIF_PTRACE_WORK) || trace_wants(regs->orig_ax))) {
		do_syscall_slow(regs);
		return;
	}
	call_syscall(regs, regs->orig_ax);
}
