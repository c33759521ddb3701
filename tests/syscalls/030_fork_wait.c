// SPDX-License-Identifier: Apache-2.0
// fork and wait: exit codes, signals, any child, order, ECHILD, memory and descriptors after fork.
// build: static
#include "t.h"
int main(void)
{
	int s;
	for (int i = 0; i < 4; i++)
		CHILD("exit", _exit((int[]){0, 1, 255, 256 + 9}[i]));
	CHILD("kill", kill(getpid(), SIGKILL));
	CHILD("usr1", raise(SIGUSR1));
	CHILD("fpe", raise(SIGFPE));
	CHILD("rt", { kill(getpid(), SIGRTMIN + 3); });
	R(wait(&s));
	R(waitpid(-1, &s, WNOHANG));
	R(waitpid(getpid(), &s, 0));
	R(waitpid(1 << 22, &s, 0));
	R(waitpid(-1, &s, 0x40));
	// Pids differ, ppid is right.
	pid_t me = getpid();
	CHILD("ppid", T(getppid() == me && getpid() != me));
	CHILD("own pid by raw call", T(syscall(SYS_getpid) == getpid() && syscall(SYS_gettid) == getpid()));
	// Ten children, waited for in another order than they ended.
	pid_t k[10];
	for (int i = 0; i < 10; i++)
		if (!(k[i] = MUST(fork()))) {
			ms(i * 3);
			_exit(i);
		}
	for (int i = 9; i >= 0; i--)
		say("%s\n", st(reap(k[i])));
	// wait(-1) gets each of them once.
	int got = 0, code = 0;
	for (int i = 0; i < 10; i++)
		if (!MUST(fork()))
			_exit(i);
	pid_t p;
	while ((p = wait(&s)) > 0)
		got++, code += WEXITSTATUS(s);
	say("got %d sum %d then %s\n", got, code, en(errno));
	// WNOHANG: 0 while it runs.
	int fd[2];
	char c;
	MUST(pipe(fd));
	if (!(k[0] = MUST(fork()))) {
		read(fd[0], &c, 1);
		_exit(3);
	}
	R(waitpid(k[0], &s, WNOHANG));
	write(fd[1], "x", 1);
	say("%s\n", st(reap(k[0])));
	R(waitpid(k[0], &s, 0));
	// A shared file offset, separate descriptors.
	tmp();
	int f = MUST(open("f", O_RDWR | O_CREAT, 0600));
	CHILD("writes and closes", {
		write(f, "child", 5);
		close(f);
	});
	R(lseek(f, 0, SEEK_CUR));
	R(write(f, "parent", 6));
	say("%s\n", get("f"));
	// Children of children are not ours.
	CHILD("middle", {
		pid_t q = MUST(fork());
		if (!q)
			_exit(5);
		T(waitpid(q, 0, 0) == q);
	});
	// SIGCHLD ignored: no zombies, wait blocks until all have gone and says ECHILD.
	CHILD("ignored", {
		signal(SIGCHLD, SIG_IGN);
		for (int i = 0; i < 3; i++)
			if (!fork())
				_exit(i);
		R(wait(&s));
	});
	// Deep nesting.
	int depth = 0;
	p = 0;
	while (depth < 20 && !(p = MUST(fork())))
		depth++;
	if (depth == 20)
		_exit(20);
	s = reap(p);
	if (depth)
		_exit(WEXITSTATUS(s));
	say("nested: %s\n", st(s));
	// The bad status pointer: the child has been reaped all the same.
	if (!(k[0] = MUST(fork())))
		_exit(0);
	R(syscall(SYS_wait4, k[0], 8, 0, 0) == k[0] ? 0 : -1);
	R(waitpid(k[0], &s, 0));
	return 0;
}
