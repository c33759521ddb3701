// SPDX-License-Identifier: Apache-2.0
// Clocks: order, resolution, CPU clocks, errors; through the vDSO and through the raw call.
// build: static
#include "t.h"
static long long at(clockid_t c, int raw)
{
	struct timespec t = {-1, -1};
	long r = raw ? syscall(SYS_clock_gettime, c, &t) : clock_gettime(c, &t);
	if (r || t.tv_nsec < 0 || t.tv_nsec > 999999999)
		say("clock %d: %s\n", c, en(errno));
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}
int main(void)
{
	clockid_t all[] = {CLOCK_REALTIME,	    CLOCK_MONOTONIC,	 CLOCK_PROCESS_CPUTIME_ID,
			   CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
			   CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME};
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		int back = 0;
		long long last = 0;
		for (int j = 0; j < 2000; j++) {
			long long n = at(all[i], j & 1);
			// 10 ms of tolerance for the coarse ones, none else (raw call and vDSO must agree).
			if (n < last)
				back++;
			last = n;
		}
		struct timespec r;
		say("clock %d back %d res ok %d\n", all[i], back,
		    clock_getres(all[i], &r) == 0 && r.tv_sec == 0 && r.tv_nsec > 0 && r.tv_nsec <= 10000000);
	}
	// One clock between two readings of another: however long we are off the processor in between.
	long long early = at(CLOCK_REALTIME, 0), coarse = at(CLOCK_REALTIME_COARSE, 0), late = at(CLOCK_REALTIME, 0);
	T(coarse > early - 100000000 && coarse <= late);
	early = at(CLOCK_MONOTONIC, 0);
	T(at(CLOCK_BOOTTIME, 0) + 1000000 >= early);
	struct timeval tv;
	time_t before = time(0);
	R(gettimeofday(&tv, 0));
	T(tv.tv_sec >= before && tv.tv_sec <= time(0) + 1);
	T(syscall(SYS_time, 0) >= before && syscall(SYS_time, 0) <= time(0) + 1);
	T(tv.tv_sec > 1700000000);
	long long a = at(CLOCK_MONOTONIC, 0);
	ms(20);
	a = at(CLOCK_MONOTONIC, 1) - a;
	T(a >= 20000000 && a < 60000000000LL);
	// CPU clocks stand still during sleep and run during work.
	a = at(CLOCK_PROCESS_CPUTIME_ID, 0);
	ms(100);
	T(at(CLOCK_PROCESS_CPUTIME_ID, 0) - a < 50000000);
	while (at(CLOCK_PROCESS_CPUTIME_ID, 0) - a < 60000000)
		;
	T(1);
	struct timespec t;
	R(clock_gettime(99, &t));
	R(clock_gettime(-77777, &t));
	R(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8));
	R(clock_getres(99, &t));
	R(clock_getres(CLOCK_REALTIME, 0));
	R(syscall(SYS_gettimeofday, 8, 0));
	clockid_t c;
	T(clock_getcpuclockid(0, &c) == 0 && clock_gettime(c, &t) == 0);
	pid_t k = MUST(fork());
	if (!k)
		for (;;)
			;
	T(clock_getcpuclockid(k, &c) == 0);
	T(UNTIL(at(c, 0) > 20000000));
	kill(k, SIGKILL);
	reap(k);
	T(clock_getcpuclockid(1 << 22, &c) == ESRCH);
	return 0;
}
