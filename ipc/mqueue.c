// SPDX-License-Identifier: Apache-2.0
/* mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr; docs/design/sysvipc.md. */
#include "mqueue.h"
#include <husk/file.h>
#include <husk/signal.h>

#define MQ_PRIO_MAX_ 32768
#define MQ_NAME_BUF (NAME_MAX + 2)

/* The name in name[], and the mount of the queues; ERR_PTR */
static struct vfsmount *mq_name(char *name, const char __user *uname)
{
	long n = strncpy_from_user(name, uname, MQ_NAME_BUF);

	if (n < 0)
		return ERR_PTR(n);
	if (!n)
		return ERR_PTR(-ENOENT);
	if (n > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (strchr(name, '/'))
		return ERR_PTR(-EACCES);
	return mq_mount();
}

static int may_open(struct inode *i, int oflag)
{
	static const int want[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE};

	if ((oflag & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	return inode_permission(i, want[oflag & O_ACCMODE]);
}

/* The directory is locked. Makes d's queue or looks whether it may be had. */
static int find_or_make(struct dentry *root, struct dentry *d, int oflag, umode_t mode, const struct mq_attr *attr)
{
	int err;

	if (d_is_positive(d)) {
		if ((oflag & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			return -EEXIST;
		return may_open(d_inode(d), oflag);
	}
	if (!(oflag & O_CREAT))
		return -ENOENT;
	if ((oflag & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	err = inode_permission(d_inode(root), MAY_WRITE | MAY_EXEC);
	return err ?: mq_create_inode(d_inode(root), d, create_mode(d_inode(root), S_IFREG | (mode & 0777)), attr);
}

static struct file *open_queue(struct vfsmount *m, const char *name, int oflag, umode_t mode,
			       const struct mq_attr *attr)
{
	struct dentry *root = m->mnt_root, *d;
	struct path p = {.mnt = m};
	struct file *f;
	int err;

	inode_lock(d_inode(root));
	d = lookup_one_len(name, root, strlen(name));
	err = PTR_ERR_OR_ZERO(d);
	if (!err) {
		err = find_or_make(root, d, oflag, mode, attr);
		if (err)
			dput(d);
	}
	inode_unlock(d_inode(root));
	if (err)
		return ERR_PTR(err);
	p.dentry = d;
	f = dentry_open(&p, oflag & (O_ACCMODE | O_NONBLOCK), current_cred());
	dput(d);
	return f;
}

SYSCALL_DEFINE4(mq_open, const char __user *, uname, int, oflag, umode_t, mode, struct mq_attr __user *, uattr)
{
	char name[MQ_NAME_BUF];
	struct mq_attr attr;
	struct vfsmount *m;
	struct file *f;
	int fd;

	if (uattr && copy_from_user(&attr, uattr, sizeof(attr)))
		return -EFAULT;
	m = mq_name(name, uname);
	if (IS_ERR(m))
		return PTR_ERR(m);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	f = open_queue(m, name, oflag, mode, uattr ? &attr : NULL);
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		return PTR_ERR(f);
	}
	fd_install(fd, f);
	return fd;
}

SYSCALL_DEFINE1(mq_unlink, const char __user *, uname)
{
	char name[MQ_NAME_BUF];
	struct vfsmount *m = mq_name(name, uname);
	struct dentry *root, *d;
	int err;

	if (IS_ERR(m))
		return PTR_ERR(m);
	root = m->mnt_root;
	inode_lock(d_inode(root));
	d = lookup_one_len(name, root, strlen(name));
	err = PTR_ERR_OR_ZERO(d);
	if (!err) {
		err = d_is_positive(d) ? vfs_unlink(d_inode(root), d) : -ENOENT;
		dput(d);
	}
	inode_unlock(d_inode(root));
	return err;
}

/* ---- sending and receiving ---- */

/* The queue behind a descriptor that was opened for mode; f to be put. */
static struct mq *queue_of(struct fd *f, int desc, unsigned mode)
{
	*f = fdget(desc);
	if (!f->file)
		return ERR_PTR(-EBADF);
	if (f->file->f_op == &mq_file_operations && (!mode || (f->file->f_mode & mode)))
		return file_inode(f->file)->i_private;
	fdput(*f);
	return ERR_PTR(-EBADF);
}

/* *until: as mq_put() wants it. The time limit is one of CLOCK_REALTIME. */
static int wait_limit(u64 *until, const void __user *timeout)
{
	struct timespec64 ts;

	*until = UINT64_MAX;
	if (!timeout)
		return 0;
	if (get_timespec64(&ts, timeout))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	*until = max_t(u64, clock_deadline(CLOCK_REALTIME, timespec64_to_ns(&ts)), 1);
	return 0;
}

static struct mq_msg *read_message(struct mq *q, const char __user *text, size_t len, unsigned prio)
{
	struct mq_msg *m;

	if (len > (size_t)q->msgsize)
		return ERR_PTR(-EMSGSIZE);
	m = kmalloc(sizeof(*m) + len, GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->prio = prio;
	m->size = len;
	if (!copy_from_user(m->text, text, len))
		return m;
	kfree(m);
	return ERR_PTR(-EFAULT);
}

SYSCALL_DEFINE5(mq_timedsend, int, desc, const char __user *, text, size_t, len, unsigned, prio, const void __user *,
		timeout)
{
	struct mq_msg *m;
	struct mq *q;
	struct fd f;
	u64 until;
	long r;

	if (prio >= MQ_PRIO_MAX_)
		return -EINVAL;
	r = wait_limit(&until, timeout);
	if (r)
		return r;
	q = queue_of(&f, desc, FMODE_WRITE);
	if (IS_ERR(q))
		return PTR_ERR(q);
	m = read_message(q, text, len, prio);
	r = PTR_ERR_OR_ZERO(m);
	if (!r) {
		r = mq_put(q, m, f.file->f_flags & O_NONBLOCK ? 0 : until);
		if (r)
			kfree(m);
	}
	fdput(f);
	return r;
}

static long receive(struct mq *q, u64 until, char __user *text, size_t len, unsigned __user *prio)
{
	struct mq_msg *m;
	long r;

	if (len < (size_t)q->msgsize)
		return -EMSGSIZE;
	m = mq_take(q, until);
	if (IS_ERR(m))
		return PTR_ERR(m);
	r = m->size;
	if ((prio && put_user(m->prio, prio)) || copy_to_user(text, m->text, m->size))
		r = -EFAULT;
	kfree(m);
	return r;
}

SYSCALL_DEFINE5(mq_timedreceive, int, desc, char __user *, text, size_t, len, unsigned __user *, prio,
		const void __user *, timeout)
{
	struct mq *q;
	struct fd f;
	u64 until;
	long r = wait_limit(&until, timeout);

	if (r)
		return r;
	q = queue_of(&f, desc, FMODE_READ);
	if (IS_ERR(q))
		return PTR_ERR(q);
	r = receive(q, f.file->f_flags & O_NONBLOCK ? 0 : until, text, len, prio);
	fdput(f);
	return r;
}

/* ---- notification and attributes ---- */

SYSCALL_DEFINE2(mq_notify, int, desc, const struct mq_sigevent __user *, uev)
{
	struct mq_sigevent ev;
	struct mq *q;
	struct fd f;
	long r;

	if (uev) {
		if (copy_from_user(&ev, uev, sizeof(ev)))
			return -EFAULT;
		if (ev.notify != 0 &&
		    ev.notify != 1) /* SIGEV_SIGNAL, SIGEV_NONE; SIGEV_THREAD needs a netlink socket */
			return -EINVAL;
		if (!ev.notify && (ev.signo < 0 || ev.signo > _NSIG))
			return -EINVAL;
	}
	q = queue_of(&f, desc, 0);
	if (IS_ERR(q))
		return PTR_ERR(q);
	r = mq_set_notify(q, uev ? &ev : NULL);
	fdput(f);
	return r;
}

SYSCALL_DEFINE3(mq_getsetattr, int, desc, const struct mq_attr __user *, unew, struct mq_attr __user *, uold)
{
	struct mq_attr new, old = {};
	struct mq *q;
	struct fd f;

	if (unew) {
		if (copy_from_user(&new, unew, sizeof(new)))
			return -EFAULT;
		if (new.mq_flags & ~(long)O_NONBLOCK)
			return -EINVAL;
	}
	q = queue_of(&f, desc, 0);
	if (IS_ERR(q))
		return PTR_ERR(q);
	old.mq_flags = f.file->f_flags & O_NONBLOCK;
	old.mq_maxmsg = q->maxmsg;
	old.mq_msgsize = q->msgsize;
	old.mq_curmsgs = READ_ONCE(q->count);
	if (unew)
		f.file->f_flags = (f.file->f_flags & ~O_NONBLOCK) | (new.mq_flags &O_NONBLOCK);
	fdput(f);
	return uold && copy_to_user(uold, &old, sizeof(old)) ? -EFAULT : 0;
}
