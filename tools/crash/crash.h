/* SPDX-License-Identifier: Apache-2.0 */
/* husk crash: what its files share. */
#ifndef CRASH_H
#define CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <elfutils/libdw.h>
#include <hostif/hostif.h>
#include <hostif/mdump.h>

typedef uint64_t u64;
typedef int64_t s64;
typedef uint32_t u32;
typedef uint8_t u8;

#define PAGE_SIZE 4096ull
#define EXIT_CRASH 125 /* the command's own failures, as elsewhere in husk */
#define MAX_NAME 256
#define MAX_PATH 4096

/* ---- main.c: messages ---- */
/* complain: one line on stderr; the command has failed. warn: likewise, but what follows can be used */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern bool live; /* a running sandbox: memory changes while it is read */
extern volatile bool interrupted;

/* ---- core.c: the dump's bytes ---- */
enum read_status { READ_OK, READ_RANGE, READ_EXCLUDED, READ_LOST, READ_TRUNCATED, READ_CORRUPT };
struct task_regs { /* struct user_regs_struct's order, as in NT_PRSTATUS */
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss, fs_base,
		gs_base, ds, es, fs, gs;
};
struct core_note {
	u32 pid;  /* as the guest numbers threads */
	u64 task; /* its task_struct, or 0 */
	u32 from; /* enum mdump_regs_from */
	bool in_user;
	int signo;
	struct task_regs regs;
};
enum segment_kind { SEGMENT_BYTES, SEGMENT_ZERO, SEGMENT_FILTERED, SEGMENT_LOST, SEGMENT_CUT };
struct core_segment {
	u64 phys, size, offset; /* size bytes of RAM from phys lie at offset in the ELF file */
	enum segment_kind kind;
};
struct core {
	int fd;
	char path[MAX_PATH];
	u64 file_size;
	u64 ram_size;	    /* 0: unknown */
	const char *format; /* "ELF", "live", ... */
	struct core_segment *seg;
	size_t nseg;
	struct core_note *note;
	size_t nnote;
	char *vmcoreinfo;
	u64 truncated;		   /* bytes that the file should have and has not */
	bool has_info, bytes_only; /* bytes_only: nothing but bytes() is wanted */
	struct mdump_info info;
	u64 elf_size;				       /* of the ELF file, compressed or not */
	int (*bytes)(u64 offset, void *buf, size_t n); /* of the ELF file; enum read_status */
	int (*read)(u64 phys, void *buf, size_t n);    /* RAM, at most to the end of the page; enum read_status */
};
extern struct core core;
int core_open(const char *path); /* 0, or -1 with the message given */
/* *kernel NULL: *kernel_fd and *kernel become the file that it runs */
int core_open_live(const char *sandbox, int *kernel_fd, const char **kernel);
void core_close(void);
void core_find_ram_size(void);			   /* from the boot page, where the notes do not say it */
int core_read_phys(u64 phys, void *buf, size_t n); /* enum read_status */
void core_forget(void);				   /* live: what was read is old */
const char *read_error(int status);
/* value of NAME= in VMCOREINFO, or -1 */
int core_info(const char *name, char *out, size_t n);
void core_add_segment(u64 phys, u64 size, u64 offset, enum segment_kind kind);
int core_sort_segments(void);
size_t core_segment_near(u64 phys); /* where to begin to look for the segments from phys on */
int core_parse_notes(const u8 *p, size_t n);
int core_pread(u64 offset, void *buf, size_t n); /* 0, or -1: the file ends before */

/* ---- memory.c: kernel and user addresses ---- */
#define KERNEL_BASE kernel_layout.image
#define DIRECT_MAP kernel_layout.direct_map
struct kernel_layout {
	u64 image, image_end, direct_map, image_phys;
};
extern struct kernel_layout kernel_layout;
int kernel_phys(u64 addr, u64 *phys);		/* -1: no such kernel address */
int kread(u64 addr, void *buf, size_t n);	/* enum read_status; on failure buf is zeroed and the fault is noted */
int kread_quiet(u64 addr, void *buf, size_t n); /* the same, nothing noted */
u64 kread_u64(u64 addr);
bool kstring(u64 addr, char *out, size_t n); /* printable, at most n - 1 bytes; false: not readable */
void printable(char *out, size_t n, const char *in, size_t len);
bool is_kernel_address(u64 addr);
bool user_phys(u64 mm, u64 addr, u64 *phys, u64 *pte);
int uread(u64 mm, u64 addr, void *buf, size_t n); /* enum read_status */
extern unsigned long read_faults;		  /* reads that failed since the command began */
extern u64 read_fault_addr;
extern int read_fault_status;

