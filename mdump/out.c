// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: the output driver. One stream of bytes to a file or a socket, plain or in compressed frames.

#include <linux/fcntl.h>
#include "sys.h"

/*
 * DOC: when the disk is full
 *
 * Bytes go out in order, so what got there is always a prefix. After the first error nothing more is written; out_finish() says how long the
 * prefix is, cut to whole frames when compressed, with room made for the seek table. What lies in the first @patchable bytes can be
 * written again with out_patch(): plain they are where they are; compressed, their frames were stored as they are.
 */
#define CHUNK (1u << 20)
#define MAX_FRAMES (1u << 25)

static struct {
	u32 compression;
	bool file;
	int error;
	u64 pos;     /* of the stream */
	u64 written; /* of the file, bytes that are there; plain: = pos but for zeroes left out */
	u64 patchable;
	u64 hole; /* plain: the last so many bytes of pos were left out */
	/* frames */
	u8 *mem, *frame, *packed;
	size_t mem_size, fill, head;
	u32 *sizes, nframes;
	size_t sizes_mapped;
	char part[160], final[160];
} o;

static int fail(long r)
{
	if (!o.error)
		o.error = -r;
	return -1;
}

static int put(const u8 *p, size_t n)
{
	while (n && !o.error) {
		long r = sys(write, MDUMP_FD_OUT, p, min(n, CHUNK));

		if (r == -4)
			continue;
		if (r <= 0)
			return fail(r ? r : -28);
		p += r;
		n -= r;
		o.written += r;
		ctl->file_size = o.written;
	}
	return o.error ? -1 : 0;
}

/* Memory for frames: in, out, the compressor's own, and their sizes. Without it there is no compression. */
static bool frames_init(u64 total)
{
	size_t work = compress_need(o.compression), n = MDUMP_FRAME_SIZE + FRAME_ROOM + work;
	u64 frames = total / MDUMP_FRAME_SIZE + 2;

	o.sizes_mapped = frames * sizeof(u32);
	o.sizes = frames < MAX_FRAMES ? mem_get(o.sizes_mapped) : NULL;
	o.mem_size = n;
	o.mem = o.sizes ? mem_get(n) : NULL;
	if (!o.mem || compress_init(o.compression, o.mem + MDUMP_FRAME_SIZE + FRAME_ROOM, work)) {
		mem_put(o.mem, n);
		mem_put(o.sizes, o.sizes_mapped);
		o.mem = NULL;
		o.sizes = NULL;
		return false;
	}
	o.frame = o.mem;
	o.packed = o.mem + MDUMP_FRAME_SIZE;
	return true;
}

/**
 * out_open - begin a dump
 * @name: of the file, in our root directory; ignored when the output is a socket. @total: of the stream; @patchable: of these,
 * the first bytes that may be written again
 * Return: 0 or -errno
 */
