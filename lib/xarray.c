// SPDX-License-Identifier: Apache-2.0
/* Sparse arrays of pointers: radix trees of 64 slots a node. */
#include <husk/xarray.h>
#include <husk/errno.h>
#include <husk/string.h>

/**
 * DOC: layout
 *
 * Height 0: root is the entry at index 0 itself (most files have one page), or NULL. Height h: root is a node that
 * covers 64^h indices. Bit i of a node's `used` says that slot i is not NULL, so searches skip empty slots and
 * a node is freed when the word becomes 0. An erase takes nodes away and makes the tree lower again, so that a tree that
 * has been emptied holds no memory.
 */
#define XA_SHIFT 6
#define XA_SLOTS (1UL << XA_SHIFT)
#define XA_MAX_HEIGHT 11 /* 66 bits */

struct xa_node {
	u64 used;
	void *slots[XA_SLOTS];
};

static const struct xa_memory *memory;
const size_t xa_node_size = sizeof(struct xa_node);

void xarray_init(const struct xa_memory *m)
{
	memory = m;
}

static inline unsigned int slot_of(unsigned long index, unsigned int height)
{
	return (index >> ((height - 1) * XA_SHIFT)) & (XA_SLOTS - 1);
}

/* Is index within a tree of this height? */
static inline bool covers(unsigned int height, unsigned long index)
{
	return height >= XA_MAX_HEIGHT || !(index >> (height * XA_SHIFT));
}

static inline void set_slot(struct xa_node *n, unsigned int i, void *p)
{
	n->slots[i] = p;
	if (p)
		n->used |= 1ULL << i;
	else
		n->used &= ~(1ULL << i);
}

void *xa_load(const struct xarray *xa, unsigned long index)
{
	unsigned int h = xa->height;
	void *p = xa->root;

	if (!covers(h, index))
		return NULL;
	for (; h && p; h--)
		p = ((struct xa_node *)p)->slots[slot_of(index, h)];
	return p;
}

/* Makes the tree high enough for index. */
static int grow(struct xarray *xa, unsigned long index)
{
	while (!covers(xa->height, index)) {
		if (xa->root) {
			struct xa_node *n = memory->get();

			if (!n)
				return -ENOMEM;
			set_slot(n, 0, xa->root);
			xa->root = n;
		}
		xa->height++;
	}
	return 0;
}

/* Takes away levels whose only entry is in slot 0. */
static void shrink(struct xarray *xa)
{
	if (!xa->root)
		xa->height = 0;
	while (xa->height && xa->root->used == 1) {
		struct xa_node *n = xa->root;

		xa->root = n->slots[0];
		xa->height--;
		memory->put(n);
	}
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_node *path[XA_MAX_HEIGHT + 1];
	unsigned int h = xa->height;
	void *p = xa->root;

	if (!covers(h, index))
		return NULL;
	for (; h && p; h--) {
		path[h] = p;
		p = path[h]->slots[slot_of(index, h)];
	}
	if (!p)
		return NULL;
	for (h = 1; h <= xa->height; h++) {
		set_slot(path[h], slot_of(index, h), NULL);
		if (path[h]->used)
			break;
		memory->put(path[h]);
	}
	if (h > xa->height)
		xa->root = NULL;
	shrink(xa);
	return p;
}

int xa_store(struct xarray *xa, unsigned long index, void *entry, void **old)
{
	struct xa_node *n, *child;
	unsigned int h, i;
	void *was;

	if (!entry) {
		was = xa_erase(xa, index);
		if (old)
			*old = was;
		return 0;
	}
	if (grow(xa, index))
		goto out_nomem;
	h = xa->height;
	if (!h) {
		was = xa->root;
		xa->root = entry;
		goto out;
	}
	if (!xa->root) {
		xa->root = memory->get();
		if (!xa->root)
			goto out_nomem;
	}
	for (n = xa->root; h > 1; h--, n = child) {
		i = slot_of(index, h);
		child = n->slots[i];
		if (!child) {
			child = memory->get();
			if (!child)
				goto out_undo;
			set_slot(n, i, child);
		}
	}
	i = slot_of(index, 1);
	was = n->slots[i];
	set_slot(n, i, entry);
out:
	if (old)
		*old = was;
	return 0;
out_undo:
	/* store something and erase it: that frees the nodes made on the way, which are empty */
	while (n && !n->used) {
		struct xa_node *p = xa->root, *parent = NULL;
		unsigned int ph = xa->height;

		for (; p != n; ph--) {
			parent = p;
			p = p->slots[slot_of(index, ph)];
		}
		memory->put(n);
		if (parent)
			set_slot(parent, slot_of(index, ph + 1), NULL);
		else
			xa->root = NULL;
		n = parent;
	}
out_nomem:
	shrink(xa);
	return -ENOMEM;
}

/* The first entry at or after *index below node n, which covers [base, base + 64^h). */
static void *find_below(struct xa_node *n, unsigned int h, unsigned long *index)
{
	unsigned int i = slot_of(*index, h);
	unsigned int j, sh = (h - 1) * XA_SHIFT;
	u64 left = n->used & (~0ULL << i);
	void *p;

	while (left) {
		j = __builtin_ctzll(left);
		if (j != i) {
			*index = (*index & ~(((XA_SLOTS - 1) << sh) | ((1UL << sh) - 1))) | (unsigned long)j << sh;
			i = j;
		}
		p = h == 1 ? n->slots[j] : find_below(n->slots[j], h - 1, index);
		if (p)
			return p;
		left &= left - 1;
	}
	return NULL;
}

void *xa_find(const struct xarray *xa, unsigned long *index, unsigned long max)
{
	unsigned long i = *index;
	void *p = NULL;

	if (!xa->root || i > max || !covers(xa->height, i))
		return NULL;
	p = xa->height ? find_below(xa->root, xa->height, &i) : (void *)xa->root;
	if (!p || i > max)
		return NULL;
	*index = i;
	return p;
}

static void destroy_below(struct xa_node *n, unsigned int h)
{
	u64 left = n->used;

	for (; h > 1 && left; left &= left - 1)
		destroy_below(n->slots[__builtin_ctzll(left)], h - 1);
	memory->put(n);
}

/**
 * xa_destroy - free the tree's own memory; what its entries point to is the caller's
 */
void xa_destroy(struct xarray *xa)
{
	if (xa->root && xa->height)
		destroy_below(xa->root, xa->height);
	xa_init(xa);
}
