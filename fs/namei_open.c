// SPDX-License-Identifier: Apache-2.0
/* From a path name to an open file: O_CREAT, O_TMPFILE, O_PATH and the checks of open(2). */
#include "namei.h"
#include <linux/openat2.h>

#define VALID_OPEN_FLAGS                                                                                               \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NDELAY | O_NONBLOCK | __O_SYNC | O_DSYNC |   \
	 FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | __O_TMPFILE)
#define O_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define VALID_RESOLVE                                                                                                  \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT |           \
	 RESOLVE_CACHED)
#define LOOKUP_CACHED_ONLY 0x200000

/* build_open_flags: the rules of openat2(2); 0 or -EINVAL and friends. */
static int build_open_flags(u64 flags, u64 mode, u64 resolve, struct open_flags *op)
{
	int acc = ACC_MODE(flags), lf = 0;
	bool exec = flags & __FMODE_EXEC;

	flags &= ~(u64)__FMODE_EXEC;
	if (flags & ~(u64)VALID_OPEN_FLAGS)
		return -EINVAL;
	if (resolve & ~(u64)VALID_RESOLVE)
		return -EINVAL;
	if ((resolve & RESOLVE_BENEATH) && (resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (flags & (O_CREAT | __O_TMPFILE)) {
		if (mode & ~07777ULL)
			return -EINVAL;
		op->mode = mode | S_IFREG;
	} else {
		if (mode)
			return -EINVAL;
		op->mode = 0;
	}
	if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return -EINVAL;
	if (flags & __O_TMPFILE) {
		if (!(flags & O_DIRECTORY) || !(acc & MAY_WRITE))
			return -EINVAL;
	}
	if (flags & O_PATH) {
		if (flags & ~(u64)O_PATH_FLAGS)
			return -EINVAL;
		acc = 0;
	}
	if (flags & __O_SYNC)
		flags |= O_DSYNC;
	op->open_flag = flags | (exec ? __FMODE_EXEC : 0);
	if (flags & O_TRUNC)
		acc |= MAY_WRITE;
	if (flags & O_APPEND)
		acc |= MAY_APPEND;
	if (exec)
		acc |= MAY_EXEC;
	op->acc_mode = acc;
	op->intent = flags & O_PATH ? 0 : LOOKUP_OPEN;
	if (flags & O_CREAT) {
		op->intent |= LOOKUP_CREATE;
		if (flags & O_EXCL) {
			op->intent |= LOOKUP_EXCL;
			flags |= O_NOFOLLOW;
		}
	}
	if (flags & O_DIRECTORY)
		lf |= LOOKUP_DIRECTORY;
	if (!(flags & O_NOFOLLOW))
		lf |= LOOKUP_FOLLOW;
	if (resolve & RESOLVE_NO_XDEV)
		lf |= LOOKUP_NO_XDEV;
	if (resolve & RESOLVE_NO_MAGICLINKS)
		lf |= LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_NO_SYMLINKS)
		lf |= LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_BENEATH)
		lf |= LOOKUP_BENEATH;
	if (resolve & RESOLVE_IN_ROOT)
		lf |= LOOKUP_IN_ROOT;
	if (resolve & RESOLVE_CACHED) {
		if (flags & (O_TRUNC | O_CREAT | __O_TMPFILE))
			return -EAGAIN;
		lf |= LOOKUP_CACHED_ONLY;
	}
	op->lookup_flags = lf;
	return 0;
}

int may_open(const struct path *p, int acc, int flag)
{
	struct inode *i = p->dentry->d_inode;
	int r;

	if (!i)
		return -ENOENT;
	switch (i->i_mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (acc & MAY_WRITE)
			return -EISDIR;
		if (acc & MAY_EXEC)
			return -EACCES;
		break;
	case S_IFBLK:
	case S_IFCHR:
		if ((p->mnt->mnt_flags & MNT_NODEV) || (p->mnt->mnt_sb->s_flags & SB_NODEV))
			return -EACCES;
		fallthrough;
	case S_IFIFO:
	case S_IFSOCK:
		if (acc & MAY_EXEC)
			return -EACCES;
		break;
	case S_IFREG:
		if ((acc & MAY_EXEC) && path_noexec(p))
			return -EACCES;
		break;
	}
	if (acc) {
		r = inode_permission(i, MAY_OPEN | acc);
		if (r)
			return r;
	}
	if (i->i_flags & S_APPEND) {
		if ((flag & O_ACCMODE) != O_RDONLY && !(flag & O_APPEND))
			return -EPERM;
		if (flag & O_TRUNC)
			return -EPERM;
	}
	if ((flag & O_NOATIME) && !inode_owner_or_capable(i))
		return -EPERM;
	return 0;
}

