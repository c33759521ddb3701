/* SPDX-License-Identifier: Apache-2.0 */
/* What kernel/ asks of fs/, which stands above it, for a task: its descriptors, its directories, descriptors that name processes. */
#ifndef HUSK_TASK_FS_H
#define HUSK_TASK_FS_H
#include <husk/types.h>
struct task_struct;
struct files_struct;
struct fs_struct;
struct file;
struct pid;

/**
 * struct task_fs_ops - fs/file.c, fs/fs_struct.c and fs/pidfd.c for fork, exit, unshare, waitid
 * @dup_files: a copy of a descriptor table; NULL or ERR_PTR with the reason in *err
 * @copy_fs: a copy of root, working directory and umask, or NULL
 * @exit_files: t lets go of its table
 * @exit_fs: t lets go of its directories
 * @unshare_files: current gets a table of its own; 0 or -errno
 * @unshare_fs: current gets directories of its own; 0 or -errno
 * @pidfd_prepare: reserves a descriptor and makes the file for it; the descriptor or -errno. Then one of the next two
 * @pidfd_install: the descriptor becomes usable
 * @pidfd_cancel: both go
 * @pidfd_pid: the process that a descriptor names: a reference, and the file's flags in *flags; ERR_PTR(-EBADF)
 * @procfd_pid: the same for an open directory /proc/PID
 */
struct task_fs_ops {
	struct files_struct *(*dup_files)(struct files_struct *old, int *err);
	struct fs_struct *(*copy_fs)(struct fs_struct *old);
	void (*exit_files)(struct task_struct *t);
	void (*exit_fs)(struct task_struct *t);
	int (*unshare_files)(void);
	int (*unshare_fs)(void);
	int (*pidfd_prepare)(struct pid *p, unsigned int flags, struct file **file);
	void (*pidfd_install)(unsigned int fd, struct file *file);
	void (*pidfd_cancel)(unsigned int fd, struct file *file);
	struct pid *(*pidfd_pid)(unsigned int fd, unsigned int *flags);
	struct pid *(*procfd_pid)(unsigned int fd);
};
extern const struct task_fs_ops *task_fs;     /* kernel/init_task.c; set before the first fork */
extern const struct task_fs_ops vfs_task_ops; /* fs/fs_struct.c */
#endif
