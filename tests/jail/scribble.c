// SPDX-License-Identifier: Apache-2.0
// Second and third wall: a "kernel" that scribbles. For two seconds it writes nonsense, and now and then something sensible, over all that the
// monitor, the dump process and the tools read of RAM, takes pages away under them, rings every bell; then it says that it has ended.

#include "kernel.h"
#include <hostif/trace.h>
#include <stdbool.h>
#include <stddef.h>

typedef uint32_t u32;
#define WORKERS 3
#define SECONDS 2
#define WAKE 1
#define REMOVE 9 /* MADV_REMOVE */

static struct hostif_boot start; /* as the monitor wrote it */
static u64 ram_size, spare;	 /* spare: memory that nobody placed anything in */
static char stacks[WORKERS][16384] __attribute__((aligned(64)));

static long secret_call(long nr, u64 a, u64 b, u64 c, u64 d)
{
	return call(nr, a, b, c, d, 0, secret);
}

void *memcpy(void *to, const void *from, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
	return to;
}

/* ---- chance ---- */

static u64 next(u64 *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s * 0x2545f4914f6cdd1dULL >> 11;
}
static u64 below(u64 *s, u64 n)
{
	return n ? next(s) % n : 0;
}

/* Values that break arithmetic: borders of types and of RAM, places in it. */
static u64 odd(u64 *s)
{
	static const u64 borders[] = {0,   1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff,
				      -1UL};
	u64 near = below(s, 33) - 16;

	switch (below(s, 5)) {
	case 0:
		return borders[below(s, sizeof(borders) / sizeof(*borders))] + (below(s, 2) ? near : 0);
	case 1:
		return ram_size + near;
	case 2:
		return (spare + below(s, ram_size - spare)) & ~(u64)(below(s, 2) ? 4095 : 7); /* not this program */
	case 3:
		return next(s);
	default:
		return below(s, 70000);
	}
}

static volatile char *at(u64 phys)
{
	return (volatile char *)RAM + phys;
}

/* Bytes as a terminal would rather not have them. */
static void nonsense(u64 *s, u64 phys, u64 n)
{
	static const char text[] = "\x1b]0;owned\x07\x1b[2J<script>alert(1)</script>\"'\\\n\x9b"
				   "31m\x7f%s%n/../..";

	for (u64 i = 0; i < n && phys + i < ram_size; i++)
		*at(phys + i) = below(s, 4) ? text[(i + n) % sizeof(text)] : (char)next(s);
}

/* ---- what is scribbled on ---- */

static void ring_bell(u32 *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	secret_call(__NR_futex, (u64)word, WAKE, 100, 0);
}

static struct hostif_queue *queue(u64 *s)
{
	return &boot->device[below(s, start.ndevices)].queue[below(s, 2)];
}

/* Any word of the boot page, but the one that ends the sandbox. */
static void boot_word(u64 *s)
{
	u64 off = below(s, sizeof(*boot)) & ~3UL;

	if (off != offsetof(struct hostif_boot, state))
		*(volatile u32 *)at(off) = odd(s);
}

struct desc {
	u64 addr;
	u32 len;
	uint16_t flags, next;
};

/* A chain of descriptors, about right; its first buffer begins with the head of a FUSE request. */
static void request(u64 *s)
{
	u64 d = below(s, start.ndevices), q = below(s, 2), buf = spare + below(s, 64) * 65536, n = 1 + below(s, 5);
	const struct hostif_queue *was = &start.device[d].queue[q];
	volatile struct desc *table = (void *)at(was->desc);
	volatile uint16_t *avail = (void *)at(was->avail);
	u64 first;

	if (!was->num)
		return;
	first = below(s, was->num);
	nonsense(s, buf, 200);
	((volatile u32 *)at(buf))[0] = below(s, 8) ? 40 + below(s, 200) : odd(s);
	((volatile u32 *)at(buf))[1] = below(s, 55);
	((volatile u64 *)at(buf))[2] = below(s, 8) ? 1 + below(s, 6) : odd(s);
	for (u64 i = 0; i < n; i++) {
		volatile struct desc *t = &table[(first + i) % was->num];

		t->addr = below(s, 8) ? buf + i * 8192 : odd(s);
		if (t->addr < spare) /* or an answer would end the sandbox */
			t->addr += spare;
		t->len = below(s, 8) ? 40 + below(s, 8152) : odd(s);
		t->flags = (i + 1 < n) | (i > 1 ? 2 : 0) | (below(s, 16) ? 0 : below(s, 8));
		t->next = below(s, 16) ? (first + i + 1) % was->num : below(s, 70000);
	}
	avail[2 + (avail[1] & (was->num - 1))] = below(s, 16) ? first : below(s, 70000);
	avail[1] += below(s, 32) ? 1 : below(s, 70000);
	ring_bell(&boot->device[d].queue[q].kick);
}

static void queue_word(u64 *s)
{
	struct hostif_queue *q = queue(s);
	u64 phys[] = {start.device[0].queue[0].desc, start.device[0].queue[0].avail, start.device[0].queue[0].used};

	if (below(s, 2))
		((volatile u32 *)q)[below(s, sizeof(*q) / 4)] = odd(s);
	else
		*(volatile uint16_t *)at(phys[below(s, 3)] + 2 * below(s, 600)) = odd(s);
	ring_bell(&q->kick);
}

static void log_lines(u64 *s)
{
	nonsense(s, start.log_phys + below(s, start.log_size), below(s, 500));
	if (below(s, 8))
		__atomic_fetch_add(&boot->log_head, below(s, 300), __ATOMIC_SEQ_CST);
	else
		boot->log_head = odd(s);
	ring_bell(&boot->log_kick);
}

