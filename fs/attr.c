// SPDX-License-Identifier: Apache-2.0
/* Inode attributes: who may change them, times, set-id bits. */
#include "internal.h"

static void timestamp_truncate(struct timespec64 *t, const struct inode *i)
{
	unsigned gran = i->i_sb->s_time_gran;

	if (gran > 1)
		t->tv_nsec = gran >= NSEC_PER_SEC ? 0 : t->tv_nsec - t->tv_nsec % gran;
}

struct timespec64 current_time(struct inode *i)
{
	struct timespec64 t;

	ktime_get_coarse_real_ts64(&t);
	if (unlikely(i->i_sb->s_time_gran > 1))
		timestamp_truncate(&t, i);
	return t;
}

static inline int ts_cmp(const struct timespec64 *a, const struct timespec64 *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

/* The inode whose times count: a stacked file system's upper one, or none. */
static struct inode *atime_inode(const struct path *p)
{
	struct dentry *d = p->dentry;

	if (unlikely(d->d_op && d->d_op->d_real)) {
		struct dentry *real = d->d_op->d_real(d);

		return real && real != d ? real->d_inode : NULL;
	}
	return d->d_inode;
}

void touch_atime(const struct path *p)
{
	struct inode *i = atime_inode(p);
	struct timespec64 now;

	if (!i || (i->i_flags & S_NOATIME) || IS_RDONLY(i))
		return;
	if (p->mnt) {
		int fl = p->mnt->mnt_flags;

		if (fl & (MNT_NOATIME | MNT_READONLY | MNT_INTERNAL))
			return;
		if ((fl & MNT_NODIRATIME) && S_ISDIR(i->i_mode))
			return;
		if (fl & MNT_RELATIME) {
			if (ts_cmp(&i->i_mtime, &i->i_atime) >= 0 || ts_cmp(&i->i_ctime, &i->i_atime) >= 0)
				goto update;
			now = current_time(i);
			if (now.tv_sec - i->i_atime.tv_sec < 24 * 60 * 60)
				return;
		}
	}
update:
	now = current_time(i);
	if (ts_cmp(&now, &i->i_atime))
		i->i_atime = now;
}

void file_update_time(struct file *f)
{
	struct inode *i = file_inode(f);
	struct timespec64 now = current_time(i);

	if (ts_cmp(&now, &i->i_mtime))
		i->i_mtime = now;
	if (ts_cmp(&now, &i->i_ctime))
		i->i_ctime = now;
	i->i_version++;
}

void generic_fillattr(struct inode *i, struct kstat *st)
{
	st->dev = i->i_sb->s_dev;
	st->ino = i->i_ino;
	st->mode = i->i_mode;
	st->nlink = i->i_nlink;
	st->uid = i->i_uid;
	st->gid = i->i_gid;
	st->rdev = i->i_rdev;
	st->size = i_size_read(i);
	st->atime = i->i_atime;
	st->mtime = i->i_mtime;
	st->ctime = i->i_ctime;
	st->blksize = 1u << i->i_blkbits;
	st->blocks = i->i_blocks;
	st->result_mask |= STATX_BASIC_STATS;
	if (i->i_btime.tv_sec || i->i_btime.tv_nsec) {
		st->btime = i->i_btime;
		st->result_mask |= STATX_BTIME;
	}
	if (i->i_flags & S_APPEND)
		st->attributes |= STATX_ATTR_APPEND;
	if (i->i_flags & S_IMMUTABLE)
		st->attributes |= STATX_ATTR_IMMUTABLE;
	st->attributes_mask |= STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
}

/* ---- who may change what ---- */
static bool chown_ok(const struct inode *i, uid_t uid)
{
	return (current_fsuid() == i->i_uid && uid == i->i_uid) || capable(CAP_CHOWN);
}

static bool chgrp_ok(const struct inode *i, gid_t gid)
{
	return (current_fsuid() == i->i_uid && (in_group_p(gid) || gid == i->i_gid)) || capable(CAP_CHOWN);
}

int inode_newsize_ok(const struct inode *i, loff_t size)
{
	if (size < 0)
		return -EINVAL;
	if (size > i->i_size) {
		u64 limit = rlimit(RLIMIT_FSIZE);

		if (limit != RLIM_INFINITY && size > limit) {
			send_sig(SIGXFSZ, current, 0);
			return -EFBIG;
		}
		if (size > i->i_sb->s_maxbytes)
			return -EFBIG;
	}
	return 0;
}

int setattr_prepare(struct dentry *d, struct iattr *a)
{
	struct inode *i = d->d_inode;
	unsigned v = a->ia_valid;

	if (v & ATTR_SIZE) {
		int r = inode_newsize_ok(i, a->ia_size);

		if (r)
			return r;
	}
	if (v & ATTR_FORCE)
		return 0;
	if ((v & ATTR_UID) && !chown_ok(i, a->ia_uid))
		return -EPERM;
	if ((v & ATTR_GID) && !chgrp_ok(i, a->ia_gid))
		return -EPERM;
	if (v & ATTR_MODE) {
		gid_t gid = (v & ATTR_GID) ? a->ia_gid : i->i_gid;

		if (!inode_owner_or_capable(i))
			return -EPERM;
		if ((a->ia_mode & S_ISGID) && !in_group_p(gid) && !capable(CAP_FSETID))
			a->ia_mode &= ~S_ISGID;
	}
	if ((v & (ATTR_MTIME_SET | ATTR_ATIME_SET | ATTR_TIMES_SET)) && !inode_owner_or_capable(i))
		return -EPERM;
	return 0;
}

void setattr_copy(struct inode *i, const struct iattr *a)
{
	unsigned v = a->ia_valid;

	if (v & ATTR_UID)
		i->i_uid = a->ia_uid;
	if (v & ATTR_GID)
		i->i_gid = a->ia_gid;
	if (v & ATTR_ATIME) {
		i->i_atime = a->ia_atime;
		timestamp_truncate(&i->i_atime, i);
	}
	if (v & ATTR_MTIME) {
		i->i_mtime = a->ia_mtime;
		timestamp_truncate(&i->i_mtime, i);
	}
	if (v & ATTR_CTIME) {
		i->i_ctime = a->ia_ctime;
		timestamp_truncate(&i->i_ctime, i);
	}
	if (v & ATTR_MODE) {
		umode_t mode = a->ia_mode;

		if (!in_group_p(i->i_gid) && !capable(CAP_FSETID) && !(v & ATTR_FORCE))
			mode &= ~S_ISGID;
		WRITE_ONCE(i->i_mode, mode);
	}
}

static u32 attr_event(unsigned v)
{
	u32 mask = 0;

	if (v & (ATTR_UID | ATTR_GID | ATTR_MODE))
		mask |= FS_ATTRIB;
	if (v & ATTR_SIZE)
		mask |= FS_MODIFY;
	if ((v & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
		mask |= FS_ATTRIB;
	else if (v & ATTR_ATIME)
		mask |= FS_ACCESS;
	else if (v & ATTR_MTIME)
		mask |= FS_MODIFY;
	return mask;
}

static int may_setattr(struct inode *i, unsigned v)
{
	if ((v & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_TIMES_SET)) && (i->i_flags & (S_IMMUTABLE | S_APPEND)))
		return -EPERM;
	if (v & ATTR_TOUCH) {
		if (i->i_flags & S_IMMUTABLE)
			return -EPERM;
		if (!inode_owner_or_capable(i))
			return inode_permission(i, MAY_WRITE);
	}
	return 0;
}

/* Turn "drop the set-id bits" into a mode. */
static void kill_bits(struct inode *i, struct iattr *a)
{
	unsigned v = a->ia_valid;
	umode_t kill = 0;

	if (v & ATTR_KILL_SUID)
		kill |= i->i_mode & S_ISUID;
	if (v & ATTR_KILL_SGID)
		kill |= i->i_mode & S_ISGID;
	a->ia_valid &= ~(ATTR_KILL_SUID | ATTR_KILL_SGID);
	if (!kill || (v & ATTR_MODE))
		return;
	a->ia_valid |= ATTR_MODE;
	a->ia_mode = i->i_mode & ~kill;
}

int notify_change(struct dentry *d, struct iattr *a)
{
	struct inode *i = d->d_inode;
	struct timespec64 now;
	int r = may_setattr(i, a->ia_valid);

	if (r)
		return r;
	if ((a->ia_valid & ATTR_MODE) && S_ISLNK(i->i_mode))
		return -EOPNOTSUPP;
	now = current_time(i);
	a->ia_ctime = now;
	if (!(a->ia_valid & ATTR_ATIME_SET))
		a->ia_atime = now;
	if (!(a->ia_valid & ATTR_MTIME_SET))
		a->ia_mtime = now;
	if (a->ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID))
		kill_bits(i, a);
	if (!(a->ia_valid & ~(ATTR_FORCE | ATTR_FILE | ATTR_OPEN)))
		return 0;
	a->ia_valid |= ATTR_CTIME;
	r = i->i_op->setattr ? i->i_op->setattr(d, a) : simple_setattr(d, a);
	if (!r) {
		u32 ev = attr_event(a->ia_valid);

		if (ev)
			fsnotify_parent(d, ev);
	}
	return r;
}

/* should_remove_suid: ATTR_KILL_* for what a write by the current task must take away. */
unsigned should_remove_suid(const struct inode *i)
{
	unsigned kill = 0;

	if (likely(!(i->i_mode & (S_ISUID | S_ISGID))) || !S_ISREG(i->i_mode))
		return 0;
	if (i->i_mode & S_ISUID)
		kill |= ATTR_KILL_SUID;
	if ((i->i_mode & (S_ISGID | 010)) == (S_ISGID | 010))
		kill |= ATTR_KILL_SGID;
	return kill && !capable(CAP_FSETID) ? kill : 0;
}

int file_remove_privs(struct file *f)
{
	struct inode *i = file_inode(f), *top = d_inode(f->f_path.dentry);
	unsigned kill = should_remove_suid(i);
	umode_t drop = 0;

	if (likely(!kill))
		return 0;
	if (i == top) {
		struct iattr a = {.ia_valid = ATTR_FORCE | kill};

		return notify_change(f->f_path.dentry, &a);
	}
	/* a stacked file system's upper file, whose inode lock is held: the stack's own inode shows
	 * the same bits */
	if (kill & ATTR_KILL_SUID)
		drop |= S_ISUID;
	if (kill & ATTR_KILL_SGID)
		drop |= S_ISGID;
	WRITE_ONCE(i->i_mode, i->i_mode & ~drop);
	i->i_ctime = current_time(i);
	WRITE_ONCE(top->i_mode, i->i_mode);
	fsnotify_parent(f->f_path.dentry, FS_ATTRIB);
	return 0;
}
