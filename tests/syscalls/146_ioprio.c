// SPDX-License-Identifier: Apache-2.0
// I/O priorities of a process, a group and a user; what nice stands for where none was set; refusals.
#include "t.h"
#include <linux/ioprio.h>

static long prio_get(int which, int who)
{
	return syscall(SYS_ioprio_get, which, who);
}

static long prio_set(int which, int who, int prio)
{
	return syscall(SYS_ioprio_set, which, who, prio);
}

int main(void)
{
	int p[2];
	char c;

	setpgid(0, 0);
	R(prio_get(IOPRIO_WHO_PGRP, 0));
	R(prio_get(IOPRIO_WHO_PGRP, getpgrp()));
	T(nice(10) == 10);
	R(prio_get(IOPRIO_WHO_PGRP, 0));
	// the best of a group: a child that is nicer does not change it, one with a better class does
	T(pipe(p) == 0);
	pid_t kid = fork();
	if (!kid) {
		close(p[1]);
		while (read(p[0], &c, 1) > 0)
			;
		_exit(0);
	}
	R(prio_set(IOPRIO_WHO_PROCESS, kid, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 2)));
	R(prio_get(IOPRIO_WHO_PROCESS, kid));
	R(prio_get(IOPRIO_WHO_PGRP, 0));
	R(prio_set(IOPRIO_WHO_PROCESS, kid, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)));
	R(prio_get(IOPRIO_WHO_PGRP, 0));
	R(prio_set(IOPRIO_WHO_PGRP, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 5)));
	R(prio_get(IOPRIO_WHO_PROCESS, kid));
	R(prio_get(IOPRIO_WHO_PROCESS, 0));
	R(prio_get(IOPRIO_WHO_PGRP, getpgrp()));
	T(prio_get(IOPRIO_WHO_USER, 0) >= 0);
	T(prio_get(IOPRIO_WHO_USER, getuid()) >= 0);
	close(p[1]);
	T(waitpid(kid, NULL, 0) == kid);
	R(prio_get(IOPRIO_WHO_PROCESS, kid));
	R(prio_get(IOPRIO_WHO_PGRP, kid));
	R(prio_set(IOPRIO_WHO_PGRP, kid, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 5)));
	R(prio_get(0, 0));
	R(prio_get(4, 0));
	R(prio_set(0, 0, 0));
	R(prio_set(4, 0, 0));
	R(prio_set(IOPRIO_WHO_PGRP, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 1)));
	R(prio_set(IOPRIO_WHO_PGRP, 0, IOPRIO_PRIO_VALUE(9, 1)));
	return 0;
}
