// SPDX-License-Identifier: Apache-2.0
// Who a process is: numbers, groups, sessions, priorities.

#include <husk/syscalls.h>
#include <husk/pid.h>
#include "signal_internal.h"

SYSCALL_DEFINE0(getpid)
{
	return current->tgid;
}

SYSCALL_DEFINE0(gettid)
{
	return current->pid;
}

SYSCALL_DEFINE0(getppid)
{
	return READ_ONCE(current->ppid);
}

/* ---- groups and sessions ---- */

SYSCALL_DEFINE0(getpgrp)
{
	return current->signal->pgid;
}

static long id_of(pid_t nr, bool session)
{
	struct task_struct *t;
	long r = -ESRCH;

	if (!nr)
		return session ? current->signal->sid : current->signal->pgid;
	read_lock(&tasklist_lock);
	t = nr > 0 ? find_task_by_pid(nr) : NULL;
	if (t)
		r = session ? t->signal->sid : t->signal->pgid;
	read_unlock(&tasklist_lock);
	return r;
}

SYSCALL_DEFINE1(getpgid, pid_t, nr)
{
	return id_of(nr, false);
}

SYSCALL_DEFINE1(getsid, pid_t, nr)
{
	return id_of(nr, true);
}

/* tasklist_lock held: may current put t into group pgid? 0 or -errno; *group: it */
static int may_setpgid(struct task_struct *t, pid_t pgid, struct pid **group)
{
	struct task_struct *me = current->group_leader;
	struct signal_struct *s;

	if (!t)
		return -ESRCH;
	if (!thread_group_leader(t))
		return -EINVAL;
	if (same_thread_group(t->real_parent, me)) {
		if (t->signal->session != me->signal->session)
			return -EPERM;
		if (!(t->flags & PF_FORKNOEXEC))
			return -EACCES;
	} else if (t != me) {
		return -ESRCH;
	}
	if (t->signal->leader_of_session)
		return -EPERM;
	if (pgid == t->pid) {
		*group = t->thread_pid;
		return 0;
	}
	*group = find_pid(pgid);
	if (*group)
		list_for_each_entry (s, &(*group)->members, pgrp_node)
			if (s->session == me->signal->session)
				return 0;
	return -EPERM;
}

SYSCALL_DEFINE2(setpgid, pid_t, nr, pid_t, pgid)
{
	struct task_struct *t;
	struct pid *group;
	int r;

	if (!nr)
		nr = current->tgid;
	if (!pgid)
		pgid = nr;
	if (pgid < 0)
		return -EINVAL;
	write_lock(&tasklist_lock);
	t = find_task_by_pid(nr);
	r = may_setpgid(t, pgid, &group);
	if (!r)
		signal_set_pgrp(t->signal, group);
	write_unlock(&tasklist_lock);
	return r;
}

SYSCALL_DEFINE0(setsid)
{
	struct task_struct *leader;
	struct signal_struct *s = current->signal;
	struct pid *p;
	long r = -EPERM;

	write_lock(&tasklist_lock);
	leader = current->group_leader;
	p = leader->thread_pid;
	/* a group of that number may have outlived its leader's move to another */
	if (s->leader_of_session || !list_empty(&p->members))
		goto out;
	s->leader_of_session = true;
	signal_set_session(s, p);
	signal_set_pgrp(s, p);
	s->tty = NULL;
	r = p->nr;
out:
	write_unlock(&tasklist_lock);
	return r;
}

/* ---- priorities: kept and inherited; it is the host that schedules ---- */

static int set_nice(struct task_struct *t, int nice, int err)
{
	const struct cred *c = current->cred, *tc = get_task_cred(t);
	bool owner = c->euid == tc->uid || c->euid == tc->euid || capable(CAP_SYS_NICE);

	put_cred(tc);
	if (!owner)
		return -EPERM;
	if (nice < t->nice && 20 - nice > (s64)task_rlimit(t, RLIMIT_NICE) && !capable(CAP_SYS_NICE))
		return -EACCES;
	t->nice = nice;
	return err == -ESRCH ? 0 : err;
}

