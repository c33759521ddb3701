// SPDX-License-Identifier: Apache-2.0
/* AF_UNIX: making, connecting and closing sockets. Data: stream.c, dgram.c; names: names.c; files in flight: garbage.c. */
#include "unix.h"
#include <husk/init.h>
#include <husk/proc_fs.h>
#include <husk/syscalls.h>
#include <asm/ioctls.h>

static int unix_max_dgram_qlen = 512;
static struct kmem_cache *unix_cache;

/* ---- life ---- */

static void unix_destruct(struct sock *sk)
{
	unix_addr_put(unix_sk(sk)->addr);
	kmem_cache_free(unix_cache, unix_sk(sk));
}

static int unix_peer_wake_relay(struct wait_queue_entry *e, unsigned int mode, int sync, void *key);

/**
 * unix_create_sock - a socket without a name
 * @s: its file side, or NULL for one that is to be accepted
 */
static struct sock *unix_create_sock(struct socket *s, int type)
{
	struct unix_sock *u = kmem_cache_zalloc(unix_cache, GFP_KERNEL);

	if (!u)
		return NULL;
	sock_init_data(s, &u->sk);
	u->sk.family = AF_UNIX;
	u->sk.type = (short)type;
	u->sk.destruct = unix_destruct;
	u->sk.max_ack_backlog = READ_ONCE(unix_max_dgram_qlen);
	spin_lock_init(&u->lock);
	mutex_init(&u->iolock);
	mutex_init(&u->bindlock);
	init_waitqueue_head(&u->peer_wait);
	init_waitqueue_func_entry(&u->peer_wake, unix_peer_wake_relay);
	INIT_LIST_HEAD(&u->peer_wake.entry);
	INIT_LIST_HEAD(&u->gc_link);
	unix_insert(&u->sk);
	return &u->sk;
}

static int unix_create(struct socket *s, int protocol)
{
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	switch (s->type) {
	case SOCK_STREAM:
		s->ops = &unix_stream_ops;
		break;
	case SOCK_RAW:
		s->type = SOCK_DGRAM;
		fallthrough;
	case SOCK_DGRAM:
		s->ops = &unix_dgram_ops;
		break;
	case SOCK_SEQPACKET:
		s->ops = &unix_seqpacket_ops;
		break;
	default:
		return -ESOCKTNOSUPPORT;
	}
	return unix_create_sock(s, s->type) ? 0 : -ENOMEM;
}

/* The peer of a closing connection: told, and with an error if something it sent was not read. */
static void hang_up(struct sock *peer, bool reset)
{
	unix_lock(peer);
	WRITE_ONCE(peer->shutdown, SHUTDOWN_MASK);
	if (reset)
		WRITE_ONCE(peer->err, ECONNRESET);
	unix_unlock(peer);
	sk_state_change(peer);
}

/**
 * unix_release_sock - the socket's file is gone, or it will never have one (@embryo)
 * Consumes the reference.
 */
static void unix_release_sock(struct sock *sk, bool embryo)
{
	struct unix_sock *u = unix_sk(sk);
	struct sk_buff *skb;
	struct path path;
	struct sock *peer;
	u8 state;

	unix_remove(sk);
	unix_lock(sk);
	sk->socket = NULL;
	sk->dead = true;
	WRITE_ONCE(sk->shutdown, SHUTDOWN_MASK);
	path = u->path;
	u->path = (struct path){NULL, NULL};
	state = sk->state;
	WRITE_ONCE(sk->state, SK_CLOSE);
	peer = u->peer;
	WRITE_ONCE(u->peer, NULL);
	unix_unlock(sk);
	wake_up_interruptible_all(&u->peer_wait);
	if (peer) {
		if (sk->type != SOCK_DGRAM)
			hang_up(peer, embryo || !skb_queue_empty(&sk->receive_queue));
		unix_peer_wake_disconnect(sk, peer);
		sock_put(peer);
	}
	while ((skb = skb_dequeue(&sk->receive_queue))) {
		if (state == SK_LISTEN)
			unix_release_sock(skb->sk, true);
		kfree_skb(skb);
	}
	if (path.dentry)
		path_put(&path);
	if (!embryo)
		unix_gc();
	sock_put(sk);
}

