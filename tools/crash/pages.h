/* SPDX-License-Identifier: Apache-2.0 */
/* The page array, read in pieces. */
#ifndef CRASH_PAGES_H
#define CRASH_PAGES_H

#include "crash.h"

#define MAX_PAGE_TYPES 16
#define MAX_PAGE_FLAGS 32

struct pages {
	u64 map, max, size, lowest, highest;
	u8 *chunk; /* some page structures, from first */
	u64 first, n;
};
int pages_open(struct pages *p); /* 0, or -1 with the message given */
void pages_close(struct pages *p);
u64 page_struct(const struct pages *p, u64 pfn);
const u8 *page_bytes(struct pages *p, u64 pfn); /* of one page structure; NULL: not in the dump */
u64 page_part(const u8 *page, u64 offset, unsigned n);
void pages_each(struct pages *p, void (*fn)(u64 pfn, u64 n, int type, void *arg), void *arg);

#endif
