// SPDX-License-Identifier: Apache-2.0
/* Building blocks for file systems: directories that are their dentries, simple inodes, buffers. */
#include "internal.h"
#include <linux/fs.h>

/* ---- directories whose entries are the dcache's ---- */
struct dentry *simple_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	if (d->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	d_add(d, NULL);
	return NULL;
}

int dcache_dir_open(struct inode *i, struct file *f)
{
	f->private_data = d_alloc_cursor(f->f_path.dentry);
	return f->private_data ? 0 : -ENOMEM;
}

int dcache_dir_close(struct inode *i, struct file *f)
{
	dput(f->private_data);
	return 0;
}

/*
 * The position of an entry is its d_dirpos. The cursor, while in the list, stands behind the entry
 * last returned, so that going on needs no search; its own d_dirpos is that entry's, which keeps
 * the list sorted.
 */
static void cursor_place(struct dentry *dir, struct dentry *cur, struct dentry *after)
{
	spin_lock(&dir->d_lock);
	if (!list_empty(&cur->d_child))
		list_del_init(&cur->d_child);
	cur->d_dirpos = after->d_dirpos;
	if (after->d_parent == dir && !list_empty(&after->d_child))
		list_add(&cur->d_child, &after->d_child);
	spin_unlock(&dir->d_lock);
}

/* The next entry at or after pos, with a reference. */
static struct dentry *next_entry(struct dentry *dir, struct dentry *cur, u64 pos)
{
	struct dentry *d, *found = NULL;
	struct list_head *p;

	spin_lock(&dir->d_lock);
	p = &dir->d_subdirs;
	if (!list_empty(&cur->d_child) && cur->d_dirpos < pos)
		p = &cur->d_child;
	for (p = p->next; p != &dir->d_subdirs; p = p->next) {
		d = list_entry(p, struct dentry, d_child);
		if (d->d_dirpos < pos || (d->d_flags & DCACHE_CURSOR) || !simple_positive(d))
			continue;
		if (dget_not_dead(d)) {
			found = d;
			break;
		}
	}
	spin_unlock(&dir->d_lock);
	return found;
}

int dcache_readdir(struct file *f, struct dir_context *c)
{
	struct dentry *dir = f->f_path.dentry, *cur = f->private_data, *d, *prev = NULL;

	if (!dir_emit_dots(f, c))
		return 0;
	while ((d = next_entry(dir, cur, c->pos)) != NULL) {
		struct inode *i = READ_ONCE(d->d_inode);
		bool ok = true;

		c->pos = d->d_dirpos;
		if (i)
			ok = dir_emit(c, d->d_name.name, d->d_name.len, i->i_ino, S_DT(i->i_mode));
		if (!ok) {
			dput(d);
			break;
		}
		c->pos = d->d_dirpos + 1;
		cursor_place(dir, cur, d);
		dput(prev);
		prev = d;
	}
	dput(prev);
	return 0;
}

loff_t dcache_dir_lseek(struct file *f, loff_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	f->f_pos = off;
	return off;
}

ssize_t generic_read_dir(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return -EISDIR;
}

int noop_fsync(struct file *f, loff_t start, loff_t end, int datasync)
{
	return 0;
}

const struct file_operations simple_dir_operations = {
	.open = dcache_dir_open,
	.release = dcache_dir_close,
	.llseek = dcache_dir_lseek,
	.read = generic_read_dir,
	.iterate_shared = dcache_readdir,
	.fsync = noop_fsync,
};
const struct inode_operations simple_dir_inode_operations = {.lookup = simple_lookup};

int simple_empty(struct dentry *d)
{
	struct dentry *c;
	int r = 1;

	spin_lock(&d->d_lock);
	list_for_each_entry (c, &d->d_subdirs, d_child) {
		if (!(c->d_flags & DCACHE_CURSOR) && simple_positive(c)) {
			r = 0;
			break;
		}
	}
	spin_unlock(&d->d_lock);
	return r;
}

int simple_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = old->d_inode;

	i->i_ctime = dir->i_ctime = dir->i_mtime = current_time(i);
	inc_nlink(i);
	ihold(i);
	dget(d);
	d_instantiate(d, i);
	d_rehash(d);
	return 0;
}

int simple_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->d_inode;

	i->i_ctime = dir->i_ctime = dir->i_mtime = current_time(i);
	drop_nlink(i);
	dput(d);
	return 0;
}

