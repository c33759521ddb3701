// SPDX-License-Identifier: Apache-2.0
// A module's file is checked: every offset, size and index in it, before anything else looks at it.

#include <husk/moduleloader.h>

#define EM_X86_64_ 62
#define MAX_SECTION_ALIGN 4096

#define bad(info, fmt, ...)                                                                                            \
	({                                                                                                             \
		pr_err("module%s%s: corrupt file: " fmt, (info)->name ? " " : "", (info)->name ?: "", ##__VA_ARGS__);  \
		-ENOEXEC;                                                                                              \
	})

static int check_header(struct load_info *info)
{
	const Elf64_Ehdr *eh = info->ehdr = (const Elf64_Ehdr *)info->image;

	if (info->len < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return bad(info, "it is not an ELF file");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB || eh->e_machine != EM_X86_64_ ||
	    eh->e_type != ET_REL)
		return bad(info, "it is not a relocatable object for x86-64 (type %u, machine %u)", eh->e_type,
			   eh->e_machine);
	if (eh->e_shentsize != sizeof(Elf64_Shdr) || !eh->e_shnum || eh->e_shnum > MODULE_MAX_SECTIONS ||
	    eh->e_shoff % 8 || eh->e_shoff > info->len || eh->e_shnum > (info->len - eh->e_shoff) / sizeof(Elf64_Shdr))
		return bad(info, "the table of %u sections is not within its %zu bytes", eh->e_shnum, info->len);
	if (!eh->e_shstrndx || eh->e_shstrndx >= eh->e_shnum)
		return bad(info, "there is no section %u for the names of sections", eh->e_shstrndx);
	info->nsec = eh->e_shnum;
	info->sec = (const Elf64_Shdr *)(info->image + eh->e_shoff);
	return 0;
}

/* Sections may overlap: nothing in the file is written. */
static int check_extents(struct load_info *info)
{
	for (unsigned int i = 1; i < info->nsec; i++) {
		const Elf64_Shdr *s = &info->sec[i];

		if (s->sh_type != SHT_NOBITS && (s->sh_offset > info->len || s->sh_size > info->len - s->sh_offset))
			return bad(info, "section %u lies outside of it", i);
		if ((s->sh_flags & SHF_ALLOC) &&
		    (s->sh_size > MODULE_MAX_FILE || (s->sh_addralign & (s->sh_addralign - 1)) ||
		     s->sh_addralign > MAX_SECTION_ALIGN))
			return bad(info, "section %u has a size of %llu and an alignment of %llu", i,
				   (unsigned long long)s->sh_size, (unsigned long long)s->sh_addralign);
		if ((s->sh_flags & SHF_ALLOC) && (s->sh_flags & SHF_EXECINSTR) &&
		    ((s->sh_flags & SHF_WRITE) || s->sh_type == SHT_NOBITS))
			return bad(info, "section %u is executable, and writable or empty", i);
	}
	return 0;
}

static bool is_strtab(const struct load_info *info, unsigned int i)
{
	const Elf64_Shdr *s = &info->sec[i];

	return i && i < info->nsec && s->sh_type == SHT_STRTAB && s->sh_size &&
	       !info->image[s->sh_offset + s->sh_size - 1];
}

static int check_names(struct load_info *info)
{
	unsigned int n = info->ehdr->e_shstrndx;

	if (!is_strtab(info, n))
		return bad(info, "the names of sections are not a table of strings");
	info->secstrings = section_data(info, n);
	for (unsigned int i = 0; i < info->nsec; i++)
		if (info->sec[i].sh_name >= info->sec[n].sh_size)
			return bad(info, "section %u has no name", i);
	return 0;
}

unsigned int module_find_section(const struct load_info *info, const char *name)
{
	for (unsigned int i = 1; i < info->nsec; i++)
		if ((info->sec[i].sh_flags & SHF_ALLOC) && !strcmp(section_name(info, i), name))
			return i;
	return 0;
}

static int check_symbols(struct load_info *info)
{
	const Elf64_Shdr *s = &info->sec[info->sym];

	if (s->sh_entsize != sizeof(Elf64_Sym) || s->sh_offset % 8 || s->sh_size % sizeof(Elf64_Sym) ||
	    s->sh_size < sizeof(Elf64_Sym) || !is_strtab(info, s->sh_link))
		return bad(info, "the table of symbols is damaged");
	info->symtab = section_data(info, info->sym);
	info->nsyms = s->sh_size / sizeof(Elf64_Sym);
	info->strtab = section_data(info, s->sh_link);
	info->strsize = info->sec[s->sh_link].sh_size;
	for (unsigned int i = 0; i < info->nsyms; i++) {
		const Elf64_Sym *sym = &info->symtab[i];

		if (sym->st_name >= info->strsize)
			return bad(info, "symbol %u has no name", i);
		if (sym->st_shndx == SHN_COMMON)
			return bad(info, "%s is a common symbol: compile with -fno-common",
				   info->strtab + sym->st_name);
		if (sym->st_shndx >= info->nsec && sym->st_shndx != SHN_ABS)
			return bad(info, "symbol %u is in section %u, which is not there", i, sym->st_shndx);
		if (sym->st_shndx && sym->st_shndx < info->nsec && sym->st_value > info->sec[sym->st_shndx].sh_size)
			return bad(info, "symbol %u lies outside of its section", i);
	}
	return 0;
}

static int check_relocations(struct load_info *info, unsigned int i)
{
	const Elf64_Shdr *s = &info->sec[i];
	const Elf64_Rela *r = section_data(info, i);
	u64 room;

	if (s->sh_type == SHT_REL)
		return bad(info, "relocations without addends are not for x86-64");
	if (s->sh_info >= info->nsec || s->sh_link != info->sym || s->sh_entsize != sizeof(*r) || s->sh_offset % 8 ||
	    s->sh_size % sizeof(*r))
		return bad(info, "the relocations in section %u are damaged", i);
	if (!(info->sec[s->sh_info].sh_flags & SHF_ALLOC))
		return 0; /* debugging information: never applied */
	room = info->sec[s->sh_info].sh_size;
	if (info->sec[s->sh_info].sh_type == SHT_NOBITS && s->sh_size)
		return bad(info, "relocations of section %u, which has no content", s->sh_info);
	for (u64 n = s->sh_size / sizeof(*r); n; n--, r++)
		if (r->r_offset > room || room - r->r_offset < 4 || ELF64_R_SYM(r->r_info) >= info->nsyms)
			return bad(info, "a relocation in section %u leads out of it", i);
	return arch_module_relsec_ok(info, i) ? 0 : -ENOEXEC;
}

/* .modinfo is "tag=value" texts, each ended by a NUL */
static int check_info(struct load_info *info)
{
	const Elf64_Shdr *s;

	info->info = module_find_section(info, ".modinfo");
	if (!info->info)
		return bad(info, "it has no .modinfo: it was not built as a module");
	s = &info->sec[info->info];
	if (s->sh_type != SHT_PROGBITS || !s->sh_size || info->image[s->sh_offset + s->sh_size - 1])
		return bad(info, "its .modinfo is damaged");
	return 0;
}

static bool name_ok(const char *name)
{
	size_t n = strnlen(name, MODULE_NAME_LEN);

	if (!n || n == MODULE_NAME_LEN)
		return false;
	for (; *name; name++)
		if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
		      (*name >= '0' && *name <= '9') || *name == '_'))
			return false;
	return true;
}

