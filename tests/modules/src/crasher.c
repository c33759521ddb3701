// SPDX-License-Identifier: Apache-2.0
// Reading /proc/crasher is an oops in a module; so is loading it with now=1.

#include <husk/kernel.h>
#include <husk/module.h>
#include <husk/proc_fs.h>

static bool now;
module_param(now, bool, 0);
static int *volatile nowhere;

static noinline int crasher_deep(void)
{
	return *nowhere;
}

static int crasher_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", crasher_deep());
	return 0;
}

static int __init crasher_init(void)
{
	if (now)
		return crasher_deep();
	return proc_create_single("crasher", 0444, NULL, crasher_show) ? 0 : -ENOMEM;
}
static void __exit crasher_exit(void)
{
	remove_proc_entry("crasher", NULL);
}
module_init(crasher_init);
module_exit(crasher_exit);
MODULE_LICENSE("GPL");
