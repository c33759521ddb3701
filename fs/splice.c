// SPDX-License-Identifier: Apache-2.0
/* Data between files by way of page references: splice, tee, vmsplice, sendfile. */
#include <husk/pipe.h>
#include <husk/syscalls.h>

/**
 * DOC: splicing
 *
 * A file's cached pages go into a pipe by reference; a pipe's pages go to a file as one vector write. splice_read operations
 * are called with pipe->mutex held and a free slot, splice_write operations without the mutex. Files with no such operation are
 * read into fresh pages. sendfile() needs no pipe: it takes page references from one file's cache in batches and
 * writes them to the other.
 */
#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE 4
#define SPLICE_F_GIFT 8
#define SPLICE_F_ALL 15
#define BATCH 16

static int cache_page_confirm(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	return PageUptodate(buf->page) ? 0 : -EIO;
}

static void page_release(struct pipe_inode_info *pipe, struct pipe_buffer *buf)
{
	put_page(buf->page);
}

const struct pipe_buf_operations page_cache_pipe_buf_ops = {
	.confirm = cache_page_confirm,
	.release = page_release,
};

const struct pipe_buf_operations default_pipe_buf_ops = {
	.release = page_release,
};

/* The pipe must not be full. Consumes the page reference. */
static void push_buffer(struct pipe_inode_info *pipe, const struct pipe_buffer *buf)
{
	*pipe_slot(pipe, pipe->head) = *buf;
	WRITE_ONCE(pipe->head, pipe->head + 1);
}

static void consume(struct pipe_inode_info *pipe, size_t n)
{
	struct pipe_buffer *buf;
	size_t part;

	while (n) {
		buf = pipe_slot(pipe, pipe->tail);
		part = min_t(size_t, n, buf->len);
		buf->offset += part;
		buf->len -= part;
		n -= part;
		if (!buf->len) {
			pipe_buf_release(pipe, buf);
			WRITE_ONCE(pipe->tail, pipe->tail + 1);
		}
	}
}

/* Until the pipe has a free slot; pipe->mutex held. 0 or -errno. */
static int wait_for_space(struct pipe_inode_info *pipe, unsigned int flags)
{
	int err;

	for (;;) {
		if (!pipe->readers) {
			send_sig(SIGPIPE, current, 0);
			return -EPIPE;
		}
		if (!pipe_full(pipe->head, pipe->tail, pipe->ring_size))
			return 0;
		if (flags & SPLICE_F_NONBLOCK)
			return -EAGAIN;
		err = pipe_wait_writable(pipe);
		if (err)
			return err;
	}
}

/* Until the pipe has data: 1; 0: it never will; or -errno. pipe->mutex held. */
static int wait_for_data(struct pipe_inode_info *pipe, unsigned int flags)
{
	int err;

	for (;;) {
		if (!pipe_empty(pipe->head, pipe->tail))
			return 1;
		if (!pipe->writers)
			return 0;
		if (flags & SPLICE_F_NONBLOCK)
			return -EAGAIN;
		err = pipe_wait_readable(pipe);
		if (err)
			return err;
	}
}

/*
 * A piece of a file, within one page: the cached page itself where there is one. A miss is repaired by reading one byte, which makes the
 * file's own read-ahead fill the cache. What the cache does not keep (a hole, a file without cache) is copied.
 */
