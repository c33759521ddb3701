// SPDX-License-Identifier: Apache-2.0
/* Opening a found file; truncate, fallocate, access, chdir, chmod, chown. */
#include "internal.h"
#include <husk/shmem.h>
#include <husk/module.h>
#include <linux/falloc.h>

/* ---- write access and text busy, on the inode that the path names ---- */
int get_write_access(struct inode *i)
{
	int c = atomic_read(&i->i_writecount);

	while (c >= 0)
		if (__atomic_compare_exchange_n(&i->i_writecount.counter, &c, c + 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return 0;
	return -ETXTBSY;
}

void put_write_access(struct inode *i)
{
	atomic_dec(&i->i_writecount);
}

int deny_write_access(struct file *f)
{
	struct inode *i = d_inode(f->f_path.dentry);
	int c = atomic_read(&i->i_writecount);

	while (c <= 0)
		if (__atomic_compare_exchange_n(&i->i_writecount.counter, &c, c - 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return 0;
	return -ETXTBSY;
}

void allow_write_access(struct file *f)
{
	if (f)
		atomic_inc(&d_inode(f->f_path.dentry)->i_writecount);
}

/* ---- open ---- */
static const struct file_operations empty_fops;

static int take_write(struct file *f, struct inode *i)
{
	int r;

	if (!S_ISREG(i->i_mode) && !S_ISDIR(i->i_mode))
		return 0;
	r = get_write_access(i);
	if (r)
		return r;
	r = mnt_want_write(f->f_path.mnt);
	if (r) {
		put_write_access(i);
		return r;
	}
	f->f_mode |= FMODE_WRITER;
	return 0;
}

/* do_dentry_open: f_path is set and referenced; on failure the references are dropped. */
static int do_dentry_open(struct file *f, struct inode *i)
{
	const struct file_operations *fop;
	int r = 0;

	f->f_inode = i;
	f->f_mapping = i->i_mapping;
	if (unlikely(f->f_flags & O_PATH)) {
		f->f_mode = FMODE_PATH | FMODE_OPENED;
		f->f_op = &empty_fops;
		return 0;
	}
	if (f->f_mode & FMODE_WRITE) {
		r = take_write(f, i);
		if (r)
			goto fail;
	}
	if (S_ISREG(i->i_mode) || S_ISDIR(i->i_mode))
		f->f_mode |= FMODE_ATOMIC_POS;
	f->f_op = fop = i->i_fop;
	if (unlikely(!try_module_get(fop->owner))) {
		r = -ENODEV;
		goto fail;
	}
	f->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	if (fop->open) {
		r = fop->open(i, f);
		if (r) {
			module_put(fop->owner);
			goto fail;
		}
		fop = f->f_op; /* devices and stacked files put their own there */
	}
	f->f_mode |= FMODE_OPENED;
	if ((f->f_mode & FMODE_READ) && (fop->read || fop->read_iter))
		f->f_mode |= FMODE_CAN_READ;
	if ((f->f_mode & FMODE_WRITE) && (fop->write || fop->write_iter))
		f->f_mode |= FMODE_CAN_WRITE;
	if (!fop->llseek || fop->llseek == no_llseek)
		f->f_mode &= ~FMODE_LSEEK;
	f->f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	if ((f->f_flags & O_DIRECT) && !(f->f_mapping && f->f_mapping->a_ops->direct_IO)) {
		f->f_flags &= ~O_DIRECT; /* the page cache is in memory: a copy more, nothing else */
	}
	return 0;
fail:
	if (f->f_mode & FMODE_WRITER) {
		put_write_access(i);
		mnt_drop_write(f->f_path.mnt);
		f->f_mode &= ~FMODE_WRITER;
	}
	path_put(&f->f_path);
	f->f_path = (struct path){NULL, NULL};
	return r;
}

int vfs_open(const struct path *p, struct file *f)
{
	f->f_path = *p;
	path_get(p);
	return do_dentry_open(f, d_inode(p->dentry));
}

struct file *dentry_open(const struct path *p, int flags, const struct cred *c)
{
	struct file *f = alloc_empty_file(flags & ~O_CLOEXEC, c);
	int r;

	if (IS_ERR(f))
		return f;
	r = vfs_open(p, f);
	if (r) {
		file_free_empty(f);
		return ERR_PTR(r);
	}
	return f;
}

int generic_file_open(struct inode *i, struct file *f)
{
	if (!(f->f_flags & O_LARGEFILE) && i_size_read(i) > INT32_MAX)
		return -EOVERFLOW;
	return 0;
}

int stream_open(struct inode *i, struct file *f)
{
	f->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS);
	f->f_mode |= FMODE_STREAM;
	return 0;
}

int nonseekable_open(struct inode *i, struct file *f)
{
	f->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	return 0;
}

/* ---- truncate ---- */
int do_truncate(struct dentry *d, loff_t len, unsigned time_attrs, struct file *f)
{
	struct iattr a = {.ia_valid = ATTR_SIZE | time_attrs, .ia_size = len};
	int r;

	if (len < 0)
		return -EINVAL;
	if (f) {
		a.ia_file = f;
		a.ia_valid |= ATTR_FILE;
	}
	a.ia_valid |= should_remove_suid(d->d_inode);
	if (a.ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID))
		a.ia_valid |= ATTR_FORCE;
	if (a.ia_valid & ATTR_FORCE) {
		r = inode_newsize_ok(d->d_inode, len);
		if (r)
			return r;
	}
	inode_lock(d->d_inode);
	r = notify_change(d, &a);
	inode_unlock(d->d_inode);
	return r;
}

int vfs_truncate(const struct path *p, loff_t len)
{
	struct inode *i = p->dentry->d_inode;
	int r;

	if (S_ISDIR(i->i_mode))
		return -EISDIR;
	if (!S_ISREG(i->i_mode))
		return -EINVAL;
	r = mnt_want_write(p->mnt);
	if (r)
		return r;
	r = inode_permission(i, MAY_WRITE);
	if (!r && (i->i_flags & S_APPEND))
		r = -EPERM;
	if (!r)
		r = get_write_access(i);
	if (!r) {
		r = do_truncate(p->dentry, len, ATTR_MTIME | ATTR_CTIME, NULL);
		put_write_access(i);
	}
	mnt_drop_write(p->mnt);
	return r;
}

SYSCALL_DEFINE2(truncate, const char __user *, name, long, len)
{
	struct path p;
	int r;

	if (len < 0)
		return -EINVAL;
	r = fname_path(AT_FDCWD, name, LOOKUP_FOLLOW, &p);
	if (!r) {
		r = vfs_truncate(&p, len);
		path_put(&p);
	}
	return r;
}

SYSCALL_DEFINE2(ftruncate, unsigned, fd, long, len)
{
	struct fd f;
	struct inode *i;
	int r = -EINVAL;

	if (len < 0)
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	i = d_inode(f.file->f_path.dentry);
	if (!S_ISREG(i->i_mode) || !(f.file->f_mode & FMODE_WRITE))
		goto out;
	r = -EPERM;
	if (i->i_flags & S_APPEND)
		goto out;
	r = do_truncate(f.file->f_path.dentry, len, ATTR_MTIME | ATTR_CTIME, f.file);
out:
	fdput(f);
	return r;
}

long vfs_fallocate(struct file *f, int mode, loff_t off, loff_t len)
{
	struct inode *i = file_inode(f);
	loff_t end;
	long r;

	if (off < 0 || len <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
		     FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!(f->f_mode & FMODE_WRITE))
		return -EBADF;
	if (i->i_flags & S_IMMUTABLE)
		return -EPERM;
	if (S_ISFIFO(i->i_mode))
		return -ESPIPE;
	if (S_ISDIR(i->i_mode))
		return -EISDIR;
	if (!S_ISREG(i->i_mode) && !S_ISBLK(i->i_mode))
		return -ENODEV;
	if (__builtin_add_overflow(off, len, &end) || end > i->i_sb->s_maxbytes)
		return -EFBIG;
	if (!f->f_op->fallocate)
		return -EOPNOTSUPP;
	if (!(mode & FALLOC_FL_KEEP_SIZE)) { /* RLIMIT_FSIZE */
		r = inode_newsize_ok(i, end);
		if (r)
			return r;
	}
	r = f->f_op->fallocate(f, mode, off, len);
	if (!r)
		fsnotify_file(f, FS_MODIFY);
	return r;
}

SYSCALL_DEFINE4(fallocate, int, fd, int, mode, loff_t, off, loff_t, len)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = vfs_fallocate(f.file, mode, off, len);
	fdput(f);
	return r;
}

/* ---- access ---- */
/* access_creds: the task's credentials with real for effective ids; NULL when they are the same
 * anyway. */
static const struct cred *access_creds(void)
{
	const struct cred *c = current_cred();
	struct cred *n;

	if (c->fsuid == c->uid && c->fsgid == c->gid &&
	    (c->uid ? !c->cap_effective : c->cap_effective == c->cap_permitted))
		return NULL;
	n = prepare_creds();
	if (!n)
		return ERR_PTR(-ENOMEM);
	n->fsuid = n->uid;
	n->fsgid = n->gid;
	n->cap_effective = n->uid ? 0 : n->cap_permitted;
	return n;
}

static int access_path(const struct path *p, int mode)
{
	struct inode *i = p->dentry->d_inode;
	int r;

	if ((mode & MAY_EXEC) && S_ISREG(i->i_mode) && path_noexec(p))
		return -EACCES;
	r = inode_permission(i, mode | MAY_ACCESS);
	if (r || !(mode & MAY_WRITE))
		return r;
	if (!S_ISREG(i->i_mode) && !S_ISDIR(i->i_mode) && !S_ISLNK(i->i_mode))
		return 0;
	return __mnt_is_readonly(p->mnt) ? -EROFS : 0;
}

static long do_faccessat(int dfd, const char __user *name, int mode, int flags)
{
	unsigned lf = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	const struct cred *mine = NULL, *tmp = NULL;
	struct path p;
	int r;

	if (mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC))
		return -EINVAL;
	if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lf |= LOOKUP_EMPTY;
	if (!(flags & AT_EACCESS)) {
		tmp = access_creds();
		if (IS_ERR(tmp))
			return PTR_ERR(tmp);
	}
	if (tmp) {
		mine = current->cred;
		current->cred = tmp;
	}
	r = fname_path(dfd, name, lf, &p);
	if (!r) {
		r = access_path(&p, mode);
		path_put(&p);
	}
	if (tmp) {
		current->cred = mine;
		put_cred(tmp);
	}
	return r;
}

