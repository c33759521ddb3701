// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE directories: lookup and revalidation of names, making and removing them, symbolic links.
 *
 * A dentry's d_time is the fuse_clock() until which the server lets us believe it; negative ones too.
 */
#include "fuse_i.h"

#define FUSE_PRIME_AFTER 2 /* lookups of files in a listed directory before all of it is fetched with attributes */

void fuse_dir_changed(struct inode *dir)
{
	set_bit(FUSE_I_MTIME_OURS, &get_fuse_inode(dir)->state);
	fuse_invalidate_attr(dir);
	fuse_drop_listing(dir);
}

static void fuse_set_valid(struct fuse_conn *fc, struct dentry *d, const struct fuse_entry_out *e)
{
	d->d_time = fuse_deadline(fc, e->entry_valid, e->entry_valid_nsec);
}

/* Is a whole listing with attributes cheaper than what is coming? Guess from what happened to this directory so far. */
static bool fuse_should_prime(struct fuse_conn *fc, struct inode *dir)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l;
	bool yes = false;

	if (fc->no_plus || !READ_ONCE(fi->listing) || test_bit(FUSE_I_PRIMED, &fi->state))
		return false;
	spin_lock(&dir->i_lock);
	l = fi->listing;
	if (l && ++fi->misses >= FUSE_PRIME_AFTER)
		yes = l->entries > 4 && l->entries <= 8192;
	spin_unlock(&dir->i_lock);
	return yes;
}

struct dentry *fuse_splice(struct inode *dir, struct dentry *d, struct inode *i, u64 deadline)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct dentry *res;

	mutex_lock(&fi->link_lock);
	res = d_lookup(d->d_parent, &d->d_name);
	if (res && d_inode(res) == i) {
		iput(i);
		res->d_time = deadline;
		goto out;
	}
	if (res) {
		d_drop(res);
		dput(res);
		res = NULL;
	}
	d->d_time = deadline;
	if (i)
		res = d_splice_alias(i, d);
	else
		d_add(d, NULL);
	if (!IS_ERR_OR_NULL(res))
		res->d_time = deadline;
out:
	mutex_unlock(&fi->link_lock);
	return res;
}

/* The body of a link, for all who follow it from now on. 0 or -errno */
static int fuse_keep_link(struct inode *i, const char *body, u32 len)
{
	char *fit;

	if (!len || len >= PATH_MAX)
		return -EIO;
	fit = kmalloc(len + 1, GFP_KERNEL);
	if (!fit)
		return -ENOMEM;
	memcpy(fit, body, len);
	fit[len] = 0;
	if (cmpxchg(&i->i_link, (char *)NULL, fit))
		kfree(fit);
	return 0;
}

static struct dentry *fuse_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	u64 version = fuse_attr_version(fc);
	struct fuse_req *req;
	struct inode *i = NULL;
	struct dentry *res;
	int err;

	if (d->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!(flags & (LOOKUP_CREATE | LOOKUP_EXCL | LOOKUP_RENAME_TARGET)) && fuse_should_prime(fc, dir)) {
		fuse_prime_dir(dir, d->d_parent);
		res = d_lookup(d->d_parent, &d->d_name);
		if (res)
			return res;
	}
	if (fuse_is_absent(dir, &d->d_name))
		return fuse_splice(dir, d, NULL, READ_ONCE(get_fuse_inode(dir)->attr_deadline));
	req = fuse_get_req(fc, FUSE_LOOKUP, get_node_id(dir));
	if (!req)
		return ERR_PTR(-ENOMEM);
	fuse_arg_name(req, d->d_name.name, d->d_name.len);
	req->out_more = sizeof(req->out.looked.link);
	err = fuse_send(fc, req, sizeof(struct fuse_entry_out));
	if (err == -ENOENT) {
		memset(&req->out.entry, 0, sizeof(req->out.entry));
		err = 0;
	}
	res = ERR_PTR(err);
	if (err)
		goto out;
	res = ERR_PTR(-EIO);
	if (req->out.entry.nodeid) {
		if (req->out.entry.nodeid == FUSE_ROOT_ID || !fuse_valid_type(req->out.entry.attr.mode))
			goto out;
		i = fuse_iget(dir->i_sb, &req->out.entry, version);
		if (!i)
			goto out;
		if (S_ISLNK(i->i_mode))
			fuse_keep_link(i, req->out.looked.link, fuse_data_len(req));
		if (!S_ISDIR(i->i_mode) && READ_ONCE(get_fuse_inode(dir)->listing) &&
		    fc->stat_heat < FUSE_STAT_HEAT_MAX)
			fc->stat_heat += 4;
	}
	if (!i)
		fuse_note_absent(dir);
	res = fuse_splice(dir, d, i, fuse_deadline(fc, req->out.entry.entry_valid, req->out.entry.entry_valid_nsec));
