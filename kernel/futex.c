// SPDX-License-Identifier: Apache-2.0
// Futexes: keys, the hash of waiters, wait, wake, requeue.

#include <husk/syscalls.h>
#include <husk/fs.h>
#include <husk/time.h>
#include <linux/futex.h>
#include "futex_internal.h"

/**
 * DOC: futexes
 *
 * A futex is named by a key: memory that only one address space can see by (mm, address), a shared mapping by (page cache, byte
 * offset). Waiters with the same key hang in one bucket of a hash. A waiter queues itself under the bucket's lock after reading
 * the user's word under that lock; a waker changes the word first and looks at the bucket's counter of waiters after a full
 * barrier: so one of the two sees the other, and a wake-up that finds nobody takes no lock.
 *
 * User memory is read under a bucket's lock with faults disabled; when that fails the lock is dropped, the page is touched, and
 * all is done again.
 *
 * A waker takes an entry off the list and then sets woken; from that moment the sleeper, who owns the entry, may be gone. The
 * waker therefore holds a task reference over it.
 */

#define USER_END 0x7ffffffff000UL

struct futex_bucket futex_hash[1 << FUTEX_HASH_BITS];

static int key_of_shared(u32 *uaddr, struct futex_key *key)
{
	struct mm_struct *mm = current->mm;
	unsigned long addr = (unsigned long)uaddr;
	struct vm_area_struct *vma;
	int err = 0;

	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (!vma || vma->vm_start > addr) {
		err = -EFAULT;
	} else if ((vma->vm_flags & VM_SHARED) && vma->vm_file) {
		key->object = vma->vm_file->f_mapping;
		key->offset = (vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	} else {
		key->object = mm;
		key->offset = addr;
	}
	mmap_read_unlock(mm);
	return err;
}

int futex_key(u32 *uaddr, bool shared, struct futex_key *key)
{
	if (unlikely((unsigned long)uaddr & 3))
		return -EINVAL;
	/* a private key needs no memory behind it: programs may wake at any user address of the ABI */
	if (unlikely((unsigned long)uaddr > USER_END - 4))
		return -EFAULT;
	/* what memory is there decides the key of a shared one, so it must be there */
	if (shared)
		return access_ok(uaddr, 4) && !futex_fault_in(uaddr, false) ? key_of_shared(uaddr, key) : -EFAULT;
	key->object = current->mm;
	key->offset = (unsigned long)uaddr;
	return 0;
}

struct futex_bucket *futex_bucket(const struct futex_key *key)
{
	u64 h = ((u64)key->object >> 6) ^ (key->offset >> 2) * 0x9e3779b97f4a7c15ULL;

	h *= 0xff51afd7ed558ccdULL;
	return &futex_hash[h >> (64 - FUTEX_HASH_BITS)];
}

/* Read a user word under a lock: no fault is served. */
int futex_get_value_locked(u32 *val, u32 *uaddr)
{
	int r;

	current->pagefault_disabled++;
	r = get_user(*val, uaddr);
	current->pagefault_disabled--;
	return r;
}

int futex_fault_in(u32 *uaddr, bool write)
{
	u32 v;

	if (!write)
		return get_user(v, uaddr);
	return user_atomic_op_u32(FUTEX_OP_OR, uaddr, 0, &v);
}

void futex_queue(struct futex_q *q, struct futex_bucket *b)
{
	q->bucket = b;
	q->task = current;
	q->woken = 0;
	list_add_tail(&q->list, &b->head);
}

/* Take an entry off again. True: nobody woke it before. */
bool futex_unqueue(struct futex_q *q)
{
	struct futex_bucket *b;
	bool queued = false;

	while (!smp_load_acquire(&q->woken)) {
		b = READ_ONCE(q->bucket);
		spin_lock(&b->lock);
		if (b != q->bucket) { /* requeued meanwhile */
			spin_unlock(&b->lock);
			continue;
		}
		if (!q->woken) {
			list_del(&q->list);
			atomic_dec(&b->waiters);
			q->woken = 1;
			queued = true;
		}
		spin_unlock(&b->lock);
		break;
	}
	return queued;
}

/* Bucket locked. The entry is the sleeper's again when woken is set. */
static void wake_one(struct futex_q *q, struct futex_bucket *b)
{
	struct task_struct *t = q->task;

	get_task_struct(t);
	list_del(&q->list);
	atomic_dec(&b->waiters);
	smp_store_release(&q->woken, 1);
	wake_up_state(t, TASK_NORMAL);
	put_task_struct(t);
}

static int wake_locked(struct futex_bucket *b, struct futex_key *key, int n, u32 bitset)
{
	struct futex_q *q, *next;
	int woken = 0;

	list_for_each_entry_safe (q, next, &b->head, list) {
		if (!futex_match(&q->key, key) || !(q->bitset & bitset))
			continue;
		wake_one(q, b);
		if (++woken >= n)
			break;
	}
	return woken;
}

static int futex_wake(u32 *uaddr, bool shared, int n, u32 bitset)
{
	struct futex_bucket *b;
	struct futex_key key;
	struct wake_q wq;
	int r;

	if (!bitset)
		return -EINVAL;
	r = futex_key(uaddr, shared, &key);
	if (r)
		return r;
	b = futex_bucket(&key);
	smp_mb();
	if (!atomic_read(&b->waiters))
		return 0;
	wake_q_begin(&wq);
	spin_lock(&b->lock);
	r = wake_locked(b, &key, n, bitset);
	spin_unlock(&b->lock);
	wake_q_end(&wq);
	return r;
}

/* For clear_child_tid: the word may lie in shared or private memory, and the waiter may have said either. */
int futex_wake_user(u32 *uaddr, int n)
{
	int r = futex_wake(uaddr, true, n, FUTEX_BITSET_MATCH_ANY);

	return r > 0 ? r : futex_wake(uaddr, false, n, FUTEX_BITSET_MATCH_ANY);
}

/* ---- wait ---- */

/* Queue q if *uaddr is still val. 0, or -EAGAIN, -EFAULT */
static int wait_setup(u32 *uaddr, u32 val, bool shared, struct futex_q *q)
{
	struct futex_bucket *b;
	u32 cur;
	int r;

	for (;;) {
		r = futex_key(uaddr, shared, &q->key);
		if (r)
			return r;
		b = futex_bucket(&q->key);
		atomic_inc(&b->waiters); /* a full barrier, before the word is read */
		spin_lock(&b->lock);
		r = futex_get_value_locked(&cur, uaddr);
		if (!r && cur == val) {
			set_current_state(TASK_INTERRUPTIBLE);
			futex_queue(q, b);
			spin_unlock(&b->lock);
			return 0;
		}
		spin_unlock(&b->lock);
		atomic_dec(&b->waiters);
		if (!r)
			return -EAGAIN;
		r = futex_fault_in(uaddr, false);
		if (r)
			return r;
	}
}

/* Sleep until woken, @end (CLOCK_MONOTONIC ns, or UINT64_MAX) or a signal. */
static void futex_sleep(struct futex_q *q, u64 end)
{
	if (end == UINT64_MAX) {
		if (!READ_ONCE(q->woken))
			schedule();
	} else {
		s64 left = end - ktime_get_ns();

		if (left > 0 && !READ_ONCE(q->woken))
			schedule_timeout(left);
	}
	set_current_state(TASK_RUNNING);
}

static long futex_restart(struct restart_block *r);

static int futex_wait(u32 *uaddr, bool shared, u32 val, u64 end, u32 bitset)
{
	struct futex_q q = {.bitset = bitset};
	struct restart_block *rb;
	int r;

	if (!bitset)
		return -EINVAL;
	for (;;) {
		r = wait_setup(uaddr, val, shared, &q);
		if (r)
			return r;
		futex_sleep(&q, end);
		if (!futex_unqueue(&q))
			return 0;
		if (end != UINT64_MAX && (s64)(end - ktime_get_ns()) <= 0)
			return -ETIMEDOUT;
		if (signal_pending(current))
			break;
	}
	if (end == UINT64_MAX)
		return -ERESTARTSYS;
	rb = &current->restart_block;
	rb->fn = futex_restart;
	rb->arg[0] = (u64)uaddr;
	rb->arg[1] = val;
	rb->arg[2] = end;
	rb->arg[3] = bitset;
	rb->arg[4] = shared;
	return -ERESTART_RESTARTBLOCK;
}

static long futex_restart(struct restart_block *r)
{
	return futex_wait((u32 *)r->arg[0], r->arg[4], r->arg[1], r->arg[2], r->arg[3]);
}

/* ---- two futexes ---- */

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b)
		spin_lock(&b->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static bool op_compare(int cmp, int old, int arg, int *err)
{
	*err = 0;
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	}
	*err = -ENOSYS;
	return false;
}

