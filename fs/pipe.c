// SPDX-License-Identifier: Apache-2.0
/* Pipes and FIFOs. */
#include <husk/pipe.h>
#include <husk/poll.h>
#include <husk/proc_fs.h>
#include <husk/syscalls.h>
#include <husk/init.h>
#include <asm/ioctls.h>

/**
 * DOC: wake-ups
 *
 * A reader that sleeps found the pipe empty, a writer that sleeps found it full. So a writer wakes readers only if the pipe
 * was empty when it began (and a reader writers only if it was full): all other wake-ups would find nobody. Sleepers are exclusive: one
 * is woken, and hands the wake-up on when it leaves something to do. Once a pipe has been polled, every write
 * wakes pollers, because edge-triggered users of epoll count on it.
 *
 * A stream whose reader is the faster one would pay a wake-up for every write. So a reader that found a pipe empty may first
 * sleep for a short time in which writers let it lie until the pipe is half full (gathering). This goes on as long as it brings
 * several writes at a time; where it does not, as in talk to and fro, it is tried ever more seldom.
 */
#define PIPEFS_MAGIC 0x50495045
#define PIPE_MIN_DEF_BUFFERS 2
#define GATHER_NS 30000
#define GATHER_WRITES 4	   /* so many of them were worth the wait */
#define GATHER_FIRST 16	   /* sleeps before the first trial */
#define GATHER_SELDOM 4096 /* and at most between two */

static int pipe_max_size = 1048576;
static struct vfsmount *pipe_mnt;

static void tmp_or_free(struct pipe_inode_info *pipe, struct page *page)
{
	if (page_count(page) == 1 && pipe->nr_tmp < PIPE_TMP_PAGES)
		pipe->tmp_page[pipe->nr_tmp++] = page;
	else
		put_page(page);
}

/* The pipe's own pages: kept for the next write when nobody else has them. */
static void anon_pipe_buf_release(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	tmp_or_free(pipe, buf->page);
}

static const struct pipe_buf_operations anon_pipe_buf_ops = {
	.release = anon_pipe_buf_release,
};

struct pipe_inode_info *alloc_pipe_info(void)
{
	struct pipe_inode_info *pipe = kzalloc(sizeof(*pipe), GFP_KERNEL);

	if (!pipe)
		return NULL;
	pipe->ring_size = min_t(unsigned int, PIPE_DEF_BUFFERS, READ_ONCE(pipe_max_size) >> PAGE_SHIFT);
	pipe->bufs = kcalloc(pipe->ring_size, sizeof(struct pipe_buffer), GFP_KERNEL);
	if (!pipe->bufs) {
		kfree(pipe);
		return NULL;
	}
	mutex_init(&pipe->mutex);
	init_waitqueue_head(&pipe->rd_wait);
	init_waitqueue_head(&pipe->wr_wait);
	pipe->r_counter = pipe->w_counter = 1;
	pipe->gather_in = pipe->gather_gap = GATHER_FIRST;
	return pipe;
}

void free_pipe_info(struct pipe_inode_info *pipe)
{
	for (; pipe->tail != pipe->head; pipe->tail++)
		pipe_buf_release(pipe, pipe_slot(pipe, pipe->tail));
	while (pipe->nr_tmp)
		put_page(pipe->tmp_page[--pipe->nr_tmp]);
	kfree(pipe->bufs);
	kfree(pipe);
}

static void put_pipe_info(struct inode *inode, struct pipe_inode_info *pipe)
{
	bool last;

	spin_lock(&inode->i_lock);
	last = !--pipe->files;
	if (last)
		inode->i_pipe = NULL;
	spin_unlock(&inode->i_lock);
	if (last)
		free_pipe_info(pipe);
}

static inline bool pipe_readable(const struct pipe_inode_info *pipe)
{
	return READ_ONCE(pipe->head) != READ_ONCE(pipe->tail) || !READ_ONCE(pipe->writers);
}

