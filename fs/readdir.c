// SPDX-License-Identifier: Apache-2.0
/* getdents(2), getdents64(2). */
#include "internal.h"

int iterate_dir(struct file *f, struct dir_context *ctx)
{
	struct inode *i = file_inode(f);
	int r;

	if (!f->f_op->iterate_shared)
		return -ENOTDIR;
	inode_lock_shared(i);
	r = -ENOENT;
	if (!(i->i_flags & S_DEAD)) {
		ctx->pos = f->f_pos;
		r = f->f_op->iterate_shared(f, ctx);
		f->f_pos = ctx->pos;
		fsnotify_file(f, FS_ACCESS | FS_ISDIR);
		file_accessed(f);
	}
	inode_unlock_shared(i);
	return r;
}

bool dir_emit_dots(struct file *f, struct dir_context *c)
{
	struct dentry *d = f->f_path.dentry;

	if (c->pos == 0) {
		if (!dir_emit(c, ".", 1, d->d_inode->i_ino, DT_DIR))
			return false;
		c->pos = 1;
	}
	if (c->pos == 1) {
		struct dentry *p = dget_parent(d);
		bool ok = dir_emit(c, "..", 2, p->d_inode->i_ino, DT_DIR);

		dput(p);
		if (!ok)
			return false;
		c->pos = 2;
	}
	return true;
}

struct dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};
struct dirent_old {
	unsigned long d_ino, d_off;
	u16 d_reclen;
	char d_name[];
};

/*
 * Entries are gathered in a kernel buffer, copied out when it is full: file systems emit with locks
 * held that a user page fault may want.
 */
#define GD_BUF 4096
struct getdents {
	struct dir_context ctx;
	char *buf;
	unsigned used, last; /* last: offset of the latest entry */
	char __user *out;
	size_t room, total; /* of the user's buffer */
	int prev;	    /* there is a latest entry: its d_off is not known yet */
	bool old, full;
	int error;
};

static bool gd_fill(struct dir_context *ctx, const char *name, int len, loff_t off, u64 ino, unsigned type)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	unsigned head = g->old ? offsetof(struct dirent_old, d_name) : offsetof(struct dirent64, d_name);
	unsigned rec = ALIGN(head + len + (g->old ? 2u : 1u), 8u);
	char *p = g->buf + g->used;

	if (len <= 0 || memchr(name, '/', len)) {
		g->error = -EIO;
		return false;
	}
	if (g->total + g->used + rec > g->room) {
		g->error = g->total + g->used ? 0 : -EINVAL;
		return false;
	}
	if (g->used + rec > GD_BUF) {
		g->full = true;
		return false;
	}
	if (g->prev)
		*(s64 *)(g->buf + g->last + 8) = off;
	if (g->old) {
		struct dirent_old *d = (void *)p;

		d->d_ino = ino;
		d->d_reclen = rec;
		memcpy(d->d_name, name, len);
		memset(d->d_name + len, 0, rec - head - len);
		p[rec - 1] = type;
	} else {
		struct dirent64 *d = (void *)p;

		d->d_ino = ino;
		d->d_reclen = rec;
		d->d_type = type;
		memcpy(d->d_name, name, len);
		memset(d->d_name + len, 0, rec - head - len);
	}
	g->last = g->used;
	g->prev = 1;
	g->used += rec;
	return true;
}

static int gd_flush(struct getdents *g, loff_t pos)
{
	if (!g->used)
		return 0;
	*(s64 *)(g->buf + g->last + 8) = pos;
	if (copy_to_user(g->out + g->total, g->buf, g->used))
		return -EFAULT;
	g->total += g->used;
	g->used = 0;
	g->prev = 0;
	return 0;
}

static long do_getdents(unsigned fd, char __user *out, unsigned n, bool old)
{
	struct getdents g = {.ctx.actor = gd_fill, .out = out, .room = n, .old = old};
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	g.buf = kmalloc(GD_BUF, GFP_KERNEL);
	r = -ENOMEM;
	if (!g.buf)
		goto out;
	mutex_lock(&f.file->f_pos_lock);
	do {
		loff_t before = f.file->f_pos;

		g.full = false;
		g.error = 0;
		r = iterate_dir(f.file, &g.ctx);
		if (r >= 0)
			r = g.error;
		if (gd_flush(&g, f.file->f_pos)) {
			f.file->f_pos = before;
			r = -EFAULT;
		}
	} while (r >= 0 && g.full && !signal_pending(current));
	mutex_unlock(&f.file->f_pos_lock);
	kfree(g.buf);
	if (g.total)
		r = g.total;
out:
	fdput(f);
	return r;
}

SYSCALL_DEFINE3(getdents64, unsigned, fd, void __user *, out, unsigned, n)
{
	return do_getdents(fd, out, n, false);
}

SYSCALL_DEFINE3(getdents, unsigned, fd, void __user *, out, unsigned, n)
{
	return do_getdents(fd, out, n, true);
}
