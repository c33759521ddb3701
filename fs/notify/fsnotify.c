// SPDX-License-Identifier: Apache-2.0
/* The VFS's hooks for what happens to files, and the watches (marks) on inodes. */
/*
 * DOC: marks
 *
 * An inode has a list of marks (i_fsnotify_marks) and the union of what they want
 * (i_fsnotify_mask). A hook costs one load while nothing in the system is watched
 * (fsnotify_nr_marks), and else a look at the masks of the inode and its parent. Events are queued
 * with the inode's i_lock held: that keeps the marks, and through mark->group the groups.
 *
 * A mark holds its inode, which would otherwise go when memory is short. So it has to be taken down
 * when the inode is to go: when a dentry lets go of an inode without links (IN_DELETE_SELF), or the
 * file system is unmounted (IN_UNMOUNT).
 *
 * fsnotify_mutex covers every change of who watches what. Lock order: fsnotify_mutex,
 * inode->i_lock, group->lock, wait queue. Under fsnotify_mutex no memory is allocated with
 * GFP_KERNEL, for reclaim may come to a watched inode; nor is the last reference on an inode
 * dropped.
 */
#include "notify.h"

atomic_t fsnotify_nr_marks;
DEFINE_MUTEX(fsnotify_mutex);

static struct kmem_cache *mark_cache;

u32 fsnotify_get_cookie(void)
{
	static atomic_t cookie;

	return atomic_inc_return(&cookie);
}

/* ---- marks ---- */
void fsnotify_init(void)
{
	mark_cache = KMEM_CACHE(fsnotify_mark);
}

/* fsnotify_alloc_mark: one reference, on no inode. NULL when out of memory. */
struct fsnotify_mark *fsnotify_alloc_mark(struct inotify_group *g, u32 mask)
{
	struct fsnotify_mark *m = mark_cache ? kmem_cache_zalloc(mark_cache, GFP_KERNEL) : NULL;

	if (m) {
		m->group = g;
		m->mask = mask;
		refcount_set(&m->refs, 1);
	}
	return m;
}

void fsnotify_put_mark(struct fsnotify_mark *m)
{
	if (refcount_dec_and_test(&m->refs))
		kmem_cache_free(mark_cache, m);
}

static void recalc_mask(struct inode *i)
{
	u32 mask = 0;

	for (struct fsnotify_mark *m = i->i_fsnotify_marks; m; m = m->next)
		mask |= m->mask;
	WRITE_ONCE(i->i_fsnotify_mask, mask & MARK_EVENTS);
}

/* fsnotify_find_mark: g's live mark on i. fsnotify_mutex is held. */
struct fsnotify_mark *fsnotify_find_mark(struct inode *i, const struct inotify_group *g)
{
	struct fsnotify_mark *m;

	spin_lock(&i->i_lock);
	for (m = i->i_fsnotify_marks; m; m = m->next)
		if (m->group == g && !m->fired)
			break;
	spin_unlock(&i->i_lock);
	return m;
}

/* fsnotify_set_mask: fsnotify_mutex is held */
void fsnotify_set_mask(struct fsnotify_mark *m, u32 mask)
{
	spin_lock(&m->inode->i_lock);
	m->mask = mask;
	recalc_mask(m->inode);
	spin_unlock(&m->inode->i_lock);
}

/* fsnotify_attach: a new mark goes on i, which takes a reference on it. fsnotify_mutex is held. */
void fsnotify_attach(struct fsnotify_mark *m, struct inode *i)
{
	ihold(i);
	m->inode = i;
	atomic_inc(&fsnotify_nr_marks);
	spin_lock(&i->i_lock);
	m->next = i->i_fsnotify_marks;
	WRITE_ONCE(i->i_fsnotify_marks, m);
	WRITE_ONCE(i->i_fsnotify_mask, i->i_fsnotify_mask | (m->mask & MARK_EVENTS));
	spin_unlock(&i->i_lock);
}

/**
 * fsnotify_end_mark - end a watch
 * @tell: with IN_IGNORED
 *
 * fsnotify_mutex is held. Does nothing if the watch has ended already. Returns the inode, which the
 * caller is to iput() after it has let go of the mutex, or NULL. The mark may be gone afterwards.
 */
struct inode *fsnotify_end_mark(struct fsnotify_mark *m, bool tell)
{
	struct inotify_group *g = m->group;
	struct inode *i = m->inode;
	struct fsnotify_mark **p;

	if (!g)
		return NULL;
	spin_lock(&i->i_lock);
	m->group = NULL;
	for (p = &i->i_fsnotify_marks; *p != m; p = &(*p)->next)
		;
	WRITE_ONCE(*p, m->next);
	recalc_mask(i);
	spin_unlock(&i->i_lock);
	m->inode = NULL;
	atomic_dec(&fsnotify_nr_marks);
	inotify_forget_watch(g, m, tell);
	return i;
}

/* ---- events ---- */
static noinline void end_fired(struct fsnotify_mark *m)
{
	while (m) {
		struct fsnotify_mark *next = m->fired_next;
		struct inode *i;

		mutex_lock(&fsnotify_mutex);
		i = fsnotify_end_mark(m, true);
		mutex_unlock(&fsnotify_mutex);
		iput(i);
		fsnotify_put_mark(m);
		m = next;
	}
	inotify_send_sigio();
}

/* Queue an event to every group that watches i for it. unlinked: it is about a file that has lost
 * its name. */
