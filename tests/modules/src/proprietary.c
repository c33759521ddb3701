// SPDX-License-Identifier: Apache-2.0
// Under another licence; with -DGREEDY it uses a symbol that is not for it.

#include <husk/kallsyms.h>
#include <husk/kernel.h>
#include <husk/module.h>

static int __init proprietary_init(void)
{
#ifdef GREEDY
	return kallsyms_lookup_name("panic") ? 0 : -ENOENT;
#else
	return 0;
#endif
}
static void __exit proprietary_exit(void)
{
}
module_init(proprietary_init);
module_exit(proprietary_exit);
MODULE_LICENSE("Proprietary");
