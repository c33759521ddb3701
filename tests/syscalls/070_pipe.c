// SPDX-License-Identifier: Apache-2.0
// Pipes: capacity, atomic writes, end of file, SIGPIPE, O_NONBLOCK, F_SETPIPE_SZ, FIONREAD, readv, many writers, pipe2.
#include "t.h"
static volatile int n;
static void h(int s)
{
	(void)s;
	n++;
}
int main(void)
{
	int p[2], k;
	char b[70000], c[70000];
	memset(b, 'b', sizeof b);
	MUST(pipe(p));
	R(write(p[1], "hello", 5));
	R(ioctl(p[0], FIONREAD, &k));
	say("waiting %d\n", k);
	R(read(p[0], c, 3));
	R(read(p[0], c, 100));
	R(lseek(p[0], 0, SEEK_SET));
	R(pread(p[0], c, 1, 0));
	R(read(p[1], c, 1));
	R(write(p[0], c, 1));
	R(fcntl(p[0], F_GETPIPE_SZ));
	R(fcntl(p[0], F_SETPIPE_SZ, 5000));
	R(fcntl(p[1], F_GETPIPE_SZ));
	R(fcntl(p[1], F_SETPIPE_SZ, 65536));
	R(fcntl(p[1], F_SETFL, O_NONBLOCK));
	R(write(p[1], b, sizeof b));
	R(write(p[1], b, 1));
	R(fcntl(p[1], F_SETPIPE_SZ, 4096));
	R(read(p[0], c, 4095));
	R(write(p[1], b, 4096)); // less room than a whole atomic write
	R(read(p[0], c, 1));
	R(write(p[1], b, 4096));
	R(fcntl(p[0], F_SETFL, O_NONBLOCK));
	while (read(p[0], c, sizeof c) > 0)
		;
	say("drained %s\n", en(errno));
	R(close(p[1]));
	R(read(p[0], c, 1));
	R(close(p[0]));
	// SIGPIPE and EPIPE.
	MUST(pipe(p));
	close(p[0]);
	CHILD("SIGPIPE", write(p[1], "x", 1));
	signal(SIGPIPE, SIG_IGN);
	R(write(p[1], "x", 1));
	on(SIGPIPE, h, 0);
	R(write(p[1], "x", 1));
	say("handlers %d\n", n);
	R(write(p[1], "", 0));
	close(p[1]);
	O(pipe2(p, 0x1));
	R(pipe2((void *)8, 0));
	O(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	R(fcntl(p[0], F_GETFD));
	R(fcntl(p[1], F_GETFL) & O_NONBLOCK);
	R(read(p[0], c, 1));
	R(read(p[0], c, 0));
	struct stat s;
	MUST(fstat(p[0], &s));
	say("fifo %d\n", S_ISFIFO(s.st_mode));
	// readv, writev.
	struct iovec v[3] = {{"one", 3}, {0, 0}, {"two", 3}};
	R(writev(p[1], v, 3));
	struct iovec w[2] = {{c, 2}, {c + 2, 10}};
	R(readv(p[0], w, 2));
	say("%.6s\n", c);
	R(writev(p[1], v, -1));
	R(writev(p[1], v, 1025));
	R(writev(p[1], (void *)8, 1));
	close(p[0]);
	close(p[1]);
	// Eight writers of records up to PIPE_BUF: none is torn.
	MUST(pipe(p));
	for (int i = 0; i < 6; i++)
		if (!MUST(fork())) {
			char r[1000];
			memset(r, 'a' + i, sizeof r);
			for (int j = 0; j < 100; j++)
				if (write(p[1], r, sizeof r) != sizeof r)
					_exit(1);
			_exit(0);
		}
	close(p[1]);
	int torn = 0, records = 0, got;
	while (1) {
		for (got = 0; got < 1000;) {
			ssize_t x = read(p[0], c + got, 1000 - got);
			if (x <= 0)
				break;
			got += x;
		}
		if (!got)
			break;
		records++;
		for (int i = 1; i < 1000; i++)
			torn += c[i] != c[0];
	}
	while (wait(&k) > 0)
		if (k)
			say("writer %s\n", st(k));
	say("records %d torn %d\n", records, torn);
	close(p[0]);
	// A large transfer, checked.
	MUST(pipe(p));
	pid_t q = MUST(fork());
	if (!q) {
		close(p[0]);
		unsigned x = 1;
		for (int i = 0; i < 64; i++) {
			for (size_t j = 0; j < sizeof b; j++)
				b[j] = x = x * 1103515245 + 12345;
			for (size_t o = 0; o < sizeof b;)
				o += MUST(write(p[1], b + o, sizeof b - o));
		}
		_exit(0);
	}
	close(p[1]);
	unsigned x = 1;
	long total = 0, bad = 0;
	ssize_t r;
	while ((r = read(p[0], c, 8191)) > 0)
		for (ssize_t i = 0; i < r; i++, total++) {
			x = x * 1103515245 + 12345;
			bad += c[i] != (char)x;
		}
	reap(q);
	say("total %ld bad %ld\n", total, bad);
	// A blocked reader is woken by the last writer's end; a blocked writer by the last reader's.
	MUST(pipe(p));
	q = MUST(fork());
	if (!q) {
		close(p[1]);
		_exit(read(p[0], c, 1));
	}
	settle(q);
	close(p[1]);
	say("%s\n", st(reap(q)));
	int z[2];
	MUST(pipe(z));
	q = MUST(fork());
	if (!q) {
		close(z[0]);
		signal(SIGPIPE, SIG_DFL);
		for (;;)
			write(z[1], b, sizeof b);
	}
	settle(q);
	close(z[0]);
	say("%s\n", st(reap(q)));
	// Packet mode.
	MUST(pipe2(p, O_DIRECT));
	write(p[1], "first", 5);
	write(p[1], "second", 6);
	R(read(p[0], c, 3));
	R(read(p[0], c, 100));
	return 0;
}
