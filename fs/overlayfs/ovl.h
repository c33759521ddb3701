/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the overlay share. */
#ifndef FS_OVERLAYFS_OVL_H
#define FS_OVERLAYFS_OVL_H

#include <husk/fs.h>
#include <husk/overlay.h>
#include <husk/xattr.h>

/**
 * struct ovl_inode - an object of the merged tree
 * @lower: its dentry in the read-only tree (a reference), or NULL for one that was made here
 * @held: something of it differs from the lower tree and it has a name: the inode holds a reference on itself. Under i_lock
 * @own_data: i_mapping is i_data; pages below @lower_pages that are not in it still come from the lower file
 * @whiteouts: names of the lower directory that are gone or replaced; under the directory's i_rwsem
 * @nr_pinned: names made here, whose dentries are held (d_fsdata); under i_rwsem
 */
struct ovl_inode {
	struct inode vfs;
	struct dentry *lower;
	bool held, own_data, own_xattrs;
	pgoff_t lower_pages;
	struct rb_root whiteouts;
	unsigned nr_whiteouts, nr_pinned;
	struct simple_xattrs xattrs;
	char *link;
};

struct ovl_sb {
	struct vfsmount *lower_mnt;
	s64 max_pages; /* of data kept in memory; 0: no limit */
	atomic64_t pages;
};

struct ovl_whiteout {
	struct rb_node node;
	unsigned len;
	char name[];
};

static inline struct ovl_inode *OVL_I(const struct inode *i)
{
	return container_of(i, struct ovl_inode, vfs);
}
static inline struct ovl_sb *OVL_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}
static inline bool ovl_pinned(const struct dentry *d)
{
	return d->d_fsdata != NULL;
}

/* inode.c */
extern const struct super_operations ovl_super_operations;
struct inode *ovl_iget(struct super_block *sb, struct dentry *lower); /* takes its own reference of lower; ERR_PTR */
struct inode *ovl_new_inode(struct inode *dir, umode_t mode, dev_t rdev);
void ovl_set_modified(struct inode *i);
void ovl_lost_name(struct inode *i); /* after drop_nlink: the inode stops holding itself with the last name */
int ovl_setattr(struct dentry *d, struct iattr *a);
int ovl_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
ssize_t ovl_listxattr(struct dentry *d, char *buf, size_t n);
ssize_t ovl_getxattr(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n);
int ovl_setxattr(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n, int flags);

/* dir.c */
extern const struct inode_operations ovl_dir_inode_operations;
bool ovl_whited_out(struct ovl_inode *dir, const char *name, unsigned len);

/* readdir.c */
extern const struct file_operations ovl_dir_operations;
int ovl_dir_is_empty(struct dentry *d); /* 0, -ENOTEMPTY or another error */

/* file.c */
extern const struct file_operations ovl_file_operations;
extern const struct inode_operations ovl_file_inode_operations;
void ovl_own_data(struct inode *i); /* copy-up: from now on data are kept here; i_rwsem held for writing */
int ovl_truncate(struct inode *i, loff_t size);

#endif
