// SPDX-License-Identifier: Apache-2.0
// Exports a name that the kernel exports.

#include <husk/module.h>

int get_random_u64(void);
int get_random_u64(void)
{
	return 4;
}
EXPORT_SYMBOL(get_random_u64);
MODULE_LICENSE("GPL");
