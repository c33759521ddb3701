// SPDX-License-Identifier: Apache-2.0
// Waiting for descriptors, and vectors of buffers: poll, select, epoll, readv.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include "printers.h"

#define V (d->a[i])

/* How many elements of an array are shown. */
static uint64_t shown(struct dec *d, uint64_t n)
{
	return !d->o->verbose && n > d->o->string_limit ? d->o->string_limit : n;
}

ARG(a_pollfds)
{
	uint32_t n = d->a[i + 1];
	uint64_t k, max = shown(d, n);
	const struct pollfd *f;

	if (!V || !n) {
		if (V)
			S("[]");
		else
			S("NULL");
		return;
	}
	for (k = 0; k < max; k++) {
		f = get_in(d, V + k * sizeof(*f), sizeof(*f));
		if (!f) {
			if (k)
				P(", ... /* %#llx */", (unsigned long long)(V + k * sizeof(*f)));
			else
				put_addr(d, V);
			break;
		}
		text_str(d->t, k ? ", {fd=" : "[{fd=");
		put_fd(d, f->fd);
		if (f->fd >= 0) {
			S(", events=");
			put_names(d, (uint16_t)f->events, &n_poll);
		}
		S("}");
	}
	if (k == max && k < n)
		S(", ...");
	if (k)
		S("]");
}

/* What poll found, after its result; and what ppoll leaves of its time. */
static void result(struct dec *d, bool nano)
{
	uint32_t n = d->a[1];
	const struct pollfd *p;
	const int64_t *t;
	uint64_t shown_n = 0;

	if (d->failed)
		return;
	if (!d->ret) {
		S(" (Timeout)");
		return;
	}
	S(" ([");
	for (uint64_t k = 0; k < n && (p = get(d, d->a[0] + k * sizeof(*p), sizeof(*p))); k++) {
		if (!p->revents)
			continue;
		if (shown_n)
			S(", ");
		if (shown_n++ >= d->o->string_limit && !d->o->verbose) {
			S("...");
			break;
		}
		S("{fd=");
		put_fd(d, p->fd);
		S(", revents=");
		put_names(d, (uint16_t)p->revents, &n_poll);
		S("}");
	}
	S("]");
	t = nano ? get(d, d->a[2], 16) : NULL;
	if (t) {
		S(", left ");
		put_timespec(d, t[0], t[1]);
	}
	S(")");
}

void r_poll(struct dec *d)
{
	result(d, false);
}

void r_ppoll(struct dec *d)
{
	result(d, true);
}

/* Members of a set, at least one to be shown if only is set; false if there is none. */
static bool put_fdset(struct dec *d, uint64_t addr, int nfds, bool only, const char *before)
{
	uint64_t bytes = nfds > 0 ? ((uint64_t)nfds + 63) / 64 * 8 : 0, limit = bytes < 128 ? bytes : 128;
	const uint8_t *m = limit ? get(d, addr, limit) : NULL;
	bool any = false;

	if (!m)
		return false;
	for (uint64_t k = 0; k < limit * 8 && k < (uint64_t)nfds; k++) {
		if (!(m[k / 8] & 1 << k % 8))
			continue;
		if (any)
			S(" ");
		else
			P("%s[", before);
		any = true;
		put_fd(d, k);
	}
	if (!any && only)
		return false;
	if (!any)
		P("%s[", before);
	S("]");
	return true;
}

ARG(a_fdset)
{
	int nfds = d->a[0];

	if (!V)
		S("NULL");
	else if (nfds < 0 || !put_fdset(d, V, nfds, false, ""))
		put_addr(d, V);
}

static void select_result(struct dec *d, bool nano)
{
	static const char *const name[] = {"in ", "out ", "except "};
	const int64_t *t;
	const char *before = " (";

	if (d->failed)
		return;
	if (!d->ret) {
		S(" (Timeout)");
		return;
	}
	for (int k = 0; k < 3; k++) {
		char b[16];

		snprintf(b, sizeof(b), "%s%s", before, name[k]);
		if (d->a[k + 1] && put_fdset(d, d->a[k + 1], d->a[0], true, b))
			before = ", ";
	}
	t = get(d, d->a[4], 16);
	if (t) {
		P("%sleft ", before);
		before = ", ";
		if (nano)
			put_timespec(d, t[0], t[1]);
		else
			put_timeval(d, t[0], t[1]);
	}
	if (*before == ',')
		S(")");
}

