/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Type-stable object pools: memory that once held a dentry (file, mount) never holds anything else.
 *
 * DOC: lock-free readers (the fast path walk, fget) may hold a pointer to an object that has been
 * freed meanwhile. With type-stable memory what they read is still an object of that type, so a
 * sequence number or a reference count in it tells them that they came too late. The free-list link
 * must lie in a member that such readers never follow.
 */
#ifndef FS_STABLE_H
#define FS_STABLE_H

#include <husk/fs.h>

struct stable_pool {
	spinlock_t lock;
	unsigned int size, link; /* object size; offset of the free-list link */
	void *free;
	unsigned long nr_pages, nr_used;
};

#define STABLE_POOL(type, member)                                                                                      \
	{                                                                                                              \
		.size = ALIGN(sizeof(type), 16), .link = offsetof(type, member)                                        \
	}

/* Contents are what the last user left, zeroes at first. NULL when out of memory. */
void *stable_alloc(struct stable_pool *p);
void stable_free(struct stable_pool *p, void *obj);

#endif