SYSCALL_DEFINE3(faccessat, int, dfd, const char __user *, name, int, mode)
{
	return do_faccessat(dfd, name, mode, 0);
}

SYSCALL_DEFINE4(faccessat2, int, dfd, const char __user *, name, int, mode, int, flags)
{
	return do_faccessat(dfd, name, mode, flags);
}

SYSCALL_DEFINE2(access, const char __user *, name, int, mode)
{
	return do_faccessat(AT_FDCWD, name, mode, 0);
}

/* ---- working directory and root ---- */
SYSCALL_DEFINE1(chdir, const char __user *, name)
{
	struct path p;
	int r = fname_path(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (r)
		return r;
	r = inode_permission(p.dentry->d_inode, MAY_EXEC | MAY_CHDIR);
	if (!r)
		set_fs_pwd(current->fs, &p);
	path_put(&p);
	return r;
}

SYSCALL_DEFINE1(fchdir, unsigned, fd)
{
	struct fd f = fdget_raw(fd);
	int r = -ENOTDIR;

	if (!f.file)
		return -EBADF;
	if (d_is_dir(f.file->f_path.dentry)) {
		r = inode_permission(file_inode(f.file), MAY_EXEC | MAY_CHDIR);
		if (!r)
			set_fs_pwd(current->fs, &f.file->f_path);
	}
	fdput(f);
	return r;
}

SYSCALL_DEFINE1(chroot, const char __user *, name)
{
	struct path p;
	int r = fname_path(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (r)
		return r;
	r = inode_permission(p.dentry->d_inode, MAY_EXEC | MAY_CHDIR);
	if (!r && !capable(CAP_SYS_CHROOT))
		r = -EPERM;
	if (!r)
		set_fs_root(current->fs, &p);
	path_put(&p);
	return r;
}

/* ---- mode and owner ---- */
static int chmod_common(const struct path *p, umode_t mode)
{
	struct inode *i = p->dentry->d_inode;
	struct iattr a = {.ia_valid = ATTR_MODE | ATTR_CTIME};
	int r = mnt_want_write(p->mnt);

	if (r)
		return r;
	inode_lock(i);
	a.ia_mode = (mode & 07777) | (i->i_mode & ~07777);
	r = notify_change(p->dentry, &a);
	inode_unlock(i);
	mnt_drop_write(p->mnt);
	return r;
}

static long do_fchmodat(int dfd, const char __user *name, umode_t mode, int flags)
{
	unsigned lf = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	int r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lf |= LOOKUP_EMPTY;
	r = fname_path(dfd, name, lf, &p);
	if (!r) {
		r = chmod_common(&p, mode);
		path_put(&p);
	}
	return r;
}

SYSCALL_DEFINE3(fchmodat, int, dfd, const char __user *, name, umode_t, mode)
{
	return do_fchmodat(dfd, name, mode, 0);
}

SYSCALL_DEFINE4(fchmodat2, int, dfd, const char __user *, name, umode_t, mode, int, flags)
{
	return do_fchmodat(dfd, name, mode, flags);
}

SYSCALL_DEFINE2(chmod, const char __user *, name, umode_t, mode)
{
	return do_fchmodat(AT_FDCWD, name, mode, 0);
}

SYSCALL_DEFINE2(fchmod, unsigned, fd, umode_t, mode)
{
	struct fd f = fdget(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = chmod_common(&f.file->f_path, mode);
	fdput(f);
	return r;
}

static int chown_common(const struct path *p, uid_t uid, gid_t gid)
{
	struct inode *i = p->dentry->d_inode;
	struct iattr a = {.ia_valid = ATTR_CTIME, .ia_uid = uid, .ia_gid = gid};
	int r = mnt_want_write(p->mnt);

	if (r)
		return r;
	if (uid != (uid_t)-1)
		a.ia_valid |= ATTR_UID;
	if (gid != (gid_t)-1)
		a.ia_valid |= ATTR_GID;
	inode_lock(i);
	if (!S_ISDIR(i->i_mode)) {
		if (i->i_mode & S_ISUID)
			a.ia_valid |= ATTR_KILL_SUID;
		if ((i->i_mode & S_ISGID) && ((i->i_mode & 010) || (!in_group_p(i->i_gid) && !capable(CAP_FSETID))))
			a.ia_valid |= ATTR_KILL_SGID;
	}
	r = notify_change(p->dentry, &a);
	inode_unlock(i);
	mnt_drop_write(p->mnt);
	return r;
}

static long do_fchownat(int dfd, const char __user *name, uid_t uid, gid_t gid, int flags)
{
	unsigned lf = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	int r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lf |= LOOKUP_EMPTY;
	r = fname_path(dfd, name, lf, &p);
	if (!r) {
		r = chown_common(&p, uid, gid);
		path_put(&p);
	}
	return r;
}

SYSCALL_DEFINE5(fchownat, int, dfd, const char __user *, name, uid_t, uid, gid_t, gid, int, flags)
{
	return do_fchownat(dfd, name, uid, gid, flags);
}

SYSCALL_DEFINE3(chown, const char __user *, name, uid_t, uid, gid_t, gid)
{
	return do_fchownat(AT_FDCWD, name, uid, gid, 0);
}

SYSCALL_DEFINE3(lchown, const char __user *, name, uid_t, uid, gid_t, gid)
{
	return do_fchownat(AT_FDCWD, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

SYSCALL_DEFINE3(fchown, unsigned, fd, uid_t, uid, gid_t, gid)
{
	struct fd f = fdget(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = chown_common(&f.file->f_path, uid, gid);
	fdput(f);
	return r;
}
