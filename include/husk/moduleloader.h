/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the module loader share, in kernel/module and arch/x86. */
#ifndef HUSK_MODULELOADER_H
#define HUSK_MODULELOADER_H

#include <husk/kernel.h>
#include <husk/slab.h>
#include <husk/module.h>
#include <linux/elf.h>

#define MODULE_MAX_FILE (16u << 20)
#define MODULE_MAX_SECTIONS 4096

/**
 * struct load_info - a module's file while it is loaded
 * @image: the file, never written: what was checked stays true, however its parts overlap. @where: for each section the region it goes
 * to, and its offset there. @addr: for each section its address in the end, 0: not loaded. @value: of each symbol in the end
 */
struct load_info {
	const char *image;
	size_t len;
	const Elf64_Ehdr *ehdr;
	const Elf64_Shdr *sec;
	const char *secstrings;
	unsigned int nsec;
	unsigned int sym, info, head; /* section numbers; 0: none */
	const Elf64_Sym *symtab;
	unsigned int nsyms;
	const char *strtab;
	size_t strsize;
	const char *name;
	struct {
		u8 region;
		u32 offset;
	} * where;
	unsigned long *addr;
	u64 *value;
	u32 size[MODULE_NR_REGIONS];
	u32 module_off;	 /* struct module, in the data region */
	u32 symbols_off; /* kallsyms' copy of symbols, then of names, in the read-only region */
	u32 sections_off;
	u32 nkeep, strkeep, nseckeep;
	struct module *mod;  /* where it is written: an alias in the direct map */
	struct module *self; /* where it lies */
	unsigned int ignore; /* MODULE_INIT_IGNORE_* */
};

/* elf.c: everything in the file is looked at before anything is used. -ENOEXEC, and a line in the log, for what is wrong. */
int module_elf_check(struct load_info *info);
void module_elf_free(struct load_info *info);
const char *module_info_tag(const struct load_info *info, const char *tag, const char *prev);
unsigned int module_find_section(const struct load_info *info, const char *name);
static inline const char *section_name(const struct load_info *info, unsigned int i)
{
	return info->secstrings + info->sec[i].sh_name;
}
static inline const void *section_data(const struct load_info *info, unsigned int i)
{
	return info->image + info->sec[i].sh_offset;
}

/* layout.c */
int module_layout(struct load_info *info); /* sizes and offsets */
void module_move(struct load_info *info);  /* the sections to their regions */
int module_finish(struct load_info *info); /* tables found, names kept */

/* memory.c: the window; module_mutex held */
int module_memory_get(struct module_region *r); /* in: sizes; -ENOMEM */
void module_memory_put(struct module_region *r);
extern char *
	module_window; /* the window's memory in the direct map; NULL: modules are not allowed (arch/x86/module_map.c) */
/* where the kernel writes what lies at addr */
static inline void *module_alias(unsigned long addr)
{
	return module_window + (addr - MODULE_BASE);
}
void module_pages_claim(struct module *m, bool on);

/* arch/x86/module.c */
int apply_relocate_add(struct load_info *info, unsigned int relsec);
bool arch_module_relsec_ok(const struct load_info *info, unsigned int relsec);
int arch_module_check_text(const struct module *m);
void arch_module_text_written(void);
extern u64 (*module_extable)(u64 ip); /* module_search_extable, once there can be modules */

/* symbols.c */
int module_resolve_symbols(struct load_info *info);
int module_check_exports(const struct module *m);
void module_drop_uses(struct module *m);

/* params.c */
int module_parse_args(struct module *m, char *args);
void module_free_params(struct module *m);

#endif
