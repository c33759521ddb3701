/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and timers (kernel/time/). All internal times are nanoseconds in ktime_t or u64. */
#ifndef HUSK_TIME_H
#define HUSK_TIME_H

#include <husk/types.h>
#include <husk/rbtree.h>
#include <linux/time.h>

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};
struct ktermios_;
u64 ktime_get_clock_ns(int clk); /* any clock of the host that is not one of CPU time */
u64 ktime_get_ns(void);		 /* CLOCK_MONOTONIC */
u64 ktime_get_boottime_ns(void);
u64 ktime_get_real_ns(void); /* CLOCK_REALTIME */
void ktime_get_real_ts64(struct timespec64 *ts);
void ktime_get_coarse_real_ts64(struct timespec64 *ts); /* for inode times */
static inline struct timespec64 ns_to_timespec64(s64 ns)
{
	struct timespec64 t = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += NSEC_PER_SEC;
	}
	return t;
}
static inline s64 timespec64_to_ns(const struct timespec64 *t) /* saturates */
{
	return t->tv_sec >= 9223372036LL ? INT64_MAX : t->tv_sec * NSEC_PER_SEC + t->tv_nsec;
}
static inline bool timespec64_valid(const struct timespec64 *t)
{
	return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < NSEC_PER_SEC;
}
int get_timespec64(struct timespec64 *t, const void __user *u); /* 0 or -EFAULT */
int put_timespec64(const struct timespec64 *t, void __user *u);

/**
 * struct timer - fn runs in the timer thread (may sleep, should not for long) at @expires or soon after
 * @expires: ns of CLOCK_MONOTONIC
 */
struct timer {
	u64 expires;
	void (*fn)(struct timer *t);
	struct rb_node node;
	u32 state;
};
void timer_init(struct timer *t, void (*fn)(struct timer *));
void timer_set(struct timer *t, u64 expires); /* (re)arms */
bool timer_cancel(struct timer *t); /* true if it was armed; waits until fn is not running (not from fn itself) */
bool timer_pending(struct timer *t);
/* kernel/time */
u64 timer_forward(struct timer *t, u64 interval); /* expires moves by whole intervals past now; how many. Not armed. */
int clock_now(clockid_t which, u64 *ns);	  /* 0 or -EINVAL; any clock id of the ABI, dynamic ones too */
u64 clock_deadline(clockid_t which, u64 abs); /* an absolute time of a wall or monotonic clock, in CLOCK_MONOTONIC ns */
u64 clock_first_expiry(clockid_t which, u64 abs, u64 interval, u64 *missed);
struct task_struct;
struct signal_struct;
struct sigqueue;
struct kernel_siginfo;
void exit_itimers(struct signal_struct *sig);	    /* POSIX timers: exec and exit */
void exit_group_timers(struct signal_struct *sig);  /* the process is gone: all the rest */
void itimer_dequeued(void);			    /* SIGALRM was taken; under siglock */
void posixtimer_rearm(struct kernel_siginfo *info); /* SI_TIMER was taken; no lock held */
void cpu_timers_arm(struct signal_struct *sig);	    /* a limit or CPU timer was set */
void cpu_timers_check(void);			    /* current was sampled */
/* nanosleep of the current task until an absolute time of clock; 0, or -ERESTARTSYS-like when interrupted */
#endif
