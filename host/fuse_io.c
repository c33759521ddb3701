// SPDX-License-Identifier: Apache-2.0
/* FUSE server: opening, reading and writing files. Data goes between the host's page cache and RAM in one copy. */
#include "fuse_srv.h"
#include "plain.h"
#include <hostif/hostif.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

static ssize_t reply_open(struct fs_dev *d)
{
	struct fuse_open_out *o = (void *)d->out;

	*o = (struct fuse_open_out){.open_flags = FOPEN_KEEP_CACHE};
	return sizeof(*o);
}

ssize_t srv_open(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_open_in *in = fuse_srv_arg(d, sizeof(*in));
	bool write = in && (in->flags & O_ACCMODE) != O_RDONLY;
	int fd;

	if (!in)
		return -EINVAL;
	fd = write ? node_write_fd(d, n) : node_read_fd(d, n);
	if (fd < 0)
		return fd;
	if (write && n->writers < UINT32_MAX)
		n->writers++;
	return reply_open(d);
}

ssize_t srv_opendir(struct fs_dev *d, struct fs_node *n)
{
	int fd = S_ISDIR(n->type) ? node_read_fd(d, n) : -ENOTDIR;

	return fd < 0 ? fd : reply_open(d);
}

ssize_t srv_release(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_release_in *in = fuse_srv_arg(d, sizeof(*in));

	if (!in)
		return -EINVAL;
	if ((in->flags & O_ACCMODE) != O_RDONLY && n->writers)
		n->writers--;
	return 0;
}

/* Says which of the pages read, `size` bytes from `head` on in the guest's buffers, are plain text; that is told behind the header. */
static void tell_plain(struct fs_dev *d, size_t head, size_t size)
{
	const struct iovec *in = d->chain.iov + d->chain.nout;
	struct hostif_fuse_plain plain = {0};

	for (size_t k = 0; k < HOSTIF_FUSE_PLAIN_PAGES && (k + 1) * PLAIN_BYTES <= size; k++) {
		struct iovec page;

		if (virtq_slice(in, d->chain.nin, head + k * PLAIN_BYTES, PLAIN_BYTES, &page, 1) == 1 &&
		    page.iov_len == PLAIN_BYTES && plain_page(page.iov_base))
			plain.page[k / 64] |= 1ULL << k % 64;
	}
	virtq_write(in, d->chain.nin, sizeof(struct fuse_out_header), &plain, sizeof(plain));
}

ssize_t srv_read(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_read_in *in = fuse_srv_arg(d, sizeof(*in));
	size_t head = sizeof(struct fuse_out_header), told = 0;
	size_t room = fuse_srv_room(d);
	ssize_t got;
	int fd;

	if (!in || in->offset > INT64_MAX)
		return -EINVAL;
	if (in->read_flags & HOSTIF_FUSE_READ_PLAIN)
		told = sizeof(struct hostif_fuse_plain);
	if (room < told)
		return -EINVAL;
	room -= told;
	head += told;
	if (S_ISDIR(n->type))
		return -EISDIR;
	fd = node_read_fd(d, n);
	if (fd < 0)
		return fd;
	d->in_place = true;
	got = fs_copy_to_ram(d, fd, head, in->size < room ? in->size : room, in->offset,
			     d->opened_seq == d->seq ? d->opened_size : UINT64_MAX);
	if (got < 0)
		return got;
	if (told)
		tell_plain(d, head, got);
	return told + got;
}

ssize_t srv_write(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_write_in *in = fuse_srv_arg(d, sizeof(*in));
	const size_t head = sizeof(d->h) + sizeof(*in);
	struct fuse_write_out *o = (void *)d->out;
	struct iovec iov[VIRTQ_MAX_SEGS];
	unsigned cnt;
	ssize_t put = 0;
	int fd;

	if (!in || in->offset > INT64_MAX || in->size > FUSE_SRV_MAX_WRITE || in->size > d->chain.out_len - head)
		return -EINVAL;
	fd = node_write_fd(d, n);
	if (fd < 0)
		return fd;
	cnt = virtq_slice(d->chain.iov, d->chain.nout, head, in->size, iov, VIRTQ_MAX_SEGS);
	if (cnt)
		put = pwritev(fd, iov, cnt, in->offset);
	if (put < 0)
		return -errno;
	*o = (struct fuse_write_out){.size = put};
	return sizeof(*o);
}

ssize_t srv_fsync(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_fsync_in *in = fuse_srv_arg(d, sizeof(*in));
	int fd;

	if (!in)
		return -EINVAL;
	if (d->readonly)
		return 0;
	fd = n->wfd >= 0 ? n->wfd : node_read_fd(d, n);
	if (fd < 0)
		return fd;
	return (in->fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
}

ssize_t srv_fallocate(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_fallocate_in *in = fuse_srv_arg(d, sizeof(*in));
	int fd;

	if (!in || in->offset > INT64_MAX || in->length > INT64_MAX)
		return -EINVAL;
	if (in->mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	fd = node_write_fd(d, n);
	if (fd < 0)
		return fd;
	return fallocate(fd, in->mode, in->offset, in->length) ? -errno : 0;
}

ssize_t srv_lseek(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_lseek_in *in = fuse_srv_arg(d, sizeof(*in));
	struct fuse_lseek_out *o = (void *)d->out;
	off_t pos;
	int fd;

	if (!in || in->offset > INT64_MAX || (in->whence != SEEK_DATA && in->whence != SEEK_HOLE) || !S_ISREG(n->type))
		return -EINVAL;
	fd = node_read_fd(d, n);
	if (fd < 0)
		return fd;
	pos = lseek(fd, in->offset, in->whence);
	if (pos < 0)
		return -errno;
	*o = (struct fuse_lseek_out){.offset = pos};
	return sizeof(*o);
}

ssize_t srv_copy(struct fs_dev *d, struct fs_node *n)
{
	struct fuse_copy_file_range_in *in = fuse_srv_arg(d, sizeof(*in));
	struct fs_node *out = in ? node_by_id(d, in->nodeid_out) : NULL;
	struct fuse_write_out *o = (void *)d->out;
	off_t from, to;
	ssize_t done;
	int rfd, wfd;

	if (!out || in->off_in > INT64_MAX || in->off_out > INT64_MAX)
		return -EINVAL;
	wfd = node_write_fd(d, out);
	if (wfd < 0)
		return wfd;
	rfd = node_read_fd(d, n);
	if (rfd < 0)
		return rfd;
	from = in->off_in;
	to = in->off_out;
	done = copy_file_range(rfd, &from, wfd, &to, in->len < 1u << 30 ? in->len : 1u << 30, 0);
	if (done < 0)
		return errno == EINVAL ? -EOPNOTSUPP : -errno;
	*o = (struct fuse_write_out){.size = done};
	return sizeof(*o);
}