static int handle_truncate(struct file *f)
{
	struct inode *i = d_inode(f->f_path.dentry);
	int r = get_write_access(i);

	if (r)
		return r;
	r = do_truncate(f->f_path.dentry, 0, ATTR_MTIME | ATTR_CTIME | ATTR_OPEN, f);
	put_write_access(i);
	return r;
}

/* Open what the walk found. The path stays the caller's. */
static struct file *open_found(const struct path *p, const struct open_flags *op, unsigned lookup_flags, bool created)
{
	int flag = op->open_flag, acc = op->acc_mode;
	struct file *f;
	bool trunc;
	int r;

	if (unlikely(flag & O_PATH)) {
		if ((lookup_flags & LOOKUP_DIRECTORY) && !d_is_dir(p->dentry))
			return ERR_PTR(-ENOTDIR);
		goto open;
	}
	if ((flag & O_CREAT) && !created) {
		if (flag & O_EXCL)
			return ERR_PTR(-EEXIST);
		if (d_is_dir(p->dentry))
			return ERR_PTR(-EISDIR);
	}
	if ((lookup_flags & LOOKUP_DIRECTORY) && !d_is_dir(p->dentry))
		return ERR_PTR(-ENOTDIR);
	if (created) {
		flag &= ~O_TRUNC;
		acc = 0;
	} else if ((flag & O_TRUNC) && S_ISREG(p->dentry->d_inode->i_mode)) {
		r = mnt_want_write(p->mnt);
		if (r)
			return ERR_PTR(r);
	} else {
		flag &= ~O_TRUNC;
	}
	trunc = flag & O_TRUNC;
	r = may_open(p, acc, op->open_flag);
	if (r) {
		f = ERR_PTR(r);
		goto out;
	}
open:
	trunc = flag & O_TRUNC;
	f = alloc_empty_file(op->open_flag & ~(__FMODE_EXEC | O_CLOEXEC), current_cred());
	if (IS_ERR(f))
		goto out;
	r = vfs_open(p, f);
	if (!r && (op->open_flag & __FMODE_EXEC))
		f->f_mode |= FMODE_EXEC;
	if (!r && created && !(op->open_flag & __O_TMPFILE))
		f->f_mode |= FMODE_CREATED;
	if (!r && trunc)
		r = handle_truncate(f);
	if (r) {
		if (f->f_mode & FMODE_OPENED)
			fput(f);
		else
			file_free_empty(f);
		f = ERR_PTR(r == -EOPNOTSUPP && (flag & O_PATH) ? -EINVAL : r);
	}
out:
	if (flag & O_TRUNC)
		mnt_drop_write(p->mnt);
	return f;
}

/* Look nd->last up in nd->path, and create it if need be. *created says so; the dentry is the
 * caller's. */
static struct dentry *lookup_create(struct nameidata *nd, const struct open_flags *op, bool *created)
{
	struct dentry *dir = nd->path.dentry, *d;
	struct inode *i = dir->d_inode;
	int wr = mnt_want_write(nd->path.mnt), r;
	umode_t mode;

	inode_lock(i);
	d = __lookup_hash(&nd->last, dir, nd->flags | LOOKUP_OPEN | LOOKUP_CREATE);
	if (IS_ERR(d) || d->d_inode)
		goto out;
	r = wr;
	if (!r)
		r = i->i_flags & S_DEAD ? -ENOENT : 0;
	if (!r)
		r = inode_permission(i, MAY_WRITE | MAY_EXEC);
	if (!r && !i->i_op->create)
		r = -EACCES;
	if (!r) {
		mode = create_mode(i, S_IFREG | (op->mode & 07777));
		r = i->i_op->create(i, d, mode, op->open_flag & O_EXCL);
	}
	if (r) {
		dput(d);
		d = ERR_PTR(r);
		goto out;
	}
	*created = true;
	fsnotify(FS_CREATE, i, d->d_inode, d->d_name.name, 0);
out:
	inode_unlock(i);
	if (!wr)
		mnt_drop_write(nd->path.mnt);
	return d;
}

