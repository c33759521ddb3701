// SPDX-License-Identifier: Apache-2.0
/* sort(): heap sort in place; no recursion, no memory, never quadratic. */
#include <husk/kernel.h>

static void swap_bytes(void *a, void *b, int size)
{
	u8 *p = a, *q = b;

	for (; size >= 8; size -= 8, p += 8, q += 8) {
		u64 x, y;

		memcpy(&x, p, 8);
		memcpy(&y, q, 8);
		memcpy(p, &y, 8);
		memcpy(q, &x, 8);
	}
	for (; size > 0; size--, p++, q++)
		swap(*p, *q);
}

/**
 * sort - sort an array, not stably
 * @base: first element @num: elements @size: bytes of one
 * @cmp: below 0 when its first argument comes first @swp: exchanges two elements; NULL: byte by byte
 */
void sort(void *base, size_t num, size_t size, int (*cmp)(const void *, const void *), void (*swp)(void *, void *, int))
{
	char *b = base;
	size_t start = num / 2, end = num, root, child;

	if (!swp)
		swp = swap_bytes;
	/* first the heap is built from its last parent down, then the largest goes to the end again and again */
	while (end > 1) {
		if (start) {
			start--;
		} else {
			end--;
			swp(b, b + end * size, (int)size);
		}
		for (root = start; (child = 2 * root + 1) < end; root = child) {
			if (child + 1 < end && cmp(b + child * size, b + (child + 1) * size) < 0)
				child++;
			if (cmp(b + root * size, b + child * size) >= 0)
				break;
			swp(b + root * size, b + child * size, (int)size);
		}
	}
}
