// SPDX-License-Identifier: Apache-2.0
/* Standard streams that are no terminal: to a program they look like one end of a pipe. */
#include "virtio_console.h"
#include <husk/pipe.h>
#include <asm/ioctls.h>

/*
 * DOC: a write copies into the port's ring (256 KiB) and returns when all of it is queued, as with a pipe. Input is
 * asked for only when somebody reads or polls, no more than STREAM_AHEAD bytes beyond what that read wants, so a program
 * that does not read its standard input leaves it to others on the host.
 */

#define STREAM_OUT_SIZE (256u << 10)
#define STREAM_CHUNK 65536u
#define STREAM_AHEAD 4096u
#define SPIN_NS 50000

static struct vfsmount *stream_mnt;
static DEFINE_MUTEX(stream_mnt_lock);

/* take: bytes that are there; 0 nothing yet, -ENODATA end of file. in_lock held. */
static ssize_t take(struct vport *p, struct iov_iter *to)
{
	u32 avail;
	size_t n, want;

	vport_reap_in(p);
	avail = p->ilen - p->ioff;
	if (!avail)
		return p->eof ? -ENODATA : 0;
	want = min_t(size_t, avail, iov_iter_count(to));
	n = copy_to_iter(p->ibuf + p->ioff, want, to);
	p->ioff += n;
	return n ? n : -EFAULT;
}

static ssize_t stream_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct vport *p = iocb->ki_filp->private_data;
	size_t want = iov_iter_count(to);
	bool fresh;
	ssize_t r;

	if (!p->in || !want)
		return 0;
	for (;;) {
		mutex_lock(&p->in_lock);
		r = take(p, to);
		fresh = !p->posted;
		if (!r)
			r = vport_post_in(p, clamp_t(size_t, want, STREAM_AHEAD, VPORT_IN_SIZE));
		mutex_unlock(&p->in_lock);
		if (r)
			return r == -ENODATA ? 0 : r;
		if (virtqueue_spin(p->in, SPIN_NS, NULL, 0))
			continue;
		if ((iocb->ki_filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT)) {
			vport_need_in(p);
			return -EAGAIN;
		}
		if (fresh && signal_pending(current))
			return -ERESTARTSYS;
		vport_need_in(p);
		if (wait_event_interruptible(p->read_wait, vport_in_ready(p)))
			return -ERESTARTSYS;
	}
}

static size_t queue_output(struct vport *p, struct iov_iter *from, bool *fault)
{
	size_t done = 0;

	while (iov_iter_count(from)) {
		u32 at = p->ohead & (p->osize - 1);
		u32 part = min_t(size_t, min(vport_room(p), p->osize - at), iov_iter_count(from));
		size_t c;

		part = min(part, STREAM_CHUNK);
		if (!part)
			break;
		c = copy_from_iter(p->obuf + at, part, from);
		p->ohead += c;
		done += c;
		vport_send(p);
		if (c < part) {
			*fault = true;
			break;
		}
	}
	return done;
}

static bool writable(struct vport *p)
{
	return p->gone || vport_room(p) >= TTY_WAKE_ROOM;
}

static ssize_t stream_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct vport *p = iocb->ki_filp->private_data;
	bool nonblock = (iocb->ki_filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
	size_t total = iov_iter_count(from), done = 0;
	bool fault = false;

	if (!total)
		return 0;
	for (;;) {
		mutex_lock(&p->out_lock);
		vport_reap_out(p);
		/* up to PIPE_BUF bytes go in whole or not at all */
		if (!p->gone && !(total <= PIPE_BUF && vport_room(p) < total))
			done += queue_output(p, from, &fault);
		mutex_unlock(&p->out_lock);
		if (p->gone) {
			if (!done)
				send_sig(SIGPIPE, current, 0);
			return done ? done : -EPIPE;
		}
		if (!iov_iter_count(from))
			return done;
		if (fault)
			return done ? done : -EFAULT;
		if (nonblock)
			return done ? done : -EAGAIN;
		if (virtqueue_spin(p->out, SPIN_NS, NULL, 0))
			continue;
		vport_need_out(p);
		if (wait_event_interruptible(p->write_wait, writable(p)))
			return done ? done : -ERESTARTSYS;
	}
}

