// SPDX-License-Identifier: Apache-2.0
// The commonest calls on the shortest way: read, write and their like by the million, as decode_*() would print them.

#include <asm/unistd.h>
#include <string.h>
#include "print.h"

/* How many digits; written backwards into the end of buf. */
static inline unsigned digits(char *end, uint64_t v)
{
	char *p = end;

	do
		*--p = '0' + v % 10;
	while (v /= 10);
	return end - p;
}

static inline char *put_number(char *s, int64_t v)
{
	char buf[24], *end = buf + sizeof(buf);
	unsigned n;

	if (v >= 0 && v < 10) {
		*s++ = '0' + v;
		return s;
	}
	if (v < 0)
		*s++ = '-';
	n = digits(end, v < 0 ? -(uint64_t)v : (uint64_t)v);
	memcpy(s, end - n, n);
	return s + n;
}

bool fast_possible(const struct options *o)
{
	return !o->decode.raw && !o->decode.fd_paths && !o->stacks && !o->durations;
}

/* The buffer's text, if it is one that needs no thought: NUL bytes alone, or plain characters. False: somebody else's. */
static inline char *put_buffer(char *s, const uint8_t *p, uint32_t n, const struct options *o)
{
	if (o->decode.hex_strings)
		return NULL;
	*s++ = '"';
	for (uint32_t i = 0; i < n; i++) {
		if (p[i] >= ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
			*s++ = p[i];
		} else if (p[i] == '\n') {
			*s++ = '\\';
			*s++ = 'n';
		} else if (!p[i] && (i + 1 == n || p[i + 1] < '0' || p[i + 1] > '7')) {
			*s++ = '\\';
			*s++ = '0';
		} else {
			return NULL;
		}
	}
	*s++ = '"';
	return s;
}

/**
 * fast_call - print a call as a whole, its line begun already
 * @start: position of the line. Return: false if it is not one of the simple ones; nothing is printed then
 */
bool fast_call(struct out *out, uint64_t start, const struct hostif_trace_rec *r, const struct options *o)
{
	const struct hostif_trace_blob *b = (const void *)(r + 1);
	struct text *t = out_text(out);
	uint32_t len = 0;
	uint64_t column;
	char *s, *begin;

	if ((r->nr != __NR_read && r->nr != __NR_write) || r->type != TRACE_CALL || r->ret < 0 || (uint16_t)r->flags ||
	    r->nblobs > 1)
		return false;
	if (r->nblobs) {
		if (r->size < sizeof(*r) + sizeof(*b) || b->kind != TRACE_BLOB_MEM || b->addr != r->args[1] ||
		    b->len > r->size - sizeof(*r) - sizeof(*b))
			return false;
		len = b->len;
		if (len !=
		    (r->nr == __NR_read ? (uint64_t)r->ret : r->args[2])) /* cut, or not all of it could be read */
			return false;
	} else if (r->nr == __NR_write || r->ret) {
		return false;
	}
	text_grow(t, 4 * (size_t)len + o->column + 128);
	begin = s = t->s + t->n;
	memcpy(s, r->nr == __NR_read ? "read(" : "write(", 6);
	s = put_number(s + 6 - (r->nr == __NR_read), (int32_t)r->args[0]);
	*s++ = ',';
	*s++ = ' ';
	s = put_buffer(s, (const uint8_t *)(b + 1), len, o);
	if (!s)
		return false;
	*s++ = ',';
	*s++ = ' ';
	if (r->args[2] > INT64_MAX)
		return false;
	s = put_number(s, r->args[2]);
	*s++ = ')';
	column = out_position(out) - start + (s - begin);
	while (column + 1 < o->column) {
		*s++ = ' ';
		column++;
	}
	memcpy(s, " = ", 3);
	s = put_number(s + 3, r->ret);
	*s++ = '\n';
	t->n += s - begin;
	return true;
}
