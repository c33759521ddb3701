/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual file system: super blocks, inodes, dentries, mounts, open files and their operations.
 *
 * Names and semantics are Linux's unless a comment says otherwise. Lock order, outermost first:
 * s_vfs_rename_mutex, inode->i_rwsem (parent before child), mmap_lock, page lock, inode->i_lock, dentry->d_lock.
 */
#ifndef HUSK_FS_H
#define HUSK_FS_H

#include <husk/mm.h>
#include <husk/pagemap.h>
#include <husk/time.h>
#include <husk/uio.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/eventpoll.h>

#undef O_LARGEFILE
#define O_LARGEFILE 00100000
#define ACC_MODE(x) ("\004\002\006\006"[(x)&O_ACCMODE])
#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif
#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4
#define MAY_APPEND 8
#define MAY_ACCESS 16
#define MAY_OPEN 32
#define MAY_CHDIR 64
#define MAY_NOT_BLOCK 128

struct inode;
struct dentry;
struct super_block;
struct file;
struct path;
struct vfsmount;
struct kstat;
struct iattr;
struct poll_table_struct;
struct dir_context;
struct file_lock;
struct seq_file;
struct pipe_inode_info;
struct kstatfs;
struct kiocb;
struct file_system_type;
struct delayed_call;
struct writeback_control;
struct cdev;
struct readahead_control;

/* ---- inode ---- */
struct inode_operations {
	struct dentry *(*lookup)(struct inode *dir, struct dentry *d,
				 unsigned flags); /* NULL: use d (positive or negative via d_add) */
	const char *(*get_link)(struct dentry *d, struct inode *i,
				struct delayed_call *done); /* body; done->fn frees */
	int (*permission)(struct inode *i, int mask);
	int (*create)(struct inode *dir, struct dentry *d, umode_t mode, bool excl);
	int (*link)(struct dentry *old, struct inode *dir, struct dentry *d);
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*mkdir)(struct inode *dir, struct dentry *d, umode_t mode);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	int (*mknod)(struct inode *dir, struct dentry *d, umode_t mode, dev_t dev);
	int (*rename)(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags);
	int (*setattr)(struct dentry *d, struct iattr *a);
	int (*getattr)(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
	ssize_t (*listxattr)(struct dentry *d, char *buf, size_t n);
	ssize_t (*getxattr)(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n);
	int (*setxattr)(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n,
			int flags); /* v NULL: remove */
	int (*tmpfile)(struct inode *dir, struct dentry *d, umode_t mode);
	int (*fileattr)(struct dentry *d, u32 *flags, bool set);
	int (*readlink)(struct dentry *d, char __user *buf,
			int n); /* links whose get_link jumps (procfs); NULL: get_link's body */
};
struct delayed_call {
	void (*fn)(void *);
	void *arg;
};
static inline void set_delayed_call(struct delayed_call *c, void (*fn)(void *), void *arg)
{
	c->fn = fn;
	c->arg = arg;
}
static inline void do_delayed_call(struct delayed_call *c)
{
	if (c->fn)
		c->fn(c->arg);
}

