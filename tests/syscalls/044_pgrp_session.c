// SPDX-License-Identifier: Apache-2.0
// Process groups and sessions: setpgid and setsid rules and errors, inheritance, kill to groups.
#include "t.h"
static volatile sig_atomic_t got;
static void h(int s)
{
	(void)s;
	got++;
}
int main(void)
{
	int fd[2], back[2], s;
	char c;
	MUST(pipe(fd));
	MUST(pipe(back));
	CHILD("session", {
		T(getpgrp() != getpid());
		T(setsid() == getpid());
		T(getsid(0) == getpid() && getpgrp() == getpid());
		R(setsid());
		R(setpgid(0, 0));
		CHILD("inherited", T(getsid(0) == getppid() && getpgrp() == getppid()));
		CHILD("open tty", O(open("/dev/tty", O_RDWR)));
	});
	CHILD("groups", {
		setsid();
		pid_t k = MUST(fork());
		if (!k) {
			read(fd[0], &c, 1);
			_exit(0);
		}
		R(setpgid(k, k));
		T(getpgid(k) == k && getpgrp() != k);
		pid_t k2 = MUST(fork());
		if (!k2) {
			read(fd[0], &c, 1);
			_exit(0);
		}
		R(setpgid(k2, k));
		T(getpgid(k2) == k);
		R(setpgid(k2, 1 << 22));
		R(setpgid(k2, -5));
		R(setpgid(1 << 22, 0));
		R(setpgid(k2, getpgrp()) == 0 && getpgid(k2) == getpid());
		R(getpgid(1 << 22));
		R(getsid(1 << 22));
		// A child that has called execve may not be moved.
		pid_t k3 = MUST(fork());
		if (!k3) {
			dup2(back[1], 1);
			execl("/bin/sh", "sh", "-c", "echo x; exec sleep 100", NULL);
			_exit(1);
		}
		read(back[0], &c, 1);
		read(back[0], &c, 1);
		R(setpgid(k3, k3));
		kill(k3, SIGKILL);
		reap(k3);
		// A child in another session may not be moved, nor may we join another session's group.
		k3 = MUST(fork());
		if (!k3) {
			setsid();
			write(back[1], "x", 1);
			read(fd[0], &c, 1);
			_exit(0);
		}
		read(back[0], &c, 1);
		R(setpgid(k3, getpgrp()));
		R(setpgid(k, k3));
		write(fd[1], "xxx", 3);
		for (int i = 0; i < 3; i++)
			wait(&s);
	});
	// kill to a group: by -pgid, by 0, killpg; every member gets it once.
	CHILD("kill group", {
		setsid();
		on(SIGUSR1, h, 0);
		pid_t k[3];
		for (int i = 0; i < 3; i++)
			if (!(k[i] = MUST(fork()))) {
				write(back[1], "x", 1);
				_exit(UNTIL(got == 1) ? 0 : 1);
			}
		for (int i = 0; i < 3; i++)
			read(back[0], &c, 1);
		R(kill(0, SIGUSR1));
		for (int i = 0; i < 3; i++)
			say("%s\n", st(reap(k[i])));
		T(UNTIL(got == 1));
		for (int i = 0; i < 3; i++) {
			if (!(k[i] = MUST(fork())))
				for (;;)
					pause();
			setpgid(k[i], k[0]);
		}
		R(kill(-k[0], 0));
		R(kill(-k[0], SIGTERM));
		for (int i = 0; i < 3; i++)
			say("%s\n", st(reap(k[i])));
		R(kill(-k[0], SIGTERM));
		R(killpg(1 << 22, 0));
		R(kill(1 << 22, 0));
		R(kill(getpid(), 99));
	});
	// wait for a group.
	CHILD("wait by group", {
		setsid();
		pid_t a = MUST(fork());
		if (!a)
			_exit(1);
		setpgid(a, a);
		pid_t b = MUST(fork());
		if (!b) {
			ms(20);
			_exit(2);
		}
		T(waitpid(0, &s, 0) == b || setpgid(a, a) < 0);
		T(waitpid(-a, &s, 0) == a || errno == ECHILD);
	});
	// An orphaned group with a stopped member gets HUP and CONT.
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	pid_t leader = MUST(fork());
	if (!leader) {
		setsid();
		pid_t mid = MUST(fork());
		if (!mid) {
			setpgid(0, 0);
			pid_t q = MUST(fork());
			if (!q) {
				raise(SIGSTOP);
				for (;;)
					pause();
			}
			waitpid(q, &s, WUNTRACED);
			_exit(0);
		}
		reap(mid);
		read(fd[0], &c, 1); // until the orphan has been collected
		_exit(0);
	}
	say("%s\n", wait(&s) != leader ? st(s) : "the leader");
	write(fd[1], "x", 1);
	say("%s\n", st(reap(leader)));
	R(wait(&s));
	return 0;
}
