// SPDX-License-Identifier: Apache-2.0
// Dies as its first argument says, with two more threads, known registers and known memory.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *heap, *hidden;
int global = 0x1234;
static volatile int spins;

static void *waiter(void *a)
{
	for (;;)
		pause();
	return a;
}

static void *spinner(void *a)
{
	for (;;)
		spins++;
	return a;
}

__attribute__((noinline)) void crash(int depth, volatile int *p)
{
	if (depth)
		crash(depth - 1, p);
	else
		*p = 42;
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	double x = 2.5;
	pthread_t a, b;

	pthread_create(&a, 0, waiter, 0);
	pthread_create(&b, 0, spinner, 0);
	heap = strdup("on the heap");
	hidden = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(hidden, "hidden");
	madvise(hidden, 8192, MADV_DONTDUMP);
	while (spins < 1000)
		usleep(1000);
	usleep(5000);
	if (argc > 1 && !strcmp(argv[1], "big")) {
		size_t n = 64 << 20;
		char *big = malloc(n);

		for (size_t i = 0; i < n; i += 4096)
			big[i] = 1;
	}
	if (argc > 1 && !strcmp(argv[1], "abort"))
		abort();
	__asm__ volatile("movsd %0, %%xmm5" ::"m"(x) : "xmm5");
	crash(3, 0);
	return 0;
}
