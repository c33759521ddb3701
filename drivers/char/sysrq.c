// SPDX-License-Identifier: Apache-2.0
// /proc/sysrq-trigger: a letter makes the kernel show its state, or crash. Also /proc/sys/kernel/sysrq.

#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/boot.h>
#include <husk/init.h>
#include <husk/oops.h>
#include <husk/proc_fs.h>
#include <husk/sched.h>

#define KB(pages) ((unsigned long)(pages) << (PAGE_SHIFT - 10))

struct sysrq_key {
	char key;
	const char *help;
	void (*fn)(void);
};
static const struct sysrq_key keys[];
static int sysrq_enabled = 1; /* for who reads it; the file's mode decides who may trigger */

static void sysrq_crash(void)
{
	panic("sysrq triggered crash");
}

/* ---- tasks ---- */

static char state_letter(struct task_struct *t)
{
	u32 s = READ_ONCE(t->state);

	if (t->exit_state)
		return 'Z';
	if (s & __TASK_TRACED)
		return 't';
	if (s & __TASK_STOPPED)
		return 'T';
	return s & TASK_UNINTERRUPTIBLE ? 'D' : s & TASK_INTERRUPTIBLE ? 'S' : 'R';
}

static bool any_task(struct task_struct *t)
{
	return true;
}

static bool blocked_task(struct task_struct *t)
{
	return (READ_ONCE(t->state) & (TASK_UNINTERRUPTIBLE | TASK_WAKEKILL)) == TASK_UNINTERRUPTIBLE;
}

static bool running_task(struct task_struct *t)
{
	return READ_ONCE(t->state) == TASK_RUNNING && !t->exit_state;
}

static void show_tasks(bool (*wanted)(struct task_struct *))
{
	struct task_struct *p, *t;

	read_lock(&tasklist_lock);
	for_each_process (p) {
		for_each_thread (p, t) {
			if (!wanted(t))
				continue;
			pr_err("task %-15.16s %c pid %d tgid %d parent %d flags %x", t->comm, state_letter(t), t->pid,
			       t->tgid, t->ppid, t->flags);
			if (!t->exit_state)
				arch_show_task_trace(t);
		}
	}
	read_unlock(&tasklist_lock);
}

static void sysrq_tasks(void)
{
	show_tasks(any_task);
}

static void sysrq_blocked(void)
{
	show_tasks(blocked_task);
}

static void sysrq_backtraces(void)
{
	show_tasks(running_task);
}

/* ---- memory ---- */

static void slab_line(const struct slab_numbers *n, void *unused)
{
	if (n->inuse)
		pr_err("slab %-17s %6lu objects of %u bytes in use, %lu slabs", n->name, n->inuse, n->size, n->slabs);
}

static void sysrq_memory(void)
{
	pr_err("Mem: total %lu kB, free %lu kB", KB(totalram_pages), KB(nr_free_pages()));
	pr_err("anon %ld kB, file %ld kB, shmem %ld kB, dirty %ld kB, slab %ld kB, stacks %ld kB, page tables %ld kB",
	       KB(atomic64_read(&vm_stat[NR_ANON_PAGES])), KB(atomic64_read(&vm_stat[NR_FILE_PAGES])),
	       KB(atomic64_read(&vm_stat[NR_SHMEM])), KB(atomic64_read(&vm_stat[NR_FILE_DIRTY])),
	       KB(atomic64_read(&vm_stat[NR_SLAB])), KB(atomic64_read(&vm_stat[NR_KERNEL_STACK])),
	       KB(atomic64_read(&vm_stat[NR_PAGETABLE])));
	slab_for_each_cache(slab_line, NULL);
}

/* ---- the end ---- */

static void sysrq_reboot(void)
{
	host_shutdown(0);
}

static void sysrq_sync(void)
{
	sync_filesystems();
	pr_err("sysrq: file systems are written back");
}

static void sysrq_readonly(void)
{
	emergency_remount();
	pr_err("sysrq: file systems are read-only");
}

static void signal_all(int sig)
{
	struct task_struct *p;

	read_lock(&tasklist_lock);
	for_each_process (p)
		if (!(p->flags & PF_KTHREAD) && p != child_reaper && p != current)
			do_send_sig_info(sig, SEND_SIG_PRIV, p, true);
	read_unlock(&tasklist_lock);
}

static void sysrq_term(void)
{
	signal_all(SIGTERM);
}

static void sysrq_kill(void)
{
	signal_all(SIGKILL);
}

static void sysrq_help(void)
{
	for (const struct sysrq_key *k = keys; k->key; k++)
		pr_err("sysrq: %c: %s", k->key, k->help);
	pr_err("sysrq: 0-7: log up to that level");
}

static const struct sysrq_key keys[] = {
	{'b', "end the sandbox at once, nothing written back", sysrq_reboot},
	{'c', "crash", sysrq_crash},
	{'e', "SIGTERM to all processes but pid 1", sysrq_term},
	{'h', "this help", sysrq_help},
	{'i', "SIGKILL to all processes but pid 1", sysrq_kill},
	{'l', "backtraces of running tasks", sysrq_backtraces},
	{'m', "memory", sysrq_memory},
	{'s', "write file systems back", sysrq_sync},
	{'t', "all tasks with their stacks", sysrq_tasks},
	{'u', "make all file systems read-only", sysrq_readonly},
	{'w', "tasks that sleep uninterruptibly", sysrq_blocked},
	{},
};

static void sysrq(char c)
{
	if (c >= '0' && c <= '7') {
		WRITE_ONCE(boot->log_level, c - '0');
		return;
	}
	for (const struct sysrq_key *k = keys; k->key; k++) {
		if (k->key == c) {
			pr_err("sysrq: %s", k->help);
			k->fn();
			return;
		}
	}
	sysrq_help();
}

/* The first byte counts, as in Linux. */
static ssize_t sysrq_write(struct file *file, const char __user *buf, size_t n, loff_t *pos)
{
	char c;

	if (!n)
		return 0;
	if (copy_from_user(&c, buf, 1))
		return -EFAULT;
	sysrq(c);
	return n;
}

static const struct file_operations sysrq_fops = {
	.write = sysrq_write,
	.llseek = noop_llseek,
};

SYSCTL_INT("kernel/sysrq", 0644, sysrq_enabled, 0, 511);

static int sysrq_init(void)
{
	return proc_create("sysrq-trigger", 0200, NULL, &sysrq_fops) ? 0 : -ENOMEM;
}
late_initcall(sysrq_init);