static int check_head(struct load_info *info)
{
	const struct module_head *h;
	const Elf64_Shdr *s;

	info->head = module_find_section(info, ".gnu.linkonce.this_module");
	if (!info->head)
		return bad(info, "it has no section .gnu.linkonce.this_module: it was not built as a module of husk");
	s = &info->sec[info->head];
	h = section_data(info, info->head);
	if (s->sh_type != SHT_PROGBITS || s->sh_size != sizeof(*h) || s->sh_offset % 8 || s->sh_addralign < 8 ||
	    h->size != sizeof(*h))
		return bad(info, "its head is not that of a module of husk, or of another version of it");
	if (!name_ok(h->name))
		return bad(info, "its name is damaged");
	info->name = h->name;
	return 0;
}

static int find_symtab(struct load_info *info)
{
	for (unsigned int i = 1; i < info->nsec; i++) {
		if (info->sec[i].sh_type != SHT_SYMTAB)
			continue;
		if (info->sym)
			return bad(info, "it has two tables of symbols");
		info->sym = i;
	}
	return info->sym ? 0 : bad(info, "it has no symbols: it was stripped");
}

int module_elf_check(struct load_info *info)
{
	int err = check_header(info) ?: check_extents(info) ?: check_names(info) ?: check_head(info);

	err = err ?: check_info(info) ?: find_symtab(info) ?: check_symbols(info);
	for (unsigned int i = 1; !err && i < info->nsec; i++)
		if (info->sec[i].sh_type == SHT_RELA || info->sec[i].sh_type == SHT_REL)
			err = check_relocations(info, i);
	if (err)
		return err;
	info->where = kcalloc(info->nsec, sizeof(*info->where), GFP_KERNEL);
	info->addr = kcalloc(info->nsec, sizeof(*info->addr), GFP_KERNEL);
	info->value = kcalloc(info->nsyms, sizeof(*info->value), GFP_KERNEL);
	return info->where && info->addr && info->value ? 0 : -ENOMEM;
}

void module_elf_free(struct load_info *info)
{
	kfree(info->where);
	kfree(info->addr);
	kfree(info->value);
}

/* The value of a tag in .modinfo; prev: the one found before, to go on behind it. NULL: none. */
const char *module_info_tag(const struct load_info *info, const char *tag, const char *prev)
{
	const char *p = section_data(info, info->info), *end = p + info->sec[info->info].sh_size;
	size_t n = strlen(tag);

	if (prev)
		p = prev + strlen(prev) + 1;
	for (; p < end; p += strlen(p) + 1)
		if (!strncmp(p, tag, n) && p[n] == '=')
			return p + n + 1;
	return NULL;
}
