// SPDX-License-Identifier: Apache-2.0
/* mount(2), umount2(2), pivot_root(2): changes of the mount tree. */
#include "mount_internal.h"
#include <linux/mount.h>

#define UMOUNT_FORCE 1
#define UMOUNT_DETACH 2
#define UMOUNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8
#define MS_PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

static int mnt_flags_of(unsigned long ms)
{
	static const struct {
		unsigned long ms;
		int mnt;
	} map[] = {
		{MS_NOSUID, MNT_NOSUID},	   {MS_NODEV, MNT_NODEV},     {MS_NOEXEC, MNT_NOEXEC},
		{MS_NOATIME, MNT_NOATIME},	   {MS_RDONLY, MNT_READONLY}, {MS_NODIRATIME, MNT_NODIRATIME},
		{MS_NOSYMFOLLOW, MNT_NOSYMFOLLOW},
	};
	int fl = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
		if (ms & map[i].ms)
			fl |= map[i].mnt;
	if (!(ms & (MS_NOATIME | MS_STRICTATIME)))
		fl |= MNT_RELATIME;
	return fl;
}

/* Put m on top of *at. namespace_sem held for writing. */
static int graft(struct mount *m, const struct path *at)
{
	struct inode *dir = at->dentry->d_inode;
	int r = 0;

	if (S_ISDIR(m->mnt.mnt_root->d_inode->i_mode) != S_ISDIR(dir->i_mode))
		return -ENOTDIR;
	inode_lock(dir);
	if (real_mount(at->mnt)->mnt_detached)
		r = -EINVAL;
	else if (!d_set_mounted_ok(at->dentry) || (dir->i_flags & S_DEAD))
		r = -ENOENT;
	if (!r) {
		mount_write_lock();
		attach_mount(m, real_mount(at->mnt), at->dentry);
		insert_tree(m);
		mount_write_unlock();
	}
	inode_unlock(dir);
	return r;
}

/* Lock the tree; *p goes down to the top of what is mounted there. */
static void lock_mountpoint(struct path *p)
{
	down_write(&namespace_sem);
	follow_down(p);
}

static int do_new_mount(struct path *p, const char *fstype, unsigned long flags, const char *dev, void *data)
{
	struct dentry *root;
	struct vfsmount *v;
	int r;

	if (!fstype)
		return -EINVAL;
	r = vfs_get_tree(fstype, flags, dev, data, &root);
	if (r)
		return r;
	v = vfs_mount_from_root(root, dev, mnt_flags_of(flags));
	if (IS_ERR(v))
		return PTR_ERR(v);
	lock_mountpoint(p);
	r = graft(real_mount(v), p);
	up_write(&namespace_sem);
	if (r)
		mntput(v);
	return r;
}

static struct mount *clone_mnt(struct mount *old, struct dentry *root)
{
	struct super_block *sb = old->mnt.mnt_sb;
	struct mount *m = alloc_mount(root, old->mnt_devname, old->mnt.mnt_flags & ~MNT_INTERNAL);

	if (m) {
		dget(root);
		refcount_inc(&sb->s_active);
		m->mnt_propagation = old->mnt_propagation == MS_UNBINDABLE ? 0 : old->mnt_propagation;
		m->mnt_group_id = old->mnt_group_id;
	}
	return m;
}

/* Copies of what is mounted below (old, root) go below m in the same places. */
static int copy_children(struct mount *old, struct dentry *root, struct mount *m)
{
	struct mount *c;

	list_for_each_entry (c, &old->mnt_mounts, mnt_child) {
		struct mount *n;
		int r;

		if (c->mnt_propagation == MS_UNBINDABLE || !is_subdir(c->mnt_mountpoint, root))
			continue;
		n = clone_mnt(c, c->mnt.mnt_root);
		if (!n)
			return -ENOMEM;
		mount_write_lock();
		attach_mount(n, m, c->mnt_mountpoint);
		mount_write_unlock();
		r = copy_children(c, c->mnt.mnt_root, n);
		if (r)
			return r;
	}
	return 0;
}