struct inode {
	umode_t i_mode;
	uid_t i_uid;
	gid_t i_gid;
	unsigned int i_flags; /* S_* below */
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	struct super_block *i_sb;
	struct address_space *i_mapping;
	struct address_space i_data;
	u64 i_ino;
	unsigned int i_nlink;
	dev_t i_rdev;
	loff_t i_size;
	struct timespec64 i_atime, i_mtime, i_ctime, i_btime;
	u64 i_blocks; /* of 512 bytes */
	unsigned int i_blkbits;
	spinlock_t i_lock;
	struct rw_semaphore i_rwsem;
	atomic_t i_count;
	atomic_t i_writecount; /* > 0 writers, < 0 executed (ETXTBSY) */
	unsigned long i_state;
	struct hlist_node i_hash;
	struct list_head i_sb_list;
	struct list_head i_lru;
	struct hlist_head i_dentry; /* aliases, d_alias; under i_lock */
	u64 i_version, i_generation;
	struct file_lock_context *i_flctx;
	struct fsnotify_mark *i_fsnotify_marks;
	u32 i_fsnotify_mask;
	union {
		struct pipe_inode_info *i_pipe;
		struct cdev *i_cdev;
		void *i_sock;
		char *i_link;
	};
	void *i_private;
	u64 i_hash_key; /* what it is hashed by */
};
#define S_SYNC 1
#define S_NOATIME 2
#define S_APPEND 4
#define S_IMMUTABLE 8
#define S_DEAD 16
#define S_PRIVATE 512
#define I_NEW 1
#define I_FREEING 2
#define I_DIRTY 4
#define I_LINKABLE 8 /* made by O_TMPFILE: may get its first link */
#define IS_RDONLY(i) ((i)->i_sb->s_flags & SB_RDONLY)
static inline loff_t i_size_read(const struct inode *i)
{
	return READ_ONCE(i->i_size);
}
static inline void i_size_write(struct inode *i, loff_t s)
{
	WRITE_ONCE(i->i_size, s);
}
static inline void inode_lock(struct inode *i)
{
	down_write(&i->i_rwsem);
}
static inline void inode_unlock(struct inode *i)
{
	up_write(&i->i_rwsem);
}
static inline void inode_lock_shared(struct inode *i)
{
	down_read(&i->i_rwsem);
}
static inline void inode_unlock_shared(struct inode *i)
{
	up_read(&i->i_rwsem);
}
static inline void set_nlink(struct inode *i, unsigned n)
{
	i->i_nlink = n;
}
static inline void inc_nlink(struct inode *i)
{
	i->i_nlink++;
}
static inline void drop_nlink(struct inode *i)
{
	i->i_nlink--;
}
static inline void clear_nlink(struct inode *i)
{
	i->i_nlink = 0;
}

struct inode *new_inode(struct super_block *sb); /* fresh, i_count 1, i_ino unique within sb */
struct inode *iget_locked(struct super_block *sb,
			  u64 ino); /* I_NEW set when the caller must fill it and unlock_new_inode() */
struct inode *iget5_locked(struct super_block *sb, u64 hash, int (*test)(struct inode *, void *),
			   int (*set)(struct inode *, void *), void *data);
void unlock_new_inode(struct inode *i);
void iget_failed(struct inode *i);
void iput(struct inode *i);
static inline void ihold(struct inode *i)
{
	atomic_inc(&i->i_count);
}
struct inode *igrab(struct inode *i);
void clear_inode(struct inode *i);
umode_t create_mode(const struct inode *dir, umode_t mode);
void inode_init_owner(struct inode *i, const struct inode *dir, umode_t mode); /* uid, gid (setgid dirs), mode */
void init_special_inode(struct inode *i, umode_t mode, dev_t rdev);
void touch_atime(const struct path *p);
void file_update_time(struct file *f);
struct timespec64 current_time(struct inode *i);
int inode_permission(struct inode *i, int mask);
int generic_permission(struct inode *i, int mask);
bool inode_owner_or_capable(const struct inode *i);
int setattr_prepare(struct dentry *d, struct iattr *a);
void setattr_copy(struct inode *i, const struct iattr *a);
int notify_change(struct dentry *d, struct iattr *a); /* i_rwsem held */
void generic_fillattr(struct inode *i, struct kstat *st);
int file_remove_privs(struct file *f);

struct iattr {
	unsigned ia_valid;
	umode_t ia_mode;
	uid_t ia_uid;
	gid_t ia_gid;
	loff_t ia_size;
	struct timespec64 ia_atime, ia_mtime, ia_ctime;
	struct file *ia_file;
};
#define ATTR_MODE 1
#define ATTR_UID 2
#define ATTR_GID 4
#define ATTR_SIZE 8
#define ATTR_ATIME 16
#define ATTR_MTIME 32
#define ATTR_CTIME 64
#define ATTR_ATIME_SET 128
#define ATTR_MTIME_SET 256
#define ATTR_FORCE 512
#define ATTR_KILL_SUID 2048
#define ATTR_KILL_SGID 4096
#define ATTR_FILE 8192
#define ATTR_OPEN 32768
#define ATTR_TOUCH 131072
#define ATTR_TIMES_SET 65536 /* times were given: the owner only */

