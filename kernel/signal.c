// SPDX-License-Identifier: Apache-2.0
// Sending signals: queues, permission, which thread takes them, what stop, continue and fatal signals do to a process.

#include <husk/poll.h>
#include <husk/trace.h>
#include <asm/poll.h>
#include <husk/pid.h>
#include <husk/ptrace.h>
#include "signal_internal.h"
#include "task_internal.h"

/**
 * DOC: sending
 *
 * siglock of the shared sighand guards the pending sets, masks, actions and the group-stop state of all threads of a process,
 * and its list of threads (which also changes under tasklist_lock). A sender needs only a reference to a task:
 * lock_task_sighand() takes siglock or says that the task is gone; release_task() clears task->sighand under both task_lock
 * and siglock.
 *
 * A signal that is not blocked makes its target look: TIF_SIGPENDING, then wake_up_state(); a target that did not sleep gets a
 * kick, in case it runs user code. The host calls of wake-ups are put off until siglock is free.
 */

static struct kmem_cache *sigqueue_cache;

void __cold signal_init(void)
{
	sigqueue_cache = KMEM_CACHE(sigqueue);
	if (!sigqueue_cache)
		panic("no memory for signals");
}

/* ---- queue entries ---- */

static struct sigqueue *__sigqueue_alloc(bool override)
{
	struct user_struct *u = current->cred->user;
	struct sigqueue *q;
	int n = atomic_inc_return(&u->sigpending);

	if (!override && (u64)n > rlimit(RLIMIT_SIGPENDING))
		goto fail;
	q = kmem_cache_alloc(sigqueue_cache, GFP_ATOMIC);
	if (!q)
		goto fail;
	INIT_LIST_HEAD(&q->list);
	q->flags = 0;
	q->user = get_uid(u);
	return q;
fail:
	atomic_dec(&u->sigpending);
	return NULL;
}

void __sigqueue_free(struct sigqueue *q)
{
	if (q->flags & SIGQUEUE_PREALLOC)
		return;
	atomic_dec(&q->user->sigpending);
	free_uid(q->user);
	kmem_cache_free(sigqueue_cache, q);
}

struct sigqueue *sigqueue_alloc(void)
{
	struct sigqueue *q = __sigqueue_alloc(false);

	if (q)
		q->flags = SIGQUEUE_PREALLOC;
	return q;
}

/* A timer's entry that is still queued is freed when the signal is taken. */
void sigqueue_free(struct sigqueue *q)
{
	spinlock_t *lock = &current->sighand->siglock;
	bool queued;

	spin_lock(lock);
	q->flags &= ~SIGQUEUE_PREALLOC;
	queued = !list_empty(&q->list);
	spin_unlock(lock);
	if (!queued)
		__sigqueue_free(q);
}

void flush_sigqueue(struct sigpending *p)
{
	struct sigqueue *q, *n;

	p->signal = 0;
	list_for_each_entry_safe (q, n, &p->list, list) {
		list_del_init(&q->list);
		__sigqueue_free(q);
	}
}

void flush_sigqueue_mask(husk_sigset_t mask, struct sigpending *p)
{
	struct sigqueue *q, *n;

	if (!(p->signal & mask))
		return;
	p->signal &= ~mask;
	list_for_each_entry_safe (q, n, &p->list, list) {
		if (!(mask & sigmask(q->info.si_signo)))
			continue;
		list_del_init(&q->list);
		__sigqueue_free(q);
	}
}

/* ---- the state that says "look for signals" ---- */

static bool has_pending(struct task_struct *t)
{
	return ((t->pending.signal | t->signal->shared_pending.signal) & ~t->blocked) ||
	       (t->jobctl & JOBCTL_PENDING_MASK);
}

/* As recalc_sigpending(), but the flag stays where it is set: it may stand for a system call that is to be restarted. */
void note_sigpending(void)
{
	if (has_pending(current))
		set_thread_flag(TIF_SIGPENDING);
}

void recalc_sigpending(void)
{
	if (has_pending(current))
		set_thread_flag(TIF_SIGPENDING);
	else if (test_thread_flag(TIF_SIGPENDING))
		clear_thread_flag(TIF_SIGPENDING);
}

