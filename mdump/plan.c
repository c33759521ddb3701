// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: which pages are written, and in which order. One byte a page (or a block of them, when memory is short).

#include "sys.h"

#define SEEK_DATA 3
#define SEEK_HOLE 4
#define MAX_ORDER 18
#define GAP 16 /* pages: a shorter gap is stored rather than make two segments of one */
#define MAX_SEGMENTS 16000
#define SMALL_PLAN (16u << 10)

/* struct page, by the kernel's table */
static struct {
	u64 base, size, flags, refcount, mapcount, order, type, buddy;
	u32 t_free, t_kernel, t_anon, t_cache, t_text, t_stack, t_max;
	bool sane;
} pg;

static u8 small_plan[SMALL_PLAN] __attribute__((aligned(4096)));
static u8 *plan;
static u64 npages, nblocks, first_free; /* first_free: pfn of the first page the allocator manages */
static unsigned shift;
static size_t plan_mapped;

static u64 block_of(u64 pfn)
{
	return pfn >> shift;
}

static bool alloc_plan(void)
{
	npages = config.ram_size >> PAGE_SHIFT;
	shift = 0;
	plan_mapped = npages;
	plan = mem_get(npages);
	if (!plan) {
		plan_mapped = 0;
		plan = small_plan;
		while (npages >> shift > SMALL_PLAN)
			shift++;
	}
	nblocks = (npages + (1ULL << shift) - 1) >> shift;
	memset(plan, PLAN_ZERO | PLAN_HOLE, nblocks);
	return plan_mapped;
}

void plan_drop(void)
{
	mem_put(plan_mapped ? plan : NULL, plan_mapped);
	plan = NULL;
}

/* What the host's file has. Nothing else is looked at. */
static void find_data(void)
{
	s64 at = 0, end;

	while ((u64)at < config.ram_size) {
		at = sys(lseek, MDUMP_FD_RAM, at, SEEK_DATA);
		if (is_err(at)) /* ENXIO: no more. Where the host cannot tell, it says that all is data */
			return;
		end = sys(lseek, MDUMP_FD_RAM, at, SEEK_HOLE);
		if (is_err(end) || (u64)end > config.ram_size)
			end = config.ram_size;
		for (u64 b = block_of(at >> PAGE_SHIFT); b < nblocks && b << shift << PAGE_SHIFT < (u64)end; b++)
			plan[b] = PLAN_REST;
		at = end;
	}
}

bool plan_hole(u64 off)
{
	u64 b = block_of(off >> PAGE_SHIFT);

	return !plan || b >= nblocks || plan[b] & PLAN_HOLE;
}

static void learn_pages(void)
{
	u64 v;

	pg.base = align_up(config.mem_start, PAGE);
	pg.size = table("SIZE(page)", 0);
	pg.flags = table("OFFSET(page.flags)", 0);
	pg.refcount = table("OFFSET(page._refcount)", 0);
	pg.mapcount = table("OFFSET(page._mapcount)", 0);
	pg.order = table("OFFSET(page.order)", 0);
	pg.type = table("OFFSET(page.type)", 0);
	pg.buddy = 1u << table("NUMBER(PG_buddy)", 7);
	pg.t_free = table("NUMBER(PGT_FREE)", 0);
	pg.t_kernel = table("NUMBER(PGT_KERNEL)", 1);
	pg.t_anon = table("NUMBER(PGT_ANON)", 3);
	pg.t_cache = table("NUMBER(PGT_CACHE)", 4);
	pg.t_stack = table("NUMBER(PGT_STACK)", 6);
	pg.t_text = table("NUMBER(PGT_TEXT)", 7);
	pg.t_max = pg.t_text;
	pg.sane = pg.size == 64 && table_get("OFFSET(page.type)", &v);
	first_free = (pg.base + npages * 64 + PAGE - 1) >> PAGE_SHIFT;
	if (!pg.sane)
		first_free = (config.mem_start + PAGE - 1) >> PAGE_SHIFT;
}

struct page_info {
	u32 type, order, refcount, mapcount;
	bool buddy;
};

/* All zero where the page array itself was never touched: free, never used. */
static void page_info(u64 pfn, struct page_info *i)
{
	u64 off = pg.base + pfn * pg.size;

	memset(i, 0, sizeof(*i));
	if (plan_hole(off) || off + pg.size > config.ram_size)
		return;
	i->buddy = *(const u32 *)(ram + off + pg.flags) & pg.buddy;
	i->refcount = *(const u32 *)(ram + off + pg.refcount);
	i->mapcount = *(const u32 *)(ram + off + pg.mapcount);
	i->order = ram[off + pg.order];
	i->type = ram[off + pg.type];
}

/* Pages that p stands for, which is at least 1: a free block, or an allocated one with its head. */
static u64 page_span(u64 pfn, const struct page_info *i)
{
	u64 n = 1ULL << min(i->order, MAX_ORDER);

	if ((!i->buddy && !i->refcount) || pfn & (n - 1) || n > npages - pfn)
		return 1;
	return n;
}

static bool page_bad(u64 pfn, const struct page_info *i)
{
	if (i->type > pg.t_max || i->order > MAX_ORDER)
		return true;
	if (i->buddy && (i->type != pg.t_free || i->refcount || pfn & ((1ULL << i->order) - 1)))
		return true;
	return i->refcount > 0x7fffffff || i->mapcount > 0x7fffffff;
}

/* One in 64 that makes no sense, and none is believed. */
static void check_pages(void)
{
	u64 bad = 0, seen = 0;
	struct page_info i;

	for (u64 pfn = first_free; pg.sane && pfn < npages; pfn += page_span(pfn, &i)) {
		page_info(pfn, &i);
		seen++;
		bad += page_bad(pfn, &i);
	}
	if (bad * 64 > seen)
		pg.sane = false;
}

