// SPDX-License-Identifier: Apache-2.0
/* The page allocator: buddy lists over RAM, and small caches of single pages in front of them. */
#include <husk/mm.h>
#include "internal.h"

/**
 * DOC: page allocator
 *
 * RAM begins as a sparse memfd: a page that was never written takes no host memory and reads as zero, struct pages among
 * them. Three rules follow. mem_init() writes the heads of the few largest blocks only, and a split writes only the heads that it
 * makes. Blocks are dirty or known zero (PG_zeroed), kept on separate lists and merged only with their like; a caller that wants
 * zeroes gets them for nothing from a zero block. Dirty blocks are used first and at low addresses first, so that the memory in use stays
 * compact; what is dirty beyond a bound goes back to the host, which makes it zero again (kmemd, mm/vmscan.c).
 *
 * Fresh memory is taken from the host in pieces (mm/backing.c): a zero block that is larger than its piece has not been asked for
 * yet; before one is broken up, or handed out whole, it is. Blocks smaller than a piece are parts of one that the host has given.
 *
 * Single pages come from caches sharded by thread (pcp), refilled and drained in batches. A page in one has no references.
 *
 * Lock order: pcp->lock, then zone.lock; both innermost of all.
 */
#define NR_ORDERS (MAX_ORDER + 1)
#define PCP_MAX 30
#define PCP_BATCH 16
enum { DIRTY, ZERO };

struct page *mem_map;
unsigned long max_pfn, totalram_pages, lowest_pfn, highest_pfn, min_free_pages;
char *direct_map = (char *)DIRECT_MAP_BASE;
atomic64_t vm_stat[NR_VM_STAT];

static struct {
	spinlock_t lock;
	unsigned long first, end; /* pfns the allocator manages */
	unsigned long nr_free[2]; /* pages on the lists */
	u32 mask[2];		  /* orders with a free block */
	struct list_head list[2][NR_ORDERS];
	unsigned long nr[2][NR_ORDERS];
} zone;

static struct pcp {
	spinlock_t lock;
	u32 count;
	struct page *page[PCP_MAX];
} __aligned(64) pcps[NR_MM_SHARDS];

static inline bool page_zeroed(struct page *p)
{
	return p->flags & (1u << PG_zeroed);
}

static void add_block(struct page *p, unsigned int order, unsigned int z)
{
	struct list_head *l = &zone.list[z][order];

	p->flags = 1u << PG_buddy | (z == ZERO ? 1u << PG_zeroed : 0);
	p->order = order;
	p->type = PGT_FREE;
	if (list_empty(l) || p < list_first_entry(l, struct page, lru))
		list_add(&p->lru, l);
	else
		list_add_tail(&p->lru, l);
	zone.nr[z][order]++;
	zone.nr_free[z] += 1UL << order;
	zone.mask[z] |= 1u << order;
}

static void del_block(struct page *p, unsigned int order, unsigned int z)
{
	__list_del(p->lru.prev, p->lru.next);
	p->flags &= 1u << PG_zeroed;
	zone.nr[z][order]--;
	zone.nr_free[z] -= 1UL << order;
	if (list_empty(&zone.list[z][order]))
		zone.mask[z] &= ~(1u << order);
}

/* Puts a block on the lists, merged with its buddies of the same kind. */
static void free_block(unsigned long pfn, unsigned int order, unsigned int z, bool mix)
{
	while (order < MAX_ORDER) {
		unsigned long buddy = pfn ^ (1UL << order);
		struct page *b;

		if (buddy < zone.first || buddy + (1UL << order) > zone.end)
			break;
		b = pfn_to_page(buddy);
		if (!(b->flags & (1u << PG_buddy)) || b->order != order)
			break;
		if (page_zeroed(b) != (z == ZERO)) {
			if (!mix)
				break;
			del_block(b, order, page_zeroed(b) ? ZERO : DIRTY);
			z = DIRTY;
		} else {
			del_block(b, order, z);
		}
		pfn &= ~(1UL << order);
		order++;
	}
	add_block(pfn_to_page(pfn), order, z);
}

