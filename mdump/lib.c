// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: strings, numbers, memory.

#include <emmintrin.h>
#include <linux/mman.h>
#include "sys.h"

struct mdump_ctl *ctl, config;
const u8 *ram;

void *memcpy(void *to, const void *from, size_t n)
{
	void *r = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	return r;
}

void *memset(void *to, int c, size_t n)
{
	void *r = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return r;
}

void *memmove(void *to, const void *from, size_t n)
{
	u8 *t = to;
	const u8 *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool str_eq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

void str_copy(char *to, const char *from, size_t room)
{
	size_t i;

	for (i = 0; i + 1 < room; i++) {
		unsigned char c = *(volatile const char *)(from + i);

		if (!c || c == '\n')
			break;
		to[i] = c >= 32 && c < 127 ? c : '?';
	}
	memset(to + i, 0, room - i);
}

char *put_str(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	*p = 0;
	return p;
}

char *put_dec(char *p, u64 v, unsigned width)
{
	char buf[20];
	unsigned n = 0;

	do
		buf[n++] = '0' + v % 10;
	while (v /= 10);
	while (n < width && n < sizeof(buf))
		buf[n++] = '0';
	while (n)
		*p++ = buf[--n];
	*p = 0;
	return p;
}

char *put_hex(char *p, u64 v)
{
	int shift = 60;

	while (shift && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	*p = 0;
	return p;
}

/* Most pages that are not zero show it in their first line. */
bool is_zero_page(const void *page)
{
	const __m128i *p = page, zero = _mm_setzero_si128();

	for (unsigned i = 0; i < PAGE / 64; i++, p += 4) {
		__m128i v = _mm_or_si128(_mm_or_si128(p[0], p[1]), _mm_or_si128(p[2], p[3]));

		if (_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero)) != 0xffff)
			return false;
	}
	return true;
}

u64 now_ns(int clock)
{
	s64 ts[2] = {0, 0};

	sys(clock_gettime, clock, ts);
	return (u64)ts[0] * 1000000000 + ts[1];
}

void *mem_get(size_t n)
{
	long p = sys(mmap, 0, align_up(n, PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return is_err(p) ? NULL : (void *)p;
}

void mem_put(void *p, size_t n)
{
	if (p)
		sys(munmap, p, align_up(n, PAGE));
}
