// SPDX-License-Identifier: Apache-2.0
// Resource limits: NOFILE, FSIZE with SIGXFSZ, AS, STACK, NPROC, CPU; raising and lowering; prlimit.
#include "t.h"
static volatile sig_atomic_t got;
static void h(int s)
{
	got = s;
}
static void set(int r, rlim_t n)
{
	struct rlimit l;
	MUST(getrlimit(r, &l));
	l.rlim_cur = n;
	MUST(setrlimit(r, &l));
}
int main(void)
{
	struct rlimit l, o;
	tmp();
	CHILD("NOFILE", {
		for (int i = 3; i < 30; i++)
			close(i);
		set(RLIMIT_NOFILE, 10);
		int n = 0;
		while (open("/dev/null", O_RDONLY) >= 0)
			n++;
		say("%d opened, then %s\n", n, en(errno));
		R(dup(0));
		R(dup2(0, 10));
		R(dup2(0, 9));
		R(fcntl(0, F_DUPFD, 10));
		int p[2];
		R(pipe(p));
		close(9);
		R(pipe(p));
		R(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		R(open("/dev/null", O_RDONLY));
		struct pollfd pf[11];
		memset(pf, 0, sizeof pf);
		R(poll(pf, 11, 0));
		set(RLIMIT_NOFILE, 5); // what is open stays open
		R(fcntl(9, F_GETFD));
		say("sysconf %ld\n", sysconf(_SC_OPEN_MAX));
	});
	CHILD("FSIZE", {
		on(SIGXFSZ, h, 0);
		set(RLIMIT_FSIZE, 1000);
		int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
		char b[700];
		memset(b, 'x', sizeof b);
		R(write(fd, b, 700));
		R(write(fd, b, 700));
		say("signal %d\n", got);
		R(write(fd, b, 700));
		say("signal XFSZ %d\n", got == SIGXFSZ);
		got = 0;
		R(pwrite(fd, b, 10, 5000));
		say("signal XFSZ %d\n", got == SIGXFSZ);
		R(pwrite(fd, b, 10, 100));
		got = 0;
		R(ftruncate(fd, 1001));
		say("signal XFSZ %d\n", got == SIGXFSZ);
		R(ftruncate(fd, 1000));
		got = 0;
		R(fallocate(fd, 0, 0, 1001));
		say("signal XFSZ %d\n", got == SIGXFSZ);
		R(fallocate(fd, 0, 0, 1000));
		int p[2];
		MUST(pipe(p));
		R(write(p[1], b, 700));
		signal(SIGXFSZ, SIG_DFL);
		write(fd, b, 10);
	});
	CHILD("AS", {
		set(RLIMIT_AS, 256 << 20);
		O(mmap(0, 512 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		O(mmap(0, 16 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		void *volatile p = malloc(400 << 20);
		say("malloc %s\n", p ? "ok" : "NULL");
		char *m = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		O(mremap(m, 4096, 300 << 20, MREMAP_MAYMOVE));
	});
	CHILD("DATA", {
		set(RLIMIT_DATA, 64 << 20);
		O(mmap(0, 128 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		O(mmap(0, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		O(mmap(0, 128 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	});
	CHILD("NPROC", {
		nobody();
		if (getuid() == 65534 || 1) {
			set(RLIMIT_NPROC, 0);
			pid_t p = fork();
			if (!p)
				_exit(0);
			say("fork: %s\n", p < 0 ? en(errno) : "ok");
			pthread_t t;
			void *nothing(void *a)
			{
				return a;
			}
			say("thread: %s\n", en(pthread_create(&t, 0, nothing, 0)));
		}
	});
	CHILD("CPU", {
		on(SIGXCPU, h, 0);
		l = (struct rlimit){1, 2};
		MUST(setrlimit(RLIMIT_CPU, &l));
		while (!got)
			;
		say("signal XCPU %d\n", got == SIGXCPU);
		for (;;)
			;
	});
	CHILD("hard limit", {
		nobody();
		MUST(getrlimit(RLIMIT_NOFILE, &l));
		l.rlim_cur = l.rlim_max = 100;
		R(setrlimit(RLIMIT_NOFILE, &l));
		l.rlim_max = 101;
		R(setrlimit(RLIMIT_NOFILE, &l));
		l = (struct rlimit){101, 100};
		R(setrlimit(RLIMIT_NOFILE, &l));
		l = (struct rlimit){100, 100};
		R(setrlimit(RLIMIT_NOFILE, &l));
		l = (struct rlimit){20, 20};
		R(prlimit(0, RLIMIT_NOFILE, &l, &o));
		say("old %ld %ld\n", (long)o.rlim_cur, (long)o.rlim_max);
		R(prlimit(getpid(), RLIMIT_NOFILE, 0, &o));
		say("new %ld %ld\n", (long)o.rlim_cur, (long)o.rlim_max);
		CHILD("inherited", {
			getrlimit(RLIMIT_NOFILE, &o);
			say("%ld\n", (long)o.rlim_max);
		});
		CHILD("by exec", execl("/bin/sh", "sh", "-c", "ulimit -n", NULL));
	});
	R(getrlimit(99, &l));
	R(setrlimit(99, &l));
	R(syscall(SYS_prlimit64, 1 << 22, RLIMIT_NOFILE, 0, &l));
	R(syscall(SYS_getrlimit, RLIMIT_CORE, 8));
	getrlimit(RLIMIT_CORE, &l);
	say("core %ld\n", (long)l.rlim_cur);
	// By another process.
	int fd[2];
	char c;
	MUST(pipe(fd));
	pid_t p = MUST(fork());
	if (!p) {
		read(fd[0], &c, 1);
		getrlimit(RLIMIT_FSIZE, &l);
		_exit(l.rlim_cur == 4096 ? 0 : 1);
	}
	l = (struct rlimit){4096, RLIM_INFINITY};
	R(prlimit(p, RLIMIT_FSIZE, &l, 0));
	write(fd[1], "x", 1);
	say("%s\n", st(reap(p)));
	return 0;
}
