// SPDX-License-Identifier: Apache-2.0
// Has no exit function: once loaded it stays.

#include <husk/kernel.h>
#include <husk/module.h>

static int __init permanent_init(void)
{
	return 0;
}
module_init(permanent_init);
MODULE_LICENSE("GPL");
