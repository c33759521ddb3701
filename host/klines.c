// SPDX-License-Identifier: Apache-2.0
// File and line of the kernel functions that a report names, from the table in the kernel's file.

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "klines.h"

/*
 * DOC: who is trusted with what
 *
 * Lines of a report are the guest kernel's text, which is hostile: they are only compared and looked up, never believed. The table is a
 * part of the kernel's file, which may be damaged: every step through it is bounded. It is read when the first report comes; a
 * sandbox without one never pays for it. Format: docs/design/oops.md.
 */
#define TABLE_MAX ((uint64_t)16 << 20)
#define SECTIONS_MAX 256

struct table_head {
	char magic[8];
	uint32_t nfiles, files_bytes, nfuncs, funcs_bytes;
};

struct bytes {
	const unsigned char *p, *end;
	bool bad;
};

static uint64_t varint(struct bytes *b)
{
	uint64_t v = 0;

	for (unsigned shift = 0; b->p < b->end && shift < 63; shift += 7) {
		v |= (uint64_t)(*b->p & 127) << shift;
		if (*b->p++ < 128)
			return v;
	}
	b->bad = true;
	return 0;
}

/* ---- the table ---- */

static bool read_at(int fd, void *to, size_t n, uint64_t at)
{
	return at < INT64_MAX && pread(fd, to, n, (off_t)at) == (ssize_t)n;
}

/* The section .klines of the file; false: it has none. */
static bool find_section(int fd, uint64_t *at, uint64_t *size)
{
	Elf64_Shdr sh[SECTIONS_MAX], *names;
	Elf64_Ehdr eh;
	char name[8];

	if (!read_at(fd, &eh, sizeof(eh), 0) || memcmp(eh.e_ident, ELFMAG, SELFMAG) || eh.e_shentsize != sizeof(*sh) ||
	    !eh.e_shnum || eh.e_shnum > SECTIONS_MAX || eh.e_shstrndx >= eh.e_shnum ||
	    !read_at(fd, sh, eh.e_shnum * sizeof(*sh), eh.e_shoff))
		return false;
	names = &sh[eh.e_shstrndx];
	for (unsigned i = 0; i < eh.e_shnum; i++) {
		if (sh[i].sh_type != SHT_PROGBITS || sh[i].sh_name >= names->sh_size ||
		    !read_at(fd, name, sizeof(name), names->sh_offset + sh[i].sh_name) ||
		    memcmp(name, ".klines", sizeof(name)))
			continue;
		*at = sh[i].sh_offset;
		*size = sh[i].sh_size;
		return *size <= TABLE_MAX && *size >= sizeof(struct table_head);
	}
	return false;
}

static bool load(struct klines *k)
{
	struct table_head h;
	uint64_t at, size;
	char *data;

	k->tried = true;
	if (k->fd < 0 || !find_section(k->fd, &at, &size))
		return false;
	data = malloc(size);
	if (!data || !read_at(k->fd, data, size, at))
		goto bad;
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, "HKLINES1", 8) || !h.files_bytes ||
	    sizeof(h) + (uint64_t)h.files_bytes + h.funcs_bytes != size || data[sizeof(h) + h.files_bytes - 1])
		goto bad;
	k->data = data;
	k->files = data + sizeof(h);
	k->funcs = k->files + h.files_bytes;
	k->end = k->funcs + h.funcs_bytes;
	return true;
bad:
	free(data);
	return false;
}

static const char *file_name(const struct klines *k, uint64_t nr)
{
	const char *s = k->files;

	for (; nr && s < k->funcs; nr--)
		s += strlen(s) + 1;
	return s < k->funcs ? s : NULL;
}

/* The row of a function that holds its byte number off. */
static bool find_row(struct bytes rows, uint64_t off, uint64_t *file, uint64_t *line)
{
	uint64_t at = 0, nr = 0, to = 0;
	bool found = false;

	while (rows.p < rows.end) {
		uint64_t step = varint(&rows), delta;

		at += step >> 1;
		if (rows.bad || at > off)
			break;
		if (step & 1)
			nr = varint(&rows);
		delta = varint(&rows);
		if (rows.bad)
			break;
		to = delta & 1 ? to - (delta >> 1) : to + (delta >> 1);
		*file = nr;
		*line = to;
		found = true;
	}
	return found && *line && *line <= UINT32_MAX;
}

struct place {
	const char *name;
	size_t len;
	uint64_t off, size; /* name+off/size */
};