static int unix_release(struct socket *s)
{
	struct sock *sk = s->sk;

	if (sk) {
		s->sk = NULL;
		unix_release_sock(sk, false);
	}
	return 0;
}

void unix_lock_two(struct sock *a, struct sock *b)
{
	if (a > b)
		swap(a, b);
	unix_lock(a);
	if (a != b)
		unix_lock(b);
}

void unix_unlock_two(struct sock *a, struct sock *b)
{
	unix_unlock(a);
	if (a != b)
		unix_unlock(b);
}

/* ---- waiting for room at the other side ---- */

/**
 * unix_wait_for_peer - sleep until other's queue may have room; other's state lock is held on entry and not afterwards
 * Return: what is left of timeo.
 */
s64 unix_wait_for_peer(struct sock *other, s64 timeo)
{
	struct unix_sock *u = unix_sk(other);
	struct wait_queue_entry e;
	bool sleep;

	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	prepare_to_wait_exclusive(&u->peer_wait, &e, TASK_INTERRUPTIBLE);
	sleep = !other->dead && !(other->shutdown & RCV_SHUTDOWN) && unix_recvq_full(other);
	unix_unlock(other);
	if (sleep && !signal_pending(current))
		timeo = schedule_timeout(timeo);
	finish_wait(&u->peer_wait, &e);
	return timeo;
}

/**
 * unix_wait_data - sleep until something was queued behind @last (NULL: anything is queued), or nothing will be
 * Return: what is left of timeo.
 */
s64 unix_wait_data(struct sock *sk, const struct sk_buff *last, s64 timeo)
{
	struct sk_buff_head *q = &sk->receive_queue;
	struct wait_queue_entry e;
	bool got;

	if (!last)
		last = (const struct sk_buff *)q;
	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	prepare_to_wait_exclusive(&sk->wq, &e, TASK_INTERRUPTIBLE);
	got = READ_ONCE(q->prev) != last || READ_ONCE(sk->err) || (READ_ONCE(sk->shutdown) & RCV_SHUTDOWN);
	if (!got && !signal_pending(current))
		timeo = schedule_timeout(timeo);
	finish_wait(&sk->wq, &e);
	/* the wake-up may have been meant for the next one in the queue */
	if (signal_pending(current) && !skb_queue_empty(q) && waitqueue_active(&sk->wq))
		wake_up_interruptible(&sk->wq);
	return timeo;
}

/* Room at the peer is reported to those who poll us; once. */
static int unix_peer_wake_relay(struct wait_queue_entry *e, unsigned int mode, int sync, void *key)
{
	struct unix_sock *u = container_of(e, struct unix_sock, peer_wake);

	list_del_init(&e->entry);
	e->private = NULL;
	wake_up_interruptible_poll(&u->sk.wq, key);
	return 0;
}

static void peer_wake_connect(struct sock *sk, struct sock *other)
{
	struct unix_sock *u = unix_sk(sk), *o = unix_sk(other);

	spin_lock(&o->peer_wait.lock);
	if (!u->peer_wake.private) {
		u->peer_wake.private = other;
		u->peer_wake.flags = 0;
		list_add_tail(&u->peer_wake.entry, &o->peer_wait.head);
	}
	spin_unlock(&o->peer_wait.lock);
}

void unix_peer_wake_disconnect(struct sock *sk, struct sock *other)
{
	struct unix_sock *u = unix_sk(sk), *o = unix_sk(other);

	spin_lock(&o->peer_wait.lock);
	if (u->peer_wake.private == other) {
		list_del_init(&u->peer_wake.entry);
		u->peer_wake.private = NULL;
	}
	spin_unlock(&o->peer_wait.lock);
}

/**
 * unix_peer_wake_me - ask to be told of room at other, which is sk's peer; sk's state lock is held
 * Return: it is full. False: it has room by now, or will never have any: ask no more.
 */
bool unix_peer_wake_me(struct sock *sk, struct sock *other)
{
	peer_wake_connect(sk, other);
	smp_mb();
	if (READ_ONCE(other->dead))
		return false;
	if (unix_recvq_full(other))
		return true;
	unix_peer_wake_disconnect(sk, other);
	return false;
}

