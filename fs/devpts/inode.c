// SPDX-License-Identifier: Apache-2.0
/* devpts: the slaves of pseudo-terminals as files /dev/pts/N, and a ptmx of its own. */
#include <husk/tty.h>
#include <husk/device.h>
#include <husk/init.h>
#include <husk/seq_file.h>

/*
 * DOC: every mount is an instance with its own numbers. /dev/ptmx belongs to no instance: opening it uses the one
 * mounted on the directory "pts" beside it, else the first one ever mounted. An open pty holds its instance's super
 * block active.
 */

#define DEVPTS_SUPER_MAGIC 0x1cd1
#define PTY_MAX 4096

struct pts_fs_info {
	struct super_block *sb;
	struct mutex lock;
	DECLARE_BITMAP(used, PTY_MAX);
	unsigned int max, count;
	uid_t uid;
	gid_t gid;
	bool setuid, setgid;
	umode_t mode, ptmxmode;
	struct dentry *ptmx;
};

static struct pts_fs_info *default_instance;
static atomic_t pty_total = ATOMIC_INIT(0);

static bool parse_number(const char *s, unsigned base, unsigned *v)
{
	char *end;

	*v = simple_strtoul(s, &end, base);
	return end != s && !*end;
}

static int parse_option(struct pts_fs_info *fsi, char *opt)
{
	char *value = strchr(opt, '=');
	unsigned v = 0;

	if (value)
		*value++ = 0;
	if (!strcmp(opt, "newinstance") || !*opt)
		return 0;
	if (!value || !parse_number(value, !strcmp(opt, "mode") || !strcmp(opt, "ptmxmode") ? 8 : 10, &v))
		return -EINVAL;
	if (!strcmp(opt, "uid")) {
		fsi->uid = v;
		fsi->setuid = true;
	} else if (!strcmp(opt, "gid")) {
		fsi->gid = v;
		fsi->setgid = true;
	} else if (!strcmp(opt, "mode")) {
		fsi->mode = v & 07777;
	} else if (!strcmp(opt, "ptmxmode")) {
		fsi->ptmxmode = v & 07777;
	} else if (!strcmp(opt, "max")) {
		if (v > PTY_MAX)
			return -EINVAL;
		fsi->max = v;
	} else {
		return -EINVAL;
	}
	return 0;
}

static int parse_options(struct pts_fs_info *fsi, const char *data)
{
	char *copy, *p, *next;
	int err = 0;

	fsi->mode = 0600;
	fsi->ptmxmode = 0;
	fsi->max = PTY_MAX;
	fsi->setuid = fsi->setgid = false;
	if (!data)
		return 0;
	copy = kstrdup(data, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (p = copy; p && !err; p = next) {
		next = strchr(p, ',');
		if (next)
			*next++ = 0;
		err = parse_option(fsi, p);
	}
	kfree(copy);
	return err;
}

static int devpts_remount(struct super_block *sb, unsigned long *flags, char *data)
{
	struct pts_fs_info *fsi = sb->s_fs_info;
	int err = parse_options(fsi, data);

	if (!err && fsi->ptmx)
		fsi->ptmx->d_inode->i_mode = S_IFCHR | fsi->ptmxmode;
	return err;
}

static int devpts_show_options(struct seq_file *m, struct dentry *root)
{
	struct pts_fs_info *fsi = root->d_sb->s_fs_info;

	if (fsi->setuid)
		seq_printf(m, ",uid=%u", fsi->uid);
	if (fsi->setgid)
		seq_printf(m, ",gid=%u", fsi->gid);
	seq_printf(m, ",mode=%03o,ptmxmode=%03o", fsi->mode, fsi->ptmxmode);
	if (fsi->max < PTY_MAX)
		seq_printf(m, ",max=%u", fsi->max);
	return 0;
}

static void devpts_put_super(struct super_block *sb)
{
	if (default_instance == sb->s_fs_info)
		default_instance = NULL;
	kfree(sb->s_fs_info);
}

static const struct super_operations devpts_ops = {
	.statfs = simple_statfs,
	.remount_fs = devpts_remount,
	.show_options = devpts_show_options,
	.put_super = devpts_put_super,
};

static int devpts_setattr(struct dentry *d, struct iattr *a)
{
	int err = setattr_prepare(d, a);

	if (!err)
		setattr_copy(d->d_inode, a);
	return err;
}

static const struct inode_operations pts_inode_operations = {
	.setattr = devpts_setattr,
	.getattr = simple_getattr,
};

static struct inode *pts_inode(struct super_block *sb, umode_t mode, u64 ino)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = ino;
	inode->i_mode = mode;
	inode->i_nlink = 1;
	inode->i_op = &pts_inode_operations;
	inode->i_atime = inode->i_mtime = inode->i_ctime = inode->i_btime = current_time(inode);
	return inode;
}

