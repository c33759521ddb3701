// SPDX-License-Identifier: Apache-2.0
// ptrace, the tracing side: who may trace whom, attaching and leaving, letting a task go on; the system call.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/ptrace.h>
#include "signal_internal.h"

/**
 * DOC: the relation
 *
 * A traced task's parent is its tracer, in whose ptraced list it stands; real_parent stays. The relation changes under tasklist_lock
 * held for writing, task->ptrace also under siglock. TIF_PTRACED says the same to the system-call entry, which costs
 * tasks that nobody traces one test of a word that the exit tests anyway.
 *
 * Lock order: tasklist_lock -> siglock. A request works on a task that is TASK_TRACED (ptrace_check()), which nobody but its tracer lets go on;
 * SIGKILL does, and then the request has changed a dying task.
 */

#define ATTACH_POLL (NSEC_PER_MSEC / 4)

/* ---- may it? ---- */

bool ptrace_may_access(struct task_struct *t, bool real_ids)
{
	const struct cred *me = current_cred(), *c;
	uid_t uid = real_ids ? me->uid : me->fsuid;
	gid_t gid = real_ids ? me->gid : me->fsgid;
	bool ok;

	if (same_thread_group(t, current))
		return true;
	c = get_task_cred(t);
	ok = uid == c->euid && uid == c->suid && uid == c->uid && gid == c->egid && gid == c->sgid && gid == c->gid &&
	     !(c->cap_permitted & ~me->cap_permitted);
	put_cred(c);
	if (ok) {
		task_lock(t);
		ok = !t->mm || t->mm->dumpable == 1;
		task_unlock(t);
	}
	return ok || capable(CAP_SYS_PTRACE);
}

bool ptrace_unsafe_exec(void)
{
	const struct cred *c;
	bool unsafe;

	read_lock(&tasklist_lock);
	c = current->ptrace ? current->ptracer_cred : NULL;
	unsafe = c && !(c->cap_effective & (1ULL << CAP_SYS_PTRACE));
	read_unlock(&tasklist_lock);
	return unsafe;
}

/* ---- linking ---- */

static void ptrace_link(struct task_struct *t, struct task_struct *tracer, const struct cred *cred)
{
	list_add_tail(&t->ptrace_entry, &tracer->ptraced);
	t->parent = tracer;
	t->ptracer_cred = get_cred(cred);
	set_tsk_flag(t, TIF_PTRACED);
}

/**
 * ptrace_unlink - t is nobody's tracee any more
 * It goes on, or takes part in the group stop that its process is in. tasklist_lock is held for writing.
 */
void ptrace_unlink(struct task_struct *t)
{
	struct signal_struct *s = t->signal;

	clear_tsk_flag(t, TIF_PTRACED);
	clear_tsk_flag(t, TIF_SYSCALL_TRACE);
	clear_tsk_flag(t, TIF_SYSCALL_EMU);
	arch_ptrace_disable(t);
	t->parent = t->real_parent;
	list_del_init(&t->ptrace_entry);
	put_cred(t->ptracer_cred);
	t->ptracer_cred = NULL;
	spin_lock(&t->sighand->siglock);
	t->ptrace = 0;
	task_clear_jobctl_pending(t, JOBCTL_TRAP_MASK);
	task_clear_jobctl_trapping(t);
	if (!(t->flags & PF_EXITING) && ((s->flags & SIGNAL_STOP_STOPPED) || s->group_stop_count))
		t->jobctl |= JOBCTL_STOP_PENDING;
	if ((t->jobctl & JOBCTL_STOP_PENDING) || (READ_ONCE(t->state) & __TASK_TRACED)) {
		set_tsk_flag(t, TIF_SIGPENDING);
		if (!wake_up_state(t, TASK_INTERRUPTIBLE | __TASK_TRACED))
			platform->kick(t);
	}
	spin_unlock(&t->sighand->siglock);
}

/* A new task, not started yet: traced like its parent where the tracer asked for that. tasklist_lock held for writing. */
void ptrace_init_task(struct task_struct *child, bool traced)
{
	struct task_struct *me = current;

	if (!traced || !me->ptrace)
		return;
	child->ptrace = me->ptrace;
	ptrace_link(child, me->parent, me->ptracer_cred);
	if (child->ptrace & PT_SEIZED)
		child->jobctl |= JOBCTL_TRAP_STOP;
	else
		sigaddset(&child->pending.signal, SIGSTOP);
	set_tsk_flag(child, TIF_SIGPENDING);
}

