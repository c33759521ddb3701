// SPDX-License-Identifier: Apache-2.0
// POSIX record locks, OFD locks and flock: ranges, conflicts, getlk, blocking, deadlock, release on close, exec and exit.
#include "t.h"
#include <sys/file.h>
static int lk(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock l = {.l_type = type, .l_start = start, .l_len = len};
	return fcntl(fd, cmd, &l);
}
static const char *who(int fd, int cmd, int type, off_t start, off_t len)
{
	static char b[100];
	struct flock l = {.l_type = type, .l_start = start, .l_len = len};
	if (fcntl(fd, cmd, &l))
		return en(errno);
	if (l.l_type == F_UNLCK)
		return "free";
	snprintf(b, sizeof b, "%s %ld+%ld by %s", l.l_type == F_WRLCK ? "write" : "read", (long)l.l_start,
		 (long)l.l_len,
		 l.l_pid == -1		? "OFD"
		 : l.l_pid == getppid() ? "parent"
					: "other");
	return b;
}
int main(void)
{
	int p[2], q[2];
	char c;
	tmp();
	put("f", "0123456789");
	MUST(pipe(p));
	MUST(pipe(q));
	int fd = MUST(open("f", O_RDWR)), ro = MUST(open("f", O_RDONLY)), wo = MUST(open("f", O_WRONLY));
	R(lk(fd, F_SETLK, F_WRLCK, 0, 10));
	R(lk(fd, F_SETLK, F_RDLCK, 3, 2)); // splits
	R(lk(fd, F_SETLK, F_UNLCK, 8, 1));
	CHILD("sight", {
		int g = MUST(open("f", O_RDWR));
		say("%s\n", who(g, F_GETLK, F_WRLCK, 0, 0));
		say("%s\n", who(g, F_GETLK, F_RDLCK, 3, 2));
		say("%s\n", who(g, F_GETLK, F_WRLCK, 3, 2));
		say("%s\n", who(g, F_GETLK, F_WRLCK, 8, 1));
		say("%s\n", who(g, F_GETLK, F_WRLCK, 9, 5));
		say("%s\n", who(g, F_GETLK, F_WRLCK, 100, 5));
		R(lk(g, F_SETLK, F_RDLCK, 4, 1));
		R(lk(g, F_SETLK, F_WRLCK, 4, 1));
		R(lk(g, F_SETLK, F_WRLCK, 8, 1));
		R(lk(fd, F_SETLK, F_WRLCK, 0, 1)); // not inherited
	});
	say("own locks: %s\n", who(fd, F_GETLK, F_WRLCK, 0, 0));
	R(lk(ro, F_SETLK, F_WRLCK, 50, 1));
	R(lk(wo, F_SETLK, F_RDLCK, 50, 1));
	R(lk(fd, F_SETLK, 77, 0, 1));
	R(lk(fd, F_SETLK, F_WRLCK, -5, 1));
	R(lk(fd, F_SETLK, F_WRLCK, 20, -5));
	R(lk(p[0], F_SETLK, F_RDLCK, 0, 1) == 0 || errno == EBADF || errno == EINVAL);
	// Closing any descriptor of the file drops them all.
	close(wo);
	CHILD("after close of another descriptor", R(lk(fd, F_SETLK, F_WRLCK, 0, 0)));
	// Blocking.
	R(lk(fd, F_SETLKW, F_WRLCK, 0, 5));
	pid_t k = MUST(fork());
	if (!k) {
		lk(fd, F_SETLK, F_WRLCK, 4, 2) == -1 || (_exit(99), 0);
		_exit(lk(fd, F_SETLKW, F_WRLCK, 4, 2) ? errno : 0);
	}
	settle(k);
	say("unlocking\n");
	R(lk(fd, F_SETLK, F_UNLCK, 0, 0));
	say("%s\n", st(reap(k)));
	// Released by exit.
	k = MUST(fork());
	if (!k) {
		lk(fd, F_SETLK, F_WRLCK, 0, 0);
		write(p[1], "x", 1);
		read(q[0], &c, 1);
		kill(getpid(), SIGKILL);
	}
	read(p[0], &c, 1);
	R(lk(fd, F_SETLK, F_WRLCK, 0, 0));
	write(q[1], "x", 1);
	R(lk(fd, F_SETLKW, F_WRLCK, 0, 0));
	reap(k);
	lk(fd, F_SETLK, F_UNLCK, 0, 0);
	// Deadlock.
	R(lk(fd, F_SETLK, F_WRLCK, 0, 1));
	k = MUST(fork());
	if (!k) {
		R(lk(fd, F_SETLK, F_WRLCK, 1, 1));
		write(p[1], "x", 1);
		int r = lk(fd, F_SETLKW, F_WRLCK, 0, 1); // waits for the parent
		_exit(r ? errno : 0);
	}
	read(p[0], &c, 1);
	settle(k);
	R(lk(fd, F_SETLKW, F_WRLCK, 1, 1)); // would wait for the child
	lk(fd, F_SETLK, F_UNLCK, 0, 0);
	say("%s\n", st(reap(k)));
	// Kept by exec.
	k = MUST(fork());
	if (!k) {
		lk(fd, F_SETLK, F_WRLCK, 0, 0);
		dup2(q[0], 0);
		dup2(p[1], 1);
		execl("/bin/sh", "sh", "-c", "echo x; read y", NULL);
	}
	read(p[0], &c, 1);
	R(lk(fd, F_SETLK, F_WRLCK, 0, 0));
	write(q[1], "x\n", 2);
	reap(k);
	read(p[0], &c, 1);
	// OFD locks belong to the open file.
	int a = MUST(open("f", O_RDWR)), b = MUST(open("f", O_RDWR));
	R(lk(a, F_OFD_SETLK, F_WRLCK, 0, 5));
	R(lk(b, F_OFD_SETLK, F_WRLCK, 0, 5));
	R(lk(b, F_OFD_SETLK, F_WRLCK, 5, 5));
	say("%s\n", who(b, F_OFD_GETLK, F_WRLCK, 0, 5));
	R(lk(fd, F_SETLK, F_WRLCK, 0, 1));
	CHILD("inherited open file", R(lk(a, F_OFD_SETLK, F_WRLCK, 0, 5)));
	k = MUST(fork());
	if (!k) {
		close(a);
		_exit(lk(b, F_OFD_SETLKW, F_WRLCK, 0, 5) ? errno : 0);
	}
	settle(k);
	close(a);
	say("%s\n", st(reap(k)));
	close(b);
	// flock.
	a = MUST(open("f", O_RDONLY));
	b = MUST(open("f", O_RDONLY));
	R(flock(a, LOCK_EX));
	R(flock(b, LOCK_EX | LOCK_NB));
	R(flock(b, LOCK_SH | LOCK_NB));
	R(flock(a, LOCK_SH));
	R(flock(b, LOCK_SH | LOCK_NB));
	R(flock(a, LOCK_EX | LOCK_NB));
	R(flock(b, LOCK_UN));
	R(flock(a, LOCK_EX | LOCK_NB));
	R(lk(fd, F_SETLK, F_WRLCK, 0, 0)); // of another kind: no conflict
	int d = dup(a);
	close(a);
	R(flock(b, LOCK_EX | LOCK_NB));
	k = MUST(fork());
	if (!k) {
		close(d);
		_exit(flock(b, LOCK_EX) ? errno : 0);
	}
	settle(k);
	R(flock(d, LOCK_UN));
	say("%s\n", st(reap(k)));
	R(flock(b, 77));
	R(flock(99, LOCK_EX));
	return 0;
}
