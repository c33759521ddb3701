// SPDX-License-Identifier: Apache-2.0
// Limits and timers on CPU time: RLIMIT_CPU, ITIMER_VIRTUAL, ITIMER_PROF, POSIX timers on CPU clocks.

#include <husk/sched.h>
#include <husk/time.h>
#include <husk/slab.h>
#include "../signal_internal.h"
#include "posix_timers.h"

/**
 * DOC: CPU timers
 *
 * Nobody can read another host thread's CPU time, so while a process has such a timer (signal->cpu_timers) a tick kicks its
 * running threads every TICK; each then samples itself on its way to user mode (do_notify_resume) and looks what is due.
 */

#define TICK (4 * NSEC_PER_MSEC)
#define LAZY_TICK (100 * NSEC_PER_MSEC)

struct cpu_tick {
	struct timer timer;
	struct signal_struct *sig;
};

static bool precise(struct signal_struct *s)
{
	return s->it_prof_expires || s->it_virt_expires || posix_cpu_timers_armed(s);
}

static bool wanted(struct signal_struct *s)
{
	return precise(s) || s->rlim[RLIMIT_CPU].rlim_cur != RLIM_INFINITY;
}

static void tick_fn(struct timer *timer)
{
	struct signal_struct *s = container_of(timer, struct cpu_tick, timer)->sig;
	struct sighand_struct *sh;
	struct task_struct *t;

	read_lock(&tasklist_lock);
	sh = lock_task_sighand(s->leader);
	if (!sh)
		goto out;
	list_for_each_entry (t, &s->thread_head, thread_node) {
		if (READ_ONCE(t->state) != TASK_RUNNING || (t->flags & PF_EXITING))
			continue;
		set_tsk_flag(t, TIF_NOTIFY_RESUME);
		platform->kick(t);
	}
	if (atomic_read(&s->live) && wanted(s))
		timer_set(timer, ktime_get_ns() + (precise(s) ? TICK : LAZY_TICK));
	else
		s->cpu_timers = false;
	spin_unlock(&sh->siglock);
out:
	read_unlock(&tasklist_lock);
}

/*
 * signal->cpu_tick is the timer inside a struct cpu_tick: its first member. It is set under siglock while a thread lives, so that
 * exit_group_timers() finds it or it is never set. s is current's, or tasklist_lock keeps its leader.
 */
void cpu_timers_arm(struct signal_struct *s)
{
	struct task_struct *t = s == current->signal ? current : s->leader;
	struct cpu_tick *new = NULL;
	struct sighand_struct *sh;

	static_assert(offsetof(struct cpu_tick, timer) == 0, "freed through the timer");
	if (!s->cpu_tick) {
		new = kzalloc(sizeof(*new), GFP_KERNEL);
		if (!new)
			return;
		timer_init(&new->timer, tick_fn);
		new->sig = s;
	}
	sh = lock_task_sighand(t);
	if (sh && atomic_read(&s->live)) {
		if (!s->cpu_tick && new) {
			s->cpu_tick = &new->timer;
			new = NULL;
		}
		s->cpu_timers = true;
		if (s->cpu_tick)
			timer_set(s->cpu_tick, ktime_get_ns() + (precise(s) ? TICK : LAZY_TICK));
	}
	if (sh)
		spin_unlock(&sh->siglock);
	kfree(new);
}

static void check_itimer(struct task_struct *me, u64 *expires, u64 incr, u64 now, int sig)
{
	if (!*expires || now < *expires)
		return;
	*expires = incr ? *expires + ((now - *expires) / incr + 1) * incr : 0;
	send_signal_locked(sig, SEND_SIG_PRIV, me, true, false);
}

static void check_rlimit(struct task_struct *me, u64 now)
{
	struct signal_struct *s = me->signal;
	u64 soft = s->rlim[RLIMIT_CPU].rlim_cur, hard = s->rlim[RLIMIT_CPU].rlim_max;

	if (soft == RLIM_INFINITY)
		return;
	if (hard != RLIM_INFINITY && now / NSEC_PER_SEC >= hard) {
		send_signal_locked(SIGKILL, SEND_SIG_PRIV, me, true, false);
		return;
	}
	if (now / NSEC_PER_SEC < soft || now < s->rlim_cpu_next)
		return;
	s->rlim_cpu_next = now + NSEC_PER_SEC;
	send_signal_locked(SIGXCPU, SEND_SIG_PRIV, me, true, false);
}

void cpu_timers_check(void)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	struct wake_q wq;
	u64 ut, st;

	if (!me->sighand || (me->flags & PF_EXITING))
		return;
	wake_q_begin(&wq);
	spin_lock(&me->sighand->siglock);
	thread_group_cputime(me, &ut, &st);
	check_itimer(me, &s->it_virt_expires, s->it_virt_incr, ut, SIGVTALRM);
	check_itimer(me, &s->it_prof_expires, s->it_prof_incr, ut + st, SIGPROF);
	check_rlimit(me, ut + st);
	spin_unlock(&me->sighand->siglock);
	posix_cpu_timers_check(ut, st);
	wake_q_end(&wq);
}
