// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE files: open, reading through the page cache, synchronisation, and the calls the server does for us.
 *
 * DOC: opening without messages
 *
 * The server finds a file by its node and opens it when data is first wanted, so opening for reading
 * costs no message if it is plain that the server may read it: anyone may, or it has shown that it can
 * before. Opening for writing is always told: errors belong to open(2), and the server must keep a
 * writable descriptor for as long as we may write. CREATE leaves one open as well, which the
 * first open for writing takes over (FUSE_I_OPEN_CREDIT).
 */
#include "fuse_i.h"

static int fuse_send_open(struct fuse_conn *fc, struct inode *i, u32 opcode, u32 flags)
{
	struct fuse_req *req = fuse_get_req(fc, opcode, get_node_id(i));
	struct fuse_open_in *in;
	int err;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->flags = flags;
	err = fuse_send(fc, req, sizeof(struct fuse_open_out));
	fuse_put_req(req);
	return err;
}

static int fuse_open_read(struct fuse_conn *fc, struct inode *i, bool dir)
{
	bool *off = dir ? &fc->no_opendir : &fc->no_open;
	struct fuse_inode *fi = get_fuse_inode(i);
	int err;

	if ((i->i_mode & S_IROTH) || *off || test_bit(FUSE_I_OPENED, &fi->state))
		return 0;
	err = fuse_send_open(fc, i, dir ? FUSE_OPENDIR : FUSE_OPEN, O_RDONLY);
	if (err == -ENOSYS)
		*off = true;
	else if (err)
		return err;
	set_bit(FUSE_I_OPENED, &fi->state);
	return 0;
}

static int fuse_open_write(struct fuse_conn *fc, struct inode *i, u32 flags)
{
	int err;

	if (fc->no_open || test_and_clear_bit(FUSE_I_OPEN_CREDIT, &get_fuse_inode(i)->state))
		return 0;
	err = fuse_send_open(fc, i, FUSE_OPEN, flags & O_ACCMODE);
	if (err == -ENOSYS) {
		fc->no_open = true;
		err = 0;
	}
	return err;
}

int fuse_open_common(struct inode *i, struct file *f, bool dir)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	int err = 0;

	if (!fc->readonly && !fuse_attr_fresh(i) && !test_bit(FUSE_I_MTIME_OURS, &get_fuse_inode(i)->state))
		err = fuse_update_attr(i); /* drops stale pages: what is read after this open is what is there */
	if (err)
		return err;
	if (!dir && (f->f_mode & FMODE_WRITE))
		return fuse_open_write(fc, i, f->f_flags);
	return fuse_open_read(fc, i, dir);
}

static int fuse_file_open(struct inode *i, struct file *f)
{
	int err = generic_file_open(i, f);

	if (!err)
		err = fuse_open_common(i, f, false);
	if (!err && unlikely(test_bit(FUSE_I_PF_MARK, &get_fuse_inode(i)->state)))
		fuse_prefetch_more(get_fuse_conn(i), i);
	return err;
}

void fuse_release_write(struct inode *i, u32 flags)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req;
	struct fuse_release_in *in;

	if (fc->no_open)
		return;
	req = fuse_get_req(fc, FUSE_RELEASE, get_node_id(i));
	if (!req)
		return; /* the server keeps it open until the inode is forgotten */
	in = fuse_arg(req, sizeof(*in));
	in->flags = flags & O_ACCMODE;
	fuse_send_background(fc, req, true);
}

static int fuse_write_back(struct inode *i)
{
	if (!READ_ONCE(i->i_mapping->nrdirty))
		return 0;
	return filemap_write_and_wait_range(i->i_mapping, 0, INT64_MAX);
}

static int fuse_file_release(struct inode *i, struct file *f)
{
	if (f->f_mode & FMODE_WRITE) {
		fuse_write_back(i); /* of a shared mapping; errors were close's or fsync's to tell */
		fuse_release_write(i, f->f_flags);
	}
	return 0;
}

