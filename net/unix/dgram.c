// SPDX-License-Identifier: Apache-2.0
/* AF_UNIX datagrams and sequenced packets. */
#include "unix.h"

/* Does other take datagrams from sk? One that is connected takes only its peer's. */
static inline bool may_send(struct sock *sk, struct sock *other)
{
	struct sock *p = unix_peer(other);

	return !p || p == sk;
}

/* sk has lost its peer: what that one had queued is of no use to a connected socket any more. */
static void disconnected(struct sock *sk, struct sock *other)
{
	struct sk_buff *skb;

	if (skb_queue_empty(&sk->receive_queue))
		return;
	mutex_lock(&unix_sk(sk)->iolock); /* a reader may be looking at one (MSG_PEEK) */
	while ((skb = skb_dequeue(&sk->receive_queue)))
		kfree_skb(skb);
	mutex_unlock(&unix_sk(sk)->iolock);
	wake_up_interruptible_all(&unix_sk(sk)->peer_wait);
	/* other, if it is connected to us still, learns of it as of a reset */
	if (!other->dead && unix_peer(other) == sk) {
		WRITE_ONCE(other->err, ECONNRESET);
		sk_state_change(other);
	}
}

/* Puts a new peer (may be NULL) in place of the old one. Takes over the reference to it. */
static void set_peer(struct sock *sk, struct sock *other)
{
	struct unix_sock *u = unix_sk(sk);
	struct sock *old = u->peer;

	WRITE_ONCE(u->peer, other);
	WRITE_ONCE(sk->state, other ? SK_ESTABLISHED : SK_CLOSE);
	if (!old) {
		if (other)
			unix_unlock_two(sk, other);
		else
			unix_unlock(sk);
		return;
	}
	unix_peer_wake_disconnect(sk, old);
	if (other)
		unix_unlock_two(sk, other);
	else
		unix_unlock(sk);
	if (old != other)
		disconnected(sk, old);
	sk_write_space(sk);
	sock_put(old);
}

int unix_dgram_connect(struct socket *s, struct sockaddr *addr, int len, int flags)
{
	struct sock *sk = s->sk, *other;
	int err;

	if (len < (int)offsetof(struct sockaddr_un, sun_path))
		return -EINVAL;
	if (addr->sa_family == AF_UNSPEC) {
		unix_lock(sk);
		set_peer(sk, NULL);
		s->state = SS_UNCONNECTED;
		return 0;
	}
	err = unix_check_addr(addr, len);
	if (err)
		return err;
	if (sk->passcred) {
		err = unix_autobind(sk);
		if (err)
			return err;
	}
	for (;;) {
		other = unix_find_other(addr, len, sk->type, &err);
		if (!other)
			return err;
		unix_lock_two(sk, other);
		if (!other->dead)
			break;
		unix_unlock_two(sk, other);
		sock_put(other);
	}
	if (!may_send(sk, other)) {
		unix_unlock_two(sk, other);
		sock_put(other);
		return -EPERM;
	}
	set_peer(sk, other);
	s->state = SS_CONNECTED;
	return 0;
}

/* A reference to the peer, or NULL. */
static struct sock *get_peer(struct sock *sk)
{
	struct sock *p;

	unix_lock(sk);
	p = unix_peer(sk);
	if (p)
		sock_hold(p);
	unix_unlock(sk);
	return p;
}

/* The target is dead. If it is our peer, we have none any more: -ECONNREFUSED; else 0: look it up again. */
static int target_died(struct sock *sk, struct sock *other)
{
	unix_lock(sk);
	if (unix_peer(sk) != other) {
		unix_unlock(sk);
		return 0;
	}
	set_peer(sk, NULL);
	return -ECONNREFUSED;
}

/*
 * Queues the packet at other. 0; -EAGAIN: try again with other looked up anew; else why not. other's reference stays the caller's.
 * *timeo: 0 does not wait for room.
 */
