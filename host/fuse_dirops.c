// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: making, removing and renaming names.
 *
 * What the guest makes belongs to the monitor's user; where that is root, to the guest's user who asked,
 * as with a container's bind mount. Device nodes are never made.
 */
#include "fuse_srv.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The directory's descriptor for a change in it. */
static int change_dir_fd(struct fs_dev *d, struct fs_node *dir)
{
	if (d->readonly)
		return -EROFS;
	if (dir->hidden)
		return -EPERM;
	return node_dir_fd(d, dir);
}

/* A new name: give it to whom it belongs, with the mode asked for. */
static int settle(struct fs_dev *d, int dir, const char *name, unsigned mode)
{
	struct stat st;

	if (d->is_root && (d->h.uid || d->h.gid)) {
		bool keep_gid = !fstat(dir, &st) && (st.st_mode & S_ISGID);

		if (fchownat(dir, name, d->h.uid, keep_gid ? (gid_t)-1 : d->h.gid, AT_SYMLINK_NOFOLLOW))
			return -errno;
		if ((mode & (S_ISUID | S_ISGID)) && !S_ISLNK(mode) &&
		    fchmodat(dir, name, mode & 07777, AT_SYMLINK_NOFOLLOW))
			return -errno;
	}
	if (!d->own_fs && !S_ISLNK(mode) && fchmodat(dir, name, mode & 07777, AT_SYMLINK_NOFOLLOW))
		return -errno; /* the process's umask may have had a say */
	return 0;
}

/* The same for a file without a name. */
static int settle_tmpfile(struct fs_dev *d, int dir, int fd, unsigned mode)
{
	struct stat st;

	if (d->is_root) {
		bool keep_gid = !fstat(dir, &st) && (st.st_mode & S_ISGID);

		if (fchown(fd, d->h.uid, keep_gid ? (gid_t)-1 : d->h.gid))
			return -errno;
	}
	/* to change the owner took the set-id bits away */
	if ((!d->own_fs || (mode & (S_ISUID | S_ISGID))) && fchmod(fd, mode))
		return -errno;
	return 0;
}

/* The answer for a name that was just made; counts a lookup. */
static ssize_t reply_entry(struct fs_dev *d, struct fs_node *dir, int fd, const char *name, struct fs_node **np)
{
	struct fuse_entry_out *e = (void *)d->out;
	struct fs_node *n;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	n = node_get(d, dir, name, &st);
	if (!n)
		return -ENOMEM;
	srv_fill_entry(d, n, &st, e);
	if (np)
		*np = n;
	return sizeof(*e);
}

