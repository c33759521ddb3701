// SPDX-License-Identifier: Apache-2.0
// The rings that traced tasks write their records to, and waiting for room in them.

#include <husk/mm.h>
#include <husk/time.h>
#include "internal.h"

/**
 * DOC: one writer
 *
 * A ring has one writer, the task that has it, and one reader outside the sandbox; neither takes a lock. A record is made in place:
 * a quarter of the ring is kept free before one is begun, which is more than any record needs, so nothing is copied twice and no
 * record needs a second look for room. The reader's tail is read again only when the last known one is not enough: its cache line stays with the reader.
 *
 * A ring outlives its task: it goes on as the next one's. It is only given back when nobody traces.
 */

#define RING_MIN (16u << 10)
#define RING_MAX (4u << 20)
#define SOME_RINGS 16		     /* from here on new rings are of 128 KiB at most, */
#define MANY_RINGS 64		     /* and from here on of 64 */
#define RINGS_SHARE 32		     /* of RAM may they take; what goes beyond is of RING_MIN */
#define LOOK_NS (20 * NSEC_PER_MSEC) /* a writer that waits looks this often whether the reader lives */

static DEFINE_SPINLOCK(rings_lock);
static struct trace_ring *free_rings; /* last used first */
static u32 nr_rings;
static u64 ring_pages; /* of all rings; approximate, as it is read without the lock */
static struct kmem_cache *ring_cache;
static u64 dead_beat; /* the reader's beat when it was given up; it is not waited for until it changes */

int trace_rings_init(void)
{
	ring_cache = KMEM_CACHE(trace_ring);
	return ring_cache ? 0 : -ENOMEM;
}

/* As large as the reader wants, as long as there are few and RAM is large. */
static u32 ring_order(void)
{
	u32 n = READ_ONCE(nr_rings), most = n >= MANY_RINGS ? 64u << 10 : n >= SOME_RINGS ? 128u << 10 : RING_MAX;
	u32 size = clamp_t(u32, READ_ONCE(trace_dir->ring_size), RING_MIN, most),
	    order = 31 - __builtin_clz(size >> PAGE_SHIFT);

	while ((PAGE_SIZE << order) > RING_MIN && READ_ONCE(ring_pages) + (1u << order) > totalram_pages / RINGS_SHARE)
		order--;
	return order;
}

static struct trace_ring *ring_alloc(void)
{
	struct trace_ring *r = kmem_cache_zalloc(ring_cache, GFP_KERNEL);

	if (!r)
		return NULL;
	for (r->order = ring_order(); (PAGE_SIZE << r->order) >= RING_MIN; r->order--) {
		r->data = __get_free_pages(GFP_KERNEL | __GFP_NOWARN, r->order);
		if (r->data)
			return r;
	}
	kmem_cache_free(ring_cache, r);
	return NULL;
}

/* A place in the directory; -1 when it is full. rings_lock held. */
static int find_slot(void)
{
	u32 n = trace_dir->nrings;

	if (n > HOSTIF_TRACE_RINGS) /* scribbled on from outside */
		return -1;
	for (u32 i = nr_rings < n ? 0 : n; i < HOSTIF_TRACE_RINGS; i++)
		if (i >= n || !trace_dir->ring[i])
			return i;
	return -1;
}

static int ring_publish(struct trace_ring *r)
{
	int slot;

	spin_lock(&rings_lock);
	slot = find_slot();
	if (slot >= 0) {
		r->slot = slot;
		nr_rings++;
		ring_pages += 1u << r->order;
		smp_store_release(&trace_dir->ring[slot], virt_to_phys(&r->hdr));
		if ((u32)slot >= trace_dir->nrings)
			smp_store_release(&trace_dir->nrings, slot + 1);
	}
	spin_unlock(&rings_lock);
	return slot;
}