static int fuse_file_flush(struct file *f)
{
	struct inode *i = file_inode(f);
	struct fuse_conn *fc = get_fuse_conn(i);
	int err;

	if (!(f->f_mode & FMODE_WRITE))
		return 0;
	err = fuse_write_back(i);
	if (err || fc->no_flush)
		return err;
	struct fuse_req *req = fuse_get_req(fc, FUSE_FLUSH, get_node_id(i));

	if (!req)
		return -ENOMEM;
	fuse_arg(req, sizeof(struct fuse_flush_in));
	err = fuse_send(fc, req, 0);
	fuse_put_req(req);
	if (err == -ENOSYS) {
		fc->no_flush = true;
		err = 0;
	}
	return err;
}

static int fuse_fsync(struct file *f, loff_t start, loff_t end, int datasync)
{
	struct inode *i = file_inode(f);
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_fsync_in *in;
	struct fuse_req *req;
	int err;

	err = filemap_write_and_wait_range(i->i_mapping, start, end);
	if (err || fc->no_fsync)
		return err;
	req = fuse_get_req(fc, FUSE_FSYNC, get_node_id(i));
	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->fsync_flags = datasync ? FUSE_FSYNC_FDATASYNC : 0;
	err = fuse_send(fc, req, 0);
	fuse_put_req(req);
	if (err == -ENOSYS) {
		fc->no_fsync = true;
		err = 0;
	}
	return err;
}

/* ---- reading ---- */

static ssize_t fuse_read_iter(struct kiocb *k, struct iov_iter *to)
{
	struct inode *i = file_inode(k->ki_filp);

	/* the host may write to the file as well: do not end at an old end, nor show pages older than the attributes may be */
	if (!fuse_attr_fresh(i) && (!test_bit(FUSE_I_MTIME_OURS, &get_fuse_inode(i)->state) ||
				    k->ki_pos + (loff_t)iov_iter_count(to) > i_size_read(i))) {
		int err = fuse_update_attr(i);

		if (err)
			return err;
	}
	return generic_file_read_iter(k, to);
}

/* ---- mapping ---- */

static const struct vm_operations_struct fuse_shared_vm_ops = {
	.fault = filemap_fault,
	.page_mkwrite = fuse_page_mkwrite,
	.flags = VM_OPS_FAULT_AROUND,
};

static int fuse_file_mmap(struct file *f, struct vm_area_struct *vma)
{
	int err = generic_file_mmap(f, vma);

	if (!err && (vma->vm_flags & VM_SHARED) && (f->f_mode & FMODE_WRITE))
		vma->vm_ops = &fuse_shared_vm_ops;
	return err;
}

/* ---- calls the server does ---- */

static loff_t fuse_lseek_data(struct file *f, loff_t off, int whence)
{
	struct inode *i = file_inode(f);
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_lseek_in *in;
	struct fuse_req *req;
	loff_t res;

	res = fuse_write_back(i);
	if (res)
		return res;
	if (fc->no_lseek)
		return generic_file_llseek(f, off, whence);
	req = fuse_get_req(fc, FUSE_LSEEK, get_node_id(i));
	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->offset = off;
	in->whence = whence;
	res = fuse_send(fc, req, sizeof(struct fuse_lseek_out));
	if (!res)
		res = vfs_setpos(f, req->out.lseek.offset, i->i_sb->s_maxbytes);
	fuse_put_req(req);
	if (res == -ENOSYS) {
		fc->no_lseek = true;
		res = generic_file_llseek(f, off, whence);
	}
	return res;
}

static loff_t fuse_llseek(struct file *f, loff_t off, int whence)
{
	struct inode *i = file_inode(f);

	if (whence == SEEK_HOLE || whence == SEEK_DATA)
		return off < 0 ? -ENXIO : fuse_lseek_data(f, off, whence);
	if (whence == SEEK_END && !fuse_attr_fresh(i) && !get_fuse_conn(i)->readonly) {
		int err = fuse_update_attr(i);

		if (err)
			return err;
	}
	return generic_file_llseek(f, off, whence);
}

static long fuse_send_fallocate(struct fuse_conn *fc, struct inode *i, int mode, loff_t off, loff_t len)
{
	struct fuse_req *req = fuse_get_req(fc, FUSE_FALLOCATE, get_node_id(i));
	struct fuse_fallocate_in *in;
	long err;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->offset = off;
	in->length = len;
	in->mode = mode;
	err = fuse_send(fc, req, 0);
	fuse_put_req(req);
	return err;
}

