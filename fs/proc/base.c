// SPDX-License-Identifier: Apache-2.0
/* The tables of what is in /proc/PID and /proc/PID/task/TID; who may look. */
#include "internal.h"
#include <husk/ptrace.h>
#include <husk/mount.h>

#define DIR_(n, m, i, f)                                                                                               \
	{                                                                                                              \
		.name = n, .mode = S_IFDIR | (m), .iop = i, .fop = f                                                   \
	}
#define SUB_(n, m, s)                                                                                                  \
	{                                                                                                              \
		.name = n, .mode = S_IFDIR | (m), .sub = s                                                             \
	}
#define LNK_(n, l)                                                                                                     \
	{                                                                                                              \
		.name = n, .mode = S_IFLNK | 0777, .link = l                                                           \
	}
#define ONE_(n, m, s)                                                                                                  \
	{                                                                                                              \
		.name = n, .mode = S_IFREG | (m), .show = s                                                            \
	}
#define ONEP_(n, m, s)                                                                                                 \
	{                                                                                                              \
		.name = n, .mode = S_IFREG | (m), .show = s, .arg = 1                                                  \
	} /* for whom it may be traced by */
#define MOUNTS_(n, m, s)                                                                                               \
	{                                                                                                              \
		.name = n, .mode = S_IFREG | (m), .show = s, .fop = &pid_mounts_fops                                   \
	}
#define REG_(n, m, f)                                                                                                  \
	{                                                                                                              \
		.name = n, .mode = S_IFREG | (m), .fop = &f                                                            \
	}

/* what processes and threads have alike */
#define COMMON_ENTRIES                                                                                                 \
	DIR_("fd", 0500, &pid_fd_iops, &pid_fd_fops), DIR_("fdinfo", 0555, &pid_fdinfo_iops, &pid_fdinfo_fops),        \
		SUB_("ns", 0511, ns_entries), {.name = "net", .mode = S_IFLNK | 0777, .iop = &pid_net_iops},           \
		REG_("environ", 0400, pid_environ_fops), REG_("auxv", 0400, pid_auxv_fops),                            \
		ONE_("status", 0444, proc_pid_status), ONEP_("personality", 0400, proc_pid_personality),               \
		ONE_("limits", 0444, proc_pid_limits), ONE_("sched", 0644, proc_pid_sched),                            \
		REG_("comm", 0644, pid_comm_fops), ONEP_("syscall", 0400, proc_pid_syscall),                           \
		REG_("cmdline", 0444, pid_cmdline_fops), ONE_("statm", 0444, proc_pid_statm),                          \
		REG_("maps", 0444, pid_maps_fops), ONE_("children", 0444, proc_pid_children),                          \
		REG_("mem", 0600, pid_mem_fops), LNK_("cwd", proc_cwd_link), LNK_("root", proc_root_link),             \
		LNK_("exe", proc_exe_link), MOUNTS_("mounts", 0444, show_mounts),                                      \
		MOUNTS_("mountinfo", 0444, show_mountinfo), REG_("clear_refs", 0200, pid_clear_refs_fops),             \
		REG_("smaps", 0444, pid_smaps_fops), REG_("smaps_rollup", 0444, pid_smaps_rollup_fops),                \
		ONE_("wchan", 0444, proc_pid_wchan), ONE_("schedstat", 0444, proc_pid_schedstat),                      \
		ONE_("cpuset", 0444, proc_pid_cpuset), ONE_("cgroup", 0444, proc_pid_cgroup),                          \
		ONE_("oom_score", 0444, proc_pid_oom_score), REG_("oom_adj", 0644, pid_oom_adj_fops),                  \
		REG_("oom_score_adj", 0644, pid_oom_score_adj_fops), REG_("loginuid", 0644, pid_loginuid_fops),        \
		REG_("sessionid", 0444, pid_sessionid_fops), REG_("uid_map", 0644, pid_uid_map_fops),                  \
		REG_("gid_map", 0644, pid_uid_map_fops), REG_("setgroups", 0644, pid_setgroups_fops)

const struct pid_entry tgid_entries[] = {
	DIR_("task", 0555, &pid_task_dir_iops, &pid_task_dir_fops),
	ONE_("stat", 0444, proc_tgid_stat),
	ONEP_("io", 0400, proc_tgid_io),
	MOUNTS_("mountstats", 0400, show_mountstats),
	REG_("timerslack_ns", 0666, pid_timerslack_fops),
	REG_("coredump_filter", 0644, pid_core_filter_fops),
	COMMON_ENTRIES,
	{},
};

const struct pid_entry tid_entries[] = {
	ONE_("stat", 0444, proc_tid_stat),
	ONEP_("io", 0400, proc_tid_io),
	COMMON_ENTRIES,
	{},
};

bool proc_may_access(struct task_struct *t, bool real_ids)
{
	return ptrace_may_access(t, real_ids);
}
