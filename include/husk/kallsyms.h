/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kernel addresses and addresses of names: the image's own table and those of loaded modules. */
#ifndef HUSK_KALLSYMS_H
#define HUSK_KALLSYMS_H

#include <husk/types.h>

#define KSYM_NAME_LEN 128
#define KSYM_SYMBOL_LEN (KSYM_NAME_LEN + 64) /* "name+0x12/0x345 [module]" */

/**
 * kallsyms_lookup - the symbol that holds @addr
 * @size, @offset: of the symbol and into it; may be NULL. @modname: set to the module's name or NULL. @namebuf: KSYM_NAME_LEN bytes
 * Takes no lock and allocates nothing: it is for oopses. Return: the name, or NULL.
 */
const char *kallsyms_lookup(unsigned long addr, unsigned long *size, unsigned long *offset, const char **modname,
			    char *namebuf);
unsigned long kallsyms_lookup_name(const char *name); /* 0: none; the image first, then modules */
/* "name+0x12/0x345 [module]", or the address in hex; the length. printk's %pS (and %ps: the name alone) use it. */
int sprint_symbol(char *buf, unsigned long addr);
int sprint_symbol_no_offset(char *buf, unsigned long addr);
int sprint_backtrace(char *buf, unsigned long addr); /* addr is a return address: %pB */
/* each symbol in address order; stops when fn returns non-zero and returns that */
int kallsyms_on_each_symbol(int (*fn)(void *data, const char *name, char type, unsigned long addr, const char *modname),
			    void *data);
/* the image's symbol number nr in address order; false: there is none. name: KSYM_NAME_LEN bytes */
bool kallsyms_get(unsigned long nr, unsigned long *addr, char *type, char *name);
unsigned long kallsyms_count(void);
/* is this an address of kernel or module text? */
bool kernel_text_address(unsigned long addr);

#endif