/* ---- messages ---- */

/* A message with files is freed without having been received. */
static void unix_skb_free(struct sk_buff *skb)
{
	struct scm_cookie scm = {.fp = NULL};

	if (skb->fp) {
		unix_take_fds(&scm, skb);
		scm_destroy(&scm);
	}
}

/**
 * unix_attach - put credentials, and files if asked, into a message
 * The message takes the files over.
 */
int unix_attach(struct sk_buff *skb, struct scm_cookie *scm, bool fds)
{
	int err;

	skb->has_creds = scm->have_creds;
	skb->pid = scm->creds.pid;
	skb->uid = scm->creds.uid;
	skb->gid = scm->creds.gid;
	if (likely(!fds || !scm->fp))
		return 0;
	err = unix_inflight_files(scm->fp);
	if (err)
		return err;
	skb->fp = scm->fp;
	skb->release_fp = unix_skb_free;
	scm->fp = NULL;
	return 0;
}

void unix_take_fds(struct scm_cookie *scm, struct sk_buff *skb)
{
	scm->fp = skb->fp;
	WRITE_ONCE(skb->fp, NULL);
	unix_notinflight_files(scm->fp);
}

int unix_peek_fds(struct scm_cookie *scm, struct sk_buff *skb)
{
	scm->fp = scm_fp_dup(skb->fp);
	if (!scm->fp)
		return -ENOMEM;
	unix_gc_barrier();
	return 0;
}

/* Either side wants credentials, or the receiver has yet to be accepted and may want them. */
void unix_own_creds(struct sk_buff *skb, struct sock *sk, struct sock *other)
{
	if (skb->has_creds || (!sk->passcred && !other->passcred && other->socket))
		return;
	skb->has_creds = true;
	skb->pid = current->tgid;
	skb->uid = current_uid();
	skb->gid = current_gid();
}

/* ---- connections ---- */

static int unix_listen(struct socket *s, int backlog)
{
	struct sock *sk = s->sk;
	struct unix_sock *u = unix_sk(sk);
	int err = -EINVAL;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!smp_load_acquire(&u->addr))
		return -EINVAL;
	unix_lock(sk);
	if (sk->state != SK_CLOSE && sk->state != SK_LISTEN)
		goto out;
	if ((unsigned int)backlog > sk->max_ack_backlog)
		wake_up_interruptible_all(&u->peer_wait);
	sk->max_ack_backlog = backlog;
	WRITE_ONCE(sk->state, SK_LISTEN);
	sock_set_peercred(sk);
	err = 0;
out:
	unix_unlock(sk);
	return err;
}

/* Makes two sockets each other's peers: sk asks, newsk will be accepted at listener. Both state locks of sk and listener are held. */
static void join(struct sock *sk, struct sock *newsk, struct sock *listener)
{
	struct unix_sock *nu = unix_sk(newsk), *lu = unix_sk(listener);

	sock_hold(sk);
	nu->peer = sk;
	newsk->state = SK_ESTABLISHED;
	sock_set_peercred(newsk);
	nu->addr = lu->addr;
	refcount_inc(&nu->addr->refs);
	sock_copy_peercred(sk, listener);
	sk->socket->state = SS_CONNECTED;
	sock_hold(newsk);
	smp_store_release(&unix_sk(sk)->peer, newsk);
	WRITE_ONCE(sk->state, SK_ESTABLISHED);
}

/*
 * One try to connect sk to listener. 0; -EAGAIN: look the name up again (*timeo is what is left); else why not.
 * skb carries newsk in the listener's queue.
 */
