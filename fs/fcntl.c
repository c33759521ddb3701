// SPDX-License-Identifier: Apache-2.0
/* fcntl(2); owners of files and their SIGIO. */
#include "internal.h"
#include <husk/filelock.h>
#include <husk/shmem.h>
#include <husk/pipe.h>

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT | O_NOATIME)
#ifndef F_LINUX_SPECIFIC_BASE
#define F_LINUX_SPECIFIC_BASE 1024
#endif

static int setfl(unsigned fd, struct file *f, unsigned long arg)
{
	struct inode *i = file_inode(f);
	int r = 0;

	if ((f->f_flags & ~arg & O_APPEND) && (i->i_flags & S_APPEND))
		return -EPERM;
	if ((arg & ~f->f_flags & O_NOATIME) && !inode_owner_or_capable(i))
		return -EPERM;
	if ((arg & O_DIRECT) && !(f->f_mapping && f->f_mapping->a_ops && f->f_mapping->a_ops->direct_IO) &&
	    !S_ISFIFO(i->i_mode))
		return -EINVAL;
	if (((arg ^ f->f_flags) & FASYNC) && f->f_op->fasync) {
		r = f->f_op->fasync(fd, f, (arg & FASYNC) != 0);
		if (r < 0)
			return r;
		r = 0;
		if (arg & FASYNC)
			f->f_flags |= FASYNC;
		else
			f->f_flags &= ~FASYNC;
	}
	spin_lock(&f->f_lock);
	WRITE_ONCE(f->f_flags, (arg & SETFL_MASK) | (f->f_flags & ~SETFL_MASK));
	spin_unlock(&f->f_lock);
	return r;
}

/* ---- owners: pid_type 0: thread, 1: process, 2: process group (F_OWNER_*) ---- */
static void set_owner(struct file *f, pid_t pid, int type)
{
	spin_lock(&f->f_lock);
	f->f_owner.pid = pid;
	f->f_owner.pid_type = type;
	f->f_owner.uid = current_uid();
	f->f_owner.euid = current_euid();
	spin_unlock(&f->f_lock);
}

int f_setown(struct file *f, int who, int force)
{
	int type = F_OWNER_PID;

	if (who < 0) {
		if (who == INT32_MIN)
			return -EINVAL;
		type = F_OWNER_PGRP;
		who = -who;
	}
	if (!force && f->f_owner.pid)
		return 0;
	if (who && type == F_OWNER_PID) {
		struct task_struct *t = find_get_task_by_pid(who);

		if (!t)
			return -ESRCH;
		put_task_struct(t);
	}
	set_owner(f, who, type);
	return 0;
}

static int setown_ex(struct file *f, const struct f_owner_ex __user *u)
{
	struct f_owner_ex o;

	if (copy_from_user(&o, u, sizeof(o)))
		return -EFAULT;
	if (o.type != F_OWNER_TID && o.type != F_OWNER_PID && o.type != F_OWNER_PGRP)
		return -EINVAL;
	if (o.pid && o.type != F_OWNER_PGRP) {
		struct task_struct *t = find_get_task_by_pid(o.pid);

		if (!t)
			return -ESRCH;
		put_task_struct(t);
	}
	set_owner(f, o.pid, o.type);
	return 0;
}

static bool sigio_perm(struct task_struct *t, const struct fown_struct *o)
{
	const struct cred *c = t->cred;

	return o->euid == 0 || o->euid == c->suid || o->euid == c->uid || o->uid == c->suid || o->uid == c->uid;
}

static void send_one(struct task_struct *t, const struct fown_struct *o, int fd, int sig, int band, bool group)
{
	struct kernel_siginfo info;
	static const u32 band_poll[] = {EPOLLIN | EPOLLRDNORM,
					EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
					EPOLLIN | EPOLLRDNORM | EPOLLMSG,
					EPOLLERR,
					EPOLLPRI | EPOLLRDBAND,
					EPOLLHUP | EPOLLERR};

	if (!sigio_perm(t, o))
		return;
	if (!o->signum) {
		do_send_sig_info(sig, SEND_SIG_PRIV, t, group);
		return;
	}
	memset(&info, 0, sizeof(info));
	info.si_signo = o->signum;
	info.si_code = band;
	info._poll.band = band >= 1 && band <= 6 ? band_poll[band - 1] : 0;
	info._poll.fd = fd;
	if (do_send_sig_info(o->signum, &info, t, group))
		do_send_sig_info(SIGIO, SEND_SIG_PRIV, t, group);
}

static void send_sigio(struct file *f, int fd, int sig, int band)
{
	struct fown_struct o;
	struct task_struct *t;

	spin_lock(&f->f_lock);
	o = f->f_owner;
	spin_unlock(&f->f_lock);
	if (!o.pid)
		return;
	if (o.pid_type != F_OWNER_PGRP) {
		t = find_get_task_by_pid(o.pid);
		if (t) {
			send_one(t, &o, fd, sig, band, o.pid_type == F_OWNER_PID);
			put_task_struct(t);
		}
		return;
	}
	down_read(&tasklist_lock);
	for_each_process (t)
		if (t->signal && t->signal->pgid == o.pid)
			send_one(t, &o, fd, sig, band, true);
	up_read(&tasklist_lock);
}

