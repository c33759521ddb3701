// SPDX-License-Identifier: Apache-2.0
// The control socket's JSON: flat objects read without memory of their own, strings written.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "control.h"

/**
 * DOC: flat JSON
 *
 * Requests are flat objects: strings, numbers, true, false, null. One function, next_member(), reads a member and moves on; it is all
 * that looks at the text, so that what control_json_valid() accepted is what the getters see. The text ends at its NUL: no
 * function looks behind it.
 */
struct text {
	const char *p, *end;
};
struct token {
	char kind; /* '"', '0', 't', 'f', 'n' */
	const char *start;
	size_t len; /* a string's without its quotes */
};

static void skip_space(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
		t->p++;
}

static bool take(struct text *t, char c)
{
	skip_space(t);
	if (t->p >= t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* four hexadecimal digits at p, or -1 */
static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* the bytes of an escape behind its backslash, 0 if there is no such escape */
static size_t escape_length(const char *p, const char *end)
{
	if (p >= end)
		return 0;
	if (*p == 'u')
		return hex4(p + 1, end) < 0 ? 0 : 5;
	return *p && strchr("\"\\/bfnrt", *p) ? 1 : 0;
}

static bool take_string(struct text *t, struct token *tok)
{
	if (!take(t, '"'))
		return false;
	tok->kind = '"';
	tok->start = t->p;
	while (t->p < t->end && *t->p != '"') {
		size_t n = 1;

		if ((unsigned char)*t->p < 32)
			return false;
		if (*t->p == '\\') {
			n = escape_length(t->p + 1, t->end);
			if (!n)
				return false;
			n++;
		}
		t->p += n;
	}
	if (t->p >= t->end)
		return false;
	tok->len = t->p++ - tok->start;
	return true;
}

static size_t digits(struct text *t)
{
	const char *from = t->p;

	while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
		t->p++;
	return t->p - from;
}

static bool take_number(struct text *t, struct token *tok)
{
	tok->kind = '0';
	tok->start = t->p;
	if (*t->p == '-')
		t->p++;
	if (!digits(t))
		return false;
	if (t->p < t->end && *t->p == '.') {
		t->p++;
		if (!digits(t))
			return false;
	}
	if (t->p < t->end && (*t->p == 'e' || *t->p == 'E')) {
		t->p++;
		if (t->p < t->end && (*t->p == '+' || *t->p == '-'))
			t->p++;
		if (!digits(t))
			return false;
	}
	tok->len = t->p - tok->start;
	return true;
}

static bool take_word(struct text *t, struct token *tok)
{
	static const char *const words[] = {"true", "false", "null"};

	for (unsigned i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(t->end - t->p) >= n && !memcmp(t->p, words[i], n)) {
			*tok = (struct token){words[i][0], t->p, n};
			t->p += n;
			return true;
		}
	}
	return false;
}

static bool take_value(struct text *t, struct token *tok)
{
	skip_space(t);
	if (t->p >= t->end)
		return false;
	if (*t->p == '"')
		return take_string(t, tok);
	if (*t->p == '-' || (*t->p >= '0' && *t->p <= '9'))
		return take_number(t, tok);
	return take_word(t, tok);
}

/* 1: a member; 0: the end of the object; -1: not JSON, or not flat */
static int next_member(struct text *t, bool *first, struct token *name, struct token *value)
{
	if (take(t, '}'))
		return 0;
	if (!*first && !take(t, ','))
		return -1;
	*first = false;
	return take_string(t, name) && take(t, ':') && take_value(t, value) ? 1 : -1;
}

bool control_json_valid(const char *json, size_t len)
{
	struct text t = {json, json + len};
	struct token name, value;
	bool first = true;
	int r;

	if (memchr(json, 0, len) || !take(&t, '{'))
		return false;
	while ((r = next_member(&t, &first, &name, &value)) > 0)
		;
	skip_space(&t);
	return !r && t.p == t.end;
}

/* The bytes of one code point; 0 for one that no text may hold. */
static size_t put_utf8(unsigned c, char *out)
{
	if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x80) {
		out[0] = c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = 0xc0 | c >> 6;
		out[1] = 0x80 | (c & 63);
		return 2;
	}
	if (c < 0x10000) {
		out[0] = 0xe0 | c >> 12;
		out[1] = 0x80 | (c >> 6 & 63);
		out[2] = 0x80 | (c & 63);
		return 3;
	}
	out[0] = 0xf0 | c >> 18;
	out[1] = 0x80 | (c >> 12 & 63);
	out[2] = 0x80 | (c >> 6 & 63);
	out[3] = 0x80 | (c & 63);
	return 4;
}

