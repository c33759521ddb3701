// SPDX-License-Identifier: Apache-2.0
// A stand-in for the kernel that tests the monitor: the program's name says what it does. See tests/cli/run.

#include <hostif/hostif.h>
#include <linux/virtio_ring.h>
#include <stddef.h>

#define DIRECT_MAP 0x701000000000ULL
#define NR_FUTEX 202
#define NR_EXIT_GROUP 231
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static struct hostif_boot *b;
static uint64_t secret;
static char stack[65536];

static long host_call(long nr, long a1, long a2, long a3, long a4)
{
	register long r10 __asm__("r10") = a4;
	register long r8 __asm__("r8") = 0;
	register long r9 __asm__("r9") = secret;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a1), "S"(a2), "d"(a3), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static void wake(uint32_t *word)
{
	host_call(NR_FUTEX, (long)word, FUTEX_WAKE, 0x7fffffff, 0);
}

static void wait_on(uint32_t *word, uint32_t seen)
{
	host_call(NR_FUTEX, (long)word, FUTEX_WAIT, seen, 0);
}

static void *at(uint64_t phys)
{
	return (void *)(DIRECT_MAP + phys);
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static int same(const char *x, const char *y)
{
	while (*x && *x == *y)
		x++, y++;
	return *x == *y;
}

static void copy(char *to, const char *from, size_t n)
{
	while (n--)
		*to++ = *from++;
}

static void print_log(const char *s)
{
	char *ring = at(b->log_phys);
	uint64_t head = b->log_head;
	size_t n = length(s);

	for (size_t i = 0; i < n; i++)
		ring[(head + i) & (b->log_size - 1)] = s[i];
	__atomic_store_n(&b->log_head, head + n, __ATOMIC_RELEASE);
	__atomic_fetch_add(&b->log_kick, 1, __ATOMIC_SEQ_CST);
	wake(&b->log_kick);
}

static __attribute__((noreturn)) void end(uint32_t state, uint32_t status)
{
	b->exit_status = status;
	__atomic_store_n(&b->state, state, __ATOMIC_SEQ_CST);
	wake(&b->state);
	for (;;)
		host_call(NR_EXIT_GROUP, 0, 0, 0, 0);
}

static __attribute__((noreturn)) void hang(void)
{
	for (;;)
		wait_on(&b->pad0, 0);
}

/* One buffer through a queue, and what the monitor says its length is. */
static uint32_t transfer(struct hostif_queue *q, void *buf, uint32_t len, int input)
{
	struct vring_desc *desc = at(q->desc);
	struct vring_avail *avail = at(q->avail);
	volatile struct vring_used *used = at(q->used);
	uint16_t i = avail->idx;

	desc[0] = (struct vring_desc){(uint64_t)buf - DIRECT_MAP, len, input ? VRING_DESC_F_WRITE : 0, 0};
	avail->ring[i & (q->num - 1)] = 0;
	__atomic_store_n(&avail->idx, (uint16_t)(i + 1), __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&q->kick, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&q->kick_sleep, __ATOMIC_SEQ_CST))
		wake(&q->kick);
	for (;;) {
		uint32_t seen = __atomic_load_n(&q->irq, __ATOMIC_SEQ_CST);

		__atomic_store_n(&q->irq_sleep, 1, __ATOMIC_SEQ_CST);
		if (used->idx == (uint16_t)(i + 1))
			break;
		wait_on(&q->irq, seen);
	}
	q->irq_sleep = 0;
	return used->ring[i & (q->num - 1)].len;
}

static uint32_t output(int fd, const char *s, size_t n)
{
	char *buf = at(b->mem_start);

	if (b->stdio[fd].kind == HOSTIF_STDIO_CLOSED)
		return 0;
	copy(buf, s, n);
	return transfer(&b->device[b->stdio[fd].device].queue[1], buf, n, 0);
}

static void cat(void)
{
	struct hostif_device *in = &b->device[b->stdio[0].device];
	char *buf = at(b->mem_start + (1 << 20));
	uint32_t n;

	while (b->stdio[0].kind != HOSTIF_STDIO_CLOSED && (n = transfer(&in->queue[0], buf, 65536, 1)))
		if ((b->stdio[0].kind == HOSTIF_STDIO_TTY && buf[0] == 4) || output(1, buf, n) != n)
			break;
}

