// SPDX-License-Identifier: Apache-2.0
// Helpers of the system-call tests: print facts (never pids, addresses or times), temp directories, children.
#ifndef T_H
#define T_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELPER static __attribute__((unused))

// One write(2) for each line: no stdio buffer that fork would duplicate.
HELPER __attribute__((format(printf, 1, 2))) void say(const char *fmt, ...)
{
	char b[4096];
	va_list ap;
	int e = errno;

	va_start(ap, fmt);
	int n = vsnprintf(b, sizeof b, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof b)
		n = sizeof b;
	for (int o = 0; o < n;) {
		ssize_t w = write(1, b + o, n - o);
		if (w <= 0)
			break;
		o += w;
	}
	errno = e;
}

HELPER const char *en(int e)
{
	const char *s = e ? strerrorname_np(e) : "0";
	return s ? s : "E?";
}

// R(call): print the result, or the errno's name. O(call): the same, but only "ok" for any success.
#define R(e)                                                                                                           \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long r_ = (long)(e);                                                                                   \
		int e_ = errno;                                                                                        \
		if (r_ == -1)                                                                                          \
			say("%s -> %s\n", #e, en(e_));                                                                 \
		else                                                                                                   \
			say("%s -> %ld\n", #e, r_);                                                                    \
	} while (0)
#define O(e)                                                                                                           \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long r_ = (long)(e);                                                                                   \
		int e_ = errno;                                                                                        \
		say("%s -> %s\n", #e, r_ == -1 ? en(e_) : "ok");                                                       \
	} while (0)
// T(condition): a fact that must hold. The line number and errno go to stderr, which is not compared.
#define T(...)                                                                                                         \
	do {                                                                                                           \
		int t_ = !!(__VA_ARGS__), e_ = errno;                                                                  \
		say("%s: %s\n", t_ ? "ok" : "FAIL", #__VA_ARGS__);                                                     \
		if (!t_)                                                                                               \
			fprintf(stderr, "%s:%d: errno %s\n", __FILE__, __LINE__, en(e_));                              \
	} while (0)
// MUST(call): set-up that the test cannot do without.
#define MUST(e)                                                                                                        \
	({                                                                                                             \
		long m_ = (long)(e);                                                                                   \
		if (m_ == -1) {                                                                                        \
			int e_ = errno;                                                                                \
			say("setup failed: %s: %s\n", #e, en(e_));                                                     \
			fprintf(stderr, "%s:%d\n", __FILE__, __LINE__);                                                \
			_exit(99);                                                                                     \
		}                                                                                                      \
		m_;                                                                                                    \
	})

HELPER const char *st(int s)
{
	static __thread char b[64];

	if (WIFEXITED(s))
		snprintf(b, sizeof b, "exit %d", WEXITSTATUS(s));
	else if (WIFSIGNALED(s))
		snprintf(b, sizeof b, "signal SIG%s", sigabbrev_np(WTERMSIG(s)) ?: "?");
	else if (WIFSTOPPED(s))
		snprintf(b, sizeof b, "stopped SIG%s", sigabbrev_np(WSTOPSIG(s)) ?: "?");
	else if (WIFCONTINUED(s))
		snprintf(b, sizeof b, "continued");
	else
		snprintf(b, sizeof b, "status %#x", s);
	return b;
}

HELPER int reap(pid_t p)
{
	int s;

	while (waitpid(p, &s, 0) < 0)
		if (errno != EINTR)
			return -1;
	return s;
}

// Run statements in a child and print how it ended.
#define CHILD(label, ...)                                                                                              \
	do {                                                                                                           \
		pid_t p_ = MUST(fork());                                                                               \
		if (!p_) {                                                                                             \
			__VA_ARGS__;                                                                                   \
			_exit(0);                                                                                      \
		}                                                                                                      \
		say("%s: %s\n", label, st(reap(p_)));                                                                  \
	} while (0)

HELPER void ms(long n)
{
	struct timespec t = {n / 1000, n % 1000 * 1000000};
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

HELPER long long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Wait (a minute at most: a machine may be busy) until a condition holds.
#define UNTIL(...)                                                                                                     \
	({                                                                                                             \
		int u_ = 0;                                                                                            \
		for (int i_ = 0; i_ < 60000 && !(u_ = !!(__VA_ARGS__)); i_++)                                          \
			ms(1);                                                                                         \
		u_;                                                                                                    \
	})

HELPER char task_state(pid_t tid)
{
	char p[64], b[512], *q;
	snprintf(p, sizeof p, "/proc/%d/stat", tid);
	int fd = open(p, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	ssize_t n = read(fd, b, sizeof b - 1);
	close(fd);
	if (n <= 0)
		return '?';
	b[n] = 0;
	q = strrchr(b, ')');
	return q ? q[2] : '?';
}

// Let another task reach its blocking call: seen asleep (or stopped, or ended) in /proc, and a little while more.
HELPER void settle(pid_t tid)
{
	for (int i = 0; i < 60000; i++) {
		char c = task_state(tid);
		if (c != 'R' && c != 'D') // asleep, or it has ended
			break;
		ms(1);
	}
	ms(15);
}

HELPER void rm_rf(int at, const char *name)
{
	if (!unlinkat(at, name, 0))
		return;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		DIR *d = fdopendir(fd);
		struct dirent *e;
		while (d && (e = readdir(d)))
			if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
				rm_rf(fd, e->d_name);
		if (d)
			closedir(d);
	}
	unlinkat(at, name, AT_REMOVEDIR);
}

static char tmp_dir[64];
static pid_t tmp_owner;
HELPER void tmp_clean(void)
{
	if (tmp_owner == getpid()) {
		if (chdir("/")) {
		}
		rm_rf(AT_FDCWD, tmp_dir);
	}
}

// A private directory, made the working directory, removed at exit.
HELPER const char *tmp(void)
{
	umask(022);
	strcpy(tmp_dir, "/tmp/husk-t-XXXXXX");
	if (!mkdtemp(tmp_dir)) {
		say("setup failed: mkdtemp %s\n", en(errno));
		_exit(99);
	}
	MUST(chmod(tmp_dir, 0755));
	MUST(chdir(tmp_dir));
	tmp_owner = getpid();
	atexit(tmp_clean);
	return tmp_dir;
}

// Become an ordinary user for good (a no-op for one who already is).
HELPER void nobody(void)
{
	if (geteuid() == 0) {
		MUST(setgroups(0, 0));
		MUST(setresgid(65534, 65534, 65534));
		MUST(setresuid(65534, 65534, 65534));
	}
}

HELPER void put(const char *name, const char *text)
{
	int fd = MUST(open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	MUST(write(fd, text, strlen(text)));
	close(fd);
}

HELPER char *get(const char *name)
{
	static char b[65536];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, r;
	if (fd < 0) {
		snprintf(b, sizeof b, "(%s)", en(errno));
		return b;
	}
	while (n < (ssize_t)sizeof b - 1 && (r = read(fd, b + n, sizeof b - 1 - n)) > 0)
		n += r;
	close(fd);
	b[n] = 0;
	return b;
}

HELPER void on(int sig, void (*h)(int), int flags)
{
	struct sigaction a = {.sa_handler = h, .sa_flags = flags};
	MUST(sigaction(sig, &a, 0));
}

HELPER void on_info(int sig, void (*h)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = {.sa_sigaction = h, .sa_flags = flags | SA_SIGINFO};
	MUST(sigaction(sig, &a, 0));
}

HELPER void block(int sig)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, sig);
	MUST(sigprocmask(SIG_BLOCK, &s, 0));
}

HELPER void unblock(int sig)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, sig);
	MUST(sigprocmask(SIG_UNBLOCK, &s, 0));
}

HELPER pid_t my_tid(void)
{
	return syscall(SYS_gettid);
}
#endif
