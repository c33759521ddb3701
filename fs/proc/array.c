// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/stat and status. */
#include "internal.h"
#include <husk/proc_mm.h>
#include <husk/tty.h>
#include <husk/boot.h>

#define TICK (NSEC_PER_SEC / 100)

static char state_char(struct task_struct *t, const char **name)
{
	unsigned s = READ_ONCE(t->state), e = READ_ONCE(t->exit_state);
	static const char *const names[] = {"R (running)",	"S (sleeping)", "D (disk sleep)", "T (stopped)",
					    "t (tracing stop)", "X (dead)",	"Z (zombie)",	  "I (idle)"};
	int i = 0;

	if (e & EXIT_ZOMBIE)
		i = 6;
	else if (e & EXIT_DEAD)
		i = 5;
	else if (s & __TASK_TRACED)
		i = 4;
	else if (s & __TASK_STOPPED)
		i = 3;
	else if (s & TASK_UNINTERRUPTIBLE)
		i = 2;
	else if (s & TASK_INTERRUPTIBLE)
		i = 1;
	/* kernel threads wait for the monitor's doorbells outside of the scheduler's sight */
	if (t->flags & PF_KTHREAD && t != current && i <= 2)
		i = i == 2 ? 7 : 1;
	*name = names[i];
	return names[i][0];
}

static void print_comm(struct seq_file *m, struct task_struct *t)
{
	char comm[TASK_COMM_LEN];

	task_lock(t);
	memcpy(comm, t->comm, sizeof(comm));
	task_unlock(t);
	comm[TASK_COMM_LEN - 1] = 0;
	seq_escape(m, comm, "\n\\");
}

/* What is read together under siglock and tasklist_lock. */
struct task_snapshot {
	pid_t ppid, pgid, sid, tty_pgrp, tracer;
	u32 tty_nr;
	int threads, exit_code;
	u64 pending, shared, blocked, ignored, caught;
	u64 utime, stime, cutime, cstime, min_flt, maj_flt, cmin_flt, cmaj_flt;
	u64 rsslim;
};

static void snapshot_signals(struct task_struct *t, struct task_snapshot *s)
{
	s->pending = t->pending.signal;
	s->shared = t->signal->shared_pending.signal;
	s->blocked = t->blocked;
	for (int i = 1; i <= _NSIG; i++) {
		void *h = t->sighand->action[i - 1].handler;

		if (h == HUSK_SIG_IGN)
			s->ignored |= sigmask(i);
		else if (h != HUSK_SIG_DFL)
			s->caught |= sigmask(i);
	}
}

static void snapshot_group(struct task_struct *t, struct task_snapshot *s, bool whole)
{
	struct signal_struct *sig = t->signal;
	struct task_struct *p;

	s->cutime = sig->cutime;
	s->cstime = sig->cstime;
	s->cmin_flt = sig->cmin_flt;
	s->cmaj_flt = sig->cmaj_flt;
	s->rsslim = sig->rlim[RLIMIT_RSS].rlim_cur;
	s->threads = sig->nr_threads;
	if (!whole) {
		task_cputime(t, &s->utime, &s->stime);
		s->min_flt = t->min_flt;
		s->maj_flt = t->maj_flt;
		return;
	}
	thread_group_cputime(t, &s->utime, &s->stime);
	s->min_flt = sig->min_flt;
	s->maj_flt = sig->maj_flt;
	for_each_thread (t, p) {
		s->min_flt += p->min_flt;
		s->maj_flt += p->maj_flt;
	}
}

static void snapshot(struct task_struct *t, struct task_snapshot *s, bool whole)
{
	memset(s, 0, sizeof(*s));
	read_lock(&tasklist_lock);
	s->ppid = t->real_parent ? t->real_parent->tgid : 0;
	s->tracer = t->ptrace ? t->parent->pid : 0;
	s->tty_pgrp = -1;
	if (lock_task_sighand(t)) {
		struct sighand_struct *sighand = t->sighand;

		s->pgid = t->signal->pgid;
		s->sid = t->signal->sid;
		tty_proc_info(t->signal, &s->tty_nr, &s->tty_pgrp);
		snapshot_signals(t, s);
		snapshot_group(t, s, whole);
		spin_unlock(&sighand->siglock);
	}
	if (!t->exit_state || t->exit_state & EXIT_ZOMBIE)
		s->exit_code = t->signal && whole && t->signal->flags & SIGNAL_GROUP_EXIT ? t->signal->group_exit_code
											  : t->exit_code;
	read_unlock(&tasklist_lock);
}

