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
/**
 * struct proc_decl - a file of /proc that is declared where its content is known, whatever floor that is
 *
 * The declarations lie in a section of the image; fs/proc makes the files at boot, so that nobody below it has to call it. Either
 * @val with its bounds, or @show with perhaps @store (see register_sysctl_rw). A module cannot declare, it registers.
 */
struct proc_decl {
	const char *path; /* below /proc */
	umode_t mode;
	int *val, min, max;
	int (*show)(struct seq_file *, void *);
	int (*store)(char *buf, void *data);
	void *data;
	bool plain; /* proc_create_single(): no setting */
};
#define __PROC_DECL2(line) __proc_decl_##line
#define __PROC_DECL1(line) __PROC_DECL2(line)
#define __PROC_DECL static const struct proc_decl __PROC_DECL1(__LINE__) __used __section(".proc_decl")
#define SYSCTL_INT(name, perm, var, lo, hi)                                                                            \
	__PROC_DECL = {.path = "sys/" name, .mode = perm, .val = &(var), .min = lo, .max = hi}
#define SYSCTL_RW(name, perm, shows, stores, priv)                                                                     \
	__PROC_DECL = {.path = "sys/" name, .mode = perm, .show = shows, .store = stores, .data = priv}
#define PROC_SINGLE(name, perm, shows) __PROC_DECL = {.path = name, .mode = perm, .show = shows, .plain = true}

/* /proc/sys entries of a module: path such as "kernel/hostname" */
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
