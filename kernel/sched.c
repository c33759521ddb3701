// SPDX-License-Identifier: Apache-2.0
// Scheduling policy as programs set and read it, and the load average. The host does the scheduling.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/boot.h>
#include <husk/init.h>
#include <linux/sched/types.h>

/**
 * DOC: what is kept and what is done
 *
 * Guest threads are host threads of an unprivileged user: the host gives them no real-time class, and its calls for
 * priorities and affinity are not open to the jail. Nice values, the normal policies and affinity masks are kept, inherited and
 * shown; real-time policies are refused with EPERM, as to an ordinary user.
 */

static unsigned long all_cpus(void)
{
	u64 n = boot->host_ncpus;

	return n >= 64 ? ~0UL : n ? (1UL << n) - 1 : 1;
}

SYSCALL_DEFINE0(sched_yield)
{
	host_yield();
	return 0;
}

/* nr 0: current. A reference, or NULL */
static struct task_struct *get_target(pid_t nr)
{
	if (nr)
		return find_get_task_by_pid(nr);
	get_task_struct(current);
	return current;
}

static bool owns(struct task_struct *t)
{
	const struct cred *tc;
	bool ok;

	if (t == current)
		return true;
	tc = get_task_cred(t);
	ok = current_euid() == tc->euid || current_euid() == tc->uid || capable(CAP_SYS_NICE);
	put_cred(tc);
	return ok;
}

static int set_policy(pid_t nr, int policy, int prio, bool reset_on_fork, const int *nice)
{
	struct task_struct *t;
	int r = 0;

	if (nr < 0)
		return -EINVAL;
	t = get_target(nr);
	if (!t)
		return -ESRCH;
	if (policy < 0)
		policy = t->sched_policy;
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		r = prio < 1 || prio > 99 ? -EINVAL : -EPERM;
		break;
	case SCHED_DEADLINE:
		r = -EPERM;
		break;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		r = prio ? -EINVAL : owns(t) ? 0 : -EPERM;
		break;
	default:
		r = -EINVAL;
	}
	if (!r && nice && *nice < t->nice && 20 - *nice > (s64)task_rlimit(t, RLIMIT_NICE) && !capable(CAP_SYS_NICE))
		r = -EPERM;
	if (!r && t->sched_reset_on_fork && !reset_on_fork && !capable(CAP_SYS_NICE))
		r = -EPERM;
	if (!r) {
		t->sched_policy = policy;
		t->sched_reset_on_fork = reset_on_fork;
		if (nice)
			t->nice = *nice;
	}
	put_task_struct(t);
	return r;
}

SYSCALL_DEFINE3(sched_setscheduler, pid_t, nr, int, policy, const int __user *, uparam)
{
	int prio;

	if (policy < 0 || !uparam)
		return -EINVAL;
	if (get_user(prio, (int *)uparam))
		return -EFAULT;
	return set_policy(nr, policy & ~SCHED_RESET_ON_FORK, prio, policy & SCHED_RESET_ON_FORK, NULL);
}

SYSCALL_DEFINE2(sched_setparam, pid_t, nr, const int __user *, uparam)
{
	struct task_struct *t;
	bool reset;
	int prio;

	if (!uparam || nr < 0)
		return -EINVAL;
	if (get_user(prio, (int *)uparam))
		return -EFAULT;
	t = get_target(nr);
	if (!t)
		return -ESRCH;
	reset = t->sched_reset_on_fork;
	put_task_struct(t);
	return set_policy(nr, -1, prio, reset, NULL);
}

SYSCALL_DEFINE1(sched_getscheduler, pid_t, nr)
{
	struct task_struct *t;
	int r;

	if (nr < 0)
		return -EINVAL;
	t = get_target(nr);
	if (!t)
		return -ESRCH;
	r = t->sched_policy | (t->sched_reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	put_task_struct(t);
	return r;
}

SYSCALL_DEFINE2(sched_getparam, pid_t, nr, int __user *, uparam)
{
	struct task_struct *t;
	int prio;

	if (!uparam || nr < 0)
		return -EINVAL;
	t = get_target(nr);
	if (!t)
		return -ESRCH;
	prio = t->rt_priority;
	put_task_struct(t);
	return put_user(prio, uparam);
}

SYSCALL_DEFINE3(sched_setattr, pid_t, nr, void __user *, uattr, unsigned, flags)
{
	struct sched_attr a = {};
	u32 size;

	if (!uattr || nr < 0 || flags)
		return -EINVAL;
	if (get_user(size, (u32 *)uattr))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(&a, uattr, min_t(size_t, size, sizeof(a))))
		return -EFAULT;
	if (a.sched_flags & ~(u64)SCHED_FLAG_RESET_ON_FORK)
		return -EINVAL;
	a.sched_nice = clamp_t(int, a.sched_nice, -20, 19);
	return set_policy(nr, a.sched_policy, a.sched_priority, a.sched_flags & SCHED_FLAG_RESET_ON_FORK,
			  &a.sched_nice);
}