/* linux_flags: PF_* as Linux numbers them */
static unsigned linux_flags(struct task_struct *t)
{
	unsigned f = READ_ONCE(t->flags);

	return 0x00400000 | (f & PF_KTHREAD ? 0x00200000 : 0) | (f & PF_EXITING ? 4 : 0) |
	       (f & PF_FORKNOEXEC ? 0x40 : 0) | (f & PF_SIGNALED ? 0x400 : 0);
}

static int stat_priority(struct task_struct *t)
{
	return t->rt_priority ? -1 - t->rt_priority : 20 + t->nice;
}

static unsigned long mm_rss(struct mm_struct *mm)
{
	long n = atomic_long_read(&mm->rss_anon) + atomic_long_read(&mm->rss_file) + atomic_long_read(&mm->rss_shmem);

	return n > 0 ? n : 0;
}

#define ULL(x) ((unsigned long long)(x))

static void stat_memory(struct seq_file *m, struct mm_struct *mm, bool may)
{
	seq_printf(m, " %lu %lu %lu", mm ? (may ? mm->start_code : 1) : 0, mm ? (may ? mm->end_code : 1) : 0,
		   mm && may ? mm->start_stack : 0);
}

static int do_stat(struct seq_file *m, struct task_struct *t, bool whole)
{
	struct mm_struct *mm = get_task_mm(t);
	bool may = mm && proc_may_access(t, false);
	struct task_snapshot s;
	const char *name;

	snapshot(t, &s, whole);
	seq_printf(m, "%d (", t->pid);
	print_comm(m, t);
	seq_printf(m, ") %c %d %d %d %d %d %u %llu %llu %llu %llu", state_char(t, &name), s.ppid, s.pgid, s.sid,
		   (int)s.tty_nr, s.tty_pgrp, linux_flags(t), ULL(s.min_flt), ULL(s.cmin_flt), ULL(s.maj_flt),
		   ULL(s.cmaj_flt));
	seq_printf(m, " %llu %llu %lld %lld %d %d %d 0 %llu", ULL(s.utime / TICK), ULL(s.stime / TICK),
		   (long long)(s.cutime / TICK), (long long)(s.cstime / TICK), stat_priority(t), t->nice, s.threads,
		   ULL((t->start_time > boot->boot_monotonic_ns ? t->start_time - boot->boot_monotonic_ns : 0) / TICK));
	seq_printf(m, " %lu %lu %llu", mm ? mm->total_vm << PAGE_SHIFT : 0, mm ? mm_rss(mm) : 0, ULL(s.rsslim));
	stat_memory(m, mm, may);
	seq_printf(m, " 0 0 %llu %llu %llu %llu %d 0 0 %d %u %u %u 0 0 0", ULL(s.pending & 0x7fffffff),
		   ULL(s.blocked & 0x7fffffff), ULL(s.ignored & 0x7fffffff), ULL(s.caught & 0x7fffffff),
		   READ_ONCE(t->state) != TASK_RUNNING, t->exit_signal, 0u, (unsigned)t->rt_priority,
		   (unsigned)t->sched_policy);
	if (mm && may)
		seq_printf(m, " %lu %lu %lu %lu %lu %lu %lu %d\n", mm->start_data, mm->end_data, mm->start_brk,
			   mm->arg_start, mm->arg_end, mm->env_start, mm->env_end, s.exit_code);
	else
		seq_puts(m, " 0 0 0 0 0 0 0 0\n");
	if (mm)
		mmput(mm);
	return 0;
}

int proc_tgid_stat(struct seq_file *m, struct task_struct *t)
{
	return do_stat(m, t, true);
}

int proc_tid_stat(struct seq_file *m, struct task_struct *t)
{
	return do_stat(m, t, false);
}

