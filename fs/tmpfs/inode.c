// SPDX-License-Identifier: Apache-2.0
/* tmpfs inodes: making them, attributes, extended attributes, flags. */
#include "tmpfs.h"
#include <linux/fs.h>

static int reserve_inode(struct shmem_sb *s)
{
	if (atomic64_add_return(1, &s->used_inodes) > s->max_inodes && s->max_inodes) {
		atomic64_dec(&s->used_inodes);
		return -ENOSPC;
	}
	return 0;
}

/* shmem_make_inode: nlink 1 (2 for a directory), owned by the current task as dir says.
 * ERR_PTR(-ENOSPC, -ENOMEM) */
struct inode *shmem_make_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev)
{
	struct shmem_sb *s = SHMEM_SB(sb);
	struct inode *i;
	int r = reserve_inode(s);

	if (r)
		return ERR_PTR(r);
	i = new_inode(sb);
	if (!i) {
		atomic64_dec(&s->used_inodes);
		return ERR_PTR(-ENOMEM);
	}
	inode_init_owner(i, dir, mode);
	i->i_atime = i->i_mtime = i->i_ctime = i->i_btime = current_time(i);
	i->i_generation = i->i_ino;
	i->i_data.a_ops = &shmem_aops;
	i->i_data.in_memory = true;
	switch (mode & S_IFMT) {
	case S_IFREG:
		i->i_op = &shmem_file_iops;
		i->i_fop = &shmem_file_operations;
		break;
	case S_IFDIR:
		i->i_nlink = 2;
		i->i_size = 2 * BOGO_DIRENT_SIZE;
		i->i_op = &shmem_dir_iops;
		i->i_fop = &simple_dir_operations;
		break;
	case S_IFLNK:
		i->i_op = &shmem_symlink_iops;
		break;
	default:
		i->i_op = &shmem_special_iops;
		init_special_inode(i, i->i_mode, dev);
	}
	return i;
}

static int set_size(struct inode *i, loff_t size)
{
	struct shmem_inode *si = SHMEM_I(i);
	loff_t old = i->i_size;

	if ((size < old && (si->seals & 2)) || (size > old && (si->seals & 4))) /* F_SEAL_SHRINK, F_SEAL_GROW */
		return -EPERM;
	truncate_setsize(i, size);
	if (size < old)
		shmem_recalc(i);
	return 0;
}

int shmem_setattr(struct dentry *d, struct iattr *a)
{
	struct inode *i = d->d_inode;
	int r = setattr_prepare(d, a);

	if (r)
		return r;
	if ((SHMEM_I(i)->seals & 0x20) && (a->ia_valid & ATTR_MODE) && ((i->i_mode ^ a->ia_mode) & 0111))
		return -EPERM; /* F_SEAL_EXEC */
	if ((a->ia_valid & ATTR_SIZE) && S_ISREG(i->i_mode)) {
		r = set_size(i, a->ia_size);
		if (r)
			return r;
	}
	setattr_copy(i, a);
	return 0;
}

int shmem_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *i = p->dentry->d_inode;

	generic_fillattr(i, st);
	st->blocks = i->i_data.nrpages << (PAGE_SHIFT - 9);
	return 0;
}

/* ---- extended attributes ---- */
static bool known_name(const char *name)
{
	static const char *const prefix[] = {XATTR_USER_PREFIX, XATTR_TRUSTED_PREFIX, XATTR_SECURITY_PREFIX};

	for (unsigned k = 0; k < ARRAY_SIZE(prefix); k++)
		if (!strncmp(name, prefix[k], strlen(prefix[k])))
			return true;
	return false;
}

ssize_t shmem_listxattr(struct dentry *d, char *buf, size_t n)
{
	return simple_xattr_list(&SHMEM_I(d->d_inode)->xattrs, buf, n);
}

ssize_t shmem_getxattr(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n)
{
	if (!known_name(name))
		return -EOPNOTSUPP;
	return simple_xattr_get(&SHMEM_I(i)->xattrs, name, buf, n);
}

int shmem_setxattr(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n, int flags)
{
	int r;

	if (!known_name(name))
		return -EOPNOTSUPP;
	r = simple_xattr_set(&SHMEM_I(i)->xattrs, name, v, n, flags);
	if (!r)
		i->i_ctime = current_time(i);
	return r;
}

/* ---- chattr ---- */
int shmem_fileattr(struct dentry *d, u32 *flags, bool set)
{
	const u32 settable = FS_APPEND_FL | FS_IMMUTABLE_FL | FS_NODUMP_FL | FS_NOATIME_FL;
	struct inode *i = d->d_inode;
	struct shmem_inode *si = SHMEM_I(i);
	unsigned fl = 0;

	if (!S_ISREG(i->i_mode) && !S_ISDIR(i->i_mode))
		return -ENOTTY;
	if (!set) {
		*flags = si->fsflags;
		return 0;
	}
	if (*flags & ~settable)
		return -EOPNOTSUPP;
	si->fsflags = *flags;
	if (*flags & FS_APPEND_FL)
		fl |= S_APPEND;
	if (*flags & FS_IMMUTABLE_FL)
		fl |= S_IMMUTABLE;
	if (*flags & FS_NOATIME_FL)
		fl |= S_NOATIME;
	i->i_flags = (i->i_flags & ~(S_APPEND | S_IMMUTABLE | S_NOATIME)) | fl;
	i->i_ctime = current_time(i);
	return 0;
}

#define SHMEM_COMMON_OPS                                                                                               \
	.setattr = shmem_setattr, .getattr = shmem_getattr, .listxattr = shmem_listxattr, .getxattr = shmem_getxattr,  \
	.setxattr = shmem_setxattr

const struct inode_operations shmem_file_iops = {SHMEM_COMMON_OPS, .fileattr = shmem_fileattr};
const struct inode_operations shmem_special_iops = {SHMEM_COMMON_OPS};
const struct inode_operations shmem_symlink_iops = {SHMEM_COMMON_OPS, .get_link = simple_get_link};
