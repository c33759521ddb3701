/* SPDX-License-Identifier: Apache-2.0 */
/* The VFS's hooks for who watches files (fs/notify/). Without a watch in the system each is one load. By way of husk/fs.h. */
#ifndef HUSK_FSNOTIFY_H
#define HUSK_FSNOTIFY_H

extern atomic_t fsnotify_nr_marks; /* watches in the system: 0 makes every hook one load */
void __fsnotify(u32 mask, struct inode *dir, struct inode *inode, const char *name, u32 cookie);
void __fsnotify_parent(struct dentry *d, u32 mask);
void __fsnotify_inode_delete(struct inode *i);
/* to inode's watches (dir NULL), or to dir's watches with name */
static inline void fsnotify(u32 mask, struct inode *dir, struct inode *inode, const char *name, u32 cookie)
{
	if (unlikely(atomic_read(&fsnotify_nr_marks)))
		__fsnotify(mask, dir, inode, name, cookie);
}
static inline void fsnotify_parent(struct dentry *d, u32 mask) /* to d's inode and its parent's watch */
{
	if (unlikely(atomic_read(&fsnotify_nr_marks)))
		__fsnotify_parent(d, mask);
}
static inline void fsnotify_file(struct file *f, u32 mask)
{
	fsnotify_parent(f->f_path.dentry, mask);
}
static inline void fsnotify_inode_delete(struct inode *i)
{
	if (unlikely(i->i_fsnotify_marks))
		__fsnotify_inode_delete(i);
}
void __fsnotify_link_gone(struct inode *i);
static inline void fsnotify_link_gone(struct inode *i) /* a dentry lets go of i */
{
	if (unlikely(i->i_fsnotify_marks) && !i->i_nlink)
		__fsnotify_link_gone(i);
}
void fsnotify_unmount(struct super_block *sb);
u32 fsnotify_get_cookie(void);

#endif
