// SPDX-License-Identifier: Apache-2.0
// Printers of single values: numbers, flags, descriptors, strings, addresses; and the look-up of a call's captured memory.
#include <sys/stat.h>
#include "printers.h"

/* Structures are looked at in place; where a program put one at an odd address, in a copy that lasts for some look-ups. */
static const void *aligned(const uint8_t *p, size_t len)
{
	static _Thread_local uint64_t copy[8][512];
	static _Thread_local unsigned next;

	if (!((uintptr_t)p & 7) || len > sizeof(copy[0]))
		return p;
	return memcpy(copy[next++ % 8], p, len);
}

const void *call_mem(const struct call *c, uint64_t addr, size_t len, bool at_exit)
{
	for (unsigned i = 0; i < c->nblobs; i++) {
		const struct hostif_trace_blob *b = c->blob[i].head;

		if (c->blob[i].at_exit != at_exit || b->kind > TRACE_BLOB_STR || addr < b->addr)
			continue;
		if (len <= b->len && addr - b->addr <= b->len - len)
			return aligned(c->blob[i].data + (addr - b->addr), len);
	}
	return NULL;
}

/* As much as there is of len bytes at addr. */
static const void *mem_upto(struct dec *d, uint64_t addr, size_t *len, bool at_exit)
{
	const struct call *c = d->c;

	for (unsigned i = 0; i < c->nblobs; i++) {
		const struct hostif_trace_blob *b = c->blob[i].head;

		if (c->blob[i].at_exit != at_exit || b->kind > TRACE_BLOB_STR || addr < b->addr ||
		    addr - b->addr >= b->len)
			continue;
		if (*len > b->len - (addr - b->addr))
			*len = b->len - (addr - b->addr);
		return c->blob[i].data + (addr - b->addr);
	}
	return NULL;
}

long call_str(const struct call *c, uint64_t addr, bool at_exit, const char **s, bool *cut)
{
	for (unsigned i = 0; i < c->nblobs; i++) {
		const struct hostif_trace_blob *b = c->blob[i].head;

		if (c->blob[i].at_exit != at_exit || b->kind != TRACE_BLOB_STR || b->addr != addr)
			continue;
		*s = (const char *)c->blob[i].data;
		if (b->len && !(*s)[b->len - 1]) {
			*cut = false;
			return strnlen(*s, b->len);
		}
		*cut = true;
		return strnlen(*s, b->len);
	}
	return -1;
}

const void *get(struct dec *d, uint64_t addr, size_t len)
{
	return addr ? call_mem(d->c, addr, len, d->exit) : NULL;
}

const void *get_in(struct dec *d, uint64_t addr, size_t len)
{
	return addr ? call_mem(d->c, addr, len, false) : NULL;
}

void put_addr(struct dec *d, uint64_t addr)
{
	if (addr)
		text_hex(d->t, addr);
	else
		S("NULL");
}

bool null_or_missing(struct dec *d, uint64_t addr, const void *m)
{
	if (addr && m)
		return false;
	put_addr(d, addr);
	return true;
}

static void put_unknown(struct dec *d, uint64_t v, const struct names *n)
{
	if (v)
		text_hex(d->t, v);
	else
		text_char(d->t, '0');
	if (n->unknown)
		P(" /* %s */", n->unknown);
}

void put_number(struct dec *d, uint64_t v)
{
	if (v)
		text_hex(d->t, v);
	else
		text_char(d->t, '0');
}

void put_names(struct dec *d, uint64_t v, const struct names *n)
{
	uint64_t rest = n->wide ? v : (uint32_t)v;
	bool any = false;

	if (d->o->raw) {
		put_number(d, rest);
		return;
	}
	for (const struct name *t = n->t; t->s; t++) {
		if (t->v ? (rest & t->v) != t->v : rest || any)
			continue;
		if (any)
			text_char(d->t, '|');
		text_str(d->t, t->s);
		any = true;
		rest &= ~t->v;
		if (!rest)
			return;
	}
	if (!any) {
		if (rest)
			put_unknown(d, rest, n);
		else
			text_char(d->t, '0');
	} else if (rest) {
		text_char(d->t, '|');
		text_hex(d->t, rest);
	}
}

void put_names_after(struct dec *d, uint64_t v, const struct names *n)
{
	const struct names more = {n->t, NULL, n->wide};

	put_names(d, v, &more);
}

bool put_known(struct dec *d, uint64_t v, const struct names *n)
{
	v = n->wide ? v : (uint32_t)v;
	if (d->o->raw) {
		put_number(d, v);
		return true;
	}
	for (const struct name *t = n->t; t->s; t++)
		if ((n->wide ? t->v : (uint32_t)t->v) == v) {
			text_str(d->t, t->s);
			return true;
		}
	return false;
}

void put_value(struct dec *d, uint64_t v, const struct names *n)
{
	if (!put_known(d, v, n))
		put_unknown(d, n->wide ? v : (uint32_t)v, n);
}

void put_mode(struct dec *d, uint32_t mode)
{
	P("%#03o", mode & 0177777);
}

