/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the attack programs: an attack runs in a child; it must end in a signal or an error, never reach the host. */
#ifndef ATTACK_H
#define ATTACK_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_TEXT 0x700000000000UL
#define DIRECT_MAP 0x701000000000UL
#define PROC_PRIVATE 0x7000f0002000UL

/* run fn in a child: its wait status */
static inline int in_child(void (*fn)(void))
{
	int st;
	pid_t p = fork();

	if (!p) {
		fn();
		_exit(0);
	}
	if (p < 0 || waitpid(p, &st, 0) != p)
		return -1;
	kill(-p, SIGKILL); /* what it left, if it made itself a group */
	return st;
}

static int failures;
/* the child must have died of a signal */
static inline void must_die(const char *what, void (*fn)(void))
{
	int st = in_child(fn);

	if (WIFSIGNALED(st))
		printf("ok %s: died of a signal\n", what);
	else {
		printf("FAIL %s: status %x\n", what, st);
		failures++;
	}
}
static inline void must_fail(const char *what, int failed)
{
	printf("%s %s\n", failed ? "ok" : "FAIL", what);
	failures += !failed;
}

#endif
