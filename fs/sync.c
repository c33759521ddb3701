// SPDX-License-Identifier: Apache-2.0
/* sync(2), fsync(2), fdatasync(2), syncfs(2), sync_file_range(2). */
#include "internal.h"
#include <husk/boot.h>
#include <husk/init.h>
#include <linux/fs.h>

/* Write back every dirty mapping of sb. The inode in hand is kept by a reference while the list's
 * lock is dropped. */
static int sync_inodes(struct super_block *sb)
{
	struct inode *i, *prev = NULL;
	int r = 0;

	spin_lock(&sb->s_inode_lock);
	list_for_each_entry (i, &sb->s_inodes, i_sb_list) {
		if (!i->i_data.nrdirty || i->i_data.in_memory || !igrab(i))
			continue;
		spin_unlock(&sb->s_inode_lock);
		iput(prev);
		prev = i;
		r = filemap_write_and_wait_range(&i->i_data, 0, INT64_MAX) ?: r;
		spin_lock(&sb->s_inode_lock);
	}
	spin_unlock(&sb->s_inode_lock);
	iput(prev);
	return r;
}

static int sync_sb(struct super_block *sb)
{
	int r = sync_inodes(sb);

	if (sb->s_op && sb->s_op->sync_fs)
		r = sb->s_op->sync_fs(sb, 1) ?: r;
	return r;
}

/* all file systems that can be written */
static void each_writable(void (*fn)(struct super_block *))
{
	struct super_block *sb, *prev = NULL;

	mutex_lock(&sb_lock);
	list_for_each_entry (sb, &super_blocks, s_list) {
		if (!sb->s_root || (sb->s_flags & SB_RDONLY) || !refcount_inc_not_zero(&sb->s_active))
			continue;
		mutex_unlock(&sb_lock);
		if (prev)
			deactivate_super(prev);
		prev = sb;
		fn(sb);
		mutex_lock(&sb_lock);
	}
	mutex_unlock(&sb_lock);
	if (prev)
		deactivate_super(prev);
}

static void sync_one(struct super_block *sb)
{
	sync_sb(sb);
}

/* also when the sandbox ends */
void sync_filesystems(void)
{
	each_writable(sync_one);
}

static void readonly_one(struct super_block *sb)
{
	sync_sb(sb);
	if (do_remount_sb(sb, SB_RDONLY, NULL))
		pr_err("%s: cannot be made read-only", sb->s_type->name);
}

/* emergency_remount: everything read-only, whoever writes (sysrq) */
void emergency_remount(void)
{
	each_writable(readonly_one);
}

SYSCALL_DEFINE0(sync)
{
	sync_filesystems();
	return 0;
}

static struct reboot_notifier sync_notifier = {.fn = sync_filesystems};

static int sync_init(void)
{
	register_reboot_notifier(&sync_notifier);
	return 0;
}
late_initcall(sync_init);

SYSCALL_DEFINE1(syncfs, int, fd)
{
	struct fd f = fdget(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = sync_sb(f.file->f_path.dentry->d_sb);
	fdput(f);
	return r;
}

static int fsync_range(struct file *f, loff_t start, loff_t end, int datasync)
{
	if (!f->f_op->fsync)
		return -EINVAL;
	return f->f_op->fsync(f, start, end, datasync);
}

int vfs_fsync(struct file *f, int datasync)
{
	return fsync_range(f, 0, INT64_MAX, datasync);
}

static int do_fsync(unsigned fd, int datasync)
{
	struct fd f = fdget(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = vfs_fsync(f.file, datasync);
	fdput(f);
	return r;
}

SYSCALL_DEFINE1(fsync, unsigned, fd)
{
	return do_fsync(fd, 0);
}

SYSCALL_DEFINE1(fdatasync, unsigned, fd)
{
	return do_fsync(fd, 1);
}

SYSCALL_DEFINE4(sync_file_range, int, fd, loff_t, off, loff_t, n, unsigned, flags)
{
	loff_t end;
	struct fd f;
	umode_t mode;
	int r;

	if (flags & ~(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (off < 0 || n < 0 || __builtin_add_overflow(off, n, &end))
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	mode = file_inode(f.file)->i_mode;
	r = -ESPIPE;
	if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		goto out;
	r = 0;
	if (flags && f.file->f_mapping && f.file->f_mapping->nrdirty)
		r = filemap_write_and_wait_range(f.file->f_mapping, off, n ? end - 1 : INT64_MAX);
out:
	fdput(f);
	return r;
}
