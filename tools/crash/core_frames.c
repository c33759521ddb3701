// SPDX-License-Identifier: Apache-2.0
// Compressed dumps: the ELF file in frames of zstd or lz4, found by the seek table at the end, decompressed as they are asked for.

#include <errno.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include "formats.h"

/**
 * DOC: frames
 *
 * docs/design/mini-dump.md has the format. Without a seek table (a file that was cut short) the frames are found from the start, one after
 * the other, until one is not whole. Frames that were decompressed stay in a small cache, replaced in turn by the least recently used.
 */
#define MAX_NR_FRAMES (1u << 22)
#define MAX_FRAME (16u << 20) /* decompressed; more is a damaged table */
#define CACHE 32
#define ZSTD_MAGIC_BYTES "\x28\xb5\x2f\xfd"
#define LZ4_MAGIC_BYTES "\x04\x22\x4d\x18"

struct frame_entry {
	u64 at, offset; /* in the file; in the ELF file */
	u32 packed, size;
};
static struct frame_entry *frames;
static size_t nframes, frames_room;
static bool lz4;

static struct cached {
	size_t frame; /* + 1 */
	u64 used;
	int status;
	u8 *data;
} cached[CACHE];
static u64 clock_;

static int bad(const char *what)
{
	complain("%s: %s", core.path, what);
	return -1;
}

/* ---- one frame ---- */

static int unpack_zstd(const u8 *in, size_t n, u8 *to, size_t size)
{
	size_t r = ZSTD_decompress(to, size, in, n);

	return ZSTD_isError(r) || r != size ? -1 : 0;
}

/* As much as is there; *used: of the input, *made: of the output. 0: the frame's end was reached. */
static int unpack_lz4(const u8 *in, size_t n, u8 *to, size_t size, size_t *used, size_t *made)
{
	LZ4F_dctx *d;
	size_t hint = 1;

	*used = *made = 0;
	if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)))
		return -1;
	while (hint && *used < n) {
		size_t i = n - *used, o = size - *made;

		hint = LZ4F_decompress(d, to + *made, &o, in + *used, &i, NULL);
		if (LZ4F_isError(hint) || (!i && !o))
			break;
		*used += i;
		*made += o;
	}
	LZ4F_freeDecompressionContext(d);
	return hint ? -1 : 0;
}

static int unpack(const struct frame_entry *f, u8 *to)
{
	u8 *in = malloc(f->packed ?: 1);
	size_t used, made;
	int r;

	if (!in)
		abort();
	if (core_pread(f->at, in, f->packed))
		r = READ_TRUNCATED;
	else if (lz4)
		r = unpack_lz4(in, f->packed, to, f->size, &used, &made) || made != f->size ? READ_CORRUPT : READ_OK;
	else
		r = unpack_zstd(in, f->packed, to, f->size) ? READ_CORRUPT : READ_OK;
	free(in);
	return r;
}

static struct cached *get_frame(size_t i)
{
	struct cached *c = &cached[0];

	for (unsigned k = 0; k < CACHE; k++) {
		if (cached[k].frame == i + 1) {
			cached[k].used = ++clock_;
			return &cached[k];
		}
		if (cached[k].used < c->used)
			c = &cached[k];
	}
	free(c->data);
	c->data = malloc(frames[i].size ?: 1);
	if (!c->data)
		abort();
	c->frame = i + 1;
	c->used = ++clock_;
	c->status = unpack(&frames[i], c->data);
	return c;
}

/* ---- reading ---- */