static ssize_t grab_piece(struct file *in, loff_t pos, size_t n, struct pipe_buffer *buf)
{
	struct address_space *m = in->f_mapping;
	size_t off = offset_in_page(pos);
	loff_t p, size;
	ssize_t got;
	int tries;
	char byte;

	n = min_t(size_t, n, PAGE_SIZE - off);
	for (tries = 0; tries < 2 && m && m->a_ops && m->a_ops->read_folio; tries++) {
		struct page *page = find_get_page(m, pos >> PAGE_SHIFT);

		if (page && PageUptodate(page) && page->mapping == m) {
			size = i_size_read(m->host);
			if (pos >= size) {
				put_page(page);
				return 0;
			}
			n = min_t(loff_t, n, size - pos);
			*buf = (struct pipe_buffer){page, off, (unsigned int)n, &page_cache_pipe_buf_ops, 0};
			return n;
		}
		if (page)
			put_page(page);
		if (tries)
			break;
		p = pos;
		got = kernel_read(in, &byte, 1, &p);
		if (got <= 0)
			return got;
	}
	buf->page = alloc_page(GFP_HIGHUSER);
	if (!buf->page)
		return -ENOMEM;
	p = pos;
	got = kernel_read(in, page_address(buf->page), n, &p);
	if (got <= 0) {
		put_page(buf->page);
		return got;
	}
	buf->offset = 0;
	buf->len = (unsigned int)got;
	buf->ops = &default_pipe_buf_ops;
	buf->flags = 0;
	return got;
}

/**
 * generic_file_splice_read - splice_read of a file with a page cache
 */
ssize_t generic_file_splice_read(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n,
				 unsigned int flags)
{
	struct pipe_buffer buf;
	ssize_t done = 0, got;

	while (n && !pipe_full(pipe->head, pipe->tail, pipe->ring_size)) {
		got = grab_piece(in, *pos, n, &buf);
		if (got <= 0)
			return done ? done : got;
		push_buffer(pipe, &buf);
		*pos += got;
		done += got;
		n -= got;
	}
	return done;
}

ssize_t default_splice_read(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n, unsigned int flags)
{
	unsigned int room = pipe->ring_size - pipe_occupancy(pipe->head, pipe->tail), nr, i;
	struct bio_vec bv[BATCH];
	struct iov_iter it;
	ssize_t got = -ENOMEM, left;

	n = min_t(size_t, n, (size_t)min_t(unsigned int, room, BATCH) << PAGE_SHIFT);
	for (nr = 0; nr << PAGE_SHIFT < n; nr++) {
		bv[nr].bv_page = alloc_page(GFP_HIGHUSER);
		if (!bv[nr].bv_page)
			break;
		bv[nr].bv_offset = 0;
		bv[nr].bv_len = PAGE_SIZE;
	}
	if (!nr)
		return got;
	n = min_t(size_t, n, (size_t)nr << PAGE_SHIFT);
	iov_iter_bvec(&it, ITER_DEST, bv, nr, n);
	got = vfs_iter_read(in, &it, pos, 0);
	for (i = 0, left = got; i < nr; i++, left -= PAGE_SIZE) {
		struct pipe_buffer buf = {bv[i].bv_page, 0, 0, &default_pipe_buf_ops, 0};

		if (left <= 0) {
			put_page(bv[i].bv_page);
			continue;
		}
		buf.len = min_t(size_t, left, PAGE_SIZE);
		push_buffer(pipe, &buf);
	}
	return got;
}

/**
 * iter_file_splice_write - splice_write of any file with write_iter
 */
ssize_t iter_file_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *pos, size_t n,
			       unsigned int flags)
{
	struct bio_vec bv[BATCH];
	struct iov_iter it;
	bool was_full = false;
	ssize_t done = 0, ret = 0;

	mutex_lock(&pipe->mutex);
	while (n) {
		unsigned int i, nr = 0;
		size_t total = 0;

		if (done && pipe_empty(pipe->head, pipe->tail))
			break;
		ret = wait_for_data(pipe, flags);
		if (ret <= 0)
			break;
		for (i = pipe->tail; i != pipe->head && nr < BATCH && total < n; i++, nr++) {
			struct pipe_buffer *buf = pipe_slot(pipe, i);

			ret = pipe_buf_confirm(pipe, buf);
			if (ret)
				break;
			bv[nr].bv_page = buf->page;
			bv[nr].bv_offset = buf->offset;
			bv[nr].bv_len = min_t(size_t, buf->len, n - total);
			total += bv[nr].bv_len;
		}
		if (!nr)
			break;
		iov_iter_bvec(&it, ITER_SOURCE, bv, nr, total);
		ret = vfs_iter_write(out, &it, pos, 0);
		if (ret <= 0)
			break;
		was_full |= pipe_full(pipe->head, pipe->tail, pipe->ring_size);
		consume(pipe, ret);
		done += ret;
		n -= ret;
		if ((size_t)ret < total)
			break;
	}
	mutex_unlock(&pipe->mutex);
	if (was_full)
		pipe_wake_writers(pipe);
	return done ? done : ret;
}

