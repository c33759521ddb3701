// SPDX-License-Identifier: Apache-2.0
// pidfds: descriptors that name a process and never another one.

#include <husk/syscalls.h>
#include <husk/fs.h>
#include <husk/poll.h>
#include <husk/seq_file.h>
#include <husk/pid.h>
#include <husk/ptrace.h>

#define PIDFD_NONBLOCK_ O_NONBLOCK

static int pidfd_release(struct inode *inode, struct file *f)
{
	put_pid(f->private_data);
	return 0;
}

static u32 pidfd_poll(struct file *f, struct poll_table_struct *pt)
{
	struct pid *p = f->private_data;
	struct task_struct *t;
	u32 mask = 0;

	poll_wait(f, &p->wait_pidfd, pt);
	t = get_pid_task(p);
	if (!t)
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	if (READ_ONCE(t->exit_state) && thread_group_empty(t))
		mask = EPOLLIN | EPOLLRDNORM;
	put_task_struct(t);
	return mask;
}

static void pidfd_show_fdinfo(struct seq_file *m, struct file *f)
{
	struct pid *p = f->private_data;
	struct task_struct *t = get_pid_task(p);

	seq_printf(m, "Pid:\t%d\nNSpid:\t%d\n", t ? p->nr : -1, t ? p->nr : -1);
	if (t)
		put_task_struct(t);
}

static const struct file_operations pidfd_fops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.show_fdinfo = pidfd_show_fdinfo,
	.llseek = noop_llseek,
};

int pidfd_create_file(struct pid *p, unsigned flags, struct file **ret)
{
	struct file *f;
	int fd = get_unused_fd_flags(flags & O_CLOEXEC);

	if (fd < 0)
		return fd;
	f = anon_inode_getfile("[pidfd]", &pidfd_fops, get_pid(p), O_RDWR | (flags & O_NONBLOCK));
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		put_pid(p);
		return PTR_ERR(f);
	}
	*ret = f;
	return fd;
}

struct pid *pidfd_get_pid(unsigned fd, unsigned *flags)
{
	struct file *f = fget(fd);
	struct pid *p = ERR_PTR(-EBADF);

	if (!f)
		return p;
	if (f->f_op == &pidfd_fops) {
		p = get_pid(f->private_data);
		*flags = f->f_flags;
	}
	fput(f);
	return p;
}

struct pid *(*proc_dir_pid)(struct file *f);

/* For pidfd_send_signal, which takes a directory of /proc as well: that is older than pidfd_open(). */
struct pid *procfd_get_pid(unsigned fd)
{
	struct file *f = fget(fd);
	struct pid *p = f && proc_dir_pid ? proc_dir_pid(f) : NULL;

	if (p)
		get_pid(p);
	if (f)
		fput(f);
	return p ? p : ERR_PTR(-EBADF);
}

SYSCALL_DEFINE2(pidfd_open, pid_t, nr, unsigned, flags)
{
	struct task_struct *t;
	struct file *f = NULL;
	struct pid *p;
	int fd;

	if ((flags & ~PIDFD_NONBLOCK_) || nr <= 0)
		return -EINVAL;
	p = find_get_pid(nr);
	if (!p)
		return -ESRCH;
	t = get_pid_task(p);
	if (!t || !thread_group_leader(t))
		fd = t ? -EINVAL : -ESRCH;
	else
		fd = pidfd_create_file(p, flags | O_CLOEXEC, &f);
	if (t)
		put_task_struct(t);
	put_pid(p);
	if (fd >= 0)
		fd_install(fd, f);
	return fd;
}

SYSCALL_DEFINE3(pidfd_getfd, int, pidfd, int, fd, unsigned, flags)
{
	struct task_struct *t;
	struct file *f;
	struct pid *p;
	unsigned ff;
	int r;

	if (flags)
		return -EINVAL;
	p = pidfd_get_pid(pidfd, &ff);
	if (IS_ERR(p))
		return PTR_ERR(p);
	t = get_pid_task(p);
	put_pid(p);
	if (!t)
		return -ESRCH;
	r = -EPERM;
	if (!ptrace_may_access(t, true))
		goto out;
	f = fget_task(t, fd);
	r = t->flags & PF_EXITING ? -ESRCH : -EBADF;
	if (!f)
		goto out;
	r = receive_fd(f, O_CLOEXEC);
	fput(f);
out:
	put_task_struct(t);
	return r;
}