static int do_loopback(struct path *p, const char *from, bool recurse)
{
	struct mount *m, *old;
	struct path src;
	int r;

	if (!from || !*from)
		return -EINVAL;
	r = kern_path(from, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT, &src);
	if (r)
		return r;
	lock_mountpoint(p);
	old = real_mount(src.mnt);
	r = -EINVAL;
	if (old->mnt_propagation == MS_UNBINDABLE || old->mnt_detached)
		goto out;
	r = -ENOMEM;
	m = clone_mnt(old, src.dentry);
	if (!m)
		goto out;
	r = recurse ? copy_children(old, src.dentry, m) : 0;
	if (!r)
		r = graft(m, p);
	if (r)
		umount_tree(m);
out:
	up_write(&namespace_sem);
	path_put(&src);
	return r;
}

static int do_move(struct path *p, const char *from)
{
	struct path src, was = {};
	struct mount *m, *t;
	int r;

	if (!from || !*from)
		return -EINVAL;
	r = kern_path(from, LOOKUP_FOLLOW, &src);
	if (r)
		return r;
	lock_mountpoint(p);
	m = real_mount(src.mnt);
	r = -EINVAL;
	if (src.dentry != src.mnt->mnt_root || m->mnt_parent == m || m->mnt_detached)
		goto out;
	r = -ENOTDIR;
	if (d_is_dir(src.dentry) != d_is_dir(p->dentry))
		goto out;
	r = -ELOOP;
	for (t = real_mount(p->mnt); t->mnt_parent != t; t = t->mnt_parent)
		if (t == m)
			goto out;
	mount_write_lock();
	unhook_mount(m, &was);
	attach_mount(m, real_mount(p->mnt), p->dentry);
	mount_write_unlock();
	r = 0;
out:
	up_write(&namespace_sem);
	if (was.mnt)
		path_put(&was);
	path_put(&src);
	return r;
}

static int change_mnt_flags(struct mount *m, int fl)
{
	int r = 0;

	mount_write_lock();
	if ((fl & MNT_READONLY) && !(m->mnt.mnt_flags & MNT_READONLY)) {
		int old = m->mnt.mnt_flags;

		WRITE_ONCE(m->mnt.mnt_flags, old | MNT_READONLY);
		smp_mb();
		if (atomic_read(&m->mnt_writers) > 0) {
			m->mnt.mnt_flags = old;
			r = -EBUSY;
		}
	}
	if (!r)
		WRITE_ONCE(m->mnt.mnt_flags, fl);
	mount_write_unlock();
	if (!r)
		mounts_changed();
	return r;
}

static bool sb_has_writers(struct super_block *sb)
{
	struct mount *m;

	list_for_each_entry (m, &mount_list, mnt_list)
		if (m->mnt.mnt_sb == sb && atomic_read(&m->mnt_writers) > 0)
			return true;
	return false;
}

static int do_remount(struct path *p, unsigned long flags, void *data)
{
	struct mount *m = real_mount(p->mnt);
	struct super_block *sb = p->mnt->mnt_sb;
	int r = 0;

	if (p->dentry != p->mnt->mnt_root || m->mnt_detached)
		return -EINVAL;
	down_write(&namespace_sem);
	if (flags & MS_BIND) {
		r = change_mnt_flags(m, mnt_flags_of(flags));
		goto out;
	}
	if ((flags & MS_RDONLY) && !(sb->s_flags & SB_RDONLY) && sb_has_writers(sb))
		r = -EBUSY;
	if (!r)
		r = do_remount_sb(sb, flags & (SB_RDONLY | SB_NOSUID | SB_NODEV | SB_NOEXEC), data);
	if (!r)
		r = change_mnt_flags(m, mnt_flags_of(flags));
out:
	up_write(&namespace_sem);
	return r;
}

/* One mount namespace: the type is kept and shown; there is nobody to propagate to. */
static int do_change_type(struct path *p, unsigned long flags)
{
	static int next_group;
	struct mount *m = real_mount(p->mnt), *c;
	unsigned long type = flags & MS_PROPAGATION;

	if (p->dentry != p->mnt->mnt_root)
		return -EINVAL;
	if ((flags & ~(MS_REC | MS_SILENT | MS_PROPAGATION)) || !is_power_of_2(type))
		return -EINVAL;
	down_write(&namespace_sem);
	for (c = m; c; c = (flags & MS_REC) ? next_mount(c, m) : NULL) {
		if (type == MS_SHARED && c->mnt_propagation != MS_SHARED)
			c->mnt_group_id = ++next_group;
		c->mnt_propagation = type == MS_PRIVATE || type == MS_SLAVE ? 0 : type;
	}
	up_write(&namespace_sem);
	return 0;
}