SYSCALL_DEFINE4(sched_getattr, pid_t, nr, void __user *, uattr, unsigned, size, unsigned, flags)
{
	struct sched_attr a = {.size = min_t(u32, size, sizeof(a))};
	struct task_struct *t;

	if (!uattr || nr < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	t = get_target(nr);
	if (!t)
		return -ESRCH;
	a.sched_policy = t->sched_policy;
	a.sched_nice = t->nice;
	a.sched_priority = t->rt_priority;
	a.sched_flags = t->sched_reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	put_task_struct(t);
	return copy_to_user(uattr, &a, a.size) ? -EFAULT : 0;
}

static bool known_policy(int policy)
{
	return policy >= SCHED_NORMAL && policy <= SCHED_DEADLINE && policy != 4;
}

SYSCALL_DEFINE1(sched_get_priority_max, int, policy)
{
	return !known_policy(policy) ? -EINVAL : policy == SCHED_FIFO || policy == SCHED_RR ? 99 : 0;
}

SYSCALL_DEFINE1(sched_get_priority_min, int, policy)
{
	return !known_policy(policy) ? -EINVAL : policy == SCHED_FIFO || policy == SCHED_RR ? 1 : 0;
}

SYSCALL_DEFINE2(sched_rr_get_interval, pid_t, nr, void __user *, uts)
{
	struct timespec64 ts = {0, 4000000};
	struct task_struct *t;

	if (nr < 0)
		return -EINVAL;
	t = get_target(nr);
	if (!t)
		return -ESRCH;
	put_task_struct(t);
	return put_timespec64(&ts, uts);
}

static void affinity_apply(struct callback_head *cb)
{
	host_set_affinity(current->cpus_mask);
	kfree(cb);
}

/* The host schedules: only a thread can move itself there, so another one does it on its way to user mode. */
static int set_affinity(struct task_struct *t, unsigned long mask)
{
	struct callback_head *w;

	t->cpus_mask = mask;
	if (t == current) {
		host_set_affinity(mask);
		return 0;
	}
	if (t->flags & PF_KTHREAD)
		return -EINVAL;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	w->func = affinity_apply;
	if (task_work_add(t, w)) {
		kfree(w);
		return -ESRCH;
	}
	return 0;
}

SYSCALL_DEFINE3(sched_setaffinity, pid_t, nr, unsigned, len, const void __user *, umask)
{
	unsigned long mask = 0;
	struct task_struct *t;
	int r = -EPERM;

	if (copy_from_user(&mask, umask, min_t(size_t, len, sizeof(mask))))
		return -EFAULT;
	t = nr < 0 ? NULL : get_target(nr);
	if (!t)
		return -ESRCH;
	mask &= all_cpus();
	if (owns(t))
		r = mask ? set_affinity(t, mask) : -EINVAL;
	put_task_struct(t);
	return r;
}

SYSCALL_DEFINE3(sched_getaffinity, pid_t, nr, unsigned, len, void __user *, umask)
{
	struct task_struct *t;
	unsigned long mask;

	if (len < sizeof(mask) || (len & (sizeof(mask) - 1)))
		return -EINVAL;
	t = nr < 0 ? NULL : get_target(nr);
	if (!t)
		return -ESRCH;
	mask = t->cpus_mask ? t->cpus_mask & all_cpus() : all_cpus();
	put_task_struct(t);
	return copy_to_user(umask, &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}

/* ---- load average ---- */

#define LOAD_PERIOD (5 * NSEC_PER_SEC + NSEC_PER_SEC / 250)
static const unsigned long load_exp[3] = {1884, 2014, 2037}; /* FIXED_1 / exp(5s / 1, 5, 15 min) */
static unsigned long avenrun[3];
static struct timer load_timer;

static void load_fn(struct timer *timer)
{
	struct task_struct *p, *t;
	unsigned long active = 0;

	read_lock(&tasklist_lock);
	for_each_process (p)
		for_each_thread (p, t) {
			u32 s = READ_ONCE(t->state);

			if (!(t->flags & PF_KTHREAD) && !t->exit_state &&
			    (s == TASK_RUNNING || (s & TASK_UNINTERRUPTIBLE)))
				active++;
		}
	read_unlock(&tasklist_lock);
	active *= FIXED_1;
	for (int i = 0; i < 3; i++) {
		unsigned long n = avenrun[i] * load_exp[i] + active * (FIXED_1 - load_exp[i]);

		if (active >= avenrun[i])
			n += FIXED_1 - 1;
		WRITE_ONCE(avenrun[i], n / FIXED_1);
	}
	timer_set(timer, ktime_get_ns() + LOAD_PERIOD);
}

void get_avenrun(unsigned long loads[3], unsigned long offset, int shift)
{
	for (int i = 0; i < 3; i++)
		loads[i] = (READ_ONCE(avenrun[i]) + offset) << shift;
}

static int load_init(void)
{
	timer_init(&load_timer, load_fn);
	timer_set(&load_timer, ktime_get_ns() + LOAD_PERIOD);
	return 0;
}
late_initcall(load_init);
