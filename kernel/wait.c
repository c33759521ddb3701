// SPDX-License-Identifier: Apache-2.0
// Sleeping and waking: task states, wait queues, completions.

#include <husk/sched.h>
#include <husk/time.h>
#include <husk/trace.h>

/**
 * DOC: sleep and wake-up
 *
 * A task sleeps on its own state word, which is a host futex. The sleeper sets sleeping to 1 and asks the host to wait while the
 * word is unchanged; the waker makes the word TASK_RUNNING and makes the host call only when it sees sleeping. Both sides
 * write before they read, sequentially consistent, so that either the waker sees sleeping or the host sees the changed word.
 *
 * The host call is put off until the waker's locks are dropped (struct wake_q): a host that runs the woken task at once, on the
 * waker's CPU, would only find it blocked on the wait queue's lock. Only the address of the word is kept: should its task be
 * gone by then, the futex wake hits nobody, or somebody who looks at his word and sleeps on.
 */

void set_current_state(unsigned state)
{
	__atomic_store_n(&current->state, state, __ATOMIC_SEQ_CST);
}

int signal_pending_state(unsigned state, struct task_struct *t)
{
	if (!(state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)))
		return 0;
	if (!signal_pending(t))
		return 0;
	return (state & TASK_INTERRUPTIBLE) || fatal_signal_pending(t);
}

static noinline void wake_q_flush(struct wake_q *q)
{
	for (unsigned i = 0; i < q->n; i++)
		host_futex_wake(q->word[i], 1);
	q->n = 0;
}

void wake_q_begin(struct wake_q *q)
{
	struct task_struct *me = current;

	q->n = 0;
	q->inner = me->wake_q != NULL;
	if (!q->inner)
		me->wake_q = q;
}

void wake_q_end(struct wake_q *q)
{
	if (q->inner)
		return;
	current->wake_q = NULL;
	if (q->n)
		wake_q_flush(q);
}

static noinline void rouse(struct task_struct *t)
{
	struct wake_q *q = current->wake_q;

	if (!q) {
		host_futex_wake(&t->state, 1);
		return;
	}
	if (q->n == WAKE_Q_MAX)
		wake_q_flush(q);
	q->word[q->n++] = &t->state;
}

/**
 * wake_up_state - make a sleeping task run
 * @state: the states (bits) to wake it from. Returns whether it was in one of them.
 */
bool wake_up_state(struct task_struct *t, unsigned state)
{
	u32 s = __atomic_load_n(&t->state, __ATOMIC_SEQ_CST);

	do {
		if (!(s & state))
			return false;
	} while (!__atomic_compare_exchange_n(&t->state, &s, TASK_RUNNING, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (__atomic_load_n(&t->sleeping, __ATOMIC_SEQ_CST))
		rouse(t);
	return true;
}

/* Still to sleep after a last look at signals? Senders set the flag first, then look at the state. */
static bool sleep_prepare(struct task_struct *me)
{
	struct wake_q *q = me->wake_q;
	u32 s;

	might_sleep("schedule()");
	if (unlikely(q && q->n))
		wake_q_flush(q);
	account_cputime(); /* may find that a CPU timer is due */
	me->nvcsw++;
	s = __atomic_load_n(&me->state, __ATOMIC_SEQ_CST);
	if (s == TASK_RUNNING)
		return false;
	if (unlikely(signal_pending_state(s, me))) {
		set_current_state(TASK_RUNNING);
		return false;
	}
	__atomic_store_n(&me->sleeping, 1, __ATOMIC_SEQ_CST);
	return true;
}

void schedule(void)
{
	struct task_struct *me = current;
	u32 s;

	trace_sleep(me);
	if (__atomic_load_n(&me->state, __ATOMIC_SEQ_CST) == TASK_RUNNING || !sleep_prepare(me))
		return;
	while ((s = __atomic_load_n(&me->state, __ATOMIC_SEQ_CST)) != TASK_RUNNING)
		host_sleep(&me->state, s, INT64_MAX);
	__atomic_store_n(&me->sleeping, 0, __ATOMIC_RELAXED);
}

s64 schedule_timeout(s64 ns)
{
	struct task_struct *me = current;
	s64 left = ns;
	u64 end;
	u32 s;

	if (ns == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return ns;
	}
	if (ns <= 0 || __atomic_load_n(&me->state, __ATOMIC_SEQ_CST) == TASK_RUNNING) {
		set_current_state(TASK_RUNNING);
		return ns > 0 ? ns : 0;
	}
	trace_sleep(me);
	end = ktime_get_ns() + ns;
	if (sleep_prepare(me)) {
		while (left > 0 && (s = __atomic_load_n(&me->state, __ATOMIC_SEQ_CST)) != TASK_RUNNING) {
			host_sleep(&me->state, s, left);
			left = end - ktime_get_ns();
		}
		__atomic_store_n(&me->sleeping, 0, __ATOMIC_RELAXED);
		set_current_state(TASK_RUNNING);
	}
	left = end - ktime_get_ns();
	return left > 0 ? left : 0;
}

/* ---- wait queues ---- */

void init_waitqueue_entry(struct wait_queue_entry *e, struct task_struct *t)
{
	e->flags = 0;
	e->private = t;
	e->func = default_wake_function;
	INIT_LIST_HEAD(&e->entry);
}

void init_waitqueue_func_entry(struct wait_queue_entry *e, wait_queue_func_t f)
{
	e->flags = 0;
	e->private = NULL;
	e->func = f;
	INIT_LIST_HEAD(&e->entry);
}

int default_wake_function(struct wait_queue_entry *e, unsigned mode, int sync, void *key)
{
	return wake_up_state(e->private, mode);
}

/* Taking the entry off must be the last access to it: finish_wait() looks without the lock. */
static inline void list_del_init_release(struct list_head *e)
{
	__list_del(e->prev, e->next);
	e->prev = e;
	smp_store_release(&e->next, e);
}

int autoremove_wake_function(struct wait_queue_entry *e, unsigned mode, int sync, void *key)
{
	bool woken = wake_up_state(e->private, mode);

	if (woken)
		list_del_init_release(&e->entry);
	return woken;
}

void add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	e->flags &= ~WQ_FLAG_EXCLUSIVE;
	spin_lock(&q->lock);
	list_add(&e->entry, &q->head);
	spin_unlock(&q->lock);
}

void add_wait_queue_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	e->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock(&q->lock);
	list_add_tail(&e->entry, &q->head);
	spin_unlock(&q->lock);
}