/* Which order to take from: of the dirty blocks the smallest that will do, of the fresh ones the lowest in memory. */
static unsigned int pick_order(unsigned int z, unsigned int order)
{
	u32 mask = zone.mask[z] >> order << order;
	unsigned int best = __builtin_ctz(mask);

	if (z == DIRTY)
		return best;
	for (mask &= mask - 1; mask; mask &= mask - 1) {
		unsigned int o = __builtin_ctz(mask);

		if (zone.list[z][o].next < zone.list[z][best].next)
			best = o;
	}
	return best;
}

/* Puts what p, a block of 2^o off the lists, has beyond its first 2^order pages back onto them. */
static void split_block(struct page *p, unsigned int o, unsigned int order, unsigned int z)
{
	while (o > order) {
		o--;
		add_block(p + (1UL << o), o, z);
	}
}

/*
 * p, a fresh block of 2^o that was just taken off the lists, is cut to 2^order pages that the host backs now, in pieces. As many pages behind it stay
 * in nobody's hands meanwhile: back_piece() uses them. zone.lock is dropped.
 */
static void take_fresh(struct page *p, unsigned int o, unsigned int order)
{
	unsigned long pfn = page_to_pfn(p), step = 1UL << min(order, RAM_BACK_MAX);
	bool pair = o > order;

	split_block(p, o, order + pair, ZERO);
	spin_unlock(&zone.lock);
	for (unsigned long i = 0; i < 1UL << order; i += step)
		back_piece(pfn + i, ilog2(step), o > ilog2(step) && !(i & step));
	spin_lock(&zone.lock);
	if (pair)
		free_block(pfn + (1UL << order), order, ZERO, false);
}

#define MAX_WHOLE 9 /* what is larger is not used at once */
/* what a block is wanted for: to be used; pages here and there, and the caller asks the host */
enum block_use { USE_ALL, USE_SPARSE };

static unsigned int piece_order(const struct page *p)
{
	return backing_order(page_to_pfn(p) - zone.first);
}

/* Takes a block of 2^order off the lists; its PG_zeroed says what it holds. */
static struct page *take_block(unsigned int order, enum block_use use)
{
	unsigned int z = zone.mask[DIRTY] >> order ? DIRTY : ZERO;
	unsigned int o, piece;
	struct page *p;

	if (!(zone.mask[z] >> order))
		return NULL;
	o = pick_order(z, order);
	p = list_first_entry(&zone.list[z][o], struct page, lru);
	del_block(p, o, z);
	if (page_to_pfn(p) + (1UL << order) > highest_pfn)
		highest_pfn = page_to_pfn(p) + (1UL << order);
	piece = z == ZERO ? piece_order(p) : 0;
	if (use == USE_SPARSE && order >= piece)
		piece = 0;
	if (piece && o >= piece && order <= MAX_WHOLE) {
		piece = max(piece, order);
		take_fresh(p, o, piece);
		o = piece;
	}
	split_block(p, o, order, z);
	return p;
}

/* Last resort for a large block: merge buddies of different kinds; what was zero counts as dirty then. */
static void merge_mixed(void)
{
	for (unsigned int o = 0; o < MAX_ORDER; o++) {
		struct list_head *l = &zone.list[DIRTY][o];
		unsigned long n = zone.nr[DIRTY][o];

		while (n-- && !list_empty(l)) {
			struct page *p = list_first_entry(l, struct page, lru);

			del_block(p, o, DIRTY);
			free_block(page_to_pfn(p), o, DIRTY, true);
		}
	}
}

void mem_init(phys_addr_t start, phys_addr_t end)
{
	unsigned long pfn, last = PFN_DOWN(end);

	max_pfn = last;
	mem_map = phys_to_virt(PAGE_ALIGN(start));
	pfn = PFN_UP(PAGE_ALIGN(start) + last * sizeof(struct page));
	BUG_ON(pfn >= last);
	memset(&zone, 0, sizeof(zone));
	for (unsigned int z = DIRTY; z <= ZERO; z++)
		for (unsigned int o = 0; o < NR_ORDERS; o++)
			INIT_LIST_HEAD(&zone.list[z][o]);
	zone.first = pfn;
	zone.end = last;
	lowest_pfn = highest_pfn = pfn;
	totalram_pages = last - pfn;
	min_free_pages = clamp_t(unsigned long, totalram_pages / 64, 32, 4096);
	while (pfn < last) {
		unsigned int o = pfn ? __builtin_ctzl(pfn) : MAX_ORDER;

		o = min_t(unsigned int, o, MAX_ORDER);
		while (pfn + (1UL << o) > last)
			o--;
		add_block(pfn_to_page(pfn), o, ZERO);
		pfn += 1UL << o;
	}
}

