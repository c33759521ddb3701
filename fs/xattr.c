// SPDX-License-Identifier: Apache-2.0
/* Extended attributes: the twelve system calls, and a store for file systems in memory. */
#include "internal.h"
#include <husk/xattr.h>
#include <linux/limits.h>

/* ---- permissions and dispatch ---- */
static bool has_prefix(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static int xattr_permission(struct inode *i, const char *name, int mask)
{
	if (mask & MAY_WRITE) {
		if (i->i_flags & (S_IMMUTABLE | S_APPEND))
			return -EPERM;
	}
	if (has_prefix(name, XATTR_SECURITY_PREFIX) || has_prefix(name, XATTR_SYSTEM_PREFIX))
		return 0;
	if (has_prefix(name, XATTR_TRUSTED_PREFIX)) {
		if (!capable(CAP_SYS_ADMIN))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		return 0;
	}
	if (has_prefix(name, XATTR_USER_PREFIX)) {
		if (!S_ISREG(i->i_mode) && !S_ISDIR(i->i_mode))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		if (S_ISDIR(i->i_mode) && (i->i_mode & S_ISVTX) && (mask & MAY_WRITE) && !inode_owner_or_capable(i))
			return -EPERM;
	}
	return inode_permission(i, mask);
}

/* The name has a namespace that there is, and something behind it. */
static int xattr_name_ok(const char *name)
{
	static const char *const prefix[] = {XATTR_USER_PREFIX, XATTR_TRUSTED_PREFIX, XATTR_SECURITY_PREFIX,
					     XATTR_SYSTEM_PREFIX};

	if (has_prefix(name, "system.posix_acl_")) /* there are no access lists: programs then use
						      the mode */
		return -EOPNOTSUPP;
	for (unsigned k = 0; k < ARRAY_SIZE(prefix); k++)
		if (has_prefix(name, prefix[k]))
			return name[strlen(prefix[k])] ? 0 : -EINVAL;
	return -EOPNOTSUPP;
}

ssize_t vfs_getxattr(struct dentry *d, const char *name, void *v, size_t n)
{
	struct inode *i = d->d_inode;
	int r = xattr_permission(i, name, MAY_READ);

	if (!r)
		r = xattr_name_ok(name);
	if (r)
		return r;
	return i->i_op->getxattr ? i->i_op->getxattr(d, i, name, v, n) : -EOPNOTSUPP;
}

static int set_locked(struct dentry *d, const char *name, const void *v, size_t n, int flags)
{
	struct inode *i = d->d_inode;
	int r;

	inode_lock(i);
	r = xattr_permission(i, name, MAY_WRITE);
	if (!r)
		r = xattr_name_ok(name);
	if (!r && has_prefix(name, XATTR_SECURITY_PREFIX) && !capable(CAP_SYS_ADMIN))
		r = strcmp(name, XATTR_NAME_CAPS) || !capable(CAP_SETFCAP) ? -EPERM : 0;
	if (!r)
		r = i->i_op->setxattr ? i->i_op->setxattr(d, i, name, v, n, flags) : -EOPNOTSUPP;
	if (!r)
		fsnotify_parent(d, FS_ATTRIB);
	inode_unlock(i);
	return r;
}

int vfs_setxattr(struct dentry *d, const char *name, const void *v, size_t n, int flags)
{
	return set_locked(d, name, v ? v : "", n, flags);
}

int vfs_removexattr(struct dentry *d, const char *name)
{
	return set_locked(d, name, NULL, 0, XATTR_REPLACE);
}

ssize_t vfs_listxattr(struct dentry *d, char *buf, size_t n)
{
	struct inode *i = d->d_inode;

	return i->i_op->listxattr ? i->i_op->listxattr(d, buf, n) : 0;
}

/* ---- system calls ---- */
static int copy_name(char *k, const char __user *u)
{
	long n = strncpy_from_user(k, u, XATTR_NAME_MAX + 1);

	if (n < 0)
		return n;
	return n == 0 || n > XATTR_NAME_MAX ? -ERANGE : 0;
}

static long do_set(const struct path *p, const char __user *uname, const void __user *v, size_t n, int flags)
{
	char name[XATTR_NAME_MAX + 1];
	void *k = NULL;
	int r;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	r = copy_name(name, uname);
	if (r)
		return r;
	if (n > XATTR_SIZE_MAX)
		return -E2BIG;
	if (n) {
		k = memdup_user(v, n);
		if (IS_ERR(k))
			return PTR_ERR(k);
	}
	r = mnt_want_write(p->mnt);
	if (!r) {
		r = vfs_setxattr(p->dentry, name, k, n, flags);
		mnt_drop_write(p->mnt);
	}
	kfree(k);
	return r;
}

static long do_get(const struct path *p, const char __user *uname, void __user *v, size_t n)
{
	char name[XATTR_NAME_MAX + 1];
	void *k = NULL;
	ssize_t r;

	r = copy_name(name, uname);
	if (r)
		return r;
	if (n > XATTR_SIZE_MAX)
		n = XATTR_SIZE_MAX;
	if (n) {
		k = kmalloc(n, GFP_KERNEL);
		if (!k)
			return -ENOMEM;
	}
	r = vfs_getxattr(p->dentry, name, k, n);
	if (r > 0 && n && copy_to_user(v, k, r))
		r = -EFAULT;
	else if (r == -ERANGE && n >= XATTR_SIZE_MAX)
		r = -E2BIG;
	kfree(k);
	return r;
}

static long do_list(const struct path *p, char __user *list, size_t n)
{
	char *k = NULL;
	ssize_t r;

	if (n > XATTR_LIST_MAX)
		n = XATTR_LIST_MAX;
	if (n) {
		k = kmalloc(n, GFP_KERNEL);
		if (!k)
			return -ENOMEM;
	}
	r = vfs_listxattr(p->dentry, k, n);
	if (r > 0 && n && copy_to_user(list, k, r))
		r = -EFAULT;
	else if (r == -ERANGE && n >= XATTR_LIST_MAX)
		r = -E2BIG;
	kfree(k);
	return r;
}

static long do_remove(const struct path *p, const char __user *uname)
{
	char name[XATTR_NAME_MAX + 1];
	int r = copy_name(name, uname);

	if (r)
		return r;
	r = mnt_want_write(p->mnt);
	if (!r) {
		r = vfs_removexattr(p->dentry, name);
		mnt_drop_write(p->mnt);
	}
	return r;
}

#define BY_NAME(lf, call)                                                                                              \
	({                                                                                                             \
		struct path p;                                                                                         \
		long _r = fname_path(AT_FDCWD, path, lf, &p);                                                          \
		if (!_r) {                                                                                             \
			_r = (call);                                                                                   \
			path_put(&p);                                                                                  \
		}                                                                                                      \
		_r;                                                                                                    \
	})
#define BY_FD(call)                                                                                                    \
	({                                                                                                             \
		struct fd f = fdget(fd);                                                                               \
		long _r = -EBADF;                                                                                      \
		if (f.file) {                                                                                          \
			struct path p = f.file->f_path;                                                                \
			_r = (call);                                                                                   \
			fdput(f);                                                                                      \
		}                                                                                                      \
		_r;                                                                                                    \
	})

SYSCALL_DEFINE5(setxattr, const char __user *, path, const char __user *, name, const void __user *, v, size_t, n, int,
		flags)
{
	return BY_NAME(LOOKUP_FOLLOW, do_set(&p, name, v, n, flags));
}
SYSCALL_DEFINE5(lsetxattr, const char __user *, path, const char __user *, name, const void __user *, v, size_t, n, int,
		flags)
{
	return BY_NAME(0, do_set(&p, name, v, n, flags));
}
SYSCALL_DEFINE5(fsetxattr, int, fd, const char __user *, name, const void __user *, v, size_t, n, int, flags)
{
	return BY_FD(do_set(&p, name, v, n, flags));
}
SYSCALL_DEFINE4(getxattr, const char __user *, path, const char __user *, name, void __user *, v, size_t, n)
{
	return BY_NAME(LOOKUP_FOLLOW, do_get(&p, name, v, n));
}
SYSCALL_DEFINE4(lgetxattr, const char __user *, path, const char __user *, name, void __user *, v, size_t, n)
{
	return BY_NAME(0, do_get(&p, name, v, n));
}
SYSCALL_DEFINE4(fgetxattr, int, fd, const char __user *, name, void __user *, v, size_t, n)
{
	return BY_FD(do_get(&p, name, v, n));
}
SYSCALL_DEFINE3(listxattr, const char __user *, path, char __user *, list, size_t, n)
{
	return BY_NAME(LOOKUP_FOLLOW, do_list(&p, list, n));
}
SYSCALL_DEFINE3(llistxattr, const char __user *, path, char __user *, list, size_t, n)
{
	return BY_NAME(0, do_list(&p, list, n));
}
SYSCALL_DEFINE3(flistxattr, int, fd, char __user *, list, size_t, n)
{
	return BY_FD(do_list(&p, list, n));
}
SYSCALL_DEFINE2(removexattr, const char __user *, path, const char __user *, name)
{
	return BY_NAME(LOOKUP_FOLLOW, do_remove(&p, name));
}
SYSCALL_DEFINE2(lremovexattr, const char __user *, path, const char __user *, name)
{
	return BY_NAME(0, do_remove(&p, name));
}
SYSCALL_DEFINE2(fremovexattr, int, fd, const char __user *, name)
{
	return BY_FD(do_remove(&p, name));
}

/* ---- attributes in memory ---- */
struct simple_xattr {
	struct simple_xattr *next;
	size_t size;
	char *name; /* behind the value */
	char value[];
};

static struct simple_xattr **find_xattr(struct simple_xattrs *x, const char *name)
{
	struct simple_xattr **p;

	for (p = &x->head; *p; p = &(*p)->next)
		if (!strcmp((*p)->name, name))
			break;
	return p;
}

ssize_t simple_xattr_get(struct simple_xattrs *x, const char *name, void *buf, size_t n)
{
	struct simple_xattr *a;
	ssize_t r = -ENODATA;

	if (!READ_ONCE(x->head))
		return r;
	spin_lock(&x->lock);
	a = *find_xattr(x, name);
	if (a) {
		r = a->size;
		if (n && n < a->size)
			r = -ERANGE;
		else if (n)
			memcpy(buf, a->value, a->size);
	}
	spin_unlock(&x->lock);
	return r;
}

int simple_xattr_set(struct simple_xattrs *x, const char *name, const void *v, size_t n, int flags)
{
	struct simple_xattr *new = NULL, *old, **p;
	int r = 0;

	if (v) {
		size_t len = strlen(name) + 1;

		new = kmalloc(sizeof(*new) + n + len, GFP_KERNEL);
		if (!new)
			return -ENOMEM;
		new->size = n;
		new->name = new->value + n;
		memcpy(new->value, v, n);
		memcpy(new->name, name, len);
	}
	spin_lock(&x->lock);
	p = find_xattr(x, name);
	old = *p;
	if (old && (flags & XATTR_CREATE))
		r = -EEXIST;
	else if (!old && (!v || (flags & XATTR_REPLACE)))
		r = -ENODATA;
	if (r) {
		old = new;
	} else if (new) {
		new->next = old ? old->next : NULL;
		*p = new;
	} else {
		*p = old->next;
	}
	spin_unlock(&x->lock);
	kfree(old);
	return r;
}

ssize_t simple_xattr_list(struct simple_xattrs *x, char *buf, size_t n)
{
	bool trusted = capable(CAP_SYS_ADMIN);
	struct simple_xattr *a;
	ssize_t done = 0;

	if (!READ_ONCE(x->head))
		return 0;
	spin_lock(&x->lock);
	for (a = x->head; a; a = a->next) {
		size_t len = strlen(a->name) + 1;

		if (!trusted && has_prefix(a->name, XATTR_TRUSTED_PREFIX))
			continue;
		if (n) {
			if (done + len > n) {
				done = -ERANGE;
				break;
			}
			memcpy(buf + done, a->name, len);
		}
		done += len;
	}
	spin_unlock(&x->lock);
	return done;
}

void simple_xattrs_free(struct simple_xattrs *x)
{
	struct simple_xattr *a, *next;

	for (a = x->head; a; a = next) {
		next = a->next;
		kfree(a);
	}
	x->head = NULL;
}