void remove_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	spin_lock(&q->lock);
	list_del_init(&e->entry);
	spin_unlock(&q->lock);
}

void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned state)
{
	e->flags &= ~WQ_FLAG_EXCLUSIVE;
	spin_lock(&q->lock);
	if (list_empty(&e->entry))
		list_add(&e->entry, &q->head);
	set_current_state(state);
	spin_unlock(&q->lock);
}

void prepare_to_wait_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned state)
{
	e->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock(&q->lock);
	if (list_empty(&e->entry))
		list_add_tail(&e->entry, &q->head);
	set_current_state(state);
	spin_unlock(&q->lock);
}

void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e)
{
	set_current_state(TASK_RUNNING);
	if (smp_load_acquire(&e->entry.next) != &e->entry) {
		spin_lock(&q->lock);
		list_del_init(&e->entry);
		spin_unlock(&q->lock);
	}
}

/**
 * __wake_up - wake sleepers of a queue
 * @mode: task states to wake. @nr_exclusive: how many exclusive waiters; 0: all. @key: for the entries' functions.
 */
void __wake_up(wait_queue_head_t *q, unsigned mode, int nr_exclusive, void *key)
{
	struct wait_queue_entry *e, *n;
	struct wake_q wq;

	if (!waitqueue_active(q))
		return;
	wake_q_begin(&wq);
	spin_lock(&q->lock);
	list_for_each_entry_safe (e, n, &q->head, entry) {
		unsigned flags = e->flags;
		int r = e->func(e, mode, 0, key);

		if (r < 0)
			break;
		if (r && (flags & WQ_FLAG_EXCLUSIVE) && !--nr_exclusive)
			break;
	}
	spin_unlock(&q->lock);
	wake_q_end(&wq);
}

/* ---- completions ---- */

static void complete_n(struct completion *c, bool all)
{
	struct wait_queue_entry *e, *n;
	struct wake_q wq;

	/* done changes under the queue's lock: a waiter that saw it may free the completion only after we left */
	wake_q_begin(&wq);
	spin_lock(&c->wait.lock);
	if (all)
		c->done = UINT32_MAX / 2;
	else if (c->done < UINT32_MAX / 2)
		c->done++;
	list_for_each_entry_safe (e, n, &c->wait.head, entry)
		if (e->func(e, TASK_NORMAL, 0, NULL) && !all)
			break;
	spin_unlock(&c->wait.lock);
	wake_q_end(&wq);
}

void complete(struct completion *c)
{
	complete_n(c, false);
}

void complete_all(struct completion *c)
{
	complete_n(c, true);
}

static int wait_for_common(struct completion *c, unsigned state)
{
	struct wait_queue_entry e;
	int err = 0;

	init_waitqueue_entry(&e, current);
	spin_lock(&c->wait.lock);
	while (!c->done) {
		if (signal_pending_state(state, current)) {
			err = -ERESTARTSYS;
			break;
		}
		if (list_empty(&e.entry))
			list_add_tail(&e.entry, &c->wait.head);
		set_current_state(state);
		spin_unlock(&c->wait.lock);
		schedule();
		spin_lock(&c->wait.lock);
	}
	set_current_state(TASK_RUNNING);
	list_del_init(&e.entry);
	if (c->done) {
		err = 0;
		if (c->done < UINT32_MAX / 2)
			c->done--;
	}
	spin_unlock(&c->wait.lock);
	return err;
}

void wait_for_completion(struct completion *c)
{
	wait_for_common(c, TASK_UNINTERRUPTIBLE);
}

int wait_for_completion_killable(struct completion *c)
{
	return wait_for_common(c, TASK_KILLABLE);
}
