// SPDX-License-Identifier: Apache-2.0
// Cost of processes and threads: fork+wait, vfork+exec+wait of /bin/true, thread create+join, a
// signal to self.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include "bench.h"

static volatile sig_atomic_t handled;
static pid_t self;

static void reap(pid_t pid)
{
	int st;

	if (pid < 0)
		die("fork");
	if (waitpid(pid, &st, 0) != pid)
		die("waitpid");
	if (st) {
		fprintf(stderr, "child ended with wait status %x\n", (unsigned)st);
		exit(1);
	}
}

static void op_fork(unsigned long n)
{
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		reap(pid);
	}
}

static void op_vfork_exec(unsigned long n)
{
	static char *const argv[] = {"/bin/true", NULL}, *const envp[] = {NULL};

	while (n--) {
		pid_t pid = vfork();

		if (!pid) {
			execve(argv[0], argv, envp);
			_exit(127);
		}
		reap(pid);
	}
}

static void *thread(void *arg)
{
	return arg;
}

static void op_thread(unsigned long n)
{
	while (n--) {
		pthread_t t;

		if (pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL))
			die("pthread");
	}
}

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void op_signal(unsigned long n)
{
	handled = 0;
	for (unsigned long i = 0; i < n; i++)
		if (kill(self, SIGUSR1))
			die("kill");
	if ((unsigned long)handled != n) {
		fprintf(stderr, "%lu signals sent, %ld handled\n", n, (long)handled);
		exit(1);
	}
}

static void run_fork(const char *row)
{
	bench_loop(row, op_fork);
}

static void run_vfork_exec(const char *row)
{
	bench_loop(row, op_vfork_exec);
}

static void run_thread(const char *row)
{
	bench_loop(row, op_thread);
}

static void run_signal(const char *row)
{
	struct sigaction sa = {.sa_handler = handler};

	self = getpid();
	if (sigaction(SIGUSR1, &sa, NULL))
		die("sigaction");
	bench_loop(row, op_signal);
}

int main(int argc, char **argv)
{
	static const struct bench_row rows[] = {
		{"fork", run_fork},
		{"vfork_exec", run_vfork_exec},
		{"thread", run_thread},
		{"signal", run_signal},
	};

	return bench_main(argc, argv, rows, sizeof(rows) / sizeof(*rows));
}