static u32 poll_in(struct vport *p)
{
	bool asked = false;

	mutex_lock(&p->in_lock);
	vport_reap_in(p);
	if (!vport_in_ready(p) && !p->posted) {
		vport_post_in(p, STREAM_AHEAD);
		asked = true;
	}
	mutex_unlock(&p->in_lock);
	if (asked && virtqueue_spin(p->in, SPIN_NS, NULL, 0)) {
		mutex_lock(&p->in_lock);
		vport_reap_in(p);
		mutex_unlock(&p->in_lock);
	}
	if (!vport_in_ready(p)) {
		vport_need_in(p);
		return 0;
	}
	if (p->ilen != p->ioff)
		return EPOLLIN | EPOLLRDNORM;
	return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
}

static u32 poll_out(struct vport *p)
{
	u32 mask = 0;

	mutex_lock(&p->out_lock);
	vport_reap_out(p);
	mutex_unlock(&p->out_lock);
	if (writable(p))
		mask = EPOLLOUT | EPOLLWRNORM;
	else
		vport_need_out(p);
	return p->gone ? mask | EPOLLERR : mask;
}

static u32 stream_poll(struct file *f, poll_table *pt)
{
	struct vport *p = f->private_data;
	u32 mask = 0;

	if (f->f_mode & FMODE_READ) {
		poll_wait(f, &p->read_wait, pt);
		mask |= poll_in(p);
	}
	if (f->f_mode & FMODE_WRITE) {
		poll_wait(f, &p->write_wait, pt);
		mask |= poll_out(p);
	}
	return mask;
}

static long stream_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct vport *p = f->private_data;
	int n = 0;

	if (cmd != FIONREAD)
		return -ENOIOCTLCMD;
	if (p->in) {
		mutex_lock(&p->in_lock);
		vport_reap_in(p);
		n = p->ilen - p->ioff;
		mutex_unlock(&p->in_lock);
	}
	return put_user(n, (int __user *)arg);
}

/* stream_open: by /proc/self/fd/N or /dev/stdout */
static int stream_open_again(struct inode *inode, struct file *f)
{
	struct vport *p = inode->i_private;

	if ((f->f_mode & FMODE_READ) && !p->in)
		return -EACCES;
	if ((f->f_mode & FMODE_WRITE) && vport_out_init(p, STREAM_OUT_SIZE))
		return -EACCES;
	f->private_data = p;
	return stream_open(inode, f);
}

static const struct file_operations stream_fops = {
	.llseek = no_llseek,
	.read_iter = stream_read_iter,
	.write_iter = stream_write_iter,
	.poll = stream_poll,
	.unlocked_ioctl = stream_ioctl,
	.open = stream_open_again,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
};

static char *stream_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "pipe:[%llu]", (unsigned long long)d->d_inode->i_ino);
}

static const struct dentry_operations stream_dops = {.d_dname = stream_dname};

static struct dentry *stdiofs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return pseudo_mount(t, NULL, &stream_dops, 0x50495045 /* PIPEFS_MAGIC */);
}

static struct file_system_type stdiofs_type = {
	.name = "stdiofs",
	.mount = stdiofs_mount,
	.kill_sb = kill_anon_super,
};

/* stream_inode: one for a port, so that 2>&1 is seen as such */
static struct inode *stream_inode(struct vport *p)
{
	struct inode *inode = p->inode;

	if (inode) {
		ihold(inode);
		return inode;
	}
	inode = new_inode(stream_mnt->mnt_sb);
	if (!inode)
		return NULL;
	inode->i_mode = S_IFIFO | 0600;
	inode->i_uid = boot->uid; /* whom the program will be run as */
	inode->i_gid = boot->gid;
	inode->i_fop = &stream_fops;
	inode->i_private = p;
	inode->i_blkbits = PAGE_SHIFT;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	p->inode = inode;
	ihold(inode);
	return inode;
}

struct file *vport_stream_file(struct vport *p, int flags)
{
	struct inode *inode;
	struct file *f;
	int err = 0;

	mutex_lock(&stream_mnt_lock);
	if (!stream_mnt) {
		struct vfsmount *m = kern_mount(&stdiofs_type, NULL);

		if (IS_ERR(m))
			err = PTR_ERR(m);
		else
			stream_mnt = m;
	}
	mutex_unlock(&stream_mnt_lock);
	if (!err && flags == O_WRONLY)
		err = vport_out_init(p, STREAM_OUT_SIZE);
	if (err)
		return ERR_PTR(err);
	inode = stream_inode(p);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	f = alloc_file_pseudo(inode, stream_mnt, "", flags, &stream_fops);
	if (IS_ERR(f)) {
		iput(inode);
		return f;
	}
	f->private_data = p;
	f->f_mode |= FMODE_STREAM;
	return f;
}
