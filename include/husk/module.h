/* SPDX-License-Identifier: Apache-2.0 */
/* Loadable modules. */
#ifndef HUSK_MODULE_H
#define HUSK_MODULE_H

#include <husk/types.h>

#define MODULE_NAME_LEN 56

/* what kernel/kallsyms.c asks of loaded modules; as the functions of <husk/kallsyms.h>, no lock taken */
static inline const char *module_address_lookup(unsigned long addr, unsigned long *size, unsigned long *offset,
						const char **modname, char *namebuf)
{
	return NULL;
}
static inline unsigned long module_kallsyms_lookup_name(const char *name)
{
	return 0;
}
static inline int module_kallsyms_on_each_symbol(int (*fn)(void *data, const char *name, char type, unsigned long addr,
							   const char *modname),
						 void *data)
{
	return 0;
}
/* symbol number nr of all modules' symbols; false: there is none. name: KSYM_NAME_LEN, modname: MODULE_NAME_LEN bytes */
static inline bool module_get_kallsym(unsigned long nr, unsigned long *addr, char *type, char *name, char *modname)
{
	return false;
}
static inline bool is_module_text_address(unsigned long addr)
{
	return false;
}

#endif
