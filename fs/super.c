// SPDX-License-Identifier: Apache-2.0
/* Super blocks, the list of file system types, statfs. */
#include "internal.h"
#include <husk/proc_fs.h>
#include <husk/module.h>
#include <husk/init.h>

LIST_HEAD(super_blocks);
DEFINE_MUTEX(sb_lock);
static atomic_t anon_minor = ATOMIC_INIT(0);

static struct file_system_type *file_systems;
static DEFINE_SPINLOCK(file_systems_lock);

int register_filesystem(struct file_system_type *t)
{
	struct file_system_type **p;
	int r = 0;

	spin_lock(&file_systems_lock);
	for (p = &file_systems; *p; p = &(*p)->next)
		if (!strcmp((*p)->name, t->name))
			r = -EBUSY;
	if (!r) {
		t->next = NULL;
		*p = t;
	}
	spin_unlock(&file_systems_lock);
	return r;
}

int unregister_filesystem(struct file_system_type *t)
{
	struct file_system_type **p;
	int r = -EINVAL;

	spin_lock(&file_systems_lock);
	for (p = &file_systems; *p; p = &(*p)->next)
		if (*p == t) {
			*p = t->next;
			r = 0;
			break;
		}
	spin_unlock(&file_systems_lock);
	return r;
}

/* As get_fs_type(), with its module held; NULL: none, or it is about to go. */
static struct file_system_type *hold_fs_type(const char *name)
{
	struct file_system_type *t;

	spin_lock(&file_systems_lock);
	for (t = file_systems; t; t = t->next)
		if (!strcmp(t->name, name))
			break;
	if (t && !try_module_get(t->owner))
		t = NULL;
	spin_unlock(&file_systems_lock);
	return t;
}

struct file_system_type *get_fs_type(const char *name)
{
	struct file_system_type *t;

	spin_lock(&file_systems_lock);
	for (t = file_systems; t; t = t->next)
		if (!strcmp(t->name, name))
			break;
	spin_unlock(&file_systems_lock);
	return t;
}

static int filesystems_show(struct seq_file *m, void *v)
{
	spin_lock(&file_systems_lock);
	for (struct file_system_type *t = file_systems; t; t = t->next)
		seq_printf(m, "%s\t%s\n", t->fs_flags & FS_REQUIRES_DEV ? "" : "nodev", t->name);
	spin_unlock(&file_systems_lock);
	return 0;
}

SYSCALL_DEFINE3(sysfs, int, option, unsigned long, a1, unsigned long, a2)
{
	struct file_system_type *t;
	char *name, copy[64];
	int n = 0;

	switch (option) {
	case 1: /* name to index */
		name = strndup_user((const char __user *)a1, 64);
		if (IS_ERR(name))
			return PTR_ERR(name);
		spin_lock(&file_systems_lock);
		for (t = file_systems; t && strcmp(t->name, name); t = t->next)
			n++;
		spin_unlock(&file_systems_lock);
		kfree(name);
		return t ? n : -EINVAL;
	case 2: /* index to name */
		spin_lock(&file_systems_lock);
		for (t = file_systems; t && n < a1; t = t->next)
			n++;
		if (t)
			strscpy(copy, t->name, sizeof(copy));
		spin_unlock(&file_systems_lock);
		if (!t)
			return -EINVAL;
		return copy_to_user((char __user *)a2, copy, strlen(copy) + 1) ? -EFAULT : 0;
	case 3:
		spin_lock(&file_systems_lock);
		for (t = file_systems; t; t = t->next)
			n++;
		spin_unlock(&file_systems_lock);
		return n;
	}
	return -EINVAL;
}

/* ---- super blocks ---- */
struct super_block *sget(struct file_system_type *t, unsigned long flags)
{
	struct super_block *sb = kzalloc(sizeof(*sb), GFP_KERNEL);

	if (!sb)
		return ERR_PTR(-ENOMEM);
	sb->s_dev = MKDEV(0, (unsigned)atomic_inc_return(&anon_minor) + 20);
	sb->s_flags = flags & (SB_RDONLY | SB_NOSUID | SB_NODEV | SB_NOEXEC);
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = INT64_MAX;
	sb->s_type = t;
	sb->s_time_gran = 1;
	refcount_set(&sb->s_active, 1);
	INIT_LIST_HEAD(&sb->s_inodes);
	strscpy(sb->s_id, t->name, sizeof(sb->s_id));
	__module_get(t->owner);
	mutex_lock(&sb_lock);
	list_add_tail(&sb->s_list, &super_blocks);
	mutex_unlock(&sb_lock);
	return sb;
}

void generic_shutdown_super(struct super_block *sb)
{
	struct dentry *root = sb->s_root;

	if (root) {
		fsnotify_unmount(sb);
		shrink_dcache_parent(root);
		if (sb->s_op && sb->s_op->sync_fs)
			sb->s_op->sync_fs(sb, 1);
		sb->s_root = NULL;
		dput(root);
		evict_inodes(sb);
		if (sb->s_op && sb->s_op->put_super)
			sb->s_op->put_super(sb);
	}
	mutex_lock(&sb_lock);
	list_del_init(&sb->s_list);
	mutex_unlock(&sb_lock);
}

void kill_anon_super(struct super_block *sb)
{
	generic_shutdown_super(sb);
}

void kill_litter_super(struct super_block *sb)
{
	if (sb->s_root)
		d_genocide(sb->s_root);
	generic_shutdown_super(sb);
}

void deactivate_super(struct super_block *sb)
{
	struct module *owner = sb->s_type->owner;

	if (!refcount_dec_and_test(&sb->s_active))
		return;
	if (sb->s_type->kill_sb)
		sb->s_type->kill_sb(sb);
	else
		generic_shutdown_super(sb);
	kfree(sb);
	module_put(owner);
}

int vfs_get_tree(const char *fstype, unsigned long flags, const char *dev, void *data, struct dentry **root)
{
	struct file_system_type *t = hold_fs_type(fstype);
	struct dentry *d;

	if (!t)
		return -ENODEV;
	d = t->mount(t, flags, dev, data);
	module_put(t->owner);
	if (IS_ERR(d))
		return PTR_ERR(d);
	*root = d;
	return 0;
}

int do_remount_sb(struct super_block *sb, unsigned long flags, char *data)
{
	int r = 0;

	if (sb->s_op && sb->s_op->remount_fs)
		r = sb->s_op->remount_fs(sb, &flags, data);
	if (!r)
		sb->s_flags = (sb->s_flags & ~(unsigned long)SB_RDONLY) | (flags & SB_RDONLY);
	return r;
}

PROC_SINGLE("filesystems", 0444, filesystems_show);