out:
	fuse_put_req(req);
	return res;
}

/* The deadline of a positive dentry has passed: ask the server whether the name still means this inode. */
static int fuse_revalidate_entry(struct dentry *d, struct inode *i)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_inode *fi = get_fuse_inode(i);
	struct dentry *parent = dget_parent(d);
	struct fuse_req *req = fuse_get_req(fc, FUSE_LOOKUP, get_node_id(d_inode(parent)));
	u64 version = fuse_attr_version(fc);
	struct fuse_entry_out *e;
	int ret;

	dput(parent);
	if (!req)
		return -ENOMEM;
	spin_lock(&d->d_lock);
	fuse_arg_name(req, d->d_name.name, d->d_name.len);
	spin_unlock(&d->d_lock);
	ret = fuse_send(fc, req, sizeof(struct fuse_entry_out));
	e = &req->out.entry;
	if (ret == -ENOENT || (!ret && !e->nodeid)) {
		ret = 0;
	} else if (!ret && (e->nodeid != fi->nodeid || ((e->attr.mode ^ i->i_mode) & S_IFMT))) {
		fuse_queue_forget(fc, e->nodeid, 1, false);
	} else if (!ret) {
		spin_lock(&i->i_lock);
		fi->nlookup++;
		spin_unlock(&i->i_lock);
		fuse_change_attr(i, &e->attr, fuse_deadline(fc, e->attr_valid, e->attr_valid_nsec), version);
		fuse_set_valid(fc, d, e);
		ret = 1;
	}
	fuse_put_req(req);
	return ret;
}

static int fuse_d_revalidate(struct dentry *d, unsigned flags)
{
	struct inode *i;

	if (likely(fuse_clock() < READ_ONCE(d->d_time)))
		return 1;
	i = d_inode(d);
	if (!i)
		return 0;
	if (IS_ROOT(d))
		return 1;
	return fuse_revalidate_entry(d, i);
}

static bool fuse_d_fresh(const struct dentry *d)
{
	return fuse_clock() < READ_ONCE(d->d_time);
}

const struct dentry_operations fuse_dentry_operations = {
	.d_revalidate = fuse_d_revalidate,
	.d_fresh = fuse_d_fresh,
};

/* ---- making names ---- */

static void fuse_instantiate(struct dentry *d, struct inode *i)
{
	if (d_unhashed(d))
		d_add(d, i);
	else
		d_instantiate(d, i);
}

/* Sends a request that makes an object named d of the given type; consumes the request. */
static int fuse_make(struct inode *dir, struct dentry *d, struct fuse_req *req, size_t out, umode_t type, bool credit)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	u64 version = fuse_attr_version(fc);
	struct fuse_entry_out *e = &req->out.entry;
	struct inode *i;
	int err;

	err = fuse_send(fc, req, out);
	if (err)
		goto out;
	err = -EIO;
	if (!e->nodeid || e->nodeid == FUSE_ROOT_ID || (e->attr.mode & S_IFMT) != type)
		goto out;
	i = fuse_iget(dir->i_sb, e, version);
	if (!i)
		goto out;
	if (credit)
		set_bit(FUSE_I_OPEN_CREDIT, &get_fuse_inode(i)->state);
	fuse_set_valid(fc, d, e);
	fuse_instantiate(d, i);
	fuse_dir_changed(dir);
	err = 0;
out:
	fuse_put_req(req);
	return err;
}

static int fuse_mknod(struct inode *dir, struct dentry *d, umode_t mode, dev_t dev)
{
	struct fuse_req *req = fuse_get_req(get_fuse_conn(dir), FUSE_MKNOD, get_node_id(dir));
	struct fuse_mknod_in *in;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->mode = mode;
	in->rdev = (MINOR(dev) & 0xff) | (MAJOR(dev) << 8) | ((MINOR(dev) & ~0xffu) << 12);
	fuse_arg_name(req, d->d_name.name, d->d_name.len);
	return fuse_make(dir, d, req, sizeof(struct fuse_entry_out), mode & S_IFMT, false);
}

