// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: listing directories.
 *
 * Positions are the host's own (d_off), so the server keeps nothing about a listing but where the directory's descriptor
 * happens to stand. HOSTIF_FUSE_READDIR_*: see hostif.h.
 */
#include "fuse_srv.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct dent {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

struct listing {
	struct fs_dev *d;
	struct fs_node *dir;
	int fd;
	bool plus, dirs_only;
	size_t len, room; /* of d->out */
	size_t data, end; /* files' data: where the next goes in the guest's buffers, and where these end */
};

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* All of a file's data into the guest's buffers, where there is room. */
static bool bring_data(struct listing *l, int fd, const struct stat *st)
{
	size_t size = st->st_size;

	if (!S_ISREG(st->st_mode) || !(st->st_mode & S_IROTH) || st->st_size <= 0 ||
	    st->st_size > HOSTIF_FUSE_DATA_MOST || size > l->end - l->data)
		return false;
	if (fs_copy_to_ram(l->d, fd, l->data, size, 0, size) != (ssize_t)size)
		return false;
	size = (size + HOSTIF_FUSE_DATA_ALIGN - 1) & -(size_t)HOSTIF_FUSE_DATA_ALIGN;
	l->data = size < l->end - l->data ? l->data + size : l->end;
	return true;
}

/* A regular file's attributes and, if *brought, its data: opening it saves the look by name. */
static int open_and_stat(struct listing *l, const char *name, struct stat *st, bool *brought)
{
	int fd = fd_allowed(l->d, false) ? fs_openat(l->fd, name, O_RDONLY, 0) : -EMFILE, err;

	*brought = false;
	if (fd < 0)
		return fstatat(l->fd, name, st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
	err = fstat(fd, st);
	if (!err)
		*brought = bring_data(l, fd, st);
	close(fd);
	return err;
}

/* What READDIRPLUS tells about a child besides its name; fields stay 0 where it is not to be told or is gone. */
static void fill_plus(struct listing *l, const struct dent *de, struct fuse_entry_out *e, struct fuse_dirent *out)
{
	bool brought = false;
	struct fs_node *n;
	struct stat st;

	memset(e, 0, sizeof(*e));
	if (is_dots(de->d_name) || (l->dirs_only && de->d_type != DT_DIR && de->d_type != DT_UNKNOWN))
		return;
	if (de->d_type == DT_REG && l->data < l->end
		    ? open_and_stat(l, de->d_name, &st, &brought)
		    : fstatat(l->fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return;
	n = node_get(l->d, l->dir, de->d_name, &st);
	if (!n)
		return;
	srv_fill_entry(l->d, n, &st, e);
	if (brought)
		e->attr.flags |= HOSTIF_FUSE_ATTR_DATA;
	out->ino = e->attr.ino;
	out->type = (st.st_mode & S_IFMT) >> 12;
}

/* Append one entry; false when it does not fit. */
static bool add_entry(struct listing *l, const struct dent *de)
{
	size_t name_len = strlen(de->d_name);
	size_t head = l->plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
	size_t size = FUSE_REC_ALIGN(head + name_len);
	char *p = l->d->out + l->len;
	struct fuse_dirent *out = (void *)(l->plus ? p + offsetof(struct fuse_direntplus, dirent) : p);

	if (l->len + size > l->room)
		return false;
	*out = (struct fuse_dirent){
		.ino = node_ino(l->d, l->dir->dev, de->d_ino),
		.off = de->d_off,
		.namelen = name_len,
		.type = de->d_type,
	};
	memcpy(out->name, de->d_name, name_len);
	memset(out->name + name_len, 0, size - head - name_len);
	if (l->plus)
		fill_plus(l, de, (void *)p, out);
	l->len += size;
	return true;
}

/* The record without a name that ends a complete listing; room for it was kept. */
static void add_end(struct listing *l)
{
	size_t head = FUSE_REC_ALIGN(l->plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET);

	memset(l->d->out + l->len, 0, head);
	l->len += head;
}

/* A hidden directory: "." and ".." only. */
static bool add_dots(struct listing *l, uint64_t offset)
{
	union {
		struct dent de;
		char room[32];
	} u;

	for (int i = offset; i < 2; i++) {
		u.de = (struct dent){.d_ino = l->dir->ino, .d_off = i + 1, .d_type = DT_DIR};
		strcpy(u.room + offsetof(struct dent, d_name), i ? ".." : ".");
		if (!add_entry(l, &u.de))
			return false;
	}
	return true;
}

/* 1: all of the directory is told; 0: the answer is full; -errno */
static int fill(struct listing *l, uint64_t offset)
{
	struct fs_dev *d = l->d;

	if (l->dir->hidden)
		return offset > 2 || add_dots(l, offset);
	if (l->dir->dirpos != (int64_t)offset && lseek(l->fd, offset, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		size_t want = (l->room - l->len) / (l->plus ? 5 : 1);
		long got;

		want = want < 1024 ? 1024 : want > sizeof(d->dents) ? sizeof(d->dents) : want;
		l->dir->dirpos = -1;
		got = syscall(SYS_getdents64, l->fd, d->dents, want);
		if (got < 0)
			return l->len ? 0 : -errno;
		if (!got)
			return 1;
		for (long at = 0; at < got;) {
			const struct dent *de = (void *)(d->dents + at);

			if (!add_entry(l, de))
				return l->len ? 0 : -EINVAL;
			at += de->d_reclen;
			l->dir->dirpos = at == got ? de->d_off : -1;
		}
	}
}

static ssize_t list(struct fs_dev *d, struct fs_node *n, bool plus)
{
	struct fuse_read_in *in = fuse_srv_arg(d, sizeof(*in));
	struct listing l = {.d = d, .dir = n, .plus = plus};
	size_t end = FUSE_REC_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS);
	bool tell_end;
	int r;

	if (!in || in->offset > INT64_MAX)
		return -EINVAL;
	if (!S_ISDIR(n->type))
		return -ENOTDIR;
	tell_end = in->read_flags & HOSTIF_FUSE_READDIR_EOF;
	l.dirs_only = in->read_flags & HOSTIF_FUSE_READDIR_DIRS;
	l.fd = node_read_fd(d, n);
	if (l.fd < 0)
		return l.fd;
	l.room = fuse_srv_room(d);
	if (plus && (in->read_flags & HOSTIF_FUSE_READDIR_DATA) && l.room > in->size) {
		l.data = sizeof(struct fuse_out_header) + in->size;
		l.end = sizeof(struct fuse_out_header) + l.room;
	}
	if (l.room > in->size)
		l.room = in->size;
	if (l.room > sizeof(d->out))
		l.room = sizeof(d->out);
	if (tell_end)
		l.room = l.room > end ? l.room - end : 0;
	r = fill(&l, in->offset);
	if (r < 0)
		return r;
	if (r && tell_end)
		add_end(&l);
	return l.len;
}

ssize_t srv_readdir(struct fs_dev *d, struct fs_node *n)
{
	return list(d, n, false);
}

ssize_t srv_readdirplus(struct fs_dev *d, struct fs_node *n)
{
	return list(d, n, true);
}
