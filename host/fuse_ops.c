// SPDX-License-Identifier: Apache-2.0
/* FUSE server: finding files and their attributes. */
#include "fuse_srv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static uint32_t encode_rdev(uint64_t dev)
{
	uint32_t ma = (dev >> 8 & 0xfff) | (dev >> 32 & 0xfffff000), mi = (dev & 0xff) | (dev >> 12 & 0xffffff00);

	return (mi & 0xff) | (ma & 0xfff) << 8 | (mi & 0xfff00) << 12;
}

void srv_fill_attr(struct fs_dev *d, const struct stat *st, struct fuse_attr *a)
{
	*a = (struct fuse_attr){
		.ino = node_ino(d, st->st_dev, st->st_ino),
		.size = st->st_size,
		.blocks = st->st_blocks,
		.atime = st->st_atim.tv_sec,
		.mtime = st->st_mtim.tv_sec,
		.ctime = st->st_ctim.tv_sec,
		.atimensec = st->st_atim.tv_nsec,
		.mtimensec = st->st_mtim.tv_nsec,
		.ctimensec = st->st_ctim.tv_nsec,
		.mode = st->st_mode,
		.nlink = st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.rdev = encode_rdev(st->st_rdev),
		.blksize = st->st_blksize,
	};
}

void srv_fill_entry(struct fs_dev *d, struct fs_node *n, const struct stat *st, struct fuse_entry_out *e)
{
	memset(e, 0, sizeof(*e));
	e->entry_valid = d->entry_sec;
	if (!n)
		return;
	e->nodeid = node_id(n);
	e->generation = n->gen;
	e->attr_valid = d->attr_sec;
	srv_fill_attr(d, st, &e->attr);
}

/* The body of a link that was just found, behind the entry, where the guest left room for all of it. Its length, or 0 */
static size_t tell_link(struct fs_dev *d, int dir, const char *name, const struct fs_node *n)
{
	const size_t head = sizeof(struct fuse_entry_out);
	size_t room = fuse_srv_room(d) > head ? fuse_srv_room(d) - head : 0;
	ssize_t len;

	if (room > 4095)
		room = 4095;
	len = room ? readlinkat(dir, name, d->out + head, room) : 0;
	if (len <= 0 || (size_t)len == room) /* may be cut off */
		return 0;
	return node_is_at(n, dir, name) ? len : 0; /* another one by now */
}

ssize_t srv_lookup(struct fs_dev *d, struct fs_node *n)
{
	const char *name = fuse_srv_name(d);
	struct fuse_entry_out *e = (void *)d->out;
	struct fs_node *child = NULL;
	struct stat st;
	int fd;

	if (!name)
		return -EINVAL;
	fd = node_dir_fd(d, n);
	if (fd < 0)
		return fd;
	if (n->hidden || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) {
		if (!n->hidden && errno != ENOENT)
			return -errno;
	} else {
		child = node_get(d, n, name, &st);
		if (!child)
			return -ENOMEM;
	}
	srv_fill_entry(d, child, &st, e);
	return sizeof(*e) + (child && S_ISLNK(st.st_mode) ? tell_link(d, fd, name, child) : 0);
}

static ssize_t reply_attr(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_attr_out *o = (void *)d->out;
	struct stat st;
	int err = node_stat(d, n, &st);

	if (err)
		return err;
	memset(o, 0, sizeof(*o));
	o->attr_valid = d->attr_sec;
	srv_fill_attr(d, &st, &o->attr);
	return sizeof(*o);
}

ssize_t srv_getattr(struct fs_dev *d, struct fs_node *n)
{
	return reply_attr(d, n);
}

static int set_mode(struct fs_dev *d, struct fs_node *n, unsigned mode)
{
	char num[16];
	int fd = node_path_fd(d, n);

	if (fd < 0)
		return fd;
	if (S_ISLNK(n->type))
		return -EOPNOTSUPP;
	if (n->wfd >= 0 || n->fd_kind == FD_READ)
		return fchmod(n->wfd >= 0 ? n->wfd : n->fd, mode) ? -errno : 0;
	if (!syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH))
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -errno;
	if (d->proc_fd < 0)
		return -EOPNOTSUPP;
	snprintf(num, sizeof(num), "%d", fd);
	return fchmodat(d->proc_fd, num, mode, 0) ? -errno : 0;
}

