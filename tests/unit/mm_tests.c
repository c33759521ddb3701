// SPDX-License-Identifier: Apache-2.0
/* Tests of the allocators and the page tables. */
#include "mm_unit.h"

#define TEST(n)                                                                                                        \
	void unit_test_##n(void);                                                                                      \
	void unit_test_##n(void)

static bool is_zero(struct page *p, unsigned long n)
{
	u64 *q = page_address(p);

	for (unsigned long i = 0; i < (n << PAGE_SHIFT) / 8; i++) {
		if (q[i])
			return false;
	}
	return true;
}

static unsigned long blocks(struct zone_numbers *n)
{
	unsigned long b = 0;

	drain_page_caches();
	zone_numbers(n);
	for (int o = 0; o <= MAX_ORDER; o++)
		b += n->nr[0][o] + n->nr[1][o];
	return b;
}

TEST(buddy_split_merge)
{
	struct zone_numbers before, after;
	struct page *p[10];

	unit_setup(4096);
	blocks(&before);
	CHECK(nr_free_pages() == totalram_pages);
	for (unsigned int o = 0; o < 10; o++) {
		p[o] = alloc_pages(GFP_KERNEL, o);
		CHECK(p[o] && IS_ALIGNED(page_to_pfn(p[o]), 1UL << o) && page_count(p[o]) == 1 && p[o]->order == o);
	}
	CHECK(nr_free_pages() == totalram_pages - 1023);
	for (unsigned int o = 0; o < 10; o++)
		__free_pages(p[o], o);
	CHECK(nr_free_pages() == totalram_pages);
	/* what was used is dirty now, the rest zero still; given back, all is as it was */
	release_free_pages(0, 0);
	drain_page_caches();
	release_free_pages(0, 0);
	blocks(&after);
	CHECK(!memcmp(before.nr[1], after.nr[1], sizeof(before.nr[1])));
}

TEST(buddy_zero_tracking)
{
	struct page *p, *q;

	unit_setup(4096);
	p = alloc_pages(GFP_KERNEL, 3);
	CHECK(is_zero(p, 8));
	memset(page_address(p), 0x55, PAGE_SIZE << 3);
	__free_pages(p, 3);
	q = alloc_pages(GFP_KERNEL | __GFP_ZERO, 3);
	CHECK(q == p && is_zero(q, 8)); /* the dirty one first, cleared */
	memset(page_address(q), 0x55, PAGE_SIZE << 3);
	__free_pages(q, 3);
	CHECK(nr_dirty_free_pages() == 8);
	CHECK(release_free_pages(0, 0) == 8 && !nr_dirty_free_pages());
	p = alloc_pages(GFP_KERNEL, 3);
	CHECK(is_zero(p, 8));
	__free_pages(p, 3);
}

#define SLOTS 300
TEST(buddy_random)
{
	static struct page *p[SLOTS];
	static unsigned int order[SLOTS];
	unsigned long held = 0;
	struct zone_numbers n;

	unit_setup(8192);
	for (int i = 0; i < 20000; i++) {
		int k = unit_rand() % SLOTS;

		if (p[k]) {
			for (unsigned long j = 0; j < 1UL << order[k]; j++)
				CHECK(*(u64 *)page_address(p[k] + j) == k + 1);
			__free_pages(p[k], order[k]);
			held -= 1UL << order[k];
			p[k] = NULL;
			continue;
		}
		order[k] = unit_rand() % 6;
		p[k] = alloc_pages(unit_rand() & 1 ? __GFP_ZERO : GFP_KERNEL, order[k]);
		if (!p[k])
			continue;
		held += 1UL << order[k];
		for (unsigned long j = 0; j < 1UL << order[k]; j++)
			*(u64 *)page_address(p[k] + j) = k + 1;
		CHECK(nr_free_pages() == totalram_pages - held);
		if (i % 1000 == 0)
			release_free_pages(unit_rand() % 500, unit_rand() % 4);
	}
	for (int k = 0; k < SLOTS; k++) {
		if (p[k])
			__free_pages(p[k], order[k]);
		p[k] = NULL;
	}
	CHECK(nr_free_pages() == totalram_pages);
	drain_page_caches();
	release_free_pages(0, 0);
	CHECK(blocks(&n) < 40 && !nr_dirty_free_pages());
}

