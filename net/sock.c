// SPDX-License-Identifier: Apache-2.0
/* What all protocols share: struct sock, its options, its memory and its wake-ups. */
#include <husk/net.h>
#include <husk/proc_fs.h>
#include <husk/init.h>

#define SOCK_MIN_RCVBUF 2304
#define SOCK_MIN_SNDBUF 4608
#define BUF_MAX (INT32_MAX / 2)

int sysctl_somaxconn = SOMAXCONN;
static int wmem_default = 212992, rmem_default = 212992, wmem_max = 212992, rmem_max = 212992;
static atomic64_t next_cookie;

void sock_init_data(struct socket *s, struct sock *sk)
{
	refcount_set(&sk->refs, 1);
	atomic_set(&sk->wmem_alloc, 1);
	sk->state = SK_CLOSE;
	sk->rcvbuf = rmem_default;
	sk->sndbuf = wmem_default;
	sk->rcvlowat = 1;
	sk->rcvtimeo = sk->sndtimeo = MAX_SCHEDULE_TIMEOUT;
	skb_queue_head_init(&sk->receive_queue);
	init_waitqueue_head(&sk->wq);
	sk->cookie = atomic64_inc_return(&next_cookie);
	sk->socket = s;
	if (s) {
		sk->type = s->type;
		s->sk = sk;
	}
}

static void drop_wmem(struct sock *sk, int n)
{
	if (atomic_sub_return(n, &sk->wmem_alloc))
		return;
	if (sk->peer_cred)
		put_cred(sk->peer_cred);
	sk->destruct(sk);
}

void sock_put(struct sock *sk)
{
	if (refcount_dec_and_test(&sk->refs))
		drop_wmem(sk, 1);
}

int sock_error(struct sock *sk)
{
	if (likely(!READ_ONCE(sk->err)))
		return 0;
	return -xchg(&sk->err, 0);
}

/* ---- wake-ups ---- */

void sk_data_ready(struct sock *sk)
{
	wake_up_interruptible_poll(&sk->wq, EPOLLIN | EPOLLRDNORM | EPOLLRDBAND);
	if (unlikely(sk->fasync))
		kill_fasync(&sk->fasync, SIGIO, POLL_IN);
}

void sk_write_space(struct sock *sk)
{
	wake_up_interruptible_poll(&sk->wq, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (unlikely(sk->fasync))
		kill_fasync(&sk->fasync, SIGIO, POLL_OUT);
}

void sk_state_change(struct sock *sk)
{
	wake_up_interruptible_all(&sk->wq);
	if (unlikely(sk->fasync))
		kill_fasync(&sk->fasync, SIGIO, POLL_IN);
}

/* ---- memory ---- */

/* A sender is told of room only when three quarters of its buffer are free, so that it can send much at once. */
static inline bool sock_writeable(const struct sock *sk)
{
	return (atomic_read(&sk->wmem_alloc) << 2) <= sk->sndbuf;
}

/* The packet is consumed. Its last byte keeps sk alive until the wake-up is done. */
static void sock_wfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	atomic_sub((int)skb->truesize - 1, &sk->wmem_alloc);
	if (sock_writeable(sk))
		sk_write_space(sk);
	drop_wmem(sk, 1);
}

/* Sleeps until there is room to send. What is left of timeo. */
static s64 wait_for_wmem(struct sock *sk, s64 timeo)
{
	struct wait_queue_entry e;

	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	while (timeo && !signal_pending(current)) {
		prepare_to_wait(&sk->wq, &e, TASK_INTERRUPTIBLE);
		if (atomic_read(&sk->wmem_alloc) < sk->sndbuf || (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN) ||
		    READ_ONCE(sk->err))
			break;
		timeo = schedule_timeout(timeo);
	}
	finish_wait(&sk->wq, &e);
	return timeo;
}

struct sk_buff *sock_alloc_send_skb(struct sock *sk, size_t len, bool noblock, int *err)
{
	s64 timeo = sock_sndtimeo(sk, noblock);
	struct sk_buff *skb;

	for (;;) {
		*err = sock_error(sk);
		if (*err)
			return NULL;
		*err = -EPIPE;
		if (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN)
			return NULL;
		if (likely(atomic_read(&sk->wmem_alloc) < READ_ONCE(sk->sndbuf)))
			break;
		*err = -EAGAIN;
		if (!timeo)
			return NULL;
		if (signal_pending(current)) {
			*err = sock_intr_errno(timeo);
			return NULL;
		}
		timeo = wait_for_wmem(sk, timeo);
	}
	skb = alloc_skb(len);
	if (!skb) {
		*err = -ENOBUFS;
		return NULL;
	}
	skb->sk = sk;
	skb->destructor = sock_wfree;
	atomic_add((int)skb->truesize, &sk->wmem_alloc);
	return skb;
}

