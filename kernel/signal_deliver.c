// SPDX-License-Identifier: Apache-2.0
// Taking signals: dequeueing, stopping, dying, system-call restart; telling the parent.

#include <husk/mm.h>
#include <husk/time.h>
#include <husk/pid.h>
#include <husk/ptrace.h>
#include <husk/coredump.h>
#include <husk/trace.h>
#include "signal_internal.h"

#define NSEC_PER_CLOCK (NSEC_PER_SEC / 100)

/* ---- dequeueing ---- */

static int next_signal(husk_sigset_t pending, husk_sigset_t blocked)
{
	husk_sigset_t x = pending & ~blocked;

	if (x & SYNCHRONOUS_MASK)
		x &= SYNCHRONOUS_MASK;
	return ffs64(x);
}

/* Takes the oldest entry of sig off the list; the bit stays while another of it is queued. */
static void collect_signal(int sig, struct sigpending *p, struct kernel_siginfo *info, bool *timer)
{
	struct sigqueue *q, *first = NULL;

	list_for_each_entry (q, &p->list, list) {
		if (q->info.si_signo != sig)
			continue;
		if (first)
			goto more;
		first = q;
	}
	sigdelset(&p->signal, sig);
more:
	if (!first) { /* there was no memory for an entry, or none is needed */
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
		info->si_code = SI_USER;
		return;
	}
	list_del_init(&first->list);
	*info = first->info;
	*timer = (first->flags & SIGQUEUE_PREALLOC) && info->si_code == SI_TIMER && info->_timer.sys_private;
	__sigqueue_free(first);
}

static int dequeue_from(struct sigpending *p, husk_sigset_t mask, struct kernel_siginfo *info, bool *timer)
{
	int sig = next_signal(p->signal, mask);

	if (sig)
		collect_signal(sig, p, info, timer);
	return sig;
}

int dequeue_signal(struct task_struct *t, husk_sigset_t *mask, struct kernel_siginfo *info)
{
	bool timer = false;
	int sig = dequeue_from(&t->pending, *mask, info, &timer);

	if (!sig) {
		sig = dequeue_from(&t->signal->shared_pending, *mask, info, &timer);
		if (unlikely(sig == SIGALRM))
			itimer_dequeued();
	}
	recalc_sigpending();
	if (!sig)
		return 0;
	if (unlikely(sig_kernel_stop(sig)))
		t->jobctl |= JOBCTL_STOP_DEQUEUED;
	if (timer) {
		spin_unlock(&t->sighand->siglock);
		posixtimer_rearm(info);
		spin_lock(&t->sighand->siglock);
		info->_timer.sys_private = 0;
	}
	return sig;
}

/* Faults of this thread come before anything that was sent to it. */
static int dequeue_synchronous(struct task_struct *t, struct kernel_siginfo *info)
{
	struct sigpending *p = &t->pending;
	struct sigqueue *q;
	bool timer;

	if (!(p->signal & ~t->blocked & SYNCHRONOUS_MASK))
		return 0;
	list_for_each_entry (q, &p->list, list) {
		int sig = q->info.si_signo;

		if (q->info.si_code > SI_USER && (SM(sig) & SYNCHRONOUS_MASK & ~t->blocked)) {
			collect_signal(sig, p, info, &timer);
			recalc_sigpending();
			return sig;
		}
	}
	return 0;
}

/* ---- telling the parent ---- */

static void wake_up_parent(struct task_struct *parent)
{
	wake_up_interruptible_all(&parent->signal->wait_chldexit);
}

static void child_info(struct kernel_siginfo *info, struct task_struct *t, int sig)
{
	const struct cred *c = get_task_cred(t);
	u64 ut, st;

	memset(info, 0, sizeof(*info));
	thread_group_cputime(t, &ut, &st);
	info->si_signo = sig;
	si_pid_(info) = t->pid;
	si_uid_(info) = c->uid;
	info->_chld.utime = ut / NSEC_PER_CLOCK;
	info->_chld.stime = st / NSEC_PER_CLOCK;
	put_cred(c);
}