TEST(buddy_contig)
{
	unsigned long got;
	struct page *p;
	bool zeroed;

	unit_setup(4096);
	p = alloc_user_run(4, &got, &zeroed);
	CHECK(p && got == 16 && zeroed);
	for (int i = 0; i < 16; i++) {
		CHECK(page_count(p + i) == 1 && !p[i].order);
		put_page(p + i);
	}
	p = alloc_pages_contig(GFP_USER | __GFP_ZERO, 100, &got);
	CHECK(p && got == 64 && is_zero(p, 64));
	for (int i = 0; i < 64; i++)
		put_page(p + i);
	CHECK(nr_free_pages() == totalram_pages);
}

/* User memory leaves the reserve alone; the kernel gets it to the last page, and NULL then. */
TEST(buddy_exhaustion)
{
	struct list_head all;
	unsigned long n = 0;
	struct page *p;

	unit_setup(2048);
	INIT_LIST_HEAD(&all);
	while ((p = alloc_pages(GFP_USER | __GFP_NOWAIT, 0))) {
		list_add(&p->lru, &all);
		n++;
	}
	CHECK(nr_free_pages() >= min_free_pages - 1 && n + nr_free_pages() == totalram_pages);
	CHECK(!alloc_pages(GFP_USER | __GFP_NOWAIT, 2));
	while ((p = alloc_pages(GFP_KERNEL, 0)))
		list_add(&p->lru, &all);
	CHECK(!nr_free_pages() && !alloc_pages(GFP_ATOMIC, 0));
	while (!list_empty(&all)) {
		p = list_first_entry(&all, struct page, lru);
		list_del(&p->lru);
		__free_page(p);
	}
	CHECK(nr_free_pages() == totalram_pages);
}

/* Dirty and zero buddies are merged when a large block is wanted and there is no other. */
TEST(buddy_release)
{
	struct page *p[512];
	struct zone_numbers n;

	unit_setup(1024);
	for (int i = 0; i < 512; i++)
		CHECK((p[i] = alloc_pages(GFP_KERNEL, 0)));
	for (int i = 0; i < 512; i += 2)
		__free_page(p[i]);
	drain_page_caches();
	CHECK(release_free_pages(0, 0) == 256 && ram_released == 256);
	for (int i = 1; i < 512; i += 2)
		__free_page(p[i]);
	drain_page_caches();
	CHECK(nr_dirty_free_pages() >= 256); /* every second page: zero and dirty apart */
	zone_numbers(&n);
	CHECK(n.nr[0][0] + n.nr[1][0] >= 512 - 32);
	p[0] = alloc_pages(GFP_KERNEL | __GFP_ZERO, 8);
	CHECK(p[0] && is_zero(p[0], 256));
	p[1] = alloc_pages(GFP_KERNEL | __GFP_ZERO, 8);
	CHECK(p[1] && is_zero(p[1], 256));
	__free_pages(p[0], 8);
	__free_pages(p[1], 8);
	CHECK(nr_free_pages() == totalram_pages);
}

/* ---- slab ---- */

/* ---- backing ---- */
static u8 backed[RAM_PAGES]; /* the order of the piece that a page was asked for with, plus one */
static struct {
	unsigned long pieces, wrong;
	int err;
} host_gave;

static int note_piece(unsigned long pfn, unsigned int order, enum ram_other_half other)
{
	unsigned long half = pfn ^ (1UL << order);

	host_gave.pieces++;
	if (!IS_ALIGNED(pfn, 1UL << order) || order > RAM_BACK_MAX || !is_zero(pfn_to_page(pfn), 1UL << order))
		host_gave.wrong++;
	for (unsigned long i = 0; i < 1UL << order; i++)
		backed[pfn + i] = order + 1;
	/* the host may do with such a half what it likes, as long as it is zero afterwards: it must be nobody's */
	if (other == RAM_HALF_FRESH && (backed[half] || !is_zero(pfn_to_page(half), 1UL << order) ||
					page_count(pfn_to_page(half)) || pfn_to_page(half)->flags & (1u << PG_buddy)))
		host_gave.wrong++;
	return host_gave.err;
}

