// SPDX-License-Identifier: Apache-2.0
/* semget, semop, semtimedop: sets of counting semaphores; docs/design/sysvipc.md. */
#include "sem.h"

#define SEM_FAST_OPS 32 /* operations of a call that need no allocation */

int sem_limits[4] = {SEMMSL, SEMMNS, SEMOPM, SEMMNI};
atomic_t sem_total;

static struct ipc_obj *sem_create(const struct ipc_params *q)
{
	int n = q->size;
	struct sem_array *a;

	if (!n)
		return ERR_PTR(-EINVAL);
	if (atomic_read(&sem_total) + n > sem_limits[1])
		return ERR_PTR(-ENOSPC);
	a = kzalloc(sizeof(*a) + n * sizeof(a->sem[0]), GFP_KERNEL);
	if (!a)
		return ERR_PTR(-ENOMEM);
	ipc_init(&a->perm, q);
	a->nsems = n;
	a->ctime = ipc_seconds();
	INIT_LIST_HEAD(&a->pending);
	INIT_LIST_HEAD(&a->undos);
	atomic_add(n, &sem_total);
	return &a->perm;
}

static void sem_release(struct ipc_obj *p)
{
	struct sem_array *a = sem_of(p);

	atomic_sub(a->nsems, &sem_total);
	kfree(a);
}
struct ipc_ids sem_ids = IPC_IDS(sem_release);

static int sem_check(struct ipc_obj *p, const struct ipc_params *q)
{
	return q->size > (size_t)sem_of(p)->nsems ? -EINVAL : 0;
}

SYSCALL_DEFINE3(semget, __kernel_key_t, key, int, nsems, int, flags)
{
	static const struct ipc_kind kind = {&sem_ids, sem_create, sem_check, &sem_limits[3]};
	const struct ipc_params q = {.key = key, .flags = flags, .size = nsems};

	if (nsems < 0 || nsems > sem_limits[0])
		return -EINVAL;
	return ipc_get(&kind, &q);
}

/* One operation: 0, SEM_WAITING when it cannot be done now, -ERANGE. */
static int sem_op_one(struct sem_array *a, struct sembuf *op, struct sem_undo *un)
{
	struct semaphore *s = &a->sem[op->sem_num];
	int val = s->val + op->sem_op;

	if ((!op->sem_op && s->val) || val < 0)
		return SEM_WAITING;
	if (val > SEMVMX)
		return -ERANGE;
	if (op->sem_flg & SEM_UNDO) {
		int adj = un->adj[op->sem_num] - op->sem_op;

		if (adj < -SEMAEM - 1 || adj > SEMAEM)
			return -ERANGE;
		un->adj[op->sem_num] = adj;
	}
	s->val = val;
	return 0;
}

/* All of q's operations or none: 0, SEM_WAITING with q->blocking set, or -errno. Lock held. */
static int sem_try(struct sem_array *a, struct sem_queue *q)
{
	struct sembuf *op;
	int r = 0;

	for (op = q->sops; op < q->sops + q->nsops; op++) {
		r = sem_op_one(a, op, q->undo);
		if (r)
			break;
	}
	if (!r) {
		while (op-- > q->sops)
			a->sem[op->sem_num].pid = q->pid;
		return 0;
	}
	if (r == SEM_WAITING) {
		q->blocking = op;
		if (op->sem_flg & IPC_NOWAIT)
			r = -EAGAIN;
	}
	while (op-- > q->sops) {
		a->sem[op->sem_num].val -= op->sem_op;
		if (op->sem_flg & SEM_UNDO)
			q->undo->adj[op->sem_num] += op->sem_op;
	}
	return r;
}

void sem_wake_pending(struct sem_array *a)
{
	struct sem_queue *q, *next;
	bool again;
	int r;

	do {
		again = false;
		list_for_each_entry_safe (q, next, &a->pending, list) {
			r = sem_try(a, q);
			if (r == SEM_WAITING)
				continue;
			if (!r) {
				a->otime = ipc_seconds();
				again = true; /* it may have made way for an older one */
			}
			list_del_init(&q->list);
			WRITE_ONCE(q->status, r);
			wake_up_interruptible(&q->wait);
		}
	} while (again);
}

