// SPDX-License-Identifier: Apache-2.0
// Relocations of modules: what the compiler of a module may leave to the loader, applied with every overflow found.

#include <husk/moduleloader.h>

/* As in the ABI's document; <elf.h> is not for the kernel. */
enum {
	REL_NONE = 0,
	REL_64 = 1,
	REL_PC32 = 2,
	REL_PLT32 = 4,
	REL_GOTPCREL = 9,
	REL_32 = 10,
	REL_32S = 11,
	REL_PC64 = 24,
	REL_GOTPCRELX = 41,
	REL_REX_GOTPCRELX = 42,
};

static unsigned int width(unsigned int type)
{
	return type == REL_64 || type == REL_PC64 ? 8 : type == REL_NONE ? 0 : 4;
}

/* Every type is known, and what it writes lies in the section. */
bool arch_module_relsec_ok(const struct load_info *info, unsigned int relsec)
{
	const Elf64_Shdr *s = &info->sec[relsec];
	const Elf64_Rela *r = section_data(info, relsec);
	u64 room = info->sec[s->sh_info].sh_size;

	for (u64 n = s->sh_size / sizeof(*r); n; n--, r++) {
		unsigned int type = ELF64_R_TYPE(r->r_info);

		switch (type) {
		case REL_NONE:
		case REL_64:
		case REL_PC32:
		case REL_PLT32:
		case REL_32:
		case REL_32S:
		case REL_PC64:
		case REL_GOTPCRELX:
		case REL_REX_GOTPCRELX:
			if (room - r->r_offset >= width(type))
				continue;
			pr_err("module %s: corrupt file: a relocation in section %u leads out of it", info->name,
			       relsec);
			return false;
		default:
			pr_err("module %s: relocations of type %u are not for modules: compile with the flags of "
			       "module.mk",
			       info->name, type);
			return false;
		}
	}
	return true;
}

/*
 * There is no table of addresses: an instruction that loads an address from one becomes one that computes it. mov becomes lea; an
 * indirect call or jump becomes a direct one with a prefix or a nop, so that its length stays. false: another instruction.
 */
static bool relax_got(u8 *at, u64 offset)
{
	if (offset < 2)
		return false;
	if (at[-2] == 0x8b && (at[-1] & 0xc7) == 0x05) { /* mov x@GOTPCREL(%rip), %reg */
		at[-2] = 0x8d;
		return true;
	}
	if (at[-2] == 0xff && at[-1] == 0x15) { /* call *x@GOTPCREL(%rip) */
		at[-2] = 0x67;
		at[-1] = 0xe8;
		return true;
	}
	if (at[-2] == 0xff && at[-1] == 0x25) { /* jmp *: a byte shorter, behind a nop */
		at[-2] = 0x90;
		at[-1] = 0xe9;
		return true;
	}
	return false;
}

/* val into at, which runs at the address place; false: it does not fit. */
static bool put_value(unsigned int type, u8 *at, u64 place, u64 val)
{
	s64 rel = (s64)(val - place);
	u32 v32 = (u32)val;

	switch (type) {
	case REL_64:
		memcpy(at, &val, 8);
		return true;
	case REL_PC64:
		memcpy(at, &rel, 8);
		return true;
	case REL_32:
		memcpy(at, &v32, 4);
		return val == v32;
	case REL_32S:
		memcpy(at, &v32, 4);
		return (s64)val == (s32)v32;
	default:
		v32 = (u32)rel;
		memcpy(at, &v32, 4);
		return rel == (s32)v32;
	}
}

static bool symbol_loaded(const struct load_info *info, unsigned int sym)
{
	unsigned int sec = info->symtab[sym].st_shndx;

	return !sec || sec >= info->nsec || (info->sec[sec].sh_flags & SHF_ALLOC);
}

/**
 * apply_relocate_add - relocate one section, which is at its place and whose symbols have their values
 * Return: 0, or -ENOEXEC where a value does not fit.
 */
int apply_relocate_add(struct load_info *info, unsigned int relsec)
{
	const Elf64_Shdr *s = &info->sec[relsec];
	const Elf64_Rela *r = section_data(info, relsec);
	unsigned long base = info->addr[s->sh_info];

	for (u64 n = s->sh_size / sizeof(*r); n; n--, r++) {
		unsigned int type = ELF64_R_TYPE(r->r_info), sym = ELF64_R_SYM(r->r_info);
		u8 *at = module_alias(base + r->r_offset);
		u64 val = info->value[sym] + r->r_addend;

		if (type == REL_NONE)
			continue;
		if (!symbol_loaded(info, sym)) {
			pr_err("module %s: corrupt file: %s refers to section %u, which is not loaded", info->name,
			       section_name(info, s->sh_info), info->symtab[sym].st_shndx);
			return -ENOEXEC;
		}
		if ((type == REL_GOTPCRELX || type == REL_REX_GOTPCRELX) && !relax_got(at, r->r_offset)) {
			pr_err("module %s: %s is reached through a table of addresses: compile with the flags of "
			       "module.mk",
			       info->name, info->strtab + info->symtab[sym].st_name);
			return -ENOEXEC;
		}
		if (put_value(type, at, base + r->r_offset, val))
			continue;
		pr_err("module %s: %s at 0x%llx is out of reach of a relocation of type %u in %s: compile with the "
		       "flags of module.mk",
		       info->name, info->strtab + info->symtab[sym].st_name, (unsigned long long)val, type,
		       section_name(info, s->sh_info));
		return -ENOEXEC;
	}
	return 0;
}
