// SPDX-License-Identifier: Apache-2.0
// kcmp; absolute timers whose first time is over keep their beat and count what they missed; clocks that nobody can sleep on.
#include "t.h"
#include <linux/kcmp.h>

static long kcmp(pid_t a, pid_t b, int type, long i, long j)
{
	return syscall(SYS_kcmp, a, b, type, i, j);
}
static volatile sig_atomic_t overrun = -1;
static void handler(int s, siginfo_t *i, void *c)
{
	if (overrun < 0)
		overrun = i->si_overrun;
}
static void *nothing(void *p)
{
	ms(200);
	return NULL;
}
int main(void)
{
	pid_t me = getpid(), k;
	int fd = MUST(dup(1)), other = MUST(open("/dev/null", O_RDONLY));
	struct itimerspec its = {};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	pthread_t t;
	timer_t tm;

	R(kcmp(me, me, KCMP_FILE, 1, fd));
	long less = kcmp(me, me, KCMP_FILE, 1, other), more = kcmp(me, me, KCMP_FILE, other, 1);
	T(less + more == 3 && less != 0 && more != 0);
	T(kcmp(me, me, KCMP_FILE, 1, other) == less);
	R(kcmp(me, me, KCMP_FILE, 1, 999));
	R(kcmp(me, me, 99, 0, 0));
	R(kcmp(me, 0x7fffffff, KCMP_VM, 0, 0));
	k = MUST(fork());
	if (!k) {
		pause();
		_exit(0);
	}
	R(kcmp(me, k, KCMP_FILE, fd, fd));
	for (int type = KCMP_VM; type <= KCMP_SIGHAND; type++)
		T(kcmp(me, me, type, 0, 0) == 0 && kcmp(me, k, type, 0, 0) > 0);
	pthread_create(&t, NULL, nothing, NULL);
	kill(k, SIGKILL);
	reap(k);
	pthread_join(t, NULL);
	if (!geteuid())
		CHILD("others", {
			nobody();
			R(kcmp(getppid(), getpid(), KCMP_VM, 0, 0));
		});

	// 1050 s ago, every 100 s: ten were missed, the next is due in 50 s.
	on_info(SIGUSR1, handler, 0);
	MUST(timer_create(CLOCK_REALTIME, &ev, &tm));
	MUST(clock_gettime(CLOCK_REALTIME, &its.it_value));
	its.it_value.tv_sec -= 1000;
	its.it_interval.tv_sec = 100;
	its.it_value.tv_sec -= 50;
	MUST(timer_settime(tm, TIMER_ABSTIME, &its, NULL));
	T(UNTIL(overrun >= 0));
	say("missed %d\n", overrun);
	MUST(timer_gettime(tm, &its));
	T(its.it_value.tv_sec >= 40 && its.it_value.tv_sec <= 50);
	struct timespec s = {0, 1};
	R(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &s, NULL));
	R(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &s, NULL));
	R(syscall(SYS_clock_nanosleep, 99, 0, &s, NULL));
}
