// SPDX-License-Identifier: Apache-2.0
// Changing directories: create, link, remove; the vfs_* functions and their system calls.
#include "namei.h"

static int check_sticky(const struct inode *dir, const struct inode *i)
{
	if (!(dir->i_mode & S_ISVTX))
		return 0;
	if (i->i_uid == current_fsuid() || dir->i_uid == current_fsuid())
		return 0;
	return !capable(CAP_FOWNER);
}

int may_delete(struct inode *dir, struct dentry *victim, bool isdir)
{
	struct inode *i = victim->d_inode;
	int r;

	if (!i)
		return -ENOENT;
	r = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (r)
		return r;
	if (dir->i_flags & S_APPEND)
		return -EPERM;
	if (check_sticky(dir, i) || (i->i_flags & (S_APPEND | S_IMMUTABLE)))
		return -EPERM;
	if (isdir) {
		if (!S_ISDIR(i->i_mode))
			return -ENOTDIR;
		if (IS_ROOT(victim))
			return -EBUSY;
	} else if (S_ISDIR(i->i_mode)) {
		return -EISDIR;
	}
	return dir->i_flags & S_DEAD ? -ENOENT : 0;
}

int may_create(struct inode *dir, struct dentry *d)
{
	if (d->d_inode)
		return -EEXIST;
	if (dir->i_flags & S_DEAD)
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

/* ---- vfs_*: the parent's i_rwsem is held ---- */
int vfs_create(struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	int r = may_create(dir, d);

	if (r)
		return r;
	if (!dir->i_op->create)
		return -EACCES;
	r = dir->i_op->create(dir, d, S_IFREG | (mode & 07777), excl);
	if (!r)
		fsnotify(FS_CREATE, dir, d->d_inode, d->d_name.name, 0);
	return r;
}

int vfs_mknod(struct inode *dir, struct dentry *d, umode_t mode, dev_t dev)
{
	int r = may_create(dir, d);

	if (r)
		return r;
	/* a whiteout (0/0) is nobody's device */
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !(S_ISCHR(mode) && dev == 0) && !capable(CAP_MKNOD))
		return -EPERM;
	if (!dir->i_op->mknod)
		return -EPERM;
	r = dir->i_op->mknod(dir, d, mode, dev);
	if (!r)
		fsnotify(FS_CREATE, dir, d->d_inode, d->d_name.name, 0);
	return r;
}

int vfs_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	int r = may_create(dir, d);

	if (r)
		return r;
	if (!dir->i_op->mkdir)
		return -EPERM;
	r = dir->i_op->mkdir(dir, d, S_IFDIR | (mode & (0777 | S_ISVTX)));
	if (!r)
		fsnotify(FS_CREATE | FS_ISDIR, dir, d->d_inode, d->d_name.name, 0);
	return r;
}

int vfs_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	int r = may_create(dir, d);

	if (r)
		return r;
	if (!dir->i_op->symlink)
		return -EPERM;
	r = dir->i_op->symlink(dir, d, target);
	if (!r)
		fsnotify(FS_CREATE, dir, d->d_inode, d->d_name.name, 0);
	return r;
}

int vfs_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = old->d_inode;
	int r;

	if (!i)
		return -ENOENT;
	r = may_create(dir, d);
	if (r)
		return r;
	if (dir->i_sb != i->i_sb)
		return -EXDEV;
	if (i->i_flags & (S_APPEND | S_IMMUTABLE))
		return -EPERM;
	if (!dir->i_op->link)
		return -EPERM;
	if (S_ISDIR(i->i_mode))
		return -EPERM;
	inode_lock(i);
	if (i->i_nlink == 0 && !(i->i_state & I_LINKABLE)) {
		r = -ENOENT;
	} else {
		r = dir->i_op->link(old, dir, d);
		if (!r && (i->i_state & I_LINKABLE))
			__atomic_fetch_and(&i->i_state, ~(unsigned long)I_LINKABLE, __ATOMIC_SEQ_CST);
	}
	inode_unlock(i);
	if (!r) {
		fsnotify(FS_ATTRIB, NULL, i, NULL, 0);
		fsnotify(FS_CREATE, dir, i, d->d_name.name, 0);
	}
	return r;
}

int vfs_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->d_inode;
	int r = may_delete(dir, d, false);

	if (r)
		return r;
	if (!dir->i_op->unlink)
		return -EPERM;
	inode_lock(i);
	r = d->d_mounted ? -EBUSY : dir->i_op->unlink(dir, d);
	inode_unlock(i);
	if (!r) {
		fsnotify(FS_ATTRIB, NULL, i, NULL, 0);
		d_delete(d);
		fsnotify(FS_DELETE, dir, NULL, d->d_name.name, 0);
	}
	return r;
}

