// SPDX-License-Identifier: Apache-2.0
/*
 * Looking through pages of program text for the kernel, which has general registers only.
 *
 * The same question as text_plain() in arch/x86/scan.c: is there a 0x0f with 0x01, 0x05, 0x34 or 0xae behind it, at any offset? A
 * wrong yes would cost a scan, a wrong no would let a guest program touch its keys.
 */
#include "plain.h"
#include <emmintrin.h>
#include <stddef.h>

#define STEP 16

/* Bytes of v that are 0x0f and have one of the four in the same place of next. */
static inline __m128i pairs(__m128i v, __m128i next)
{
	__m128i first = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x0f));
	__m128i low = _mm_cmpeq_epi8(_mm_and_si128(next, _mm_set1_epi8((char)~0x04)), _mm_set1_epi8(0x01)); /* 01, 05 */
	__m128i sysenter = _mm_cmpeq_epi8(next, _mm_set1_epi8(0x34));
	__m128i xrstor = _mm_cmpeq_epi8(next, _mm_set1_epi8((char)0xae));

	return _mm_and_si128(first, _mm_or_si128(low, _mm_or_si128(sysenter, xrstor)));
}

static inline __m128i load(const unsigned char *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

bool plain_page(const unsigned char p[PLAIN_BYTES])
{
	const size_t last = PLAIN_BYTES - STEP;
	__m128i hit = _mm_setzero_si128(), v;

	for (size_t i = 0; i < last; i += STEP)
		hit = _mm_or_si128(hit, pairs(load(p + i), load(p + i + 1)));
	v = load(p + last);
	hit = _mm_or_si128(hit, pairs(v, _mm_srli_si128(v, 1)));
	return !_mm_movemask_epi8(hit) && p[PLAIN_BYTES - 1] != 0x0f;
}
