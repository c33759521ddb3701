/* SPDX-License-Identifier: Apache-2.0 */
/* struct fd: a borrowed use of a descriptor's file for the length of one system call, without atomics where it can be. */
#ifndef HUSK_FILE_H
#define HUSK_FILE_H
#include <husk/fs.h>

#define FDPUT_FPUT 1
#define FDPUT_POS_UNLOCK 2
struct fd {
	struct file *file;
	unsigned flags;
};

/*
 * While a files_struct has one user, nobody but that task can close its descriptors, so the table's own reference
 * covers the call.
 */
static inline struct fd __fdget(unsigned fd, unsigned mask)
{
	struct files_struct *files = current->files;
	struct file *f;

	if (likely(refcount_read(&files->count) == 1)) {
		f = fd < files->max_fds ? files->fd[fd] : NULL;
		if (f && (f->f_mode & mask))
			f = NULL;
		return (struct fd){f, 0};
	}
	f = mask ? fget(fd) : fget_raw(fd);
	return (struct fd){f, f ? FDPUT_FPUT : 0};
}
static inline struct fd fdget(unsigned fd)
{
	return __fdget(fd, FMODE_PATH);
}
static inline struct fd fdget_raw(unsigned fd)
{
	return __fdget(fd, 0);
}
static inline struct fd fdget_pos(unsigned fd) /* and locks f_pos where it is shared */
{
	struct fd f = fdget(fd);

	if (f.file && (f.file->f_mode & FMODE_ATOMIC_POS) && refcount_read(&f.file->f_count) > 1) {
		f.flags |= FDPUT_POS_UNLOCK;
		mutex_lock(&f.file->f_pos_lock);
	}
	return f;
}
static inline void fdput(struct fd f)
{
	if (f.flags & FDPUT_FPUT)
		fput(f.file);
}
static inline void fdput_pos(struct fd f)
{
	if (f.flags & FDPUT_POS_UNLOCK)
		mutex_unlock(&f.file->f_pos_lock);
	fdput(f);
}
#endif
