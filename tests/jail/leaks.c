// SPDX-License-Identifier: Apache-2.0
// First wall: nothing that the kernel gives out has an address of its window in it, as bytes of its stack that nobody set would: system calls
// with memory for each of their pointers, ioctls and the like, signal frames, a debugger's view, files of /proc.
#include "attack.h"
#include <dirent.h>
#include <elf.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

struct call {
	int nr;
	const char *name, *args;
};
static const struct call calls[] = {
#define LEVEL_FULL(nr, name, args) {nr, #name, args},
#define LEVEL_PART(nr, name, args) {nr, #name, args},
#define LEVEL_NONE(nr, name, args)
#define X(nr, name, level, args, limits) LEVEL_##level(nr, name, args)
#include <syscall_table.h>
#undef X
};

#define ROOM 16384
#define ROOMS 6
static unsigned char room[ROOMS][ROOM] __attribute__((aligned(4096)));

/* An address of the window at any offset? Text of /proc has them as digits: not looked at here. */
static unsigned long window_address(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i++) {
		unsigned long v;

		if (p[i + 5] != 0x70 || p[i + 6] || p[i + 7])
			continue;
		memcpy(&v, p + i, 8);
		if (v - KERNEL_TEXT < 1UL << 32 || v - DIRECT_MAP < 1UL << 32)
			return v;
	}
	return 0;
}

static void look(const char *what, int n, const void *p, size_t len)
{
	unsigned long v = window_address(p, len);

	if (!v)
		return;
	printf("FAIL %s %d gives out %lx\n", what, n, v);
	fflush(stdout);
	_exit(44);
}

enum { NFDS = 16 };
static int fds[NFDS];
static void open_fds(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int p[2], s[2];

	if (pipe2(p, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s))
		_exit(45);
	if (write(p[1], "12345678", 8) != 8 || write(s[0], "12345678", 8) != 8)
		_exit(45);
	fds[0] = p[0];
	fds[1] = s[1];
	fds[2] = memfd_create("x", 0);
	fds[3] = epoll_create1(0);
	fds[4] = eventfd(1, EFD_NONBLOCK);
	fds[5] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	fds[6] = open("/proc/self", O_RDONLY | O_DIRECTORY);
	fds[7] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	fds[8] = open("/dev/zero", O_RDWR);
	fds[9] = inotify_init1(IN_NONBLOCK);
	fds[10] = open("/tmp", O_RDONLY | O_DIRECTORY);
	fds[11] = open("/usr", O_RDONLY | O_DIRECTORY);
	fds[12] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	fds[13] = open("/proc/self/status", O_RDONLY);
	fds[14] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	fds[15] = open("/dev/tty", O_RDWR | O_NONBLOCK);
	if (bind(fds[12], (void *)&name, 2) || bind(fds[14], (void *)&name, 2) || listen(fds[14], 1))
		_exit(45);
	inotify_add_watch(fds[9], "/tmp", IN_ALL_EVENTS);
	close(open("/tmp", O_RDONLY));
	epoll_ctl(fds[3], EPOLL_CTL_ADD, fds[4], &(struct epoll_event){EPOLLIN, {.u64 = 1}});
	if (ftruncate(fds[2], 65536))
		_exit(45);
}

static int split(const char *args, char kind[6][48])
{
	int n = 0, len = 0;

	memset(kind, 0, 6 * 48);
	for (const char *p = args; *p && n < 6; p++) {
		if (*p == ',') {
			n++;
			len = 0;
		} else if (len < 47) {
			kind[n][len++] = *p;
		}
	}
	return n + 1;
}

static bool is(const char *kind, const char *begin)
{
	return !strncmp(kind, begin, strlen(begin));
}

