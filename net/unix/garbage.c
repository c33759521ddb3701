// SPDX-License-Identifier: Apache-2.0
/* Sockets that only sockets in flight refer to: found and freed. */
#include "unix.h"

/**
 * DOC: garbage collection of files in flight
 *
 * A socket whose descriptors are all in messages can be reached only by receiving one of those messages. If the queues they are in belong to
 * sockets in the same state, nobody ever can: such cycles would never be freed.
 *
 * inflight counts the messages' references to a socket; a socket all of whose file references are in flight is a candidate. For
 * every candidate the references from candidates' own queues are taken off a copy of its count: what remains comes from a
 * queue that somebody can read. Those candidates live, and so does everything that their queues lead to. The rest is garbage: its
 * messages with files are taken out and freed, which closes the sockets.
 *
 * unix_gc_lock holds the counts still. A receiver may take a message from a queue meanwhile, but then it holds a file that leads to it, so
 * that nothing in the queue counts as garbage. MSG_PEEK makes references without taking the message; it passes
 * unix_gc_barrier() before anyone else can see them, so that a collection has either ended or counts them.
 */
enum { GC_NONE, GC_CANDIDATE, GC_ALIVE };

static DEFINE_SPINLOCK(unix_gc_lock);
static LIST_HEAD(inflight_list);
static unsigned long tot_inflight;
static bool gc_running;

/* The AF_UNIX socket of an open file, or NULL. */
static struct unix_sock *unix_of_file(struct file *f)
{
	struct socket *s = f->f_mode & FMODE_PATH ? NULL : sock_from_file(f);

	return s && s->sk && s->sk->family == AF_UNIX ? unix_sk(s->sk) : NULL;
}

/**
 * unix_inflight_files - the files are about to be in a message
 * Return: 0, or -ETOOMANYREFS when the sender has more on their way than it may have open.
 */
int unix_inflight_files(struct scm_fp_list *fp)
{
	bool room =
		READ_ONCE(tot_inflight) <= rlimit(RLIMIT_NOFILE) || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
	int i;

	if (!room)
		return -ETOOMANYREFS;
	spin_lock(&unix_gc_lock);
	for (i = 0; i < fp->count; i++) {
		struct unix_sock *u = unix_of_file(fp->fp[i]);

		if (u && !u->inflight++)
			list_add_tail(&u->gc_link, &inflight_list);
	}
	WRITE_ONCE(tot_inflight, tot_inflight + fp->count);
	spin_unlock(&unix_gc_lock);
	return 0;
}

void unix_notinflight_files(struct scm_fp_list *fp)
{
	int i;

	spin_lock(&unix_gc_lock);
	for (i = 0; i < fp->count; i++) {
		struct unix_sock *u = unix_of_file(fp->fp[i]);

		if (u && !--u->inflight)
			list_del_init(&u->gc_link);
	}
	WRITE_ONCE(tot_inflight, tot_inflight - fp->count);
	spin_unlock(&unix_gc_lock);
}

void unix_gc_barrier(void)
{
	spin_lock(&unix_gc_lock);
	spin_unlock(&unix_gc_lock);
}

/* Calls fn for every candidate in the messages of one queue. */
static void scan_queue(struct sock *sk, void (*fn)(struct unix_sock *, struct list_head *), struct list_head *arg)
{
	struct sk_buff *skb;
	int i;

	spin_lock(&sk->receive_queue.lock);
	skb_queue_walk(&sk->receive_queue, skb)
	{
		for (i = 0; skb->fp && i < skb->fp->count; i++) {
			struct unix_sock *u = unix_of_file(skb->fp->fp[i]);

			if (u && u->gc_state == GC_CANDIDATE)
				fn(u, arg);
		}
	}
	spin_unlock(&sk->receive_queue.lock);
}

