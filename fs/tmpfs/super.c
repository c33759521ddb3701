// SPDX-License-Identifier: Apache-2.0
/* tmpfs: mount options, limits, statfs. */
#include "tmpfs.h"
#include <husk/seq_file.h>
#include <husk/init.h>

/* ---- options ---- */
static int parse_size(const char *s, u64 total, u64 *out)
{
	char *end;
	u64 v = simple_strtoul(s, &end, 0);

	if (end == s)
		return -EINVAL;
	switch (*end) {
	case '%':
		v = v * total / 100;
		end++;
		break;
	case 't':
	case 'T':
		v <<= 10;
		fallthrough;
	case 'g':
	case 'G':
		v <<= 10;
		fallthrough;
	case 'm':
	case 'M':
		v <<= 10;
		fallthrough;
	case 'k':
	case 'K':
		v <<= 10;
		end++;
		break;
	}
	*out = v;
	return *end ? -EINVAL : 0;
}

static int parse_one(struct shmem_sb *o, const char *key, const char *val)
{
	unsigned long long n;
	u64 v = 0;
	int r;

	if (!strcmp(key, "huge") || !strcmp(key, "mpol") || !strcmp(key, "inode64") || !strcmp(key, "inode32") ||
	    !strcmp(key, "noswap"))
		return 0;
	if (!val)
		return -EINVAL;
	if (!strcmp(key, "size") || !strcmp(key, "nr_blocks") || !strcmp(key, "nr_inodes")) {
		r = parse_size(val, (u64)totalram_pages << PAGE_SHIFT, &v);
		if (r)
			return r;
		if (key[0] == 's')
			o->max_blocks = DIV_ROUND_UP(v, PAGE_SIZE);
		else if (key[3] == 'b')
			o->max_blocks = v;
		else
			o->max_inodes = v;
		if (key[3] != 'i')
			o->size_given = true;
		return 0;
	}
	if (!strcmp(key, "mode")) {
		r = kstrtoull(val, 8, &n);
		o->mode = n & 07777;
		return r ? -EINVAL : 0;
	}
	r = kstrtoull(val, 10, &n) ? -EINVAL : 0;
	if (!strcmp(key, "uid"))
		o->uid = n;
	else if (!strcmp(key, "gid"))
		o->gid = n;
	else
		return -EINVAL;
	return r;
}

