// SPDX-License-Identifier: Apache-2.0
/* stat(2) and its kin, statx(2), readlink(2). */
#include "internal.h"
#include <asm/stat.h>

int vfs_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *i = d_inode(p->dentry);
	int r = 0;

	st->result_mask = 0;
	st->attributes = st->attributes_mask = 0;
	st->btime = (struct timespec64){0, 0};
	if (i->i_op->getattr)
		r = i->i_op->getattr(p, st, mask, flags);
	else
		generic_fillattr(i, st);
	if (!r && unlikely(p->dentry == p->mnt->mnt_root))
		st->attributes |= STATX_ATTR_MOUNT_ROOT;
	st->attributes_mask |= STATX_ATTR_MOUNT_ROOT;
	st->mnt_id = real_mount(p->mnt)->mnt_id;
	return r;
}

static int copy_stat(struct stat __user *u, const struct kstat *k)
{
	struct stat s = {
		.st_dev = k->dev,
		.st_ino = k->ino,
		.st_nlink = k->nlink,
		.st_mode = k->mode,
		.st_uid = k->uid,
		.st_gid = k->gid,
		.st_rdev = k->rdev,
		.st_size = k->size,
		.st_blksize = k->blksize,
		.st_blocks = k->blocks,
		.st_atime = k->atime.tv_sec,
		.st_atime_nsec = k->atime.tv_nsec,
		.st_mtime = k->mtime.tv_sec,
		.st_mtime_nsec = k->mtime.tv_nsec,
		.st_ctime = k->ctime.tv_sec,
		.st_ctime_nsec = k->ctime.tv_nsec,
	};

	return copy_to_user(u, &s, sizeof(s)) ? -EFAULT : 0;
}

static int stat_path(const struct path *p, struct stat __user *u)
{
	struct kstat k;
	int r = vfs_getattr(p, &k, STATX_BASIC_STATS, 0);

	return r ? r : copy_stat(u, &k);
}

static int stat_name(int dfd, const char __user *name, struct stat __user *u, unsigned lf)
{
	struct path p;
	int r = fname_path(dfd, name, lf, &p);

	if (likely(!r)) {
		r = stat_path(&p, u);
		path_put(&p);
	}
	return r;
}

