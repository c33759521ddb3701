// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE files: reading small files before they are asked for.
 *
 * DOC: walks over a tree
 *
 * tar, cp -r, grep -r and compilers' header searches read small files one behind the other in the order of
 * the directory's listing. Each would wait for a message there and back, and the server would wait in between. So
 * a directory remembers where in the listing the last reader missed (pf_at). A miss at the next file means a walk:
 * READs of the following small files are sent along, and nobody waits for them. How many grows with the walk, and one of the files is
 * marked: opening it sends more before the reader has come to the end of those. What walks have lately paid (pf_heat) lets
 * the next directory begin when it is listed.
 *
 * Only on read-only shares, where nothing is renamed, and while there is memory to spare.
 */
#include "fuse_i.h"
#include <husk/mm.h>

#define PF_FILE_PAGES 32 /* a small file */
#define PF_MOST 32	 /* files at a time */
#define PF_PAGES 256	 /* and pages */
#define PF_ROOM 64	 /* pages for files that come along with a listing */
#define PF_LOOK 48	 /* records looked at where the reader is expected */
#define PF_SEARCH                                                                                                      \
	1024 /* and from the start, when it is not there: a large file that was passed over, or another reader */
#define PF_HEAT_MAX 8
#define PF_RING_SPARE 64 /* descriptors left to others */

/* New pages for the start of i's data, locked and in the cache. Returns how many; each has a reference that is ours. */
static u32 fuse_prefetch_pages(struct inode *i, struct page **pages)
{
	unsigned long n = DIV_ROUND_UP((u64)i_size_read(i), PAGE_SIZE), got, k;
	struct page *run;
	u32 in = 0;

	page_cache_make_room(n);
	run = alloc_pages_contig(GFP_USER, n, &got);
	if (!run)
		return 0;
	for (k = 0; k < got; k++) {
		trylock_page(run + k);
		if (in == k && !add_to_page_cache(run + k, i->i_mapping, k)) {
			in++;
		} else {
			unlock_page(run + k);
			put_page(run + k);
		}
	}
	*pages = run;
	return in;
}

struct page *fuse_prefetch_room(struct fuse_conn *fc, unsigned long *got)
{
	struct page *p;

	*got = 0;
	if (READ_ONCE(fc->pf_heat) <= 0 || nr_free_pages() < totalram_pages / 8)
		return NULL;
	page_cache_make_room(PF_ROOM);
	/* memory that was used before, if only less of it */
	p = alloc_used_run(PF_ROOM / 4, PF_ROOM, got);
	return p ? p : alloc_pages_contig(GFP_USER, PF_ROOM, got);
}