static long fuse_fallocate(struct file *f, int mode, loff_t off, loff_t len)
{
	struct inode *i = file_inode(f);
	struct fuse_conn *fc = get_fuse_conn(i);
	bool data = mode & ~FALLOC_FL_KEEP_SIZE; /* does the content change? */
	long err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) || fc->no_fallocate)
		return -EOPNOTSUPP;
	inode_lock(i);
	err = data ? fuse_write_back(i) : 0;
	if (!err)
		err = file_remove_privs(f);
	if (!err)
		err = fuse_send_fallocate(fc, i, mode, off, len);
	if (err == -ENOSYS) {
		fc->no_fallocate = true;
		err = -EOPNOTSUPP;
	}
	if (!err) {
		if (!(mode & FALLOC_FL_KEEP_SIZE))
			fuse_size_changed(i, off + len, true);
		else
			fuse_size_changed(i, 0, true);
		if (data) {
			unmap_mapping_range(i->i_mapping, off & PAGE_MASK, PAGE_ALIGN(off + len) - (off & PAGE_MASK),
					    false);
			truncate_inode_pages_range(i->i_mapping, off & PAGE_MASK, PAGE_ALIGN(off + len) - 1);
		}
	}
	inode_unlock(i);
	return err;
}

static ssize_t fuse_send_copy(struct fuse_conn *fc, struct inode *in_i, loff_t pin, struct inode *out_i, loff_t pout,
			      size_t n)
{
	struct fuse_req *req = fuse_get_req(fc, FUSE_COPY_FILE_RANGE, get_node_id(in_i));
	struct fuse_copy_file_range_in *in;
	ssize_t ret;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->off_in = pin;
	in->nodeid_out = get_node_id(out_i);
	in->off_out = pout;
	in->len = min_t(size_t, n, 1u << 30);
	ret = fuse_send(fc, req, sizeof(struct fuse_write_out));
	if (!ret)
		ret = min_t(size_t, req->out.write.size, n);
	fuse_put_req(req);
	return ret;
}

static ssize_t fuse_copy_file_range(struct file *in, loff_t pin, struct file *out, loff_t pout, size_t n,
				    unsigned flags)
{
	struct inode *si = file_inode(in), *di = file_inode(out);
	struct fuse_conn *fc = get_fuse_conn(di);
	ssize_t ret;

	if (si->i_sb != di->i_sb || fc->no_copy)
		return -EXDEV;
	ret = fuse_write_back(si);
	if (ret)
		return ret;
	inode_lock(di);
	ret = fuse_write_back(di);
	if (!ret)
		ret = file_remove_privs(out);
	if (!ret)
		ret = fuse_send_copy(fc, si, pin, di, pout, n);
	if (ret > 0) {
		loff_t end = pout + ret;

		fuse_size_changed(di, end, true);
		unmap_mapping_range(di->i_mapping, pout & PAGE_MASK, PAGE_ALIGN(end) - (pout & PAGE_MASK), false);
		truncate_inode_pages_range(di->i_mapping, pout & PAGE_MASK, PAGE_ALIGN(end) - 1);
	}
	inode_unlock(di);
	if (ret == -ENOSYS || ret == -EOPNOTSUPP) {
		fc->no_copy |= ret == -ENOSYS;
		ret = -EXDEV; /* the caller copies by itself */
	}
	return ret;
}

const struct file_operations fuse_file_operations = {
	.llseek = fuse_llseek,
	.read_iter = fuse_read_iter,
	.write_iter = fuse_file_write_iter,
	.mmap = fuse_file_mmap,
	.open = fuse_file_open,
	.flush = fuse_file_flush,
	.release = fuse_file_release,
	.fsync = fuse_fsync,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.fallocate = fuse_fallocate,
	.copy_file_range = fuse_copy_file_range,
};

/* On a read-only share nothing stands between read(2) and the page cache. */
const struct file_operations fuse_ro_file_operations = {
	.llseek = fuse_llseek,
	.read_iter = generic_file_read_iter,
	.mmap = generic_file_mmap,
	.open = fuse_file_open,
	.splice_read = generic_file_splice_read,
	.fsync = noop_fsync,
};
