// SPDX-License-Identifier: Apache-2.0
/* Unix98 pseudo-terminals: the pair, the master's side, /dev/ptmx. */
#include <husk/tty.h>
#include <husk/device.h>
#include <asm/ioctls.h>

/*
 * DOC: what is written to the slave goes, post-processed, into the master's rx ring; what is written to the master is
 * received by the slave's line discipline in the writer's own context. The ring has one producer (output_lock of the
 * slave) and one consumer (read_mutex of the master) and is copied to the reader's memory without an intermediate buffer.
 */

static int slave_open(struct tty_struct *tty, struct file *f)
{
	struct tty_struct *master = tty->link;

	if (test_bit(TTY_OTHER_CLOSED, &tty->flags) || test_bit(TTY_PTY_LOCK, &master->flags) || !master->count)
		return -EIO;
	clear_bit(TTY_OTHER_CLOSED, &master->flags);
	return 0;
}

static void slave_close(struct tty_struct *tty)
{
	struct tty_struct *master = tty->link;

	set_bit(TTY_OTHER_CLOSED, &master->flags);
	__wake_up(&master->read_wait, TASK_NORMAL, 0, (void *)(unsigned long)(EPOLLIN | EPOLLHUP));
	wake_up_all(&master->write_wait);
}

static void master_close(struct tty_struct *tty)
{
	struct tty_struct *slave = tty->link;

	set_bit(TTY_DEAD, &slave->flags);
	set_bit(TTY_OTHER_CLOSED, &slave->flags);
	devpts_pty_kill(tty->pts_dentry);
	tty->pts_dentry = NULL;
	tty_hangup_locked(slave, false);
	tty_put(slave);
}

static size_t slave_write(struct tty_struct *tty, const u8 *buf, size_t n)
{
	if (test_bit(TTY_OTHER_CLOSED, &tty->flags))
		return n; /* nobody will ever read it */
	return tty_ring_put(&tty->link->rx, buf, min_t(size_t, n, TTY_RX_SIZE));
}

static size_t slave_room(struct tty_struct *tty)
{
	return tty_ring_room(&tty->link->rx);
}

static void slave_flush_chars(struct tty_struct *tty)
{
	struct tty_struct *master = tty->link;

	if (tty_ring_used(&master->rx) && waitqueue_active(&master->read_wait))
		wake_up_interruptible_poll(&master->read_wait, EPOLLIN | EPOLLRDNORM);
}

/* slave_flush_buffer: output that the master has not read is dropped, unless it is being read right now */
static void slave_flush_buffer(struct tty_struct *tty)
{
	struct tty_struct *master = tty->link;

	if (!mutex_trylock(&master->read_mutex))
		return;
	smp_store_release(&master->rx.tail, smp_load_acquire(&master->rx.head));
	mutex_unlock(&master->read_mutex);
	wake_up_all(&tty->write_wait);
}

static void slave_unthrottle(struct tty_struct *tty)
{
	struct tty_struct *master = tty->link;

	if (waitqueue_active(&master->write_wait) && tty_receive_room(tty) >= TTY_WAKE_ROOM)
		__wake_up(&master->write_wait, TASK_NORMAL, 0, (void *)(unsigned long)(EPOLLOUT | EPOLLWRNORM));
}

static void slave_cleanup(struct tty_struct *tty)
{
	tty_put(tty->link);
}

static void master_cleanup(struct tty_struct *tty)
{
	if (tty->pts_mnt)
		mntput(tty->pts_mnt);
	if (tty->pts) {
		devpts_kill_index(tty->pts, tty->index);
		devpts_release(tty->pts);
	}
}

static size_t master_write_op(struct tty_struct *tty, const u8 *buf, size_t n)
{
	return tty_receive(tty->link, buf, n);
}

static size_t master_room(struct tty_struct *tty)
{
	return tty_receive_room(tty->link);
}

static long master_ioctl(struct tty_struct *tty, struct file *f, unsigned cmd, unsigned long arg)
{
	int v, on;

	switch (cmd) {
	case TIOCSPTLCK:
		if (get_user(v, (int __user *)arg))
			return -EFAULT;
		if (v)
			set_bit(TTY_PTY_LOCK, &tty->flags);
		else
			clear_bit(TTY_PTY_LOCK, &tty->flags);
		return 0;
	case TIOCGPTLCK:
		return put_user((int)test_bit(TTY_PTY_LOCK, &tty->flags), (int __user *)arg);
	case TIOCGPTN:
		return put_user((unsigned)tty->index, (unsigned __user *)arg);
	case TIOCPKT:
		if (get_user(on, (int __user *)arg))
			return -EFAULT;
		spin_lock(&tty->link->flow_lock);
		if (on && !tty->link->packet)
			tty->link->pktstatus = 0;
		tty->link->packet = on != 0;
		spin_unlock(&tty->link->flow_lock);
		return 0;
	case TIOCGPKT:
		return put_user((int)tty->link->packet, (int __user *)arg);
	case TIOCSIG:
		if (arg != SIGINT && arg != SIGQUIT && arg != SIGTSTP)
			return -EINVAL;
		tty_signal_pgrp(tty->link, arg);
		return 0;
	case TIOCGPTPEER:
		return tty_open_peer(tty, arg);
	}
	return -ENOIOCTLCMD;
}

static const struct tty_operations slave_ops = {
	.open = slave_open,
	.close = slave_close,
	.write = slave_write,
	.write_room = slave_room,
	.flush_chars = slave_flush_chars,
	.flush_buffer = slave_flush_buffer,
	.unthrottle = slave_unthrottle,
	.cleanup = slave_cleanup,
};