static int try_connect(struct sock *sk, struct sock *listener, struct sock *newsk, struct sk_buff *skb, s64 *timeo)
{
	u8 state;

	unix_lock(listener);
	if (listener->dead) {
		unix_unlock(listener);
		return -EAGAIN;
	}
	if (listener->state != SK_LISTEN || (listener->shutdown & RCV_SHUTDOWN)) {
		unix_unlock(listener);
		return -ECONNREFUSED;
	}
	if (unix_recvq_full(listener)) {
		if (!*timeo) {
			unix_unlock(listener);
			return -EWOULDBLOCK_NOW;
		}
		*timeo = unix_wait_for_peer(listener, *timeo);
		return signal_pending(current) ? sock_intr_errno(*timeo) : -EAGAIN;
	}
	state = READ_ONCE(sk->state);
	if (state == SK_CLOSE) {
		unix_lock(sk);
		state = sk->state;
		if (state == SK_CLOSE) {
			join(sk, newsk, listener);
			unix_unlock(sk);
			skb->sk = newsk;
			skb_queue_tail(&listener->receive_queue, skb);
			unix_unlock(listener);
			return 0;
		}
		unix_unlock(sk);
	}
	unix_unlock(listener);
	return state == SK_ESTABLISHED ? -EISCONN : -EINVAL;
}

static int unix_stream_connect(struct socket *s, struct sockaddr *addr, int len, int flags)
{
	struct sock *sk = s->sk, *other, *newsk;
	s64 timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	struct sk_buff *skb;
	int err;

	err = unix_check_addr(addr, len);
	if (err)
		return err;
	if (sk->passcred) {
		err = unix_autobind(sk);
		if (err)
			return err;
	}
	newsk = unix_create_sock(NULL, sk->type);
	if (!newsk)
		return -ENOMEM;
	skb = alloc_skb(0);
	err = -ENOMEM;
	if (!skb)
		goto out_new;
	do {
		other = unix_find_other(addr, len, sk->type, &err);
		if (!other)
			goto out_skb;
		err = try_connect(sk, other, newsk, skb, &timeo);
		if (!err)
			sk_data_ready(other);
		sock_put(other);
	} while (err == -EAGAIN);
	if (!err)
		return 0;
	if (err == -EWOULDBLOCK_NOW)
		err = -EAGAIN;
out_skb:
	kfree_skb(skb);
out_new:
	unix_release_sock(newsk, true);
	return err;
}

static int unix_socketpair(struct socket *a, struct socket *b)
{
	struct sock *x = a->sk, *y = b->sk;

	sock_hold(x);
	sock_hold(y);
	unix_sk(x)->peer = y;
	unix_sk(y)->peer = x;
	sock_set_peercred(x);
	sock_set_peercred(y);
	x->state = y->state = SK_ESTABLISHED;
	a->state = b->state = SS_CONNECTED;
	return 0;
}

/* The next connection request: its packet, or NULL and *err. */
static struct sk_buff *next_request(struct sock *sk, bool noblock, int *err)
{
	s64 timeo = sock_rcvtimeo(sk, noblock);
	struct sk_buff *skb;

	for (;;) {
		skb = skb_dequeue(&sk->receive_queue);
		if (skb)
			return skb;
		*err = -EINVAL;
		if (READ_ONCE(sk->shutdown) & RCV_SHUTDOWN)
			return NULL;
		*err = -EAGAIN;
		if (!timeo)
			return NULL;
		if (signal_pending(current)) {
			*err = sock_intr_errno(timeo);
			return NULL;
		}
		timeo = unix_wait_data(sk, NULL, timeo);
	}
}

static int unix_accept(struct socket *s, struct socket *new, int flags)
{
	struct sock *sk = s->sk, *nsk;
	struct sk_buff *skb;
	int err;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (READ_ONCE(sk->state) != SK_LISTEN)
		return -EINVAL;
	skb = next_request(sk, flags & O_NONBLOCK, &err);
	if (!skb)
		return err;
	nsk = skb->sk;
	kfree_skb(skb);
	wake_up_interruptible(&unix_sk(sk)->peer_wait);
	unix_lock(nsk);
	new->state = SS_CONNECTED;
	new->sk = nsk;
	nsk->socket = new;
	nsk->passcred = sk->passcred;
	unix_unlock(nsk);
	return 0;
}

