// SPDX-License-Identifier: Apache-2.0
/* Overlay directories: lookup through both layers, names made here and names taken away. */

#include "ovl.h"
#include <linux/fs.h>

/**
 * DOC: names
 *
 * A directory shows the names of its lower directory, less its whiteouts, plus its pinned dentries. A name made here (create, link, rename's
 * target) is a dentry that holds itself (d_fsdata set, one extra reference), as in ramfs; it hides a lower name. Taking away a name that the
 * lower directory has adds a whiteout, so that a later lookup does not find it again. A directory that is renamed takes its lower
 * directory along (ovl_inode.lower), so nothing below it needs to move.
 */

static int cmp_name(const struct ovl_whiteout *w, const char *name, unsigned len)
{
	int c = memcmp(w->name, name, min(w->len, len));

	return c ? c : (int)w->len - (int)len;
}

bool ovl_whited_out(struct ovl_inode *dir, const char *name, unsigned len)
{
	struct rb_node *n = dir->whiteouts.rb_node;

	while (n) {
		struct ovl_whiteout *w = rb_entry(n, struct ovl_whiteout, node);
		int c = cmp_name(w, name, len);

		if (!c)
			return true;
		n = c > 0 ? n->rb_left : n->rb_right;
	}
	return false;
}

static int add_whiteout(struct ovl_inode *dir, const struct qstr *q)
{
	struct rb_node **link = &dir->whiteouts.rb_node, *parent = NULL;
	struct ovl_whiteout *w;

	while (*link) {
		int c;

		parent = *link;
		c = cmp_name(rb_entry(parent, struct ovl_whiteout, node), q->name, q->len);
		if (!c)
			return 0;
		link = c > 0 ? &parent->rb_left : &parent->rb_right;
	}
	w = kmalloc(sizeof(*w) + q->len, GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	w->len = q->len;
	memcpy(w->name, q->name, q->len);
	rb_link_node(&w->node, parent, link);
	rb_insert_color(&w->node, &dir->whiteouts);
	dir->nr_whiteouts++;
	return 0;
}

/**
 * ovl_lower_lookup - a name in a lower directory
 * Return: its dentry with a reference, NULL where there is no such name, ERR_PTR
 */
static struct dentry *ovl_lower_lookup(struct dentry *lower_dir, const struct qstr *name)
{
	struct qstr q = *name;
	struct dentry *d;

	q.hash = qstr_init(name->name, name->len).hash;
	d = d_lookup(lower_dir, &q);
	if (!d || (d->d_op && d->d_op->d_revalidate)) {
		if (d)
			dput(d);
		inode_lock_shared(d_inode(lower_dir));
		d = lookup_one_len(name->name, lower_dir, name->len);
		inode_unlock_shared(d_inode(lower_dir));
		if (IS_ERR(d))
			return PTR_ERR(d) == -ENOENT ? NULL : d;
	}
	if (d_is_negative(d)) {
		dput(d);
		return NULL;
	}
	return d;
}

/* 1: the lower directory shows this name; 0: it does not; -errno */
static int lower_has(struct inode *dir, const struct qstr *q)
{
	struct ovl_inode *oi = OVL_I(dir);
	struct dentry *l;

	if (!oi->lower || ovl_whited_out(oi, q->name, q->len))
		return 0;
	l = ovl_lower_lookup(oi->lower, q);
	if (IS_ERR_OR_NULL(l))
		return l ? PTR_ERR(l) : 0;
	dput(l);
	return 1;
}

static struct dentry *ovl_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	struct ovl_inode *oi = OVL_I(dir);
	struct dentry *l = NULL;
	struct inode *i;

	if (d->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (oi->lower && !ovl_whited_out(oi, d->d_name.name, d->d_name.len))
		l = ovl_lower_lookup(oi->lower, &d->d_name);
	if (IS_ERR(l))
		return l;
	if (!l) {
		d_add(d, NULL);
		return NULL;
	}
	i = ovl_iget(dir->i_sb, l);
	dput(l);
	if (IS_ERR(i))
		return ERR_CAST(i);
	return d_splice_alias(i, d);
}

/* ---- pins ---- */

static void pin(struct inode *dir, struct dentry *d)
{
	if (ovl_pinned(d))
		return;
	d->d_fsdata = d;
	dget(d);
	OVL_I(dir)->nr_pinned++;
	ovl_set_modified(dir);
}

static void unpin(struct inode *dir, struct dentry *d)
{
	if (!ovl_pinned(d))
		return;
	d->d_fsdata = NULL;
	OVL_I(dir)->nr_pinned--;
	dput(d);
}

static void dir_changed(struct inode *dir)
{
	ovl_set_modified(dir);
	dir->i_mtime = dir->i_ctime = current_time(dir);
	dir->i_version++;
}

/* ---- operations ---- */

static int make(struct inode *dir, struct dentry *d, umode_t mode, dev_t rdev, const char *link)
{
	struct inode *i = ovl_new_inode(dir, mode, rdev);

	if (!i)
		return -ENOMEM;
	if (link) {
		OVL_I(i)->link = kstrdup(link, GFP_KERNEL);
		if (!OVL_I(i)->link) {
			iput(i);
			return -ENOMEM;
		}
		i->i_size = strlen(link);
	}
	if (S_ISDIR(mode)) {
		set_nlink(i, 2);
		inc_nlink(dir);
	}
	d_instantiate(d, i);
	pin(dir, d);
	dir_changed(dir);
	return 0;
}

static int ovl_create(struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	return make(dir, d, (mode & ~S_IFMT) | S_IFREG, 0, NULL);
}

static int ovl_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	return make(dir, d, (mode & ~S_IFMT) | S_IFDIR, 0, NULL);
}

