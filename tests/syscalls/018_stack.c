// SPDX-License-Identifier: Apache-2.0
// Stacks: growth of the main stack, its limit, overflow on an alternate stack, MAP_GROWSDOWN.
#include "t.h"
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static char alt[65536];
static int deep(int n)
{
	volatile char b[4096];
	b[0] = n;
	return n ? deep(n - 1) + b[0] - (char)n : 0;
}
static volatile int forever_depth;
static __attribute__((noinline)) int forever(int n)
{
	volatile char b[1024];
	b[n % 1024] = 1;
	forever_depth = n;
	return forever(n + 1) + b[5];
}
static void over(int s, siginfo_t *i, void *u)
{
	(void)u;
	char here;
	say("overflow: %s code %s, on the alternate stack %d, deep %d\n", s == SIGSEGV ? "SEGV" : "?",
	    i->si_code == SEGV_MAPERR || i->si_code == SEGV_ACCERR ? "ok" : "?",
	    &here > alt && &here<alt + sizeof alt, forever_depth> 500);
	_exit(4);
}
int main(void)
{
	say("deep %d\n", deep(1500)); // about 6 MiB
	struct rlimit l;
	getrlimit(RLIMIT_STACK, &l);
	CHILD("overflow without handler", forever(0));
	CHILD("overflow with handler", {
		stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
		MUST(sigaltstack(&ss, 0));
		on_info(SIGSEGV, over, SA_ONSTACK);
		forever(0);
	});
	CHILD("handler without alternate stack", {
		on_info(SIGSEGV, over, 0);
		forever(0);
	});
	CHILD("smaller limit", {
		l.rlim_cur = 1 << 20;
		MUST(setrlimit(RLIMIT_STACK, &l));
		say("deep %d\n", deep(1500));
	});
	// A guard page stops a thread's stack; MAP_GROWSDOWN grows.
	char *room = mmap(0, 1 << 21, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(room, 1 << 21);
	char *g = mmap(room + (1 << 21) - 4096, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	T(g != MAP_FAILED);
	g[0] = 1;
	g[-1] = 2;
	g[-4097] = 3;
	T(g[-1] == 2 && g[-4097] == 3 && g[-8000] == 0);
	return 0;
}
