// SPDX-License-Identifier: Apache-2.0
// futex: wait, wake, values, time-outs relative and absolute, bitsets, private and shared, errors.
// build: static
#include "t.h"
#include <linux/futex.h>
static int w;
static long fx(int *u, int op, int v, const void *t, int *u2, int v3)
{
	return syscall(SYS_futex, u, op, v, t, u2, v3);
}
static volatile pid_t tid[8];
static volatile long res[8];
static int bits[8];
static void *waiter(void *a)
{
	long i = (long)a;
	tid[i] = my_tid();
	res[i] = bits[i] ? fx(&w, FUTEX_WAIT_BITSET, 0, 0, 0, bits[i]) : fx(&w, FUTEX_WAIT, 0, 0, 0, 0);
	return 0;
}
static pthread_t th[8];
static void start(int n)
{
	for (long i = 0; i < n; i++) {
		tid[i] = 0;
		pthread_create(th + i, 0, waiter, (void *)i);
		while (!tid[i])
			sched_yield();
		settle(tid[i]);
	}
}
static void join(int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(th[i], 0);
}
int main(void)
{
	struct timespec t = {0, 30000000}, bad = {0, 1000000000}, neg = {-1, 0}, a;
	R(fx(&w, FUTEX_WAKE, 1, 0, 0, 0));
	R(fx(&w, FUTEX_WAIT, 1, 0, 0, 0));
	long long b = now_ns();
	R(fx(&w, FUTEX_WAIT, 0, &t, 0, 0));
	T(now_ns() - b >= 30000000);
	R(fx(&w, FUTEX_WAIT_PRIVATE, 0, &t, 0, 0));
	R(fx(&w, FUTEX_WAIT, 0, &bad, 0, 0));
	R(fx(&w, FUTEX_WAIT, 0, &neg, 0, 0));
	R(fx((int *)((char *)&w + 1), FUTEX_WAIT, 0, &t, 0, 0));
	R(fx((int *)((char *)&w + 1), FUTEX_WAKE, 0, 0, 0, 0));
	R(fx((int *)8, FUTEX_WAIT, 0, &t, 0, 0));
	R(fx((int *)0x7fffffff0000, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
	R(fx(&w, FUTEX_WAIT, 0, (void *)8, 0, 0));
	R(fx(&w, 99, 0, 0, 0, 0));
	R(fx(&w, FUTEX_WAIT_BITSET, 0, 0, 0, 0));
	R(fx(&w, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
	// Absolute time.
	clock_gettime(CLOCK_MONOTONIC, &a);
	a.tv_nsec += 30000000;
	if (a.tv_nsec >= 1000000000)
		a.tv_sec++, a.tv_nsec -= 1000000000;
	R(fx(&w, FUTEX_WAIT_BITSET, 0, &a, 0, -1));
	R(fx(&w, FUTEX_WAIT_BITSET, 0, &a, 0, -1)); // gone by
	clock_gettime(CLOCK_REALTIME, &a);
	a.tv_sec -= 10;
	R(fx(&w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &a, 0, -1));
	R(fx(&w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, &a, 0, -1));
	// Numbers woken.
	start(5);
	R(fx(&w, FUTEX_WAKE, 2, 0, 0, 0));
	R(fx(&w, FUTEX_WAKE, INT_MAX, 0, 0, 0));
	join(5);
	say("%ld %ld %ld %ld %ld\n", res[0], res[1], res[2], res[3], res[4]);
	// First in, first out.
	start(3);
	for (int i = 0; i < 3; i++) {
		fx(&w, FUTEX_WAKE, 1, 0, 0, 0);
		pthread_join(th[i], 0);
		say("waiter %d first\n", i);
	}
	// Bitsets.
	for (int i = 0; i < 4; i++)
		bits[i] = 1 << (i % 2);
	start(4);
	R(fx(&w, FUTEX_WAKE_BITSET, 10, 0, 0, 4));
	R(fx(&w, FUTEX_WAKE_BITSET, 10, 0, 0, 1));
	R(fx(&w, FUTEX_WAKE_BITSET, 1, 0, 0, 3));
	R(fx(&w, FUTEX_WAKE, 10, 0, 0, 0));
	join(4);
	// Between processes: a shared anonymous page, at two addresses of a file, private does not cross.
	int *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t k = MUST(fork());
	if (!k) {
		long r = fx(s, FUTEX_WAIT, 0, 0, 0, 0);
		_exit(r == 0 ? 0 : errno);
	}
	settle(k);
	R(fx(s, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
	R(fx(s, FUTEX_WAKE, 1, 0, 0, 0));
	say("%s\n", st(reap(k)));
	int fd = memfd_create("x", 0);
	ftruncate(fd, 4096);
	int *f1 = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	    *f2 = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	k = MUST(fork());
	if (!k)
		_exit(fx(f1 + 5, FUTEX_WAIT, 0, 0, 0, 0) == 0 ? 0 : 1);
	settle(k);
	R(fx(f1 + 4, FUTEX_WAKE, 1, 0, 0, 0));
	R(fx(f2 + 5, FUTEX_WAKE, 1, 0, 0, 0));
	say("%s\n", st(reap(k)));
	// In private memory a fork parts them.
	k = MUST(fork());
	if (!k)
		_exit(fx(&w, FUTEX_WAIT, 0, &t, 0, 0) == -1 && errno == ETIMEDOUT ? 0 : 1);
	settle(k);
	R(fx(&w, FUTEX_WAKE, 1, 0, 0, 0));
	say("%s\n", st(reap(k)));
	// Killed while waiting.
	k = MUST(fork());
	if (!k)
		fx(s, FUTEX_WAIT, 0, 0, 0, 0);
	settle(k);
	kill(k, SIGKILL);
	say("%s\n", st(reap(k)));
	R(fx(s, FUTEX_WAKE, 1, 0, 0, 0));
	// Ping-pong.
	k = MUST(fork());
	for (int i = 0; i < 500; i++) {
		while (__atomic_load_n(s, __ATOMIC_SEQ_CST) % 2 != !k)
			fx(s, FUTEX_WAIT, __atomic_load_n(s, __ATOMIC_SEQ_CST) % 2 != !k ? *s : -1, &t, 0, 0);
		__atomic_fetch_add(s, 1, __ATOMIC_SEQ_CST);
		fx(s, FUTEX_WAKE, 1, 0, 0, 0);
	}
	if (!k)
		_exit(0);
	reap(k);
	say("ping-pong %d\n", *s);
	return 0;
}
