// SPDX-License-Identifier: Apache-2.0
// Clocks, and the system calls that read them.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/pid.h>
#include <linux/timex.h>

/**
 * DOC: clocks
 *
 * The guest's clocks are the host's (most programs read them through the vDSO without a system call, and both ways must agree).
 * None can be set. CPU-time clocks are the tasks' samples, see kernel/cputime.c.
 */

#define COARSE_RES 4000000 /* as a host with HZ=250 */

int get_timespec64(struct timespec64 *t, const void __user *u)
{
	return copy_from_user(t, u, sizeof(*t)) ? -EFAULT : 0;
}

int put_timespec64(const struct timespec64 *t, void __user *u)
{
	return copy_to_user(u, t, sizeof(*t)) ? -EFAULT : 0;
}

/* ---- CPU clocks: id = ~pid << 3 | thread << 2 | which (0 profiling, 1 user, 2 sum); a negative number ---- */

#define CPUCLOCK_THREAD 4
#define CPUCLOCK_WHICH(c) ((c)&3)
#define CPUCLOCK_PID(c) (~((c) >> 3))

static u64 pick(int which, u64 ut, u64 st)
{
	return which == 1 ? ut : ut + st;
}

static u64 group_cpu(struct task_struct *t, int which)
{
	struct sighand_struct *sh = lock_task_sighand(t);
	u64 ut, st;

	if (!sh)
		return 0;
	thread_group_cputime(t, &ut, &st);
	spin_unlock(&sh->siglock);
	return pick(which, ut, st);
}

static u64 thread_cpu(struct task_struct *t, int which)
{
	u64 ut, st;

	task_cputime(t, &ut, &st);
	return pick(which, ut, st);
}

static int cpu_clock(clockid_t id, u64 *ns)
{
	pid_t nr = CPUCLOCK_PID(id);
	struct task_struct *t;
	bool thread = id & CPUCLOCK_THREAD;
	int r = 0;

	if (CPUCLOCK_WHICH(id) == 3)
		return -EINVAL; /* a dynamic clock's descriptor */
	t = nr ? find_get_task_by_pid(nr) : current;
	if (!t)
		return -EINVAL;
	if (thread) {
		if (!same_thread_group(t, current))
			r = -EINVAL;
		else
			*ns = thread_cpu(t, CPUCLOCK_WHICH(id));
	} else if (nr && !thread_group_leader(t)) {
		r = -EINVAL;
	} else {
		*ns = group_cpu(t, CPUCLOCK_WHICH(id));
	}
	if (nr)
		put_task_struct(t);
	return r;
}

int clock_now(clockid_t which, u64 *ns)
{
	if (which < 0)
		return cpu_clock(which, ns);
	switch (which) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		*ns = ktime_get_clock_ns(which);
		return 0;
	case CLOCK_REALTIME_ALARM:
		*ns = ktime_get_clock_ns(CLOCK_REALTIME);
		return 0;
	case CLOCK_BOOTTIME_ALARM:
		*ns = ktime_get_clock_ns(CLOCK_BOOTTIME);
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = group_cpu(current, 2);
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu(current, 2);
		return 0;
	}
	return -EINVAL;
}

u64 clock_deadline(clockid_t which, u64 abs)
{
	u64 now, mono;

	if (which == CLOCK_MONOTONIC)
		return min_t(u64, abs, INT64_MAX);
	mono = ktime_get_ns();
	if (clock_now(which, &now) || abs <= now)
		return mono;
	return min_t(u64, mono + (abs - now), INT64_MAX);
}

/**
 * clock_first_expiry - when a timer that is set to an absolute time expires first, in CLOCK_MONOTONIC ns
 * @missed: a periodic timer's times that are over, but the last of them, which is what is returned, so that it keeps its beat
 */
u64 clock_first_expiry(clockid_t which, u64 abs, u64 interval, u64 *missed)
{
	u64 now, mono, late;

	*missed = 0;
	if (which == CLOCK_MONOTONIC || !interval || clock_now(which, &now) || abs >= now)
		return clock_deadline(which, abs);
	mono = ktime_get_ns();
	late = (now - abs) % interval;
	*missed = (now - abs) / interval;
	return mono > late ? mono - late : mono;
}

