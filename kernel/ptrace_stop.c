// SPDX-License-Identifier: Apache-2.0
// ptrace, the traced side: stopping for the tracer, telling it of events, signals and system calls.

#include <husk/mm.h>
#include <husk/ptrace.h>
#include "signal_internal.h"

/**
 * DOC: a stop
 *
 * A traced task stops itself: it puts its registers where the tracer finds them, becomes TASK_TRACED under siglock, tells the tracer, and
 * sleeps until the tracer gives it a signal number to go on with (exit_code), leaves it, or SIGKILL comes. While it is
 * TASK_TRACED it touches nothing that the tracer may look at; so the tracer needs no lock but for what others send it (siglock).
 *
 * Where system-call sites are patched the instruction pointer may lie in what the kernel put there. A debugger must not see that: at
 * the first stop the address space changes to text without patches, and the pointer is set to the place it stands for.
 */

void task_clear_jobctl_trapping(struct task_struct *t)
{
	t->jobctl &= ~JOBCTL_TRAPPING;
}

static void settle(struct task_struct *me)
{
	struct mm_struct *mm = me->mm;
	bool lent =
		me->vfork_done && mm && refcount_read(&mm->mm_users) > 1; /* its parent's, which may not be traced */

	if (!mm)
		return;
	if ((arch_settle_ip() || !lent) && !mm->plain_text)
		mm_use_plain_text(mm);
}

/* Tell who waits for this stop. */
static void notify_stop(struct task_struct *me, int why, bool group_stopped)
{
	read_lock(&tasklist_lock);
	if (me->ptrace)
		do_notify_parent_cldstop(me, true, why);
	if (group_stopped && (!me->ptrace || ptrace_reparented(me)))
		do_notify_parent_cldstop(me, false, why);
	if (!me->ptrace) /* the tracer has gone meanwhile */
		set_current_state(TASK_RUNNING);
	read_unlock(&tasklist_lock);
}

/**
 * ptrace_stop - current stops for its tracer; siglock is held, dropped in between
 * @exit_code: what wait() shows, >> 8 of it. @why: CLD_*. @info: of a signal, on the caller's stack, or NULL.
 * Returns the signal that the tracer let it go on with; @exit_code when there was no stop.
 */
static int ptrace_stop(int exit_code, int why, unsigned long message, struct kernel_siginfo *info)
{
	struct task_struct *me = current;
	spinlock_t *siglock = &me->sighand->siglock;
	bool group_stopped = false;

	spin_unlock(siglock);
	settle(me);
	arch_ptrace_stopping();
	spin_lock(siglock);
	if (!me->ptrace || fatal_signal_pending(me))
		return exit_code;
	set_current_state(TASK_TRACED);
	me->ptrace_message = message;
	me->last_siginfo = info;
	me->exit_code = exit_code;
	if (why == CLD_STOPPED && (me->jobctl & JOBCTL_STOP_PENDING))
		group_stopped = task_participate_group_stop(me);
	task_clear_jobctl_pending(me, JOBCTL_TRAP_STOP);
	if (info && info->si_code >> 8 == PTRACE_EVENT_STOP)
		task_clear_jobctl_pending(me, JOBCTL_TRAP_NOTIFY);
	task_clear_jobctl_trapping(me);
	spin_unlock(siglock);

	notify_stop(me, why, group_stopped);
	schedule();

	arch_ptrace_resumed();
	spin_lock(siglock);
	exit_code = me->exit_code;
	me->exit_code = 0;
	me->last_siginfo = NULL;
	me->ptrace_message = 0;
	me->jobctl &= ~JOBCTL_LISTENING;
	note_sigpending();
	return exit_code;
}

/* A stop that is not a signal's: SIGTRAP, or the group's signal, with the event in si_code. siglock held. */
static int stop_for(int sig, int exit_code, int why, unsigned long message)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = exit_code};

	si_pid_(&info) = current->pid;
	si_uid_(&info) = current_uid();
	return ptrace_stop(exit_code, why, message, &info);
}

