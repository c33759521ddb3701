// SPDX-License-Identifier: Apache-2.0
/* Kernel object caches and kmalloc(). */
#include <husk/mm.h>
#include <husk/xarray.h>
#include "internal.h"

/**
 * DOC: slab caches
 *
 * A slab is one block of pages cut into objects of one cache; its struct page holds the list of freed objects (linked through
 * their first word) and, in `frozen`, how many objects were ever used: a new slab's memory is not touched before it is needed.
 * Slabs with a free object are on cache->partial, linked through page->private and page->rmap.
 *
 * In front of that lie magazines, small stacks of free objects sharded by thread: an allocation or a free is normally a lock, a pop
 * or push, and an unlock. Batches go between a magazine and the slabs with no magazine lock held.
 *
 * Lock order: cache->lock is innermost but for nothing: pages are allocated and freed without it, since the page allocator may
 * reclaim page cache and so free objects. slab_list_lock guards the list of caches.
 */
#define MAG_MAX 14
#define MIN_PARTIAL 4
#define MAX_KMALLOC 8192

struct magazine {
	spinlock_t lock;
	u32 n;
	void *obj[MAG_MAX];
} __aligned(64);

struct kmem_cache {
	const char *name;
	u32 size;    /* stride */
	u32 objsize; /* as asked for */
	u32 objs;    /* in a slab */
	u32 mag_max;
	u32 order;
	void (*ctor)(void *);
	struct list_head list;
	spinlock_t lock __aligned(64); /* partial slabs and their free lists */
	u32 nr_partial;
	struct list_head partial;
	unsigned long nr_slabs, nr_inuse; /* inuse: objects not in a slab's free list */
	struct magazine mag[NR_MM_SHARDS];
};

static const u16 kmalloc_sizes[] = {16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192};
static const char *const kmalloc_names[] = {"kmalloc-16",  "kmalloc-32",  "kmalloc-64",	 "kmalloc-96",
					    "kmalloc-128", "kmalloc-192", "kmalloc-256", "kmalloc-512",
					    "kmalloc-1k",  "kmalloc-2k",  "kmalloc-4k",	 "kmalloc-8k"};
static struct kmem_cache kmalloc_caches[ARRAY_SIZE(kmalloc_sizes)], *xa_node_cache;
static u8 kmalloc_index[192 / 16 + 1]; /* by 16 bytes, sizes up to 192 */
static struct list_head slab_caches = LIST_HEAD_INIT(slab_caches);
static DEFINE_SPINLOCK(slab_list_lock);

static inline struct list_head *slab_link(struct page *p)
{
	return (struct list_head *)&p->private;
}
static inline struct page *link_slab(struct list_head *l)
{
	return container_of((unsigned long *)l, struct page, private);
}
static_assert(offsetof(struct page, rmap) == offsetof(struct page, private) + 8, "slab link");

#ifdef HUSK_DEBUG
/* after the object: a word that says whether it is allocated, and catches what runs over its end */
#define REDZONE_FREE 0xbb5a5a5a5a5a5abbUL
#define REDZONE_USED 0xcc3c3c3c3c3c3cccUL
#define REDZONE_SIZE 16
#define SLAB_POISON 0x6b
static u64 *redzone(struct kmem_cache *c, void *p)
{
	return (u64 *)((char *)p + c->size - 8);
}
static void debug_alloc(struct kmem_cache *c, void *p)
{
	u8 *b = p;

	if (*redzone(c, p) == REDZONE_USED)
		panic("slab %s: object %p handed out twice", c->name, p);
	if (*redzone(c, p) == REDZONE_FREE) {
		for (u32 i = 8; i < c->objsize; i++) {
			if (b[i] != SLAB_POISON)
				panic("slab %s: object %p written after it was freed (byte %u: %x)", c->name, p, i,
				      b[i]);
		}
	}
	*redzone(c, p) = REDZONE_USED;
}
static void debug_free(struct kmem_cache *c, void *p)
{
	if (*redzone(c, p) != REDZONE_USED)
		panic("slab %s: bad free of %p (double free, or its end was overrun: %llx)", c->name, p,
		      (unsigned long long)*redzone(c, p));
	memset(p, SLAB_POISON, c->objsize);
	*redzone(c, p) = REDZONE_FREE;
}
#else
#define REDZONE_SIZE 0
static inline void debug_alloc(struct kmem_cache *c, void *p)
{
}
static inline void debug_free(struct kmem_cache *c, void *p)
{
}
#endif