static ssize_t finish_make(struct fs_dev *d, struct fs_node *dir, int fd, const char *name, unsigned mode)
{
	int err = settle(d, fd, name, mode);

	if (err) {
		unlinkat(fd, name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
		return err;
	}
	return reply_entry(d, dir, fd, name, NULL);
}

ssize_t srv_symlink(struct fs_dev *d, struct fs_node *n)
{
	const char *name = fuse_srv_name(d), *target = name ? fuse_srv_str(d, 4096) : NULL;
	int fd;

	if (!target || !*target)
		return -EINVAL;
	fd = change_dir_fd(d, n);
	if (fd < 0)
		return fd;
	if (symlinkat(target, fd, name))
		return -errno;
	return finish_make(d, n, fd, name, S_IFLNK | 0777);
}

ssize_t srv_mknod(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_mknod_in *in = fuse_srv_arg(d, sizeof(*in));
	const char *name = in ? fuse_srv_name(d) : NULL;
	unsigned mode;
	int fd;

	if (!name)
		return -EINVAL;
	mode = in->mode & ~in->umask;
	fd = change_dir_fd(d, n);
	if (fd < 0)
		return fd;
	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EPERM;
	if (mknodat(fd, name, (mode & S_IFMT) | (mode & 07777), 0))
		return -errno;
	return finish_make(d, n, fd, name, mode);
}

ssize_t srv_mkdir(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_mkdir_in *in = fuse_srv_arg(d, sizeof(*in));
	const char *name = in ? fuse_srv_name(d) : NULL;
	unsigned mode;
	struct stat st;
	int fd;

	if (!name)
		return -EINVAL;
	mode = in->mode & ~in->umask & 07777;
	fd = change_dir_fd(d, n);
	if (fd < 0)
		return fd;
	if (mkdirat(fd, name, mode))
		return -errno;
	if (!fstat(fd, &st))
		mode |= st.st_mode & S_ISGID;
	return finish_make(d, n, fd, name, mode | S_IFDIR);
}

static ssize_t reply_open(struct fs_dev *d, ssize_t at)
{
	struct fuse_open_out *o = (void *)(d->out + at);

	*o = (struct fuse_open_out){.open_flags = FOPEN_KEEP_CACHE};
	return at + sizeof(*o);
}

ssize_t srv_create(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_create_in *in = fuse_srv_arg(d, sizeof(*in));
	const char *name = in ? fuse_srv_name(d) : NULL;
	struct fs_node *node;
	unsigned mode;
	ssize_t ret;
	int fd, new;

	if (!name)
		return -EINVAL;
	mode = in->mode & ~in->umask & 07777;
	fd = change_dir_fd(d, n);
	if (fd < 0)
		return fd;
	if (!fd_allowed(d, true))
		return -EMFILE;
	new = fs_openat(fd, name, O_RDWR | O_CREAT | O_EXCL, mode);
	if (new < 0)
		return new;
	ret = settle(d, fd, name, mode | S_IFREG);
	if (!ret)
		ret = reply_entry(d, n, fd, name, &node);
	if (ret < 0) {
		unlinkat(fd, name, 0);
		close(new);
		return ret;
	}
	node_set_wfd(d, node, new, FD_RDWR);
	node->writers++;
	return reply_open(d, ret);
}

ssize_t srv_tmpfile(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_create_in *in = fuse_srv_arg(d, sizeof(*in));
	struct fuse_entry_out *e = (void *)d->out;
	struct fs_node *node;
	struct stat st;
	unsigned mode;
	int fd, new, r;

	if (!in)
		return -EINVAL;
	mode = in->mode & ~in->umask & 07777;
	fd = change_dir_fd(d, n);
	if (fd < 0)
		return fd;
	if (!fd_allowed(d, true))
		return -EMFILE;
	new = fs_openat(fd, ".", O_RDWR | O_TMPFILE, mode);
	if (new < 0)
		return new;
	r = settle_tmpfile(d, fd, new, mode);
	if (!r && fstat(new, &st))
		r = -errno;
	node = r ? NULL : node_get(d, NULL, NULL, &st);
	if (!node) {
		close(new);
		return r ? r : -ENOMEM;
	}
	node_set_wfd(d, node, new, FD_RDWR);
	node->writers++;
	srv_fill_entry(d, node, &st, e);
	return reply_open(d, sizeof(*e));
}

/*
 * Gives @old another name: by its descriptor, for the name that it had last time may be gone or somebody else's by now (a symbolic link
 * reached so is not followed); by that name where the host has no /proc. What was linked is looked at: 0, or -errno and nothing is left.
 */
static int link_node(struct fs_dev *d, struct fs_node *old, int dir, const char *name)
{
	int ofd = node_path_fd(d, old), pfd, r;
	char num[16];

	if (ofd < 0)
		return ofd;
	if (d->proc_fd >= 0) {
		snprintf(num, sizeof(num), "%d", ofd);
		r = linkat(d->proc_fd, num, dir, name, AT_SYMLINK_FOLLOW);
	} else {
		pfd = node_name_fd(d, old);
		if (pfd < 0)
			return pfd;
		r = linkat(pfd, old->name, dir, name, 0);
	}
	if (r)
		return -errno;
	if (node_is_at(old, dir, name))
		return 0;
	unlinkat(dir, name, 0); /* not what was meant: its name went to another file just now */
	return -ESTALE;
}

ssize_t srv_link(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_link_in *in = fuse_srv_arg(d, sizeof(*in));
	const char *name = in ? fuse_srv_name(d) : NULL;
	struct fs_node *old = in ? node_by_id(d, in->oldnodeid) : NULL;
	int fd, err;

	if (!name || !old)
		return -EINVAL;
	if (S_ISDIR(old->type))
		return -EPERM;
	fd = change_dir_fd(d, n);
	if (fd < 0)
		return fd;
	err = link_node(d, old, fd, name);
	return err ? err : reply_entry(d, n, fd, name, NULL);
}

/* The node that has this very name at present, if the guest knows it. */
static struct fs_node *named(struct fs_dev *d, struct fs_node *dir, int fd, const char *name)
{
	struct fs_node *n;
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return NULL;
	n = node_find(d, st.st_dev, st.st_ino, st.st_mode & S_IFMT);
	return n && n->name && n->parent == dir && !strcmp(n->name, name) ? n : NULL;
}

static ssize_t remove_name(struct fs_dev *d, struct fs_node *dir, int flags)
{
	const char *name = fuse_srv_name(d);
	struct fs_node *victim;
	int fd;

	if (!name)
		return -EINVAL;
	fd = change_dir_fd(d, dir);
	if (fd < 0)
		return fd;
	victim = named(d, dir, fd, name);
	if (victim && victim->nlookup)
		node_keep(d, victim); /* it may be open */
	if (unlinkat(fd, name, flags))
		return -errno;
	if (victim)
		node_set_name(d, victim, NULL, NULL);
	return 0;
}

ssize_t srv_unlink(struct fs_dev *d, struct fs_node *n)
{
	return remove_name(d, n, 0);
}

ssize_t srv_rmdir(struct fs_dev *d, struct fs_node *n)
{
	return remove_name(d, n, AT_REMOVEDIR);
}

static ssize_t do_rename(struct fs_dev *d, struct fs_node *odir, uint64_t newdir, unsigned flags)
{
	const char *oname = fuse_srv_name(d), *nname = oname ? fuse_srv_name(d) : NULL;
	struct fs_node *ndir = node_by_id(d, newdir), *src, *victim;
	int ofd, nfd;

	if (!nname || !ndir || (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)))
		return -EINVAL;
	ofd = change_dir_fd(d, odir);
	if (ofd < 0)
		return ofd;
	nfd = change_dir_fd(d, ndir);
	if (nfd < 0)
		return nfd;
	src = named(d, odir, ofd, oname);
	victim = named(d, ndir, nfd, nname);
	if (victim && victim->nlookup && !(flags & RENAME_EXCHANGE))
		node_keep(d, victim);
	if (syscall(SYS_renameat2, ofd, oname, nfd, nname, flags))
		return -errno;
	if (src && src == victim)
		return 0;
	if (victim && !(flags & RENAME_EXCHANGE))
		node_set_name(d, victim, NULL, NULL);
	if (src)
		node_set_name(d, src, ndir, nname);
	if (victim && (flags & RENAME_EXCHANGE))
		node_set_name(d, victim, odir, oname);
	return 0;
}

ssize_t srv_rename(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_rename_in *in = fuse_srv_arg(d, sizeof(*in));

	return in ? do_rename(d, n, in->newdir, 0) : -EINVAL;
}

ssize_t srv_rename2(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_rename2_in *in = fuse_srv_arg(d, sizeof(*in));

	return in ? do_rename(d, n, in->newdir, in->flags) : -EINVAL;
}