int proc_pid_statm(struct seq_file *m, struct task_struct *t)
{
	if (!t->mm) {
		seq_puts(m, "0 0 0 0 0 0 0\n");
		return 0;
	}
	return task_statm_show(m, t);
}

static void status_ids(struct seq_file *m, struct task_struct *t)
{
	const struct cred *c = get_task_cred(t);
	unsigned fds = 0;

	task_lock(t);
	if (t->files)
		fds = t->files->max_fds;
	task_unlock(t);
	seq_printf(m, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t", c->uid, c->euid, c->suid,
		   c->fsuid, c->gid, c->egid, c->sgid, c->fsgid, fds);
	for (int i = 0; c->group_info && i < c->group_info->ngroups; i++)
		seq_printf(m, "%u ", c->group_info->gid[i]);
	seq_putc(m, '\n');
	put_cred(c);
}

static void status_caps(struct seq_file *m, struct task_struct *t)
{
	const struct cred *c = get_task_cred(t);

	seq_printf(m, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
		   ULL(c->cap_inheritable), ULL(c->cap_permitted), ULL(c->cap_effective), ULL(c->cap_bset),
		   ULL(c->cap_ambient));
	put_cred(c);
}

static void status_signals(struct seq_file *m, struct task_struct *t, struct task_snapshot *s)
{
	const struct cred *c = get_task_cred(t);
	int queued = c->user ? atomic_read(&c->user->sigpending) : 0;

	put_cred(c);
	seq_printf(m, "Threads:\t%d\nSigQ:\t%d/%llu\n", s->threads, queued, ULL(task_rlimit(t, RLIMIT_SIGPENDING)));
	seq_printf(m, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		   ULL(s->pending), ULL(s->shared), ULL(s->blocked), ULL(s->ignored), ULL(s->caught));
}

static void print_cpu_mask(struct seq_file *m, unsigned long mask)
{
	if (boot->host_ncpus > 32)
		seq_printf(m, "%08lx,%08lx", mask >> 32, mask & 0xffffffff);
	else
		seq_printf(m, "%lx", mask);
}

static void print_cpu_list(struct seq_file *m, unsigned long mask)
{
	const char *sep = "";

	for (int i = 0; i < 64; i++) {
		int first = i;

		if (!(mask >> i & 1))
			continue;
		while (i + 1 < 64 && mask >> (i + 1) & 1)
			i++;
		seq_printf(m, "%s%d", sep, first);
		if (i > first)
			seq_printf(m, "-%d", i);
		sep = ",";
	}
}

static void status_cpus(struct seq_file *m, struct task_struct *t)
{
	unsigned n = boot->host_ncpus;
	unsigned long all = n >= 64 ? ~0UL : (1UL << (n ? n : 1)) - 1;
	unsigned long mask = t->cpus_mask & all ? t->cpus_mask & all : all;

	seq_puts(m, "Cpus_allowed:\t");
	print_cpu_mask(m, mask);
	seq_puts(m, "\nCpus_allowed_list:\t");
	print_cpu_list(m, mask);
	seq_puts(m, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

int proc_pid_status(struct seq_file *m, struct task_struct *t)
{
	struct task_snapshot s;
	const char *state;

	snapshot(t, &s, true);
	state_char(t, &state);
	seq_puts(m, "Name:\t");
	print_comm(m, t);
	task_lock(t);
	if (t->fs)
		seq_printf(m, "\nUmask:\t%04o", t->fs->umask);
	task_unlock(t);
	seq_printf(m, "\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", state, t->tgid,
		   t->pid, s.ppid, s.tracer);
	status_ids(m, t);
	seq_printf(m, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t%d\n", t->tgid, t->pid, s.pgid,
		   s.sid, !!(t->flags & PF_KTHREAD));
	if (t->mm) {
		task_mem_status_show(m, t);
		seq_printf(m, "CoreDumping:\t%d\nTHP_enabled:\t%d\nuntag_mask:\t0xffffffffffffffff\n",
			   t->signal->core_state != NULL, !t->thp_disabled);
	}
	status_signals(m, t, &s);
	status_caps(m, t);
	seq_printf(m, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", t->no_new_privs);
	status_cpus(m, t);
	seq_printf(m, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n", ULL(t->nvcsw),
		   ULL(t->nivcsw));
	return 0;
}