static void cache_setup(struct kmem_cache *c, const char *name, size_t size, size_t align, void (*ctor)(void *))
{
	c->name = name;
	c->objsize = size;
	align = max_t(size_t, align, size >= 64 ? 16 : 8);
	c->size = ALIGN(max_t(size_t, size, 16) + REDZONE_SIZE, align);
	c->order = c->size <= 1024 ? 0 : c->size <= 2048 ? 1 : c->size <= 4096 ? 2 : get_order(c->size * 2);
	while ((PAGE_SIZE << c->order) % c->size > (PAGE_SIZE << c->order) / 4 && c->order < 3)
		c->order++;
	c->objs = (PAGE_SIZE << c->order) / c->size;
	c->mag_max = c->size <= 512 ? MAG_MAX : c->size <= 2048 ? 8 : 4;
	c->ctor = ctor;
	INIT_LIST_HEAD(&c->partial);
	spin_lock(&slab_list_lock);
	list_add_tail(&c->list, &slab_caches);
	spin_unlock(&slab_list_lock);
}

static void *xa_node_get(void)
{
	return kmem_cache_zalloc(xa_node_cache, GFP_KERNEL | __GFP_NOWAIT);
}

static void xa_node_put(void *node)
{
	kmem_cache_free(xa_node_cache, node);
}

static const struct xa_memory xa_nodes = {.get = xa_node_get, .put = xa_node_put};

void slab_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++) {
		size_t s = kmalloc_sizes[i];

		cache_setup(&kmalloc_caches[i], kmalloc_names[i], s, s & (s - 1) ? 16 : min_t(size_t, s, 64), NULL);
	}
	for (unsigned int n = 0, i = 0; n < ARRAY_SIZE(kmalloc_index); n++) {
		while (kmalloc_sizes[i] < n * 16)
			i++;
		kmalloc_index[n] = i;
	}
	xa_node_cache = kmem_cache_create("xa_node", xa_node_size, 8, 0, NULL);
	xarray_init(&xa_nodes);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *))
{
	struct kmem_cache *c;

	if (!size || size > 1UL << 18 || (align & (align - 1)))
		return NULL;
	c = kzalloc(sizeof(*c) + 64, GFP_KERNEL);
	if (!c)
		return NULL;
	cache_setup(c, name, size, align, ctor);
	return c;
}

static struct page *new_slab(struct kmem_cache *c, gfp_t gfp)
{
	u32 order = c->order, least = get_order(c->size);
	struct page *p;

	gfp &= ~__GFP_ZERO;
	p = alloc_pages(gfp | __GFP_NOWARN | (order > least ? __GFP_NOWAIT : 0), order);
	if (!p && order > least) {
		order = least; /* a smaller slab is better than none */
		p = alloc_pages(gfp | __GFP_NOWARN, order);
	}
	if (!p)
		return NULL;
	for (u32 i = 0; i < 1u << order; i++) {
		p[i].flags = 1u << PG_slab;
		p[i].type = PGT_SLAB;
		p[i].slab_cache = c;
		p[i].mapping = (void *)p; /* the head */
	}
	p->freelist = NULL;
	p->inuse = 0;
	p->objects = (PAGE_SIZE << order) / c->size;
	p->frozen = 0;
#ifdef HUSK_DEBUG
	/* what lies in the page may look like a red zone */
	for (u32 i = 0; i < p->objects; i++)
		*redzone(c, (char *)page_address(p) + (size_t)i * c->size) = 0;
#endif
	mod_vm_stat(NR_SLAB, 1L << order);
	return p;
}

static void free_slab(struct kmem_cache *c, struct page *p)
{
	u32 order = p->order;

	for (u32 i = 0; i < 1u << order; i++) {
		p[i].flags = 0;
		p[i].type = PGT_KERNEL;
		p[i].mapping = NULL;
		p[i].private = 0;
		p[i].rmap = 0;
	}
	mod_vm_stat(NR_SLAB, -(1L << order));
	__free_pages(p, order);
}

/* Up to n objects of one slab; the cache's lock is held. */
static u32 slab_take(struct kmem_cache *c, struct page *p, void **out, u32 n)
{
	u32 got = 0;

	while (got < n) {
		void *o = p->freelist;

		if (o)
			p->freelist = *(void **)o;
		else if (p->frozen < p->objects)
			o = (char *)page_address(p) + (size_t)p->frozen++ * c->size;
		else
			break;
		out[got++] = o;
	}
	p->inuse += got;
	return got;
}