unsigned long nr_free_pages(void)
{
	unsigned long n = READ_ONCE(zone.nr_free[DIRTY]) + READ_ONCE(zone.nr_free[ZERO]);

	for (unsigned int i = 0; i < NR_MM_SHARDS; i++)
		n += READ_ONCE(pcps[i].count);
	return n;
}

unsigned long nr_dirty_free_pages(void)
{
	return READ_ONCE(zone.nr_free[DIRTY]);
}

void zone_numbers(struct zone_numbers *n)
{
	spin_lock(&zone.lock);
	memcpy(n->nr, zone.nr, sizeof(n->nr));
	spin_unlock(&zone.lock);
	n->cached = 0;
	for (unsigned int i = 0; i < NR_MM_SHARDS; i++)
		n->cached += READ_ONCE(pcps[i].count);
}

/* May a request of this kind take 2^order pages? User memory leaves the reserve to the kernel. */
static bool watermark_ok(gfp_t gfp, unsigned int order)
{
	unsigned long n = zone.nr_free[DIRTY] + zone.nr_free[ZERO];

	return !(gfp & __GFP_ACCOUNT) || n >= min_free_pages + (1UL << order);
}

static unsigned int refill(struct pcp *c, gfp_t gfp)
{
	struct page *p;
	unsigned int n = PCP_BATCH, o = ilog2(PCP_BATCH);

	spin_lock(&zone.lock);
	if (!watermark_ok(gfp, o)) {
		n = watermark_ok(gfp, 0) ? 1 : 0;
		o = 0;
	}
	/* a dirty block first, however small: memory stays compact */
	while (n && o && !(zone.mask[DIRTY] >> o) && (zone.mask[DIRTY] || !(zone.mask[ZERO] >> o)))
		o--;
	p = n ? take_block(o, USE_ALL) : NULL;
	spin_unlock(&zone.lock);
	if (!p)
		return 0;
	n = 1u << o;
	for (unsigned int i = n; i--;) {
		p[i].flags = p->flags & (1u << PG_zeroed);
		p[i].order = 0;
		c->page[c->count++] = p + i; /* the lowest on top */
	}
	return n;
}

static void drain(struct pcp *c, unsigned int n)
{
	n = min(n, c->count);
	spin_lock(&zone.lock);
	/* from the bottom: the coldest */
	for (unsigned int i = 0; i < n; i++)
		free_block(page_to_pfn(c->page[i]), 0, page_zeroed(c->page[i]) ? ZERO : DIRTY, false);
	spin_unlock(&zone.lock);
	c->count -= n;
	memmove(c->page, c->page + n, c->count * sizeof(c->page[0]));
}

void drain_page_caches(void)
{
	for (unsigned int i = 0; i < NR_MM_SHARDS; i++) {
		spin_lock(&pcps[i].lock);
		drain(&pcps[i], PCP_MAX);
		spin_unlock(&pcps[i].lock);
	}
}

static struct page *take_single(gfp_t gfp)
{
	struct pcp *c = &pcps[mm_shard()];
	struct page *p = NULL;

	spin_lock(&c->lock);
	if (c->count || refill(c, gfp))
		p = c->page[--c->count];
	spin_unlock(&c->lock);
	return p;
}

static struct page *take_pages(gfp_t gfp, unsigned int order)
{
	struct page *p = NULL;

	if (!order)
		return take_single(gfp);
	spin_lock(&zone.lock);
	if (watermark_ok(gfp, order))
		p = take_block(order, USE_ALL);
	spin_unlock(&zone.lock);
	return p;
}

