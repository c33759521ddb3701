// SPDX-License-Identifier: Apache-2.0
// Raw clone and clone3: shared files, fs, memory; set and clear of tid; bad combinations; exit signal.
#include "t.h"
#include <linux/sched.h>
#include <linux/futex.h>
static char stack[1 << 16] __attribute__((aligned(16)));
static volatile int shared;
static int fd_test;
static int child(void *a)
{
	shared = 5;
	if (a) {
		close(fd_test);
		chdir("/usr");
		umask(0);
	}
	return 6;
}
static int tls_child(void *a)
{
	(void)a;
	shared = 9;
	syscall(SYS_exit, 0);
	return 0;
}
static volatile sig_atomic_t sigs;
static void h(int s)
{
	sigs = s;
}
static long c3(struct clone_args *a)
{
	return syscall(SYS_clone3, a, sizeof *a);
}
int main(void)
{
	int p;
	char *top = stack + sizeof stack, cwd[200];
	pid_t ptid = 0;
	static pid_t ctid;
	tmp();
	fd_test = MUST(open("/dev/null", O_RDONLY));
	p = MUST(clone(child, top, SIGCHLD, 0));
	say("plain: %s ", st(reap(p)));
	say("shared %d\n", shared);
	p = MUST(clone(child, top, CLONE_VM | SIGCHLD, 0));
	say("VM: %s ", st(reap(p)));
	say("shared %d\n", shared);
	shared = 0;
	p = MUST(clone(child, top, CLONE_FILES | SIGCHLD, (void *)1));
	reap(p);
	say("FILES: closed %s\n", fcntl(fd_test, F_GETFD) < 0 ? en(errno) : "no");
	getcwd(cwd, sizeof cwd);
	say("cwd changed %d\n", !strcmp(cwd, "/usr"));
	p = MUST(clone(child, top, CLONE_FS | SIGCHLD, (void *)1));
	reap(p);
	getcwd(cwd, sizeof cwd);
	say("FS: cwd changed %d umask %o\n", !strcmp(cwd, "/usr"), umask(022));
	// Ids.
	p = MUST(clone(child, top, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &ptid, 0, &ctid));
	T(ptid == p && ctid == 0);
	reap(p);
	ctid = 1;
	shared = 0;
	p = MUST(clone(tls_child, top,
		       CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			       CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
		       0, &ptid, 0, &ctid));
	while (ctid)
		syscall(SYS_futex, &ctid, FUTEX_WAIT, 1, 0, 0, 0);
	T(ctid == 0 && shared == 9 && ptid == p);
	R(waitpid(p, 0, __WALL));
	// Exit signals other than SIGCHLD: __WCLONE.
	on(SIGUSR1, h, 0);
	p = MUST(clone(child, top, SIGUSR1, 0));
	T(UNTIL(sigs == SIGUSR1));
	R(waitpid(p, 0, WNOHANG));
	T(waitpid(p, 0, __WCLONE) == p);
	p = MUST(clone(child, top, 0, 0));
	T(waitpid(p, 0, __WALL) == p);
	// CLONE_PARENT: the new one is our sibling's child, that is ours.
	int fd[2], s;
	MUST(pipe(fd));
	CHILD("parent", {
		pid_t q = MUST(clone(child, top, CLONE_PARENT | SIGCHLD, 0));
		write(fd[1], &q, sizeof q);
	});
	pid_t q;
	read(fd[0], &q, sizeof q);
	T(waitpid(q, &s, 0) == q && WEXITSTATUS(s) == 6);
	// Combinations that make no sense.
	R(syscall(SYS_clone, CLONE_THREAD, top, 0, 0, 0));
	R(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, top, 0, 0, 0));
	R(syscall(SYS_clone, CLONE_SIGHAND, top, 0, 0, 0));
	R(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, top, 0, 0, 0));
	// clone3.
	struct clone_args a = {.exit_signal = SIGCHLD};
	p = c3(&a);
	if (!p)
		_exit(31);
	say("clone3: %s\n", p > 0 ? st(reap(p)) : en(errno));
	int pidfd = -1;
	a = (struct clone_args){.exit_signal = SIGCHLD,
				.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				.pidfd = (uintptr_t)&pidfd,
				.parent_tid = (uintptr_t)&ptid};
	p = c3(&a);
	if (!p)
		_exit(32);
	T(ptid == p && pidfd >= 0 && fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	struct pollfd pf = {pidfd, POLLIN, 0};
	R(poll(&pf, 1, 60000));
	say("%s\n", st(reap(p)));
	a = (struct clone_args){.exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND};
	p = c3(&a);
	if (!p) {
		struct sigaction sa;
		sigaction(SIGUSR1, 0, &sa);
		_exit(sa.sa_handler == SIG_DFL ? 33 : 34);
	}
	say("CLEAR_SIGHAND: %s\n", st(reap(p)));
	a = (struct clone_args){.exit_signal = 200};
	R(c3(&a));
	a = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
	R(c3(&a));
	a = (struct clone_args){.flags = CLONE_THREAD};
	R(c3(&a));
	a = (struct clone_args){.flags = 1ULL << 62};
	R(c3(&a));
	R(syscall(SYS_clone3, &a, 8));
	R(syscall(SYS_clone3, 8, sizeof a));
	return 0;
}
