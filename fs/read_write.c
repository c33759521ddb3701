// SPDX-License-Identifier: Apache-2.0
/* read(2), write(2), lseek(2) and their kin. */
#include "internal.h"
#include <linux/fs.h>

#define KNOWN_RWF (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)

/* The range is sane: the count to use, or -errno. */
static inline ssize_t rw_verify(const struct file *f, const loff_t *pos, size_t n)
{
	if (unlikely((ssize_t)n < 0))
		return -EINVAL;
	if (unlikely(*pos < 0 && !(f->f_mode & FMODE_STREAM)))
		return -EINVAL;
	if (unlikely((u64)*pos + n > INT64_MAX))
		return -EOVERFLOW;
	return n > MAX_RW_COUNT ? MAX_RW_COUNT : n;
}

static inline struct kiocb iocb_at(struct file *f, loff_t pos)
{
	struct kiocb k;

	init_sync_kiocb(&k, f);
	if (unlikely((f->f_flags & O_SYNC) == O_SYNC))
		k.ki_flags |= IOCB_SYNC;
	k.ki_pos = pos;
	return k;
}

/* A file with read (write) but no iterator form: segment by segment. */
static ssize_t loop_iter(struct file *f, struct iov_iter *i, loff_t *pos, bool write)
{
	ssize_t done = 0;

	while (iov_iter_count(i)) {
		char __user *p;
		size_t n;
		ssize_t r;

		if (i->iter_type == ITER_UBUF) {
			p = (char *)i->ubuf + i->iov_offset;
			n = i->count;
		} else if (i->iter_type == ITER_IOVEC) {
			p = (char *)i->iov->iov_base + i->iov_offset;
			n = min(i->iov->iov_len - i->iov_offset, i->count);
		} else {
			return -EINVAL;
		}
		if (n) {
			r = write ? f->f_op->write(f, p, n, pos) : f->f_op->read(f, p, n, pos);
			if (r < 0)
				return done ? done : r;
			done += r;
			if (r != n)
				break;
			iov_iter_advance(i, r);
		} else {
			i->iov++;
			i->nr_segs--;
			i->iov_offset = 0;
		}
	}
	return done;
}

static inline void account_read(ssize_t r)
{
	if (r > 0)
		current->rchar += r;
	current->syscr++;
}

static inline void account_write(ssize_t r)
{
	if (r > 0)
		current->wchar += r;
	current->syscw++;
}

ssize_t vfs_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	ssize_t r;

	if (unlikely(!(f->f_mode & FMODE_READ)))
		return -EBADF;
	if (unlikely(!(f->f_mode & FMODE_CAN_READ)))
		return S_ISDIR(file_inode(f)->i_mode) ? -EISDIR : -EINVAL;
	if (unlikely(!access_ok(buf, n)))
		return -EFAULT;
	r = rw_verify(f, pos, n);
	if (unlikely(r < 0))
		return r;
	n = r;
	if (f->f_op->read) {
		r = f->f_op->read(f, buf, n, pos);
	} else {
		struct kiocb k = iocb_at(f, *pos);
		struct iov_iter i;

		iov_iter_ubuf(&i, ITER_DEST, buf, n);
		r = f->f_op->read_iter(&k, &i);
		*pos = k.ki_pos;
	}
	if (r > 0)
		fsnotify_file(f, FS_ACCESS);
	account_read(r);
	return r;
}