/* Lock held, q is pending; sleeps without it. The waker is done with q when the lock is free again. */
static int sem_sleep(struct sem_array *a, struct sem_queue *q, s64 timeout)
{
	s64 left;

	spin_unlock(&a->perm.lock);
	left = wait_event_interruptible_timeout(q->wait, READ_ONCE(q->status) != SEM_WAITING, timeout);
	spin_lock(&a->perm.lock);
	if (q->status != SEM_WAITING)
		return q->status;
	list_del(&q->list);
	return left < 0 ? -EINTR : -EAGAIN;
}

static bool alters(const struct sem_queue *q)
{
	for (unsigned i = 0; i < q->nsops; i++)
		if (q->sops[i].sem_op)
			return true;
	return false;
}

static int sem_operate(struct sem_array *a, struct sem_queue *q, s64 timeout)
{
	bool alter = alters(q);
	int r;

	spin_lock(&a->perm.lock);
	r = ipc_permitted(&a->perm, alter ? 0222 : 0444);
	if (!r)
		r = a->perm.deleted ? -EIDRM : sem_try(a, q);
	if (!r) {
		a->otime = ipc_seconds();
		if (alter)
			sem_wake_pending(a);
	} else if (r == SEM_WAITING) {
		q->status = SEM_WAITING;
		list_add_tail(&q->list, &a->pending);
		r = sem_sleep(a, q, timeout);
	}
	spin_unlock(&a->perm.lock);
	return r;
}

static int sem_prepare(struct sem_array *a, struct sem_queue *q)
{
	bool undo = false;

	for (unsigned i = 0; i < q->nsops; i++) {
		if (q->sops[i].sem_num >= a->nsems)
			return -EFBIG;
		if (q->sops[i].sem_op && (q->sops[i].sem_flg & SEM_UNDO))
			undo = true;
		else
			q->sops[i].sem_flg &= ~SEM_UNDO;
	}
	if (undo)
		q->undo = sem_undo_get(a);
	return PTR_ERR_OR_ZERO(q->undo);
}

static long do_semop(int id, struct sembuf __user *sops, unsigned n, s64 timeout)
{
	struct sembuf fast[SEM_FAST_OPS];
	struct sem_queue q = {.sops = fast, .nsops = n, .pid = current->tgid};
	struct ipc_obj *p;
	int r = 0;

	if (n < 1 || id < 0)
		return -EINVAL;
	if (n > (unsigned)sem_limits[2])
		return -E2BIG;
	if (n > SEM_FAST_OPS)
		q.sops = kmalloc(n * sizeof(*q.sops), GFP_KERNEL);
	if (!q.sops)
		return -ENOMEM;
	if (copy_from_user(q.sops, sops, n * sizeof(*q.sops)))
		r = -EFAULT;
	p = r ? ERR_PTR(r) : ipc_find(&sem_ids, id);
	r = PTR_ERR_OR_ZERO(p);
	if (!r) {
		init_waitqueue_head(&q.wait);
		r = sem_prepare(sem_of(p), &q);
		if (!r)
			r = sem_operate(sem_of(p), &q, timeout);
		ipc_put(&sem_ids, p);
	}
	if (q.sops != fast)
		kfree(q.sops);
	return r;
}

SYSCALL_DEFINE3(semop, int, id, struct sembuf __user *, sops, unsigned, n)
{
	return do_semop(id, sops, n, MAX_SCHEDULE_TIMEOUT);
}

SYSCALL_DEFINE4(semtimedop, int, id, struct sembuf __user *, sops, unsigned, n, const void __user *, timeout)
{
	struct timespec64 ts;

	if (!timeout)
		return do_semop(id, sops, n, MAX_SCHEDULE_TIMEOUT);
	if (get_timespec64(&ts, timeout))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	return do_semop(id, sops, n, timespec64_to_ns(&ts));
}