/* ---- credentials of the peer ---- */

static void set_cred(struct sock *sk, pid_t pid, const struct cred *cred)
{
	const struct cred *old = sk->peer_cred;

	sk->peer_pid = pid;
	sk->peer_cred = cred ? get_cred(cred) : NULL;
	if (old)
		put_cred(old);
}

void sock_set_peercred(struct sock *sk)
{
	set_cred(sk, current->tgid, current_cred());
}

void sock_copy_peercred(struct sock *sk, struct sock *from)
{
	set_cred(sk, from->peer_pid, from->peer_cred);
}

/* ---- options ---- */

/* Those that are remembered and mean nothing to local sockets. */
#define REMEMBERED                                                                                                     \
	(BIT(SO_DEBUG) | BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) | BIT(SO_KEEPALIVE) |               \
	 BIT(SO_OOBINLINE) | BIT(SO_NO_CHECK) | BIT(SO_REUSEPORT) | BIT(SO_TIMESTAMP_OLD) | BIT(SO_TIMESTAMPNS_OLD) |  \
	 BIT(SO_RXQ_OVFL) | BIT(SO_WIFI_STATUS) | BIT(SO_NOFCS) | BIT(SO_SELECT_ERR_QUEUE) | BIT(SO_PASSSEC) |         \
	 BIT(SO_TIMESTAMP_NEW))

static int get_timeo(const void __user *val, unsigned int len, s64 *timeo)
{
	struct {
		s64 sec, usec;
	} tv;

	if (len < sizeof(tv))
		return -EINVAL;
	if (copy_from_user(&tv, val, sizeof(tv)))
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= USEC_PER_SEC)
		return -EDOM;
	*timeo = MAX_SCHEDULE_TIMEOUT;
	if (tv.sec < 0)
		*timeo = 0;
	else if ((tv.sec || tv.usec) && tv.sec < MAX_SCHEDULE_TIMEOUT / NSEC_PER_SEC - 1)
		*timeo = tv.sec * NSEC_PER_SEC + tv.usec * NSEC_PER_USEC;
	return 0;
}

static void set_sndbuf(struct sock *sk, int v)
{
	WRITE_ONCE(sk->sndbuf, max(min(v, BUF_MAX) * 2, SOCK_MIN_SNDBUF));
	sk_write_space(sk);
}

static int set_priority(struct sock *sk, int v)
{
	if ((v < 0 || v > 6) && !capable(CAP_NET_ADMIN))
		return -EPERM;
	sk->priority = v;
	return 0;
}

static int set_linger(struct sock *sk, const void __user *val, unsigned int len)
{
	if (len < sizeof(sk->linger))
		return -EINVAL;
	return copy_from_user(&sk->linger, val, sizeof(sk->linger)) ? -EFAULT : 0;
}

int sock_setsockopt(struct socket *s, int name, const void __user *val, unsigned int len)
{
	struct sock *sk = s->sk;
	int v;

	if (len < sizeof(v))
		return -EINVAL;
	if (copy_from_user(&v, val, sizeof(v)))
		return -EFAULT;
	if (name > 0 && name < 64 && (REMEMBERED & BIT(name))) {
		if (v)
			set_bit(name, &sk->opts);
		else
			clear_bit(name, &sk->opts);
		return 0;
	}
	switch (name) {
	case SO_SNDBUFFORCE:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		set_sndbuf(sk, max(v, 0));
		return 0;
	case SO_SNDBUF:
		set_sndbuf(sk, (int)min_t(unsigned int, v, wmem_max));
		return 0;
	case SO_RCVBUFFORCE:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		WRITE_ONCE(sk->rcvbuf, max(min(max(v, 0), BUF_MAX) * 2, SOCK_MIN_RCVBUF));
		return 0;
	case SO_RCVBUF:
		WRITE_ONCE(sk->rcvbuf, max((int)min_t(unsigned int, v, rmem_max) * 2, SOCK_MIN_RCVBUF));
		return 0;
	case SO_RCVLOWAT:
		WRITE_ONCE(sk->rcvlowat, v < 0 ? INT32_MAX : v ? v : 1);
		return 0;
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return get_timeo(val, len, &sk->rcvtimeo);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return get_timeo(val, len, &sk->sndtimeo);
	case SO_PASSCRED:
		sk->passcred = v != 0;
		return 0;
	case SO_PRIORITY:
		return set_priority(sk, v);
	case SO_LINGER:
		return set_linger(sk, val, len);
	case SO_MARK:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		sk->mark = v;
		return 0;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_PEERCRED:
	default:
		return -ENOPROTOOPT;
	}
}

