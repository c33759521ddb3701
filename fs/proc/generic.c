// SPDX-License-Identifier: Apache-2.0
/* The tree of entries that belong to no task: /proc/meminfo, /proc/sys/... */
#include "internal.h"

DECLARE_RWSEM(proc_tree_lock);
static u64 next_ino = 0xf0000000;

struct proc_dir_entry proc_root = {
	.name = "/proc",
	.mode = S_IFDIR | 0555,
	.ino = PROC_ROOT_INO,
	.parent = &proc_root,
	.children = LIST_HEAD_INIT(proc_root.children),
};

struct proc_dir_entry *pde_find(struct proc_dir_entry *dir, const char *name, unsigned len)
{
	struct proc_dir_entry *de;

	list_for_each_entry (de, &dir->children, sibling)
		if (de->namelen == len && !memcmp(de->name, name, len))
			return de;
	return NULL;
}

static struct proc_dir_entry *add_child(struct proc_dir_entry *dir, const char *name, unsigned len,
					const struct proc_dir_entry *template)
{
	struct proc_dir_entry *de = kzalloc(sizeof(*de), GFP_KERNEL);

	if (!de)
		return NULL;
	*de = *template;
	de->name = kstrndup(name, len, GFP_KERNEL);
	if (!de->name) {
		kfree(de);
		return NULL;
	}
	de->namelen = len;
	de->ino = next_ino++;
	de->parent = dir;
	INIT_LIST_HEAD(&de->children);
	list_add_tail(&de->sibling, &dir->children);
	dir->nchildren++;
	dir->nsubdirs += S_ISDIR(de->mode) != 0;
	return de;
}

/**
 * proc_tree_add - add an entry; directories of its path that are missing are made
 * @template: what the new entry is; its mode holds the type
 * Return: the entry, which may have been there if it is a directory; NULL: no memory, or the name is taken
 */
struct proc_dir_entry *proc_tree_add(const char *path, struct proc_dir_entry *dir, struct proc_dir_entry *template)
{
	const struct proc_dir_entry plain_dir = {.mode = S_IFDIR | 0555};
	struct proc_dir_entry *de = NULL;

	if (!dir)
		dir = &proc_root;
	down_write(&proc_tree_lock);
	for (;;) {
		const char *end = strchrnul(path, '/');
		bool last = !*end;

		de = pde_find(dir, path, end - path);
		if (de && last && !(S_ISDIR(de->mode) && S_ISDIR(template->mode))) {
			pr_warn("proc: %s is there already\n", path);
			de = NULL;
			break;
		}
		if (!de)
			de = add_child(dir, path, end - path, last ? template : &plain_dir);
		if (!de || last)
			break;
		dir = de;
		path = end + 1;
	}
	up_write(&proc_tree_lock);
	return de;
}

static int pde_single_open(struct inode *inode, struct file *f)
{
	struct proc_dir_entry *de = PROC_I(inode)->pde;

	return single_open(f, de->show, de->data);
}

static const struct file_operations pde_single_fops = {
	.open = pde_single_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)
{
	struct proc_dir_entry t = {.mode = S_IFDIR | 0555};

	return proc_tree_add(name, parent, &t);
}

struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,
				   const struct file_operations *fop)
{
	struct proc_dir_entry t = {.mode = S_IFREG | (mode & 07777), .fop = fop};

	return proc_tree_add(name, parent, &t);
}

struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					int (*show)(struct seq_file *, void *), void *data)
{
	struct proc_dir_entry t = {
		.mode = S_IFREG | ((mode ? mode : 0444) & 07777), .fop = &pde_single_fops, .show = show, .data = data};

	return proc_tree_add(name, parent, &t);
}

struct proc_dir_entry *proc_create_single(const char *name, umode_t mode, struct proc_dir_entry *parent,
					  int (*show)(struct seq_file *, void *))
{
	return proc_create_data(name, mode, parent, show, NULL);
}

struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent, const char *target)
{
	struct proc_dir_entry t = {.mode = S_IFLNK | 0777, .link = kstrdup(target, GFP_KERNEL)};
	struct proc_dir_entry *de = t.link ? proc_tree_add(name, parent, &t) : NULL;

	if (!de)
		kfree(t.link);
	return de;
}

void *pde_data(const struct inode *inode)
{
	return PROC_I(inode)->pde->data;
}

int pde_setattr(struct dentry *d, struct iattr *a)
{
	int err = setattr_prepare(d, a);

	if (!err)
		setattr_copy(d->d_inode, a);
	return err;
}

int pde_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *inode = p->dentry->d_inode;
	struct proc_dir_entry *de = PROC_I(inode)->pde;

	if (S_ISDIR(de->mode))
		set_nlink(inode, de->nsubdirs + 2);
	generic_fillattr(inode, st);
	return 0;
}

static const struct inode_operations pde_dir_iops = {
	.lookup = pde_lookup, .getattr = pde_getattr, .setattr = pde_setattr};
static const struct inode_operations pde_file_iops = {.getattr = pde_getattr, .setattr = pde_setattr};
static const struct file_operations pde_dir_fops = {
	.read = generic_read_dir,
	.iterate_shared = pde_readdir,
	.llseek = generic_file_llseek,
};

struct inode *pde_inode(struct super_block *sb, struct proc_dir_entry *de)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	PROC_I(inode)->pde = de;
	inode->i_ino = de->ino;
	inode->i_mode = de->mode;
	inode->i_nlink = S_ISDIR(de->mode) ? 2 + de->nsubdirs : 1;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	if (S_ISDIR(de->mode)) {
		inode->i_op = &pde_dir_iops;
		inode->i_fop = &pde_dir_fops;
	} else if (de->self_link) {
		inode->i_op = &proc_self_iops;
	} else if (S_ISLNK(de->mode)) {
		inode->i_op = &simple_symlink_inode_operations;
		inode->i_link = de->link;
		inode->i_size = strlen(de->link);
	} else {
		inode->i_op = de->iop ? de->iop : &pde_file_iops;
		inode->i_fop = de->fop;
	}
	return inode;
}

struct dentry *pde_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	struct proc_dir_entry *de;
	struct inode *inode;

	down_read(&proc_tree_lock);
	de = pde_find(PROC_I(dir)->pde, d->d_name.name, d->d_name.len);
	up_read(&proc_tree_lock);
	if (!de)
		return ERR_PTR(-ENOENT);
	inode = pde_inode(dir->i_sb, de);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	d_add(d, inode);
	return NULL;
}

/* pde_readdir: entry n is at position n + 2; entries are only added, at the end */
int pde_readdir(struct file *f, struct dir_context *ctx)
{
	struct proc_dir_entry *dir = PROC_I(file_inode(f))->pde, *de;
	loff_t n = 2;

	if (!dir_emit_dots(f, ctx))
		return 0;
	down_read(&proc_tree_lock);
	list_for_each_entry (de, &dir->children, sibling) {
		if (n++ < ctx->pos)
			continue;
		if (!dir_emit(ctx, de->name, de->namelen, de->ino, S_DT(de->mode)))
			break;
		ctx->pos++;
	}
	up_read(&proc_tree_lock);
	return 0;
}