/* The same for everything that receiving from sk can lead to: a listener's queue holds sockets to be accepted. */
static void scan_socket(struct sock *sk, void (*fn)(struct unix_sock *, struct list_head *), struct list_head *arg)
{
	struct sk_buff *skb;

	if (sk->state != SK_LISTEN) {
		scan_queue(sk, fn, arg);
		return;
	}
	spin_lock(&sk->receive_queue.lock);
	skb_queue_walk(&sk->receive_queue, skb) scan_queue(skb->sk, fn, arg);
	spin_unlock(&sk->receive_queue.lock);
}

static void drop_ref(struct unix_sock *u, struct list_head *arg)
{
	u->gc_refs--;
}

static void mark_alive(struct unix_sock *u, struct list_head *alive)
{
	u->gc_state = GC_ALIVE;
	list_move_tail(&u->gc_link, alive);
}

/* Moves the messages with files out of one queue. */
static void take_messages(struct sock *sk, struct sk_buff_head *hit)
{
	struct sk_buff *skb, *next;

	spin_lock(&sk->receive_queue.lock);
	skb_queue_walk_safe(&sk->receive_queue, skb, next)
	{
		if (!skb->fp)
			continue;
		__skb_unlink(skb, &sk->receive_queue);
		__skb_queue_tail(hit, skb);
	}
	spin_unlock(&sk->receive_queue.lock);
}

static void take_garbage(struct sock *sk, struct sk_buff_head *hit)
{
	struct sk_buff *skb;

	if (sk->state != SK_LISTEN) {
		take_messages(sk, hit);
		return;
	}
	spin_lock(&sk->receive_queue.lock);
	skb_queue_walk(&sk->receive_queue, skb) take_messages(skb->sk, hit);
	spin_unlock(&sk->receive_queue.lock);
}

/* Under unix_gc_lock: garbage messages go to hit. */
static void collect(struct sk_buff_head *hit)
{
	LIST_HEAD(candidates);
	LIST_HEAD(alive);
	struct unix_sock *u, *n;
	struct list_head *pos;

	list_for_each_entry_safe (u, n, &inflight_list, gc_link) {
		struct file *f = u->sk.socket ? u->sk.socket->file : NULL;

		u->gc_state = GC_NONE;
		if (!f || refcount_read(&f->f_count) != u->inflight)
			continue;
		u->gc_state = GC_CANDIDATE;
		u->gc_refs = u->inflight;
		list_move_tail(&u->gc_link, &candidates);
	}
	list_for_each_entry (u, &candidates, gc_link)
		scan_socket(&u->sk, drop_ref, NULL);
	list_for_each_entry_safe (u, n, &candidates, gc_link)
		if (u->gc_refs > 0)
			mark_alive(u, &alive);
	/* the list grows at its end while it is walked */
	for (pos = alive.next; pos != &alive; pos = pos->next)
		scan_socket(&list_entry(pos, struct unix_sock, gc_link)->sk, mark_alive, &alive);
	list_for_each_entry (u, &candidates, gc_link)
		take_garbage(&u->sk, hit);
	list_for_each_entry (u, &candidates, gc_link)
		u->gc_state = GC_NONE;
	list_for_each_entry (u, &alive, gc_link)
		u->gc_state = GC_NONE;
	list_splice_init(&candidates, &inflight_list);
	list_splice_init(&alive, &inflight_list);
}

/**
 * unix_gc - free unreachable sockets; called when a socket was closed while files are in flight
 */
void unix_gc(void)
{
	struct sk_buff_head hit;
	struct sk_buff *skb;

	if (!READ_ONCE(tot_inflight))
		return;
	skb_queue_head_init(&hit);
	spin_lock(&unix_gc_lock);
	if (gc_running) { /* further up this very stack, or another will see to it */
		spin_unlock(&unix_gc_lock);
		return;
	}
	gc_running = true;
	collect(&hit);
	spin_unlock(&unix_gc_lock);
	while ((skb = skb_dequeue(&hit)))
		kfree_skb(skb);
	spin_lock(&unix_gc_lock);
	gc_running = false;
	spin_unlock(&unix_gc_lock);
}