static int get_peergroups(struct sock *sk, void __user *val, int len, int __user *ulen)
{
	const struct group_info *g = sk->peer_cred ? sk->peer_cred->group_info : NULL;
	int bytes = g ? g->ngroups * (int)sizeof(gid_t) : 0;

	if (!sk->peer_cred)
		return -ENODATA;
	if (len < bytes)
		return put_user(bytes, ulen) ? -EFAULT : -ERANGE;
	if (bytes && copy_to_user(val, g->gid, bytes))
		return -EFAULT;
	return put_user(bytes, ulen);
}

/* The value of an option that is one int. */
static int get_int(struct socket *s, int name, int *v)
{
	struct sock *sk = s->sk;

	if (name > 0 && name < 64 && (REMEMBERED & BIT(name))) {
		*v = test_bit(name, &sk->opts);
		return 0;
	}
	switch (name) {
	case SO_TYPE:
		*v = sk->type;
		return 0;
	case SO_PROTOCOL:
		*v = sk->protocol;
		return 0;
	case SO_DOMAIN:
		*v = sk->family;
		return 0;
	case SO_ERROR:
		*v = -sock_error(sk);
		return 0;
	case SO_SNDBUF:
		*v = sk->sndbuf;
		return 0;
	case SO_RCVBUF:
		*v = sk->rcvbuf;
		return 0;
	case SO_RCVLOWAT:
		*v = sk->rcvlowat;
		return 0;
	case SO_SNDLOWAT:
		*v = 1;
		return 0;
	case SO_PASSCRED:
		*v = sk->passcred;
		return 0;
	case SO_ACCEPTCONN:
		*v = sk->state == SK_LISTEN;
		return 0;
	case SO_PRIORITY:
		*v = sk->priority;
		return 0;
	case SO_MARK:
		*v = sk->mark;
		return 0;
	default: /* SO_PEERSEC among them: there is no security module */
		return -ENOPROTOOPT;
	}
}

static void show_timeo(s64 timeo, s64 tv[2])
{
	tv[0] = tv[1] = 0;
	if (timeo == MAX_SCHEDULE_TIMEOUT)
		return;
	tv[0] = timeo / NSEC_PER_SEC;
	tv[1] = timeo % NSEC_PER_SEC / NSEC_PER_USEC;
}

int sock_getsockopt(struct socket *s, int name, void __user *val, int __user *ulen)
{
	struct sock *sk = s->sk;
	union {
		int v;
		s64 tv[2];
		u64 cookie;
		struct linger linger;
		struct ucred cred;
	} u;
	int len, have = sizeof(u.v), err;

	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	memset(&u, 0, sizeof(u));
	switch (name) {
	case SO_LINGER:
		u.linger = sk->linger;
		have = sizeof(u.linger);
		break;
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		show_timeo(sk->rcvtimeo, u.tv);
		have = sizeof(u.tv);
		break;
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		show_timeo(sk->sndtimeo, u.tv);
		have = sizeof(u.tv);
		break;
	case SO_PEERCRED:
		u.cred.pid = sk->peer_pid;
		u.cred.uid = sk->peer_cred ? sk->peer_cred->euid : (u32)-1;
		u.cred.gid = sk->peer_cred ? sk->peer_cred->egid : (u32)-1;
		have = sizeof(u.cred);
		break;
	case SO_PEERGROUPS:
		return get_peergroups(sk, val, len, ulen);
	case SO_COOKIE:
		if (len < (int)sizeof(u.cookie))
			return -EINVAL;
		u.cookie = sk->cookie;
		have = sizeof(u.cookie);
		break;
	default:
		err = get_int(s, name, &u.v);
		if (err)
			return err;
	}
	len = min(len, have);
	if (copy_to_user(val, &u, len))
		return -EFAULT;
	return put_user(len, ulen);
}

SYSCTL_INT("net/core/somaxconn", 0644, sysctl_somaxconn, 0, INT32_MAX);
SYSCTL_INT("net/core/wmem_default", 0644, wmem_default, SOCK_MIN_SNDBUF, BUF_MAX);
SYSCTL_INT("net/core/rmem_default", 0644, rmem_default, SOCK_MIN_RCVBUF, BUF_MAX);
SYSCTL_INT("net/core/wmem_max", 0644, wmem_max, SOCK_MIN_SNDBUF, BUF_MAX);
SYSCTL_INT("net/core/rmem_max", 0644, rmem_max, SOCK_MIN_RCVBUF, BUF_MAX);
