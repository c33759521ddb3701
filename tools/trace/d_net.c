// SPDX-License-Identifier: Apache-2.0
// Sockets: addresses, messages, options.
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "printers.h"

#define V (d->a[i])

ARG(a_family)
{
	put_value(d, V, &n_family);
}

ARG(a_sock_type)
{
	uint32_t type = V & 0xf, flags = V & ~0xfu;

	if (d->o->raw) {
		put_number(d, (uint32_t)V);
		return;
	}
	if (put_known(d, type, &n_sock_type)) {
		if (flags)
			S("|");
	} else if (type && !flags) {
		put_value(d, type, &n_sock_type);
	} else if (type) {
		flags |= type;
	}
	if (flags || !V)
		put_names(d, flags, &n_sock_flags);
}

ARG(a_protocol)
{
	uint32_t family = d->a[0];

	if (family == AF_INET || family == AF_INET6)
		put_value(d, V, &n_ipproto);
	else if (family == AF_NETLINK)
		put_value(d, V, &n_netlink);
	else
		text_udec(d->t, V);
}

static void put_unix(struct dec *d, const struct sockaddr_un *u, uint32_t len)
{
	uint32_t n = len - 2;

	S("{sa_family=AF_UNIX");
	if (!n) {
		S("}");
		return;
	}
	S(", sun_path=");
	if (n > sizeof(u->sun_path))
		n = sizeof(u->sun_path);
	if (u->sun_path[0]) {
		text_quoted(d->t, u->sun_path, strnlen(u->sun_path, n), d->o);
	} else {
		S("@");
		text_quoted(d->t, u->sun_path + 1, n - 1, d->o);
	}
	S("}");
}

static void put_inet6(struct dec *d, const struct sockaddr_in6 *a)
{
	char b[INET6_ADDRSTRLEN];

	P("{sa_family=AF_INET6, sin6_port=htons(%u), sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"%s\", &sin6_addr), "
	  "sin6_scope_id=%u}",
	  ntohs(a->sin6_port), ntohl(a->sin6_flowinfo), inet_ntop(AF_INET6, &a->sin6_addr, b, sizeof(b)),
	  a->sin6_scope_id);
}

void put_sockaddr(struct dec *d, uint64_t addr, uint32_t len)
{
	uint32_t n = len < 128 ? len : 128;
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_nl nl;
		uint8_t b[128];
	} u = {0};
	const void *m = n >= 2 ? get(d, addr, n) : NULL;

	if (null_or_missing(d, addr, m))
		return;
	memcpy(&u, m, n);
	if (u.sa.sa_family == AF_UNIX) {
		put_unix(d, &u.un, n);
	} else if (u.sa.sa_family == AF_INET && n >= sizeof(u.in)) {
		char b[INET_ADDRSTRLEN];

		P("{sa_family=AF_INET, sin_port=htons(%u), sin_addr=inet_addr(\"%s\")}", ntohs(u.in.sin_port),
		  inet_ntop(AF_INET, &u.in.sin_addr, b, sizeof(b)));
	} else if (u.sa.sa_family == AF_INET6 && n >= 24) {
		put_inet6(d, &u.in6);
	} else if (u.sa.sa_family == AF_NETLINK && n >= sizeof(u.nl)) {
		P("{sa_family=AF_NETLINK, nl_pid=%u, nl_groups=%08x}", u.nl.nl_pid, u.nl.nl_groups);
	} else {
		S("{sa_family=");
		put_value(d, u.sa.sa_family, &n_family);
		if (n > 2) {
			S(", sa_data=");
			text_quoted(d->t, u.b + 2, n - 2, d->o);
		}
		S("}");
	}
}

/* an address: its length is the next argument */
ARG(a_sockaddr_in)
{
	put_sockaddr(d, V, (uint32_t)d->a[i + 1]);
}

ARG(a_sockaddr_out)
{
	const uint32_t *len = d->failed ? NULL : get(d, d->a[i + 1], 4), *room = get_in(d, d->a[i + 1], 4);

	if (!len || !V)
		put_addr(d, V);
	else if (room && *room < *len)
		put_sockaddr(d, V, *room);
	else
		put_sockaddr(d, V, *len);
}

