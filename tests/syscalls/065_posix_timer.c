// SPDX-License-Identifier: Apache-2.0
// POSIX timers: SIGEV_SIGNAL, NONE, THREAD_ID, THREAD; overrun, gettime, absolute, delete, errors.
#include "t.h"
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
static volatile int n, value, code;
static volatile pid_t tid;
static void h(int s, siginfo_t *i, void *u)
{
	(void)s, (void)u;
	n++;
	value = i->si_value.sival_int;
	code = i->si_code;
	tid = my_tid();
}
static volatile int called;
static void notify(union sigval v)
{
	called = v.sival_int;
}
static volatile pid_t target;
static volatile int quit;
static void *thread(void *a)
{
	target = my_tid();
	while (!quit)
		usleep(1000);
	return a;
}
static const struct itimerspec ms20 = {{0, 0}, {0, 20000000}}, off;
int main(void)
{
	timer_t t, t2;
	struct itimerspec o;
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 99};
	on_info(SIGUSR1, h, 0);
	on_info(SIGALRM, h, 0);
	R(timer_create(CLOCK_MONOTONIC, &e, &t));
	R(timer_gettime(t, &o));
	say("unarmed %ld %ld\n", (long)o.it_value.tv_sec, o.it_value.tv_nsec);
	R(timer_settime(t, 0, &ms20, 0));
	T(UNTIL(n == 1));
	say("value %d code TIMER %d\n", value, code == SI_TIMER);
	R(timer_getoverrun(t));
	// Default: SIGALRM with the timer's id.
	R(timer_create(CLOCK_REALTIME, 0, &t2));
	n = 0;
	R(timer_settime(t2, 0, &ms20, 0));
	T(UNTIL(n == 1));
	R(timer_delete(t2));
	R(timer_delete((timer_t)12345));
	// Absolute, past and future.
	struct itimerspec a = off;
	clock_gettime(CLOCK_MONOTONIC, &a.it_value);
	n = 0;
	a.it_value.tv_sec -= 1;
	R(timer_settime(t, TIMER_ABSTIME, &a, 0));
	T(UNTIL(n == 1));
	a.it_value.tv_sec += 100;
	R(timer_settime(t, TIMER_ABSTIME, &a, 0));
	R(timer_settime(t, 0, &off, &o));
	T(o.it_value.tv_sec >= 95 && o.it_value.tv_sec <= 99);
	// Overrun while blocked.
	block(SIGUSR1);
	n = 0;
	struct itimerspec p = {{0, 1000000}, {0, 1000000}};
	R(timer_settime(t, 0, &p, 0));
	ms(60);
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	siginfo_t i;
	T(sigwaitinfo(&s, &i) == SIGUSR1);
	T(i.si_overrun >= 20 && timer_getoverrun(t) >= 20);
	R(timer_settime(t, 0, &off, 0));
	unblock(SIGUSR1);
	ms(5);
	// None: only read.
	e.sigev_notify = SIGEV_NONE;
	R(timer_create(CLOCK_MONOTONIC, &e, &t2));
	n = 0;
	R(timer_settime(t2, 0, &ms20, 0));
	ms(40);
	R(timer_gettime(t2, &o));
	say("none: %d signals, left %ld\n", n, o.it_value.tv_nsec);
	R(timer_delete(t2));
	// To one thread.
	pthread_t th;
	pthread_create(&th, 0, thread, 0);
	while (!target)
		sched_yield();
	e.sigev_notify = SIGEV_THREAD_ID;
	e.sigev_notify_thread_id = target;
	R(timer_create(CLOCK_MONOTONIC, &e, &t2));
	n = 0;
	R(timer_settime(t2, 0, &ms20, 0));
	T(UNTIL(n == 1));
	T(tid == target);
	R(timer_delete(t2));
	quit = 1;
	pthread_join(th, 0);
	e.sigev_notify_thread_id = 1 << 22;
	R(timer_create(CLOCK_MONOTONIC, &e, &t2));
	// glibc's threads for notification.
	struct sigevent f = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 7};
	R(timer_create(CLOCK_MONOTONIC, &f, &t2));
	R(timer_settime(t2, 0, &ms20, 0));
	T(UNTIL(called == 7));
	R(timer_delete(t2));
	// CPU time.
	e = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
	R(timer_create(CLOCK_PROCESS_CPUTIME_ID, &e, &t2));
	n = 0;
	R(timer_settime(t2, 0, &ms20, 0));
	long long b = now_ns();
	while (!n && now_ns() - b < 60000000000LL)
		;
	T(n == 1 && value == 5);
	R(timer_delete(t2));
	// Not inherited by fork.
	CHILD("child", R(timer_gettime(t, &o)));
	e.sigev_signo = 99;
	R(timer_create(CLOCK_MONOTONIC, &e, &t2));
	e.sigev_notify = 55;
	R(timer_create(CLOCK_MONOTONIC, &e, &t2));
	R(timer_create(99, 0, &t2));
	a = ms20;
	a.it_value.tv_nsec = -1;
	R(timer_settime(t, 0, &a, 0));
	R(timer_delete(t));
	R(timer_delete(t));
	return 0;
}
