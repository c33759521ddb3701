// SPDX-License-Identifier: Apache-2.0
// Ways to crash the kernel on purpose: echo NAME > /proc/lkdtm. Only in the image that "make lkdtm" builds.

#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/init.h>
#include <husk/proc_fs.h>
#include "lkdtm.h"

#define NAME_MAX_ 40

static const struct crashpoint *const tables[] = {lkdtm_bugs, lkdtm_locks, lkdtm_memory};

static const struct crashpoint *find_point(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct crashpoint *p = tables[i]; p->name; p++)
			if (!strcmp(p->name, name))
				return p;
	return NULL;
}

static int lkdtm_show(struct seq_file *m, void *v)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct crashpoint *p = tables[i]; p->name; p++)
			seq_printf(m, "%-20s %s\n", p->name, p->what);
	return 0;
}

static int lkdtm_open(struct inode *inode, struct file *file)
{
	return single_open(file, lkdtm_show, NULL);
}

static ssize_t lkdtm_write(struct file *file, const char __user *buf, size_t n, loff_t *pos)
{
	const struct crashpoint *p;
	char name[NAME_MAX_];

	if (!n || n >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, n))
		return -EFAULT;
	name[n] = 0;
	if (name[n - 1] == '\n')
		name[n - 1] = 0;
	p = find_point(name);
	if (!p)
		return -EINVAL;
	pr_notice("lkdtm: %s: %s", p->name, p->what);
	p->fn();
	return n;
}

static const struct file_operations lkdtm_fops = {
	.open = lkdtm_open,
	.read = seq_read,
	.read_iter = seq_read_iter,
	.write = lkdtm_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int lkdtm_init(void)
{
	return proc_create("lkdtm", 0600, NULL, &lkdtm_fops) ? 0 : -ENOMEM;
}
late_initcall(lkdtm_init);
