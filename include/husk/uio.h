/* SPDX-License-Identifier: Apache-2.0 */
/* struct iov_iter: what a read or write copies to or from, be it user memory, kernel memory or pages (mm/iov_iter.c). By way of husk/fs.h. */
#ifndef HUSK_UIO_H
#define HUSK_UIO_H

#include <husk/mm.h>
#include <linux/uio.h>

/* An iterator over user or kernel memory for reads and writes. data_source: 1 when the memory is the source (a write). */
struct iov_iter {
	u8 iter_type; /* ITER_UBUF, ITER_IOVEC, ITER_KVEC, ITER_BVEC */
	bool data_source;
	size_t iov_offset, count;
	union {
		const struct iovec *iov;
		void *ubuf;
		const struct bio_vec *bvec;
	};
	unsigned long nr_segs;
};
enum { ITER_UBUF, ITER_IOVEC, ITER_KVEC, ITER_BVEC };
struct bio_vec {
	struct page *bv_page;
	unsigned bv_len, bv_offset;
};
#define ITER_SOURCE 1
#define ITER_DEST 0
/*
 * The memory: @nr pieces of user memory, one piece of it, kernel memory, or pages. The arrays stay the caller's and must outlive the iterator; @count is
 * the bytes of all pieces. User ranges were checked (access_ok), as import_iovec() does.
 */
void iov_iter_init(struct iov_iter *i, int dir, const struct iovec *iov, unsigned long nr, size_t count);
void iov_iter_ubuf(struct iov_iter *i, int dir, void __user *buf, size_t count);
void iov_iter_kvec(struct iov_iter *i, int dir, const struct iovec *kv, unsigned long nr, size_t count);
void iov_iter_bvec(struct iov_iter *i, int dir, const struct bio_vec *bv, unsigned long nr, size_t count);
/* Copies from and to the iterator's position: bytes copied, fewer at its end or at a fault; it advances by them. May sleep on user memory. */
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *i);
size_t copy_from_iter(void *to, size_t n, struct iov_iter *i);
size_t copy_page_to_iter(struct page *p, size_t off, size_t n, struct iov_iter *i);
size_t copy_page_from_iter(struct page *p, size_t off, size_t n, struct iov_iter *i);
size_t iov_iter_zero(size_t n, struct iov_iter *i);
void iov_iter_advance(struct iov_iter *i, size_t n);
void iov_iter_revert(struct iov_iter *i, size_t n);	/* back by no more than it advanced */
size_t fault_in_iov_iter(struct iov_iter *i, size_t n); /* bytes NOT faulted in */
static inline size_t iov_iter_count(const struct iov_iter *i)
{
	return i->count;
}
static inline void iov_iter_truncate(struct iov_iter *i, size_t n)
{
	if (i->count > n)
		i->count = n;
}
/* import_iovec: copies the array; *iov to be kfree()d (fast array may be used: then set NULL). Total length or -errno. */
ssize_t import_iovec(int dir, const struct iovec __user *uvec, unsigned nr, unsigned fast, struct iovec **iov,
		     struct iov_iter *i);

#endif