static int ovl_mknod(struct inode *dir, struct dentry *d, umode_t mode, dev_t rdev)
{
	return make(dir, d, mode, rdev, NULL);
}

static int ovl_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	return make(dir, d, S_IFLNK | 0777, 0, target);
}

static int ovl_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = d_inode(old);

	ovl_set_modified(i);
	inc_nlink(i);
	i->i_ctime = current_time(i);
	ihold(i);
	d_instantiate(d, i);
	pin(dir, d);
	dir_changed(dir);
	return 0;
}

/* The name d goes: a whiteout where the lower directory would show it again. */
static int hide(struct inode *dir, struct dentry *d)
{
	int has = lower_has(dir, &d->d_name);

	return has > 0 ? add_whiteout(OVL_I(dir), &d->d_name) : has;
}

static int ovl_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *i = d_inode(d);
	int err = hide(dir, d);

	if (err)
		return err;
	dir_changed(dir);
	i->i_ctime = dir->i_ctime;
	drop_nlink(i);
	ovl_lost_name(i);
	unpin(dir, d);
	return 0;
}

static int ovl_rmdir(struct inode *dir, struct dentry *d)
{
	struct inode *i = d_inode(d);
	int err = ovl_dir_is_empty(d);

	if (!err)
		err = hide(dir, d);
	if (err)
		return err;
	dir_changed(dir);
	if (dir->i_nlink > 2)
		drop_nlink(dir);
	clear_nlink(i);
	ovl_lost_name(i);
	unpin(dir, d);
	return 0;
}

static void move_dir_count(struct inode *odir, struct inode *ndir)
{
	if (odir->i_nlink > 2)
		drop_nlink(odir);
	inc_nlink(ndir);
}

static int exchange(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd)
{
	/* a pinned dentry hides what the lower directory has under its name; both stay pinned in their new places */
	pin(odir, od);
	pin(ndir, nd);
	if (odir != ndir && d_is_dir(od) != d_is_dir(nd)) {
		if (d_is_dir(od))
			move_dir_count(odir, ndir);
		else
			move_dir_count(ndir, odir);
	}
	return 0;
}

static int replace_target(struct inode *ndir, struct dentry *nd)
{
	struct inode *t = d_inode(nd);
	int err;

	if (d_is_dir(nd)) {
		err = ovl_dir_is_empty(nd);
		if (err)
			return err;
		clear_nlink(t);
		if (ndir->i_nlink > 2)
			drop_nlink(ndir);
	} else {
		drop_nlink(t);
	}
	t->i_ctime = current_time(t);
	ovl_lost_name(t);
	unpin(ndir, nd);
	return 0;
}

static int ovl_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags)
{
	struct inode *i = d_inode(od);
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	ovl_set_modified(i);
	if (flags & RENAME_EXCHANGE) {
		ovl_set_modified(d_inode(nd));
		err = exchange(odir, od, ndir, nd);
	} else {
		if (d_is_positive(nd)) {
			err = replace_target(ndir, nd);
			if (err)
				return err;
		}
		err = hide(odir, od);
		if (err)
			return err;
		/* the dentry moves with its pin */
		if (ovl_pinned(od)) {
			OVL_I(odir)->nr_pinned--;
			OVL_I(ndir)->nr_pinned++;
		} else {
			pin(ndir, od);
		}
		if (d_is_dir(od) && odir != ndir)
			move_dir_count(odir, ndir);
	}
	if (err)
		return err;
	dir_changed(odir);
	dir_changed(ndir);
	i->i_ctime = odir->i_ctime;
	return 0;
}

static int ovl_tmpfile(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct inode *i = ovl_new_inode(dir, (mode & ~S_IFMT) | S_IFREG, 0);

	if (!i)
		return -ENOMEM;
	clear_nlink(i);
	d_instantiate(d, i);
	return 0;
}

const struct inode_operations ovl_dir_inode_operations = {
	.lookup = ovl_lookup,
	.create = ovl_create,
	.link = ovl_link,
	.unlink = ovl_unlink,
	.symlink = ovl_symlink,
	.mkdir = ovl_mkdir,
	.rmdir = ovl_rmdir,
	.mknod = ovl_mknod,
	.rename = ovl_rename,
	.tmpfile = ovl_tmpfile,
	.setattr = ovl_setattr,
	.getattr = ovl_getattr,
	.listxattr = ovl_listxattr,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
};
