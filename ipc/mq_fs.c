// SPDX-License-Identifier: Apache-2.0
/* mqueue: the file system whose files are POSIX message queues, one instance a sandbox; its limits in /proc/sys/fs/mqueue. */
#include "mqueue.h"
#include <husk/init.h>
#include <husk/poll.h>
#include <husk/proc_fs.h>

#define MQUEUE_MAGIC 0x19800202
#define MQ_FILE_SIZE 80 /* what stat shows */

int mq_msg_max = 10, mq_msgsize_max = 8192, mq_msg_default = 10, mq_msgsize_default = 8192, mq_queues_max = 256;
static atomic_t queues;
static struct vfsmount *mounted;
static DEFINE_MUTEX(mount_mutex);

/* ---- queues as files ---- */

static ssize_t mq_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct mq *q = file_inode(f)->i_private;
	bool signals;
	char text[80];
	int len;

	spin_lock(&q->lock);
	signals = q->owner && !q->event.notify;
	len = snprintf(text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		       (unsigned long)q->size, q->owner ? q->event.notify : 0, signals ? q->event.signo : 0,
		       q->owner ? q->owner->nr : 0);
	spin_unlock(&q->lock);
	return simple_read_from_buffer(buf, n, pos, text, len);
}

static u32 mq_poll(struct file *f, poll_table *pt)
{
	struct mq *q = file_inode(f)->i_private;
	u32 mask = 0;

	poll_wait(f, &q->wait_receive, pt);
	poll_wait(f, &q->wait_send, pt);
	spin_lock(&q->lock);
	if (q->count)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (q->count < q->maxmsg)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock(&q->lock);
	return mask;
}

static int mq_flush(struct file *f)
{
	mq_forget_owner(file_inode(f)->i_private);
	return 0;
}

const struct file_operations mq_file_operations = {
	.read = mq_read,
	.poll = mq_poll,
	.flush = mq_flush,
	.llseek = generic_file_llseek,
};

static const struct inode_operations mq_file_iops = {.setattr = simple_setattr, .getattr = simple_getattr};

static struct inode *mq_inode(struct inode *dir, umode_t mode, const struct mq_attr *attr)
{
	struct mq *q = mq_new(attr);
	struct inode *i;

	if (IS_ERR(q))
		return ERR_CAST(q);
	i = new_inode(dir->i_sb);
	if (!i) {
		mq_free(q);
		return ERR_PTR(-ENOMEM);
	}
	inode_init_owner(i, dir, mode);
	i->i_atime = i->i_mtime = i->i_ctime = current_time(i);
	i->i_private = q;
	i->i_size = MQ_FILE_SIZE;
	i->i_op = &mq_file_iops;
	i->i_fop = &mq_file_operations;
	atomic_inc(&queues);
	return i;
}

int mq_create_inode(struct inode *dir, struct dentry *d, umode_t mode, const struct mq_attr *attr)
{
	struct inode *i;

	if (atomic_read(&queues) >= READ_ONCE(mq_queues_max) && !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	i = mq_inode(dir, S_IFREG | (mode & 07777), attr);
	if (IS_ERR(i))
		return PTR_ERR(i);
	dir->i_mtime = dir->i_ctime = current_time(dir);
	dget(d); /* an entry holds itself */
	d_instantiate(d, i);
	d_rehash(d);
	return 0;
}

static int mq_create(struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	return mq_create_inode(dir, d, mode, NULL);
}

static const struct inode_operations mq_dir_iops = {
	.lookup = simple_lookup,
	.create = mq_create,
	.unlink = simple_unlink,
	.getattr = simple_getattr,
};

static void mq_evict(struct inode *i)
{
	struct mq *q = i->i_private;

	clear_inode(i);
	if (!S_ISREG(i->i_mode) || !q)
		return;
	mq_free(q);
	atomic_dec(&queues);
}

/* ---- the file system ---- */

static const struct super_operations mq_sops = {.statfs = simple_statfs, .evict_inode = mq_evict};

static struct super_block *mq_super(struct file_system_type *t)
{
	struct super_block *sb = sget(t, 0);
	struct inode *root;

	if (IS_ERR(sb))
		return sb;
	sb->s_magic = MQUEUE_MAGIC;
	sb->s_op = &mq_sops;
	root = new_inode(sb);
	if (root) {
		root->i_mode = S_IFDIR | S_ISVTX | 0777;
		root->i_nlink = 2;
		root->i_op = &mq_dir_iops;
		root->i_fop = &simple_dir_operations;
		root->i_atime = root->i_mtime = root->i_ctime = current_time(root);
		sb->s_root = d_make_root(root);
	}
	if (sb->s_root)
		return sb;
	deactivate_super(sb);
	return ERR_PTR(-ENOMEM);
}

static struct dentry *mq_mount_op(struct file_system_type *t, int flags, const char *dev, void *data);
static struct file_system_type mq_type = {
	.name = "mqueue",
	.fs_flags = FS_USERNS_MOUNT,
	.mount = mq_mount_op,
	.kill_sb = kill_litter_super,
};

/* The internal mount (data: &mounted) makes the one instance and keeps it; all others show it too. */
static struct dentry *mq_mount_op(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct super_block *sb;
	struct vfsmount *m;

	if (data == &mounted) {
		sb = mq_super(t);
	} else {
		m = mq_mount();
		sb = IS_ERR(m) ? ERR_CAST(m) : m->mnt_sb;
		if (!IS_ERR(sb))
			refcount_inc(&sb->s_active);
	}
	return IS_ERR(sb) ? ERR_CAST(sb) : dget(sb->s_root);
}

struct vfsmount *mq_mount(void)
{
	struct vfsmount *m = smp_load_acquire(&mounted);

	if (likely(m))
		return m;
	mutex_lock(&mount_mutex);
	m = mounted;
	if (!m) {
		m = kern_mount(&mq_type, &mounted);
		if (!IS_ERR(m))
			smp_store_release(&mounted, m);
	}
	mutex_unlock(&mount_mutex);
	return m;
}

SYSCTL_INT("fs/mqueue/msg_max", 0644, mq_msg_max, 1, MQ_HARD_MSGMAX);
SYSCTL_INT("fs/mqueue/msgsize_max", 0644, mq_msgsize_max, 128, MQ_HARD_MSGSIZEMAX);
SYSCTL_INT("fs/mqueue/msg_default", 0644, mq_msg_default, 1, MQ_HARD_MSGMAX);
SYSCTL_INT("fs/mqueue/msgsize_default", 0644, mq_msgsize_default, 128, MQ_HARD_MSGSIZEMAX);
SYSCTL_INT("fs/mqueue/queues_max", 0644, mq_queues_max, 0, INT32_MAX);

static int mq_setup(void)
{
	return register_filesystem(&mq_type);
}
fs_initcall(mq_setup);
