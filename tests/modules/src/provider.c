// SPDX-License-Identifier: Apache-2.0
// Exports symbols: functions and data.

#include <husk/kernel.h>
#include <husk/module.h>

int provided_twice(int n);
int provided_value = 20;
int provided_twice(int n)
{
	return 2 * n;
}
EXPORT_SYMBOL(provided_twice);
EXPORT_SYMBOL_GPL(provided_value);

static int __init provider_init(void)
{
	return 0;
}
static void __exit provider_exit(void)
{
}
module_init(provider_init);
module_exit(provider_exit);
MODULE_LICENSE("GPL");