/* The last component of an open. NULL: nd->path is what to open; else a link's body, or ERR_PTR */
static const char *open_last(struct nameidata *nd, const struct open_flags *op, bool *created)
{
	struct dentry *d;
	bool slash;

	if (nd->last_type != LAST_NORM)
		return walk_component(nd, WALK_TRAILING);
	slash = nd->last.name[nd->last.len];
	if (!(op->open_flag & O_CREAT)) {
		if (slash)
			nd->flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
		return walk_component(nd, WALK_TRAILING);
	}
	if (slash)
		return ERR_PTR(-EISDIR);
	d = lookup_cached(nd->path.dentry, &nd->last, nd->flags);
	if (!d || d_is_negative(d)) {
		dput(d);
		d = lookup_create(nd, op, created);
	}
	if (IS_ERR(d))
		return ERR_CAST(d);
	if (nd->depth) { /* as walk_component() at the end of a link */
		struct nd_saved *s = &nd->stack[--nd->depth];

		do_delayed_call(&s->done);
		path_put(&s->link);
	}
	if (!*created && (op->open_flag & O_EXCL)) {
		dput(d);
		return ERR_PTR(-EEXIST);
	}
	return step_into(nd, WALK_TRAILING, d);
}

static struct file *open_tmpfile(struct nameidata *nd, const struct open_flags *op)
{
	static atomic_t serial;
	struct path *p = &nd->path, child;
	struct inode *dir = p->dentry->d_inode;
	struct open_flags o = *op;
	char name[24];
	struct file *f;
	int r;

	if (!S_ISDIR(dir->i_mode))
		return ERR_PTR(-ENOTDIR);
	r = mnt_want_write(p->mnt);
	if (r)
		return ERR_PTR(r);
	r = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!r && !dir->i_op->tmpfile)
		r = -EOPNOTSUPP;
	f = ERR_PTR(r);
	if (r)
		goto out;
	scnprintf(name, sizeof(name), "#%d", atomic_inc_return(&serial));
	child.mnt = p->mnt;
	child.dentry = d_alloc_name(p->dentry, name);
	f = ERR_PTR(-ENOMEM);
	if (!child.dentry)
		goto out;
	r = dir->i_op->tmpfile(dir, child.dentry, create_mode(dir, S_IFREG | (op->mode & 07777)));
	f = ERR_PTR(r);
	if (!r) {
		if (!(op->open_flag & O_EXCL))
			__atomic_fetch_or(&child.dentry->d_inode->i_state, I_LINKABLE, __ATOMIC_SEQ_CST);
		o.open_flag &= ~(O_CREAT | O_EXCL);
		f = open_found(&child, &o, 0, true);
	}
	dput(child.dentry);
out:
	mnt_drop_write(p->mnt);
	return f;
}

static struct file *path_openat(int dfd, const char *name, const struct open_flags *op, unsigned flags)
{
	struct nameidata nd;
	bool created = false;
	struct file *f;
	const char *s;
	int r;

	nd_init(&nd, dfd, flags);
	s = path_init(&nd, name);
	if (op->open_flag & __O_TMPFILE) {
		nd.flags |= LOOKUP_DIRECTORY;
		while (!(r = link_path_walk(s, &nd)) && (s = walk_component(&nd, WALK_TRAILING)) != NULL)
			;
		if (!r)
			r = complete_walk(&nd);
		f = r ? ERR_PTR(r) : open_tmpfile(&nd, op);
		goto out;
	}
	while (!(r = link_path_walk(s, &nd)) && (s = open_last(&nd, op, &created)) != NULL)
		;
	if (!r)
		r = complete_walk(&nd);
	f = r ? ERR_PTR(r) : open_found(&nd.path, op, nd.flags, created);
out:
	nd_end(&nd);
	return f;
}

/* Most opens: everything cached and nothing to create. */
static struct file *open_fast(int dfd, const char *name, const struct open_flags *op)
{
	unsigned flags = op->lookup_flags | op->intent;
	struct file *f;
	struct path p;
	int r;

	if (op->open_flag & __O_TMPFILE)
		return ERR_PTR(-ECHILD);
	r = walk_fast(dfd, name, flags, &p, NULL);
	if (r)
		return ERR_PTR(r);
	if ((op->open_flag & O_CREAT) && d_is_dir(p.dentry))
		f = ERR_PTR(-ECHILD); /* trailing slashes, dots: which error is for the slow walk */
	else
		f = open_found(&p, op, op->lookup_flags, false);
	path_put(&p);
	return f;
}

