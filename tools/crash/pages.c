// SPDX-License-Identifier: Apache-2.0
// The page array: what each page of RAM is used for.

#include <stdlib.h>
#include <string.h>
#include "pages.h"

int pages_open(struct pages *p)
{
	*p = (struct pages){.map = global("mem_map"), .max = global("max_pfn"), .size = struct_size("struct page")};
	p->lowest = global("lowest_pfn");
	p->highest = global("highest_pfn");
	if (!is_kernel_address(p->map) || p->size < 16 || p->size > 4096 ||
	    (core.ram_size && p->max > core.ram_size / PAGE_SIZE)) {
		complain("mem_map or max_pfn make no sense (%llx, %llu): the page array cannot be read",
			 (unsigned long long)p->map, (unsigned long long)p->max);
		return -1;
	}
	if (p->highest >= p->max)
		p->highest = p->max ? p->max - 1 : 0;
	return 0;
}

u64 page_struct(const struct pages *p, u64 pfn)
{
	return p->map + pfn * p->size;
}

/* The bytes of one page structure; NULL: not in the dump. */
#define CHUNK 1024ull
const u8 *page_bytes(struct pages *p, u64 pfn)
{
	if (!p->chunk || pfn < p->first || pfn >= p->first + p->n) {
		p->chunk = realloc(p->chunk, CHUNK * p->size);
		if (!p->chunk)
			abort();
		p->first = pfn;
		p->n = p->max - pfn < CHUNK ? p->max - pfn : CHUNK;
		if (kread_quiet(page_struct(p, pfn), p->chunk, p->n * p->size) != READ_OK) {
			p->n = 1;
			if (kread(page_struct(p, pfn), p->chunk, p->size) != READ_OK)
				return NULL;
		}
	}
	return p->chunk + (pfn - p->first) * p->size;
}

u64 page_part(const u8 *page, u64 offset, unsigned n)
{
	u64 v = 0;

	memcpy(&v, page + offset, n);
	return v;
}

static int flag_bit(const char *name)
{
	for (int i = 0; i < MAX_PAGE_FLAGS; i++) {
		const char *n = enum_name("page_flags", (u64)i);

		if (n && !strcmp(n, name))
			return i;
	}
	return -1;
}

void pages_close(struct pages *p)
{
	free(p->chunk);
	p->chunk = NULL;
}

/**
 * pages_each - fn for each block of pages that the allocator gave out or has free
 *
 * A block's first page speaks for all of it. Type -1: free; what lies behind highest_pfn was never given out and is not visited.
 */
void pages_each(struct pages *p, void (*fn)(u64 pfn, u64 n, int type, void *arg), void *arg)
{
	u64 off_type = FIELD_OFFSET(page, type), off_flags = FIELD_OFFSET(page, flags);
	u64 off_refs = FIELD_OFFSET(page, _refcount), off_order = FIELD_OFFSET(page, order), n;
	int buddy = flag_bit("PG_buddy");

	for (u64 pfn = p->lowest; pfn <= p->highest && !interrupted; pfn += n) {
		const u8 *b = page_bytes(p, pfn);
		u64 order, type;

		n = 1;
		if (!b)
			continue;
		order = page_part(b, off_order, 1);
		type = page_part(b, off_type, 1);
		if (order >= 40)
			continue;
		if (buddy >= 0 && page_part(b, off_flags, 4) >> buddy & 1)
			fn(pfn, n = 1ull << order, -1, arg);
		else if (type < MAX_PAGE_TYPES && page_part(b, off_refs, 4))
			fn(pfn, n = 1ull << order, (int)type, arg);
	}
}
