// SPDX-License-Identifier: Apache-2.0
/* /proc/kallsyms: every symbol of the kernel and its modules, in address order. Addresses for those who may see them, else zeros. */
#include "internal.h"
#include <husk/init.h>
#include <husk/kallsyms.h>
#include <husk/module.h>

static int kptr_restrict = 1; /* 0: everyone sees addresses; 1: who has CAP_SYSLOG; 2: nobody */

struct ksym_iter {
	unsigned long addr;
	bool show;
	char type;
	char name[KSYM_NAME_LEN], module[MODULE_NAME_LEN];
};

static bool may_see_addresses(void)
{
	int r = READ_ONCE(kptr_restrict);

	return r == 0 || (r == 1 && capable(CAP_SYSLOG));
}

static void *get(struct ksym_iter *it, loff_t pos)
{
	unsigned long nr = (unsigned long)pos, n = kallsyms_count();

	it->module[0] = 0;
	if (nr < n)
		return kallsyms_get(nr, &it->addr, &it->type, it->name) ? it : NULL;
	return module_get_kallsym(nr - n, &it->addr, &it->type, it->name, it->module) ? it : NULL;
}

static void *kallsyms_start(struct seq_file *m, loff_t *pos)
{
	return get(m->private, *pos);
}

static void *kallsyms_next(struct seq_file *m, void *v, loff_t *pos)
{
	return get(m->private, ++*pos);
}

static void kallsyms_stop(struct seq_file *m, void *v)
{
}

static int kallsyms_show(struct seq_file *m, void *v)
{
	struct ksym_iter *it = v;

	seq_printf(m, "%016lx %c %s", it->show ? it->addr : 0, it->type, it->name);
	if (it->module[0])
		seq_printf(m, "\t[%s]", it->module);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations kallsyms_ops = {
	.start = kallsyms_start, .next = kallsyms_next, .stop = kallsyms_stop, .show = kallsyms_show};

/* who opens it decides what it shows, whoever reads it */
static int kallsyms_open(struct inode *inode, struct file *f)
{
	struct ksym_iter *it = kzalloc(sizeof(*it), GFP_KERNEL);
	int err = it ? seq_open(f, &kallsyms_ops) : -ENOMEM;

	if (err) {
		kfree(it);
		return err;
	}
	it->show = may_see_addresses();
	((struct seq_file *)f->private_data)->private = it;
	return 0;
}

static int kallsyms_release(struct inode *inode, struct file *f)
{
	kfree(((struct seq_file *)f->private_data)->private);
	return seq_release(inode, f);
}

static const struct file_operations kallsyms_fops = {
	.open = kallsyms_open,
	.read = seq_read,
	.read_iter = seq_read_iter,
	.llseek = seq_lseek,
	.release = kallsyms_release,
};

SYSCTL_INT("kernel/kptr_restrict", 0644, kptr_restrict, 0, 2);

static int kallsyms_proc_init(void)
{
	if (!proc_create("kallsyms", 0444, NULL, &kallsyms_fops))
		return -ENOMEM;
	return 0;
}
subsys_initcall(kallsyms_proc_init);
