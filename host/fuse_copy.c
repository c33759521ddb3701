// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: data of the host's files into RAM.
 *
 * DOC: two ways
 *
 * sendfile() has the host move the data from page cache to page cache: pages that RAM does not have yet are neither cleared nor
 * mapped here first. preadv() copies straight to the mapping, which must be mapped, page by page. Where the guest has RAM backed in larger
 * pieces, one fault maps a piece, and preadv() takes half the time of sendfile(); where it has not, it takes twice the time. Which
 * it is depends on the host and on the kernel in the jail. So small requests are timed, the cheaper way is used for all, and the other one
 * tried now and then. Compared are requests of the same size, by what they take when nothing holds them up: the
 * estimate follows what is faster at once and what is slower only slowly.
 *
 * What is mapped here counts as memory of the sandbox although nobody else has it mapped: the thread unmaps it when it has had nothing to do
 * for a moment.
 */
#include "fuse_srv.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define TRY_PAGES 8  /* a small request */
#define TRY_FIRST 8  /* of these, how many are experiments at the start */
#define TRY_EVERY 64 /* and then one in so many */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The bytes moved; fewer than asked for where it could not go on. */
static size_t copy_sendfile(struct fs_dev *d, int fd, const struct iovec *iov, unsigned cnt, off_t at)
{
	size_t done = 0;

	for (unsigned i = 0; i < cnt; i++) {
		off_t to = (char *)iov[i].iov_base - d->vq.ram;
		ssize_t got;

		if (lseek(d->ram_fd, to, SEEK_SET) != to)
			break;
		got = sendfile(d->ram_fd, fd, &at, iov[i].iov_len);
		if (got < 0 && !done) { /* a file system that cannot, a limit on file sizes */
			close(d->ram_fd);
			d->ram_fd = -1;
		}
		if (got > 0)
			done += got;
		if (got != (ssize_t)iov[i].iov_len)
			break;
	}
	return done;
}

static unsigned class_of(size_t pages)
{
	return pages <= 1 ? 0 : pages <= 2 ? 1 : pages <= 4 ? 2 : 3;
}

static enum fs_copy_way cheaper(const struct fs_dev *d)
{
	const uint32_t *s = d->cost[COPY_SENDFILE].ns, *p = d->cost[COPY_PREADV].ns;
	uint64_t sum_s = 0, sum_p = 0;

	for (unsigned k = 0; k < FS_COPY_CLASSES; k++) {
		if (s[k] && p[k]) {
			sum_s += s[k];
			sum_p += p[k];
		}
	}
	return sum_s <= sum_p ? COPY_SENDFILE : COPY_PREADV;
}

static enum fs_copy_way choose(struct fs_dev *d, size_t pages)
{
	enum fs_copy_way best = cheaper(d);

	if (d->ram_fd < 0 || !pages)
		return COPY_PREADV;
	if (pages > TRY_PAGES)
		return best;
	d->tries++;
	if (d->tries <= TRY_FIRST)
		return d->tries % 2 ? COPY_PREADV : COPY_SENDFILE;
	return d->tries % TRY_EVERY ? best : !best;
}

static void account(struct fs_copy_cost *c, uint64_t ns, size_t pages)
{
	uint32_t *e = &c->ns[class_of(pages)];

	if (pages > TRY_PAGES)
		return;
	if (ns > UINT32_MAX / 2)
		ns = UINT32_MAX / 2;
	if (!*e || ns < *e)
		*e = ns;
	else
		*e += (ns - *e < *e ? ns - *e : *e) / 32;
}

ssize_t fs_copy_to_ram(struct fs_dev *d, int fd, size_t skip, size_t size, off_t at, uint64_t file_end)
{
	const struct iovec *in = d->chain.iov + d->chain.nout;
	size_t pages = size / PAGE_BYTES, done = 0;
	enum fs_copy_way way = choose(d, pages);
	struct iovec iov[VIRTQ_MAX_SEGS];
	uint64_t start = now_ns();
	unsigned cnt;
	ssize_t got;

	if (way == COPY_SENDFILE) {
		cnt = virtq_slice(in, d->chain.nin, skip, size, iov, VIRTQ_MAX_SEGS);
		done = copy_sendfile(d, fd, iov, cnt, at);
	}
	if (done < size && at + done != file_end) {
		cnt = virtq_slice(in, d->chain.nin, skip + done, size - done, iov, VIRTQ_MAX_SEGS);
		d->mapped |= cnt;
		got = cnt ? preadv(fd, iov, cnt, at + done) : 0; /* at the end of the file: nothing */
		if (got < 0 && !done)
			return -errno;
		done += got > 0 ? got : 0;
	}
	if (done && d->ram_fd >= 0)
		account(&d->cost[way], now_ns() - start, (done + PAGE_BYTES - 1) / PAGE_BYTES);
	return done;
}

void fs_copy_idle(struct fs_dev *d)
{
	if (d->mapped && d->ram_fd >= 0) /* RAM is a file: its pages stay */
		madvise(d->vq.ram, d->vq.ram_size, MADV_DONTNEED);
	d->mapped = false;
}
