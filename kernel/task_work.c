// SPDX-License-Identifier: Apache-2.0
// Work that a task does for others before it goes back to user mode.

#include <husk/sched.h>
#include "task_internal.h"

/* task_works.next is NULL once the task takes no more. Lock: alloc_lock. */
int task_work_add(struct task_struct *t, struct callback_head *w)
{
	bool ok;

	task_lock(t);
	ok = t->task_works.next != NULL;
	if (ok)
		list_add_tail(&w->node, &t->task_works);
	task_unlock(t);
	if (!ok)
		return -ESRCH;
	set_tsk_flag(t, TIF_NOTIFY_RESUME);
	if (t != current)
		platform->kick(t);
	return 0;
}

static bool run_list(struct task_struct *me, bool last)
{
	struct callback_head *w, *n;
	LIST_HEAD(todo);

	task_lock(me);
	list_splice_init(&me->task_works, &todo);
	if (last && list_empty(&todo))
		me->task_works.next = NULL;
	task_unlock(me);
	if (list_empty(&todo))
		return false;
	list_for_each_entry_safe (w, n, &todo, node)
		w->func(w);
	return true;
}

void task_work_run(void)
{
	struct task_struct *me = current;

	if (list_empty(&me->task_works))
		return;
	while (run_list(me, false))
		;
}

void task_works_exit(void)
{
	while (run_list(current, true))
		;
}