static struct page *take_slow(gfp_t gfp, unsigned int order)
{
	struct page *p;

	for (int tries = 0; tries < 64; tries++) {
		drain_page_caches();
		if (order) {
			spin_lock(&zone.lock);
			if (!((zone.mask[DIRTY] | zone.mask[ZERO]) >> order))
				merge_mixed();
			spin_unlock(&zone.lock);
		}
		p = take_pages(gfp, order);
		if (p || (gfp & __GFP_NOWAIT))
			return p;
		if (reclaim_pages(max_t(unsigned long, 64, 1UL << order)))
			continue;
		if (!(gfp & __GFP_ACCOUNT)) {
			if (!(gfp & __GFP_NOFAIL) || tries > 48)
				return NULL;
			host_yield();
			continue;
		}
		if (order || !out_of_memory(gfp))
			return NULL;
	}
	return NULL;
}

static void prep_page(struct page *p, unsigned int order)
{
	p->order = order;
	p->type = PGT_KERNEL;
	p->mapping = NULL;
	p->private = 0;
	atomic_set(&p->_mapcount, 0);
	atomic_set(&p->_refcount, 1);
}

#ifdef HUSK_DEBUG
#define POISON 0x6b6b6b6b6b6b6b6bUL
static void poison_pages(struct page *p, unsigned int order)
{
	u64 *q = page_address(p);

	for (unsigned long i = 0; i < (PAGE_SIZE << order) / 8; i++)
		q[i] = POISON;
}
static void check_free(struct page *p, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (page_mapcount(p + i) || page_count(p + i))
			panic("page %lx freed while in use: refcount %d mapcount %d", page_to_pfn(p + i),
			      page_count(p + i), page_mapcount(p + i));
	}
	if (p->flags & (1u << PG_buddy) || p->type == PGT_FREE)
		panic("page %lx freed twice", page_to_pfn(p));
}
#else
static inline void poison_pages(struct page *p, unsigned int order)
{
}
static inline void check_free(struct page *p, unsigned int order)
{
}
#endif

/* User memory pays attention early: background reclaim starts before the reserve is reached. */
static inline void watch_level(gfp_t gfp)
{
	if (unlikely(zone.nr_free[DIRTY] + zone.nr_free[ZERO] < 2 * min_free_pages))
		wake_kmemd();
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *p;

	might_sleep_gfp(gfp);
	if (unlikely(order > MAX_ORDER))
		return NULL;
	p = take_pages(gfp, order);
	if (unlikely(!p)) {
		p = take_slow(gfp, order);
		if (!p) {
			if (!(gfp & __GFP_NOWARN))
				pr_debug("mm: no memory for %lu pages", 1UL << order);
			return NULL;
		}
	}
	watch_level(gfp);
	if ((gfp & __GFP_ZERO) && !page_zeroed(p))
		memset(page_address(p), 0, PAGE_SIZE << order);
	p->flags = 0;
	prep_page(p, order);
	return p;
}

/* A block of 2^order pages becomes single pages, each with its own reference. */
static void split_for_user(struct page *p, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		p[i].flags = 0;
		prep_page(p + i, 0);
	}
}

static struct page *alloc_run(unsigned int order, unsigned long *got, bool *zeroed, enum block_use use)
{
	struct page *p = NULL;

	if (order) {
		spin_lock(&zone.lock);
		while (order && (!watermark_ok(GFP_USER, order) || !((zone.mask[DIRTY] | zone.mask[ZERO]) >> order)))
			order--;
		if (order)
			p = take_block(order, use);
		spin_unlock(&zone.lock);
	}
	if (!p) {
		order = 0;
		p = take_pages(GFP_USER, 0);
		if (!p)
			p = take_slow(GFP_USER, 0);
		if (!p)
			return NULL;
	}
	watch_level(GFP_USER);
	*zeroed = page_zeroed(p);
	*got = 1UL << order;
	split_for_user(p, order);
	return p;
}

struct page *alloc_user_run(unsigned int order, unsigned long *got, bool *zeroed)
{
	return alloc_run(order, got, zeroed, USE_ALL);
}

