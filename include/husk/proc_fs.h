/* SPDX-License-Identifier: Apache-2.0 */
/* Registration of /proc and /sys files by the subsystem that knows their content. */
#ifndef HUSK_PROC_FS_H
#define HUSK_PROC_FS_H
#include <husk/seq_file.h>
struct proc_dir_entry;
struct pid;
/* parent NULL: /proc. All return NULL when out of memory. */
struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent);
struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,
				   const struct file_operations *fop);
struct proc_dir_entry *proc_create_single(const char *name, umode_t mode, struct proc_dir_entry *parent,
					  int (*show)(struct seq_file *, void *));
struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent, const char *target);
/* /proc/sys entries: path such as "kernel/hostname" */
int register_sysctl_int(const char *path, umode_t mode, int *val, int min, int max);
int register_sysctl_string(const char *path, umode_t mode, char *buf, size_t size);
int register_sysctl_show(const char *path, int (*show)(struct seq_file *, void *));
/* a sysctl with its own text: m->private is data; store gets the written text, a final newline cut; NULL: read-only */
int register_sysctl_rw(const char *path, umode_t mode, int (*show)(struct seq_file *, void *),
		       int (*store)(char *buf, void *data), void *data);
/* proc_create_data: as proc_create_single; m->private is data. name may hold slashes: missing directories are made. */
struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					int (*show)(struct seq_file *, void *), void *data);
/* What a module made, with all below it; its file_operations must have .owner. Elsewhere entries stay for ever. */
void proc_remove(struct proc_dir_entry *de);
void remove_proc_entry(const char *name, struct proc_dir_entry *parent);
void *pde_data(const struct inode *inode); /* of a file made by proc_create*() */
/* sysfs: path such as "kernel/mm/ksm/run"; show prints with the final newline; store may be NULL; -errno from store is returned */
int sysfs_create_file(const char *path, umode_t mode, int (*show)(char *buf, size_t n, void *priv),
		      int (*store)(const char *buf, size_t n, void *priv), void *priv);
int sysfs_create_dir(const char *path);
/* a directory that can be removed with all that is made below it; -EEXIST */
int sysfs_create_removable_dir(const char *path);
void sysfs_remove(const char *path); /* waits for reads and writes of its files; not to be called by one */
int sysfs_create_link(const char *path, const char *target);
void sysfs_populate_later(void (*fn)(void)); /* one: adds what is not needed before somebody looks into /sys */
#endif