/* ---- kernel.c, types.c: husk-kernel with its DWARF ---- */
int kernel_open(const char *path, int fd); /* fd >= 0: path is its name only */ /* NULL: beside the command */
int kernel_check(void); /* it is the dump's; 0, or -1 with the message given */
extern const char *kernel_path;
extern Dwarf *kernel_dwarf;
extern Elf *kernel_elf;
extern char kernel_build_id[64];
struct symbol {
	u64 addr, size;
	const char *name;
	char type; /* as nm prints it */
};
extern struct symbol *symbols; /* sorted by address */
extern size_t nsymbols;
const struct symbol *symbol_at(u64 addr, u64 *offset); /* NULL: none covers it */
const struct symbol *symbol_named(const char *name);
u64 symbol_addr(const char *name); /* 0: none, and says so */
/* "name+0x12", or the number */
const char *symbolise(u64 addr, char *buf, size_t n);
/* file:line, or NULL */
const char *source_line(u64 addr, char *buf, size_t n);
bool is_kernel_text(u64 addr);
struct inlined {
	char name[128], called_at[256];
};
size_t inlined_at(u64 addr, struct inlined *in, size_t max);

/* ---- cmd_mod.c: loadable modules ---- */
bool module_phys(u64 addr, u64 *phys);
const struct symbol *module_symbol_at(u64 addr, u64 *offset);
const struct symbol *module_symbol_named(const char *name);
bool is_module_text(u64 addr);
void modules_forget(void);

bool type_named(const char *name, Dwarf_Die *out); /* "struct x", "union x", "enum x", "x" */
bool variable_named(const char *name, Dwarf_Die *type, u64 *addr);
bool type_strip(Dwarf_Die *t); /* typedefs and qualifiers off; false: void */
bool die_type(Dwarf_Die *d, Dwarf_Die *type);
u64 type_size(Dwarf_Die *t);
const char *type_name(Dwarf_Die *t, char *buf, size_t n);
struct member {
	u64 offset;
	unsigned bit_offset, bit_size; /* bit_size 0: no bit field */
	Dwarf_Die type;
};
bool type_member(Dwarf_Die *type, const char *path, struct member *out);
const char *enum_name(const char *enum_type, u64 value); /* NULL */
void type_index_each(const char *prefix, void (*fn)(const char *name, Dwarf_Die *die));

