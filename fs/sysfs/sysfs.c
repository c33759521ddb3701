// SPDX-License-Identifier: Apache-2.0
/* sysfs: a tree of directories, links and one-page text files, registered by path. */
#include <husk/proc_fs.h>
#include <husk/init.h>

#define SYSFS_MAGIC 0x62656572

/*
 * Children are in the order of their making, found by name in a list. Only what lies below a removable directory is ever removed: it is
 * dead then, and lives on as long as inodes point to it (refs: 1 for the tree, 1 for each inode).
 */
struct sysfs_node {
	char *name;
	unsigned int namelen, nchildren, nsubdirs;
	umode_t mode;
	u64 ino;
	struct sysfs_node *parent;
	struct list_head children, sibling;
	int (*show)(char *buf, size_t n, void *priv);
	int (*store)(const char *buf, size_t n, void *priv);
	void *priv;
	char *target;
	bool removable, dead;
	atomic_t refs;
};

static struct sysfs_node root = {.mode = S_IFDIR | 0555, .ino = 1, .children = LIST_HEAD_INIT(root.children)};
static DECLARE_RWSEM(tree_lock);
static DECLARE_RWSEM(
	use_lock); /* read by who runs a file's show or store, written by who removes; outside of tree_lock */
static u64 next_ino = 2;
static const struct inode_operations dir_iops, file_iops;
static const struct file_operations dir_fops, file_fops;

static struct sysfs_node *find(struct sysfs_node *dir, const char *name, unsigned len)
{
	struct sysfs_node *n;

	list_for_each_entry (n, &dir->children, sibling)
		if (n->namelen == len && !memcmp(n->name, name, len))
			return n;
	return NULL;
}

static struct sysfs_node *add_child(struct sysfs_node *dir, const char *name, unsigned len,
				    const struct sysfs_node *template)
{
	struct sysfs_node *n = kmemdup(template, sizeof(*n), GFP_KERNEL);

	if (!n)
		return NULL;
	n->name = kstrndup(name, len, GFP_KERNEL);
	if (!n->name) {
		kfree(n);
		return NULL;
	}
	n->namelen = len;
	n->ino = next_ino++;
	n->parent = dir;
	n->removable |= dir->removable;
	atomic_set(&n->refs, 1);
	INIT_LIST_HEAD(&n->children);
	list_add_tail(&n->sibling, &dir->children);
	dir->nchildren++;
	dir->nsubdirs += S_ISDIR(n->mode) != 0;
	return n;
}

/* add: directories of the path that are missing are made. 0, -EEXIST, -ENOMEM */
static int add(const char *path, const struct sysfs_node *template)
{
	const struct sysfs_node plain_dir = {.mode = S_IFDIR | 0755};
	struct sysfs_node *dir = &root, *n;
	int err = 0;

	down_write(&tree_lock);
	for (;;) {
		const char *end = strchrnul(path, '/');
		bool last = !*end;

		n = find(dir, path, end - path);
		if (n && last) {
			err = S_ISDIR(n->mode) && S_ISDIR(template->mode) ? 0 : -EEXIST;
			break;
		}
		if (!n)
			n = add_child(dir, path, end - path, last ? template : &plain_dir);
		if (!n)
			err = -ENOMEM;
		if (err || last)
			break;
		dir = n;
		path = end + 1;
	}
	up_write(&tree_lock);
	return err;
}

int sysfs_create_file(const char *path, umode_t mode, int (*show)(char *, size_t, void *),
		      int (*store)(const char *, size_t, void *), void *priv)
{
	struct sysfs_node t = {.mode = S_IFREG | (mode & 0777), .show = show, .store = store, .priv = priv};

	return add(path, &t);
}

int sysfs_create_dir(const char *path)
{
	struct sysfs_node t = {.mode = S_IFDIR | 0755};

	return add(path, &t);
}

int sysfs_create_removable_dir(const char *path)
{
	struct sysfs_node t = {.mode = S_IFDIR | 0755, .removable = true};

	return add(path, &t);
}

static void put_node(struct sysfs_node *n)
{
	if (!n->removable || !atomic_dec_and_test(&n->refs))
		return;
	kfree(n->target);
	kfree(n->name);
	kfree(n);
}

