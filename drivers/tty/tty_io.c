// SPDX-License-Identifier: Apache-2.0
/* Terminals: allocation, open and close, read, write, poll, hang-up. */
#include <husk/tty.h>
#include <husk/device.h>
#include <husk/init.h>
#include <husk/seq_file.h>
#include <husk/syscalls.h>

/*
 * DOC: life of a tty. A file holds a reference; so does the master of a pty on its slave, until the master's last
 * close, and the slave on its master, to the end. A hang-up gives tty->hangup_seq a new value: files opened before it
 * read end of file and write EIO; they count in tty->count until they are closed, so the master of a pty
 * learns that its slave is gone when the last descriptor is, hung up or not. The console's tty is never freed.
 */

DEFINE_MUTEX(tty_mutex);
static struct tty_struct *console_tty;

static const struct ktermios tty_std_termios = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {[VINTR] = 3,
		 [VQUIT] = 28,
		 [VERASE] = 127,
		 [VKILL] = 21,
		 [VEOF] = 4,
		 [VMIN] = 1,
		 [VSTART] = 17,
		 [VSTOP] = 19,
		 [VSUSP] = 26,
		 [VREPRINT] = 18,
		 [VDISCARD] = 15,
		 [VWERASE] = 23,
		 [VLNEXT] = 22},
	.c_ispeed = 38400,
	.c_ospeed = 38400,
};

u32 tty_ring_put(struct tty_ring *r, const u8 *p, u32 n)
{
	u32 head = r->head, done = 0;

	n = min(n, tty_ring_room(r));
	while (done < n) {
		u32 at = (head + done) & (r->size - 1);
		u32 part = min(n - done, r->size - at);

		memcpy(r->buf + at, p + done, part);
		done += part;
	}
	smp_store_release(&r->head, head + done);
	return done;
}

u32 tty_ring_peek(struct tty_ring *r, u8 **p)
{
	u32 at = r->tail & (r->size - 1);

	*p = r->buf + at;
	return min(tty_ring_used(r), r->size - at);
}

static void initial_termios(struct tty_struct *tty)
{
	tty->termios = tty_std_termios;
	if (tty->driver->pty_slave)
		tty->termios.c_cflag &= ~HUPCL;
}

struct tty_struct *tty_alloc(const struct tty_driver *drv, int index)
{
	struct tty_struct *tty = kzalloc(sizeof(*tty), GFP_KERNEL);

	if (!tty)
		return NULL;
	refcount_set(&tty->refs, 1);
	tty->driver = drv;
	tty->ops = drv->ops;
	tty->index = index;
	tty->dev = MKDEV(drv->major, drv->minor_start + index);
	if (drv->pty_slave)
		snprintf(tty->name, sizeof(tty->name), "pts/%d", index);
	else
		strscpy(tty->name, drv->name, sizeof(tty->name));
	initial_termios(tty);
	init_waitqueue_head(&tty->read_wait);
	init_waitqueue_head(&tty->write_wait);
	mutex_init(&tty->write_mutex);
	mutex_init(&tty->output_lock);
	mutex_init(&tty->read_mutex);
	spin_lock_init(&tty->flow_lock);
	if (!drv->pty_master && n_tty_init(tty)) {
		kfree(tty);
		return NULL;
	}
	return tty;
}

void tty_put(struct tty_struct *tty)
{
	if (!refcount_dec_and_test(&tty->refs))
		return;
	if (tty->ops->cleanup)
		tty->ops->cleanup(tty);
	if (!tty->driver->pty_master)
		n_tty_free(tty);
	kfree(tty->rx.buf);
	kfree(tty->write_buf);
	kfree(tty);
}

void tty_register_console(struct tty_struct *tty)
{
	mutex_lock(&tty_mutex);
	console_tty = tty_get(tty);
	mutex_unlock(&tty_mutex);
}