static int ptrace_report(int exit_code, unsigned long message)
{
	struct task_struct *me = current;
	int sig;

	if (!list_empty(&me->task_works))
		task_work_run();
	spin_lock(&me->sighand->siglock);
	sig = stop_for(SIGTRAP, exit_code, CLD_TRAPPED, message);
	spin_unlock(&me->sighand->siglock);
	return sig;
}

void ptrace_notify(int exit_code, unsigned long message)
{
	ptrace_report(exit_code, message);
}

void ptrace_event_stop(int event, unsigned long message)
{
	ptrace_report(event << 8 | SIGTRAP, message);
}

/* execve has succeeded. A tracer that asked for no event and did not seize gets the SIGTRAP of old. */
void ptrace_exec_event(pid_t old_pid)
{
	if (ptrace_event_enabled(current, PTRACE_EVENT_EXEC))
		ptrace_event_stop(PTRACE_EVENT_EXEC, old_pid);
	else if ((current->ptrace & (PT_PTRACED | PT_SEIZED)) == PT_PTRACED)
		send_sig(SIGTRAP, current, 0);
}

/* ---- signals ---- */

int ptrace_signal(int sig, struct kernel_siginfo *info)
{
	struct task_struct *me = current;

	/* what the tracer gives back may be a stop signal: it was dequeued, and nothing has cancelled it */
	me->jobctl |= JOBCTL_STOP_DEQUEUED;
	sig = ptrace_stop(sig, CLD_TRAPPED, 0, info);
	if (!sig)
		return 0;
	if (sig != info->si_signo) {
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
		info->si_code = SI_USER;
		si_pid_(info) = me->parent->tgid;
		si_uid_(info) = me->parent->cred->uid;
	}
	if (sigismember(&me->blocked, sig) || fatal_signal_pending(me)) {
		send_signal_locked(sig, info, me, false, true);
		return 0;
	}
	return sig;
}

/* The trap that is pending: a group stop, or a seized task's answer to PTRACE_INTERRUPT. */
void do_jobctl_trap(void)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	int sig = me->jobctl & JOBCTL_STOP_SIGMASK;

	if (!(me->ptrace & PT_SEIZED)) {
		ptrace_stop(sig, CLD_STOPPED, 0, NULL);
		return;
	}
	if (!s->group_stop_count && !(s->flags & SIGNAL_STOP_STOPPED))
		sig = SIGTRAP;
	stop_for(sig, sig | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0);
}

void ptrace_trap_notify(struct task_struct *t)
{
	task_set_jobctl_pending(t, JOBCTL_TRAP_NOTIFY);
	set_tsk_flag(t, TIF_SIGPENDING);
	if (!wake_up_state(t, TASK_INTERRUPTIBLE | (t->jobctl & JOBCTL_LISTENING ? __TASK_TRACED : 0)))
		platform->kick(t);
}

/* ---- system calls ---- */

static void report_syscall(unsigned long message)
{
	int sig;

	if (!current->ptrace)
		return;
	sig = ptrace_report(SIGTRAP | (current->ptrace & PT_OPTIONS(PTRACE_O_TRACESYSGOOD) ? 0x80 : 0), message);
	if (sig) /* the tracer wants it to have this signal */
		send_sig(sig, current, 1);
}

bool ptrace_syscall_enter(struct pt_regs *regs)
{
	bool emu = test_thread_flag(TIF_SYSCALL_EMU);

	report_syscall(PTRACE_EVENTMSG_SYSCALL_ENTRY);
	return !fatal_signal_pending(current) && !emu;
}

void ptrace_syscall_exit(struct pt_regs *regs)
{
	if (test_thread_flag(TIF_SINGLESTEP) && !test_thread_flag(TIF_SYSCALL_EMU))
		force_sig_fault(SIGTRAP, TRAP_BRKPT, (void *)regs->ip); /* the call was the step */
	else if (test_thread_flag(TIF_SYSCALL_TRACE))
		report_syscall(PTRACE_EVENTMSG_SYSCALL_EXIT);
}
