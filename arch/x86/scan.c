// SPDX-License-Identifier: Apache-2.0
// Finding instructions that would change PKRU or the GS base, at any byte offset.

#include "scan.h"

/**
 * DOC: what is looked for
 *
 *   0f 01 ef            wrpkru
 *   0f ae /5, memory    xrstor (with any prefix: REX.W makes it xrstor64)
 *   0f ae /3, register  wrgsbase, where f3 stands before it: right before, or before any number of other prefixes, of which the
 *                       processor takes no notice. Without f3 it is no instruction at all, so the prefixes need not be looked at
 * A sequence counts at every byte offset: user code can jump into the middle of an instruction. xrstors needs privilege.
 */
static enum forbidden match(const u8 *p, size_t left)
{
	if (p[0] != 0x0f || left < 3)
		return FORBIDDEN_NONE;
	if (p[1] == 0x01)
		return p[2] == 0xef ? FORBIDDEN_WRPKRU : FORBIDDEN_NONE;
	if (p[1] != 0xae)
		return FORBIDDEN_NONE;
	if ((p[2] & 0x38) == 0x28 && (p[2] & 0xc0) != 0xc0)
		return FORBIDDEN_XRSTOR;
	return (p[2] & 0xf8) == 0xd8 ? FORBIDDEN_WRGSBASE : FORBIDDEN_NONE;
}

#define EACH(byte) (0x0101010101010101ULL * (byte))

/* Has v a byte that is zero? The lowest bit set is right, those above it may not be. */
static inline u64 zero_bytes(u64 v)
{
	return (v - EACH(0x01)) & ~v & EACH(0x80);
}

/*
 * Where w has a 0x0f and next, which is what follows it, a byte of forbidden sequences (01, ae), or also of system calls (05, 34). The lowest
 * bit set is right. Bytes that differ in one bit only are looked for together.
 */
static inline u64 pairs(u64 w, u64 next, bool calls)
{
	u64 not_0f = w ^ EACH(0x0f), ignored = calls ? EACH(0x04) : 0;
	u64 hit = zero_bytes(not_0f | ((next ^ EACH(0x01)) & ~ignored)) | zero_bytes(not_0f | (next ^ EACH(0xae)));

	return calls ? hit | zero_bytes(not_0f | (next ^ EACH(0x34))) : hit;
}

/* The next 0x0f in [p, end) with such a byte behind it, which may lie at end; NULL: none. Plain 0x0f are frequent, these are not. */
static inline const u8 *next_pair(const u8 *p, const u8 *end, bool calls)
{
	u64 w, next, hit;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, sizeof(w));
		memcpy(&next, p + 1, sizeof(next));
		hit = pairs(w, next, calls);
		if (hit)
			return p + __builtin_ctzll(hit) / 8;
	}
	for (; p < end; p++) {
		if (pairs(p[0], p[1], calls) & 0x80)
			return p;
	}
	return NULL;
}

enum forbidden scan_text(const u8 *p, size_t n, size_t *at)
{
	size_t i = *at;

	while (i + 2 < n) {
		const u8 *f = next_pair(p + i, p + n - 2, false);
		enum forbidden k;

		if (!f)
			break;
		k = match(f, n - (f - p));
		if (k) {
			*at = f - p;
			return k;
		}
		i = f - p + 1;
	}
	*at = n;
	return FORBIDDEN_NONE;
}

bool text_plain(const u8 *p, size_t n)
{
	return !next_pair(p, p + n - 1, true);
}
