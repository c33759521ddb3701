/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of fs/proc share. */
#ifndef PROC_INTERNAL_H
#define PROC_INTERNAL_H

#include <husk/proc_fs.h>
#include <husk/pid.h>

#define PROC_SUPER_MAGIC 0x9fa0
#define PROC_ROOT_INO 1

/*
 * An entry that does not belong to a task; children are in the order of their making. Only what a module made (owner) can be
 * removed; its count is 1 for the tree and 1 for each inode. What is removed is not found any more, and no longer opened.
 */
struct proc_dir_entry {
	const char *name;
	unsigned int namelen, nchildren, nsubdirs;
	umode_t mode;
	u64 ino;
	struct proc_dir_entry *parent;
	struct list_head children, sibling;
	const struct file_operations *fop;
	const struct inode_operations *iop; /* of a file; NULL: the plain ones */
	int (*show)(struct seq_file *, void *);
	int (*store)(char *buf, void *data);
	void *data;
	char *link;
	bool self_link; /* a link whose body depends on who asks */
	bool removed;	/* under proc_tree_lock */
	atomic_t count;
	struct module *owner;
};
extern struct proc_dir_entry proc_root;
extern struct rw_semaphore proc_tree_lock;
void pde_put(struct proc_dir_entry *de);
struct proc_dir_entry *proc_tree_add(const char *path, struct proc_dir_entry *parent, struct proc_dir_entry *template);
struct dentry *pde_lookup(struct inode *dir, struct dentry *d, unsigned flags);
int pde_readdir(struct file *f, struct dir_context *ctx);
int pde_setattr(struct dentry *d, struct iattr *a);
int pde_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
struct inode *pde_inode(struct super_block *sb, struct proc_dir_entry *de);
extern const struct inode_operations proc_root_iops, proc_self_iops;
extern const struct file_operations proc_root_fops;

struct pid_entry;
struct proc_inode {
	struct inode vfs_inode;
	struct pid *pid; /* a reference; NULL: not of a task */
	const struct pid_entry *entry;
	struct proc_dir_entry *pde;
	unsigned int fd;
};
static inline struct proc_inode *PROC_I(const struct inode *i)
{
	return container_of(i, struct proc_inode, vfs_inode);
}

/* One name below /proc/PID or /proc/PID/task/TID. */
struct pid_entry {
	const char *name;
	umode_t mode;
	int (*show)(struct seq_file *m, struct task_struct *t);
	const struct inode_operations *iop;
	const struct file_operations *fop;
	int (*link)(struct task_struct *t, unsigned arg, struct path *p); /* a jumping link: a reference in *p */
	const struct pid_entry *sub;					  /* a plain directory: its table */
	unsigned int arg; /* of link; of show: 1: only for those who may trace the task */
};
extern const struct pid_entry tgid_entries[], tid_entries[];
struct pid *proc_pid_of_dir(struct file *f); /* of an open /proc/PID; NULL */
extern const struct inode_operations pid_dir_iops, pid_task_dir_iops, pid_fd_iops, pid_fdinfo_iops, pid_link_iops;
extern const struct file_operations pid_dir_fops, pid_task_dir_fops, pid_fd_fops, pid_fdinfo_fops, pid_one_fops,
	pid_mounts_fops;
extern const struct inode_operations pid_file_iops, pid_net_iops;

#define PID_INO(nr, n) (((u64)(nr) << 32) + 0x10000 + (n))
#define PID_FD_INO(nr, fd) (((u64)(nr) << 32) + 0x80000000 + (fd))
#define PID_FDINFO_INO(nr, fd) (((u64)(nr) << 32) + 0xc0000000 + (fd))

struct inode *proc_pid_inode(struct super_block *sb, struct pid *pid, const struct pid_entry *e, umode_t mode, u64 ino);
static inline struct task_struct *get_proc_task(const struct inode *i)
{
	return get_pid_task(PROC_I(i)->pid);
}
struct dentry *proc_pid_lookup(struct dentry *d); /* in the root; ERR_PTR(-ENOENT) */
void proc_task_owner(struct task_struct *t, umode_t mode, uid_t *uid, gid_t *gid);
bool name_to_number(const char *name, unsigned len, unsigned *n); /* a plain decimal number */

/* access checks as of ptrace */
bool proc_may_access(struct task_struct *t, bool real_ids);

/* contents */
int proc_tgid_stat(struct seq_file *m, struct task_struct *t);
int proc_tid_stat(struct seq_file *m, struct task_struct *t);
int proc_pid_status(struct seq_file *m, struct task_struct *t);
int proc_pid_statm(struct seq_file *m, struct task_struct *t);
int proc_pid_limits(struct seq_file *m, struct task_struct *t);
int proc_tgid_io(struct seq_file *m, struct task_struct *t);
int proc_tid_io(struct seq_file *m, struct task_struct *t);
int proc_pid_children(struct seq_file *m, struct task_struct *t);
int proc_pid_wchan(struct seq_file *m, struct task_struct *t);
int proc_pid_syscall(struct seq_file *m, struct task_struct *t);
int proc_pid_sched(struct seq_file *m, struct task_struct *t);
int proc_pid_schedstat(struct seq_file *m, struct task_struct *t);
int proc_pid_oom_score(struct seq_file *m, struct task_struct *t);
int proc_pid_personality(struct seq_file *m, struct task_struct *t);
int proc_pid_cgroup(struct seq_file *m, struct task_struct *t);
int proc_pid_cpuset(struct seq_file *m, struct task_struct *t);
extern const struct file_operations pid_maps_fops, pid_smaps_fops, pid_smaps_rollup_fops;
extern const struct file_operations pid_cmdline_fops, pid_environ_fops, pid_comm_fops, pid_mem_fops, pid_auxv_fops;
extern const struct file_operations pid_core_filter_fops, pid_oom_score_adj_fops, pid_oom_adj_fops, pid_loginuid_fops,
	pid_sessionid_fops;
extern const struct file_operations pid_timerslack_fops, pid_clear_refs_fops;
extern const struct file_operations pid_setgroups_fops, pid_uid_map_fops;
extern const struct inode_operations pid_ns_iops;
int proc_exe_link(struct task_struct *t, unsigned arg, struct path *p);
int proc_cwd_link(struct task_struct *t, unsigned arg, struct path *p);
int proc_root_link(struct task_struct *t, unsigned arg, struct path *p);
int proc_ns_link(struct task_struct *t, unsigned arg, struct path *p);
extern const struct pid_entry ns_entries[];

#endif