ARG(a_socklen)
{
	const uint32_t *in = get_in(d, V, 4), *out = d->failed ? NULL : get(d, V, 4);

	if (null_or_missing(d, V, in))
		return;
	P("[%u", *in);
	if (out && *out != *in)
		P(" => %u", *out);
	S("]");
}

static void put_cmsg_data(struct dec *d, const struct cmsghdr *c, const uint8_t *data, uint64_t len)
{
	const int *v = (const int *)data;

	S(", cmsg_data=");
	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		S("[");
		for (uint64_t k = 0; k < len / 4; k++) {
			if (k)
				S(", ");
			if (k >= d->o->string_limit && !d->o->verbose) {
				S("...");
				break;
			}
			put_fd(d, v[k]);
		}
		S("]");
	} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS && len >= 12) {
		S("{pid=");
		put_pid(d, v[0]);
		P(", uid=%u, gid=%u}", v[1], v[2]);
	} else {
		text_quoted(d->t, data, len < d->o->string_limit ? len : d->o->string_limit, d->o);
	}
}

static void put_control(struct dec *d, uint64_t addr, uint64_t len)
{
	const struct cmsghdr *c;
	uint64_t at = 0, n;
	const uint8_t *m;

	if (!len)
		return;
	S(", msg_control=");
	if (len < sizeof(*c) || !addr || !get(d, addr, sizeof(*c))) {
		put_addr(d, addr);
		return;
	}
	S("[");
	while (at + sizeof(*c) <= len && (c = get(d, addr + at, sizeof(*c)))) {
		n = c->cmsg_len > len - at ? len - at : c->cmsg_len;
		P("%s{cmsg_len=%llu, cmsg_level=", at ? ", " : "", (unsigned long long)c->cmsg_len);
		put_value(d, (uint32_t)c->cmsg_level, &n_level);
		S(", cmsg_type=");
		if (c->cmsg_level == SOL_SOCKET)
			put_value(d, (uint32_t)c->cmsg_type, &n_cmsg_socket);
		else
			put_number(d, (uint32_t)c->cmsg_type);
		m = n > sizeof(*c) ? get(d, addr + at, n) : NULL;
		if (m)
			put_cmsg_data(d, c, m + sizeof(*c), n - sizeof(*c));
		S("}");
		if (c->cmsg_len < sizeof(*c))
			break;
		at += (n + 7) & ~7ull;
	}
	S("]");
}

struct user_msghdr {
	uint64_t name;
	uint32_t namelen, pad0;
	uint64_t iov, iovlen, control, controllen;
	uint32_t flags, pad1;
};

/* A message header at m, found at addr: data says how many bytes of its buffers count. */
static void put_msghdr(struct dec *d, uint64_t addr, const struct user_msghdr *m, uint64_t data)
{
	const struct user_msghdr *in = get_in(d, addr, sizeof(*in));
	uint32_t room = in ? in->namelen : m->namelen;

	S("{msg_name=");
	if (m->name && room)
		put_sockaddr(d, m->name, m->namelen < room ? m->namelen : room);
	else
		put_addr(d, m->name);
	if (d->exit && in && in->namelen != m->namelen)
		P(", msg_namelen=%u => %u, msg_iov=", in->namelen, m->namelen);
	else
		P(", msg_namelen=%u, msg_iov=", m->namelen);
	put_iov(d, m->iov, m->iovlen, data, true);
	P(", msg_iovlen=%llu", (unsigned long long)m->iovlen);
	put_control(d, m->control, m->controllen);
	P(", msg_controllen=%llu, msg_flags=", (unsigned long long)m->controllen);
	put_names(d, m->flags, &n_msg);
	S("}");
}

ARG(a_msg_in)
{
	const struct user_msghdr *m = get_in(d, V, sizeof(*m));

	if (!null_or_missing(d, V, m))
		put_msghdr(d, V, m, UINT64_MAX);
}

