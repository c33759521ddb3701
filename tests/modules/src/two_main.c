// SPDX-License-Identifier: Apache-2.0
// A module of two files.

#include <husk/kernel.h>
#include <husk/module.h>

int two_other(void);

static int __init two_init(void)
{
	pr_notice("two: %d, %s", two_other(), module_name(THIS_MODULE));
	return 0;
}
static void __exit two_exit(void)
{
}
module_init(two_init);
module_exit(two_exit);
MODULE_LICENSE("GPL");