/* A ring for a task that has none; 0, or -ENOMEM, which costs records but nothing else. */
int trace_ring_get(struct trace_task *tt)
{
	struct trace_ring *r;

	spin_lock(&rings_lock);
	r = free_rings;
	if (r)
		free_rings = r->next;
	spin_unlock(&rings_lock);
	if (!r) {
		r = ring_alloc();
		if (!r)
			return -ENOMEM;
		r->hdr.data = virt_to_phys(r->data);
		r->hdr.size = PAGE_SIZE << r->order;
		if (ring_publish(r) < 0) {
			free_pages((unsigned long)r->data, r->order);
			kmem_cache_free(ring_cache, r);
			return -ENOMEM;
		}
	}
	tt->ring = r;
	tt->head = r->hdr.head & ~7ULL;
	tt->tail = READ_ONCE(r->hdr.tail);
	WRITE_ONCE(r->hdr.tid, current->pid);
	return 0;
}

static void ring_free(struct trace_ring *r)
{
	trace_dir->ring[r->slot] = 0;
	nr_rings--;
	ring_pages -= 1u << r->order;
	free_pages((unsigned long)r->data, r->order);
	kmem_cache_free(ring_cache, r);
}

void trace_ring_put(struct trace_task *tt)
{
	struct trace_ring *r = tt->ring;

	if (!r)
		return;
	tt->ring = NULL;
	WRITE_ONCE(r->hdr.tid, 0);
	spin_lock(&rings_lock);
	r->next = free_rings;
	free_rings = r;
	spin_unlock(&rings_lock);
	if (!READ_ONCE(trace_on))
		trace_rings_free();
}

void trace_rings_free(void)
{
	struct trace_ring *r;

	spin_lock(&rings_lock);
	while ((r = free_rings)) {
		free_rings = r->next;
		ring_free(r);
	}
	spin_unlock(&rings_lock);
}

/* ---- room ---- */

static u32 ring_size(const struct trace_task *tt)
{
	return PAGE_SIZE << tt->ring->order;
}

/* What a record may take, with its head. */
static u32 rec_max(const struct trace_task *tt)
{
	return ring_size(tt) / 4;
}

u32 trace_rec_room(struct trace_task *tt)
{
	return rec_max(tt) - 2 * sizeof(struct hostif_trace_rec); /* one may say what was lost before */
}

/* Bytes that must be free: a record, and what is left of the ring's end if it does not fit there. */
static u32 need(const struct trace_task *tt)
{
	u32 to_end = ring_size(tt) - (tt->head & (ring_size(tt) - 1));

	return rec_max(tt) + (to_end < rec_max(tt) ? to_end : 0);
}

static bool has_room(struct trace_task *tt)
{
	/* the tail is the reader's to write: one that makes no sense leaves no room */
	return tt->head - tt->tail <= ring_size(tt) && ring_size(tt) - (tt->head - tt->tail) >= need(tt);
}

static bool look(struct trace_task *tt)
{
	tt->tail = smp_load_acquire(&tt->ring->hdr.tail);
	return has_room(tt);
}

static void wake_reader(void)
{
	__atomic_add_fetch(&trace_dir->doorbell, 1, __ATOMIC_SEQ_CST);
	if (xchg(&trace_dir->reader_sleep, 0))
		host_futex_wake(&trace_dir->doorbell, 1);
}

/* Until the reader has taken some, or gives no sign of life for wait_ns, or current has to die. */
static bool wait_for_room(struct trace_task *tt)
{
	u64 beat = READ_ONCE(trace_dir->beat), since = ktime_get_ns(), begin = since;
	bool ok = false;

	__atomic_add_fetch(&trace_dir->writers_sleep, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		u32 seen = __atomic_load_n(&trace_dir->room, __ATOMIC_SEQ_CST);
		u64 now = ktime_get_ns();

		ok = look(tt);
		if (ok || !READ_ONCE(trace_on) || tt->generation != READ_ONCE(trace_config.generation))
			break;
		if (beat != READ_ONCE(trace_dir->beat)) {
			beat = READ_ONCE(trace_dir->beat);
			since = now;
		}
		if ((s64)(now - since) > trace_config.wait_ns ||
		    (fatal_signal_pending(current) && now - begin > NSEC_PER_SEC)) {
			WRITE_ONCE(dead_beat, beat);
			break;
		}
		wake_reader();
		host_futex_wait(&trace_dir->room, seen, LOOK_NS);
	}
	__atomic_sub_fetch(&trace_dir->writers_sleep, 1, __ATOMIC_SEQ_CST);
	return ok;
}