/* add_node: a character device in the root directory. The dentry's first reference keeps it. */
static struct dentry *add_node(struct super_block *sb, const char *name, umode_t mode, dev_t dev, u64 ino, void *priv,
			       uid_t uid, gid_t gid)
{
	struct inode *inode = pts_inode(sb, S_IFCHR | mode, ino);
	struct dentry *d;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	init_special_inode(inode, S_IFCHR | mode, dev);
	inode->i_op = &pts_inode_operations;
	inode->i_private = priv;
	inode->i_uid = uid;
	inode->i_gid = gid;
	inode_lock(sb->s_root->d_inode);
	d = d_alloc_name(sb->s_root, name);
	if (d)
		d_add(d, inode);
	inode_unlock(sb->s_root->d_inode);
	if (!d) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	return d;
}

static int fill_super(struct super_block *sb, void *data)
{
	struct pts_fs_info *fsi = kzalloc(sizeof(*fsi), GFP_KERNEL);
	struct inode *root;
	int err;

	if (!fsi)
		return -ENOMEM;
	sb->s_fs_info = fsi;
	sb->s_op = &devpts_ops;
	sb->s_magic = DEVPTS_SUPER_MAGIC;
	sb->s_blocksize = 1024;
	fsi->sb = sb;
	mutex_init(&fsi->lock);
	err = parse_options(fsi, data);
	if (err)
		goto out;
	err = -ENOMEM;
	root = pts_inode(sb, S_IFDIR | 0755, 1);
	if (!root)
		goto out;
	root->i_op = &simple_dir_inode_operations;
	root->i_fop = &simple_dir_operations;
	set_nlink(root, 2);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		goto out;
	fsi->ptmx = add_node(sb, "ptmx", fsi->ptmxmode, MKDEV(TTYAUX_MAJOR, 2), 2, NULL, 0, 0);
	if (IS_ERR(fsi->ptmx))
		return PTR_ERR(fsi->ptmx);
	if (!default_instance)
		default_instance = fsi;
	return 0;
out:
	kfree(fsi);
	sb->s_fs_info = NULL;
	return err;
}

static struct dentry *devpts_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct super_block *sb = sget(t, flags);
	int err;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	err = fill_super(sb, data);
	if (err) {
		deactivate_super(sb);
		return ERR_PTR(err);
	}
	return dget(sb->s_root);
}

static struct file_system_type devpts_type = {
	.name = "devpts",
	.mount = devpts_mount,
	.kill_sb = kill_litter_super,
};

static bool path_is_devpts_root(const struct path *p)
{
	return p->dentry->d_sb->s_magic == DEVPTS_SUPER_MAGIC && p->dentry == p->dentry->d_sb->s_root;
}

/* sibling_pts: the devpts on "pts" in the directory of an opened /dev/ptmx; NULL where there is none */
static struct pts_fs_info *sibling_pts(struct file *ptmx, struct path *found)
{
	char *page = (char *)__get_free_page(GFP_KERNEL), *path, *slash;
	struct pts_fs_info *fsi = NULL;