bool do_notify_parent(struct task_struct *t, int sig)
{
	struct task_struct *parent = t->parent;
	struct sighand_struct *sh = parent->sighand;
	struct kernel_siginfo info;
	bool autoreap = false;
	struct wake_q wq;

	if (t->thread_pid)
		wake_up_all(&t->thread_pid->wait_pidfd);
	if (t->orphan_autoreap && !t->ptrace && same_thread_group(parent, child_reaper))
		return true;
	if (sig != SIGCHLD && t->parent_exec_id != parent->self_exec_id)
		sig = SIGCHLD;
	child_info(&info, t, sig);
	si_status_(&info) = t->exit_code & 0x7f;
	if (t->exit_code & 0x80) {
		info.si_code = CLD_DUMPED;
	} else if (t->exit_code & 0x7f) {
		info.si_code = CLD_KILLED;
	} else {
		info.si_code = CLD_EXITED;
		si_status_(&info) = t->exit_code >> 8;
	}
	wake_q_begin(&wq);
	spin_lock(&sh->siglock);
	if (!t->ptrace && sig == SIGCHLD) {
		struct k_sigaction *ka = &sh->action[SIGCHLD - 1];

		autoreap = ka->handler == HUSK_SIG_IGN || (ka->flags & SA_NOCLDWAIT);
		if (ka->handler == HUSK_SIG_IGN)
			sig = 0;
	}
	if (valid_signal(sig) && sig > 0)
		send_signal_locked(sig, &info, parent, true, false);
	wake_up_parent(parent);
	spin_unlock(&sh->siglock);
	wake_q_end(&wq);
	return autoreap;
}

/**
 * do_notify_parent_cldstop - t, or its process, stopped or went on
 * @for_ptracer: t did, and its tracer is told; else its process, and the parent is. tasklist_lock held.
 */
void do_notify_parent_cldstop(struct task_struct *t, bool for_ptracer, int why)
{
	struct task_struct *who = for_ptracer ? t : t->group_leader;
	struct task_struct *parent = for_ptracer ? t->parent : who->real_parent;
	struct sighand_struct *sh = parent->sighand;
	struct kernel_siginfo info;
	struct k_sigaction *ka;
	struct wake_q wq;

	child_info(&info, who, SIGCHLD);
	info.si_code = why;
	si_status_(&info) = (why == CLD_TRAPPED ? t->exit_code : t->signal->group_exit_code) & 0x7f;
	if (why == CLD_CONTINUED)
		si_status_(&info) = SIGCONT;
	wake_q_begin(&wq);
	spin_lock(&sh->siglock);
	ka = &sh->action[SIGCHLD - 1];
	if (ka->handler != HUSK_SIG_IGN && !(ka->flags & SA_NOCLDSTOP))
		send_signal_locked(SIGCHLD, &info, parent, true, false);
	wake_up_parent(parent);
	spin_unlock(&sh->siglock);
	wake_q_end(&wq);
}

static void notify_cldstop(int why)
{
	read_lock(&tasklist_lock);
	do_notify_parent_cldstop(current, false, why);
	if (ptrace_reparented(current->group_leader)) /* and the tracer, as if it were the parent */
		do_notify_parent_cldstop(current->group_leader, true, why);
	read_unlock(&tasklist_lock);
}

/* ---- stopping ---- */

/* current, or a thread that exits, counts for a group stop. True: it was the last, the process is stopped now. */
bool task_participate_group_stop(struct task_struct *t)
{
	struct signal_struct *s = t->signal;
	bool consume = t->jobctl & JOBCTL_STOP_CONSUME;

	task_clear_jobctl_pending(t, JOBCTL_STOP_PENDING);
	if (!consume)
		return false;
	if (s->group_stop_count > 0)
		s->group_stop_count--;
	if (s->group_stop_count || (s->flags & SIGNAL_STOP_STOPPED))
		return false;
	s->flags = (s->flags & SIGNAL_UNKILLABLE) | SIGNAL_STOP_STOPPED;
	return true;
}

static void start_group_stop(struct task_struct *me, int signr)
{
	const unsigned gstop = JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME;
	struct signal_struct *s = me->signal;
	struct task_struct *t;

	if (!(s->flags & SIGNAL_STOP_STOPPED))
		s->group_exit_code = signr;
	s->group_stop_count = 0;
	if (task_set_jobctl_pending(me, signr | gstop))
		s->group_stop_count++;
	for_each_thread (me, t) {
		if (t == me || (READ_ONCE(t->state) & __TASK_STOPPED))
			continue;
		if (task_set_jobctl_pending(t, signr | gstop)) {
			s->group_stop_count++;
			if (t->ptrace & PT_SEIZED)
				ptrace_trap_notify(t);
			else
				signal_wake_up(t, false);
		}
	}
}