static DEFINE_SPINLOCK(fasync_lock);

int fasync_helper(int fd, struct file *f, int on, struct fasync_struct **list)
{
	struct fasync_struct *new = NULL, *old, **p;

	if (on) {
		new = kmalloc(sizeof(*new), GFP_KERNEL);
		if (!new)
			return -ENOMEM;
	}
	spin_lock(&fasync_lock);
	for (p = list; *p && (*p)->file != f; p = &(*p)->next)
		;
	old = *p;
	if (on && old) {
		old->fd = fd;
	} else if (on) {
		*new = (struct fasync_struct){*list, f, fd};
		*list = new;
	} else if (old) {
		*p = old->next;
	}
	spin_unlock(&fasync_lock);
	if (on && old)
		kfree(new);
	else if (!on)
		kfree(old);
	return on ? !old : old != NULL;
}

void kill_fasync(struct fasync_struct **list, int sig, int band)
{
	struct file *batch[8];
	int fds[8], n, skip = 0;

	if (likely(!READ_ONCE(*list)))
		return;
	do {
		struct fasync_struct *e;
		int at = 0;

		n = 0;
		spin_lock(&fasync_lock);
		for (e = *list; e && n < 8; e = e->next) {
			if (at++ < skip || !refcount_inc_not_zero(&e->file->f_count))
				continue;
			fds[n] = e->fd;
			batch[n++] = e->file;
		}
		spin_unlock(&fasync_lock);
		for (int k = 0; k < n; k++) {
			/* SIGURG only where it was asked for by F_SETOWN, not by F_SETSIG */
			if (sig != SIGURG || !batch[k]->f_owner.signum)
				send_sigio(batch[k], fds[k], sig, band);
			fput(batch[k]);
		}
		skip = at;
	} while (n == 8);
}

void send_sigurg(struct file *f)
{
	struct fown_struct o = f->f_owner;
	struct task_struct *t;

	o.signum = 0;
	if (!o.pid)
		return;
	if (o.pid_type == F_OWNER_PGRP) {
		kill_pgrp(o.pid, SIGURG, 1);
		return;
	}
	t = find_get_task_by_pid(o.pid);
	if (t) {
		send_one(t, &o, -1, SIGURG, 0, o.pid_type == F_OWNER_PID);
		put_task_struct(t);
	}
}

/* ---- the call ---- */
static long getown(const struct file *f)
{
	return f->f_owner.pid_type == F_OWNER_PGRP ? -f->f_owner.pid : f->f_owner.pid;
}

#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY (F_LINUX_SPECIFIC_BASE + 4) /* Linux 6.12 */
#endif

static long do_fcntl(unsigned fd, unsigned cmd, unsigned long arg, struct file *f)
{
	struct f_owner_ex ex;

	switch (cmd) {
	case F_DUPFD:
		return f_dupfd(arg, f, 0);
	case F_DUPFD_CLOEXEC:
		return f_dupfd(arg, f, O_CLOEXEC);
	case F_GETFD:
		return get_close_on_exec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		set_close_on_exec(fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return f->f_flags;
	case F_SETFL:
		return setfl(fd, f, arg);
	case F_GETLK:
	case F_OFD_GETLK:
		return fcntl_getlk(f, cmd, (struct flock __user *)arg);
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_setlk(fd, f, cmd, (struct flock __user *)arg);
	case F_GETOWN:
		return getown(f);
	case F_SETOWN:
		return f_setown(f, (int)arg, 1);
	case F_GETOWN_EX:
		ex.type = f->f_owner.pid_type;
		ex.pid = f->f_owner.pid;
		return copy_to_user((void __user *)arg, &ex, sizeof(ex)) ? -EFAULT : 0;
	case F_SETOWN_EX:
		return setown_ex(f, (const void __user *)arg);
	case F_GETSIG:
		return f->f_owner.signum;
	case F_SETSIG:
		if (arg > _NSIG)
			return -EINVAL;
		f->f_owner.signum = arg;
		return 0;
	case F_GETLEASE:
		return F_UNLCK;
	case F_CREATED_QUERY:
		return !!(f->f_mode & FMODE_CREATED);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl(f, cmd, arg);
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return f->f_op->seals ? f->f_op->seals(f, cmd, arg) : -EINVAL;
	}
	return -EINVAL; /* leases, directory notification and write hints among them */
}

static bool cmd_on_path(unsigned cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD || cmd == F_GETFL ||
	       cmd == F_CREATED_QUERY;
}

SYSCALL_DEFINE3(fcntl, unsigned, fd, unsigned, cmd, unsigned long, arg)
{
	struct fd f = fdget_raw(fd);
	long r = -EBADF;

	if (!f.file)
		return -EBADF;
	if (!(f.file->f_mode & FMODE_PATH) || cmd_on_path(cmd))
		r = do_fcntl(fd, cmd, arg, f.file);
	fdput(f);
	return r;
}
