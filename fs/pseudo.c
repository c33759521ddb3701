// SPDX-License-Identifier: Apache-2.0
/* File systems without names: their super block, and a root that nobody sees. */
#include <husk/pipe.h>

static const struct super_operations pseudo_ops = {
	.statfs = simple_statfs,
};

/**
 * pseudo_mount - the body of a mount operation for kern_mount() only
 * @ops: NULL: the plain ones @dops: for every dentry (d_dname names "pipe:[1234]") @magic: for statfs
 */
struct dentry *pseudo_mount(struct file_system_type *t, const struct super_operations *ops,
			    const struct dentry_operations *dops, unsigned long magic)
{
	struct super_block *sb = sget(t, 0);
	struct inode *root;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	sb->s_magic = magic;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = INT64_MAX;
	sb->s_time_gran = 1;
	sb->s_op = ops ? ops : &pseudo_ops;
	sb->s_d_op = dops;
	strscpy(sb->s_id, t->name, sizeof(sb->s_id));
	root = new_inode(sb);
	if (!root)
		goto out_sb;
	root->i_mode = S_IFDIR | 0600;
	root->i_atime = root->i_mtime = root->i_ctime = current_time(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		goto out_sb;
	return dget(sb->s_root);
out_sb:
	deactivate_super(sb);
	return ERR_PTR(-ENOMEM);
}