static inline bool pipe_writable(const struct pipe_inode_info *pipe)
{
	return !pipe_full(READ_ONCE(pipe->head), READ_ONCE(pipe->tail), READ_ONCE(pipe->ring_size)) ||
	       !READ_ONCE(pipe->readers);
}

void pipe_wake_readers(struct pipe_inode_info *pipe)
{
	wake_up_interruptible_poll(&pipe->rd_wait, EPOLLIN | EPOLLRDNORM);
	if (unlikely(pipe->fasync_readers))
		kill_fasync(&pipe->fasync_readers, SIGIO, POLL_IN);
}

void pipe_wake_writers(struct pipe_inode_info *pipe)
{
	wake_up_interruptible_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
	if (unlikely(pipe->fasync_writers))
		kill_fasync(&pipe->fasync_writers, SIGIO, POLL_OUT);
}

/*
 * Exclusive sleep on one side, with the mutex not held. A wake-up that came together with a signal is given to the next in
 * the queue. 0 or -ERESTARTSYS.
 */
static int pipe_sleep(struct pipe_inode_info *pipe, wait_queue_head_t *q, bool (*ready)(const struct pipe_inode_info *))
{
	struct wait_queue_entry e;
	int err = 0;

	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	for (;;) {
		prepare_to_wait_exclusive(q, &e, TASK_INTERRUPTIBLE);
		if (ready(pipe))
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	finish_wait(q, &e);
	if (err && ready(pipe))
		wake_up_interruptible(q);
	return err;
}

static inline bool pipe_half_full(const struct pipe_inode_info *pipe)
{
	return 2 * pipe_occupancy(READ_ONCE(pipe->head), READ_ONCE(pipe->tail)) >= READ_ONCE(pipe->ring_size);
}

/* The pipe is empty and its mutex held: shall the reader sleep a while before it wants to be woken? */
static bool gather_begin(struct pipe_inode_info *pipe)
{
	if (pipe->gather_in) {
		pipe->gather_in--;
		return false;
	}
	if (READ_ONCE(pipe->poll_usage) || pipe->gathering)
		return false;
	pipe->gather_from = pipe->writes;
	WRITE_ONCE(pipe->gathering, true);
	return true;
}

/* Sleep until the pipe is half full, for some microseconds; mutex not held, but on return. */
static void gather(struct pipe_inode_info *pipe)
{
	struct wait_queue_entry e;

	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	prepare_to_wait_exclusive(&pipe->rd_wait, &e, TASK_INTERRUPTIBLE);
	if (!pipe_half_full(pipe) && READ_ONCE(pipe->writers) && !signal_pending(current))
		schedule_timeout(GATHER_NS);
	finish_wait(&pipe->rd_wait, &e);
	mutex_lock(&pipe->mutex);
	pipe->gathering = false;
	if (pipe_half_full(pipe) || pipe->writes - pipe->gather_from >= GATHER_WRITES) {
		pipe->gather_gap = GATHER_FIRST;
		return;
	}
	pipe->gather_gap = min(pipe->gather_gap * 2, GATHER_SELDOM);
	pipe->gather_in = pipe->gather_gap;
}

int pipe_wait_readable(struct pipe_inode_info *pipe)
{
	int err;

	mutex_unlock(&pipe->mutex);
	err = pipe_sleep(pipe, &pipe->rd_wait, pipe_readable);
	mutex_lock(&pipe->mutex);
	return err;
}

int pipe_wait_writable(struct pipe_inode_info *pipe)
{
	int err;

	mutex_unlock(&pipe->mutex);
	err = pipe_sleep(pipe, &pipe->wr_wait, pipe_writable);
	mutex_lock(&pipe->mutex);
	return err;
}

/* One slot's worth to the reader, pipe->mutex held. Bytes, or -errno; *stop: a packet's end. */
static ssize_t read_slot(struct pipe_inode_info *pipe, struct iov_iter *to, bool *stop)
{
	struct pipe_buffer *buf = pipe_slot(pipe, pipe->tail);
	size_t n = min_t(size_t, buf->len, iov_iter_count(to));
	int err = pipe_buf_confirm(pipe, buf);

	if (err)
		return err;
	if (copy_page_to_iter(buf->page, buf->offset, n, to) < n)
		return -EFAULT;
	buf->offset += n;
	buf->len -= n;
	if (buf->flags & PIPE_BUF_FLAG_PACKET) {
		*stop = true;
		buf->len = 0;
	}
	if (!buf->len) {
		pipe_buf_release(pipe, buf);
		WRITE_ONCE(pipe->tail, pipe->tail + 1);
	}
	return n;
}

static ssize_t pipe_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *f = iocb->ki_filp;
	struct pipe_inode_info *pipe = f->private_data;
	bool was_full, gathers, wake_next = false, stop = false;
	ssize_t ret = 0, n;

	if (!iov_iter_count(to))
		return 0;
	mutex_lock(&pipe->mutex);
	was_full = pipe_full(pipe->head, pipe->tail, pipe->ring_size);
	for (;;) {
		while (!pipe_empty(pipe->head, pipe->tail) && iov_iter_count(to) && !stop) {
			n = read_slot(pipe, to, &stop);
			if (n < 0) {
				ret = ret ? ret : n;
				goto out;
			}
			ret += n;
		}
		if (ret || stop || !pipe->writers)
			break;
		if ((f->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT)) {
			ret = -EAGAIN;
			break;
		}
		gathers = gather_begin(pipe);
		mutex_unlock(&pipe->mutex);
		if (was_full)
			pipe_wake_writers(pipe);
		if (gathers) {
			gather(pipe);
		} else {
			ret = pipe_sleep(pipe, &pipe->rd_wait, pipe_readable);
			if (ret)
				return ret;
			mutex_lock(&pipe->mutex);
		}
		was_full = pipe_full(pipe->head, pipe->tail, pipe->ring_size);
		wake_next = true;
	}
out:
	if (pipe_empty(pipe->head, pipe->tail) && pipe->writers)
		wake_next = false;
	was_full = was_full && !pipe_full(pipe->head, pipe->tail, pipe->ring_size);
	mutex_unlock(&pipe->mutex);
	if (was_full)
		pipe_wake_writers(pipe);
	if (wake_next)
		pipe_wake_readers(pipe);
	return ret;
}

