/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX sockets: what the files of net/unix/ share. */
#ifndef UNIX_H
#define UNIX_H

#include <husk/net.h>
#include <linux/un.h>

/* A bound name; never changes once a socket has it. */
struct unix_address {
	refcount_t refs;
	int len; /* with the family */
	struct sockaddr_un name;
};

/**
 * struct unix_sock
 * @lock: the state lock: sk.state, sk.shutdown, sk.dead, sk.socket, peer, and who may be queued on this socket. Two are taken
 *        in the order of their addresses (unix_lock_two), except that a listener's comes before a connecting socket's.
 * @iolock: one reader at a time; held over copies to user memory
 * @bindlock: one bind at a time
 * @peer: a reference. Stream and seqpacket: set once, until release. Dgram: the default target
 * @addr: set once, read with smp_load_acquire; an accepted socket shares its listener's
 * @path: where a path name was bound; dentry NULL if none
 * @peer_wait: those who wait for room in receive_queue, in connect() or to send a datagram
 * @peer_wake: our place in the peer's peer_wait, while its queue was found full by poll or a send that does not wait
 * @name_node, @inode_node, @all: in the tables of names.c, under unix_table_lock
 * @inflight, @gc_*: garbage.c, under unix_gc_lock
 */
struct unix_sock {
	struct sock sk;
	spinlock_t lock;
	struct mutex iolock, bindlock;
	struct sock *peer;
	struct unix_address *addr;
	struct path path;
	wait_queue_head_t peer_wait;
	struct wait_queue_entry peer_wake;
	struct hlist_node name_node, inode_node;
	struct list_head all;
	long inflight;
	struct list_head gc_link;
	long gc_refs;
	u8 gc_state;
};

static inline struct unix_sock *unix_sk(const struct sock *sk)
{
	return container_of(sk, struct unix_sock, sk);
}

static inline void unix_lock(struct sock *sk)
{
	spin_lock(&unix_sk(sk)->lock);
}

static inline void unix_unlock(struct sock *sk)
{
	spin_unlock(&unix_sk(sk)->lock);
}

static inline struct sock *unix_peer(const struct sock *sk)
{
	return READ_ONCE(unix_sk(sk)->peer);
}

static inline bool unix_recvq_full(const struct sock *sk)
{
	return READ_ONCE(sk->receive_queue.qlen) > READ_ONCE(sk->max_ack_backlog);
}

static inline bool unix_writable(const struct sock *sk)
{
	return sk->state != SK_LISTEN && (atomic_read(&sk->wmem_alloc) << 2) <= sk->sndbuf;
}

/* names.c */
int unix_check_addr(const struct sockaddr *addr, int len);
int unix_bind(struct socket *s, struct sockaddr *addr, int len);
int unix_autobind(struct sock *sk);
struct sock *unix_find_other(const struct sockaddr *addr, int len, int type, int *err);
void unix_insert(struct sock *sk);
void unix_remove(struct sock *sk);
void unix_addr_put(struct unix_address *a);
int unix_copy_name(struct sock *sk, void *to);
int unix_getname(struct socket *s, struct __kernel_sockaddr_storage *addr, int peer);

#define EWOULDBLOCK_NOW 1000 /* inside connect(): the backlog is full and the caller does not wait */

/* af_unix.c */
extern const struct proto_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
void unix_lock_two(struct sock *a, struct sock *b);
void unix_unlock_two(struct sock *a, struct sock *b);
s64 unix_wait_for_peer(struct sock *other, s64 timeo);
s64 unix_wait_data(struct sock *sk, const struct sk_buff *last, s64 timeo);
bool unix_peer_wake_me(struct sock *sk, struct sock *other);
void unix_peer_wake_disconnect(struct sock *sk, struct sock *other);
int unix_attach(struct sk_buff *skb, struct scm_cookie *scm, bool fds);
void unix_take_fds(struct scm_cookie *scm, struct sk_buff *skb);
int unix_peek_fds(struct scm_cookie *scm, struct sk_buff *skb);
void unix_own_creds(struct sk_buff *skb, struct sock *sk, struct sock *other);

/* stream.c, dgram.c */
ssize_t unix_stream_sendmsg(struct socket *s, struct msghdr *m, size_t len);
ssize_t unix_stream_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags);
ssize_t unix_dgram_sendmsg(struct socket *s, struct msghdr *m, size_t len);
ssize_t unix_dgram_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags);
ssize_t unix_seqpacket_sendmsg(struct socket *s, struct msghdr *m, size_t len);
ssize_t unix_seqpacket_recvmsg(struct socket *s, struct msghdr *m, size_t len, int flags);
int unix_dgram_connect(struct socket *s, struct sockaddr *addr, int len, int flags);
u32 unix_dgram_poll(struct file *f, struct socket *s, poll_table *pt);

/* garbage.c */
int unix_inflight_files(struct scm_fp_list *fp);
void unix_notinflight_files(struct scm_fp_list *fp);
void unix_gc_barrier(void);
void unix_gc(void);

#endif