/* tty_attach_file: f is an open file of tty from now on. Takes over the caller's reference if it succeeds. tty_mutex held. */
int tty_attach_file(struct tty_struct *tty, struct file *f)
{
	struct tty_file *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->tty = tty;
	p->hangup_seq = tty->hangup_seq;
	f->private_data = p;
	tty->count++;
	return 0;
}

/* find_tty: the terminal that a device number means, with a reference */
static struct tty_struct *find_tty(struct inode *inode)
{
	struct tty_struct *tty = NULL;

	if (MAJOR(inode->i_rdev) == UNIX98_PTY_SLAVE_MAJOR)
		return devpts_get_tty(inode);
	if (inode->i_rdev == MKDEV(TTYAUX_MAJOR, 0)) {
		tty = get_current_tty();
		return tty ? tty : ERR_PTR(-ENXIO);
	}
	if (inode->i_rdev == MKDEV(TTYAUX_MAJOR, 1) && console_tty)
		return tty_get(console_tty);
	return ERR_PTR(-ENODEV);
}

static int tty_open(struct inode *inode, struct file *f)
{
	dev_t dev = inode->i_rdev;
	bool noctty = (f->f_flags & O_NOCTTY) || MAJOR(dev) == TTYAUX_MAJOR;
	struct tty_struct *tty;
	int err;

	nonseekable_open(inode, f);
	mutex_lock(&tty_mutex);
	tty = find_tty(inode);
	if (IS_ERR(tty)) {
		mutex_unlock(&tty_mutex);
		return PTR_ERR(tty);
	}
	err = -EBUSY;
	if (test_bit(TTY_EXCLUSIVE, &tty->flags) && !capable(CAP_SYS_ADMIN))
		goto out;
	err = tty->ops->open ? tty->ops->open(tty, f) : 0;
	if (!err)
		err = tty_attach_file(tty, f);
out:
	mutex_unlock(&tty_mutex);
	if (err) {
		tty_put(tty);
		return err;
	}
	if (!noctty && (f->f_mode & FMODE_READ))
		tty_open_set_ctty(tty, f);
	return 0;
}

static int tty_release(struct inode *inode, struct file *f)
{
	struct tty_file *p = f->private_data;
	struct tty_struct *tty = p->tty;

	mutex_lock(&tty_mutex);
	if (--tty->count == 0 && tty->ops->close)
		tty->ops->close(tty);
	mutex_unlock(&tty_mutex);
	kfree(p);
	tty_put(tty);
	return 0;
}

/**
 * tty_hangup_locked - end every open file of tty; its session loses it as controlling terminal
 * @exit_session: because the session leader exits: the foreground group gets SIGHUP too
 */
void tty_hangup_locked(struct tty_struct *tty, bool exit_session)
{
	WRITE_ONCE(tty->hangup_seq, tty->hangup_seq + 1);
	tty_signal_session(tty, exit_session);
	clear_bit(TTY_EXCLUSIVE, &tty->flags);
	spin_lock(&tty->flow_lock);
	tty->stopped = tty->tco_stopped = false;
	spin_unlock(&tty->flow_lock);
	if (!tty->driver->pty_master) {
		initial_termios(tty);
		n_tty_reset(tty);
	}
	wake_up_all(&tty->read_wait);
	wake_up_all(&tty->write_wait);
}

void tty_hangup(struct tty_struct *tty, bool exit_session)
{
	mutex_lock(&tty_mutex);
	tty_hangup_locked(tty, exit_session);
	mutex_unlock(&tty_mutex);
}

/* tty_touch: as on Linux terminals' times have a granularity of 8 s, so that they tell nothing of keystrokes */
static void tty_touch(struct file *f, bool write)
{
	struct inode *inode = file_inode(f);
	struct timespec64 now, *t = write ? &inode->i_mtime : &inode->i_atime;

	ktime_get_coarse_real_ts64(&now);
	if ((now.tv_sec ^ t->tv_sec) & ~7) {
		t->tv_sec = now.tv_sec & ~7;
		t->tv_nsec = 0;
	}
}

