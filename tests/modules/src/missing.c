// SPDX-License-Identifier: Apache-2.0
// Uses what nobody has.

#include <husk/kernel.h>
#include <husk/module.h>

int nobody_has_this(void);
int nor_this(void);
int perhaps_this(void) __attribute__((weak));

static int __init missing_init(void)
{
	return nobody_has_this() + nor_this();
}
module_init(missing_init);
MODULE_LICENSE("GPL");