void signal_wake_up(struct task_struct *t, bool fatal)
{
	set_tsk_flag(t, TIF_SIGPENDING);
	if (t == current)
		return;
	if (!wake_up_state(t, TASK_INTERRUPTIBLE | (fatal ? TASK_WAKEKILL | __TASK_TRACED : 0)))
		platform->kick(t);
}

void task_clear_jobctl_pending(struct task_struct *t, unsigned mask)
{
	if (mask & JOBCTL_STOP_PENDING)
		mask |= JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED;
	t->jobctl &= ~mask;
}

bool task_set_jobctl_pending(struct task_struct *t, unsigned mask)
{
	if (fatal_signal_pending(t) || (t->flags & PF_EXITING))
		return false;
	if (mask & JOBCTL_STOP_SIGMASK)
		t->jobctl &= ~JOBCTL_STOP_SIGMASK;
	t->jobctl |= mask;
	return true;
}

/* ---- ignored? ---- */

bool sig_handler_ignored(void *handler, int sig)
{
	return handler == HUSK_SIG_IGN || (handler == HUSK_SIG_DFL && sig_kernel_ignore(sig));
}

static bool sig_ignored(struct task_struct *t, int sig)
{
	if (sigismember(&t->blocked, sig) || sigismember(&t->real_blocked, sig))
		return false;
	if (t->ptrace && sig != SIGKILL) /* the tracer may want to know */
		return false;
	if (!sig_handler_ignored(t->sighand->action[sig - 1].handler, sig))
		return false;
	return !trace_signals(t);
}

void ignore_signals(struct task_struct *t)
{
	for (int i = 0; i < _NSIG; i++)
		t->sighand->action[i].handler = HUSK_SIG_IGN;
}

void flush_signal_handlers(struct task_struct *t, int force_default)
{
	for (int i = 0; i < _NSIG; i++) {
		struct k_sigaction *ka = &t->sighand->action[i];

		if (force_default || ka->handler != HUSK_SIG_IGN)
			ka->handler = HUSK_SIG_DFL;
		ka->flags = 0;
		ka->restorer = NULL;
		ka->mask = 0;
	}
}

/* ---- effects of sending ---- */

static void prepare_cont(struct task_struct *p)
{
	struct signal_struct *s = p->signal;
	struct task_struct *t;
	unsigned why = 0;

	flush_sigqueue_mask(SIG_KERNEL_STOP_MASK, &s->shared_pending);
	for_each_thread (p, t) {
		flush_sigqueue_mask(SIG_KERNEL_STOP_MASK, &t->pending);
		task_clear_jobctl_pending(t, JOBCTL_STOP_PENDING);
		if (t->ptrace & PT_SEIZED)
			ptrace_trap_notify(t);
		else
			wake_up_state(t, __TASK_STOPPED);
	}
	/* the first thread to run tells the parent; a stop that was not complete counts as one that happened */
	if (s->flags & SIGNAL_STOP_STOPPED)
		why = SIGNAL_CLD_CONTINUED;
	else if (s->group_stop_count)
		why = SIGNAL_CLD_STOPPED;
	if (why) {
		s->flags = (s->flags & SIGNAL_UNKILLABLE) | why | SIGNAL_STOP_CONTINUED;
		s->group_stop_count = 0;
		s->group_exit_code = 0;
	}
}

/* What a signal does by being sent, blocked or not. False: it is dropped. */
static bool prepare_signal(int sig, struct task_struct *p, bool force)
{
	struct signal_struct *s = p->signal;
	struct task_struct *t;

	if (s->flags & SIGNAL_GROUP_EXIT)
		return s->core_state && sig == SIGKILL; /* which ends the dump */
	if (sig_kernel_stop(sig)) {
		flush_sigqueue_mask(sigmask(SIGCONT), &s->shared_pending);
		for_each_thread (p, t)
			flush_sigqueue_mask(sigmask(SIGCONT), &t->pending);
	} else if (sig == SIGCONT) {
		prepare_cont(p);
	}
	return force || !sig_ignored(p, sig);
}

