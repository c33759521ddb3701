// SPDX-License-Identifier: Apache-2.0
/* System calls on sockets but for the ones with struct msghdr. */
#include "internal.h"
#include <husk/syscalls.h>

#define SOCK_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

SYSCALL_DEFINE3(socket, int, family, int, type, int, protocol)
{
	int flags = type & ~SOCK_TYPE_MASK, err;
	struct socket *s;

	if (flags & ~SOCK_FLAGS)
		return -EINVAL;
	err = sock_create(family, type & SOCK_TYPE_MASK, protocol, &s);
	return err ? err : sock_map_fd(s, flags);
}

SYSCALL_DEFINE4(socketpair, int, family, int, type, int, protocol, int __user *, usv)
{
	int flags = type & ~SOCK_TYPE_MASK, fd[2], err;
	struct socket *a, *b;
	struct file *fa, *fb;

	if (flags & ~SOCK_FLAGS)
		return -EINVAL;
	type &= SOCK_TYPE_MASK;
	err = sock_create(family, type, protocol, &a);
	if (err)
		return err;
	err = sock_create(family, type, protocol, &b);
	if (err) {
		sock_release(a);
		return err;
	}
	err = a->ops->socketpair ? a->ops->socketpair(a, b) : -EOPNOTSUPP;
	if (err) {
		sock_release(a);
		sock_release(b);
		return err;
	}
	fa = sock_alloc_file(a, flags);
	if (IS_ERR(fa)) {
		sock_release(b);
		return (int)PTR_ERR(fa);
	}
	fb = sock_alloc_file(b, flags);
	if (IS_ERR(fb)) {
		fput(fa);
		return (int)PTR_ERR(fb);
	}
	err = fd[0] = get_unused_fd_flags(flags & O_CLOEXEC);
	if (err < 0)
		goto out_files;
	err = fd[1] = get_unused_fd_flags(flags & O_CLOEXEC);
	if (err < 0)
		goto out_fd0;
	err = -EFAULT;
	if (copy_to_user(usv, fd, sizeof(fd)))
		goto out_fd1;
	fd_install(fd[0], fa);
	fd_install(fd[1], fb);
	return 0;
out_fd1:
	put_unused_fd(fd[1]);
out_fd0:
	put_unused_fd(fd[0]);
out_files:
	fput(fa);
	fput(fb);
	return err;
}

/* Addresses: from user memory, and back with the true length. */
int move_addr_to_kernel(const void __user *u, int len, struct __kernel_sockaddr_storage *k)
{
	if (len < 0 || len > (int)sizeof(*k))
		return -EINVAL;
	return len && copy_from_user(k, u, len) ? -EFAULT : 0;
}

int move_addr_to_user(const struct __kernel_sockaddr_storage *k, int klen, void __user *u, int __user *ulen)
{
	int len;

	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min(len, klen);
	if (len && copy_to_user(u, k, len))
		return -EFAULT;
	return put_user(klen, ulen);
}

SYSCALL_DEFINE3(bind, int, fd, const void __user *, uaddr, int, len)
{
	struct __kernel_sockaddr_storage addr;
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = move_addr_to_kernel(uaddr, len, &addr);
	if (!err)
		err = s->ops->bind(s, (struct sockaddr *)&addr, len);
	fput(f);
	return err;
}

SYSCALL_DEFINE3(connect, int, fd, const void __user *, uaddr, int, len)
{
	struct __kernel_sockaddr_storage addr;
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = move_addr_to_kernel(uaddr, len, &addr);
	if (!err)
		err = s->ops->connect(s, (struct sockaddr *)&addr, len, f->f_flags);
	fput(f);
	return err;
}

SYSCALL_DEFINE2(listen, int, fd, int, backlog)
{
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if ((unsigned int)backlog > (unsigned int)READ_ONCE(sysctl_somaxconn))
		backlog = READ_ONCE(sysctl_somaxconn);
	err = s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
	fput(f);
	return err;
}

static int accept_on(struct socket *s, struct file *f, void __user *uaddr, int __user *ulen, int flags)
{
	struct __kernel_sockaddr_storage addr;
	int fd = get_unused_fd_flags(flags & O_CLOEXEC), err;
	struct socket *new;
	struct file *nf;

	if (fd < 0)
		return fd;
	err = -ENFILE;
	new = sock_alloc();
	if (!new)
		goto out_fd;
	new->type = s->type;
	new->ops = s->ops;
	nf = sock_alloc_file(new, flags);
	err = (int)PTR_ERR(nf);
	if (IS_ERR(nf))
		goto out_fd;
	err = s->ops->accept ? s->ops->accept(s, new, f->f_flags) : -EOPNOTSUPP;
	if (err)
		goto out_file;
	if (uaddr) {
		err = new->ops->getname(new, &addr, 2);
		if (err < 0) {
			err = -ECONNABORTED;
			goto out_file;
		}
		err = move_addr_to_user(&addr, err, uaddr, ulen);
		if (err)
			goto out_file;
	}
	fd_install(fd, nf);
	return fd;
out_file:
	fput(nf);
out_fd:
	put_unused_fd(fd);
	return err;
}

