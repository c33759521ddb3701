// SPDX-License-Identifier: Apache-2.0
// ptrace: breakpoints, single steps through code and system calls, inferior calls, floating-point registers.
// build: static
#include "t.h"
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static int next(pid_t p)
{
	int s = -1;

	MUST(waitpid(p, &s, __WALL));
	return s;
}

static volatile int hits;
__attribute__((noinline)) static long target(long a)
{
	hits++;
	__asm__ volatile("" ::: "memory");
	return a * 3;
}

__attribute__((noinline)) static double halve(double x)
{
	__asm__ volatile("" ::: "memory");
	return x / 2;
}

static pid_t traced(void (*fn)(void))
{
	pid_t p = MUST(fork());

	if (!p) {
		MUST(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	next(p);
	return p;
}

static void loop(void)
{
	long sum = 0;

	for (long i = 0; i < 5; i++)
		sum += target(i);
	_exit(sum == 30 ? hits : 99);
}

static void breakpoints(void)
{
	pid_t p = traced(loop);
	struct user_regs_struct r;
	long orig, n = 0;
	siginfo_t si;
	int s;

	errno = 0;
	orig = ptrace(PTRACE_PEEKTEXT, p, target, 0);
	T(!errno && orig == *(long *)target);
	MUST(ptrace(PTRACE_POKETEXT, p, target, (orig & ~0xffL) | 0xcc));
	T((ptrace(PTRACE_PEEKTEXT, p, target, 0) & 0xff) == 0xcc);
	T(orig == *(long *)target);
	for (;;) {
		MUST(ptrace(PTRACE_CONT, p, 0, 0));
		s = next(p);
		if (!WIFSTOPPED(s))
			break;
		MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
		MUST(ptrace(PTRACE_GETSIGINFO, p, 0, &si));
		say("%s at %+ld arg %lld code %#x\n", st(s), (long)(r.rip - (unsigned long)target), (long long)r.rdi,
		    si.si_code);
		r.rip = (unsigned long)target;
		MUST(ptrace(PTRACE_SETREGS, p, 0, &r));
		MUST(ptrace(PTRACE_POKETEXT, p, target, orig));
		if (++n == 4) // the fifth goes unseen
			continue;
		MUST(ptrace(PTRACE_SINGLESTEP, p, 0, 0));
		s = next(p);
		MUST(ptrace(PTRACE_GETSIGINFO, p, 0, &si));
		say("step: %s code %d\n", st(s), si.si_code);
		MUST(ptrace(PTRACE_POKETEXT, p, target, (orig & ~0xffL) | 0xcc));
	}
	say("%s\n", st(s));
}

static void code(void)
{
	long r;

	__asm__ volatile(".globl code_begin, code_call, code_end\ncode_begin:\n\t"
			 "mov $39, %%eax\n\t"
			 "mov $7, %%ebx\n\t"
			 "code_call: syscall\n\t"
			 "mov %%rbx, %%rdx\n\t"
			 "mov $39, %%eax\n\t"
			 "syscall\n\t"
			 "add $1, %%rdx\n\t"
			 "pushf\n\tpop %%rcx\n\t"
			 "code_end: nop"
			 : "=a"(r)
			 :
			 : "rbx", "rcx", "rdx", "r11", "memory");
	if (r != getpid())
		_exit(98);
}

extern char code_begin[], code_call[], code_end[];

// Run code() first untraced, so that its call sites are as hot as they get, then step it: every instruction is one stop.
static void steps(void)
{
	struct user_regs_struct r;
	int s, n = 0;
	pid_t p;

	for (int i = 0; i < 3; i++)
		code();
	p = traced(code);
	long orig = ptrace(PTRACE_PEEKTEXT, p, code_begin, 0);
	T(orig == *(long *)code_begin);
	MUST(ptrace(PTRACE_POKETEXT, p, code_begin, (orig & ~0xffL) | 0xcc));
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	s = next(p);
	MUST(ptrace(PTRACE_POKETEXT, p, code_begin, orig));
	MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
	T(WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP && r.rip == (unsigned long)code_begin + 1);
	r.rip--;
	MUST(ptrace(PTRACE_SETREGS, p, 0, &r));
	do {
		MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
		say("at %ld ax %s flags %s\n", (long)(r.rip - (unsigned long)code_begin),
		    (long)r.rax == p ? "pid" : "-", r.eflags & 0x100 ? "TF" : "-");
		if (r.rip == (unsigned long)code_end)
			say("pushed flags: %s\n", r.rcx & 0x100 ? "trap flag seen" : "clean");
		MUST(ptrace(PTRACE_SINGLESTEP, p, 0, 0));
		s = next(p);
	} while (WIFSTOPPED(s) && ++n < 12);
	say("%s\n", st(s));
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	say("%s\n", st(next(p)));

	// the same from a patched page without a breakpoint: from the start of the code by setting ip
	p = traced(code);
	MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
	r.rip = (unsigned long)code_begin;
	r.orig_rax = -1;
	MUST(ptrace(PTRACE_SETREGS, p, 0, &r));
	for (n = 0; n < 9; n++) {
		MUST(ptrace(PTRACE_SINGLESTEP, p, 0, 0));
		s = next(p);
		MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
		say("then at %ld: %s\n", (long)(r.rip - (unsigned long)code_begin), st(s));
	}
	MUST(ptrace(PTRACE_KILL, p, 0, 0));
	say("%s\n", st(next(p)));
}

static void halves(void)
{
	double x = halve(5.0);

	_exit(x == 21.5 ? 4 : x == 2.5 ? 5 : 6);
}

static void floats(void)
{
	pid_t p = traced(halves);
	struct user_regs_struct r;
	struct user_fpregs_struct f;
	double x;
	long orig = ptrace(PTRACE_PEEKTEXT, p, halve, 0);

	MUST(ptrace(PTRACE_POKETEXT, p, halve, (orig & ~0xffL) | 0xcc));
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	next(p);
	MUST(ptrace(PTRACE_POKETEXT, p, halve, orig));
	MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
	MUST(ptrace(PTRACE_GETFPREGS, p, 0, &f));
	memcpy(&x, f.xmm_space, 8);
	say("argument %g\n", x);
	x = 43;
	memcpy(f.xmm_space, &x, 8);
	MUST(ptrace(PTRACE_SETFPREGS, p, 0, &f));
	f.mxcsr = 0xffffffff;
	R(ptrace(PTRACE_SETFPREGS, p, 0, &f));
	r.rip--;
	MUST(ptrace(PTRACE_SETREGS, p, 0, &r));
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	say("%s\n", st(next(p)));
}

static int fds[2];
static void sleeper(void)
{
	char c;
	long n = read(fds[0], &c, 1);

	_exit(n == 1 && hits == 1 ? 3 : 1);
}

// As a debugger does: a function called in the middle of a system call, and everything put back.
static void inferior_call(void)
{
	struct user_regs_struct r, keep;
	pid_t p;

	MUST(pipe(fds));
	p = traced(sleeper);
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	settle(p);
	MUST(kill(p, SIGSTOP));
	next(p);
	MUST(ptrace(PTRACE_GETREGS, p, 0, &keep));
	r = keep;
	r.rip = (unsigned long)target;
	r.rdi = 14;
	r.orig_rax = -1;
	r.rsp = (r.rsp - 512) & ~15UL;
	r.rsp -= 8;
	MUST(ptrace(PTRACE_POKEDATA, p, r.rsp, 0)); // returns to nowhere
	MUST(ptrace(PTRACE_SETREGS, p, 0, &r));
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	say("%s\n", st(next(p)));
	MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
	say("ip %llx result %lld\n", r.rip, (long long)r.rax);
	MUST(ptrace(PTRACE_SETREGS, p, 0, &keep));
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	settle(p);
	MUST(write(fds[1], "x", 1));
	say("%s\n", st(next(p)));
}

static void on_usr1(int s)
{
	hits += 100;
}

static void with_handler(void)
{
	on(SIGUSR1, on_usr1, 0);
	raise(SIGUSR1);
	_exit(hits == 100 ? 2 : 1);
}

// A step onto a signal handler stops at its first instruction.
static void step_into_handler(void)
{
	pid_t p = traced(with_handler);
	struct user_regs_struct r;

	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	say("%s\n", st(next(p)));
	MUST(ptrace(PTRACE_SINGLESTEP, p, 0, SIGUSR1));
	say("%s\n", st(next(p)));
	MUST(ptrace(PTRACE_GETREGS, p, 0, &r));
	T(r.rip == (unsigned long)on_usr1 && r.rdi == SIGUSR1);
	MUST(ptrace(PTRACE_CONT, p, 0, 0));
	say("%s\n", st(next(p)));
}

int main(void)
{
	breakpoints();
	steps();
	floats();
	inferior_call();
	step_into_handler();
	return 0;
}