static int path_mount(const char *dev, struct path *p, const char *fstype, unsigned long flags, void *data)
{
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(unsigned long)MS_MGC_MSK;
	if (flags & MS_NOUSER)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & MS_REMOUNT)
		return do_remount(p, flags & ~(unsigned long)MS_REMOUNT, data);
	if (flags & MS_BIND)
		return do_loopback(p, dev, flags & MS_REC);
	if (flags & MS_PROPAGATION)
		return do_change_type(p, flags);
	if (flags & MS_MOVE)
		return do_move(p, dev);
	return do_new_mount(p, fstype, flags, dev, data);
}

int do_mount_at(const char *dev, const char *path, const char *fstype, unsigned long flags, void *data)
{
	struct path p;
	int r = kern_path(path, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT, &p);

	if (!r) {
		r = path_mount(dev, &p, fstype, flags, data);
		path_put(&p);
	}
	return r;
}

/* A string argument of mount(2): at most a page; NULL stays NULL. */
static int copy_mount_string(const char __user *u, char **out)
{
	*out = u ? strndup_user(u, PAGE_SIZE) : NULL;
	return IS_ERR(*out) ? (int)PTR_ERR(*out) : 0;
}

/* The data page: as much of it as can be read, zero-terminated. */
static int copy_mount_options(const void __user *u, char **out)
{
	unsigned long left, n = PAGE_SIZE - 1;

	*out = NULL;
	if (!u)
		return 0;
	*out = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!*out)
		return -ENOMEM;
	left = copy_from_user(*out, u, n);
	if (left == n) {
		kfree(*out);
		return -EFAULT;
	}
	memset(*out + n - left, 0, left);
	return 0;
}

SYSCALL_DEFINE5(mount, const char __user *, dev, const char __user *, dir, const char __user *, type, unsigned long,
		flags, void __user *, data)
{
	char *kdev = NULL, *ktype = NULL, *kdata = NULL;
	struct path p;
	int r;

	r = copy_mount_string(type, &ktype);
	if (r)
		return r;
	r = copy_mount_string(dev, &kdev);
	if (r)
		goto out_type;
	r = copy_mount_options(data, &kdata);
	if (r)
		goto out_dev;
	r = fname_path(AT_FDCWD, dir, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT, &p);
	if (!r) {
		r = path_mount(kdev, &p, ktype, flags, kdata);
		path_put(&p);
	}
	kfree(kdata);
out_dev:
	kfree(kdev);
out_type:
	kfree(ktype);
	return r;
}

static int do_umount(struct path *p, int flags)
{
	struct mount *m = real_mount(p->mnt);
	int r = 0;

	down_write(&namespace_sem);
	if (m->mnt_detached || p->dentry != p->mnt->mnt_root) {
		r = -EINVAL;
	} else if (m == root_mount || p->mnt == current->fs->root.mnt) {
		/* the root stays; as in Linux, umount makes it read-only */
		r = flags & UMOUNT_DETACH ? -EINVAL : do_remount_sb(p->mnt->mnt_sb, SB_RDONLY, NULL);
	} else if (flags & UMOUNT_EXPIRE) {
		if (atomic_read(&m->mnt_count) != 2)
			r = -EBUSY;
		else if (!__atomic_exchange_n(&m->mnt_expiry_mark, true, __ATOMIC_SEQ_CST))
			r = -EAGAIN;
	} else if (!(flags & UMOUNT_DETACH)) {
		shrink_dcache_sb(p->mnt->mnt_sb);
		if (atomic_read(&m->mnt_count) > 2) /* the tree's and ours */
			r = -EBUSY;
	}
	if (!r && m != root_mount)
		umount_tree(m);
	up_write(&namespace_sem);
	return r;
}

