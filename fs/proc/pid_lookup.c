// SPDX-License-Identifier: Apache-2.0
/* /proc/PID and what is below: look-up, listing, ownership, lifetime. */
#include "internal.h"
#include <husk/mount.h>
#include <husk/poll.h>

/*
 * DOC: an inode holds a reference to the struct pid, never to the task, so nothing is kept alive by a descriptor. Names of
 * tasks are not cached: d_delete drops a dentry with its last user (making one costs about a microsecond), so dead tasks leave
 * nothing behind and an exit need not look here. d_revalidate is for those in use meanwhile.
 */

bool name_to_number(const char *name, unsigned len, unsigned *n)
{
	u64 v = 0;

	if (!len || len > 10 || (len > 1 && name[0] == '0'))
		return false;
	for (unsigned i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + name[i] - '0';
	}
	*n = v;
	return v <= INT32_MAX;
}

/* proc_task_owner: who owns a task's files: its effective ids, or root when it may not be looked into */
void proc_task_owner(struct task_struct *t, umode_t mode, uid_t *uid, gid_t *gid)
{
	const struct cred *c;
	bool open = false;

	*uid = *gid = 0;
	if (t->flags & PF_KTHREAD)
		return;
	if (mode != (S_IFDIR | 0555)) {
		task_lock(t);
		open = t->mm && t->mm->dumpable == 1;
		task_unlock(t);
		if (!open)
			return;
	}
	c = get_task_cred(t);
	*uid = c->euid;
	*gid = c->egid;
	put_cred(c);
}

struct inode *proc_pid_inode(struct super_block *sb, struct pid *pid, const struct pid_entry *e, umode_t mode, u64 ino)
{
	struct task_struct *t = get_pid_task(pid);
	struct inode *inode;

	if (!t)
		return ERR_PTR(-ENOENT);
	inode = new_inode(sb);
	if (inode) {
		PROC_I(inode)->pid = get_pid(pid);
		PROC_I(inode)->entry = e;
		inode->i_ino = ino;
		inode->i_mode = mode;
		inode->i_nlink = S_ISDIR(mode) ? 2 : 1;
		inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
		proc_task_owner(t, mode, &inode->i_uid, &inode->i_gid);
	} else {
		inode = ERR_PTR(-ENOMEM);
	}
	put_task_struct(t);
	return inode;
}

static int pid_revalidate(struct dentry *d, unsigned flags)
{
	struct inode *inode = d->d_inode;
	struct task_struct *t;

	if (!inode)
		return 0;
	t = get_proc_task(inode);
	if (!t)
		return 0;
	proc_task_owner(t, inode->i_mode, &inode->i_uid, &inode->i_gid);
	put_task_struct(t);
	return 1;
}

static int pid_delete_dentry(const struct dentry *d)
{
	return 1;
}

static const struct dentry_operations pid_dentry_operations = {
	.d_revalidate = pid_revalidate,
	.d_delete = pid_delete_dentry,
};

static struct dentry *pid_d_add(struct dentry *d, struct inode *i)
{
	if (IS_ERR(i))
		return ERR_CAST(i);
	d->d_op = &pid_dentry_operations;
	d_add(d, i);
	return NULL;
}

static int pid_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *inode = p->dentry->d_inode;
	struct task_struct *t = get_proc_task(inode);

	generic_fillattr(inode, st);
	if (!t)
		return 0;
	proc_task_owner(t, inode->i_mode, &st->uid, &st->gid);
	if (inode->i_op == &pid_task_dir_iops)
		st->nlink = 2 + READ_ONCE(t->signal->nr_threads);
	put_task_struct(t);
	return 0;
}

static int pid_setattr(struct dentry *d, struct iattr *a)
{
	int err;

	if (a->ia_valid & ATTR_MODE)
		return -EPERM;
	err = setattr_prepare(d, a);
	if (!err)
		setattr_copy(d->d_inode, a);
	return err;
}

static unsigned table_size(const struct pid_entry *e)
{
	unsigned n = 0;

	while (e[n].name)
		n++;
	return n;
}

static const struct pid_entry *dir_table(const struct inode *dir)
{
	return PROC_I(dir)->entry->sub;
}