static bool wants_signal(int sig, struct task_struct *t)
{
	if (sigismember(&t->blocked, sig) || (t->flags & PF_EXITING))
		return false;
	if (sig == SIGKILL)
		return true;
	if (READ_ONCE(t->state) & (__TASK_STOPPED | __TASK_TRACED))
		return false;
	return !signal_pending(t);
}

static bool sig_fatal(struct task_struct *t, int sig)
{
	return !(SM(sig) & (SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK)) &&
	       t->sighand->action[sig - 1].handler == HUSK_SIG_DFL;
}

static void start_group_exit(struct task_struct *p, int sig)
{
	struct task_struct *t;

	p->signal->flags = SIGNAL_GROUP_EXIT;
	p->signal->group_exit_code = sig;
	p->signal->group_stop_count = 0;
	for_each_thread (p, t) {
		task_clear_jobctl_pending(t, JOBCTL_PENDING_MASK);
		sigaddset(&t->pending.signal, SIGKILL);
		signal_wake_up(t, true);
	}
}

static void complete_signal(int sig, struct task_struct *p, bool group)
{
	struct signal_struct *s = p->signal;
	struct task_struct *t = NULL, *i;

	if (wants_signal(sig, p)) {
		t = p;
	} else if (group && !thread_group_empty(p)) {
		for_each_thread (p, i)
			if (wants_signal(sig, i)) {
				t = i;
				break;
			}
	}
	if (!t) /* whoever unblocks it first takes it */
		return;
	if (sig_fatal(p, sig) && (!(s->flags & SIGNAL_GROUP_EXIT) || s->core_state) &&
	    !sigismember(&t->real_blocked, sig) &&
	    (sig == SIGKILL || (!p->ptrace && !trace_signals(p) && !(SM(sig) & SIG_KERNEL_COREDUMP_MASK)))) {
		start_group_exit(p, sig);
		return;
	}
	signal_wake_up(t, sig == SIGKILL);
}

static void fill_info(struct sigqueue *q, int sig, struct kernel_siginfo *info)
{
	if (!is_si_special(info)) {
		q->info = *info;
		return;
	}
	memset(&q->info, 0, sizeof(q->info));
	q->info.si_signo = sig;
	if (info == SEND_SIG_NOINFO) {
		q->info.si_code = SI_USER;
		si_pid_(&q->info) = current->tgid;
		si_uid_(&q->info) = current_uid();
	} else {
		q->info.si_code = SI_KERNEL;
	}
}

static void signalfd_notify(struct task_struct *t)
{
	if (unlikely(!list_empty(&t->sighand->signalfd_wqh.head)))
		wake_up_poll(&t->sighand->signalfd_wqh, EPOLLIN);
}

/*
 * pid 1 cannot be killed or stopped by the processes it is there for. What it does to itself counts, and so do other signals:
 * it is mostly an ordinary program, whose status is to be what it would be without husk.
 */
static bool init_is_spared(int sig, struct kernel_siginfo *info, struct task_struct *t)
{
	return sig_kernel_only(sig) && child_reaper && t->signal == child_reaper->signal &&
	       t->signal != current->signal && si_fromuser(info);
}

/**
 * send_signal_locked - siglock held
 * @group: to the process, else to the thread. @force: not dropped for being ignored. 0, or -EAGAIN: the queue is full.
 */
int send_signal_locked(int sig, struct kernel_siginfo *info, struct task_struct *t, bool group, bool force)
{
	struct sigpending *pending = group ? &t->signal->shared_pending : &t->pending;
	struct sigqueue *q;
	bool override;

	if (unlikely(init_is_spared(sig, info, t)))
		return 0;
	if (!prepare_signal(sig, t, force))
		return 0;
	if (sig < SIGRTMIN && sigismember(&pending->signal, sig))
		return 0;
	if (sig == SIGKILL || (t->flags & PF_KTHREAD))
		goto mark;
	override = sig < SIGRTMIN && (is_si_special(info) || info->si_code >= 0);
	q = __sigqueue_alloc(override);
	if (q) {
		fill_info(q, sig, info);
		list_add_tail(&q->list, &pending->list);
	} else if (!is_si_special(info) && sig >= SIGRTMIN && info->si_code != SI_USER) {
		return -EAGAIN;
	}
mark:
	signalfd_notify(t);
	sigaddset(&pending->signal, sig);
	complete_signal(sig, t, group);
	return 0;
}