static int queue_at(struct sock *sk, struct sock *other, struct sk_buff *skb, s64 *timeo)
{
	int err = -EAGAIN;

	unix_lock(other);
	if (!may_send(sk, other)) {
		err = -EPERM;
		goto out;
	}
	if (other->dead) {
		unix_unlock(other);
		err = target_died(sk, other);
		return err ? err : -EAGAIN;
	}
	if (other->shutdown & RCV_SHUTDOWN) {
		err = -EPIPE;
		goto out;
	}
	if (other != sk && unix_peer(other) != sk && unix_recvq_full(other)) {
		if (*timeo) {
			*timeo = unix_wait_for_peer(other, *timeo);
			return signal_pending(current) ? sock_intr_errno(*timeo) : -EAGAIN;
		}
		unix_unlock(other);
		/* EPOLLOUT is reported when there is room again */
		err = -EWOULDBLOCK_NOW;
		unix_lock(sk);
		if (unix_peer(sk) == other && !unix_peer_wake_me(sk, other))
			err = -EAGAIN;
		unix_unlock(sk);
		return err;
	}
	unix_own_creds(skb, sk, other);
	skb_queue_tail(&other->receive_queue, skb);
	err = 0;
out:
	unix_unlock(other);
	return err;
}

/* A packet with all of the message. */
static struct sk_buff *make_packet(struct sock *sk, struct msghdr *m, struct scm_cookie *scm, size_t len, int *err)
{
	struct sk_buff *skb = sock_alloc_send_skb(sk, len, m->msg_flags & MSG_DONTWAIT, err);

	if (!skb)
		return NULL;
	*err = unix_attach(skb, scm, true);
	if (!*err)
		*err = skb_copy_from_iter(skb, &m->msg_iter);
	if (!*err)
		return skb;
	kfree_skb(skb);
	return NULL;
}

static ssize_t send_packet(struct sock *sk, struct msghdr *m, struct scm_cookie *scm, size_t len)
{
	struct sockaddr *addr = m->msg_namelen ? m->msg_name : NULL;
	s64 timeo = sock_sndtimeo(sk, m->msg_flags & MSG_DONTWAIT);
	struct sock *other;
	struct sk_buff *skb;
	int err;

	if (addr) {
		err = unix_check_addr(addr, m->msg_namelen);
		if (err)
			return err;
	} else if (!unix_peer(sk)) {
		return -ENOTCONN;
	}
	if (sk->passcred) {
		err = unix_autobind(sk);
		if (err)
			return err;
	}
	if (len > (size_t)max(READ_ONCE(sk->sndbuf) - 32, 0))
		return -EMSGSIZE;
	skb = make_packet(sk, m, scm, len, &err);
	if (!skb)
		return err;
	for (;;) {
		err = -ECONNRESET;
		other = addr ? unix_find_other(addr, m->msg_namelen, sk->type, &err) : get_peer(sk);
		if (!other)
			break;
		err = queue_at(sk, other, skb, &timeo);
		if (!err)
			sk_data_ready(other);
		sock_put(other);
		if (!err)
			return len;
		if (err == -EWOULDBLOCK_NOW) {
			err = -EAGAIN;
			break;
		}
		if (err != -EAGAIN)
			break;
	}
	kfree_skb(skb);
	return err;
}

ssize_t unix_dgram_sendmsg(struct socket *s, struct msghdr *m, size_t len)
{
	struct scm_cookie scm;
	ssize_t ret = scm_send(s, m, &scm, false);

	if (ret)
		return ret;
	ret = m->msg_flags & MSG_OOB ? -EOPNOTSUPP : send_packet(s->sk, m, &scm, len);
	scm_destroy(&scm);
	return ret;
}

ssize_t unix_seqpacket_sendmsg(struct socket *s, struct msghdr *m, size_t len)
{
	int err = sock_error(s->sk);

	if (err)
		return err;
	if (READ_ONCE(s->sk->state) != SK_ESTABLISHED)
		return -ENOTCONN;
	m->msg_namelen = 0;
	return unix_dgram_sendmsg(s, m, len);
}

/* The next packet, taken off the queue unless it is only looked at; iolock held, dropped meanwhile. NULL and *err. */
static struct sk_buff *next_packet(struct sock *sk, int flags, int *err)
{
	s64 timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct sk_buff *skb;

