// SPDX-License-Identifier: Apache-2.0
/* /proc/sys: settings registered by path, as numbers, strings or texts. */
#include <husk/init.h>
#include "internal.h"

extern const struct proc_decl __start_proc_decl[], __stop_proc_decl[];

/* A text that may be changed */
struct sysctl_string {
	char *buf;
	size_t size;
};
static DEFINE_MUTEX(sysctl_lock); /* strings: a reader sees the old or the new one */

static int int_show(struct seq_file *m, void *v)
{
	const struct proc_decl *d = m->private;

	seq_printf(m, "%d\n", READ_ONCE(*d->val));
	return 0;
}

static int int_store(char *buf, void *data)
{
	const struct proc_decl *d = data;
	long long v;

	if (kstrtoll(strim(buf), 0, &v) || v < d->min || v > d->max)
		return -EINVAL;
	WRITE_ONCE(*d->val, v);
	return 0;
}

static int string_show(struct seq_file *m, void *v)
{
	struct sysctl_string *s = m->private;

	mutex_lock(&sysctl_lock);
	seq_printf(m, "%s\n", s->buf);
	mutex_unlock(&sysctl_lock);
	return 0;
}

static int string_store(char *buf, void *data)
{
	struct sysctl_string *s = data;

	mutex_lock(&sysctl_lock);
	strscpy(s->buf, buf, s->size);
	mutex_unlock(&sysctl_lock);
	return 0;
}

static int sysctl_open(struct inode *inode, struct file *f)
{
	struct proc_dir_entry *de = PROC_I(inode)->pde;

	return single_open(f, de->show, de->data);
}

static ssize_t sysctl_write_iter(struct kiocb *k, struct iov_iter *from)
{
	struct proc_dir_entry *de = PROC_I(file_inode(k->ki_filp))->pde;
	size_t n = iov_iter_count(from);
	char *buf, *nl;
	int err;

	if (!de->store)
		return -EPERM;
	if (n >= PAGE_SIZE)
		return -ENOMEM;
	if (!n)
		return 0;
	buf = kmalloc(n + 1, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (copy_from_iter(buf, n, from) != n) {
		kfree(buf);
		return -EFAULT;
	}
	buf[n] = 0;
	nl = strchr(buf, '\n');
	if (nl)
		*nl = 0;
	err = de->store(buf, de->data);
	kfree(buf);
	if (err)
		return err;
	k->ki_pos += n;
	return n;
}

static const struct file_operations sysctl_fops = {
	.open = sysctl_open,
	.read = seq_read,
	.read_iter = seq_read_iter,
	.write_iter = sysctl_write_iter,
	.llseek = seq_lseek,
	.release = single_release,
};

/* sysctl_permission: the mode alone counts: what is read-only is so for root too */
static int sysctl_permission(struct inode *inode, int mask)
{
	umode_t mode = inode->i_mode;

	if (!current_euid())
		mode >>= 6;
	else if (in_egroup_p(0))
		mode >>= 3;
	return mask & ~mode & (MAY_READ | MAY_WRITE | MAY_EXEC) ? -EACCES : 0;
}

static int sysctl_setattr(struct dentry *d, struct iattr *a)
{
	return a->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : pde_setattr(d, a);
}

static const struct inode_operations sysctl_iops = {
	.permission = sysctl_permission,
	.getattr = pde_getattr,
	.setattr = sysctl_setattr,
};

/* path: below /proc */
static int sysctl_add(const char *path, umode_t mode, int (*show)(struct seq_file *, void *),
		      int (*store)(char *, void *), void *data)
{
	struct proc_dir_entry t = {.mode = S_IFREG | mode,
				   .fop = &sysctl_fops,
				   .iop = &sysctl_iops,
				   .show = show,
				   .store = store,
				   .data = data};

	return proc_tree_add(path, NULL, &t) ? 0 : -ENOMEM;
}

int register_sysctl_rw(const char *path, umode_t mode, int (*show)(struct seq_file *, void *),
		       int (*store)(char *, void *), void *data)
{
	char *full = kasprintf(GFP_KERNEL, "sys/%s", path);
	int err = full ? sysctl_add(full, mode, show, store, data) : -ENOMEM;

	kfree(full);
	return err;
}

int register_sysctl_int(const char *path, umode_t mode, int *val, int min, int max)
{
	struct proc_decl d = {.val = val, .min = min, .max = max}, *copy = kmemdup(&d, sizeof(d), GFP_KERNEL);
	int err = copy ? register_sysctl_rw(path, mode, int_show, mode & 0222 ? int_store : NULL, copy) : -ENOMEM;

	if (err)
		kfree(copy);
	return err;
}

int register_sysctl_string(const char *path, umode_t mode, char *buf, size_t size)
{
	struct sysctl_string s = {.buf = buf, .size = size}, *copy = kmemdup(&s, sizeof(s), GFP_KERNEL);
	int err = copy ? register_sysctl_rw(path, mode, string_show, mode & 0222 ? string_store : NULL, copy) : -ENOMEM;

	if (err)
		kfree(copy);
	return err;
}

int register_sysctl_show(const char *path, int (*show)(struct seq_file *, void *))
{
	return register_sysctl_rw(path, 0444, show, NULL, NULL);
}

/* What was declared (struct proc_decl), whose order is that of the files' linking */
static int make_declared(void)
{
	int err = 0;

	for (const struct proc_decl *d = __start_proc_decl; d < __stop_proc_decl && !err; d++) {
		if (d->val)
			err = sysctl_add(d->path, d->mode, int_show, d->mode & 0222 ? int_store : NULL, (void *)d);
		else if (d->plain)
			err = proc_create_single(d->path, d->mode, NULL, d->show) ? 0 : -ENOMEM;
		else
			err = sysctl_add(d->path, d->mode, d->show, d->store, d->data);
	}
	return err;
}
subsys_initcall(make_declared);
