// SPDX-License-Identifier: Apache-2.0
/* Red-black trees. */
#include <husk/rbtree.h>

/**
 * DOC: red-black trees
 *
 * A node's __parent_color holds its parent and, in bit 0, its colour (1: black; a freshly linked node is red). Rules:
 * the root is black, a red node has no red child, every path from the root down meets the same number of black
 * nodes. Insertion can break only the second rule, erasure only the third; both are mended by climbing, with at
 * most two (three) rotations. Missing children count as black.
 */
enum { RB_RED, RB_BLACK };

static inline struct rb_node *parent_of(const struct rb_node *n)
{
	return (struct rb_node *)(n->__parent_color & ~1UL);
}

static inline bool is_red(const struct rb_node *n)
{
	return n && !(n->__parent_color & 1);
}

static inline void set_parent(struct rb_node *n, struct rb_node *p)
{
	n->__parent_color = (n->__parent_color & 1) | (unsigned long)p;
}

static inline void set_color(struct rb_node *n, unsigned long c)
{
	n->__parent_color = (n->__parent_color & ~1UL) | c;
}

/* Puts @new where @old hangs below @parent. */
static inline void replace_child(struct rb_node *parent, struct rb_node *old, struct rb_node *new, struct rb_root *root)
{
	if (!parent)
		root->rb_node = new;
	else if (parent->rb_left == old)
		parent->rb_left = new;
	else
		parent->rb_right = new;
}

static void rotate_left(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *r = n->rb_right, *p = parent_of(n);

	n->rb_right = r->rb_left;
	if (r->rb_left)
		set_parent(r->rb_left, n);
	r->rb_left = n;
	set_parent(r, p);
	replace_child(p, n, r, root);
	set_parent(n, r);
}

static void rotate_right(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *l = n->rb_left, *p = parent_of(n);

	n->rb_left = l->rb_right;
	if (l->rb_right)
		set_parent(l->rb_right, n);
	l->rb_right = n;
	set_parent(l, p);
	replace_child(p, n, l, root);
	set_parent(n, l);
}

/**
 * rb_insert_color - rebalance after rb_link_node()
 */
void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *p, *g, *uncle;

	while (is_red(p = parent_of(n))) {
		g = parent_of(p); /* there is one: the root is black */
		uncle = p == g->rb_left ? g->rb_right : g->rb_left;
		if (is_red(uncle)) {
			set_color(p, RB_BLACK);
			set_color(uncle, RB_BLACK);
			set_color(g, RB_RED);
			n = g;
			continue;
		}
		if (p == g->rb_left) {
			if (n == p->rb_right) {
				rotate_left(p, root);
				p = n;
			}
			rotate_right(g, root);
		} else {
			if (n == p->rb_left) {
				rotate_right(p, root);
				p = n;
			}
			rotate_left(g, root);
		}
		set_color(p, RB_BLACK);
		set_color(g, RB_RED);
		break;
	}
	set_color(root->rb_node, RB_BLACK);
}

/* Paths through @n (may be NULL), a child of @p, have one black node too few. */
static void mend_erase(struct rb_node *n, struct rb_node *p, struct rb_root *root)
{
	struct rb_node *s;
	bool left;

	while (p && !is_red(n)) {
		left = n == p->rb_left;
		s = left ? p->rb_right : p->rb_left; /* there is one: its paths are longer */
		if (is_red(s)) {
			set_color(s, RB_BLACK);
			set_color(p, RB_RED);
			if (left)
				rotate_left(p, root);
			else
				rotate_right(p, root);
			s = left ? p->rb_right : p->rb_left;
		}
		if (!is_red(s->rb_left) && !is_red(s->rb_right)) {
			set_color(s, RB_RED);
			n = p;
			p = parent_of(n);
			continue;
		}
		if (left) {
			if (!is_red(s->rb_right)) {
				set_color(s->rb_left, RB_BLACK);
				set_color(s, RB_RED);
				rotate_right(s, root);
				s = p->rb_right;
			}
			set_color(s, p->__parent_color & 1);
			set_color(s->rb_right, RB_BLACK);
			rotate_left(p, root);
		} else {
			if (!is_red(s->rb_left)) {
				set_color(s->rb_right, RB_BLACK);
				set_color(s, RB_RED);
				rotate_left(s, root);
				s = p->rb_left;
			}
			set_color(s, p->__parent_color & 1);
			set_color(s->rb_left, RB_BLACK);
			rotate_right(p, root);
		}
		set_color(p, RB_BLACK);
		return;
	}
	if (n)
		set_color(n, RB_BLACK);
}

/**
 * rb_erase - take a node out of its tree. The node itself is left as it is: RB_CLEAR_NODE() it where that is asked for.
 */
void rb_erase(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *child, *p, *next;
	bool black;

	if (n->rb_left && n->rb_right) {
		/* the next one in order has no left child: it leaves its place and takes this one's */
		for (next = n->rb_right; next->rb_left; next = next->rb_left)
			;
		child = next->rb_right;
		p = parent_of(next);
		black = !is_red(next);
		if (p == n) {
			p = next;
		} else {
			p->rb_left = child;
			if (child)
				set_parent(child, p);
			next->rb_right = n->rb_right;
			set_parent(n->rb_right, next);
		}
		next->rb_left = n->rb_left;
		set_parent(n->rb_left, next);
		next->__parent_color = n->__parent_color;
		replace_child(parent_of(n), n, next, root);
	} else {
		child = n->rb_left ? n->rb_left : n->rb_right;
		p = parent_of(n);
		black = !is_red(n);
		if (child)
			set_parent(child, p);
		replace_child(p, n, child, root);
	}
	if (black)
		mend_erase(child, p, root);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_left)
		n = n->rb_left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_right)
		n = n->rb_right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *p;

	if (n->rb_right) {
		for (n = n->rb_right; n->rb_left; n = n->rb_left)
			;
		return (struct rb_node *)n;
	}
	while ((p = parent_of(n)) && n == p->rb_right)
		n = p;
	return p;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *p;

	if (n->rb_left) {
		for (n = n->rb_left; n->rb_right; n = n->rb_right)
			;
		return (struct rb_node *)n;
	}
	while ((p = parent_of(n)) && n == p->rb_left)
		n = p;
	return p;
}
