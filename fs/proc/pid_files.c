// SPDX-License-Identifier: Apache-2.0
/* The smaller files of /proc/PID. */
#include "internal.h"
#include <husk/proc_mm.h>
#include <husk/coredump.h>

#define ULL(x) ((unsigned long long)(x))

static const struct {
	const char *name, *unit;
} limit_names[RLIM_NLIMITS_] = {
	[RLIMIT_CPU] = {"Max cpu time", "seconds"},	    [RLIMIT_FSIZE] = {"Max file size", "bytes"},
	[RLIMIT_DATA] = {"Max data size", "bytes"},	    [RLIMIT_STACK] = {"Max stack size", "bytes"},
	[RLIMIT_CORE] = {"Max core file size", "bytes"},    [RLIMIT_RSS] = {"Max resident set", "bytes"},
	[RLIMIT_NPROC] = {"Max processes", "processes"},    [RLIMIT_NOFILE] = {"Max open files", "files"},
	[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},  [RLIMIT_AS] = {"Max address space", "bytes"},
	[RLIMIT_LOCKS] = {"Max file locks", "locks"},	    [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
	[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"}, [RLIMIT_NICE] = {"Max nice priority", NULL},
	[RLIMIT_RTPRIO] = {"Max realtime priority", NULL},  [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
};

static void print_limit(struct seq_file *m, u64 v)
{
	if (v == RLIM_INFINITY)
		seq_printf(m, "%-20s ", "unlimited");
	else
		seq_printf(m, "%-20llu ", ULL(v));
}

int proc_pid_limits(struct seq_file *m, struct task_struct *t)
{
	struct rlimit rlim[RLIM_NLIMITS_];

	memcpy(rlim, t->signal->rlim, sizeof(rlim));
	seq_printf(m, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < RLIM_NLIMITS_; i++) {
		seq_printf(m, "%-25s ", limit_names[i].name);
		print_limit(m, rlim[i].rlim_cur);
		print_limit(m, rlim[i].rlim_max);
		if (limit_names[i].unit)
			seq_printf(m, "%-10s\n", limit_names[i].unit);
		else
			seq_putc(m, '\n');
	}
	return 0;
}

struct io_sum {
	u64 rchar, wchar, syscr, syscw, rbytes, wbytes;
};

static void add_io(struct io_sum *s, struct task_struct *t)
{
	s->rchar += t->rchar;
	s->wchar += t->wchar;
	s->syscr += t->syscr;
	s->syscw += t->syscw;
	s->rbytes += t->read_bytes;
	s->wbytes += t->write_bytes;
}

static int print_io(struct seq_file *m, const struct io_sum *s)
{
	seq_printf(m,
		   "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\nread_bytes: %llu\nwrite_bytes: %llu\n"
		   "cancelled_write_bytes: 0\n",
		   ULL(s->rchar), ULL(s->wchar), ULL(s->syscr), ULL(s->syscw), ULL(s->rbytes), ULL(s->wbytes));
	return 0;
}

int proc_tid_io(struct seq_file *m, struct task_struct *t)
{
	struct io_sum s = {};

	add_io(&s, t);
	return print_io(m, &s);
}

int proc_tgid_io(struct seq_file *m, struct task_struct *t)
{
	struct io_sum s = {};
	struct task_struct *p;

	read_lock(&tasklist_lock);
	for_each_thread (t, p)
		add_io(&s, p);
	read_unlock(&tasklist_lock);
	return print_io(m, &s);
}

int proc_pid_children(struct seq_file *m, struct task_struct *t)
{
	struct task_struct *p;

	read_lock(&tasklist_lock);
	list_for_each_entry (p, &t->children, sibling)
		seq_printf(m, "%d ", p->tgid);
	read_unlock(&tasklist_lock);
	return 0;
}

int proc_pid_wchan(struct seq_file *m, struct task_struct *t)
{
	seq_putc(m, '0'); /* kernel addresses are nobody's business */
	return 0;
}

int proc_pid_syscall(struct seq_file *m, struct task_struct *t)
{
	struct pt_regs r;

	task_lock(t);
	if (!t->mm || READ_ONCE(t->state) == TASK_RUNNING || t->exit_state) {
		task_unlock(t);
		seq_puts(m, "running\n");
		return 0;
	}
	r = *task_pt_regs(t);
	task_unlock(t);
	if ((s64)r.orig_ax < 0)
		seq_printf(m, "-1 0x%llx 0x%llx\n", ULL(r.sp), ULL(r.ip));
	else
		seq_printf(m, "%lld 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx\n", (long long)r.orig_ax,
			   ULL(r.di), ULL(r.si), ULL(r.dx), ULL(r.r10), ULL(r.r8), ULL(r.r9), ULL(r.sp), ULL(r.ip));
	return 0;
}

int proc_pid_sched(struct seq_file *m, struct task_struct *t)
{
	u64 ut, st;

	task_cputime(t, &ut, &st);
	seq_printf(m, "%s (%d, #threads: %d)\n", t->comm, t->pid, t->signal->nr_threads);
	seq_puts(m, "-------------------------------------------------------------------\n");
	seq_printf(m, "%-45s:%21llu.%06llu\n", "se.sum_exec_runtime", ULL((ut + st) / NSEC_PER_MSEC),
		   ULL((ut + st) % NSEC_PER_MSEC));
	seq_printf(m, "%-45s:%21llu\n", "nr_switches", ULL(t->nvcsw + t->nivcsw));
	seq_printf(m, "%-45s:%21llu\n", "nr_voluntary_switches", ULL(t->nvcsw));
	seq_printf(m, "%-45s:%21llu\n", "nr_involuntary_switches", ULL(t->nivcsw));
	seq_printf(m, "%-45s:%21d\n", "policy", t->sched_policy);
	seq_printf(m, "%-45s:%21d\n", "prio", t->rt_priority ? 99 - t->rt_priority : 120 + t->nice);
	return 0;
}

int proc_pid_schedstat(struct seq_file *m, struct task_struct *t)
{
	u64 ut, st;

	task_cputime(t, &ut, &st);
	seq_printf(m, "%llu 0 %llu\n", ULL(ut + st), ULL(t->nvcsw + t->nivcsw));
	return 0;
}

int proc_pid_oom_score(struct seq_file *m, struct task_struct *t)
{
	struct mm_struct *mm = get_task_mm(t);
	long adj = t->signal->oom_score_adj, points = 0, total = totalram_pages ? totalram_pages : 1;

	if (mm) {
		points = atomic_long_read(&mm->rss_anon) + atomic_long_read(&mm->rss_file) +
			 atomic_long_read(&mm->rss_shmem) + atomic_long_read(&mm->nr_ptes);
		mmput(mm);
		points += adj * total / 1000;
		points = adj == -1000 ? 0 : (1000 + points * 1000 / total) * 2 / 3;
	}
	seq_printf(m, "%ld\n", points > 0 ? points : 0);
	return 0;
}

int proc_pid_personality(struct seq_file *m, struct task_struct *t)
{
	seq_printf(m, "%08x\n", t->personality);
	return 0;
}

int proc_pid_cgroup(struct seq_file *m, struct task_struct *t)
{
	seq_puts(m, "0::/\n");
	return 0;
}

int proc_pid_cpuset(struct seq_file *m, struct task_struct *t)
{
	seq_puts(m, "/\n");
	return 0;
}

/* ---- files that can be written ---- */

/* read_number: a written number; -EINVAL, -EFAULT */
static int read_number(const char __user *buf, size_t n, long long *v)
{
	char text[24];

	if (n >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, n))
		return -EFAULT;
	text[n] = 0;
	return kstrtoll(strim(text), 0, v) ? -EINVAL : 0;
}

static ssize_t reply(struct file *f, char __user *buf, size_t n, loff_t *pos, const char *fmt, long long v)
{
	char text[24];
	int len;

	if (!strcmp(fmt, "u"))
		len = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	else
		len = snprintf(text, sizeof(text), "%lld\n", v);
	return simple_read_from_buffer(buf, n, pos, text, len);
}

static ssize_t comm_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t = get_proc_task(file_inode(f));
	char comm[TASK_COMM_LEN + 1];
	int len;

	if (!t)
		return -ESRCH;
	task_lock(t);
	len = strnlen(t->comm, TASK_COMM_LEN - 1);
	memcpy(comm, t->comm, len);
	task_unlock(t);
	put_task_struct(t);
	comm[len++] = '\n';
	return simple_read_from_buffer(buf, n, pos, comm, len);
}

static ssize_t comm_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t;
	char comm[TASK_COMM_LEN] = {};
	ssize_t r = n;

	if (copy_from_user(comm, buf, min_t(size_t, n, sizeof(comm) - 1)))
		return -EFAULT;
	t = get_proc_task(file_inode(f));
	if (!t)
		return -ESRCH;
	if (same_thread_group(t, current))
		set_task_comm(t, comm);
	else
		r = -EINVAL;
	put_task_struct(t);
	return r;
}

