// SPDX-License-Identifier: Apache-2.0
// A file system with an empty root directory.

#include <husk/fs.h>
#include <husk/kernel.h>
#include <husk/module.h>

static const struct super_operations ops = {.statfs = simple_statfs};

static struct dentry *emptyfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct super_block *sb = sget(t, flags);
	struct inode *i;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	sb->s_op = &ops;
	sb->s_magic = 0x656d7074;
	i = new_inode(sb);
	if (i) {
		i->i_ino = 1;
		i->i_mode = S_IFDIR | 0755;
		i->i_nlink = 2;
		i->i_op = &simple_dir_inode_operations;
		i->i_fop = &simple_dir_operations;
		sb->s_root = d_make_root(i);
	}
	if (!sb->s_root) {
		deactivate_super(sb);
		return ERR_PTR(-ENOMEM);
	}
	return dget(sb->s_root);
}

static struct file_system_type emptyfs = {
	.name = "emptyfs", .owner = THIS_MODULE, .mount = emptyfs_mount, .kill_sb = kill_anon_super};

static int __init emptyfs_init(void)
{
	return register_filesystem(&emptyfs);
}
static void __exit emptyfs_exit(void)
{
	unregister_filesystem(&emptyfs);
}
module_init(emptyfs_init);
module_exit(emptyfs_exit);
MODULE_LICENSE("Apache-2.0");
