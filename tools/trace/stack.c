// SPDX-License-Identifier: Apache-2.0
// -k: the program's stack, unwound with its files' call frame information, and where in the kernel the call slept.

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "print.h"

/**
 * DOC: unwinding outside
 *
 * The kernel copies the registers, the top of the user stack and the list of executable file mappings. libdw unwinds them as it
 * would a core file. The files are opened here, by their names in the sandbox (below --root where one was given): what only the sandbox has
 * is shown as file and offset without a symbol. A Dwfl is kept for each set of mappings that was seen lately.
 */

#define NSPACES 8
#define MAX_FRAMES 64
#define MAX_MAPS 64

struct map {
	uint64_t start, end, pgoff;
	char path[1024];
};
struct space {
	Dwfl *dwfl;
	struct map *map;
	unsigned nmaps;
	uint64_t used;
};

/* the kernel's struct pt_regs */
struct user_regs {
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

static struct space spaces[NSPACES];
static uint64_t uses;
static const char *root = "";
static char kernel_path[PATH_MAX];

/* What is being unwound. */
static const struct user_regs *regs;
static const struct hostif_trace_blob *stack;
static struct {
	uint64_t pc[MAX_FRAMES];
	bool exact[MAX_FRAMES];
	unsigned n;
} frames;

void stack_init(const char *guest_root)
{
	const char *env = getenv("HUSK_KERNEL");
	ssize_t n;

	if (guest_root && strcmp(guest_root, "/"))
		root = guest_root;
	if (env) {
		snprintf(kernel_path, sizeof(kernel_path), "%s", env);
		return;
	}
	n = readlink("/proc/self/exe", kernel_path, sizeof(kernel_path) - 32);
	kernel_path[n > 0 ? n : 0] = 0;
	strcpy(strrchr(kernel_path, '/') ? strrchr(kernel_path, '/') + 1 : kernel_path, "husk-kernel");
}

static const Dwfl_Callbacks file_callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* ---- the kernel ---- */

static Dwfl *kernel_dwfl(void)
{
	static Dwfl *dwfl;
	static bool tried;

	if (tried)
		return dwfl;
	tried = true;
	dwfl = dwfl_begin(&file_callbacks);
	if (dwfl) {
		dwfl_report_begin(dwfl);
		dwfl_report_offline(dwfl, "kernel", kernel_path, -1);
		dwfl_report_end(dwfl, NULL, NULL);
	}
	return dwfl;
}

static void print_kernel(struct text *t, const struct call_blob *b)
{
	for (uint32_t i = 0; i + 8 <= b->head->len; i += 8) {
		Dwfl *dwfl = kernel_dwfl();
		Dwfl_Module *m;
		const char *name;
		GElf_Off off = 0;
		GElf_Sym sym;
		uint64_t pc;

		memcpy(&pc, b->data + i, 8);
		m = dwfl ? dwfl_addrmodule(dwfl, pc - 1) : NULL;
		name = m ? dwfl_module_addrinfo(m, pc - 1, &off, &sym, NULL, NULL, NULL) : NULL;
		if (name)
			text_printf(t, " > [kernel] %s+%#" PRIx64 "\n", name, (uint64_t)off + 1);
		else
			text_printf(t, " > [kernel] [%#" PRIx64 "]\n", pc);
	}
}

/* ---- address spaces ---- */

/* Where an ELF file's address 0 is, if its bytes from pgoff on are mapped at start. */
static int load_bias(int fd, const struct map *m, uint64_t *base)
{
	uint64_t first = UINT64_MAX, bias = 0;
	bool found = false;
	GElf_Phdr ph;
	size_t n;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || elf_getphdrnum(elf, &n)) {
		elf_end(elf);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (first == UINT64_MAX)
			first = ph.p_vaddr & ~4095ULL;
		if (m->pgoff >= (ph.p_offset & ~4095ULL) && m->pgoff < ph.p_offset + ph.p_filesz) {
			bias = m->start - (ph.p_vaddr - ph.p_offset + m->pgoff);
			found = true;
		}
	}
	elf_end(elf);
	*base = bias + first;
	return found ? 0 : -1;
}

