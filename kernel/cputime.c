// SPDX-License-Identifier: Apache-2.0
// CPU time of tasks, from the host's thread clocks.

#include <husk/syscalls.h>
#include <husk/time.h>

/**
 * DOC: CPU time
 *
 * The host tells a thread only its own CPU time, so a task samples itself: when it sleeps, when it ends, and when it is kicked
 * because somebody asked. What others see of a running task is its last sample, at most STALE old at the next look.
 *
 * The host cannot tell guest user code from kernel code in one thread. The system part is an estimate from what the task did
 * (faults, sleeps); the sum is exact. A task that moves to another host thread carries its time in cpu_base.
 */

#define SAMPLE_GAP (4 * NSEC_PER_MSEC)
#define STALE (10 * NSEC_PER_MSEC)
#define FAULT_COST 1000 /* ns of system time a fault or a sleep stands for; docs/design/tasks.md */
#define SLEEP_COST 2000

static void sample(struct task_struct *me, u64 now)
{
	u64 total = me->cpu_base + host_thread_cputime(), st;

	if ((s64)total < (s64)me->cpu_total)
		total = me->cpu_total;
	st = (me->min_flt + me->maj_flt) * FAULT_COST + me->nvcsw * SLEEP_COST;
	if (me->flags & PF_KTHREAD)
		st = total;
	st = max(me->stime, min(st, total / 2));
	if (st > total)
		st = total;
	me->cpu_total = total;
	me->cpu_sampled_at = now;
	WRITE_ONCE(me->stime, st);
	WRITE_ONCE(me->utime, max(me->utime, total - st));
}

void account_cputime(void)
{
	struct task_struct *me = current;
	u64 now = ktime_get_ns();

	if (now - me->cpu_sampled_at < SAMPLE_GAP && !me->signal->cpu_timers)
		return;
	sample(me, now);
	if (unlikely(me->signal->cpu_timers))
		cpu_timers_check();
}

void cputime_rebase_begin(void)
{
	current->cpu_base += host_thread_cputime();
}

void cputime_rebase_end(void)
{
	current->cpu_base -= host_thread_cputime();
}

void task_cputime(struct task_struct *t, u64 *ut, u64 *st)
{
	u64 now = ktime_get_ns();

	if (t == current) {
		sample(t, now);
	} else if (READ_ONCE(t->state) == TASK_RUNNING && !t->exit_state && now - t->cpu_sampled_at > STALE &&
		   !(t->flags & PF_KTHREAD)) {
		set_tsk_flag(t, TIF_NOTIFY_RESUME);
		platform->kick(t);
	}
	*ut = READ_ONCE(t->utime);
	*st = READ_ONCE(t->stime);
}

void thread_group_cputime(struct task_struct *p, u64 *ut, u64 *st)
{
	struct signal_struct *s = p->signal;
	struct task_struct *t;
	u64 u, k;

	*ut = s->utime;
	*st = s->stime;
	for_each_thread (p, t) {
		task_cputime(t, &u, &k);
		*ut += u;
		*st += k;
	}
}
