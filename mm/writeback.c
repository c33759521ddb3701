// SPDX-License-Identifier: Apache-2.0
/* Dirty pages: tracking them, writing them back. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/init.h>
#include <husk/proc_fs.h>
#include "internal.h"

/**
 * DOC: write-back
 *
 * A dirty page is on its mapping's dirty_pages (page->lru), under i_pages_lock, in the order in which pages became dirty. A mapping with dirty
 * pages is on dirty_mappings, under wb_lock, with a reference to its inode, dropped when it is found clean. kmemd (vmscan.c) writes what has been
 * dirty for a while; a writer that finds too much of memory dirty writes back itself.
 *
 * Before a page is written it is write-protected everywhere (page_mkclean()), so that a later change makes it dirty again.
 * Files whose only copy is in memory (mapping->in_memory) carry the bit, and nothing else of this.
 *
 * Lock order: page lock, wb_lock, i_pages_lock.
 */
#define WB_INTERVAL (5 * NSEC_PER_SEC)
static LIST_HEAD(dirty_mappings);
static DEFINE_SPINLOCK(wb_lock);
static u64 wb_due; /* when kmemd looks next; 0: nothing is dirty */
int dirty_background_ratio = 10, dirty_ratio = 20;

static void track_mapping(struct address_space *m)
{
	bool first = false;

	spin_lock(&wb_lock);
	if (list_empty(&m->wb_list)) {
		ihold(m->host);
		list_add_tail(&m->wb_list, &dirty_mappings);
		first = !wb_due;
		if (first)
			wb_due = ktime_get_ns() + WB_INTERVAL;
	}
	spin_unlock(&wb_lock);
	if (first)
		wake_kmemd();
}

/* A page is about to differ from its file. True if it did not before. The page is locked, or cannot leave its file for another reason. */
bool set_page_dirty(struct page *p)
{
	struct address_space *m = p->mapping;
	bool track = false;

	if (!m || m->in_memory)
		return PageDirty(p) ? false : !TestSetPageDirty(p);
	if (m->a_ops->dirty_page)
		return m->a_ops->dirty_page(m, p);
	if (TestSetPageDirty(p))
		return false;
	spin_lock(&m->i_pages_lock);
	if (p->mapping == m) {
		list_add_tail(&p->lru, &m->dirty_pages);
		m->nrdirty++;
		track = true;
	}
	spin_unlock(&m->i_pages_lock);
	if (track) {
		mod_vm_stat(NR_FILE_DIRTY, 1);
		if (list_empty(&m->wb_list))
			track_mapping(m);
	}
	return true;
}

static void untrack(struct address_space *m, struct page *p)
{
	spin_lock(&m->i_pages_lock);
	list_del_init(&p->lru);
	m->nrdirty--;
	spin_unlock(&m->i_pages_lock);
	mod_vm_stat(NR_FILE_DIRTY, -1);
}

/* The page's changes are not wanted any more (it is being truncated). Page locked. */
void cancel_dirty_page(struct page *p)
{
	struct address_space *m = p->mapping;

	if (PageDirty(p) && TestClearPageDirty(p) && m && !m->in_memory && !m->a_ops->dirty_page)
		untrack(m, p);
}

/* True if the page was dirty: the caller writes it now. Page locked. */
static bool clear_page_dirty_for_io(struct page *p)
{
	struct address_space *m = p->mapping;

	if (!PageDirty(p))
		return false;
	page_mkclean(p);
	if (!TestClearPageDirty(p))
		return false;
	if (m && !m->in_memory && !m->a_ops->dirty_page)
		untrack(m, p);
	return true;
}

/* Writes a locked page if it is dirty; unlocks it. */
int write_one_page(struct page *p, struct address_space *m, bool wait)
{
	int err = 0;

	if (p->mapping == m && m->a_ops->writepage && clear_page_dirty_for_io(p)) {
		err = m->a_ops->writepage(p, m);
		if (err)
			WRITE_ONCE(m->wb_err, err);
	} else {
		unlock_page(p);
	}
	if (wait)
		wait_on_page_writeback(p);
	return err;
}

static struct page *first_dirty(struct address_space *m)
{
	struct page *p;

	spin_lock(&m->i_pages_lock);
	p = list_first_entry_or_null(&m->dirty_pages, struct page, lru);
	if (p)
		get_page(p);
	spin_unlock(&m->i_pages_lock);
	return p;
}

