// SPDX-License-Identifier: Apache-2.0
// signalfd: fields, several at once, poll, changed mask, non-blocking, per-thread sight, errors.
#include "t.h"
#include <sys/signalfd.h>
int main(void)
{
	sigset_t m;
	struct signalfd_siginfo s[4];
	sigemptyset(&m);
	sigaddset(&m, SIGUSR1);
	sigaddset(&m, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &m, 0);
	int fd = MUST(signalfd(-1, &m, SFD_NONBLOCK | SFD_CLOEXEC));
	R(fcntl(fd, F_GETFD));
	R(read(fd, s, sizeof s));
	struct pollfd p = {fd, POLLIN, 0};
	R(poll(&p, 1, 0));
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 77});
	R(poll(&p, 1, 0));
	R(read(fd, s, 100));
	R(read(fd, s, sizeof s) / (int)sizeof *s);
	say("%d %d code USER %d QUEUE %d value %d\n", s[0].ssi_signo == SIGUSR1, s[1].ssi_signo == (unsigned)SIGRTMIN,
	    s[0].ssi_code == SI_USER, s[1].ssi_code == SI_QUEUE, s[1].ssi_int);
	T(s[0].ssi_pid == (unsigned)getpid() && s[0].ssi_uid == getuid());
	R(read(fd, s, sizeof s));
	// The mask of the descriptor may be changed.
	sigaddset(&m, SIGUSR2);
	sigprocmask(SIG_BLOCK, &m, 0);
	kill(getpid(), SIGUSR2);
	R(poll(&p, 1, 0));
	T(signalfd(fd, &m, 0) == fd);
	R(poll(&p, 1, 0));
	R(read(fd, s, sizeof s) / (int)sizeof *s);
	// Blocking read, woken by a child's end.
	sigaddset(&m, SIGCHLD);
	sigprocmask(SIG_BLOCK, &m, 0);
	int g = MUST(signalfd(-1, &m, 0));
	pid_t me = getpid(), k = MUST(fork());
	if (!k) {
		settle(me);
		_exit(9);
	}
	R(read(g, s, sizeof *s) == sizeof *s);
	say("CHLD %d exited %d status %d pid right %d\n", s[0].ssi_signo == SIGCHLD, s[0].ssi_code == CLD_EXITED,
	    s[0].ssi_status, s[0].ssi_pid == (unsigned)k);
	reap(k);
	// In a child it shows the child's signals.
	CHILD("child", {
		kill(getpid(), SIGUSR1);
		R(read(fd, s, sizeof s) / (int)sizeof *s);
		T(s[0].ssi_pid == (unsigned)getpid());
	});
	R(poll(&p, 1, 0));
	O(signalfd(99, &m, 0));
	O(signalfd(0, &m, 0));
	O(signalfd(-1, &m, 0x40));
	R(syscall(SYS_signalfd4, -1, &m, 3, 0));
	return 0;
}
