// SPDX-License-Identifier: Apache-2.0
// waitid: P_ALL, P_PID, P_PGID, P_PIDFD, WNOWAIT, the siginfo fields, and errors.
#include "t.h"
#include <sys/pidfd.h>
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
static pid_t spawn(int how)
{
	pid_t p = MUST(fork());
	if (!p) {
		if (how < 0)
			kill(getpid(), -how);
		if (how == 1000)
			for (;;)
				pause();
		_exit(how);
	}
	return p;
}
static void show(const char *what, int r, siginfo_t *i, pid_t p)
{
	int e = errno;
	static const char *code[] = {"0", "EXITED", "KILLED", "DUMPED", "TRAPPED", "STOPPED", "CONTINUED"};
	if (r)
		say("%s: %s\n", what, en(e));
	else
		say("%s: pid %s signo %s code %s status %d uid %d\n", what,
		    i->si_pid == p ? "right"
		    : i->si_pid	   ? "wrong"
				   : "0",
		    i->si_signo == SIGCHLD ? "CHLD" : "0", code[i->si_code % 7], i->si_status,
		    i->si_pid == 0 || i->si_uid == getuid());
}
int main(void)
{
	siginfo_t i;
	pid_t p;
#define W(what, type, id, opt) (memset(&i, 0, sizeof i), errno = 0, show(what, waitid(type, id, &i, opt), &i, p))
	p = spawn(7);
	W("nowait", P_PID, p, WEXITED | WNOWAIT);
	W("nowait again", P_PID, p, WEXITED | WNOWAIT);
	W("taken", P_PID, p, WEXITED);
	W("gone", P_PID, p, WEXITED);
	p = spawn(-SIGTERM);
	W("killed", P_ALL, 0, WEXITED);
	p = spawn(1000);
	W("running", P_PID, p, WEXITED | WNOHANG);
	kill(p, SIGSTOP);
	W("stopped nowait", P_PID, p, WSTOPPED | WNOWAIT);
	W("stopped", P_PID, p, WSTOPPED);
	W("stopped once", P_PID, p, WSTOPPED | WNOHANG);
	kill(p, SIGCONT);
	W("continued", P_PID, p, WCONTINUED);
	W("continued once", P_PID, p, WCONTINUED | WNOHANG);
	kill(p, SIGKILL);
	W("killed", P_PID, p, WEXITED | WSTOPPED | WCONTINUED);
	W("no options", P_ALL, 0, 0);
	W("bad options", P_ALL, 0, WEXITED | 0x800000);
	W("bad type", 77, 0, WEXITED);
	W("bad pid", P_PID, 0, WEXITED);
	// Groups.
	p = spawn(1000);
	MUST(setpgid(p, p));
	pid_t q = spawn(4);
	reap(q);
	kill(p, SIGTERM);
	W("group", P_PGID, p, WEXITED);
	// pidfd.
	p = spawn(11);
	int fd = MUST(syscall(SYS_pidfd_open, p, 0));
	W("pidfd", P_PIDFD, fd, WEXITED);
	W("pidfd gone", P_PIDFD, fd, WEXITED);
	W("pidfd bad", P_PIDFD, 99, WEXITED);
	close(fd);
	p = spawn(1000);
	fd = MUST(syscall(SYS_pidfd_open, p, 0));
	struct pollfd pf = {fd, POLLIN, 0};
	R(poll(&pf, 1, 0));
	R(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0));
	R(syscall(SYS_pidfd_send_signal, fd, SIGINT, 0, 0));
	R(poll(&pf, 1, 60000));
	// A directory of /proc will do for sending, that of a thread will not.
	char dir[64];
	snprintf(dir, sizeof(dir), "/proc/%d", getpid());
	int pd = MUST(open(dir, O_RDONLY | O_DIRECTORY));
	R(syscall(SYS_pidfd_send_signal, pd, 0, 0, 0));
	W("proc", P_PIDFD, pd, WEXITED);
	close(pd);
	snprintf(dir, sizeof(dir), "/proc/self/task/%d", getpid());
	pd = MUST(open(dir, O_RDONLY | O_DIRECTORY));
	R(syscall(SYS_pidfd_send_signal, pd, 0, 0, 0));
	close(pd);
	pd = MUST(open("/proc", O_RDONLY | O_DIRECTORY));
	R(syscall(SYS_pidfd_send_signal, pd, 0, 0, 0));
	close(pd);
	say("POLLIN %d\n", pf.revents & POLLIN);
	W("pidfd killed", P_PIDFD, fd, WEXITED);
	R(syscall(SYS_pidfd_send_signal, fd, SIGINT, 0, 0));
	R(syscall(SYS_pidfd_open, 1 << 22, 0));
	R(syscall(SYS_pidfd_open, getpid(), 0x4000));
	R(fcntl(fd, F_GETFD));
	// rusage comes with the raw call.
	struct rusage ru;
	memset(&ru, 0xff, sizeof ru);
	p = spawn(0);
	memset(&i, 0, sizeof i);
	R(syscall(SYS_waitid, P_PID, p, &i, WEXITED, &ru));
	T(ru.ru_utime.tv_sec >= 0 && ru.ru_utime.tv_sec < 60);
	return 0;
}
