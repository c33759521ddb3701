// SPDX-License-Identifier: Apache-2.0
/* How fresh memory comes from the host: in what pieces. */
#include <husk/mm.h>
#include "internal.h"

/**
 * DOC: backing
 *
 * RAM that was never used, or that went back to the host, costs a fault on the host for each page, and the page's clearing: 2.5 us, much more than
 * native programs pay for theirs. Where RAM's file system can (HOSTIF_F_HUGE), the allocator has the host make a larger folio for a whole
 * piece before it hands out the first page of it. The first touch of any page then clears and maps the folio at once, and so does
 * the first touch by each further process: 0.2 to 0.7 us a page in all.
 *
 * A piece that is begun counts as used on the host, and a folio is mapped whole, so pieces grow with the sandbox: small ones where a small
 * sandbox lives. What a piece has too much is at most about a sixth of what is in use. They end at 1 MiB: free blocks of 2 MiB and
 * more a virtual machine with ballooning (free page reporting) gives back to its hypervisor, and then each page of one costs 8 to 11 us.
 */
int (*ram_back)(unsigned long pfn, unsigned int order, enum ram_other_half other);
static unsigned long last; /* the piece that was taken last: a hint */

#define MIB(n) (((n) << 20) >> PAGE_SHIFT)
static const struct {
	unsigned long from; /* pages from the first that the allocator has */
	unsigned int order;
} steps[] = {{MIB(6UL), 8}, {MIB(1UL), 6}, {0, 4}};

unsigned int backing_order(unsigned long n)
{
	unsigned int i = 0;

	if (!READ_ONCE(ram_back))
		return 0;
	while (n < steps[i].from)
		i++;
	return steps[i].order;
}

void back_piece(unsigned long pfn, unsigned int order, bool pair)
{
	unsigned long half = pfn ^ (1UL << order);
	int (*back)(unsigned long, unsigned int, enum ram_other_half) = READ_ONCE(ram_back);
	enum ram_other_half other;
	int err;

	if (!back)
		return;
	other = pair ? RAM_HALF_FRESH : READ_ONCE(last) == half ? RAM_HALF_BACKED : RAM_HALF_UNKNOWN;
	err = back(pfn, order, other);

	WRITE_ONCE(last, err ? 0 : pfn);
	/* interrupted: then these pages come one by one */
	if (unlikely(err && err != -EINTR))
		WRITE_ONCE(ram_back, NULL);
}

unsigned int release_order(void)
{
	return max(4u, backing_order((highest_pfn - lowest_pfn) / 2));
}