static void host_gives(int err)
{
	unit_setup(RAM_PAGES);
	memset(backed, 0, sizeof(backed));
	memset(&host_gave, 0, sizeof(host_gave));
	host_gave.err = err;
	ram_back = note_piece;
}

/* Memory that is handed out whole, and what is beyond the first MiBs, was asked for before; no piece twice, none in use. */
TEST(backing_pieces)
{
	static struct page *run[64];
	unsigned long got, n = 0;
	bool zeroed;

	host_gives(0);
	for (int i = 0; i < 64; i++) {
		unsigned int order = i % 7;

		run[i] = alloc_user_run(order, &got, &zeroed);
		CHECK(run[i] && got == 1UL << order);
		for (unsigned long k = 0; k < got; k++) {
			CHECK(!order || backed[page_to_pfn(run[i]) + k]);
			*(u64 *)page_address(run[i] + k) = 1;
		}
		n += got;
	}
	CHECK(host_gave.pieces && !host_gave.wrong && n > 512);
	run[0] = alloc_pages(GFP_KERNEL, 3);
	CHECK(backed[page_to_pfn(run[0])] >= 4 + 1); /* far from the start, for the kernel, too */
	CHECK(host_gave.pieces < n / 8);
	ram_back = NULL;
}

/* Given back to the host, memory is asked for again. */
TEST(backing_again)
{
	unsigned long got, before;
	struct page *p;
	bool zeroed;

	host_gives(0);
	p = alloc_user_run(9, &got, &zeroed);
	CHECK(p && got == 512 && host_gave.pieces == 512 >> RAM_BACK_MAX && !host_gave.wrong);
	while (got)
		put_page(p + --got);
	drain_page_caches();
	CHECK(release_free_pages(0, 4) >= 480);
	memset(backed, 0, sizeof(backed));
	before = host_gave.pieces;
	p = alloc_user_run(8, &got, &zeroed);
	CHECK(p && zeroed && host_gave.pieces > before && backed[page_to_pfn(p)]);
	CHECK(!host_gave.wrong);
	ram_back = NULL;
}

/* A host that has no such pieces is asked once; one that was interrupted, again. */
TEST(backing_refused)
{
	unsigned long got;
	bool zeroed;

	host_gives(-EINTR);
	CHECK(alloc_user_run(5, &got, &zeroed) && alloc_user_run(5, &got, &zeroed));
	CHECK(host_gave.pieces >= 2);
	host_gives(-EOPNOTSUPP);
	for (int i = 0; i < 20; i++)
		CHECK(alloc_user_run(6, &got, &zeroed) && got == 64);
	CHECK(host_gave.pieces == 1);
	ram_back = NULL;
}

TEST(slab_basic)
{
	struct kmem_cache *c;
	void *p[200];

	unit_main_ram();
	c = kmem_cache_create("test", 72, 8, 0, NULL);
	CHECK(c);
	for (int i = 0; i < 200; i++) {
		p[i] = kmem_cache_zalloc(c, GFP_KERNEL);
		CHECK(p[i] && IS_ALIGNED((unsigned long)p[i], 8) && ksize(p[i]) == 72);
		for (int j = 0; j < 72; j++)
			CHECK(!((u8 *)p[i])[j]);
		memset(p[i], i, 72);
	}
	for (int i = 0; i < 200; i++) {
		CHECK(*(u8 *)p[i] == (u8)i && ((u8 *)p[i])[71] == (u8)i);
		kmem_cache_free(c, p[i]);
	}
	kmem_cache_destroy(c);
}

TEST(slab_sizes)
{
	unit_main_ram();
	for (size_t n = 0; n < 40000; n += n < 300 ? 1 : 97) {
		u8 *p = kmalloc(n, GFP_KERNEL), *q;

		CHECK(p && ksize(p) >= n && (n < 16 || IS_ALIGNED((unsigned long)p, 16)));
		memset(p, 0x42, n);
		q = krealloc(p, n + 200, GFP_KERNEL);
		CHECK(q && (!n || (q[0] == 0x42 && q[n - 1] == 0x42)));
		kfree(q);
		q = kzalloc(n, GFP_KERNEL);
		CHECK(q && (!n || (!q[0] && !q[n - 1])));
		kfree(q);
	}
	CHECK(!kcalloc(1UL << 40, 1UL << 40, GFP_KERNEL));
	kfree(NULL);
}

