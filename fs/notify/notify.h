/* SPDX-License-Identifier: Apache-2.0 */
/* Watches on inodes (fsnotify.c) and the inotify instances they belong to (inotify.c). */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <husk/fs.h>
#include <husk/inotify.h>
#include <husk/rbtree.h>
#include <husk/slab.h>

struct inotify_group;

/* What a watch can be told of; the rest of its flags are IN_ONESHOT and IN_EXCL_UNLINK. */
#define MARK_EVENTS (IN_ALL_EVENTS | IN_UNMOUNT)

/**
 * struct fsnotify_mark - one watch: an inode, a group, and the events wanted
 * @next: the inode's next mark; under i_lock
 * @inode: a reference; NULL once the watch has ended; under fsnotify_mutex
 * @group: NULL once the watch has ended; written under fsnotify_mutex and i_lock, so that either
 * lock keeps it
 * @node: in group->watches by @wd; under fsnotify_mutex
 * @refs: one for the watch, one for whoever works with it
 * @mask: MARK_EVENTS and flags; written under fsnotify_mutex and i_lock
 * @fired: a one-shot watch that had its event; under i_lock
 * @fired_next: for the sender of that event
 */
struct fsnotify_mark {
	struct fsnotify_mark *next;
	struct inode *inode;
	struct inotify_group *group;
	struct rb_node node;
	refcount_t refs;
	u32 mask;
	int wd;
	bool fired;
	struct fsnotify_mark *fired_next;
};

/* fsnotify.c */
extern struct mutex fsnotify_mutex;
void fsnotify_init(void);
struct fsnotify_mark *fsnotify_alloc_mark(struct inotify_group *g, u32 mask);
void fsnotify_put_mark(struct fsnotify_mark *m);
struct fsnotify_mark *fsnotify_find_mark(struct inode *i, const struct inotify_group *g);
void fsnotify_set_mask(struct fsnotify_mark *m, u32 mask);
void fsnotify_attach(struct fsnotify_mark *m, struct inode *i);
struct inode *fsnotify_end_mark(struct fsnotify_mark *m, bool tell);

/* inotify.c */
bool inotify_queue_event(struct inotify_group *g, int wd, u32 mask, u32 cookie, const char *name, unsigned len);
void inotify_send_sigio(void);
void inotify_forget_watch(struct inotify_group *g, struct fsnotify_mark *m, bool tell);

#endif
