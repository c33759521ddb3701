// SPDX-License-Identifier: Apache-2.0
// Cost of one round trip between two processes by pipes and by a stream socket, and between two
// threads by futexes.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "bench.h"

static int to_child, from_child;

static void op_round_trip(unsigned long n)
{
	char c = 'x';

	while (n--)
		if (write(to_child, &c, 1) != 1 || read(from_child, &c, 1) != 1)
			die("round trip");
}

/* Echoes bytes until end of file. */
static void echo(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1)
		if (write(out, &c, 1) != 1)
			break;
	_exit(0);
}

static void run_pipe(const char *row)
{
	int a[2], b[2];
	pid_t pid;

	if (pipe(a) || pipe(b))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(a[1]);
		close(b[0]);
		echo(a[0], b[1]);
	}
	close(a[0]);
	close(b[1]);
	to_child = a[1];
	from_child = b[0];
	bench_loop(row, op_round_trip);
	close(to_child);
	close(from_child);
	waitpid(pid, NULL, 0);
}

static void run_unix(const char *row)
{
	int s[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		die("socketpair");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(s[0]);
		echo(s[1], s[1]);
	}
	close(s[1]);
	to_child = from_child = s[0];
	bench_loop(row, op_round_trip);
	close(s[0]);
	waitpid(pid, NULL, 0);
}

/* Whose turn it is; the other side sleeps on it. 2: the end. */
static _Atomic uint32_t turn;

static void wait_turn(uint32_t mine)
{
	uint32_t v;

	while ((v = atomic_load(&turn)) != mine && v != 2)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, v, NULL, NULL, 0);
}

static void give_turn(uint32_t to)
{
	atomic_store(&turn, to);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *partner(void *arg)
{
	for (;;) {
		wait_turn(1);
		if (atomic_load(&turn) == 2)
			return arg;
		give_turn(0);
	}
}

static void op_futex(unsigned long n)
{
	while (n--) {
		give_turn(1);
		wait_turn(0);
	}
}

static void run_futex(const char *row)
{
	pthread_t t;

	if (pthread_create(&t, NULL, partner, NULL))
		die("pthread_create");
	bench_loop(row, op_futex);
	give_turn(2);
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	static const struct bench_row rows[] = {
		{"pipe", run_pipe},
		{"unix", run_unix},
		{"futex", run_futex},
	};

	signal(SIGPIPE, SIG_IGN);
	return bench_main(argc, argv, rows, sizeof(rows) / sizeof(*rows));
}