/* Calls fn for every thread that which/who means; r is handed from call to call. */
static long for_prio(int which, int who, long (*fn)(struct task_struct *, long r, int arg), long r, int arg)
{
	struct task_struct *p, *t;
	struct signal_struct *s;
	uid_t uid = who ? (uid_t)who : current_uid();
	struct pid *g;

	read_lock(&tasklist_lock);
	switch (which) {
	case PRIO_PROCESS:
		t = who ? find_task_by_pid(who) : current;
		if (t)
			r = fn(t, r, arg);
		break;
	case PRIO_PGRP:
		g = who ? find_pid(who) : current->signal->pgrp;
		if (g)
			list_for_each_entry (s, &g->members, pgrp_node)
				for_each_thread (s->leader, t)
					r = fn(t, r, arg);
		break;
	case PRIO_USER:
		for_each_process (p)
			for_each_thread (p, t) {
				const struct cred *c = get_task_cred(t);
				bool match = c->uid == uid && !(t->flags & PF_KTHREAD);

				put_cred(c);
				if (match)
					r = fn(t, r, arg);
			}
	}
	read_unlock(&tasklist_lock);
	return r;
}

static long set_one(struct task_struct *t, long r, int nice)
{
	return set_nice(t, nice, r);
}

static long get_one(struct task_struct *t, long r, int arg)
{
	return max_t(long, r, 20 - t->nice);
}

SYSCALL_DEFINE3(setpriority, int, which, int, who, int, nice)
{
	if (which > PRIO_USER || which < PRIO_PROCESS)
		return -EINVAL;
	return for_prio(which, who, set_one, -ESRCH, clamp_t(int, nice, -20, 19));
}

SYSCALL_DEFINE2(getpriority, int, which, int, who)
{
	if (which > PRIO_USER || which < PRIO_PROCESS)
		return -EINVAL;
	return for_prio(which, who, get_one, -ESRCH, 0);
}

/* ---- I/O priorities: kept and inherited likewise ---- */

#define IOPRIO_CLASS(p) ((p) >> 13)
#define IOPRIO_DATA(p) ((p)&0x1fff)
enum { IOPRIO_NONE, IOPRIO_RT, IOPRIO_BE, IOPRIO_IDLE };
/* the calls' which is a kind of getpriority's, counted from 1 */
#define IOPRIO_WHO_MIN (PRIO_PROCESS + 1)
#define IOPRIO_WHO_MAX (PRIO_USER + 1)

static long set_ioprio(struct task_struct *t, long r, int prio)
{
	const struct cred *tc;

	if (r && r != -ESRCH)
		return r;
	tc = get_task_cred(t);
	r = tc->uid == current_euid() || tc->uid == current_uid() || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	put_cred(tc);
	if (!r)
		t->ioprio = prio;
	return r;
}

/* Its I/O priority, or what its nice value stands for where it never set one. */
static int effective_ioprio(struct task_struct *t)
{
	if (IOPRIO_CLASS(t->ioprio) != IOPRIO_NONE)
		return t->ioprio;
	return (t->sched_policy == SCHED_IDLE ? IOPRIO_IDLE : IOPRIO_BE) << 13 | (t->nice + 20) / 5;
}

/* The best of many: the lowest number. */
static long best_ioprio(struct task_struct *t, long r, int arg)
{
	return r < 0 ? effective_ioprio(t) : min_t(long, r, effective_ioprio(t));
}

static long own_ioprio(struct task_struct *t, long r, int arg)
{
	return t->ioprio;
}

SYSCALL_DEFINE3(ioprio_set, int, which, int, who, int, prio)
{
	int class = IOPRIO_CLASS(prio), data = IOPRIO_DATA(prio);

	if (class > IOPRIO_IDLE || (class == IOPRIO_NONE && data) || (class && class != IOPRIO_IDLE && data >= 8))
		return -EINVAL;
	if (class == IOPRIO_RT && !capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (which < IOPRIO_WHO_MIN || which > IOPRIO_WHO_MAX)
		return -EINVAL;
	return for_prio(which - 1, who, set_ioprio, -ESRCH, prio);
}

SYSCALL_DEFINE2(ioprio_get, int, which, int, who)
{
	if (which < IOPRIO_WHO_MIN || which > IOPRIO_WHO_MAX)
		return -EINVAL;
	return for_prio(which - 1, who, which == IOPRIO_WHO_MIN ? own_ioprio : best_ioprio, -ESRCH, 0);
}
