// SPDX-License-Identifier: Apache-2.0
/* ioctl(2): what every file understands; the rest goes to the file's own operation. */
#include "internal.h"
#include <linux/fs.h>
#include <asm/ioctls.h>

static int set_nonblock(struct file *f, const int __user *u, bool async, unsigned fd)
{
	unsigned bit = async ? FASYNC : O_NONBLOCK;
	int on, r = 0;

	if (copy_from_user(&on, u, sizeof(on)))
		return -EFAULT;
	if (async && ((on != 0) != ((f->f_flags & FASYNC) != 0))) {
		if (!f->f_op->fasync)
			return -ENOTTY;
		r = f->f_op->fasync(fd, f, on);
		if (r < 0)
			return r;
	}
	spin_lock(&f->f_lock);
	if (on)
		f->f_flags |= bit;
	else
		f->f_flags &= ~bit;
	spin_unlock(&f->f_lock);
	return 0;
}

static long get_flags(struct file *f, u32 *flags)
{
	struct inode *i = file_inode(f);
	struct dentry *d = f->f_path.dentry;

	if (!d_inode(d)->i_op->fileattr && !i->i_op->fileattr)
		return -ENOTTY;
	return d_inode(d)->i_op->fileattr ? d_inode(d)->i_op->fileattr(d, flags, false) : -ENOTTY;
}

static long set_flags(struct file *f, u32 flags)
{
	struct dentry *d = f->f_path.dentry;
	struct inode *i = d_inode(d);
	u32 old = 0;
	long r = get_flags(f, &old);

	if (r)
		return r;
	r = mnt_want_write(f->f_path.mnt);
	if (r)
		return r;
	inode_lock(i);
	if (!inode_owner_or_capable(i))
		r = -EPERM;
	else if (((old ^ flags) & (FS_APPEND_FL | FS_IMMUTABLE_FL)) && !capable(CAP_LINUX_IMMUTABLE))
		r = -EPERM;
	else
		r = i->i_op->fileattr(d, &flags, true);
	inode_unlock(i);
	mnt_drop_write(f->f_path.mnt);
	return r;
}

static long fsxattr(struct file *f, unsigned cmd, void __user *arg)
{
	static const struct {
		u32 fl, x;
	} map[] = {
		{FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE}, {FS_APPEND_FL, FS_XFLAG_APPEND}, {FS_SYNC_FL, FS_XFLAG_SYNC},
		{FS_NOATIME_FL, FS_XFLAG_NOATIME},     {FS_NODUMP_FL, FS_XFLAG_NODUMP},
	};
	struct fsxattr x;
	u32 flags = 0;
	long r;

	if (cmd == FS_IOC_FSSETXATTR) {
		if (copy_from_user(&x, arg, sizeof(x)))
			return -EFAULT;
		for (unsigned k = 0; k < ARRAY_SIZE(map); k++) {
			if (x.fsx_xflags & map[k].x)
				flags |= map[k].fl;
			x.fsx_xflags &= ~map[k].x;
		}
		if (x.fsx_xflags || x.fsx_projid || x.fsx_extsize || x.fsx_cowextsize)
			return -EOPNOTSUPP;
		return set_flags(f, flags);
	}
	r = get_flags(f, &flags);
	if (r)
		return r;
	memset(&x, 0, sizeof(x));
	for (unsigned k = 0; k < ARRAY_SIZE(map); k++)
		if (flags & map[k].fl)
			x.fsx_xflags |= map[k].x;
	return copy_to_user(arg, &x, sizeof(x)) ? -EFAULT : 0;
}

static long regular_ioctl(struct file *f, unsigned cmd, void __user *arg)
{
	struct inode *i = f->f_mapping->host;
	loff_t left;
	int n;

	if (cmd != FIONREAD)
		return -ENOIOCTLCMD;
	left = i_size_read(i) - f->f_pos;
	n = left > INT32_MAX ? INT32_MAX : (int)left;
	return copy_to_user(arg, &n, sizeof(n)) ? -EFAULT : 0;
}

static long do_ioctl(unsigned fd, struct file *f, unsigned cmd, unsigned long a)
{
	struct inode *i = d_inode(f->f_path.dentry);
	void __user *arg = (void __user *)a;
	u32 flags = 0;
	loff_t size;
	int bs;
	long r;

	switch (cmd) {
	case FIOCLEX:
		set_close_on_exec(fd, true);
		return 0;
	case FIONCLEX:
		set_close_on_exec(fd, false);
		return 0;
	case FIONBIO:
		return set_nonblock(f, arg, false, fd);
	case FIOASYNC:
		return set_nonblock(f, arg, true, fd);
	case FIOQSIZE:
		if (!S_ISREG(i->i_mode) && !S_ISDIR(i->i_mode) && !S_ISLNK(i->i_mode))
			return -ENOTTY;
		size = S_ISREG(i->i_mode) ? i_size_read(f->f_mapping->host) : i->i_size;
		return copy_to_user(arg, &size, sizeof(size)) ? -EFAULT : 0;
	case FIGETBSZ:
		bs = i->i_sb->s_blocksize;
		return copy_to_user(arg, &bs, sizeof(bs)) ? -EFAULT : 0;
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
		return -EOPNOTSUPP;
	case FS_IOC_GETFLAGS:
		r = get_flags(f, &flags);
		if (r == -ENOTTY)
			break;
		return r ? r : copy_to_user(arg, &flags, sizeof(int)) ? -EFAULT : 0;
	case FS_IOC_SETFLAGS:
		if (copy_from_user(&flags, arg, sizeof(int)))
			return -EFAULT;
		r = set_flags(f, flags);
		if (r == -ENOTTY)
			break;
		return r;
	case FS_IOC_FSGETXATTR:
	case FS_IOC_FSSETXATTR:
		r = fsxattr(f, cmd, arg);
		if (r == -ENOTTY)
			break;
		return r;
	}
	r = -ENOIOCTLCMD;
	if (S_ISREG(i->i_mode))
		r = regular_ioctl(f, cmd, arg);
	if (r == -ENOIOCTLCMD && f->f_op->unlocked_ioctl)
		r = f->f_op->unlocked_ioctl(f, cmd, a);
	return r == -ENOIOCTLCMD ? -ENOTTY : r;
}

SYSCALL_DEFINE3(ioctl, unsigned, fd, unsigned, cmd, unsigned long, arg)
{
	struct fd f = fdget(fd);
	long r;

	if (!f.file)
		return -EBADF;
	r = do_ioctl(fd, f.file, cmd, arg);
	fdput(f);
	return r;
}
