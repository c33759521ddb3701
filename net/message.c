// SPDX-License-Identifier: Apache-2.0
/* sendmsg, recvmsg and their forms for many messages. */
#include "internal.h"
#include <husk/syscalls.h>

#define CTL_STACK 64 /* bytes of control data that need no allocation: one descriptor and credentials */
#define CTL_MAX 131072
#define IOV_STACK 8

/* A user's message header, read and checked. iov: to be kfree()d. */
static ssize_t get_msghdr(struct user_msghdr *u, const struct user_msghdr __user *um, int dir, struct iovec **iov,
			  struct msghdr *m)
{
	if (copy_from_user(u, um, sizeof(*u)))
		return -EFAULT;
	memset(m, 0, sizeof(*m));
	if (u->msg_namelen < 0)
		return -EINVAL;
	if (!u->msg_name)
		u->msg_namelen = 0;
	u->msg_namelen = min_t(int, u->msg_namelen, sizeof(struct __kernel_sockaddr_storage));
	if (u->msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	return import_iovec(dir, u->msg_iov, (unsigned int)u->msg_iovlen, IOV_STACK, iov, &m->msg_iter);
}

/* One message. used_addr: the address that was checked last time (sendmmsg), not to be checked again. */
static ssize_t do_sendmsg(struct socket *s, struct file *f, const struct user_msghdr __user *um, unsigned int flags)
{
	struct iovec stack[IOV_STACK], *iov = stack;
	struct __kernel_sockaddr_storage addr;
	u64 ctl_stack[CTL_STACK / 8];
	void *ctl = NULL;
	struct user_msghdr u;
	struct msghdr m;
	ssize_t ret;

	ret = get_msghdr(&u, um, ITER_SOURCE, &iov, &m);
	if (ret < 0)
		return ret;
	if (u.msg_name && u.msg_namelen) {
		ret = move_addr_to_kernel(u.msg_name, u.msg_namelen, &addr);
		if (ret)
			goto out;
		m.msg_name = &addr;
		m.msg_namelen = u.msg_namelen;
	}
	if (u.msg_controllen) {
		ret = -ENOBUFS;
		if (u.msg_controllen > CTL_MAX)
			goto out;
		ctl = u.msg_controllen <= sizeof(ctl_stack) ? ctl_stack : kmalloc(u.msg_controllen, GFP_KERNEL);
		if (!ctl)
			goto out;
		ret = -EFAULT;
		if (copy_from_user(ctl, u.msg_control, u.msg_controllen))
			goto out;
		m.msg_control = ctl;
		m.msg_controllen = u.msg_controllen;
	}
	m.msg_flags = flags & ~MSG_CMSG_COMPAT;
	if (f->f_flags & O_NONBLOCK)
		m.msg_flags |= MSG_DONTWAIT;
	ret = sock_sendmsg(s, &m);
out:
	if (ctl != ctl_stack)
		kfree(ctl);
	kfree(iov);
	return ret;
}

SYSCALL_DEFINE3(sendmsg, int, fd, const struct user_msghdr __user *, um, unsigned int, flags)
{
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	ssize_t ret;

	if (IS_ERR(s))
		return PTR_ERR(s);
	ret = do_sendmsg(s, f, um, flags);
	fput(f);
	return ret;
}

SYSCALL_DEFINE4(sendmmsg, int, fd, struct mmsghdr __user *, um, unsigned int, n, unsigned int, flags)
{
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	unsigned int i;
	ssize_t ret = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	n = min_t(unsigned int, n, UIO_MAXIOV);
	for (i = 0; i < n; i++) {
		ret = do_sendmsg(s, f, &um[i].msg_hdr, flags);
		if (ret < 0)
			break;
		if (put_user((unsigned int)ret, &um[i].msg_len)) {
			ret = -EFAULT;
			break;
		}
		if (signal_pending(current)) {
			i++;
			break;
		}
	}
	fput(f);
	return i ? (ssize_t)i : ret;
}

static ssize_t do_recvmsg(struct socket *s, struct file *f, struct user_msghdr __user *um, unsigned int flags)
{
	struct iovec stack[IOV_STACK], *iov = stack;
	struct __kernel_sockaddr_storage addr;
	struct user_msghdr u;
	struct msghdr m;
	ssize_t ret;
	int err = 0;

	ret = get_msghdr(&u, um, ITER_DEST, &iov, &m);
	if (ret < 0)
		return ret;
	m.msg_name = u.msg_name ? &addr : NULL;
	m.msg_control = u.msg_control;
	m.msg_controllen = u.msg_controllen;
	m.msg_flags = flags & MSG_CMSG_CLOEXEC;
	if (f->f_flags & O_NONBLOCK)
		flags |= MSG_DONTWAIT;
	ret = sock_recvmsg(s, &m, (int)flags);
	kfree(iov);
	if (ret < 0)
		return ret;
	if (u.msg_name)
		err = move_addr_to_user(&addr, m.msg_namelen, u.msg_name, &um->msg_namelen);
	if (err < 0)
		return err;
	if (put_user(m.msg_flags & ~MSG_CMSG_COMPAT, &um->msg_flags) ||
	    put_user((size_t)(u.msg_controllen - m.msg_controllen), &um->msg_controllen))
		return -EFAULT;
	return ret;
}

SYSCALL_DEFINE3(recvmsg, int, fd, struct user_msghdr __user *, um, unsigned int, flags)
{
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	ssize_t ret;

	if (IS_ERR(s))
		return PTR_ERR(s);
	ret = do_recvmsg(s, f, um, flags);
	fput(f);
	return ret;
}

/* Messages until n, an error, or the time end (0: none), which is looked at behind each. */
static ssize_t recv_many(struct socket *s, struct file *f, struct mmsghdr __user *um, unsigned int n,
			 unsigned int flags, u64 end)
{
	ssize_t ret = sock_error(s->sk);
	unsigned int i;

	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		ret = do_recvmsg(s, f, &um[i].msg_hdr, flags & ~MSG_WAITFORONE);
		if (ret < 0)
			break;
		if (put_user((unsigned int)ret, &um[i].msg_len)) {
			ret = -EFAULT;
			break;
		}
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (end && ktime_get_ns() >= end) {
			i++;
			break;
		}
	}
	/* an error behind some messages is for the next call */
	if (i && ret < 0 && ret != -EAGAIN && ret != -EINTR && ret != -ERESTARTSYS)
		WRITE_ONCE(s->sk->err, (int)-ret);
	return i ? (ssize_t)i : ret;
}

SYSCALL_DEFINE5(recvmmsg, int, fd, struct mmsghdr __user *, um, unsigned int, n, unsigned int, flags, void __user *,
		utime)
{
	struct timespec64 ts;
	struct file *f;
	struct socket *s;
	ssize_t ret;
	u64 end = 0, now;

	if (utime) {
		if (get_timespec64(&ts, utime))
			return -EFAULT;
		if (!timespec64_valid(&ts))
			return -EINVAL;
		if (__builtin_add_overflow(ktime_get_ns(), (u64)timespec64_to_ns(&ts), &end))
			end = UINT64_MAX;
	}
	s = sockfd_lookup(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	ret = recv_many(s, f, um, min_t(unsigned int, n, UIO_MAXIOV), flags, end);
	fput(f);
	if (utime && ret > 0) {
		now = ktime_get_ns();
		ts = ns_to_timespec64(end > now ? (s64)(end - now) : 0);
		if (put_timespec64(&ts, utime))
			return -EFAULT;
	}
	return ret;
}
