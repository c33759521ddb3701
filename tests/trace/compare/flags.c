// SPDX-License-Identifier: Apache-2.0
// Calls with each flag and each command that there is, and memory that is not: every one fails, and its trace names them all.
#define _GNU_SOURCE
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* One call whose arguments are all -1 but for one of them. */
static void call(long nr, int at, uint64_t v)
{
	uint64_t a[6] = {-1, -1, -1, -1, -1, -1};

	a[at] = v;
	syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void flags(long nr, int at)
{
	call(nr, at, UINT64_MAX);
	call(nr, at, 0);
	for (int bit = 0; bit < 32; bit++)
		call(nr, at, 1ull << bit);
}

static void values(long nr, int at, int from, int to)
{
	for (int v = from; v < to; v++)
		call(nr, at, (int64_t)v);
}

#define F(name, at)                                                                                                    \
	{                                                                                                              \
		SYS_##name, at                                                                                         \
	}
static const struct {
	int nr, at;
} sets[] = {
	F(openat, 2),
	F(mmap, 2),
	F(mmap, 3),
	F(mprotect, 2),
	F(mremap, 3),
	F(msync, 2),
	F(mlock2, 2),
	F(access, 1),
	F(faccessat2, 3),
	F(faccessat2, 2),
	F(sendto, 3),
	F(socket, 1),
	F(accept4, 3),
	F(unlinkat, 2),
	F(linkat, 4),
	F(newfstatat, 3),
	F(fchownat, 4),
	F(statx, 2),
	F(statx, 3),
	F(utimensat, 3),
	F(execveat, 4),
	F(renameat2, 4),
	F(pipe2, 1),
	F(signalfd4, 3),
	F(timerfd_settime, 1),
	F(inotify_add_watch, 2),
	F(memfd_create, 1),
	F(splice, 5),
	F(fallocate, 1),
	F(sync_file_range, 3),
	F(preadv2, 5),
	F(getrandom, 2),
	F(pidfd_send_signal, 3),
	F(setxattr, 4),
	F(mount, 3),
	F(umount2, 1),
	F(timer_settime, 1),
	F(clock_nanosleep, 1),
	F(dup3, 2),
	F(copy_file_range, 5),
	F(recvmmsg, 3),
	F(process_vm_readv, 5),
	F(sched_setattr, 2),
	F(pidfd_getfd, 2),
	F(mkdir, 1),
	F(chmod, 1),
	F(mknod, 1),
	F(waitid, 3),
};
#define V(name, at, from, to)                                                                                          \
	{                                                                                                              \
		SYS_##name, at, from, to                                                                               \
	}
static const struct {
	int nr, at, from, to;
} lists[] = {
	V(lseek, 2, -2, 7),
	V(rt_sigprocmask, 0, -2, 5),
	V(madvise, 2, -2, 30),
	V(madvise, 2, 98, 104),
	V(shutdown, 1, -2, 5),
	V(socket, 0, -2, 3),
	V(socket, 1, -2, 14),
	V(getitimer, 0, -2, 5),
	V(getrlimit, 0, -2, 18),
	V(getrusage, 0, -3, 4),
	V(getpriority, 0, -2, 5),
	V(sched_setscheduler, 1, -2, 9),
	V(sched_get_priority_max, 0, -2, 9),
	V(clock_gettime, 0, -2, 14),
	V(timer_create, 0, -2, 14),
	V(epoll_ctl, 1, -2, 6),
	V(fcntl, 1, -2, 44),
	V(fcntl, 1, 1024, 1040),
	V(ioprio_get, 0, -2, 5),
	V(ioprio_set, 0, -2, 5),
	V(fadvise64, 3, -2, 9),
	V(membarrier, 0, -2, 9),
	V(futex, 1, -2, 16),
	V(futex, 1, 128, 144),
	V(futex, 1, 256, 274),
	V(ioctl, 1, 0x5400, 0x5480),
	V(prctl, 0, 52, 54),
	V(prctl, 0, 66, 80),
	V(setsockopt, 2, -2, 80),
	V(kill, 1, 65, 70),
	V(arch_prctl, 0, 0x1005, 0x1010),
};

/* What is in memory. */
static void structures(void)
{
	struct termios t;
	struct epoll_event e = {.events = UINT32_MAX};
	struct sockaddr_un u = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
	struct pollfd p[40];
	uint64_t action[4] = {1, UINT64_MAX, 0x1000, 0}, stack[3] = {0x1000, UINT64_MAX, 7};

	memset(&t, 0xff, sizeof(t));
	syscall(SYS_ioctl, -1, TCSETS, &t);
	memset(&t, 0, sizeof(t));
	syscall(SYS_ioctl, -1, TCSETSW, &t);
	syscall(SYS_epoll_ctl, -1, EPOLL_CTL_ADD, -1, &e);
	syscall(SYS_connect, -1, &u, sizeof(u));
	syscall(SYS_connect, -1, &u, 2);
	syscall(SYS_connect, -1, &u, 5);
	u.sun_path[0] = 0;
	syscall(SYS_connect, -1, &u, 10);
	syscall(SYS_rt_sigaction, SIGUSR1, action, NULL, 4);
	syscall(SYS_sigaltstack, stack, NULL);
	for (int i = 0; i < 40; i++)
		p[i] = (struct pollfd){.fd = 99, .events = i ? 1 << i % 16 : -1};
	syscall(SYS_poll, p, 40, 0);
	for (uint64_t n = 0; n < 64; n += 7) {
		uint64_t set = ~0ull << n;

		syscall(SYS_rt_sigprocmask, 99, &set, NULL, 8);
	}
	for (int len = 28; len < 36; len++) { /* strings at the limit, with digits after what is escaped */
		char s[40] = "\001"
			     "8\0017\"\\\t\r\n\v\f";

		memset(s + 11, '0', sizeof(s) - 11);
		s[len] = 0;
		syscall(SYS_openat, -1, s, 0);
		syscall(SYS_setxattr, -1, s, s, len, 0);
		syscall(SYS_write, -1, s, len);
	}
}

int main(void)
{
	for (unsigned i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		flags(sets[i].nr, sets[i].at);
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		values(lists[i].nr, lists[i].at, lists[i].from, lists[i].to);
	structures();
	return 0;
}
