// SPDX-License-Identifier: Apache-2.0
/* eventfd: a counter as a file. */
#include <husk/poll.h>
#include <husk/seq_file.h>
#include <husk/syscalls.h>

#define EFD_SEMAPHORE 1
#define EFD_MAX (UINT64_MAX - 1) /* the counter's largest value */

/* count and the sleepers are under wqh.lock. */
struct eventfd_ctx {
	wait_queue_head_t wqh;
	u64 count;
	unsigned int flags;
};

static int eventfd_release(struct inode *i, struct file *f)
{
	struct eventfd_ctx *ctx = f->private_data;

	wake_up_interruptible_poll(&ctx->wqh, EPOLLHUP);
	kfree(ctx);
	return 0;
}

static u32 eventfd_poll(struct file *f, poll_table *pt)
{
	struct eventfd_ctx *ctx = f->private_data;
	u32 mask = 0;
	u64 count;

	poll_wait(f, &ctx->wqh, pt);
	smp_mb();
	count = READ_ONCE(ctx->count);
	if (count > 0)
		mask |= EPOLLIN;
	if (count == UINT64_MAX)
		mask |= EPOLLERR;
	if (count < EFD_MAX)
		mask |= EPOLLOUT;
	return mask;
}

/* Sleeps until *ctx may be read (or count may be added); then, with the lock taken, true. Else the lock is not held. */
static long eventfd_wait(struct eventfd_ctx *ctx, u64 add)
{
	for (;;) {
		long err = wait_event_interruptible(ctx->wqh, add ? EFD_MAX - READ_ONCE(ctx->count) >= add
								  : READ_ONCE(ctx->count) != 0);

		if (err)
			return err;
		spin_lock(&ctx->wqh.lock);
		if (add ? EFD_MAX - ctx->count >= add : ctx->count != 0)
			return 0;
		spin_unlock(&ctx->wqh.lock);
	}
}

static ssize_t eventfd_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct eventfd_ctx *ctx = f->private_data;
	bool wake;
	long err;
	u64 v;

	if (n < sizeof(v))
		return -EINVAL;
	spin_lock(&ctx->wqh.lock);
	if (!ctx->count) {
		spin_unlock(&ctx->wqh.lock);
		if (f->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = eventfd_wait(ctx, 0);
		if (err)
			return err;
	}
	v = ctx->flags & EFD_SEMAPHORE ? 1 : ctx->count;
	ctx->count -= v;
	wake = !list_empty(&ctx->wqh.head);
	spin_unlock(&ctx->wqh.lock);
	if (wake)
		wake_up_interruptible_poll(&ctx->wqh, EPOLLOUT);
	return copy_to_user(buf, &v, sizeof(v)) ? -EFAULT : sizeof(v);
}

static ssize_t eventfd_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct eventfd_ctx *ctx = f->private_data;
	bool wake;
	long err;
	u64 v;

	if (n != sizeof(v)) /* more than that was taken before Linux 6.9 */
		return -EINVAL;
	if (copy_from_user(&v, buf, sizeof(v)))
		return -EFAULT;
	if (v == UINT64_MAX)
		return -EINVAL;
	spin_lock(&ctx->wqh.lock);
	if (EFD_MAX - ctx->count < v) {
		spin_unlock(&ctx->wqh.lock);
		if (f->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = eventfd_wait(ctx, v);
		if (err)
			return err;
	}
	ctx->count += v;
	wake = !list_empty(&ctx->wqh.head);
	spin_unlock(&ctx->wqh.lock);
	if (wake)
		wake_up_interruptible_poll(&ctx->wqh, EPOLLIN);
	return sizeof(v);
}

static void eventfd_show(struct seq_file *m, struct file *f)
{
	struct eventfd_ctx *ctx = f->private_data;

	seq_printf(m, "eventfd-count: %16llx\n", (unsigned long long)READ_ONCE(ctx->count));
}

static const struct file_operations eventfd_fops = {
	.release = eventfd_release,
	.poll = eventfd_poll,
	.read = eventfd_read,
	.write = eventfd_write,
	.llseek = noop_llseek,
	.show_fdinfo = eventfd_show,
};

static int do_eventfd(unsigned int count, int flags)
{
	struct eventfd_ctx *ctx;
	int fd;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	ctx = kmalloc(sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	init_waitqueue_head(&ctx->wqh);
	ctx->count = count;
	ctx->flags = flags;
	fd = anon_inode_getfd("[eventfd]", &eventfd_fops, ctx, O_RDWR | (flags & (O_CLOEXEC | O_NONBLOCK)));
	if (fd < 0)
		kfree(ctx);
	return fd;
}

SYSCALL_DEFINE2(eventfd2, unsigned int, count, int, flags)
{
	return do_eventfd(count, flags);
}

SYSCALL_DEFINE1(eventfd, unsigned int, count)
{
	return do_eventfd(count, 0);
}