static u32 partial_take(struct kmem_cache *c, void **out, u32 n)
{
	u32 got = 0;

	while (got < n && !list_empty(&c->partial)) {
		struct page *p = link_slab(c->partial.next);

		got += slab_take(c, p, out + got, n - got);
		if (p->inuse == p->objects) {
			list_del_init(slab_link(p));
			c->nr_partial--;
		}
	}
	return got;
}

/* n objects from the slabs, fewer when memory is short */
static u32 refill(struct kmem_cache *c, gfp_t gfp, void **out, u32 n)
{
	struct page *p;
	u32 got;

	spin_lock(&c->lock);
	got = partial_take(c, out, n);
	c->nr_inuse += got;
	spin_unlock(&c->lock);
	if (got)
		return got;
	p = new_slab(c, gfp);
	if (!p)
		return 0;
	spin_lock(&c->lock);
	c->nr_slabs++;
	got = slab_take(c, p, out, n);
	c->nr_inuse += got;
	if (p->inuse < p->objects) {
		list_add(slab_link(p), &c->partial);
		c->nr_partial++;
	} else {
		INIT_LIST_HEAD(slab_link(p));
	}
	spin_unlock(&c->lock);
	return got;
}

/* Gives n objects back to their slabs; slabs left empty go to the page allocator when there are enough others. */
static void flush(struct kmem_cache *c, void **obj, u32 n)
{
	struct page *empty[MAG_MAX];
	u32 nempty = 0;

	spin_lock(&c->lock);
	for (u32 i = 0; i < n; i++) {
		struct page *p = (struct page *)virt_to_page(obj[i])->mapping;

		*(void **)obj[i] = p->freelist;
		p->freelist = obj[i];
		if (p->inuse-- == p->objects) {
			list_add(slab_link(p), &c->partial);
			c->nr_partial++;
		}
		if (!p->inuse && c->nr_partial > MIN_PARTIAL && nempty < MAG_MAX) {
			list_del_init(slab_link(p));
			c->nr_partial--;
			c->nr_slabs--;
			empty[nempty++] = p;
		}
	}
	c->nr_inuse -= n;
	spin_unlock(&c->lock);
	while (nempty)
		free_slab(c, empty[--nempty]);
}

static noinline void *alloc_slow(struct kmem_cache *c, struct magazine *m, gfp_t gfp)
{
	void *obj[MAG_MAX];
	u32 n = refill(c, gfp, obj, c->mag_max / 2 + 1);
	void *p;

	if (!n)
		return NULL;
	p = obj[--n];
	if (n) {
		spin_lock(&m->lock);
		while (n && m->n < c->mag_max)
			m->obj[m->n++] = obj[--n];
		spin_unlock(&m->lock);
		if (n)
			flush(c, obj, n);
	}
	return p;
}

static noinline void free_slow(struct kmem_cache *c, struct magazine *m, void *p)
{
	void *obj[MAG_MAX + 1];
	u32 n = 0, k = c->mag_max / 2;

	spin_lock(&m->lock);
	if (m->n == c->mag_max) {
		/* the oldest half, from the bottom */
		memcpy(obj, m->obj, k * sizeof(void *));
		memmove(m->obj, m->obj + k, (m->n - k) * sizeof(void *));
		m->n -= k;
		n = k;
	}
	m->obj[m->n++] = p;
	spin_unlock(&m->lock);
	if (n)
		flush(c, obj, n);
}

static inline void *cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	struct magazine *m = &c->mag[mm_shard()];
	void *p = NULL;

	spin_lock(&m->lock);
	if (likely(m->n))
		p = m->obj[--m->n];
	spin_unlock(&m->lock);
	if (unlikely(!p)) {
		p = alloc_slow(c, m, gfp);
		if (!p)
			return NULL;
	}
	debug_alloc(c, p);
	return p;
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	void *p;

	might_sleep_gfp(gfp);
	p = cache_alloc(c, gfp);
	if (unlikely(!p))
		return NULL;
	if (gfp & __GFP_ZERO)
		memset(p, 0, c->objsize);
	if (c->ctor)
		c->ctor(p);
	return p;
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp)
{
	return kmem_cache_alloc(c, gfp | __GFP_ZERO);
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	struct magazine *m = &c->mag[mm_shard()];

	if (unlikely(!p))
		return;
	debug_free(c, p);
	spin_lock(&m->lock);
	if (likely(m->n < c->mag_max)) {
		m->obj[m->n++] = p;
		spin_unlock(&m->lock);
		return;
	}
	spin_unlock(&m->lock);
	free_slow(c, m, p);
}