void fuse_adopt_pages(struct inode *i, struct page *pages, unsigned long n, bool first)
{
	u64 size = i_size_read(i);
	bool fits = S_ISREG(i->i_mode) && !READ_ONCE(i->i_mapping->nrpages) && DIV_ROUND_UP(size, PAGE_SIZE) == n;

	if (fits && size % PAGE_SIZE)
		memset((char *)page_address(pages + n - 1) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
	for (unsigned long k = 0; k < n; k++) {
		trylock_page(pages + k);
		fits = fits && !add_to_page_cache(pages + k, i->i_mapping, k);
		if (fits)
			SetPageUptodate(pages + k);
		unlock_page(pages + k);
		put_page(pages + k);
	}
	if (fits && first) /* opening it keeps the walk going */
		set_bit(FUSE_I_PF_MARK, &get_fuse_inode(i)->state);
}

/* Returns how many pages were asked for. */
static u32 fuse_prefetch_one(struct fuse_conn *fc, struct inode *i)
{
	struct page *pages;
	u32 n = fuse_prefetch_pages(i, &pages);

	return n && fuse_read_async(fc, i, pages, n, false) ? n : 0;
}

static bool worth_reading(const struct inode *i)
{
	loff_t size = i ? i_size_read(i) : 0;

	return size > 0 && size <= PF_FILE_PAGES * PAGE_SIZE && S_ISREG(i->i_mode) &&
	       !READ_ONCE(i->i_mapping->nrpages) &&
	       ((i->i_mode & S_IROTH) || test_bit(FUSE_I_OPENED, &get_fuse_inode(i)->state));
}

/*
 * Send READs for up to count small files from record `at` on; where it stopped. The one that has half a batch behind it is marked: who opens
 * it sends the next ones.
 */
static u32 fuse_prefetch_from(struct fuse_conn *fc, struct dentry *parent, struct fuse_listing *l, u32 at,
			      unsigned count)
{
	unsigned mark = count > PF_MOST / 2 ? PF_MOST / 2 : count;
	unsigned looked = 0, pages = 0;

	for (; at < l->len && count && pages < PF_PAGES && looked < 4 * PF_MOST;
	     at = fuse_record_after(l, at), looked++) {
		struct qstr q = fuse_record_name(l, at);
		struct dentry *d;
		u32 n = 0;

		if (fuse_record_type(l, at) != DT_REG)
			continue;
		if (virtqueue_num_free(fc->vq) < PF_RING_SPARE || nr_free_pages() < totalram_pages / 8)
			break;
		d = d_lookup(parent, &q);
		if (!d)
			break;
		if (worth_reading(d_inode(d)))
			n = fuse_prefetch_one(fc, d_inode(d));
		if (n) {
			pages += n;
			if (count-- == mark)
				set_bit(FUSE_I_PF_MARK, &get_fuse_inode(d_inode(d))->state);
		}
		dput(d);
	}
	return at;
}

/* The record of that name among the next few regular files; *skipped: were there others before it? */
static bool find_record(const struct fuse_listing *l, u32 *at, const struct qstr *name, unsigned most, bool *skipped)
{
	*skipped = false;
	for (unsigned looked = 0; *at < l->len && looked < most; *at = fuse_record_after(l, *at), looked++) {
		if (fuse_record_is(l, *at, name))
			return true;
		*skipped |= fuse_record_type(l, *at) == DT_REG;
	}
	return false;
}

/* Returns where the next miss is expected. */
static u32 fuse_prefetch_dir(struct fuse_conn *fc, struct dentry *parent, struct fuse_listing *l, u32 at,
			     const struct qstr *name)
{
	struct fuse_inode *fi = get_fuse_inode(d_inode(parent));
	unsigned count = 0;
	u32 expected = at;
	bool skipped, first = !at;

	if (!find_record(l, &at, name, PF_LOOK, &skipped)) {
		at = 0;
		if (!find_record(l, &at, name, PF_SEARCH, &skipped)) {
			WRITE_ONCE(fi->pf_run, 0);
			return 0;
		}
		first = false;
		skipped = true;
		if (at > expected && fi->pf_run) /* out of order */
			fi->pf_run--;
	}
	at = fuse_record_after(l, at);
	if (first) {
		if (!skipped && fc->pf_heat > 0) { /* a directory's first file, and walks are in fashion */
			fc->pf_heat--;
			count = PF_MOST / 2;
		}
	} else if (!skipped || fi->pf_run) {
		fc->pf_heat = min(fc->pf_heat + 2, PF_HEAT_MAX);
		fi->pf_run = min_t(u32, fi->pf_run + 1, 3);
		count = PF_MOST >> (3 - fi->pf_run);
	}
	return count ? fuse_prefetch_from(fc, parent, l, at, count) : at;
}

/* Where a file lies: its directory and that one's listing, and where in it the walk is. */
struct pf_place {
	struct dentry *d, *parent;
	struct fuse_listing *l;
	u32 at, version;
};

static bool get_place(struct inode *i, struct pf_place *pl)
{
	struct fuse_inode *fi;
	struct inode *dir;

	pl->d = d_find_alias(i);
	if (!pl->d)
		return false;
	pl->parent = dget_parent(pl->d);
	dir = d_inode(pl->parent);
	pl->l = NULL;
	if (pl->parent != pl->d && dir) {
		fi = get_fuse_inode(dir);
		spin_lock(&dir->i_lock);
		pl->l = fi->listing;
		if (pl->l)
			refcount_inc(&pl->l->refs);
		pl->version = fi->listing_version;
		pl->at = fi->pf_version == pl->version ? fi->pf_at : 0;
		spin_unlock(&dir->i_lock);
	}
	if (pl->l)
		return true;
	dput(pl->parent);
	dput(pl->d);
	return false;
}

static void set_position(struct inode *dir, u32 at, u32 version)
{
	struct fuse_inode *fi = get_fuse_inode(dir);

	spin_lock(&dir->i_lock);
	fi->pf_at = at;
	fi->pf_version = version;
	spin_unlock(&dir->i_lock);
}

static void put_place(struct pf_place *pl)
{
	set_position(d_inode(pl->parent), pl->at, pl->version);
	fuse_put_listing(pl->l);
	dput(pl->parent);
	dput(pl->d);
}

void fuse_prefetch_siblings(struct fuse_conn *fc, struct inode *i)
{
	struct pf_place pl;

	if (!fc->readonly || !get_place(i, &pl))
		return;
	pl.at = fuse_prefetch_dir(fc, pl.parent, pl.l, pl.at, &pl.d->d_name);
	put_place(&pl);
}

void fuse_prefetch_more(struct fuse_conn *fc, struct inode *i)
{
	struct pf_place pl;

	clear_bit(FUSE_I_PF_MARK, &get_fuse_inode(i)->state);
	fc->pf_heat = min(fc->pf_heat + 2, PF_HEAT_MAX);
	fc->stat_heat = min(fc->stat_heat + 4, FUSE_STAT_HEAT_MAX); /* attributes were of use too */
	if (!get_place(i, &pl))
		return;
	get_fuse_inode(d_inode(pl.parent))->pf_run = 3;
	pl.at = fuse_prefetch_from(fc, pl.parent, pl.l, pl.at, PF_MOST / 2);
	put_place(&pl);
}

void fuse_prefetch_listed(struct fuse_conn *fc, struct dentry *parent, struct fuse_listing *l, u32 version)
{
	if (!fc->readonly || fc->pf_heat <= 0 || !fuse_has_files(l))
		return;
	fc->pf_heat--;
	set_position(d_inode(parent), fuse_prefetch_from(fc, parent, l, 0, PF_MOST / 2), version);
}
