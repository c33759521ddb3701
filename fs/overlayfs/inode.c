// SPDX-License-Identifier: Apache-2.0
/* Overlay inodes: from the lower tree or made here, their attributes and extended attributes. */

#include "ovl.h"

static struct kmem_cache *ovl_inode_cache;

static struct inode *ovl_alloc_inode(struct super_block *sb)
{
	struct ovl_inode *oi;

	if (!ovl_inode_cache)
		ovl_inode_cache = KMEM_CACHE(ovl_inode);
	oi = kmem_cache_zalloc(ovl_inode_cache, GFP_KERNEL);
	return oi ? &oi->vfs : NULL;
}

static void ovl_free_inode(struct inode *i)
{
	kmem_cache_free(ovl_inode_cache, OVL_I(i));
}

static void free_whiteouts(struct ovl_inode *oi)
{
	struct rb_node *n;

	while ((n = rb_first(&oi->whiteouts))) {
		rb_erase(n, &oi->whiteouts);
		kfree(rb_entry(n, struct ovl_whiteout, node));
	}
}

static void ovl_evict_inode(struct inode *i)
{
	struct ovl_inode *oi = OVL_I(i);
	long pages = i->i_data.nrpages;

	truncate_inode_pages(&i->i_data, 0);
	if (pages)
		atomic64_sub(pages, &OVL_SB(i->i_sb)->pages);
	clear_inode(i);
	if (oi->lower)
		dput(oi->lower);
	free_whiteouts(oi);
	simple_xattrs_free(&oi->xattrs);
	kfree(oi->link);
}

/* ---- attributes ---- */

/* The inode differs from the lower tree from now on; it must not be forgotten while it can be reached by a lower name. */
void ovl_set_modified(struct inode *i)
{
	struct ovl_inode *oi = OVL_I(i);

	spin_lock(&i->i_lock);
	if (oi->lower && !oi->held && i->i_nlink) {
		oi->held = true;
		ihold(i);
	}
	spin_unlock(&i->i_lock);
}

/* A name of the inode is gone, its link count is less by one. With the last, nobody can find the inode again. */
void ovl_lost_name(struct inode *i)
{
	struct ovl_inode *oi = OVL_I(i);
	bool held = false;

	if (i->i_nlink) {
		ovl_set_modified(i);
		return;
	}
	spin_lock(&i->i_lock);
	swap(held, oi->held);
	spin_unlock(&i->i_lock);
	if (held)
		iput(i);
}

int ovl_setattr(struct dentry *d, struct iattr *a)
{
	struct inode *i = d_inode(d);
	int err = setattr_prepare(d, a);

	if (err)
		return err;
	ovl_set_modified(i);
	if ((a->ia_valid & ATTR_SIZE) && S_ISREG(i->i_mode)) {
		err = ovl_truncate(i, a->ia_size);
		if (err)
			return err;
		if (!(a->ia_valid & ATTR_MTIME))
			i->i_mtime = i->i_ctime = current_time(i);
	}
	setattr_copy(i, a);
	return 0;
}

int ovl_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *i = d_inode(p->dentry);

	generic_fillattr(i, st);
	if (OVL_I(i)->own_data)
		st->blocks = i->i_data.nrpages * (PAGE_SIZE / 512);
	return 0;
}

static int copy_up_xattrs(struct inode *i)
{
	struct ovl_inode *oi = OVL_I(i);
	char *names, *val;
	ssize_t n, v;
	int err = 0;

	if (oi->own_xattrs || !oi->lower)
		return 0;
	names = kmalloc(65536, GFP_KERNEL);
	val = kmalloc(65536, GFP_KERNEL);
	if (!names || !val) {
		err = -ENOMEM;
		goto out;
	}
	n = vfs_listxattr(oi->lower, names, 65536);
	for (char *s = names; n > 0 && s < names + n && !err; s += strlen(s) + 1) {
		v = vfs_getxattr(oi->lower, s, val, 65536);
		if (v >= 0)
			err = simple_xattr_set(&oi->xattrs, s, val, v, 0);
	}
	if (!err)
		oi->own_xattrs = true;
out:
	kfree(names);
	kfree(val);
	return err;
}

ssize_t ovl_listxattr(struct dentry *d, char *buf, size_t n)
{
	struct ovl_inode *oi = OVL_I(d_inode(d));

	if (!oi->own_xattrs && oi->lower)
		return vfs_listxattr(oi->lower, buf, n);
	return simple_xattr_list(&oi->xattrs, buf, n);
}

ssize_t ovl_getxattr(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n)
{
	struct ovl_inode *oi = OVL_I(i);

	if (!oi->own_xattrs && oi->lower)
		return vfs_getxattr(oi->lower, name, buf, n);
	return simple_xattr_get(&oi->xattrs, name, buf, n);
}

int ovl_setxattr(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n, int flags)
{
	int err = copy_up_xattrs(i);

	if (!err)
		err = simple_xattr_set(&OVL_I(i)->xattrs, name, v, n, flags);
	if (!err) {
		ovl_set_modified(i);
		i->i_ctime = current_time(i);
	}
	return err;
}

