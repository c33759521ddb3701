// SPDX-License-Identifier: Apache-2.0
// Reads the rings of all traced tasks and merges their records by time.

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "trace.h"

/**
 * DOC: order
 *
 * Each ring is in order; the records of all are merged with a heap. A record may be handed on when nothing older can still come:
 *  - from a ring that has more to read, its next record says so;
 *  - from a ring that is read to its head and was found idle, whatever comes is younger than the moment when the sweep began;
 *  - from a ring found busy (bit 0 of head), the record in the making is not older than its last one, nor than the last time it was found idle;
 *  - from a ring that is not there yet, whatever comes is younger than the beginning of the sweep.
 * SLACK_NS covers the writer's store buffer: bit 0 may be seen a little after the time was read.
 *
 * RAM is the guest's to scribble on: what is wrong makes a ring be skipped to its head, and counted.
 */

#define SLACK_NS 50000u
#define RING_MAX (16u << 20)
#define RELEASE_BYTES (32u << 10) /* room is given back in steps of this */
#define MIN_PAD 8u

struct ring {
	uint64_t phys; /* 0: not there */
	struct hostif_trace_ring *h;
	uint8_t *data;
	uint32_t size;
	uint64_t tail, released, head; /* head: as this sweep found it */
	bool busy;
	uint64_t idle_at, last; /* found idle; time of its last record */
	uint64_t told;		/* of the ring's lost records, by TRACE_LOST */
	uint64_t next;		/* time of the record at tail, in this sweep */
};

struct reader {
	struct session *s;
	struct ring ring[HOSTIF_TRACE_RINGS];
	uint32_t nrings;
	uint32_t heap[HOSTIF_TRACE_RINGS], nheap;
	uint64_t bad;
	_Alignas(8) uint8_t copy[RING_MAX / 4];
};

struct reader *reader_new(struct session *s)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		die("out of memory");
	r->s = s;
	return r;
}

/* What no TRACE_LOST record told: of tasks without a ring, and at the end of rings. */
uint64_t reader_lost(const struct reader *r)
{
	uint64_t n = __atomic_load_n(&r->s->dir->lost, __ATOMIC_RELAXED), lost;

	for (uint32_t i = 0; i < r->nrings; i++) {
		const struct ring *g = &r->ring[i];

		if (!g->phys)
			continue;
		lost = __atomic_load_n(&g->h->lost, __ATOMIC_RELAXED);
		if (lost > g->told)
			n += lost - g->told;
	}
	return n;
}

uint64_t reader_bad(const struct reader *r)
{
	return r->bad;
}

/* ---- rings ---- */

/* A ring that the directory names: where it is, and that it is in RAM at all. */
static bool adopt(struct reader *r, struct ring *g, uint64_t phys)
{
	struct hostif_trace_ring *h = session_ptr(r->s, phys, sizeof(*h));
	uint64_t data;

	memset(g, 0, sizeof(*g));
	if (!h || phys % 64)
		return false;
	g->size = __atomic_load_n(&h->size, __ATOMIC_RELAXED);
	data = __atomic_load_n(&h->data, __ATOMIC_RELAXED);
	if (g->size < 4096 || g->size > RING_MAX || (g->size & (g->size - 1)) || data % 8)
		return false;
	g->data = session_ptr(r->s, data, g->size);
	if (!g->data)
		return false;
	g->h = h;
	g->phys = phys;
	g->tail = g->released = __atomic_load_n(&h->tail, __ATOMIC_RELAXED) & ~7ULL;
	return true;
}

