// SPDX-License-Identifier: Apache-2.0
/* Packets and queues of packets. */
#include <husk/skbuff.h>

#define FRAGS_MAX 64 /* what a header of one page can name is far more */

void __skb_queue_tail(struct sk_buff_head *q, struct sk_buff *s)
{
	s->next = (struct sk_buff *)q;
	s->prev = q->prev;
	q->prev->next = s;
	q->prev = s;
	WRITE_ONCE(q->qlen, q->qlen + 1);
}

void __skb_unlink(struct sk_buff *s, struct sk_buff_head *q)
{
	s->next->prev = s->prev;
	s->prev->next = s->next;
	s->next = s->prev = NULL;
	WRITE_ONCE(q->qlen, q->qlen - 1);
}

void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *s)
{
	spin_lock(&q->lock);
	__skb_queue_tail(q, s);
	spin_unlock(&q->lock);
}

void skb_unlink(struct sk_buff *s, struct sk_buff_head *q)
{
	spin_lock(&q->lock);
	__skb_unlink(s, q);
	spin_unlock(&q->lock);
}

struct sk_buff *skb_dequeue(struct sk_buff_head *q)
{
	struct sk_buff *s;

	spin_lock(&q->lock);
	s = skb_peek(q);
	if (s)
		__skb_unlink(s, q);
	spin_unlock(&q->lock);
	return s;
}

static void init_skb(struct sk_buff *s, size_t len)
{
	memset(s, 0, sizeof(*s));
	s->len = (u32)len;
	s->truesize = (u32)(ALIGN(len, 64) + 256);
}

static void free_frags(struct sk_buff *s)
{
	unsigned int i, j;

	for (i = 0; i < s->nr_frags; i++)
		for (j = 0; j < s->frags[i].nr; j++)
			put_page(s->frags[i].page + j);
}

/* Long messages: the header, and pages in runs as long as the allocator has them. */
static struct sk_buff *alloc_paged(size_t len)
{
	unsigned long pages = PFN_UP(len), got;
	unsigned int max = min_t(unsigned long, pages, FRAGS_MAX);
	struct sk_buff *s = kmalloc(sizeof(*s) + max * sizeof(struct skb_frag), GFP_KERNEL);

	if (!s)
		return NULL;
	init_skb(s, len);
	while (pages && s->nr_frags < max) {
		struct skb_frag *f = &s->frags[s->nr_frags];

		f->page = alloc_pages_contig(GFP_USER, pages, &got);
		if (!f->page)
			break;
		f->nr = (u32)got;
		s->nr_frags++;
		pages -= got;
	}
	if (!pages)
		return s;
	free_frags(s);
	kfree(s);
	return NULL;
}

/**
 * alloc_skb - a packet of exactly @len bytes, to be filled by skb_copy_from_iter()
 */
struct sk_buff *alloc_skb(size_t len)
{
	struct sk_buff *s;

	if (len > SKB_LINEAR_MAX)
		return alloc_paged(len);
	s = kmalloc(sizeof(*s) + len, GFP_KERNEL);
	if (s)
		init_skb(s, len);
	return s;
}

void kfree_skb(struct sk_buff *s)
{
	if (unlikely(s->fp))
		s->release_fp(s);
	if (s->destructor)
		s->destructor(s);
	free_frags(s);
	kfree(s);
}

int skb_copy_from_iter(struct sk_buff *s, struct iov_iter *it)
{
	size_t left = s->len, n;
	unsigned int i;

	if (!s->nr_frags)
		return copy_from_iter(s->data, left, it) == left ? 0 : -EFAULT;
	for (i = 0; left; i++, left -= n) {
		n = min_t(size_t, left, (size_t)s->frags[i].nr << PAGE_SHIFT);
		if (copy_from_iter(page_address(s->frags[i].page), n, it) != n)
			return -EFAULT;
	}
	return 0;
}

size_t skb_copy_to_iter(const struct sk_buff *s, size_t off, size_t n, struct iov_iter *it)
{
	size_t done = 0, part, size, got;
	unsigned int i;

	if (!s->nr_frags)
		return copy_to_iter(s->data + off, n, it);
	for (i = 0; done < n; i++) {
		size = (size_t)s->frags[i].nr << PAGE_SHIFT;
		if (off >= size) {
			off -= size;
			continue;
		}
		part = min(n - done, size - off);
		got = copy_to_iter((char *)page_address(s->frags[i].page) + off, part, it);
		done += got;
		if (got < part)
			break;
		off = 0;
	}
	return done;
}
