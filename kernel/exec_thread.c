// SPDX-License-Identifier: Apache-2.0
// The task side of execve: the other threads end, and current becomes the leader.

#include <husk/pid.h>
#include "signal_internal.h"
#include "task_internal.h"

static void cancel_exec(struct signal_struct *s, struct task_struct *me)
{
	spin_lock(&me->sighand->siglock);
	s->group_exec_task = NULL;
	s->notify_count = 0;
	spin_unlock(&me->sighand->siglock);
}

/* siglock held; wait until every other thread but a leader is released. False: current was killed. siglock is dropped. */
static bool wait_for_others(struct task_struct *me)
{
	struct signal_struct *s = me->signal;
	bool killed = false;

	while (s->notify_count && !killed) {
		set_current_state(TASK_KILLABLE);
		spin_unlock(&me->sighand->siglock);
		schedule();
		set_current_state(TASK_RUNNING);
		killed = fatal_signal_pending(me);
		spin_lock(&me->sighand->siglock);
	}
	spin_unlock(&me->sighand->siglock);
	return !killed;
}

/* Wait until the leader is a zombie. True: tasklist_lock is held for writing. */
static bool wait_for_leader(struct task_struct *me, struct task_struct *leader)
{
	for (;;) {
		write_lock(&tasklist_lock);
		me->signal->notify_count = -1; /* for exit_notify() */
		if (leader->exit_state)
			return true;
		set_current_state(TASK_KILLABLE);
		write_unlock(&tasklist_lock);
		schedule();
		set_current_state(TASK_RUNNING);
		if (fatal_signal_pending(me))
			return false;
	}
}

/* tasklist_lock held for writing: number, age, place in the lists */
static void take_over_leader(struct task_struct *me, struct task_struct *leader)
{
	struct signal_struct *s = me->signal;
	struct task_struct *t;

	me->start_time = leader->start_time;
	me->start_boottime = leader->start_boottime;
	exchange_pids(me, leader);
	list_add(&me->tasks, &leader->tasks);
	list_del_init(&leader->tasks);
	list_add(&me->sibling, &leader->sibling);
	list_del_init(&leader->sibling);
	for_each_thread (me, t)
		t->group_leader = me;
	s->leader = me;
	me->orphan_autoreap = leader->orphan_autoreap;
	me->exit_signal = SIGCHLD;
	leader->exit_signal = -1;
	leader->exit_state = EXIT_DEAD;
	if (leader->ptrace) /* released without a word: the tracer may be waiting for it */
		wake_up_interruptible_all(&leader->parent->signal->wait_chldexit);
	if (child_reaper == leader)
		child_reaper = me;
}

int de_thread(struct task_struct *me)
{
	struct signal_struct *s = me->signal;
	struct task_struct *leader = me->group_leader;
	struct wake_q wq;

	if (thread_group_empty(me))
		goto done;
	wake_q_begin(&wq);
	spin_lock(&me->sighand->siglock);
	if ((s->flags & SIGNAL_GROUP_EXIT) || s->group_exec_task) {
		spin_unlock(&me->sighand->siglock);
		wake_q_end(&wq);
		return -EAGAIN;
	}
	s->group_exec_task = me;
	s->notify_count = zap_other_threads(me);
	if (me != leader)
		s->notify_count--;
	spin_unlock(&me->sighand->siglock);
	wake_q_end(&wq);
	spin_lock(&me->sighand->siglock);
	if (!wait_for_others(me))
		goto killed;
	if (me != leader) {
		if (!wait_for_leader(me, leader))
			goto killed;
		take_over_leader(me, leader);
		write_unlock(&tasklist_lock);
		s->notify_count = 0;
		release_task(leader);
	}
	cancel_exec(s, me);
done:
	me->exit_signal = SIGCHLD;
	return 0;
killed:
	cancel_exec(s, me);
	return -EAGAIN;
}

int unshare_sighand(struct task_struct *me)
{
	struct sighand_struct *old = me->sighand, *new;

	if (refcount_read(&old->count) == 1)
		return 0;
	new = alloc_sighand();
	if (!new)
		return -ENOMEM;
	write_lock(&tasklist_lock);
	task_lock(me);
	spin_lock(&old->siglock);
	memcpy(new->action, old->action, sizeof(new->action));
	me->sighand = new;
	spin_unlock(&old->siglock);
	task_unlock(me);
	write_unlock(&tasklist_lock);
	put_sighand(old);
	return 0;
}
