// SPDX-License-Identifier: Apache-2.0
// Walks over the kernel's lists that end, whatever the memory says.

#include "crash.h"

/**
 * DOC: walks
 *
 * A list head's neighbours must point back at it, so damage shows at the first wrong step. A dump is one instant, a
 * running kernel is not: there a step may fail because the list changed, and the walk ends with what it has seen. Chains without a back pointer
 * are checked for loops by Brent's method: an address is marked, the mark moves whenever the number of steps has doubled, and
 * meeting the mark again is a loop.
 */
#define MAX_WALK 4000000ul

static void damaged(const char *what, unsigned long count, u64 at, const char *how)
{
	if (!live)
		warn("the list of %s is damaged after %lu of them: %s at %llx", what, count, how,
		     (unsigned long long)at);
}

void walk_begin(struct walk *w, u64 head, u64 offset, const char *what)
{
	*w = (struct walk){.head = head, .prev = head, .offset = offset, .max = MAX_WALK, .what = what};
	if (kread(head, &w->at, 8))
		w->corrupt = true;
}

bool walk_next(struct walk *w)
{
	u64 link[2];

	if (w->count && !w->corrupt) { /* step from the current one */
		if (kread_quiet(w->at, link, sizeof(link))) {
			w->corrupt = true;
		} else {
			w->prev = w->at;
			w->at = link[0];
		}
	}
	if (w->corrupt || w->at == w->head || interrupted)
		return false;
	if (!w->at && w->count == 0) /* never initialised: empty */
		return false;
	if (w->count >= w->max || w->at % 8 || kread_quiet(w->at, link, sizeof(link)) || link[1] != w->prev) {
		damaged(w->what, w->count, w->at,
			w->count >= w->max ? "it does not end" : "a link that does not point back");
		w->corrupt = true;
		return false;
	}
	w->count++;
	w->entry = w->at - w->offset;
	return true;
}

bool bound_step(struct bound *b, u64 at)
{
	if (!b->left) { /* first */
		b->left = MAX_WALK;
		b->power = 1;
	}
	if (interrupted || !is_kernel_address(at))
		return false;
	if (at == b->mark || b->left == 1) {
		damaged(b->what, MAX_WALK - b->left, at, "it runs in a circle");
		return false;
	}
	if (++b->lap == b->power) {
		b->mark = at;
		b->power *= 2;
		b->lap = 0;
	}
	b->left--;
	return true;
}

/* lib/xarray.c: height 0: the root is the entry; else nodes of 64 slots */
#define XA_SHIFT 6
#define XA_SLOTS 64

static void xa_node(u64 node, unsigned height, u64 base, void (*fn)(u64, u64, void *), void *arg, unsigned long *left)
{
	u64 slots = FIELD_ADDR(node, xa_node, slots), slot[XA_SLOTS];

	if (kread_quiet(slots, slot, sizeof(slot)))
		return;
	for (unsigned i = 0; i < XA_SLOTS && !interrupted; i++) {
		u64 index = base | (u64)i << ((height - 1) * XA_SHIFT);

		if (!slot[i] || !*left)
			continue;
		--*left;
		if (height == 1)
			fn(index, slot[i], arg);
		else
			xa_node(slot[i], height - 1, index, fn, arg, left);
	}
}

void xarray_each(u64 xa, void (*fn)(u64 index, u64 entry, void *arg), void *arg)
{
	u64 root = FIELD(xa, xarray, root), height = FIELD(xa, xarray, height);
	unsigned long left = MAX_WALK;

	if (!root || height > 10)
		return;
	if (!height)
		fn(0, root, arg);
	else
		xa_node(root, height, 0, fn, arg, &left);
}