static struct file *do_filp_open(int dfd, const char *name, const struct open_flags *op)
{
	unsigned flags = op->lookup_flags;
	struct open_flags cached;
	struct file *f;

	if (unlikely(flags & LOOKUP_CACHED_ONLY)) {
		if (flags & LOOKUP_RESTRICTED)
			return ERR_PTR(-EAGAIN);
		cached = *op;
		cached.lookup_flags &= ~LOOKUP_CACHED_ONLY;
		f = open_fast(dfd, name, &cached);
		return f == ERR_PTR(-ECHILD) ? ERR_PTR(-EAGAIN) : f;
	}
	f = open_fast(dfd, name, op);
	if (f != ERR_PTR(-ECHILD))
		return f;
	f = path_openat(dfd, name, op, flags);
	if (unlikely(f == ERR_PTR(-ESTALE)))
		f = path_openat(dfd, name, op, flags | LOOKUP_REVAL);
	return f;
}

/**
 * do_filp_open_at - open for the kernel's own use
 * @flags: O_*, and __FMODE_EXEC for a file to be executed
 * @lookup_flags: LOOKUP_* beyond what @flags say; LOOKUP_EMPTY lets "" mean @dfd itself
 */
struct file *do_filp_open_at(int dfd, const char *name, int flags, umode_t mode, int lookup_flags)
{
	struct open_flags op;
	int r = build_open_flags((unsigned)flags, flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0, 0, &op);

	if (r)
		return ERR_PTR(r);
	op.lookup_flags |= lookup_flags & ~(LOOKUP_FOLLOW);
	if ((lookup_flags & LOOKUP_FOLLOW) && !(flags & O_NOFOLLOW))
		op.lookup_flags |= LOOKUP_FOLLOW;
	return do_filp_open(dfd, name, &op);
}

struct file *filp_open(const char *name, int flags, umode_t mode)
{
	return do_filp_open_at(AT_FDCWD, name, flags | O_LARGEFILE, mode, LOOKUP_FOLLOW);
}

static long open_fd(int dfd, const char __user *name, const struct open_flags *op)
{
	struct fname n;
	struct file *f;
	int fd, r = fname_get(&n, name, 0);

	if (r)
		return r;
	fd = get_unused_fd_flags(op->open_flag);
	if (fd >= 0) {
		f = do_filp_open(dfd, n.name, op);
		if (IS_ERR(f)) {
			put_unused_fd(fd);
			fd = PTR_ERR(f);
		} else {
			if (likely(!(f->f_mode & FMODE_PATH)))
				fsnotify_file(f, FS_OPEN);
			fd_install(fd, f);
		}
	}
	fname_put(&n);
	return fd;
}

static long do_sys_open(int dfd, const char __user *name, int flags, umode_t mode)
{
	struct open_flags op;
	int r;

	flags &= VALID_OPEN_FLAGS; /* open(2) ignores what it does not know */
	if (flags & O_PATH)
		flags &= O_PATH_FLAGS;
	/* and O_CREAT | O_DIRECTORY as the kernels since 6.4 do: EINVAL */
	r = build_open_flags((unsigned)flags, flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0, 0, &op);
	return r ? r : open_fd(dfd, name, &op);
}

SYSCALL_DEFINE3(open, const char __user *, name, int, flags, umode_t, mode)
{
	return do_sys_open(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}

SYSCALL_DEFINE4(openat, int, dfd, const char __user *, name, int, flags, umode_t, mode)
{
	return do_sys_open(dfd, name, flags | O_LARGEFILE, mode);
}

SYSCALL_DEFINE2(creat, const char __user *, name, umode_t, mode)
{
	return do_sys_open(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode);
}

SYSCALL_DEFINE4(openat2, int, dfd, const char __user *, name, struct open_how __user *, how, size_t, size)
{
	struct open_how h;
	struct open_flags op;
	int r;

	if (size < sizeof(h))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(&h, how, sizeof(h)))
		return -EFAULT;
	for (size_t off = sizeof(h); off < size; off++) {
		char c;

		if (copy_from_user(&c, (const char __user *)how + off, 1))
			return -EFAULT;
		if (c)
			return -E2BIG;
	}
	if (h.flags >> 32)
		return -EINVAL;
	if (!(h.flags & O_PATH))
		h.flags |= O_LARGEFILE;
	r = build_open_flags(h.flags, h.mode, h.resolve, &op);
	return r ? r : open_fd(dfd, name, &op);
}