SYSCALL_DEFINE2(umount2, const char __user *, name, int, flags)
{
	unsigned lf = LOOKUP_AUTOMOUNT;
	struct path p;
	int r;

	if (flags & ~(UMOUNT_FORCE | UMOUNT_DETACH | UMOUNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if ((flags & UMOUNT_EXPIRE) && (flags & (UMOUNT_FORCE | UMOUNT_DETACH)))
		return -EINVAL;
	if (!(flags & UMOUNT_NOFOLLOW))
		lf |= LOOKUP_FOLLOW;
	r = fname_path(AT_FDCWD, name, lf, &p);
	if (r)
		return r;
	r = capable(CAP_SYS_ADMIN) ? do_umount(&p, flags) : -EPERM;
	if (r == -EAGAIN) { /* path_put() would take the mark away */
		dput(p.dentry);
		atomic_dec(&real_mount(p.mnt)->mnt_count);
		return r;
	}
	path_put(&p);
	return r;
}

/* Every task whose root or working directory is old goes to new. */
static void chroot_fs_refs(const struct path *old, const struct path *new)
{
	struct task_struct *g, *t;
	struct fs_struct *list[64];
	bool more;

	do {
		unsigned n = 0;

		down_read(&tasklist_lock);
		for_each_process (g) {
			for_each_thread (g, t) {
				struct fs_struct *fs;

				task_lock(t);
				fs = t->fs;
				if (fs && n < ARRAY_SIZE(list) &&
				    ((fs->root.dentry == old->dentry && fs->root.mnt == old->mnt) ||
				     (fs->pwd.dentry == old->dentry && fs->pwd.mnt == old->mnt))) {
					refcount_inc(&fs->users);
					list[n++] = fs;
				}
				task_unlock(t);
			}
		}
		up_read(&tasklist_lock);
		more = n == ARRAY_SIZE(list);
		for (unsigned i = 0; i < n; i++) {
			struct fs_struct *fs = list[i];

			if (fs->root.dentry == old->dentry && fs->root.mnt == old->mnt)
				set_fs_root(fs, new);
			if (fs->pwd.dentry == old->dentry && fs->pwd.mnt == old->mnt)
				set_fs_pwd(fs, new);
			put_fs_struct(fs);
		}
	} while (more);
}

static int do_pivot(struct path *new, struct path *old, struct path *root)
{
	struct mount *nm = real_mount(new->mnt), *rm = real_mount(root->mnt), *t;
	struct path nwas, rwas = {};
	bool below = false;

	if (nm->mnt_detached || rm->mnt_detached)
		return -EINVAL;
	if (nm == rm || old->mnt == root->mnt)
		return -EBUSY;
	if (root->dentry != root->mnt->mnt_root || new->dentry != new->mnt->mnt_root || nm->mnt_parent == nm)
		return -EINVAL;
	if (d_unhashed(old->dentry) && !IS_ROOT(old->dentry))
		return -ENOENT;
	for (t = real_mount(old->mnt);; t = t->mnt_parent) {
		if (t == nm)
			below = is_subdir(old->dentry, new->dentry) || t != real_mount(old->mnt);
		if (t == nm || t->mnt_parent == t)
			break;
	}
	if (!below)
		return -EINVAL;
	mount_write_lock();
	unhook_mount(nm, &nwas);
	if (rm->mnt_parent != rm) {
		unhook_mount(rm, &rwas);
		attach_mount(nm, real_mount(rwas.mnt), rwas.dentry);
	}
	attach_mount(rm, real_mount(old->mnt), old->dentry);
	if (rm == root_mount)
		root_mount = nm;
	mount_write_unlock();
	path_put(&nwas);
	if (rwas.mnt)
		path_put(&rwas);
	return 0;
}

SYSCALL_DEFINE2(pivot_root, const char __user *, new_root, const char __user *, put_old)
{
	struct path new, old, root;
	int r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = fname_path(AT_FDCWD, new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);
	if (r)
		return r;
	r = fname_path(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (r)
		goto out_new;
	get_fs_root(current->fs, &root);
	down_write(&namespace_sem);
	r = do_pivot(&new, &old, &root);
	up_write(&namespace_sem);
	if (!r)
		chroot_fs_refs(&root, &new);
	path_put(&root);
	path_put(&old);
out_new:
	path_put(&new);
	return r;
}
