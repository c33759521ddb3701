/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of tmpfs. */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H
#include <husk/fs.h>
#include <husk/xattr.h>
#include <husk/shmem.h>

#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6
#define BOGO_DIRENT_SIZE 20

/* max_* 0: no limit. used_*: atomics. */
struct shmem_sb {
	u64 max_blocks, max_inodes;
	atomic64_t used_blocks, used_inodes;
	umode_t mode;
	uid_t uid;
	gid_t gid;
	bool size_given;
};

/**
 * struct shmem_inode - an inode whose page cache is its only store
 * @alloc_lock: adding pages; @charged: pages counted in the super block; what nrpages lacks of it
 * after a truncation is given back by shmem_recalc()
 */
struct shmem_inode {
	struct inode vfs;
	struct mutex alloc_lock;
	unsigned long charged;
	unsigned seals;
	atomic_t writable_maps;
	bool granules; /* shared anonymous memory: allocate runs of pages */
	struct simple_xattrs xattrs;
	u32 fsflags;
};
static inline struct shmem_inode *SHMEM_I(const struct inode *i)
{
	return container_of(i, struct shmem_inode, vfs);
}
static inline struct shmem_sb *SHMEM_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

extern const struct file_operations shmem_file_operations;
extern const struct address_space_operations shmem_aops;
extern const struct inode_operations shmem_file_iops, shmem_dir_iops, shmem_symlink_iops, shmem_special_iops;
extern const struct super_operations shmem_sops;

struct inode *shmem_make_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev);
int shmem_fill_super(struct super_block *sb, struct shmem_sb *opts, bool ramfs);
void shmem_recalc(struct inode *i);
int shmem_setattr(struct dentry *d, struct iattr *a);
int shmem_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
ssize_t shmem_listxattr(struct dentry *d, char *buf, size_t n);
ssize_t shmem_getxattr(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n);
int shmem_setxattr(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n, int flags);
int shmem_fileattr(struct dentry *d, u32 *flags, bool set);
#endif
