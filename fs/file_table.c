// SPDX-License-Identifier: Apache-2.0
/* Open files: allocation, references and the last close. */
#include "internal.h"
#include "stable.h"
#include <husk/poll.h>
#include <husk/module.h>

static struct stable_pool file_pool = STABLE_POOL(struct file, f_ep);
atomic64_t nr_files_stat;

#define OPEN_FMODE(flags) (((flags) + 1) & O_ACCMODE)

/* alloc_empty_file: one reference, no path, no operations. file_free_empty() or fput() ends it.
 * ERR_PTR(-ENFILE). */
struct file *alloc_empty_file(int flags, const struct cred *c)
{
	struct file *f = stable_alloc(&file_pool);

	if (unlikely(!f))
		return ERR_PTR(-ENFILE);
	f->f_path = (struct path){NULL, NULL};
	f->f_inode = NULL;
	f->f_op = NULL;
	spin_lock_init(&f->f_lock);
	f->f_flags = flags;
	f->f_mode = OPEN_FMODE(flags);
	mutex_init(&f->f_pos_lock);
	f->f_pos = 0;
	memset(&f->f_owner, 0, sizeof(f->f_owner));
	f->f_cred = get_cred(c);
	memset(&f->f_ra, 0, sizeof(f->f_ra));
	f->f_mapping = NULL;
	INIT_LIST_HEAD(&f->f_ep);
	f->private_data = NULL;
	__atomic_store_n(&f->f_count.refs.counter, 1, __ATOMIC_RELEASE);
	atomic64_inc(&nr_files_stat);
	return f;
}

/* file_free_empty: the memory only; the count is 0 or nobody else has seen the file. */
void file_free_empty(struct file *f)
{
	put_cred(f->f_cred);
	refcount_set(&f->f_count, 0);
	stable_free(&file_pool, f);
	atomic64_dec(&nr_files_stat);
}

/* A file on path (whose references it takes over). */
static struct file *alloc_file(const struct path *p, int flags, const struct file_operations *fop)
{
	struct file *f = alloc_empty_file(flags, current_cred());

	if (IS_ERR(f))
		return f;
	f->f_path = *p;
	f->f_inode = d_inode(p->dentry);
	f->f_mapping = f->f_inode->i_mapping;
	f->f_op = fop;
	__module_get(fop->owner);
	if (fop->llseek && fop->llseek != no_llseek)
		f->f_mode |= FMODE_LSEEK;
	if ((f->f_mode & FMODE_READ) && (fop->read || fop->read_iter))
		f->f_mode |= FMODE_CAN_READ;
	if ((f->f_mode & FMODE_WRITE) && (fop->write || fop->write_iter))
		f->f_mode |= FMODE_CAN_WRITE;
	f->f_mode |= FMODE_OPENED;
	return f;
}

/**
 * alloc_file_pseudo - an open file without a place in any directory
 * @i: its reference is taken over on success
 * @name: what d_dname gets as d_name
 */
struct file *alloc_file_pseudo(struct inode *i, struct vfsmount *m, const char *name, int flags,
			       const struct file_operations *fop)
{
	struct qstr q = qstr_init(name, strlen(name));
	struct path p = {m, d_alloc_pseudo(m->mnt_sb, &q)};
	struct file *f;

	if (!p.dentry)
		return ERR_PTR(-ENOMEM);
	mntget(m);
	d_instantiate(p.dentry, i);
	f = alloc_file(&p, flags, fop);
	if (IS_ERR(f)) {
		ihold(i);
		path_put(&p);
	}
	return f;
}

/* alloc_file_clone: another open file on the same inode (the other end of a pipe). */
struct file *alloc_file_clone(struct file *base, int flags, const struct file_operations *fop)
{
	struct file *f;

	path_get(&base->f_path);
	f = alloc_file(&base->f_path, flags, fop);
	if (IS_ERR(f))
		path_put(&base->f_path);
	else
		f->f_mapping = base->f_mapping;
	return f;
}

static void drop_file_write(struct file *f)
{
	put_write_access(d_inode(f->f_path.dentry));
	mnt_drop_write(f->f_path.mnt);
}

static noinline void __fput(struct file *f)
{
	struct dentry *d = f->f_path.dentry;

	if (likely(f->f_mode & FMODE_OPENED)) {
		if (likely(!(f->f_mode & FMODE_PATH)))
			fsnotify_file(f, f->f_mode & FMODE_WRITE ? FS_CLOSE_WRITE : FS_CLOSE_NOWRITE);
		if (unlikely(!list_empty(&f->f_ep)))
			eventpoll_release(f);
		if (unlikely(d->d_inode->i_flctx))
			locks_remove_file(f);
		if (unlikely(f->f_flags & FASYNC) && f->f_op->fasync)
			f->f_op->fasync(-1, f, 0);
		if (f->f_op->release)
			f->f_op->release(f->f_inode, f);
		module_put(f->f_op->owner);
	}
	if (f->f_mode & FMODE_WRITER)
		drop_file_write(f);
	if (d) {
		dput(d);
		mntput(f->f_path.mnt);
	}
	file_free_empty(f);
}

void fput(struct file *f)
{
	if (refcount_dec_and_test(&f->f_count))
		__fput(f);
}

int filp_close(struct file *f, struct files_struct *files)
{
	int r = 0;

	if (likely(!(f->f_mode & FMODE_PATH))) {
		if (f->f_op->flush)
			r = f->f_op->flush(f);
		if (unlikely(d_inode(f->f_path.dentry)->i_flctx))
			locks_remove_posix(f, files);
	}
	fput(f);
	return r;
}
