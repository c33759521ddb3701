// SPDX-License-Identifier: Apache-2.0
// Its init fails, after parameters were set.

#include <husk/kernel.h>
#include <husk/module.h>

static char *text;
module_param(text, charp, 0644);
static int error = ENODEV;
module_param(error, int, 0644);

static int __init failing_init(void)
{
	return -error;
}
module_init(failing_init);
MODULE_LICENSE("GPL");