struct kstat {
	u32 result_mask;
	umode_t mode;
	unsigned nlink;
	u32 blksize;
	u64 attributes, attributes_mask, ino;
	dev_t dev, rdev;
	uid_t uid;
	gid_t gid;
	loff_t size;
	struct timespec64 atime, mtime, ctime, btime;
	u64 blocks, mnt_id;
};
struct kstatfs {
	long f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	int f_fsid[2];
	long f_namelen, f_frsize, f_flags;
};

#include <husk/dcache.h>

/* ---- super block, mounts ---- */
struct super_operations {
	struct inode *(*alloc_inode)(struct super_block *sb); /* container allocation; NULL: plain struct inode */
	void (*free_inode)(struct inode *i);
	void (*evict_inode)(struct inode *i); /* last reference gone */
	int (*drop_inode)(struct inode *i);   /* 1: evict now. NULL: generic_drop_inode (nlink == 0 or unhashed) */
	int (*write_inode)(struct inode *i, int sync);
	int (*statfs)(struct dentry *d, struct kstatfs *st);
	int (*sync_fs)(struct super_block *sb, int wait);
	int (*remount_fs)(struct super_block *sb, unsigned long *flags, char *data);
	int (*show_options)(struct seq_file *m, struct dentry *root);
	void (*put_super)(struct super_block *sb);
};
#define SB_RDONLY 1
#define SB_NOSUID 2
#define SB_NODEV 4
#define SB_NOEXEC 8
struct super_block {
	struct list_head s_list;
	dev_t s_dev;
	unsigned long s_flags, s_magic;
	unsigned int s_blocksize;
	loff_t s_maxbytes;
	struct file_system_type *s_type;
	const struct super_operations *s_op;
	const struct dentry_operations *s_d_op;
	struct dentry *s_root;
	refcount_t s_active;
	spinlock_t s_inode_lock;
	struct list_head s_inodes;
	struct mutex s_vfs_rename_mutex;
	atomic64_t s_next_ino;
	int s_stack_depth;
	void *s_fs_info;
	char s_id[32];
	unsigned s_time_gran;
};
struct file_system_type {
	const char *name;
	struct module *owner; /* a super block of this type keeps it loaded; NULL: the kernel */
	int fs_flags;
#define FS_REQUIRES_DEV 1
#define FS_USERNS_MOUNT 8
	/* mount: the root dentry (a reference; its sb active), or ERR_PTR. data: option string, may be NULL */
	struct dentry *(*mount)(struct file_system_type *t, int flags, const char *dev, void *data);
	void (*kill_sb)(struct super_block *sb);
	struct file_system_type *next;
};
int register_filesystem(struct file_system_type *t);
int unregister_filesystem(struct file_system_type *t); /* 0, -EINVAL: not registered */
struct file_system_type *get_fs_type(const char *name);
struct super_block *sget(struct file_system_type *t,
			 unsigned long flags); /* new, s_active 1, anonymous s_dev, or ERR_PTR */
void deactivate_super(struct super_block *sb);
void generic_shutdown_super(struct super_block *sb);
void kill_anon_super(struct super_block *sb);
void kill_litter_super(struct super_block *sb); /* for in-memory trees: drops pinned dentries */

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};
#define MNT_NOSUID 1
#define MNT_NODEV 2
#define MNT_NOEXEC 4
#define MNT_NOATIME 8
#define MNT_NODIRATIME 16
#define MNT_RELATIME 32
#define MNT_READONLY 64
#define MNT_NOSYMFOLLOW 128
#define MNT_INTERNAL 0x4000
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
void path_get(const struct path *p);
void path_put(const struct path *p);
struct vfsmount *mntget(struct vfsmount *m);
void mntput(struct vfsmount *m);
struct vfsmount *kern_mount(struct file_system_type *t, void *data); /* not visible anywhere */
/* do_mount_at: mount fstype (dev, data) on path; used by boot and by mount(2) */
int do_mount_at(const char *dev, const char *path, const char *fstype, unsigned long flags, void *data);
int mnt_want_write(struct vfsmount *m); /* 0 or -EROFS */
void mnt_drop_write(struct vfsmount *m);
bool __mnt_is_readonly(struct vfsmount *m);

