// SPDX-License-Identifier: Apache-2.0
/* Reclaim of page cache, and kmemd, the thread that keeps memory in order. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/init.h>
#include <husk/time.h>
#include "internal.h"

/**
 * DOC: reclaim
 *
 * A clock hand goes over struct pages between the lowest and the highest ever used. A page of the cache that was read since the hand last
 * came by (PG_referenced) loses the bit; one that was not, and that is clean and not mapped, leaves the cache. No lists, and
 * nothing to do on the paths that use pages. The hand only tries locks, so reclaim may run under any lock but i_pages_lock of the
 * page it looks at, which it then finds taken.
 *
 * Mapped pages need shoot-downs, and dirty ones writing: both wait, so only kmemd does that, when the rest was not enough.
 *
 * kmemd also gives free memory back to the host: all that is beyond DIRTY_MOST at once, and while the sandbox is quiet half of
 * what is beyond DIRTY_LEAST each second.
 */
#define DIRTY_LEAST ((4UL << 20) >> PAGE_SHIFT)
static unsigned long hand;

static DECLARE_WAIT_QUEUE_HEAD(kmemd_queue);
static DECLARE_WAIT_QUEUE_HEAD(progress_queue);
static u32 kmemd_work, dirty_excess;
static unsigned long kmemd_rounds;
static bool kmemd_running;

void wake_kmemd(void)
{
	if (READ_ONCE(kmemd_work))
		return;
	WRITE_ONCE(kmemd_work, 1);
	if (kmemd_running)
		wake_up_all(&kmemd_queue);
}

void kmemd_dirty_excess(void)
{
	if (READ_ONCE(dirty_excess))
		return;
	WRITE_ONCE(dirty_excess, 1);
	wake_kmemd();
}

/* Bring p to where it can be judged: a reference and the page lock. False: leave it. */
static bool isolate(struct page *p)
{
	if (READ_ONCE(p->type) != PGT_CACHE || !get_page_unless_zero(p))
		return false;
	if (p->type == PGT_CACHE && p->mapping && !p->mapping->in_memory && !PageWriteback(p) && trylock_page(p))
		return true;
	put_page(p);
	return false;
}

static bool second_chance(struct page *p)
{
	return PageReferenced(p) && TestClearPageReferenced(p);
}

static bool reclaim_clean(struct page *p)
{
	struct address_space *m = p->mapping;
	bool gone = false;

	if (!m || PageDirty(p) || page_mapcount(p) || !spin_trylock(&m->i_pages_lock))
		return false;
	if (p->mapping == m && page_count(p) == 2 && !PageDirty(p) && PageUptodate(p) && !page_text_held(p)) {
		__delete_from_page_cache(p);
		gone = true;
	}
	spin_unlock(&m->i_pages_lock);
	if (gone) {
		recycle_taken(m, p->index);
		text_ops->page_release(p);
		put_page(p);
	}
	return gone;
}

/* The part that waits; kmemd only. The page is locked; it comes back unlocked. */
static bool reclaim_hard(struct page *p)
{
	struct address_space *m = p->mapping;
	bool gone;

	if (!m) {
		unlock_page(p);
		return false;
	}
	if (page_mapcount(p) || page_text_mapped(p))
		unmap_page(p);
	if (PageDirty(p)) {
		struct inode *i = igrab(m->host);

		if (!i) {
			unlock_page(p);
			return false;
		}
		write_one_page(p, m, true);
		if (!trylock_page(p)) {
			iput(i);
			return false;
		}
		gone = p->mapping == m && reclaim_clean(p);
		unlock_page(p);
		iput(i);
		return gone;
	}
	gone = reclaim_clean(p);
	unlock_page(p);
	return gone;
}

