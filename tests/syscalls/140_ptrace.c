// SPDX-License-Identifier: Apache-2.0
// ptrace: attaching, system-call stops, registers, memory, signals, leaving.
// build: static
#include "t.h"
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define PT(...) syscall(SYS_ptrace, __VA_ARGS__)
#define GOOD 0x80

static int next(pid_t p)
{
	int s = -1;

	MUST(waitpid(p, &s, __WALL));
	return s;
}

static const char *stop(int s)
{
	static char b[80];

	if (WIFSTOPPED(s) && s >> 16)
		snprintf(b, sizeof b, "event %d sig %d", s >> 16, WSTOPSIG(s) & 0x7f);
	else if (WIFSTOPPED(s) && (WSTOPSIG(s) & 0x80))
		snprintf(b, sizeof b, "syscall-stop");
	else
		snprintf(b, sizeof b, "%s", st(s));
	return b;
}

static volatile long shared_word = 0x1122334455667788;

static pid_t traced(void (*fn)(void))
{
	pid_t p = MUST(fork());

	if (!p) {
		MUST(PT(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	say("first: %s\n", stop(next(p)));
	return p;
}

static void calls(void)
{
	syscall(SYS_getppid);
	syscall(SYS_write, -1, "x", 1);
	_exit(5);
}

static void syscall_stops(void)
{
	pid_t p = traced(calls);
	struct user_regs_struct r;
	struct __ptrace_syscall_info i;
	int s, in = 0;
	long site = 0;

	MUST(PT(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACESYSGOOD));
	R(PT(PTRACE_GET_SYSCALL_INFO, p, sizeof i, &i));
	say("op %d\n", i.op);
	for (int n = 0; n < 20; n++) {
		MUST(PT(PTRACE_SYSCALL, p, 0, 0));
		s = next(p);
		if (!WIFSTOPPED(s))
			break;
		MUST(PT(PTRACE_GETREGS, p, 0, &r));
		long size = PT(PTRACE_GET_SYSCALL_INFO, p, sizeof i, &i);
		in = !in;
		say("%s: nr %lld op %d size %ld ", stop(s), r.orig_rax, i.op, size);
		if (in) {
			say("ax %lld nr %lld args %llx %llx %llx\n", (long long)r.rax, (long long)i.entry.nr,
			    i.entry.nr == SYS_write ? (long long)i.entry.args[0] & 0xffffffff : 0, 0LL,
			    i.entry.nr == SYS_write ? (long long)i.entry.args[2] : 0);
			site = r.rip;
			long text = ptrace(PTRACE_PEEKTEXT, p, r.rip - 2, 0);
			say("syscall instruction: %lx\n", text & 0xffff);
		} else {
			say("result %s same place %d cx is ip %d err %d\n", (long long)r.rax < 0 ? en(-r.rax) : ">= 0",
			    (long)r.rip == site, r.rcx == r.rip, i.exit.is_error);
		}
	}
	say("end: %s\n", stop(s));
}

static void reply(void)
{
	long a = syscall(SYS_getppid), b = syscall(SYS_getppid), c = syscall(SYS_getuid);

	_exit(a == 77 ? (b == -1 && errno == EXDEV ? (c == 4242 ? 9 : 3) : 2) : 1);
}

// Change a result, skip a call, change its number.
static void change_calls(void)
{
	pid_t p = traced(reply);
	struct user_regs_struct r;
	int n = 0, s;

	MUST(PT(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACESYSGOOD));
	for (;;) {
		MUST(PT(PTRACE_SYSCALL, p, 0, 0));
		s = next(p);
		if (!WIFSTOPPED(s))
			break;
		MUST(PT(PTRACE_GETREGS, p, 0, &r));
		if (r.orig_rax == SYS_exit_group)
			continue;
		switch (n++) {
		case 1:
			r.rax = 77;
			break;
		case 2:
			r.orig_rax = -1;
			r.rax = -EXDEV;
			break;
		case 4:
			r.orig_rax = 100000;
			break;
		case 5:
			say("unknown number: %s\n", en(-r.rax));
			r.rax = 4242;
			break;
		}
		MUST(PT(PTRACE_SETREGS, p, 0, &r));
	}
	say("changed calls: %s\n", stop(s));
}

static void look(void)
{
	raise(SIGUSR1);
	_exit(shared_word == 0x55 ? 6 : 7);
}

static void memory(void)
{
	pid_t p = traced(look);
	struct iovec io;
	struct user_regs_struct r, r2;
	struct user_fpregs_struct f;
	char xs[16384];
	siginfo_t si;
	int s;

	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("signal: %s\n", stop(next(p)));
	T(PT(PTRACE_GETSIGINFO, p, 0, &si) == 0);
	T(si.si_signo == SIGUSR1 && si.si_code == SI_TKILL && si.si_pid == p);
	errno = 0;
	T(ptrace(PTRACE_PEEKDATA, p, &shared_word, 0) == 0x1122334455667788);
	R(ptrace(PTRACE_POKEDATA, p, &shared_word, 0x55));
	T(shared_word == 0x1122334455667788);
	T(ptrace(PTRACE_PEEKTEXT, p, look, 0) == *(long *)look);
	R(PT(PTRACE_PEEKDATA, p, 8, &s));
	R(PT(PTRACE_POKEDATA, p, 8, 1));
	R(PT(PTRACE_GETREGS, p, 0, &r));
	io = (struct iovec){&r2, sizeof r2};
	R(PT(PTRACE_GETREGSET, p, NT_PRSTATUS, &io));
	T(io.iov_len == sizeof r2 && !memcmp(&r, &r2, sizeof r));
	T(r.cs == 0x33 && r.ss == 0x2b && r.fs_base && !r.gs_base);
	T(ptrace(PTRACE_PEEKUSER, p, offsetof(struct user, regs.rip), 0) == (long)r.rip);
	T(ptrace(PTRACE_PEEKUSER, p, offsetof(struct user, u_debugreg[7]), 0) == 0);
	R(PT(PTRACE_PEEKUSER, p, 3, &s));
	R(PT(PTRACE_PEEKUSER, p, sizeof(struct user), &s));
	io.iov_len = 16;
	R(PT(PTRACE_GETREGSET, p, NT_PRSTATUS, &io));
	T(io.iov_len == 16);
	io.iov_len = 3;
	R(PT(PTRACE_GETREGSET, p, NT_PRSTATUS, &io));
	io.iov_len = 8;
	R(PT(PTRACE_GETREGSET, p, 0x9999, &io));
	R(PT(PTRACE_GETFPREGS, p, 0, &f));
	T(f.mxcsr == 0x1f80);
	io = (struct iovec){xs, sizeof xs};
	R(PT(PTRACE_GETREGSET, p, NT_X86_XSTATE, &io));
	T(io.iov_len > 576 && *(uint32_t *)(xs + 24) == 0x1f80);
	R(PT(PTRACE_SETREGSET, p, NT_X86_XSTATE, &io));
	r2 = r;
	r2.cs = 0x10;
	R(PT(PTRACE_SETREGS, p, 0, &r2));
	R(PT(PTRACE_SETREGS, p, 0, &r));
	R(PT(PTRACE_CONT, p, 0, 99));
	R(PT(PTRACE_GETREGS, p, 0, 8));
	R(PT(12345, p, 0, 0));
	R(PT(PTRACE_CONT, p, 0, 0));
	say("memory: %s\n", stop(next(p)));
}

static volatile sig_atomic_t got;
static void handler(int s)
{
	got = s;
}

static void wait_signal(void)
{
	on(SIGUSR1, handler, 0);
	on(SIGUSR2, handler, 0);
	signal(SIGWINCH, SIG_IGN);
	raise(SIGUSR1);
	raise(SIGWINCH);
	_exit(got);
}

static void signals(void)
{
	pid_t p = traced(wait_signal);
	uint64_t mask = 0;
	int s;

	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
	R(PT(PTRACE_GETSIGMASK, p, 8, &mask));
	T(mask == 0);
	R(PT(PTRACE_GETSIGMASK, p, 4, &mask));
	MUST(PT(PTRACE_CONT, p, 0, SIGUSR2)); // another one than it was
	say("ignored ones too: %s\n", stop(next(p)));
	MUST(PT(PTRACE_CONT, p, 0, SIGWINCH));
	say("%s\n", (s = next(p), WEXITSTATUS(s) == SIGUSR2 ? "replaced" : "FAIL"));

	p = traced(wait_signal);
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
	R(PT(PTRACE_DETACH, p, 0, SIGKILL));
	say("left with: %s\n", stop(next(p)));

	p = traced(wait_signal);
	R(PT(PTRACE_KILL, p, 0, 0));
	say("killed: %s\n", stop(next(p)));
	R(PT(PTRACE_CONT, p, 0, 0));
}

static void attach(void)
{
	int pi[2], s;
	char c;
	pid_t p;

	MUST(pipe(pi));
	p = MUST(fork());
	if (!p) {
		close(pi[1]);
		while (read(pi[0], &c, 1) == 1)
			if (c == 'q')
				_exit(11);
		_exit(12);
	}
	settle(p);
	R(PT(PTRACE_ATTACH, p, 0, 0));
	say("%s\n", stop(next(p)));
	R(PT(PTRACE_ATTACH, p, 0, 0));
	char st_[64];
	snprintf(st_, sizeof st_, "/proc/%d/status", p);
	char *t = strstr(get(st_), "TracerPid:");
	T(t && atoi(t + 10) == getpid());
	T(task_state(p) == 't');
	R(PT(PTRACE_CONT, p, 0, 0));
	MUST(write(pi[1], "a", 1));
	settle(p);
	R(PT(PTRACE_CONT, p, 0, 0));
	R(PT(PTRACE_GETREGS, p, 0, st_));
	MUST(kill(p, SIGSTOP));
	say("%s\n", stop(next(p)));
	R(PT(PTRACE_DETACH, p, 0, 0));
	MUST(write(pi[1], "q", 1));
	say("%s\n", stop(next(p)));

	R(PT(PTRACE_ATTACH, getpid(), 0, 0));
	R(PT(PTRACE_ATTACH, 1 << 22, 0, 0));
	R(PT(PTRACE_SEIZE, 1 << 22, 0, 0));
	// a stopped one
	p = MUST(fork());
	if (!p)
		for (;;)
			pause();
	MUST(kill(p, SIGSTOP));
	MUST(waitpid(p, &s, WUNTRACED));
	R(PT(PTRACE_ATTACH, p, 0, 0));
	say("%s\n", stop(next(p)));
	T(task_state(p) == 't');
	R(PT(PTRACE_DETACH, p, 0, 0));
	T(UNTIL(task_state(p) == 'T'));
	MUST(kill(p, SIGKILL));
	MUST(kill(p, SIGCONT));
	say("%s\n", stop(next(p)));
}

static void execs(void)
{
	char *av[] = {"true", 0};

	execve("/bin/true", av, av + 1);
	_exit(99);
}

static void exec(void)
{
	pid_t p = traced(execs);
	unsigned long msg = 0;

	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("old exec stop: %s\n", stop(next(p)));
	MUST(PT(PTRACE_KILL, p, 0, 0));
	say("%s\n", stop(next(p)));
	p = traced(execs);
	R(PT(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT));
	R(PT(PTRACE_SETOPTIONS, p, 0, 1 << 12));
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("exec: %s\n", stop(next(p)));
	MUST(PT(PTRACE_GETEVENTMSG, p, 0, &msg));
	T((pid_t)msg == p);
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("exit: %s\n", stop(next(p)));
	MUST(PT(PTRACE_GETEVENTMSG, p, 0, &msg));
	say("message %lx\n", msg);
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
}

// A system call is restarted as if nobody had looked.
static int pipe_fd;
static void reads(void)
{
	char c = 0;
	long n = read(pipe_fd, &c, 1);

	_exit(n == 1 ? c : 1);
}

static void restart(void)
{
	struct user_regs_struct r;
	int pi[2];
	pid_t p;

	MUST(pipe(pi));
	pipe_fd = pi[0];
	p = traced(reads);
	MUST(PT(PTRACE_CONT, p, 0, 0));
	settle(p);
	MUST(kill(p, SIGSTOP));
	say("%s\n", stop(next(p)));
	MUST(PT(PTRACE_GETREGS, p, 0, &r));
	say("restart code %lld nr %lld\n", (long long)r.rax, (long long)r.orig_rax);
	MUST(PT(PTRACE_SYSCALL, p, 0, 0));
	next(p);
	MUST(PT(PTRACE_GETREGS, p, 0, &r));
	say("again nr %lld ax %lld\n", (long long)r.orig_rax, (long long)r.rax);
	MUST(write(pi[1], "!", 1));
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("restarted: %s\n", stop(next(p)));
}

static void emulated(void)
{
	_exit(syscall(555) == 1234 ? 8 : 1);
}

static void sysemu(void)
{
	pid_t p = traced(emulated);
	struct user_regs_struct r;

	MUST(PT(PTRACE_SYSEMU, p, 0, 0));
	say("%s\n", stop(next(p)));
	MUST(PT(PTRACE_GETREGS, p, 0, &r));
	say("emulated nr %lld\n", (long long)r.orig_rax);
	r.rax = 1234;
	MUST(PT(PTRACE_SETREGS, p, 0, &r));
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
}

int main(void)
{
	syscall_stops();
	change_calls();
	memory();
	signals();
	attach();
	exec();
	restart();
	sysemu();
	return 0;
}