static int parse_options(struct shmem_sb *o, const char *data)
{
	char *s, *copy, *next;
	int r = 0;

	if (!data || !*data)
		return 0;
	copy = kstrdup(data, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (s = copy; s && !r; s = next) {
		char *val;

		next = strchr(s, ',');
		if (next)
			*next++ = 0;
		if (!*s)
			continue;
		val = strchr(s, '=');
		if (val)
			*val++ = 0;
		r = parse_one(o, s, val);
	}
	kfree(copy);
	return r;
}

/* ---- super block ---- */
static int shmem_statfs(struct dentry *d, struct kstatfs *st)
{
	struct shmem_sb *s = SHMEM_SB(d->d_sb);
	u64 used;

	st->f_type = d->d_sb->s_magic;
	st->f_bsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	if (s->max_blocks) {
		used = atomic64_read(&s->used_blocks);
		st->f_blocks = s->max_blocks;
		st->f_bavail = st->f_bfree = used < s->max_blocks ? s->max_blocks - used : 0;
	}
	if (s->max_inodes) {
		used = atomic64_read(&s->used_inodes);
		st->f_files = s->max_inodes;
		st->f_ffree = used < s->max_inodes ? s->max_inodes - used : 0;
	}
	return 0;
}

static int shmem_show_options(struct seq_file *m, struct dentry *root)
{
	struct shmem_sb *s = SHMEM_SB(root->d_sb);

	if (s->size_given)
		seq_printf(m, ",size=%luk", (unsigned long)s->max_blocks << (PAGE_SHIFT - 10));
	if (s->max_inodes && s->max_inodes != totalram_pages / 2)
		seq_printf(m, ",nr_inodes=%lu", (unsigned long)s->max_inodes);
	if (s->mode != 01777)
		seq_printf(m, ",mode=%03o", s->mode);
	if (s->uid)
		seq_printf(m, ",uid=%u", s->uid);
	if (s->gid)
		seq_printf(m, ",gid=%u", s->gid);
	if (s->max_blocks)
		seq_puts(m, ",inode64");
	return 0;
}

static int shmem_remount(struct super_block *sb, unsigned long *flags, char *data)
{
	struct shmem_sb *s = SHMEM_SB(sb), n = *s;
	int r = parse_options(&n, data);

	if (r)
		return r;
	if ((n.max_blocks && atomic64_read(&s->used_blocks) > n.max_blocks) ||
	    (n.max_inodes && atomic64_read(&s->used_inodes) > n.max_inodes))
		return -EINVAL;
	if ((!s->max_blocks && n.max_blocks) || (!s->max_inodes && n.max_inodes))
		return -EINVAL;
	s->max_blocks = n.max_blocks;
	s->max_inodes = n.max_inodes;
	s->size_given = n.size_given;
	return 0;
}

static void shmem_put_super(struct super_block *sb)
{
	kfree(sb->s_fs_info);
	sb->s_fs_info = NULL;
}

static struct kmem_cache *shmem_inode_cache;

static struct inode *shmem_alloc_inode(struct super_block *sb)
{
	struct shmem_inode *si = kmem_cache_alloc(shmem_inode_cache, GFP_KERNEL);

	if (!si)
		return NULL;
	mutex_init(&si->alloc_lock);
	si->charged = 0;
	si->seals = 1; /* F_SEAL_SEAL */
	atomic_set(&si->writable_maps, 0);
	si->granules = false;
	si->xattrs = (struct simple_xattrs){NULL, __SPIN_LOCK_UNLOCKED};
	si->fsflags = 0;
	return &si->vfs;
}

static void shmem_free_inode(struct inode *i)
{
	kmem_cache_free(shmem_inode_cache, SHMEM_I(i));
}

static void shmem_evict_inode(struct inode *i)
{
	struct shmem_sb *s = SHMEM_SB(i->i_sb);

	if (i->i_data.nrpages)
		truncate_inode_pages(&i->i_data, 0);
	shmem_recalc(i);
	if (SHMEM_I(i)->xattrs.head)
		simple_xattrs_free(&SHMEM_I(i)->xattrs);
	if (S_ISLNK(i->i_mode))
		kfree(i->i_link);
	if (s)
		atomic64_dec(&s->used_inodes);
	clear_inode(i);
}

const struct super_operations shmem_sops = {
	.alloc_inode = shmem_alloc_inode,
	.free_inode = shmem_free_inode,
	.evict_inode = shmem_evict_inode,
	.statfs = shmem_statfs,
	.remount_fs = shmem_remount,
	.show_options = shmem_show_options,
	.put_super = shmem_put_super,
};

/* shmem_fill_super: the super block gets a copy of opts and a root. */
int shmem_fill_super(struct super_block *sb, struct shmem_sb *opts, bool ramfs)
{
	struct shmem_sb *s = kmemdup(opts, sizeof(*opts), GFP_KERNEL);
	struct inode *root;

	if (!s)
		return -ENOMEM;
	if (!shmem_inode_cache)
		shmem_inode_cache = KMEM_CACHE(shmem_inode);
	sb->s_fs_info = s;
	sb->s_magic = ramfs ? RAMFS_MAGIC : TMPFS_MAGIC;
	sb->s_op = &shmem_sops;
	sb->s_maxbytes = INT64_MAX;
	sb->s_time_gran = 1;
	root = shmem_make_inode(sb, NULL, S_IFDIR | s->mode, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_uid = s->uid;
	root->i_gid = s->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static struct dentry *mount_mem(struct file_system_type *t, int flags, void *data, bool ramfs)
{
	struct shmem_sb o = {.mode = ramfs ? 0755 : 01777, .uid = current_fsuid(), .gid = current_fsgid()};
	struct super_block *sb;
	int r;

	if (!ramfs)
		o.max_blocks = o.max_inodes = totalram_pages / 2;
	r = parse_options(&o, data);
	if (r)
		return ERR_PTR(r);
	sb = sget(t, flags);
	if (IS_ERR(sb))
		return ERR_CAST(sb);
	r = shmem_fill_super(sb, &o, ramfs);
	if (r) {
		deactivate_super(sb);
		return ERR_PTR(r);
	}
	return dget(sb->s_root);
}

static struct dentry *tmpfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return mount_mem(t, flags, data, false);
}

static struct dentry *ramfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return mount_mem(t, flags, data, true);
}

static struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.fs_flags = FS_USERNS_MOUNT,
	.mount = tmpfs_mount,
	.kill_sb = kill_litter_super,
};
static struct file_system_type ramfs_type = {
	.name = "ramfs",
	.fs_flags = FS_USERNS_MOUNT,
	.mount = ramfs_mount,
	.kill_sb = kill_litter_super,
};

static int tmpfs_init(void)
{
	int r = register_filesystem(&tmpfs_type);

	return r ? r : register_filesystem(&ramfs_type);
}
fs_initcall(tmpfs_init);