/* True: t is dead, and whoever was to hear of it has: it is to be released. */
static bool detach_locked(struct task_struct *tracer, struct task_struct *t)
{
	bool dead;

	ptrace_unlink(t);
	if (t->exit_state != EXIT_ZOMBIE)
		return false;
	dead = !thread_group_leader(t);
	if (!dead && thread_group_empty(t)) {
		if (!same_thread_group(t->real_parent, tracer))
			dead = do_notify_parent(t, t->exit_signal);
		else if (tracer->sighand->action[SIGCHLD - 1].handler == HUSK_SIG_IGN ||
			 (tracer->sighand->action[SIGCHLD - 1].flags & SA_NOCLDWAIT))
			dead = true;
	}
	if (dead)
		t->exit_state = EXIT_DEAD;
	return dead;
}

void exit_ptrace(struct task_struct *tracer, struct list_head *dead)
{
	struct task_struct *t, *n;

	list_for_each_entry_safe (t, n, &tracer->ptraced, ptrace_entry) {
		if (t->ptrace & PT_OPTIONS(PTRACE_O_EXITKILL))
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, false);
		if (detach_locked(tracer, t))
			list_add(&t->exit_node, dead);
	}
}

/* ---- attaching ---- */

static long check_options(unsigned long o)
{
	if (o & ~(unsigned long)PTRACE_O_MASK)
		return -EINVAL;
	/* there are no seccomp filters, so there is nothing to be told of and nothing to suspend */
	return o & (PTRACE_O_TRACESECCOMP | PTRACE_O_SUSPEND_SECCOMP) ? -EINVAL : 0;
}

/* tasklist_lock held for writing */
static long attach_locked(struct task_struct *t, unsigned flags)
{
	if (t->exit_state || t->ptrace)
		return -EPERM;
	spin_lock(&t->sighand->siglock);
	t->ptrace = flags;
	ptrace_link(t, current, current_cred());
	if (!(flags & PT_SEIZED))
		send_signal_locked(SIGSTOP, SEND_SIG_PRIV, t, false, true);
	/* stopped already: into the stop of a traced task, which no wait() sees in between */
	if ((READ_ONCE(t->state) & __TASK_STOPPED) && task_set_jobctl_pending(t, JOBCTL_TRAP_STOP | JOBCTL_TRAPPING)) {
		set_tsk_flag(t, TIF_SIGPENDING);
		wake_up_state(t, __TASK_STOPPED);
	}
	spin_unlock(&t->sighand->siglock);
	return 0;
}

static void wait_trapping(struct task_struct *t)
{
	while ((READ_ONCE(t->jobctl) & JOBCTL_TRAPPING) && !fatal_signal_pending(current)) {
		set_current_state(TASK_KILLABLE);
		schedule_timeout(ATTACH_POLL);
	}
}

static long ptrace_attach(struct task_struct *t, bool seize, unsigned long addr, unsigned long options)
{
	unsigned flags = PT_PTRACED;
	struct wake_q wq;
	long r;

	if (seize) {
		if (addr)
			return -EIO;
		r = check_options(options);
		if (r)
			return r == -EINVAL ? -EIO : r;
		flags |= PT_SEIZED | PT_OPTIONS(options);
	}
	if ((t->flags & PF_KTHREAD) || same_thread_group(t, current) || !ptrace_may_access(t, true))
		return -EPERM;
	wake_q_begin(&wq);
	write_lock(&tasklist_lock);
	r = attach_locked(t, flags);
	write_unlock(&tasklist_lock);
	wake_q_end(&wq);
	if (!r)
		wait_trapping(t);
	return r;
}

static long ptrace_traceme(void)
{
	struct task_struct *me = current;
	long r = -EPERM;

	write_lock(&tasklist_lock);
	if (!me->ptrace && !(me->real_parent->flags & PF_EXITING) && me->real_parent != &init_task) {
		spin_lock(&me->sighand->siglock);
		me->ptrace = PT_PTRACED;
		ptrace_link(me, me->real_parent, me->real_parent->cred);
		spin_unlock(&me->sighand->siglock);
		r = 0;
	}
	write_unlock(&tasklist_lock);
	return r;
}

static long ptrace_detach(struct task_struct *t, unsigned long sig)
{
	struct wake_q wq;
	bool dead;

	if (!valid_signal(sig))
		return -EIO;
	wake_q_begin(&wq);
	write_lock(&tasklist_lock);
	t->exit_code = sig; /* what the stop returns */
	dead = detach_locked(current, t);
	write_unlock(&tasklist_lock);
	wake_q_end(&wq);
	if (dead)
		release_task(t);
	return 0;
}

/* ---- going on ---- */

static void set_flag_to(struct task_struct *t, int flag, bool on)
{
	if (on)
		set_tsk_flag(t, flag);
	else
		clear_tsk_flag(t, flag);
}

