// SPDX-License-Identifier: Apache-2.0
// Signal basics: actions, masks, pending, ignored ones, defaults, inheritance across fork, errors.
// build: static
#include "t.h"
static volatile sig_atomic_t count, last, in;
static void h(int s)
{
	count++;
	last = s;
}
static sigset_t seen;
static void masks(int s)
{
	(void)s;
	sigprocmask(SIG_BLOCK, 0, &seen);
	in = 1;
}
int main(void)
{
	struct sigaction a, o;
	sigset_t m, p;
	on(SIGUSR1, h, 0);
	R(raise(SIGUSR1));
	say("count %d last USR1 %d\n", count, last == SIGUSR1);
	R(kill(getpid(), SIGUSR1));
	say("count %d\n", count);
	// Old action comes back as it was given.
	sigemptyset(&a.sa_mask);
	sigaddset(&a.sa_mask, SIGHUP);
	a.sa_handler = h;
	a.sa_flags = SA_RESTART | SA_NODEFER;
	R(sigaction(SIGUSR2, &a, 0));
	R(sigaction(SIGUSR2, 0, &o));
	T(o.sa_handler == h && sigismember(&o.sa_mask, SIGHUP) &&
	  (o.sa_flags & ~0x04000000) == (SA_RESTART | SA_NODEFER));
	// Blocked: pending once however often it was sent.
	block(SIGUSR1);
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	sigpending(&p);
	say("pending %d count %d\n", sigismember(&p, SIGUSR1), count);
	unblock(SIGUSR1);
	say("count %d\n", count);
	// The mask in a handler: sa_mask and the signal itself, back to the old one afterwards.
	a.sa_handler = masks;
	a.sa_flags = 0;
	sigaddset(&a.sa_mask, SIGTERM);
	sigaction(SIGUSR2, &a, 0);
	block(SIGALRM);
	raise(SIGUSR2);
	say("in handler: USR2 %d HUP %d TERM %d ALRM %d INT %d\n", sigismember(&seen, SIGUSR2),
	    sigismember(&seen, SIGHUP), sigismember(&seen, SIGTERM), sigismember(&seen, SIGALRM),
	    sigismember(&seen, SIGINT));
	sigprocmask(SIG_BLOCK, 0, &m);
	say("after: USR2 %d HUP %d ALRM %d\n", sigismember(&m, SIGUSR2), sigismember(&m, SIGHUP),
	    sigismember(&m, SIGALRM));
	unblock(SIGALRM);
	// SIGKILL and SIGSTOP cannot be blocked or handled.
	sigfillset(&m);
	R(sigprocmask(SIG_SETMASK, &m, &o.sa_mask));
	sigprocmask(SIG_SETMASK, 0, &p);
	say("KILL %d STOP %d TERM %d\n", sigismember(&p, SIGKILL), sigismember(&p, SIGSTOP), sigismember(&p, SIGTERM));
	sigprocmask(SIG_SETMASK, &o.sa_mask, 0);
	a.sa_handler = h;
	R(sigaction(SIGKILL, &a, 0));
	R(sigaction(SIGSTOP, &a, 0));
	R(sigaction(SIGKILL, 0, &o));
	R(sigaction(65, &a, 0));
	R(sigaction(0, &a, 0));
	R(syscall(SYS_rt_sigprocmask, 99, &m, 0, 8));
	R(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &m, 0, 16));
	R(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, 0, 8));
	R(syscall(SYS_rt_sigaction, SIGUSR1, 8, 0, 8));
	R(syscall(SYS_rt_sigpending, 8, 8));
	// Ignored while blocked: set to ignore removes it from pending.
	block(SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	sigpending(&p);
	say("pending after ignore %d\n", sigismember(&p, SIGUSR1));
	raise(SIGUSR1);
	sigpending(&p);
	say("sent while ignored and blocked: pending %d\n", sigismember(&p, SIGUSR1));
	unblock(SIGUSR1);
	// Inherited by fork: actions and mask, not what is pending.
	count = 0;
	on(SIGUSR1, h, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	CHILD("fork", {
		sigpending(&p);
		say("pending %d\n", sigismember(&p, SIGUSR1));
		sigprocmask(SIG_BLOCK, 0, &m);
		say("blocked %d\n", sigismember(&m, SIGUSR1));
		unblock(SIGUSR1);
		raise(SIGUSR1);
		say("count %d\n", count);
	});
	unblock(SIGUSR1);
	say("count %d\n", count);
	// The default of every signal.
	for (int s = 1; s <= 64; s++) {
		if (s == 32 || s == 33)
			continue;
		pid_t k = MUST(fork());
		if (!k) {
			setpgid(0, 0);
			signal(s, SIG_DFL);
			kill(getpid(), s);
			_exit(0);
		}
		int w;
		MUST(waitpid(k, &w, WUNTRACED));
		if (WIFSTOPPED(w)) {
			say("%d stops\n", s);
			kill(k, SIGKILL);
			reap(k);
		} else
			say("%d %s\n", s,
			    WIFSIGNALED(w) && WTERMSIG(w) == s ? "kills"
			    : WIFEXITED(w)		       ? "nothing"
							       : "?");
	}
	// Several pending at once: all delivered, low numbers first, before the unblocking call returns.
	static char order[20];
	static int n;
	void rec(int s)
	{
		order[n++] = s == SIGHUP ? 'H' : s == SIGUSR1 ? '1' : s == SIGUSR2 ? '2' : s == SIGTERM ? 'T' : '?';
	}
	int list[] = {SIGTERM, SIGUSR2, SIGHUP, SIGUSR1};
	sigfillset(&a.sa_mask);
	a.sa_handler = rec;
	sigemptyset(&m);
	for (int i = 0; i < 4; i++)
		sigaction(list[i], &a, 0), sigaddset(&m, list[i]);
	sigprocmask(SIG_BLOCK, &m, 0);
	for (int i = 0; i < 4; i++)
		raise(list[i]);
	sigprocmask(SIG_UNBLOCK, &m, 0);
	say("order %s\n", order);
	return 0;
}
