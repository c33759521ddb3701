// SPDX-License-Identifier: Apache-2.0
/* Sockets as files, and the families they come from. */
#include <husk/net.h>
#include <husk/pipe.h>
#include <husk/init.h>
#include <asm/ioctls.h>
#include "internal.h"

#define SOCKFS_MAGIC 0x534F434B

static const struct net_proto_family *families[AF_MAX];
static struct vfsmount *sock_mnt;
static struct kmem_cache *socket_cache;

int sock_register(const struct net_proto_family *f)
{
	if (f->family < 0 || f->family >= AF_MAX)
		return -ENOBUFS;
	return cmpxchg(&families[f->family], NULL, f) ? -EEXIST : 0;
}

struct socket *sock_from_file(struct file *f)
{
	return f->f_op == &socket_file_ops ? f->private_data : NULL;
}

/**
 * sockfd_lookup - the socket behind a descriptor
 * @fp: its file, to be released by fput()
 */
struct socket *sockfd_lookup(int fd, struct file **fp)
{
	struct file *f = fget(fd);
	struct socket *s;

	if (unlikely(!f))
		return ERR_PTR(-EBADF);
	s = sock_from_file(f);
	if (unlikely(!s)) {
		fput(f);
		return ERR_PTR(-ENOTSOCK);
	}
	*fp = f;
	return s;
}

struct socket *sock_alloc(void)
{
	struct socket *s = kmem_cache_zalloc(socket_cache, GFP_KERNEL);

	if (s)
		s->state = SS_UNCONNECTED;
	return s;
}

/* A socket that has no file. */
void sock_release(struct socket *s)
{
	if (s->ops)
		s->ops->release(s);
	kmem_cache_free(socket_cache, s);
}

/**
 * sock_alloc_file - give a socket its file
 * On failure the socket is released.
 */
struct file *sock_alloc_file(struct socket *s, int flags)
{
	struct inode *inode = new_inode(sock_mnt->mnt_sb);
	struct file *f;

	if (!inode) {
		sock_release(s);
		return ERR_PTR(-ENFILE);
	}
	inode->i_mode = S_IFSOCK | 0777;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_fop = &socket_file_ops;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	f = alloc_file_pseudo(inode, sock_mnt, "", O_RDWR | (flags & O_NONBLOCK), &socket_file_ops);
	if (IS_ERR(f)) {
		iput(inode);
		sock_release(s);
		return f;
	}
	s->file = f;
	f->private_data = s;
	stream_open(inode, f);
	return f;
}

int sock_map_fd(struct socket *s, int flags)
{
	int fd = get_unused_fd_flags(flags & O_CLOEXEC);
	struct file *f;

	if (fd < 0) {
		sock_release(s);
		return fd;
	}
	f = sock_alloc_file(s, flags);
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		return (int)PTR_ERR(f);
	}
	fd_install(fd, f);
	return fd;
}

/**
 * sock_create - a socket of a family
 * @type: without SOCK_CLOEXEC and SOCK_NONBLOCK
 */
int sock_create(int family, int type, int protocol, struct socket **res)
{
	const struct net_proto_family *pf;
	struct socket *s;
	int err;

	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_MAX)
		return -EINVAL;
	pf = families[family];
	if (!pf)
		return -EAFNOSUPPORT;
	s = sock_alloc();
	if (!s)
		return -ENFILE;
	s->type = (short)type;
	err = pf->create(s, protocol);
	if (err) {
		s->ops = NULL;
		sock_release(s);
		return err;
	}
	*res = s;
	return 0;
}

/* ---- file operations ---- */

ssize_t sock_sendmsg(struct socket *s, struct msghdr *m)
{
	return s->ops->sendmsg(s, m, iov_iter_count(&m->msg_iter));
}

ssize_t sock_recvmsg(struct socket *s, struct msghdr *m, int flags)
{
	return s->ops->recvmsg(s, m, iov_iter_count(&m->msg_iter), flags);
}

static inline int nowait_flag(const struct kiocb *k)
{
	return (k->ki_filp->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT) ? MSG_DONTWAIT : 0;
}

static ssize_t sock_read_iter(struct kiocb *k, struct iov_iter *to)
{
	struct socket *s = k->ki_filp->private_data;
	struct msghdr m = {.msg_iter = *to};
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	ret = sock_recvmsg(s, &m, nowait_flag(k));
	*to = m.msg_iter;
	return ret;
}

static ssize_t sock_write_iter(struct kiocb *k, struct iov_iter *from)
{
	struct socket *s = k->ki_filp->private_data;
	struct msghdr m = {.msg_iter = *from, .msg_flags = (unsigned int)nowait_flag(k)};
	ssize_t ret;

	if (s->type == SOCK_SEQPACKET)
		m.msg_flags |= MSG_EOR;
	ret = sock_sendmsg(s, &m);
	*from = m.msg_iter;
	return ret;
}

static u32 sock_poll(struct file *f, poll_table *pt)
{
	struct socket *s = f->private_data;

	return s->ops->poll(f, s, pt);
}

static long sock_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct socket *s = f->private_data;
	int v;

	switch (cmd) {
	case FIOSETOWN:
	case SIOCSPGRP:
		if (get_user(v, (int __user *)arg))
			return -EFAULT;
		return f_setown(f, v, 1);
	case FIOGETOWN:
	case SIOCGPGRP:
		return put_user(f->f_owner.pid, (int __user *)arg);
	}
	return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOIOCTLCMD;
}

static int sock_fasync(int fd, struct file *f, int on)
{
	struct socket *s = f->private_data;
	int ret;

	if (!s->sk)
		return -EINVAL;
	ret = fasync_helper(fd, f, on, &s->sk->fasync);
	return ret < 0 ? ret : 0;
}

static int sock_close(struct inode *inode, struct file *f)
{
	struct socket *s = f->private_data;

	s->file = NULL;
	sock_release(s);
	return 0;
}

const struct file_operations socket_file_ops = {
	.llseek = no_llseek,
	.read_iter = sock_read_iter,
	.write_iter = sock_write_iter,
	.poll = sock_poll,
	.unlocked_ioctl = sock_ioctl,
	.fasync = sock_fasync,
	.release = sock_close,
	.splice_write = iter_file_splice_write,
};

/* ---- sockfs ---- */

static char *sockfs_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "socket:[%llu]", (unsigned long long)d->d_inode->i_ino);
}

static const struct dentry_operations sockfs_dentry_ops = {
	.d_dname = sockfs_dname,
};

static struct dentry *sockfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return pseudo_mount(t, NULL, &sockfs_dentry_ops, SOCKFS_MAGIC);
}

static struct file_system_type sock_fs_type = {
	.name = "sockfs",
	.mount = sockfs_mount,
	.kill_sb = kill_anon_super,
};

static int sock_init(void)
{
	int err = register_filesystem(&sock_fs_type);

	if (err)
		return err;
	socket_cache = KMEM_CACHE(socket);
	if (!socket_cache)
		return -ENOMEM;
	sock_mnt = kern_mount(&sock_fs_type, NULL);
	if (IS_ERR(sock_mnt))
		panic("sockfs cannot be mounted: %ld", PTR_ERR(sock_mnt));
	return 0;
}
fs_initcall(sock_init);
