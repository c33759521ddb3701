// SPDX-License-Identifier: Apache-2.0
// What the host has to give: memory (its own, and what its control groups allow) and descriptors.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sandbox.h"

#define JAIL_STACK (1u << 20) /* of the first process, until it enters the kernel */
#define MIN_MEMORY (16ULL << 20)
#define MAX_MEMORY (8ULL << 40) /* the kernel window's direct map must end below the host's own mappings */

/* The whole of a small file, NUL-terminated; false when there is none. */
static bool read_small(const char *path, char *buf, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, buf, n - 1);
	close(fd);
	if (len < 0)
		return false;
	buf[len] = 0;
	return true;
}

static uint64_t meminfo(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? strtoull(p + strlen(name), NULL, 10) << 10 : 0;
}

/* The smallest limit on the way from a control group up to the root of the hierarchy. */
static uint64_t hierarchy_limit(const char *mount, char *group, const char *file)
{
	uint64_t limit = UINT64_MAX, v;
	char path[640], text[64], *slash;

	for (;;) {
		if (snprintf(path, sizeof(path), "%s%s/%s", mount, group, file) < (int)sizeof(path) &&
		    read_small(path, text, sizeof(text)) && *text >= '0' && *text <= '9') {
			v = strtoull(text, NULL, 10);
			if (v && v < limit)
				limit = v;
		}
		slash = strrchr(group, '/');
		if (!slash)
			return limit;
		*slash = 0;
	}
}

static uint64_t cgroup_limit(void)
{
	char text[4096], *save = NULL, *line, *ctl, *group;
	uint64_t limit = UINT64_MAX, v;

	if (!read_small("/proc/self/cgroup", text, sizeof(text)))
		return limit;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		ctl = strchr(line, ':');
		group = ctl ? strchr(ctl + 1, ':') : NULL;
		if (!group || strlen(group) > 512)
			continue;
		*group++ = 0;
		if (!strcmp(ctl + 1, ""))
			v = hierarchy_limit("/sys/fs/cgroup", group, "memory.max");
		else if (!strcmp(ctl + 1, "memory"))
			v = hierarchy_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
		else
			continue;
		if (v < limit)
			limit = v;
	}
	return limit;
}

/* The number behind "oom_kill " in a control group's file; @key: how /proc/self/cgroup begins the group's line. */
static uint64_t group_oom_kills(const char *key, const char *mount, const char *file)
{
	char text[4096], path[640], *group;
	const char *line;

	if (!read_small("/proc/self/cgroup", text, sizeof(text)) || !(group = strstr(text, key)))
		return 0;
	group += strlen(key);
	group[strcspn(group, "\n")] = 0;
	if (snprintf(path, sizeof(path), "%s%s/%s", mount, group, file) >= (int)sizeof(path) ||
	    !read_small(path, text, sizeof(text)))
		return 0;
	line = strstr(text, "oom_kill ");
	return line ? strtoull(line + 9, NULL, 10) : 0;
}

/* How many processes of our control group the host has killed for want of memory, ever; 0 also where it does not tell. */
uint64_t limits_oom_kills(void)
{
	return group_oom_kills("0::", "/sys/fs/cgroup", "memory.events") +
	       group_oom_kills(":memory:", "/sys/fs/cgroup/memory", "memory.oom_control");
}

/* Three quarters of what there is, but no more than what is free now. */
uint64_t limits_default_memory(void)
{
	char text[4096];
	uint64_t total, avail, size;

	if (!read_small("/proc/meminfo", text, sizeof(text)))
		return 1ULL << 30;
	total = meminfo(text, "MemTotal:");
	avail = meminfo(text, "MemAvailable:");
	size = cgroup_limit();
	if (total && total < size)
		size = total;
	size = size / 4 * 3;
	if (avail && avail < size)
		size = avail;
	size &= ~((2ULL << 20) - 1);
	return size < 4 * MIN_MEMORY ? 4 * MIN_MEMORY : size;
}

