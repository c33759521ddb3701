// SPDX-License-Identifier: Apache-2.0
// Interrupted system calls: SA_RESTART against EINTR for read, write, wait, futex, sleep, poll, select, accept, locks.
#include "t.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/un.h>
#include <sys/file.h>
#include <linux/futex.h>
static int fd[2], fl[2], ran[2];
static volatile int hits;
static void h(int s)
{
	(void)s;
	hits++;
	write(ran[1], "", 1);
}
// A helper sends a signal when we sleep, later it ends the wait for good: so a restarted call succeeds.
static pid_t helper(void (*finish)(void))
{
	pid_t me = getpid(), p = MUST(fork());
	if (!p) {
		settle(me);
		kill(me, SIGUSR1);
		ms(20);
		settle(me);
		finish();
		_exit(0);
	}
	return p;
}
static void f_write(void)
{
	write(fd[1], "x", 1);
}
static void f_drain(void)
{
	char b[65536];
	read(fl[0], b, sizeof b);
}
static void f_usr2(void)
{
	kill(getppid(), SIGUSR2);
}
static int word;
#define CASE(what, finish, ...)                                                                                        \
	do {                                                                                                           \
		for (int r = 0; r < 2; r++) {                                                                          \
			on(SIGUSR1, h, r ? SA_RESTART : 0);                                                            \
			on(SIGUSR2, h, 0);                                                                             \
			hits = 0;                                                                                      \
			pid_t k = helper(finish);                                                                      \
			errno = 0;                                                                                     \
			long v = (long)(__VA_ARGS__);                                                                  \
			int e = errno;                                                                                 \
			say("%s %s: %s, handlers %s\n", what, r ? "restart" : "plain", v == -1 ? en(e) : "ok",         \
			    hits ? "ran" : "none");                                                                    \
			reap(k);                                                                                       \
			char b[8];                                                                                     \
			fcntl(fd[0], F_SETFL, O_NONBLOCK);                                                             \
			while (read(fd[0], b, 8) > 0)                                                                  \
				;                                                                                      \
			fcntl(fd[0], F_SETFL, 0);                                                                      \
		}                                                                                                      \
	} while (0)