bool plan_pages_sane(void)
{
	return pg.sane;
}

int plan_page_type(u64 pfn)
{
	struct page_info i;

	if (!pg.sane || pfn < first_free || pfn >= npages)
		return -1;
	page_info(pfn, &i);
	return i.type;
}

static enum plan_class classify(const struct page_info *i, u32 level)
{
	if (i->buddy || !i->refcount)
		return level & MDUMP_D_FREE ? PLAN_FILTERED : PLAN_REST;
	if (i->type == pg.t_anon)
		return level & MDUMP_D_USER ? PLAN_FILTERED : PLAN_REST;
	if (i->type == pg.t_cache)
		return level & (i->mapcount || i->refcount > 1 ? MDUMP_D_CACHE_PRIVATE : MDUMP_D_CACHE) ? PLAN_FILTERED
													: PLAN_REST;
	if (i->type == pg.t_text)
		return level & MDUMP_D_CACHE_PRIVATE ? PLAN_FILTERED : PLAN_REST;
	return PLAN_KERNEL;
}

/* A block of several pages is as good as its best page. */
static void mark(u64 pfn, enum plan_class c, bool first)
{
	u8 *b = &plan[block_of(pfn)];

	if (*b & PLAN_HOLE)
		return;
	if (first || (*b & 0x7f) > c)
		*b = c;
}

static void mark_pages(u64 pfn, u64 n, enum plan_class c)
{
	for (u64 i = 0; i < n; i++)
		mark(pfn + i, c, !shift || !((pfn + i) & ((1ULL << shift) - 1)));
}

static void sort_pages(u32 level)
{
	struct page_info i;
	u64 n;

	mark_pages(0, min(first_free, npages), PLAN_FIRST);
	for (u64 pfn = first_free; pfn < npages; pfn += n) {
		n = 1;
		if (!pg.sane) {
			mark_pages(pfn, 1, PLAN_KERNEL);
			continue;
		}
		page_info(pfn, &i);
		n = page_span(pfn, &i);
		mark_pages(pfn, n, page_bad(pfn, &i) ? PLAN_KERNEL : classify(&i, level));
	}
}

static bool block_is_zero(u64 b)
{
	for (u64 pfn = b << shift; pfn < (b + 1) << shift && pfn < npages; pfn++)
		if (!is_zero_page(ram + (pfn << PAGE_SHIFT)))
			return false;
	return true;
}

static void find_zeroes(u32 level)
{
	for (u64 b = 0; b < nblocks; b++) {
		if (plan[b] & PLAN_HOLE) {
			if (!(level & MDUMP_D_ZERO))
				plan[b] = (b << shift < first_free ? PLAN_FIRST : PLAN_REST) | PLAN_HOLE;
		} else if ((level & MDUMP_D_ZERO) && plan[b] <= PLAN_REST && block_is_zero(b)) {
			plan[b] = PLAN_ZERO;
		}
	}
}

static enum plan_class class_at(u64 b)
{
	return plan[b] & 0x7f;
}

static u64 run_end(u64 b)
{
	enum plan_class c = class_at(b);

	while (b < nblocks && class_at(b) == c)
		b++;
	return b;
}

/* Short runs between stored ones join the one before, which lies earlier in the file. */
static void merge_gaps(u64 gap)
{
	u64 b = 0, e;

	while (b < nblocks && (e = run_end(b)) < nblocks) {
		u64 e2 = run_end(e);

		if (class_at(b) <= PLAN_REST && class_at(e) > class_at(b) && e2 < nblocks &&
		    class_at(e2) <= PLAN_REST && e2 - e < gap) {
			for (u64 i = e; i < e2; i++)
				plan[i] = class_at(b) | (plan[i] & PLAN_HOLE);
			continue;
		}
		b = e;
	}
}

static void sum_up(struct plan_sums *s)
{
	struct segment seg = {0};

	memset(s, 0, sizeof(*s));
	while (plan_next(&seg)) {
		s->segments++;
		if (seg.class <= PLAN_REST)
			s->stored += seg.len;
		else if (seg.class == PLAN_ZERO)
			s->zero += seg.len >> PAGE_SHIFT;
		else
			s->filtered += seg.len >> PAGE_SHIFT;
	}
}

/* plan_begin: which pages are there at all, and whether the page array can be believed. 0 or MDUMP_LOST_* */
u32 plan_begin(void)
{
	u32 lost = alloc_plan() ? 0 : MDUMP_LOST_MEMORY;

	learn_pages();
	find_data();
	if (shift) /* the array is looked at through blocks; what is in one is all there */
		pg.sane = pg.sane && shift <= 6;
	check_pages();
	return pg.sane ? lost : lost | MDUMP_LOST_PAGES;
}

/* plan_make: after plan_begin(), once everybody stands still */
void plan_make(u32 level, struct plan_sums *sums)
{
	sort_pages(level);
	find_zeroes(level);
	for (u64 gap = GAP; gap < nblocks * 4; gap *= 4) {
		merge_gaps(gap);
		sum_up(sums);
		if (sums->segments <= MAX_SEGMENTS)
			break;
	}
}

/* In the file's order: class by class, each by address. */
bool plan_next(struct segment *s)
{
	u64 b = s->len ? block_of((s->start + s->len + PAGE - 1) >> PAGE_SHIFT) : 0, e;

	for (;; s->class ++, b = 0) {
		if (s->class >= PLAN_CLASSES)
			return false;
		while (b < nblocks && class_at(b) != s->class)
			b++;
		if (b < nblocks)
			break;
	}
	e = run_end(b);
	s->start = b << shift << PAGE_SHIFT;
	s->len = min(e << shift << PAGE_SHIFT, config.ram_size) - s->start;
	return true;
}
