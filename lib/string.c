// SPDX-License-Identifier: Apache-2.0
/* Memory and string functions for the freestanding build. Hosted builds take them from libc. */
#define HUSK_STRING_IMPL
#include <husk/string.h>

#ifndef HUSK_HOSTED

/* GCC would turn the loops below into calls of the functions that they implement. */
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/**
 * DOC: copying
 *
 * No vector registers: user code's are live in them while the kernel runs. Up to 32 bytes are copied by loads that
 * may overlap, all done before the first store; so the same code serves memmove(). Medium sizes take a loop of four
 * words. Above REP_MIN the microcode of `rep movsb` (ERMS) is faster than any integer loop.
 */
#define REP_MIN 256

typedef u64 __attribute__((may_alias, aligned(1))) word;
typedef u32 __attribute__((may_alias, aligned(1))) half;
typedef u16 __attribute__((may_alias, aligned(1))) quarter;

/* n <= 32; source and target may overlap */
static __always_inline void copy_small(char *d, const char *s, size_t n)
{
	if (n >= 16) {
		word a = *(const word *)s, b = *(const word *)(s + 8);
		word y = *(const word *)(s + n - 16), z = *(const word *)(s + n - 8);

		*(word *)d = a;
		*(word *)(d + 8) = b;
		*(word *)(d + n - 16) = y;
		*(word *)(d + n - 8) = z;
	} else if (n >= 8) {
		word a = *(const word *)s, z = *(const word *)(s + n - 8);

		*(word *)d = a;
		*(word *)(d + n - 8) = z;
	} else if (n >= 4) {
		half a = *(const half *)s, z = *(const half *)(s + n - 4);

		*(half *)d = a;
		*(half *)(d + n - 4) = z;
	} else if (n >= 2) {
		quarter a = *(const quarter *)s, z = *(const quarter *)(s + n - 2);

		*(quarter *)d = a;
		*(quarter *)(d + n - 2) = z;
	} else if (n) {
		*d = *s;
	}
}

/* n > 32; correct for d < s too: every load is done before a store that could reach it */
static __always_inline void copy_forward(char *d, const char *s, size_t n)
{
	word t0 = *(const word *)(s + n - 32), t1 = *(const word *)(s + n - 24);
	word t2 = *(const word *)(s + n - 16), t3 = *(const word *)(s + n - 8);
	char *end = d + n;

	for (; n > 32; n -= 32, s += 32, d += 32) {
		word a = *(const word *)s, b = *(const word *)(s + 8);
		word c = *(const word *)(s + 16), e = *(const word *)(s + 24);

		*(word *)d = a;
		*(word *)(d + 8) = b;
		*(word *)(d + 16) = c;
		*(word *)(d + 24) = e;
	}
	*(word *)(end - 32) = t0;
	*(word *)(end - 24) = t1;
	*(word *)(end - 16) = t2;
	*(word *)(end - 8) = t3;
}

/* n > 32, d > s, overlapping */
static void copy_backward(char *d, const char *s, size_t n)
{
	word h0 = *(const word *)s, h1 = *(const word *)(s + 8);
	word h2 = *(const word *)(s + 16), h3 = *(const word *)(s + 24);
	char *start = d;

	s += n;
	d += n;
	for (; n > 32; n -= 32) {
		word a, b, c, e;

		s -= 32;
		d -= 32;
		a = *(const word *)s;
		b = *(const word *)(s + 8);
		c = *(const word *)(s + 16);
		e = *(const word *)(s + 24);
		*(word *)(d + 24) = e;
		*(word *)(d + 16) = c;
		*(word *)(d + 8) = b;
		*(word *)d = a;
	}
	*(word *)(start + 24) = h3;
	*(word *)(start + 16) = h2;
	*(word *)(start + 8) = h1;
	*(word *)start = h0;
}

void *memcpy(void *d, const void *s, size_t n)
{
	void *to = d;

	if (n <= 32)
		copy_small(d, s, n);
	else if (n < REP_MIN)
		copy_forward(d, s, n);
	else
		__asm__ __volatile__("rep movsb" : "+D"(to), "+S"(s), "+c"(n) : : "memory");
	return d;
}

void *memmove(void *d, const void *s, size_t n)
{
	if (n <= 32)
		copy_small(d, s, n);
	else if ((uintptr_t)d - (uintptr_t)s >= n && (uintptr_t)s - (uintptr_t)d >= n)
		memcpy(d, s, n);
	else if (d < s)
		copy_forward(d, s, n);
	else if (d > s)
		copy_backward(d, s, n);
	return d;
}

void *memset(void *d, int c, size_t n)
{
	word v = (u8)c * 0x0101010101010101ULL;
	char *p = d, *end = p + n;
	void *to = d;

	if (n >= REP_MIN) {
		__asm__ __volatile__("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
		return d;
	}
	if (n >= 8) {
		for (; end - p > 8; p += 8)
			*(word *)p = v;
		*(word *)(end - 8) = v;
	} else if (n >= 4) {
		*(half *)p = (u32)v;
		*(half *)(end - 4) = (u32)v;
	} else {
		for (; p < end; p++)
			*p = (char)c;
	}
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n >= 8; n -= 8, p += 8, q += 8) {
		word x = *(const word *)p, y = *(const word *)q;

		if (x != y) {
			x = __builtin_bswap64(x);
			y = __builtin_bswap64(y);
			return x < y ? -1 : 1;
		}
	}
	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

/* A word has a zero byte exactly when this is not 0; its lowest set bit is in the first one. */
static __always_inline u64 has_zero(u64 x)
{
	return (x - 0x0101010101010101ULL) & ~x & 0x8080808080808080ULL;
}

size_t strlen(const char *s)
{
	const char *p = s;
	u64 z;

	for (; (uintptr_t)p & 7; p++)
		if (!*p)
			return p - s;
	for (; !(z = has_zero(*(const word *)p)); p += 8)
		;
	return p - s + (__builtin_ctzll(z) >> 3);
}

size_t strnlen(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i]; i++)
		;
	return i;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--, a++, b++)
		;
	return n ? (u8)*a - (u8)*b : 0;
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

int strcasecmp(const char *a, const char *b)
{
	for (; *a && lower((u8)*a) == lower((u8)*b); a++, b++)
		;
	return lower((u8)*a) - lower((u8)*b);
}

char *strchrnul(const char *s, int c)
{
	for (; *s && *s != (char)c; s++)
		;
	return (char *)s;
}

char *strchr(const char *s, int c)
{
	char *p = strchrnul(s, c);

	return *p == (char)c ? p : NULL;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

char *strstr(const char *h, const char *n)
{
	size_t len = strlen(n);

	for (; (h = strchrnul(h, *n)) && (*h || !len); h++)
		if (!strncmp(h, n, len))
			return (char *)h;
	return NULL;
}

char *strcpy(char *d, const char *s)
{
	memcpy(d, s, strlen(s) + 1);
	return d;
}

char *strncpy(char *d, const char *s, size_t n)
{
	size_t len = strnlen(s, n);

	memcpy(d, s, len);
	memset(d + len, 0, n - len);
	return d;
}

char *strcat(char *d, const char *s)
{
	strcpy(d + strlen(d), s);
	return d;
}

#endif /* HUSK_HOSTED */
