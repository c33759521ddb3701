// SPDX-License-Identifier: Apache-2.0
// First wall: every system call of the table that takes a pointer is given addresses of the kernel window, for each of its pointers in
// turn, with arguments that let it come as far as the pointer. None may succeed, none may write there, and the sandbox goes on.
#include "attack.h"
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
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

/* ---- a page that is known by two addresses: a user's, and the kernel's in the direct map (without keys it can be found) ---- */
static unsigned char *mine, *alias;

static sigjmp_buf hole;
static void on_hole(int sig)
{
	siglongjmp(hole, 1);
}
static void find_alias(unsigned long ram)
{
	signal(SIGSEGV, on_hole); /* guard pages of kernel stacks */
	signal(SIGBUS, on_hole);
	for (int i = 0; i < 4096; i++)
		mine[i] = i * 37 + 11;
	for (volatile unsigned long at = 0; at < ram && !alias; at += 4096)
		if (!sigsetjmp(hole, 1) && !memcmp((void *)(DIRECT_MAP + at), mine, 4096))
			alias = (void *)(DIRECT_MAP + at);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
}
static int changed(void)
{
	for (int i = 0; i < 4096; i++)
		if (mine[i])
			return 1;
	return 0;
}

/* ---- arguments ---- */
enum { NFDS = 10 };
static int fds[NFDS];
static void open_fds(void)
{
	int p[2], s[2];

	if (pipe2(p, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s))
		_exit(45);
	if (write(p[1], "12345678", 8) != 8 || write(s[0], "12345678", 8) != 8)
		_exit(45);
	fds[0] = p[0];
	fds[1] = p[1];
	fds[2] = s[1];
	fds[3] = memfd_create("x", 0);
	fds[4] = epoll_create1(0);
	fds[5] = eventfd(1, EFD_NONBLOCK);
	fds[6] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	fds[7] = open("/proc/self", O_RDONLY | O_DIRECTORY);
	fds[8] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	fds[9] = open("/dev/zero", O_RDWR);
	if (pwrite(fds[3], mine, 4096, 0) != 4096)
		_exit(45);
}