static void put_fd_path(struct dec *d, int fd)
{
	const struct call *c = d->c;

	for (unsigned i = 0; i < c->nblobs; i++) {
		const struct hostif_trace_blob *b = c->blob[i].head;

		if (b->kind != TRACE_BLOB_FDPATH || (int)b->addr != fd)
			continue;
		text_char(d->t, '<');
		for (uint32_t k = 0; k < b->len; k++) {
			unsigned char ch = c->blob[i].data[k];

			if (ch >= ' ' && ch < 0x7f && ch != '<' && ch != '>' && ch != '\\')
				text_char(d->t, ch);
			else
				P("\\%o", ch);
		}
		text_char(d->t, '>');
		return;
	}
}

void put_fd(struct dec *d, int fd)
{
	text_dec(d->t, fd);
	if (d->o->fd_paths && fd >= 0)
		put_fd_path(d, fd);
}

void put_dirfd(struct dec *d, int fd)
{
	if (fd != -100) {
		put_fd(d, fd);
		return;
	}
	S("AT_FDCWD");
	if (d->o->fd_paths)
		put_fd_path(d, fd);
}

void put_pid(struct dec *d, int pid)
{
	const char *comm;

	text_dec(d->t, pid);
	if (d->o->decode_pids && d->o->comm && pid > 0 && (comm = d->o->comm(pid)))
		P("<%s>", comm);
}

void put_uid(struct dec *d, uint32_t id)
{
	if (id == UINT32_MAX)
		S("-1");
	else
		text_udec(d->t, id);
}

void put_dev(struct dec *d, uint64_t major, uint64_t minor)
{
	P("makedev(%#lx, %#lx)", (unsigned long)major, (unsigned long)minor);
}

void put_string(struct dec *d, uint64_t addr)
{
	const char *s;
	bool cut;
	long n = addr ? call_str(d->c, addr, d->exit, &s, &cut) : -1;

	if (n < 0 && d->exit && addr)
		n = call_str(d->c, addr, false, &s, &cut);
	if (n < 0) {
		put_addr(d, addr);
		return;
	}
	if (n > (long)d->o->string_limit) {
		n = d->o->string_limit;
		cut = true;
	}
	text_quoted(d->t, s, n, d->o);
	if (cut)
		S("...");
}

void put_path(struct dec *d, uint64_t addr)
{
	const char *s;
	bool cut;
	long n = addr ? call_str(d->c, addr, false, &s, &cut) : -1;

	if (n < 0) {
		put_addr(d, addr);
		return;
	}
	text_quoted(d->t, s, cut && n > 4095 ? 4095 : n, d->o);
	if (cut)
		S("...");
}

void put_buffer(struct dec *d, uint64_t addr, uint64_t len)
{
	size_t n = len < d->o->string_limit ? len : d->o->string_limit, want = n;
	const void *m;

	if (!addr) {
		S("NULL");
		return;
	}
	if (!len) {
		S("\"\"");
		return;
	}
	m = want ? mem_upto(d, addr, &n, d->exit) : "";
	if (!m || n < want) {
		put_addr(d, addr);
		return;
	}
	text_quoted(d->t, m, n, d->o);
	if (len > n)
		S("...");
}

void put_field(struct dec *d, const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	text_quoted(d->t, s, n, d->o);
}

void put_timespec(struct dec *d, int64_t sec, int64_t nsec)
{
	S("{tv_sec=");
	text_dec(d->t, sec);
	S(", tv_nsec=");
	text_dec(d->t, nsec);
	S("}");
}

void put_timeval(struct dec *d, int64_t sec, int64_t usec)
{
	S("{tv_sec=");
	text_dec(d->t, sec);
	S(", tv_usec=");
	text_dec(d->t, usec);
	S("}");
}

#define V (d->a[i])

ARG(a_int)
{
	text_dec(d->t, (int)V);
}

ARG(a_uint)
{
	text_udec(d->t, (uint32_t)V);
}

ARG(a_long)
{
	text_dec(d->t, V);
}

ARG(a_ulong)
{
	text_udec(d->t, V);
}

ARG(a_hex)
{
	put_number(d, V);
}

ARG(a_hexint)
{
	put_number(d, (uint32_t)V);
}

ARG(a_addr)
{
	put_addr(d, V);
}

ARG(a_mode)
{
	put_mode(d, V);
}

ARG(a_fd)
{
	put_fd(d, V);
}

ARG(a_dirfd)
{
	put_dirfd(d, V);
}

ARG(a_pid)
{
	put_pid(d, V);
}

ARG(a_uid)
{
	put_uid(d, V);
}

ARG(a_path)
{
	put_path(d, V);
}

ARG(a_str)
{
	put_string(d, V);
}

ARG(a_flags)
{
	put_names(d, V, p);
}

ARG(a_value)
{
	put_value(d, V, p);
}

/* a_buf_in: as many bytes as the next argument says */
ARG(a_buf_in)
{
	put_buffer(d, V, d->a[i + 1]);
}

/* a_buf_out: as many bytes as the result says */
ARG(a_buf_out)
{
	if (d->failed)
		put_addr(d, V);
	else
		put_buffer(d, V, (uint64_t)d->ret < d->a[i + 1] ? (uint64_t)d->ret : d->a[i + 1]);
}

/* flags that are not where the arguments before them are counted */
ARG(a_flags_5)
{
	put_names(d, d->a[5], p);
}

/* getcwd's path, whole; its NUL is in the result */
ARG(a_cwd)
{
	const char *s = d->failed || d->ret < 1 ? NULL : get(d, V, d->ret);

	if (!null_or_missing(d, V, s))
		text_quoted(d->t, s, d->ret - 1, d->o);
}

ARG(a_signal)
{
	put_signal(d, V);
}
