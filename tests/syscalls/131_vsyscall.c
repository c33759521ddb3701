// SPDX-License-Identifier: Apache-2.0
// The vsyscall page of old: its three entries, and a jump to where there is none.
#include "t.h"

#define ENTRY(n) ((long (*)(void *, void *))(0xffffffffff600000UL + (n)*0x400))
static void child(const char *what, int (*fn)(void))
{
	int st;
	pid_t p = fork();

	if (!p) {
		alarm(20);
		_exit(fn());
	}
	waitpid(p, &st, 0);
	say("%s: %s %d\n", what, WIFSIGNALED(st) ? "signal" : "exit", WIFSIGNALED(st) ? WTERMSIG(st) : WEXITSTATUS(st));
}
static int of_day(void)
{
	struct timeval v = {0};
	time_t before = time(NULL);

	return ENTRY(0)(&v, NULL) == 0 && v.tv_sec >= before && v.tv_sec - before < 60;
}
static int seconds(void)
{
	time_t t = 0, before = time(NULL);
	long r = ENTRY(1)(&t, NULL);

	return r == t && r >= before && r - before < 60;
}
static int cpu(void)
{
	unsigned c = -1, n = -1;

	return ENTRY(2)(&c, &n) == 0 && c < 65536 && n < 65536;
}
static int middle(void)
{
	char *volatile fresh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*fresh = 1; // the last page fault before it: what the processor remembers of it must not be taken for news
	((void (*)(void))0xffffffffff600003UL)();
	return 9;
}
static int behind(void)
{
	((void (*)(void))0xffffffffff600c00UL)();
	return 9;
}
int main(void)
{
	pid_t p = MUST(fork());
	if (!p)
		_exit(of_day());
	if (WIFSIGNALED(reap(p))) {
		say("setup failed: this kernel has no vsyscall page\n");
		return 99;
	}
	child("gettimeofday", of_day);
	child("time", seconds);
	child("getcpu", cpu);
	child("into the middle", middle);
	child("behind the last", behind);
	return 0;
}
