// SPDX-License-Identifier: Apache-2.0
// The kernel's file: found, checked against the dump by its build id, its symbols and source lines.

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crash.h"

const char *kernel_path;
Elf *kernel_elf;
Dwarf *kernel_dwarf;
char kernel_build_id[64];
struct symbol *symbols;
size_t nsymbols;
static u64 text_start, text_end;

static int bad(const char *what)
{
	complain("%s: %s", kernel_path, what);
	return -1;
}

/* ---- symbols ---- */

static int by_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->size < y->size ? 1 : x->size > y->size ? -1 : strcmp(x->name, y->name);
}

static char symbol_type(const GElf_Sym *s, const GElf_Shdr *sec)
{
	char c = sec->sh_flags & SHF_EXECINSTR ? 't'
		 : sec->sh_type == SHT_NOBITS  ? 'b'
		 : sec->sh_flags & SHF_WRITE   ? 'd'
					       : 'r';

	return GELF_ST_BIND(s->st_info) == STB_GLOBAL ? (char)(c - 32) : c;
}

static void load_symbols(Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;

	symbols = calloc(n + 1, sizeof(*symbols));
	if (!symbols || !d)
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Shdr sec;
		GElf_Sym s;
		const char *name;

		if (!gelf_getsym(d, (int)i, &s) || s.st_shndx == SHN_UNDEF || s.st_shndx >= SHN_LORESERVE ||
		    GELF_ST_TYPE(s.st_info) == STT_FILE || GELF_ST_TYPE(s.st_info) == STT_SECTION)
			continue;
		name = elf_strptr(kernel_elf, sh->sh_link, s.st_name);
		if (!name || !*name || !gelf_getshdr(elf_getscn(kernel_elf, s.st_shndx), &sec))
			continue;
		symbols[nsymbols++] = (struct symbol){s.st_value, s.st_size, name, symbol_type(&s, &sec)};
	}
	qsort(symbols, nsymbols, sizeof(*symbols), by_addr);
}