/* One character of a string at *p, which moves on: its bytes, 0 for one that is refused. */
static size_t take_char(const char **p, const char *end, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *which;
	int c, low;

	if (**p != '\\') {
		out[0] = *(*p)++;
		return 1;
	}
	(*p)++;
	if (**p != 'u') {
		which = strchr(from, **p);
		out[0] = which ? to[which - from] : **p;
		(*p)++;
		return 1;
	}
	c = hex4(*p + 1, end);
	*p += 5;
	if (c >= 0xd800 && c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
		low = hex4(*p + 2, end);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*p += 6;
		}
	}
	return put_utf8(c, out);
}

/* The text of a string token; -1 if it does not fit or has a character that no C string can hold. */
static int unescape(const struct token *tok, char *out, size_t n)
{
	const char *p = tok->start, *end = p + tok->len;
	size_t len = 0, k;
	char c[4];

	while (p < end) {
		k = take_char(&p, end, c);
		if (!k || len + k >= n)
			return -1;
		memcpy(out + len, c, k);
		len += k;
	}
	if (!n)
		return -1;
	out[len] = 0;
	return 0;
}

static int find(const char *json, const char *want, struct token *value)
{
	struct text t = {json, json + strlen(json)};
	struct token name;
	char text[64];
	bool first = true;

	if (!take(&t, '{'))
		return -1;
	while (next_member(&t, &first, &name, value) > 0)
		if (!unescape(&name, text, sizeof(text)) && !strcmp(text, want))
			return 0;
	return -1;
}

int control_get_string(const char *json, const char *name, char *out, size_t n)
{
	struct token v;

	return find(json, name, &v) || v.kind != '"' ? -1 : unescape(&v, out, n);
}

/* A whole number that fits. */
int control_get_number(const char *json, const char *name, int64_t *out)
{
	struct token v;
	char text[24], *end;

	if (find(json, name, &v) || v.kind != '0' || v.len >= sizeof(text))
		return -1;
	memcpy(text, v.start, v.len);
	text[v.len] = 0;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno || *end ? -1 : 0;
}

int control_get_bool(const char *json, const char *name, bool *out)
{
	struct token v;

	if (find(json, name, &v) || (v.kind != 't' && v.kind != 'f'))
		return -1;
	*out = v.kind == 't';
	return 0;
}

/* The length of a well-formed UTF-8 sequence at p, 0 if it is none. */
static size_t utf8_length(const unsigned char *p)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : (*p & 0xf8) == 0xf0 ? 4 : 0;
	unsigned c;

	if (n < 2)
		return n;
	c = *p & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 63);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* One character as JSON has it; what is not UTF-8 becomes the replacement character. */
static size_t quote_char(const unsigned char *p, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef", from[] = "\b\f\n\r\t", to[] = "bfnrt";
	const char *which = strchr(from, *p);

	if (!n) {
		memcpy(out, "\\ufffd", 6);
		return 6;
	}
	if (*p == '"' || *p == '\\' || which) {
		out[0] = '\\';
		out[1] = which ? to[which - from] : *p;
		return 2;
	}
	if (*p < 32 || *p == 127) {
		memcpy(out, "\\u00", 4);
		out[4] = hex[*p >> 4];
		out[5] = hex[*p & 15];
		return 6;
	}
	memcpy(out, p, n);
	return n;
}

size_t control_json_quote(char *out, size_t n, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = 0, in, k;
	char c[8];

	if (n < 3)
		return 0;
	out[len++] = '"';
	while (*p) {
		in = utf8_length(p);
		k = quote_char(p, in, c);
		if (len + k + 2 > n)
			return 0;
		memcpy(out + len, c, k);
		len += k;
		p += in ?: 1;
	}
	out[len++] = '"';
	out[len] = 0;
	return len;
}