/* siglock held; released when true is returned: current has been stopped and goes on. */
static bool do_signal_stop(int signr)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	bool last;

	if (!(me->jobctl & JOBCTL_STOP_PENDING)) {
		if (!(me->jobctl & JOBCTL_STOP_DEQUEUED) || (s->flags & SIGNAL_GROUP_EXIT) || s->group_exec_task)
			return false;
		start_group_stop(me, signr);
		if (!(me->jobctl & JOBCTL_STOP_PENDING))
			return false;
	}
	if (me->ptrace) { /* stops for its tracer, as part of the group */
		task_set_jobctl_pending(me, JOBCTL_TRAP_STOP);
		return false;
	}
	last = task_participate_group_stop(me);
	set_current_state(TASK_STOPPED);
	spin_unlock(&me->sighand->siglock);
	if (last)
		notify_cldstop(CLD_STOPPED);
	schedule();
	return true;
}

/* ---- get_signal ---- */

static void report_group_change(struct signal_struct *s)
{
	int why = s->flags & SIGNAL_CLD_CONTINUED ? CLD_CONTINUED : CLD_STOPPED;

	s->flags &= ~(SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED);
	spin_unlock(&current->sighand->siglock);
	notify_cldstop(why);
}

static __noreturn void die_of_signal(int sig, struct kernel_siginfo *info)
{
	current->flags |= PF_SIGNALED;
	if (SM(sig) & SYNCHRONOUS_MASK)
		pr_debug("%s[%d]: killed by signal %d at ip %lx sp %lx address %lx", current->comm, current->pid, sig,
			 (unsigned long)current_pt_regs()->ip, (unsigned long)current_pt_regs()->sp,
			 (unsigned long)si_addr_(info));
	if ((SM(sig) & SIG_KERNEL_COREDUMP_MASK) && core_dump)
		core_dump(info);
	do_group_exit(sig);
}

/* One look at the queue, siglock held. > 0: a signal with a handler; 0: none; < 0: siglock was dropped, look again. */
static int take_signal(struct ksignal *ks)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	struct k_sigaction *ka;
	int sig;

	if ((s->flags & SIGNAL_GROUP_EXIT) || s->group_exec_task) {
		sigdelset(&me->pending.signal, SIGKILL);
		recalc_sigpending();
		sig = SIGKILL;
		goto fatal;
	}
	if (unlikely(me->jobctl & JOBCTL_STOP_PENDING) && do_signal_stop(0))
		return -1;
	if (unlikely(me->jobctl & JOBCTL_TRAP_MASK)) {
		do_jobctl_trap();
		spin_unlock(&me->sighand->siglock);
		return -1;
	}
	sig = dequeue_synchronous(me, &ks->info);
	if (!sig)
		sig = dequeue_signal(me, &me->blocked, &ks->info);
	if (!sig)
		return 0;
	if (trace_signals(me) && sig != SIGKILL) {
		spin_unlock(&me->sighand->siglock);
		trace_signal(sig, &ks->info);
		spin_lock(&me->sighand->siglock);
	}
	if (unlikely(me->ptrace) && sig != SIGKILL) {
		sig = ptrace_signal(sig, &ks->info);
		if (!sig)
			return -2;
	}
	ka = &me->sighand->action[sig - 1];
	if (ka->handler == HUSK_SIG_IGN)
		return -2;
	if (ka->handler != HUSK_SIG_DFL) {
		ks->ka = *ka;
		if (ka->flags & SA_RESETHAND)
			ka->handler = HUSK_SIG_DFL;
		return sig;
	}
	if (sig_kernel_ignore(sig))
		return -2;
	if (sig_kernel_stop(sig)) {
		if (trace_signals(me)) {
			spin_unlock(&me->sighand->siglock);
			trace_stop(sig);
			spin_lock(&me->sighand->siglock);
		}
		if (sig != SIGSTOP) {
			bool orphaned;

			spin_unlock(&me->sighand->siglock);
			orphaned = is_current_pgrp_orphaned();
			spin_lock(&me->sighand->siglock);
			if (orphaned)
				return -2;
		}
		return do_signal_stop(sig) ? -1 : -2;
	}
fatal:
	spin_unlock(&me->sighand->siglock);
	die_of_signal(sig, &ks->info);
}

/* Dequeues one that has a handler into ks; may stop or kill the task. False: there is none. */
static bool get_signal(struct ksignal *ks)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	int r;