void r_select(struct dec *d)
{
	select_result(d, false);
}

void r_pselect(struct dec *d)
{
	select_result(d, true);
}

ARG(a_pselect_mask)
{
	const uint64_t *m = get_in(d, V, 16), *set;

	if (null_or_missing(d, V, m))
		return;
	S("{sigmask=");
	set = m[1] == 8 ? get_in(d, m[0], 8) : NULL;
	if (!null_or_missing(d, m[0], set))
		put_sigset(d, *set);
	P(", sigsetsize=%llu}", (unsigned long long)m[1]);
}

static void put_event(struct dec *d, const struct epoll_event *e)
{
	S("{events=");
	put_names(d, e->events, &n_epoll);
	P(", data={u32=%u, u64=%llu}}", e->data.u32, (unsigned long long)e->data.u64);
}

ARG(a_epoll_events)
{
	const struct epoll_event *e;
	uint64_t n = d->ret, max = shown(d, n), k;

	if (d->failed || (!V)) {
		put_addr(d, V);
		return;
	}
	for (k = 0; k < max; k++) {
		e = get(d, V + k * sizeof(*e), sizeof(*e));
		if (!e)
			break;
		text_str(d->t, k ? ", " : "[");
		put_event(d, e);
	}
	if (!n)
		S("[");
	else if (!k)
		put_addr(d, V);
	else if (k < n)
		S(", ...");
	if (k || !n)
		S("]");
}

ARG(a_epoll_event)
{
	const struct epoll_event *e = get_in(d, V, sizeof(*e));

	if ((uint32_t)d->a[1] == EPOLL_CTL_DEL || null_or_missing(d, V, e)) {
		if ((uint32_t)d->a[1] == EPOLL_CTL_DEL)
			put_addr(d, V);
		return;
	}
	put_event(d, e);
}

ARG(a_fd_pair)
{
	const int *pair = d->failed ? NULL : get(d, V, 8);

	if (null_or_missing(d, V, pair))
		return;
	S("[");
	put_fd(d, pair[0]);
	S(", ");
	put_fd(d, pair[1]);
	S("]");
}

/* n vectors; of their buffers total bytes count. Not deep: only where they are */
void put_iov(struct dec *d, uint64_t addr, uint64_t n, uint64_t total, bool deep)
{
	const struct iovec *v;
	uint64_t k, len, max = shown(d, n);

	if (!addr) {
		S("NULL");
		return;
	}
	if (!n) {
		S("[]");
		return;
	}
	for (k = 0; k < max; k++) {
		v = call_mem(d->c, addr + k * sizeof(*v), sizeof(*v), d->exit);
		if (!v)
			v = call_mem(d->c, addr + k * sizeof(*v), sizeof(*v), false);
		if (!v && k)
			P(", ... /* %#llx */", (unsigned long long)(addr + k * sizeof(*v)));
		if (!v && !k)
			put_addr(d, addr);
		if (!v)
			break;
		text_str(d->t, k ? ", {iov_base=" : "[{iov_base=");
		len = v->iov_len < total ? v->iov_len : total;
		if (deep)
			put_buffer(d, (uint64_t)v->iov_base, len);
		else
			put_addr(d, (uint64_t)v->iov_base);
		total -= total == UINT64_MAX ? 0 : len;
		P(", iov_len=%llu}", (unsigned long long)v->iov_len);
	}
	if (k && k == max && k < n)
		S(", ...");
	if (k)
		S("]");
}

ARG(a_iov_in)
{
	put_iov(d, V, d->a[i + 1], UINT64_MAX, true);
}

ARG(a_iov_out)
{
	put_iov(d, V, d->a[i + 1], d->failed ? UINT64_MAX : d->ret, !d->failed);
}

ARG(a_iov_addr)
{
	put_iov(d, V, d->a[i + 1], UINT64_MAX, false);
}