	if (!page)
		return NULL;
	path = d_path(&ptmx->f_path, page, PAGE_SIZE - 8);
	slash = IS_ERR(path) ? NULL : strrchr(path, '/');
	if (slash) {
		strcpy(slash + 1, "pts");
		if (!kern_path(path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, found)) {
			if (path_is_devpts_root(found))
				fsi = found->dentry->d_sb->s_fs_info;
			else
				path_put(found);
		}
	}
	free_page((unsigned long)page);
	return fsi;
}

/**
 * devpts_acquire - the instance in which an open of @ptmx makes its pty
 * @mnt: gets a reference to the mount, or NULL
 * Return: the instance, held until devpts_release(), or ERR_PTR(-ENODEV)
 */
struct pts_fs_info *devpts_acquire(struct file *ptmx, struct vfsmount **mnt)
{
	struct path p = {NULL, NULL};
	struct pts_fs_info *fsi;

	*mnt = NULL;
	if (ptmx->f_path.dentry->d_sb->s_magic == DEVPTS_SUPER_MAGIC) {
		fsi = ptmx->f_path.dentry->d_sb->s_fs_info;
		*mnt = mntget(ptmx->f_path.mnt);
	} else {
		fsi = sibling_pts(ptmx, &p);
		if (fsi) {
			*mnt = mntget(p.mnt);
		} else {
			fsi = default_instance;
		}
	}
	if (!fsi)
		return ERR_PTR(-ENODEV);
	refcount_inc(&fsi->sb->s_active);
	if (p.dentry)
		path_put(&p);
	return fsi;
}

void devpts_release(struct pts_fs_info *fsi)
{
	deactivate_super(fsi->sb);
}

int devpts_new_index(struct pts_fs_info *fsi)
{
	int index;

	if (atomic_inc_return(&pty_total) > PTY_MAX) {
		atomic_dec(&pty_total);
		return -ENOSPC;
	}
	mutex_lock(&fsi->lock);
	index = find_first_zero_bit(fsi->used, PTY_MAX);
	if (index >= fsi->max)
		index = -ENOSPC;
	else
		set_bit(index, fsi->used);
	mutex_unlock(&fsi->lock);
	if (index < 0)
		atomic_dec(&pty_total);
	return index;
}

void devpts_kill_index(struct pts_fs_info *fsi, int index)
{
	mutex_lock(&fsi->lock);
	clear_bit(index, fsi->used);
	mutex_unlock(&fsi->lock);
	atomic_dec(&pty_total);
}

/* devpts_pty_new: the file of a slave; held until devpts_pty_kill() */
struct dentry *devpts_pty_new(struct pts_fs_info *fsi, int index, struct tty_struct *slave)
{
	char name[12];
	struct dentry *d;

	snprintf(name, sizeof(name), "%d", index);
	d = add_node(fsi->sb, name, fsi->mode, MKDEV(UNIX98_PTY_SLAVE_MAJOR, index), index + 3, slave,
		     fsi->setuid ? fsi->uid : current_fsuid(), fsi->setgid ? fsi->gid : current_fsgid());
	if (!IS_ERR(d))
		fsnotify(0x100 /* IN_CREATE */, fsi->sb->s_root->d_inode, d->d_inode, name, 0);
	return d;
}

struct tty_struct *devpts_get_tty(struct inode *inode)
{
	if (inode->i_sb->s_magic != DEVPTS_SUPER_MAGIC || !inode->i_private)
		return ERR_PTR(-EIO);
	return tty_get(inode->i_private);
}

/* devpts_pty_kill: the slave can be opened no more; under tty_mutex */
void devpts_pty_kill(struct dentry *d)
{
	struct inode *dir = d->d_sb->s_root->d_inode;

	inode_lock(dir);
	d->d_inode->i_private = NULL;
	clear_nlink(d->d_inode);
	fsnotify(0x200 /* IN_DELETE */, dir, d->d_inode, d->d_name.name, 0);
	d_drop(d);
	inode_unlock(dir);
	dput(d);
}

static int devpts_init(void)
{
	return register_filesystem(&devpts_type);
}
fs_initcall(devpts_init);
