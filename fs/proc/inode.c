// SPDX-License-Identifier: Apache-2.0
/* The proc file system's inodes and its super block. */
#include "internal.h"
#include <husk/init.h>

static struct kmem_cache *proc_inode_cache;

static struct inode *proc_alloc_inode(struct super_block *sb)
{
	struct proc_inode *p = kmem_cache_alloc(proc_inode_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	p->pid = NULL;
	p->entry = NULL;
	p->pde = NULL;
	p->fd = 0;
	return &p->vfs_inode;
}

static void proc_free_inode(struct inode *i)
{
	kmem_cache_free(proc_inode_cache, PROC_I(i));
}

static void proc_evict_inode(struct inode *i)
{
	struct pid *pid = PROC_I(i)->pid;

	truncate_inode_pages(&i->i_data, 0);
	clear_inode(i);
	PROC_I(i)->pid = NULL;
	pde_put(PROC_I(i)->pde);
	PROC_I(i)->pde = NULL;
	if (pid)
		put_pid(pid);
}

/* nothing is worth keeping: what a name means is asked again */
static int proc_drop_inode(struct inode *i)
{
	return 1;
}

static const struct super_operations proc_sops = {
	.alloc_inode = proc_alloc_inode,
	.free_inode = proc_free_inode,
	.evict_inode = proc_evict_inode,
	.drop_inode = proc_drop_inode,
	.statfs = simple_statfs,
};

static struct dentry *proc_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct super_block *sb = sget(t, flags);
	struct inode *root;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	sb->s_op = &proc_sops;
	sb->s_magic = PROC_SUPER_MAGIC;
	sb->s_blocksize = 1024;
	root = pde_inode(sb, &proc_root);
	if (root) {
		root->i_op = &proc_root_iops;
		root->i_fop = &proc_root_fops;
		sb->s_root = d_make_root(root);
	}
	if (!sb->s_root) {
		deactivate_super(sb);
		return ERR_PTR(-ENOMEM);
	}
	return dget(sb->s_root);
}

static struct file_system_type proc_type = {
	.name = "proc",
	.fs_flags = FS_USERNS_MOUNT,
	.mount = proc_mount,
	.kill_sb = kill_anon_super,
};

static int proc_init(void)
{
	proc_inode_cache = KMEM_CACHE(proc_inode);
	if (!proc_inode_cache)
		return -ENOMEM;
	return register_filesystem(&proc_type);
}
core_initcall(proc_init);