/* Appends to the last buffer if all of the write's last, partial page fits there. Bytes or -EFAULT. */
static ssize_t write_merge(struct pipe_inode_info *pipe, struct iov_iter *from)
{
	size_t n = iov_iter_count(from) & (PAGE_SIZE - 1);
	struct pipe_buffer *buf;

	if (!n || pipe_empty(pipe->head, pipe->tail))
		return 0;
	buf = pipe_slot(pipe, pipe->head - 1);
	if (!(buf->flags & PIPE_BUF_FLAG_CAN_MERGE) || buf->offset + buf->len + n > PAGE_SIZE)
		return 0;
	if (copy_page_from_iter(buf->page, buf->offset + buf->len, n, from) < n)
		return -EFAULT;
	buf->len += n;
	return n;
}

/* A page's worth into a free slot. Bytes or -errno. */
static ssize_t write_slot(struct pipe_inode_info *pipe, struct iov_iter *from, unsigned int flags)
{
	struct pipe_buffer *buf;
	struct page *page;
	size_t n, want = min_t(size_t, iov_iter_count(from), PAGE_SIZE);

	page = pipe->nr_tmp ? pipe->tmp_page[--pipe->nr_tmp] : alloc_page(GFP_HIGHUSER);
	if (unlikely(!page))
		return -ENOMEM;
	n = copy_page_from_iter(page, 0, want, from);
	if (unlikely(n < want)) {
		tmp_or_free(pipe, page);
		return -EFAULT;
	}
	buf = pipe_slot(pipe, pipe->head);
	*buf = (struct pipe_buffer){page, 0, (unsigned int)n, &anon_pipe_buf_ops, flags};
	WRITE_ONCE(pipe->head, pipe->head + 1);
	return n;
}