static ssize_t file_to_pipe(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n, unsigned int flags)
{
	ssize_t ret;
	bool was_empty;

	n = min_t(size_t, n, MAX_RW_COUNT);
	mutex_lock(&pipe->mutex);
	ret = wait_for_space(pipe, flags);
	was_empty = pipe_empty(pipe->head, pipe->tail);
	if (!ret)
		ret = (in->f_op->splice_read ? in->f_op->splice_read : default_splice_read)(in, pos, pipe, n, flags);
	mutex_unlock(&pipe->mutex);
	if (ret > 0 && (was_empty || READ_ONCE(pipe->poll_usage)))
		pipe_wake_readers(pipe);
	return ret;
}

static ssize_t pipe_to_file(struct pipe_inode_info *pipe, struct file *out, loff_t *pos, size_t n, unsigned int flags)
{
	if (!out->f_op->splice_write && !out->f_op->write_iter) /* whatever the pipe holds */
		return -EINVAL;
	n = min_t(size_t, n, MAX_RW_COUNT);
	return (out->f_op->splice_write ? out->f_op->splice_write : iter_file_splice_write)(pipe, out, pos, n, flags);
}

static void lock_pipes(struct pipe_inode_info *a, struct pipe_inode_info *b)
{
	if (a > b)
		swap(a, b);
	mutex_lock(&a->mutex);
	mutex_lock(&b->mutex);
}

/* Until the one has data and the other has room; both are then locked. 1, 0 (no data will ever come), or -errno: not locked. */
static int lock_ready(struct pipe_inode_info *in, struct pipe_inode_info *out, unsigned int flags)
{
	bool end;
	int ret;

	for (;;) {
		mutex_lock(&in->mutex);
		ret = wait_for_data(in, flags);
		mutex_unlock(&in->mutex);
		if (ret < 0)
			return ret;
		end = !ret;
		mutex_lock(&out->mutex);
		/* at the end of the one the other need not have room, but a reader */
		ret = end && out->readers ? 0 : wait_for_space(out, flags);
		mutex_unlock(&out->mutex);
		if (ret || end)
			return ret;
		lock_pipes(in, out);
		if (!pipe_empty(in->head, in->tail) && out->readers && !pipe_full(out->head, out->tail, out->ring_size))
			return 1;
		mutex_unlock(&in->mutex);
		mutex_unlock(&out->mutex);
	}
}

/* Buffers from one pipe to the other; copy: they also stay (tee). */
static ssize_t pipe_to_pipe(struct pipe_inode_info *in, struct pipe_inode_info *out, size_t n, unsigned int flags,
			    bool copy)
{
	bool was_full, was_empty;
	unsigned int i;
	ssize_t done = 0;
	int ret = lock_ready(in, out, flags);

	if (ret <= 0)
		return ret;
	was_full = pipe_full(in->head, in->tail, in->ring_size);
	was_empty = pipe_empty(out->head, out->tail);
	for (i = in->tail; n && i != in->head && !pipe_full(out->head, out->tail, out->ring_size); i++) {
		struct pipe_buffer *buf = pipe_slot(in, i), moved = *buf;

		moved.len = min_t(size_t, buf->len, n);
		/* a page that is in two places is nobody's to append to */
		if (copy || moved.len < buf->len) {
			get_page(buf->page);
			buf->flags &= ~PIPE_BUF_FLAG_CAN_MERGE;
			moved.flags &= ~PIPE_BUF_FLAG_CAN_MERGE;
		}
		if (!copy && moved.len < buf->len) {
			buf->offset += moved.len;
			buf->len -= moved.len;
			moved.flags &= ~PIPE_BUF_FLAG_PACKET;
		} else if (!copy) {
			buf->ops = NULL;
			WRITE_ONCE(in->tail, i + 1);
		}
		push_buffer(out, &moved);
		n -= moved.len;
		done += moved.len;
	}
	was_full = was_full && !pipe_full(in->head, in->tail, in->ring_size);
	mutex_unlock(&in->mutex);
	mutex_unlock(&out->mutex);
	if (was_empty || READ_ONCE(out->poll_usage))
		pipe_wake_readers(out);
	if (was_full)
		pipe_wake_writers(in);
	return done;
}

