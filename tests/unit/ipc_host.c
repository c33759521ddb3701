// SPDX-License-Identifier: Apache-2.0
/* libc's side of test_ipc: threads on stacks of the kernel's shape, futexes, clocks, RAM at the kernel's address. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREAD_SIZE 32768
#define INFO_SIZE 1024

void test_main(void *info);
void test_thread(void *info, void (*fn)(void *), void *arg);

void test_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

void test_die(void)
{
	fflush(stdout);
	abort();
}

uint64_t test_now(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void test_futex_wait(uint32_t *w, uint32_t v, int64_t ns)
{
	struct timespec ts = {ns / 1000000000, ns % 1000000000};

	syscall(SYS_futex, w, FUTEX_WAIT_PRIVATE, v, ns == INT64_MAX ? NULL : &ts, NULL, 0);
}

void test_futex_wake(uint32_t *w, uint32_t n)
{
	syscall(SYS_futex, w, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

void test_yield(void)
{
	sched_yield();
}

void *test_map(void *at, size_t n)
{
	void *p = mmap(at, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : MAP_32BIT), -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

struct start {
	char *slot;
	void (*fn)(void *);
	void *arg;
};

static void *run(void *p)
{
	struct start s = *(struct start *)p;

	free(p);
	if (s.fn)
		test_thread(s.slot + THREAD_SIZE - INFO_SIZE, s.fn, s.arg);
	else
		test_main(s.slot + THREAD_SIZE - INFO_SIZE);
	return NULL;
}

unsigned long test_start(void (*fn)(void *), void *arg)
{
	struct start *s = malloc(sizeof(*s));
	pthread_attr_t attr;
	pthread_t t;

	s->slot = aligned_alloc(THREAD_SIZE, THREAD_SIZE);
	s->fn = fn;
	s->arg = arg;
	pthread_attr_init(&attr);
	if (pthread_attr_setstack(&attr, s->slot, THREAD_SIZE - INFO_SIZE) || pthread_create(&t, &attr, run, s))
		abort();
	return t;
}

void test_join(unsigned long t)
{
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	alarm(argc > 1 ? atoi(argv[1]) : 120);
	test_join(test_start(NULL, NULL));
	return 0;
}