/* ---- open files ---- */
struct module;
struct file_operations {
	struct module *owner; /* an open file with these keeps it loaded; NULL: the kernel */
	loff_t (*llseek)(struct file *f, loff_t off, int whence);
	ssize_t (*read)(struct file *f, char __user *buf, size_t n, loff_t *pos);
	ssize_t (*write)(struct file *f, const char __user *buf, size_t n, loff_t *pos);
	ssize_t (*read_iter)(struct kiocb *iocb, struct iov_iter *to);
	ssize_t (*write_iter)(struct kiocb *iocb, struct iov_iter *from);
	int (*iterate_shared)(struct file *f, struct dir_context *ctx);
	u32 (*poll)(struct file *f, struct poll_table_struct *pt); /* EPOLL* mask */
	long (*unlocked_ioctl)(struct file *f, unsigned cmd, unsigned long arg);
	int (*mmap)(struct file *f, struct vm_area_struct *vma);
	int (*open)(struct inode *i, struct file *f);
	int (*flush)(struct file *f);			 /* every close(2) */
	int (*release)(struct inode *i, struct file *f); /* the last */
	int (*fsync)(struct file *f, loff_t start, loff_t end, int datasync);
	int (*fasync)(int fd, struct file *f, int on);
	int (*lock)(struct file *f, int cmd, struct file_lock *fl);
	int (*flock)(struct file *f, int cmd, struct file_lock *fl);
	ssize_t (*splice_read)(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n, unsigned flags);
	ssize_t (*splice_write)(struct pipe_inode_info *pipe, struct file *out, loff_t *pos, size_t n, unsigned flags);
	long (*fallocate)(struct file *f, int mode, loff_t off, loff_t len);
	ssize_t (*copy_file_range)(struct file *in, loff_t pin, struct file *out, loff_t pout, size_t n,
				   unsigned flags);
	void (*show_fdinfo)(struct seq_file *m, struct file *f);
	long (*seals)(struct file *f, unsigned cmd, unsigned long arg); /* fcntl F_ADD_SEALS and F_GET_SEALS */
};
struct fown_struct {
	pid_t pid;
	int pid_type;
	uid_t uid, euid;
	int signum;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
	const struct file_operations *f_op;
	spinlock_t f_lock;
	refcount_t f_count;
	unsigned int f_flags; /* O_* */
	unsigned int f_mode;  /* FMODE_* */
	struct mutex f_pos_lock;
	loff_t f_pos;
	struct fown_struct f_owner;
	const struct cred *f_cred;
	struct {
		pgoff_t start;
		unsigned size, async_size, ra_pages;
		unsigned faults; /* of mappings, on pages that were not there; racy */
		loff_t prev_pos;
	} f_ra;
	struct address_space *f_mapping;
	struct list_head f_ep; /* epoll items watching it; under f_lock */
	void *private_data;
};
/* file_accessed: f was read: the access time is now, unless the caller asked for O_NOATIME */
static inline void file_accessed(struct file *f)
{
	if (!(f->f_flags & O_NOATIME))
		touch_atime(&f->f_path);
}
#define file_inode(f) ((f)->f_inode)
#define file_dentry(f) ((f)->f_path.dentry)
#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_LSEEK 4
#define FMODE_PREAD 8
#define FMODE_PWRITE 16
#define FMODE_EXEC 32
#define FMODE_PATH 0x4000
#define FMODE_ATOMIC_POS 0x8000
#define FMODE_OPENED 0x80000
#define FMODE_CREATED 0x100000 /* this open made the file */
#define FMODE_STREAM 0x200000
#define FMODE_WRITER 0x10000 /* write access to mount and inode taken */
#define FMODE_CAN_READ 0x20000
#define FMODE_CAN_WRITE 0x40000

struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
	int ki_flags;
	void (*ki_complete)(struct kiocb *, long);
	void *private;
};
#define IOCB_APPEND 2
#define IOCB_DIRECT 4
#define IOCB_DSYNC 8
#define IOCB_SYNC 16
#define IOCB_NOWAIT 32
static inline void init_sync_kiocb(struct kiocb *k, struct file *f)
{
	*k = (struct kiocb){.ki_filp = f,
			    .ki_pos = f->f_pos,
			    .ki_flags = (f->f_flags & O_APPEND ? IOCB_APPEND : 0) |
					(f->f_flags & O_DIRECT ? IOCB_DIRECT : 0) |
					(f->f_flags & O_DSYNC ? IOCB_DSYNC : 0)};
}

struct dir_context {
	bool (*actor)(struct dir_context *, const char *name, int len, loff_t off, u64 ino, unsigned type);
	loff_t pos;
};
static inline bool dir_emit(struct dir_context *c, const char *name, int len, u64 ino, unsigned type)
{
	return c->actor(c, name, len, c->pos, ino, type);
}
bool dir_emit_dots(struct file *f, struct dir_context *c);
#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12
#define S_DT(mode) (((mode)&S_IFMT) >> 12)

struct file *filp_open(const char *name, int flags, umode_t mode); /* kernel path; ERR_PTR */
struct file *do_filp_open_at(int dfd, const char *kname, int flags, umode_t mode, int lookup_flags);
struct file *dentry_open(const struct path *p, int flags, const struct cred *c);
struct file *alloc_file_pseudo(struct inode *i, struct vfsmount *m, const char *name, int flags,
			       const struct file_operations *fop);
/* anon_inode_getfile: "anon_inode:NAME" file; anon_inode_getfd: and a descriptor for it */
struct file *anon_inode_getfile(const char *name, const struct file_operations *fop, void *priv, int flags);
int anon_inode_getfd(const char *name, const struct file_operations *fop, void *priv, int flags);
void fput(struct file *f);
static inline struct file *get_file(struct file *f)
{
	refcount_inc(&f->f_count);
	return f;
}
int filp_close(struct file *f, struct files_struct *files);
ssize_t kernel_read(struct file *f, void *buf, size_t n, loff_t *pos);
ssize_t kernel_write(struct file *f, const void *buf, size_t n, loff_t *pos);
ssize_t vfs_read(struct file *f, char __user *buf, size_t n, loff_t *pos);
ssize_t vfs_write(struct file *f, const char __user *buf, size_t n, loff_t *pos);
ssize_t vfs_iter_read(struct file *f, struct iov_iter *i, loff_t *pos, int flags);
ssize_t vfs_iter_write(struct file *f, struct iov_iter *i, loff_t *pos, int flags);
void sync_filesystems(void);
void emergency_remount(void);
int vfs_fsync(struct file *f, int datasync);
int vfs_truncate(const struct path *p, loff_t len);
int do_truncate(struct dentry *d, loff_t len, unsigned time_attrs, struct file *f);
int stream_open(struct inode *i, struct file *f);
int nonseekable_open(struct inode *i, struct file *f);
int deny_write_access(struct file *f);
void allow_write_access(struct file *f);
int get_write_access(struct inode *i);
void put_write_access(struct inode *i);