ssize_t vfs_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	ssize_t r;

	if (unlikely(!(f->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (unlikely(!(f->f_mode & FMODE_CAN_WRITE)))
		return -EINVAL;
	if (unlikely(!access_ok(buf, n)))
		return -EFAULT;
	r = rw_verify(f, pos, n);
	if (unlikely(r < 0))
		return r;
	n = r;
	if (f->f_op->write) {
		r = f->f_op->write(f, buf, n, pos);
	} else {
		struct kiocb k = iocb_at(f, *pos);
		struct iov_iter i;

		iov_iter_ubuf(&i, ITER_SOURCE, (void *)buf, n);
		r = f->f_op->write_iter(&k, &i);
		if (r > 0)
			*pos = k.ki_pos;
	}
	if (r > 0)
		fsnotify_file(f, FS_MODIFY);
	account_write(r);
	return r;
}

/* Through an iterator of any kind; flags: RWF_*. */
static ssize_t do_iter(struct file *f, struct iov_iter *i, loff_t *pos, int flags, bool write)
{
	struct kiocb k;
	ssize_t r;

	if (!(f->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (!(f->f_mode & (write ? FMODE_CAN_WRITE : FMODE_CAN_READ)))
		return S_ISDIR(file_inode(f)->i_mode) ? -EISDIR : -EINVAL;
	r = rw_verify(f, pos, iov_iter_count(i));
	if (r <= 0)
		return r;
	iov_iter_truncate(i, r);
	if (!(write ? (void *)f->f_op->write_iter : (void *)f->f_op->read_iter)) {
		if (flags & ~RWF_HIPRI)
			return -EOPNOTSUPP;
		r = loop_iter(f, i, pos, write);
		goto done;
	}
	k = iocb_at(f, *pos);
	if (flags & RWF_APPEND)
		k.ki_flags |= IOCB_APPEND;
	if (flags & RWF_DSYNC)
		k.ki_flags |= IOCB_DSYNC;
	if (flags & RWF_SYNC)
		k.ki_flags |= IOCB_DSYNC | IOCB_SYNC;
	if (flags & RWF_NOWAIT)
		k.ki_flags |= IOCB_NOWAIT;
	r = write ? f->f_op->write_iter(&k, i) : f->f_op->read_iter(&k, i);
	if (r > 0 || !write)
		*pos = k.ki_pos;
done:
	if (r > 0)
		fsnotify_file(f, write ? FS_MODIFY : FS_ACCESS);
	if (write)
		account_write(r);
	else
		account_read(r);
	return r;
}

ssize_t vfs_iter_read(struct file *f, struct iov_iter *i, loff_t *pos, int flags)
{
	return do_iter(f, i, pos, flags, false);
}

ssize_t vfs_iter_write(struct file *f, struct iov_iter *i, loff_t *pos, int flags)
{
	return do_iter(f, i, pos, flags, true);
}

ssize_t kernel_read(struct file *f, void *buf, size_t n, loff_t *pos)
{
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct iov_iter i;

	if (!f->f_op->read_iter)
		return -EINVAL;
	iov_iter_kvec(&i, ITER_DEST, &v, 1, n);
	return vfs_iter_read(f, &i, pos, 0);
}

ssize_t kernel_write(struct file *f, const void *buf, size_t n, loff_t *pos)
{
	struct iovec v = {.iov_base = (void *)buf, .iov_len = n};
	struct iov_iter i;

	if (!f->f_op->write_iter)
		return -EINVAL;
	iov_iter_kvec(&i, ITER_SOURCE, &v, 1, n);
	return vfs_iter_write(f, &i, pos, 0);
}

static ssize_t rwv(struct file *f, const struct iovec __user *v, unsigned long nr, loff_t *pos, int flags, bool write)
{
	struct iovec fast[UIO_FASTIOV], *iov = fast;
	struct iov_iter i;
	ssize_t r;

	if (flags & ~KNOWN_RWF)
		return -EOPNOTSUPP;
	if (nr > UIO_MAXIOV)
		return -EINVAL;
	if (!(f->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	r = import_iovec(write ? ITER_SOURCE : ITER_DEST, v, nr, UIO_FASTIOV, &iov, &i);
	if (r < 0)
		return r;
	r = do_iter(f, &i, pos, flags, write);
	kfree(iov);
	return r;
}

ssize_t vfs_readv(struct file *f, const struct iovec __user *v, unsigned long nr, loff_t *pos, int flags)
{
	return rwv(f, v, nr, pos, flags, false);
}

ssize_t vfs_writev(struct file *f, const struct iovec __user *v, unsigned long nr, loff_t *pos, int flags)
{
	return rwv(f, v, nr, pos, flags, true);
}

/* ---- system calls ---- */
static inline loff_t file_pos(const struct file *f)
{
	return f->f_mode & FMODE_STREAM ? 0 : f->f_pos;
}

static inline void file_set_pos(struct file *f, loff_t pos)
{
	if (!(f->f_mode & FMODE_STREAM))
		f->f_pos = pos;
}

SYSCALL_DEFINE3(read, unsigned, fd, char __user *, buf, size_t, n)
{
	struct fd f = fdget_pos(fd);
	loff_t pos;
	ssize_t r;

	if (unlikely(!f.file))
		return -EBADF;
	pos = file_pos(f.file);
	r = vfs_read(f.file, buf, n, &pos);
	if (r >= 0)
		file_set_pos(f.file, pos);
	fdput_pos(f);
	return r;
}

SYSCALL_DEFINE3(write, unsigned, fd, const char __user *, buf, size_t, n)
{
	struct fd f = fdget_pos(fd);
	loff_t pos;
	ssize_t r;

	if (unlikely(!f.file))
		return -EBADF;
	pos = file_pos(f.file);
	r = vfs_write(f.file, buf, n, &pos);
	if (r >= 0)
		file_set_pos(f.file, pos);
	fdput_pos(f);
	return r;
}

SYSCALL_DEFINE4(pread64, unsigned, fd, char __user *, buf, size_t, n, loff_t, pos)
{
	struct fd f;
	ssize_t r;

	if (pos < 0)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = f.file->f_mode & FMODE_PREAD ? vfs_read(f.file, buf, n, &pos) : -ESPIPE;
	fdput(f);
	return r;
}

SYSCALL_DEFINE4(pwrite64, unsigned, fd, const char __user *, buf, size_t, n, loff_t, pos)
{
	struct fd f;
	ssize_t r;

	if (pos < 0)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = f.file->f_mode & FMODE_PWRITE ? vfs_write(f.file, buf, n, &pos) : -ESPIPE;
	fdput(f);
	return r;
}

static ssize_t do_rwv(unsigned fd, const struct iovec __user *v, unsigned long nr, int flags, bool write)
{
	struct fd f = fdget_pos(fd);
	loff_t pos;
	ssize_t r;

	if (!f.file)
		return -EBADF;
	pos = file_pos(f.file);
	r = rwv(f.file, v, nr, &pos, flags, write);
	if (r >= 0)
		file_set_pos(f.file, pos);
	fdput_pos(f);
	return r;
}

static ssize_t do_prwv(unsigned fd, const struct iovec __user *v, unsigned long nr, loff_t pos, int flags, bool write)
{
	struct fd f;
	ssize_t r;

	if (pos < 0)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	r = -ESPIPE;
	if (f.file->f_mode & (write ? FMODE_PWRITE : FMODE_PREAD))
		r = rwv(f.file, v, nr, &pos, flags, write);
	fdput(f);
	return r;
}

SYSCALL_DEFINE3(readv, unsigned long, fd, const struct iovec __user *, v, unsigned long, nr)
{
	return do_rwv(fd, v, nr, 0, false);
}

SYSCALL_DEFINE3(writev, unsigned long, fd, const struct iovec __user *, v, unsigned long, nr)
{
	return do_rwv(fd, v, nr, 0, true);
}

SYSCALL_DEFINE4(preadv, unsigned long, fd, const struct iovec __user *, v, unsigned long, nr, loff_t, pos)
{
	return do_prwv(fd, v, nr, pos, 0, false);
}

SYSCALL_DEFINE4(pwritev, unsigned long, fd, const struct iovec __user *, v, unsigned long, nr, loff_t, pos)
{
	return do_prwv(fd, v, nr, pos, 0, true);
}

/* pos in two registers, of which x86-64 uses the first; -1: the file's own position */
SYSCALL_DEFINE6(preadv2, unsigned long, fd, const struct iovec __user *, v, unsigned long, nr, loff_t, pos,
		unsigned long, pos_h, int, flags)
{
	return pos == -1 ? do_rwv(fd, v, nr, flags, false) : do_prwv(fd, v, nr, pos, flags, false);
}

SYSCALL_DEFINE6(pwritev2, unsigned long, fd, const struct iovec __user *, v, unsigned long, nr, loff_t, pos,
		unsigned long, pos_h, int, flags)
{
	return pos == -1 ? do_rwv(fd, v, nr, flags, true) : do_prwv(fd, v, nr, pos, flags, true);
}

SYSCALL_DEFINE3(lseek, unsigned, fd, loff_t, off, unsigned, whence)
{
	struct fd f = fdget_pos(fd);
	loff_t r;

	if (!f.file)
		return -EBADF;
	if (whence > SEEK_HOLE)
		r = -EINVAL;
	else if (!(f.file->f_mode & FMODE_LSEEK))
		r = -ESPIPE;
	else
		r = f.file->f_op->llseek(f.file, off, whence);
	fdput_pos(f);
	return r;
}

/* ---- seeking ---- */
loff_t vfs_setpos(struct file *f, loff_t off, loff_t max)
{
	if (off < 0 || off > max)
		return -EINVAL;
	if (off != f->f_pos)
		f->f_pos = off;
	return off;
}

loff_t generic_file_llseek_size(struct file *f, loff_t off, int whence, loff_t max, loff_t eof)
{
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_END:
		off += eof;
		break;
	case SEEK_CUR:
		if (off == 0)
			return f->f_pos;
		if (__builtin_add_overflow(f->f_pos, off, &off))
			return -EOVERFLOW;
		break;
	case SEEK_DATA:
		if ((u64)off >= (u64)eof)
			return -ENXIO;
		break;
	case SEEK_HOLE:
		if ((u64)off >= (u64)eof)
			return -ENXIO;
		off = eof;
		break;
	default:
		return -EINVAL;
	}
	return vfs_setpos(f, off, max);
}

loff_t generic_file_llseek(struct file *f, loff_t off, int whence)
{
	struct inode *i = f->f_mapping->host;

	return generic_file_llseek_size(f, off, whence, i->i_sb->s_maxbytes, i_size_read(i));
}

loff_t fixed_size_llseek(struct file *f, loff_t off, int whence, loff_t size)
{
	if (whence > SEEK_END)
		return -EINVAL;
	return generic_file_llseek_size(f, off, whence, size, size);
}

loff_t no_llseek(struct file *f, loff_t off, int whence)
{
	return -ESPIPE;
}

loff_t noop_llseek(struct file *f, loff_t off, int whence)
{
	return f->f_pos;
}

loff_t default_llseek(struct file *f, loff_t off, int whence)
{
	return generic_file_llseek_size(f, off, whence, INT64_MAX, i_size_read(file_inode(f)));
}

/* ---- checks before a write ---- */
ssize_t generic_write_checks(struct kiocb *k, struct iov_iter *from)
{
	struct inode *i = k->ki_filp->f_mapping->host;
	u64 limit = rlimit(RLIMIT_FSIZE);

	if (!iov_iter_count(from))
		return 0;
	if (k->ki_flags & IOCB_APPEND)
		k->ki_pos = i_size_read(i);
	if (unlikely(limit != RLIM_INFINITY)) {
		if (k->ki_pos >= limit) {
			send_sig(SIGXFSZ, current, 0);
			return -EFBIG;
		}
		iov_iter_truncate(from, limit - k->ki_pos);
	}
	if (unlikely(k->ki_pos >= i->i_sb->s_maxbytes))
		return -EFBIG;
	iov_iter_truncate(from, i->i_sb->s_maxbytes - k->ki_pos);
	return iov_iter_count(from);
}

/* ---- copy_file_range ---- */
/* Who copies must know both sides: a file system itself, or the page cache of one. Else callers are to read and write. */
static bool may_copy(struct file *in, struct file *out)
{
	if (out->f_op->copy_file_range)
		return in->f_op->copy_file_range == out->f_op->copy_file_range;
	return d_inode(in->f_path.dentry)->i_sb == d_inode(out->f_path.dentry)->i_sb;
}

static int copy_range_checks(struct file *in, loff_t pin, struct file *out, loff_t pout, size_t *n)
{
	struct inode *ii = d_inode(in->f_path.dentry), *oi = d_inode(out->f_path.dentry);
	loff_t size = i_size_read(in->f_mapping->host);

	if (S_ISDIR(ii->i_mode) || S_ISDIR(oi->i_mode))
		return -EISDIR;
	if (!S_ISREG(ii->i_mode) || !S_ISREG(oi->i_mode))
		return -EINVAL;
	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE) || (out->f_flags & O_APPEND))
		return -EBADF;
	if (!may_copy(in, out))
		return -EXDEV;
	if (pin < 0 || pout < 0)
		return -EINVAL;
	if ((u64)pin + *n > INT64_MAX || (u64)pout + *n > INT64_MAX)
		return -EOVERFLOW;
	*n = pin >= size ? 0 : min_t(u64, *n, size - pin);
	if (ii == oi && (u64)pout + *n > (u64)pin && (u64)pout < (u64)pin + *n)
		return -EINVAL;
	return 0;
}

/* Through a buffer: both sides go by way of their page cache. */
static ssize_t copy_by_buffer(struct file *in, loff_t *pin, struct file *out, loff_t *pout, size_t n)
{
	size_t chunk = min_t(size_t, max_t(size_t, n, PAGE_SIZE), 16 * PAGE_SIZE);
	char *buf = kmalloc(chunk, GFP_KERNEL);
	ssize_t done = 0, r = 0, w;

	if (!buf)
		return -ENOMEM;
	while (n) {
		r = kernel_read(in, buf, min(n, chunk), pin);
		if (r <= 0)
			break;
		w = kernel_write(out, buf, r, pout);
		if (w != r)
			*pin -= r - max_t(ssize_t, w, 0);
		if (w > 0) {
			done += w;
			n -= w;
		}
		if (w != r) {
			r = w;
			break;
		}
		if (fatal_signal_pending(current))
			break;
	}
	kfree(buf);
	return done ? done : r;
}

static ssize_t copy_range(struct file *in, loff_t *pin, struct file *out, loff_t *pout, size_t n)
{
	ssize_t r = copy_range_checks(in, *pin, out, *pout, &n);

	if (r || !n)
		return r;
	if (n > MAX_RW_COUNT)
		n = MAX_RW_COUNT;
	if (out->f_op->copy_file_range && out->f_op->copy_file_range == in->f_op->copy_file_range) {
		r = out->f_op->copy_file_range(in, *pin, out, *pout, n, 0);
		if (r > 0) {
			*pin += r;
			*pout += r;
		}
		if (r != -EOPNOTSUPP && r != -EXDEV)
			return r;
	}
	if (!in->f_op->read_iter || !out->f_op->write_iter)
		return -EINVAL;
	return copy_by_buffer(in, pin, out, pout, n);
}

SYSCALL_DEFINE6(copy_file_range, int, fd_in, loff_t __user *, uin, int, fd_out, loff_t __user *, uout, size_t, n,
		unsigned, flags)
{
	struct fd in, out;
	loff_t pin, pout;
	ssize_t r = -EBADF;

	if (flags)
		return -EINVAL;
	in = fdget(fd_in);
	if (!in.file)
		return -EBADF;
	out = fdget(fd_out);
	if (!out.file)
		goto out_in;
	pin = in.file->f_pos;
	pout = out.file->f_pos;
	r = -EFAULT;
	if ((uin && copy_from_user(&pin, uin, sizeof(pin))) || (uout && copy_from_user(&pout, uout, sizeof(pout))))
		goto out;
	r = copy_range(in.file, &pin, out.file, &pout, n);
	if (r <= 0)
		goto out;
	if (!uin)
		in.file->f_pos = pin;
	else if (put_user(pin, uin))
		r = -EFAULT;
	if (!uout)
		out.file->f_pos = pout;
	else if (put_user(pout, uout))
		r = -EFAULT;
out:
	fdput(out);
out_in:
	fdput(in);
	return r;
}
