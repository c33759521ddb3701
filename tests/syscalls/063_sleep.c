// SPDX-License-Identifier: Apache-2.0
// nanosleep and clock_nanosleep: relative, absolute, past, errors, lower bound of the time slept.
#include "t.h"
int main(void)
{
	struct timespec t = {0, 25000000}, a, bad = {0, 1000000000}, neg = {-1, 0}, z = {0, 0}, rem;
	long long b = now_ns();
	R(nanosleep(&t, 0));
	T(now_ns() - b >= 25000000);
	R(nanosleep(&z, 0));
	R(nanosleep(&bad, 0));
	R(nanosleep(&neg, 0));
	R(syscall(SYS_nanosleep, 8, 0));
	clockid_t cl[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
	for (int i = 0; i < 3; i++) {
		clock_gettime(cl[i], &a);
		long long want = a.tv_sec * 1000000000LL + a.tv_nsec + 25000000;
		a.tv_sec = want / 1000000000;
		a.tv_nsec = want % 1000000000;
		R(clock_nanosleep(cl[i], TIMER_ABSTIME, &a, 0));
		clock_gettime(cl[i], &a);
		T(a.tv_sec * 1000000000LL + a.tv_nsec >= want);
		a.tv_sec -= 100;
		R(clock_nanosleep(cl[i], TIMER_ABSTIME, &a, 0));
		R(clock_nanosleep(cl[i], 0, &t, &rem));
	}
	R(clock_nanosleep(99, 0, &t, 0));
	R(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, 0));
	R(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, 0));
	// By CPU time of the process: another thread burns it.
	void *burn(void *x)
	{
		struct timespec q;
		long long s;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &q);
		s = q.tv_sec * 1000000000LL + q.tv_nsec;
		do
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &q);
		while (q.tv_sec * 1000000000LL + q.tv_nsec - s < 300000000);
		return x;
	}
	pthread_t th;
	pthread_create(&th, 0, burn, 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	R(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &t, 0));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &rem);
	T((rem.tv_sec - a.tv_sec) * 1000000000LL + rem.tv_nsec - a.tv_nsec >= 25000000);
	pthread_join(th, 0);
	// Eight sleepers of different lengths wake in order.
	int p[2];
	char o[21] = "";
	MUST(pipe(p));
	for (int i = 0; i < 8; i++)
		if (!MUST(fork())) {
			ms(150 + (7 - i) * 150); // far enough apart for a busy machine
			write(p[1], &(char){'a' + i}, 1);
			_exit(0);
		}
	for (int i = 0; i < 8; i++)
		wait(0);
	read(p[0], o, 20);
	say("order %s\n", o);
	return 0;
}
