// SPDX-License-Identifier: Apache-2.0
// Kernel threads: they live in the kernel's own host process, where kthreadd makes them for whoever is elsewhere.

#include <husk/sched.h>
#include <husk/init.h>
#include <husk/mm.h>
#include "task_internal.h"

struct kthread_request {
	int (*fn)(void *);
	void *data;
	char name[TASK_COMM_LEN];
	struct task_struct *task; /* or ERR_PTR */
	struct completion done;
	struct list_head list;
};
static LIST_HEAD(requests);
static DEFINE_SPINLOCK(request_lock);
static DECLARE_WAIT_QUEUE_HEAD(request_wait);

static struct task_struct *kthread_create(int (*fn)(void *), void *data, const char *name)
{
	struct kernel_clone_args a = {
		.flags = CLONE_FS | CLONE_FILES,
		.exit_signal = SIGCHLD,
		.fn = fn,
		.fn_arg = data,
	};
	struct task_struct *t = copy_process(&a, true, name);

	if (!IS_ERR(t))
		put_task_struct(t); /* it is there until it returns from fn */
	return t;
}

static struct kthread_request *next_request(void)
{
	struct kthread_request *r;

	spin_lock(&request_lock);
	r = list_first_entry_or_null(&requests, struct kthread_request, list);
	if (r)
		list_del(&r->list);
	spin_unlock(&request_lock);
	return r;
}

static int kthreadd(void *unused)
{
	struct kthread_request *r;

	for (;;) {
		wait_event(request_wait, !list_empty(&requests));
		while ((r = next_request())) {
			r->task = kthread_create(r->fn, r->data, r->name);
			complete(&r->done);
		}
	}
	return 0;
}

static int kthread_init(void)
{
	struct task_struct *t = kthread_create(kthreadd, NULL, "kthreadd");

	if (IS_ERR(t) && PTR_ERR(t) != -EAGAIN)
		panic("kthreadd: %ld", PTR_ERR(t));
	if (IS_ERR(t))
		return PTR_ERR(t);
	return PTR_ERR_OR_ZERO(kthread_run(kmemd, NULL, "kmemd")); /* mm, below, cannot start its thread itself */
}
subsys_initcall(kthread_init);

/**
 * kthread_run - start a kernel thread
 * Returns the task or ERR_PTR. The pointer carries no reference: it is good while the thread runs.
 */
struct task_struct *kthread_run(int (*fn)(void *), void *data, const char *fmt, ...)
{
	struct kthread_request r = {.fn = fn, .data = data};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.name, sizeof(r.name), fmt, ap);
	va_end(ap);
	if (!current->mm &&
	    !(current->flags & PF_EXITING)) /* in the kernel's process: its threads, or pid 1 before its exec */
		return kthread_create(fn, data, r.name);
	init_completion(&r.done);
	spin_lock(&request_lock);
	list_add_tail(&r.list, &requests);
	spin_unlock(&request_lock);
	wake_up(&request_wait);
	wait_for_completion(&r.done);
	return r.task;
}