static void statistics(u64 *s)
{
	struct hostif_stats *st = &boot->stats;
	u64 list = spare + (8 << 20);

	if (below(s, 3)) {
		volatile struct hostif_task *t = (void *)at(list + below(s, 50) * sizeof(*t));

		nonsense(s, (u64)t - RAM, sizeof(*t));
		t->pid = t->tgid = 1 + below(s, 40);
		st->tasks_phys = list;
		st->ntasks = below(s, 50);
		st->answered = boot->stats_request;
		st->seq += 2 - (st->seq & 1);
	} else {
		((volatile u32 *)st)[below(s, sizeof(*st) / 4)] = odd(s);
	}
	boot->kill.answered = boot->kill.request;
	boot->kill.result = odd(s);
}

/* Rings for husk trace: some sound, with records of chance. */
static void trace(u64 *s)
{
	volatile struct hostif_trace *t = (void *)at(start.trace_phys);
	u64 phys = spare + (12 << 20) + below(s, 8) * 131072;
	volatile struct hostif_trace_ring *r = (void *)at(phys);
	volatile struct hostif_trace_rec *rec;

	if (!below(s, 4)) {
		((volatile u32 *)t)[below(s, sizeof(*t) / 4)] = odd(s);
		return;
	}
	t->nrings = 8;
	t->ring[below(s, 8)] = below(s, 8) ? phys : odd(s);
	r->data = below(s, 8) ? phys + 4096 : odd(s);
	r->size = below(s, 8) ? 65536 : odd(s);
	rec = (void *)at(phys + 4096 + (r->head & 65528));
	nonsense(s, (u64)rec - RAM, 600);
	rec->size = below(s, 8) ? 104 + 8 * below(s, 100) : odd(s);
	rec->type = below(s, 12);
	rec->nr = below(s, 480);
	rec->tid = rec->tgid = below(s, 5);
	rec->nblobs = below(s, 8) ? below(s, 6) : odd(s);
	for (u64 i = 0; i < 6; i++)
		rec->args[i] = odd(s);
	r->head = below(s, 8) ? (r->head + (rec->size & 0xfff8)) & ~1UL : odd(s);
	ring_bell((u32 *)&t->doorbell);
}

/* Pages go away under whoever reads or writes them. */
static void take_away(u64 *s)
{
	u64 page = below(s, 4) ? below(s, start.mem_start >> 12) : below(s, ram_size >> 12);

	if (page << 12 >= HOSTIF_KERNEL_PHYS && page << 12 < start.kernel_phys_end)
		return; /* this program */
	secret_call(__NR_madvise, RAM + (page << 12), 4096, REMOVE, 0);
}

static void bells(u64 *s)
{
	boot->event_bits = odd(s);
	boot->event_signal = odd(s);
	ring_bell(&boot->event_kick);
	ring_bell(&boot->state);
	boot->state = HOSTIF_RUNNING;
}

__attribute__((used, noreturn)) static void worker(u64 seed)
{
	static void (*const what[])(u64 *) = {boot_word, request, request,    request, queue_word, log_lines,
					      log_lines, trace,	  statistics, trace,   take_away,  bells};
	u64 s = seed * 0x9e3779b97f4a7c15ULL | 1;

	for (;;)
		what[below(&s, sizeof(what) / sizeof(*what))](&s);
}

/* A process of its own on a stack of its own. */
static void start_worker(char *stack_end, u64 seed)
{
	register u64 r10 __asm__("r10") = 0;
	register u64 r8 __asm__("r8") = 0;
	register u64 r9 __asm__("r9") = secret;
	long r;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %%rbx, %%rdi\n\t"
			 "call worker\n"
			 "1:"
			 : "=a"(r), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "0"((long)__NR_clone), "D"(17UL), "S"(stack_end), "d"(0UL), "b"(seed)
			 : "rcx", "r11", "memory");
}

static u64 seed_of_argument(void)
{
	const volatile char *p = at(boot->args);
	u64 v = 0;

	while (boot->argc > 1 && *p++)
		;
	for (; boot->argc > 1 && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + *p - '0';
	return v + 1;
}

__attribute__((noreturn)) void scribble_main(struct hostif_boot *b)
{
	struct {
		long sec, nsec;
	} t = {SECONDS, 0};
	u64 s = 0;
	u32 never = 0;

	boot = b;
	secret = b->secret;
	ram_size = b->ram_size;
	memcpy(&start, b, sizeof(start));
	spare = (b->mem_start + (1 << 20)) & ~65535UL;
	s = seed_of_argument();
	boot->phase_ns[HOSTIF_PHASE_ENTRY] = 1;
	boot->state = HOSTIF_RUNNING;
	for (int i = 0; i < WORKERS; i++)
		start_worker(stacks[i] + sizeof(stacks[i]) - 64, next(&s));
	secret_call(__NR_futex, (u64)&never, 0, 0, (u64)&t);
	nonsense(&s, offsetof(struct hostif_boot, panic_msg), sizeof(boot->panic_msg));
	boot->exit_status = odd(&s);
	boot->exec_errno = below(&s, 2) ? 0 : odd(&s);
	boot->state = below(&s, 2) ? HOSTIF_EXITED : below(&s, 2) ? HOSTIF_PANIC : odd(&s) | 4;
	for (;;) {
		secret_call(__NR_futex, (u64)&boot->state, WAKE, 100, 0);
		secret_call(__NR_futex, (u64)&never, 0, 0, (u64)&t);
	}
}

__asm__(".section .text.head,\"ax\"\n.globl _start\n_start:\n\tlea scribble_stack+65536(%rip), %rsp\n\tcall "
	"scribble_main\n\tud2\n.text");
__attribute__((used)) static char scribble_stack[65536] __attribute__((aligned(16)));
