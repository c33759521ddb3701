// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: extended attributes.
 *
 * The calls that take a descriptor want it open for reading, which not every file can be. So they are made by name, relative to the
 * thread's own working directory where it has one (unshare(CLONE_FS)), else by way of /proc/self/fd.
 */
#include "fuse_srv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define XATTR_MAX 65536

struct target {
	int fd; /* >= 0: use the calls for descriptors */
	char path[320];
};

static int find_target(struct fs_dev *d, struct fs_node *n, struct target *t)
{
	int fd;

	t->fd = n->fd_kind == FD_READ ? n->fd : n->wfd;
	if (t->fd >= 0)
		return 0;
	if (!n->name && S_ISREG(n->type)) { /* one of several names was remembered, and is gone */
		fd = node_read_fd(d, n);
		t->fd = fd == -EACCES ? node_write_fd(d, n) : fd;
		return t->fd < 0 ? t->fd : 0;
	}
	fd = node_name_fd(d, n);
	if (fd >= 0 && d->own_fs && !fchdir(fd)) {
		snprintf(t->path, sizeof(t->path), "./%s", n->name);
		return 0;
	}
	if (d->proc_fd < 0)
		return -EOPNOTSUPP;
	if (fd >= 0) {
		snprintf(t->path, sizeof(t->path), "/proc/self/fd/%d/%s", fd, n->name);
		return 0;
	}
	return fd;
}

ssize_t srv_getxattr(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_getxattr_in *in = fuse_srv_arg(d, sizeof(*in));
	const char *name = in ? fuse_srv_str(d, 256) : NULL;
	struct fuse_getxattr_out *o = (void *)d->out;
	struct target t;
	size_t size;
	ssize_t r;
	int err;

	if (!name)
		return -EINVAL;
	err = find_target(d, n, &t);
	if (err)
		return err;
	size = in->size < XATTR_MAX ? in->size : XATTR_MAX;
	if (size > fuse_srv_room(d))
		return -ERANGE;
	r = t.fd >= 0 ? fgetxattr(t.fd, name, d->out, size) : lgetxattr(t.path, name, d->out, size);
	if (r < 0)
		return -errno;
	if (size)
		return r;
	*o = (struct fuse_getxattr_out){.size = r};
	return sizeof(*o);
}

ssize_t srv_listxattr(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_getxattr_in *in = fuse_srv_arg(d, sizeof(*in));
	struct fuse_getxattr_out *o = (void *)d->out;
	struct target t;
	size_t size;
	ssize_t r;
	int err;

	if (!in)
		return -EINVAL;
	err = find_target(d, n, &t);
	if (err)
		return err;
	size = in->size < XATTR_MAX ? in->size : XATTR_MAX;
	if (size > fuse_srv_room(d))
		return -ERANGE;
	r = t.fd >= 0 ? flistxattr(t.fd, d->out, size) : llistxattr(t.path, d->out, size);
	if (r < 0)
		return -errno;
	if (size)
		return r;
	*o = (struct fuse_getxattr_out){.size = r};
	return sizeof(*o);
}

ssize_t srv_setxattr(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_setxattr_in *in = fuse_srv_arg(d, FUSE_COMPAT_SETXATTR_IN_SIZE);
	const char *name = in ? fuse_srv_str(d, 256) : NULL;
	struct target t;
	size_t at;
	int err, r;

	if (!name || in->size > XATTR_MAX)
		return -EINVAL;
	if (d->readonly)
		return -EROFS;
	if (n->hidden)
		return -EPERM;
	err = find_target(d, n, &t);
	if (err)
		return err;
	/* the value follows the name; it may be longer than what was copied with the request */
	at = sizeof(d->h) + d->in_pos;
	if (virtq_read(d->chain.iov, d->chain.nout, at, d->out, in->size) != in->size)
		return -EINVAL;
	if (t.fd >= 0)
		r = fsetxattr(t.fd, name, d->out, in->size, in->flags & (XATTR_CREATE | XATTR_REPLACE));
	else
		r = lsetxattr(t.path, name, d->out, in->size, in->flags & (XATTR_CREATE | XATTR_REPLACE));
	return r ? -errno : 0;
}

ssize_t srv_removexattr(struct fs_dev *d, struct fs_node *n)
{
	const char *name = fuse_srv_str(d, 256);
	struct target t;
	int err;

	if (!name)
		return -EINVAL;
	if (d->readonly)
		return -EROFS;
	if (n->hidden)
		return -EPERM;
	err = find_target(d, n, &t);
	if (err)
		return err;
	return (t.fd >= 0 ? fremovexattr(t.fd, name) : lremovexattr(t.path, name)) ? -errno : 0;
}
