// SPDX-License-Identifier: Apache-2.0
/* The mount table as text: /proc/PID/mounts, mountinfo, mountstats. */
#include "mount_internal.h"
#include <husk/poll.h>
#include <husk/seq_file.h>
#include <linux/mount.h>

#define ESC " \t\n\\"

static void show_mnt_opts(struct seq_file *m, int fl)
{
	static const struct {
		int flag;
		const char *str;
	} opts[] = {
		{MNT_NOSUID, ",nosuid"},	   {MNT_NODEV, ",nodev"},	    {MNT_NOEXEC, ",noexec"},
		{MNT_NOATIME, ",noatime"},	   {MNT_NODIRATIME, ",nodiratime"}, {MNT_RELATIME, ",relatime"},
		{MNT_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(opts); i++)
		if (fl & opts[i].flag)
			seq_puts(m, opts[i].str);
}

/* Is this mount seen from root? */
static bool reachable(struct mount *m, const struct path *root)
{
	struct dentry *d = m->mnt.mnt_root;

	while (&m->mnt != root->mnt && m->mnt_parent != m) {
		d = m->mnt_mountpoint;
		m = m->mnt_parent;
	}
	return &m->mnt == root->mnt && is_subdir(d, root->dentry);
}

static void show_sb_opts(struct seq_file *m, struct mount *mnt)
{
	struct super_block *sb = mnt->mnt.mnt_sb;

	if (sb->s_op && sb->s_op->show_options)
		sb->s_op->show_options(m, mnt->mnt.mnt_root);
}

static void show_one_mount(struct seq_file *m, struct mount *mnt)
{
	struct path p = {&mnt->mnt, mnt->mnt.mnt_root};

	seq_escape(m, mnt->mnt_devname, ESC);
	seq_putc(m, ' ');
	seq_path(m, &p, ESC);
	seq_printf(m, " %s %s", p.mnt->mnt_sb->s_type->name, __mnt_is_readonly(p.mnt) ? "ro" : "rw");
	show_mnt_opts(m, p.mnt->mnt_flags);
	show_sb_opts(m, mnt);
	seq_puts(m, " 0 0\n");
}

static void show_one_info(struct seq_file *m, struct mount *mnt)
{
	struct path p = {&mnt->mnt, mnt->mnt.mnt_root};
	struct super_block *sb = p.mnt->mnt_sb;
	char *buf = (char *)__get_free_page(GFP_KERNEL), *s;
	int parent = mnt->mnt_parent == mnt ? 1 : mnt->mnt_parent->mnt_id;

	if (!buf)
		return;
	seq_printf(m, "%d %d %u:%u ", mnt->mnt_id, parent, MAJOR(sb->s_dev), MINOR(sb->s_dev));
	s = dentry_path(p.dentry, buf, PAGE_SIZE);
	seq_escape(m, IS_ERR(s) ? "?" : s, ESC);
	free_page((unsigned long)buf);
	seq_putc(m, ' ');
	seq_path(m, &p, ESC);
	seq_puts(m, p.mnt->mnt_flags & MNT_READONLY ? " ro" : " rw");
	show_mnt_opts(m, p.mnt->mnt_flags);
	if (mnt->mnt_propagation == MS_SHARED)
		seq_printf(m, " shared:%d", mnt->mnt_group_id);
	else if (mnt->mnt_propagation == MS_UNBINDABLE)
		seq_puts(m, " unbindable");
	seq_printf(m, " - %s ", sb->s_type->name);
	seq_escape(m, mnt->mnt_devname, ESC);
	seq_puts(m, sb->s_flags & SB_RDONLY ? " ro" : " rw");
	show_sb_opts(m, mnt);
	seq_putc(m, '\n');
}

static void show_one_stats(struct seq_file *m, struct mount *mnt)
{
	struct path p = {&mnt->mnt, mnt->mnt.mnt_root};

	seq_puts(m, "device ");
	seq_escape(m, mnt->mnt_devname, ESC);
	seq_puts(m, " mounted on ");
	seq_path(m, &p, ESC);
	seq_printf(m, " with fstype %s\n", p.mnt->mnt_sb->s_type->name);
}

static int show_all(struct seq_file *m, struct task_struct *t, void (*show)(struct seq_file *, struct mount *))
{
	struct fs_struct *fs;
	struct path root;
	struct mount *mnt;

	task_lock(t);
	fs = t->fs;
	if (fs)
		get_fs_root(fs, &root);
	task_unlock(t);
	if (!fs)
		return -EINVAL;
	down_read(&namespace_sem);
	list_for_each_entry (mnt, &mount_list, mnt_list)
		if (reachable(mnt, &root))
			show(m, mnt);
	up_read(&namespace_sem);
	path_put(&root);
	return 0;
}

static unsigned mount_event;
static DECLARE_WAIT_QUEUE_HEAD(mount_wait);

void mounts_changed(void)
{
	__atomic_add_fetch(&mount_event, 1, __ATOMIC_SEQ_CST);
	if (waitqueue_active(&mount_wait))
		wake_up_interruptible_poll(&mount_wait, EPOLLERR | EPOLLPRI | EPOLLIN);
}

unsigned mounts_event(void)
{
	return READ_ONCE(mount_event);
}

u32 mounts_poll(struct file *f, struct poll_table_struct *pt, unsigned *seen)
{
	unsigned now;

	poll_wait(f, &mount_wait, pt);
	smp_mb();
	now = mounts_event();
	if (__atomic_exchange_n(seen, now, __ATOMIC_SEQ_CST) == now)
		return EPOLLIN | EPOLLRDNORM;
	return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLPRI;
}

int show_mounts(struct seq_file *m, struct task_struct *t)
{
	return show_all(m, t, show_one_mount);
}

int show_mountinfo(struct seq_file *m, struct task_struct *t)
{
	return show_all(m, t, show_one_info);
}

int show_mountstats(struct seq_file *m, struct task_struct *t)
{
	return show_all(m, t, show_one_stats);
}
