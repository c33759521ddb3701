// SPDX-License-Identifier: Apache-2.0
// Robust futex lists, and waiting for several futexes at once.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/init.h>
#include <linux/futex.h>
#include "futex_internal.h"
#include "task_internal.h"

static int futex_init(void)
{
	for (int i = 0; i < 1 << FUTEX_HASH_BITS; i++)
		INIT_LIST_HEAD(&futex_hash[i].head);
	return 0;
}
core_initcall(futex_init);

/* ---- robust lists ---- */

/* The owner of the lock at uaddr dies: say so in the word, and let one waiter have it. */
static int handle_death(u32 *uaddr, struct task_struct *t, bool pi, bool pending)
{
	u32 val, new, prev;

	if ((unsigned long)uaddr & 3)
		return -1;
	if (get_user(val, uaddr))
		return -1;
	for (;;) {
		/* died between unlocking in user mode and the wake-up */
		if (pending && !pi && !val) {
			futex_wake_user(uaddr, 1);
			return 0;
		}
		if ((val & FUTEX_TID_MASK) != (u32)t->pid)
			return 0;
		new = (val & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		if (user_cmpxchg_u32(uaddr, val, new, &prev))
			return -1;
		if (prev == val)
			break;
		val = prev;
	}
	if (!pi && (val & FUTEX_WAITERS))
		futex_wake_user(uaddr, 1);
	return 0;
}

static int fetch_entry(u64 *entry, bool *pi, u64 *head)
{
	u64 v;

	if (get_user(v, head))
		return -EFAULT;
	*entry = v & ~1ULL;
	*pi = v & 1;
	return 0;
}

void exit_robust_list(struct task_struct *t)
{
	struct robust_list_head *head = t->robust_list;
	u64 entry, next = 0, pending;
	bool pi, next_pi = false, pending_pi;
	int limit = ROBUST_LIST_LIMIT, err;
	long off;

	t->robust_list = NULL;
	if (fetch_entry(&entry, &pi, (u64 *)&head->list.next) || get_user(off, &head->futex_offset) ||
	    fetch_entry(&pending, &pending_pi, (u64 *)&head->list_op_pending))
		return;
	while (entry != (u64)&head->list) {
		/* the next first: once the lock is free the entry may be reused */
		err = fetch_entry(&next, &next_pi, (u64 *)entry);
		if (entry != pending && handle_death((u32 *)(entry + off), t, pi, false))
			return;
		if (err)
			return;
		entry = next;
		pi = next_pi;
		if (!--limit)
			break;
	}
	if (pending)
		handle_death((u32 *)(pending + off), t, pending_pi, true);
}

SYSCALL_DEFINE2(set_robust_list, struct robust_list_head __user *, head, size_t, len)
{
	if (len != sizeof(*head))
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

SYSCALL_DEFINE3(get_robust_list, int, pid, struct robust_list_head __user *__user *, uhead, size_t __user *, ulen)
{
	struct robust_list_head *head;
	struct task_struct *t = current;
	size_t len = sizeof(*head);

	if (pid) {
		const struct cred *c;
		bool ok;

		t = find_get_task_by_pid(pid);
		if (!t)
			return -ESRCH;
		c = get_task_cred(t);
		ok = same_thread_group(t, current) || capable(CAP_SYS_PTRACE) ||
		     (current_uid() == c->euid && current_uid() == c->suid && current_uid() == c->uid);
		put_cred(c);
		head = t->robust_list;
		put_task_struct(t);
		if (!ok)
			return -EPERM;
	} else {
		head = t->robust_list;
	}
	if (put_user(len, ulen) || put_user(head, uhead))
		return -EFAULT;
	return 0;
}

/* ---- futex_waitv ---- */

#define FUTEX_32_ 2
#define WAITV_MAX 128

struct waitv {
	u64 val;
	u64 uaddr;
	u32 flags;
	u32 reserved;
};

/* Take the first n entries off; the last one that had been woken, or -1. */
static int unqueue_many(struct futex_q *q, int n)
{
	int woken = -1;

	for (int i = 0; i < n; i++)
		if (!futex_unqueue(&q[i]))
			woken = i;
	return woken;
}

/* Queue on all. 0; 1: woken already (*idx); -errno */
static int waitv_setup(struct waitv *w, struct futex_q *q, int n, int *idx)
{
	struct futex_bucket *b;
	u32 cur;
	int r;

again:
	set_current_state(TASK_INTERRUPTIBLE);
	for (int i = 0; i < n; i++) {
		u32 *uaddr = (u32 *)w[i].uaddr;

		r = futex_key(uaddr, !(w[i].flags & FUTEX_PRIVATE_FLAG), &q[i].key);
		if (!r) {
			b = futex_bucket(&q[i].key);
			q[i].bitset = FUTEX_BITSET_MATCH_ANY;
			atomic_inc(&b->waiters);
			spin_lock(&b->lock);
			r = futex_get_value_locked(&cur, uaddr);
			if (!r && cur == (u32)w[i].val) {
				futex_queue(&q[i], b);
				spin_unlock(&b->lock);
				continue;
			}
			spin_unlock(&b->lock);
			atomic_dec(&b->waiters);
			if (!r)
				r = -EAGAIN;
		}
		set_current_state(TASK_RUNNING);
		*idx = unqueue_many(q, i);
		if (*idx >= 0)
			return 1;
		if (r == -EFAULT && !futex_fault_in(uaddr, false))
			goto again;
		return r;
	}
	return 0;
}

static bool any_woken(struct futex_q *q, int n)
{
	for (int i = 0; i < n; i++)
		if (READ_ONCE(q[i].woken))
			return true;
	return false;
}

static int waitv(struct waitv *w, struct futex_q *q, int n, u64 end)
{
	int r, idx;

	for (;;) {
		r = waitv_setup(w, q, n, &idx);
		if (r)
			return r < 0 ? r : idx;
		if (!any_woken(q, n)) {
			if (end == UINT64_MAX)
				schedule();
			else
				schedule_timeout(max_t(s64, end - ktime_get_ns(), 0));
		}
		set_current_state(TASK_RUNNING);
		idx = unqueue_many(q, n);
		if (idx >= 0)
			return idx;
		if (end != UINT64_MAX && (s64)(end - ktime_get_ns()) <= 0)
			return -ETIMEDOUT;
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
}

SYSCALL_DEFINE5(futex_waitv, struct waitv __user *, uw, unsigned, n, unsigned, flags, const void __user *, uts,
		clockid_t, clk)
{
	u64 end = UINT64_MAX;
	struct timespec64 ts;
	struct futex_q *q;
	struct waitv *w;
	int r;

	if (flags || !n || n > WAITV_MAX || !uw)
		return -EINVAL;
	if (uts) {
		if (clk != CLOCK_MONOTONIC && clk != CLOCK_REALTIME)
			return -EINVAL;
		if (get_timespec64(&ts, uts))
			return -EFAULT;
		if (!timespec64_valid(&ts))
			return -EINVAL;
		end = clock_deadline(clk, timespec64_to_ns(&ts));
	}
	w = memdup_user(uw, n * sizeof(*w));
	if (IS_ERR(w))
		return PTR_ERR(w);
	r = -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if ((w[i].flags & ~(FUTEX_PRIVATE_FLAG | FUTEX_32_)) || (w[i].flags & 3) != FUTEX_32_ || w[i].reserved)
			goto out;
	r = -ENOMEM;
	q = kcalloc(n, sizeof(*q), GFP_KERNEL);
	if (q) {
		r = waitv(w, q, n, end);
		kfree(q);
	}
out:
	kfree(w);
	return r;
}
