// SPDX-License-Identifier: Apache-2.0
/* struct iov_iter: one view of user buffers, kernel buffers and pages. */
#include <husk/fs.h>

void iov_iter_init(struct iov_iter *i, int dir, const struct iovec *iov, unsigned long nr, size_t count)
{
	*i = (struct iov_iter){.iter_type = ITER_IOVEC, .data_source = dir, .count = count, .iov = iov, .nr_segs = nr};
}

void iov_iter_ubuf(struct iov_iter *i, int dir, void __user *buf, size_t count)
{
	*i = (struct iov_iter){.iter_type = ITER_UBUF, .data_source = dir, .count = count, .ubuf = buf, .nr_segs = 1};
}

void iov_iter_kvec(struct iov_iter *i, int dir, const struct iovec *kv, unsigned long nr, size_t count)
{
	iov_iter_init(i, dir, kv, nr, count);
	i->iter_type = ITER_KVEC;
}

void iov_iter_bvec(struct iov_iter *i, int dir, const struct bio_vec *bv, unsigned long nr, size_t count)
{
	*i = (struct iov_iter){.iter_type = ITER_BVEC, .data_source = dir, .count = count, .bvec = bv, .nr_segs = nr};
}

/* The piece at the iterator's position: address and length (at most n). */
static inline void *iter_piece(const struct iov_iter *i, size_t *n)
{
	size_t left;

	switch (i->iter_type) {
	case ITER_UBUF:
		return (char *)i->ubuf + i->iov_offset;
	case ITER_BVEC:
		left = i->bvec->bv_len - i->iov_offset;
		if (*n > left)
			*n = left;
		return (char *)page_address(i->bvec->bv_page) + i->bvec->bv_offset + i->iov_offset;
	default:
		left = i->iov->iov_len - i->iov_offset;
		if (*n > left)
			*n = left;
		return (char *)i->iov->iov_base + i->iov_offset;
	}
}

static inline size_t seg_len(const struct iov_iter *i)
{
	return i->iter_type == ITER_BVEC ? i->bvec->bv_len : i->iov->iov_len;
}

static inline void next_seg(struct iov_iter *i)
{
	if (i->iter_type == ITER_BVEC)
		i->bvec++;
	else
		i->iov++;
	i->nr_segs--;
	i->iov_offset = 0;
}

void iov_iter_advance(struct iov_iter *i, size_t n)
{
	if (n > i->count)
		n = i->count;
	i->count -= n;
	if (i->iter_type == ITER_UBUF) {
		i->iov_offset += n;
		return;
	}
	while (i->nr_segs) {
		size_t left = seg_len(i) - i->iov_offset;

		if (n < left) {
			i->iov_offset += n;
			return;
		}
		n -= left;
		if (i->nr_segs == 1 && !n) { /* stay on the last, so that revert can go back */
			i->iov_offset += left;
			return;
		}
		next_seg(i);
	}
}

void iov_iter_revert(struct iov_iter *i, size_t n)
{
	i->count += n;
	if (i->iter_type == ITER_UBUF) {
		i->iov_offset -= n;
		return;
	}
	while (n > i->iov_offset) {
		n -= i->iov_offset;
		if (i->iter_type == ITER_BVEC)
			i->bvec--;
		else
			i->iov--;
		i->nr_segs++;
		i->iov_offset = seg_len(i);
	}
	i->iov_offset -= n;
}

static inline bool iter_is_user(const struct iov_iter *i)
{
	return i->iter_type == ITER_UBUF || i->iter_type == ITER_IOVEC;
}

/* Move n bytes between kernel memory and the iterator; short on a fault. */
static inline size_t iter_copy(char *k, size_t n, struct iov_iter *i, bool to_iter)
{
	size_t done = 0;

	if (n > i->count)
		n = i->count;
	while (done < n) {
		size_t len = n - done, left = 0;
		void *p = iter_piece(i, &len);

		if (unlikely(!len)) { /* an empty segment, or at the end of one */
			next_seg(i);
			continue;
		}
		if (!iter_is_user(i))
			to_iter ? memcpy(p, k + done, len) : memcpy(k + done, p, len);
		else if (to_iter)
			left = copy_to_user(p, k + done, len);
		else
			left = copy_from_user(k + done, p, len);
		iov_iter_advance(i, len - left);
		done += len - left;
		if (unlikely(left))
			break;
	}
	return done;
}

