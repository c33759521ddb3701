// SPDX-License-Identifier: Apache-2.0
// Timers of the kernel: a tree by expiry and one thread that sleeps until the first.

#include <husk/sched.h>
#include <husk/time.h>
#include <husk/init.h>

/**
 * DOC: timers
 *
 * timer_lock guards the tree, every timer's state and running. The thread sleeps in a host futex on timer_seq until the
 * first expiry; timer_set() changes the word (and wakes) only when the first expiry moves forward, so arming a timeout that
 * will be cancelled costs no host call. A function runs without the lock; it may set its own timer again.
 */

enum { TIMER_IDLE, TIMER_QUEUED };

static struct rb_root timers = {NULL};
static struct timer *first;   /* leftmost */
static struct timer *running; /* its function is being called */
static DEFINE_SPINLOCK(timer_lock);
static DECLARE_WAIT_QUEUE_HEAD(timer_idle); /* those who wait for running to end */
static struct task_struct *timer_task;
static u32 timer_seq;
static u64 sleeps_until = UINT64_MAX;

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->expires = 0;
	t->fn = fn;
	t->state = TIMER_IDLE;
}

bool timer_pending(struct timer *t)
{
	return READ_ONCE(t->state) == TIMER_QUEUED;
}

static void enqueue(struct timer *t)
{
	struct rb_node **link = &timers.rb_node, *parent = NULL;
	bool left = true;

	while (*link) {
		parent = *link;
		if (t->expires < rb_entry(parent, struct timer, node)->expires) {
			link = &parent->rb_left;
		} else {
			link = &parent->rb_right;
			left = false;
		}
	}
	rb_link_node(&t->node, parent, link);
	rb_insert_color(&t->node, &timers);
	t->state = TIMER_QUEUED;
	if (left)
		first = t;
}

static void dequeue(struct timer *t)
{
	if (first == t) {
		struct rb_node *n = rb_next(&t->node);

		first = n ? rb_entry(n, struct timer, node) : NULL;
	}
	rb_erase(&t->node, &timers);
	t->state = TIMER_IDLE;
}

void timer_set(struct timer *t, u64 expires)
{
	bool wake;

	spin_lock(&timer_lock);
	if (t->state == TIMER_QUEUED)
		dequeue(t);
	t->expires = expires;
	enqueue(t);
	wake = first == t && expires < sleeps_until;
	if (wake) {
		sleeps_until = 0; /* once is enough */
		__atomic_fetch_add(&timer_seq, 1, __ATOMIC_SEQ_CST);
	}
	spin_unlock(&timer_lock);
	if (wake)
		host_futex_wake(&timer_seq, 1);
}

bool timer_cancel(struct timer *t)
{
	bool armed;

	spin_lock(&timer_lock);
	armed = t->state == TIMER_QUEUED;
	if (armed)
		dequeue(t);
	while (running == t && current != timer_task) {
		spin_unlock(&timer_lock);
		wait_event(timer_idle, READ_ONCE(running) != t);
		spin_lock(&timer_lock);
		if (t->state == TIMER_QUEUED) { /* its function set it again */
			dequeue(t);
			armed = true;
		}
	}
	spin_unlock(&timer_lock);
	return armed;
}

u64 timer_forward(struct timer *t, u64 interval)
{
	u64 now = ktime_get_ns(), n;

	if (t->expires > now)
		return 0;
	n = (now - t->expires) / interval + 1;
	t->expires += n * interval;
	return n;
}

/* Run what is due; ns until the next one. timer_lock held. */
static s64 run_timers(void)
{
	u64 now = ktime_get_ns();

	while (first) {
		struct timer *t = first;

		if (t->expires > now) {
			now = ktime_get_ns();
			if (t->expires > now)
				return t->expires - now;
		}
		dequeue(t);
		running = t;
		spin_unlock(&timer_lock);
		t->fn(t);
		spin_lock(&timer_lock);
		running = NULL;
		if (waitqueue_active(&timer_idle)) {
			spin_unlock(&timer_lock);
			wake_up_all(&timer_idle);
			spin_lock(&timer_lock);
		}
	}
	return INT64_MAX;
}

static int timer_thread(void *unused)
{
	s64 ns;
	u32 seq;

	for (;;) {
		spin_lock(&timer_lock);
		ns = run_timers();
		sleeps_until = first ? first->expires : UINT64_MAX;
		seq = READ_ONCE(timer_seq);
		spin_unlock(&timer_lock);
		account_cputime();
		host_sleep(&timer_seq, seq, ns);
		spin_lock(&timer_lock);
		sleeps_until = 0; /* awake: it looks by itself */
		spin_unlock(&timer_lock);
	}
	return 0;
}

static int timers_init(void)
{
	struct task_struct *t = kthread_run(timer_thread, NULL, "ktimer");

	if (IS_ERR(t) && PTR_ERR(t) != -EAGAIN)
		panic("timer thread: %ld", PTR_ERR(t));
	timer_task = IS_ERR(t) ? NULL : t;
	return PTR_ERR_OR_ZERO(t);
}
subsys_initcall(timers_init);