const struct file_operations pid_comm_fops = {.read = comm_read, .write = comm_write, .llseek = generic_file_llseek};

static ssize_t oom_read(struct file *f, char __user *buf, size_t n, loff_t *pos, bool old)
{
	struct task_struct *t = get_proc_task(file_inode(f));
	int v;

	if (!t)
		return -ESRCH;
	v = t->signal->oom_score_adj;
	put_task_struct(t);
	if (old)
		v = v == 1000 ? 15 : v * 17 / 1000;
	return reply(f, buf, n, pos, "d", v);
}

static ssize_t oom_set(struct file *f, long long v)
{
	struct task_struct *t = get_proc_task(file_inode(f));
	int err = 0;

	if (!t)
		return -ESRCH;
	if (v < 0 && v < t->signal->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		err = -EACCES;
	else
		t->signal->oom_score_adj = v;
	put_task_struct(t);
	return err;
}

static ssize_t oom_score_adj_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return oom_read(f, buf, n, pos, false);
}

static ssize_t oom_score_adj_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	long long v;
	int err = read_number(buf, n, &v);

	if (!err && (v < -1000 || v > 1000))
		err = -EINVAL;
	if (!err)
		err = oom_set(f, v);
	return err ? err : n;
}

static ssize_t oom_adj_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return oom_read(f, buf, n, pos, true);
}

