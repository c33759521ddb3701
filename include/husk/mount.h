/* SPDX-License-Identifier: Apache-2.0 */
/* The mount tree behind struct vfsmount (fs/namespace.c). */
#ifndef HUSK_MOUNT_H
#define HUSK_MOUNT_H
#include <husk/fs.h>

/* Linked into the tree under namespace_sem and mount_lock; memory is never reused for another type. */
struct mount {
	struct vfsmount mnt;
	struct hlist_node mnt_hash;    /* (parent, mountpoint) */
	struct mount *mnt_parent;      /* itself at the root or when detached; a reference otherwise */
	struct dentry *mnt_mountpoint; /* a reference unless detached */
	atomic_t mnt_count;
	atomic_t mnt_writers;
	struct list_head mnt_mounts, mnt_child; /* children; place in the parent's list */
	struct list_head mnt_list;		/* all mounts in the tree, in the order of mounting */
	char *mnt_devname;
	int mnt_id;
	unsigned mnt_propagation; /* MS_SHARED, MS_SLAVE, MS_UNBINDABLE or 0 (private) */
	int mnt_group_id;
	bool mnt_detached; /* not in the tree */
	bool mnt_expiry_mark;
};
static inline struct mount *real_mount(const struct vfsmount *m)
{
	return container_of(m, struct mount, mnt);
}

extern unsigned mount_seq; /* odd while the tree changes; the lock-free path walk compares it */
/* lookup_mnt: what is mounted on p, with a reference; NULL. __lookup_mnt: without lock or reference, to be checked by mount_seq */
struct vfsmount *lookup_mnt(const struct path *p);
struct mount *__lookup_mnt(const struct vfsmount *m, const struct dentry *d);
bool legitimize_mnt(struct vfsmount *m, unsigned seq); /* takes a reference if the tree has not changed since */
bool follow_up(struct path *p);			       /* from a mount's root to its mountpoint; false at the top */
bool follow_down(struct path *p);		       /* to the top of what is mounted on p */
bool path_is_mountpoint(const struct path *p);
bool has_mounts_below(struct dentry *d);
void detach_mounts(struct dentry *d); /* d is being removed: lazily unmount what is on it */
struct vfsmount *vfs_mount_from_root(struct dentry *root, const char *devname, int mnt_flags);
int install_root_mount(struct vfsmount *m); /* boot: m is the root of the tree and current's root and pwd */

struct seq_file;
struct poll_table_struct;
/* The tree changed: who polls a list of mounts that it opened or polled before is told (EPOLLERR, EPOLLPRI). */
void mounts_changed(void);
unsigned mounts_event(void); /* how often it did */
u32 mounts_poll(struct file *f, struct poll_table_struct *pt, unsigned *seen);
int show_mounts(struct seq_file *m, struct task_struct *t); /* /proc/PID/mounts */
int show_mountinfo(struct seq_file *m, struct task_struct *t);
int show_mountstats(struct seq_file *m, struct task_struct *t);
#endif