/* Several static functions may have one name; if their sizes are the same too and their lines are not, nobody knows. */
static bool look_up(struct klines *k, const struct place *p, uint64_t off, const char **file, unsigned *line)
{
	struct bytes f = {(const unsigned char *)k->funcs, (const unsigned char *)k->end, false};
	uint64_t nr = 0, at = 0, nr2 = 0, at2 = 0;
	bool found = false;

	while (f.p < f.end) {
		struct bytes rows;
		const unsigned char *name = f.p + 1;
		size_t len = *f.p;
		uint64_t size, n;

		if (len >= (size_t)(f.end - f.p))
			return false;
		f.p = name + len;
		size = varint(&f);
		n = varint(&f);
		if (f.bad || n > (uint64_t)(f.end - f.p))
			return false;
		rows = (struct bytes){f.p, f.p + n, false};
		f.p += n;
		if (len != p->len || size != p->size || memcmp(name, p->name, len) || off >= size)
			continue;
		if (!find_row(rows, off, &nr2, &at2) || (found && (nr2 != nr || at2 != at)))
			return false;
		nr = nr2;
		at = at2;
		found = true;
	}
	*file = found ? file_name(k, nr) : NULL;
	*line = (unsigned)at;
	return *file && **file;
}

/* ---- lines of a report ---- */

static bool hex(const char **s, const char *end, uint64_t *v)
{
	const char *from;

	if (end - *s < 3 || (*s)[0] != '0' || (*s)[1] != 'x')
		return false;
	*v = 0;
	for (from = *s += 2; *s < end && *s - from < 16; ++*s) {
		char c = **s;

		if (c >= '0' && c <= '9')
			*v = *v << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*v = *v << 4 | (unsigned)(c - 'a' + 10);
		else
			break;
	}
	return *s > from;
}

/* Is s, as a whole, "name+0x12/0x345"? */
static bool parse_symbol(const char *s, const char *end, struct place *p)
{
	const char *plus = memchr(s, '+', end - s);

	if (!plus || plus == s || memchr(s, ' ', plus - s))
		return false;
	p->name = s;
	p->len = plus - s;
	s = plus + 1;
	if (!hex(&s, end, &p->off) || s == end || *s++ != '/')
		return false;
	return hex(&s, end, &p->size) && s == end;
}

static const char *skip(const char *s, const char *end, char c)
{
	while (s < end && *s == c)
		s++;
	return s;
}

/* The symbol of a line "RIP: 0123456789abcdef symbol"; NULL: it is no such line. */
static const char *rip_symbol(const char *s, const char *end)
{
	if (end - s < 23 || memcmp(s, "RIP: ", 5) || s[21] != ' ')
		return NULL;
	return s + 22;
}

/*
 * Where the line's symbol begins, or NULL; *back: what stands there is a return address, whose call ended a byte before. A
 * trace begins with the instruction that RIP named, if it does not come from a call.
 */
static const char *symbol_of(struct klines *k, const char *s, const char *end, bool *back)
{
	bool first = k->trace_begins;
	const char *sym = rip_symbol(s, end);
	size_t n;

	k->trace_begins = end - s == 11 && !memcmp(s, "Call Trace:", 11);
	*back = !sym;
	if (sym) {
		n = end - sym;
		k->rip_len = n < sizeof(k->rip) ? n : 0;
		memcpy(k->rip, sym, k->rip_len);
		return sym;
	}
	if (s == end || *s != ' ')
		return NULL;
	s = skip(s, end, ' ');
	if (end - s > 2 && !memcmp(s, "? ", 2))
		s += 2;
	n = end - s;
	if (first && n == k->rip_len && !memcmp(s, k->rip, n))
		*back = false;
	return s;
}

/* Behind "[    0.011116] ", if the line begins so. */
static const char *skip_time(const char *s, const char *end)
{
	const char *p = s;

	if (p == end || *p != '[')
		return s;
	for (p++; p < end && (*p == ' ' || *p == '.' || (*p >= '0' && *p <= '9')); p++)
		;
	return end - p >= 2 && p[0] == ']' && p[1] == ' ' ? p + 2 : s;
}

size_t klines_note(struct klines *k, char *line, size_t n, size_t room)
{
	const char *end = line + n, *sym, *file;
	struct place p;
	unsigned nr;
	bool back;
	int more;

	sym = symbol_of(k, skip_time(line, end), end, &back);
	if (!sym || !parse_symbol(sym, end, &p) || (back && !p.off))
		return n;
	if (!k->data && (k->tried || !load(k)))
		return n;
	if (!look_up(k, &p, p.off - back, &file, &nr))
		return n;
	more = snprintf(line + n, room - n, " (%s:%u)", file, nr);
	return more > 0 && (size_t)more < room - n ? n + more : n;
}

void klines_free(struct klines *k)
{
	free(k->data);
	k->data = NULL;
}