static bool make_room(struct trace_task *tt)
{
	if (likely(has_room(tt)) || look(tt))
		return true;
	if (trace_config.wait_ns && READ_ONCE(trace_dir->beat) != READ_ONCE(dead_beat) && wait_for_room(tt))
		return true;
	tt->ring->hdr.lost++;
	return false;
}

/* ---- records ---- */

static struct hostif_trace_rec *at(struct trace_task *tt)
{
	return (void *)(tt->ring->data + (tt->head & (ring_size(tt) - 1)));
}

static void fill(struct hostif_trace_rec *r, unsigned type)
{
	struct task_struct *me = current;

	r->type = type;
	r->nr = 0;
	r->tid = me->pid;
	r->tgid = me->tgid;
	r->time = ktime_get_ns();
	r->ret = 0;
	r->ip = 0;
	r->ticket = 0;
	r->flags = 0;
	r->nblobs = 0;
}

static void tell_lost(struct trace_task *tt, u64 lost)
{
	struct hostif_trace_rec *r = at(tt);

	fill(r, TRACE_LOST);
	r->size = sizeof(*r);
	r->ret = lost;
	tt->head += sizeof(*r);
}

struct hostif_trace_rec *trace_rec_begin(struct trace_task *tt, unsigned type)
{
	struct hostif_trace_rec *r;
	u32 to_end;

	if (unlikely(tt->staged))
		trace_publish_staged(tt);
	if (unlikely(!make_room(tt)))
		return NULL;
	WRITE_ONCE(tt->ring->hdr.head, tt->head | 1);
	barrier();
	to_end = ring_size(tt) - (tt->head & (ring_size(tt) - 1));
	if (unlikely(to_end < rec_max(tt))) {
		r = at(tt);
		r->size = to_end;
		r->type = TRACE_PAD;
		tt->head += to_end;
	}
	if (unlikely(tt->ring->hdr.lost != tt->ring->lost_told)) {
		tell_lost(tt, tt->ring->hdr.lost - tt->ring->lost_told);
		tt->ring->lost_told = tt->ring->hdr.lost;
	}
	r = at(tt);
	fill(r, type);
	return r;
}

void trace_publish_staged(struct trace_task *tt)
{
	struct hostif_trace_rec *r = tt->staged;

	tt->staged = NULL;
	r->size = sizeof(*r) + tt->staged_bytes;
	tt->head += r->size;
	smp_store_release(&tt->ring->hdr.head, tt->head);
}

void trace_rec_end(struct trace_task *tt, struct hostif_trace_rec *r, u32 blob_bytes)
{
	r->size = sizeof(*r) + blob_bytes;
	tt->head += r->size;
	smp_store_release(&tt->ring->hdr.head, tt->head);
	/* the reader looks by itself from time to time: a wake-up that is missed here costs little */
	if (unlikely(READ_ONCE(trace_dir->reader_sleep)) && tt->head - tt->tail > ring_size(tt) / 4) {
		look(tt);
		if (tt->head - tt->tail > ring_size(tt) / 4)
			wake_reader();
	}
}

void trace_blob(struct trace_task *tt, struct hostif_trace_rec *r, u32 *used, unsigned kind, u64 addr, const void *data,
		u32 len)
{
	struct hostif_trace_blob *b = (void *)((u8 *)(r + 1) + *used);
	u32 room = trace_rec_room(tt) - *used;

	if (room < sizeof(*b) + ((len + 7) & ~7u))
		return;
	*b = (struct hostif_trace_blob){.kind = kind, .len = len, .want = len, .addr = addr};
	memcpy(b + 1, data, len);
	*used += sizeof(*b) + ((len + 7) & ~7u);
	r->nblobs++;
}
