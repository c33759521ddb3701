// SPDX-License-Identifier: Apache-2.0
/* Overlay files: the lower file's page cache until the first change, then pages of their own, copied when they are first needed. */

#include "ovl.h"
#include <linux/falloc.h>

/**
 * DOC: copy-up
 *
 * Opening a lower file for writing only switches i_mapping to the inode's own (ovl_own_data): no data are copied. A page that is not in the own
 * mapping and lies below lower_pages is filled from the lower file's page cache when it is read or written. Own pages are the only copy
 * (in_memory): never reclaimed, counted against the layer's size.
 */

static int charge(struct inode *i, long pages)
{
	struct ovl_sb *os = OVL_SB(i->i_sb);

	if (atomic64_add_return(pages, &os->pages) > os->max_pages && os->max_pages && pages > 0) {
		atomic64_sub(pages, &os->pages);
		return -ENOSPC;
	}
	return 0;
}

/* Fill a locked page of the own mapping: from the lower file, or zeros. */
static int fill_page(struct inode *i, struct page *p)
{
	struct ovl_inode *oi = OVL_I(i);
	struct page *l;
	loff_t size;

	if (PageUptodate(p))
		return 0;
	if (oi->lower && p->index < oi->lower_pages) {
		struct inode *li = d_inode(oi->lower);

		l = read_mapping_page(li->i_mapping, p->index, NULL);
		if (IS_ERR(l))
			return PTR_ERR(l);
		memcpy(page_address(p), page_address(l), PAGE_SIZE);
		put_page(l);
		size = i_size_read(li) - ((loff_t)p->index << PAGE_SHIFT);
		if (size < (loff_t)PAGE_SIZE)
			memset(page_address(p) + max_t(loff_t, size, 0), 0, PAGE_SIZE - max_t(loff_t, size, 0));
	} else {
		memset(page_address(p), 0, PAGE_SIZE);
	}
	SetPageUptodate(p);
	return 0;
}

static int ovl_read_folio(struct file *f, struct page *p)
{
	struct inode *i = p->mapping->host;
	int err = charge(i, 1);

	if (!err) {
		err = fill_page(i, p);
		if (err)
			charge(i, -1);
	}
	unlock_page(p);
	return err;
}

/* own_page: the locked, filled page at index, made if need be */
static struct page *own_page(struct inode *i, pgoff_t index, bool fill)
{
	struct page *p = find_lock_page(&i->i_data, index);
	int err;

	if (p && PageUptodate(p))
		return p;
	if (!p) {
		p = find_or_create_page(&i->i_data, index, GFP_USER);
		if (!p)
			return ERR_PTR(-ENOMEM);
	}
	if (PageUptodate(p))
		return p;
	err = charge(i, 1);
	if (!err && fill) {
		err = fill_page(i, p);
		if (err)
			charge(i, -1);
	}
	if (err) {
		delete_from_page_cache(p);
		unlock_page(p);
		put_page(p);
		return ERR_PTR(err);
	}
	return p;
}

static int ovl_write_begin(struct file *f, struct address_space *m, loff_t pos, unsigned len, struct page **pp,
			   void **fsdata)
{
	struct inode *i = m->host;
	bool whole = len == PAGE_SIZE && !offset_in_page(pos);
	struct page *p = own_page(i, pos >> PAGE_SHIFT, !whole);

	if (IS_ERR(p))
		return PTR_ERR(p);
	*pp = p;
	return 0;
}

static int ovl_write_end(struct file *f, struct address_space *m, loff_t pos, unsigned len, unsigned copied,
			 struct page *p, void *fsdata)
{
	struct inode *i = m->host;

	if (!PageUptodate(p)) {
		if (copied < len) { /* a whole page was promised; what is missing is zero, as the write is short */
			unsigned from = offset_in_page(pos) + copied;

			if (OVL_I(i)->lower && p->index < OVL_I(i)->lower_pages)
				copied = 0;
			memset(page_address(p) + from, 0, PAGE_SIZE - from);
			if (!copied && fill_page(i, p)) {
				delete_from_page_cache(p);
				charge(i, -1);
				goto out;
			}
		}
		SetPageUptodate(p);
	}
	if (pos + copied > i->i_size)
		i_size_write(i, pos + copied);
	set_page_dirty(p);
out:
	unlock_page(p);
	put_page(p);
	return copied;
}

static bool ovl_dirty_page(struct address_space *m, struct page *p)
{
	SetPageDirty(p); /* nothing is ever written back */
	return true;
}

static const struct address_space_operations ovl_aops = {
	.read_folio = ovl_read_folio,
	.write_begin = ovl_write_begin,
	.write_end = ovl_write_end,
	.dirty_page = ovl_dirty_page,
};