static void drain_magazines(struct kmem_cache *c)
{
	for (unsigned int i = 0; i < NR_MM_SHARDS; i++) {
		struct magazine *m = &c->mag[i];
		void *obj[MAG_MAX];
		u32 n;

		spin_lock(&m->lock);
		n = m->n;
		memcpy(obj, m->obj, n * sizeof(void *));
		m->n = 0;
		spin_unlock(&m->lock);
		if (n)
			flush(c, obj, n);
	}
}

/* Empty slabs that flush() kept */
static void free_empty(struct kmem_cache *c)
{
	for (;;) {
		struct page *p, *found = NULL;
		struct list_head *l;

		spin_lock(&c->lock);
		list_for_each (l, &c->partial) {
			p = link_slab(l);
			if (!p->inuse) {
				found = p;
				list_del_init(slab_link(p));
				c->nr_partial--;
				c->nr_slabs--;
				break;
			}
		}
		spin_unlock(&c->lock);
		if (!found)
			return;
		free_slab(c, found);
	}
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	if (!c)
		return;
	drain_magazines(c);
	free_empty(c);
	if (c->nr_slabs) {
		pr_err("slab %s destroyed with %lu objects in use\n", c->name, c->nr_inuse);
		return; /* leaked rather than dangling */
	}
	spin_lock(&slab_list_lock);
	list_del(&c->list);
	spin_unlock(&slab_list_lock);
	kfree(c);
}

static inline struct kmem_cache *kmalloc_cache(size_t n)
{
	if (n <= 192)
		return &kmalloc_caches[kmalloc_index[(n + 15) / 16]];
	return &kmalloc_caches[fls64(n - 1) - 8 + 6]; /* 256 is the seventh */
}

static void *kmalloc_large(size_t n, gfp_t gfp)
{
	unsigned int order = get_order(n);

	if (order > MAX_ORDER)
		return NULL;
	return __get_free_pages(gfp, order);
}

void *kmalloc(size_t n, gfp_t gfp)
{
	void *p;

	might_sleep_gfp(gfp);
	if (unlikely(n > MAX_KMALLOC))
		return kmalloc_large(n, gfp);
	p = cache_alloc(kmalloc_cache(n), gfp);
	if (p && (gfp & __GFP_ZERO))
		memset(p, 0, n);
	return p;
}

void *kzalloc(size_t n, gfp_t gfp)
{
	return kmalloc(n, gfp | __GFP_ZERO);
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return kzalloc(total, gfp);
}

static struct page *object_head(const void *p)
{
	struct page *pg = virt_to_page(p);

	return PageSlab(pg) ? (struct page *)pg->mapping : pg;
}

size_t ksize(const void *p)
{
	struct page *pg;

	if (!p)
		return 0;
	pg = object_head(p);
	return PageSlab(pg) ? pg->slab_cache->objsize : PAGE_SIZE << pg->order;
}

void *krealloc(void *p, size_t n, gfp_t gfp)
{
	size_t old = ksize(p);
	void *new;

	if (!n) {
		kfree(p);
		return NULL;
	}
	if (p && n <= old)
		return p;
	new = kmalloc(n, gfp);
	if (new &&p) {
		memcpy(new, p, old);
		kfree(p);
	}
	return new;
}

void kfree(const void *p)
{
	struct page *pg;

	if (!p)
		return;
	pg = object_head(p);
	if (likely(PageSlab(pg)))
		kmem_cache_free(pg->slab_cache, (void *)p);
	else
		__free_pages(pg, pg->order);
}

/**
 * slab_for_each_cache - call fn for every cache, for /proc/slabinfo
 */
void slab_for_each_cache(void (*fn)(const struct slab_numbers *n, void *arg), void *arg)
{
	struct kmem_cache *c;

	spin_lock(&slab_list_lock);
	list_for_each_entry (c, &slab_caches, list) {
		struct slab_numbers n = {c->name,	 c->nr_inuse, c->nr_slabs * c->objs, c->objsize, c->objs,
					 1u << c->order, c->nr_slabs};

		fn(&n, arg);
	}
	spin_unlock(&slab_list_lock);
}
