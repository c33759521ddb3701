// SPDX-License-Identifier: Apache-2.0
// alarm and setitimer: real, virtual, prof; old values, intervals, inheritance, errors.
#include "t.h"
static volatile int n, which;
static void h(int s)
{
	n++;
	which = s;
}
int main(void)
{
	struct itimerval t = {{0, 0}, {0, 20000}}, o;
	int sig[] = {SIGALRM, SIGVTALRM, SIGPROF};
	for (int i = 0; i < 3; i++) {
		on(sig[i], h, 0);
		n = 0;
		long long b = now_ns(); // before: printing the result may take as long as the timer
		R(setitimer(i, &t, 0));
		while (!n && now_ns() - b < 60000000000LL)
			if (i == 0)
				ms(1);
		say("timer %d: %d signal right %d\n", i, n, which == sig[i]);
		T(now_ns() - b >= 15000000);
		R(getitimer(i, &o));
		say("left %ld %ld interval %ld\n", (long)o.it_value.tv_sec, (long)o.it_value.tv_usec,
		    (long)o.it_interval.tv_usec);
	}
	// Periodic.
	t = (struct itimerval){{0, 5000}, {0, 5000}};
	n = 0;
	setitimer(ITIMER_REAL, &t, 0);
	while (n < 10)
		ms(1);
	for (int i = 0; i < 1000 && !getitimer(ITIMER_REAL, &o) && !o.it_value.tv_usec; i++)
		ms(1); // it is being sent at this moment
	T(o.it_interval.tv_usec == 5000 && o.it_value.tv_usec > 0 && o.it_value.tv_usec <= 5000);
	t = (struct itimerval){{0, 0}, {0, 0}};
	R(setitimer(ITIMER_REAL, &t, &o));
	T(o.it_interval.tv_usec == 5000 && o.it_value.tv_usec <= 5000);
	// alarm.
	R(alarm(100));
	long left = alarm(50);
	T(left <= 100 && left > 90);
	CHILD("not inherited by fork", R(alarm(0)));
	left = alarm(0);
	T(left <= 50 && left > 40);
	R(alarm(0));
	n = 0;
	sigset_t none;
	sigemptyset(&none);
	block(SIGALRM);
	long long b = now_ns();
	alarm(1);
	R(sigsuspend(&none));
	T(now_ns() - b >= 990000000 && n == 1);
	unblock(SIGALRM);
	CHILD("default action", {
		signal(SIGALRM, SIG_DFL);
		ualarm(10000, 0);
		for (;;)
			pause();
	});
	R(setitimer(99, &t, 0));
	R(getitimer(99, &t));
	t.it_value.tv_usec = 1000000;
	R(setitimer(ITIMER_REAL, &t, 0));
	R(syscall(SYS_setitimer, ITIMER_REAL, 8, 0));
	R(syscall(SYS_getitimer, ITIMER_REAL, 8));
	R(syscall(SYS_setitimer, ITIMER_REAL, 0, &o)); // null means disarm
	// A blocked timer signal stays pending once.
	n = 0;
	block(SIGALRM);
	t = (struct itimerval){{0, 2000}, {0, 2000}};
	setitimer(ITIMER_REAL, &t, 0);
	ms(40);
	t = (struct itimerval){{0, 0}, {0, 0}};
	setitimer(ITIMER_REAL, &t, 0);
	unblock(SIGALRM);
	say("after block %d\n", n);
	return 0;
}
