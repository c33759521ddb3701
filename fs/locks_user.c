// SPDX-License-Identifier: Apache-2.0
/* File locks as programs see them: fcntl(2), flock(2), release at close, /proc/locks. */
#include "internal.h"
#include <husk/filelock.h>
#include <husk/proc_fs.h>
#include <husk/init.h>

#ifndef LOCK_MAND
#define LOCK_MAND 32
#endif

/* ---- flock(2) ---- */
static int flock_type(unsigned cmd)
{
	switch (cmd & ~(unsigned)LOCK_NB) {
	case LOCK_SH:
		return F_RDLCK;
	case LOCK_EX:
		return F_WRLCK;
	case LOCK_UN:
		return F_UNLCK;
	}
	return -EINVAL;
}

SYSCALL_DEFINE2(flock, unsigned, fd, unsigned, cmd)
{
	struct file_lock l = {
		.fl_flags = FL_FLOCK | (cmd & LOCK_NB ? 0 : FL_SLEEP), .fl_pid = current->tgid, .fl_end = INT64_MAX};
	int type, r = -EBADF;
	struct fd f;

	if (cmd & LOCK_MAND)
		return 0; /* never did anything, and Linux goes on accepting it */
	type = flock_type(cmd);
	if (type < 0)
		return type;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	if (type != F_UNLCK && !(f.file->f_mode & (FMODE_READ | FMODE_WRITE)))
		goto out;
	l.fl_type = type;
	l.fl_owner = l.fl_file = f.file;
	if (f.file->f_op->flock)
		r = f.file->f_op->flock(f.file, cmd & LOCK_NB ? F_SETLK : F_SETLKW, &l);
	else
		r = flock_lock_file(f.file, &l);
out:
	fdput(f);
	return r;
}

/* ---- fcntl(2) ---- */
static int flock_range(struct file *f, struct file_lock *l, const struct flock *u)
{
	loff_t base = 0;

	switch (u->l_whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = f->f_pos;
		break;
	case SEEK_END:
		base = i_size_read(file_inode(f));
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, (loff_t)u->l_start, &base))
		return -EOVERFLOW;
	if (base < 0)
		return -EINVAL;
	l->fl_start = base;
	l->fl_end = INT64_MAX;
	if (u->l_len > 0) {
		if (__builtin_add_overflow(base, (loff_t)u->l_len - 1, &l->fl_end))
			return -EOVERFLOW;
	} else if (u->l_len < 0) { /* the range ends just before base */
		l->fl_end = base - 1;
		l->fl_start = base + u->l_len;
		if (l->fl_start < 0)
			return -EINVAL;
	}
	return 0;
}

/* A lock or request from the user's description. */
static int flock_to_lock(struct file *f, struct file_lock *l, const struct flock *u, bool ofd)
{
	int r = flock_range(f, l, u);

	if (r)
		return r;
	if (u->l_type != F_RDLCK && u->l_type != F_WRLCK && u->l_type != F_UNLCK)
		return -EINVAL;
	if (ofd && u->l_pid)
		return -EINVAL;
	l->fl_type = u->l_type;
	l->fl_file = f;
	l->fl_flags = FL_POSIX | (ofd ? FL_OFDLCK : 0);
	l->fl_owner = ofd ? (void *)f : (void *)current->files;
	l->fl_pid = ofd ? -1 : current->tgid;
	return 0;
}

/* fcntl_getlk: F_GETLK, F_OFD_GETLK */
int fcntl_getlk(struct file *f, unsigned cmd, struct flock __user *u)
{
	struct file_lock l = {};
	struct flock k;
	int r = 0;

	if (copy_from_user(&k, u, sizeof(k)))
		return -EFAULT;
	if (k.l_type != F_RDLCK && k.l_type != F_WRLCK && !(cmd == F_OFD_GETLK && k.l_type == F_UNLCK))
		return -EINVAL;
	r = flock_to_lock(f, &l, &k, cmd == F_OFD_GETLK);
	if (r)
		return r;
	if (f->f_op->lock)
		r = f->f_op->lock(f, F_GETLK, &l);
	else
		posix_test_lock(f, &l);
	if (r)
		return r;
	k.l_type = l.fl_type;
	if (l.fl_type != F_UNLCK) {
		k.l_whence = SEEK_SET;
		k.l_start = l.fl_start;
		k.l_len = l.fl_end == INT64_MAX ? 0 : l.fl_end - l.fl_start + 1;
		k.l_pid = l.fl_pid;
	}
	return copy_to_user(u, &k, sizeof(k)) ? -EFAULT : 0;
}

static int set_lock(struct file *f, struct file_lock *l)
{
	if (unlikely(f->f_op->lock))
		return f->f_op->lock(f, l->fl_flags & FL_SLEEP ? F_SETLKW : F_SETLK, l);
	return posix_lock_file(f, l);
}

/*
 * Another thread may have closed the descriptor, and with it given up the process's locks, before
 * this one was there: nobody would ever take it away.
 */
static int closed_meanwhile(unsigned fd, struct file *f, struct file_lock *l)
{
	struct file *now;

	if (refcount_read(&current->files->count) == 1)
		return 0;
	now = fget(fd);
	if (now)
		fput(now); /* f itself has the caller's reference */
	if (now == f)
		return 0;
	l->fl_type = F_UNLCK;
	l->fl_flags &= ~FL_SLEEP;
	set_lock(f, l);
	return -EBADF;
}