int simple_rmdir(struct inode *dir, struct dentry *d)
{
	if (!simple_empty(d))
		return -ENOTEMPTY;
	drop_nlink(d->d_inode);
	simple_unlink(dir, d);
	drop_nlink(dir);
	return 0;
}

static void rename_times(struct inode *odir, struct inode *ndir, struct inode *a, struct inode *b)
{
	struct timespec64 now = current_time(odir);

	odir->i_ctime = odir->i_mtime = ndir->i_ctime = ndir->i_mtime = now;
	a->i_ctime = now;
	if (b)
		b->i_ctime = now;
}

static int simple_rename_exchange(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd)
{
	bool a = d_is_dir(od), b = d_is_dir(nd);

	if (odir != ndir && a != b) {
		if (a) {
			drop_nlink(odir);
			inc_nlink(ndir);
		} else {
			drop_nlink(ndir);
			inc_nlink(odir);
		}
	}
	rename_times(odir, ndir, od->d_inode, nd->d_inode);
	return 0;
}

int simple_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags)
{
	struct inode *target = nd->d_inode;
	bool isdir = d_is_dir(od);

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE)
		return simple_rename_exchange(odir, od, ndir, nd);
	if (isdir && target && !simple_empty(nd))
		return -ENOTEMPTY;
	if (target) {
		simple_unlink(ndir, nd);
		if (isdir) {
			drop_nlink(target);
			drop_nlink(odir);
		}
	} else if (isdir) {
		drop_nlink(odir);
		inc_nlink(ndir);
	}
	rename_times(odir, ndir, od->d_inode, target);
	return 0;
}

/* ---- simple inode operations ---- */
int simple_setattr(struct dentry *d, struct iattr *a)
{
	struct inode *i = d->d_inode;
	int r = setattr_prepare(d, a);

	if (r)
		return r;
	if (a->ia_valid & ATTR_SIZE)
		truncate_setsize(i, a->ia_size);
	setattr_copy(i, a);
	return 0;
}

int simple_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *i = p->dentry->d_inode;

	generic_fillattr(i, st);
	st->blocks = i->i_mapping->nrpages << (PAGE_SHIFT - 9);
	return 0;
}

int simple_statfs(struct dentry *d, struct kstatfs *st)
{
	st->f_type = d->d_sb->s_magic;
	st->f_bsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	return 0;
}

const char *simple_get_link(struct dentry *d, struct inode *i, struct delayed_call *done)
{
	return i->i_link;
}
const struct inode_operations simple_symlink_inode_operations = {.get_link = simple_get_link};

static void page_put_link(void *arg)
{
	struct page *p = arg;

	put_page(p);
}

/* Links whose body is the inode's first page; write-once, NUL-terminated there. */
static const char *page_get_link(struct dentry *d, struct inode *i, struct delayed_call *done)
{
	struct page *p = read_mapping_page(i->i_mapping, 0, NULL);
	char *s;

	if (IS_ERR(p))
		return ERR_CAST(p);
	s = page_address(p);
	s[min_t(u64, i->i_size, PAGE_SIZE - 1)] = 0;
	set_delayed_call(done, page_put_link, p);
	return s;
}
const struct inode_operations page_symlink_inode_operations = {.get_link = page_get_link};

const struct file_operations generic_ro_fops = {
	.llseek = generic_file_llseek,
	.read_iter = generic_file_read_iter,
	.mmap = generic_file_mmap,
	.splice_read = generic_file_splice_read,
};

/* ---- buffers as files ---- */
ssize_t simple_read_from_buffer(void __user *to, size_t n, loff_t *pos, const void *from, size_t avail)
{
	unsigned long left;
	loff_t p = *pos;

	if (p < 0)
		return -EINVAL;
	if (p >= avail || !n)
		return 0;
	n = min_t(size_t, n, avail - p);
	left = copy_to_user(to, (const char *)from + p, n);
	if (left == n)
		return -EFAULT;
	*pos = p + n - left;
	return n - left;
}

ssize_t simple_write_to_buffer(void *to, size_t avail, loff_t *pos, const void __user *from, size_t n)
{
	unsigned long left;
	loff_t p = *pos;

	if (p < 0)
		return -EINVAL;
	if (p >= avail || !n)
		return 0;
	n = min_t(size_t, n, avail - p);
	left = copy_from_user((char *)to + p, from, n);
	if (left == n)
		return -EFAULT;
	*pos = p + n - left;
	return n - left;
}