/* The guest chose the name: nothing but a regular file is opened, and none outside of its root. */
static int open_file(const char *name)
{
	static int top = -1;
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char path[64];
	struct stat st;
	int fd = -1, at;

	if (top < 0)
		top = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	at = syscall(SYS_openat2, top, name, &how, sizeof(how));
	if (at < 0)
		return -1;
	if (!fstat(at, &st) && S_ISREG(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	close(at);
	return fd;
}

static void report_map(Dwfl *dwfl, const struct map *m)
{
	uint64_t base;
	int fd = open_file(m->path);

	if (fd < 0)
		return;
	if (load_bias(fd, m, &base) || !dwfl_report_elf(dwfl, m->path, m->path, fd, base, false))
		close(fd);
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return 1;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	*thread_arg = arg;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *arg)
{
	if (!stack || addr < stack->addr || addr - stack->addr > stack->len || stack->len - (addr - stack->addr) < 8)
		return false;
	memcpy(result, (const uint8_t *)(stack + 1) + (addr - stack->addr), 8);
	return true;
}

static bool initial_registers(Dwfl_Thread *thread, void *arg)
{
	const Dwarf_Word w[17] = {regs->ax,  regs->dx,	regs->cx,  regs->bx,  regs->si,	 regs->di,
				  regs->bp,  regs->sp,	regs->r8,  regs->r9,  regs->r10, regs->r11,
				  regs->r12, regs->r13, regs->r14, regs->r15, regs->ip};

	return dwfl_thread_state_registers(thread, 0, 17, w);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = initial_registers,
};

static struct space *make_space(const struct map *map, unsigned n)
{
	struct space *s = &spaces[0];

	for (unsigned i = 1; i < NSPACES; i++)
		if (spaces[i].used < s->used)
			s = &spaces[i];
	if (s->dwfl)
		dwfl_end(s->dwfl);
	s->map = xrealloc(s->map, (n + 1) * sizeof(*map));
	memcpy(s->map, map, n * sizeof(*map));
	s->nmaps = n;
	s->dwfl = dwfl_begin(&file_callbacks);
	if (!s->dwfl)
		return s;
	dwfl_report_begin(s->dwfl);
	for (unsigned i = 0; i < n; i++)
		report_map(s->dwfl, &map[i]);
	dwfl_report_end(s->dwfl, NULL, NULL);
	dwfl_attach_state(s->dwfl, NULL, 1, &thread_callbacks, s);
	return s;
}

static struct space *find_space(const struct map *map, unsigned n)
{
	struct space *s = NULL;

	for (unsigned i = 0; i < NSPACES && !s; i++)
		if (spaces[i].dwfl && spaces[i].nmaps == n && !memcmp(spaces[i].map, map, n * sizeof(*map)))
			s = &spaces[i];
	if (!s)
		s = make_space(map, n);
	s->used = ++uses;
	return s;
}

/* ---- one stack ---- */

static int one_frame(Dwfl_Frame *f, void *arg)
{
	bool activation;
	Dwarf_Addr pc;

	if (frames.n == MAX_FRAMES || !dwfl_frame_pc(f, &pc, &activation))
		return DWARF_CB_ABORT;
	frames.pc[frames.n] = pc;
	frames.exact[frames.n++] = activation;
	return DWARF_CB_OK;
}

static const struct map *map_of(const struct space *s, uint64_t pc)
{
	for (unsigned i = 0; i < s->nmaps; i++)
		if (pc >= s->map[i].start && pc < s->map[i].end)
			return &s->map[i];
	return NULL;
}

static void print_frame(struct text *t, struct space *s, uint64_t pc, bool exact)
{
	uint64_t at = exact ? pc : pc - 1;
	const struct map *m = map_of(s, at);
	Dwfl_Module *mod = s->dwfl ? dwfl_addrmodule(s->dwfl, at) : NULL;
	const char *name = NULL;
	GElf_Off off = 0;
	GElf_Sym sym;

	if (!m) {
		text_printf(t, " > [%#" PRIx64 "]\n", pc);
		return;
	}
	if (mod)
		name = dwfl_module_addrinfo(mod, at, &off, &sym, NULL, NULL, NULL);
	text_str(t, " > ");
	text_plain(t, m->path, strlen(m->path));
	text_char(t, '(');
	if (name) { /* without the version */
		text_plain(t, name, strcspn(name, "@"));
		text_printf(t, "+%#" PRIx64, (uint64_t)off + (pc - at));
	}
	text_printf(t, ") [%#" PRIx64 "]\n", pc - m->start + m->pgoff);
}

static void print_user(struct text *t, const struct map *map, unsigned n)
{
	struct space *s = find_space(map, n);

	frames.n = 0;
	if (s->dwfl)
		dwfl_getthread_frames(s->dwfl, 1, one_frame, NULL);
	if (!frames.n) {
		frames.pc[0] = regs->ip;
		frames.exact[0] = true;
		frames.n = 1;
	}
	for (unsigned i = 0; i < frames.n; i++)
		print_frame(t, s, frames.pc[i], frames.exact[i]);
}

static void take_map(struct map *m, const struct call_blob *b)
{
	struct hostif_trace_map h;
	size_t n = b->head->len - sizeof(h);

	memcpy(&h, b->data, sizeof(h));
	memset(m, 0, sizeof(*m));
	m->start = h.start;
	m->end = h.end;
	m->pgoff = h.pgoff;
	memcpy(m->path, b->data + sizeof(h), n < sizeof(m->path) ? n : sizeof(m->path) - 1);
}

void stack_print(struct text *t, const struct call *c)
{
	static struct map map[MAX_MAPS];
	unsigned n = 0;

	regs = NULL;
	stack = NULL;
	for (unsigned i = 0; i < c->nblobs; i++) {
		const struct call_blob *b = &c->blob[i];

		if (b->head->kind == TRACE_BLOB_KSTACK)
			print_kernel(t, b);
		else if (b->head->kind == TRACE_BLOB_UREGS && b->head->len >= sizeof(*regs))
			regs = (const void *)b->data;
		else if (b->head->kind == TRACE_BLOB_USTACK)
			stack = b->head;
		else if (b->head->kind == TRACE_BLOB_MAP && n < MAX_MAPS &&
			 b->head->len > sizeof(struct hostif_trace_map))
			take_map(&map[n++], b);
	}
	if (regs)
		print_user(t, map, n);
}
