/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX, OFD and flock locks (fs/locks.c, fs/locks_user.c). */
#ifndef HUSK_FILELOCK_H
#define HUSK_FILELOCK_H
#include <husk/fs.h>
#include <husk/wait.h>
#define FL_POSIX 1
#define FL_FLOCK 2
#define FL_OFDLCK 4
#define FL_SLEEP 8
/**
 * struct file_lock - a lock that is held, or a request for one
 * @fl_list: held: in the inode's context
 * @fl_blocked: held: the requests that wait for it; a request: its place there
 * @fl_blocker: a request: the lock that it waits for; NULL when it may try again
 * @fl_task: a request: who sleeps
 * @fl_link, @fl_blocker_owner: a POSIX request: by its owner in the table of who waits for whom; under that table's lock
 * @fl_owner: the files_struct (POSIX) or the file (OFD, flock)
 * @fl_end: inclusive
 *
 * What is not said otherwise is under flc_lock.
 */
struct file_lock {
	struct list_head fl_list;
	struct list_head fl_blocked;
	struct file_lock *fl_blocker;
	struct task_struct *fl_task;
	struct hlist_node fl_link;
	void *fl_blocker_owner;
	void *fl_owner;
	struct file *fl_file;
	pid_t fl_pid;
	unsigned char fl_type, fl_flags;
	loff_t fl_start, fl_end;
};
struct file_lock_context {
	spinlock_t flc_lock;
	struct list_head flc_posix, flc_flock;
	struct list_head flc_all;
	struct inode *flc_inode;
};
int posix_lock_file(struct file *f,
		    struct file_lock *fl); /* 0, -EAGAIN, -EDEADLK, -ENOLCK; sleeps with FL_SLEEP: -ERESTARTSYS */
int flock_lock_file(struct file *f, struct file_lock *fl);
/* posix_test_lock: what would be in fl's way is copied to fl, or its type becomes F_UNLCK */
void posix_test_lock(struct file *f, struct file_lock *fl);
struct flock;
int fcntl_getlk(struct file *f, unsigned cmd, struct flock __user *u);
int fcntl_setlk(unsigned fd, struct file *f, unsigned cmd, struct flock __user *u);
/* show_fd_locks: the "lock:" lines of /proc/PID/fdinfo/N */
void show_fd_locks(struct seq_file *m, struct file *f, struct files_struct *files);

/* between the two files */
struct file_lock_context *locks_get_context(const struct file *f, bool create);
void locks_for_each_context(void (*fn)(struct file_lock_context *c, void *data), void *data);
#endif
