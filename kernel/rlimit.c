// SPDX-License-Identifier: Apache-2.0
// Resource limits.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>

#define NR_OPEN_MAX_ (1 << 20)

static int do_prlimit(struct task_struct *t, unsigned res, const struct rlimit *new, struct rlimit *old)
{
	struct signal_struct *s = t->signal;
	struct rlimit *r;
	int err = 0;

	if (res >= RLIM_NLIMITS)
		return -EINVAL;
	if (new) {
		if (new->rlim_cur > new->rlim_max)
			return -EINVAL;
		if (res == RLIMIT_NOFILE && new->rlim_max > NR_OPEN_MAX_)
			return -EPERM;
	}
	r = &s->rlim[res];
	/* the lock is the leader's; current's group keeps a leader while we look */
	read_lock(&tasklist_lock);
	task_lock(t->group_leader);
	if (new &&new->rlim_max > r->rlim_max && !capable(CAP_SYS_RESOURCE))
		err = -EPERM;
	if (!err) {
		if (old)
			*old = *r;
		if (new)
			*r = *new;
	}
	task_unlock(t->group_leader);
	if (!err && new &&res == RLIMIT_CPU &&new->rlim_cur != RLIM_INFINITY) {
		s->rlim_cpu_next = 0;
		cpu_timers_arm(s);
	}
	read_unlock(&tasklist_lock);
	return err;
}

static bool may_prlimit(struct task_struct *t)
{
	const struct cred *c = current->cred, *tc;
	bool ok;

	if (t == current)
		return true;
	tc = get_task_cred(t);
	ok = (c->uid == tc->euid && c->uid == tc->suid && c->uid == tc->uid && c->gid == tc->egid &&
	      c->gid == tc->sgid && c->gid == tc->gid) ||
	     capable(CAP_SYS_RESOURCE);
	put_cred(tc);
	return ok;
}

SYSCALL_DEFINE4(prlimit64, pid_t, pid, unsigned, res, const struct rlimit __user *, unew, struct rlimit __user *, uold)
{
	struct rlimit new, old;
	struct task_struct *t;
	int r;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	t = pid ? find_get_task_by_pid(pid) : current;
	if (!t)
		return -ESRCH;
	r = may_prlimit(t) ? do_prlimit(t, res, unew ? &new : NULL, uold ? &old : NULL) : -EPERM;
	if (pid)
		put_task_struct(t);
	if (!r && uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return r;
}

SYSCALL_DEFINE2(getrlimit, unsigned, res, struct rlimit __user *, ur)
{
	struct rlimit r;
	int err = do_prlimit(current, res, NULL, &r);

	return err ? err : copy_to_user(ur, &r, sizeof(r)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(setrlimit, unsigned, res, const struct rlimit __user *, ur)
{
	struct rlimit r;

	if (copy_from_user(&r, ur, sizeof(r)))
		return -EFAULT;
	return do_prlimit(current, res, &r, NULL);
}
