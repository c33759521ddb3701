// SPDX-License-Identifier: Apache-2.0
// nanosleep and clock_nanosleep.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>

/* Sleep until end (CLOCK_MONOTONIC): what is left in ns, 0 when the time is over. */
static u64 sleep_until(u64 end)
{
	for (;;) {
		s64 left = end - ktime_get_ns();

		if (left <= 0)
			return 0;
		if (signal_pending(current))
			return left;
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_timeout(left);
	}
}

static long sleep_restart(struct restart_block *r);

static long relative_sleep(u64 end, void __user *urem)
{
	struct restart_block *rb;
	u64 left = sleep_until(end);
	struct timespec64 ts;

	if (!left)
		return 0;
	if (urem) {
		ts = ns_to_timespec64(left);
		if (put_timespec64(&ts, urem))
			return -EFAULT;
	}
	rb = &current->restart_block;
	rb->fn = sleep_restart;
	rb->arg[0] = end;
	rb->arg[1] = (u64)urem;
	return -ERESTART_RESTARTBLOCK;
}

static long sleep_restart(struct restart_block *r)
{
	return relative_sleep(r->arg[0], (void *)r->arg[1]);
}

static u64 relative_end(const struct timespec64 *ts)
{
	u64 ns = timespec64_to_ns(ts), now = ktime_get_ns();

	return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

SYSCALL_DEFINE2(nanosleep, const void __user *, uts, void __user *, urem)
{
	struct timespec64 ts;

	if (get_timespec64(&ts, uts))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	return relative_sleep(relative_end(&ts), urem);
}

/* CPU-time clocks do not run while we sleep: another thread's progress is looked at in steps. */
static long cpu_sleep(clockid_t which, int flags, u64 ns)
{
	u64 now, end;
	int r = clock_now(which, &now);

	if (r)
		return r;
	end = flags & TIMER_ABSTIME ? ns : now + ns;
	while (now < end) {
		if (signal_pending(current))
			return flags & TIMER_ABSTIME ? -ERESTARTNOHAND : -EINTR;
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_timeout(clamp_t(u64, end - now, NSEC_PER_MSEC, 10 * NSEC_PER_MSEC));
		r = clock_now(which, &now);
		if (r)
			return r;
	}
	return 0;
}

SYSCALL_DEFINE4(clock_nanosleep, clockid_t, which, int, flags, const void __user *, uts, void __user *, urem)
{
	struct timespec64 ts;
	u64 ns;

	if (clock_now(which, &ns))
		return -EINVAL;
	if (which == CLOCK_THREAD_CPUTIME_ID || which == CLOCK_MONOTONIC_RAW || which == CLOCK_REALTIME_COARSE ||
	    which == CLOCK_MONOTONIC_COARSE)
		return -EOPNOTSUPP;
	if (get_timespec64(&ts, uts))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	if (which < 0 || which == CLOCK_PROCESS_CPUTIME_ID)
		return cpu_sleep(which, flags, timespec64_to_ns(&ts));
	if (!(flags & TIMER_ABSTIME))
		return relative_sleep(relative_end(&ts), urem);
	return sleep_until(clock_deadline(which, timespec64_to_ns(&ts))) ? -ERESTARTNOHAND : 0;
}