int out_open(const char *name, u32 compression, u64 total, u64 patchable)
{
	long fd;

	memset(&o, 0, sizeof(o));
	o.file = !(config.flags & MDUMP_F_SOCKET);
	o.compression = compression;
	o.patchable = patchable;
	if (compression && !frames_init(total))
		o.compression = MDUMP_PLAIN;
	if (!o.file)
		return 0;
	put_str(put_str(put_str(o.part, "."), name), ".incomplete");
	fd = sys(openat, AT_FDCWD, o.part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (is_err(fd))
		return fd;
	if (fd != MDUMP_FD_OUT) {
		sys(dup2, fd, MDUMP_FD_OUT);
		sys(close, fd);
	}
	return 0;
}

u32 out_compression(void)
{
	return o.compression;
}

static int flush_frame(void)
{
	size_t n = 0, head;

	if (!o.fill || o.error)
		return o.error ? -1 : 0;
	if ((u64)o.nframes * MDUMP_FRAME_SIZE >= o.patchable)
		n = compress_frame(o.compression, o.packed, FRAME_ROOM, o.frame, o.fill);
	if (!n)
		n = raw_frame(o.compression, o.packed, o.frame, o.fill, &head);
	if (put(o.packed, n))
		return -1;
	o.sizes[o.nframes++] = n;
	o.fill = 0;
	return 0;
}

/* Zeroes that were left out become a hole in the file. */
static int settle(void)
{
	long r;

	if (!o.hole || o.error)
		return o.error ? -1 : 0;
	r = sys(lseek, MDUMP_FD_OUT, o.pos, 0);
	o.hole = 0;
	if (is_err(r))
		return fail(r);
	o.written = o.pos;
	return 0;
}

int out_write(const void *p, size_t n)
{
	const u8 *from = p;

	if (!o.compression) {
		if (settle() || put(from, n))
			return -1;
		o.pos += n;
		return 0;
	}
	while (n && !o.error) {
		size_t part = min(n, MDUMP_FRAME_SIZE - o.fill);

		memcpy(o.frame + o.fill, from, part);
		o.fill += part;
		from += part;
		n -= part;
		o.pos += part;
		if (o.fill == MDUMP_FRAME_SIZE)
			flush_frame();
	}
	return o.error ? -1 : 0;
}

int out_zero(u64 n)
{
	static u8 zeroes[PAGE] __attribute__((aligned(4096)));

	if (!o.compression && o.file) {
		o.pos += n;
		o.hole += n;
		return o.error ? -1 : 0;
	}
	for (; n && !o.error; n -= min(n, PAGE))
		out_write(zeroes, min(n, PAGE));
	return o.error ? -1 : 0;
}

int out_pad(u64 to)
{
	return to > o.pos ? out_zero(to - o.pos) : 0;
}

u64 out_pos(void)
{
	return o.pos;
}

int out_error(void)
{
	return o.error;
}

static int put_seek_table(void)
{
	u32 head[2] = {MDUMP_SEEK_SKIPPABLE, o.nframes * 8 + 9}, entry[2], last = o.fill;
	u8 tail[9] = {0};
	u32 magic = MDUMP_SEEK_MAGIC;

	put((u8 *)head, sizeof(head));
	for (u32 i = 0; i < o.nframes; i++) {
		entry[0] = o.sizes[i];
		entry[1] = i + 1 == o.nframes && last ? last : MDUMP_FRAME_SIZE;
		put((u8 *)entry, sizeof(entry));
	}
	memcpy(tail, &o.nframes, 4);
	memcpy(tail + 5, &magic, 4);
	return put(tail, sizeof(tail));
}

static u64 frames_bytes(u32 n)
{
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		sum += o.sizes[i];
	return sum;
}

/* Frames go until the table has room, and a little more each time it still has not. */
static u64 cut_frames(void)
{
	int error = o.error;
	u32 frames = o.nframes, drop = 0;

	while (o.file && drop < frames) {
		u64 end;

		o.nframes = frames - drop;
		end = frames_bytes(o.nframes);
		o.error = o.fill = 0;
		if (is_err(sys(ftruncate, MDUMP_FD_OUT, end)) || is_err(sys(lseek, MDUMP_FD_OUT, end, 0)))
			break;
		o.written = end;
		if (!put_seek_table())
			break;
		drop = drop ? drop * 2 : 1;
	}
	o.error = error;
	return (u64)o.nframes * MDUMP_FRAME_SIZE;
}

/**
 * out_finish - the stream has ended, or failed
 * Return: how many bytes of it the file has
 */
u64 out_finish(void)
{
	u64 fill = o.fill;

	if (!o.compression) {
		if (!o.error && o.hole && is_err(sys(ftruncate, MDUMP_FD_OUT, o.pos)))
			return o.written;
		if (!o.error)
			o.written = o.pos;
		return o.written;
	}
	if (!o.error && !flush_frame()) {
		o.fill = fill; /* what the last frame holds */
		if (!put_seek_table())
			return o.pos;
	}
	return cut_frames();
}

/* Where byte pos of the stream is in the file: in a stored frame, behind its header. */
static u64 place(u64 pos, size_t *run)
{
	u32 f = pos / MDUMP_FRAME_SIZE;
	size_t head = 0, at = pos % MDUMP_FRAME_SIZE;

	*run = MDUMP_FRAME_SIZE - at;
	raw_frame(o.compression, o.packed, NULL, 0, &head);
	return frames_bytes(f) + head + at;
}

int out_patch(u64 pos, const void *p, size_t n)
{
	const u8 *from = p;

	if (!o.file || pos + n > o.patchable)
		return -1;
	while (n) {
		size_t run = n;
		u64 at = o.compression ? place(pos, &run) : pos;

		run = min(run, n);
		if (sys(pwrite64, MDUMP_FD_OUT, from, run, at) != (long)run)
			return -1;
		from += run;
		pos += run;
		n -= run;
	}
	return 0;
}

/* A name that is taken gets a number behind it. */
static int publish(const char *name)
{
	char *end = put_str(o.final, name);
	long r = -17;

	for (u32 i = 1; i < 100 && r == -17; i++) {
		if (i > 1)
			put_dec(put_str(end, "-"), i, 0);
		r = sys(renameat2, AT_FDCWD, o.part, AT_FDCWD, o.final, 1 /* RENAME_NOREPLACE */);
		if (r == -22) /* not on this file system */
			r = sys(renameat2, AT_FDCWD, o.part, AT_FDCWD, o.final, 0);
	}
	if (!r)
		str_copy(ctl->name, o.final, sizeof(ctl->name));
	return r;
}

/**
 * out_close - the end; the file gets its name, or goes when @name is NULL
 */
int out_close(const char *name)
{
	long r = 0;

	if (o.file) {
		if (name)
			r = publish(name);
		else
			sys(unlinkat, AT_FDCWD, o.part, 0);
	} else {
		str_copy(ctl->name, "(sent)", sizeof(ctl->name));
	}
	sys(close, MDUMP_FD_OUT);
	mem_put(o.mem, o.mem_size);
	mem_put(o.sizes, o.sizes_mapped);
	o.mem = NULL;
	return r;
}
