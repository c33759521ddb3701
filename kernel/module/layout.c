// SPDX-License-Identifier: Apache-2.0
// Where a module's sections go: text, what is only read, and data, each to its stretch of the window; and the tables found there.

#include <husk/moduleloader.h>
#include <husk/kallsyms.h>

static enum module_region_kind region_of(const Elf64_Shdr *s)
{
	if (s->sh_flags & SHF_EXECINSTR)
		return MODULE_TEXT;
	return s->sh_flags & SHF_WRITE ? MODULE_DATA : MODULE_RODATA;
}

/* An object of n bytes in a region; its offset. Sizes were checked: 4,096 sections of 16 MiB do not overflow 64 bits. */
static u64 place(u64 *size, u64 n, u64 align)
{
	u64 at = ALIGN(*size, align ? align : 1);

	*size = at + n;
	return at;
}

/* Is the init or exit function also there under the name that its author gave it? Some compilers keep only one. */
static bool has_other_name(const struct load_info *info, const Elf64_Sym *s)
{
	for (unsigned int i = 1; i < info->nsyms; i++) {
		const Elf64_Sym *o = &info->symtab[i];

		if (o != s && o->st_shndx == s->st_shndx && o->st_value == s->st_value &&
		    ELF64_ST_TYPE(o->st_info) == STT_FUNC)
			return true;
	}
	return false;
}

/* Is it a symbol that kallsyms should know? */
static bool keep_symbol(const struct load_info *info, const Elf64_Sym *s)
{
	const char *name = info->strtab + s->st_name;
	unsigned int type = ELF64_ST_TYPE(s->st_info);

	if (!s->st_shndx || s->st_shndx >= info->nsec || !(info->sec[s->st_shndx].sh_flags & SHF_ALLOC) || !*name)
		return false;
	if (strnlen(name, KSYM_NAME_LEN) == KSYM_NAME_LEN || s->st_shndx == info->info)
		return false;
	if ((!strcmp(name, "init_module") || !strcmp(name, "cleanup_module")) && has_other_name(info, s))
		return false;
	if (name[0] == '.')
		return false;
	return type == STT_FUNC || type == STT_OBJECT ||
	       (type == STT_NOTYPE && strncmp(name, "__ksymtab_", 10) && strncmp(name, "__kstrtab_", 10));
}

static void count_symbols(struct load_info *info)
{
	for (unsigned int i = 1; i < info->nsyms; i++) {
		if (!keep_symbol(info, &info->symtab[i]))
			continue;
		info->nkeep++;
		info->strkeep += strlen(info->strtab + info->symtab[i].st_name) + 1;
	}
}

/* Names of sections, for /sys/module/NAME/sections. */
static void count_sections(struct load_info *info)
{
	for (unsigned int i = 1; i < info->nsec; i++) {
		if (!(info->sec[i].sh_flags & SHF_ALLOC) || !info->sec[i].sh_size)
			continue;
		info->nseckeep++;
		info->strkeep += strlen(section_name(info, i)) + 1;
	}
}

/**
 * module_layout - an offset in a region for each section, and room for what the kernel adds
 * Return: 0, or -ENOEXEC where it is larger than the window can be.
 */
int module_layout(struct load_info *info)
{
	static const u64 max[MODULE_NR_REGIONS] = {MODULE_TEXT_SIZE, MODULE_RODATA_SIZE, MODULE_DATA_SIZE};
	u64 size[MODULE_NR_REGIONS] = {}, tables;

	for (unsigned int i = 1; i < info->nsec; i++) {
		enum module_region_kind r = region_of(&info->sec[i]);

		if (!(info->sec[i].sh_flags & SHF_ALLOC))
			continue;
		info->where[i].region = r;
		info->where[i].offset = (u32)place(&size[r], info->sec[i].sh_size, info->sec[i].sh_addralign);
		if (size[r] > max[r])
			goto too_large;
	}
	count_symbols(info);
	count_sections(info);
	info->module_off = (u32)place(&size[MODULE_DATA], sizeof(struct module), 64);
	tables = (u64)info->nkeep * sizeof(struct module_symbol) + (u64)info->nseckeep * sizeof(struct module_section);
	info->symbols_off = (u32)place(&size[MODULE_RODATA], tables + info->strkeep, 8);
	info->sections_off = info->symbols_off + (u32)(info->nkeep * sizeof(struct module_symbol));
	for (int r = 0; r < MODULE_NR_REGIONS; r++) {
		if (size[r] > max[r])
			goto too_large;
		info->size[r] = (u32)size[r];
	}
	return 0;
too_large:
	pr_err("module %s: it does not fit into the room for modules", info->name);
	return -ENOEXEC;
}

/* The regions are there: every section is copied to its place, or that place zeroed. */
void module_move(struct load_info *info)
{
	struct module_region *r = info->mod->region;

	for (unsigned int i = 1; i < info->nsec; i++) {
		const Elf64_Shdr *s = &info->sec[i];

		if (!(s->sh_flags & SHF_ALLOC))
			continue;
		info->addr[i] = r[info->where[i].region].base + info->where[i].offset;
		if (s->sh_type == SHT_NOBITS)
			memset(module_alias(info->addr[i]), 0, s->sh_size);
		else
			memcpy(module_alias(info->addr[i]), section_data(info, i), s->sh_size);
	}
}