static size_t find_frame(u64 offset)
{
	size_t lo = 0, hi = nframes;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (frames[mid].offset <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1; /* the first is at 0 */
}

static int frame_bytes(u64 offset, void *buf, size_t n)
{
	if (offset > core.elf_size || n > core.elf_size - offset)
		return READ_TRUNCATED;
	while (n) {
		size_t i = find_frame(offset), in = offset - frames[i].offset;
		size_t len = frames[i].size - in;
		struct cached *c = get_frame(i);

		if (c->status != READ_OK)
			return c->status;
		if (len > n)
			len = n;
		if (!len)
			return READ_CORRUPT;
		memcpy(buf, c->data + in, len);
		buf = (char *)buf + len;
		offset += len;
		n -= len;
	}
	return READ_OK;
}

/* ---- finding the frames ---- */

static bool add_frame(u64 *at, u32 packed, u32 size)
{
	if (size > MAX_FRAME || nframes == MAX_NR_FRAMES || *at > core.file_size || packed > core.file_size - *at)
		return false;
	if (nframes == frames_room) {
		frames_room = frames_room ? 2 * frames_room : 1024;
		frames = realloc(frames, frames_room * sizeof(*frames));
		if (!frames)
			abort();
	}
	if (size)
		frames[nframes++] = (struct frame_entry){*at, core.elf_size, packed, size};
	*at += packed;
	core.elf_size += size;
	return true;
}

static u32 le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

#define FOOTER 9
static bool read_table(void)
{
	u8 foot[FOOTER], head[8], *table;
	u64 n, entry, bytes, at = 0;
	bool ok = true;

	if (core.file_size < FOOTER + 8 || core_pread(core.file_size - FOOTER, foot, FOOTER) ||
	    le32(foot + 5) != MDUMP_SEEK_MAGIC)
		return false;
	n = le32(foot);
	entry = foot[4] & 0x80 ? 12 : 8; /* with checksums */
	bytes = n * entry + FOOTER;
	if (n > MAX_NR_FRAMES || bytes + 8 > core.file_size || core_pread(core.file_size - bytes - 8, head, 8) ||
	    le32(head) != MDUMP_SEEK_SKIPPABLE || le32(head + 4) != bytes)
		return false;
	table = malloc(n * entry + 1);
	if (!table)
		abort();
	ok = !core_pread(core.file_size - bytes, table, n * entry);
	for (u64 i = 0; ok && i < n; i++)
		ok = add_frame(&at, le32(table + i * entry), le32(table + i * entry + 4));
	free(table);
	return ok && nframes;
}

/* The frame at *at in what is left of the file, without a table. */
static bool scan_one(u64 *at, u8 *in, u8 *to, size_t room)
{
	size_t n = core.file_size - *at < room ? core.file_size - *at : room, used, made;

	if (!n || core_pread(*at, in, n))
		return false;
	if (lz4)
		return !unpack_lz4(in, n, to, MAX_FRAME, &used, &made) && made && add_frame(at, (u32)used, (u32)made);
	used = ZSTD_findFrameCompressedSize(in, n);
	if (ZSTD_isError(used))
		return false;
	made = ZSTD_decompress(to, MAX_FRAME, in, used);
	return !ZSTD_isError(made) && made && add_frame(at, (u32)used, (u32)made);
}

static void scan_frames(void)
{
	size_t room = ZSTD_compressBound(MDUMP_FRAME_SIZE) + 65536;
	u8 *in = malloc(room), *to = malloc(MAX_FRAME);
	u64 at = 0;

	if (!in || !to)
		abort();
	while (at < core.file_size && scan_one(&at, in, to, room) && !interrupted)
		;
	free(in);
	free(to);
}

static int open_frames(const char *format, bool is_lz4)
{
	lz4 = is_lz4;
	core.format = format;
	core.elf_size = 0;
	nframes = 0;
	if (!read_table()) {
		nframes = 0;
		core.elf_size = 0;
		scan_frames();
		if (!nframes)
			return bad("no frame of it can be decompressed: nothing can be read");
		warn("%s has no index: it was cut short, or damaged; %zu frames, %llu MiB, can be read", core.path,
		     nframes, (unsigned long long)core.elf_size >> 20);
	}
	core.bytes = frame_bytes;
	return 0;
}

static int open_zstd(void)
{
	return open_frames("ELF, zstd", false) ? -1 : core.bytes_only ? 0 : core_open_elf();
}

static int open_lz4(void)
{
	return open_frames("ELF, lz4", true) ? -1 : core.bytes_only ? 0 : core_open_elf();
}

const struct core_format core_formats[] = {
	{"\177ELF", 4, core_open_elf},
	{ZSTD_MAGIC_BYTES, 4, open_zstd},
	{LZ4_MAGIC_BYTES, 4, open_lz4},
	{NULL, 0, NULL},
};

void core_close_frames(void)
{
	for (unsigned k = 0; k < CACHE; k++)
		free(cached[k].data);
	memset(cached, 0, sizeof(cached));
	free(frames);
	frames = NULL;
	nframes = frames_room = 0;
}

/* ---- --extract ---- */

static int write_all(int fd, const u8 *p, size_t n, u64 offset)
{
	while (n) {
		ssize_t r = pwrite(fd, p, n, (off_t)offset);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		p += r;
		n -= (size_t)r;
		offset += (u64)r;
	}
	return 0;
}

/* Zeroes stay holes. */
static int copy_frames(int fd, const char *to)
{
	static const u8 zeroes[4096];
	size_t lost = 0;

	for (size_t i = 0; i < nframes; i++) {
		struct cached *c = get_frame(i);

		if (interrupted)
			return -1;
		if (c->status != READ_OK) {
			lost++;
			continue;
		}
		for (u32 o = 0; o < frames[i].size; o += sizeof(zeroes)) {
			u32 n = frames[i].size - o < sizeof(zeroes) ? frames[i].size - o : (u32)sizeof(zeroes);

			if (memcmp(c->data + o, zeroes, n) && write_all(fd, c->data + o, n, frames[i].offset + o)) {
				complain("cannot write %s: %s", to, strerror(errno));
				return -1;
			}
		}
	}
	if (lost)
		warn("%zu of %zu frames are damaged: zeroes stand in their place", lost, nframes);
	return 0;
}

int core_extract(const char *from, const char *to)
{
	int fd, r;

	core.bytes_only = true;
	if (core_open(from))
		return -1;
	if (!nframes) {
		complain("%s is not compressed: it is the ELF file already", from);
		return -1;
	}
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		complain("cannot create %s: %s", to, strerror(errno));
		return -1;
	}
	r = copy_frames(fd, to);
	if (!r && ftruncate(fd, (off_t)core.elf_size)) {
		complain("cannot write %s: %s", to, strerror(errno));
		r = -1;
	}
	if (close(fd) && !r) {
		complain("cannot write %s: %s", to, strerror(errno));
		r = -1;
	}
	if (r)
		unlink(to);
	return r;
}
