// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/fd and fdinfo. */
#include "internal.h"
#include <husk/mount.h>
#include <husk/filelock.h>

static umode_t fd_mode(struct file *f)
{
	return S_IFLNK | (f->f_mode & FMODE_READ ? 0500 : 0) | (f->f_mode & FMODE_WRITE ? 0300 : 0);
}

/* fd_file: the file behind an entry, with a reference, or NULL */
static struct file *fd_file(const struct inode *inode)
{
	struct task_struct *t = get_proc_task(inode);
	struct file *f = NULL;

	if (t) {
		f = fget_task(t, PROC_I(inode)->fd);
		put_task_struct(t);
	}
	return f;
}

static int fd_revalidate(struct dentry *d, unsigned flags)
{
	struct inode *inode = d->d_inode;
	struct task_struct *t;
	struct file *f = fd_file(inode);

	if (!f)
		return 0;
	if (S_ISLNK(inode->i_mode))
		inode->i_mode = fd_mode(f);
	fput(f);
	t = get_proc_task(inode);
	if (t) {
		proc_task_owner(t, inode->i_mode, &inode->i_uid, &inode->i_gid);
		put_task_struct(t);
	}
	return 1;
}

/* the number may mean another file the next moment */
static int fd_delete_dentry(const struct dentry *d)
{
	return 1;
}

static const struct dentry_operations fd_dentry_operations = {.d_revalidate = fd_revalidate,
							      .d_delete = fd_delete_dentry};

static int fd_link(struct task_struct *t, unsigned fd, struct path *p)
{
	struct file *f = fget_task(t, fd);

	if (!f)
		return -ENOENT;
	*p = f->f_path;
	path_get(p);
	fput(f);
	return 0;
}

static const struct pid_entry fd_entry = {.name = "fd", .link = fd_link};

static int fdinfo_show(struct seq_file *m, struct task_struct *t)
{
	struct inode *inode = m->private;
	unsigned fd = PROC_I(inode)->fd;
	bool cloexec = false;
	struct file *f = fget_task(t, fd);

	if (!f)
		return -ENOENT;
	task_lock(t);
	if (t->files) {
		spin_lock(&t->files->file_lock);
		cloexec = fd < t->files->max_fds && test_bit(fd, t->files->close_on_exec);
		spin_unlock(&t->files->file_lock);
	}
	task_unlock(t);
	seq_printf(m, "pos:\t%lli\nflags:\t0%o\nmnt_id:\t%i\nino:\t%llu\n", (long long)f->f_pos,
		   (f->f_flags & ~O_CLOEXEC) | (cloexec ? O_CLOEXEC : 0), real_mount(f->f_path.mnt)->mnt_id,
		   (unsigned long long)file_inode(f)->i_ino);
	show_fd_locks(m, f, t->files);
	if (f->f_op && f->f_op->show_fdinfo)
		f->f_op->show_fdinfo(m, f);
	fput(f);
	return 0;
}

static const struct pid_entry fdinfo_entry = {.name = "fdinfo", .show = fdinfo_show, .arg = 1};

static struct dentry *lookup_fd(struct inode *dir, struct dentry *d, bool info)
{
	struct task_struct *t;
	struct inode *inode;
	struct file *f;
	unsigned fd;
	umode_t mode;

	if (!name_to_number(d->d_name.name, d->d_name.len, &fd))
		return ERR_PTR(-ENOENT);
	t = get_proc_task(dir);
	f = t ? fget_task(t, fd) : NULL;
	if (t)
		put_task_struct(t);
	if (!f)
		return ERR_PTR(-ENOENT);
	mode = info ? S_IFREG | 0444 : fd_mode(f);
	fput(f);
	inode = proc_pid_inode(dir->i_sb, PROC_I(dir)->pid, info ? &fdinfo_entry : &fd_entry, mode,
			       info ? PID_FDINFO_INO(PROC_I(dir)->pid->nr, fd) : PID_FD_INO(PROC_I(dir)->pid->nr, fd));
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	PROC_I(inode)->fd = fd;
	inode->i_op = info ? &pid_file_iops : &pid_link_iops;
	inode->i_size = info ? 0 : 64;
	if (info)
		inode->i_fop = &pid_one_fops;
	d->d_op = &fd_dentry_operations;
	d_add(d, inode);
	return NULL;
}