static int stat_fd(unsigned fd, struct stat __user *u)
{
	struct fd f = fdget_raw(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = stat_path(&f.file->f_path, u);
	fdput(f);
	return r;
}

SYSCALL_DEFINE2(stat, const char __user *, name, struct stat __user *, u)
{
	return stat_name(AT_FDCWD, name, u, LOOKUP_FOLLOW);
}

SYSCALL_DEFINE2(lstat, const char __user *, name, struct stat __user *, u)
{
	return stat_name(AT_FDCWD, name, u, 0);
}

SYSCALL_DEFINE2(fstat, unsigned, fd, struct stat __user *, u)
{
	return stat_fd(fd, u);
}

/* is_empty_path: "" or, as newer kernels have it, NULL, with AT_EMPTY_PATH */
static bool is_empty_path(const char __user *name, int flags)
{
	char c;

	if (!(flags & AT_EMPTY_PATH))
		return false;
	return !name || (!copy_from_user(&c, name, 1) && !c);
}

SYSCALL_DEFINE4(newfstatat, int, dfd, const char __user *, name, struct stat __user *, u, int, flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	if (dfd >= 0 && is_empty_path(name, flags))
		return stat_fd(dfd, u);
	return stat_name(dfd, name, u,
			 (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0));
}

static struct statx_timestamp stx_time(const struct timespec64 *t)
{
	return (struct statx_timestamp){.tv_sec = t->tv_sec, .tv_nsec = t->tv_nsec};
}

static int copy_statx(struct statx __user *u, const struct kstat *k, unsigned mask)
{
	struct statx x;

	memset(&x, 0, sizeof(x));
	x.stx_mask = k->result_mask | STATX_BASIC_STATS | STATX_MNT_ID;
	x.stx_blksize = k->blksize;
	x.stx_attributes = k->attributes;
	x.stx_attributes_mask = k->attributes_mask;
	x.stx_nlink = k->nlink;
	x.stx_uid = k->uid;
	x.stx_gid = k->gid;
	x.stx_mode = k->mode;
	x.stx_ino = k->ino;
	x.stx_size = k->size;
	x.stx_blocks = k->blocks;
	x.stx_atime = stx_time(&k->atime);
	x.stx_btime = stx_time(&k->btime);
	x.stx_ctime = stx_time(&k->ctime);
	x.stx_mtime = stx_time(&k->mtime);
	x.stx_rdev_major = MAJOR(k->rdev);
	x.stx_rdev_minor = MINOR(k->rdev);
	x.stx_dev_major = MAJOR(k->dev);
	x.stx_dev_minor = MINOR(k->dev);
	x.stx_mnt_id = k->mnt_id;
	return copy_to_user(u, &x, sizeof(x)) ? -EFAULT : 0;
}

SYSCALL_DEFINE5(statx, int, dfd, const char __user *, name, unsigned, flags, unsigned, mask, struct statx __user *, u)
{
	unsigned lf = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct kstat k;
	struct path p;
	int r;

	if (mask & STATX__RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (is_empty_path(name, flags) && dfd >= 0) {
		struct fd f = fdget_raw(dfd);

		if (!f.file)
			return -EBADF;
		r = vfs_getattr(&f.file->f_path, &k, mask, flags & AT_STATX_SYNC_TYPE);
		fdput(f);
		return r ? r : copy_statx(u, &k, mask);
	}
	if (flags & AT_EMPTY_PATH)
		lf |= LOOKUP_EMPTY;
	r = fname_path(dfd, name, lf, &p);
	if (r)
		return r;
	r = vfs_getattr(&p, &k, mask, flags & AT_STATX_SYNC_TYPE);
	path_put(&p);
	return r ? r : copy_statx(u, &k, mask);
}

/* ---- readlink ---- */
static int copy_link(char __user *buf, int n, const char *body)
{
	int len = min_t(int, strlen(body), n);

	return copy_to_user(buf, body, len) ? -EFAULT : len;
}

int vfs_readlink(struct dentry *d, char __user *buf, int n)
{
	struct inode *i = d->d_inode;
	struct delayed_call done = {NULL, NULL};
	const char *body;
	int r;

	if (!S_ISLNK(i->i_mode) || (!i->i_link && !i->i_op->get_link))
		return -EINVAL;
	body = i->i_link ? i->i_link : i->i_op->get_link(d, i, &done);
	if (IS_ERR(body))
		return PTR_ERR(body);
	r = body ? copy_link(buf, n, body) : -EINVAL;
	do_delayed_call(&done);
	return r;
}

/* Links of /proc have no body but a readlink operation. */
static long do_readlinkat(int dfd, const char __user *name, char __user *buf, int n)
{
	struct inode *i;
	struct path p;
	int r;

	if (n <= 0)
		return -EINVAL;
	r = fname_path(dfd, name, LOOKUP_EMPTY, &p);
	if (r)
		return r;
	i = p.dentry->d_inode;
	if (S_ISLNK(i->i_mode)) {
		touch_atime(&p);
		r = i->i_op->readlink ? i->i_op->readlink(p.dentry, buf, n) : vfs_readlink(p.dentry, buf, n);
	} else {
		struct fname f;

		r = fname_get(&f, name, LOOKUP_EMPTY);
		if (!r) {
			r = *f.name ? -EINVAL : -ENOENT;
			fname_put(&f);
		}
	}
	path_put(&p);
	return r;
}

SYSCALL_DEFINE4(readlinkat, int, dfd, const char __user *, name, char __user *, buf, int, n)
{
	return do_readlinkat(dfd, name, buf, n);
}

SYSCALL_DEFINE3(readlink, const char __user *, name, char __user *, buf, int, n)
{
	return do_readlinkat(AT_FDCWD, name, buf, n);
}
