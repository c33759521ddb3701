// SPDX-License-Identifier: Apache-2.0
/* devtmpfs: one tmpfs instance, filled by the drivers, mounted on /dev. */
#include <husk/fs.h>
#include <husk/init.h>

static struct vfsmount *dev_mnt;
static DEFINE_MUTEX(dev_lock); /* the making of dev_mnt, and changes by the kernel */

/* dev_root: the instance; made when first asked for, since drivers come before anybody mounts it. dev_lock held. */
static struct dentry *dev_root(void)
{
	struct file_system_type *tmpfs;
	struct vfsmount *m;
	char opts[] = "mode=0755";

	if (dev_mnt)
		return dev_mnt->mnt_root;
	tmpfs = get_fs_type("tmpfs");
	if (!tmpfs)
		return ERR_PTR(-ENODEV);
	m = kern_mount(tmpfs, opts);
	if (IS_ERR(m))
		return ERR_CAST(m);
	dev_mnt = m;
	return m->mnt_root;
}

/* walk_parent: the directory of a name such as "net/tun", missing ones made; *last gets the last component. A reference. */
static struct dentry *walk_parent(const char *name, const char **last, bool make)
{
	struct dentry *dir = dev_root(), *d;
	const char *slash;
	int err = 0;

	if (IS_ERR(dir))
		return dir;
	dget(dir);
	while ((slash = strchr(name, '/'))) {
		inode_lock(dir->d_inode);
		d = lookup_one_len(name, dir, slash - name);
		if (!IS_ERR(d) && d_is_negative(d)) {
			err = make ? vfs_mkdir(dir->d_inode, d, 0755) : -ENOENT;
			if (err) {
				dput(d);
				d = ERR_PTR(err);
			}
		}
		inode_unlock(dir->d_inode);
		dput(dir);
		if (IS_ERR(d))
			return d;
		dir = d;
		name = slash + 1;
	}
	*last = name;
	return dir;
}

/* change: one entry of the tree. target: a link; mode != 0: a node or directory; neither: remove. */
static int change(const char *name, const char *target, umode_t mode, dev_t dev)
{
	const char *last = NULL;
	struct dentry *dir, *d;
	bool make = target || mode;
	int err;

	mutex_lock(&dev_lock);
	dir = walk_parent(name, &last, make);
	if (IS_ERR(dir)) {
		mutex_unlock(&dev_lock);
		return PTR_ERR(dir);
	}
	inode_lock(dir->d_inode);
	d = lookup_one_len(last, dir, strlen(last));
	err = PTR_ERR_OR_ZERO(d);
	if (err)
		goto out;
	if (make && d_is_positive(d))
		err = -EEXIST;
	else if (target)
		err = vfs_symlink(dir->d_inode, d, target);
	else if (S_ISDIR(mode))
		err = vfs_mkdir(dir->d_inode, d, mode & 07777);
	else if (mode)
		err = vfs_mknod(dir->d_inode, d, mode, dev);
	else
		err = d_is_positive(d) ? vfs_unlink(dir->d_inode, d) : -ENOENT;
	if (!err && mode) /* whatever the umask of the caller */
		d->d_inode->i_mode = (d->d_inode->i_mode & S_IFMT) | (mode & 07777);
	dput(d);
out:
	inode_unlock(dir->d_inode);
	dput(dir);
	mutex_unlock(&dev_lock);
	return err;
}

int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev)
{
	int err = change(name, NULL, mode, dev);

	if (err)
		pr_warn("devtmpfs: %s: error %d\n", name, err);
	return err;
}

int devtmpfs_create_link(const char *name, const char *target)
{
	return change(name, target, 0, 0);
}

int devtmpfs_delete_node(const char *name)
{
	return change(name, NULL, 0, 0);
}

static struct dentry *devtmpfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct dentry *root;

	mutex_lock(&dev_lock);
	root = dev_root();
	if (!IS_ERR(root)) {
		refcount_inc(&root->d_sb->s_active);
		dget(root);
	}
	mutex_unlock(&dev_lock);
	return root;
}

/* kern_mount's reference keeps the instance for ever, so this is never the end of it */
static void devtmpfs_kill_sb(struct super_block *sb)
{
}

static struct file_system_type devtmpfs_type = {
	.name = "devtmpfs",
	.mount = devtmpfs_mount,
	.kill_sb = devtmpfs_kill_sb,
};

static int devtmpfs_register(void)
{
	return register_filesystem(&devtmpfs_type);
}
fs_initcall(devtmpfs_register);

static int devtmpfs_populate(void)
{
	struct dentry *root;

	mutex_lock(&dev_lock);
	root = dev_root();
	if (!IS_ERR(root))
		root->d_sb->s_type = &devtmpfs_type; /* as it is called in /proc/mounts */
	mutex_unlock(&dev_lock);
	if (IS_ERR(root))
		return PTR_ERR(root);
	devtmpfs_create_node("pts", S_IFDIR | 0755, 0);
	devtmpfs_create_node("shm", S_IFDIR | 01777, 0);
	devtmpfs_create_node("mqueue", S_IFDIR | 01777, 0);
	devtmpfs_create_link("fd", "/proc/self/fd");
	devtmpfs_create_link("stdin", "/proc/self/fd/0");
	devtmpfs_create_link("stdout", "/proc/self/fd/1");
	devtmpfs_create_link("stderr", "/proc/self/fd/2");
	return 0;
}
device_initcall(devtmpfs_populate);