static ssize_t tty_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *f = iocb->ki_filp;
	struct tty_struct *tty = file_tty(f);
	ssize_t r;

	if (tty_hung_up(f))
		return 0;
	if (tty->driver->pty_master)
		r = pty_master_read(tty, f, to);
	else
		r = n_tty_read(tty, f, to);
	if (r > 0)
		tty_touch(f, false);
	return r;
}

/* tty_write_lock: one writer at a time; 0, -EAGAIN, -ERESTARTSYS */
static int tty_write_lock(struct tty_struct *tty, bool nonblock)
{
	while (!mutex_trylock(&tty->write_mutex)) {
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(tty->write_wait, !mutex_is_locked(&tty->write_mutex)))
			return -ERESTARTSYS;
	}
	return 0;
}

static void tty_write_unlock(struct tty_struct *tty)
{
	mutex_unlock(&tty->write_mutex);
	if (waitqueue_active(&tty->write_wait))
		wake_up_all(&tty->write_wait);
}

static bool master_may_write(struct tty_struct *tty, struct file *f)
{
	return tty_hung_up(f) || test_bit(TTY_OTHER_CLOSED, &tty->flags) ||
	       tty_receive_room(tty->link) >= TTY_WAKE_ROOM;
}

/* master_write: to the input of the slave */
static ssize_t master_write(struct tty_struct *tty, struct file *f, const u8 *buf, size_t n)
{
	size_t done = 0;

	for (;;) {
		if (tty_hung_up(f))
			return done ? done : -EIO;
		done += tty_receive(tty->link, buf + done, n - done);
		if (done == n)
			return done;
		if (f->f_flags & O_NONBLOCK)
			return done ? done : -EAGAIN;
		if (wait_event_interruptible(tty->write_wait, master_may_write(tty, f)))
			return done ? done : -ERESTARTSYS;
	}
}

static ssize_t tty_write_chunks(struct tty_struct *tty, struct file *f, struct iov_iter *from)
{
	ssize_t total = 0;

	while (iov_iter_count(from)) {
		size_t n = min_t(size_t, iov_iter_count(from), TTY_WRITE_CHUNK);
		ssize_t w;

		n = copy_from_iter(tty->write_buf, n, from);
		if (!n)
			return total ? total : -EFAULT;
		if (tty->driver->pty_master)
			w = master_write(tty, f, tty->write_buf, n);
		else
			w = n_tty_write(tty, f, tty->write_buf, n);
		if (w < 0) {
			iov_iter_revert(from, n);
			return total ? total : w;
		}
		total += w;
		if (w < n) {
			iov_iter_revert(from, n - w);
			break;
		}
		if (iov_iter_count(from) && signal_pending(current))
			break;
	}
	return total;
}

static ssize_t tty_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *f = iocb->ki_filp;
	struct tty_struct *tty = file_tty(f);
	ssize_t r;

	if (tty_hung_up(f))
		return -EIO;
	if (L_(tty, TOSTOP) && !tty->driver->pty_master) {
		r = tty_check_change(tty, SIGTTOU);
		if (r)
			return r;
	}
	r = tty_write_lock(tty, f->f_flags & O_NONBLOCK);
	if (r)
		return r;
	if (unlikely(!tty->write_buf))
		tty->write_buf = kmalloc(TTY_WRITE_CHUNK, GFP_KERNEL);
	r = tty->write_buf ? tty_write_chunks(tty, f, from) : -ENOMEM;
	tty_write_unlock(tty);
	if (r > 0)
		tty_touch(f, true);
	return r;
}

void tty_wake_writers(struct tty_struct *tty)
{
	if (tty->n.echo_len)
		n_tty_echo_flush(tty);
	if (waitqueue_active(&tty->write_wait) && tty->ops->write_room(tty) >= TTY_WAKE_ROOM)
		__wake_up(&tty->write_wait, TASK_NORMAL, 0, (void *)(unsigned long)(EPOLLOUT | EPOLLWRNORM));
}

