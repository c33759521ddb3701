// SPDX-License-Identifier: Apache-2.0
// Dumps that are ELF core files: program headers and notes, checked against the file's size.

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <hostif/hostif.h>
#include "formats.h"

#define MAX_SEGMENTS (1u << 20)
#define MAX_NOTE_BYTES (64u << 20)

static int bad(const char *what)
{
	complain("%s: %s", core.path, what);
	return -1;
}

static int read_notes(const Elf64_Phdr *ph)
{
	u64 n = ph->p_filesz;
	u8 *p;

	if (ph->p_offset >= core.elf_size) {
		warn("%s ends before its notes: threads' registers are lost", core.path);
		return 0;
	}
	if (n > core.elf_size - ph->p_offset) {
		warn("%s ends within its notes: some threads' registers are lost", core.path);
		n = core.elf_size - ph->p_offset;
	}
	if (n > MAX_NOTE_BYTES)
		return bad("its notes are impossibly large: not a dump that husk wrote");
	p = malloc(n + 1);
	if (!p)
		abort();
	if (!core.bytes(ph->p_offset, p, n) && core_parse_notes(p, n) && n == ph->p_filesz)
		warn("%s: its notes are damaged", core.path);
	free(p);
	return 0;
}

#define MAX_PHYS (1ull << 44)

static void add_load(const Elf64_Phdr *ph)
{
	u64 phys, have = ph->p_filesz, left;

	if (ph->p_vaddr - kernel_layout.direct_map < MAX_PHYS)
		phys = ph->p_vaddr - kernel_layout.direct_map;
	else if (ph->p_vaddr - kernel_layout.image < 1ull << 30)
		phys = ph->p_vaddr - kernel_layout.image + kernel_layout.image_phys;
	else
		return; /* not memory that this kernel knows */
	if (have > MAX_PHYS || ph->p_memsz > MAX_PHYS)
		return;
	left = ph->p_offset < core.elf_size ? core.elf_size - ph->p_offset : 0;
	if (left > have)
		left = have;
	core.truncated += have - left;
	core_add_segment(phys, left, ph->p_offset, SEGMENT_BYTES);
	core_add_segment(phys + left, have - left, 0, SEGMENT_CUT);
	if (ph->p_memsz > have)
		core_add_segment(phys + have, ph->p_memsz - have, 0,
				 ph->p_flags & PF_HUSK_FILTERED ? SEGMENT_FILTERED
				 : ph->p_flags & PF_HUSK_LOST	? SEGMENT_LOST
								: SEGMENT_ZERO);
}

/* More program headers than e_phnum can say: the first section header has their number. */
static u64 header_count(const Elf64_Ehdr *eh)
{
	Elf64_Shdr sh;

	if (eh->e_phnum != PN_XNUM)
		return eh->e_phnum;
	if (eh->e_shentsize != sizeof(sh) || core.bytes(eh->e_shoff, &sh, sizeof(sh)))
		return 0;
	return sh.sh_info;
}

static int read_headers(const Elf64_Ehdr *eh)
{
	u64 n = header_count(eh);

	if (eh->e_phentsize != sizeof(Elf64_Phdr) || !n || n > MAX_SEGMENTS)
		return bad("its program headers are damaged: nothing can be read");
	for (u64 i = 0; i < n; i++) {
		Elf64_Phdr ph;

		if (core.bytes(eh->e_phoff + i * sizeof(ph), &ph, sizeof(ph))) {
			if (!i)
				return bad("it ends before its program headers: nothing can be read");
			warn("%s ends within its program headers: %llu of %llu can be read", core.path,
			     (unsigned long long)i, (unsigned long long)n);
			break;
		}
		if (ph.p_type == PT_NOTE && read_notes(&ph))
			return -1;
		if (ph.p_type == PT_LOAD)
			add_load(&ph);
	}
	return 0;
}

int core_open_elf(void)
{
	Elf64_Ehdr eh;

	if (!core.format)
		core.format = "ELF";
	if (core.bytes_only)
		return 0;
	core.read = core_read_segments;
	if (core.bytes(0, &eh, sizeof(eh)))
		return bad("it is shorter than an ELF header: the dump was cut short at once");
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64)
		return bad("it is an ELF file, but not of x86-64");
	if (eh.e_type != ET_CORE)
		return bad("it is an ELF file, but not a core file; a kernel goes with --kernel");
	if (read_headers(&eh))
		return -1;
	if (core_sort_segments())
		return bad("it holds none of the kernel's memory; is it a guest program's core file? gdb opens those");
	if (core.truncated)
		warn("%s is cut short: %llu MiB of it are missing; what is there is shown", core.path,
		     (unsigned long long)(core.truncated + (1 << 20) - 1) >> 20);
	return 0;
}
