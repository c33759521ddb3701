// SPDX-License-Identifier: Apache-2.0
// A text that grows: appends without stdio, because each traced call makes one.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "decode.h"

void text_grow(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : 256;
	char *s;

	while (room - t->n < more)
		room *= 2;
	if (room == t->room)
		return;
	s = realloc(t->s, room);
	if (!s) {
		fputs("husk trace: no memory for a line of text\n", stderr);
		exit(1);
	}
	t->s = s;
	t->room = room;
}

void text_reset(struct text *t)
{
	t->n = 0;
}

void text_mem(struct text *t, const char *s, size_t n)
{
	if (t->room - t->n < n)
		text_grow(t, n);
	memcpy(t->s + t->n, s, n);
	t->n += n;
}

void text_str(struct text *t, const char *s)
{
	text_mem(t, s, strlen(s));
}

void text_char(struct text *t, char c)
{
	if (t->room == t->n)
		text_grow(t, 1);
	t->s[t->n++] = c;
}

void text_udec(struct text *t, uint64_t v)
{
	char b[20], *p = b + sizeof(b);

	do
		*--p = '0' + v % 10;
	while (v /= 10);
	text_mem(t, p, b + sizeof(b) - p);
}

void text_dec(struct text *t, int64_t v)
{
	if (v < 0) {
		text_char(t, '-');
		text_udec(t, -(uint64_t)v);
	} else {
		text_udec(t, v);
	}
}

void text_hex(struct text *t, uint64_t v)
{
	char b[16], *p = b + sizeof(b);

	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	text_mem(t, "0x", 2);
	text_mem(t, p, b + sizeof(b) - p);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	text_grow(t, 128);
	va_start(ap, fmt);
	n = vsnprintf(t->s + t->n, t->room - t->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->room - t->n) {
		text_grow(t, n + 1);
		va_start(ap, fmt);
		n = vsnprintf(t->s + t->n, t->room - t->n, fmt, ap);
		va_end(ap);
	}
	t->n += n;
}

static bool plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f;
}

static bool space(unsigned char c)
{
	return c >= '\t' && c <= '\r';
}

/* One byte after a backslash: as few octal digits as the next byte allows. Returns where the text goes on. */
static char *escape(char *to, unsigned char c, bool digit_follows)
{
	*to++ = '\\';
	if (c == '"' || c == '\\') {
		*to++ = c;
	} else if (space(c)) {
		*to++ = "tnvfr"[c - '\t'];
	} else {
		if (c >= 0100 || digit_follows)
			*to++ = '0' + (c >> 6);
		if (c >= 010 || digit_follows)
			*to++ = '0' + (c >> 3 & 7);
		*to++ = '0' + (c & 7);
	}
	return to;
}

void text_plain(struct text *t, const char *s, size_t n)
{
	char *to;

	text_grow(t, 4 * n);
	to = t->s + t->n;
	for (size_t i = 0; i < n; i++) {
		if (plain(s[i]))
			*to++ = s[i];
		else
			to = escape(to, s[i], i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '7');
	}
	t->n = to - t->s;
}

void text_quoted(struct text *t, const void *data, size_t n, const struct decode_options *o)
{
	const unsigned char *s = data;
	bool hex = o->hex_strings > 1;
	char *to;
	size_t i;

	for (i = 0; o->hex_strings == 1 && !hex && i < n; i++)
		hex = !plain(s[i]) && !space(s[i]);
	text_grow(t, 4 * n + 2); /* \377 for each byte at most */
	to = t->s + t->n;
	*to++ = '"';
	for (i = 0; i < n; i++) {
		unsigned char c = s[i];

		if (hex) {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = "0123456789abcdef"[c >> 4];
			*to++ = "0123456789abcdef"[c & 15];
		} else if (plain(c) && c != '"' && c != '\\') {
			*to++ = c;
		} else {
			to = escape(to, c, i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '7');
		}
	}
	*to++ = '"';
	t->n = to - t->s;
}
