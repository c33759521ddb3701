// SPDX-License-Identifier: Apache-2.0
// Runs a command several times with its output thrown away and prints each time: timed ROW,ROW...
// COMMAND [ARG...]
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include "bench.h"

extern char **environ;

static double run_once(char **argv)
{
	posix_spawn_file_actions_t fa;
	uint64_t t0 = now_ns();
	pid_t pid;
	int st = 0;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ) || waitpid(pid, &st, 0) != pid)
		die(argv[0]);
	posix_spawn_file_actions_destroy(&fa);
	if (st) /* the command has said why; its status is passed on */
		exit(WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
	return (double)(now_ns() - t0);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: timed ROW,ROW... COMMAND [ARG...]\n");
		return 2;
	}
	for (char *row = strtok(argv[1], ","); row; row = strtok(NULL, ","))
		report(row, run_once(argv + 2));
	return 0;
}