int main(void)
{
	char c, big[65536];
	MUST(pipe(fd));
	MUST(pipe(fl));
	MUST(pipe2(ran, O_NONBLOCK));
	memset(big, 0, sizeof big);
	fcntl(fl[1], F_SETFL, O_NONBLOCK);
	while (write(fl[1], big, sizeof big) > 0)
		;
	fcntl(fl[1], F_SETFL, 0);
	CASE("read pipe", f_write, read(fd[0], &c, 1));
	struct iovec iv = {&c, 1};
	CASE("readv pipe", f_write, readv(fd[0], &iv, 1));
	CASE("pause", f_usr2, pause());
	struct timespec t10 = {60, 0};
	CASE("nanosleep", f_usr2, nanosleep(&t10, 0));
	struct pollfd pf = {fd[0], POLLIN, 0};
	CASE("poll", f_write, poll(&pf, 1, 60000));
	CASE("ppoll", f_write, ppoll(&pf, 1, &t10, 0));
	struct timeval tv;
	fd_set s;
	CASE("select", f_write,
	     (tv = (struct timeval){60, 0}, ({
		      FD_ZERO(&s);
		      FD_SET(fd[0], &s);
	      }),
	      select(fd[0] + 1, &s, 0, 0, &tv)));
	int ep = epoll_create1(0);
	struct epoll_event ev = {.events = EPOLLIN};
	epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev);
	CASE("epoll_wait", f_write, epoll_wait(ep, &ev, 1, 60000));
	CASE("futex wait", f_usr2, syscall(SYS_futex, &word, FUTEX_WAIT, 0, 0, 0, 0));
	CASE("futex wait with timeout", f_usr2, syscall(SYS_futex, &word, FUTEX_WAIT, 0, &t10, 0, 0));
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	CASE("sigtimedwait", f_usr2, sigtimedwait(&set, 0, &t10));
	sigset_t none;
	sigemptyset(&none);
	CASE("sigsuspend", f_usr2, sigsuspend(&none));
	CASE("write to a full pipe", f_drain, write(fl[1], big, 1));
	// Sockets.
	static int sv[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	void f_sock(void)
	{
		write(sv[1], "x", 1);
	}
	CASE("recv", f_sock, recv(sv[0], &c, 1, 0));
	struct timeval rt = {60, 0};
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &rt, sizeof rt);
	CASE("recv with a time limit", f_sock, recv(sv[0], &c, 1, 0));
	while (recv(sv[0], &c, 1, MSG_DONTWAIT) > 0)
		;
	// Locks.
	tmp();
	int lk[2];
	MUST(pipe(lk));
	for (int kind = 0; kind < 2; kind++)
		for (int r = 0; r < 2; r++) {
			put("lock", "");
			pid_t me = getpid(), k = MUST(fork());
			if (!k) {
				int f = MUST(open("lock", O_RDWR));
				struct flock l = {.l_type = F_WRLCK};
				if (kind ? fcntl(f, F_SETLK, &l) : flock(f, LOCK_EX))
					say("lock failed\n");
				write(lk[1], "x", 1);
				settle(me);
				kill(me, SIGUSR1);
				ms(20);
				settle(me);
				_exit(0);
			}
			read(lk[0], &c, 1);
			int f = MUST(open("lock", O_RDWR));
			struct flock l = {.l_type = F_WRLCK};
			on(SIGUSR1, h, r ? SA_RESTART : 0);
			O(kind ? fcntl(f, F_SETLKW, &l) : flock(f, LOCK_EX));
			reap(k);
			close(f);
		}
	// wait.
	for (int r = 0; r < 2; r++) {
		char drop;
		while (read(ran[0], &drop, 1) > 0)
			;
		on(SIGUSR1, h, r ? SA_RESTART : 0);
		pid_t me = getpid(), k = MUST(fork());
		if (!k) {
			settle(me);
			kill(me, SIGUSR1);
			struct pollfd handled = {ran[0], POLLIN, 0};
			poll(&handled, 1, 60000); // a child that had ended before would be reported all the same
			_exit(0);
		}
		errno = 0;
		pid_t v = waitpid(k, 0, 0);
		say("waitpid %s: %s\n", r ? "restart" : "plain", v < 0 ? en(errno) : "ok");
		if (v < 0)
			reap(k);
	}
	// What was done already is reported: a write that filled a part, the rest of a sleep.
	on(SIGUSR1, h, SA_RESTART);
	int q[2];
	MUST(pipe(q));
	pid_t me = getpid(), k = MUST(fork());
	if (!k) {
		settle(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	static char huge[200000];
	R(write(q[1], huge, sizeof huge));
	reap(k);
	struct timespec rem = {0, 0};
	k = MUST(fork());
	if (!k) {
		settle(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	R(nanosleep(&t10, &rem));
	T(rem.tv_sec < 60 && (rem.tv_sec > 0 || rem.tv_nsec > 0));
	reap(k);
	// A signal that is ignored, or whose default is nothing, or stop and continue, does not disturb.
	signal(SIGUSR1, SIG_IGN);
	k = MUST(fork());
	if (!k) {
		settle(me);
		kill(me, SIGUSR1);
		kill(me, SIGCHLD);
		kill(me, SIGWINCH);
		ms(30);
		write(fd[1], "y", 1);
		_exit(0);
	}
	R(read(fd[0], &c, 1));
	reap(k);
	// Stopped and continued: nanosleep and read go on.
	k = MUST(fork());
	if (!k) {
		struct timespec t = {0, 80000000};
		long long b = now_ns();
		R(nanosleep(&t, 0));
		T(now_ns() - b >= 80000000);
		R(read(fd[0], &c, 1));
		_exit(0);
	}
	settle(k);
	int w;
	kill(k, SIGSTOP);
	waitpid(k, &w, WUNTRACED);
	kill(k, SIGCONT);
	ms(100);
	settle(k);
	kill(k, SIGSTOP);
	waitpid(k, &w, WUNTRACED);
	kill(k, SIGCONT);
	write(fd[1], "z", 1);
	say("%s\n", st(reap(k)));
	return 0;
}
