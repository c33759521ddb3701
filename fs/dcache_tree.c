// SPDX-License-Identifier: Apache-2.0
/* Walks over the dentry tree: dropping unused subtrees, ending a super block, mountpoint marks. */
/*
 * DOC: tree walk
 *
 * A parent's d_subdirs is in the order of d_dirpos, which only grows. So a walker that lets go of a
 * directory's d_lock finds its place again by position, and an iterative walk needs no stack but a
 * reference on the current directory.
 */
#include "internal.h"

#define SHRINK_BATCH 32

static inline bool d_kill_cas(struct dentry *d, int from)
{
	return __atomic_compare_exchange_n(&d->d_count_.refs.counter, &from, D_COUNT_DEAD, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

/*
 * Kill unused leaves below dir with d_dirpos > *pos. Stops at the first child that has children
 * itself and returns it with a reference; NULL at the end.
 */
static struct dentry *shrink_leaves(struct dentry *dir, u64 *pos, unsigned long *freed)
{
	struct dentry *dead[SHRINK_BATCH], *c, *found;
	int n;

	do {
		n = 0;
		found = NULL;
		spin_lock(&dir->d_lock);
		list_for_each_entry (c, &dir->d_subdirs, d_child) {
			if (c->d_dirpos <= *pos)
				continue;
			if (n == SHRINK_BATCH)
				break;
			*pos = c->d_dirpos;
			if (c->d_flags & DCACHE_CURSOR)
				continue;
			if (!list_empty(&c->d_subdirs)) {
				if (dget_not_dead(c)) {
					found = c;
					break;
				}
			} else if (d_kill_cas(c, 0)) {
				dead[n++] = c;
			}
		}
		spin_unlock(&dir->d_lock);
		for (int i = 0; i < n; i++)
			dentry_kill_marked(dead[i]);
		*freed += n;
	} while (n == SHRINK_BATCH && !found);
	return found;
}

/* Leave cur (a reference is ours) for its parent; cur goes too when nobody else uses it. */
static struct dentry *ascend(struct dentry *cur, u64 *pos, unsigned long *freed)
{
	struct dentry *parent = dget_parent(cur);

	*pos = cur->d_dirpos;
	if (list_empty(&cur->d_subdirs) && d_kill_cas(cur, 1)) {
		dentry_kill_marked(cur);
		(*freed)++;
	} else {
		dput(cur);
	}
	return parent;
}

static unsigned long shrink_tree(struct dentry *root)
{
	struct dentry *cur = dget(root), *c;
	unsigned long freed = 0;
	u64 pos = 0;

	for (;;) {
		c = shrink_leaves(cur, &pos, &freed);
		if (c) {
			cur = (dput(cur), c);
			pos = 0;
			continue;
		}
		if (cur == root || IS_ROOT(cur))
			break; /* the latter: renamed out of the subtree meanwhile */
		cur = ascend(cur, &pos, &freed);
	}
	dput(cur);
	return freed;
}

void shrink_dcache_parent(struct dentry *d)
{
	while (shrink_tree(d))
		;
}

void shrink_dcache_sb(struct super_block *sb)
{
	if (sb->s_root)
		shrink_dcache_parent(sb->s_root);
}

/* d_genocide: take back the reference that an in-memory file system holds on each of its entries.
 */
void d_genocide(struct dentry *root)
{
	struct dentry *cur = dget(root), *c, *next;
	u64 pos = 0;

	for (;;) {
		next = NULL;
		spin_lock(&cur->d_lock);
		list_for_each_entry (c, &cur->d_subdirs, d_child) {
			if (c->d_dirpos <= pos || (c->d_flags & DCACHE_CURSOR) || !c->d_inode)
				continue;
			pos = c->d_dirpos;
			if (dget_not_dead(c)) {
				next = c;
				break;
			}
		}
		spin_unlock(&cur->d_lock);
		if (next) {
			dput(cur);
			cur = next;
			pos = 0;
			continue;
		}
		if (cur == root || IS_ROOT(cur))
			break;
		next = dget_parent(cur);
		pos = cur->d_dirpos;
		spin_lock(&cur->d_lock);
		if (!d_unhashed(cur) && !(cur->d_flags & DCACHE_GENOCIDE)) {
			cur->d_flags |= DCACHE_GENOCIDE;
			atomic_dec(&cur->d_count_.refs); /* ours remains */
		}
		spin_unlock(&cur->d_lock);
		dput(cur);
		cur = next;
	}
	dput(cur);
}

/* d_invalidate: the name no longer means this; drop it with all that is cached below and mounted on
 * it. */
void d_invalidate(struct dentry *d)
{
	d_drop(d);
	if (d->d_inode && S_ISDIR(d->d_inode->i_mode)) {
		shrink_dcache_parent(d);
		if (d->d_mounted || has_mounts_below(d))
			detach_mounts(d);
	}
}

/* d_set_mounted_ok: may something be mounted here? */
bool d_set_mounted_ok(struct dentry *d)
{
	return !(d->d_flags & DCACHE_CANT_MOUNT) && (!d_unhashed(d) || IS_ROOT(d)) && d->d_inode;
}

int simple_positive(const struct dentry *d)
{
	return d->d_inode && !d_unhashed(d);
}