/* A member looked up once: FIELD(task, task_struct, mm) is its value, FIELD_ADDR its address */
struct field {
	const char *type, *path;
	u64 offset;
	u32 size, bit_offset, bit_size;
	u8 state; /* 0: not looked up, 1: there, 2: missing */
	bool is_signed;
};
u64 field_read(struct field *f, u64 base);
u64 field_addr(struct field *f, u64 base);
bool field_there(struct field *f);
#define FIELD(base, t, m)                                                                                              \
	({                                                                                                             \
		static struct field f_ = {.type = #t, .path = #m};                                                     \
		field_read(&f_, base);                                                                                 \
	})
#define FIELD_ADDR(base, t, m)                                                                                         \
	({                                                                                                             \
		static struct field f_ = {.type = #t, .path = #m};                                                     \
		field_addr(&f_, base);                                                                                 \
	})
#define FIELD_OFFSET(t, m) FIELD_ADDR(0, t, m)
#define HAS_FIELD(t, m)                                                                                                \
	({                                                                                                             \
		static struct field f_ = {.type = #t, .path = #m};                                                     \
		field_there(&f_);                                                                                      \
	})
u64 struct_size(const char *type);
/* A global's value (at most 8 bytes), looked up by name */
u64 global(const char *name);
u64 global_addr(const char *name);

/* ---- list.c: walks that end ---- */
struct walk {
	u64 head, at, prev, offset, entry; /* entry: the current object */
	u64 hare_mark;
	unsigned long count, max, power, lap;
	bool corrupt;
	const char *what;
};
void walk_begin(struct walk *w, u64 head, u64 offset, const char *what);
bool walk_next(struct walk *w);
#define for_each_entry(w, head, t, m, what) for (walk_begin(w, head, FIELD_OFFSET(t, m), what); walk_next(w);)
/* for single-linked chains, trees and the like: may this step be taken? */
struct bound {
	unsigned long left;
	const char *what;
	u64 mark;
	unsigned long power, lap;
};
bool bound_step(struct bound *b, u64 at);
/* xarray: fn for each entry, in order */
void xarray_each(u64 xa, void (*fn)(u64 index, u64 entry, void *arg), void *arg);

/* ---- out.c ---- */
extern FILE *out;
extern bool out_json;
void text(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* people only */
void obj(const char *name);
void list(const char *name);
void end(void);
void f_int(const char *name, const char *fmt, s64 v);
void f_uint(const char *name, const char *fmt, u64 v);
void f_hex(const char *name, const char *fmt, u64 v);
void f_str(const char *name, const char *fmt, const char *v);
void f_bool(const char *name, bool v);
void f_double(const char *name, const char *fmt, double v);
void out_begin(const char *command); /* of a command */
void out_end(int status);

/* ---- tasks.c ---- */
struct task {
	u64 addr, mm, ti, signal, files, fs;
	s64 pid, tgid, ppid;
	u64 state, exit_state, flags, parent;
	char comm[64];
	bool lost;    /* not on the task list: found through the table of threads */
	bool in_user; /* user code runs */
	bool leader;
};
extern struct task *tasks;
extern size_t ntasks;
extern struct task *current;
#define PF_KTHREAD 1 /* include/husk/sched.h */
int tasks_load(void);
struct task *task_by_pid(s64 pid);
struct task *task_by_addr(u64 addr);
const char *task_state(const struct task *t); /* two letters, as crash(8) has them */
char task_state_letter(const struct task *t); /* as /proc has it */
struct task *task_arg(const char *arg);	      /* a pid or an address; NULL with the message given */
const struct core_note *task_note(const struct task *t);
struct task *panic_task(void);
void task_header(const struct task *t);	 /* PID: 1  TASK: ... */
void task_members(const struct task *t); /* the same in JSON */

/* ---- path.c ---- */
void path_name(u64 mnt, u64 dentry, u64 root_mnt, u64 root_dentry, char *buf, size_t n);
void file_name(u64 file, char *buf, size_t n);
void dentry_path(u64 dentry, char *buf, size_t n); /* within its file system */

/* ---- unwind.c, bt.c ---- */
struct unwind {
	u64 reg[17]; /* DWARF numbers; 16: return address */
	u32 known;   /* bit n: reg[n] */
	u64 cfa;
	int (*read)(void *arg, u64 addr, void *buf, size_t n); /* 0 */
	void *arg;
};
enum { R_AX, R_DX, R_CX, R_BX, R_SI, R_DI, R_BP, R_SP, R_8, R_IP = 16 };
/* one frame up by CFI; pc is the address to look up less bias. false: no rule, or nonsense */
bool unwind_cfi(struct unwind *u, Dwarf_CFI *cfi, u64 pc);
struct frame {
	u64 ip, sp, bp;
	bool exact; /* not a return address */
	char what;  /* 'k' kernel, 's': interrupted here by a host signal */
};
#define MAX_FRAMES 128
size_t kernel_backtrace(const struct task *t, struct frame *f, size_t max, const char **how);
bool task_user_regs(const struct task *t, struct task_regs *r);
struct user_frame {
	u64 ip, sp;
	char where[160], symbol[160];
};
size_t user_backtrace(const struct task *t, const struct task_regs *r, struct user_frame *f, size_t max);

/* ---- vma.c ---- */
struct vma {
	u64 addr, start, end, flags, pgoff, file;
};
size_t vmas_load(u64 mm, struct vma **out);	      /* in address order; free it */
const char *vma_purpose(u64 mm, const struct vma *v); /* of an area without a file: "[heap]" and the like, "" */

/* ---- commands ---- */
struct command {
	const char *name, *args, *summary, *help;
	int (*fn)(int argc, char **argv);
};
extern const struct command commands[];
const struct command *find_command(const char *name);
int run_line(const char *line); /* one command, with its pipe or file; 0 or -1 */
int run_words(int argc, char **argv);
int usage(const char *name);
bool parse_address(const char *s, u64 *out); /* hexadecimal, or a symbol, or symbol+offset */
bool parse_count(const char *s, u64 *out);   /* decimal, or 0x */

#define CMD(n) int cmd_##n(int argc, char **argv)
CMD(ps);
CMD(set);
CMD(task);
CMD(bt);
CMD(log);
CMD(sys);
CMD(struct);
CMD(whatis);
CMD(list);
CMD(sym);
CMD(dis);
CMD(rd);
CMD(print);
CMD(vm);
CMD(mod);
CMD(vtop);
CMD(files);
CMD(mount);
CMD(kmem);
CMD(runq);
CMD(locks);
CMD(search);
CMD(foreach);
CMD(help);
CMD(sig);
CMD(net);

/* ---- html.c, extract.c ---- */
int html_report(const char *path);
int core_extract(const char *from, const char *to);
/* summary of why the sandbox ended, for sys and the report; empty when it runs */
void crash_cause(char *buf, size_t n);

#endif