static int wake_op(u32 *uaddr1, bool shared, u32 *uaddr2, int n1, int n2, u32 enc)
{
	int op = (enc & 0x70000000) >> 28, cmp = (enc & 0x0f000000) >> 24;
	int oparg = (int)(enc << 8) >> 20, cmparg = (int)(enc << 20) >> 20;
	struct futex_key k1, k2;
	struct futex_bucket *b1, *b2;
	struct wake_q wq;
	int r, err;
	u32 old;

	if (enc & ((u32)FUTEX_OP_OPARG_SHIFT << 28)) {
		if (oparg < 0 || oparg > 31)
			oparg &= 31;
		oparg = 1 << oparg;
	}
	if (op > FUTEX_OP_XOR)
		return -ENOSYS;
	r = futex_key(uaddr1, shared, &k1);
	if (!r)
		r = futex_key(uaddr2, shared, &k2);
	if (r)
		return r;
	b1 = futex_bucket(&k1);
	b2 = futex_bucket(&k2);
	for (;;) {
		wake_q_begin(&wq);
		lock_two(b1, b2);
		current->pagefault_disabled++;
		r = user_atomic_op_u32(op, uaddr2, oparg, &old);
		current->pagefault_disabled--;
		if (!r)
			break;
		unlock_two(b1, b2);
		wake_q_end(&wq);
		r = futex_fault_in(uaddr2, true);
		if (r)
			return r;
	}
	r = wake_locked(b1, &k1, n1, FUTEX_BITSET_MATCH_ANY);
	if (op_compare(cmp, old, cmparg, &err))
		r += wake_locked(b2, &k2, n2, FUTEX_BITSET_MATCH_ANY);
	unlock_two(b1, b2);
	wake_q_end(&wq);
	return err ? err : r;
}

