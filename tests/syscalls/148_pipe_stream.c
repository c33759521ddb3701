// SPDX-License-Identifier: Apache-2.0
// Pipes: a long stream of small writes to one reader and to two, then talk to and fro, a signal and the end while a reader waits.
#include "t.h"
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define TOTAL 2000000u

static void h(int s)
{
	(void)s;
}

static unsigned char at(unsigned pos)
{
	return (unsigned char)(pos * 7 + pos / 251);
}

// Writes of 1 to 5,000 bytes, many to a sleep of the reader's
static void stream(int fd)
{
	unsigned char b[5000];

	for (unsigned pos = 0, k = 1; pos < TOTAL; k = k * 75 % 65537) {
		unsigned n = k % sizeof(b) + 1;

		n = n < TOTAL - pos ? n : TOTAL - pos;
		for (unsigned i = 0; i < n; i++)
			b[i] = at(pos + i);
		if (write(fd, b, n) != (ssize_t)n)
			_exit(1);
		pos += n;
	}
}

static unsigned drain(int fd, int check)
{
	unsigned char b[16384];
	unsigned pos = 0, wrong = 0;
	ssize_t n;

	while ((n = read(fd, b, sizeof(b))) > 0) {
		for (ssize_t i = 0; check && i < n; i++)
			wrong += b[i] != at(pos + i);
		pos += n;
	}
	if (check)
		say("read %u, wrong %u, then %zd\n", pos, wrong, n);
	return pos;
}

static void one_reader(void)
{
	int p[2], st;

	MUST(pipe(p));
	if (!fork()) {
		stream(p[1]);
		_exit(0);
	}
	close(p[1]);
	drain(p[0], 1);
	wait(&st);
	say("writer %d\n", st);
	close(p[0]);
}

static void two_readers(void)
{
	int p[2], sums[2], st;
	unsigned sum = 0, n;

	MUST(pipe(p));
	MUST(pipe(sums));
	for (int k = 0; k < 2; k++) {
		if (!fork()) {
			close(p[1]);
			n = drain(p[0], 0);
			_exit(write(sums[1], &n, sizeof(n)) != sizeof(n));
		}
	}
	close(p[0]);
	stream(p[1]);
	close(p[1]);
	for (int k = 0; k < 2; k++) {
		MUST(read(sums[0], &n, sizeof(n)));
		sum += n;
		wait(&st);
		say("reader %d\n", st);
	}
	say("two readers %u\n", sum);
	close(sums[0]);
	close(sums[1]);
}

// The reader has gathered a stream; now each write waits for an answer.
static void to_and_fro(void)
{
	struct sigaction sa = {.sa_handler = h};
	int p[2], q[2], st;
	char c = 0;
	pid_t pid;

	MUST(pipe(p));
	MUST(pipe(q));
	sigaction(SIGUSR1, &sa, NULL);
	pid = fork();
	if (!pid) {
		char b[4096];
		unsigned left = TOTAL;

		close(p[1]);
		while (left) {
			ssize_t n = read(p[0], b, left < sizeof(b) ? left : sizeof(b));

			left -= n;
		}
		for (int k = 0; k < 500; k++)
			if (read(p[0], &c, 1) != 1 || write(q[1], &c, 1) != 1)
				_exit(1);
		errno = 0;
		st = read(p[0], &c, 1);
		if (st != -1 || errno != EINTR || write(q[1], &c, 1) != 1)
			_exit(2);
		while ((st = read(p[0], &c, 1)) < 0 && errno == EINTR)
			;
		_exit(st == 0 ? 7 : 3);
	}
	close(p[0]);
	stream(p[1]);
	for (int k = 0; k < 500; k++) {
		c = (char)k;
		if (write(p[1], &c, 1) != 1 || read(q[0], &c, 1) != 1 || c != (char)k)
			say("lost at %d\n", k);
	}
	do // it may not sleep yet
		kill(pid, SIGUSR1);
	while (!poll(&(struct pollfd){q[0], POLLIN, 0}, 1, 10));
	close(p[1]);
	waitpid(pid, &st, 0);
	say("child %d\n", WEXITSTATUS(st));
}

// A reader with poll(2) is told of every write.
static void polled(void)
{
	int p[2], st;
	char b[256];
	unsigned n = 0;

	MUST(pipe(p));
	if (!fork()) {
		for (int k = 0; k < 1000; k++)
			if (write(p[1], b, 10) != 10)
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	for (;;) {
		struct pollfd f = {p[0], POLLIN, 0};
		ssize_t got;

		if (poll(&f, 1, -1) != 1)
			break;
		got = read(p[0], b, sizeof(b));
		if (got <= 0)
			break;
		n += got;
	}
	wait(&st);
	say("polled %u, writer %d\n", n, st);
}

int main(void)
{
	one_reader();
	two_readers();
	to_and_fro();
	polled();
	return 0;
}