struct sighand_struct *lock_task_sighand(struct task_struct *t)
{
	struct sighand_struct *sh;

	if (t->signal == current->signal) { /* shared with current, so it stays */
		sh = current->sighand;
		spin_lock(&sh->siglock);
		if (likely(t->sighand))
			return sh;
		spin_unlock(&sh->siglock);
		return NULL;
	}
	task_lock(t);
	sh = t->sighand;
	if (sh)
		spin_lock(&sh->siglock);
	task_unlock(t);
	return sh;
}

int do_send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *t, bool group)
{
	struct sighand_struct *sh;
	struct wake_q wq;
	int r = -ESRCH;

	wake_q_begin(&wq);
	sh = lock_task_sighand(t);
	if (sh) {
		r = send_signal_locked(sig, info, t, group, false);
		spin_unlock(&sh->siglock);
	}
	wake_q_end(&wq);
	return r;
}

int send_sigqueue(struct sigqueue *q, struct task_struct *t, bool group)
{
	struct sigpending *pending;
	struct sighand_struct *sh;
	int sig = q->info.si_signo, r = -1;
	struct wake_q wq;

	wake_q_begin(&wq);
	sh = lock_task_sighand(t);
	if (!sh)
		goto out;
	r = 1;
	if (!prepare_signal(sig, t, false))
		goto unlock;
	r = 0;
	if (!list_empty(&q->list)) {
		q->info._timer.overrun++;
		goto unlock;
	}
	q->info._timer.overrun = 0;
	pending = group ? &t->signal->shared_pending : &t->pending;
	signalfd_notify(t);
	list_add_tail(&q->list, &pending->list);
	sigaddset(&pending->signal, sig);
	complete_signal(sig, t, group);
unlock:
	spin_unlock(&sh->siglock);
out:
	wake_q_end(&wq);
	return r;
}

/* ---- permission and addressing ---- */

static bool kill_ok_by_cred(struct task_struct *t)
{
	const struct cred *c = current->cred, *tc = get_task_cred(t);
	bool ok = c->euid == tc->suid || c->euid == tc->uid || c->uid == tc->suid || c->uid == tc->uid ||
		  capable(CAP_KILL);

	put_cred(tc);
	return ok;
}

int check_kill_permission(int sig, struct kernel_siginfo *info, struct task_struct *t)
{
	if (!valid_signal(sig))
		return -EINVAL;
	if (!si_fromuser(info) || same_thread_group(current, t) || kill_ok_by_cred(t))
		return 0;
	if (sig == SIGCONT && t->signal->sid == current->signal->sid)
		return 0;
	return -EPERM;
}

int group_send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *t)
{
	int r = check_kill_permission(sig, info, t);

	return r || !sig ? r : do_send_sig_info(sig, info, t, true);
}

int send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *t)
{
	return valid_signal(sig) ? do_send_sig_info(sig, info, t, false) : -EINVAL;
}

int send_sig(int sig, struct task_struct *t, int priv)
{
	return send_sig_info(sig, priv ? SEND_SIG_PRIV : SEND_SIG_NOINFO, t);
}

int kill_pid(pid_t nr, int sig, int priv)
{
	struct task_struct *t = find_get_task_by_pid(nr);
	int r;

	if (!t)
		return -ESRCH;
	r = group_send_sig_info(sig, priv ? SEND_SIG_PRIV : SEND_SIG_NOINFO, t);
	put_task_struct(t);
	return r;
}

int kill_pgrp_locked(pid_t pgid, int sig, int priv)
{
	struct kernel_siginfo *info = priv ? SEND_SIG_PRIV : SEND_SIG_NOINFO;
	struct pid *p = find_pid(pgid);
	struct signal_struct *s;
	int r, err = -ESRCH;
	bool ok = false;

	if (!p)
		return -ESRCH;
	list_for_each_entry (s, &p->members, pgrp_node) {
		r = group_send_sig_info(sig, info, s->leader);
		if (!r)
			ok = true;
		else
			err = r;
	}
	return ok ? 0 : err;
}

