// SPDX-License-Identifier: Apache-2.0
/* Mounts: references, the mount hash, crossing mountpoints, write access. */
/*
 * DOC: the mount tree
 *
 * A mount in the tree has one reference from the tree, one from each child mount and one from each
 * path that names it. namespace_sem is held by whoever changes the tree; the links that a path walk
 * reads change under mount_lock with mount_seq odd. struct mount memory is type-stable, and
 * mount_seq also changes when one is freed, so the lock-free walk needs nothing but the comparison
 * at its end.
 *
 * Lock order: namespace_sem, mount_lock, d_lock.
 */
#include "mount_internal.h"
#include "stable.h"

DECLARE_RWSEM(namespace_sem);
DEFINE_SPINLOCK(mount_lock);
unsigned mount_seq;
LIST_HEAD(mount_list);
struct mount *root_mount;

#define MNT_HASH_BITS 7
static struct hlist_head mount_hash[1 << MNT_HASH_BITS];
static struct stable_pool mount_pool = STABLE_POOL(struct mount, mnt_list);
static atomic_t next_mnt_id = ATOMIC_INIT(20);

static struct hlist_head *m_hash(const struct vfsmount *m, const struct dentry *d)
{
	u64 h = ((unsigned long)m >> 4) + ((unsigned long)d >> 5);

	return &mount_hash[(h * 0x9e3779b97f4a7c15UL) >> (64 - MNT_HASH_BITS)];
}

void mount_write_lock(void)
{
	spin_lock(&mount_lock);
	WRITE_ONCE(mount_seq, mount_seq + 1);
	smp_wmb();
}

void mount_write_unlock(void)
{
	smp_store_release(&mount_seq, mount_seq + 1);
	spin_unlock(&mount_lock);
}

/* alloc_mount: a mount of root (its reference and its super block's are taken over), outside the
 * tree. */
struct mount *alloc_mount(struct dentry *root, const char *devname, int flags)
{
	struct mount *m = stable_alloc(&mount_pool);

	if (!m)
		return NULL;
	m->mnt_devname = kstrdup(devname ? devname : "none", GFP_KERNEL);
	if (!m->mnt_devname) {
		stable_free(&mount_pool, m);
		return NULL;
	}
	m->mnt = (struct vfsmount){root, root->d_sb, flags};
	INIT_HLIST_NODE(&m->mnt_hash);
	m->mnt_parent = m;
	m->mnt_mountpoint = root;
	atomic_set(&m->mnt_writers, 0);
	INIT_LIST_HEAD(&m->mnt_mounts);
	INIT_LIST_HEAD(&m->mnt_child);
	INIT_LIST_HEAD(&m->mnt_list);
	m->mnt_id = atomic_inc_return(&next_mnt_id);
	m->mnt_propagation = 0;
	m->mnt_group_id = 0;
	m->mnt_detached = true;
	m->mnt_expiry_mark = false;
	__atomic_store_n(&m->mnt_count.counter, 1, __ATOMIC_RELEASE);
	return m;
}

static void free_mount(struct mount *m)
{
	struct super_block *sb = m->mnt.mnt_sb;

	mount_write_lock();
	mount_write_unlock();
	dput(m->mnt.mnt_root);
	kfree(m->mnt_devname);
	stable_free(&mount_pool, m);
	deactivate_super(sb);
}

struct vfsmount *mntget(struct vfsmount *m)
{
	if (m)
		atomic_inc(&real_mount(m)->mnt_count);
	return m;
}

void mntput(struct vfsmount *m)
{
	if (m) {
		struct mount *r = real_mount(m);

		if (unlikely(r->mnt_expiry_mark))
			r->mnt_expiry_mark = false;
		if (unlikely(atomic_dec_and_test(&r->mnt_count)))
			free_mount(r);
	}
}

bool legitimize_mnt(struct vfsmount *m, unsigned seq)
{
	if (!atomic_inc_not_zero(&real_mount(m)->mnt_count))
		return false;
	if (likely(READ_ONCE(mount_seq) == seq))
		return true;
	mntput(m);
	return false;
}

