// SPDX-License-Identifier: Apache-2.0
/* signalfd: signals read from a file by whoever reads it. */
#include <husk/poll.h>
#include <husk/seq_file.h>
#include <husk/syscalls.h>
#include <linux/signalfd.h>
#include <asm/poll.h>

/* sigmask: the signals that are NOT wanted, as dequeue_signal() takes it; a word, read and written whole. */
struct signalfd_ctx {
	u64 sigmask;
};

static int signalfd_release(struct inode *i, struct file *f)
{
	kfree(f->private_data);
	return 0;
}

static bool signal_wanted(struct signalfd_ctx *ctx)
{
	u64 want = ~READ_ONCE(ctx->sigmask);

	return (READ_ONCE(current->pending.signal) | READ_ONCE(current->signal->shared_pending.signal)) & want;
}

static u32 signalfd_poll(struct file *f, poll_table *pt)
{
	poll_wait(f, &current->sighand->signalfd_wqh, pt);
	smp_mb();
	return signal_wanted(f->private_data) ? EPOLLIN : 0;
}

static int copy_siginfo(struct signalfd_siginfo __user *u, const struct kernel_siginfo *k)
{
	struct signalfd_siginfo s = {0};

	s.ssi_signo = k->si_signo;
	s.ssi_errno = k->si_errno;
	s.ssi_code = k->si_code;
	if (k->si_code == SI_TIMER) {
		s.ssi_tid = k->_timer.tid;
		s.ssi_overrun = k->_timer.overrun;
		s.ssi_ptr = k->_timer.value;
		s.ssi_int = (s32)k->_timer.value;
	} else if (k->si_signo == SIGIO && k->si_code > 0 && k->si_code < SI_KERNEL) {
		s.ssi_band = (u32)k->_poll.band;
		s.ssi_fd = k->_poll.fd;
	} else if (k->si_code > 0 && k->si_code != SI_KERNEL &&
		   (sigmask(k->si_signo) &
		    (sigmask(SIGILL) | sigmask(SIGFPE) | sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGTRAP)))) {
		s.ssi_addr = k->_fault.addr;
		s.ssi_addr_lsb = k->_fault.addr_lsb;
	} else if (k->si_signo == SIGSYS && k->si_code > 0) {
		s.ssi_call_addr = k->_sys.call_addr;
		s.ssi_syscall = k->_sys.syscall;
		s.ssi_arch = k->_sys.arch;
	} else {
		s.ssi_pid = k->_chld.pid;
		s.ssi_uid = k->_chld.uid;
		if (k->si_signo == SIGCHLD && k->si_code > 0) {
			s.ssi_status = k->_chld.status;
			s.ssi_utime = k->_chld.utime;
			s.ssi_stime = k->_chld.stime;
		} else if (k->si_code < 0) {
			s.ssi_ptr = k->_chld.value;
			s.ssi_int = (s32)k->_chld.value;
		}
	}
	return copy_to_user(u, &s, sizeof(s)) ? -EFAULT : 0;
}

/* The number of the signal taken, 0 when there is none. */
static int take_signal(struct signalfd_ctx *ctx, struct kernel_siginfo *info)
{
	u64 mask = READ_ONCE(ctx->sigmask);
	int sig;

	if (!signal_wanted(ctx))
		return 0;
	spin_lock(&current->sighand->siglock);
	sig = dequeue_signal(current, &mask, info);
	spin_unlock(&current->sighand->siglock);
	return sig;
}

static ssize_t signalfd_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct signalfd_siginfo __user *u = (struct signalfd_siginfo __user *)buf;
	struct signalfd_ctx *ctx = f->private_data;
	size_t left = n / sizeof(*u);
	struct kernel_siginfo info;
	ssize_t done = 0;
	long err = 0;

	if (!left)
		return -EINVAL;
	for (; left; left--, u++) {
		while (take_signal(ctx, &info) <= 0) {
			if (done)
				return done;
			if (f->f_flags & O_NONBLOCK)
				return -EAGAIN;
			err = wait_event_interruptible(current->sighand->signalfd_wqh, signal_wanted(ctx));
			if (err)
				return err;
		}
		err = copy_siginfo(u, &info);
		if (err)
			return done ? done : err;
		done += sizeof(*u);
	}
	return done;
}

static void signalfd_show(struct seq_file *m, struct file *f)
{
	struct signalfd_ctx *ctx = f->private_data;

	seq_printf(m, "sigmask:\t%016llx\n", (unsigned long long)~ctx->sigmask);
}

static const struct file_operations signalfd_fops = {
	.release = signalfd_release,
	.poll = signalfd_poll,
	.read = signalfd_read,
	.llseek = noop_llseek,
	.show_fdinfo = signalfd_show,
};

static int do_signalfd(int fd, const u64 __user *umask, size_t size, int flags)
{
	struct signalfd_ctx *ctx;
	struct file *f;
	u64 mask;

	if (size != sizeof(mask) || (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)))
		return -EINVAL;
	if (copy_from_user(&mask, umask, sizeof(mask)))
		return -EFAULT;
	mask = ~(mask & ~(sigmask(SIGKILL) | sigmask(SIGSTOP)));
	if (fd == -1) {
		ctx = kmalloc(sizeof(*ctx), GFP_KERNEL);
		if (!ctx)
			return -ENOMEM;
		ctx->sigmask = mask;
		fd = anon_inode_getfd("[signalfd]", &signalfd_fops, ctx, O_RDWR | flags);
		if (fd < 0)
			kfree(ctx);
		return fd;
	}
	f = fget(fd);
	if (!f)
		return -EBADF;
	if (f->f_op != &signalfd_fops) {
		fput(f);
		return -EINVAL;
	}
	ctx = f->private_data;
	WRITE_ONCE(ctx->sigmask, mask);
	wake_up(&current->sighand->signalfd_wqh);
	fput(f);
	return fd;
}

SYSCALL_DEFINE4(signalfd4, int, fd, const u64 __user *, mask, size_t, size, int, flags)
{
	return do_signalfd(fd, mask, size, flags);
}

SYSCALL_DEFINE3(signalfd, int, fd, const u64 __user *, mask, size_t, size)
{
	return do_signalfd(fd, mask, size, 0);
}
