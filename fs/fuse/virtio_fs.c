// SPDX-License-Identifier: Apache-2.0
/*
 * The "virtiofs" file system type: shares of the host, found by tag or by device.
 *
 * A device has one connection for as long as the kernel runs, and at most one super block at a time: mounting a share
 * again gives another mount of the same tree.
 */
#include "fuse_i.h"
#include <husk/init.h>

static struct fuse_conn *conns[HOSTIF_MAX_DEVICES];
static DEFINE_MUTEX(conn_mutex);      /* conns[], making a super block */
static DEFINE_SPINLOCK(conn_sb_lock); /* fc->sb against its end */

static struct fuse_conn *fuse_new_conn(struct hostif_device *dev)
{
	struct fuse_conn *fc = kzalloc(sizeof(*fc), GFP_KERNEL);
	struct virtqueue *vq;

	if (!fc)
		return ERR_PTR(-ENOMEM);
	vq = virtqueue_init(&dev->queue[0]);
	if (IS_ERR(vq)) {
		kfree(fc);
		return ERR_CAST(vq);
	}
	fc->dev = dev;
	fc->vq = vq;
	fc->max_chain = virtqueue_max_chain(vq);
	fc->readonly = dev->flags & 1;
	INIT_LIST_HEAD(&fc->followers);
	spin_lock_init(&fc->forget_lock);
	spin_lock_init(&fc->walk_lock);
	INIT_LIST_HEAD(&fc->aheads);
	if (fc->max_chain < 4) {
		pr_err("virtiofs: %s: a queue of %u entries is too small", dev->tag, fc->max_chain);
		return ERR_PTR(-EINVAL);
	}
	return fc;
}

static unsigned boot_ndevices(void)
{
	return min_t(unsigned, boot->ndevices, HOSTIF_MAX_DEVICES);
}

/* "device=N" in the options, or a tag. */
static struct hostif_device *fuse_find_device(const char *tag, const char *opts)
{
	unsigned n = boot_ndevices(), k;

	if (opts && !strncmp(opts, "device=", 7)) {
		k = simple_strtoul(opts + 7, NULL, 10);
		return k < n && boot->device[k].type == HOSTIF_DEV_FS ? &boot->device[k] : NULL;
	}
	for (k = 0; tag && k < n; k++)
		if (boot->device[k].type == HOSTIF_DEV_FS &&
		    !strncmp(boot->device[k].tag, tag, sizeof(boot->device[k].tag)))
			return &boot->device[k];
	return NULL;
}

static struct dentry *fuse_new_sb(struct file_system_type *t, int flags, struct fuse_conn *fc)
{
	struct super_block *sb = sget(t, flags & SB_RDONLY);
	int err;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	scnprintf(sb->s_id, sizeof(sb->s_id), "%s", fc->dev->tag);
	err = fuse_fill_super(sb, fc);
	if (err) {
		deactivate_super(sb);
		return ERR_PTR(err);
	}
	spin_lock(&conn_sb_lock);
	fc->sb = sb;
	spin_unlock(&conn_sb_lock);
	return dget(sb->s_root);
}

/* The share's tree as it is mounted already, or NULL. */
static struct dentry *fuse_same_sb(struct fuse_conn *fc)
{
	struct super_block *sb;

	spin_lock(&conn_sb_lock);
	sb = fc->sb;
	if (sb && !refcount_inc_not_zero(&sb->s_active))
		sb = NULL;
	spin_unlock(&conn_sb_lock);
	return sb ? dget(sb->s_root) : NULL;
}

static void virtiofs_kill_sb(struct super_block *sb)
{
	struct fuse_conn *fc = sb->s_fs_info;

	spin_lock(&conn_sb_lock);
	if (fc && fc->sb == sb)
		fc->sb = NULL;
	spin_unlock(&conn_sb_lock);
	kill_anon_super(sb);
}

static struct dentry *virtiofs_mount(struct file_system_type *t, int flags, const char *tag, void *data)
{
	struct hostif_device *dev = fuse_find_device(tag, data);
	struct fuse_conn *fc;
	struct dentry *root;
	unsigned k;

	if (!dev)
		return ERR_PTR(-EINVAL);
	k = dev - boot->device;
	mutex_lock(&conn_mutex);
	fc = conns[k];
	if (!fc) {
		fc = fuse_new_conn(dev);
		root = ERR_CAST(fc);
		if (IS_ERR(fc))
			goto out;
		conns[k] = fc;
		fuse_read_register(fc);
	}
	root = fuse_same_sb(fc);
	if (!root)
		root = fuse_new_sb(t, flags, fc);
out:
	mutex_unlock(&conn_mutex);
	return root;
}

static struct file_system_type virtiofs_type = {
	.name = "virtiofs",
	.mount = virtiofs_mount,
	.kill_sb = virtiofs_kill_sb,
};

struct vfsmount *virtiofs_kern_mount(struct hostif_device *dev)
{
	char opts[24];

	scnprintf(opts, sizeof(opts), "device=%u", (unsigned)(dev - boot->device));
	return kern_mount(&virtiofs_type, opts);
}

static int virtiofs_init(void)
{
	int err = fuse_req_init();

	return err ? err : register_filesystem(&virtiofs_type);
}
fs_initcall(virtiofs_init);
