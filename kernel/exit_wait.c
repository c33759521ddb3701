// SPDX-License-Identifier: Apache-2.0
// wait4, waitid: looking for children that ended, stopped or went on.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/pid.h>
#include <husk/ptrace.h>
#include <husk/task_fs.h>
#include <linux/wait.h>
#include "signal_internal.h"

#define P_ALL_ 0
#define P_PID_ 1
#define P_PGID_ 2
#define P_PIDFD_ 3
#define O_NONBLOCK_ 04000

struct waitid_info {
	pid_t pid;
	uid_t uid;
	int status, cause;
};

struct wait_opts {
	struct wait_queue_entry entry; /* on the process's wait_chldexit */
	int type;		       /* P_* */
	pid_t pid;
	int flags;		  /* WNOHANG ... */
	struct waitid_info *info; /* waitid */
	int stat;		  /* wait4 */
	struct rusage *ru;
	int notask; /* -ECHILD until a child that could ever match is seen */
};

static bool eligible_child(struct wait_opts *wo, bool ptrace, struct task_struct *p)
{
	if (!ptrace && p->orphan_autoreap && same_thread_group(p->real_parent, child_reaper))
		return false;
	if (wo->type == P_PID_ && p->pid != wo->pid)
		return false;
	if (wo->type == P_PGID_ && p->signal->pgid != wo->pid)
		return false;
	if (ptrace || (wo->flags & __WALL))
		return true;
	return (p->exit_signal != SIGCHLD) == !!(wo->flags & __WCLONE);
}

static int wake_waiter(struct wait_queue_entry *e, unsigned mode, int sync, void *key)
{
	return default_wake_function(e, mode, sync, key);
}

static bool waits_for_end(struct wait_queue_entry *e, struct task_struct *p)
{
	struct wait_opts *wo = container_of(e, struct wait_opts, entry);

	return e->func == wake_waiter && (wo->flags & (WEXITED | WNOWAIT | WNOHANG)) == WEXITED &&
	       (!(wo->flags & __WNOTHREAD) || e->private == p->real_parent) && eligible_child(wo, false, p);
}

/* Will a zombie that p becomes be reaped at once, by a parent that waits for nothing else? */
bool child_awaited(struct task_struct *p)
{
	struct wait_queue_entry *e;
	wait_queue_head_t *q;
	bool found = false;

	read_lock(&tasklist_lock);
	q = &p->real_parent->signal->wait_chldexit;
	spin_lock(&q->lock);
	list_for_each_entry (e, &q->head, entry) {
		found = waits_for_end(e, p);
		if (found)
			break;
	}
	spin_unlock(&q->lock);
	read_unlock(&tasklist_lock);
	return found && !p->ptrace;
}

static void ns_to_timeval(u64 ns, __kernel_old_time_t *sec, __kernel_suseconds_t *usec)
{
	*sec = ns / NSEC_PER_SEC;
	*usec = ns % NSEC_PER_SEC / 1000;
}

/* What p and the children it waited for used. tasklist_lock held. */
static void child_rusage(struct task_struct *p, struct rusage *ru)
{
	struct signal_struct *s = p->signal;
	u64 ut, st;

	memset(ru, 0, sizeof(*ru));
	thread_group_cputime(p, &ut, &st);
	ns_to_timeval(ut + s->cutime, &ru->ru_utime.tv_sec, &ru->ru_utime.tv_usec);
	ns_to_timeval(st + s->cstime, &ru->ru_stime.tv_sec, &ru->ru_stime.tv_usec);
	ru->ru_maxrss = max(s->maxrss, s->cmaxrss) << (PAGE_SHIFT - 10);
	ru->ru_minflt = s->min_flt + p->min_flt + s->cmin_flt;
	ru->ru_majflt = s->maj_flt + p->maj_flt + s->cmaj_flt;
	ru->ru_nvcsw = s->nvcsw + p->nvcsw + s->cnvcsw;
	ru->ru_nivcsw = s->nivcsw + p->nivcsw + s->cnivcsw;
	ru->ru_inblock = s->inblock + s->cinblock;
	ru->ru_oublock = s->oublock + s->coublock;
}

