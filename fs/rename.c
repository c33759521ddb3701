// SPDX-License-Identifier: Apache-2.0
// rename(2) and its kin: both directories locked in order, the checks, the change itself.
#include "namei.h"
#include <linux/fs.h>

static void notify_move(struct inode *odir, struct inode *ndir, const char *oname, const char *nname,
			struct inode *moved, struct inode *target)
{
	u32 cookie = fsnotify_get_cookie(), isdir = S_ISDIR(moved->i_mode) ? FS_ISDIR : 0;

	fsnotify(FS_MOVED_FROM | isdir, odir, moved, oname, cookie);
	fsnotify(FS_MOVED_TO | isdir, ndir, moved, nname, cookie);
	if (target)
		fsnotify(FS_ATTRIB, NULL, target, NULL, 0);
	fsnotify(FS_MOVE_SELF | isdir, NULL, moved, NULL, 0);
}

static int rename_checks(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags)
{
	bool isdir = d_is_dir(od), ndisdir = d_is_dir(nd);
	int r = may_delete(odir, od, isdir);

	if (r)
		return r;
	if (!nd->d_inode)
		r = may_create(ndir, nd);
	else if (flags & RENAME_EXCHANGE)
		r = may_delete(ndir, nd, ndisdir);
	else
		r = may_delete(ndir, nd, isdir);
	if (r)
		return r;
	if (!odir->i_op->rename)
		return -EPERM;
	if (odir != ndir) {
		/* a directory that moves has its `..` written */
		if (isdir)
			r = inode_permission(od->d_inode, MAY_WRITE);
		if (!r && (flags & RENAME_EXCHANGE) && ndisdir)
			r = inode_permission(nd->d_inode, MAY_WRITE);
	}
	return r;
}

/**
 * vfs_rename - rename @od to @nd
 *
 * Both directories locked (lock_rename()). On success the dentries are moved, too.
 */
int vfs_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags)
{
	struct inode *source = od->d_inode, *target = nd->d_inode;
	char *oname = NULL;
	int r;

	if (source == target)
		return 0;
	r = rename_checks(odir, od, ndir, nd, flags);
	if (r)
		return r;
	if (atomic_read(&fsnotify_nr_marks))
		oname = kstrdup(od->d_name.name, GFP_KERNEL);
	dget(nd);
	if (target)
		inode_lock(target);
	r = -EBUSY;
	if (od->d_mounted || nd->d_mounted)
		goto out;
	if (target && S_ISDIR(target->i_mode) && !(flags & RENAME_EXCHANGE))
		shrink_dcache_parent(nd);
	r = odir->i_op->rename(odir, od, ndir, nd, flags);
	if (r)
		goto out;
	if (!(flags & RENAME_EXCHANGE) && target) {
		if (S_ISDIR(target->i_mode)) {
			shrink_dcache_parent(nd);
			target->i_flags |= S_DEAD;
		}
		nd->d_flags |= DCACHE_CANT_MOUNT;
	}
	if (flags & RENAME_EXCHANGE)
		d_exchange(od, nd);
	else
		d_move(od, nd);
out:
	if (target)
		inode_unlock(target);
	dput(nd);
	if (!r && oname) {
		notify_move(odir, ndir, oname, od->d_name.name, source, flags & RENAME_EXCHANGE ? NULL : target);
		if (flags & RENAME_EXCHANGE)
			notify_move(ndir, odir, od->d_name.name, oname, target, NULL);
	}
	kfree(oname);
	return r;
}

/* lock_rename: both directories. Returns the child of one that the other lies below, if so. */
struct dentry *lock_rename(struct dentry *a, struct dentry *b)
{
	struct dentry *p;

	if (a == b) {
		inode_lock(a->d_inode);
		return NULL;
	}
	mutex_lock(&a->d_sb->s_vfs_rename_mutex);
	for (p = b; !IS_ROOT(p); p = p->d_parent) { /* the tree's shape stands still under the mutex */
		if (p->d_parent == a) {
			inode_lock(a->d_inode);
			inode_lock(b->d_inode);
			return p;
		}
	}
	for (p = a; !IS_ROOT(p); p = p->d_parent) {
		if (p->d_parent == b) {
			inode_lock(b->d_inode);
			inode_lock(a->d_inode);
			return p;
		}
	}
	inode_lock(a < b ? a->d_inode : b->d_inode);
	inode_lock(a < b ? b->d_inode : a->d_inode);
	return NULL;
}