/* ---- making inodes ---- */

static const char *ovl_get_link(struct dentry *d, struct inode *i, struct delayed_call *done)
{
	struct ovl_inode *oi = OVL_I(i);

	if (oi->link)
		return oi->link;
	if (!oi->lower)
		return ERR_PTR(-EINVAL);
	return d_inode(oi->lower)->i_op->get_link(oi->lower, d_inode(oi->lower), done);
}

static const struct inode_operations ovl_symlink_inode_operations = {
	.get_link = ovl_get_link,
	.setattr = ovl_setattr,
	.getattr = ovl_getattr,
	.listxattr = ovl_listxattr,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
};
static const struct inode_operations ovl_special_inode_operations = {
	.setattr = ovl_setattr,
	.getattr = ovl_getattr,
	.listxattr = ovl_listxattr,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
};

static void set_operations(struct inode *i, dev_t rdev)
{
	switch (i->i_mode & S_IFMT) {
	case S_IFDIR:
		i->i_op = &ovl_dir_inode_operations;
		i->i_fop = &ovl_dir_operations;
		break;
	case S_IFREG:
		i->i_op = &ovl_file_inode_operations;
		i->i_fop = &ovl_file_operations;
		break;
	case S_IFLNK:
		i->i_op = &ovl_symlink_inode_operations;
		break;
	default:
		i->i_op = &ovl_special_inode_operations;
		init_special_inode(i, i->i_mode, rdev);
	}
}

struct inode *ovl_new_inode(struct inode *dir, umode_t mode, dev_t rdev)
{
	struct inode *i = new_inode(dir->i_sb);
	struct ovl_inode *oi;

	if (!i)
		return NULL;
	oi = OVL_I(i);
	oi->whiteouts = RB_ROOT;
	inode_init_owner(i, dir, mode);
	i->i_atime = i->i_mtime = i->i_ctime = i->i_btime = current_time(i);
	i->i_blkbits = PAGE_SHIFT;
	oi->own_xattrs = true;
	if (S_ISREG(mode))
		ovl_own_data(i);
	if (S_ISDIR(mode)) { /* as disk file systems show an empty one */
		i->i_size = PAGE_SIZE;
		i->i_blocks = PAGE_SIZE / 512;
	}
	set_operations(i, rdev);
	return i;
}

static int same_lower(struct inode *i, void *data)
{
	struct ovl_inode *oi = OVL_I(i);

	return oi->lower && d_inode(oi->lower) == d_inode((struct dentry *)data);
}

static int set_lower(struct inode *i, void *data)
{
	OVL_I(i)->lower = dget(data);
	return 0;
}

static void from_lower(struct inode *i, struct inode *l)
{
	i->i_mode = l->i_mode;
	i->i_uid = l->i_uid;
	i->i_gid = l->i_gid;
	i->i_ino = l->i_ino;
	i->i_rdev = l->i_rdev;
	i->i_atime = l->i_atime;
	i->i_mtime = l->i_mtime;
	i->i_ctime = l->i_ctime;
	i->i_btime = l->i_btime;
	i->i_size = l->i_size;
	i->i_blocks = l->i_blocks;
	i->i_blkbits = l->i_blkbits;
	i->i_flags |= S_NOATIME;
	set_nlink(i, l->i_nlink ? l->i_nlink : 1);
	if (S_ISREG(l->i_mode))
		i->i_mapping = l->i_mapping; /* one page cache, one text view for all who run the file */
}

struct inode *ovl_iget(struct super_block *sb, struct dentry *lower)
{
	struct inode *l = d_inode(lower);
	u64 hash = (u64)l >> 10; /* about their distance in a slab */
	struct inode *i = iget5_locked(sb, hash, same_lower, set_lower, lower);

	if (!i)
		return ERR_PTR(-ENOMEM);
	if (!(i->i_state & I_NEW))
		return i;
	OVL_I(i)->whiteouts = RB_ROOT;
	from_lower(i, l);
	set_operations(i, l->i_rdev);
	unlock_new_inode(i);
	return i;
}

static int ovl_statfs(struct dentry *d, struct kstatfs *st)
{
	struct ovl_sb *os = OVL_SB(d->d_sb);
	s64 used = atomic64_read(&os->pages);

	memset(st, 0, sizeof(*st));
	st->f_type = 0x794c7630; /* OVERLAYFS_SUPER_MAGIC */
	st->f_bsize = st->f_frsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	st->f_blocks = os->max_pages;
	st->f_bfree = st->f_bavail = os->max_pages > used ? os->max_pages - used : 0;
	return 0;
}

const struct super_operations ovl_super_operations = {
	.alloc_inode = ovl_alloc_inode,
	.free_inode = ovl_free_inode,
	.evict_inode = ovl_evict_inode,
	.statfs = ovl_statfs,
};
