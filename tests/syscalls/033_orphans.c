// SPDX-License-Identifier: Apache-2.0
// Orphans: reparented to init or a subreaper, zombies in /proc, parent death signal.
#include "t.h"
static volatile sig_atomic_t got;
static void h(int s)
{
	got = s;
}
int main(void)
{
	int fd[2], back[2];
	char c;
	pid_t m;
	MUST(pipe(fd));
	MUST(pipe(back));
	// To whoever adopts: the parent changes.
	m = MUST(fork());
	if (!m) {
		pid_t mid = getpid();
		if (!MUST(fork())) {
			read(fd[0], &c, 1);
			T(UNTIL(getppid() != mid));
			write(back[1], "x", 1);
			_exit(0);
		}
		_exit(1);
	}
	reap(m);
	write(fd[1], "x", 1);
	read(back[0], &c, 1);
	// A subreaper gets it, and its exit status.
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	int v = 0;
	MUST(prctl(PR_GET_CHILD_SUBREAPER, &v, 0, 0, 0));
	say("subreaper %d\n", v);
	pid_t me = getpid(), orphan;
	m = MUST(fork());
	if (!m) {
		prctl(PR_GET_CHILD_SUBREAPER, &v, 0, 0, 0);
		say("in child: subreaper %d\n", v);
		if (!MUST(fork())) {
			read(fd[0], &c, 1);
			T(UNTIL(getppid() == me));
			pid_t g = getpid();
			write(back[1], &g, sizeof g);
			_exit(44);
		}
		_exit(1);
	}
	say("middle %s\n", st(reap(m)));
	write(fd[1], "x", 1);
	read(back[0], &orphan, sizeof orphan);
	say("orphan %s\n", st(reap(orphan)));
	// A zombie: still there, state Z, killable without effect.
	m = MUST(fork());
	if (!m)
		_exit(5);
	siginfo_t i;
	MUST(waitid(P_PID, m, &i, WEXITED | WNOWAIT));
	say("state %c\n", task_state(m));
	R(kill(m, 0));
	R(kill(m, SIGKILL));
	R(getpgid(m) == getpgrp() ? 0 : -1);
	say("%s\n", st(reap(m)));
	R(kill(m, 0));
	say("state %c\n", task_state(m));
	// Zombies of a parent that dies are reaped by their new parent: here by us.
	m = MUST(fork());
	if (!m) {
		for (int j = 0; j < 3; j++)
			if (!MUST(fork()))
				_exit(10 + j);
		ms(20);
		_exit(0);
	}
	reap(m);
	int n = 0, sum = 0, s;
	while (wait(&s) > 0)
		n++, sum += WEXITSTATUS(s);
	say("%d zombies, sum %d\n", n, sum);
	// Parent death signal.
	m = MUST(fork());
	if (!m) {
		if (!MUST(fork())) {
			on(SIGUSR2, h, 0);
			MUST(prctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0));
			int d = 0;
			MUST(prctl(PR_GET_PDEATHSIG, &d, 0, 0, 0));
			say("pdeathsig is USR2 %d\n", d == SIGUSR2);
			write(back[1], "x", 1);
			T(UNTIL(got == SIGUSR2));
			CHILD("not inherited", {
				prctl(PR_GET_PDEATHSIG, &d, 0, 0, 0);
				say("%d\n", d);
			});
			_exit(0);
		}
		read(back[0], &c, 1);
		_exit(0);
	}
	MUST(waitpid(m, &s, 0)); // the orphan prints now, and becomes ours
	say("orphan: %s\n", wait(&s) > 0 ? st(s) : en(errno));
	R(prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0));
	return 0;
}