/* After a write: is there a reader to be woken? Mutex held. One that gathers is woken once, when it is worth while. */
static bool reader_waits(struct pipe_inode_info *pipe, bool was_empty)
{
	if (likely(!pipe->gathering))
		return was_empty;
	if (!pipe_half_full(pipe))
		return false;
	pipe->gathering = false;
	return true;
}

static ssize_t pipe_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *f = iocb->ki_filp;
	struct pipe_inode_info *pipe = f->private_data;
	unsigned int flags = f->f_flags & O_DIRECT ? PIPE_BUF_FLAG_PACKET : PIPE_BUF_FLAG_CAN_MERGE;
	bool was_empty, wake, wake_next = false;
	ssize_t ret = 0, n = 0;

	if (!iov_iter_count(from))
		return 0;
	mutex_lock(&pipe->mutex);
	pipe->writes++;
	was_empty = pipe_empty(pipe->head, pipe->tail);
	if (pipe->readers && flags == PIPE_BUF_FLAG_CAN_MERGE) {
		n = write_merge(pipe, from);
		if (n < 0)
			goto out;
		ret = n;
	}
	while (iov_iter_count(from)) {
		if (!pipe->readers) {
			send_sig(SIGPIPE, current, 0);
			n = -EPIPE;
			break;
		}
		if (!pipe_full(pipe->head, pipe->tail, pipe->ring_size)) {
			n = write_slot(pipe, from, flags);
			if (n < 0)
				break;
			ret += n;
			continue;
		}
		if ((f->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT)) {
			n = -EAGAIN;
			break;
		}
		wake = reader_waits(pipe, was_empty);
		mutex_unlock(&pipe->mutex);
		if (wake)
			pipe_wake_readers(pipe);
		n = pipe_sleep(pipe, &pipe->wr_wait, pipe_writable);
		mutex_lock(&pipe->mutex);
		was_empty = pipe_empty(pipe->head, pipe->tail);
		if (n)
			break;
		wake_next = true;
	}
out:
	if (pipe_full(pipe->head, pipe->tail, pipe->ring_size) && pipe->readers)
		wake_next = false;
	wake = reader_waits(pipe, was_empty);
	mutex_unlock(&pipe->mutex);
	if (wake || READ_ONCE(pipe->poll_usage))
		pipe_wake_readers(pipe);
	if (wake_next)
		pipe_wake_writers(pipe);
	if (ret > 0 && file_inode(f)->i_sb->s_magic != PIPEFS_MAGIC)
		file_update_time(f);
	return ret ? ret : n;
}

static long pipe_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pipe_inode_info *pipe = f->private_data;
	unsigned int i;
	int n = 0;

	if (cmd != FIONREAD)
		return -ENOIOCTLCMD;
	mutex_lock(&pipe->mutex);
	for (i = pipe->tail; i != pipe->head; i++)
		n += pipe_slot(pipe, i)->len;
	mutex_unlock(&pipe->mutex);
	return put_user(n, (int __user *)arg);
}

/* f_ra is of no use to a pipe: prev_pos holds w_counter as of an open that met no writer, for which there is no hang-up yet. */
#define seen_w_counter(f) ((f)->f_ra.prev_pos)

