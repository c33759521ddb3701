// SPDX-License-Identifier: Apache-2.0
/* A POSIX message queue: messages by priority, who waits, whom to notify. */
#include "mqueue.h"
#include <husk/signal.h>

#define MQ_OVERHEAD 64 /* what a message is charged beside its text */
#define SIGEV_SIGNAL_ 0
#define SIGEV_NONE_ 1

static int check_attr(const struct mq_attr *a)
{
	bool any = capable(CAP_SYS_RESOURCE);

	if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
		return -EINVAL;
	if (a->mq_maxmsg > (any ? MQ_HARD_MSGMAX : READ_ONCE(mq_msg_max)) ||
	    a->mq_msgsize > (any ? MQ_HARD_MSGSIZEMAX : READ_ONCE(mq_msgsize_max)))
		return -EINVAL;
	return 0;
}

static int charge(struct mq *q)
{
	struct user_struct *u = current_cred()->user;

	if ((unsigned long)atomic64_add_return(q->bytes, &u->mq_bytes) > rlimit(RLIMIT_MSGQUEUE)) {
		atomic64_sub(q->bytes, &u->mq_bytes);
		return -EMFILE;
	}
	q->user = get_uid(u);
	return 0;
}

struct mq *mq_new(const struct mq_attr *attr)
{
	struct mq_attr a = {.mq_maxmsg = mq_msg_default, .mq_msgsize = mq_msgsize_default};
	struct mq *q;
	int err;

	if (attr)
		a = *attr;
	err = check_attr(&a);
	if (err)
		return ERR_PTR(err);
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->messages);
	init_waitqueue_head(&q->wait_send);
	init_waitqueue_head(&q->wait_receive);
	q->maxmsg = a.mq_maxmsg;
	q->msgsize = a.mq_msgsize;
	q->bytes = a.mq_maxmsg * (a.mq_msgsize + MQ_OVERHEAD);
	err = charge(q);
	if (!err)
		return q;
	kfree(q);
	return ERR_PTR(err);
}

void mq_free(struct mq *q)
{
	struct mq_msg *m, *next;

	list_for_each_entry_safe (m, next, &q->messages, list)
		kfree(m);
	if (q->owner)
		put_pid(q->owner);
	atomic64_sub(q->bytes, &q->user->mq_bytes);
	free_uid(q->user);
	kfree(q);
}

/* ---- notification ---- */

/* Lock held: the registration is used up; returns it to be sent when the lock is free. */
static struct pid *claim_notify(struct mq *q, struct mq_sigevent *ev)
{
	struct pid *p = q->owner;

	*ev = q->event;
	q->owner = NULL;
	return p;
}

static void notify(struct pid *p, const struct mq_sigevent *ev)
{
	struct kernel_siginfo info = {.si_signo = ev->signo, .si_code = SI_MESGQ};
	struct task_struct *t = get_pid_task(p);

	info._chld.pid = current->tgid;
	info._chld.uid = current_uid();
	info._chld.value = ev->value;
	if (t && ev->notify == SIGEV_SIGNAL_)
		do_send_sig_info(ev->signo, &info, t, true);
	if (t)
		put_task_struct(t);
	put_pid(p);
}

long mq_set_notify(struct mq *q, const struct mq_sigevent *ev)
{
	struct pid *me = get_pid(current->group_leader->thread_pid), *drop = me;
	long r = 0;

	spin_lock(&q->lock);
	if (!ev) {
		if (q->owner == me) {
			q->owner = NULL;
			put_pid(me); /* the queue's; drop is ours */
		}
	} else if (q->owner) {
		r = -EBUSY;
	} else {
		q->owner = me;
		q->event = *ev;
		drop = NULL;
	}
	spin_unlock(&q->lock);
	if (drop)
		put_pid(drop);
	return r;
}

void mq_forget_owner(struct mq *q)
{
	if (READ_ONCE(q->owner))
		mq_set_notify(q, NULL);
}

/* ---- messages ---- */

static void insert(struct mq *q, struct mq_msg *m)
{
	struct mq_msg *before;

	list_for_each_entry_reverse(before, &q->messages, list) if (before->prio >= m->prio) break;
	list_add(&m->list, &before->list); /* behind it, or first */
	q->count++;
	q->size += m->size;
}

static bool try_put(struct mq *q, struct mq_msg *m)
{
	struct mq_sigevent ev = {};
	struct pid *p = NULL;

	spin_lock(&q->lock);
	if (q->count >= q->maxmsg) {
		spin_unlock(&q->lock);
		return false;
	}
	if (!q->count && !q->receivers && q->owner)
		p = claim_notify(q, &ev);
	insert(q, m);
	spin_unlock(&q->lock);
	wake_up_interruptible_poll(&q->wait_receive, EPOLLIN | EPOLLRDNORM);
	if (p)
		notify(p, &ev);
	return true;
}

static struct mq_msg *try_take(struct mq *q)
{
	struct mq_msg *m = NULL;

	spin_lock(&q->lock);
	if (q->count) {
		m = list_first_entry(&q->messages, struct mq_msg, list);
		list_del(&m->list);
		q->count--;
		q->size -= m->size;
	}
	spin_unlock(&q->lock);
	if (m)
		wake_up_interruptible_poll(&q->wait_send, EPOLLOUT | EPOLLWRNORM);
	return m;
}

/* What is left until then: 0 when it is over. */
static s64 left_until(u64 until)
{
	u64 now;

	if (until == UINT64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	now = ktime_get_ns();
	return until > now ? (s64)(until - now) : 0;
}

long mq_put(struct mq *q, struct mq_msg *m, u64 until)
{
	s64 left;

	while (!try_put(q, m)) {
		if (!until)
			return -EAGAIN;
		left = wait_event_interruptible_timeout(q->wait_send, READ_ONCE(q->count) < q->maxmsg,
							left_until(until));
		if (left < 0)
			return left;
		if (!left)
			return -ETIMEDOUT;
	}
	return 0;
}

static void count_receiver(struct mq *q, int n)
{
	spin_lock(&q->lock);
	q->receivers += n;
	spin_unlock(&q->lock);
}

struct mq_msg *mq_take(struct mq *q, u64 until)
{
	struct mq_msg *m;
	s64 left = 1;

	for (;;) {
		m = try_take(q);
		if (m)
			return m;
		if (!until)
			return ERR_PTR(-EAGAIN);
		count_receiver(q, 1);
		left = wait_event_interruptible_timeout(q->wait_receive, READ_ONCE(q->count), left_until(until));
		count_receiver(q, -1);
		if (left < 0)
			return ERR_PTR(left);
		if (!left)
			return ERR_PTR(-ETIMEDOUT);
	}
}
