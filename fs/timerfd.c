// SPDX-License-Identifier: Apache-2.0
/* timerfd: a timer whose expirations are read from a file. */
#include <husk/poll.h>
#include <husk/seq_file.h>
#include <husk/syscalls.h>
#include <linux/timerfd.h>

/*
 * ticks, interval and armed are under wqh.lock. A periodic timer is not re-armed by its own expiry but by whoever takes the ticks
 * (read, gettime, settime), which counts the periods that passed unseen: an ignored timerfd costs nothing.
 */
struct timerfd_ctx {
	struct timer timer;
	wait_queue_head_t wqh;
	u64 ticks;
	u64 interval; /* ns, 0: once */
	bool expired; /* went off and was not re-armed since */
	int clockid;
	int settime_flags;
};

struct itimerspec64 {
	struct timespec64 it_interval, it_value;
};

static void timerfd_fire(struct timer *t)
{
	struct timerfd_ctx *ctx = container_of(t, struct timerfd_ctx, timer);

	spin_lock(&ctx->wqh.lock);
	ctx->expired = true;
	ctx->ticks++;
	spin_unlock(&ctx->wqh.lock);
	wake_up_interruptible_poll(&ctx->wqh, EPOLLIN);
}

/* Counts the periods since the expiry and arms the timer for the next one; under wqh.lock. */
static void timerfd_rearm(struct timerfd_ctx *ctx)
{
	u64 periods;

	if (!ctx->expired || !ctx->interval)
		return;
	ctx->expired = false;
	periods = timer_forward(&ctx->timer, ctx->interval);
	if (periods)
		ctx->ticks += periods - 1; /* the first was counted when it went off */
	timer_set(&ctx->timer, ctx->timer.expires);
}

static int timerfd_release(struct inode *i, struct file *f)
{
	struct timerfd_ctx *ctx = f->private_data;

	timer_cancel(&ctx->timer);
	kfree(ctx);
	return 0;
}

static u32 timerfd_poll(struct file *f, poll_table *pt)
{
	struct timerfd_ctx *ctx = f->private_data;

	poll_wait(f, &ctx->wqh, pt);
	smp_mb();
	return READ_ONCE(ctx->ticks) ? EPOLLIN : 0;
}

static ssize_t timerfd_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct timerfd_ctx *ctx = f->private_data;
	long err;
	u64 ticks;

	if (n < sizeof(ticks))
		return -EINVAL;
	for (;;) {
		spin_lock(&ctx->wqh.lock);
		ticks = ctx->ticks;
		if (ticks) {
			timerfd_rearm(ctx);
			ticks = ctx->ticks;
			ctx->ticks = 0;
		}
		spin_unlock(&ctx->wqh.lock);
		if (ticks)
			return copy_to_user(buf, &ticks, sizeof(ticks)) ? -EFAULT : sizeof(ticks);
		if (f->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(ctx->wqh, READ_ONCE(ctx->ticks));
		if (err)
			return err;
	}
}

static long timerfd_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct timerfd_ctx *ctx = f->private_data;
	u64 ticks;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (copy_from_user(&ticks, (void __user *)arg, sizeof(ticks)))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	spin_lock(&ctx->wqh.lock);
	ctx->ticks = ticks;
	spin_unlock(&ctx->wqh.lock);
	wake_up_interruptible_poll(&ctx->wqh, EPOLLIN);
	return 0;
}

/* What is left until the next expiry, and the interval; counts missed periods first. */
static void timerfd_current(struct timerfd_ctx *ctx, struct itimerspec64 *its)
{
	u64 now;

	spin_lock(&ctx->wqh.lock);
	timerfd_rearm(ctx);
	its->it_interval = ns_to_timespec64(ctx->interval);
	its->it_value = ns_to_timespec64(0);
	if (!ctx->expired && ctx->timer.expires) {
		now = ktime_get_ns();
		/* it has not fired, so it is armed: something is left, be it 1 ns */
		its->it_value = ns_to_timespec64(ctx->timer.expires > now ? ctx->timer.expires - now : 1);
	}
	spin_unlock(&ctx->wqh.lock);
}

