/* SPDX-License-Identifier: Apache-2.0 */
/* Path names: look-up (fs/namei.c), and a task's root and working directory (fs/fs_struct.c). By way of husk/fs.h, which has struct path. */
#ifndef HUSK_NAMEI_H
#define HUSK_NAMEI_H

#define LOOKUP_FOLLOW 1
#define LOOKUP_DIRECTORY 2
#define LOOKUP_AUTOMOUNT 4
#define LOOKUP_EMPTY 0x4000
#define LOOKUP_PARENT 0x10
#define LOOKUP_REVAL 0x20
#define LOOKUP_OPEN 0x100
#define LOOKUP_CREATE 0x200
#define LOOKUP_EXCL 0x400
#define LOOKUP_RENAME_TARGET 0x800
#define LOOKUP_NO_SYMLINKS 0x10000
#define LOOKUP_NO_MAGICLINKS 0x20000
#define LOOKUP_NO_XDEV 0x40000
#define LOOKUP_BENEATH 0x80000
#define LOOKUP_IN_ROOT 0x100000

/*
 * A name to what it names: 0 and a reference in *p (path_put()), or -errno. LOOKUP_FOLLOW: through a link at the end, too. From @dfd, or
 * current's working directory (AT_FDCWD). Names are kernel strings, but for user_path_at(). May sleep; no lock of the VFS is held.
 */
int kern_path(const char *name, unsigned flags, struct path *p);
int kern_path_at(int dfd, const char *kname, unsigned flags, struct path *p);
int user_path_at(int dfd, const char __user *name, unsigned flags, struct path *p);
int kern_unlink(const char *name);	/* from current's working directory; 0 or -errno */
char *getname(const char __user *name); /* kernel copy; ERR_PTR(-ENOENT for "", -ENAMETOOLONG, -EFAULT); putname() */
char *getname_flags(const char __user *name, int flags);
void putname(char *n);
/* kern_path_create: the new (negative) dentry with parent's i_rwsem held and write access taken; done_path_create() undoes */
struct dentry *kern_path_create(int dfd, const char *kname, struct path *parent, unsigned flags);
void done_path_create(struct path *parent, struct dentry *d);
/* nd_jump_link: for get_link of /proc/PID/fd/N and the like: go on at p, whose reference it takes over */
void nd_jump_link(const struct path *p);

struct fs_struct {
	refcount_t users;
	spinlock_t lock;
	int umask;
	struct path root, pwd;
	unsigned seq; /* odd while root or pwd change */
};
extern struct fs_struct init_fs;
static inline int current_umask(void)
{
	return current->fs->umask;
}
void get_fs_root(struct fs_struct *fs, struct path *p); /* a reference in *p */
void get_fs_pwd(struct fs_struct *fs, struct path *p);
struct fs_struct *copy_fs_struct(struct fs_struct *old); /* NULL when out of memory */
void put_fs_struct(struct fs_struct *fs);
void set_fs_root(struct fs_struct *fs, const struct path *p); /* takes a reference of its own */
void set_fs_pwd(struct fs_struct *fs, const struct path *p);
int unshare_fs_struct(void); /* current gets one of its own; 0 or -ENOMEM */

#endif
