/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive red-black trees (lib/rbtree.c), with the names of Linux's rbtree.h. */
#ifndef HUSK_RBTREE_H
#define HUSK_RBTREE_H

#include <husk/types.h>

struct rb_node {
	unsigned long __parent_color;
	struct rb_node *rb_right, *rb_left;
} __aligned(8);
struct rb_root {
	struct rb_node *rb_node;
};
struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};
#define RB_ROOT                                                                                                        \
	(struct rb_root)                                                                                               \
	{                                                                                                              \
		NULL                                                                                                   \
	}
#define RB_ROOT_CACHED                                                                                                 \
	(struct rb_root_cached)                                                                                        \
	{                                                                                                              \
		{NULL}, NULL                                                                                           \
	}
#define RB_EMPTY_ROOT(r) (READ_ONCE((r)->rb_node) == NULL)
#define RB_EMPTY_NODE(n) ((n)->__parent_color == (unsigned long)(n))
#define RB_CLEAR_NODE(n) ((n)->__parent_color = (unsigned long)(n))
#define rb_entry(p, t, m) container_of(p, t, m)
#define rb_entry_safe(p, t, m)                                                                                         \
	({                                                                                                             \
		__typeof__(p) _p = (p);                                                                                \
		_p ? rb_entry(_p, t, m) : NULL;                                                                        \
	})
static inline void rb_link_node(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->__parent_color = (unsigned long)parent;
	n->rb_left = n->rb_right = NULL;
	*link = n;
}
void rb_insert_color(struct rb_node *n, struct rb_root *root);
void rb_erase(struct rb_node *n, struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);

#endif
