/* SPDX-License-Identifier: Apache-2.0 */
/* A sparse array of pointers, 64 slots a node (lib/xarray.c). Locking is the caller's. */
#ifndef HUSK_XARRAY_H
#define HUSK_XARRAY_H

#include <husk/types.h>

/**
 * struct xa_memory - where nodes come from: the slab, which stands above lib/
 * @get: a zeroed node of xa_node_size bytes, or NULL; called with locks held, so it does not wait
 * @put: takes it back
 */
struct xa_memory {
	void *(*get)(void);
	void (*put)(void *node);
};
extern const size_t xa_node_size;
void xarray_init(const struct xa_memory *m); /* before the first xa_store() at an index other than 0 */

struct xa_node;
struct xarray {
	struct xa_node *root;
	unsigned int height;
};
#define XARRAY_INIT                                                                                                    \
	{                                                                                                              \
		NULL, 0                                                                                                \
	}
static inline void xa_init(struct xarray *xa)
{
	xa->root = NULL;
	xa->height = 0;
}
/* xa_load: NULL where nothing is stored. Entries must not be NULL and must be 2-byte aligned or tagged by the caller. */
void *xa_load(const struct xarray *xa, unsigned long index);
/* xa_store: 0 or -ENOMEM; storing NULL erases. *old (may be NULL) gets what was there. */
int xa_store(struct xarray *xa, unsigned long index, void *entry, void **old);
void *xa_erase(struct xarray *xa, unsigned long index);
/* xa_find: first entry at or after *index, up to and including max; updates *index. */
void *xa_find(const struct xarray *xa, unsigned long *index, unsigned long max);
void xa_destroy(struct xarray *xa);
#define xa_for_each(xa, index, entry)                                                                                  \
	for (index = 0, entry = xa_find(xa, &index, ~0UL); entry;                                                      \
	     entry = (index == ~0UL) ? NULL : (index++, xa_find(xa, &index, ~0UL)))

#endif
