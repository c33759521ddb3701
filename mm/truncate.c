// SPDX-License-Identifier: Apache-2.0
/* Taking pages out of the page cache: truncation, holes, invalidation. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

#define BATCH 16

/* The bytes [from, to) of a page become zero, in the page and in every mapping of it. */
static void zero_part(struct address_space *m, pgoff_t index, unsigned int from, unsigned int to)
{
	struct page *p = find_lock_page(m, index);

	if (!p)
		return;
	wait_on_page_writeback(p);
	if (PageUptodate(p)) {
		memset((char *)page_address(p) + from, 0, to - from);
		page_drop_text(p);
		if (m->in_memory)
			SetPageDirty(p);
	}
	unlock_page(p);
	put_page(p);
}

/* One page goes. It may have been mapped again since its range was unmapped. */
static void truncate_page(struct address_space *m, struct page *p)
{
	lock_page(p);
	if (p->mapping == m) {
		wait_on_page_writeback(p);
		down_write(&m->invalidate_lock); /* mm/fault_file.c */
		if (page_mapcount(p) || page_text_mapped(p))
			unmap_page(p);
		delete_from_page_cache(p);
		up_write(&m->invalidate_lock);
	}
	unlock_page(p);
	put_page(p);
}

/**
 * truncate_inode_pages_range - remove the bytes [start, end] from the page cache
 * @end: the last byte, -1 for all to the end of the file
 *
 * Pages that lie wholly within go, the parts of others are zeroed; where nobody writes pages they go too, and are read again.
 */
void truncate_inode_pages_range(struct address_space *m, loff_t start, loff_t end)
{
	pgoff_t first, stop, index; /* stop: first page that stays */
	struct page *pages[BATCH];
	unsigned int from, to, n;

	if (!m->nrpages)
		return;
	if (m->immutable) {
		start = round_down(start, (loff_t)PAGE_SIZE);
		end = end == -1 ? -1 : round_up(end + 1, (loff_t)PAGE_SIZE) - 1;
	}
	first = PFN_UP((u64)start);
	stop = end == -1 ? ~0UL : PFN_DOWN((u64)end + 1);
	from = offset_in_page(start);
	to = end == -1 ? 0 : offset_in_page(end + 1);
	if (stop != ~0UL && stop < first) { /* within one page */
		zero_part(m, stop, from, to);
		return;
	}
	if (from)
		zero_part(m, first - 1, from, PAGE_SIZE);
	if (to)
		zero_part(m, stop, 0, to);
	if (stop == 0 || first > stop - 1)
		return;
	index = first;
	while ((n = find_get_pages_range(m, &index, stop == ~0UL ? stop : stop - 1, BATCH, pages))) {
		for (unsigned int i = 0; i < n; i++)
			truncate_page(m, pages[i]);
		if (!index) /* it wrapped: the last page there can be */
			break;
	}
}

void truncate_inode_pages(struct address_space *m, loff_t start)
{
	truncate_inode_pages_range(m, start, -1);
}

void truncate_pagecache(struct inode *i, loff_t size)
{
	struct address_space *m = i->i_mapping;
	loff_t hole = round_up(size, (loff_t)PAGE_SIZE);

	/* faults check the size with the page locked, so what is mapped after this is met by truncate_page() */
	unmap_mapping_range(m, hole, 0, true);
	truncate_inode_pages(m, size);
	unmap_mapping_range(m, hole, 0, true); /* private copies made meanwhile */
}

void truncate_setsize(struct inode *i, loff_t size)
{
	loff_t old = i_size_read(i);

	i_size_write(i, size);
	if (size > old && offset_in_page(old)) {
		/* what a mapping left behind the old end must not show now */
		struct page *p = find_lock_page(i->i_mapping, old >> PAGE_SHIFT);

		if (p) {
			if (PageUptodate(p))
				memset((char *)page_address(p) + offset_in_page(old), 0,
				       PAGE_SIZE - offset_in_page(old));
			unlock_page(p);
			put_page(p);
		}
	}
	if (size < old)
		truncate_pagecache(i, size);
}

/* A clean page that nobody uses leaves the cache; false: it had to stay. The page is locked, one reference is the caller's. */
static bool invalidate_page(struct address_space *m, struct page *p)
{
	bool gone = false;

	if (p->mapping != m || PageDirty(p) || PageWriteback(p) || page_mapcount(p))
		return false;
	spin_lock(&m->i_pages_lock);
	if (page_count(p) == 2 && !PageDirty(p) &&
	    !page_text_held(p)) { /* the cache's and ours; nobody finds it without i_pages_lock */
		__delete_from_page_cache(p);
		gone = true;
	}
	spin_unlock(&m->i_pages_lock);
	if (gone) {
		text_ops->page_release(p);
		put_page(p);
	}
	return gone;
}

unsigned long invalidate_mapping_pages(struct address_space *m, pgoff_t first, pgoff_t last)
{
	struct page *pages[BATCH];
	unsigned long count = 0;
	pgoff_t index = first;
	unsigned int n;

	if (m->in_memory)
		return 0;
	while ((n = find_get_pages_range(m, &index, last, BATCH, pages))) {
		for (unsigned int i = 0; i < n; i++) {
			if (trylock_page(pages[i])) {
				count += invalidate_page(m, pages[i]);
				unlock_page(pages[i]);
			}
			put_page(pages[i]);
		}
		if (!index)
			break;
	}
	return count;
}

int invalidate_inode_pages(struct address_space *m)
{
	return invalidate_mapping_pages(m, 0, ~0UL);
}
