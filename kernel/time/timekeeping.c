// SPDX-License-Identifier: Apache-2.0
// The time of day and the time since boot: the host's clocks, read for whoever needs them.

#include <husk/platform.h>
#include <husk/time.h>

u64 ktime_get_clock_ns(int clk)
{
	s64 sec, nsec;

	host_clock_gettime(clk, &sec, &nsec);
	return sec * NSEC_PER_SEC + nsec;
}

u64 ktime_get_ns(void)
{
	return ktime_get_clock_ns(CLOCK_MONOTONIC);
}

u64 ktime_get_boottime_ns(void)
{
	return ktime_get_clock_ns(CLOCK_BOOTTIME);
}

u64 ktime_get_real_ns(void)
{
	return ktime_get_clock_ns(CLOCK_REALTIME);
}

void ktime_get_real_ts64(struct timespec64 *ts)
{
	host_clock_gettime(CLOCK_REALTIME, &ts->tv_sec, (s64 *)&ts->tv_nsec);
}

void ktime_get_coarse_real_ts64(struct timespec64 *ts)
{
	host_clock_gettime(CLOCK_REALTIME_COARSE, &ts->tv_sec, (s64 *)&ts->tv_nsec);
}
