/* SPDX-License-Identifier: Apache-2.0 */
/* Packets (net/skbuff.c). */
#ifndef HUSK_SKBUFF_H
#define HUSK_SKBUFF_H

#include <husk/fs.h>

struct sock;
struct scm_fp_list;
struct sk_buff;

struct sk_buff_head {
	struct sk_buff *next, *prev;
	u32 qlen;
	spinlock_t lock;
};

/* A run of pages, each with its own reference count. */
struct skb_frag {
	struct page *page;
	u32 nr;
};

/**
 * struct sk_buff - one message, or one piece of a stream
 * @next, @prev: must be first: the head of a queue looks the same
 * @sk: sender that its memory is charged to; a connection request: the new socket, with a reference
 * @len: bytes in all; @consumed: of those, bytes a stream reader took
 * @frags: @nr_frags of them when the data did not fit behind the header
 */
struct sk_buff {
	struct sk_buff *next, *prev;
	struct sock *sk;
	void (*destructor)(struct sk_buff *skb);
	u32 len, consumed, truesize;
	u16 nr_frags;
	bool has_creds;
	u32 pid, uid, gid;
	struct scm_fp_list *fp;
	void (*release_fp)(struct sk_buff *skb); /* frees fp, if there is one */
	union {
		u8 data[0];
		struct skb_frag frags[0];
	};
};
#define SKB_LINEAR_MAX (PAGE_SIZE - sizeof(struct sk_buff)) /* more than that goes into pages */

static inline void skb_queue_head_init(struct sk_buff_head *q)
{
	q->next = q->prev = (struct sk_buff *)q;
	q->qlen = 0;
	spin_lock_init(&q->lock);
}
static inline bool skb_queue_empty(const struct sk_buff_head *q)
{
	return READ_ONCE(q->next) == (const struct sk_buff *)q;
}
static inline struct sk_buff *skb_peek(const struct sk_buff_head *q)
{
	return skb_queue_empty(q) ? NULL : q->next;
}
static inline struct sk_buff *skb_peek_next(const struct sk_buff *s, const struct sk_buff_head *q)
{
	return s->next == (const struct sk_buff *)q ? NULL : s->next;
}
#define skb_queue_walk(q, s) for (s = (q)->next; s != (struct sk_buff *)(q); s = s->next)
#define skb_queue_walk_safe(q, s, n) for (s = (q)->next, n = s->next; s != (struct sk_buff *)(q); s = n, n = s->next)
void __skb_queue_tail(struct sk_buff_head *q, struct sk_buff *s); /* q->lock held */
void __skb_unlink(struct sk_buff *s, struct sk_buff_head *q);
void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *s);
struct sk_buff *skb_dequeue(struct sk_buff_head *q);
void skb_unlink(struct sk_buff *s, struct sk_buff_head *q);

struct sk_buff *alloc_skb(size_t len); /* room for len bytes, uninitialised; NULL */
void kfree_skb(struct sk_buff *s);
int skb_copy_from_iter(struct sk_buff *s, struct iov_iter *it); /* all of it: 0 or -EFAULT */
size_t skb_copy_to_iter(const struct sk_buff *s, size_t off, size_t n, struct iov_iter *it); /* bytes copied */
#endif