size_t copy_to_iter(const void *from, size_t n, struct iov_iter *i)
{
	return iter_copy((char *)from, n, i, true);
}

size_t copy_from_iter(void *to, size_t n, struct iov_iter *i)
{
	return iter_copy(to, n, i, false);
}

size_t copy_page_to_iter(struct page *p, size_t off, size_t n, struct iov_iter *i)
{
	return iter_copy((char *)page_address(p) + off, n, i, true);
}

size_t copy_page_from_iter(struct page *p, size_t off, size_t n, struct iov_iter *i)
{
	return iter_copy((char *)page_address(p) + off, n, i, false);
}

size_t iov_iter_zero(size_t n, struct iov_iter *i)
{
	size_t done = 0;

	if (n > i->count)
		n = i->count;
	while (done < n) {
		size_t len = n - done, left = 0;
		void *p = iter_piece(i, &len);

		if (!len) {
			next_seg(i);
			continue;
		}
		if (iter_is_user(i))
			left = clear_user(p, len);
		else
			memset(p, 0, len);
		iov_iter_advance(i, len - left);
		done += len - left;
		if (left)
			break;
	}
	return done;
}

/* Touch one user page, for reading it or for writing to it. */
static bool fault_in(char *p, bool write)
{
	char c;

	if (copy_from_user(&c, p, 1))
		return false;
	return !write || !copy_to_user(p, &c, 1);
}

/**
 * fault_in_iov_iter - make the next n bytes' user pages present
 *
 * Returns how many bytes could not be. Not to be called with a lock that a page fault takes.
 */
size_t fault_in_iov_iter(struct iov_iter *iter, size_t n)
{
	struct iov_iter i = *iter;
	size_t done = 0;

	if (n > i.count)
		n = i.count;
	if (!iter_is_user(&i))
		return 0;
	while (done < n) {
		size_t len = n - done, off;
		char *p = iter_piece(&i, &len);

		if (!len) {
			next_seg(&i);
			continue;
		}
		for (off = 0; off < len; off = ALIGN((unsigned long)p + off + 1, PAGE_SIZE) - (unsigned long)p)
			if (!fault_in(p + off, !i.data_source))
				return n - done - off;
		iov_iter_advance(&i, len);
		done += len;
	}
	return 0;
}

ssize_t import_iovec(int dir, const struct iovec __user *uvec, unsigned nr, unsigned fast, struct iovec **iovp,
		     struct iov_iter *i)
{
	struct iovec *iov = *iovp;
	size_t total = 0;

	if (nr > UIO_MAXIOV) {
		*iovp = NULL;
		return -EINVAL;
	}
	if (nr > fast) {
		iov = kmalloc(nr * sizeof(*iov), GFP_KERNEL);
		*iovp = iov;
		if (!iov)
			return -ENOMEM;
	} else {
		*iovp = NULL; /* nothing to free */
	}
	if (copy_from_user(iov, uvec, nr * sizeof(*iov)))
		goto fault;
	for (unsigned s = 0; s < nr; s++) {
		ssize_t len = (ssize_t)iov[s].iov_len;

		if (len < 0) {
			kfree(*iovp);
			*iovp = NULL;
			return -EINVAL;
		}
		if (!access_ok(iov[s].iov_base, len))
			goto fault;
		if (len > MAX_RW_COUNT - total) {
			len = MAX_RW_COUNT - total;
			iov[s].iov_len = len;
		}
		total += len;
	}
	iov_iter_init(i, dir, iov, nr, total);
	return total;
fault:
	kfree(*iovp);
	*iovp = NULL;
	return -EFAULT;
}