int limits_check_memory(uint64_t bytes, struct err *e)
{
	char text[4096];
	uint64_t have = 0, group;

	if (bytes < MIN_MEMORY)
		return err_set(e, 125, "--memory %llu bytes is too little: husk needs at least 16m",
			       (unsigned long long)bytes);
	if (read_small("/proc/meminfo", text, sizeof(text)))
		have = meminfo(text, "MemTotal:") + meminfo(text, "SwapTotal:");
	if (!have || have > MAX_MEMORY)
		have = MAX_MEMORY;
	if (bytes > have)
		return err_set(e, 125, "--memory %llum cannot be had: this host has %llum with its swap; ask for less",
			       (unsigned long long)bytes >> 20, (unsigned long long)have >> 20);
	group = cgroup_limit();
	if (bytes > group)
		return err_set(e, 125,
			       "--memory %llum cannot be had: the control group of this process is limited to %llum",
			       (unsigned long long)bytes >> 20, (unsigned long long)group >> 20);
	return 0;
}

/* The file server keeps a descriptor per file that the guest uses. */
void limits_raise_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/*
 * DOC: tasks of the host
 *
 * A guest task is a host thread, a guest process a host process. The kernel keeps to --max-tasks; that one which was taken over does not go far beyond,
 * the host is told twice as many: those that are ending count too. The host counts the tasks of a user. The jail has a count of its
 * own where it has a user namespace (whose users are counted apart since Linux 5.14), or is a user of its own. Where it has neither it shares
 * the user's; what he has now is found by asking for a process under one limit and another, and what he may start meanwhile must be
 * left to him.
 */
#define DEFAULT_TASKS 32768 /* as kernel/fork.c has it: at most so many, and a quarter of RAM is stacks */
#define FEWEST_TASKS 64
#define STACK_BYTES (32u << 10)
#define SPARE_TASKS 128	  /* the kernel's own */
#define OTHERS_TASKS 4096 /* that the same user may start */

unsigned limits_host_tasks(uint64_t max_tasks, uint64_t memory)
{
	uint64_t room = memory / 4 / STACK_BYTES, want = max_tasks ? max_tasks : DEFAULT_TASKS;

	if (room < FEWEST_TASKS)
		room = FEWEST_TASKS;
	return 2 * (want < room ? want : room) + SPARE_TASKS;
}

static bool one_more(rlim_t limit, rlim_t hard)
{
	pid_t pid;

	setrlimit(RLIMIT_NPROC, &(struct rlimit){limit, hard});
	pid = fork();
	if (!pid)
		_exit(0);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid > 0;
}

/* The user's tasks; hard: there is no telling, because the limit does not bind him or another one binds. */
static rlim_t tasks_of_user(rlim_t hard)
{
	rlim_t low = 0, high = hard < 1 << 22 ? hard : 1 << 22;

	if (one_more(1, hard) || !one_more(high, hard))
		return hard;
	while (high - low > 64) {
		rlim_t mid = low + (high - low) / 2;

		*(one_more(mid, hard) ? &high : &low) = mid;
	}
	return high;
}

/* Limits of the host's that only a kernel that was taken over would ever meet. */
void limits_jail(unsigned most_tasks, bool own_user)
{
	struct rlimit tasks, stack = {JAIL_STACK, JAIL_STACK}, old;
	rlim_t have;

	if (!getrlimit(RLIMIT_STACK, &old) && old.rlim_max > JAIL_STACK)
		setrlimit(RLIMIT_STACK, &stack);
	if (getrlimit(RLIMIT_NPROC, &tasks))
		return;
	have = own_user ? 0 : tasks_of_user(tasks.rlim_max);
	if (!own_user && have < tasks.rlim_max)
		have += OTHERS_TASKS;
	if (have < tasks.rlim_max && most_tasks < tasks.rlim_max - have)
		tasks.rlim_max = have + most_tasks;
	if (tasks.rlim_cur > tasks.rlim_max)
		tasks.rlim_cur = tasks.rlim_max;
	setrlimit(RLIMIT_NPROC, &tasks);
	if (own_user && !getrlimit(RLIMIT_SIGPENDING, &old) && old.rlim_max > tasks.rlim_max)
		setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){tasks.rlim_max, tasks.rlim_max});
}

ssize_t own_path(char *buf, size_t n)
{
	ssize_t len = readlink("/proc/self/exe", buf, n - 1);
	const char *as_called = (const char *)getauxval(AT_EXECFN);

	if (len <= 0 && as_called)
		len = snprintf(buf, n, "%s", as_called);
	if (len <= 0 || (size_t)len >= n)
		len = -1;
	buf[len < 0 ? 0 : len] = 0;
	return len;
}
