// SPDX-License-Identifier: Apache-2.0
// The OOM killer: which process ends when memory is gone.

#include <husk/sched.h>
#include <husk/mm.h>
#include <husk/init.h>
#include <husk/proc_fs.h>
#include <husk/proc_mm.h>
#include <husk/time.h>

/**
 * DOC: the OOM killer
 *
 * Called when a user allocation found nothing to reclaim. It kills the process with the most memory, weighed by oom_score_adj,
 * and waits a little for its memory. One victim at a time: while one is dying, others wait for it. The caller tries again, and
 * gives up (its own fault ends with SIGKILL) when it is the victim itself. The kernel is never a victim: it has a reserve of its own.
 */
#define OOM_SCORE_ADJ_MIN -1000
static int sysctl_panic_on_oom, sysctl_oom_kill_allocating_task;
static DEFINE_MUTEX(oom_lock);
static struct mm_struct *victim_mm; /* under oom_lock; with a reference */
static u64 victim_time;

/* Pages that killing t would free, weighed; 0: not to be killed. tasklist_lock or a reference is held. */
static long oom_badness(struct task_struct *t)
{
	long adj = READ_ONCE(t->signal->oom_score_adj), points;
	struct mm_struct *mm;

	if (adj == OOM_SCORE_ADJ_MIN || (t->flags & PF_KTHREAD))
		return 0;
	task_lock(t);
	mm = t->mm;
	points = mm ? task_rss(mm) + atomic_long_read(&mm->nr_ptes) : 0;
	task_unlock(t);
	if (!points)
		return 0;
	points += adj * (long)(totalram_pages / 1000);
	return points > 0 ? points : 1;
}

/* The memory of zombies whose parents were about to reap them, and have not; false: there is none. */
static bool free_dead_mms(void)
{
	struct mm_struct *mm = NULL;
	struct task_struct *p;

	read_lock(&tasklist_lock);
	for_each_process (p) {
		if (READ_ONCE(p->dead_mm) && (mm = xchg(&p->dead_mm, NULL)))
			break;
	}
	read_unlock(&tasklist_lock);
	if (mm)
		mmput(mm);
	return mm;
}

static struct task_struct *select_victim(void)
{
	struct task_struct *p, *worst = NULL;
	long most = 0;

	read_lock(&tasklist_lock);
	for_each_process (p) {
		long points;

		if (p->exit_state || (p->signal->flags & SIGNAL_GROUP_EXIT) || p == child_reaper)
			continue;
		points = oom_badness(p);
		if (points > most) {
			most = points;
			worst = p;
		}
	}
	/* the first process only when it is the only one */
	if (!worst && child_reaper && oom_badness(child_reaper) && !(child_reaper->signal->flags & SIGNAL_GROUP_EXIT))
		worst = child_reaper;
	if (worst)
		get_task_struct(worst);
	read_unlock(&tasklist_lock);
	return worst;
}

static void kill_victim(struct task_struct *t)
{
	struct mm_struct *mm = get_task_mm(t);
	unsigned long rss = mm ? task_rss(mm) : 0;

	pr_err("Out of memory: Killed process %d (%s) total-vm:%lukB, rss:%lukB, oom_score_adj:%d\n", t->tgid, t->comm,
	       mm ? mm->total_vm << 2 : 0, rss << 2, t->signal->oom_score_adj);
	if (mm) {
		struct task_struct *p;

		if (victim_mm)
			mmdrop(victim_mm);
		refcount_inc(&mm->mm_count);
		victim_mm = mm;
		victim_time = ktime_get_ns();
		/* whoever shares the memory keeps it alive */
		read_lock(&tasklist_lock);
		for_each_process (p) {
			if (p != t && p->mm == mm && !same_thread_group(p, t))
				do_send_sig_info(SIGKILL, SEND_SIG_PRIV, p, true);
		}
		read_unlock(&tasklist_lock);
	}
	do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, true);
	if (mm)
		mmput(mm);
}

/* Is an earlier victim still holding its memory? It gets a while. */
static bool victim_dying(void)
{
	if (!victim_mm)
		return false;
	if (refcount_read(&victim_mm->mm_users) && ktime_get_ns() - victim_time < 2 * NSEC_PER_SEC)
		return true;
	mmdrop(victim_mm);
	victim_mm = NULL;
	return false;
}

/* A tick for a victim's memory to come back */
static void pause_for_memory(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(NSEC_PER_MSEC);
}

static bool oom_kill(void)
{
	struct task_struct *t;

	if (free_dead_mms())
		return true;
	if (!mutex_trylock(&oom_lock)) {
		pause_for_memory();
		return !fatal_signal_pending(current);
	}
	if (!victim_dying()) {
		t = sysctl_oom_kill_allocating_task && !(current->flags & PF_KTHREAD) ? current->group_leader : NULL;
		if (t)
			get_task_struct(t);
		else
			t = select_victim();
		if (!t) {
			mutex_unlock(&oom_lock);
			return false;
		}
		if (sysctl_panic_on_oom)
			panic("Out of memory: vm.panic_on_oom is set");
		kill_victim(t);
		put_task_struct(t);
	}
	mutex_unlock(&oom_lock);
	if (fatal_signal_pending(current))
		return false;
	pause_for_memory();
	return true;
}

static int oom_kill_init(void)
{
	register_oom_killer(oom_kill);
	return 0;
}
core_initcall(oom_kill_init);

SYSCTL_INT("vm/panic_on_oom", 0644, sysctl_panic_on_oom, 0, 1);
SYSCTL_INT("vm/oom_kill_allocating_task", 0644, sysctl_oom_kill_allocating_task, 0, 1);
