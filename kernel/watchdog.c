// SPDX-License-Identifier: Apache-2.0
// The watchdog: finds tasks that spin in the kernel or sleep for ever, and beats the heart that the mini dump kernel watches.

#include <husk/sched.h>
#include <husk/boot.h>
#include <husk/init.h>
#include <husk/oops.h>
#include <husk/oops.h>
#include <husk/time.h>

/**
 * DOC: lockups and hung tasks
 *
 * A round every quarter of boot->watchdog_ns, in the timer thread. Time is counted in rounds, not by the clock: while the whole
 * sandbox is stopped or frozen there are none, so nobody is accused for it.
 *
 * Lockup: a task that in four rounds running was in the kernel, awake, and made no system call, fault or sleep. It spins; the
 * sandbox panics, which names it. Kernel threads are left out: they wait in ways of their own. Who waits for a lock is not spinning:
 * deadlocks are found there (lock_patience).
 *
 * Hung task: asleep in TASK_UNINTERRUPTIBLE, without a fatal signal's help, for HUNG_ROUNDS rounds: reported once, with its number;
 * it may be waiting for a slow host.
 *
 * Each round adds one to boot->heartbeat. When it stands still, tasklist_lock, the timer thread or the kernel is dead: the mini dump
 * kernel sees that from outside.
 */
#define LOCKUP_ROUNDS 4
#define HUNG_ROUNDS 24

static struct timer round_timer;
static u64 period;

static u64 progress(struct task_struct *t)
{
	return READ_ONCE(t->ti->ncalls) + READ_ONCE(t->nvcsw) + READ_ONCE(t->min_flt) + READ_ONCE(t->maj_flt);
}

static bool in_kernel_awake(struct task_struct *t)
{
	struct thread_info *ti = t->ti;

	return READ_ONCE(t->state) == TASK_RUNNING && !READ_ONCE(ti->in_user) && !READ_ONCE(ti->sleep_bp) &&
	       READ_ONCE(ti->host_tid) > 0;
}

/* Asleep for good, or waiting for a lock or an answer of the host. */
static bool hung(struct task_struct *t)
{
	if (READ_ONCE(t->state) == TASK_RUNNING)
		return READ_ONCE(t->ti->sleep_bp);
	return (READ_ONCE(t->state) & (TASK_UNINTERRUPTIBLE | TASK_WAKEKILL)) == TASK_UNINTERRUPTIBLE;
}

static void report_hung(struct task_struct *t)
{
	t->watch_told = true;
	pr_warn("watchdog: task %s:%d blocked for more than %llu seconds in the kernel (call %ld)\n", t->comm, t->pid,
		(unsigned long long)(HUNG_ROUNDS * period / NSEC_PER_SEC), (long)task_pt_regs(t)->orig_ax);
}

/* Under tasklist_lock. True if t is locked up. */
static bool look_at(struct task_struct *t)
{
	u64 now = progress(t);

	if ((t->flags & PF_KTHREAD) || t->exit_state || !t->ti)
		return false;
	if (now != t->watch_seen || !(in_kernel_awake(t) || hung(t))) {
		t->watch_seen = now;
		t->watch_rounds = 0;
		t->watch_told = false;
		return false;
	}
	t->watch_rounds++;
	if (in_kernel_awake(t))
		return t->watch_rounds >= LOCKUP_ROUNDS;
	if (t->watch_rounds >= HUNG_ROUNDS && !t->watch_told)
		report_hung(t);
	return false;
}

static void round_fn(struct timer *timer)
{
	struct task_struct *p, *t, *locked = NULL;

	read_lock(&tasklist_lock);
	for_each_process (p)
		for_each_thread (p, t)
			if (look_at(t))
				locked = t;
	if (locked)
		get_task_struct(locked);
	read_unlock(&tasklist_lock);
	if (locked) {
		arch_show_task_trace(locked);
		panic("watchdog: task %s:%d is stuck in the kernel for %llu seconds (call %ld)", locked->comm,
		      locked->pid, (unsigned long long)(boot->watchdog_ns / NSEC_PER_SEC),
		      (long)task_pt_regs(locked)->orig_ax);
	}
	__atomic_fetch_add(&boot->heartbeat, 1, __ATOMIC_RELAXED);
	timer_set(&round_timer, ktime_get_ns() + period);
}

static int watchdog_init(void)
{
	period = boot->watchdog_ns / LOCKUP_ROUNDS;
	lock_patience =
		boot->watchdog_ns / NSEC_PER_SEC; /* of who waits for a lock: kernel/locking.c finds deadlocks */
	if (!period)
		return 0;
	timer_init(&round_timer, round_fn);
	timer_set(&round_timer, ktime_get_ns() + period);
	return 0;
}
late_initcall(watchdog_init);