/* The parent inherits what a reaped child used. tasklist_lock held (the child is EXIT_DEAD, this thread's alone). */
static void account_child(struct signal_struct *ps, struct task_struct *p)
{
	struct signal_struct *s = p->signal;
	u64 ut, st;

	thread_group_cputime(p, &ut, &st);
	spin_lock(&current->sighand->siglock);
	ps->cutime += ut + s->cutime;
	ps->cstime += st + s->cstime;
	ps->cmin_flt += s->min_flt + p->min_flt + s->cmin_flt;
	ps->cmaj_flt += s->maj_flt + p->maj_flt + s->cmaj_flt;
	ps->cnvcsw += s->nvcsw + p->nvcsw + s->cnvcsw;
	ps->cnivcsw += s->nivcsw + p->nivcsw + s->cnivcsw;
	ps->cinblock += s->inblock + s->cinblock;
	ps->coublock += s->oublock + s->coublock;
	ps->cmaxrss = max(ps->cmaxrss, max(s->maxrss, s->cmaxrss));
	spin_unlock(&current->sighand->siglock);
}

static void fill_info(struct wait_opts *wo, pid_t pid, uid_t uid, int status, int cause)
{
	if (!wo->info)
		return;
	wo->info->pid = pid;
	wo->info->uid = uid;
	wo->info->status = status;
	wo->info->cause = cause;
}

static uid_t uid_of(struct task_struct *p)
{
	const struct cred *c = get_task_cred(p);
	uid_t uid = c->uid;

	put_cred(c);
	return uid;
}

static void zombie_info(struct wait_opts *wo, struct task_struct *p, uid_t uid, int status)
{
	if (status & 0x7f)
		fill_info(wo, p->pid, uid, status & 0x7f, status & 0x80 ? CLD_DUMPED : CLD_KILLED);
	else
		fill_info(wo, p->pid, uid, status >> 8, CLD_EXITED);
}

/* The tracer has seen the end of p, which is its parent's child again; what p is now. */
static int hand_to_parent(struct task_struct *p)
{
	int state = EXIT_ZOMBIE;

	write_lock(&tasklist_lock);
	ptrace_unlink(p);
	if (thread_group_empty(p) && do_notify_parent(p, p->exit_signal))
		state = EXIT_DEAD;
	p->exit_state = state;
	write_unlock(&tasklist_lock);
	return state;
}

/* tasklist_lock held for reading; released when the result is not 0 */
static int wait_zombie(struct wait_opts *wo, struct task_struct *p)
{
	struct signal_struct *ps = current->signal;
	pid_t pid = p->pid;
	uid_t uid = uid_of(p);
	int status, state;

	if (!(wo->flags & WEXITED))
		return 0;
	status = p->signal->flags & SIGNAL_GROUP_EXIT ? p->signal->group_exit_code : p->exit_code;
	if (wo->flags & WNOWAIT) {
		if (wo->ru)
			child_rusage(p, wo->ru);
		zombie_info(wo, p, uid, status);
		read_unlock(&tasklist_lock);
		wo->stat = status;
		return pid;
	}
	/* a tracer that is not the parent reaps it first: then the parent is told */
	state = ptrace_reparented(p) && thread_group_leader(p) ? EXIT_TRACE : EXIT_DEAD;
	/* who turns the zombie dead has it; the lock is only read-held */
	if (cmpxchg(&p->exit_state, EXIT_ZOMBIE, state) != EXIT_ZOMBIE)
		return 0;
	if (wo->ru)
		child_rusage(p, wo->ru);
	if (state == EXIT_DEAD && thread_group_leader(p))
		account_child(ps, p);
	zombie_info(wo, p, uid, status);
	wo->stat = status;
	read_unlock(&tasklist_lock);
	if (state == EXIT_TRACE)
		state = hand_to_parent(p);
	if (state == EXIT_DEAD)
		release_task(p);
	return pid;
}