static int fuse_create(struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	struct fuse_create_in *in;
	struct fuse_req *req;
	int err;

	mode = (mode & 07777) | S_IFREG;
	if (!fc->no_create) {
		req = fuse_get_req(fc, FUSE_CREATE, get_node_id(dir));
		if (!req)
			return -ENOMEM;
		in = fuse_arg(req, sizeof(*in));
		in->flags = O_CREAT | O_EXCL | O_RDWR;
		in->mode = mode;
		fuse_arg_name(req, d->d_name.name, d->d_name.len);
		err = fuse_make(dir, d, req, sizeof(req->out.create), S_IFREG, true);
		if (err != -ENOSYS)
			return err;
		fc->no_create = true;
	}
	return fuse_mknod(dir, d, mode, 0);
}

static int fuse_tmpfile(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	struct fuse_create_in *in;
	struct fuse_req *req;
	int err;

	if (fc->no_tmpfile)
		return -EOPNOTSUPP;
	req = fuse_get_req(fc, FUSE_TMPFILE, get_node_id(dir));
	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->flags = O_RDWR;
	in->mode = (mode & 07777) | S_IFREG;
	fuse_arg_name(req, "", 0);
	err = fuse_send(fc, req, sizeof(req->out.create));
	if (!err) {
		struct inode *i = fuse_iget(dir->i_sb, &req->out.entry, fuse_attr_version(fc));

		err = i ? 0 : -EIO;
		if (i) {
			set_bit(FUSE_I_OPEN_CREDIT, &get_fuse_inode(i)->state);
			d_instantiate(d, i);
		}
	}
	fuse_put_req(req);
	if (err != -ENOSYS)
		return err;
	fc->no_tmpfile = true;
	return -EOPNOTSUPP;
}

static int fuse_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct fuse_req *req = fuse_get_req(get_fuse_conn(dir), FUSE_MKDIR, get_node_id(dir));
	struct fuse_mkdir_in *in;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->mode = mode & 07777;
	fuse_arg_name(req, d->d_name.name, d->d_name.len);
	return fuse_make(dir, d, req, sizeof(struct fuse_entry_out), S_IFDIR, false);
}

static int fuse_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	struct fuse_req *req = fuse_get_req(get_fuse_conn(dir), FUSE_SYMLINK, get_node_id(dir));
	size_t len = strlen(target) + 1;
	char *copy = kmemdup(target, len, GFP_KERNEL);
	int err = -ENOMEM;

	if (!req || !copy)
		goto out;
	fuse_arg_name(req, d->d_name.name, d->d_name.len);
	req->one = (struct vq_buf){copy, len};
	req->data = &req->one;
	req->ndata = 1;
	err = fuse_make(dir, d, req, sizeof(struct fuse_entry_out), S_IFLNK, false);
	req = NULL;
out:
	if (req)
		fuse_put_req(req);
	kfree(copy);
	return err;
}

static int fuse_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = d_inode(old);
	struct fuse_req *req = fuse_get_req(get_fuse_conn(dir), FUSE_LINK, get_node_id(dir));
	struct fuse_link_in *in;
	int err;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->oldnodeid = get_node_id(i);
	fuse_arg_name(req, d->d_name.name, d->d_name.len);
	err = fuse_make(dir, d, req, sizeof(struct fuse_entry_out), i->i_mode & S_IFMT, false);
	fuse_invalidate_attr(i);
	return err;
}

/* ---- removing and renaming ---- */

static void fuse_entry_gone(struct inode *i, bool dir)
{
	if (!i)
		return;
	spin_lock(&i->i_lock);
	if (dir)
		clear_nlink(i);
	else if (i->i_nlink)
		drop_nlink(i);
	spin_unlock(&i->i_lock);
	fuse_invalidate_attr(i);
}

static int fuse_unlink(struct inode *dir, struct dentry *d)
{
	int err = fuse_simple(get_fuse_conn(dir), FUSE_UNLINK, get_node_id(dir), d->d_name.name, d->d_name.len);

	if (!err) {
		fuse_entry_gone(d_inode(d), false);
		fuse_dir_changed(dir);
	}
	return err;
}