static u32 pipe_poll(struct file *f, poll_table *pt)
{
	struct pipe_inode_info *pipe = f->private_data;
	unsigned int head, tail;
	u32 mask = 0;

	if (!READ_ONCE(pipe->poll_usage))
		WRITE_ONCE(pipe->poll_usage, true);
	if (f->f_mode & FMODE_READ)
		poll_wait(f, &pipe->rd_wait, pt);
	if (f->f_mode & FMODE_WRITE)
		poll_wait(f, &pipe->wr_wait, pt);
	/* head before tail: an over-full pipe is harmless, a tail beyond head would not be */
	head = smp_load_acquire(&pipe->head);
	tail = smp_load_acquire(&pipe->tail);
	if (f->f_mode & FMODE_READ) {
		if (!pipe_empty(head, tail))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (!READ_ONCE(pipe->writers) && seen_w_counter(f) != pipe->w_counter)
			mask |= EPOLLHUP;
	}
	if (f->f_mode & FMODE_WRITE) {
		if (!pipe_full(head, tail, READ_ONCE(pipe->ring_size)))
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (!READ_ONCE(pipe->readers))
			mask |= EPOLLERR;
	}
	return mask;
}

static int pipe_fasync(int fd, struct file *f, int on)
{
	struct pipe_inode_info *pipe = f->private_data;
	int ret = 0;

	mutex_lock(&pipe->mutex);
	if (f->f_mode & FMODE_READ)
		ret = fasync_helper(fd, f, on, &pipe->fasync_readers);
	if (ret >= 0 && (f->f_mode & FMODE_WRITE)) {
		ret = fasync_helper(fd, f, on, &pipe->fasync_writers);
		if (ret < 0 && (f->f_mode & FMODE_READ))
			fasync_helper(-1, f, 0, &pipe->fasync_readers);
	}
	mutex_unlock(&pipe->mutex);
	return ret;
}

static void drop_sides(struct pipe_inode_info *pipe, unsigned int mode)
{
	mutex_lock(&pipe->mutex);
	if (mode & FMODE_READ)
		pipe->readers--;
	if (mode & FMODE_WRITE)
		pipe->writers--;
	if (!pipe->readers != !pipe->writers) {
		wake_up_interruptible_all(&pipe->rd_wait);
		wake_up_interruptible_all(&pipe->wr_wait);
	}
	mutex_unlock(&pipe->mutex);
}

static int pipe_release(struct inode *inode, struct file *f)
{
	drop_sides(f->private_data, f->f_mode);
	put_pipe_info(inode, f->private_data);
	return 0;
}

/* Sleeps until *counter is not what it was: an opener of the other side came. The mutex is held. */
static int wait_for_partner(struct pipe_inode_info *pipe, wait_queue_head_t *q, unsigned int *counter)
{
	unsigned int was = *counter;
	int err;

	mutex_unlock(&pipe->mutex);
	err = wait_event_interruptible(*q, READ_ONCE(*counter) != was);
	mutex_lock(&pipe->mutex);
	return *counter != was ? 0 : err;
}

static int open_read(struct pipe_inode_info *pipe, struct file *f, bool is_pipe)
{
	pipe->r_counter++;
	if (!pipe->readers++)
		wake_up_interruptible_all(&pipe->wr_wait);
	if (is_pipe || pipe->writers)
		return 0;
	if (f->f_flags & O_NONBLOCK) {
		seen_w_counter(f) = pipe->w_counter;
		return 0;
	}
	return wait_for_partner(pipe, &pipe->rd_wait, &pipe->w_counter);
}

static int open_write(struct pipe_inode_info *pipe, struct file *f, bool is_pipe)
{
	if (!is_pipe && (f->f_flags & O_NONBLOCK) && !pipe->readers)
		return -ENXIO;
	pipe->w_counter++;
	if (!pipe->writers++)
		wake_up_interruptible_all(&pipe->rd_wait);
	if (is_pipe || pipe->readers)
		return 0;
	return wait_for_partner(pipe, &pipe->wr_wait, &pipe->r_counter);
}

static int open_both(struct pipe_inode_info *pipe)
{
	pipe->readers++;
	pipe->writers++;
	pipe->r_counter++;
	pipe->w_counter++;
	if (pipe->readers == 1 || pipe->writers == 1) {
		wake_up_interruptible_all(&pipe->rd_wait);
		wake_up_interruptible_all(&pipe->wr_wait);
	}
	return 0;
}

