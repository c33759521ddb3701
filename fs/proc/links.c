// SPDX-License-Identifier: Apache-2.0
/* Links that lead to an object, not to a name: fd/N, exe, cwd, root, ns/... */
#include "internal.h"

int proc_exe_link(struct task_struct *t, unsigned arg, struct path *p)
{
	struct file *exe = NULL;

	task_lock(t);
	if (t->mm && t->mm->exe_file)
		exe = get_file(t->mm->exe_file);
	task_unlock(t);
	if (!exe)
		return -ENOENT;
	*p = exe->f_path;
	path_get(p);
	fput(exe);
	return 0;
}

static int fs_link(struct task_struct *t, bool root, struct path *p)
{
	int err = -ENOENT;

	task_lock(t);
	if (t->fs) {
		if (root)
			get_fs_root(t->fs, p);
		else
			get_fs_pwd(t->fs, p);
		err = 0;
	}
	task_unlock(t);
	return err;
}

int proc_cwd_link(struct task_struct *t, unsigned arg, struct path *p)
{
	return fs_link(t, false, p);
}

int proc_root_link(struct task_struct *t, unsigned arg, struct path *p)
{
	return fs_link(t, true, p);
}

/* link_path: where the link leads, for those who may look into the task */
static int link_path(struct inode *inode, struct path *p)
{
	const struct pid_entry *e = PROC_I(inode)->entry;
	struct task_struct *t = get_proc_task(inode);
	int err;

	if (!t)
		return -ENOENT;
	if (!proc_may_access(t, false))
		err = -EACCES;
	else
		err = e->link(t, e->arg ? e->arg : PROC_I(inode)->fd, p);
	put_task_struct(t);
	return err;
}

static const char *pid_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	struct path p;
	int err;

	if (!d)
		return ERR_PTR(-EACCES);
	err = link_path(inode, &p);
	if (err)
		return ERR_PTR(err);
	nd_jump_link(&p);
	return NULL;
}

static int pid_readlink(struct dentry *d, char __user *buf, int n)
{
	struct path p;
	char *page, *s;
	int err = link_path(d->d_inode, &p);

	if (err)
		return err;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page) {
		path_put(&p);
		return -ENOMEM;
	}
	s = d_path(&p, page, PAGE_SIZE);
	err = PTR_ERR_OR_ZERO(s);
	if (!err) {
		n = min_t(int, n, page + PAGE_SIZE - 1 - s);
		err = copy_to_user(buf, s, n) ? -EFAULT : n;
	}
	free_page((unsigned long)page);
	path_put(&p);
	return err;
}

static int link_setattr(struct dentry *d, struct iattr *a)
{
	return -EPERM;
}

const struct inode_operations pid_link_iops = {
	.get_link = pid_get_link, .readlink = pid_readlink, .setattr = link_setattr};

/* net: there is one network; the link's depth is that of its directory */
static const char *net_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	bool thread = d && !IS_ROOT(d->d_parent) && !IS_ROOT(d->d_parent->d_parent);

	return thread ? "../../../net" : "../net";
}

const struct inode_operations pid_net_iops = {.get_link = net_get_link};