int vfs_rmdir(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->d_inode;
	int r = may_delete(dir, d, true);

	if (r)
		return r;
	if (!dir->i_op->rmdir)
		return -EPERM;
	dget(d);
	inode_lock(i);
	r = d->d_mounted ? -EBUSY : dir->i_op->rmdir(dir, d);
	if (!r) {
		shrink_dcache_parent(d);
		i->i_flags |= S_DEAD;
		d->d_flags |= DCACHE_CANT_MOUNT;
	}
	inode_unlock(i);
	dput(d);
	if (!r) {
		d_delete(d);
		fsnotify(FS_DELETE | FS_ISDIR, dir, NULL, d->d_name.name, 0);
	}
	return r;
}

/* ---- system calls: create ---- */
struct dentry *kern_path_create(int dfd, const char *name, struct path *parent, unsigned flags)
{
	struct qstr last;
	struct dentry *d;
	int type, wr, r = path_parent(dfd, name, flags & LOOKUP_REVAL, parent, &last, &type);
	bool slash;

	if (r)
		return ERR_PTR(r);
	if (type != LAST_NORM) {
		path_put(parent);
		return ERR_PTR(-EEXIST);
	}
	slash = last.name[last.len];
	wr = mnt_want_write(parent->mnt);
	inode_lock(parent->dentry->d_inode);
	d = __lookup_hash(&last, parent->dentry, LOOKUP_CREATE | LOOKUP_EXCL);
	if (IS_ERR(d))
		goto fail;
	r = -EEXIST;
	if (d->d_inode)
		goto fail_put;
	/* "name/" where nothing is: only a directory can be made */
	r = -ENOENT;
	if (slash && !(flags & LOOKUP_DIRECTORY))
		goto fail_put;
	r = wr;
	if (!r)
		return d;
fail_put:
	dput(d);
	d = ERR_PTR(r);
fail:
	inode_unlock(parent->dentry->d_inode);
	if (!wr)
		mnt_drop_write(parent->mnt);
	path_put(parent);
	return d;
}

void done_path_create(struct path *parent, struct dentry *d)
{
	if (!IS_ERR(d))
		dput(d);
	inode_unlock(parent->dentry->d_inode);
	mnt_drop_write(parent->mnt);
	path_put(parent);
}

static umode_t masked(umode_t mode)
{
	return mode & ~(umode_t)current_fs()->umask;
}

static long do_mknodat(int dfd, const char __user *name, umode_t mode, unsigned dev)
{
	struct fname n;
	struct path p;
	struct dentry *d;
	int r;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	r = fname_get(&n, name, 0);
	if (r)
		return r;
	d = kern_path_create(dfd, n.name, &p, 0);
	r = PTR_ERR_OR_ZERO(d);
	if (!r) {
		mode = create_mode(p.dentry->d_inode, mode);
		if (S_ISREG(mode))
			r = vfs_create(p.dentry->d_inode, d, mode, true);
		else
			r = vfs_mknod(p.dentry->d_inode, d, mode, S_ISCHR(mode) || S_ISBLK(mode) ? dev : 0);
		done_path_create(&p, d);
	}
	fname_put(&n);
	return r;
}

SYSCALL_DEFINE4(mknodat, int, dfd, const char __user *, name, umode_t, mode, unsigned, dev)
{
	return do_mknodat(dfd, name, mode, dev);
}

SYSCALL_DEFINE3(mknod, const char __user *, name, umode_t, mode, unsigned, dev)
{
	return do_mknodat(AT_FDCWD, name, mode, dev);
}

static long do_mkdirat(int dfd, const char __user *name, umode_t mode)
{
	struct fname n;
	struct path p;
	struct dentry *d;
	int r = fname_get(&n, name, 0);

	if (r)
		return r;
	d = kern_path_create(dfd, n.name, &p, LOOKUP_DIRECTORY);
	r = PTR_ERR_OR_ZERO(d);
	if (!r) {
		r = vfs_mkdir(p.dentry->d_inode, d, masked(mode));
		done_path_create(&p, d);
	}
	fname_put(&n);
	return r;
}

SYSCALL_DEFINE3(mkdirat, int, dfd, const char __user *, name, umode_t, mode)
{
	return do_mkdirat(dfd, name, mode);
}

SYSCALL_DEFINE2(mkdir, const char __user *, name, umode_t, mode)
{
	return do_mkdirat(AT_FDCWD, name, mode);
}

static long do_symlinkat(const char __user *target, int dfd, const char __user *name)
{
	struct fname n, t;
	struct path p;
	struct dentry *d;
	int r = fname_get(&t, target, 0);

	if (r)
		return r;
	r = fname_get(&n, name, 0);
	if (r)
		goto out;
	d = kern_path_create(dfd, n.name, &p, 0);
	r = PTR_ERR_OR_ZERO(d);
	if (!r) {
		r = vfs_symlink(p.dentry->d_inode, d, t.name);
		done_path_create(&p, d);
	}
	fname_put(&n);
out:
	fname_put(&t);
	return r;
}

SYSCALL_DEFINE3(symlinkat, const char __user *, target, int, dfd, const char __user *, name)
{
	return do_symlinkat(target, dfd, name);
}

SYSCALL_DEFINE2(symlink, const char __user *, target, const char __user *, name)
{
	return do_symlinkat(target, AT_FDCWD, name);
}

