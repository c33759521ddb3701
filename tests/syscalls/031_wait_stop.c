// SPDX-License-Identifier: Apache-2.0
// WUNTRACED and WCONTINUED, stop and continue reports, each reported once; stopped children that are killed.
#include "t.h"
int main(void)
{
	int s;
	pid_t k = MUST(fork());
	if (!k)
		for (;;)
			pause();
	R(waitpid(k, &s, WUNTRACED | WCONTINUED | WNOHANG));
	kill(k, SIGSTOP);
	T(waitpid(k, &s, WUNTRACED) == k);
	say("%s\n", st(s));
	R(waitpid(k, &s, WUNTRACED | WNOHANG));
	T(task_state(k) == 'T' || task_state(k) == '?');
	kill(k, SIGUSR1); // pends while it is stopped
	kill(k, SIGSTOP);
	R(waitpid(k, &s, WUNTRACED | WNOHANG));
	kill(k, SIGKILL); // works on a stopped one
	say("%s\n", st(reap(k)));
	k = MUST(fork());
	if (!k) {
		raise(SIGSTOP);
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		_exit(6);
	}
	// An orphaned process group ignores SIGTSTP and friends; SIGSTOP always works.
	for (;;) {
		MUST(waitpid(k, &s, WUNTRACED | WCONTINUED));
		if (WIFEXITED(s))
			break;
		if (WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP)
			say("%s\n", st(s)), kill(k, SIGCONT);
		else if (WIFSTOPPED(s))
			kill(k, SIGCONT);
	}
	say("%s\n", st(s));
	// With a parent in another group of the same session all four stop.
	k = MUST(fork());
	if (!k) {
		setsid();
		pid_t q = MUST(fork());
		if (!q) {
			setpgid(0, 0);
			raise(SIGTSTP);
			raise(SIGTTIN);
			raise(SIGTTOU);
			_exit(7);
		}
		for (;;) {
			MUST(waitpid(q, &s, WUNTRACED | WCONTINUED));
			if (WIFCONTINUED(s)) // may be overtaken by the next stop before it is collected
				continue;
			say("%s\n", st(s));
			if (WIFEXITED(s))
				break;
			if (WIFSTOPPED(s)) {
				R(waitpid(q, &s, WUNTRACED | WCONTINUED | WNOHANG));
				kill(q, SIGCONT);
			}
		}
		_exit(0);
	}
	say("%s\n", st(reap(k)));
	// SIGCONT's handler runs; SIGSTOP takes back a pending SIGCONT and the other way round.
	k = MUST(fork());
	if (!k) {
		block(SIGCONT);
		block(SIGTSTP);
		kill(getpid(), SIGTSTP);
		sigset_t p;
		sigpending(&p);
		say("TSTP pending %d\n", sigismember(&p, SIGTSTP));
		kill(getpid(), SIGCONT);
		sigpending(&p);
		say("TSTP pending %d CONT pending %d\n", sigismember(&p, SIGTSTP), sigismember(&p, SIGCONT));
		kill(getpid(), SIGTSTP);
		sigpending(&p);
		say("TSTP pending %d CONT pending %d\n", sigismember(&p, SIGTSTP), sigismember(&p, SIGCONT));
		_exit(0);
	}
	say("%s\n", st(reap(k)));
	return 0;
}