SYSCALL_DEFINE2(clock_gettime, clockid_t, which, void __user *, uts)
{
	struct timespec64 ts;
	u64 ns;
	int r = clock_now(which, &ns);

	if (r)
		return r;
	ts = ns_to_timespec64(ns);
	return put_timespec64(&ts, uts);
}

SYSCALL_DEFINE2(clock_getres, clockid_t, which, void __user *, uts)
{
	struct timespec64 ts = {0, 1};
	u64 ns;
	int r = clock_now(which, &ns);

	if (r)
		return r;
	if (which == CLOCK_REALTIME_COARSE || which == CLOCK_MONOTONIC_COARSE)
		ts.tv_nsec = COARSE_RES;
	return uts ? put_timespec64(&ts, uts) : 0;
}

static int refuse_to_set(const struct timespec64 *ts)
{
	return timespec64_valid(ts) ? -EPERM : -EINVAL;
}

SYSCALL_DEFINE2(clock_settime, clockid_t, which, const void __user *, uts)
{
	struct timespec64 ts;

	if (which != CLOCK_REALTIME)
		return -EINVAL;
	if (get_timespec64(&ts, uts))
		return -EFAULT;
	return refuse_to_set(&ts);
}

SYSCALL_DEFINE2(gettimeofday, struct timespec64 __user *, utv, void __user *, utz)
{
	struct timespec64 ts;
	int tz[2] = {0, 0};

	if (utv) {
		ktime_get_real_ts64(&ts);
		ts.tv_nsec /= 1000;
		if (copy_to_user(utv, &ts, sizeof(ts)))
			return -EFAULT;
	}
	return utz && copy_to_user(utz, tz, sizeof(tz)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(settimeofday, const void __user *, utv, const void __user *, utz)
{
	struct timespec64 ts;

	if (utv) {
		if (get_timespec64(&ts, utv))
			return -EFAULT;
		if (ts.tv_nsec < 0 || ts.tv_nsec > USEC_PER_SEC)
			return -EINVAL;
	}
	return -EPERM;
}

SYSCALL_DEFINE1(time, s64 __user *, ut)
{
	struct timespec64 ts;

	ktime_get_coarse_real_ts64(&ts);
	if (ut && put_user(ts.tv_sec, ut))
		return -EFAULT;
	return ts.tv_sec;
}

/* ---- adjtimex: what can be read; the clock is disciplined by the host ---- */

static long do_adjtimex(struct timex __user *ut)
{
	struct timespec64 ts;
	struct timex tx;

	if (copy_from_user(&tx, ut, sizeof(tx)))
		return -EFAULT;
	if (tx.modes && tx.modes != ADJ_OFFSET_SS_READ)
		return -EPERM;
	memset(&tx, 0, sizeof(tx));
	ktime_get_real_ts64(&ts);
	tx.status = STA_UNSYNC;
	tx.maxerror = 16000000;
	tx.esterror = 16000000;
	tx.constant = 2;
	tx.precision = 1;
	tx.tolerance = 500 << 16;
	tx.tick = 10000;
	tx.time.tv_sec = ts.tv_sec;
	tx.time.tv_usec = ts.tv_nsec / 1000;
	tx.tai = (s64)(ktime_get_clock_ns(CLOCK_TAI) - ktime_get_clock_ns(CLOCK_REALTIME) + NSEC_PER_SEC / 2) /
		 NSEC_PER_SEC;
	return copy_to_user(ut, &tx, sizeof(tx)) ? -EFAULT : TIME_ERROR;
}

SYSCALL_DEFINE1(adjtimex, struct timex __user *, ut)
{
	return do_adjtimex(ut);
}

SYSCALL_DEFINE2(clock_adjtime, clockid_t, which, struct timex __user *, ut)
{
	u64 ns;

	if (which != CLOCK_REALTIME)
		return clock_now(which, &ns) ? -EINVAL : -EOPNOTSUPP;
	return do_adjtimex(ut);
}
