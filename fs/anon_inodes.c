// SPDX-License-Identifier: Apache-2.0
/* Files that are nothing but their operations: eventfd, epoll, inotify and the like share one
 * inode. */
#include "internal.h"

static struct vfsmount *anon_mnt;
static struct inode *anon_inode;
static DEFINE_MUTEX(anon_lock);

static char *anon_dname(struct dentry *d, char *buf, int len)
{
	return dynamic_dname(buf, len, "anon_inode:%s", d->d_name.name);
}
static const struct dentry_operations anon_dops = {.d_dname = anon_dname};
static const struct super_operations anon_sops = {.statfs = simple_statfs};

static struct dentry *anon_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct super_block *sb = sget(t, 0);
	struct inode *root;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	sb->s_magic = 0x09041934;
	sb->s_op = &anon_sops;
	sb->s_d_op = &anon_dops;
	root = new_inode(sb);
	if (root)
		root->i_mode = S_IFDIR | 0600;
	sb->s_root = d_make_root(root);
	if (!sb->s_root) {
		deactivate_super(sb);
		return ERR_PTR(-ENOMEM);
	}
	return dget(sb->s_root);
}
static struct file_system_type anon_fs_type = {.name = "anon_inodefs", .mount = anon_mount};

static int anon_init(void)
{
	int r = 0;

	if (likely(smp_load_acquire(&anon_inode)))
		return 0;
	mutex_lock(&anon_lock);
	if (!anon_inode) {
		struct vfsmount *m = anon_mnt ? anon_mnt : kern_mount(&anon_fs_type, NULL);
		struct inode *i;

		if (IS_ERR(m)) {
			r = PTR_ERR(m);
			goto out;
		}
		anon_mnt = m;
		i = new_inode(m->mnt_sb);
		if (!i) {
			r = -ENOMEM;
			goto out;
		}
		/* no file type, as in Linux */
		i->i_mode = 0600;
		i->i_flags |= S_PRIVATE;
		i->i_atime = i->i_mtime = i->i_ctime = current_time(i);
		smp_store_release(&anon_inode, i);
	}
out:
	mutex_unlock(&anon_lock);
	return r;
}

struct file *anon_inode_getfile(const char *name, const struct file_operations *fop, void *priv, int flags)
{
	struct file *f;
	int r = anon_init();

	if (r)
		return ERR_PTR(r);
	ihold(anon_inode);
	f = alloc_file_pseudo(anon_inode, anon_mnt, name, flags & (O_ACCMODE | O_NONBLOCK), fop);
	if (IS_ERR(f))
		iput(anon_inode);
	else
		f->private_data = priv;
	return f;
}

int anon_inode_getfd(const char *name, const struct file_operations *fop, void *priv, int flags)
{
	int fd = get_unused_fd_flags(flags);
	struct file *f;

	if (fd < 0)
		return fd;
	f = anon_inode_getfile(name, fop, priv, flags);
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		return PTR_ERR(f);
	}
	fd_install(fd, f);
	return fd;
}
