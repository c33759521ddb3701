/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and the list of tasks that the kernel shows on request: husk ps, husk top. */
#ifndef HOSTIF_STATS_H
#define HOSTIF_STATS_H

#include <stdint.h>

/**
 * DOC: asking the kernel
 *
 * Nothing is kept up to date here. Who wants to know raises hostif_boot.stats_request and posts HOSTIF_EV_STATS (and HOSTIF_EV_TASKS for
 * the list); the kernel's event thread writes the structure, and last sets @answered to the request that it saw. @seq is odd while it
 * writes: a reader copies, and takes the copy if @seq was even and the same before and after. Bytes are bytes, times are ns.
 */
struct hostif_stats {
	uint32_t seq;
	uint32_t answered;
	uint64_t time;							     /* CLOCK_MONOTONIC when it was written */
	uint32_t processes, threads, running, blocked, zombies, max_threads; /* kernel threads are not counted */
	/* since the start, dead tasks too */
	uint64_t cpu, syscalls, min_flt, maj_flt, nvcsw, nivcsw, forks;
	uint64_t rchar, wchar, read_bytes, write_bytes;
	/* memory of the sandbox */
	uint64_t mem_total, mem_free, mem_available, mem_cached, mem_anon, mem_shmem, mem_slab, mem_pagetables,
		mem_dirty;
	/* the list of tasks, when it was last asked for: struct hostif_task, ntasks of them; more_tasks had no room */
	uint64_t tasks_phys;
	uint32_t ntasks, more_tasks;
};

#define HOSTIF_TASK_KTHREAD 1u
struct hostif_task {
	uint32_t pid, tgid, ppid, uid;
	uint32_t flags;
	int32_t nice;
	char state; /* as in /proc/PID/stat */
	char pad[7];
	char comm[16];
	uint64_t start; /* CLOCK_MONOTONIC */
	uint64_t utime, stime;
	uint64_t syscalls, min_flt, maj_flt, nvcsw, nivcsw;
	uint64_t rchar, wchar, read_bytes, write_bytes;
	uint64_t rss, vsize;
};
_Static_assert(sizeof(struct hostif_task) == 160, "struct hostif_task has no holes");
#define HOSTIF_MAX_TASKS 32768 /* in the list */

/* A signal to a guest task, one at a time: the monitor fills it in, raises @request and posts HOSTIF_EV_KILL. */
struct hostif_kill {
	uint32_t request, answered;
	int32_t pid, sig; /* sig 0: only whether it is there */
	int32_t result;	  /* 0 or a negative errno */
	uint32_t pad;
};

#endif