int kill_pgrp(pid_t pgid, int sig, int priv)
{
	int r;

	read_lock(&tasklist_lock);
	r = kill_pgrp_locked(pgid, sig, priv);
	read_unlock(&tasklist_lock);
	return r;
}

/* ---- signals that cannot be refused ---- */

static void force_sig_info(struct kernel_siginfo *info, bool fatal)
{
	struct task_struct *me = current;
	int sig = info->si_signo;
	struct k_sigaction *ka;
	struct wake_q wq;

	wake_q_begin(&wq);
	spin_lock(&me->sighand->siglock);
	ka = &me->sighand->action[sig - 1];
	if (fatal || ka->handler == HUSK_SIG_IGN || sigismember(&me->blocked, sig)) {
		ka->handler = HUSK_SIG_DFL;
		sigdelset(&me->blocked, sig);
	}
	send_signal_locked(sig, info, me, false, true);
	recalc_sigpending();
	spin_unlock(&me->sighand->siglock);
	wake_q_end(&wq);
}

void force_sig(int sig)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	force_sig_info(&info, false);
}

void force_fatal_sig(int sig)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	force_sig_info(&info, true);
}

void force_sig_fault(int sig, int code, void *addr)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = code};

	si_addr_(&info) = (u64)addr;
	force_sig_info(&info, false);
}

void force_sigsegv(int sig)
{
	if (sig == SIGSEGV)
		force_fatal_sig(SIGSEGV);
	else
		force_sig(SIGSEGV);
}

/* ---- a process dies ---- */

int zap_other_threads(struct task_struct *p)
{
	struct task_struct *t;
	int n = 0;

	p->signal->group_stop_count = 0;
	for_each_thread (p, t) {
		if (t == p)
			continue;
		task_clear_jobctl_pending(t, JOBCTL_PENDING_MASK);
		n++;
		if (t->exit_state)
			continue;
		sigaddset(&t->pending.signal, SIGKILL);
		signal_wake_up(t, true);
	}
	return n;
}

/* Signals for the process that t would have taken and no longer will: wake another thread for them. */
void retarget_shared_pending(struct task_struct *t, husk_sigset_t which)
{
	husk_sigset_t retarget = t->signal->shared_pending.signal & which;
	struct task_struct *i;

	if (!retarget)
		return;
	for_each_thread (t, i) {
		if (i == t || (i->flags & PF_EXITING) || !(retarget & ~i->blocked))
			continue;
		retarget &= i->blocked;
		if (!signal_pending(i))
			signal_wake_up(i, false);
		if (!retarget)
			break;
	}
}

void exit_signals(struct task_struct *me)
{
	bool stopped = false;
	struct wake_q wq;

	wake_q_begin(&wq);
	spin_lock(&me->sighand->siglock);
	me->flags |= PF_EXITING;
	if (signal_pending(me) && !thread_group_empty(me) && !(me->signal->flags & SIGNAL_GROUP_EXIT)) {
		retarget_shared_pending(me, ~me->blocked);
		stopped = (me->jobctl & JOBCTL_STOP_PENDING) && task_participate_group_stop(me);
	}
	spin_unlock(&me->sighand->siglock);
	wake_q_end(&wq);
	if (stopped) {
		read_lock(&tasklist_lock);
		do_notify_parent_cldstop(me, false, CLD_STOPPED);
		read_unlock(&tasklist_lock);
	}
}

/**
 * signalfd_cleanup - a sighand is about to be freed: pollers must forget its queue
 * Called by whoever drops the last reference. Every entry takes itself off the queue.
 */
void signalfd_cleanup(struct sighand_struct *sighand)
{
	if (waitqueue_active(&sighand->signalfd_wqh))
		__wake_up(&sighand->signalfd_wqh, TASK_NORMAL, 0, (void *)(unsigned long)(EPOLLHUP | POLLFREE));
}
