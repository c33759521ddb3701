// SPDX-License-Identifier: Apache-2.0
// FIFOs: blocking open on both sides, O_NONBLOCK, O_RDWR, several readers and writers, removal while open.
#include "t.h"
int main(void)
{
	char c[100];
	tmp();
	R(mkfifo("f", 0600));
	R(mkfifo("f", 0600));
	struct stat s;
	MUST(stat("f", &s));
	say("fifo %d mode %o size %ld\n", S_ISFIFO(s.st_mode), s.st_mode & 0777, (long)s.st_size);
	R(open("f", O_WRONLY | O_NONBLOCK));
	int r = MUST(open("f", O_RDONLY | O_NONBLOCK));
	R(read(r, c, 1)); // no writer: end of file
	struct pollfd pf = {r, POLLIN, 0};
	R(poll(&pf, 1, 0));
	int w = MUST(open("f", O_WRONLY | O_NONBLOCK));
	R(read(r, c, 1));
	R(write(w, "abc", 3));
	R(poll(&pf, 1, 0));
	R(read(r, c, 10));
	close(w);
	R(poll(&pf, 1, 0));
	say("HUP %d\n", !!(pf.revents & POLLHUP));
	close(r);
	// Blocking open.
	pid_t k = MUST(fork());
	if (!k) {
		int f = MUST(open("f", O_WRONLY));
		write(f, "from the child", 14);
		_exit(0);
	}
	settle(k);
	r = MUST(open("f", O_RDONLY));
	ssize_t n = read(r, c, sizeof c);
	say("%.*s\n", (int)n, c);
	R(read(r, c, sizeof c));
	close(r);
	reap(k);
	k = MUST(fork());
	if (!k) {
		int f = MUST(open("f", O_RDONLY));
		ssize_t m = 0, x;
		while ((x = read(f, c, sizeof c)) > 0)
			m += x;
		_exit(m);
	}
	settle(k);
	w = MUST(open("f", O_WRONLY));
	R(write(w, "12345", 5));
	close(w);
	say("%s\n", st(reap(k)));
	// Open for both never blocks.
	int b = MUST(open("f", O_RDWR));
	R(write(b, "xy", 2));
	R(read(b, c, 10));
	R(lseek(b, 0, SEEK_SET));
	R(ftruncate(b, 0));
	// The name goes, the pipe stays.
	R(unlink("f"));
	R(write(b, "still", 5));
	R(read(b, c, 10));
	R(mknod("g", S_IFIFO | 0644, 0));
	MUST(lstat("g", &s));
	say("fifo %d\n", S_ISFIFO(s.st_mode));
	R(truncate("g", 0));
	// A shell's pipeline through a FIFO.
	CHILD("shell", execl("/bin/sh", "sh", "-c", "(echo one; echo two) > g & cat g; wait", NULL));
	return 0;
}
