// SPDX-License-Identifier: Apache-2.0
// Clocks, timers, times.
#include <signal.h>
#include <time.h>
#include "printers.h"

#define V (d->a[i])

/* The date of a time stamp; none for the epoch itself. */
void put_time_comment(struct dec *d, int64_t sec, int64_t nsec)
{
	time_t t = sec;
	struct tm tm;
	char b[64], z[16];

	if (!sec && !nsec)
		return;
	if ((uint64_t)nsec > 999999999 || !localtime_r(&t, &tm) || !strftime(b, sizeof(b), "%FT%T", &tm) ||
	    !strftime(z, sizeof(z), "%z", &tm))
		return;
	P(" /* %s", b);
	if (nsec)
		P(".%09lld", (long long)nsec);
	P("%s */", z);
}

static void put_ts(struct dec *d, const int64_t *t)
{
	P("{tv_sec=%lld, tv_nsec=%llu}", (long long)t[0], (unsigned long long)t[1]);
}

static void put_tv(struct dec *d, const int64_t *t)
{
	P("{tv_sec=%lld, tv_usec=%llu}", (long long)t[0], (unsigned long long)t[1]);
}

void put_timespec_at(struct dec *d, uint64_t addr)
{
	const int64_t *t = get(d, addr, 16);

	if (!null_or_missing(d, addr, t))
		put_ts(d, t);
}

ARG(a_timespec)
{
	const int64_t *t = get_in(d, V, 16);

	if (!null_or_missing(d, V, t))
		put_ts(d, t);
}

ARG(a_timespec_out)
{
	if (d->failed)
		put_addr(d, V);
	else
		put_timespec_at(d, V);
}

/* what is left of a sleep: there only when a signal ended it */
ARG(a_timespec_left)
{
	if (d->ret == -516 || d->ret == -4)
		put_timespec_at(d, V);
	else
		put_addr(d, V);
}

ARG(a_timespec_left_clock)
{
	if (!(d->a[1] & TIMER_ABSTIME) && (d->ret == -516 || d->ret == -4))
		put_timespec_at(d, V);
	else
		put_addr(d, V);
}

ARG(a_timeval)
{
	const int64_t *t = get_in(d, V, 16);

	if (!null_or_missing(d, V, t))
		put_tv(d, t);
}

ARG(a_timeval_out)
{
	const int64_t *t = d->failed ? NULL : get(d, V, 16);

	if (!null_or_missing(d, V, t))
		put_tv(d, t);
}

ARG(a_timezone)
{
	const int *z = d->exit && d->failed ? NULL : get(d, V, 8);

	if (!null_or_missing(d, V, z))
		P("{tz_minuteswest=%d, tz_dsttime=%d}", z[0], z[1]);
}

static void put_interval(struct dec *d, uint64_t addr, const int64_t *t, bool nano)
{
	if (null_or_missing(d, addr, t))
		return;
	S("{it_interval=");
	(nano ? put_ts : put_tv)(d, t);
	S(", it_value=");
	(nano ? put_ts : put_tv)(d, t + 2);
	S("}");
}

ARG(a_itimerval)
{
	put_interval(d, V, get_in(d, V, 32), false);
}

ARG(a_itimerval_out)
{
	put_interval(d, V, d->failed ? NULL : get(d, V, 32), false);
}

ARG(a_itimerspec)
{
	put_interval(d, V, get_in(d, V, 32), true);
}

ARG(a_itimerspec_out)
{
	put_interval(d, V, d->failed ? NULL : get(d, V, 32), true);
}

ARG(a_sigevent)
{
	const struct {
		uint64_t value;
		int signo, notify, tid;
	} *e = get_in(d, V, 24);

	if (null_or_missing(d, V, e))
		return;
	S("{");
	if (e->value) {
		P("sigev_value={sival_int=%d, sival_ptr=", (int)e->value);
		put_addr(d, e->value);
		S("}, ");
	}
	S("sigev_signo=");
	if (e->notify == SIGEV_NONE || e->notify > SIGEV_THREAD_ID || e->notify < 0)
		text_dec(d->t, e->signo);
	else
		put_signal(d, e->signo);
	S(", sigev_notify=");
	put_value(d, (uint32_t)e->notify, &n_sigev);
	if (e->notify == SIGEV_THREAD_ID)
		P(", sigev_notify_thread_id=%d", e->tid);
	S("}");
}

ARG(a_timer_id)
{
	const int *id = d->failed ? NULL : get(d, V, 4);

	if (!null_or_missing(d, V, id))
		P("[%d]", *id);
}

ARG(a_time_out)
{
	const int64_t *t = d->failed ? NULL : get(d, V, 8);

	if (null_or_missing(d, V, t))
		return;
	P("[%lld", (long long)*t);
	put_time_comment(d, *t, 0);
	S("]");
}

void r_time(struct dec *d)
{
	time_t t = d->ret;
	struct tm tm;
	char b[64];

	if (!d->failed && localtime_r(&t, &tm) && strftime(b, sizeof(b), "%FT%T%z", &tm))
		P(" (%s)", b);
}

ARG(a_clock)
{
	put_value(d, V, &n_clock);
}
