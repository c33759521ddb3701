// SPDX-License-Identifier: Apache-2.0
/* Type-stable object pools; see stable.h. */
#include "stable.h"

#define STABLE_CHUNK_ORDER 1

static bool stable_grow(struct stable_pool *p)
{
	unsigned long bytes = PAGE_SIZE << STABLE_CHUNK_ORDER, off;
	struct page *pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, STABLE_CHUNK_ORDER);
	char *base;

	if (!pg)
		return false;
	for (int i = 0; i < 1 << STABLE_CHUNK_ORDER; i++)
		pg[i].type = PGT_SLAB;
	mod_vm_stat(NR_SLAB, 1 << STABLE_CHUNK_ORDER);
	base = page_address(pg);
	spin_lock(&p->lock);
	p->nr_pages += 1 << STABLE_CHUNK_ORDER;
	for (off = 0; off + p->size <= bytes; off += p->size) {
		*(void **)(base + off + p->link) = p->free;
		p->free = base + off;
	}
	spin_unlock(&p->lock);
	return true;
}

void *stable_alloc(struct stable_pool *p)
{
	void *obj;

	do {
		spin_lock(&p->lock);
		obj = p->free;
		if (likely(obj)) {
			p->free = *(void **)((char *)obj + p->link);
			p->nr_used++;
		}
		spin_unlock(&p->lock);
	} while (unlikely(!obj) && stable_grow(p));
	return obj;
}

void stable_free(struct stable_pool *p, void *obj)
{
	spin_lock(&p->lock);
	*(void **)((char *)obj + p->link) = p->free;
	p->free = obj;
	p->nr_used--;
	spin_unlock(&p->lock);
}
