// SPDX-License-Identifier: Apache-2.0
/* msgget, msgsnd, msgrcv: queues of typed messages; docs/design/sysvipc.md. */
#include "msg.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

int msg_max = MSGMAX, msg_mnb = MSGMNB, msg_mni = 32000;

static struct ipc_obj *msg_create(const struct ipc_params *p)
{
	struct msg_queue *q = kzalloc(sizeof(*q), GFP_KERNEL);

	if (!q)
		return ERR_PTR(-ENOMEM);
	ipc_init(&q->perm, p);
	q->ctime = ipc_seconds();
	q->qbytes = READ_ONCE(msg_mnb);
	INIT_LIST_HEAD(&q->messages);
	init_waitqueue_head(&q->senders);
	init_waitqueue_head(&q->receivers);
	return &q->perm;
}

static void msg_release(struct ipc_obj *p)
{
	struct msg_queue *q = msg_of(p);
	struct msg *m, *next;

	list_for_each_entry_safe (m, next, &q->messages, list)
		kfree(m);
	kfree(q);
}
struct ipc_ids msg_ids = IPC_IDS(msg_release);

SYSCALL_DEFINE2(msgget, __kernel_key_t, key, int, flags)
{
	static const struct ipc_kind kind = {&msg_ids, msg_create, NULL, &msg_mni};
	const struct ipc_params q = {.key = key, .flags = flags};

	return ipc_get(&kind, &q);
}

void msg_kick(struct msg_queue *q)
{
	q->sent++;
	q->taken++;
	wake_up_interruptible_all(&q->senders);
	wake_up_interruptible_all(&q->receivers);
}

static void enqueue(struct msg_queue *q, struct msg *m)
{
	list_add_tail(&m->list, &q->messages);
	q->cbytes += m->size;
	q->qnum++;
	q->lspid = current->tgid;
	q->stime = ipc_seconds();
	q->sent++;
	wake_up_interruptible_all(&q->receivers);
}

/* Messages of no length count too, so that they cannot fill the memory. */
static bool has_room(struct msg_queue *q, size_t size)
{
	return q->cbytes + size <= q->qbytes && q->qnum + 1 <= q->qbytes;
}

static long send(struct msg_queue *q, struct msg *m, int flags)
{
	unsigned seen;
	long r;

	for (;;) {
		spin_lock(&q->perm.lock);
		r = q->perm.deleted ? -EIDRM : ipc_permitted(&q->perm, 0222);
		if (!r && has_room(q, m->size))
			enqueue(q, m);
		else if (!r)
			r = -EAGAIN;
		seen = q->taken;
		spin_unlock(&q->perm.lock);
		if (r != -EAGAIN || (flags & IPC_NOWAIT))
			return r;
		if (wait_event_interruptible(q->senders, READ_ONCE(q->taken) != seen))
			return -EINTR;
	}
}

SYSCALL_DEFINE4(msgsnd, int, id, void __user *, buf, size_t, size, int, flags)
{
	struct ipc_obj *p;
	struct msg *m;
	long type, r;

	if (get_user(type, (long *)buf))
		return -EFAULT;
	if (size > (size_t)READ_ONCE(msg_max) || id < 0 || type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m) + size, GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->size = size;
	if (copy_from_user(m->text, (char *)buf + sizeof(long), size)) {
		kfree(m);
		return -EFAULT;
	}
	p = ipc_find(&msg_ids, id);
	r = PTR_ERR_OR_ZERO(p);
	if (!r) {
		r = send(msg_of(p), m, flags);
		ipc_put(&msg_ids, p);
	}
	if (r)
		kfree(m);
	return r;
}

/* The message that a receiver of this type takes, or NULL. Negative: the lowest type up to -type. */
static struct msg *choose(struct msg_queue *q, long type, int flags)
{
	struct msg *m, *best = NULL;
	long n = type;

	list_for_each_entry (m, &q->messages, list) {
		if (flags & MSG_COPY) { /* type is a position */
			if (!n--)
				return m;
		} else if (type < 0) {
			if (m->type <= (type == INT64_MIN ? INT64_MAX : -type) && (!best || m->type < best->type))
				best = m;
		} else if (!type || (flags & MSG_EXCEPT ? m->type != type : m->type == type)) {
			return m;
		}
	}
	return best;
}

static void dequeue(struct msg_queue *q, struct msg *m)
{
	list_del(&m->list);
	q->cbytes -= m->size;
	q->qnum--;
	q->lrpid = current->tgid;
	q->rtime = ipc_seconds();
	q->taken++;
	wake_up_interruptible_all(&q->senders);
}

/* Lock held. A message that is the caller's, or ERR_PTR; -ENOMSG: there is none now. spare: room for a copy. */
static struct msg *take(struct msg_queue *q, size_t max, long type, int flags, struct msg *spare)
{
	struct msg *m;
	int err = q->perm.deleted ? -EIDRM : ipc_permitted(&q->perm, 0444);

	if (err)
		return ERR_PTR(err);
	m = choose(q, type, flags);
	if (!m)
		return ERR_PTR(-ENOMSG);
	if (m->size > max && !(flags & MSG_NOERROR))
		return ERR_PTR(-E2BIG);
	if (!spare) {
		dequeue(q, m);
		return m;
	}
	spare->type = m->type;
	spare->size = min(m->size, max);
	memcpy(spare->text, m->text, spare->size);
	return spare;
}

static struct msg *receive(struct msg_queue *q, size_t max, long type, int flags, struct msg *spare)
{
	struct msg *m;
	unsigned seen;

	for (;;) {
		spin_lock(&q->perm.lock);
		m = take(q, max, type, flags, spare);
		seen = q->sent;
		spin_unlock(&q->perm.lock);
		if (m != ERR_PTR(-ENOMSG) || (flags & IPC_NOWAIT))
			return m;
		if (wait_event_interruptible(q->receivers, READ_ONCE(q->sent) != seen))
			return ERR_PTR(-EINTR);
	}
}

static long give(struct msg *m, void __user *buf, size_t max)
{
	size_t n = min(m->size, max);
	long r = n;

	if (put_user(m->type, (long *)buf) || copy_to_user((char *)buf + sizeof(long), m->text, n))
		r = -EFAULT;
	kfree(m);
	return r;
}

SYSCALL_DEFINE5(msgrcv, int, id, void __user *, buf, size_t, max, long, type, int, flags)
{
	struct msg *m, *spare = NULL;
	struct ipc_obj *p;

	if (id < 0 || (ssize_t)max < 0)
		return -EINVAL;
	if (flags & MSG_COPY) {
		if ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))
			return -EINVAL;
		spare = kmalloc(sizeof(*spare) + min_t(size_t, max, READ_ONCE(msg_max)), GFP_KERNEL);
		if (!spare)
			return -ENOMEM;
		max = min_t(size_t, max, READ_ONCE(msg_max));
	}
	p = ipc_find(&msg_ids, id);
	if (IS_ERR(p)) {
		kfree(spare);
		return PTR_ERR(p);
	}
	m = receive(msg_of(p), max, type, flags, spare);
	ipc_put(&msg_ids, p);
	if (!IS_ERR(m))
		return give(m, buf, max);
	kfree(spare);
	return PTR_ERR(m);
}
