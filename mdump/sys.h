/* SPDX-License-Identifier: Apache-2.0 */
/* The mini dump kernel: host calls, small things, and what its files share. No libc. */
#ifndef MDUMP_SYS_H
#define MDUMP_SYS_H

#include <asm/unistd.h>
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hostif/hostif.h>
#include <hostif/mdump.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

#define PAGE 4096u
#define PAGE_SHIFT 12
#define min(a, b) ((a) < (b) ? (a) : (b))
#define align_up(x, a) (((x) + (a)-1) & ~((u64)(a)-1))
#define ENTRIES(a) (sizeof(a) / sizeof(*(a)))

static inline long sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#define SYS_ARGS(nr, a, b, c, d, e, f, ...) sys6(__NR_##nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))
#define sys(...) SYS_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define is_err(r) ((u64)(r) > -4096UL)

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t str_len(const char *s);
bool str_eq(const char *a, const char *b);
void str_copy(char *to, const char *from,
	      size_t room);		       /* what does not fit is cut; what is not printable becomes '?' */
char *put_str(char *p, const char *s);	       /* each returns the end, NUL-terminated */
char *put_dec(char *p, u64 v, unsigned width); /* zeroes in front up to width */
char *put_hex(char *p, u64 v);
bool is_zero_page(const void *page);
u64 now_ns(int clock);

/* memory beyond the arena, asked of the host when a dump is made; NULL: there is none */
void *mem_get(size_t n);
void mem_put(void *p, size_t n);

extern struct mdump_ctl *ctl;	/* shared with the monitor: written here, not believed */
extern struct mdump_ctl config; /* a copy made before the sandbox ran */
extern const u8 *ram;		/* read-only */

/* ram.c: looking into a RAM that is not to be trusted */
bool table_get(const char *name, u64 *value); /* of the kernel's table; false: it has no such entry */
u64 table(const char *name, u64 otherwise);
bool kva_to_off(u64 va, u64 len, u64 *off); /* a kernel address with len bytes in RAM */
bool ram_read(u64 off, void *to, size_t n); /* false: not in RAM */
u64 ram_u64(u64 off);			    /* 0 where there is none */
u32 ram_u32(u64 off);
#define ram_boot() ((const struct hostif_boot *)ram)
#define READ(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

/* plan.c: what of RAM goes where */
enum plan_class { PLAN_FIRST, PLAN_KERNEL, PLAN_REST, PLAN_ZERO, PLAN_FILTERED, PLAN_CLASSES };
#define PLAN_HOLE 0x80u /* nothing there in the host's file: zero, and not to be looked at */
struct segment {
	u64 start, len; /* bytes of RAM */
	enum plan_class class;
};
struct plan_sums {
	u32 zero, filtered; /* pages */
	u64 stored;	    /* bytes */
	u32 segments;
};
u32 plan_begin(void); /* MDUMP_LOST_* */
void plan_make(u32 level, struct plan_sums *sums);
void plan_drop(void);
bool plan_next(struct segment *s); /* the one after s, in the file's order; start with len 0, class 0 */
bool plan_hole(u64 off);	   /* is the page at off a hole? */
int plan_page_type(u64 pfn);	   /* PGT_*, -1: unknown */
bool plan_pages_sane(void);

/* tasks.c */
struct task {
	struct mdump_task d;
	u64 ti_off;
	u64 regs[27];	       /* struct user_regs_struct */
	u32 slot, have_xstate; /* the place of its extended state, and its size */
};
u32 tasks_find(enum mdump_reason reason);
u32 tasks_registers(enum mdump_reason reason, u32 count, u32 *lost);
struct task *task_at(u32 i);
const void *task_xstate(u32 i, size_t *n); /* NULL: none */
u64 tasks_current(void);
void tasks_drop(void);
u32 tasks_problems(void);

/* stop.c: the jail's threads, from outside */
void stop_jail(void);
void resume_jail(void);
u32 stop_get_registers(struct task *(*at)(u32), u32 n, u8 *xstate, size_t xstate_size); /* how many it got */
bool jail_is_stopped(void);								/* by somebody else */
bool jail_is_gone(void);
int spawn(u64 flags, void *stack_top, void (*fn)(void)); /* fn does not return */
size_t xstate_bytes(void);

/* out.c: where bytes go, in order */
int out_open(const char *name, u32 compression, u64 total, u64 patchable);
u32 out_compression(void);
int out_write(const void *p, size_t n);
int out_zero(u64 n);
int out_pad(u64 to);
u64 out_pos(void);
u64 out_finish(void); /* how many bytes of the stream are in the file */
int out_patch(u64 pos, const void *p, size_t n);
int out_close(const char *name);
int out_error(void);

/* compress.c: one frame; 0: store it */
size_t compress_need(u32 compression);
int compress_init(u32 compression, void *mem, size_t n);
size_t compress_frame(u32 compression, void *to, size_t room, const void *from, size_t n);
size_t raw_frame(u32 compression, void *to, const void *from, size_t n, size_t *head);
#define FRAME_ROOM (MDUMP_FRAME_SIZE + 4096u)

/* notes.c, dump.c */
u64 notes_size(u32 ntasks);
int notes_write(const struct mdump_info *info, u32 ntasks);
#define NOTE_INFO_BYTES (sizeof(Elf64_Nhdr) + 8 + sizeof(struct mdump_info))
void dump(enum mdump_reason reason, u32 level);

/* confine.c */
void confine_early(void); /* namespaces and root */
void confine_thread(void);
void confine_late(void); /* capabilities, seccomp */

#endif