static void remove_locked(struct sysfs_node *n)
{
	while (!list_empty(&n->children))
		remove_locked(list_first_entry(&n->children, struct sysfs_node, sibling));
	list_del(&n->sibling);
	n->parent->nchildren--;
	n->parent->nsubdirs -= S_ISDIR(n->mode) != 0;
	WRITE_ONCE(n->dead, true);
	put_node(n);
}

void sysfs_remove(const char *path)
{
	struct sysfs_node *n = &root;

	down_write(&use_lock);
	down_write(&tree_lock);
	for (const char *end; n && *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, '/');
		n = find(n, path, end - path);
	}
	if (n && n->removable)
		remove_locked(n);
	up_write(&tree_lock);
	up_write(&use_lock);
}

int sysfs_create_link(const char *path, const char *target)
{
	struct sysfs_node t = {.mode = S_IFLNK | 0777, .target = kstrdup(target, GFP_KERNEL)};
	int err = t.target ? add(path, &t) : -ENOMEM;

	if (err)
		kfree(t.target);
	return err;
}

static void (*populate)(void);
static DEFINE_MUTEX(populate_lock);

/* sysfs_populate_later: fn adds what nobody needs before somebody looks into /sys at all */
void sysfs_populate_later(void (*fn)(void))
{
	populate = fn;
}

static void populate_now(void)
{
	void (*fn)(void);

	if (likely(!READ_ONCE(populate)))
		return;
	mutex_lock(&populate_lock);
	fn = populate;
	if (fn)
		fn();
	smp_store_release(&populate, NULL);
	mutex_unlock(&populate_lock);
}

static struct inode *node_inode(struct super_block *sb, struct sysfs_node *n)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = n->ino;
	inode->i_mode = n->mode;
	inode->i_private = n;
	if (n->removable)
		atomic_inc(&n->refs);
	inode->i_nlink = 1;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	if (S_ISDIR(n->mode)) {
		inode->i_nlink = 2 + n->nsubdirs;
		inode->i_op = &dir_iops;
		inode->i_fop = &dir_fops;
	} else if (S_ISLNK(n->mode)) {
		inode->i_op = &simple_symlink_inode_operations;
		inode->i_link = n->target;
	} else {
		inode->i_op = &file_iops;
		inode->i_fop = &file_fops;
		inode->i_size = PAGE_SIZE;
	}
	return inode;
}

/* a name that is not there may be any time later: it is asked for again, and not kept */
static int absent_revalidate(struct dentry *d, unsigned flags)
{
	return d->d_inode != NULL;
}

static int absent_delete(const struct dentry *d)
{
	return 1;
}

static const struct dentry_operations absent_dops = {.d_revalidate = absent_revalidate, .d_delete = absent_delete};

static int removable_revalidate(struct dentry *d, unsigned flags)
{
	struct sysfs_node *n = d->d_inode ? d->d_inode->i_private : NULL;

	return n && !READ_ONCE(n->dead);
}

static const struct dentry_operations removable_dops = {.d_revalidate = removable_revalidate,
							.d_delete = absent_delete};

static struct dentry *sysfs_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	struct sysfs_node *n;
	struct inode *inode;

	populate_now();
	down_read(&tree_lock);
	n = find(dir->i_private, d->d_name.name, d->d_name.len);
	inode = n ? node_inode(dir->i_sb, n) : NULL;
	if (n && n->removable)
		d->d_op = &removable_dops;
	up_read(&tree_lock);
	if (!n) { /* a negative dentry, so that mkdir(2) and the like say EPERM */
		d->d_op = &absent_dops;
		d_add(d, NULL);
		return NULL;
	}
	if (!inode)
		return ERR_PTR(-ENOMEM);
	d_add(d, inode);
	return NULL;
}

static int sysfs_readdir(struct file *f, struct dir_context *ctx)
{
	struct sysfs_node *dir = file_inode(f)->i_private, *n;

	populate_now();
	if (!dir_emit_dots(f, ctx))
		return 0;
	down_read(&tree_lock);
	list_for_each_entry (n, &dir->children, sibling) { /* inode numbers grow, so they are positions that last */
		if ((loff_t)n->ino < ctx->pos)
			continue;
		if (!dir_emit(ctx, n->name, n->namelen, n->ino, S_DT(n->mode)))
			break;
		ctx->pos = n->ino + 1;
	}
	up_read(&tree_lock);
	return 0;
}

