/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel object allocation (mm/slab.c). */
#ifndef HUSK_SLAB_H
#define HUSK_SLAB_H

#include <husk/types.h>

#define __GFP_ZERO 1u
#define __GFP_NOWAIT 2u /* do not reclaim, do not sleep */
#define __GFP_NOFAIL 4u
#define __GFP_ACCOUNT 8u /* for user memory: may fail early and invoke the OOM killer */
#define __GFP_NOWARN 16u
#define GFP_KERNEL 0u
#define GFP_ATOMIC __GFP_NOWAIT
#define GFP_USER __GFP_ACCOUNT
#define GFP_HIGHUSER __GFP_ACCOUNT

struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *));
#define KMEM_CACHE(s) kmem_cache_create(#s, sizeof(struct s), _Alignof(struct s), 0, NULL)
void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp);
void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *c, void *p);
void kmem_cache_destroy(struct kmem_cache *c);
void *kmalloc(size_t n,
	      gfp_t gfp); /* NULL when out of memory; 16-byte aligned; large sizes come from the page allocator */
void *kzalloc(size_t n, gfp_t gfp);
void *kcalloc(size_t n, size_t size, gfp_t gfp);
void *krealloc(void *p, size_t n, gfp_t gfp);
void kfree(const void *p);
size_t ksize(const void *p);
#define kvmalloc kmalloc
#define kvzalloc kzalloc
#define kvfree kfree
void slab_init(void);
struct slab_numbers {
	const char *name;
	unsigned long inuse, objects;
	unsigned int size, per_slab, pages;
	unsigned long slabs;
};
void slab_for_each_cache(void (*fn)(const struct slab_numbers *n, void *arg), void *arg);

#endif
