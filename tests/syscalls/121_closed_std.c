// SPDX-License-Identifier: Apache-2.0
// Standard descriptors that are closed, replaced or of odd kinds, for us and for programs that we start.
#include "t.h"
int main(void)
{
	tmp();
	CHILD("closed stdin", {
		close(0);
		execl("/bin/sh", "sh", "-c", "cat || echo cat failed", NULL);
	});
	CHILD("closed stdout", {
		close(1);
		execl("/bin/sh", "sh", "-c", "echo x 2>/dev/null; exit $?", NULL);
	});
	CHILD("all closed", {
		close(0);
		close(1);
		close(2);
		execl("/bin/true", "true", NULL);
	});
	CHILD("first open gets 0", {
		close(0);
		close(1);
		int a = open("/dev/null", O_RDWR);
		int b = dup(2);
		_exit(a * 10 + b);
	});
	CHILD("full device", {
		dup2(MUST(open("/dev/full", O_WRONLY)), 1);
		R(write(1, "x", 1));
		_exit(write(1, "x", 1) < 0 ? errno : 0);
	});
	CHILD("stdout is a file", {
		dup2(MUST(open("o", O_RDWR | O_CREAT, 0600)), 1);
		execl("/bin/sh", "sh", "-c", "echo one; (echo two); echo three", NULL);
	});
	say("%s", get("o"));
	CHILD("append", {
		dup2(MUST(open("o", O_WRONLY | O_APPEND)), 1);
		execl("/bin/sh", "sh", "-c", "echo four", NULL);
	});
	say("%s", get("o"));
	CHILD("stdin is a directory", {
		dup2(MUST(open(".", O_RDONLY)), 0);
		char c;
		R(read(0, &c, 1));
	});
	R(fcntl(0, F_GETFD));
	R(fcntl(1, F_GETFD));
	R(fcntl(2, F_GETFD));
	char c;
	R(read(0, &c, 1)); // the runner gives /dev/null
	R(isatty(0));
	R(isatty(1));
	// /dev/stdout and /proc/self/fd/1 of a pipe of our own.
	CHILD("reopened", {
		int p[2];
		char b[100];
		MUST(pipe(p));
		int keep = dup(1);
		dup2(p[1], 1);
		int d = MUST(open("/dev/stdout", O_WRONLY));
		write(d, "by /dev/stdout ", 15);
		int e = MUST(open("/proc/self/fd/1", O_WRONLY));
		write(e, "by /proc", 8);
		ssize_t n = read(p[0], b, sizeof b);
		dup2(keep, 1);
		say("%.*s\n", (int)n, b);
	});
	return 0;
}
