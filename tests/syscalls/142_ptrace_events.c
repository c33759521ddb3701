// SPDX-License-Identifier: Apache-2.0
// ptrace: events of fork, vfork, clone, exec and exit; seizing, interrupting, listening; group stops; the tracer's end.
#include "t.h"
#include <stdbool.h>
#include <sys/ptrace.h>

#define PT(...) syscall(SYS_ptrace, __VA_ARGS__)

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
		snprintf(b, sizeof b, "event %d SIG%s", s >> 16, sigabbrev_np(WSTOPSIG(s)));
	else
		snprintf(b, sizeof b, "%s", st(s));
	return b;
}

static pid_t traced(void (*fn)(void))
{
	pid_t p = MUST(fork());

	if (!p) {
		MUST(PT(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	next(p);
	return p;
}

static void *nothing(void *a)
{
	return a;
}

static void forks(void)
{
	pid_t p = fork();
	pthread_t t;

	if (!p)
		_exit(1);
	reap(p);
	p = vfork();
	if (!p)
		_exit(2);
	reap(p);
	pthread_create(&t, 0, nothing, 0);
	pthread_join(t, 0);
	_exit(3);
}

// The stops of the parent in order; each child is let go where it first stops.
static void fork_events(bool seize)
{
	pid_t p = traced(forks), c = 0;
	unsigned long msg,
		opt = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACECLONE;
	int s;

	if (seize) {
		MUST(PT(PTRACE_DETACH, p, 0, SIGSTOP));
		UNTIL(task_state(p) == 'T');
		R(PT(PTRACE_SEIZE, p, 8, 0));
		R(PT(PTRACE_SEIZE, p, 0, 1 << 11));
		R(PT(PTRACE_SEIZE, p, 0, opt));
		say("seized: %s\n", stop(next(p)));
		MUST(PT(PTRACE_LISTEN, p, 0, 0));
		MUST(kill(p, SIGCONT));
		say("%s\n", stop(next(p)));
		MUST(PT(PTRACE_CONT, p, 0, 0));
		s = next(p);
		say("%s\n", stop(s));
	} else {
		MUST(PT(PTRACE_SETOPTIONS, p, 0, opt));
	}
	for (;;) {
		MUST(PT(PTRACE_CONT, p, 0, 0));
		s = next(p);
		if (!WIFSTOPPED(s))
			break;
		say("parent: %s\n", stop(s));
		if (s >> 16 && s >> 16 != PTRACE_EVENT_STOP) {
			MUST(PT(PTRACE_GETEVENTMSG, p, 0, &msg));
			if (s >> 16 == PTRACE_EVENT_VFORK_DONE) {
				T((pid_t)msg == c);
				continue;
			}
			c = msg;
			s = next(c);
			say("child: %s\n", stop(s));
			if (s >> 16 == 0)
				T(WSTOPSIG(s) == SIGSTOP);
			MUST(PT(PTRACE_DETACH, c, 0, 0));
		}
	}
	say("end: %s\n", stop(s));
}

static void spins(void)
{
	for (;;)
		;
}

static void sleeps(void)
{
	for (;;)
		pause();
}

static pid_t child(void (*fn)(void))
{
	pid_t p = MUST(fork());

	if (!p)
		fn();
	return p;
}

static void seize_interrupt(void (*fn)(void))
{
	pid_t p = child(fn);
	siginfo_t si;
	int s;

	ms(20);
	R(PT(PTRACE_INTERRUPT, p, 0, 0));
	MUST(PT(PTRACE_SEIZE, p, 0, 0));
	T(waitpid(p, &s, WNOHANG | __WALL) == 0);
	R(PT(PTRACE_LISTEN, p, 0, 0));
	R(PT(PTRACE_INTERRUPT, p, 0, 0));
	say("interrupt: %s\n", stop(next(p)));
	MUST(PT(PTRACE_GETSIGINFO, p, 0, &si));
	say("code %x\n", si.si_code);
	MUST(PT(PTRACE_CONT, p, 0, 0));
	// a group stop, listened to
	MUST(kill(p, SIGSTOP));
	say("signal: %s\n", stop(next(p)));
	MUST(PT(PTRACE_CONT, p, 0, SIGSTOP));
	say("group stop: %s\n", stop(next(p)));
	R(PT(PTRACE_LISTEN, p, 0, 0));
	R(PT(PTRACE_CONT, p, 0, 0));
	T(waitpid(p, &s, WNOHANG | __WALL) == 0);
	MUST(kill(p, SIGCONT));
	say("continued: %s\n", stop(next(p)));
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
	MUST(PT(PTRACE_CONT, p, 0, SIGCONT));
	MUST(kill(p, SIGKILL));
	say("%s\n", stop(next(p)));
}

// The tracer dies: its tracees go on, or die with it.
static void tracer_dies(bool exitkill)
{
	pid_t p = child(sleeps), t;

	t = MUST(fork());
	if (!t) {
		if (PT(PTRACE_SEIZE, p, 0, exitkill ? PTRACE_O_EXITKILL : 0) < 0)
			_exit(1);
		PT(PTRACE_INTERRUPT, p, 0, 0);
		next(p);
		_exit(0);
	}
	say("tracer: %s\n", st(reap(t)));
	if (exitkill) {
		say("tracee: %s\n", st(reap(p)));
		return;
	}
	T(UNTIL(task_state(p) == 'S'));
	MUST(kill(p, SIGTERM));
	say("tracee: %s\n", st(reap(p)));
}

// Somebody else's child ends: its tracer sees that first, then its parent.
static void two_waits(void)
{
	int pi[2], ready[2], s;
	pid_t p, t;
	char c;

	MUST(pipe(pi));
	MUST(pipe(ready));
	p = MUST(fork());
	if (!p) {
		close(pi[1]);
		c = read(pi[0], &c, 1);
		_exit(21);
	}
	t = MUST(fork());
	if (!t) {
		close(pi[1]);
		int ok = PT(PTRACE_SEIZE, p, 0, 0) == 0;
		MUST(write(ready[1], "x", 1));
		ok &= waitpid(p, &s, __WALL) == p && WEXITSTATUS(s) == 21;
		_exit(ok ? 22 : 1);
	}
	MUST(read(ready[0], &c, 1));
	close(pi[1]);
	say("tracer: %s\n", st(reap(t)));
	say("parent: %s\n", st(reap(p)));
}

static void exits(void)
{
	_exit(41);
}

static void kill_in_exit(void)
{
	pid_t p = traced(exits);
	unsigned long msg = 0;

	MUST(PT(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACEEXIT));
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
	MUST(PT(PTRACE_GETEVENTMSG, p, 0, &msg));
	say("message %lx\n", msg);
	MUST(PT(PTRACE_CONT, p, 0, 0));
	say("%s\n", stop(next(p)));
}

static void permission(void)
{
	pid_t p = child(sleeps);

	CHILD("other user", nobody();
	      if (getuid() && geteuid()) R(geteuid() == 65534 ? PT(PTRACE_ATTACH, getppid(), 0, 0) : -1));
	MUST(kill(p, SIGKILL));
	reap(p);
	p = MUST(fork());
	if (!p) {
		nobody();
		prctl(PR_SET_DUMPABLE, 0);
		raise(SIGSTOP);
		sleeps();
	}
	int s;
	MUST(waitpid(p, &s, WUNTRACED));
	pid_t q = MUST(fork());
	if (!q) {
		nobody();
		R(PT(PTRACE_ATTACH, p, 0, 0));
		_exit(0);
	}
	reap(q);
	MUST(kill(p, SIGKILL));
	reap(p);
}

// vfork + TRACEME + exec, as debuggers start programs.
static void vfork_exec(void)
{
	pid_t p = vfork();
	int s;

	if (!p) {
		syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		execl("/bin/sh", "sh", "-c", "exit 17", (char *)0);
		_exit(1);
	}
	say("%s\n", stop(next(p)));
	MUST(PT(PTRACE_CONT, p, 0, 0));
	do {
		s = next(p);
		if (WIFSTOPPED(s))
			PT(PTRACE_CONT, p, 0, 0);
	} while (WIFSTOPPED(s));
	say("%s\n", stop(s));
}

static void *spin_thread(void *a)
{
	for (;;)
		pause();
}

static int tids[2];
static void two_threads(void)
{
	pthread_t t;

	pthread_create(&t, 0, spin_thread, 0);
	tids[1] = 1;
	for (;;)
		pause();
}

static void threads(void)
{
	pid_t p = child(two_threads), tid = 0;
	char path[64];
	struct dirent *e;
	DIR *d;
	int s;

	snprintf(path, sizeof path, "/proc/%d/task", p);
	for (int i = 0; i < 5000 && !tid; i++) {
		d = opendir(path);
		while (d && (e = readdir(d)))
			if (atoi(e->d_name) && atoi(e->d_name) != p)
				tid = atoi(e->d_name);
		closedir(d);
		ms(1);
	}
	R(PT(PTRACE_ATTACH, p, 0, 0));
	R(PT(PTRACE_ATTACH, tid, 0, 0));
	say("leader %s\n", stop(next(p)));
	say("thread %s\n", stop(next(tid)));
	T(task_state(tid) == 't' && task_state(p) == 't');
	MUST(PT(PTRACE_CONT, tid, 0, 0));
	T(UNTIL(task_state(tid) == 'S') && task_state(p) == 't');
	MUST(kill(p, SIGKILL));
	say("thread %s\n", stop(next(tid)));
	say("leader %s\n", stop(next(p)));
	T(waitpid(-1, &s, __WALL) == -1);
}

int main(void)
{
	fork_events(false);
	fork_events(true);
	seize_interrupt(sleeps);
	seize_interrupt(spins);
	tracer_dies(false);
	tracer_dies(true);
	two_waits();
	kill_in_exit();
	permission();
	vfork_exec();
	threads();
	return 0;
}
