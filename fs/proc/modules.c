// SPDX-License-Identifier: Apache-2.0
/* /proc/modules, and what /proc/sys/kernel says of modules. */
#include "internal.h"
#include <husk/init.h>
#include <husk/module.h>

extern int module_symbol_index;

static void *modules_start(struct seq_file *m, loff_t *pos)
{
	struct module *mod;
	loff_t n = *pos;

	mutex_lock(&module_mutex);
	list_for_each_entry (mod, &modules, list)
		if (!n--)
			return mod;
	return NULL;
}

static void *modules_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct module *mod = v;

	++*pos;
	return mod->list.next == &modules ? NULL : list_next_entry(mod, list);
}

static void modules_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&module_mutex);
}

static unsigned long module_size(const struct module *mod)
{
	unsigned long n = 0;

	for (int k = 0; k < MODULE_NR_REGIONS; k++)
		n += PAGE_ALIGN(mod->region[k].size);
	return n;
}

/* name size references users, state address (taints) */
static int modules_show(struct seq_file *m, void *v)
{
	static const char *const states[] = {"Loading", "Loading", "Live", "Unloading"};
	struct module *mod = v;
	struct module_use *u;
	char taints[32];

	if (mod->state == MODULE_STATE_UNFORMED)
		return 0;
	seq_printf(m, "%s %lu %u ", mod->name, module_size(mod), module_refcount(mod));
	list_for_each_entry (u, &mod->users, on_target)
		seq_printf(m, "%s,", u->source->name);
	if (mod->init && !mod->exit)
		seq_puts(m, "[permanent],");
	else if (list_empty(&mod->users))
		seq_putc(m, '-');
	taint_letters(mod->taints, taints);
	seq_printf(m, " %s 0x%016lx (%s)\n", states[mod->state],
		   capable(CAP_SYSLOG) ? mod->region[MODULE_TEXT].base : 0, taints);
	return 0;
}

static const struct seq_operations modules_ops = {
	.start = modules_start, .next = modules_next, .stop = modules_stop, .show = modules_show};

static int modules_open(struct inode *inode, struct file *f)
{
	return seq_open(f, &modules_ops);
}

static const struct file_operations modules_fops = {
	.open = modules_open,
	.read = seq_read,
	.read_iter = seq_read_iter,
	.llseek = seq_lseek,
	.release = seq_release,
};

SYSCTL_INT("kernel/module_symbol_index", 0644, module_symbol_index, 0, 1);

static int modules_proc_init(void)
{
	if (!proc_create("modules", 0444, NULL, &modules_fops))
		return -ENOMEM;
	return 0;
}
subsys_initcall(modules_proc_init);
