// SPDX-License-Identifier: Apache-2.0
// Interval timers: setitimer, getitimer, alarm.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>

/* ITIMER_REAL: a timer of the kernel. it_real_incr is under siglock; the next period starts when SIGALRM is taken. */
struct real_timer {
	struct timer timer;
	struct signal_struct *sig;
};

static void real_rearm(struct signal_struct *s)
{
	struct timer *t = s->real_timer;

	if (t && s->it_real_incr && !timer_pending(t)) {
		timer_forward(t, s->it_real_incr);
		timer_set(t, t->expires);
	}
}

static void real_timer_fn(struct timer *t)
{
	struct real_timer *r = container_of(t, struct real_timer, timer);
	struct signal_struct *s = r->sig;
	struct sighand_struct *sh;
	struct task_struct *leader;

	read_lock(&tasklist_lock);
	leader = s->leader;
	do_send_sig_info(SIGALRM, SEND_SIG_PRIV, leader, true);
	sh = lock_task_sighand(leader);
	if (sh) {
		if (!sigismember(&s->shared_pending.signal, SIGALRM)) /* ignored: nobody will take it */
			real_rearm(s);
		spin_unlock(&sh->siglock);
	}
	read_unlock(&tasklist_lock);
}

void itimer_dequeued(void)
{
	real_rearm(current->signal);
}

static struct timer *real_timer_get(void)
{
	struct signal_struct *s = current->signal;
	struct real_timer *r;

	if (s->real_timer)
		return s->real_timer;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	timer_init(&r->timer, real_timer_fn);
	r->sig = s;
	spin_lock(&current->sighand->siglock);
	if (!s->real_timer) {
		s->real_timer = &r->timer;
		r = NULL;
	}
	spin_unlock(&current->sighand->siglock);
	kfree(r);
	return s->real_timer;
}

static u64 real_left(struct timer *t)
{
	s64 left;

	if (!t || !timer_pending(t))
		return 0;
	left = t->expires - ktime_get_ns();
	return left > 1000 ? left : 1000; /* due, but not yet sent */
}

static int set_real(u64 value, u64 incr, u64 *old_value, u64 *old_incr)
{
	struct signal_struct *s = current->signal;
	struct timer *t = s->real_timer;

	*old_value = *old_incr = 0;
	if (!t) {
		if (!value)
			return 0;
		t = real_timer_get();
		if (!t)
			return -ENOMEM;
	}
	*old_value = real_left(t);
	timer_cancel(t);
	spin_lock(&current->sighand->siglock);
	*old_incr = s->it_real_incr;
	s->it_real_incr = value ? incr : 0;
	if (value)
		timer_set(t, min_t(u64, ktime_get_ns() + value, INT64_MAX));
	spin_unlock(&current->sighand->siglock);
	return 0;
}

/* ITIMER_VIRTUAL and ITIMER_PROF count CPU time of the process; expiry in its clock, under siglock. */
static void cpu_itimer(int which, const u64 *value, u64 incr, u64 *old_value, u64 *old_incr)
{
	struct signal_struct *s = current->signal;
	u64 ut, st, now, *exp, *inc;

	spin_lock(&current->sighand->siglock);
	thread_group_cputime(current, &ut, &st);
	now = which == ITIMER_VIRTUAL ? ut : ut + st;
	exp = which == ITIMER_VIRTUAL ? &s->it_virt_expires : &s->it_prof_expires;
	inc = which == ITIMER_VIRTUAL ? &s->it_virt_incr : &s->it_prof_incr;
	*old_incr = *inc;
	*old_value = *exp ? (*exp > now ? *exp - now : 1000) : 0;
	if (value) {
		*exp = *value ? now + *value : 0;
		*inc = incr;
	}
	spin_unlock(&current->sighand->siglock);
	if (value && *value)
		cpu_timers_arm(s);
}

static int tv_to_ns(const struct timespec64 *tv, u64 *ns)
{
	if (tv->tv_sec < 0 || tv->tv_nsec < 0 || tv->tv_nsec >= USEC_PER_SEC)
		return -EINVAL;
	*ns = tv->tv_sec >= 9223372036LL ? INT64_MAX : tv->tv_sec * NSEC_PER_SEC + tv->tv_nsec * 1000;
	return 0;
}

static struct timespec64 ns_to_tv(u64 ns)
{
	struct timespec64 tv = ns_to_timespec64(ns);

	tv.tv_nsec = DIV_ROUND_UP(tv.tv_nsec, 1000);
	if (tv.tv_nsec >= USEC_PER_SEC) {
		tv.tv_sec++;
		tv.tv_nsec -= USEC_PER_SEC;
	}
	return tv;
}

/* it: interval, value; microseconds in tv_nsec */
static int put_itimer(void __user *u, u64 value, u64 incr)
{
	struct timespec64 it[2] = {ns_to_tv(incr), ns_to_tv(value)};

	return copy_to_user(u, it, sizeof(it)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(getitimer, int, which, void __user *, uval)
{
	u64 value, incr;

	switch (which) {
	case ITIMER_REAL:
		spin_lock(&current->sighand->siglock);
		value = real_left(current->signal->real_timer);
		incr = current->signal->it_real_incr;
		spin_unlock(&current->sighand->siglock);
		break;
	case ITIMER_VIRTUAL:
	case ITIMER_PROF:
		cpu_itimer(which, NULL, 0, &value, &incr);
		break;
	default:
		return -EINVAL;
	}
	return put_itimer(uval, value, incr);
}

SYSCALL_DEFINE3(setitimer, int, which, const void __user *, unew, void __user *, uold)
{
	u64 value = 0, incr = 0, old_value, old_incr;
	struct timespec64 it[2];
	int r;

	if (unew) {
		if (copy_from_user(it, unew, sizeof(it)))
			return -EFAULT;
		if (tv_to_ns(&it[0], &incr) || tv_to_ns(&it[1], &value))
			return -EINVAL;
	}
	switch (which) {
	case ITIMER_REAL:
		r = set_real(value, incr, &old_value, &old_incr);
		if (r)
			return r;
		break;
	case ITIMER_VIRTUAL:
	case ITIMER_PROF:
		cpu_itimer(which, &value, incr, &old_value, &old_incr);
		break;
	default:
		return -EINVAL;
	}
	return uold ? put_itimer(uold, old_value, old_incr) : 0;
}

SYSCALL_DEFINE1(alarm, unsigned, sec)
{
	u64 left, incr;

	if (set_real(sec * NSEC_PER_SEC, 0, &left, &incr) || !left)
		return 0;
	/* an alarm that is set reads as at least a second */
	return max_t(u64, (left + NSEC_PER_SEC / 2) / NSEC_PER_SEC, 1);
}

void exit_group_timers(struct signal_struct *s)
{
	struct timer *t;

	exit_itimers(s);
	/* the last thread no longer counts as live: nobody sets it again once siglock was ours */
	spin_lock(&current->sighand->siglock);
	s->cpu_timers = false;
	t = s->cpu_tick;
	s->cpu_tick = NULL;
	spin_unlock(&current->sighand->siglock);
	if (t) {
		timer_cancel(t);
		kfree(t);
	}
	t = s->real_timer;
	if (t) {
		s->it_real_incr = 0;
		timer_cancel(t);
		s->real_timer = NULL;
		kfree(container_of(t, struct real_timer, timer));
	}
}