static void release(struct reader *r, struct ring *g)
{
	struct hostif_trace *d = r->s->dir;

	__atomic_store_n(&g->h->tail, g->tail, __ATOMIC_SEQ_CST);
	g->released = g->tail;
	if (__atomic_load_n(&d->writers_sleep, __ATOMIC_SEQ_CST)) {
		__atomic_add_fetch(&d->room, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &d->room, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	}
}

static void skip(struct reader *r, struct ring *g)
{
	r->bad++;
	g->tail = g->head;
	release(r, g);
}

/* The head of the record at the tail: pads passed over. False: there is none. */
static bool peek(struct reader *r, struct ring *g)
{
	while (g->tail != g->head) {
		uint32_t off = g->tail & (g->size - 1), size;
		const volatile struct hostif_trace_rec *rec = (void *)(g->data + off);

		size = rec->size;
		if (size < MIN_PAD || size % 8 || size > g->size - off || size > g->head - g->tail ||
		    (rec->type != TRACE_PAD && (size < sizeof(*rec) || size > sizeof(r->copy)))) {
			skip(r, g);
			return false;
		}
		if (rec->type != TRACE_PAD) {
			g->next = rec->time < g->last ? g->last : rec->time;
			return true;
		}
		g->tail += size;
	}
	return false;
}

/* The record at the tail, copied; its size is not believed a second time. */
static const struct hostif_trace_rec *take(struct reader *r, struct ring *g)
{
	const uint8_t *p = g->data + (g->tail & (g->size - 1));
	uint32_t size = ((const volatile struct hostif_trace_rec *)p)->size;
	struct hostif_trace_rec *rec = (void *)r->copy;

	if (size < sizeof(*rec) || size % 8 || size > g->size - (g->tail & (g->size - 1)) || size > g->head - g->tail ||
	    size > sizeof(r->copy)) {
		skip(r, g);
		return NULL;
	}
	memcpy(rec, p, size);
	rec->size = size;
	rec->time = g->last = g->next;
	g->tail += size;
	if (rec->type == TRACE_LOST)
		g->told += rec->ret;
	return rec;
}

/* ---- heap of rings by their next record's time ---- */

static bool older(const struct reader *r, uint32_t a, uint32_t b)
{
	return r->ring[a].next < r->ring[b].next;
}

static void sift_down(struct reader *r, uint32_t i)
{
	uint32_t x = r->heap[i], c;

	for (; (c = 2 * i + 1) < r->nheap; i = c) {
		if (c + 1 < r->nheap && older(r, r->heap[c + 1], r->heap[c]))
			c++;
		if (!older(r, r->heap[c], x))
			break;
		r->heap[i] = r->heap[c];
	}
	r->heap[i] = x;
}

static void heap_build(struct reader *r)
{
	for (uint32_t i = r->nheap / 2; i-- > 0;)
		sift_down(r, i);
}

/* ---- a sweep ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What of a ring that is read to its end is certainly younger. */
static uint64_t bound(const struct ring *g, uint64_t begin)
{
	if (!g->busy)
		return begin;
	return g->last > g->idle_at ? g->last : g->idle_at;
}

/* Heads of all rings; those with records go into the heap. The bound that the others set. */
static uint64_t look(struct reader *r, uint64_t begin)
{
	struct hostif_trace *d = r->s->dir;
	uint32_t n = __atomic_load_n(&d->nrings, __ATOMIC_ACQUIRE);
	uint64_t limit = begin;

	r->nrings = n > HOSTIF_TRACE_RINGS ? HOSTIF_TRACE_RINGS : n;
	r->nheap = 0;
	for (uint32_t i = 0; i < r->nrings; i++) {
		uint64_t phys = __atomic_load_n(&d->ring[i], __ATOMIC_ACQUIRE), head;
		struct ring *g = &r->ring[i];

		if (phys != g->phys && (!phys || !adopt(r, g, phys))) {
			g->phys = 0;
			continue;
		}
		if (!phys)
			continue;
		head = __atomic_load_n(&g->h->head, __ATOMIC_ACQUIRE);
		g->busy = head & 1;
		g->head = head & ~7ULL;
		if (!g->busy)
			g->idle_at = begin;
		if (g->head - g->tail > g->size) {
			skip(r, g);
			continue;
		}
		if (peek(r, g))
			r->heap[r->nheap++] = i;
		else
			limit = least(limit, bound(g, begin));
	}
	heap_build(r);
	return limit;
}

uint64_t reader_sweep(struct reader *r, bool last, record_fn *fn, void *arg)
{
	uint64_t begin = now_ns() - SLACK_NS, limit = look(r, begin), n = 0;

	if (last)
		limit = UINT64_MAX;
	while (r->nheap) {
		struct ring *g = &r->ring[r->heap[0]];
		const struct hostif_trace_rec *rec;

		if (g->next >= limit)
			break;
		rec = take(r, g);
		if (rec) {
			fn(rec, arg);
			n++;
		}
		if (g->tail - g->released >= RELEASE_BYTES)
			release(r, g);
		if (!peek(r, g)) {
			if (!last)
				limit = least(limit, bound(g, begin));
			r->heap[0] = r->heap[--r->nheap];
		}
		if (r->nheap)
			sift_down(r, 0);
	}
	for (uint32_t i = 0; i < r->nrings; i++)
		if (r->ring[i].phys && r->ring[i].tail != r->ring[i].released)
			release(r, &r->ring[i]);
	return n;
}

void reader_wait(struct reader *r, unsigned ms)
{
	struct hostif_trace *d = r->s->dir;
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	uint32_t seen = __atomic_load_n(&d->doorbell, __ATOMIC_SEQ_CST);

	__atomic_store_n(&d->reader_sleep, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&d->writers_sleep, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &d->doorbell, FUTEX_WAIT, seen, &t, NULL, 0);
	__atomic_store_n(&d->reader_sleep, 0, __ATOMIC_SEQ_CST);
}