/* Where p's stop is told: its own for the tracer, else its process's; NULL: it is not stopped. siglock held. */
static int *stop_code(struct task_struct *p, bool ptrace)
{
	struct signal_struct *s = p->signal;

	if (ptrace)
		return (READ_ONCE(p->state) & __TASK_TRACED) && !(p->jobctl & JOBCTL_LISTENING) ? &p->exit_code : NULL;
	return (s->flags & SIGNAL_STOP_STOPPED) && !s->group_stop_count ? &s->group_exit_code : NULL;
}

static int wait_stopped(struct wait_opts *wo, bool ptrace, struct task_struct *p)
{
	struct signal_struct *s = p->signal;
	pid_t pid = p->pid;
	int code = 0, *where;
	uid_t uid;

	/* a tracer sees stops whatever it asked for */
	if (!ptrace && (!(wo->flags & WUNTRACED) || !(READ_ONCE(s->flags) & SIGNAL_STOP_STOPPED)))
		return 0;
	if (ptrace && !(READ_ONCE(p->state) & __TASK_TRACED))
		return 0;
	spin_lock(&p->sighand->siglock);
	where = stop_code(p, ptrace);
	if (where) {
		code = *where;
		if (!(wo->flags & WNOWAIT))
			*where = 0;
	}
	spin_unlock(&p->sighand->siglock);
	if (!code)
		return 0;
	uid = uid_of(p);
	if (wo->ru)
		child_rusage(p, wo->ru);
	read_unlock(&tasklist_lock);
	fill_info(wo, pid, uid, code, ptrace ? CLD_TRAPPED : CLD_STOPPED);
	wo->stat = code << 8 | 0x7f;
	return pid;
}

static int wait_continued(struct wait_opts *wo, struct task_struct *p)
{
	struct signal_struct *s = p->signal;
	pid_t pid = p->pid;
	bool hit = false;
	uid_t uid;

	if (!(wo->flags & WCONTINUED) || !(READ_ONCE(s->flags) & SIGNAL_STOP_CONTINUED))
		return 0;
	spin_lock(&p->sighand->siglock);
	if (s->flags & SIGNAL_STOP_CONTINUED) {
		hit = true;
		if (!(wo->flags & WNOWAIT))
			s->flags &= ~SIGNAL_STOP_CONTINUED;
	}
	spin_unlock(&p->sighand->siglock);
	if (!hit)
		return 0;
	uid = uid_of(p);
	if (wo->ru)
		child_rusage(p, wo->ru);
	read_unlock(&tasklist_lock);
	fill_info(wo, pid, uid, SIGCONT, CLD_CONTINUED);
	wo->stat = 0xffff;
	return pid;
}

/* ptrace: p is looked at as a tracee, not as a child */
static int consider_child(struct wait_opts *wo, bool ptrace, struct task_struct *p)
{
	int state = READ_ONCE(p->exit_state), r;

	if (state == EXIT_DEAD || !eligible_child(wo, ptrace, p))
		return 0;
	if (state == EXIT_TRACE) {
		if (!ptrace)
			wo->notask = 0;
		return 0;
	}
	/* a child that this process traces: as a tracee, so that it is not seen twice */
	if (!ptrace && unlikely(p->ptrace) && !ptrace_reparented(p))
		ptrace = true;
	if (state != EXIT_ZOMBIE) {
		wo->notask = 0;
	} else {
		if (!(thread_group_leader(p) && !thread_group_empty(p)) && (ptrace || !p->ptrace))
			return wait_zombie(wo, p);
		if (!ptrace || (wo->flags & (WCONTINUED | WEXITED)))
			wo->notask = 0;
	}
	r = wait_stopped(wo, ptrace, p);
	return r ? r : wait_continued(wo, p);
}

/* Children and tracees of one thread; tasklist_lock is held, and released when the result is not 0. */
static int scan_thread(struct wait_opts *wo, struct task_struct *t)
{
	struct task_struct *p;
	int r;

	list_for_each_entry (p, &t->children, sibling) {
		r = consider_child(wo, false, p);
		if (r)
			return r;
	}
	list_for_each_entry (p, &t->ptraced, ptrace_entry) {
		r = consider_child(wo, true, p);
		if (r)
			return r;
	}
	return 0;
}