void ovl_own_data(struct inode *i)
{
	struct ovl_inode *oi = OVL_I(i);

	if (oi->own_data)
		return;
	address_space_init(&i->i_data, i, &ovl_aops);
	i->i_data.in_memory = true;
	oi->lower_pages = oi->lower ? PFN_UP(i_size_read(i)) : 0;
	smp_store_release(&i->i_mapping, &i->i_data);
	i->i_flags &= ~S_NOATIME;
	oi->own_data = true;
	ovl_set_modified(i);
}

int ovl_truncate(struct inode *i, loff_t size)
{
	struct ovl_inode *oi = OVL_I(i);
	unsigned long before;

	ovl_own_data(i);
	if (offset_in_page(size) && size < i->i_size && (size >> PAGE_SHIFT) < oi->lower_pages) {
		struct page *p = own_page(i, size >> PAGE_SHIFT, true); /* its tail is zeroed below */

		if (IS_ERR(p))
			return PTR_ERR(p);
		unlock_page(p);
		put_page(p);
	}
	oi->lower_pages = min_t(pgoff_t, oi->lower_pages, PFN_UP(size));
	before = i->i_data.nrpages;
	truncate_setsize(i, size);
	charge(i, (long)i->i_data.nrpages - (long)before);
	return 0;
}

static void copy_up_for(struct inode *i, struct file *f)
{
	if (!OVL_I(i)->own_data) {
		inode_lock(i);
		ovl_own_data(i);
		inode_unlock(i);
	}
	f->f_mapping = i->i_mapping;
}

static int ovl_open(struct inode *i, struct file *f)
{
	if (f->f_mode & FMODE_WRITE)
		copy_up_for(i, f);
	return generic_file_open(i, f);
}

/*
 * A file opened before the copy-up reads the new data, too. Its f_mapping is switched, unless it was mapped while that was still
 * the lower file's: VMAs are linked to what f_mapping was then. Such a file (MAPPED_LOWER) gets a second one for reading,
 * in private_data.
 */
#define MAPPED_LOWER ((void *)1)

static struct file *second_file(struct file *f, struct address_space *m)
{
	struct file *n, *old = MAPPED_LOWER;