static bool is_pointer(const char *kind)
{
	static const char *const plain[] = {"fd", "pid", "int", "size", "off", "mode", "signal", "flags", "-"};

	for (unsigned i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (!strncmp(kind, plain[i], strlen(plain[i])))
			return false;
	return *kind;
}

/* kinds of a call's arguments, from "fd,buf_out:2,size" */
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

static char good[8192] __attribute__((aligned(64)));
/* Try number round of a call with its pointer which bad: the others are of several sorts, so that one of the rounds gets there. */
static long attempt(const struct call *c, int which, unsigned long bad, int round)
{
	static const long sizes[] = {8, 1, 16, 64, 128, 4096};
	char kind[6][48];
	long a[6] = {0};
	int n = split(c->args, kind);

	for (int i = 0; i < n; i++) {
		if (i == which)
			a[i] = bad;
		else if (!strncmp(kind[i], "fd", 2))
			a[i] = fds[round % NFDS];
		else if (!strncmp(kind[i], "path", 4))
			a[i] = (long)"/proc/self/exe";
		else if (!strncmp(kind[i], "pid", 3))
			a[i] = round & 1 ? getpid() : 0;
		else if (!strncmp(kind[i], "size", 4))
			a[i] = sizes[round % 6];
		else if (!strncmp(kind[i], "signal", 6))
			a[i] = SIGUSR1;
		else if (!strncmp(kind[i], "int", 3))
			a[i] = round % 5;
		else if (is_pointer(kind[i]))
			a[i] = round % 3 ? (long)good : 0;
	}
	return syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static const struct call *now;
static int now_arg;
static bool now_is_buffer;
static unsigned long now_bad;
static void one_call(void)
{
	pid_t me = getpid();

	setpgid(0, 0);
	signal(SIGALRM, SIG_DFL);
	open_fds();
	ualarm(300000, 0); /* a call that waits */
	for (int round = 0; round < 60; round++) {
		long r;

		memset(good, 0, sizeof(good));
		r = attempt(now, now_arg, now_bad, round);
		if (getpid() != me) /* the call made a process */
			_exit(0);
		if (r > 0 && now_is_buffer) /* other results say nothing: judged by what was changed */
			_exit(44);
	}
	_exit(0);
}

static bool data_went_through(int st)
{
	return WIFEXITED(st) && WEXITSTATUS(st) == 44;
}

/* ---- pointers in structures ---- */
static struct iovec *bad_iov(void)
{
	static struct iovec v[2];

	v[0] = (struct iovec){good, 0};
	v[1] = (struct iovec){(void *)now_bad, 8};
	return v;
}
static struct msghdr *bad_msg(int what)
{
	static struct msghdr m;
	static struct iovec v = {good, 8};

	m = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
	if (what == 0) {
		m.msg_iov = (void *)now_bad;
	} else if (what == 1) {
		m.msg_name = (void *)now_bad;
		m.msg_namelen = 110;
	} else if (what == 2) {
		m.msg_control = (void *)now_bad;
		m.msg_controllen = 128;
	} else {
		m.msg_iov = bad_iov();
		m.msg_iovlen = 2;
	}
	return &m;
}
static long in_iovec(int n)
{
	struct iovec mine_v = {good, 8}, bad_v = {(void *)now_bad, 8};

	switch (n) {
	case 0:
		return readv(fds[0], bad_iov(), 2);
	case 1:
		return writev(fds[1], bad_iov(), 2);
	case 2:
		return preadv(fds[3], bad_iov(), 2, 0);
	case 3:
		return pwritev(fds[3], bad_iov(), 2, 0);
	case 4:
		return vmsplice(fds[1], bad_iov(), 2, SPLICE_F_NONBLOCK);
	case 5:
		return process_vm_readv(getpid(), &mine_v, 1, &bad_v, 1, 0);
	case 6:
		return process_vm_writev(getpid(), &mine_v, 1, &bad_v, 1, 0);
	case 7:
		return process_vm_readv(getpid(), &bad_v, 1, &mine_v, 1, 0);
	case 8:
		return process_vm_writev(getpid(), &bad_v, 1, &mine_v, 1, 0);
	case 9:
		return readv(fds[9], bad_iov(), 2);
	case 10:
		return preadv2(fds[3], bad_iov(), 2, 0, 0);
	}
	return -2;
}
static long in_message(int n)
{
	struct mmsghdr mm = {.msg_hdr = *bad_msg(n & 3)};

	switch (n / 4) {
	case 0:
		return n & 3 && (n & 3) < 3 ? 0 : sendmsg(fds[2], bad_msg(n & 3), MSG_DONTWAIT);
	case 1:
		return n & 3 && (n & 3) < 3 ? 0 : recvmsg(fds[2], bad_msg(n & 3), MSG_DONTWAIT);
	case 2:
		return n & 3 && (n & 3) < 3 ? 0 : sendmmsg(fds[2], &mm, 1, MSG_DONTWAIT);
	case 3:
		return n & 3 && (n & 3) < 3 ? 0 : recvmmsg(fds[2], &mm, 1, MSG_DONTWAIT, NULL);
	}
	return -2;
}
static long in_others(int n)
{
	char *argv[] = {"x", (char *)now_bad, NULL}, *none[] = {NULL};
	struct {
		void *set;
		size_t size;
	} six = {(void *)now_bad, 8};
	struct {
		void *next;
		long off;
		void *pending;
	} robust = {(void *)now_bad, 0, (void *)now_bad};
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_value.sival_ptr = (void *)now_bad};
	struct timespec soon = {0, 1000};
	struct {
		unsigned long val, uaddr;
		unsigned flags, pad;
	} waitv = {0, now_bad, 2, 0};
	unsigned long cl[11] = {0x01000000 | 0x00100000 | 0x00200000, 0, now_bad, now_bad, SIGCHLD};
	timer_t id;
	int st;

	switch (n) {
	case 0:
		return execve("/bin/true", argv, none) < 0 ? 0 : 1;
	case 1:
		return execve("/bin/true", none, argv) < 0 ? 0 : 1;
	case 2:
		return syscall(SYS_pselect6, 0, NULL, NULL, NULL, &soon, &six) < 0 ? 0 : 1;
	case 3:
		if (!fork()) {
			syscall(SYS_set_robust_list, &robust, 24);
			_exit(0);
		}
		return wait(&st) < 0;
	case 4:
		if (!fork()) {
			syscall(SYS_set_tid_address, now_bad);
			_exit(0);
		}
		return wait(&st) < 0;
	case 5:
		return syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) * 0;
	case 6:
		return syscall(SYS_futex_waitv, &waitv, 1, 0, &soon, CLOCK_MONOTONIC) < 0 ? 0 : 1;
	case 7: /* CLONE_CHILD_SETTID, CLEARTID, PARENT_SETTID */
		st = syscall(SYS_clone3, cl, 88);
		if (!st)
			_exit(0);
		return st > 0 ? wait(&st) * 0 : 0;
	case 8:
		st = syscall(SYS_clone, 0x01000000 | 0x00100000 | 0x00200000 | SIGCHLD, 0, now_bad, now_bad, 0);
		if (!st)
			_exit(0);
		return st > 0 ? wait(&st) * 0 : 0;
	case 9:
		return syscall(SYS_futex, now_bad, FUTEX_WAKE_OP, 1, 1, now_bad, FUTEX_OP(FUTEX_OP_SET, 7, 0, 0)) > 0;
	case 10:
		return syscall(SYS_futex, now_bad, FUTEX_CMP_REQUEUE, 1, 1, good, 0) > 0;
	case 11:
		return syscall(SYS_prctl, 15 /* PR_SET_NAME */, now_bad, 0, 0, 0) == 0;
	case 12:
		return syscall(SYS_prctl, 16 /* PR_GET_NAME */, now_bad, 0, 0, 0) == 0;
	case 13:
		return syscall(SYS_prctl, 37 /* PR_GET_CHILD_SUBREAPER */, now_bad, 0, 0, 0) == 0;
	case 14:
		return syscall(SYS_prctl, 40 /* PR_GET_TID_ADDRESS */, now_bad, 0, 0, 0) == 0;
	case 15:
		return syscall(SYS_prctl, 2 /* PR_GET_PDEATHSIG */, now_bad, 0, 0, 0) == 0;
	case 16:
		return syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, now_bad) == 0;
	case 17:
		return syscall(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, now_bad) == 0;
	}
	return -2;
}
/* ioctl() and fcntl() take a pointer by command. The commands of all devices there are, and some more. */
static long in_commands(int n)
{
	for (int f = 0; f < NFDS; f++) {
		if (n < 0x100) {
			ioctl(fds[f], 0x5400 + n, now_bad);
		} else if (n < 0x200) {
			ioctl(fds[f], 0x80045400 + (n & 255), now_bad); /* pty's: TIOCGPTN and neighbours */
			ioctl(fds[f], 0x40045400 + (n & 255), now_bad);
		} else if (n < 0x240) {
			fcntl(fds[f], n & 63, now_bad);
			fcntl(fds[f], 1024 + (n & 63), now_bad);
		} else if (n < 0x260) {
			ioctl(fds[f], 0x80086600 + (n & 31), now_bad); /* FS_IOC_* */
			ioctl(fds[f], 0x40086600 + (n & 31), now_bad);
		} else {
			return -2;
		}
	}
	return 0;
}