relock:
	spin_lock(&me->sighand->siglock);
	if (unlikely(s->flags & (SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED))) {
		report_group_change(s);
		goto relock;
	}
	do
		r = take_signal(ks);
	while (r == -2);
	if (r == -1)
		goto relock;
	spin_unlock(&me->sighand->siglock);
	ks->sig = r;
	return r > 0;
}

/* ---- masks ---- */

void __set_task_blocked(struct task_struct *t, husk_sigset_t set)
{
	if (signal_pending(t) && !thread_group_empty(t))
		retarget_shared_pending(t, set & ~t->blocked);
	t->blocked = set;
	recalc_sigpending();
}

void set_current_blocked(husk_sigset_t *set)
{
	struct task_struct *me = current;
	husk_sigset_t new = *set & ~SIG_KERNEL_ONLY_MASK;
	struct wake_q wq;

	if (me->blocked == new)
		return;
	wake_q_begin(&wq);
	spin_lock(&me->sighand->siglock);
	__set_task_blocked(me, new);
	spin_unlock(&me->sighand->siglock);
	wake_q_end(&wq);
}

int set_user_sigmask(const husk_sigset_t *umask, size_t size)
{
	husk_sigset_t set;

	if (!umask)
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, umask, sizeof(set)))
		return -EFAULT;
	current->saved_sigmask = current->blocked;
	set_thread_flag(TIF_RESTORE_SIGMASK);
	set_current_blocked(&set);
	return 0;
}

static void restore_saved_sigmask(void)
{
	if (test_and_clear_bit(TIF_RESTORE_SIGMASK, &current->ti->flags))
		set_current_blocked(&current->saved_sigmask);
}

void restore_saved_sigmask_unless(bool interrupted)
{
	if (!interrupted && test_thread_flag(TIF_RESTORE_SIGMASK))
		restore_saved_sigmask();
}

static void signal_delivered(struct ksignal *ks, int stepping)
{
	husk_sigset_t set = current->blocked | ks->ka.mask;

	clear_thread_flag(TIF_RESTORE_SIGMASK);
	if (!(ks->ka.flags & SA_NODEFER))
		sigaddset(&set, ks->sig);
	set_current_blocked(&set);
	if (unlikely(stepping)) /* the handler's first instruction is where the step ends */
		ptrace_notify(SIGTRAP, 0);
}

/* ---- on the way to user mode ---- */

static bool in_syscall(struct pt_regs *regs)
{
	return (long)regs->orig_ax >= 0;
}

static void handle_signal(struct ksignal *ks, struct pt_regs *regs)
{
	if (in_syscall(regs)) {
		switch ((long)regs->ax) {
		case -ERESTART_RESTARTBLOCK:
		case -ERESTARTNOHAND:
			regs->ax = -EINTR;
			break;
		case -ERESTARTSYS:
			if (!(ks->ka.flags & SA_RESTART)) {
				regs->ax = -EINTR;
				break;
			}
			fallthrough;
		case -ERESTARTNOINTR:
			arch_restart_syscall(regs, regs->orig_ax);
		}
		regs->orig_ax = -1UL;
	}
	if (setup_rt_frame(ks, regs))
		force_sigsegv(ks->sig);
	else
		signal_delivered(ks, test_thread_flag(TIF_SINGLESTEP));
}

static void do_signal(struct pt_regs *regs)
{
	struct ksignal ks;

	if (get_signal(&ks)) {
		handle_signal(&ks, regs);
		return;
	}
	if (in_syscall(regs)) {
		switch ((long)regs->ax) {
		case -ERESTARTNOHAND:
		case -ERESTARTSYS:
		case -ERESTARTNOINTR:
			arch_restart_syscall(regs, regs->orig_ax);
			break;
		case -ERESTART_RESTARTBLOCK:
			arch_restart_syscall(regs, 219); /* restart_syscall */
		}
		regs->orig_ax = -1UL;
	}
	restore_saved_sigmask();
}

void do_notify_resume(struct pt_regs *regs)
{
	struct thread_info *ti = current_thread_info();

	if (test_bit(TIF_NOTIFY_RESUME, &ti->flags)) {
		clear_bit(TIF_NOTIFY_RESUME, &ti->flags);
		account_cputime();
		task_work_run();
	}
	if (test_bit(TIF_SIGPENDING, &ti->flags))
		do_signal(regs);
	else if (test_bit(TIF_RESTORE_SIGMASK, &ti->flags))
		restore_saved_sigmask();
}
