// SPDX-License-Identifier: Apache-2.0
// Backtraces of programs: frames by .eh_frame of the files they run, names from their symbol tables.

#include <Zydis/Zydis.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crash.h"

/**
 * DOC: a program's frames
 *
 * The area that an address lies in names its file. The host may have that file at the same path; it is used if its build id is that in the guest's
 * memory; in a dump without that page, if the inode has its size and time. Then .eh_frame gives exact frames and .symtab or .dynsym names. Without the
 * file, frame pointers are tried, and an address is shown as file+offset.
 */
#define MAX_MODULES 64

struct module {
	u64 file;	/* struct file's inode */
	char name[512]; /* path in the guest */
	Elf *elf;	/* NULL: not to be had */
	Dwarf_CFI *cfi;
	int fd;
};
static struct module modules[MAX_MODULES];
static size_t nmodules;

struct view { /* a module as one address space has it */
	struct module *m;
	u64 bias; /* address - bias is the file's own */
};

static int read_user(void *arg, u64 addr, void *buf, size_t n)
{
	return uread(*(u64 *)arg, addr, buf, n) == READ_OK ? 0 : -1;
}

/* Where the dump has no pages of programs: the file's size and time, which the kernel's inode knows. */
static bool same_inode(int fd, u64 inode)
{
	struct stat st;

	return !fstat(fd, &st) && (u64)st.st_size == FIELD(inode, inode, i_size) &&
	       (u64)st.st_mtime == FIELD(inode, inode, i_mtime.tv_sec);
}

/* Compares build ids: the file's note, and the same place in the program's memory. */
static bool same_file(Elf *elf, int fd, u64 inode, u64 mm, u64 bias)
{
	size_t n;
	GElf_Phdr ph;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		Elf_Data *d;
		u8 mem[512];

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE || ph.p_filesz > sizeof(mem) ||
		    ph.p_filesz < 16)
			continue;
		d = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_BYTE);
		if (!d || ((u32 *)d->d_buf)[2] != 3 /* NT_GNU_BUILD_ID */)
			continue;
		if (uread(mm, bias + ph.p_vaddr, mem, ph.p_filesz) != READ_OK)
			break;
		if (memmem(d->d_buf, d->d_size, "GNU", 4)) {
			if (memcmp(d->d_buf, mem, ph.p_filesz))
				return false;
			return true;
		}
	}
	return same_inode(fd, inode);
}

static bool file_bias(Elf *elf, const struct vma *v, u64 *bias)
{
	u64 off = v->pgoff * PAGE_SIZE;
	size_t n;
	GElf_Phdr ph;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (off >= (ph.p_offset & ~(PAGE_SIZE - 1)) && off < ph.p_offset + ph.p_filesz) {
			*bias = v->start - off + ph.p_offset - ph.p_vaddr;
			return true;
		}
	}
	return false;
}

/* The dump chose the name: nothing but a regular file is opened. A device might act on that. */
static int open_regular(const char *path)
{
	int at = open(path, O_PATH | O_CLOEXEC), fd = -1;
	char again[32];
	struct stat st;

	if (at < 0)
		return -1;
	if (!fstat(at, &st) && S_ISREG(st.st_mode)) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
		fd = open(again, O_RDONLY | O_CLOEXEC);
	}
	close(at);
	return fd;
}

static Elf *open_elf(const char *path, int *fd)
{
	Elf *e;

	*fd = open_regular(path);
	if (*fd < 0)
		return NULL;
	e = elf_begin(*fd, ELF_C_READ_MMAP, NULL);
	if (!e || elf_kind(e) != ELF_K_ELF) {
		elf_end(e);
		close(*fd);
		return NULL;
	}
	return e;
}

static struct module *module_of(const struct vma *v, u64 mm)
{
	struct module *m;
	u64 inode = FIELD(v->file, file, f_inode), bias;

	for (size_t i = 0; i < nmodules; i++)
		if (modules[i].file == inode)
			return &modules[i];
	if (nmodules == MAX_MODULES)
		return NULL;
	m = &modules[nmodules++];
	m->file = inode;
	file_name(v->file, m->name, sizeof(m->name));
	m->elf = open_elf(m->name, &m->fd);
	if (m->elf && (!file_bias(m->elf, v, &bias) || !same_file(m->elf, m->fd, inode, mm, bias))) {
		elf_end(m->elf);
		close(m->fd);
		m->elf = NULL;
	}
	if (m->elf)
		m->cfi = dwarf_getcfi_elf(m->elf);
	return m;
}

static const struct vma *vma_at(const struct vma *v, size_t n, u64 addr)
{
	for (size_t i = 0; i < n; i++)
		if (addr >= v[i].start && addr < v[i].end)
			return &v[i];
	return NULL;
}

/* The function of addr, from .symtab or else .dynsym. */
static void elf_symbol(Elf *elf, u64 addr, char *buf, size_t n)
{
	u64 best = 0, best_addr = 0;
	const char *name = NULL;
	char safe[128];

	for (u32 want = SHT_SYMTAB; !name && want; want = want == SHT_SYMTAB ? SHT_DYNSYM : 0) {
		Elf_Scn *scn = NULL;
		GElf_Shdr sh;

		while ((scn = elf_nextscn(elf, scn))) {
			Elf_Data *d;
			GElf_Sym s;

			if (!gelf_getshdr(scn, &sh) || sh.sh_type != want || !sh.sh_entsize ||
			    !(d = elf_getdata(scn, NULL)))
				continue;
			for (size_t i = 0; i < sh.sh_size / sh.sh_entsize; i++) {
				if (!gelf_getsym(d, (int)i, &s) || s.st_shndx == SHN_UNDEF ||
				    GELF_ST_TYPE(s.st_info) > STT_FUNC || s.st_value > addr || s.st_value < best ||
				    (s.st_size && addr - s.st_value >= s.st_size) ||
				    (!s.st_size && addr - s.st_value > 4096))
					continue;
				const char *c = elf_strptr(elf, sh.sh_link, s.st_name);

				if (c && *c) {
					name = c;
					best = best_addr = s.st_value;
				}
			}
		}
	}
	if (name) { /* the file may be the guest's own work */
		printable(safe, sizeof(safe), name, strlen(name));
		snprintf(buf, n, "%s+%llu", safe, (unsigned long long)(addr - best_addr));
	}
}

