// SPDX-License-Identifier: Apache-2.0
// Memory on both sides of many forks: stack, thread-local and global pages that parent and child write at once, stacks of clone()'s own,
// forks by threads and by children, pages that stopped being written.
#define _GNU_SOURCE
#include "t.h"
#include <pthread.h>
#include <sched.h>
#define PAGES 24
#define P 4096UL

static char globals[PAGES * 4096] __attribute__((aligned(4096)));
static __thread long local_word;
static long failures;

static void expect(const char *what, long got, long want)
{
	if (got != want) {
		failures++;
		say("%s: %ld, not %ld\n", what, got, want);
	}
}

/* The child changes what the parent has, deep down the stack as well, and says whether all was as at the fork. */
static int child(long round, volatile long *frame)
{
	volatile char deep[3 * 4096];
	int bad = 0;

	bad |= frame[0] != round || local_word != round;
	for (int i = 0; i < PAGES; i++)
		bad |= globals[i * P] != (char)(round + i);
	for (unsigned i = 0; i < sizeof(deep); i += 512)
		deep[i] = i;
	frame[0] = -1;
	local_word = -1;
	for (int i = 0; i < PAGES; i += 1 + round % 3)
		globals[i * P] = -1;
	return bad;
}

static void one(long round, int forks)
{
	volatile long frame[4] = {round, round + 1};
	int st;

	local_word = round;
	for (int i = 0; i < PAGES; i++)
		globals[i * P] = round + i;
	pid_t pid = MUST(fork());
	if (!pid) {
		if (forks) /* a child's child has what the child has written */
			one(round + 1000, forks - 1);
		else
			_exit(child(round, frame));
		_exit(failures != 0);
	}
	frame[1] = 7; /* while the child runs */
	globals[round % PAGES * P + 8] = 1;
	MUST(waitpid(pid, &st, 0));
	expect("child", st, 0);
	expect("stack", frame[0] * 10 + frame[1], round * 10 + 7);
	expect("thread-local", local_word, round);
	for (int i = 0; i < PAGES; i++)
		expect("global", globals[i * P], (char)(round + i));
}

static int on_stack(void *arg)
{
	volatile long here = *(long *)arg;

	globals[0]++;
	return here != 5;
}

/* The child's stack is a page that the parent goes on writing. */
static void own_stack(void)
{
	char *stack = mmap(NULL, 8 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long *word = (long *)(stack + 8 * P - 64), st32;
	int st;

	for (int i = 0; i < 40; i++) {
		globals[0] = 1;
		*word = 5;
		pid_t pid = MUST(clone(on_stack, stack + 8 * P - 128, SIGCHLD, word));
		*word = 6;
		MUST(waitpid(pid, &st, 0));
		st32 = st;
		expect("on a stack of its own", st32, 0);
		expect("its parent's", *word * 10 + globals[0], 61);
	}
	munmap(stack, 8 * P);
}

static void *thread(void *arg)
{
	for (int i = 0; i < 30; i++) {
		volatile long mine = i;
		int st;
		pid_t pid = fork();

		if (!pid)
			_exit(mine != i);
		mine++;
		waitpid(pid, &st, 0);
		expect("thread's child", st, 0);
	}
	return arg;
}

int main(void)
{
	pthread_t t[2];

	for (long i = 0; i < 100; i++)
		one(i % 50, i % 10 == 9 ? 2 : 0);
	own_stack();
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, thread, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (long i = 0; i < 20; i++)
		one(i, 0);
	say("%ld failures\n", failures);
	return 0;
}
