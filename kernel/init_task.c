// SPDX-License-Identifier: Apache-2.0
// The task the sandbox boots in: pid 0, parent of pid 1 and of the kernel's threads.

#include <husk/fs.h>
#include <husk/pid.h>
#include <husk/task_fs.h>

const struct task_fs_ops *task_fs;

struct fs_struct init_fs = {.users = REFCOUNT_INIT(1), .umask = 022};

#define INIT_FDS 64 /* a word of each bitmap */
static struct file *init_fds[INIT_FDS];
static unsigned long init_bits[2];
struct files_struct init_files = {
	.count = REFCOUNT_INIT(1),
	.max_fds = INIT_FDS,
	.fd = init_fds,
	.open_fds = &init_bits[0],
	.close_on_exec = &init_bits[1],
};

static struct signal_struct init_signals = {
	.refs = REFCOUNT_INIT(1),
	.nr_threads = 1,
	.live = ATOMIC_INIT(1),
	.leader = &init_task,
	.thread_head = LIST_HEAD_INIT(init_task.thread_node),
	.wait_chldexit = {__SPIN_LOCK_UNLOCKED, LIST_HEAD_INIT(init_signals.wait_chldexit.head)},
	.shared_pending = {LIST_HEAD_INIT(init_signals.shared_pending.list), 0},
	.posix_timers = LIST_HEAD_INIT(init_signals.posix_timers),
	.pgrp_node = LIST_HEAD_INIT(init_signals.pgrp_node),
	.rlim =
		{
			/* tasks_init() puts the caller's in their place */
			[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
			[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
			[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
			[RLIMIT_STACK] = {8 << 20, RLIM_INFINITY},
			[RLIMIT_CORE] = {0, RLIM_INFINITY},
			[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
			[RLIMIT_NPROC] = {RLIM_INFINITY, RLIM_INFINITY}, /* fork.c: half of the tasks there can be */
			[RLIMIT_NOFILE] = {1024, 1 << 20},
			[RLIMIT_MEMLOCK] = {8 << 20, 8 << 20},
			[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
			[RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
			[RLIMIT_SIGPENDING] = {RLIM_INFINITY, RLIM_INFINITY}, /* likewise */
			[RLIMIT_MSGQUEUE] = {819200, 819200},
			[RLIMIT_NICE] = {0, 0},
			[RLIMIT_RTPRIO] = {0, 0},
			[RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
		},
};

static struct sighand_struct init_sighand = {
	.count = REFCOUNT_INIT(1),
	.action[SIGCHLD - 1] = {.handler = HUSK_SIG_IGN}, /* kernel threads reap themselves */
	.signalfd_wqh = {__SPIN_LOCK_UNLOCKED, LIST_HEAD_INIT(init_sighand.signalfd_wqh.head)},
};

struct task_struct init_task = {
	.state = TASK_RUNNING,
	.usage = REFCOUNT_INIT(2),
	.flags = PF_KTHREAD,
	.real_parent = &init_task,
	.parent = &init_task,
	.group_leader = &init_task,
	.children = LIST_HEAD_INIT(init_task.children),
	.sibling = LIST_HEAD_INIT(init_task.sibling),
	.thread_node = LIST_HEAD_INIT(init_signals.thread_head),
	.tasks = LIST_HEAD_INIT(init_task.tasks),
	.fs = &init_fs,
	.files = &init_files,
	.signal = &init_signals,
	.sighand = &init_sighand,
	.cred = &init_cred,
	.pending = {LIST_HEAD_INIT(init_task.pending.list), 0},
	.comm = "swapper",
	.timer_slack_ns = 50000,
	.default_timer_slack_ns = 50000,
	.task_works = LIST_HEAD_INIT(init_task.task_works),
	.dead_node = LIST_HEAD_INIT(init_task.dead_node),
	.ptraced = LIST_HEAD_INIT(init_task.ptraced),
	.ptrace_entry = LIST_HEAD_INIT(init_task.ptrace_entry),
};

DECLARE_RWSEM(tasklist_lock);
LIST_HEAD(init_task_list);
int nr_threads, nr_kthreads;
u64 total_forks;
struct task_struct *child_reaper;
