/* SPDX-License-Identifier: Apache-2.0 */
/* Between mount_core.c, namespace.c and mountinfo.c. */
#ifndef FS_MOUNT_INTERNAL_H
#define FS_MOUNT_INTERNAL_H
#include "internal.h"

extern spinlock_t mount_lock;
extern struct list_head mount_list;
extern struct mount *root_mount;

void mount_write_lock(void);
void mount_write_unlock(void);
struct mount *alloc_mount(struct dentry *root, const char *devname, int flags);
void attach_mount(struct mount *m, struct mount *parent, struct dentry *at);
void unhook_mount(struct mount *m, struct path *was);
struct mount *next_mount(struct mount *p, struct mount *root);
void insert_tree(struct mount *m);
void umount_tree(struct mount *m);
#endif