static long ptrace_resume(struct task_struct *t, long request, unsigned long sig)
{
	bool step = request == PTRACE_SINGLESTEP || request == PTRACE_SYSEMU_SINGLESTEP;
	struct sighand_struct *sh;
	struct wake_q wq;

	if (!valid_signal(sig))
		return -EIO;
	set_flag_to(t, TIF_SYSCALL_TRACE, request == PTRACE_SYSCALL);
	set_flag_to(t, TIF_SYSCALL_EMU, request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP);
	arch_set_single_step(t, step);
	wake_q_begin(&wq);
	sh = lock_task_sighand(t);
	if (sh) {
		t->exit_code = sig;
		wake_up_state(t, __TASK_TRACED);
		spin_unlock(&sh->siglock);
	}
	wake_q_end(&wq);
	return 0;
}

static long ptrace_set_options(struct task_struct *t, unsigned long o)
{
	struct sighand_struct *sh;
	long r = check_options(o);

	if (r)
		return r;
	sh = lock_task_sighand(t);
	if (!sh)
		return -ESRCH;
	t->ptrace = (t->ptrace & ~PT_OPTIONS_MASK) | PT_OPTIONS(o);
	spin_unlock(&sh->siglock);
	return 0;
}

/* A seized task is to stop; what it does meanwhile it goes on with. It need not be stopped. */
static long ptrace_interrupt(struct task_struct *t)
{
	struct sighand_struct *sh;
	struct wake_q wq;
	long r = -EIO;

	wake_q_begin(&wq);
	sh = lock_task_sighand(t);
	if (sh) {
		if (t->ptrace & PT_SEIZED) {
			r = 0;
			if (task_set_jobctl_pending(t, JOBCTL_TRAP_STOP)) {
				set_tsk_flag(t, TIF_SIGPENDING);
				if (!wake_up_state(t, TASK_INTERRUPTIBLE |
							      (t->jobctl & JOBCTL_LISTENING ? __TASK_TRACED : 0)))
					platform->kick(t);
			}
		}
		spin_unlock(&sh->siglock);
	}
	wake_q_end(&wq);
	return r;
}

/* A seized task in a group stop stays in it, and its tracer hears when that ends. */
static long ptrace_listen(struct task_struct *t)
{
	struct sighand_struct *sh;
	struct wake_q wq;
	long r = -EIO;

	wake_q_begin(&wq);
	sh = lock_task_sighand(t);
	if (sh) {
		if ((t->ptrace & PT_SEIZED) && t->last_siginfo && t->last_siginfo->si_code >> 8 == PTRACE_EVENT_STOP) {
			t->jobctl |= JOBCTL_LISTENING;
			if (t->jobctl & JOBCTL_TRAP_NOTIFY)
				wake_up_state(t, __TASK_TRACED);
			r = 0;
		}
		spin_unlock(&sh->siglock);
	}
	wake_q_end(&wq);
	return r;
}

/* ---- the call ---- */

/* Is t current's tracee, and stopped where requests find it? */
static bool ptrace_check(struct task_struct *t, bool running_too)
{
	bool ok = false;

	read_lock(&tasklist_lock);
	if (t->ptrace && t->parent == current) {
		spin_lock(&t->sighand->siglock);
		ok = running_too || ((READ_ONCE(t->state) & __TASK_TRACED) && !(t->jobctl & JOBCTL_LISTENING));
		spin_unlock(&t->sighand->siglock);
	}
	read_unlock(&tasklist_lock);
	return ok;
}

static long ptrace_do(struct task_struct *t, long request, unsigned long addr, unsigned long data)
{
	switch (request) {
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
	case PTRACE_SYSEMU:
	case PTRACE_SYSEMU_SINGLESTEP:
		return ptrace_resume(t, request, data);
	case PTRACE_KILL:
		send_sig(SIGKILL, t, 1);
		return 0;
	case PTRACE_DETACH:
		return ptrace_detach(t, data);
	case PTRACE_SETOPTIONS:
	case 21: /* PTRACE_OLDSETOPTIONS */
		return ptrace_set_options(t, data);
	case PTRACE_INTERRUPT:
		return ptrace_interrupt(t);
	case PTRACE_LISTEN:
		return ptrace_listen(t);
	}
	return ptrace_request(t, request, addr, data);
}

SYSCALL_DEFINE4(ptrace, long, request, long, pid, unsigned long, addr, unsigned long, data)
{
	struct task_struct *t;
	long r = -ESRCH;

	if (request == PTRACE_TRACEME)
		return ptrace_traceme();
	t = find_get_task_by_pid(pid);
	if (!t)
		return -ESRCH;
	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		r = ptrace_attach(t, request == PTRACE_SEIZE, addr, data);
	else if (ptrace_check(t, request == PTRACE_KILL || request == PTRACE_INTERRUPT))
		r = ptrace_do(t, request, addr, data);
	put_task_struct(t);
	return r;
}
