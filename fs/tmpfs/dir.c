// SPDX-License-Identifier: Apache-2.0
/* tmpfs directories: an entry is a dentry that holds itself. */
#include "tmpfs.h"
#include <linux/fs.h>

static void dir_changed(struct inode *dir, int entries)
{
	dir->i_size += entries * BOGO_DIRENT_SIZE;
	dir->i_mtime = dir->i_ctime = current_time(dir);
	dir->i_version++;
}

static void enter(struct inode *dir, struct dentry *d, struct inode *i)
{
	dir_changed(dir, 1);
	dget(d);
	d_instantiate(d, i);
	d_rehash(d);
}

static int shmem_mknod(struct inode *dir, struct dentry *d, umode_t mode, dev_t dev)
{
	struct inode *i = shmem_make_inode(dir->i_sb, dir, mode, dev);

	if (IS_ERR(i))
		return PTR_ERR(i);
	enter(dir, d, i);
	return 0;
}

static int shmem_create(struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	return shmem_mknod(dir, d, mode, 0);
}

static int shmem_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	int r = shmem_mknod(dir, d, mode | S_IFDIR, 0);

	if (!r)
		inc_nlink(dir);
	return r;
}

static int shmem_tmpfile(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct inode *i = shmem_make_inode(dir->i_sb, dir, mode, 0);

	if (IS_ERR(i))
		return PTR_ERR(i);
	clear_nlink(i);
	d_instantiate(d, i);
	return 0;
}

static int shmem_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	size_t len = strlen(target);
	char *body = kstrdup(target, GFP_KERNEL);
	struct inode *i;

	if (!body)
		return -ENOMEM;
	i = shmem_make_inode(dir->i_sb, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(i)) {
		kfree(body);
		return PTR_ERR(i);
	}
	i->i_size = len;
	i->i_link = body;
	enter(dir, d, i);
	return 0;
}

static int shmem_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = old->d_inode;

	i->i_ctime = current_time(i);
	inc_nlink(i);
	ihold(i);
	enter(dir, d, i);
	return 0;
}

static int shmem_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->d_inode;

	dir_changed(dir, -1);
	i->i_ctime = dir->i_ctime;
	drop_nlink(i);
	dput(d);
	return 0;
}

static int shmem_rmdir(struct inode *dir, struct dentry *d)
{
	if (!simple_empty(d))
		return -ENOTEMPTY;
	drop_nlink(d->d_inode);
	drop_nlink(dir);
	return shmem_unlink(dir, d);
}

/* The place that od leaves shows a whiteout. */
static int leave_whiteout(struct inode *dir, struct dentry *od)
{
	struct dentry *w = d_alloc(od->d_parent, &od->d_name);
	int r;

	if (!w)
		return -ENOMEM;
	r = shmem_mknod(dir, w, S_IFCHR, 0);
	dput(w);
	return r;
}

static int shmem_exchange(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd)
{
	bool a = d_is_dir(od), b = d_is_dir(nd);

	if (odir != ndir && a != b) {
		drop_nlink(a ? odir : ndir);
		inc_nlink(a ? ndir : odir);
	}
	dir_changed(odir, 0);
	dir_changed(ndir, 0);
	od->d_inode->i_ctime = nd->d_inode->i_ctime = odir->i_ctime;
	return 0;
}

static int shmem_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags)
{
	struct inode *i = od->d_inode;
	bool isdir = S_ISDIR(i->i_mode);
	int r;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE)
		return shmem_exchange(odir, od, ndir, nd);
	if (nd->d_inode && S_ISDIR(nd->d_inode->i_mode) && !simple_empty(nd))
		return -ENOTEMPTY;
	if (flags & RENAME_WHITEOUT) {
		r = leave_whiteout(odir, od);
		if (r)
			return r;
	}
	if (nd->d_inode) {
		if (isdir) {
			drop_nlink(nd->d_inode);
			drop_nlink(odir);
		}
		shmem_unlink(ndir, nd);
	} else if (isdir) {
		drop_nlink(odir);
		inc_nlink(ndir);
	}
	dir_changed(odir, -1);
	dir_changed(ndir, 1);
	i->i_ctime = odir->i_ctime;
	return 0;
}

const struct inode_operations shmem_dir_iops = {
	.lookup = simple_lookup,
	.create = shmem_create,
	.link = shmem_link,
	.unlink = shmem_unlink,
	.symlink = shmem_symlink,
	.mkdir = shmem_mkdir,
	.rmdir = shmem_rmdir,
	.mknod = shmem_mknod,
	.rename = shmem_rename,
	.tmpfile = shmem_tmpfile,
	.setattr = shmem_setattr,
	.getattr = shmem_getattr,
	.listxattr = shmem_listxattr,
	.getxattr = shmem_getxattr,
	.setxattr = shmem_setxattr,
	.fileattr = shmem_fileattr,
};