const struct symbol *symbol_at(u64 addr, u64 *offset)
{
	const struct symbol *found = NULL;
	size_t lo = 0, hi = nsymbols;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (symbols[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (addr < kernel_layout.image || addr >= kernel_layout.image_end)
		return module_symbol_at(addr, offset);
	/* of several that begin before it, the nearest that reaches it; a label has no size and counts where nothing else does */
	for (size_t i = lo, back = 0; i-- > 0 && back < 32; back++) {
		const struct symbol *s = &symbols[i];

		while (i && symbols[i - 1].addr == s->addr && symbols[i - 1].size >= s->size)
			s = &symbols[--i];
		if (s->size && addr - s->addr < s->size) {
			found = s;
			break;
		}
		if (!s->size && !found && addr - s->addr < PAGE_SIZE)
			found = s;
	}
	if (found && offset)
		*offset = addr - found->addr;
	return found;
}

const struct symbol *symbol_named(const char *name)
{
	const struct symbol *found = NULL;

	for (size_t i = 0; i < nsymbols; i++) {
		if (strcmp(symbols[i].name, name))
			continue;
		if (!found || (found->type >= 'a' && symbols[i].type < 'a'))
			found = &symbols[i];
	}
	return found ?: module_symbol_named(name);
}

u64 symbol_addr(const char *name)
{
	const struct symbol *s = symbol_named(name);

	if (!s)
		complain("the kernel has no symbol %s", name);
	return s ? s->addr : 0;
}

const char *symbolise(u64 addr, char *buf, size_t n)
{
	u64 off;
	const struct symbol *s = symbol_at(addr, &off);

	if (!s)
		snprintf(buf, n, "%llx", (unsigned long long)addr);
	else if (off)
		snprintf(buf, n, "%s+%llu", s->name, (unsigned long long)off);
	else
		snprintf(buf, n, "%s", s->name);
	return buf;
}

bool is_kernel_text(u64 addr)
{
	return (addr >= text_start && addr < text_end) || is_module_text(addr);
}

const char *source_line(u64 addr, char *buf, size_t n)
{
	Dwarf_Die cu;
	Dwarf_Line *line;
	const char *file;
	int no;

	if (!kernel_dwarf || !dwarf_addrdie(kernel_dwarf, addr, &cu))
		return NULL;
	line = dwarf_getsrc_die(&cu, addr);
	if (!line || dwarf_lineno(line, &no) || !(file = dwarf_linesrc(line, NULL, NULL)))
		return NULL;
	/* the name within the source tree: what the build was given */
	for (const char *dir = dwarf_formstring(dwarf_attr(&cu, DW_AT_comp_dir, &(Dwarf_Attribute){0})); dir;
	     dir = NULL)
		if (!strncmp(file, dir, strlen(dir)) && file[strlen(dir)] == '/')
			file += strlen(dir) + 1;
	snprintf(buf, n, "%s:%d", file, no);
	return buf;
}

/* ---- the file ---- */

static void read_build_id(const GElf_Shdr *sh, Elf_Scn *scn)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	GElf_Nhdr nh;
	size_t name, desc;

	if (!d || !gelf_getnote(d, 0, &nh, &name, &desc) || nh.n_descsz > 20)
		return;
	for (size_t i = 0; i < nh.n_descsz; i++)
		sprintf(kernel_build_id + 2 * i, "%02x", ((u8 *)d->d_buf)[desc + i]);
}

/* Where build-id's note lies in the image: the dump has a copy. */
static u64 build_id_addr;

static int scan_sections(void)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t strings;

	if (elf_getshdrstrndx(kernel_elf, &strings))
		return bad("its section headers are damaged");
	while ((scn = elf_nextscn(kernel_elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(kernel_elf, strings, sh.sh_name) : NULL;

		if (!name)
			continue;
		if (sh.sh_type == SHT_SYMTAB)
			load_symbols(scn, &sh);
		if (!strcmp(name, ".note.gnu.build-id")) {
			build_id_addr = sh.sh_addr;
			read_build_id(&sh, scn);
		}
		if (sh.sh_flags & SHF_EXECINSTR && !text_start) {
			text_start = sh.sh_addr;
			text_end = sh.sh_addr + sh.sh_size;
		}
	}
	return 0;
}

/* Initial value of a pointer-sized variable, from the file. */
static bool initial_value(const char *name, u64 *v)
{
	const struct symbol *s = symbol_named(name);
	size_t n;
	GElf_Phdr ph;

	if (!s || elf_getphdrnum(kernel_elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		Elf_Data *d;

		if (!gelf_getphdr(kernel_elf, (int)i, &ph) || ph.p_type != PT_LOAD || s->addr < ph.p_vaddr ||
		    s->addr + 8 > ph.p_vaddr + ph.p_filesz)
			continue;
		d = elf_getdata_rawchunk(kernel_elf, (int64_t)(ph.p_offset + s->addr - ph.p_vaddr), 8, ELF_T_BYTE);
		if (!d)
			return false;
		memcpy(v, d->d_buf, 8);
		return true;
	}
	return false;
}

static int find_layout(void)
{
	size_t n;
	GElf_Phdr ph;

	if (elf_getphdrnum(kernel_elf, &n))
		return bad("its program headers are damaged");
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(kernel_elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (!kernel_layout.image)
			kernel_layout.image = ph.p_vaddr & ~(PAGE_SIZE - 1);
		if (ph.p_vaddr + ph.p_memsz > kernel_layout.image_end)
			kernel_layout.image_end = ph.p_vaddr + ph.p_memsz;
	}
	kernel_layout.image_phys = HOSTIF_KERNEL_PHYS;
	if (!kernel_layout.image || !initial_value("direct_map", &kernel_layout.direct_map))
		return bad("it is not husk's kernel, or it was stripped; build/husk-kernel has its symbols");
	return 0;
}

static int find_beside(char *path, size_t n)
{
	static const char *const places[] = {"husk-kernel", "../lib/husk/husk-kernel", "../../lib/husk/husk-kernel"};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *env = getenv("HUSK_KERNEL");

	if (env && *env) {
		snprintf(path, n, "%s", env);
		return 0;
	}
	self[len < 0 ? 0 : len] = 0;
	*(strrchr(self, '/') ? strrchr(self, '/') + 1 : self) = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if ((size_t)snprintf(path, n, "%s%s", self, places[i]) < n && !access(path, R_OK))
			return 0;
	}
	complain("cannot find husk-kernel beside the command; name it: --kernel FILE");
	return -1;
}

int kernel_open(const char *path, int fd)
{
	static char beside[PATH_MAX + 64];

	if (!path) {
		if (find_beside(beside, sizeof(beside)))
			return -1;
		path = beside;
	}
	kernel_path = path;
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain("cannot open the kernel %s: %s", path, strerror(errno));
		return -1;
	}
	elf_version(EV_CURRENT);
	kernel_elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!kernel_elf || elf_kind(kernel_elf) != ELF_K_ELF)
		return bad("it is not an ELF file");
	if (scan_sections() || find_layout())
		return -1;
	kernel_dwarf = dwarf_begin_elf(kernel_elf, DWARF_C_READ, NULL);
	if (!kernel_dwarf)
		return bad("it has no debug information (DWARF), from which structures are read; give the one that was "
			   "built");
	return 0;
}

/* The dump's own build id against the file's: what differs would be read as nonsense. */
int kernel_check(void)
{
	char id[64] = "";
	u8 note[64];

	if (core_info("BUILD-ID", id, sizeof(id)) && build_id_addr && !kread_quiet(build_id_addr, note, 36) &&
	    note[0] == 4 && note[4] == 20 && !memcmp(note + 12, "GNU", 4))
		for (int i = 0; i < 20; i++)
			sprintf(id + 2 * i, "%02x", note[16 + i]);
	if (!*id) {
		warn("the dump does not say which kernel it is of; taking %s", kernel_path);
		return 0;
	}
	if (!strcmp(id, kernel_build_id))
		return 0;
	complain("%s is not the kernel of this dump (its build id is %s, the dump's is %s); give the right one with "
		 "--kernel FILE",
		 kernel_path, kernel_build_id, id);
	return -1;
}
