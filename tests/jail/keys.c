// SPDX-License-Identifier: Apache-2.0
// First wall: PKRU is the user's wherever user code begins or goes on (threads, children, handlers, new programs, after a debugger), and a debugger inside
// cannot change it. With "stay" the program shows all kinds of memory it can have and waits: mappings.py looks at it from the host.
#include "attack.h"
#include <elf.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>

#define PKRU_USER 0x55555554u
static bool keys;
static char *self;

static unsigned rdpkru(void)
{
	unsigned a, d;

	__asm__ volatile("rdpkru" : "=a"(a), "=d"(d) : "c"(0));
	return a;
}

/* A place where user code runs: is PKRU as it must be? */
static bool good(void)
{
	return !keys || rdpkru() == PKRU_USER;
}

static void *in_thread(void *ok)
{
	sched_yield();
	*(bool *)ok = good();
	return ok;
}
static bool threads(void)
{
	pthread_t t[8];
	bool ok[8], all = true;

	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, in_thread, &ok[i]);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], NULL);
		all &= ok[i];
	}
	return all && good();
}

static bool child_says(pid_t p)
{
	int st;

	return p > 0 && waitpid(p, &st, 0) == p && !st && good();
}
static bool forked(void)
{
	pid_t p = fork();

	if (!p)
		_exit(!good());
	return child_says(p);
}
static bool vforked(void)
{
	pid_t p = vfork();

	if (!p)
		_exit(!good());
	return child_says(p);
}
static bool executed(bool by_vfork)
{
	pid_t p = by_vfork ? vfork() : fork();

	if (!p) {
		execl(self, self, keys ? "keys" : "none", "once", NULL);
		_exit(1);
	}
	return child_says(p);
}
static bool executed_after_fork(void)
{
	return executed(false);
}
static bool executed_after_vfork(void)
{
	return executed(true);
}

static volatile int handled, handled_well;
static void handler(int sig, siginfo_t *si, void *uc)
{
	handled++;
	handled_well += good();
	if (sig == SIGSEGV || sig == SIGILL) /* behind mov (%rax),%al or ud2, two bytes both */
		((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP] += 2;
}
static bool signals(void)
{
	static char stack[65536];
	stack_t ss = {stack, 0, sizeof(stack)};
	struct itimerval it = {{0, 1000}, {0, 1000}}, none = {{0}};
	bool ok = true;

	handled = handled_well = 0;
	for (int flags = 0; flags < 2; flags++) {
		struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | (flags ? SA_ONSTACK : 0)};

		sigaltstack(&ss, NULL);
		sigaction(SIGALRM, &sa, NULL);
		sigaction(SIGUSR1, &sa, NULL);
		sigaction(SIGSEGV, &sa, NULL);
		sigaction(SIGILL, &sa, NULL);
		raise(SIGUSR1);
		__asm__ volatile("mov (%%rax), %%al" ::"a"(DIRECT_MAP));
		ok &= good();
		__asm__ volatile("ud2");
		ok &= good();
		setitimer(ITIMER_REAL, &it, NULL);
		while (handled < 10 * (flags + 1))
			ok &= good();
		setitimer(ITIMER_REAL, &none, NULL);
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	return ok && handled == handled_well;
}

/* a JIT page that is written and run in turn, where each time the kernel takes rights away and gives them */
static bool jit(void)
{
	static const unsigned char code[] = {0xb8, 0, 0, 0, 0, 0xc3};
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool ok = true;

	for (int i = 0; i < 20; i++) {
		memcpy(p, code, sizeof(code));
		p[1] = i;
		ok &= ((int (*)(void))p)() == i && good();
	}
	munmap(p, 4096);
	return ok;
}

/* ---- a debugger inside ---- */

static unsigned pkru_offset(void)
{
	unsigned a, b, c, d;

	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(13), "2"(9));
	return a >= 4 && b >= 576 && b <= 8192 - 4 ? b : 2688;
}