/* The pipe behind an inode, made for the first opener; counted in files. */
static struct pipe_inode_info *grab_pipe(struct inode *inode)
{
	struct pipe_inode_info *pipe, *fresh = NULL;

	for (;;) {
		spin_lock(&inode->i_lock);
		pipe = inode->i_pipe;
		if (!pipe && fresh) {
			pipe = inode->i_pipe = fresh;
			fresh = NULL;
		}
		if (pipe)
			pipe->files++;
		spin_unlock(&inode->i_lock);
		if (pipe)
			break;
		fresh = alloc_pipe_info();
		if (!fresh)
			return NULL;
		fresh->r_counter = fresh->w_counter = 0;
	}
	if (fresh)
		free_pipe_info(fresh);
	return pipe;
}

static int fifo_open(struct inode *inode, struct file *f)
{
	bool is_pipe = inode->i_sb->s_magic == PIPEFS_MAGIC;
	unsigned int mode = f->f_mode & (FMODE_READ | FMODE_WRITE);
	struct pipe_inode_info *pipe = grab_pipe(inode);
	int err = -EINVAL;

	if (!pipe)
		return -ENOMEM;
	stream_open(inode, f);
	f->private_data = pipe;
	seen_w_counter(f) = 0;
	mutex_lock(&pipe->mutex);
	if (mode == FMODE_READ)
		err = open_read(pipe, f, is_pipe);
	else if (mode == FMODE_WRITE)
		err = open_write(pipe, f, is_pipe);
	else if (mode)
		err = open_both(pipe);
	if (err == -ENXIO || err == -EINVAL)
		mode = 0; /* not counted as an opener yet */
	mutex_unlock(&pipe->mutex);
	if (err) {
		if (mode)
			drop_sides(pipe, mode);
		put_pipe_info(inode, pipe);
	}
	return err;
}

const struct file_operations def_fifo_fops = {
	.llseek = no_llseek,
	.open = fifo_open,
	.read_iter = pipe_read,
	.write_iter = pipe_write,
	.poll = pipe_poll,
	.unlocked_ioctl = pipe_ioctl,
	.release = pipe_release,
	.fasync = pipe_fasync,
	.splice_write = iter_file_splice_write,
};

struct pipe_inode_info *get_pipe_info(struct file *f)
{
	return f->f_op == &def_fifo_fops && !(f->f_mode & FMODE_PATH) ? f->private_data : NULL;
}

static struct inode *get_pipe_inode(void)
{
	struct inode *inode = new_inode(pipe_mnt->mnt_sb);
	struct pipe_inode_info *pipe;

	if (!inode)
		return NULL;
	pipe = alloc_pipe_info();
	if (!pipe) {
		iput(inode);
		return NULL;
	}
	pipe->files = 2;
	pipe->readers = pipe->writers = 1;
	inode->i_pipe = pipe;
	inode->i_fop = &def_fifo_fops;
	inode->i_mode = S_IFIFO | 0600;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_blkbits = PAGE_SHIFT;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	return inode;
}

/**
 * create_pipe_files - a new pipe
 * @res: its read end and its write end @flags: O_NONBLOCK, O_DIRECT
 */
int create_pipe_files(struct file **res, int flags)
{
	struct inode *inode = get_pipe_inode();
	struct file *f;

	if (!inode)
		return -ENFILE;
	f = alloc_file_pseudo(inode, pipe_mnt, "", O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), &def_fifo_fops);
	if (IS_ERR(f)) {
		free_pipe_info(inode->i_pipe);
		inode->i_pipe = NULL;
		iput(inode);
		return (int)PTR_ERR(f);
	}
	f->private_data = inode->i_pipe;
	stream_open(inode, f);
	res[0] = alloc_file_clone(f, O_RDONLY | (flags & O_NONBLOCK), &def_fifo_fops);
	if (IS_ERR(res[0])) {
		put_pipe_info(inode, inode->i_pipe); /* the end that was not made */
		fput(f);
		return (int)PTR_ERR(res[0]);
	}
	res[0]->private_data = inode->i_pipe;
	stream_open(inode, res[0]);
	res[1] = f;
	return 0;
}