/* vfs_* : permission checked, parent's i_rwsem held by the caller, fsnotify sent */
int vfs_create(struct inode *dir, struct dentry *d, umode_t mode, bool excl);
int vfs_mkdir(struct inode *dir, struct dentry *d, umode_t mode);
int vfs_rmdir(struct inode *dir, struct dentry *d);
int vfs_unlink(struct inode *dir, struct dentry *d);
int vfs_symlink(struct inode *dir, struct dentry *d, const char *target);
int vfs_link(struct dentry *old, struct inode *dir, struct dentry *d);
int vfs_mknod(struct inode *dir, struct dentry *d, umode_t mode, dev_t dev);
int vfs_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags);
int vfs_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
int vfs_statfs(const struct path *p, struct kstatfs *st);
ssize_t vfs_getxattr(struct dentry *d, const char *name, void *v, size_t n);
int vfs_setxattr(struct dentry *d, const char *name, const void *v, size_t n, int flags);
ssize_t vfs_listxattr(struct dentry *d, char *buf, size_t n);
int vfs_removexattr(struct dentry *d, const char *name);
struct dentry *lookup_one_len(const char *name, struct dentry *base, int len); /* base's i_rwsem held */
struct dentry *lock_rename(struct dentry *a, struct dentry *b);
void unlock_rename(struct dentry *a, struct dentry *b);

#include <husk/namei.h>

/* descriptor tables (fs/file.c) */
struct fdtable_entry;
struct files_struct {
	refcount_t count;
	spinlock_t file_lock;
	unsigned int max_fds, next_fd;
	struct file **fd; /* readers: fget(); under file_lock to change */
	unsigned long *open_fds, *close_on_exec;
	void *retired; /* outgrown tables, which a lock-free fget() may still be reading */
};
extern struct files_struct init_files;
struct file *fget(unsigned fd);	    /* a reference, or NULL; not O_PATH files */
struct file *fget_raw(unsigned fd); /* O_PATH ones too */
struct file *fget_task(struct task_struct *t, unsigned fd);
int get_unused_fd_flags(unsigned flags); /* O_CLOEXEC */
int __get_unused_fd_flags(unsigned flags, unsigned long nofile);
void put_unused_fd(unsigned fd);
void fd_install(unsigned fd, struct file *f); /* consumes the reference */
int receive_fd(struct file *f, unsigned flags);
int close_fd(unsigned fd);
struct files_struct *dup_fd(struct files_struct *old, int *err);
void exit_files(struct task_struct *t);
void exit_fs(struct task_struct *t);
void do_close_on_exec(struct files_struct *f);
int unshare_files(void);
int iterate_fd(struct files_struct *f, unsigned start, int (*fn)(const void *, struct file *, unsigned),
	       const void *arg);

/* generic helpers (fs/libfs.c) */
extern const struct file_operations simple_dir_operations, generic_ro_fops, def_chr_fops, def_fifo_fops, no_open_fops;
extern const struct inode_operations simple_dir_inode_operations, simple_symlink_inode_operations,
	page_symlink_inode_operations;
struct dentry *simple_lookup(struct inode *dir, struct dentry *d, unsigned flags);
int simple_statfs(struct dentry *d, struct kstatfs *st);
int simple_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
ssize_t simple_read_from_buffer(void __user *to, size_t n, loff_t *pos, const void *from, size_t avail);
ssize_t simple_write_to_buffer(void *to, size_t avail, loff_t *pos, const void __user *from, size_t n);
const char *simple_get_link(struct dentry *d, struct inode *i, struct delayed_call *done);
int dcache_readdir(struct file *f, struct dir_context *c);
loff_t generic_file_llseek(struct file *f, loff_t off, int whence);
loff_t no_llseek(struct file *f, loff_t off, int whence);
loff_t noop_llseek(struct file *f, loff_t off, int whence);
loff_t default_llseek(struct file *f, loff_t off, int whence);
loff_t vfs_setpos(struct file *f, loff_t off, loff_t max);
ssize_t generic_file_splice_read(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n, unsigned flags);
ssize_t iter_file_splice_write(struct pipe_inode_info *pipe, struct file *out, loff_t *pos, size_t n, unsigned flags);
ssize_t generic_write_checks(struct kiocb *k, struct iov_iter *from); /* O_APPEND, RLIMIT_FSIZE, s_maxbytes */
int generic_file_open(struct inode *i, struct file *f);
int noop_fsync(struct file *f, loff_t start, loff_t end, int datasync);
/* shmem_file_setup: an unlinked tmpfs file (memfd_create, shared anonymous memory). ERR_PTR */
struct file *shmem_file_setup(const char *name, loff_t size, unsigned long vm_flags);