static int do_accept4(int fd, void __user *uaddr, int __user *ulen, int flags)
{
	struct file *f;
	struct socket *s;
	int ret;

	if (flags & ~SOCK_FLAGS)
		return -EINVAL;
	s = sockfd_lookup(fd, &f);
	if (IS_ERR(s))
		return (int)PTR_ERR(s);
	ret = accept_on(s, f, uaddr, ulen, flags);
	fput(f);
	return ret;
}

SYSCALL_DEFINE4(accept4, int, fd, void __user *, uaddr, int __user *, ulen, int, flags)
{
	return do_accept4(fd, uaddr, ulen, flags);
}

SYSCALL_DEFINE3(accept, int, fd, void __user *, uaddr, int __user *, ulen)
{
	return do_accept4(fd, uaddr, ulen, 0);
}

static int get_name(int fd, void __user *uaddr, int __user *ulen, int peer)
{
	struct __kernel_sockaddr_storage addr;
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	int ret;

	if (IS_ERR(s))
		return (int)PTR_ERR(s);
	ret = s->ops->getname(s, &addr, peer);
	if (ret >= 0)
		ret = move_addr_to_user(&addr, ret, uaddr, ulen);
	fput(f);
	return ret;
}

SYSCALL_DEFINE3(getsockname, int, fd, void __user *, uaddr, int __user *, ulen)
{
	return get_name(fd, uaddr, ulen, 0);
}

SYSCALL_DEFINE3(getpeername, int, fd, void __user *, uaddr, int __user *, ulen)
{
	return get_name(fd, uaddr, ulen, 1);
}

SYSCALL_DEFINE6(sendto, int, fd, void __user *, buf, size_t, len, unsigned int, flags, const void __user *, uaddr, int,
		alen)
{
	struct __kernel_sockaddr_storage addr;
	struct msghdr m = {0};
	struct file *f;
	struct socket *s;
	ssize_t ret;

	len = min_t(size_t, len, MAX_RW_COUNT);
	if (!access_ok(buf, len))
		return -EFAULT;
	iov_iter_ubuf(&m.msg_iter, ITER_SOURCE, buf, len);
	s = sockfd_lookup(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (uaddr) {
		ret = move_addr_to_kernel(uaddr, alen, &addr);
		if (ret)
			goto out;
		m.msg_name = &addr;
		m.msg_namelen = alen;
	}
	m.msg_flags = flags & ~MSG_CMSG_COMPAT;
	if (f->f_flags & O_NONBLOCK)
		m.msg_flags |= MSG_DONTWAIT;
	ret = sock_sendmsg(s, &m);
out:
	fput(f);
	return ret;
}

SYSCALL_DEFINE6(recvfrom, int, fd, void __user *, buf, size_t, len, unsigned int, flags, void __user *, uaddr,
		int __user *, ulen)
{
	struct __kernel_sockaddr_storage addr;
	struct msghdr m = {.msg_name = uaddr ? &addr : NULL};
	struct file *f;
	struct socket *s;
	ssize_t ret;
	int err;

	len = min_t(size_t, len, MAX_RW_COUNT);
	if (!access_ok(buf, len))
		return -EFAULT;
	iov_iter_ubuf(&m.msg_iter, ITER_DEST, buf, len);
	s = sockfd_lookup(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (f->f_flags & O_NONBLOCK)
		flags |= MSG_DONTWAIT;
	ret = sock_recvmsg(s, &m, (int)flags);
	if (ret >= 0 && uaddr) {
		err = move_addr_to_user(&addr, m.msg_namelen, uaddr, ulen);
		if (err < 0)
			ret = err;
	}
	fput(f);
	return ret;
}

SYSCALL_DEFINE2(shutdown, int, fd, int, how)
{
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
	fput(f);
	return err;
}

SYSCALL_DEFINE5(setsockopt, int, fd, int, level, int, name, void __user *, val, int, len)
{
	struct file *f;
	struct socket *s;
	int err;

	if (len < 0)
		return -EINVAL;
	s = sockfd_lookup(fd, &f);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (level == SOL_SOCKET)
		err = sock_setsockopt(s, name, val, len);
	else
		err = s->ops->setsockopt ? s->ops->setsockopt(s, level, name, val, len) : -EOPNOTSUPP;
	fput(f);
	return err;
}

SYSCALL_DEFINE5(getsockopt, int, fd, int, level, int, name, void __user *, val, int __user *, len)
{
	struct file *f;
	struct socket *s = sockfd_lookup(fd, &f);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	if (level == SOL_SOCKET)
		err = sock_getsockopt(s, name, val, len);
	else
		err = s->ops->getsockopt ? s->ops->getsockopt(s, level, name, val, len) : -EOPNOTSUPP;
	fput(f);
	return err;
}
