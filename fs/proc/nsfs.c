// SPDX-License-Identifier: Apache-2.0
/* Namespaces as files: each kind has one namespace, with the number that Linux gives to its first. */
#include "internal.h"
#include <husk/pipe.h>
#include <linux/nsfs.h>

#define NSFS_MAGIC 0x6e736673

static const struct ns_kind {
	const char *name;
	unsigned ino;
	int type;
} kinds[] = {
	{"mnt", 4026531841u, 0x00020000},    {"uts", 4026531838u, 0x04000000},	{"ipc", 4026531839u, 0x08000000},
	{"pid", 4026531836u, 0x20000000},    {"user", 4026531837u, 0x10000000}, {"net", 4026531840u, 0x40000000},
	{"cgroup", 4026531835u, 0x02000000}, {"time", 4026531834u, 0x00000080},
};
#define NR_KINDS ARRAY_SIZE(kinds)

/* arg is one more than the kind's place, 0 being "no argument" */
#define NS_(n, k)                                                                                                      \
	{                                                                                                              \
		.name = n, .mode = S_IFLNK | 0777, .link = proc_ns_link, .arg = (k) + 1                                \
	}
const struct pid_entry ns_entries[] = {
	NS_("cgroup", 6),
	NS_("ipc", 2),
	NS_("mnt", 0),
	NS_("net", 5),
	NS_("pid", 3),
	NS_("pid_for_children", 3),
	NS_("time", 7),
	NS_("time_for_children", 7),
	NS_("user", 4),
	NS_("uts", 1),
	{},
};

static struct vfsmount *nsfs_mnt;
static struct dentry *ns_dentry[NR_KINDS];
static DEFINE_MUTEX(nsfs_lock);

static long ns_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	const struct ns_kind *k = file_inode(f)->i_private;

	switch (cmd) {
	case NS_GET_NSTYPE:
		return k->type;
	case NS_GET_OWNER_UID:
		return k->type == 0x10000000 ? put_user((uid_t)0, (uid_t __user *)arg) : -EINVAL;
	case NS_GET_USERNS:
	case NS_GET_PARENT:
		return -EPERM; /* there is none that the caller could see */
	}
	return -ENOIOCTLCMD;
}

static const struct file_operations ns_fops = {.unlocked_ioctl = ns_ioctl};

static char *ns_dname(struct dentry *d, char *buf, int len)
{
	const struct ns_kind *k = d->d_inode->i_private;

	return dynamic_dname(buf, len, "%s:[%u]", k->name, k->ino);
}

static const struct dentry_operations ns_dops = {.d_dname = ns_dname};

static struct dentry *nsfs_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	return pseudo_mount(t, NULL, &ns_dops, NSFS_MAGIC);
}

static struct file_system_type nsfs_type = {.name = "nsfs", .mount = nsfs_mount, .kill_sb = kill_anon_super};

static struct dentry *make_ns(unsigned kind)
{
	struct qstr name = qstr_init("", 0);
	struct inode *inode = new_inode(nsfs_mnt->mnt_sb);
	struct dentry *d;

	if (!inode)
		return NULL;
	inode->i_ino = kinds[kind].ino;
	inode->i_mode = S_IFREG | 0444;
	inode->i_fop = &ns_fops;
	inode->i_private = (void *)&kinds[kind];
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
	d = d_alloc_pseudo(nsfs_mnt->mnt_sb, &name);
	if (d)
		d_instantiate(d, inode);
	else
		iput(inode);
	return d;
}

int proc_ns_link(struct task_struct *t, unsigned arg, struct path *p)
{
	unsigned kind = arg - 1;
	int err = 0;

	mutex_lock(&nsfs_lock);
	if (!nsfs_mnt) {
		struct vfsmount *m = kern_mount(&nsfs_type, NULL);

		if (IS_ERR(m))
			err = PTR_ERR(m);
		else
			nsfs_mnt = m;
	}
	if (!err && !ns_dentry[kind])
		ns_dentry[kind] = make_ns(kind);
	if (!err && !ns_dentry[kind])
		err = -ENOMEM;
	mutex_unlock(&nsfs_lock);
	if (err)
		return err;
	*p = (struct path){nsfs_mnt, ns_dentry[kind]};
	path_get(p);
	return 0;
}