void unlock_rename(struct dentry *a, struct dentry *b)
{
	inode_unlock(a->d_inode);
	if (a != b) {
		inode_unlock(b->d_inode);
		mutex_unlock(&a->d_sb->s_vfs_rename_mutex);
	}
}

/* ---- system calls ---- */
struct ren {
	struct path op, np;
	struct qstr olast, nlast;
	unsigned flags;
};

static int rename_locked(struct ren *x, struct dentry *trap)
{
	struct dentry *od, *nd;
	int r;

	od = __lookup_hash(&x->olast, x->op.dentry, 0);
	if (IS_ERR(od))
		return PTR_ERR(od);
	nd = __lookup_hash(&x->nlast, x->np.dentry, LOOKUP_RENAME_TARGET);
	r = PTR_ERR_OR_ZERO(nd);
	if (r)
		goto out_old;
	r = -ENOENT;
	if (!od->d_inode)
		goto out;
	r = -EEXIST;
	if ((x->flags & RENAME_NOREPLACE) && nd->d_inode)
		goto out;
	if (x->flags & RENAME_EXCHANGE) {
		r = -ENOENT;
		if (!nd->d_inode)
			goto out;
		r = -ENOTDIR;
		if (!d_is_dir(nd) && x->nlast.name[x->nlast.len])
			goto out;
	}
	if (!d_is_dir(od)) {
		r = -ENOTDIR;
		if (x->olast.name[x->olast.len])
			goto out;
		if (!(x->flags & RENAME_EXCHANGE) && x->nlast.name[x->nlast.len])
			goto out;
	}
	r = -EINVAL;
	if (od == trap)
		goto out;
	r = x->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (nd == trap)
		goto out;
	r = vfs_rename(x->op.dentry->d_inode, od, x->np.dentry->d_inode, nd, x->flags);
out:
	dput(nd);
out_old:
	dput(od);
	return r;
}

static int rename_names(int odfd, const char *from, int ndfd, const char *to, unsigned flags)
{
	struct ren x = {.flags = flags};
	struct dentry *trap;
	int otype, ntype, r;

	r = path_parent(odfd, from, 0, &x.op, &x.olast, &otype);
	if (r)
		return r;
	r = path_parent(ndfd, to, 0, &x.np, &x.nlast, &ntype);
	if (r)
		goto out_old;
	r = -EXDEV;
	if (x.op.mnt != x.np.mnt)
		goto out;
	r = -EBUSY;
	if (otype != LAST_NORM)
		goto out;
	if (ntype != LAST_NORM) {
		r = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
		goto out;
	}
	r = mnt_want_write(x.op.mnt);
	if (r)
		goto out;
	trap = lock_rename(x.np.dentry, x.op.dentry);
	r = rename_locked(&x, trap);
	unlock_rename(x.np.dentry, x.op.dentry);
	mnt_drop_write(x.op.mnt);
out:
	path_put(&x.np);
out_old:
	path_put(&x.op);
	return r;
}

static long do_renameat2(int odfd, const char __user *oldname, int ndfd, const char __user *newname, unsigned flags)
{
	struct fname from, to;
	int r;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE))
		return -EINVAL;
	r = fname_get(&from, oldname, 0);
	if (r)
		return r;
	r = fname_get(&to, newname, 0);
	if (!r) {
		r = rename_names(odfd, from.name, ndfd, to.name, flags);
		fname_put(&to);
	}
	fname_put(&from);
	return r;
}

SYSCALL_DEFINE5(renameat2, int, odfd, const char __user *, oldname, int, ndfd, const char __user *, newname, unsigned,
		flags)
{
	return do_renameat2(odfd, oldname, ndfd, newname, flags);
}

SYSCALL_DEFINE4(renameat, int, odfd, const char __user *, oldname, int, ndfd, const char __user *, newname)
{
	return do_renameat2(odfd, oldname, ndfd, newname, 0);
}

SYSCALL_DEFINE2(rename, const char __user *, oldname, const char __user *, newname)
{
	return do_renameat2(AT_FDCWD, oldname, AT_FDCWD, newname, 0);
}
