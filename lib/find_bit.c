// SPDX-License-Identifier: Apache-2.0
/* Searches in bitmaps, a word at a time. */
#include <husk/atomic.h>

static __always_inline unsigned long find_next(const unsigned long *map, unsigned long size, unsigned long start,
					       unsigned long invert)
{
	unsigned long i, w;

	if (start >= size)
		return size;
	i = start / BITS_PER_LONG;
	w = (READ_ONCE(map[i]) ^ invert) & (~0UL << (start % BITS_PER_LONG));
	while (!w) {
		if (++i * BITS_PER_LONG >= size)
			return size;
		w = READ_ONCE(map[i]) ^ invert;
	}
	return min(i * BITS_PER_LONG + __builtin_ctzl(w), size);
}

/* First bit that is set at or behind @start; @size when there is none. */
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long start)
{
	return find_next(map, size, start, 0);
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long start)
{
	return find_next(map, size, start, ~0UL);
}