TEST(slab_random)
{
	static u8 *p[2000];
	static u16 len[2000];
	long before;

	unit_main_ram();
	before = atomic64_read(&vm_stat[NR_SLAB]);
	for (int i = 0; i < 60000; i++) {
		int k = unit_rand() % 2000;

		if (p[k]) {
			CHECK(p[k][0] == (u8)k && p[k][len[k] - 1] == (u8)k);
			kfree(p[k]);
			p[k] = NULL;
		} else {
			len[k] = 1 + unit_rand() % (unit_rand() % 8 ? 300 : 9000);
			p[k] = kmalloc(len[k], GFP_KERNEL);
			CHECK(p[k]);
			memset(p[k], k, len[k]);
		}
	}
	for (int k = 0; k < 2000; k++) {
		kfree(p[k]);
		p[k] = NULL;
	}
	/* magazines and a few empty slabs stay */
	CHECK(atomic64_read(&vm_stat[NR_SLAB]) < before + 12 * 40);
}

TEST(slab_exhaustion)
{
	void **head = NULL, **p;
	unsigned long free;

	unit_main_ram();
	drain_page_caches();
	free = nr_free_pages() + atomic64_read(&vm_stat[NR_SLAB]);
	while ((p = kmalloc(4096, GFP_KERNEL))) {
		*p = head;
		head = p;
	}
	CHECK(nr_free_pages() < 200); /* what is left is in pieces too small */
	while (head) {
		p = head;
		head = *p;
		kfree(p);
	}
	drain_page_caches();
	CHECK(nr_free_pages() + atomic64_read(&vm_stat[NR_SLAB]) == free);
}

/* ---- page tables ---- */

static const unsigned long sparse[] = {0x10000,	      0x200000,	      0x3ff000,	     0x400000,
				       0x7fffffff000, 0x123456789000, 0x6ffffffff000};

TEST(pgtable_walk)
{
	struct mm_struct *mm = space_begin();
	unsigned long addr = 0, next, found = 0;
	pte_t *p;

	spin_lock(&mm->page_table_lock);
	CHECK(!pte_find(mm, 0x10000) && pte_next_table(mm, 0, TASK_SIZE) == TASK_SIZE);
	for (unsigned int i = 0; i < ARRAY_SIZE(sparse); i++) {
		p = pte_modify(mm, sparse[i]);
		CHECK(p && p == pte_find(mm, sparse[i]) && !*p);
		*p = (u64)(i + 1) << PAGE_SHIFT;
	}
	for_each_pte_table(mm, addr, next, TASK_SIZE, p)
	{
		for (unsigned long a = addr; a < next; a += PAGE_SIZE, p++) {
			if (!*p)
				continue;
			CHECK(a == sparse[*p / PAGE_SIZE - 1] && *p / PAGE_SIZE == found + 1);
			found++;
			*p = 0;
		}
	}
	CHECK(found == ARRAY_SIZE(sparse));
	spin_unlock(&mm->page_table_lock);
	space_end();
}

TEST(pgtable_free)
{
	struct mm_struct *mm = space_begin();

	spin_lock(&mm->page_table_lock);
	for (unsigned int i = 0; i < ARRAY_SIZE(sparse); i++)
		CHECK(pte_modify(mm, sparse[i]));
	/* only what lies wholly inside */
	pte_free_tables(mm, 0x200000, 0x400000 + PAGE_SIZE);
	CHECK(pte_find(mm, 0x10000) && !pte_find(mm, 0x3ff000) && pte_find(mm, 0x400000));
	pte_free_tables(mm, 0x400000, 1UL << 47);
	CHECK(pte_find(mm, 0x10000) && !pte_find(mm, 0x7fffffff000) && !pte_find(mm, 0x6ffffffff000));
	spin_unlock(&mm->page_table_lock);
	CHECK(atomic_long_read(&mm->nr_ptes) == 4);
	space_end();
}
