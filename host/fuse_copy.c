// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: data of the host's files into RAM.
 *
 * DOC: two ways
 *
 * sendfile() has the host move the data from page cache to page cache: pages that RAM does not have yet are neither cleared nor
 * mapped here first. preadv() copies straight to the mapping, which must be mapped. Where RAM comes in pieces of many pages one fault
 * maps a piece, and preadv() takes 0.6 of sendfile()'s time (2.8 us against 4.7 for 16 KiB); page by page it takes 1.5 times as long.
 *
 * What is mapped here counts as memory of the sandbox although nobody else has it mapped: the thread unmaps it when it has had nothing to do
 * for a moment.
 */
#include "fuse_srv.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define PAGE_BYTES 4096

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

ssize_t fs_copy_to_ram(struct fs_dev *d, int fd, size_t skip, size_t size, off_t at, uint64_t file_end)
{
	const struct iovec *in = d->chain.iov + d->chain.nout;
	struct iovec iov[VIRTQ_MAX_SEGS];
	size_t done = 0;
	unsigned cnt;
	ssize_t got;

	if (!d->pieces && d->ram_fd >= 0 && size >= PAGE_BYTES) {
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
	return done;
}

void fs_copy_idle(struct fs_dev *d)
{
	if (d->mapped && d->ram_fd >= 0) /* RAM is a file: its pages stay */
		madvise(d->vq.ram, d->vq.ram_size, MADV_DONTNEED);
	d->mapped = false;
}