/* Looks at `look` struct pages at most. */
static unsigned long scan(unsigned long want, unsigned long look, bool hard)
{
	unsigned long lo = lowest_pfn, n = READ_ONCE(highest_pfn) - lo, freed = 0;

	for (; look && freed < want; look--) {
		unsigned long pfn = __atomic_fetch_add(&hand, 1, __ATOMIC_RELAXED);
		struct page *p = pfn_to_page(lo + pfn % n);

		if (likely(!isolate(p)))
			continue;
		if (second_chance(p)) {
			unlock_page(p);
		} else if (!hard) {
			freed += reclaim_clean(p);
			unlock_page(p);
		} else {
			freed += reclaim_hard(p);
			if (freed % 32 == 31)
				wake_up_all(&progress_queue);
		}
		put_page(p);
	}
	return freed;
}

/* the pages that the hand goes over */
static unsigned long managed(void)
{
	return READ_ONCE(highest_pfn) - lowest_pfn;
}

unsigned long reclaim_pages(unsigned long nr)
{
	if (!atomic64_read(&vm_stat[NR_FILE_PAGES]))
		return 0;
	return scan(nr, 2 * managed(), false);
}

unsigned long reclaim_some(unsigned long nr, unsigned long look)
{
	return scan(nr, min(look, managed()), false);
}

static inline bool enough(void)
{
	return nr_free_pages() > min_free_pages + 16;
}

/* For tasks that found nothing else to free: let kmemd do a whole round (the one it may be in does not count), or enough of one. */
bool reclaim_wait(void)
{
	unsigned long round = READ_ONCE(kmemd_rounds);
	u64 end = ktime_get_ns() + 500 * NSEC_PER_MSEC;

	if (!kmemd_running || (current->flags & PF_KTHREAD))
		return false;
	while (!enough() && READ_ONCE(kmemd_rounds) - round < 2 && ktime_get_ns() < end &&
	       !fatal_signal_pending(current)) {
		wake_kmemd();
		wait_event_timeout(progress_queue, enough() || READ_ONCE(kmemd_rounds) - round >= 2,
				   20 * NSEC_PER_MSEC);
	}
	return enough();
}

static void balance_memory(void)
{
	unsigned long want = 3 * min_free_pages, have = nr_free_pages();

	if (have < 2 * min_free_pages) {
		unsigned long freed = reclaim_pages(want - have);

		if (nr_free_pages() < 2 * min_free_pages && freed < want - have)
			scan(want - have - freed, 2 * managed(), true);
	}
}

/* Free memory that the host still backs. True: there is more than we want to keep for long. */
static bool trim(bool quiet)
{
	unsigned long most = max_t(unsigned long, totalram_pages / 4, 4 * DIRTY_LEAST), have = nr_dirty_free_pages();
	unsigned int order = release_order();

	if (have > most) {
		release_free_pages(most / 2, order);
	} else if (quiet && have > DIRTY_LEAST) {
		drain_page_caches();
		release_free_pages(DIRTY_LEAST + (have - DIRTY_LEAST) / 2, order);
	}
	return nr_dirty_free_pages() > DIRTY_LEAST && nr_dirty_free_pages() < have;
}

int kmemd(void *unused)
{
	WRITE_ONCE(kmemd_running, true);
	for (;;) {
		bool trimming = READ_ONCE(dirty_excess);
		u64 due = writeback_next(), now = ktime_get_ns();
		s64 wait = MAX_SCHEDULE_TIMEOUT;
		bool timed_out;

		if (due)
			wait = due > now ? (s64)(due - now) : 1;
		if (trimming)
			wait = min_t(s64, wait, NSEC_PER_SEC);
		timed_out = wait_event_timeout(kmemd_queue, READ_ONCE(kmemd_work), wait) == 0;
		WRITE_ONCE(kmemd_work, 0);
		balance_memory();
		writeback_work();
		if (READ_ONCE(dirty_excess) && !trim(timed_out) && timed_out)
			WRITE_ONCE(dirty_excess, 0);
		__atomic_fetch_add(&kmemd_rounds, 1, __ATOMIC_RELEASE);
		wake_up_all(&progress_queue);
	}
	return 0;
}