static u32 tty_poll(struct file *f, poll_table *pt)
{
	struct tty_struct *tty = file_tty(f);
	u32 mask = 0;

	poll_wait(f, &tty->read_wait, pt);
	poll_wait(f, &tty->write_wait, pt);
	if (tty_hung_up(f))
		return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
	if (tty->driver->pty_master)
		return pty_master_poll(tty);
	mask = n_tty_poll(tty);
	if (test_bit(TTY_OTHER_CLOSED, &tty->flags))
		mask |= EPOLLHUP;
	if (!tty->stopped && !tty->tco_stopped && tty->ops->write_room(tty) >= TTY_WAKE_ROOM)
		mask |= EPOLLOUT | EPOLLWRNORM;
	else if (tty->ops->wait_room)
		tty->ops->wait_room(tty);
	return mask;
}

static void tty_show_fdinfo(struct seq_file *m, struct file *f)
{
	struct tty_struct *tty = file_tty(f);

	if (tty->driver->pty_master)
		seq_printf(m, "tty-index:\t%d\n", tty->index);
}

/* tty_open_peer: TIOCGPTPEER: a descriptor for the slave, by no path */
int tty_open_peer(struct tty_struct *master, int flags)
{
	struct path path = {master->pts_mnt, master->pts_dentry};
	struct file *f;
	int fd;

	if (!path.dentry || !path.mnt)
		return -EIO;
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	f = dentry_open(&path, flags, current_cred());
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		return PTR_ERR(f);
	}
	fd_install(fd, f);
	return fd;
}

/* the caller's own terminal */
SYSCALL_DEFINE0(vhangup)
{
	struct tty_struct *tty;

	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty = get_current_tty();
	if (tty) {
		tty_hangup(tty, false);
		tty_put(tty);
	}
	return 0;
}

static const struct file_operations tty_fops = {
	.llseek = no_llseek,
	.read_iter = tty_read_iter,
	.write_iter = tty_write_iter,
	.poll = tty_poll,
	.unlocked_ioctl = tty_ioctl,
	.open = tty_open,
	.release = tty_release,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.show_fdinfo = tty_show_fdinfo,
};

static const struct file_operations ptmx_fops = {
	.llseek = no_llseek,
	.read_iter = tty_read_iter,
	.write_iter = tty_write_iter,
	.poll = tty_poll,
	.unlocked_ioctl = tty_ioctl,
	.open = ptmx_open,
	.release = tty_release,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.show_fdinfo = tty_show_fdinfo,
};

static int tty_init(void)
{
	register_chrdev_region_ops(MKDEV(TTYAUX_MAJOR, 0), 1, "/dev/tty", &tty_fops);
	register_chrdev_region_ops(MKDEV(TTYAUX_MAJOR, 1), 1, "/dev/console", &tty_fops);
	register_chrdev_region_ops(MKDEV(TTYAUX_MAJOR, 2), 1, "/dev/ptmx", &ptmx_fops);
	register_chrdev_region_ops(MKDEV(UNIX98_PTY_MASTER_MAJOR, 0), 0, "ptm", &tty_fops);
	register_chrdev_region_ops(MKDEV(UNIX98_PTY_SLAVE_MAJOR, 0), 1u << 20, "pts", &tty_fops);
	devtmpfs_create_node("tty", S_IFCHR | 0666, MKDEV(TTYAUX_MAJOR, 0));
	devtmpfs_create_node("console", S_IFCHR | 0600, MKDEV(TTYAUX_MAJOR, 1));
	devtmpfs_create_node("ptmx", S_IFCHR | 0666, MKDEV(TTYAUX_MAJOR, 2));
	return 0;
}
device_initcall(tty_init);