static ssize_t oom_adj_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	long long v;
	int err = read_number(buf, n, &v);

	if (!err && (v < -17 || v > 15))
		err = -EINVAL;
	if (!err)
		err = oom_set(f, v == 15 ? 1000 : v * 1000 / 17);
	return err ? err : n;
}

const struct file_operations pid_oom_score_adj_fops = {
	.read = oom_score_adj_read,
	.write = oom_score_adj_write,
	.llseek = generic_file_llseek,
};
const struct file_operations pid_oom_adj_fops = {
	.read = oom_adj_read,
	.write = oom_adj_write,
	.llseek = generic_file_llseek,
};

static ssize_t core_filter_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t = get_proc_task(file_inode(f));
	struct mm_struct *mm = t ? get_task_mm(t) : NULL;
	char text[16];
	int len = 0;

	if (mm) {
		len = snprintf(text, sizeof(text), "%08x\n", mm->core_filter);
		mmput(mm);
	}
	if (!t)
		return -ESRCH;
	put_task_struct(t);
	return simple_read_from_buffer(buf, n, pos, text, len);
}

static ssize_t core_filter_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t;
	struct mm_struct *mm;
	long long v;
	int err = read_number(buf, n, &v);

	if (err || v < 0 || v > UINT32_MAX)
		return err ? err : -EINVAL;
	t = get_proc_task(file_inode(f));
	if (!t)
		return -ESRCH;
	mm = get_task_mm(t);
	if (mm) {
		mm->core_filter = v & CORE_FILTER_MASK;
		mmput(mm);
	}
	put_task_struct(t);
	return n;
}

const struct file_operations pid_core_filter_fops = {
	.read = core_filter_read,
	.write = core_filter_write,
	.llseek = generic_file_llseek,
};

/* loginuid, sessionid: nobody logs in to a sandbox: unset, and there is no audit to set them for */
static ssize_t unset_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return reply(f, buf, n, pos, "u", 4294967295u);
}

static ssize_t refuse_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	return -EPERM;
}

const struct file_operations pid_loginuid_fops = {
	.read = unset_read, .write = refuse_write, .llseek = generic_file_llseek};
const struct file_operations pid_sessionid_fops = {.read = unset_read, .llseek = generic_file_llseek};

static ssize_t id_map_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	static const char map[] = "         0          0 4294967295\n";

	return simple_read_from_buffer(buf, n, pos, map, sizeof(map) - 1);
}

static ssize_t setgroups_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return simple_read_from_buffer(buf, n, pos, "allow\n", 6);
}

const struct file_operations pid_uid_map_fops = {
	.read = id_map_read, .write = refuse_write, .llseek = generic_file_llseek};
const struct file_operations pid_setgroups_fops = {
	.read = setgroups_read, .write = refuse_write, .llseek = generic_file_llseek};

static ssize_t timerslack_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t = get_proc_task(file_inode(f));
	ssize_t r = -EPERM;

	if (!t)
		return -ESRCH;
	if (t == current || capable(CAP_SYS_NICE))
		r = reply(f, buf, n, pos, "d", t->timer_slack_ns);
	put_task_struct(t);
	return r;
}

static ssize_t timerslack_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t;
	long long v;
	int err = read_number(buf, n, &v);

	if (err)
		return err;
	t = get_proc_task(file_inode(f));
	if (!t)
		return -ESRCH;
	if (t != current && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else
		t->timer_slack_ns = v ? v : t->default_timer_slack_ns;
	put_task_struct(t);
	return err ? err : n;
}

const struct file_operations pid_timerslack_fops = {
	.read = timerslack_read,
	.write = timerslack_write,
	.llseek = generic_file_llseek,
};

/* clear_refs: 5 lowers the high-water mark of memory; there are no reference bits to clear */
static ssize_t clear_refs_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct task_struct *t;
	struct mm_struct *mm;
	long long v;
	int err = read_number(buf, n, &v);

	if (err)
		return err;
	if (v != 5)
		return v >= 1 && v <= 4 ? -EOPNOTSUPP : -EINVAL;
	t = get_proc_task(file_inode(f));
	if (!t)
		return -ESRCH;
	mm = get_task_mm(t);
	if (mm) {
		mm->hiwater_rss = task_rss(mm);
		mmput(mm);
	}
	put_task_struct(t);
	return n;
}

const struct file_operations pid_clear_refs_fops = {.write = clear_refs_write, .llseek = noop_llseek};