static void describe(const struct vma *v, size_t n, u64 mm, struct user_frame *f, u64 look, struct view *view)
{
	const struct vma *area = vma_at(v, n, look);
	const char *base;

	*view = (struct view){NULL, 0};
	if (!area) {
		snprintf(f->where, sizeof(f->where), "no area");
		return;
	}
	if (!area->file) {
		snprintf(f->where, sizeof(f->where), "anonymous memory");
		return;
	}
	view->m = module_of(area, mm);
	if (!view->m)
		return;
	base = strrchr(view->m->name, '/');
	snprintf(f->where, sizeof(f->where), "%.120s+0x%llx", base ? base + 1 : view->m->name,
		 (unsigned long long)(f->ip - area->start + area->pgoff * PAGE_SIZE));
	if (view->m->elf && file_bias(view->m->elf, area, &view->bias))
		elf_symbol(view->m->elf, look - view->bias, f->symbol, sizeof(f->symbol));
	else
		view->bias = 0;
}

static bool by_frame_pointer(struct unwind *u, const struct vma *v, size_t n)
{
	u64 fp = u->reg[R_BP], rec[2];
	const struct vma *code;

	if (!(u->known >> R_BP & 1) || fp % 8 || fp < u->reg[R_SP] || fp - u->reg[R_SP] > 1 << 20 ||
	    u->read(u->arg, fp, rec, sizeof(rec)))
		return false;
	code = vma_at(v, n, rec[1]);
	if (!code || !(code->flags & 4))
		return false;
	u->reg[R_IP] = rec[1];
	u->reg[R_SP] = fp + 16;
	u->reg[R_BP] = rec[0];
	u->known = 1u << R_IP | 1u << R_SP | 1u << R_BP;
	return true;
}

static void start(struct unwind *u, const struct task_regs *r)
{
	const u64 reg[17] = {r->ax, r->dx,  r->cx,  r->bx,  r->si,  r->di,  r->bp,  r->sp, r->r8,
			     r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->ip};

	memcpy(u->reg, reg, sizeof(reg));
	u->known = 0x1ffff;
}

/*
 * The kernel's own stubs (VM_STUBS): a patched system call jumped there, and they jump back, perhaps after an instruction that stood behind the call. The
 * stack is untouched, so the frame goes on where the jump leads; or at rcx, which has the address to return to.
 */
#define VM_STUBS 0x400000
#define STUB_INSTRUCTIONS 6
static u64 stub_target(u64 mm, u64 ip)
{
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction in;
	ZyanU64 target;
	ZydisDecoder d;
	u8 code[96];

	ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (uread(mm, ip, code, sizeof(code)) != READ_OK)
		return 0;
	for (size_t at = 0, n = 0; n < STUB_INSTRUCTIONS; n++, at += in.length) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, code + at, sizeof(code) - at, &in, op)))
			return 0;
		if (in.mnemonic == ZYDIS_MNEMONIC_JMP && op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&in, &op[0], ip + at, &target)))
			return target;
	}
	return 0;
}

static bool leave_stub(struct unwind *u, const struct vma *v, size_t n, u64 mm)
{
	const struct vma *at = vma_at(v, n, u->reg[R_IP]), *to;
	u64 target;

	if (!at || !(at->flags & VM_STUBS))
		return false;
	target = stub_target(mm, u->reg[R_IP]);
	to = vma_at(v, n, target);
	if ((!to || !to->file || !(to->flags & 4)) && u->known >> R_CX & 1) {
		target = u->reg[R_CX];
		to = vma_at(v, n, target);
	}
	if (!to || to == at || !(to->flags & 4))
		return false;
	u->reg[R_IP] = target;
	return true;
}

size_t user_backtrace(const struct task *t, const struct task_regs *r, struct user_frame *f, size_t max)
{
	u64 mm = t->mm;
	struct unwind u = {.read = read_user, .arg = &mm};
	struct vma *v;
	size_t nv = vmas_load(mm, &v), n = 0;
	unsigned long faults = read_faults;
	u64 last_sp = 0;

	start(&u, r);
	while (n < max && u.reg[R_IP]) {
		struct unwind was = u;
		struct view view;
		u64 look = n && u.reg[R_SP] != last_sp ? u.reg[R_IP] - 1 : u.reg[R_IP];

		f[n] = (struct user_frame){.ip = u.reg[R_IP], .sp = u.reg[R_SP]};
		describe(v, nv, mm, &f[n], look, &view);
		n++;
		last_sp = u.reg[R_SP];
		if (leave_stub(&u, v, nv, mm)) {
			snprintf(f[n - 1].where, sizeof(f->where), "system-call stub");
			continue;
		}
		if (view.m && view.m->cfi && unwind_cfi(&u, view.m->cfi, look - view.bias))
			continue;
		u = was;
		if (view.m && view.m->cfi) /* it has rules, and they end here */
			break;
		if (!by_frame_pointer(&u, v, nv) || u.reg[R_SP] <= was.reg[R_SP])
			break;
	}
	free(v);
	read_faults = faults;
	return n;
}