static int do_pipe2(int __user *fildes, int flags)
{
	struct file *files[2];
	int fd[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = create_pipe_files(files, flags);
	if (err)
		return err;
	err = fd[0] = get_unused_fd_flags(flags);
	if (err < 0)
		goto out_files;
	err = fd[1] = get_unused_fd_flags(flags);
	if (err < 0)
		goto out_fd0;
	err = -EFAULT;
	if (copy_to_user(fildes, fd, sizeof(fd)))
		goto out_fd1;
	fd_install(fd[0], files[0]);
	fd_install(fd[1], files[1]);
	return 0;
out_fd1:
	put_unused_fd(fd[1]);
out_fd0:
	put_unused_fd(fd[0]);
out_files:
	fput(files[0]);
	fput(files[1]);
	return err;
}

SYSCALL_DEFINE2(pipe2, int __user *, fildes, int, flags)
{
	return do_pipe2(fildes, flags);
}

SYSCALL_DEFINE1(pipe, int __user *, fildes)
{
	return do_pipe2(fildes, 0);
}

/* Changes the ring's size; pipe->mutex held. */
static long pipe_set_size(struct pipe_inode_info *pipe, unsigned long arg)
{
	unsigned int slots, n, i;
	struct pipe_buffer *bufs;
	u64 size = roundup_pow_of_two(max(arg, PAGE_SIZE));

	if (size > 1U << 31)
		return -EINVAL;
	slots = (unsigned int)(size >> PAGE_SHIFT);
	if (slots > pipe->ring_size && size > (unsigned int)READ_ONCE(pipe_max_size) && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	n = pipe_occupancy(pipe->head, pipe->tail);
	if (slots < n)
		return -EBUSY;
	bufs = kcalloc(slots, sizeof(*bufs), GFP_KERNEL | __GFP_NOWARN);
	if (!bufs)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		bufs[i] = *pipe_slot(pipe, pipe->tail + i);
	kfree(pipe->bufs);
	pipe->bufs = bufs;
	pipe->ring_size = slots;
	WRITE_ONCE(pipe->tail, 0);
	WRITE_ONCE(pipe->head, n);
	return (long)size;
}

long pipe_fcntl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pipe_inode_info *pipe = get_pipe_info(f);
	long ret;

	if (!pipe)
		return -EBADF;
	if (cmd == F_GETPIPE_SZ)
		return (long)READ_ONCE(pipe->ring_size) << PAGE_SHIFT;
	if (cmd != F_SETPIPE_SZ)
		return -EINVAL;
	mutex_lock(&pipe->mutex);
	ret = pipe_set_size(pipe, (unsigned int)arg);
	mutex_unlock(&pipe->mutex);
	if (ret > 0)
		wake_up_interruptible(&pipe->wr_wait); /* it may have been full */
	return ret;
}

static char *pipefs_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "pipe:[%llu]", (unsigned long long)d->d_inode->i_ino);
}

static const struct dentry_operations pipefs_dentry_ops = {
	.d_dname = pipefs_dname,
};

static struct dentry *pipefs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return pseudo_mount(t, NULL, &pipefs_dentry_ops, PIPEFS_MAGIC);
}

static struct file_system_type pipe_fs_type = {
	.name = "pipefs",
	.mount = pipefs_mount,
	.kill_sb = kill_anon_super,
};

SYSCTL_INT("fs/pipe-max-size", 0644, pipe_max_size, PAGE_SIZE, 1 << 30);

static int pipe_init(void)
{
	int err = register_filesystem(&pipe_fs_type);

	if (err)
		return err;
	pipe_mnt = kern_mount(&pipe_fs_type, NULL);
	if (IS_ERR(pipe_mnt))
		panic("pipefs cannot be mounted: %ld", PTR_ERR(pipe_mnt));
	return 0;
}
fs_initcall(pipe_init);
