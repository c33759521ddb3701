// SPDX-License-Identifier: Apache-2.0
/* utimensat(2), futimesat(2), utimes(2), utime(2). */
#include "internal.h"
#include <linux/utime.h>

#define UTIME_NOW ((1L << 30) - 1)
#define UTIME_OMIT ((1L << 30) - 2)

static bool nsec_ok(long n)
{
	return n == UTIME_OMIT || n == UTIME_NOW || (n >= 0 && n < NSEC_PER_SEC);
}

static int set_times(const struct path *p, const struct timespec64 *t)
{
	struct iattr a = {.ia_valid = ATTR_CTIME | ATTR_MTIME | ATTR_ATIME};
	struct inode *i = p->dentry->d_inode;
	int r;

	if (t && (!nsec_ok(t[0].tv_nsec) || !nsec_ok(t[1].tv_nsec)))
		return -EINVAL;
	if (t && t[0].tv_nsec == UTIME_NOW && t[1].tv_nsec == UTIME_NOW)
		t = NULL;
	if (t) {
		if (t[0].tv_nsec == UTIME_OMIT) {
			a.ia_valid &= ~ATTR_ATIME;
		} else if (t[0].tv_nsec != UTIME_NOW) {
			a.ia_atime = t[0];
			a.ia_valid |= ATTR_ATIME_SET;
		}
		if (t[1].tv_nsec == UTIME_OMIT) {
			a.ia_valid &= ~ATTR_MTIME;
		} else if (t[1].tv_nsec != UTIME_NOW) {
			a.ia_mtime = t[1];
			a.ia_valid |= ATTR_MTIME_SET;
		}
		a.ia_valid |= ATTR_TIMES_SET;
	} else {
		a.ia_valid |= ATTR_TOUCH;
	}
	r = mnt_want_write(p->mnt);
	if (r)
		return r;
	inode_lock(i);
	r = notify_change(p->dentry, &a);
	inode_unlock(i);
	mnt_drop_write(p->mnt);
	return r;
}

static long do_utimes(int dfd, const char __user *name, const struct timespec64 *t, int flags)
{
	unsigned lf = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	int r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!name && dfd != AT_FDCWD) {
		struct fd f;

		if (flags)
			return -EINVAL;
		f = fdget(dfd);
		if (!f.file)
			return -EBADF;
		r = set_times(&f.file->f_path, t);
		fdput(f);
		return r;
	}
	if (flags & AT_EMPTY_PATH)
		lf |= LOOKUP_EMPTY;
	r = fname_path(dfd, name, lf, &p);
	if (!r) {
		r = set_times(&p, t);
		path_put(&p);
	}
	return r;
}

SYSCALL_DEFINE4(utimensat, int, dfd, const char __user *, name, const void __user *, u, int, flags)
{
	struct timespec64 t[2];

	if (u) {
		if (get_timespec64(&t[0], u) || get_timespec64(&t[1], (const char *)u + 16))
			return -EFAULT;
		if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
			return 0;
	}
	return do_utimes(dfd, name, u ? t : NULL, flags);
}

static long do_futimesat(int dfd, const char __user *name, const void __user *u)
{
	struct {
		long sec, usec;
	} v[2];
	struct timespec64 t[2];

	if (u) {
		if (copy_from_user(v, u, sizeof(v)))
			return -EFAULT;
		for (int k = 0; k < 2; k++) {
			if (v[k].usec < 0 || v[k].usec >= USEC_PER_SEC)
				return -EINVAL;
			t[k] = (struct timespec64){v[k].sec, v[k].usec * 1000};
		}
	}
	return do_utimes(dfd, name, u ? t : NULL, 0);
}

SYSCALL_DEFINE3(futimesat, int, dfd, const char __user *, name, const void __user *, u)
{
	return do_futimesat(dfd, name, u);
}

SYSCALL_DEFINE2(utimes, const char __user *, name, const void __user *, u)
{
	return do_futimesat(AT_FDCWD, name, u);
}

SYSCALL_DEFINE2(utime, const char __user *, name, const struct utimbuf __user *, u)
{
	struct timespec64 t[2] = {};
	struct utimbuf b;

	if (u) {
		if (copy_from_user(&b, u, sizeof(b)))
			return -EFAULT;
		t[0].tv_sec = b.actime;
		t[1].tv_sec = b.modtime;
	}
	return do_utimes(AT_FDCWD, name, u ? t : NULL, 0);
}