static const struct {
	const char *name;
	long (*fn)(int n);
} nested[] = {{"iovec", in_iovec}, {"message", in_message}, {"structure", in_others}, {"command", in_commands}};
static unsigned now_nested;
static void one_nested(void)
{
	setpgid(0, 0);
	open_fds();
	alarm(30);
	for (int n = 0;; n++) {
		long r = nested[now_nested].fn(n);

		if (r == -2)
			_exit(0);
		if (r > 0) {
			printf("%s %d: %ld\n", nested[now_nested].name, n, r);
			fflush(stdout);
			_exit(44);
		}
	}
}

/* quiet: the child must live to its end */
static void judge(const char *name, int arg, void (*fn)(void), bool quiet)
{
	int st;

	memset(mine, 0, 4096); /* an empty string, an empty set, a time that is over */
	st = in_child(fn);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (quiet && st)
		printf("(the child ended with status %x) ", st);
	else if (!data_went_through(st) && !changed())
		return;
	printf("FAIL %s: argument %d at %lx: %s\n", name, arg, now_bad,
	       changed() ? "the kernel wrote there" : "data went through");
	failures++;
}

int main(int argc, char **argv)
{
	static unsigned long bad[] = {
		DIRECT_MAP + 0x200000, KERNEL_TEXT, PROC_PRIVATE, 0xffff888000000000, ~0UL - 7, 0x8000000000000000, 0};
	bool keys = argc > 1 && !strcmp(argv[1], "keys");
	unsigned nbad = 6, tried = 0;
	char kind[6][48];

	mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keys) {
		nbad = 2; /* such machines are often emulated, and slow */
	} else {
		find_alias(64UL << 20);
		must_fail("the test finds its page in the direct map", alias != NULL);
		bad[nbad++] = (unsigned long)alias;
	}
	now_bad = (unsigned long)mine;
	in_child(one_nested);
	must_fail("the test sees what the kernel writes", changed());
	for (unsigned b = 0; b < nbad; b++) {
		now_bad = bad[b];
		for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
			now = &calls[i];
			for (now_arg = 0; now_arg < split(now->args, kind); now_arg++) {
				if (!is_pointer(kind[now_arg]))
					continue;
				split(now->args, kind);
				now_is_buffer =
					!strncmp(kind[now_arg], "buf_", 4) || !strncmp(kind[now_arg], "iov_", 4);
				judge(now->name, now_arg, one_call, false);
				tried++;
			}
		}
		for (now_nested = 0; now_nested < sizeof(nested) / sizeof(*nested); now_nested++)
			judge(nested[now_nested].name, 0, one_nested, true);
	}
	printf("ok %u pointers tried\n", tried);
	return failures != 0;
}