static int fuse_rmdir(struct inode *dir, struct dentry *d)
{
	int err = fuse_simple(get_fuse_conn(dir), FUSE_RMDIR, get_node_id(dir), d->d_name.name, d->d_name.len);

	if (!err) {
		fuse_entry_gone(d_inode(d), true);
		fuse_dir_changed(dir);
	}
	return err;
}

static int fuse_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags)
{
	struct fuse_conn *fc = get_fuse_conn(odir);
	struct fuse_req *req;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) || (flags && fc->no_rename2))
		return -EINVAL;
	req = fuse_get_req(fc, flags ? FUSE_RENAME2 : FUSE_RENAME, get_node_id(odir));
	if (!req)
		return -ENOMEM;
	if (flags) {
		struct fuse_rename2_in *in = fuse_arg(req, sizeof(*in));

		in->newdir = get_node_id(ndir);
		in->flags = flags;
	} else {
		struct fuse_rename_in *in = fuse_arg(req, sizeof(*in));

		in->newdir = get_node_id(ndir);
	}
	fuse_arg_name(req, od->d_name.name, od->d_name.len);
	fuse_arg_name(req, nd->d_name.name, nd->d_name.len);
	err = fuse_send(fc, req, 0);
	fuse_put_req(req);
	if (err == -ENOSYS && flags) {
		fc->no_rename2 = true;
		err = -EINVAL;
	}
	if (err)
		return err;
	fuse_invalidate_attr(d_inode(od));
	if (flags & RENAME_EXCHANGE)
		fuse_invalidate_attr(d_inode(nd));
	else if (d_inode(nd))
		fuse_entry_gone(d_inode(nd), d_is_dir(nd));
	fuse_dir_changed(odir);
	if (odir != ndir)
		fuse_dir_changed(ndir);
	return 0;
}

/* ---- symbolic links: the body never changes, so it is fetched once, with the lookup where it is short ---- */

static const char *fuse_get_link(struct dentry *d, struct inode *i, struct delayed_call *done)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	const char *body = smp_load_acquire(&i->i_link);
	struct fuse_req *req;
	char *buf;
	int err;

	if (body)
		return body;
	req = fuse_get_req(fc, FUSE_READLINK, get_node_id(i));
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	err = -ENOMEM;
	if (!req || !buf)
		goto out;
	req->one = (struct vq_buf){buf, PATH_MAX - 1};
	req->data = &req->one;
	req->ndata = 1;
	req->data_in = true;
	err = fuse_send(fc, req, 0);
	if (err)
		goto out;
	err = fuse_keep_link(i, buf, fuse_data_len(req));
	body = i->i_link;
out:
	if (req)
		fuse_put_req(req);
	kfree(buf);
	return err ? ERR_PTR(err) : body;
}

const struct inode_operations fuse_dir_inode_operations = {
	.lookup = fuse_lookup,
	.create = fuse_create,
	.link = fuse_link,
	.unlink = fuse_unlink,
	.symlink = fuse_symlink,
	.mkdir = fuse_mkdir,
	.rmdir = fuse_rmdir,
	.mknod = fuse_mknod,
	.rename = fuse_rename,
	.tmpfile = fuse_tmpfile,
	.setattr = fuse_setattr,
	.getattr = fuse_getattr,
	.listxattr = fuse_listxattr,
	.getxattr = fuse_getxattr,
	.setxattr = fuse_setxattr,
};

const struct inode_operations fuse_file_inode_operations = {
	.setattr = fuse_setattr,
	.getattr = fuse_getattr,
	.listxattr = fuse_listxattr,
	.getxattr = fuse_getxattr,
	.setxattr = fuse_setxattr,
};

const struct inode_operations fuse_special_inode_operations = {
	.setattr = fuse_setattr,
	.getattr = fuse_getattr,
	.listxattr = fuse_listxattr,
	.getxattr = fuse_getxattr,
	.setxattr = fuse_setxattr,
};

const struct inode_operations fuse_symlink_inode_operations = {
	.get_link = fuse_get_link,
	.setattr = fuse_setattr,
	.getattr = fuse_getattr,
	.listxattr = fuse_listxattr,
	.getxattr = fuse_getxattr,
};