	n = alloc_file_clone(f, f->f_flags, f->f_op);
	if (IS_ERR(n))
		return f;
	n->f_mapping = m;
	if (!__atomic_compare_exchange_n(&f->private_data, (void **)&old, n, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		fput(n);
		return old;
	}
	return n;
}

static inline struct file *refresh(struct file *f)
{
	struct address_space *m = READ_ONCE(file_inode(f)->i_mapping);
	void *second;

	if (likely(READ_ONCE(f->f_mapping) == m))
		return f;
	spin_lock(&f->f_lock);
	second = f->private_data;
	if (!second)
		WRITE_ONCE(f->f_mapping, m);
	spin_unlock(&f->f_lock);
	if (!second)
		return f;
	return second == MAPPED_LOWER ? second_file(f, m) : second;
}

static int ovl_release(struct inode *i, struct file *f)
{
	if (f->private_data && f->private_data != MAPPED_LOWER)
		fput(f->private_data);
	return 0;
}

/* read_piece: at most n bytes by the page cache's own way: pages that must be made or waited for */
static ssize_t read_piece(struct kiocb *k, struct iov_iter *to, size_t n)
{
	size_t rest = iov_iter_count(to) - n;
	ssize_t r;

	to->count = n;
	r = generic_file_read_iter(k, to);
	to->count += rest;
	return r;
}

/* read_own: of a file whose data are here. Holes read as zeros without a page being made for them. */
static ssize_t read_own(struct kiocb *k, struct iov_iter *to, struct inode *i)
{
	ssize_t done = 0, c;

	while (iov_iter_count(to)) {
		loff_t pos = k->ki_pos, size = i_size_read(i);
		unsigned off = offset_in_page(pos);
		struct page *p;
		size_t n;

		if (pos >= size)
			break;
		n = min_t(u64, min_t(u64, PAGE_SIZE - off, size - pos), iov_iter_count(to));
		p = find_get_page(&i->i_data, pos >> PAGE_SHIFT);
		if (p && PageUptodate(p)) {
			c = copy_page_to_iter(p, off, n, to);
			k->ki_pos += c;
		} else if (p || (pos >> PAGE_SHIFT) < READ_ONCE(OVL_I(i)->lower_pages)) {
			c = read_piece(k, to, n);
		} else {
			c = iov_iter_zero(n, to);
			k->ki_pos += c;
		}
		if (p)
			put_page(p);
		if (c <= 0)
			return done ? done : c ? c : -EFAULT;
		done += c;
		if (unlikely(fatal_signal_pending(current)))
			break;
	}
	file_accessed(k->ki_filp);
	return done;
}

static ssize_t ovl_read_iter(struct kiocb *k, struct iov_iter *to)
{
	struct file *f = k->ki_filp;
	struct inode *i = file_inode(f);
	ssize_t r;

	k->ki_filp = refresh(f);
	if (k->ki_filp->f_mapping == &i->i_data)
		r = read_own(k, to, i);
	else
		r = generic_file_read_iter(k, to);
	k->ki_filp = f;
	return r;
}

static ssize_t ovl_write_iter(struct kiocb *k, struct iov_iter *from)
{
	return generic_file_write_iter(k, from); /* a writer's f_mapping is the own one from its open on */
}

static int ovl_mmap(struct file *f, struct vm_area_struct *vma)
{
	if (refresh(f) == f && READ_ONCE(f->f_mapping) != &file_inode(f)->i_data) {
		spin_lock(&f->f_lock);
		if (f->f_mapping != &file_inode(f)->i_data && !f->private_data)
			f->private_data = MAPPED_LOWER;
		spin_unlock(&f->f_lock);
	}
	return generic_file_mmap(f, vma);
}

static ssize_t ovl_splice_read(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n, unsigned flags)
{
	return generic_file_splice_read(refresh(in), pos, pipe, n, flags);
}

/* Pages of the lower file count as data; pages of our own are where they are. */
static loff_t seek_page(struct inode *i, loff_t pos, bool data)
{
	loff_t lower = (loff_t)OVL_I(i)->lower_pages << PAGE_SHIFT;

	if (pos < lower) {
		if (data)
			return pos;
		pos = lower;
	}
	return mapping_seek_hole_data(&i->i_data, pos, i->i_size, data);
}

static loff_t ovl_llseek(struct file *f, loff_t off, int whence)
{
	struct inode *i = file_inode(f);

	if ((whence != SEEK_DATA && whence != SEEK_HOLE) || !OVL_I(i)->own_data)
		return generic_file_llseek_size(f, off, whence, i->i_sb->s_maxbytes, i_size_read(i));
	inode_lock(i);
	if (off < 0 || off >= i->i_size)
		off = -ENXIO;
	else
		off = seek_page(i, off, whence == SEEK_DATA);
	if (off >= 0)
		off = vfs_setpos(f, off, i->i_sb->s_maxbytes);
	inode_unlock(i);
	return off;
}

static int materialise(struct inode *i, pgoff_t from, pgoff_t to)
{
	for (; from < to; from++) {
		struct page *p = own_page(i, from, true);

		if (IS_ERR(p))
			return PTR_ERR(p);
		set_page_dirty(p);
		unlock_page(p);
		put_page(p);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static long ovl_fallocate(struct file *f, int mode, loff_t off, loff_t len)
{
	struct inode *i = file_inode(f);
	loff_t end = off + len;
	unsigned long before;
	long err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(i);
	ovl_own_data(i);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		err = materialise(i, 0, min_t(pgoff_t, OVL_I(i)->lower_pages, PFN_UP(i->i_size)));
		if (err)
			goto out;
		OVL_I(i)->lower_pages = 0;
		before = i->i_data.nrpages;
		unmap_mapping_range(&i->i_data, PAGE_ALIGN(off),
				    end > PAGE_ALIGN(off) ? ALIGN_DOWN(end, PAGE_SIZE) - PAGE_ALIGN(off) : 0, false);
		truncate_inode_pages_range(&i->i_data, off, end - 1);
		charge(i, (long)i->i_data.nrpages - (long)before);
	}
	if (!(mode & FALLOC_FL_PUNCH_HOLE)) {
		err = materialise(i, off >> PAGE_SHIFT, PFN_UP(end));
		if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > i->i_size)
			i_size_write(i, end);
	}
	i->i_mtime = i->i_ctime = current_time(i);
out:
	inode_unlock(i);
	return err;
}

const struct file_operations ovl_file_operations = {
	.open = ovl_open,
	.release = ovl_release,
	.llseek = ovl_llseek,
	.read_iter = ovl_read_iter,
	.write_iter = ovl_write_iter,
	.mmap = ovl_mmap,
	.fsync = noop_fsync,
	.splice_read = ovl_splice_read,
	.splice_write = iter_file_splice_write,
	.fallocate = ovl_fallocate,
};
const struct inode_operations ovl_file_inode_operations = {
	.setattr = ovl_setattr,
	.getattr = ovl_getattr,
	.listxattr = ovl_listxattr,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
};
