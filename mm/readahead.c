// SPDX-License-Identifier: Apache-2.0
/* Read-ahead: bringing in what a file's reader will want next. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

/**
 * DOC: read-ahead
 *
 * f_ra holds the last window, [start, start + size); the page at start + size - async_size has PG_readahead. A reader that meets
 * that page makes the next window, twice as large up to the maximum, so it is on its way before it is needed. A miss
 * at the file's start or behind the last read begins a new window (all of a small file); any other miss reads what was asked for and no more.
 *
 * Pages come in contiguous runs, so that mapping them later takes few host mappings and a device few segments.
 */
#define RA_DEFAULT 32 /* pages: 128 KiB */
#define RA_MAX 128
#define RA_RANDOM (~0u) /* f_ra.ra_pages: FADV_RANDOM */
#define RUN 64		/* pages of one request */
#define WHOLE 32	/* a file of no more is read at once */

static unsigned int max_window(struct file *f)
{
	if (!f || !f->f_ra.ra_pages)
		return RA_MAX;
	return min_t(unsigned int, f->f_ra.ra_pages, RA_MAX * 4);
}

/* Faults on mapped files */
#define FAULT_RUN 32		/* pages around the one that is missing: programs jump about */
#define FAULT_RUN_TEXT 64	/* and more about in the text of large ones */
#define FAULT_MORE 64		/* and behind those, nobody waits for these */
#define FAULT_STEP 16		/* of text at a time: who waits for one page goes on when these are there */
#define FAULT_LARGE (4UL << 20) /* in a file of that size */
#define FAULT_MANY 4		/* after so many misses */

/* Reads a run of new pages, locked and in the cache, at consecutive indices. Drops the references. */
static void read_run(struct address_space *m, struct file *f, struct page **pages, unsigned int n, bool text)
{
	if (!n)
		return;
	if (m->a_ops->readahead) {
		m->a_ops->readahead(f, m, pages, n, text);
	} else {
		for (unsigned int i = 0; i < n; i++)
			m->a_ops->read_folio(f, pages[i]);
	}
	for (unsigned int i = 0; i < n; i++)
		put_page(pages[i]);
}

/* How many of the next n pages are missing, from index on? Text views are data's only where text is wanted. */
static unsigned long missing_run(struct address_space *m, pgoff_t index, unsigned long n, bool text)
{
	unsigned long k = 0;

	spin_lock(&m->i_pages_lock);
	for (; k < n; k++) {
		struct page *p = xa_load(&m->i_pages, index + k);

		if (p && (text || !page_is_view(p)))
			break;
	}
	spin_unlock(&m->i_pages_lock);
	return k;
}

/* New pages for [index, index + want), fewer where memory is not in one piece; text: in their places if these are free. */
static unsigned long new_pages(struct address_space *m, pgoff_t index, unsigned long want, bool text,
			       struct page **pages)
{
	struct page *run;
	unsigned long n = 0, got;
	bool zeroed;

	while (text && n < want && (pages[n] = text_run_take(m, index + n)))
		n++;
	if (n)
		return n;
	run = alloc_user_pages(want, &got, &zeroed);
	for (; run && n < got; n++)
		pages[n] = run + n;
	return n;
}

/* do_readahead: make [index, index + nr) present, as far as the file goes; mark: the page that triggers the next window */
static void do_readahead(struct address_space *m, struct file *f, pgoff_t index, unsigned long nr, pgoff_t mark,
			 bool text)
{
	pgoff_t end = DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE);

	if (!m->a_ops->read_folio || index >= end)
		return;
	end = min(end, index + nr);
	while (index < end) {
		struct page *pages[RUN];
		unsigned long want, got, n = 0;

		want = missing_run(m, index, min_t(unsigned long, end - index, RUN), text);
		if (!want) {
			index++;
			continue;
		}
		if (nr_free_pages() < 3 * min_free_pages)
			return; /* not at the cost of somebody's memory */
		page_cache_make_room(want);
		got = new_pages(m, index, want, text, pages);
		if (!got)
			return;
		for (unsigned long i = 0; i < got; i++) {
			struct page *p = pages[i];

			trylock_page(p);
			if (index + i == mark)
				SetPageReadahead(p);
			if (n == i && !add_to_page_cache(p, m, index + i)) {
				n++;
			} else { /* somebody else brought it in: stop here */
				unlock_page(p);
				put_page(p);
			}
		}
		index += n ? n : 1;
		read_run(m, f, pages, n, text);
		if (fatal_signal_pending(current))
			return;
	}
}