static int unix_shutdown(struct socket *s, int how)
{
	struct sock *sk = s->sk, *other;
	u8 mode, peer_mode;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	mode = (u8)(how + 1); /* RCV_SHUTDOWN, SEND_SHUTDOWN, both */
	unix_lock(sk);
	WRITE_ONCE(sk->shutdown, sk->shutdown | mode);
	other = unix_peer(sk);
	if (other)
		sock_hold(other);
	unix_unlock(sk);
	sk_state_change(sk);
	/* a listener's waiting connectors are refused now */
	wake_up_interruptible_all(&unix_sk(sk)->peer_wait);
	if (!other)
		return 0;
	if (sk->type != SOCK_DGRAM) {
		peer_mode = (u8)((mode & RCV_SHUTDOWN ? SEND_SHUTDOWN : 0) | (mode & SEND_SHUTDOWN ? RCV_SHUTDOWN : 0));
		unix_lock(other);
		WRITE_ONCE(other->shutdown, other->shutdown | peer_mode);
		unix_unlock(other);
		sk_state_change(other);
	}
	sock_put(other);
	return 0;
}

/* ---- state ---- */

static u32 unix_stream_poll(struct file *f, struct socket *s, poll_table *pt)
{
	struct sock *sk = s->sk;
	u8 shutdown, state;
	u32 mask = 0;

	poll_wait(f, &sk->wq, pt);
	smp_mb();
	shutdown = READ_ONCE(sk->shutdown);
	state = READ_ONCE(sk->state);
	if (READ_ONCE(sk->err))
		mask |= EPOLLERR;
	if (shutdown == SHUTDOWN_MASK || state == SK_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!skb_queue_empty(&sk->receive_queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (unix_writable(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

static long unix_inq(struct sock *sk)
{
	struct sk_buff *skb;
	long n = 0;

	if (sk->state == SK_LISTEN)
		return -EINVAL;
	spin_lock(&sk->receive_queue.lock);
	skb_queue_walk(&sk->receive_queue, skb)
	{
		n += skb->len - skb->consumed;
		if (sk->type == SOCK_DGRAM)
			break;
	}
	spin_unlock(&sk->receive_queue.lock);
	return n;
}

static long unix_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	long n;

	switch (cmd) {
	case SIOCOUTQ:
		n = atomic_read(&s->sk->wmem_alloc) - 1;
		break;
	case SIOCINQ:
		n = unix_inq(s->sk);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return n < 0 ? n : put_user((int)n, (int __user *)arg);
}

const struct proto_ops unix_stream_ops = {
	.family = AF_UNIX,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.socketpair = unix_socketpair,
	.accept = unix_accept,
	.getname = unix_getname,
	.poll = unix_stream_poll,
	.ioctl = unix_ioctl,
	.listen = unix_listen,
	.shutdown = unix_shutdown,
	.sendmsg = unix_stream_sendmsg,
	.recvmsg = unix_stream_recvmsg,
};

const struct proto_ops unix_dgram_ops = {
	.family = AF_UNIX,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_dgram_connect,
	.socketpair = unix_socketpair,
	.accept = unix_accept,
	.getname = unix_getname,
	.poll = unix_dgram_poll,
	.ioctl = unix_ioctl,
	.listen = unix_listen,
	.shutdown = unix_shutdown,
	.sendmsg = unix_dgram_sendmsg,
	.recvmsg = unix_dgram_recvmsg,
};

const struct proto_ops unix_seqpacket_ops = {
	.family = AF_UNIX,
	.release = unix_release,
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.socketpair = unix_socketpair,
	.accept = unix_accept,
	.getname = unix_getname,
	.poll = unix_dgram_poll,
	.ioctl = unix_ioctl,
	.listen = unix_listen,
	.shutdown = unix_shutdown,
	.sendmsg = unix_seqpacket_sendmsg,
	.recvmsg = unix_seqpacket_recvmsg,
};

static const struct net_proto_family unix_family = {
	.family = AF_UNIX,
	.create = unix_create,
};

SYSCTL_INT("net/unix/max_dgram_qlen", 0644, unix_max_dgram_qlen, 0, INT32_MAX);

static int unix_init(void)
{
	unix_cache = KMEM_CACHE(unix_sock);
	if (!unix_cache)
		return -ENOMEM;
	return sock_register(&unix_family);
}
fs_initcall(unix_init);