static void timerfd_show(struct seq_file *m, struct file *f)
{
	struct timerfd_ctx *ctx = f->private_data;
	struct itimerspec64 its;

	timerfd_current(ctx, &its);
	seq_printf(m,
		   "clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%llu, %llu)\nit_interval: (%llu, %llu)\n",
		   ctx->clockid, (unsigned long long)ctx->ticks, ctx->settime_flags,
		   (unsigned long long)its.it_value.tv_sec, (unsigned long long)its.it_value.tv_nsec,
		   (unsigned long long)its.it_interval.tv_sec, (unsigned long long)its.it_interval.tv_nsec);
}

static const struct file_operations timerfd_fops = {
	.release = timerfd_release,
	.poll = timerfd_poll,
	.read = timerfd_read,
	.llseek = noop_llseek,
	.unlocked_ioctl = timerfd_ioctl,
	.show_fdinfo = timerfd_show,
};

SYSCALL_DEFINE2(timerfd_create, int, clockid, int, flags)
{
	bool alarm = clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
	struct timerfd_ctx *ctx;
	int fd;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (clockid != CLOCK_MONOTONIC && clockid != CLOCK_REALTIME && clockid != CLOCK_BOOTTIME && !alarm)
		return -EINVAL;
	if (alarm && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	init_waitqueue_head(&ctx->wqh);
	ctx->clockid = clockid;
	timer_init(&ctx->timer, timerfd_fire);
	fd = anon_inode_getfd("[timerfd]", &timerfd_fops, ctx, O_RDWR | flags);
	if (fd < 0)
		kfree(ctx);
	return fd;
}

/* An ALARM clock reads as the clock that it goes by. */
static clockid_t base_clock(int id)
{
	if (id == CLOCK_REALTIME_ALARM)
		return CLOCK_REALTIME;
	return id == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME : id;
}

static int timerfd_get(int fd, struct file **fp)
{
	*fp = fget(fd);
	if (!*fp)
		return -EBADF;
	if ((*fp)->f_op == &timerfd_fops)
		return 0;
	fput(*fp);
	return -EINVAL;
}

static int get_itimerspec(struct itimerspec64 *its, const void __user *u)
{
	if (copy_from_user(its, u, sizeof(*its)))
		return -EFAULT;
	return timespec64_valid(&its->it_value) && timespec64_valid(&its->it_interval) ? 0 : -EINVAL;
}

SYSCALL_DEFINE4(timerfd_settime, int, fd, int, flags, const void __user *, new, void __user *, old)
{
	struct itimerspec64 its, was;
	struct timerfd_ctx *ctx;
	struct file *f;
	u64 value, when = 0, missed = 0;
	int err;

	err = get_itimerspec(&its, new);
	if (err)
		return err;
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	err = timerfd_get(fd, &f);
	if (err)
		return err;
	ctx = f->private_data;
	timer_cancel(&ctx->timer);
	timerfd_current(ctx, &was);
	timer_cancel(&ctx->timer); /* counting periods may have armed it */
	value = timespec64_to_ns(&its.it_value);
	if (value)
		when = flags & TFD_TIMER_ABSTIME ? clock_first_expiry(base_clock(ctx->clockid), value,
								      timespec64_to_ns(&its.it_interval), &missed)
						 : min_t(u64, ktime_get_ns() + value, INT64_MAX);
	spin_lock(&ctx->wqh.lock);
	ctx->ticks = missed;
	ctx->expired = false;
	ctx->interval = timespec64_to_ns(&its.it_interval);
	ctx->settime_flags = flags;
	ctx->timer.expires = when;
	if (value)
		timer_set(&ctx->timer, max_t(u64, when, 1));
	spin_unlock(&ctx->wqh.lock);
	if (old && copy_to_user(old, &was, sizeof(was)))
		err = -EFAULT;
	fput(f);
	return err;
}

SYSCALL_DEFINE2(timerfd_gettime, int, fd, void __user *, cur)
{
	struct itimerspec64 its;
	struct file *f;
	int err = timerfd_get(fd, &f);

	if (err)
		return err;
	timerfd_current(f->private_data, &its);
	fput(f);
	return copy_to_user(cur, &its, sizeof(its)) ? -EFAULT : 0;
}
