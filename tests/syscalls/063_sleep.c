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
	// Eight sleepers of different lengths: none wakes before its time, and they wake in order (a machine may be too busy for that, not always).
	int p[2], early = 0;
	char o[21] = "";
	MUST(pipe(p));
	for (int round = 0; round < 10 && strcmp(o, "hgfedcba"); round++) {
		b = now_ns();
		for (int i = 0; i < 8; i++)
			if (!MUST(fork())) {
				long long end = b + (100 + (7 - i) * (60 + 60 * round)) * 1000000LL;
				a = (struct timespec){end / 1000000000, end % 1000000000};
				clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, 0);
				write(p[1], &(char){'a' + i}, 1);
				_exit(now_ns() < end);
			}
		for (int s, i = 0; i < 8; i++)
			early += wait(&s) < 0 || s;
		read(p[0], o, 20);
	}
	say("order %s early %d\n", o, early);
	return 0;
}