/* may_linkat: the protected_hardlinks rule */
static int may_linkat(const struct path *link)
{
	struct inode *i = link->dentry->d_inode;

	if (!sysctl_protected_hardlinks || inode_owner_or_capable(i))
		return 0;
	if (S_ISREG(i->i_mode) && !(i->i_mode & S_ISUID) && (i->i_mode & (S_ISGID | 010)) != (S_ISGID | 010) &&
	    !inode_permission(i, MAY_READ | MAY_WRITE))
		return 0;
	return -EPERM;
}

static long do_linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname, int flags)
{
	unsigned lf = 0;
	struct fname n;
	struct path old, p;
	struct dentry *d;
	int r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		lf |= LOOKUP_EMPTY;
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
	}
	if (flags & AT_SYMLINK_FOLLOW)
		lf |= LOOKUP_FOLLOW;
	r = fname_path(olddfd, oldname, lf, &old);
	if (r)
		return r;
	r = fname_get(&n, newname, 0);
	if (r)
		goto out_old;
	d = kern_path_create(newdfd, n.name, &p, 0);
	r = PTR_ERR_OR_ZERO(d);
	if (!r) {
		r = old.mnt != p.mnt ? -EXDEV : may_linkat(&old);
		if (!r)
			r = vfs_link(old.dentry, p.dentry->d_inode, d);
		done_path_create(&p, d);
	}
	fname_put(&n);
out_old:
	path_put(&old);
	return r;
}

SYSCALL_DEFINE5(linkat, int, olddfd, const char __user *, oldname, int, newdfd, const char __user *, newname, int,
		flags)
{
	return do_linkat(olddfd, oldname, newdfd, newname, flags);
}

SYSCALL_DEFINE2(link, const char __user *, oldname, const char __user *, newname)
{
	return do_linkat(AT_FDCWD, oldname, AT_FDCWD, newname, 0);
}

/* ---- system calls: remove ---- */
static long do_rmdir(int dfd, const char __user *name)
{
	struct fname n;
	struct qstr last;
	struct path p;
	struct dentry *d;
	int type, r = fname_get(&n, name, 0);

	if (r)
		return r;
	r = path_parent(dfd, n.name, 0, &p, &last, &type);
	if (r)
		goto out;
	r = type == LAST_DOTDOT ? -ENOTEMPTY : type == LAST_DOT ? -EINVAL : -EBUSY;
	if (type != LAST_NORM)
		goto out_path;
	r = mnt_want_write(p.mnt);
	if (r)
		goto out_path;
	inode_lock(p.dentry->d_inode);
	d = __lookup_hash(&last, p.dentry, 0);
	r = PTR_ERR_OR_ZERO(d);
	if (!r) {
		r = d->d_inode ? vfs_rmdir(p.dentry->d_inode, d) : -ENOENT;
		dput(d);
	}
	inode_unlock(p.dentry->d_inode);
	mnt_drop_write(p.mnt);
out_path:
	path_put(&p);
out:
	fname_put(&n);
	return r;
}

SYSCALL_DEFINE1(rmdir, const char __user *, name)
{
	return do_rmdir(AT_FDCWD, name);
}

static int unlink_error(const struct dentry *d)
{
	if (!d->d_inode)
		return -ENOENT;
	return d_is_dir(d) ? -EISDIR : -ENOTDIR;
}

static int unlink_path(int dfd, const char *name)
{
	struct inode *victim = NULL;
	struct qstr last;
	struct path p;
	struct dentry *d;
	int type, r = path_parent(dfd, name, 0, &p, &last, &type);

	if (r)
		return r;
	r = -EISDIR;
	if (type != LAST_NORM)
		goto out_path;
	r = mnt_want_write(p.mnt);
	if (r)
		goto out_path;
	inode_lock(p.dentry->d_inode);
	d = __lookup_hash(&last, p.dentry, 0);
	r = PTR_ERR_OR_ZERO(d);
	if (!r) {
		if (last.name[last.len] || !d->d_inode) {
			r = unlink_error(d);
		} else {
			victim = d->d_inode;
			ihold(victim);
			r = vfs_unlink(p.dentry->d_inode, d);
		}
		dput(d);
	}
	inode_unlock(p.dentry->d_inode);
	iput(victim); /* frees the data, without the directory's lock */
	mnt_drop_write(p.mnt);
out_path:
	path_put(&p);
	return r;
}

static long do_unlinkat(int dfd, const char __user *name)
{
	struct fname n;
	int r = fname_get(&n, name, 0);

	if (r)
		return r;
	r = unlink_path(dfd, n.name);
	fname_put(&n);
	return r;
}

int kern_unlink(const char *name)
{
	return unlink_path(AT_FDCWD, name);
}

SYSCALL_DEFINE3(unlinkat, int, dfd, const char __user *, name, int, flag)
{
	if (flag & ~AT_REMOVEDIR)
		return -EINVAL;
	return flag & AT_REMOVEDIR ? do_rmdir(dfd, name) : do_unlinkat(dfd, name);
}

SYSCALL_DEFINE1(unlink, const char __user *, name)
{
	return do_unlinkat(AT_FDCWD, name);
}