static int scan_children(struct wait_opts *wo)
{
	struct task_struct *me = current, *t;
	int r;

	read_lock(&tasklist_lock);
	for_each_thread (me, t) {
		if ((wo->flags & __WNOTHREAD) && t != me)
			continue;
		r = scan_thread(wo, t);
		if (r)
			return r;
	}
	read_unlock(&tasklist_lock);
	return 0;
}

static int do_wait(struct wait_opts *wo)
{
	struct signal_struct *s = current->signal;
	int r;

	init_waitqueue_entry(&wo->entry, current);
	wo->entry.func = wake_waiter;
	add_wait_queue(&s->wait_chldexit, &wo->entry);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		wo->notask = -ECHILD;
		r = scan_children(wo);
		if (r)
			break;
		r = wo->notask;
		if (r || (wo->flags & WNOHANG))
			break;
		if (signal_pending(current)) {
			r = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	set_current_state(TASK_RUNNING);
	remove_wait_queue(&s->wait_chldexit, &wo->entry);
	return r;
}

SYSCALL_DEFINE4(wait4, pid_t, pid, int __user *, ustat, int, options, struct rusage __user *, uru)
{
	struct wait_opts wo = {.pid = pid};
	struct rusage ru;
	int r;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	wo.flags = options | WEXITED;
	if (pid == -1) {
		wo.type = P_ALL_;
	} else if (pid > 0) {
		wo.type = P_PID_;
	} else {
		wo.type = P_PGID_;
		wo.pid = pid ? -pid : current->signal->pgid;
	}
	wo.ru = uru ? &ru : NULL;
	r = do_wait(&wo);
	if (r <= 0)
		return r;
	if (ustat && put_user(wo.stat, ustat))
		return -EFAULT;
	if (uru && copy_to_user(uru, &ru, sizeof(ru)))
		return -EFAULT;
	return r;
}

/* The child a waitid() call means; *nonblock: a pidfd opened O_NONBLOCK */
static int waitid_target(int which, pid_t id, struct wait_opts *wo, bool *nonblock)
{
	unsigned fflags = 0;
	struct pid *p;

	wo->type = which;
	wo->pid = id;
	switch (which) {
	case P_ALL_:
		return 0;
	case P_PID_:
		return id <= 0 ? -EINVAL : 0;
	case P_PGID_:
		if (id < 0)
			return -EINVAL;
		if (!id)
			wo->pid = current->signal->pgid;
		return 0;
	case P_PIDFD_:
		if (id < 0)
			return -EINVAL;
		p = task_fs->pidfd_pid(id, &fflags);
		if (IS_ERR(p))
			return PTR_ERR(p);
		wo->type = P_PID_;
		wo->pid = p->nr;
		*nonblock = fflags & O_NONBLOCK_;
		put_pid(p);
		return 0;
	}
	return -EINVAL;
}

SYSCALL_DEFINE5(waitid, int, which, pid_t, id, void __user *, uinfo, int, options, struct rusage __user *, uru)
{
	struct waitid_info wi = {};
	struct wait_opts wo = {.info = &wi, .flags = options};
	struct kernel_siginfo info = {};
	bool nonblock = false;
	struct rusage ru;
	int r;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	r = waitid_target(which, id, &wo, &nonblock);
	if (r)
		return r;
	if (nonblock)
		wo.flags |= WNOHANG;
	wo.ru = uru ? &ru : NULL;
	r = do_wait(&wo);
	if (r < 0)
		return r;
	if (r == 0 && nonblock && !(options & WNOHANG))
		return -EAGAIN;
	if (r > 0) {
		info.si_signo = SIGCHLD;
		info.si_code = wi.cause;
		si_pid_(&info) = wi.pid;
		si_uid_(&info) = wi.uid;
		si_status_(&info) = wi.status;
		if (uru && copy_to_user(uru, &ru, sizeof(ru)))
			return -EFAULT;
	}
	/* the ABI leaves what lies past si_status alone */
	if (uinfo && copy_to_user(uinfo, &info, 28))
		return -EFAULT;
	return 0;
}
