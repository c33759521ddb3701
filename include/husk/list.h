/* SPDX-License-Identifier: Apache-2.0 */
/* Doubly linked lists and hash-list heads, with the names of Linux's list.h. */
#ifndef HUSK_LIST_H
#define HUSK_LIST_H

#include <husk/types.h>

struct list_head {
	struct list_head *next, *prev;
};
struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};

#define LIST_HEAD_INIT(n)                                                                                              \
	{                                                                                                              \
		&(n), &(n)                                                                                             \
	}
#define LIST_HEAD(n) struct list_head n = LIST_HEAD_INIT(n)
static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l->prev = l;
}
static inline void __list_add(struct list_head *n, struct list_head *p, struct list_head *x)
{
	x->prev = n;
	n->next = x;
	n->prev = p;
	p->next = n;
}
static inline void list_add(struct list_head *n, struct list_head *h)
{
	__list_add(n, h, h->next);
}
static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	__list_add(n, h->prev, h);
}
static inline void __list_del(struct list_head *p, struct list_head *n)
{
	n->prev = p;
	p->next = n;
}
static inline void list_del(struct list_head *e)
{
	__list_del(e->prev, e->next);
	e->next = (void *)0x100;
	e->prev = (void *)0x122;
}
static inline void list_del_init(struct list_head *e)
{
	__list_del(e->prev, e->next);
	INIT_LIST_HEAD(e);
}
static inline void list_move(struct list_head *e, struct list_head *h)
{
	__list_del(e->prev, e->next);
	list_add(e, h);
}
static inline void list_move_tail(struct list_head *e, struct list_head *h)
{
	__list_del(e->prev, e->next);
	list_add_tail(e, h);
}
static inline bool list_empty(const struct list_head *h)
{
	return READ_ONCE(h->next) == h;
}
static inline bool list_is_singular(const struct list_head *h)
{
	return !list_empty(h) && h->next == h->prev;
}
static inline void list_splice_init(struct list_head *l, struct list_head *h)
{
	if (!list_empty(l)) {
		l->next->prev = h;
		l->prev->next = h->next;
		h->next->prev = l->prev;
		h->next = l->next;
		INIT_LIST_HEAD(l);
	}
}
static inline void list_splice_tail_init(struct list_head *l, struct list_head *h)
{
	list_splice_init(l, h->prev);
}
#define list_entry(p, t, m) container_of(p, t, m)
#define list_first_entry(h, t, m) list_entry((h)->next, t, m)
#define list_last_entry(h, t, m) list_entry((h)->prev, t, m)
#define list_first_entry_or_null(h, t, m) (list_empty(h) ? NULL : list_first_entry(h, t, m))
#define list_next_entry(p, m) list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_for_each(p, h) for (p = (h)->next; p != (h); p = p->next)
#define list_for_each_safe(p, n, h) for (p = (h)->next, n = p->next; p != (h); p = n, n = p->next)
#define list_for_each_entry(p, h, m)                                                                                   \
	for (p = list_first_entry(h, __typeof__(*p), m); &p->m != (h); p = list_next_entry(p, m))
#define list_for_each_entry_reverse(p, h, m)                                                                           \
	for (p = list_last_entry(h, __typeof__(*p), m); &p->m != (h); p = list_entry(p->m.prev, __typeof__(*p), m))
#define list_for_each_entry_safe(p, n, h, m)                                                                           \
	for (p = list_first_entry(h, __typeof__(*p), m), n = list_next_entry(p, m); &p->m != (h);                      \
	     p = n, n = list_next_entry(n, m))

#define INIT_HLIST_HEAD(h) ((h)->first = NULL)
static inline void INIT_HLIST_NODE(struct hlist_node *n)
{
	n->next = NULL;
	n->pprev = NULL;
}
static inline bool hlist_unhashed(const struct hlist_node *n)
{
	return !n->pprev;
}
static inline bool hlist_empty(const struct hlist_head *h)
{
	return !h->first;
}
static inline void hlist_del_init(struct hlist_node *n)
{
	if (n->pprev) {
		*n->pprev = n->next;
		if (n->next)
			n->next->pprev = n->pprev;
		INIT_HLIST_NODE(n);
	}
}
#define hlist_del hlist_del_init
static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (h->first)
		h->first->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}
#define hlist_entry(p, t, m) container_of(p, t, m)
#define hlist_entry_safe(p, t, m)                                                                                      \
	({                                                                                                             \
		__typeof__(p) _p = (p);                                                                                \
		_p ? hlist_entry(_p, t, m) : NULL;                                                                     \
	})
#define hlist_for_each_entry(p, h, m)                                                                                  \
	for (p = hlist_entry_safe((h)->first, __typeof__(*p), m); p; p = hlist_entry_safe(p->m.next, __typeof__(*p), m))
#define hlist_for_each_entry_safe(p, n, h, m)                                                                          \
	for (p = hlist_entry_safe((h)->first, __typeof__(*p), m); p && ({                                              \
									  n = p->m.next;                               \
									  1;                                           \
								  });                                                  \
	     p = hlist_entry_safe(n, __typeof__(*p), m))

#endif