void force_page_cache_readahead(struct address_space *m, struct file *f, pgoff_t index, unsigned long nr)
{
	while (nr) {
		unsigned long n = min_t(unsigned long, nr, RA_MAX * 4);

		do_readahead(m, f, index, n, ~0UL, false);
		index += n;
		nr -= n;
		if (index >= DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE) || nr_free_pages() < 3 * min_free_pages)
			return;
	}
}

void page_cache_fault_readahead(struct address_space *m, struct file *f, pgoff_t index, bool text)
{
	bool large = i_size_read(m->host) >= FAULT_LARGE;
	unsigned int run = large && text ? FAULT_RUN_TEXT : FAULT_RUN;
	pgoff_t first = ALIGN_DOWN(index, run / 2);

	if (text) {
		do_readahead(m, f, ALIGN_DOWN(index, FAULT_STEP), FAULT_STEP, ~0UL, true);
		for (unsigned int k = 0; k < run; k += FAULT_STEP)
			do_readahead(m, f, first + k, FAULT_STEP, ~0UL, true);
	} else {
		do_readahead(m, f, first, run, ~0UL, false);
	}
	if (large && f->f_ra.faults++ >= FAULT_MANY)
		do_readahead(m, f, first + run, FAULT_MORE, ~0UL, text);
}

static unsigned int first_window(unsigned long want, unsigned int most)
{
	unsigned long n = roundup_pow_of_two(want);

	if (n <= most / 32)
		n *= 4;
	else if (n <= most / 4)
		n *= 2;
	return clamp_t(unsigned long, max_t(unsigned long, n, min_t(unsigned int, 4, most)), 1, most);
}

static void submit_window(struct address_space *m, struct file *f)
{
	do_readahead(m, f, f->f_ra.start, f->f_ra.size,
		     f->f_ra.async_size ? f->f_ra.start + f->f_ra.size - f->f_ra.async_size : ~0UL, false);
}

void page_cache_sync_readahead(struct address_space *m, struct file *f, pgoff_t index, unsigned long want)
{
	pgoff_t prev, pages;
	unsigned int most;

	if (!f || m->in_memory)
		return;
	most = max_window(f);
	want = min_t(unsigned long, want, most == RA_RANDOM ? RA_MAX : most);
	prev = f->f_ra.prev_pos >> PAGE_SHIFT;
	if (f->f_ra.ra_pages == RA_RANDOM ||
	    (index && index != prev && index != prev + 1 && index != f->f_ra.start + f->f_ra.size)) {
		do_readahead(m, f, index, want, ~0UL, false);
		return;
	}
	pages = DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE);
	if (index && index == f->f_ra.start + f->f_ra.size && f->f_ra.size)
		f->f_ra.size = min(f->f_ra.size * 2, most);
	else if (!index && pages <= min_t(unsigned int, WHOLE, most))
		want = f->f_ra.size = max(pages, 1UL);
	else
		f->f_ra.size = first_window(want, most);
	f->f_ra.start = index;
	if (want == pages)
		f->f_ra.async_size = 0; /* nothing follows */
	else
		f->f_ra.async_size = f->f_ra.size > want ? f->f_ra.size - want : f->f_ra.size;
	submit_window(m, f);
}

void page_cache_async_readahead(struct address_space *m, struct file *f, struct page *page, pgoff_t index)
{
	unsigned int most;

	ClearPageReadahead(page);
	if (!f || f->f_ra.ra_pages == RA_RANDOM)
		return;
	most = max_window(f);
	if (index >= f->f_ra.start && index < f->f_ra.start + f->f_ra.size) {
		f->f_ra.start += f->f_ra.size;
		f->f_ra.size = min(f->f_ra.size * 2, most);
	} else { /* a mark of another reader's window */
		f->f_ra.start = index + 1;
		f->f_ra.size = min_t(unsigned int, RA_DEFAULT, most);
	}
	f->f_ra.async_size = f->f_ra.size;
	submit_window(m, f);
}