	for (;;) {
		*err = sock_error(sk); /* before packets that came earlier: only of a stream are these read first */
		if (*err)
			return NULL;
		skb = flags & MSG_PEEK ? skb_peek(&sk->receive_queue) : skb_dequeue(&sk->receive_queue);
		if (skb)
			return skb;
		/* an end of file: at once for packets that wait for nothing, after a wait for datagrams */
		if (READ_ONCE(sk->shutdown) & RCV_SHUTDOWN) {
			if (!skb_queue_empty(&sk->receive_queue))
				continue;
			*err = !timeo && sk->type == SOCK_DGRAM ? -EAGAIN : 0;
			return NULL;
		}
		*err = -EAGAIN;
		if (!timeo)
			return NULL;
		if (signal_pending(current)) {
			*err = sock_intr_errno(timeo);
			return NULL;
		}
		mutex_unlock(&unix_sk(sk)->iolock);
		timeo = unix_wait_data(sk, NULL, timeo);
		mutex_lock(&unix_sk(sk)->iolock);
	}
}

ssize_t unix_dgram_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags)
{
	struct sock *sk = s->sk;
	struct unix_sock *u = unix_sk(sk);
	struct scm_cookie scm = {.fp = NULL};
	struct sk_buff *skb;
	ssize_t ret;
	size_t n;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&u->iolock);
	skb = next_packet(sk, flags, &err);
	if (!skb) {
		mutex_unlock(&u->iolock);
		if (!err && m->msg_name)
			m->msg_namelen = 0;
		return err;
	}
	wake_up_interruptible_poll(&u->peer_wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (m->msg_name)
		m->msg_namelen = smp_load_acquire(&unix_sk(skb->sk)->addr) ? unix_copy_name(skb->sk, m->msg_name) : 0;
	n = min_t(size_t, len, skb->len);
	if (skb->len > len)
		m->msg_flags |= MSG_TRUNC;
	err = skb_copy_to_iter(skb, 0, n, &m->msg_iter) < n ? -EFAULT : 0;
	scm.creds = (struct ucred){skb->pid, skb->uid, skb->gid};
	scm.have_creds = skb->has_creds;
	if (!err && skb->fp) {
		if (flags & MSG_PEEK)
			err = unix_peek_fds(&scm, skb);
		else
			unix_take_fds(&scm, skb);
	}
	ret = flags & MSG_TRUNC ? (ssize_t)skb->len : (ssize_t)n;
	mutex_unlock(&u->iolock);
	if (!(flags & MSG_PEEK))
		kfree_skb(skb);
	if (err) {
		scm_destroy(&scm);
		return err;
	}
	scm_recv(s, m, &scm, flags);
	return ret;
}

ssize_t unix_seqpacket_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags)
{
	if (READ_ONCE(s->sk->state) != SK_ESTABLISHED)
		return -ENOTCONN;
	return unix_dgram_recvmsg(s, m, len, flags);
}

/* Is there room at the peer? If not, its queue will tell us. */
static bool peer_has_room(struct sock *sk)
{
	struct sock *other;
	bool room = true;

	unix_lock(sk);
	other = unix_peer(sk);
	if (other && unix_peer(other) != sk && unix_recvq_full(other) && unix_peer_wake_me(sk, other))
		room = false;
	unix_unlock(sk);
	return room;
}

u32 unix_dgram_poll(struct file *f, struct socket *s, poll_table *pt)
{
	struct sock *sk = s->sk;
	u8 shutdown;
	u32 mask = 0;

	poll_wait(f, &sk->wq, pt);
	smp_mb();
	shutdown = READ_ONCE(sk->shutdown);
	if (READ_ONCE(sk->err))
		mask |= EPOLLERR;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (shutdown == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (!skb_queue_empty(&sk->receive_queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sk->type == SOCK_SEQPACKET && READ_ONCE(sk->state) == SK_CLOSE)
		mask |= EPOLLHUP;
	if (pt && pt->_key && !(pt->_key & (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)))
		return mask;
	if (unix_writable(sk) && peer_has_room(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}
