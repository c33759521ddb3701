// SPDX-License-Identifier: Apache-2.0
/* The tree of entries that belong to no task: /proc/meminfo, /proc/sys/... */
#include "internal.h"
#include <husk/module.h>

DECLARE_RWSEM(proc_tree_lock);
static u64 next_ino = 0xf0000000;

struct proc_dir_entry proc_root = {
	.name = "/proc",
	.mode = S_IFDIR | 0555,
	.ino = PROC_ROOT_INO,
	.parent = &proc_root,
	.children = LIST_HEAD_INIT(proc_root.children),
};

static struct proc_dir_entry *pde_find(struct proc_dir_entry *dir, const char *name, unsigned len)
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
	atomic_set(&de->count, 1);
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

void pde_put(struct proc_dir_entry *de)
{
	if (!de || !de->owner || !atomic_dec_and_test(&de->count))
		return;
	kfree(de->link);
	kfree(de->name);
	kfree(de);
}

static void remove_locked(struct proc_dir_entry *de)
{
	while (!list_empty(&de->children))
		remove_locked(list_first_entry(&de->children, struct proc_dir_entry, sibling));
	list_del(&de->sibling);
	de->parent->nchildren--;
	de->parent->nsubdirs -= S_ISDIR(de->mode) != 0;
	WRITE_ONCE(de->removed, true);
	pde_put(de);
}

/**
 * proc_remove - take an entry that a module made, and all below it, out of /proc
 * Files that are open stay so, and keep the module loaded: a module that removes an entry while it lives must keep what its functions use.
 */
void proc_remove(struct proc_dir_entry *de)
{
	if (!de)
		return;
	if (WARN_ON(!de->owner))
		return;
	down_write(&proc_tree_lock);
	remove_locked(de);
	up_write(&proc_tree_lock);
}

void remove_proc_entry(const char *name, struct proc_dir_entry *parent)
{
	struct proc_dir_entry *de;

	down_write(&proc_tree_lock);
	de = pde_find(parent ? parent : &proc_root, name, strlen(name));
	if (de && de->owner)
		remove_locked(de);
	else
		pr_warn("proc: %s is not there to be removed\n", name);
	up_write(&proc_tree_lock);
}

/* Whose entry it is, by the function that serves it or by who asks for it. false: a module that does not say so itself. */
static bool set_owner(struct proc_dir_entry *t, const void *by, const struct file_operations *fop)
{
	if (likely(!is_module_address(by) && !is_module_address(fop)))
		return true;
	t->owner = module_of(is_module_address(by) ? by : fop);
	if (t->owner && (!fop || fop->owner == t->owner))
		return true;
	pr_err("module %s: its file_operations must have .owner = THIS_MODULE\n", module_name(t->owner));
	return false;
}

static const struct file_operations owned_single_fops;

/* Opening what a module serves: the module stays while the file is open. */
static int pde_owned_open(struct inode *inode, struct file *f)
{
	struct proc_dir_entry *de = PROC_I(inode)->pde;
	bool ok;
	int err;

	down_read(&proc_tree_lock);
	ok = !de->removed && try_module_get(de->owner);
	up_read(&proc_tree_lock);
	if (!ok)
		return -ENOENT;
	if (de->fop) {
		f->f_op = de->fop;
		err = de->fop->open ? de->fop->open(inode, f) : 0;
	} else {
		f->f_op = &owned_single_fops;
		err = single_open(f, de->show, de->data);
	}
	if (err)
		module_put(de->owner);
	return err;
}

static int pde_owned_release(struct inode *inode, struct file *f)
{
	struct module *owner = PROC_I(inode)->pde->owner;
	int r = single_release(inode, f);

	module_put(owner);
	return r;
}

static const struct file_operations owned_fops = {.open = pde_owned_open, .llseek = noop_llseek};
static const struct file_operations owned_single_fops = {
	.read = seq_read,
	.read_iter = seq_read_iter,
	.llseek = seq_lseek,
	.release = pde_owned_release,
};

static int pde_single_open(struct inode *inode, struct file *f)
{
	struct proc_dir_entry *de = PROC_I(inode)->pde;

	return single_open(f, de->show, de->data);
}

static const struct file_operations pde_single_fops = {
	.open = pde_single_open,
	.read = seq_read,
	.read_iter = seq_read_iter,
	.llseek = seq_lseek,
	.release = single_release,
};

struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)
{
	struct proc_dir_entry t = {.mode = S_IFDIR | 0555};

	return set_owner(&t, __builtin_return_address(0), NULL) ? proc_tree_add(name, parent, &t) : NULL;
}

struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,
				   const struct file_operations *fop)
{
	struct proc_dir_entry t = {.mode = S_IFREG | (mode & 07777), .fop = fop};

	return set_owner(&t, __builtin_return_address(0), fop) ? proc_tree_add(name, parent, &t) : NULL;
}

struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					int (*show)(struct seq_file *, void *), void *data)
{
	struct proc_dir_entry t = {
		.mode = S_IFREG | ((mode ? mode : 0444) & 07777), .fop = &pde_single_fops, .show = show, .data = data};

	set_owner(&t, show, NULL);
	if (t.owner)
		t.fop = NULL; /* owned_fops */
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
	struct proc_dir_entry *de;

	set_owner(&t, __builtin_return_address(0), NULL);
	de = t.link ? proc_tree_add(name, parent, &t) : NULL;
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
		inode->i_fop = de->owner ? &owned_fops : de->fop;
	}
	if (de->owner)
		atomic_inc(&de->count);
	return inode;
}

/* what was removed is no longer found */
static int owned_revalidate(struct dentry *d, unsigned flags)
{
	return !READ_ONCE(PROC_I(d->d_inode)->pde->removed);
}

static int owned_delete(const struct dentry *d)
{
	return 1;
}

static const struct dentry_operations owned_dops = {.d_revalidate = owned_revalidate, .d_delete = owned_delete};

struct dentry *pde_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	struct proc_dir_entry *de;
	struct inode *inode;

	down_read(&proc_tree_lock);
	de = pde_find(PROC_I(dir)->pde, d->d_name.name, d->d_name.len);
	inode = de ? pde_inode(dir->i_sb, de) : NULL;
	if (de && de->owner)
		d->d_op = &owned_dops;
	up_read(&proc_tree_lock);
	if (!inode)
		return ERR_PTR(de ? -ENOMEM : -ENOENT);
	d_add(d, inode);
	return NULL;
}

/* pde_readdir: entry n is at position n + 2; entries are added at the end, and seldom removed */
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