/* fcntl_setlk: F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW on descriptor fd, which is f */
int fcntl_setlk(unsigned fd, struct file *f, unsigned cmd, struct flock __user *u)
{
	bool ofd = cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	struct file_lock l = {};
	struct flock k;
	int r;

	if (copy_from_user(&k, u, sizeof(k)))
		return -EFAULT;
	r = flock_to_lock(f, &l, &k, ofd);
	if (r)
		return r;
	if ((l.fl_type == F_RDLCK && !(f->f_mode & FMODE_READ)) || (l.fl_type == F_WRLCK && !(f->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (cmd == F_SETLKW || cmd == F_OFD_SETLKW)
		l.fl_flags |= FL_SLEEP;
	r = set_lock(f, &l);
	if (!r && k.l_type != F_UNLCK && !ofd)
		r = closed_meanwhile(fd, f, &l);
	return r;
}

/* ---- closing ---- */
/* locks_remove_posix: a process closes a descriptor of the file: all that it has locked there is
 * free. */
void locks_remove_posix(struct file *f, struct files_struct *owner)
{
	struct file_lock_context *c = locks_get_context(f, false);
	struct file_lock l = {.fl_flags = FL_POSIX,
			      .fl_type = F_UNLCK,
			      .fl_owner = owner,
			      .fl_end = INT64_MAX,
			      .fl_file = f,
			      .fl_pid = current->tgid};

	if (c && !list_empty(&c->flc_posix))
		set_lock(f, &l);
}

/* locks_remove_file: the last reference to an open file goes, and with it its OFD and flock locks.
 */
void locks_remove_file(struct file *f)
{
	struct file_lock_context *c = locks_get_context(f, false);
	struct file_lock l = {.fl_flags = FL_POSIX | FL_OFDLCK,
			      .fl_type = F_UNLCK,
			      .fl_owner = f,
			      .fl_end = INT64_MAX,
			      .fl_file = f,
			      .fl_pid = -1};

	if (!c)
		return;
	if (!list_empty(&c->flc_posix))
		set_lock(f, &l);
	if (list_empty(&c->flc_flock))
		return;
	l.fl_flags = FL_FLOCK;
	if (f->f_op->flock)
		f->f_op->flock(f, F_SETLKW, &l);
	else
		flock_lock_file(f, &l);
}

/* ---- /proc ---- */
static void show_lock(struct seq_file *m, const struct inode *i, const struct file_lock *l, int n, bool waits)
{
	const char *kind = l->fl_flags & FL_FLOCK ? "FLOCK " : l->fl_flags & FL_OFDLCK ? "OFDLCK" : "POSIX ";

	seq_printf(m, "%d: %s%s ADVISORY  %s %d %02x:%02x:%llu %lld ", n, waits ? "-> " : "", kind,
		   l->fl_type == F_WRLCK ? "WRITE" : "READ", l->fl_pid, MAJOR(i->i_sb->s_dev), MINOR(i->i_sb->s_dev),
		   (unsigned long long)i->i_ino, (long long)l->fl_start);
	if (l->fl_end == INT64_MAX)
		seq_puts(m, "EOF\n");
	else
		seq_printf(m, "%lld\n", (long long)l->fl_end);
}

struct show_state {
	struct seq_file *m;
	int n;
};

static void show_list(struct show_state *s, const struct inode *i, struct list_head *locks)
{
	struct file_lock *l, *r;

	list_for_each_entry (l, locks, fl_list) {
		show_lock(s->m, i, l, ++s->n, false);
		list_for_each_entry (r, &l->fl_blocked, fl_blocked)
			show_lock(s->m, i, r, s->n, true);
	}
}

static void show_context(struct file_lock_context *c, void *data)
{
	show_list(data, c->flc_inode, &c->flc_flock);
	show_list(data, c->flc_inode, &c->flc_posix);
}

static int locks_show(struct seq_file *m, void *v)
{
	struct show_state s = {.m = m};

	locks_for_each_context(show_context, &s);
	return 0;
}

static int show_file_list(struct seq_file *m, struct file *f, struct files_struct *files, struct list_head *locks,
			  int n)
{
	struct file_lock *l;

	list_for_each_entry (l, locks, fl_list) {
		if (l->fl_file != f || (l->fl_owner != files && l->fl_owner != f))
			continue;
		seq_puts(m, "lock:\t");
		show_lock(m, d_inode(f->f_path.dentry), l, ++n, false);
	}
	return n;
}

/* show_fd_locks: those set through f by the process that files belongs to */
void show_fd_locks(struct seq_file *m, struct file *f, struct files_struct *files)
{
	struct file_lock_context *c = f->f_path.dentry ? locks_get_context(f, false) : NULL;
	int n;

	if (!c)
		return;
	spin_lock(&c->flc_lock);
	n = show_file_list(m, f, files, &c->flc_flock, 0);
	show_file_list(m, f, files, &c->flc_posix, n);
	spin_unlock(&c->flc_lock);
}

PROC_SINGLE("locks", 0444, locks_show);