static const struct tty_operations master_ops = {
	.close = master_close,
	.write = master_write_op,
	.write_room = master_room,
	.ioctl = master_ioctl,
	.cleanup = master_cleanup,
};

static const struct tty_driver ptm_driver = {
	.name = "ptm",
	.major = UNIX98_PTY_MASTER_MAJOR,
	.pty_master = true,
	.ops = &master_ops,
};
static const struct tty_driver pts_driver = {
	.name = "pts",
	.major = UNIX98_PTY_SLAVE_MAJOR,
	.pty_slave = true,
	.ops = &slave_ops,
};

/* packet_status: the control byte to hand out now, or 0 */
static u8 packet_status(struct tty_struct *slave, bool take)
{
	u8 c;

	if (likely(!slave->packet))
		return 0;
	spin_lock(&slave->flow_lock);
	c = slave->packet ? slave->pktstatus : 0;
	if (take)
		slave->pktstatus = 0;
	spin_unlock(&slave->flow_lock);
	return c;
}

static ssize_t copy_ring(struct tty_struct *tty, struct iov_iter *to)
{
	ssize_t got = 0;

	while (iov_iter_count(to)) {
		u8 *p;
		u32 n = tty_ring_peek(&tty->rx, &p);
		size_t want = min_t(size_t, n, iov_iter_count(to)), c;

		if (!n)
			break;
		c = copy_to_iter(p, want, to);
		tty_ring_skip(&tty->rx, c);
		got += c;
		if (c < want)
			return got ? got : -EFAULT;
	}
	return got;
}

/* read_some: what there is, with the packet byte before it in packet mode; 0: nothing */
static ssize_t read_some(struct tty_struct *tty, struct iov_iter *to)
{
	struct tty_struct *slave = tty->link;
	ssize_t got = 0, n;
	u8 c = packet_status(slave, true);

	if (c)
		return copy_to_iter(&c, 1, to) == 1 ? 1 : -EFAULT;
	mutex_lock(&tty->read_mutex);
	if (tty_ring_used(&tty->rx)) {
		if (slave->packet) {
			got = copy_to_iter(&c, 1, to);
			if (!got)
				got = -EFAULT;
		}
		if (got >= 0) {
			n = copy_ring(tty, to);
			got = n >= 0 || !got ? got + n : got;
		}
	}
	mutex_unlock(&tty->read_mutex);
	if (got > 0)
		tty_wake_writers(slave);
	return got;
}

ssize_t pty_master_read(struct tty_struct *tty, struct file *f, struct iov_iter *to)
{
	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		bool closed = test_bit(TTY_OTHER_CLOSED, &tty->flags); /* before looking: what came before it is read */
		ssize_t r = read_some(tty, to);

		if (r)
			return r;
		if (closed)
			return -EIO;
		if (f->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(tty->read_wait, tty_ring_used(&tty->rx) ||
								     packet_status(tty->link, false) ||
								     test_bit(TTY_OTHER_CLOSED, &tty->flags)))
			return -ERESTARTSYS;
	}
}

u32 pty_master_poll(struct tty_struct *tty)
{
	u32 mask = 0;

	if (tty_ring_used(&tty->rx))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (packet_status(tty->link, false))
		mask |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
	if (test_bit(TTY_OTHER_CLOSED, &tty->flags))
		mask |= EPOLLHUP;
	if (tty_receive_room(tty->link) >= TTY_WAKE_ROOM)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

/* pair_alloc: master and slave, each with a reference to the other; the caller has the master's first one */
static struct tty_struct *pair_alloc(int index)
{
	struct tty_struct *m = tty_alloc(&ptm_driver, index), *s;

	if (!m)
		return NULL;
	m->rx.buf = kmalloc(TTY_RX_SIZE, GFP_KERNEL);
	m->rx.size = TTY_RX_SIZE;
	s = m->rx.buf ? tty_alloc(&pts_driver, index) : NULL;
	if (!s) {
		tty_put(m);
		return NULL;
	}
	m->link = s;
	s->link = tty_get(m);
	set_bit(TTY_PTY_LOCK, &m->flags);
	return m;
}

/**
 * ptmx_open - a new pty pair; its slave appears in the devpts next to the ptmx that was opened
 */
int ptmx_open(struct inode *inode, struct file *f)
{
	struct vfsmount *mnt = NULL;
	struct pts_fs_info *fsi;
	struct tty_struct *tty;
	struct dentry *d;
	int index, err;

	nonseekable_open(inode, f);
	fsi = devpts_acquire(f, &mnt);
	if (IS_ERR(fsi))
		return PTR_ERR(fsi);
	index = devpts_new_index(fsi);
	if (index < 0) {
		err = index;
		goto out_fsi;
	}
	tty = pair_alloc(index);
	if (!tty) {
		devpts_kill_index(fsi, index);
		err = -ENOMEM;
		goto out_fsi;
	}
	tty->pts = fsi; /* master_cleanup() gives these back from here on */
	tty->pts_mnt = mnt;
	d = devpts_pty_new(fsi, index, tty->link);
	if (IS_ERR(d)) {
		err = PTR_ERR(d);
		goto out_tty;
	}
	tty->pts_dentry = d;
	mutex_lock(&tty_mutex);
	err = tty_attach_file(tty, f);
	if (err)
		devpts_pty_kill(d);
	mutex_unlock(&tty_mutex);
	if (!err)
		return 0;
out_tty:
	tty_put(tty->link); /* its end drops the slave's reference to the master */
	tty_put(tty);
	return err;
out_fsi:
	if (mnt)
		mntput(mnt);
	devpts_release(fsi);
	return err;
}
