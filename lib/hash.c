// SPDX-License-Identifier: Apache-2.0
/* Hash of a name in a directory, eight bytes at a time. */
#include <husk/string.h>

#define MIX 0x9e3779b97f4a7c15ULL

static inline u64 mix(u64 a, u64 b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (u64)m ^ (u64)(m >> 64);
}

/* @len < 8 bytes, without reading behind them */
static inline u64 load_tail(const char *p, unsigned int len)
{
	u32 a, b;

	if (len >= 4) {
		memcpy(&a, p, 4);
		memcpy(&b, p + len - 4, 4);
		return (u64)a << 32 | b;
	}
	if (!len)
		return 0;
	return (u64)(u8)p[0] << 16 | (u64)(u8)p[len / 2] << 8 | (u8)p[len - 1];
}

/**
 * hash_name - hash of a directory entry
 * @salt: the parent, so that one name in many directories spreads
 * Return: 64 bits, every one of them good.
 */
u64 hash_name(const void *salt, const char *name, unsigned int len)
{
	u64 h = (uintptr_t)salt ^ (MIX * (len + 1ULL)), w;

	for (; len >= 8; len -= 8, name += 8) {
		memcpy(&w, name, 8);
		h = mix(h ^ w, MIX);
	}
	return mix(h ^ load_tail(name, len), MIX ^ 0x2545f4914f6cdd1dULL);
}