static int requeue(u32 *uaddr1, bool shared, u32 *uaddr2, int nwake, int nrequeue, const u32 *cmpval)
{
	struct futex_bucket *b1, *b2;
	struct futex_key k1, k2;
	struct futex_q *q, *next;
	struct wake_q wq;
	int r, done = 0;
	u32 cur;

	if (nwake < 0 || nrequeue < 0)
		return -EINVAL;
	r = futex_key(uaddr1, shared, &k1);
	if (!r)
		r = futex_key(uaddr2, shared, &k2);
	if (r)
		return r;
	b1 = futex_bucket(&k1);
	b2 = futex_bucket(&k2);
	/* counted in advance: whoever wakes uaddr2 from now on must look */
	atomic_inc(&b2->waiters);
	wake_q_begin(&wq);
again:
	lock_two(b1, b2);
	if (cmpval) {
		r = futex_get_value_locked(&cur, uaddr1);
		if (r) {
			unlock_two(b1, b2);
			r = futex_fault_in(uaddr1, false);
			if (!r)
				goto again;
			goto out;
		}
		if (cur != *cmpval) {
			r = -EAGAIN;
			goto unlock;
		}
	}
	list_for_each_entry_safe (q, next, &b1->head, list) {
		if (done - nwake >= nrequeue)
			break;
		if (!futex_match(&q->key, &k1))
			continue;
		if (++done <= nwake) {
			wake_one(q, b1);
			continue;
		}
		q->key = k2;
		if (b1 != b2) {
			list_move_tail(&q->list, &b2->head);
			atomic_dec(&b1->waiters);
			atomic_inc(&b2->waiters);
			WRITE_ONCE(q->bucket, b2);
		}
	}
	r = done;
unlock:
	unlock_two(b1, b2);
out:
	wake_q_end(&wq);
	atomic_dec(&b2->waiters);
	return r;
}

/* ---- system call ---- */

static int futex_deadline(const void *uts, int cmd, unsigned op, u64 *end)
{
	struct timespec64 ts;
	u64 ns;

	*end = UINT64_MAX;
	if (!uts)
		return 0;
	if (get_timespec64(&ts, uts))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	ns = timespec64_to_ns(&ts);
	if (cmd == FUTEX_WAIT)
		*end = min_t(u64, ktime_get_ns() + ns, INT64_MAX);
	else
		*end = clock_deadline(op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns);
	return 0;
}

SYSCALL_DEFINE6(futex, u32 __user *, uaddr, int, op, u32, val, const void __user *, uts, u32 __user *, uaddr2, u32,
		val3)
{
	bool shared = !(op & FUTEX_PRIVATE_FLAG);
	int cmd = op & FUTEX_CMD_MASK, r;
	u32 val2 = (u32)(unsigned long)uts;
	u64 end;

	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT_REQUEUE_PI &&
	    cmd != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAKE:
		return futex_wake(uaddr, shared, val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, shared, val, val3);
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		r = futex_deadline(uts, cmd, op, &end);
		if (r)
			return r;
		return futex_wait(uaddr, shared, val, end, cmd == FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : val3);
	case FUTEX_REQUEUE:
		return requeue(uaddr, shared, uaddr2, val, val2, NULL);
	case FUTEX_CMP_REQUEUE:
		return requeue(uaddr, shared, uaddr2, val, val2, &val3);
	case FUTEX_WAKE_OP:
		return wake_op(uaddr, shared, uaddr2, val, val2, val3);
	}
	return -ENOSYS; /* priority inheritance needs a scheduler of our own */
}