#include <husk/fsnotify.h>

/* locks (fs/locks.c) */
void locks_remove_posix(struct file *f, struct files_struct *owner);
void locks_remove_file(struct file *f);
void locks_free_lock_context(struct inode *i);

/* SIGIO (fs/fcntl.c). fasync_helper adds or removes f; kill_fasync signals every owner in the list. */
struct fasync_struct {
	struct fasync_struct *next;
	struct file *file;
	int fd;
};
int fasync_helper(int fd, struct file *f, int on, struct fasync_struct **list); /* > 0: changed */
void kill_fasync(struct fasync_struct **list, int sig, int band);		/* band: POLL_IN, ... */
void send_sigurg(struct file *f);
int f_setown(struct file *f, int who, int force);

/* more of fs/: see also husk/file.h, husk/mount.h, husk/filelock.h, husk/xattr.h, husk/overlay.h */
#define __FMODE_EXEC 0x20 /* in open flags: opened to be executed */
#define MAX_RW_COUNT (INT32_MAX & PAGE_MASK)
bool path_noexec(const struct path *p);
struct file *alloc_file_clone(struct file *base, int flags, const struct file_operations *fop);
struct file *alloc_empty_file(int flags, const struct cred *c);
int vfs_open(const struct path *p, struct file *f);
struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name);
char *dynamic_dname(char *buf, int len, const char *fmt, ...) __printf(3, 4);
char *dentry_path(struct dentry *d, char *buf, int len);
void insert_inode_hash(struct inode *i, u64 hash);
void remove_inode_hash(struct inode *i);
struct inode *ilookup5(struct super_block *sb, u64 hash, int (*test)(struct inode *, void *), void *data);
int generic_drop_inode(struct inode *i);
int inode_newsize_ok(const struct inode *i, loff_t size);
int simple_link(struct dentry *old, struct inode *dir, struct dentry *d);
int simple_unlink(struct inode *dir, struct dentry *d);
int simple_rmdir(struct inode *dir, struct dentry *d);
int simple_rename(struct inode *odir, struct dentry *od, struct inode *ndir, struct dentry *nd, unsigned flags);
int simple_setattr(struct dentry *d, struct iattr *a);
int simple_empty(struct dentry *d);
int dcache_dir_open(struct inode *i, struct file *f);
int dcache_dir_close(struct inode *i, struct file *f);
loff_t dcache_dir_lseek(struct file *f, loff_t off, int whence);
ssize_t generic_read_dir(struct file *f, char __user *buf, size_t n, loff_t *pos); /* -EISDIR */
loff_t generic_file_llseek_size(struct file *f, loff_t off, int whence, loff_t max, loff_t eof);
loff_t fixed_size_llseek(struct file *f, loff_t off, int whence, loff_t size);
ssize_t vfs_readv(struct file *f, const struct iovec __user *v, unsigned long nr, loff_t *pos, int flags);
ssize_t vfs_writev(struct file *f, const struct iovec __user *v, unsigned long nr, loff_t *pos, int flags);
int iterate_dir(struct file *f, struct dir_context *ctx);
int vfs_readlink(struct dentry *d, char __user *buf, int n);
long vfs_fallocate(struct file *f, int mode, loff_t off, loff_t len);

/* exec (fs/exec.c) */
int kernel_execve(const char *name, const char *const *argv, const char *const *envp); /* boot: pid 1 */

/* devices (fs/char_dev.c) */
struct cdev {
	const struct file_operations *ops;
	dev_t dev;
	unsigned count;
	struct list_head list;
	void *data;
};
void unregister_chrdev_region_ops(dev_t first, unsigned count);
int register_chrdev_region_ops(dev_t first, unsigned count, const char *name, const struct file_operations *ops);
/* devtmpfs_create_node: a node in /dev (name may hold slashes), kept until removed */
int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev);
int devtmpfs_create_link(const char *name, const char *target);
int devtmpfs_delete_node(const char *name);

#endif
