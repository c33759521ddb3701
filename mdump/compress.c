// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: one frame of zstd or lz4, compressed or stored. The libraries' code is not touched before the first dump.

#define ZSTD_STATIC_LINKING_ONLY
#include <lz4.h>
#include <zstd.h>
#include "sys.h"

#define ZSTD_LEVEL 1
#define ZSTD_MAGIC 0xFD2FB528u
#define LZ4_MAGIC 0x184D2204u
#define LZ4_FLG 0x60u /* version 1, independent blocks, no checksums */
#define LZ4_BD 0x50u  /* blocks of up to 256 KiB */
#define LZ4_HC 0xfbu  /* second byte of xxh32 of the two */
#define LZ4_STORED 0x80000000u

static ZSTD_CCtx *zstd;
static void *lz4_state;

size_t compress_need(u32 compression)
{
	if (compression == MDUMP_ZSTD)
		return align_up(ZSTD_estimateCCtxSize(ZSTD_LEVEL), PAGE);
	return compression == MDUMP_LZ4 ? align_up((u64)LZ4_sizeofState(), PAGE) : 0;
}

int compress_init(u32 compression, void *mem, size_t n)
{
	if (compression == MDUMP_ZSTD) {
		zstd = ZSTD_initStaticCCtx(mem, n);
		return zstd ? 0 : -1;
	}
	lz4_state = mem;
	return 0;
}

static u8 *put32(u8 *p, u32 v)
{
	memcpy(p, &v, 4);
	return p + 4;
}

static u8 *lz4_head(u8 *p)
{
	p = put32(p, LZ4_MAGIC);
	*p++ = LZ4_FLG;
	*p++ = LZ4_BD;
	*p++ = LZ4_HC;
	return p;
}

static size_t lz4_frame(u8 *to, size_t room, const void *from, size_t n)
{
	u8 *p = lz4_head(to);
	int r = LZ4_compress_fast_extState(lz4_state, from, (char *)p + 4, n, room - 16, 1);

	if (r <= 0 || (size_t)r >= n)
		return 0;
	p = put32(p, r);
	p = put32(p + r, 0);
	return p - to;
}

size_t compress_frame(u32 compression, void *to, size_t room, const void *from, size_t n)
{
	size_t r;

	if (compression == MDUMP_LZ4)
		return lz4_frame(to, room, from, n);
	r = ZSTD_compressCCtx(zstd, to, room, from, n, ZSTD_LEVEL);
	return ZSTD_isError(r) ? 0 : r;
}

/* A frame that holds n bytes (a whole frame, or the last) as they are; *head: how far inside they begin. from NULL: only that. */
size_t raw_frame(u32 compression, void *to, const void *from, size_t n, size_t *head)
{
	u8 *p = to;

	if (compression == MDUMP_LZ4) {
		p = put32(lz4_head(p), n | LZ4_STORED);
	} else {
		p = put32(p, ZSTD_MAGIC);
		*p++ = 0xa0; /* one segment; its size in four bytes */
		p = put32(p, n);
		n = n << 3 | 1; /* last block, raw */
		*p++ = n;
		*p++ = n >> 8;
		*p++ = n >> 16;
		n >>= 3;
	}
	*head = p - (u8 *)to;
	if (!from)
		return 0;
	memcpy(p, from, n);
	p += n;
	if (compression == MDUMP_LZ4)
		p = put32(p, 0);
	return p - (u8 *)to;
}