ARG(a_msg_out)
{
	const struct user_msghdr *m = d->failed ? NULL : get(d, V, sizeof(*m)), *in = get_in(d, V, sizeof(*in));

	if (m)
		put_msghdr(d, V, m, d->ret);
	else if (in && d->failed)
		P("{msg_namelen=%u}", in->namelen);
	else
		put_addr(d, V);
}

struct user_mmsghdr {
	struct user_msghdr hdr;
	uint32_t len, pad;
};

/* n headers, whose messages were captured before the call (in) or after it; len: they have lengths now */
static void put_mmsg(struct dec *d, uint64_t addr, uint64_t n, bool in, bool len)
{
	const struct user_mmsghdr *m, *after;
	uint64_t k, max = !d->o->verbose && n > d->o->string_limit ? d->o->string_limit : n;
	struct dec side = *d;

	side.exit = d->exit && !in;
	if (!n || !addr || !get(&side, addr, sizeof(*m))) {
		put_addr(d, addr);
		return;
	}
	S("[");
	for (k = 0; k < max; k++) {
		m = get(&side, addr + k * sizeof(*m), sizeof(*m));
		if (!m)
			break;
		text_str(d->t, k ? ", {msg_hdr=" : "{msg_hdr=");
		put_msghdr(&side, addr + k * sizeof(*m), &m->hdr, in ? UINT64_MAX : m->len);
		after = get(d, addr + k * sizeof(*m), sizeof(*m));
		if (len)
			P(", msg_len=%u", after ? after->len : m->len);
		S("}");
	}
	if (k < n)
		S(", ...");
	S("]");
}

ARG(a_mmsg_in)
{
	put_mmsg(d, V, d->failed ? (uint32_t)d->a[2] : (uint64_t)d->ret, true, !d->failed);
}

ARG(a_mmsg_out)
{
	if (d->failed)
		put_addr(d, V);
	else
		put_mmsg(d, V, d->ret, false, true);
}

void r_mmsg(struct dec *d)
{
	const int64_t *t = d->failed ? NULL : get(d, d->a[4], 16);

	if (!t)
		return;
	S(" (left ");
	put_timespec(d, t[0], t[1]);
	S(")");
}

ARG(a_optname)
{
	switch ((int)d->a[1]) {
	case SOL_SOCKET:
		put_value(d, V, &n_so);
		break;
	case 0:
		put_value(d, V, &n_ip);
		break;
	case 6:
		put_value(d, V, &n_tcp);
		break;
	case 17:
		put_value(d, V, &n_udp);
		break;
	case 41:
		put_value(d, V, &n_ip6);
		break;
	default:
		text_udec(d->t, (uint32_t)V);
	}
}

static void put_option(struct dec *d, uint64_t addr, uint32_t len)
{
	int opt = d->a[2];
	bool socket = (int)d->a[1] == SOL_SOCKET;
	const int *m = get(d, addr, len ? len : 1);

	if (!len || !addr || !m) {
		if (!len && addr)
			S("\"\"");
		else
			put_addr(d, addr);
		return;
	}
	if (socket && opt == SO_LINGER && len >= 8)
		P("{l_onoff=%d, l_linger=%d}", m[0], m[1]);
	else if (socket && opt == SO_PEERCRED && len >= 12)
		P("{pid=%d, uid=%u, gid=%u}", m[0], m[1], m[2]);
	else if (socket && (opt == 20 || opt == 21) && d->exit && len >= 16)
		put_buffer(d, addr, len);
	else if (len == 4)
		P("[%d]", m[0]);
	else
		put_buffer(d, addr, len);
}

ARG(a_opt_in)
{
	put_option(d, V, (uint32_t)d->a[4]);
}

ARG(a_opt_out)
{
	const uint32_t *len = d->failed ? NULL : get(d, d->a[4], 4);

	if (!len)
		put_addr(d, V);
	else
		put_option(d, V, *len);
}

ARG(a_optlen_out)
{
	a_socklen(d, i, p);
}