/* Ends with the first signal that the monitor passes on, as a program killed by it. */
static void wait_signal(void)
{
	for (;;) {
		uint32_t seen = __atomic_load_n(&b->event_kick, __ATOMIC_SEQ_CST);
		uint32_t bits = __atomic_exchange_n(&b->event_bits, 0, __ATOMIC_SEQ_CST);

		if (bits & HOSTIF_EV_SIGNAL)
			end(HOSTIF_EXITED, b->event_signal);
		wait_on(&b->event_kick, seen);
	}
}

/* Everything the monitor reads, wrong: it must end this sandbox and itself stay well. */
static void scribble(void)
{
	for (uint32_t i = 0; i < b->ndevices; i++)
		for (int q = 0; q < HOSTIF_MAX_QUEUES; q++) {
			struct hostif_queue *hq = &b->device[i].queue[q];
			struct vring_avail *avail = hq->num ? at(hq->avail) : NULL;
			struct vring_desc *desc = hq->num ? at(hq->desc) : NULL;

			if (!avail)
				continue;
			desc[0] = (struct vring_desc){~0ULL - 100, 0xffffffff, VRING_DESC_F_NEXT, 0};
			avail->ring[0] = i & 1 ? 0xffff : 0;
			avail->idx = i & 2 ? 0x8000 : 1;
			hq->desc = hq->avail = hq->used = ~0ULL;
			hq->num = 0x80000000;
			hq->kick++;
			wake(&hq->kick);
		}
	b->log_phys = b->log_size = ~0ULL;
	b->log_head = 0x123456789abcdefULL;
	b->log_kick++;
	wake(&b->log_kick);
	b->ndevices = 0xffffffff;
	for (size_t i = 0; i < sizeof(b->panic_msg); i++)
		b->panic_msg[i] = 0x1b;
	end(HOSTIF_PANIC, 0);
}

static void all_calls(const char *name, const char *arg)
{
	static const char broke[] = "it \033[31mbroke";

	if (same(name, "true"))
		end(HOSTIF_EXITED, 0);
	if (same(name, "exit7"))
		end(HOSTIF_EXITED, 7 << 8);
	if (same(name, "signal9"))
		end(HOSTIF_EXITED, 9);
	if (same(name, "enoent"))
		b->exec_errno = 2;
	if (same(name, "enoexec"))
		b->exec_errno = 8;
	if (same(name, "odd-errno"))
		b->exec_errno = 0xfffffff0;
	if (same(name, "panic"))
		copy(b->panic_msg, broke, sizeof(broke));
	if (same(name, "panic") || same(name, "odd-state"))
		end(same(name, "panic") ? HOSTIF_PANIC : 77, 0);
	if (same(name, "crash"))
		*(volatile int *)8 = 0;
	if (same(name, "no-secret")) {
		secret ^= 1;
		wake(&b->pad0);
	}
	if (same(name, "echo")) {
		output(1, arg, length(arg));
		output(1, "\n", 1);
		output(2, "to stderr\n", 10);
	}
	if (same(name, "cat"))
		cat();
	if (same(name, "hang"))
		hang();
	if (same(name, "wait-signal"))
		wait_signal();
	if (same(name, "scribble"))
		scribble();
	while (same(name, "yes") && output(1, "yes\n", 4) == 4)
		;
	end(HOSTIF_EXITED, 0);
}

__attribute__((used)) static void stub_main(struct hostif_boot *boot)
{
	const char *name;

	b = boot;
	secret = b->secret;
	b->phase_ns[HOSTIF_PHASE_ENTRY] = b->boot_monotonic_ns + 1;
	__atomic_store_n(&b->state, HOSTIF_RUNNING, __ATOMIC_SEQ_CST);
	print_log("<6>[    0.000] stub kernel\n");
	name = at(b->args);
	all_calls(name, name + length(name) + 1);
}

__attribute__((naked, used, section(".text.start"))) void _start(void)
{
	__asm__("lea %c0+%c1(%%rip), %%rsp\n\tand $-16, %%rsp\n\tcall stub_main" ::"i"(stack), "i"(sizeof(stack)));
}