/* Starts writing what is dirty now; pages that become dirty meanwhile are left to the next time. */
int filemap_fdatawrite(struct address_space *m)
{
	unsigned long n = READ_ONCE(m->nrdirty);
	int err = 0, e;

	if (m->in_memory)
		return 0;
	while (n--) {
		struct page *p = first_dirty(m);

		if (!p)
			break;
		lock_page(p);
		e = write_one_page(p, m, false);
		put_page(p);
		if (e && !err)
			err = e;
	}
	return err;
}

/* The pages of [start, end], an inclusive range of bytes. */
static int write_range(struct address_space *m, loff_t start, loff_t end)
{
	pgoff_t index = start >> PAGE_SHIFT, last = (u64)end >> PAGE_SHIFT;
	struct page *pages[16];
	unsigned int n;
	int err = 0, e;

	while ((n = find_get_pages_range(m, &index, last, ARRAY_SIZE(pages), pages))) {
		for (unsigned int i = 0; i < n; i++) {
			if (PageDirty(pages[i])) {
				lock_page(pages[i]);
				e = write_one_page(pages[i], m, false);
				if (e && !err)
					err = e;
			}
			put_page(pages[i]);
		}
		if (!index)
			break;
	}
	return err;
}

static void wait_range(struct address_space *m, loff_t start, loff_t end)
{
	pgoff_t index = start >> PAGE_SHIFT, last = (u64)end >> PAGE_SHIFT;
	struct page *pages[16];
	unsigned int n;

	while ((n = find_get_pages_range(m, &index, last, ARRAY_SIZE(pages), pages))) {
		for (unsigned int i = 0; i < n; i++) {
			wait_on_page_writeback(pages[i]);
			put_page(pages[i]);
		}
		if (!index)
			break;
	}
}

int filemap_write_and_wait_range(struct address_space *m, loff_t start, loff_t end)
{
	int err = 0, old;

	if (m->in_memory)
		return 0;
	if (READ_ONCE(m->nrdirty))
		err = start <= 0 && (end == -1 || end >= i_size_read(m->host) - 1) ? filemap_fdatawrite(m)
										   : write_range(m, start, end);
	/* the host's side of a write may go on behind it only where the file system says so */
	if (atomic_read(&vm_stat[NR_WRITEBACK]) > 0 && m->nrpages)
		wait_range(m, start, end);
	old = xchg(&m->wb_err, 0);
	return err ?: old;
}

/* ---- periodic write-back and throttling ---- */

static struct address_space *take_dirty_mapping(void)
{
	struct address_space *m;

	spin_lock(&wb_lock);
	m = list_first_entry_or_null(&dirty_mappings, struct address_space, wb_list);
	if (m)
		list_del_init(&m->wb_list); /* its inode's reference is ours now */
	spin_unlock(&wb_lock);
	return m;
}

/* Writes back every mapping that is dirty now. */
void writeback_inodes(bool all)
{
	struct address_space *m;
	unsigned long n = 0, limit = 0;

	spin_lock(&wb_lock);
	list_for_each_entry (m, &dirty_mappings, wb_list)
		limit++;
	spin_unlock(&wb_lock);
	while (n++ < limit && (m = take_dirty_mapping())) {
		struct inode *host = m->host;

		/* a file that is gone from its file system is not written for nobody */
		if (host->i_nlink || atomic_read(&host->i_count) > 1)
			filemap_fdatawrite(m);
		if (READ_ONCE(m->nrdirty) && (host->i_nlink || atomic_read(&host->i_count) > 1))
			track_mapping(m);
		iput(host);
	}
}

bool writeback_work(void)
{
	bool more;

	if (!READ_ONCE(wb_due))
		return false;
	if (ktime_get_ns() >= READ_ONCE(wb_due) ||
	    atomic64_read(&vm_stat[NR_FILE_DIRTY]) > (long)(totalram_pages * dirty_background_ratio / 100))
		writeback_inodes(true);
	spin_lock(&wb_lock);
	more = !list_empty(&dirty_mappings);
	wb_due = more ? ktime_get_ns() + WB_INTERVAL : 0;
	spin_unlock(&wb_lock);
	return more;
}

u64 writeback_next(void)
{
	return READ_ONCE(wb_due);
}

void balance_dirty_pages(struct address_space *m)
{
	long dirty = atomic64_read(&vm_stat[NR_FILE_DIRTY]);

	if (likely(dirty <= (long)(totalram_pages * dirty_background_ratio / 100)))
		return;
	if (dirty > (long)(totalram_pages * dirty_ratio / 100))
		filemap_fdatawrite(m);
	else
		wake_kmemd();
}

SYSCTL_INT("vm/dirty_background_ratio", 0644, dirty_background_ratio, 0, 100);
SYSCTL_INT("vm/dirty_ratio", 0644, dirty_ratio, 0, 100);