/* Reads the offset that a caller may give, for a file that must be able to seek. */
static int get_offset(struct file *f, unsigned int mode, loff_t __user *u, loff_t *pos)
{
	if (!u) {
		*pos = f->f_pos;
		return 0;
	}
	if (!(f->f_mode & mode))
		return -EINVAL;
	if (copy_from_user(pos, u, sizeof(*pos)))
		return -EFAULT;
	return *pos < 0 ? -EINVAL : 0;
}

static ssize_t put_offset(struct file *f, loff_t __user *u, loff_t pos, ssize_t ret)
{
	if (!u)
		f->f_pos = pos;
	else if (copy_to_user(u, &pos, sizeof(pos)))
		return -EFAULT;
	return ret;
}

static ssize_t do_splice(struct file *in, loff_t __user *off_in, struct file *out, loff_t __user *off_out, size_t n,
			 unsigned int flags)
{
	struct pipe_inode_info *ipipe = get_pipe_info(in), *opipe = get_pipe_info(out);
	ssize_t ret;
	loff_t pos;

	if ((ipipe && off_in) || (opipe && off_out))
		return -ESPIPE;
	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	if (ipipe && opipe) {
		if (ipipe == opipe)
			return -EINVAL;
		if ((in->f_flags | out->f_flags) & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		return pipe_to_pipe(ipipe, opipe, n, flags, false);
	}
	if (ipipe) {
		if (out->f_flags & O_APPEND)
			return -EINVAL;
		if (in->f_flags & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		ret = get_offset(out, FMODE_PWRITE, off_out, &pos);
		if (ret)
			return ret;
		ret = pipe_to_file(ipipe, out, &pos, n, flags);
		return put_offset(out, off_out, pos, ret);
	}
	if (opipe) {
		if (out->f_flags & O_NONBLOCK)
			flags |= SPLICE_F_NONBLOCK;
		ret = get_offset(in, FMODE_PREAD, off_in, &pos);
		if (ret)
			return ret;
		ret = file_to_pipe(in, &pos, opipe, n, flags);
		return put_offset(in, off_in, pos, ret);
	}
	return -EINVAL;
}

SYSCALL_DEFINE6(splice, int, fd_in, loff_t __user *, off_in, int, fd_out, loff_t __user *, off_out, size_t, len,
		unsigned int, flags)
{
	ssize_t ret = -EBADF;
	struct file *in, *out;

	if (!len)
		return 0;
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	in = fget(fd_in);
	if (!in)
		return -EBADF;
	out = fget(fd_out);
	if (out) {
		ret = do_splice(in, off_in, out, off_out, len, flags);
		fput(out);
	}
	fput(in);
	return ret;
}

SYSCALL_DEFINE4(tee, int, fdin, int, fdout, size_t, len, unsigned int, flags)
{
	struct pipe_inode_info *ipipe, *opipe;
	ssize_t ret = -EBADF;
	struct file *in, *out;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!len)
		return 0;
	in = fget(fdin);
	if (!in)
		return -EBADF;
	out = fget(fdout);
	if (!out)
		goto out_in;
	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		goto out_out;
	ipipe = get_pipe_info(in);
	opipe = get_pipe_info(out);
	ret = -EINVAL;
	if (!ipipe || !opipe || ipipe == opipe)
		goto out_out;
	if ((in->f_flags | out->f_flags) & O_NONBLOCK)
		flags |= SPLICE_F_NONBLOCK;
	ret = pipe_to_pipe(ipipe, opipe, len, flags, true);
out_out:
	fput(out);
out_in:
	fput(in);
	return ret;
}

/* ---- vmsplice ---- */

/* A reference to the user page that the iterator stands at; the iterator advances. Bytes or -errno. */
static ssize_t grab_user_piece(struct iov_iter *it, struct pipe_buffer *buf)
{
	unsigned long addr, n;

	if (it->iter_type == ITER_UBUF) {
		addr = (unsigned long)it->ubuf + it->iov_offset;
		n = it->count;
	} else {
		while (it->iov->iov_len == it->iov_offset) {
			it->iov++;
			it->nr_segs--;
			it->iov_offset = 0;
		}
		addr = (unsigned long)it->iov->iov_base + it->iov_offset;
		n = min_t(size_t, it->count, it->iov->iov_len - it->iov_offset);
	}
	n = min(n, PAGE_SIZE - offset_in_page(addr));
	buf->page = get_user_page(current->mm, addr & PAGE_MASK, false);
	if (!buf->page || IS_ERR(buf->page))
		return -EFAULT;
	buf->offset = offset_in_page(addr);
	buf->len = (unsigned int)n;
	buf->ops = &default_pipe_buf_ops;
	buf->flags = 0;
	iov_iter_advance(it, n);
	return n;
}

static ssize_t user_to_pipe(struct pipe_inode_info *pipe, struct iov_iter *it, unsigned int flags)
{
	struct pipe_buffer buf;
	ssize_t done = 0, got = 0;
	bool was_empty;
	int err;

	while (iov_iter_count(it)) {
		got = grab_user_piece(it, &buf);
		if (got < 0)
			break;
		mutex_lock(&pipe->mutex);
		if (done && pipe_full(pipe->head, pipe->tail, pipe->ring_size))
			err = -EAGAIN; /* what is done is enough */
		else
			err = wait_for_space(pipe, flags);
		if (err)
			got = err;
		was_empty = pipe_empty(pipe->head, pipe->tail);
		if (got > 0)
			push_buffer(pipe, &buf);
		mutex_unlock(&pipe->mutex);
		if (got < 0) {
			put_page(buf.page);
			break;
		}
		done += got;
		if (was_empty || READ_ONCE(pipe->poll_usage))
			pipe_wake_readers(pipe);
	}
	return done ? done : got;
}

static ssize_t pipe_to_user(struct file *f, struct iov_iter *it, unsigned int flags)
{
	struct kiocb k;

	init_sync_kiocb(&k, f);
	if (flags & SPLICE_F_NONBLOCK)
		k.ki_flags |= IOCB_NOWAIT;
	return f->f_op->read_iter(&k, it);
}

SYSCALL_DEFINE4(vmsplice, int, fd, const struct iovec __user *, uiov, unsigned long, nr, unsigned int, flags)
{
	struct iovec stack[8], *iov = stack;
	struct pipe_inode_info *pipe;
	struct iov_iter it;
	struct file *f;
	ssize_t ret;
	int dir;

	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	f = fget(fd);
	if (!f)
		return -EBADF;
	ret = -EBADF;
	if (!(f->f_mode & (FMODE_READ | FMODE_WRITE)))
		goto out;
	pipe = get_pipe_info(f);
	if (!pipe)
		goto out;
	dir = f->f_mode & FMODE_WRITE ? ITER_SOURCE : ITER_DEST;
	ret = import_iovec(dir, uiov, (unsigned int)nr, ARRAY_SIZE(stack), &iov, &it);
	if (ret < 0)
		goto out;
	if (!iov_iter_count(&it))
		ret = 0;
	else
		ret = dir == ITER_SOURCE ? user_to_pipe(pipe, &it, flags) : pipe_to_user(f, &it, flags);
	kfree(iov);
out:
	fput(f);
	return ret;
}

/* ---- sendfile ---- */

/* One batch from file to file. Bytes written, 0 at the end, or -errno; *pos moves by what was written. */
static ssize_t send_batch(struct file *in, loff_t *pos, struct file *out, loff_t *opos, size_t n, bool *stop)
{
	struct pipe_buffer buf;
	struct bio_vec bv[BATCH];
	struct iov_iter it;
	unsigned int nr, i;
	size_t total = 0;
	ssize_t got = 0;

	for (nr = 0; nr < BATCH && total < n; nr++) {
		got = grab_piece(in, *pos + total, n - total, &buf);
		if (got <= 0)
			break;
		bv[nr] = (struct bio_vec){buf.page, buf.len, buf.offset};
		total += got;
	}
	if (!nr)
		return got;
	*stop = got <= 0;
	iov_iter_bvec(&it, ITER_SOURCE, bv, nr, total);
	got = vfs_iter_write(out, &it, opos, 0);
	for (i = 0; i < nr; i++)
		put_page(bv[i].bv_page);
	if (got > 0)
		*pos += got;
	if (got < 0 || (size_t)got < total)
		*stop = true;
	return got;
}

static ssize_t send_loop(struct file *in, loff_t *pos, struct file *out, size_t n)
{
	struct pipe_inode_info *opipe = get_pipe_info(out);
	unsigned int flags = out->f_flags & O_NONBLOCK ? SPLICE_F_NONBLOCK : 0;
	loff_t opos = out->f_pos;
	ssize_t done = 0, got = 0;
	bool stop = false;

	while (n && !stop) {
		if (done && signal_pending(current))
			break;
		if (opipe)
			got = file_to_pipe(in, pos, opipe, n, flags);
		else
			got = send_batch(in, pos, out, &opos, n, &stop);
		if (got <= 0)
			break;
		done += got;
		n -= got;
	}
	if (!opipe)
		out->f_pos = opos;
	return done ? done : got;
}

static ssize_t do_sendfile(int out_fd, int in_fd, loff_t *ppos, size_t n)
{
	struct file *in = fget(in_fd), *out;
	ssize_t ret = -EBADF;
	loff_t pos;

	if (!in)
		return -EBADF;
	if (!(in->f_mode & FMODE_READ))
		goto out_in;
	ret = -ESPIPE;
	if (ppos && !(in->f_mode & FMODE_PREAD))
		goto out_in;
	ret = -EBADF;
	out = fget(out_fd);
	if (!out)
		goto out_in;
	if (!(out->f_mode & FMODE_WRITE))
		goto out_out;
	ret = -EINVAL;
	pos = ppos ? *ppos : in->f_pos;
	if (pos < 0 || (ssize_t)n < 0 || !(in->f_mode & FMODE_LSEEK))
		goto out_out;
	if (!get_pipe_info(out) && (out->f_flags & O_APPEND))
		goto out_out;
	ret = send_loop(in, &pos, out, min_t(size_t, n, MAX_RW_COUNT));
	if (ppos)
		*ppos = pos;
	else
		in->f_pos = pos;
out_out:
	fput(out);
out_in:
	fput(in);
	return ret;
}

SYSCALL_DEFINE4(sendfile, int, out_fd, int, in_fd, loff_t __user *, offset, size_t, count)
{
	ssize_t ret;
	loff_t pos;

	if (!offset)
		return do_sendfile(out_fd, in_fd, NULL, count);
	if (copy_from_user(&pos, offset, sizeof(pos)))
		return -EFAULT;
	ret = do_sendfile(out_fd, in_fd, &pos, count);
	if (copy_to_user(offset, &pos, sizeof(pos)))
		return -EFAULT;
	return ret;
}
