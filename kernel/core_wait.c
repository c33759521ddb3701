// SPDX-License-Identifier: Apache-2.0
// A process that dumps core: its threads are gathered with their registers saved, and let go when the file is written.

#include <husk/coredump.h>
#include <husk/mm.h>
#include <husk/ptrace.h>
#include "signal_internal.h"

/**
 * DOC: gathering the threads
 *
 * The thread that dumps puts its process in group exit and kills the others, which come to coredump_task_exit() at the start of
 * do_exit(), still with their memory. Each counts itself down there and waits. PF_POSTCOREDUMP, set under siglock, says who has passed that
 * point already and cannot be waited for. core_state is counted, for the last to leave is not known.
 */

void (*core_dump)(const struct kernel_siginfo *info);

static void put_core_state(struct core_state *cs)
{
	if (refcount_dec_and_test(&cs->refs))
		kfree(cs);
}

/* The registers go where the writer finds them, with nothing of the kernel's doing in them. */
static void save_registers(void)
{
	if (current->mm)
		arch_settle_ip();
	arch_ptrace_stopping();
}

void coredump_task_exit(struct task_struct *t)
{
	struct core_thread here = {.task = t};
	struct core_state *cs;

	spin_lock(&t->sighand->siglock);
	t->flags |= PF_POSTCOREDUMP;
	cs = t->signal->core_state;
	if (unlikely(cs && cs->dumper == t)) { /* an oops while writing */
		spin_unlock(&t->sighand->siglock);
		coredump_end(false);
		return;
	}
	if (unlikely(cs)) {
		refcount_inc(&cs->refs);
		list_add_tail(&here.node, &cs->threads);
	}
	spin_unlock(&t->sighand->siglock);
	if (likely(!cs))
		return;
	save_registers();
	if (atomic_dec_and_test(&cs->missing))
		wake_up_all(&cs->wait);
	wait_event(cs->wait, smp_load_acquire(&cs->done));
	put_core_state(cs);
}

/* siglock held: how many others have to come */
static int kill_others(struct task_struct *me)
{
	struct task_struct *t;
	int n = 0;

	for_each_thread (me, t) {
		if (t == me || (t->flags & PF_POSTCOREDUMP))
			continue;
		task_clear_jobctl_pending(t, JOBCTL_PENDING_MASK);
		sigaddset(&t->pending.signal, SIGKILL);
		signal_wake_up(t, true);
		n++;
	}
	return n;
}

int coredump_begin(int sig)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	struct core_state *cs = kzalloc(sizeof(*cs), GFP_KERNEL);
	struct wake_q wq;
	int r = -EAGAIN;

	if (!cs)
		return -ENOMEM;
	refcount_set(&cs->refs, 1);
	cs->dumper = me;
	init_waitqueue_head(&cs->wait);
	INIT_LIST_HEAD(&cs->threads);
	wake_q_begin(&wq);
	spin_lock(&me->sighand->siglock);
	if (!(s->flags & SIGNAL_GROUP_EXIT) && !s->group_exec_task) {
		s->flags = SIGNAL_GROUP_EXIT;
		s->group_exit_code = sig;
		s->group_stop_count = 0;
		s->core_state = cs;
		atomic_set(&cs->missing, kill_others(me));
		clear_thread_flag(
			TIF_SIGPENDING); /* what writing the file sleeps for is not interrupted by what is pending */
		r = 0;
	}
	spin_unlock(&me->sighand->siglock);
	wake_q_end(&wq);
	if (r) {
		kfree(cs);
		return r;
	}
	wait_event(cs->wait, !atomic_read(&cs->missing));
	save_registers();
	return 0;
}

void coredump_end(bool dumped)
{
	struct signal_struct *s = current->signal;
	struct core_state *cs = s->core_state;

	spin_lock(&current->sighand->siglock);
	if (dumped && s->group_exit_code != SIGKILL)
		s->group_exit_code |= 0x80;
	s->core_state = NULL;
	spin_unlock(&current->sighand->siglock);
	smp_store_release(&cs->done, true);
	wake_up_all(&cs->wait);
	put_core_state(cs);
}
