// SPDX-License-Identifier: Apache-2.0
/* Page cache that takes its own old pages before it takes memory from the host that no page has used yet. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

/**
 * DOC: recycling
 *
 * Memory that the sandbox has never used must come from the host: a fault, a cleared page, perhaps work of the machine's own
 * hypervisor, 1 to 12 us for each page in all. What the cache holds of a host's file costs less to read again (0.3 us), for
 * the host has it in its cache too. So once the cache holds cache_limit pages, those that were used once and not since are taken for
 * what is read next, and a stream of files (tar, cp, grep -r) runs in memory that is there, and leaves it to other sandboxes.
 *
 * What counts is whether used memory is free in one piece as long as is wanted: there are always fragments.
 *
 * That is wrong for a set of files larger than the limit which is read again and again. Pages that were taken leave a trace
 * in a small table; where such a page comes back the limit was too low, and when that happens often it doubles.
 */
#define LIMIT_START ((48UL << 20) >> PAGE_SHIFT)
#define BATCH 256	 /* pages taken at a time */
#define LOOK (8 * BATCH) /* struct pages looked at for them */
#define TRACES 8192
#define ENOUGH_RETURNS 64 /* pages that came back, for the limit to double */

static unsigned long cache_limit = LIMIT_START;
static u32 returns;
static bool begun;
static u32 traces[TRACES]; /* hashes; written and read without a lock: a lost one is a wrong guess */

static u32 trace_of(const struct address_space *m, pgoff_t index, u32 *slot)
{
	u64 h = ((u64)(unsigned long)m->host * 0x9e3779b97f4a7c15ULL + index) * 0xd6e8feb86659fd93ULL;

	*slot = (h >> 32) % TRACES;
	return (u32)h | 1;
}

void recycle_taken(const struct address_space *m, pgoff_t index)
{
	u32 slot, t = trace_of(m, index, &slot);

	WRITE_ONCE(traces[slot], t);
}

void recycle_added(const struct address_space *m, pgoff_t index)
{
	u32 slot, t;

	if (likely(!READ_ONCE(begun)))
		return;
	t = trace_of(m, index, &slot);
	if (READ_ONCE(traces[slot]) != t)
		return;
	WRITE_ONCE(traces[slot], 0);
	if (__atomic_add_fetch(&returns, 1, __ATOMIC_RELAXED) % ENOUGH_RETURNS == 0)
		WRITE_ONCE(cache_limit, min(2 * cache_limit, totalram_pages));
}

void page_cache_make_room(unsigned long n)
{
	u64 cached = atomic64_read(&vm_stat[NR_FILE_PAGES]) - atomic64_read(&vm_stat[NR_SHMEM]);

	if (likely(cached + n <= READ_ONCE(cache_limit)) || dirty_run_free(n))
		return;
	WRITE_ONCE(begun, true);
	reclaim_some(max_t(unsigned long, n, BATCH), LOOK);
}
