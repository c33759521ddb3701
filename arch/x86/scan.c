// SPDX-License-Identifier: Apache-2.0
// Finding instructions that would change PKRU or the GS base, at any byte offset.

#include "text.h"

/**
 * DOC: what is looked for
 *
 *   0f 01 ef            wrpkru
 *   0f ae /5, memory    xrstor (with any prefix: REX.W makes it xrstor64)
 *   f3 [REX] 0f ae /3, register   wrgsbase
 * A sequence counts at every byte offset: user code can jump into the middle of an instruction. xrstors needs privilege.
 */
static enum forbidden match(const u8 *p, size_t left, const u8 *start)
{
	if (p[0] != 0x0f || left < 3)
		return FORBIDDEN_NONE;
	if (p[1] == 0x01)
		return p[2] == 0xef ? FORBIDDEN_WRPKRU : FORBIDDEN_NONE;
	if (p[1] != 0xae)
		return FORBIDDEN_NONE;
	if ((p[2] & 0x38) == 0x28 && (p[2] & 0xc0) != 0xc0)
		return FORBIDDEN_XRSTOR;
	if ((p[2] & 0x38) == 0x18 && (p[2] & 0xc0) == 0xc0) {
		if (p > start && p[-1] == 0xf3)
			return FORBIDDEN_WRGSBASE;
		if (p - 1 > start && (p[-1] & 0xf0) == 0x40 && p[-2] == 0xf3)
			return FORBIDDEN_WRGSBASE;
	}
	return FORBIDDEN_NONE;
}

enum forbidden scan_text(const u8 *p, size_t n, size_t *at)
{
	size_t i = *at;

	while (i + 2 < n) {
		const u8 *f = memchr(p + i, 0x0f, n - 2 - i);
		enum forbidden k;

		if (!f)
			break;
		k = match(f, n - (f - p), p);
		if (k) {
			*at = f - p;
			return k;
		}
		i = f - p + 1;
	}
	*at = n;
	return FORBIDDEN_NONE;
}