/* entry_ino: distinct within a task: tables are told apart by the tens of thousands */
static u64 entry_ino(struct pid *pid, const struct pid_entry *table, const struct pid_entry *e)
{
	unsigned base = table == tgid_entries || table == tid_entries ? 1 : 0x1000 + (table[0].name[0] << 4);

	return PID_INO(pid->nr, base + (e - table) + (table == tid_entries ? 0x8000 : 0));
}

static struct inode *entry_inode(struct super_block *sb, struct pid *pid, const struct pid_entry *table,
				 const struct pid_entry *e)
{
	struct inode *inode = proc_pid_inode(sb, pid, e, e->mode, entry_ino(pid, table, e));

	if (IS_ERR(inode))
		return inode;
	inode->i_op = e->iop ? e->iop : S_ISDIR(e->mode) ? &pid_dir_iops : e->link ? &pid_link_iops : &pid_file_iops;
	inode->i_fop = e->fop ? e->fop : S_ISDIR(e->mode) ? &pid_dir_fops : &pid_one_fops;
	return inode;
}

static struct dentry *pid_dir_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	const struct pid_entry *table = dir_table(dir), *e;

	for (e = table; e->name; e++)
		if (strlen(e->name) == d->d_name.len && !memcmp(e->name, d->d_name.name, d->d_name.len))
			return pid_d_add(d, entry_inode(dir->i_sb, PROC_I(dir)->pid, table, e));
	return ERR_PTR(-ENOENT);
}

static int pid_dir_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = file_inode(f);
	const struct pid_entry *table = dir_table(dir);
	unsigned n = table_size(table);

	if (!READ_ONCE(PROC_I(dir)->pid->task))
		return -ENOENT;
	if (!dir_emit_dots(f, ctx))
		return 0;
	for (; ctx->pos - 2 < n; ctx->pos++) {
		const struct pid_entry *e = &table[ctx->pos - 2];

		if (!dir_emit(ctx, e->name, strlen(e->name), entry_ino(PROC_I(dir)->pid, table, e), S_DT(e->mode)))
			break;
	}
	return 0;
}

/* a dead task's directory that is still open: ESRCH for whatever is asked of it */
static int pid_dir_permission(struct inode *inode, int mask)
{
	return READ_ONCE(PROC_I(inode)->pid->task) ? generic_permission(inode, mask) : -ESRCH;
}

const struct inode_operations pid_dir_iops = {
	.lookup = pid_dir_lookup,
	.permission = pid_dir_permission,
	.getattr = pid_getattr,
	.setattr = pid_setattr,
};
const struct file_operations pid_dir_fops = {
	.read = generic_read_dir,
	.iterate_shared = pid_dir_readdir,
	.llseek = generic_file_llseek,
};
const struct inode_operations pid_file_iops = {.getattr = pid_getattr, .setattr = pid_setattr};

/* a file with one text: entry->show */
static int one_show(struct seq_file *m, void *v)
{
	struct inode *inode = m->private;
	struct task_struct *t = get_proc_task(inode);
	int r;

	if (!t)
		return -ESRCH;
	r = PROC_I(inode)->entry->show(m, t);
	put_task_struct(t);
	return r;
}

static int one_open(struct inode *inode, struct file *f)
{
	if (PROC_I(inode)->entry->arg) {
		struct task_struct *t = get_proc_task(inode);
		bool ok = t && proc_may_access(t, false);

		if (!t)
			return -ESRCH;
		put_task_struct(t);
		if (!ok)
			return -EACCES;
	}
	return single_open(f, one_show, inode);
}

