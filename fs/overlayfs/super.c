// SPDX-License-Identifier: Apache-2.0
/* The overlay's super block: a read-only tree below, changes kept in memory above. */

#include "ovl.h"
#include <husk/init.h>
#include <husk/mount.h>

/* mount(2) cannot name its layers yet: the one overlay is the root that the sandbox boots with. */
static struct dentry *ovl_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return ERR_PTR(-EINVAL);
}

static struct file_system_type ovl_fs_type = {
	.name = "overlay",
	.mount = ovl_mount,
	.kill_sb = kill_litter_super,
};

/**
 * overlay_mount_root - the root file system: changes in memory above lower
 * @lower: taken over. @max_bytes: of file data in memory; 0: no limit
 */
int overlay_mount_root(struct vfsmount *lower, u64 max_bytes)
{
	struct super_block *sb = sget(&ovl_fs_type, 0);
	struct ovl_sb *os;
	struct inode *root;
	struct vfsmount *m;

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	os = kzalloc(sizeof(*os), GFP_KERNEL);
	if (!os)
		return -ENOMEM;
	os->lower_mnt = lower;
	os->max_pages = max_bytes >> PAGE_SHIFT;
	sb->s_fs_info = os;
	sb->s_op = &ovl_super_operations;
	sb->s_magic = 0x794c7630;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = INT64_MAX;
	sb->s_time_gran = 1;
	atomic64_set(&sb->s_next_ino, 1LL << 48); /* above what a lower tree numbers from, apart from hashed ones */
	strscpy(sb->s_id, "overlay", sizeof(sb->s_id));
	root = ovl_iget(sb, lower->mnt_root);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	m = vfs_mount_from_root(dget(sb->s_root), "overlay", MNT_RELATIME);
	if (IS_ERR(m))
		return PTR_ERR(m);
	return install_root_mount(m);
}

static int ovl_init(void)
{
	return register_filesystem(&ovl_fs_type);
}
fs_initcall(ovl_init);
