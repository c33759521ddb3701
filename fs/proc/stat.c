// SPDX-License-Identifier: Apache-2.0
/* /proc/stat, uptime, loadavg, version and other files about the whole system. */
#include "internal.h"
#include <husk/boot.h>
#include <husk/device.h>
#include <husk/init.h>

#define TICK (NSEC_PER_SEC / 100)
#define ULL(x) ((unsigned long long)(x))

/* Sums over all processes there ever were: what a reaped one used is in its parent's children's time. */
struct system_sums {
	u64 user, system, nice, switches;
	unsigned running, blocked, threads;
};

static void sum_thread(struct system_sums *s, struct task_struct *t)
{
	unsigned state = READ_ONCE(t->state);

	s->threads++;
	s->switches += t->nvcsw + t->nivcsw;
	if (t->exit_state || t->flags & PF_KTHREAD)
		return;
	if (state == TASK_RUNNING)
		s->running++;
	else if (state & TASK_UNINTERRUPTIBLE)
		s->blocked++;
}

static void sum_system(struct system_sums *s)
{
	struct task_struct *p, *t;

	memset(s, 0, sizeof(*s));
	read_lock(&tasklist_lock);
	for_each_process (p) {
		u64 ut, st;

		thread_group_cputime(p, &ut, &st);
		ut += p->signal->cutime;
		if (p->nice > 0)
			s->nice += ut;
		else
			s->user += ut;
		s->system += st + p->signal->cstime;
		s->switches += p->signal->nvcsw + p->signal->nivcsw + p->signal->cnvcsw + p->signal->cnivcsw;
		for_each_thread (p, t)
			sum_thread(s, t);
	}
	read_unlock(&tasklist_lock);
}

static unsigned ncpus(void)
{
	return boot->host_ncpus ? boot->host_ncpus : 1;
}

/* since the sandbox began, as a task's start time in /proc/PID/stat */
static u64 uptime_ns(void)
{
	return ktime_get_ns() - boot->boot_monotonic_ns;
}

static u64 idle_ns(const struct system_sums *s)
{
	u64 total = uptime_ns() * ncpus(), busy = s->user + s->nice + s->system;

	return total > busy ? total - busy : 0;
}

/* The host does not say which processor a task ran on: the sums are shared out evenly. */
static void print_cpu(struct seq_file *m, const struct system_sums *s, int cpu, unsigned share)
{
	if (cpu < 0)
		seq_puts(m, "cpu ");
	else
		seq_printf(m, "cpu%d", cpu);
	seq_printf(m, " %llu %llu %llu %llu 0 0 0 0 0 0\n", ULL(s->user / share / TICK), ULL(s->nice / share / TICK),
		   ULL(s->system / share / TICK), ULL(idle_ns(s) / share / TICK));
}

static int stat_show(struct seq_file *m, void *v)
{
	struct system_sums s;

	sum_system(&s);
	print_cpu(m, &s, -1, 1);
	for (unsigned i = 0; i < ncpus(); i++)
		print_cpu(m, &s, i, ncpus());
	seq_printf(m,
		   "intr 0\nctxt %llu\nbtime %llu\nprocesses %llu\nprocs_running %u\nprocs_blocked %u\nsoftirq 0 0 0 0 "
		   "0 0 0 0 0 0 0\n",
		   ULL(s.switches), ULL((ktime_get_real_ns() - uptime_ns()) / NSEC_PER_SEC), ULL(total_forks),
		   max(s.running, 1u), s.blocked);
	return 0;
}

static int uptime_show(struct seq_file *m, void *v)
{
	struct system_sums s;
	u64 up = uptime_ns(), idle;

	sum_system(&s);
	idle = idle_ns(&s);
	seq_printf(m, "%llu.%02llu %llu.%02llu\n", ULL(up / NSEC_PER_SEC), ULL(up % NSEC_PER_SEC / TICK),
		   ULL(idle / NSEC_PER_SEC), ULL(idle % NSEC_PER_SEC / TICK));
	return 0;
}

static pid_t newest_pid(void)
{
	struct task_struct *p;
	pid_t nr = 0;

	read_lock(&tasklist_lock);
	if (!list_empty(&init_task_list)) {
		p = list_last_entry(&init_task_list, struct task_struct, tasks);
		nr = p->pid;
	}
	read_unlock(&tasklist_lock);
	return nr;
}

static int loadavg_show(struct seq_file *m, void *v)
{
	unsigned long load[3];
	struct system_sums s;

	get_avenrun(load, FIXED_1 / 200, 0);
	sum_system(&s);
#define INT(x) ((x) >> FSHIFT)
#define FRAC(x) (((x) & (FIXED_1 - 1)) * 100 >> FSHIFT)
	seq_printf(m, "%lu.%02lu %lu.%02lu %lu.%02lu %u/%u %d\n", INT(load[0]), FRAC(load[0]), INT(load[1]),
		   FRAC(load[1]), INT(load[2]), FRAC(load[2]), s.running, s.threads, newest_pid());
	return 0;
}

static int devices_show(struct seq_file *m, void *v)
{
	chrdev_show(m);
	seq_puts(m, "\nBlock devices:\n");
	return 0;
}

static int partitions_show(struct seq_file *m, void *v)
{
	seq_puts(m, "major minor  #blocks  name\n\n");
	return 0;
}

static int interrupts_show(struct seq_file *m, void *v)
{
	seq_puts(m, "           ");
	for (unsigned i = 0; i < ncpus(); i++)
		seq_printf(m, "CPU%-8u", i);
	seq_putc(m, '\n');
	return 0;
}

static int swaps_show(struct seq_file *m, void *v)
{
	seq_puts(m, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int cmdline_show(struct seq_file *m, void *v)
{
	seq_printf(m, "ro%s%s\n", boot->flags & HOSTIF_B_READ_ONLY ? "" : " overlay",
		   boot->flags & HOSTIF_B_DEBUG ? " debug" : "");
	return 0;
}

static int cgroups_show(struct seq_file *m, void *v)
{
	seq_puts(m, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	return 0;
}

static int tty_drivers_show(struct seq_file *m, void *v)
{
	seq_puts(m, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
		    "/dev/console         /dev/console    5       1 system:console\n"
		    "/dev/ptmx            /dev/ptmx       5       2 system\n"
		    "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
		    "pty_master           /dev/ptm      128 0-1048575 pty:master\n");
	return 0;
}

static int stat_init(void)
{
	proc_create_single("stat", 0444, NULL, stat_show);
	proc_create_single("uptime", 0444, NULL, uptime_show);
	proc_create_single("loadavg", 0444, NULL, loadavg_show);
	proc_create_single("devices", 0444, NULL, devices_show);
	proc_create_single("misc", 0444, NULL, misc_show);
	proc_create_single("partitions", 0444, NULL, partitions_show);
	proc_create_single("interrupts", 0444, NULL, interrupts_show);
	proc_create_single("swaps", 0444, NULL, swaps_show);
	proc_create_single("cmdline", 0444, NULL, cmdline_show);
	proc_create_single("cgroups", 0444, NULL, cgroups_show);
	proc_create_single("tty/drivers", 0444, NULL, tty_drivers_show);
	return 0;
}
subsys_initcall(stat_init);