const struct file_operations pid_one_fops = {
	.open = one_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/* mounts, mountinfo: as above, and a change of the tree can be waited for */
static int mounts_open(struct inode *inode, struct file *f)
{
	unsigned seen = mounts_event();
	int err = one_open(inode, f);

	if (!err)
		((struct seq_file *)f->private_data)->poll_event = seen;
	return err;
}

static u32 pid_mounts_poll(struct file *f, poll_table *pt)
{
	return mounts_poll(f, pt, &((struct seq_file *)f->private_data)->poll_event);
}

const struct file_operations pid_mounts_fops = {
	.open = mounts_open,
	.read = seq_read,
	.read_iter = seq_read_iter,
	.poll = pid_mounts_poll,
	.llseek = seq_lseek,
	.release = single_release,
};

/* ---- /proc/PID ---- */

static const struct pid_entry tgid_dir = {.mode = S_IFDIR | 0555, .sub = tgid_entries};
static const struct pid_entry tid_dir = {.mode = S_IFDIR | 0555, .sub = tid_entries};

static struct inode *task_dir_inode(struct super_block *sb, struct pid *pid, bool thread)
{
	struct inode *inode = proc_pid_inode(sb, pid, thread ? &tid_dir : &tgid_dir, S_IFDIR | 0555,
					     PID_INO(pid->nr, thread ? 0x8000 : 0));

	if (!IS_ERR(inode)) {
		inode->i_op = &pid_dir_iops;
		inode->i_fop = &pid_dir_fops;
		inode->i_nlink = thread ? 7 : 9;
	}
	return inode;
}

struct pid *proc_pid_of_dir(struct file *f)
{
	return f->f_op == &pid_dir_fops && PROC_I(f->f_inode)->entry == &tgid_dir ? PROC_I(f->f_inode)->pid : NULL;
}

struct dentry *proc_pid_lookup(struct dentry *d)
{
	struct inode *inode;
	struct pid *pid;
	unsigned nr;

	if (!name_to_number(d->d_name.name, d->d_name.len, &nr))
		return ERR_PTR(-ENOENT);
	pid = find_get_pid(nr);
	if (!pid)
		return ERR_PTR(-ENOENT);
	inode = task_dir_inode(d->d_sb, pid, false);
	put_pid(pid);
	return pid_d_add(d, inode);
}

/* ---- /proc/PID/task ---- */

static struct dentry *task_dir_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	struct task_struct *leader = get_proc_task(dir), *t = NULL;
	struct dentry *r = ERR_PTR(-ENOENT);
	struct pid *pid = NULL;
	unsigned nr;

	if (!leader)
		return r;
	if (name_to_number(d->d_name.name, d->d_name.len, &nr))
		pid = find_get_pid(nr);
	if (pid)
		t = get_pid_task(pid);
	if (t && t->tgid == leader->tgid)
		r = pid_d_add(d, task_dir_inode(dir->i_sb, pid, true));
	if (t)
		put_task_struct(t);
	if (pid)
		put_pid(pid);
	put_task_struct(leader);
	return r;
}

/* collect_threads: their numbers; kfree() it */
static pid_t *collect_threads(struct task_struct *leader, unsigned *count)
{
	unsigned n = 0, max = READ_ONCE(leader->signal->nr_threads) + 16;
	pid_t *v = kmalloc(max * sizeof(*v), GFP_KERNEL);
	struct task_struct *t;

	if (!v)
		return NULL;
	read_lock(&tasklist_lock);
	for_each_thread (leader, t)
		if (n < max)
			v[n++] = t->pid;
	read_unlock(&tasklist_lock);
	*count = n;
	return v;
}

static int task_dir_readdir(struct file *f, struct dir_context *ctx)
{
	struct task_struct *leader = get_proc_task(file_inode(f));
	unsigned n = 0;
	pid_t *v;

	if (!leader)
		return -ENOENT;
	v = collect_threads(leader, &n);
	put_task_struct(leader);
	if (!v)
		return -ENOMEM;
	if (dir_emit_dots(f, ctx)) {
		for (; ctx->pos - 2 < n; ctx->pos++) {
			char name[12];
			pid_t nr = v[ctx->pos - 2];

			if (!dir_emit(ctx, name, snprintf(name, sizeof(name), "%d", nr), PID_INO(nr, 0x8000), DT_DIR))
				break;
		}
	}
	kfree(v);
	return 0;
}

const struct inode_operations pid_task_dir_iops = {
	.lookup = task_dir_lookup,
	.getattr = pid_getattr,
	.setattr = pid_setattr,
};
const struct file_operations pid_task_dir_fops = {
	.read = generic_read_dir,
	.iterate_shared = task_dir_readdir,
	.llseek = generic_file_llseek,
};