static noinline void send(struct inode *i, u32 mask, u32 cookie, const char *name, unsigned len, bool unlinked)
{
	struct fsnotify_mark *m, *fired = NULL;
	bool sigio = false;
	struct wake_q wq;

	if (mask & (IN_MOVE_SELF | IN_DELETE_SELF))
		mask &= ~IN_ISDIR;
	wake_q_begin(&wq);
	spin_lock(&i->i_lock);
	for (m = i->i_fsnotify_marks; m; m = m->next) {
		if (!(m->mask & mask & MARK_EVENTS) || m->fired)
			continue;
		if (unlinked && (m->mask & IN_EXCL_UNLINK))
			continue;
		if (inotify_queue_event(m->group, m->wd, mask, cookie, name, len))
			sigio = true;
		if (unlikely(m->mask & IN_ONESHOT)) {
			m->fired = true;
			refcount_inc(&m->refs);
			m->fired_next = fired;
			fired = m;
		}
	}
	spin_unlock(&i->i_lock);
	wake_q_end(&wq);
	if (unlikely(sigio))
		inotify_send_sigio();
	if (unlikely(fired))
		end_fired(fired);
}

static inline bool wanted(const struct inode *i, u32 mask)
{
	return READ_ONCE(i->i_fsnotify_mask) & mask & MARK_EVENTS;
}

/**
 * __fsnotify - something happened to an inode, or to a name in a directory
 * @mask: FS_*
 * @dir: whose watches are told, with @name; NULL: those of @inode
 * @inode: what it is about
 * @cookie: joins the two halves of a rename
 */
void __fsnotify(u32 mask, struct inode *dir, struct inode *inode, const char *name, u32 cookie)
{
	struct inode *to = dir ? dir : inode;

	if (!to || likely(!wanted(to, mask)))
		return;
	if (inode && S_ISDIR(inode->i_mode))
		mask |= FS_ISDIR;
	if (dir && name)
		send(to, mask, cookie, name, strlen(name), false);
	else
		send(to, mask, cookie, NULL, 0, false);
}

/* Tell the directory that d is in. */
static noinline void send_to_parent(struct dentry *d, u32 mask, bool unlinked)
{
	struct dentry *p = dget_parent(d);
	struct inode *dir = p->d_inode;
	char name[NAME_MAX + 1];
	unsigned len;

	if (p != d && dir && wanted(dir, mask)) {
		spin_lock(&d->d_lock); /* keeps the name */
		len = min_t(unsigned, d->d_name.len, NAME_MAX);
		memcpy(name, d->d_name.name, len);
		spin_unlock(&d->d_lock);
		name[len] = 0;
		send(dir, mask, 0, name, len, unlinked);
	}
	dput(p);
}

/**
 * __fsnotify_parent - something happened to d's inode: its watches are told, and with the name
 * those of its directory
 * @d: held by the caller
 */
void __fsnotify_parent(struct dentry *d, u32 mask)
{
	struct inode *inode = READ_ONCE(d->d_inode), *dir;
	struct dentry *p = READ_ONCE(d->d_parent);
	bool unlinked;

	if (!inode)
		return;
	/* a rename may be moving d: then p is still a dentry, and a wrong answer is one from before
	 * or after the rename */
	dir = p != d ? READ_ONCE(p->d_inode) : NULL;
	if (likely(!wanted(inode, mask) && !(dir && wanted(dir, mask))))
		return;
	if (S_ISDIR(inode->i_mode))
		mask |= FS_ISDIR;
	unlinked = !(mask & FS_ATTRIB) && p != d && d_unhashed(d);
	if (dir && wanted(dir, mask))
		send_to_parent(d, mask, unlinked);
	if (wanted(inode, mask))
		send(inode, mask, 0, NULL, 0, unlinked);
}

/* ---- ends ---- */
/* The last event for i, and the end of all watches on it. The caller has a reference. */
static void end_marks(struct inode *i, u32 mask)
{
	struct fsnotify_mark *m;

	send(i, mask, 0, NULL, 0, false);
	mutex_lock(&fsnotify_mutex);
	while ((m = i->i_fsnotify_marks))
		iput(fsnotify_end_mark(m, true)); /* not the last reference */
	mutex_unlock(&fsnotify_mutex);
	inotify_send_sigio();
}

/* __fsnotify_link_gone: a dentry lets go of i, which has no links: no name leads there again. The
 * dentry's reference is still held. */
void __fsnotify_link_gone(struct inode *i)
{
	end_marks(i, FS_DELETE_SELF);
}

/* fsnotify_unmount: before a super block's inodes are evicted: IN_UNMOUNT, and the end of every
 * watch on it. */
void fsnotify_unmount(struct super_block *sb)
{
	struct inode *i, *prev = NULL;

	if (!atomic_read(&fsnotify_nr_marks))
		return;
	spin_lock(&sb->s_inode_lock);
	list_for_each_entry (i, &sb->s_inodes, i_sb_list) {
		if (!READ_ONCE(i->i_fsnotify_marks) || !igrab(i))
			continue;
		spin_unlock(&sb->s_inode_lock);
		end_marks(i, FS_UNMOUNT | (S_ISDIR(i->i_mode) ? FS_ISDIR : 0));
		iput(prev); /* i keeps its place in the list for us */
		prev = i;
		spin_lock(&sb->s_inode_lock);
	}
	spin_unlock(&sb->s_inode_lock);
	iput(prev);
}

/* __fsnotify_inode_delete: i is being freed. Marks hold their inode, so one that has any cannot be.
 */
void __fsnotify_inode_delete(struct inode *i)
{
	panic("fsnotify: inode %llu of %s is freed while it is watched", (unsigned long long)i->i_ino, i->i_sb->s_id);
}