static int what;
/* Changes the stopped child's registers; false: that was refused. */
static bool change(pid_t p)
{
	static unsigned char x[16384];
	struct iovec v = {x, sizeof(x)};
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGSET, p, NT_X86_XSTATE, &v) || ptrace(PTRACE_GETREGS, p, 0, &r))
		return false;
	switch (what) {
	case 0: /* PKRU in the extended state, as the standard format has it */
		*(unsigned long *)(x + 512) |= 0x200;
		memset(x + pkru_offset(), 0, 4);
		return !ptrace(PTRACE_SETREGSET, p, NT_X86_XSTATE, &v);
	case 1: /* the same, unannounced: what is not said to be there is in its initial state, 0 */
		memset(x + pkru_offset(), 0, 4);
		return !ptrace(PTRACE_SETREGSET, p, NT_X86_XSTATE, &v);
	case 2: /* compacted */
		*(unsigned long *)(x + 512) = 0x203;
		*(unsigned long *)(x + 520) = 0x8000000000000203UL;
		return !ptrace(PTRACE_SETREGSET, p, NT_X86_XSTATE, &v);
	case 3: /* the software part says that it is there */
		*(unsigned long *)(x + 464) |= 0x200;
		return !ptrace(PTRACE_SETREGSET, p, NT_X86_XSTATE, &v);
	case 4:
		v.iov_len = 576 + 8;
		return !ptrace(PTRACE_SETREGSET, p, NT_X86_XSTATE, &v);
	case 5:
		memset(x, 0xff, 512);
		*(unsigned *)(x + 24) = 0x1f80;
		return !ptrace(PTRACE_SETFPREGS, p, 0, x);
	case 6:
		r.gs_base = DIRECT_MAP;
		return !ptrace(PTRACE_SETREGS, p, 0, &r);
	case 7:
		r.cs = 0x23;
		return !ptrace(PTRACE_SETREGS, p, 0, &r);
	case 8:
		r.fs_base = DIRECT_MAP;
		return !ptrace(PTRACE_SETREGS, p, 0, &r);
	case 9:
		r.rip = KERNEL_TEXT + 0x100;
		return !ptrace(PTRACE_SETREGS, p, 0, &r);
	case 10:
		r.rsp = DIRECT_MAP + 0x300000;
		return !ptrace(PTRACE_SETREGS, p, 0, &r);
	case 11: /* wrpkru at its next instruction */
		return !ptrace(PTRACE_POKETEXT, p, r.rip, 0x90ef010f9090d231UL);
	case 12:
		return !ptrace(PTRACE_POKEDATA, p, DIRECT_MAP + 0x300000, 1);
	case 13:
		return !ptrace(PTRACE_POKEUSER, p, offsetof(struct user, u_debugreg[0]), DIRECT_MAP);
	}
	_exit(99);
}

/* 42: its PKRU is the user's, and so the window is shut */
static void debugged(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(41);
	raise(SIGSTOP);
	_exit(good() ? 42 : 43);
}

static void debugger(void)
{
	int st;
	pid_t p = fork();

	if (!p)
		debugged();
	if (waitpid(p, &st, 0) != p || !WIFSTOPPED(st))
		_exit(44);
	change(p);
	ptrace(PTRACE_DETACH, p, 0, 0);
	waitpid(p, &st, 0);
	_exit(WIFEXITED(st) && WEXITSTATUS(st) != 42 ? WEXITSTATUS(st) : 0);
}

static void *asleep(void *unused)
{
	pause();
	return NULL;
}
static void stay(void)
{
	static char stack[65536];
	stack_t ss = {stack, 0, sizeof(stack)};
	pthread_t t;
	char c;
	int fd = memfd_create("x", 0);

	if (ftruncate(fd, 65536))
		_exit(1);
	sigaltstack(&ss, NULL);
	for (int prot = 0; prot < 8; prot++) {
		for (int shared = 0; shared < 3; shared++) {
			volatile char *p = mmap(NULL, 65536, prot,
						shared == 1   ? MAP_SHARED | MAP_ANONYMOUS
						: shared == 2 ? MAP_SHARED
							      : MAP_PRIVATE | MAP_ANONYMOUS,
						shared == 2 ? fd : -1, 0);

			if (p == MAP_FAILED)
				continue;
			if (prot & PROT_WRITE)
				p[4096] = 0xc3;
			else if (prot & PROT_READ)
				(void)p[4096];
			if ((prot & (PROT_EXEC | PROT_WRITE)) == (PROT_EXEC | PROT_WRITE))
				((void (*)(void))(p + 4096))();
		}
	}
	signals();
	jit();
	pthread_create(&t, NULL, asleep, NULL);
	if (!fork() || !fork()) {
		pause();
		_exit(0);
	}
	printf("ready\n");
	fflush(stdout);
	if (read(0, &c, 1) < 0)
		_exit(1);
	kill(0, SIGKILL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*fn)(void);
	} places[] = {{"at the start", good},
		      {"in threads", threads},
		      {"after fork", forked},
		      {"after vfork", vforked},
		      {"in a new program", executed_after_fork},
		      {"in a new program after vfork", executed_after_vfork},
		      {"in handlers, and behind them", signals},
		      {"in code that is made as it runs", jit}};

	self = argv[0];
	keys = argc > 1 && !strcmp(argv[1], "keys");
	if (argc > 2 && !strcmp(argv[2], "once"))
		return !good();
	if (argc > 2)
		stay();
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
			printf("PKRU %s: ", places[i].name);
			must_fail("the user's", places[i].fn());
		}
	}
	for (what = 0; what < 14; what++) {
		int st = in_child(debugger);

		printf("a debugger inside, way %d (%x): ", what, st);
		must_fail("PKRU is the user's", !st);
	}
	return failures != 0;
}