/* Plain arguments of several sorts, one after the other; each pointer has memory of its own. */
static void attempt(const struct call *c, int round)
{
	static const long sizes[] = {8, 16, 64, 128, 4096, 1, 144, 256};
	static const char *const paths[] = {"/proc/self/exe", "/tmp", "/", "/dev/zero"};
	char kind[6][48];
	long a[6] = {0};
	int n = split(c->args, kind);

	for (int i = 0; i < n; i++) {
		if (is(kind[i], "fd"))
			a[i] = fds[round % NFDS];
		else if (is(kind[i], "path"))
			a[i] = (long)paths[round % 4];
		else if (is(kind[i], "pid"))
			a[i] = round & 1 ? getpid() : 0;
		else if (is(kind[i], "size") || is(kind[i], "len"))
			a[i] = sizes[round / 2 % 8];
		else if (is(kind[i], "signal"))
			a[i] = SIGUSR1;
		else if (is(kind[i], "int") || is(kind[i], "flags") || is(kind[i], "-"))
			a[i] = round % 7;
		else if (is(kind[i], "off") || is(kind[i], "mode"))
			a[i] = 0;
		else
			a[i] = (long)room[i];
	}
	syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static const struct call *now;
static bool deadly(const char *name)
{
	static const char *const no[] = {"exit",
					 "exit_group",
					 "rt_sigreturn",
					 "execve",
					 "execveat",
					 "kill",
					 "tkill",
					 "tgkill",
					 "munmap",
					 "mprotect",
					 "mremap",
					 "fork",
					 "vfork",
					 "clone",
					 "clone3",
					 "pause",
					 "reboot",
					 "brk",
					 "rt_sigqueueinfo",
					 "rt_tgsigqueueinfo",
					 "pidfd_send_signal",
					 "mmap",
					 "madvise",
					 "shmat",
					 "close_range",
					 "rt_sigsuspend",
					 "pkey_mprotect",
					 "set_tid_address",
					 "unshare",
					 "setns"};

	for (unsigned i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (!strcmp(name, no[i]))
			return true;
	return false;
}

static void one_call(void)
{
	setpgid(0, 0);
	signal(SIGALRM, SIG_DFL);
	open_fds();
	ualarm(300000, 0);
	for (int round = 0; round < 112; round++) {
		memset(room, round < 56 ? 0 : 1, sizeof(room));
		attempt(now, round);
		look(now->name, round, room, sizeof(room));
		if (!strcmp(now->name, "close") || !strcmp(now->name, "dup2") || !strcmp(now->name, "dup3"))
			_exit(0);
	}
	_exit(0);
}

/* ---- commands ---- */
static void commands(void)
{
	setpgid(0, 0);
	open_fds();
	alarm(20);
	for (int f = 0; f < NFDS; f++) {
		for (int n = 0; n < 0x600; n++) {
			static const unsigned base[] = {0x5400, 0x80045400, 0x40045400, 0x80086600, 0x80045600, 0x4b00};

			memset(room[0], 0, ROOM);
			ioctl(fds[f], base[n >> 8] + (n & 255), room[0]);
			look("ioctl", base[n >> 8] + (n & 255), room[0], ROOM);
		}
		for (int n = 0; n < 1100; n++) {
			if (n == 64)
				n = 1024;
			memset(room[0], 0, ROOM);
			fcntl(fds[f], n, room[0]);
			look("fcntl", n, room[0], ROOM);
		}
		for (int level = 0; level < 2; level++) {
			for (int n = 0; n < 100; n++) {
				socklen_t len = 256;

				memset(room[0], 0, ROOM);
				getsockopt(fds[f], level, n, room[0], &len);
				look("getsockopt", n, room[0], ROOM);
			}
		}
	}
	for (int n = 0; n < 80; n++) {
		memset(room, 0, sizeof(room));
		if (n != 22 && n != 1)
			syscall(SYS_prctl, n, room[0], room[1], room[2], room[3]);
		look("prctl", n, room, sizeof(room));
	}
	for (int n = 0; n < 64; n++) {
		memset(room, 0, sizeof(room));
		syscall(SYS_msgctl, 0, n, room[0]);
		syscall(SYS_shmctl, 0, n, room[1]);
		syscall(SYS_semctl, 0, 0, n, room[2]);
		look("IPC control", n, room, sizeof(room));
	}
	_exit(0);
}
/* ---- the frame of a signal, from its restorer's address up to what was interrupted ---- */
static char stack[65536] __attribute__((aligned(64)));
static volatile int arrived;
static void on_signal(int sig, siginfo_t *si, void *uc)
{
	look("the frame of signal", sig, stack, sizeof(stack));
	arrived = sig == SIGRTMIN;
}
static void frames(void)
{
	stack_t ss = {stack, 0, sizeof(stack)};
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
	struct itimerspec it = {{0, 0}, {0, 1000}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	timer_t t;
	sigset_t all;
	int s;

	sigaltstack(&ss, NULL);
	for (int i = 1; i < 65; i++) {
		memset(stack, 0, sizeof(stack));
		if (i == SIGKILL || i == SIGSTOP || sigaction(i, &sa, NULL))
			continue;
		raise(i);
	}
	sigaction(SIGSEGV, &sa, NULL);
	if (!fork()) {
		*(volatile long *)DIRECT_MAP = 1; /* its own address is in there, rightly: not looked at */
		_exit(0);
	}
	sigaction(SIGRTMIN, &sa, NULL);
	arrived = 0;
	timer_create(CLOCK_MONOTONIC, &ev, &t);
	timer_settime(t, 0, &it, NULL);
	while (!arrived)
		sched_yield();
	/* and by the calls that give a signal out */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	s = signalfd(-1, &all, SFD_NONBLOCK);
	for (int i = 0; i < 3; i++) {
		memset(room, 0, sizeof(room));
		sigqueue(getpid(), SIGUSR1 + 2 * i, (union sigval){.sival_int = 1});
		if (i == 2) {
			if (read(s, room[0], ROOM) < 0)
				_exit(45);
		} else {
			syscall(SYS_rt_sigtimedwait, &all, room[0], NULL, 8);
		}
		look("a signal waited for, way", i, room, sizeof(room));
	}
	for (int i = 0; i < 2; i++) {
		memset(room, 0, sizeof(room));
		if (!fork())
			_exit(1);
		if (i)
			syscall(SYS_wait4, -1, room[0], 0, room[1]);
		else
			syscall(SYS_waitid, P_ALL, 0, room[0], WEXITED, room[1]);
		look("a wait, way", i, room, sizeof(room));
	}
	_exit(0);
}

/* ---- a debugger ---- */
static void debugger(void)
{
	int st;
	pid_t p = fork();

	if (!p) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (int i = 0; i < 10; i++)
			syscall(SYS_getppid);
		_exit(0);
	}
	for (int i = 0; i < 12 && waitpid(p, &st, 0) == p && WIFSTOPPED(st); i++) {
		static const int sets[] = {NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE};

		for (int k = 0; k < 3; k++) {
			struct iovec v = {room[k], ROOM};

			memset(room[k], 0, ROOM);
			ptrace(PTRACE_GETREGSET, p, sets[k], &v);
			look("a set of registers", sets[k], room[k], ROOM);
		}
		memset(room, 0, sizeof(room));
		ptrace(PTRACE_GETREGS, p, 0, room[0]);
		ptrace(PTRACE_GETFPREGS, p, 0, room[1]);
		ptrace(PTRACE_GETSIGINFO, p, 0, room[2]);
		ptrace(PTRACE_GETEVENTMSG, p, 0, room[3]);
		ptrace(0x420e /* GET_SYSCALL_INFO */, p, 88, room[4]);
		for (int at = 0; at < 928; at += 8)
			syscall(SYS_ptrace, PTRACE_PEEKUSER, p, at, room[5] + at);
		look("a request, stop", i, room, sizeof(room));
		ptrace(i & 1 ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, p, 0, 0);
	}
	_exit(0);
}

/* ---- /proc: as digits, too ---- */
static void proc_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, room, sizeof(room) - 1);
	char *text = (char *)room;

	close(fd);
	if (n <= 0)
		return;
	text[n] = 0;
	look(path, 0, room, n);
	for (char *p = text; (p = strstr(p, "7010")); p++) {
		unsigned long v = strtoul(p, NULL, 16);

		if (v >= DIRECT_MAP && v < DIRECT_MAP + (1UL << 40)) {
			printf("FAIL %s gives out %lx\n", path, v);
			fflush(stdout);
			_exit(44);
		}
	}
}
static void proc_dir(const char *path, int depth)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char sub[512];

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) >= (int)sizeof(sub))
			continue;
		if (e->d_type == DT_DIR && depth)
			proc_dir(sub, depth - 1);
		else if (e->d_type == DT_REG && strcmp(e->d_name, "mem") && strcmp(e->d_name, "kallsyms") &&
			 strcmp(e->d_name, "kmsg"))
			proc_file(sub);
	}
	if (d)
		closedir(d);
}
static void proc(void)
{
	alarm(60);
	if (!geteuid() && setuid(65534)) /* root may see more */
		_exit(45);
	proc_dir("/proc/self", 3);
	proc_dir("/proc/sys", 4);
	proc_dir("/proc", 0);
	proc_dir("/sys", 4);
	_exit(0);
}

static void judge(const char *what, void (*fn)(void))
{
	int st = in_child(fn);

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (WIFEXITED(st) && WEXITSTATUS(st)) {
		printf("FAIL %s: status %x\n", what, st);
		failures++;
	}
}

int main(void)
{
	unsigned long planted = DIRECT_MAP + 0x1234;
	unsigned tried = 0;

	memcpy(room[1] + 3, &planted, 8);
	must_fail("the test sees an address", window_address(room[0], sizeof(room)) == planted);
	for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		now = &calls[i];
		if (!strchr(now->args, ',') && !*now->args)
			continue;
		if (deadly(now->name))
			continue;
		judge(now->name, one_call);
		tried++;
	}
	judge("commands", commands);
	judge("frames", frames);
	judge("a debugger", debugger);
	judge("/proc", proc);
	printf("ok %u calls tried\n", tried);
	return failures != 0;
}