static int set_owner(struct fs_dev *d, struct fs_node *n, const struct fuse_setattr_in *in)
{
	int fd = node_path_fd(d, n);

	if (fd < 0)
		return fd;
	return fchownat(fd, "", in->valid & FATTR_UID ? in->uid : (uid_t)-1,
			in->valid & FATTR_GID ? in->gid : (gid_t)-1, AT_EMPTY_PATH)
		       ? -errno
		       : 0;
}

static int set_size(struct fs_dev *d, struct fs_node *n, uint64_t size)
{
	int fd = node_write_fd(d, n);

	if (fd < 0)
		return fd;
	if (size > INT64_MAX)
		return -EFBIG;
	return ftruncate(fd, size) ? -errno : 0;
}

static struct timespec set_time(uint32_t valid, uint32_t set, uint32_t now, uint64_t sec, uint32_t nsec)
{
	if (!(valid & set))
		return (struct timespec){.tv_nsec = UTIME_OMIT};
	if (valid & now)
		return (struct timespec){.tv_nsec = UTIME_NOW};
	return (struct timespec){sec, nsec < 1000000000 ? nsec : 0};
}

static int set_times(struct fs_dev *d, struct fs_node *n, const struct fuse_setattr_in *in)
{
	struct timespec ts[2] = {
		set_time(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
		set_time(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec),
	};
	int fd = node_path_fd(d, n);

	if (fd < 0)
		return fd;
	return utimensat(fd, "", ts, AT_EMPTY_PATH) ? -errno : 0;
}

ssize_t srv_setattr(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_setattr_in *in = fuse_srv_arg(d, sizeof(*in));
	int err = 0;

	if (!in)
		return -EINVAL;
	if (d->readonly)
		return -EROFS;
	if (n->hidden)
		return -EPERM;
	if (in->valid & (FATTR_UID | FATTR_GID))
		err = set_owner(d, n, in);
	if (!err && (in->valid & FATTR_SIZE))
		err = set_size(d, n, in->size);
	if (!err && (in->valid & FATTR_MODE)) /* after the owner, whose change takes set-id bits away */
		err = set_mode(d, n, in->mode & 07777);
	if (!err && (in->valid & (FATTR_ATIME | FATTR_MTIME)))
		err = set_times(d, n, in);
	return err ? err : reply_attr(d, n);
}

ssize_t srv_readlink(struct fs_dev *d, struct fs_node *n)
{
	ssize_t len;
	int fd;

	if (!S_ISLNK(n->type))
		return -EINVAL;
	if (n->name && n->fd < 0) { /* by name, then see that it was n: cheaper than a descriptor for each link */
		struct stat st;

		fd = node_name_fd(d, n);
		if (fd < 0)
			return fd;
		len = readlinkat(fd, n->name, d->out, 4095);
		if (len < 0)
			return errno == ENOENT || errno == EINVAL ? -ESTALE : -errno;
		if (fstatat(fd, n->name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != n->ino || st.st_dev != n->dev)
			return -ESTALE;
		return len;
	}
	fd = node_path_fd(d, n);
	if (fd < 0)
		return fd;
	len = readlinkat(fd, "", d->out, 4095);
	return len < 0 ? -errno : len;
}

ssize_t srv_statfs(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_statfs_out *o = (void *)d->out;
	struct statvfs sv;
	int fd = node_path_fd(d, n);

	if (fd < 0)
		fd = node_dir_fd(d, d->root);
	if (fd < 0)
		return fd;
	if (fstatvfs(fd, &sv))
		return -errno;
	memset(o, 0, sizeof(*o));
	o->st = (struct fuse_kstatfs){
		.blocks = sv.f_blocks,
		.bfree = sv.f_bfree,
		.bavail = sv.f_bavail,
		.files = sv.f_files,
		.ffree = sv.f_ffree,
		.bsize = sv.f_bsize,
		.namelen = sv.f_namemax,
		.frsize = sv.f_frsize,
	};
	return sizeof(*o);
}
