// SPDX-License-Identifier: Apache-2.0
// Its text has the bytes of wrpkru, inside of another instruction.

#include <husk/errno.h>
#include <husk/module.h>

static int __init keys_init(void)
{
	int v;

	__asm__ volatile("movl $0x00ef010f, %0" : "=r"(v));
	return v ? 0 : -EINVAL;
}
module_init(keys_init);
MODULE_LICENSE("GPL");