struct page *alloc_sparse_run(unsigned int order, unsigned long *got, bool *fresh)
{
	struct page *p = alloc_run(order, got, fresh, USE_SPARSE);

	/* part of a piece: then that was asked for */
	if (p && order < piece_order(p))
		*fresh = false;
	return p;
}

static unsigned int run_order(unsigned long n)
{
	return n <= 64 ? ilog2(roundup_pow_of_two(n)) : ilog2(n);
}

bool dirty_run_free(unsigned long n)
{
	return READ_ONCE(zone.mask[DIRTY]) >> run_order(n);
}

struct page *alloc_user_pages(unsigned long n, unsigned long *got, bool *zeroed)
{
	struct page *p = alloc_user_run(run_order(n), got, zeroed);

	while (p && *got > n)
		put_page(p + --*got);
	return p;
}

struct page *alloc_used_run(unsigned long least, unsigned long most, unsigned long *got)
{
	struct page *p = NULL;
	unsigned int order = 0;
	u32 mask;

	spin_lock(&zone.lock);
	mask = zone.mask[DIRTY] >> run_order(least) << run_order(least);
	if (mask) {
		order = min_t(unsigned int, 31 - __builtin_clz(mask), ilog2(most));
		if (watermark_ok(GFP_USER, order))
			p = take_block(order, USE_ALL);
	}
	spin_unlock(&zone.lock);
	if (!p)
		return NULL;
	*got = 1UL << order;
	split_for_user(p, order);
	return p;
}

struct page *alloc_pages_contig(gfp_t gfp, unsigned long max, unsigned long *got)
{
	struct page *p;
	bool zeroed;

	if (!max)
		return NULL;
	p = alloc_user_pages(min(max, 1UL << MAX_ORDER), got, &zeroed);
	if (p && (gfp & __GFP_ZERO) && !zeroed)
		memset(page_address(p), 0, *got << PAGE_SHIFT);
	return p;
}

static void free_single(struct page *p)
{
	struct pcp *c = &pcps[mm_shard()];

	spin_lock(&c->lock);
	if (c->count >= PCP_MAX)
		drain(c, c->count - PCP_MAX + PCP_BATCH);
	c->page[c->count++] = p;
	spin_unlock(&c->lock);
}

/* The last reference is gone. */
static void release_pages(struct page *p, unsigned int order)
{
	check_free(p, order);
	p->flags = 0;
	p->type = PGT_FREE;
	poison_pages(p, order);
	if (!order) {
		free_single(p);
	} else {
		spin_lock(&zone.lock);
		free_block(page_to_pfn(p), order, DIRTY, false);
		spin_unlock(&zone.lock);
	}
	if (unlikely(zone.nr_free[DIRTY] > min_free_pages))
		kmemd_dirty_excess();
}

void __free_pages(struct page *p, unsigned int order)
{
	if (atomic_dec_and_test(&p->_refcount))
		release_pages(p, order);
}

void cache_single_page(struct page *p)
{
	put_page(p); /* the caches are stacks */
}

void __put_page(struct page *p)
{
	release_pages(p, p->order);
}

void *__get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *p = alloc_pages(gfp, order);

	return p ? page_address(p) : NULL;
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

unsigned long release_free_pages(unsigned long keep, unsigned int min_order)
{
	unsigned long done = 0;

	spin_lock(&zone.lock);
	while (zone.nr_free[DIRTY] > keep && zone.mask[DIRTY] >> min_order) {
		unsigned int o = 31 - __builtin_clz(zone.mask[DIRTY]);
		struct page *p = list_last_entry(&zone.list[DIRTY][o], struct page, lru);
		unsigned int z = ZERO;

		del_block(p, o, DIRTY);
		spin_unlock(&zone.lock);
		if (host_ram_release(page_to_pfn(p), 1UL << o))
			z = DIRTY;
		spin_lock(&zone.lock);
		free_block(page_to_pfn(p), o, z, false);
		if (z == DIRTY)
			break;
		done += 1UL << o;
	}
	spin_unlock(&zone.lock);
	return done;
}