/* ---- lookup ---- */
struct mount *__lookup_mnt(const struct vfsmount *m, const struct dentry *d)
{
	struct hlist_node *p = READ_ONCE(m_hash(m, d)->first);

	for (int steps = 0; p && steps < 1000; p = READ_ONCE(p->next), steps++) {
		struct mount *c = container_of(p, struct mount, mnt_hash);

		if (&READ_ONCE(c->mnt_parent)->mnt == m && READ_ONCE(c->mnt_mountpoint) == d)
			return c;
	}
	return NULL;
}

struct vfsmount *lookup_mnt(const struct path *p)
{
	struct mount *c;
	struct vfsmount *r;

	spin_lock(&mount_lock);
	c = __lookup_mnt(p->mnt, p->dentry);
	r = c ? mntget(&c->mnt) : NULL;
	spin_unlock(&mount_lock);
	return r;
}

bool follow_down(struct path *p)
{
	bool moved = false;

	while (unlikely(READ_ONCE(p->dentry->d_mounted))) {
		struct vfsmount *m = lookup_mnt(p);

		if (!m)
			break;
		path_put(p);
		p->mnt = m;
		p->dentry = dget(m->mnt_root);
		moved = true;
	}
	return moved;
}

bool follow_up(struct path *p)
{
	struct mount *m = real_mount(p->mnt);
	struct path up;

	spin_lock(&mount_lock);
	if (m->mnt_parent == m) {
		spin_unlock(&mount_lock);
		return false;
	}
	up.mnt = mntget(&m->mnt_parent->mnt);
	up.dentry = dget(m->mnt_mountpoint);
	spin_unlock(&mount_lock);
	path_put(p);
	*p = up;
	return true;
}

bool path_is_mountpoint(const struct path *p)
{
	struct vfsmount *m;

	if (!p->dentry->d_mounted)
		return false;
	m = lookup_mnt(p);
	mntput(m);
	return m != NULL;
}

/* ---- linking; namespace_sem held for writing, mount_write_lock held ---- */
static void mark_mountpoint(struct dentry *d, int by)
{
	spin_lock(&d->d_lock);
	d->d_mounted += by;
	if (d->d_mounted)
		d->d_flags |= DCACHE_MOUNTED;
	else
		d->d_flags &= ~DCACHE_MOUNTED;
	spin_unlock(&d->d_lock);
}

void attach_mount(struct mount *m, struct mount *parent, struct dentry *at)
{
	m->mnt_parent = parent;
	m->mnt_mountpoint = dget(at);
	mntget(&parent->mnt);
	mark_mountpoint(at, 1);
	hlist_add_head(&m->mnt_hash, m_hash(&parent->mnt, at));
	list_add_tail(&m->mnt_child, &parent->mnt_mounts);
}

/* unhook_mount: *was gets what it was mounted on, references included. */
void unhook_mount(struct mount *m, struct path *was)
{
	was->mnt = &m->mnt_parent->mnt;
	was->dentry = m->mnt_mountpoint;
	mark_mountpoint(was->dentry, -1);
	hlist_del_init(&m->mnt_hash);
	list_del_init(&m->mnt_child);
	m->mnt_parent = m;
	m->mnt_mountpoint = m->mnt.mnt_root;
}

struct mount *next_mount(struct mount *p, struct mount *root)
{
	struct list_head *next = p->mnt_mounts.next;

	if (next == &p->mnt_mounts) {
		for (;;) {
			if (p == root)
				return NULL;
			next = p->mnt_child.next;
			if (next != &p->mnt_parent->mnt_mounts)
				break;
			p = p->mnt_parent;
		}
	}
	return list_entry(next, struct mount, mnt_child);
}

/* insert_tree: m and all below it join the list of mounts. */
void insert_tree(struct mount *m)
{
	for (struct mount *p = m; p; p = next_mount(p, m)) {
		p->mnt_detached = false;
		if (list_empty(&p->mnt_list))
			list_add_tail(&p->mnt_list, &mount_list);
	}
	mounts_changed();
}

/**
 * umount_tree - take m and all that is mounted below out of the tree
 *
 * namespace_sem held for writing. Mounts that are still used live on, unlinked, until their last
 * user goes.
 */
