// SPDX-License-Identifier: Apache-2.0
/* Fuzzes husk-trace's reader, decoders and printers: the input is what a hostile kernel left in the rings. Nothing may crash or hang. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include "standalone.h"
#include "../../tools/trace/print.h"

#define RAM (256u << 10)
#define DIR 0x1000u
#define HEADS 0x10000u
#define DATA 0x20000u
#define RING 16384u
#define NRINGS 3

static uint8_t *ram;

/* what main.c, session.c and stack.c give the others */
void trouble(const char *fmt, ...)
{
}

void die(const char *fmt, ...)
{
	abort();
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p)
		abort();
	return p;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void *session_ptr(struct session *s, uint64_t phys, uint64_t len)
{
	return len > s->ram_size || phys > s->ram_size - len ? NULL : s->ram + phys;
}

void stack_print(struct text *t, const struct call *c)
{
}

/* ---- rings from the input ---- */

struct input {
	const uint8_t *p;
	size_t n;
};

static unsigned byte(struct input *in)
{
	if (!in->n)
		return 0;
	in->n--;
	return *in->p++;
}

static uint64_t word(struct input *in)
{
	uint64_t v = 0;

	for (unsigned i = byte(in) % 9; i; i--)
		v = v << 8 | byte(in);
	return v;
}

/* An address: often one that a blob has, too. */
static uint64_t address(struct input *in)
{
	unsigned b = byte(in);

	return b < 200 ? 0x10000u + b % 8 * 64 : b < 220 ? 0 : word(in);
}

static uint32_t put_blob(struct input *in, uint8_t *p, uint32_t room)
{
	struct hostif_trace_blob *b = (void *)p;
	uint32_t len = byte(in) % 160, used = sizeof(*b) + ((len + 7) & ~7u);

	if (used > room)
		return 0;
	b->kind = byte(in) % 9;
	b->arg = byte(in) % 8;
	b->len = len;
	b->want = len + byte(in) % 3 * 50;
	b->addr = address(in);
	for (uint32_t i = 0; i < len; i++)
		((uint8_t *)(b + 1))[i] = byte(in);
	if (byte(in) > 250)
		b->len = word(in);
	return used;
}

static uint32_t put_record(struct input *in, uint8_t *p, uint32_t room)
{
	struct hostif_trace_rec *r = (void *)p;
	uint32_t used = sizeof(*r), n;

	if (room < used)
		return 0;
	memset(r, 0, sizeof(*r));
	r->type = byte(in) % 13;
	r->nr = byte(in) > 240 ? word(in) : byte(in) * 2 + byte(in) % 2;
	r->tid = byte(in) % 4;
	r->tgid = byte(in) % 4;
	r->time = byte(in);
	for (int i = 0; i < 6; i++)
		r->args[i] = byte(in) % 2 ? address(in) : word(in);
	r->ret = byte(in) > 200 ? -(int64_t)(byte(in) * 4) : (int64_t)word(in);
	r->ticket = word(in);
	for (unsigned i = byte(in) % 6; i; i--) {
		n = put_blob(in, p + used, room - used);
		used += n;
		r->nblobs += n != 0;
	}
	r->flags = byte(in) | (byte(in) % 5) << 16;
	r->size = used;
	if (byte(in) > 250)
		r->size = word(in);
	if (byte(in) > 250)
		r->nblobs = word(in);
	return used;
}

static void fill(struct input *in)
{
	struct hostif_trace *d = (void *)(ram + DIR);

	d->nrings = NRINGS;
	for (uint32_t i = 0; i < NRINGS; i++) {
		struct hostif_trace_ring *h = (void *)(ram + HEADS + i * 192);
		uint32_t used = 0, n;

		d->ring[i] = HEADS + i * 192;
		h->data = DATA + i * RING;
		h->size = RING;
		while (in->n > 100 / (i + 1) && (n = put_record(in, ram + h->data + used, RING - used)))
			used += n;
		h->head = used | byte(in) % 2;
	}
	for (unsigned i = byte(in) % 4; i; i--) { /* and something wrong anywhere */
		uint64_t v = word(in);

		memcpy(ram + (word(in) % (RAM - 8)), &v, sizeof(v));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct session s = {.ram_size = RAM, .control = -1};
	struct options o = {.decode.string_limit = 32,
			    .signals = ~0ULL,
			    .statuses = STATUS_ALL,
			    .summary_sort = "time",
			    .column = 40,
			    .duration_digits = 6};
	unsigned how = byte(&in);
	struct printer *p;
	struct reader *r;

	ram = calloc(1, RAM);
	if (!ram)
		abort();
	memset(o.calls, 1, sizeof(o.calls));
	o.json = how & 1;
	o.decode.fd_paths = how & 2;
	o.decode.verbose = how & 4;
	o.decode.raw = how & 8;
	o.durations = o.histogram = how & 16;
	o.summary = how & 32 ? 'C' : 0;
	fill(&in);
	s.ram = ram;
	s.dir = (void *)(ram + DIR);
	p = printer_new(&o, out_open("/dev/null", false), false);
	r = reader_new(&s);
	for (int i = 0; i < 3; i++)
		reader_sweep(r, false, printer_record, p);
	while (reader_sweep(r, true, printer_record, p))
		;
	(void)reader_lost(r);
	printer_idle(p);
	printer_end(p);
	free(p);
	free(r);
	free(ram);
	return 0;
}