static int sysfs_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *inode = p->dentry->d_inode;
	struct sysfs_node *n = inode->i_private;

	if (S_ISDIR(n->mode))
		set_nlink(inode, 2 + n->nsubdirs);
	generic_fillattr(inode, st);
	return 0;
}

static int sysfs_setattr(struct dentry *d, struct iattr *a)
{
	int err = setattr_prepare(d, a);

	if (!err) {
		a->ia_valid &= ~ATTR_SIZE; /* a truncating open changes nothing */
		setattr_copy(d->d_inode, a);
	}
	return err;
}

static int file_open(struct inode *inode, struct file *f)
{
	struct sysfs_node *n = inode->i_private;

	if ((f->f_mode & FMODE_WRITE) && !n->store)
		return -EACCES;
	if ((f->f_mode & FMODE_READ) && !n->show)
		return -EACCES;
	return 0;
}

static ssize_t file_read(struct kiocb *k, struct iov_iter *to)
{
	struct sysfs_node *n = file_inode(k->ki_filp)->i_private;
	char *page = (char *)__get_free_page(GFP_KERNEL);
	size_t want;
	ssize_t r;

	if (!page)
		return -ENOMEM;
	down_read(&use_lock);
	r = n->dead ? -ENODEV : n->show(page, PAGE_SIZE, n->priv);
	up_read(&use_lock);
	if (r >= 0) {
		r = min_t(ssize_t, r, PAGE_SIZE);
		want = k->ki_pos >= r ? 0 : min_t(size_t, r - k->ki_pos, iov_iter_count(to));
		r = copy_to_iter(page + k->ki_pos, want, to);
		k->ki_pos += r;
		if (want && !r)
			r = -EFAULT;
	}
	free_page((unsigned long)page);
	return r;
}

static ssize_t file_write(struct file *f, const char __user *buf, size_t count, loff_t *pos)
{
	struct sysfs_node *n = file_inode(f)->i_private;
	size_t len = min_t(size_t, count, PAGE_SIZE - 1);
	char *page = (char *)__get_free_page(GFP_KERNEL);
	ssize_t r;

	if (!page)
		return -ENOMEM;
	if (copy_from_user(page, buf, len)) {
		r = -EFAULT;
	} else {
		page[len] = 0;
		down_read(&use_lock);
		r = n->dead ? -ENODEV : n->store(page, len, n->priv);
		up_read(&use_lock);
		if (r >= 0)
			r = len;
	}
	free_page((unsigned long)page);
	return r;
}

static const struct inode_operations dir_iops = {
	.lookup = sysfs_lookup, .getattr = sysfs_getattr, .setattr = sysfs_setattr};
static const struct inode_operations file_iops = {.getattr = sysfs_getattr, .setattr = sysfs_setattr};
static const struct file_operations dir_fops = {
	.read = generic_read_dir,
	.iterate_shared = sysfs_readdir,
	.llseek = generic_file_llseek,
};
static const struct file_operations file_fops = {
	.open = file_open,
	.read_iter = file_read,
	.write = file_write,
	.llseek = generic_file_llseek,
};

static void sysfs_evict_inode(struct inode *inode)
{
	truncate_inode_pages(&inode->i_data, 0);
	clear_inode(inode);
	put_node(inode->i_private);
}

static const struct super_operations sysfs_sops = {.statfs = simple_statfs, .evict_inode = sysfs_evict_inode};

static struct dentry *sysfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct super_block *sb = sget(t, flags);
	struct inode *inode;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	sb->s_op = &sysfs_sops;
	sb->s_magic = SYSFS_MAGIC;
	inode = node_inode(sb, &root);
	if (inode)
		sb->s_root = d_make_root(inode);
	if (!sb->s_root) {
		deactivate_super(sb);
		return ERR_PTR(-ENOMEM);
	}
	return dget(sb->s_root);
}

static struct file_system_type sysfs_type = {
	.name = "sysfs",
	.fs_flags = FS_USERNS_MOUNT,
	.mount = sysfs_mount,
	.kill_sb = kill_anon_super,
};

static int sysfs_init(void)
{
	return register_filesystem(&sysfs_type);
}
core_initcall(sysfs_init);
