// SPDX-License-Identifier: Apache-2.0
/* Data of AF_UNIX stream sockets. */
#include "unix.h"

#define CHUNK_MAX 65536 /* bytes in one packet: the reader can begin while the writer goes on */

/* One packet's worth, with what is in scm. Bytes or -errno. */
static ssize_t send_chunk(struct sock *sk, struct sock *other, struct msghdr *m, struct scm_cookie *scm, size_t n)
{
	struct sk_buff *skb;
	int err;

	n = min_t(size_t, n, CHUNK_MAX);
	n = min_t(size_t, n, (size_t)max((READ_ONCE(sk->sndbuf) >> 1) - 64, 1));
	skb = sock_alloc_send_skb(sk, n, m->msg_flags & MSG_DONTWAIT, &err);
	if (unlikely(!skb))
		return err;
	err = unix_attach(skb, scm, true);
	if (likely(!err))
		err = skb_copy_from_iter(skb, &m->msg_iter);
	if (unlikely(err))
		goto out_free;
	unix_lock(other);
	err = -EPIPE;
	if (unlikely(other->dead || (other->shutdown & RCV_SHUTDOWN))) {
		unix_unlock(other);
		goto out_free;
	}
	unix_own_creds(skb, sk, other);
	skb_queue_tail(&other->receive_queue, skb);
	unix_unlock(other);
	sk_data_ready(other);
	return n;
out_free:
	kfree_skb(skb);
	return err;
}

ssize_t unix_stream_sendmsg(struct socket *s, struct msghdr *m, size_t len)
{
	struct sock *sk = s->sk, *other;
	struct scm_cookie scm;
	ssize_t err, n;
	size_t sent = 0;

	err = scm_send(s, m, &scm, false);
	if (err)
		return err;
	err = -EOPNOTSUPP;
	if (m->msg_flags & MSG_OOB)
		goto out;
	if (m->msg_namelen) {
		err = sk->state == SK_ESTABLISHED ? -EISCONN : -EOPNOTSUPP;
		goto out;
	}
	err = -ENOTCONN;
	other = smp_load_acquire(&unix_sk(sk)->peer);
	if (!other)
		goto out;
	err = 0;
	if (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN)
		err = -EPIPE;
	while (!err && sent < len) {
		n = send_chunk(sk, other, m, &scm, len - sent);
		if (n < 0)
			err = n;
		else
			sent += n;
	}
	if (err == -EPIPE && !sent && !(m->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
out:
	scm_destroy(&scm);
	return sent ? (ssize_t)sent : err;
}

/* How a read goes on. */
struct stream_read {
	struct sock *sk;
	struct msghdr *m;
	struct scm_cookie scm;
	size_t size, copied, target;
	s64 timeo;
	int flags;
	bool have_first; /* scm.creds are of the first packet taken */
};

/*
 * Waits for a packet, with iolock held, dropped meanwhile. The packet behind last (NULL: the first; else it does not wait);
 * NULL: *err says whether it is an error (0: the end).
 */
static struct sk_buff *next_packet(struct stream_read *r, struct sk_buff *last, int *err)
{
	struct sk_buff_head *q = &r->sk->receive_queue;
	struct sk_buff *skb;

	for (;;) {
		spin_lock(&q->lock);
		skb = last ? skb_peek_next(last, q) : skb_peek(q);
		spin_unlock(&q->lock);
		*err = 0;
		if (skb || r->copied >= r->target)
			return skb;
		*err = sock_error(r->sk);
		if (*err)
			return NULL;
		if (READ_ONCE(r->sk->shutdown) & RCV_SHUTDOWN) {
			/* what was sent before the shutdown is in the queue by now */
			if (READ_ONCE(q->prev) == (last ? last : (struct sk_buff *)q))
				return NULL;
			continue;
		}
		*err = -EAGAIN;
		if (!r->timeo)
			return NULL;
		mutex_unlock(&unix_sk(r->sk)->iolock);
		r->timeo = unix_wait_data(r->sk, last, r->timeo);
		*err = signal_pending(current) && skb_queue_empty(q) ? sock_intr_errno(r->timeo) : 0;
		mutex_lock(&unix_sk(r->sk)->iolock);
		if (*err)
			return NULL;
	}
}

/* Packets with other credentials are not joined to the first one's data, if anyone looks. */
static bool same_creds(struct stream_read *r, const struct sk_buff *skb)
{
	const struct scm_cookie *c = &r->scm;

	if (!r->sk->passcred)
		return true;
	if (r->have_first)
		return c->have_creds == skb->has_creds && c->creds.pid == skb->pid && c->creds.uid == skb->uid &&
		       c->creds.gid == skb->gid;
	r->scm.creds = (struct ucred){skb->pid, skb->uid, skb->gid};
	r->scm.have_creds = skb->has_creds;
	r->have_first = true;
	return true;
}

/* Takes bytes of a packet. False: the read ends here. */
static bool take_from(struct stream_read *r, struct sk_buff *skb, int *err)
{
	size_t n = min_t(size_t, skb->len - skb->consumed, r->size);
	bool fds = skb->fp != NULL;

	if (!same_creds(r, skb))
		return false;
	if (r->m->msg_name) {
		bool named = smp_load_acquire(&unix_sk(skb->sk)->addr) != NULL;

		r->m->msg_namelen = named ? unix_copy_name(skb->sk, r->m->msg_name) : 0;
		r->m->msg_name = NULL;
	}
	if (skb_copy_to_iter(skb, skb->consumed, n, &r->m->msg_iter) < n) {
		*err = -EFAULT;
		return false;
	}
	r->copied += n;
	r->size -= n;
	if (r->flags & MSG_PEEK) {
		if (fds)
			*err = unix_peek_fds(&r->scm, skb);
		return !fds;
	}
	skb->consumed += n;
	if (fds)
		unix_take_fds(&r->scm, skb);
	if (skb->consumed == skb->len) {
		skb_unlink(skb, &r->sk->receive_queue);
		kfree_skb(skb);
	}
	return !fds;
}

ssize_t unix_stream_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags)
{
	struct sock *sk = s->sk;
	struct stream_read r = {
		.sk = sk,
		.m = m,
		.size = len,
		.target = flags & MSG_PEEK ? 1 : sock_rcvlowat(sk, flags & MSG_WAITALL, (int)len),
		.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT),
		.flags = flags,
	};
	struct sk_buff *skb, *last = NULL;
	int err = 0;

	if (READ_ONCE(sk->state) != SK_ESTABLISHED)
		return -EINVAL;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->msg_name)
		m->msg_namelen = 0;
	mutex_lock(&unix_sk(sk)->iolock);
	do {
		skb = next_packet(&r, last, &err);
		if (!skb || !take_from(&r, skb, &err))
			break;
		last = flags & MSG_PEEK ? skb : NULL;
	} while (r.size);
	mutex_unlock(&unix_sk(sk)->iolock);
	if (!r.copied && err) {
		scm_destroy(&r.scm);
		return err;
	}
	scm_recv(s, m, &r.scm, flags);
	return (ssize_t)r.copied;
}
