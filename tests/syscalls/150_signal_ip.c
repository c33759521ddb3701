// SPDX-License-Identifier: Apache-2.0
// The instruction pointer that a signal handler sees around a system call: at its labels, in the unwinder's reach; returning goes on there.
#include "t.h"
#include <execinfo.h>
#include <ucontext.h>

extern const char site[], behind[], site2[], behind2[];
static volatile unsigned long seen;
static volatile int frames_in_main, skip;
int main(void);

// A system call between labels, as in libraries that ask in a handler whether it was made; what follows it is moved by husk.
static __attribute__((noipa)) long call(long nr, long a, long b, long c, long *out)
{
	long r;

	asm volatile("mov %1,%%rax\n"
		     ".globl site\nsite: syscall\n"
		     ".globl behind\nbehind: mov %%rax,8(%5)\nmov %%rax,%0\nnop"
		     : "=&a"(r)
		     : "r"(nr), "D"(a), "S"(b), "d"(c), "r"(out)
		     : "rcx", "r11", "memory");
	return r;
}

// Three short instructions behind it.
static __attribute__((noipa)) long call2(long nr, long a, long b, long c)
{
	long r;

	asm volatile("sub $128,%%rsp\nmov %1,%%rax\n"
		     ".globl site2\nsite2: syscall\n"
		     ".globl behind2\nbehind2: push %%rbx\npush %%rbx\npop %%rcx\npop %%rcx\nadd $128,%%rsp\n"
		     : "=&a"(r)
		     : "r"(nr), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory");
	return r;
}

static void note(int s, siginfo_t *i, void *v)
{
	ucontext_t *u = v;

	seen = u->uc_mcontext.gregs[REG_RIP];
	if (skip) {				    // the handler goes on somewhere else in the bytes that were moved
		u->uc_mcontext.gregs[REG_RIP] += 4; // two pushes and two pops are one byte each
		skip = 0;
	}
}

static void *poker(void *p)
{
	int *fd = p;

	for (int i = 0; i < 2; i++) {
		seen = 0;
		settle(getpid());
		pthread_kill(*(pthread_t *)(fd + 2), SIGUSR1);
		while (!seen)
			usleep(1000);
	}
	settle(getpid());
	if (write(fd[1], "x", 1) != 1)
		_exit(98);
	return NULL;
}

static void trace(int s)
{
	void *a[50];
	int n = backtrace(a, 50);

	for (int i = 0; i < n; i++) {
		char *p = a[i];

		frames_in_main += p >= (char *)main && p < (char *)main + 2000;
	}
}

static void handle(int flags)
{
	struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

	sigaction(SIGUSR1, &sa, NULL);
}

// A read that signals interrupt: with SA_RESTART the frame says "at the call", without "behind it".
static void interrupted(int flags)
{
	struct {
		int fd[2];
		pthread_t me;
	} x;
	pthread_t t;
	char c = 0;
	long out[2] = {0}, r;

	MUST(pipe(x.fd));
	x.me = pthread_self();
	handle(flags);
	pthread_create(&t, NULL, poker, &x);
	while ((r = call(SYS_read, x.fd[0], (long)&c, 1, out)) == -EINTR)
		;
	say("restart %d: read %ld %ld %c, seen at %ld\n", !!flags, r, out[1], c, (long)(seen - (unsigned long)site));
	pthread_join(t, NULL);
}

int main(void)
{
	long out[2], me = getpid(), tid = gettid();
	void *warm[2];

	handle(0);
	for (int i = 0; i < 3; i++) {
		out[1] = 7;
		T(call(SYS_tgkill, me, tid, SIGUSR1, out) == 0 && out[1] == 0 && seen == (unsigned long)behind);
		T(call2(SYS_tgkill, me, tid, SIGUSR1) == 0 && seen == (unsigned long)behind2);
	}
	skip = 1;
	T(call2(SYS_tgkill, me, tid, SIGUSR1) == 0 && !skip);
	interrupted(SA_RESTART);
	interrupted(0);

	backtrace(warm, 2); // loads the unwinder
	signal(SIGUSR2, trace);
	for (int i = 0; i < 3; i++) {
		frames_in_main = 0;
		call(SYS_tgkill, me, tid, SIGUSR2, out);
		T(frames_in_main > 0);
		frames_in_main = 0;
		kill(me, SIGUSR2);
		T(frames_in_main > 0);
	}
	return 0;
}
