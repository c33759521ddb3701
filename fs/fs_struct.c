// SPDX-License-Identifier: Apache-2.0
// A task's root and working directory, and what kernel/ asks of fs/ for a task.
#include "internal.h"
#include <husk/pid.h>
#include <husk/task_fs.h>

void path_get(const struct path *p)
{
	mntget(p->mnt);
	dget(p->dentry);
}

void path_put(const struct path *p)
{
	dput(p->dentry);
	mntput(p->mnt);
}

void get_fs_root(struct fs_struct *fs, struct path *p)
{
	spin_lock(&fs->lock);
	*p = fs->root;
	path_get(p);
	spin_unlock(&fs->lock);
}

void get_fs_pwd(struct fs_struct *fs, struct path *p)
{
	spin_lock(&fs->lock);
	*p = fs->pwd;
	path_get(p);
	spin_unlock(&fs->lock);
}

static void fs_set(struct fs_struct *fs, struct path *which, const struct path *p)
{
	struct path old;

	path_get(p);
	spin_lock(&fs->lock);
	old = *which;
	WRITE_ONCE(fs->seq, fs->seq + 1);
	smp_wmb();
	*which = *p;
	smp_store_release(&fs->seq, fs->seq + 1);
	spin_unlock(&fs->lock);
	if (old.dentry)
		path_put(&old);
}

void set_fs_root(struct fs_struct *fs, const struct path *p)
{
	fs_set(fs, &fs->root, p);
}

void set_fs_pwd(struct fs_struct *fs, const struct path *p)
{
	fs_set(fs, &fs->pwd, p);
}

struct fs_struct *copy_fs_struct(struct fs_struct *old)
{
	struct fs_struct *fs = kzalloc(sizeof(*fs), GFP_KERNEL);

	if (!fs)
		return NULL;
	refcount_set(&fs->users, 1);
	spin_lock(&old->lock);
	fs->umask = old->umask;
	fs->root = old->root;
	fs->pwd = old->pwd;
	path_get(&fs->root);
	path_get(&fs->pwd);
	spin_unlock(&old->lock);
	return fs;
}

void put_fs_struct(struct fs_struct *fs)
{
	if (!fs || !refcount_dec_and_test(&fs->users))
		return;
	if (fs->root.dentry)
		path_put(&fs->root);
	if (fs->pwd.dentry)
		path_put(&fs->pwd);
	if (fs != &init_fs)
		kfree(fs);
}

void exit_fs(struct task_struct *t)
{
	struct fs_struct *fs;

	task_lock(t);
	fs = t->fs;
	t->fs = NULL;
	task_unlock(t);
	put_fs_struct(fs);
}

int unshare_fs_struct(void)
{
	struct fs_struct *old = current->fs, *new;

	if (refcount_read(&old->users) == 1)
		return 0;
	new = copy_fs_struct(old);
	if (!new)
		return -ENOMEM;
	task_lock(current);
	current->fs = new;
	task_unlock(current);
	put_fs_struct(old);
	return 0;
}

SYSCALL_DEFINE1(umask, int, mask)
{
	return __atomic_exchange_n(&current->fs->umask, mask & 0777, __ATOMIC_SEQ_CST);
}

static void pidfd_cancel(unsigned int fd, struct file *file)
{
	fput(file);
	put_unused_fd(fd);
}

const struct task_fs_ops vfs_task_ops = {
	.dup_files = dup_fd,
	.copy_fs = copy_fs_struct,
	.exit_files = exit_files,
	.exit_fs = exit_fs,
	.unshare_files = unshare_files,
	.unshare_fs = unshare_fs_struct,
	.pidfd_prepare = pidfd_create_file,
	.pidfd_install = fd_install,
	.pidfd_cancel = pidfd_cancel,
	.pidfd_pid = pidfd_get_pid,
	.procfd_pid = procfd_get_pid,
};