static char symbol_type(const struct load_info *info, const Elf64_Sym *s)
{
	const Elf64_Shdr *sec = &info->sec[s->st_shndx];
	char c = sec->sh_flags & SHF_EXECINSTR ? 't'
		 : sec->sh_type == SHT_NOBITS  ? 'b'
		 : sec->sh_flags & SHF_WRITE   ? 'd'
					       : 'r';

	return ELF64_ST_BIND(s->st_info) == STB_LOCAL ? c : (char)(c - 'a' + 'A');
}

static int by_address(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Symbols and names of sections go to the read-only region: who reads them without a lock never leaves mapped memory. */
static void keep_names(struct load_info *info)
{
	unsigned long base = info->mod->region[MODULE_RODATA].base;
	struct module_symbol *k = module_alias(base + info->symbols_off), *first = k;
	struct module_section *sec = module_alias(base + info->sections_off);
	char *strings = (char *)(sec + info->nseckeep), *s = strings;
	unsigned long strings_at = base + info->sections_off + info->nseckeep * sizeof(*sec);

	for (unsigned int i = 1; i < info->nsyms; i++) {
		const Elf64_Sym *sym = &info->symtab[i];

		if (!keep_symbol(info, sym))
			continue;
		*k++ = (struct module_symbol){info->value[i], (u32)(s - strings), symbol_type(info, sym)};
		s = strcpy(s, info->strtab + sym->st_name) + strlen(info->strtab + sym->st_name) + 1;
	}
	sort(first, info->nkeep, sizeof(*first), by_address, NULL);
	for (unsigned int i = 1; i < info->nsec; i++) {
		if (!(info->sec[i].sh_flags & SHF_ALLOC) || !info->sec[i].sh_size)
			continue;
		*sec++ = (struct module_section){(const char *)(strings_at + (s - strings)), info->addr[i]};
		s = strcpy(s, section_name(info, i)) + strlen(section_name(info, i)) + 1;
	}
	info->mod->symbols = (void *)(base + info->symbols_off);
	info->mod->nsymbols = info->nkeep;
	info->mod->sections = (void *)(base + info->sections_off);
	info->mod->nsections = info->nseckeep;
	info->mod->strtab = (const char *)strings_at;
}

/* A table that is a section of its own; its number of entries. */
static unsigned long table(const struct load_info *info, const char *name, size_t entry, unsigned int *n)
{
	unsigned int i = module_find_section(info, name);

	*n = 0;
	if (!i || info->sec[i].sh_type == SHT_NOBITS)
		return 0;
	*n = (unsigned int)(info->sec[i].sh_size / entry);
	return info->addr[i];
}

static bool in_region(const struct module *m, enum module_region_kind r, unsigned long addr)
{
	return addr - m->region[r].base < m->region[r].size;
}

/* A text in the module that ends within it. */
static bool text_ok(const struct module *m, const char *s)
{
	const struct module_region *r =
		&m->region[in_region(m, MODULE_RODATA, (unsigned long)s) ? MODULE_RODATA : MODULE_DATA];
	unsigned long off = (unsigned long)s - r->base;

	return off < r->size && strnlen(module_alias((unsigned long)s), r->size - off) < r->size - off;
}

/* Exported symbols: names in the module, values in it, sorted. */
static bool exports_ok(const struct module *m)
{
	const struct kernel_symbol *s = m->nsyms ? module_alias((unsigned long)m->syms) : NULL;
	unsigned long at = (unsigned long)m->syms;
	const char *prev = NULL;

	for (unsigned int i = 0; i < m->nsyms; i++, s++, at += sizeof(*s)) {
		const char *name = (const char *)(at + offsetof(struct kernel_symbol, name) + s->name);
		unsigned long value = at + s->value;

		if (!text_ok(m, name) || strnlen(module_alias((unsigned long)name), KSYM_NAME_LEN) == KSYM_NAME_LEN)
			return false;
		if (!in_region(m, MODULE_TEXT, value) && !in_region(m, MODULE_RODATA, value) &&
		    !in_region(m, MODULE_DATA, value))
			return false;
		name = module_alias((unsigned long)name);
		if (prev && strcmp(prev, name) >= 0)
			return false;
		prev = name;
	}
	return true;
}

static bool param_name_ok(const char *s)
{
	size_t n = strnlen(s, 64);

	return n && n < 64 && !strchr(s, '/') && s[0] != '.';
}

static bool params_ok(const struct module *m)
{
	const struct kernel_param *p = m->nparams ? module_alias((unsigned long)m->params) : NULL;

	for (unsigned int i = 0; i < m->nparams; i++, p++)
		if (!text_ok(m, p->name) || !param_name_ok(module_alias((unsigned long)p->name)))
			return false;
	return true;
}

/* Relocations are done: the head's functions, and the tables that the kernel uses. */
int module_finish(struct load_info *info)
{
	struct module *m = info->mod;
	const struct module_head *h = module_alias(info->addr[info->head]);

	m->init = h->init;
	m->exit = h->exit;
	m->syms = (void *)table(info, "__ksymtab", sizeof(*m->syms), &m->nsyms);
	m->params = (void *)table(info, "__param", sizeof(*m->params), &m->nparams);
	m->extable = (void *)table(info, ".ex_table", 2 * sizeof(u64), &m->nextable);
	if ((m->init && !in_region(m, MODULE_TEXT, (unsigned long)m->init)) ||
	    (m->exit && !in_region(m, MODULE_TEXT, (unsigned long)m->exit)) || !exports_ok(m) || !params_ok(m) ||
	    (unsigned long)m->params % 8 || (unsigned long)m->syms % 4 || (unsigned long)m->extable % 8) {
		pr_err("module %s: corrupt file: its tables lead out of it", m->name);
		return -ENOEXEC;
	}
	keep_names(info);
	return 0;
}
