/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: the layer between system calls and protocol families (net/socket.c, net/sock.c, net/scm.c). */
#ifndef HUSK_NET_H
#define HUSK_NET_H

#include <husk/fs.h>
#include <husk/poll.h>
#include <husk/skbuff.h>
#include <linux/socket.h>
#include <linux/net.h>
#include <asm/socket.h>
#include <linux/sockios.h>

/* ---- ABI that linux-libc-dev leaves to libc ---- */
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_MAX 46
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5
#define SOCK_DCCP 6
#define SOCK_PACKET 10
#define SOCK_MAX 11
#define SOCK_TYPE_MASK 0xf
#define SOCK_CLOEXEC O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define SOMAXCONN 4096
#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2
#define MSG_OOB 1
#define MSG_PEEK 2
#define MSG_CTRUNC 8
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_EOR 0x80
#define MSG_WAITALL 0x100
#define MSG_ERRQUEUE 0x2000
#define MSG_NOSIGNAL 0x4000
#define MSG_MORE 0x8000
#define MSG_WAITFORONE 0x10000
#define MSG_CMSG_CLOEXEC 0x40000000
#define MSG_CMSG_COMPAT 0x80000000u
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD 253
#define UIO_MAXIOV 1024

struct sockaddr {
	__kernel_sa_family_t sa_family;
	char sa_data[14];
};
struct ucred {
	u32 pid, uid, gid;
};
struct linger {
	int l_onoff, l_linger;
};
struct user_msghdr {
	void __user *msg_name;
	int msg_namelen;
	struct iovec __user *msg_iov;
	size_t msg_iovlen;
	void __user *msg_control;
	size_t msg_controllen;
	unsigned int msg_flags;
};
struct mmsghdr {
	struct user_msghdr msg_hdr;
	unsigned int msg_len;
};
struct cmsghdr {
	size_t cmsg_len;
	int cmsg_level;
	int cmsg_type;
};
#define CMSG_ALIGN(n) ALIGN((size_t)(n), sizeof(long))
#define CMSG_LEN(n) (sizeof(struct cmsghdr) + (n))
#define CMSG_SPACE(n) (sizeof(struct cmsghdr) + CMSG_ALIGN(n))
#define CMSG_DATA(c) ((void *)((struct cmsghdr *)(c) + 1))

/* A message on its way through the kernel. msg_control: kernel memory when sending, user memory when receiving. */
struct msghdr {
	void *msg_name; /* kernel memory, or NULL */
	int msg_namelen;
	unsigned int msg_flags; /* receiving: what goes back to the user */
	struct iov_iter msg_iter;
	void *msg_control;
	size_t msg_controllen; /* receiving: what is left */
};

struct socket;
struct sock;

/**
 * struct proto_ops - a family's operations
 * All return 0 or a length, or -errno. Addresses are in kernel memory. flags of connect and accept: the file's (O_NONBLOCK).
 */
struct proto_ops {
	int family;
	int (*release)(struct socket *s);
	int (*bind)(struct socket *s, struct sockaddr *addr, int len);
	int (*connect)(struct socket *s, struct sockaddr *addr, int len, int flags);
	int (*socketpair)(struct socket *a, struct socket *b);
	int (*accept)(struct socket *s, struct socket *newsock, int flags);
	int (*getname)(struct socket *s, struct __kernel_sockaddr_storage *addr, int peer); /* its length */
	u32 (*poll)(struct file *f, struct socket *s, poll_table *pt);
	long (*ioctl)(struct socket *s, unsigned int cmd, unsigned long arg);
	int (*listen)(struct socket *s, int backlog);
	int (*shutdown)(struct socket *s, int how);
	int (*setsockopt)(struct socket *s, int level, int name, const void __user *val, unsigned int len);
	int (*getsockopt)(struct socket *s, int level, int name, void __user *val, int __user *len);
	ssize_t (*sendmsg)(struct socket *s, struct msghdr *m, size_t len);
	ssize_t (*recvmsg)(struct socket *s, struct msghdr *m, size_t len, int flags);
};

/* The open file's side of a socket. */
struct socket {
	socket_state state;
	short type;
	const struct proto_ops *ops;
	struct file *file; /* no reference: it owns this */
	struct sock *sk;
};

struct net_proto_family {
	int family;
	int (*create)(struct socket *s, int protocol);
};
int sock_register(const struct net_proto_family *f);

