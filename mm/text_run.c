// SPDX-License-Identifier: Apache-2.0
/* RAM for text views: the views of pages that follow one another in a file follow one another in RAM. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

/**
 * DOC: text runs
 *
 * A view is made when its page is first run, but a program's text is mapped with few host mappings only if the views lie together. So
 * the first view in a segment of SEGMENT pages of a file keeps a run of RAM for the whole segment; later views get their place in it, and
 * so does what is read because it will be run, for then most pages can be their own views (mm/fault_file.c). A place
 * that is not taken costs guest memory only: the host is asked for a group of places when the first of them is taken. Runs are
 * kept only while memory is plentiful, and go when the file has no page in the cache any more.
 */
#define SEGMENT_ORDER 7
#define SEGMENT (1UL << SEGMENT_ORDER)
#define GROUP_ORDER 4
#define GROUP (1UL << GROUP_ORDER)

struct text_run {
	struct text_run *next;
	pgoff_t first;
	struct page *base;	    /* the first place; compared only */
	u32 begun;		    /* pairs of groups of which a place was taken */
	struct page *page[SEGMENT]; /* places not taken, with a reference; else NULL */
};

static struct text_run *find_run(struct address_space *m, pgoff_t first)
{
	struct text_run *r = m->text_runs;

	while (r && r->first != first)
		r = r->next;
	return r;
}

/* A new run for the segment, as long as the file. */
static struct text_run *new_run(struct address_space *m, pgoff_t first)
{
	pgoff_t eof = DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE);
	unsigned long want = min_t(unsigned long, SEGMENT, eof > first ? eof - first : 1), got;
	struct text_run *r;
	struct page *p;
	bool fresh;

	if (want < 2 || nr_free_pages() < totalram_pages / 2)
		return NULL;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	if (want > GROUP)
		p = alloc_sparse_run(ilog2(roundup_pow_of_two(want)), &got, &fresh);
	else
		p = alloc_user_pages(want, &got, &fresh);
	if (p && got < want) {
		while (got)
			put_page(p + --got);
		p = NULL;
	}
	if (!p) {
		kfree(r);
		return NULL;
	}
	while (got > want)
		put_page(p + --got);
	for (unsigned long i = 0; i < want; i++)
		r->page[i] = p + i;
	r->first = first;
	r->base = p;
	r->begun = fresh && want > GROUP ? 0 : ~0u;
	return r;
}

/* Has the host back the groups around place i, when nobody else can touch one of their pages: i_pages_lock is held. */
static void begin_groups(struct text_run *r, unsigned long i)
{
	unsigned int pair = i / (2 * GROUP);
	unsigned long first = pair * 2 * GROUP, pfn;

	if (r->begun & (1u << pair))
		return;
	r->begun |= 1u << pair;
	if (!r->page[first + GROUP - 1])
		return; /* the run ends before */
	pfn = page_to_pfn(r->page[first]);
	back_piece(pfn, GROUP_ORDER, r->page[first + 2 * GROUP - 1]);
	if (r->page[first + 2 * GROUP - 1])
		back_piece(pfn + GROUP, GROUP_ORDER, false);
}

static struct page *take_place(struct text_run *r, pgoff_t index)
{
	struct page *p;

	begin_groups(r, index - r->first);
	p = r->page[index - r->first];
	r->page[index - r->first] = NULL;
	return p;
}

static void free_run(struct text_run *r)
{
	for (unsigned long i = 0; i < SEGMENT; i++) {
		if (r->page[i])
			put_page(r->page[i]);
	}
	kfree(r);
}

struct page *text_run_take(struct address_space *m, pgoff_t index)
{
	pgoff_t first = ALIGN_DOWN(index, SEGMENT);
	struct text_run *r, *new = NULL;
	struct page *p = NULL;

	spin_lock(&m->i_pages_lock);
	r = find_run(m, first);
	if (r)
		p = take_place(r, index);
	spin_unlock(&m->i_pages_lock);
	if (r)
		return p;
	new = new_run(m, first);
	if (!new)
		return NULL;
	spin_lock(&m->i_pages_lock);
	if (!find_run(m, first) && m->nrpages) {
		new->next = m->text_runs;
		m->text_runs = new;
		p = take_place(new, index);
		new = NULL;
	}
	spin_unlock(&m->i_pages_lock);
	if (new)
		free_run(new);
	return p;
}

bool text_lies_well(struct address_space *m, const struct page *p)
{
	pgoff_t first = ALIGN_DOWN(p->index, SEGMENT);
	struct text_run *r;
	bool well;

	spin_lock(&m->i_pages_lock);
	r = find_run(m, first);
	well = (r && p == r->base + (p->index - first)) || xa_load(&m->i_pages, p->index + 1) == p + 1 ||
	       (p->index && xa_load(&m->i_pages, p->index - 1) == p - 1);
	spin_unlock(&m->i_pages_lock);
	return well;
}

void text_runs_free(struct address_space *m)
{
	struct text_run *r = m->text_runs, *next;

	m->text_runs = NULL;
	for (; r; r = next) {
		next = r->next;
		free_run(r);
	}
}
