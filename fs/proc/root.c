// SPDX-License-Identifier: Apache-2.0
/* /proc itself: the tasks' directories among the other entries; self and thread-self. */
#include "internal.h"
#include <husk/init.h>

#define FIRST_PROCESS 256 /* positions below belong to the entries that are no tasks */

static struct dentry *proc_root_lookup(struct inode *dir, struct dentry *d, unsigned flags)
{
	if (d->d_name.name[0] >= '1' && d->d_name.name[0] <= '9')
		return proc_pid_lookup(d);
	return pde_lookup(dir, d, flags);
}

static int proc_root_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	generic_fillattr(p->dentry->d_inode, st);
	st->nlink = proc_root.nsubdirs + 2 + READ_ONCE(nr_threads);
	return 0;
}

static int proc_root_readdir(struct file *f, struct dir_context *ctx)
{
	struct task_struct *t;
	pid_t nr;

	if (ctx->pos < FIRST_PROCESS) {
		loff_t end = proc_root.nchildren + 2;

		pde_readdir(f, ctx);
		if (ctx->pos < end)
			return 0;
		ctx->pos = FIRST_PROCESS + 1;
	}
	for (nr = ctx->pos - FIRST_PROCESS; (t = find_ge_task(nr, true)); nr++) {
		char name[12];
		int len;

		nr = t->tgid;
		put_task_struct(t);
		len = snprintf(name, sizeof(name), "%d", nr);
		ctx->pos = FIRST_PROCESS + nr;
		if (!dir_emit(ctx, name, len, PID_INO(nr, 0), DT_DIR))
			return 0;
		ctx->pos++;
	}
	return 0;
}

const struct inode_operations proc_root_iops = {.lookup = proc_root_lookup, .getattr = proc_root_getattr};
const struct file_operations proc_root_fops = {
	.read = generic_read_dir,
	.iterate_shared = proc_root_readdir,
	.llseek = generic_file_llseek,
};

static void free_link(void *p)
{
	kfree(p);
}

/* self and, with the longer name, thread-self */
static const char *self_get_link(struct dentry *d, struct inode *inode, struct delayed_call *done)
{
	char *s;

	if (PROC_I(inode)->pde->namelen > 4)
		s = kasprintf(GFP_KERNEL, "%d/task/%d", current->tgid, current->pid);
	else
		s = kasprintf(GFP_KERNEL, "%d", current->tgid);
	if (!s)
		return ERR_PTR(-ENOMEM);
	set_delayed_call(done, free_link, s);
	return s;
}

const struct inode_operations proc_self_iops = {.get_link = self_get_link};

static int proc_root_init(void)
{
	struct proc_dir_entry self = {.mode = S_IFLNK | 0777, .self_link = true};

	proc_dir_pid = proc_pid_of_dir;
	proc_tree_add("self", NULL, &self);
	proc_tree_add("thread-self", NULL, &self);
	proc_symlink("mounts", NULL, "self/mounts");
	proc_mkdir("net", NULL);
	proc_mkdir("fs", NULL);
	proc_mkdir("driver", NULL);
	proc_mkdir("bus", NULL);
	proc_mkdir("tty", NULL);
	return 0;
}
core_initcall(proc_root_init);
