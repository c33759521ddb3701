// SPDX-License-Identifier: Apache-2.0
// Uses the symbols of another module.

#include <husk/kernel.h>
#include <husk/module.h>
#include <husk/proc_fs.h>

int provided_twice(int n);
extern int provided_value;
static int (*pointer)(int) = provided_twice;

static int consumer_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d %d %ps\n", provided_twice(provided_value), pointer(4), (void *)pointer);
	return 0;
}

static int __init consumer_init(void)
{
	return proc_create_single("consumer", 0444, NULL, consumer_show) ? 0 : -ENOMEM;
}
static void __exit consumer_exit(void)
{
	remove_proc_entry("consumer", NULL);
}
module_init(consumer_init);
module_exit(consumer_exit);
MODULE_LICENSE("GPL");