static struct dentry *fd_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	return lookup_fd(dir, d, false);
}

static struct dentry *fdinfo_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	return lookup_fd(dir, d, true);
}

#define FD_BATCH 128

/* next_fds: up to FD_BATCH open descriptors from start on */
static unsigned next_fds(struct task_struct *t, unsigned start, unsigned *fds)
{
	unsigned n = 0;

	task_lock(t);
	if (t->files) {
		struct files_struct *files = t->files;

		spin_lock(&files->file_lock);
		for (unsigned fd = start; n < FD_BATCH; fd++) {
			fd = find_next_bit(files->open_fds, files->max_fds, fd);
			if (fd >= files->max_fds)
				break;
			if (files->fd[fd])
				fds[n++] = fd;
		}
		spin_unlock(&files->file_lock);
	}
	task_unlock(t);
	return n;
}

static int readdir_fd(struct file *f, struct dir_context *ctx, bool info)
{
	struct inode *dir = file_inode(f);
	struct task_struct *t = get_proc_task(dir);
	unsigned fds[FD_BATCH], n;
	pid_t nr = PROC_I(dir)->pid->nr;

	if (!t)
		return -ENOENT;
	if (!dir_emit_dots(f, ctx))
		goto out;
	while ((n = next_fds(t, ctx->pos - 2, fds))) {
		for (unsigned i = 0; i < n; i++) {
			char name[12];

			ctx->pos = fds[i] + 2;
			if (!dir_emit(ctx, name, snprintf(name, sizeof(name), "%u", fds[i]),
				      info ? PID_FDINFO_INO(nr, fds[i]) : PID_FD_INO(nr, fds[i]),
				      info ? DT_REG : DT_LNK))
				goto out;
			ctx->pos++;
		}
	}
out:
	put_task_struct(t);
	return 0;
}

static int fd_readdir(struct file *f, struct dir_context *ctx)
{
	return readdir_fd(f, ctx, false);
}

static int fdinfo_readdir(struct file *f, struct dir_context *ctx)
{
	return readdir_fd(f, ctx, true);
}

/* fd_permission: a task may always look at its own */
static int fd_permission(struct inode *inode, int mask)
{
	int err = generic_permission(inode, mask);
	struct task_struct *t;

	if (!err)
		return 0;
	t = get_proc_task(inode);
	if (t) {
		if (same_thread_group(t, current))
			err = 0;
		put_task_struct(t);
	}
	return err;
}

static int fd_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct task_struct *t = get_proc_task(p->dentry->d_inode);

	generic_fillattr(p->dentry->d_inode, st);
	if (!t)
		return 0;
	task_lock(t);
	st->size = 0; /* the number of descriptors, as of Linux 6.2 */
	if (t->files)
		for (unsigned i = 0; i < READ_ONCE(t->files->max_fds) / 64; i++)
			st->size += __builtin_popcountl(t->files->open_fds[i]);
	task_unlock(t);
	put_task_struct(t);
	return 0;
}

const struct inode_operations pid_fd_iops = {.lookup = fd_lookup, .permission = fd_permission, .getattr = fd_getattr};
const struct inode_operations pid_fdinfo_iops = {.lookup = fdinfo_lookup, .permission = fd_permission};
const struct file_operations pid_fd_fops = {
	.read = generic_read_dir,
	.iterate_shared = fd_readdir,
	.llseek = generic_file_llseek,
};
const struct file_operations pid_fdinfo_fops = {
	.read = generic_read_dir,
	.iterate_shared = fdinfo_readdir,
	.llseek = generic_file_llseek,
};