void umount_tree(struct mount *m)
{
	LIST_HEAD(gone);
	struct mount *p, *n;
	struct path was;

	mount_write_lock();
	for (p = m; p; p = next_mount(p, m)) {
		p->mnt_detached = true;
		if (!list_empty(&p->mnt_list))
			list_del_init(&p->mnt_list);
	}
	for (p = m; p; p = next_mount(p, m))
		list_add(&p->mnt_list, &gone); /* children before parents */
	mount_write_unlock();
	list_for_each_entry_safe (p, n, &gone, mnt_list) {
		list_del_init(&p->mnt_list);
		if (p->mnt_parent != p) {
			mount_write_lock();
			unhook_mount(p, &was);
			mount_write_unlock();
			path_put(&was);
		}
		mntput(&p->mnt);
	}
	mounts_changed();
}

bool has_mounts_below(struct dentry *d)
{
	struct mount *m;
	bool r = false;

	if (!down_read_trylock(&namespace_sem)) /* a directory lock may be held that the tree's
						   changer waits for */
		return false;
	list_for_each_entry (m, &mount_list, mnt_list) {
		if (m->mnt_parent != m && m->mnt_mountpoint->d_sb == d->d_sb && is_subdir(m->mnt_mountpoint, d)) {
			r = true;
			break;
		}
	}
	up_read(&namespace_sem);
	return r;
}

void detach_mounts(struct dentry *d)
{
	struct mount *m;

	down_write(&namespace_sem);
again:
	list_for_each_entry (m, &mount_list, mnt_list) {
		if (m->mnt_parent != m && m->mnt_mountpoint->d_sb == d->d_sb && is_subdir(m->mnt_mountpoint, d)) {
			umount_tree(m);
			goto again;
		}
	}
	up_write(&namespace_sem);
}

/* ---- write access ---- */
bool __mnt_is_readonly(struct vfsmount *m)
{
	return (m->mnt_flags & MNT_READONLY) || (m->mnt_sb->s_flags & SB_RDONLY);
}

int mnt_want_write(struct vfsmount *m)
{
	atomic_inc(&real_mount(m)->mnt_writers);
	if (likely(!__mnt_is_readonly(m)))
		return 0;
	atomic_dec(&real_mount(m)->mnt_writers);
	return -EROFS;
}

void mnt_drop_write(struct vfsmount *m)
{
	atomic_dec(&real_mount(m)->mnt_writers);
}

bool path_noexec(const struct path *p)
{
	return (p->mnt->mnt_flags & MNT_NOEXEC) || (p->mnt->mnt_sb->s_flags & SB_NOEXEC);
}

/* ---- kernel-made mounts ---- */
struct vfsmount *vfs_mount_from_root(struct dentry *root, const char *devname, int flags)
{
	struct mount *m = alloc_mount(root, devname, flags);

	if (!m) {
		struct super_block *sb = root->d_sb;

		dput(root);
		deactivate_super(sb);
		return ERR_PTR(-ENOMEM);
	}
	return &m->mnt;
}

struct vfsmount *kern_mount(struct file_system_type *t, void *data)
{
	struct dentry *root = t->mount(t, 0, t->name, data);

	if (IS_ERR(root))
		return ERR_CAST(root);
	return vfs_mount_from_root(root, t->name, MNT_INTERNAL);
}

int install_root_mount(struct vfsmount *v)
{
	struct mount *m = real_mount(v);
	struct path p = {v, v->mnt_root};
	struct fs_struct *fs;

	if (root_mount)
		return -EBUSY;
	down_write(&namespace_sem);
	mount_write_lock();
	v->mnt_flags = (v->mnt_flags & ~MNT_INTERNAL) | MNT_RELATIME;
	root_mount = m;
	insert_tree(m);
	mount_write_unlock();
	up_write(&namespace_sem);
	fs = current->fs;
	if (!fs)
		fs = init_task.fs = current->fs = &init_fs;
	if (!current->files)
		current->files = &init_files;
	set_fs_root(fs, &p);
	set_fs_pwd(fs, &p);
	return 0;
}
