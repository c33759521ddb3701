/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX, OFD and flock locks (fs/locks.c). */
#ifndef HUSK_FILELOCK_H
#define HUSK_FILELOCK_H
#include <husk/fs.h>
#include <husk/wait.h>
#define FL_POSIX 1
#define FL_FLOCK 2
#define FL_OFDLCK 4
#define FL_SLEEP 8
/* fl_owner: the files_struct (POSIX) or the file (OFD, flock). fl_end is inclusive. */
struct file_lock {
	struct list_head fl_list;	/* in the inode's context; under its lock */
	struct list_head fl_blocked;	/* waiting list of the context */
	struct file_lock *fl_blocker_owner;
	void *fl_owner;
	struct file *fl_file;
	pid_t fl_pid;
	unsigned char fl_type, fl_flags;
	loff_t fl_start, fl_end;
};
struct file_lock_context { spinlock_t flc_lock; struct list_head flc_posix, flc_flock; wait_queue_head_t flc_wait; struct list_head flc_all; struct inode *flc_inode; };
int posix_lock_file(struct file *f, struct file_lock *fl);	/* 0, -EAGAIN, -EDEADLK, -ENOLCK; sleeps with FL_SLEEP */
int flock_lock_file(struct file *f, struct file_lock *fl);
struct flock;
int fcntl_getlk(struct file *f, unsigned cmd, struct flock __user *u);
int fcntl_setlk(unsigned fd, struct file *f, unsigned cmd, struct flock __user *u);
#endif