/* The protocol's side; outlives the file while packets and peers hold it. */
enum { SK_ESTABLISHED = 1, SK_CLOSE = 7, SK_LISTEN = 10 }; /* sk->state, TCP's numbers as /proc shows them */
#define RCV_SHUTDOWN 1
#define SEND_SHUTDOWN 2
#define SHUTDOWN_MASK 3

/**
 * struct sock
 * @refs: the last one gives up the one that @wmem_alloc holds; packets hold the others, so the memory lives until all are freed
 * @wmem_alloc: 1 + bytes of memory in packets sent and not yet consumed
 * @wq: everyone who sleeps on or polls it; keys say what happened
 * @socket: NULL when the file is gone (SOCK_DEAD) or not made yet; under the family's state lock
 */
struct sock {
	refcount_t refs;
	atomic_t wmem_alloc;
	short family, type;
	int protocol;
	u8 state;
	u8 shutdown;
	bool dead, passcred;
	int err;
	int rcvbuf, sndbuf, rcvlowat;
	s64 rcvtimeo, sndtimeo; /* ns; MAX_SCHEDULE_TIMEOUT: for ever */
	unsigned int max_ack_backlog;
	unsigned long opts; /* bit SO_x: options that only have to be remembered */
	int priority, mark;
	struct linger linger;
	struct socket *socket;
	struct sk_buff_head receive_queue;
	wait_queue_head_t wq;
	struct fasync_struct *fasync;
	const struct cred *peer_cred;
	pid_t peer_pid;
	u64 cookie;
	void (*destruct)(struct sock *sk); /* frees it */
};

extern int sysctl_somaxconn;
void sock_init_data(struct socket *s, struct sock *sk);
static inline void sock_hold(struct sock *sk)
{
	refcount_inc(&sk->refs);
}
void sock_put(struct sock *sk);
int sock_error(struct sock *sk); /* takes the pending error: 0 or -errno */
int sock_setsockopt(struct socket *s, int name, const void __user *val, unsigned int len);
int sock_getsockopt(struct socket *s, int name, void __user *val, int __user *len);
static inline s64 sock_rcvtimeo(const struct sock *sk, bool noblock)
{
	return noblock ? 0 : sk->rcvtimeo;
}
static inline s64 sock_sndtimeo(const struct sock *sk, bool noblock)
{
	return noblock ? 0 : sk->sndtimeo;
}
static inline int sock_rcvlowat(const struct sock *sk, bool waitall, int len)
{
	int v = waitall ? len : min(sk->rcvlowat, len);
	return v ? v : 1;
}
/* A wait with a time limit must not begin again with all of it. */
static inline int sock_intr_errno(s64 timeo)
{
	return timeo == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR;
}
void sk_data_ready(struct sock *sk);
void sk_write_space(struct sock *sk);
void sk_state_change(struct sock *sk);
void sock_set_peercred(struct sock *sk);		     /* current's */
void sock_copy_peercred(struct sock *sk, struct sock *from); /* from's */
/* sock_alloc_send_skb: an empty packet of len bytes, charged to sk; waits for room unless noblock */
struct sk_buff *sock_alloc_send_skb(struct sock *sk, size_t len, bool noblock, int *err);
struct socket *sock_from_file(struct file *f); /* NULL: not a socket */

/* ---- ancillary data (net/scm.c) ---- */
struct scm_fp_list {
	struct list_head work;
	int count, max;
	struct file *fp[];
};
struct scm_cookie {
	struct ucred creds;
	bool have_creds; /* the sender named them, or they are the sender's own */
	struct scm_fp_list *fp;
};
int scm_send(struct socket *s, struct msghdr *m, struct scm_cookie *scm, bool forcecreds);
void scm_recv(struct socket *s, struct msghdr *m, struct scm_cookie *scm, int flags); /* consumes scm->fp */
void scm_fp_free(struct scm_fp_list *fp);
struct scm_fp_list *scm_fp_dup(struct scm_fp_list *fp);
static inline void scm_destroy(struct scm_cookie *scm)
{
	if (unlikely(scm->fp)) {
		scm_fp_free(scm->fp);
		scm->fp = NULL;
	}
}
int put_cmsg(struct msghdr *m, int level, int type, int len, const void *data);

#endif
