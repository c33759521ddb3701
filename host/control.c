// SPDX-License-Identifier: Apache-2.0
// The control socket: who may ask, the connections, requests and their answers.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "run.h"

/**
 * DOC: connections
 *
 * All of it runs in the monitor's main loop and never waits: descriptors are non-blocking, an answer that a client has no room for
 * ends its connection, one request is served for each connection and turn. There is room for CONTROL_MAX_CONNS; when they are
 * all taken the longest idle one makes room, unless it waits for an answer, asked to be told of its end, or was busy a moment ago.
 * A connection is named by its slot and a count, so that a late answer never reaches the slot's next user.
 */
#define IDLE_NS 2000000000u
#define PAUSE_NS 100000000u /* no descriptor left for a connection: try again after this */
#define NAME_TRIES 100

struct conn {
	int fd; /* -1: free */
	unsigned count;
	unsigned waiting; /* answers that were put off */
	uint64_t last;	  /* CLOCK_MONOTONIC of the last request */
	void (*on_close)(struct sandbox *s, int conn);
};
static struct control {
	int fd;
	char name[CONTROL_NAME_MAX + 1];
	uint64_t paused; /* until then nobody is accepted */
	struct conn conn[CONTROL_MAX_CONNS];
} control = {.fd = -1};
static char request_text[CONTROL_MAX_PACKET], answer_text[CONTROL_MAX_PACKET], packet[CONTROL_MAX_PACKET];

static int conn_id(const struct conn *c)
{
	return (c->count & 0xffffff) << 6 | (c - control.conn);
}

static struct conn *conn_find(int id)
{
	struct conn *c = &control.conn[(id & 63) % CONTROL_MAX_CONNS];

	return id >= 0 && c->fd >= 0 && conn_id(c) == id ? c : NULL;
}

static void conn_close(struct sandbox *s, struct conn *c)
{
	void (*told)(struct sandbox *, int) = c->on_close;
	int id = conn_id(c);

	close(c->fd);
	c->fd = -1;
	c->on_close = NULL;
	c->waiting = 0;
	if (told)
		told(s, id);
}

/* letters, digits and "_.-", beginning with a letter or digit; not a number, which would be taken for a pid */
bool control_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", digits[] = "0123456789";
	char all[80];
	size_t n = strlen(name);

	snprintf(all, sizeof(all), "%s%s_.-", letters, digits);
	return n && n <= CONTROL_NAME_MAX && strspn(name, all) == n &&
	       (strchr(letters, *name) || strchr(digits, *name)) && strspn(name, digits) != n;
}

const char *control_name(struct sandbox *s)
{
	return control.name;
}

static int bind_name(int fd, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "husk/%u/%s", (unsigned)geteuid(), name);

	return bind(fd, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

/* husk-PID; containers that share a network may each have such a pid, so then husk-PID-2 and so on */
static int bind_default(int fd)
{
	char *name = control.name;

	snprintf(name, sizeof(control.name), "husk-%d", (int)getpid());
	for (int i = 2; bind_name(fd, name); i++) {
		if (errno != EADDRINUSE || i > NAME_TRIES)
			return -1;
		snprintf(name, sizeof(control.name), "husk-%d-%d", (int)getpid(), i);
	}
	return 0;
}

int control_open(struct sandbox *s, const char *name, struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc = -1;

	for (unsigned i = 0; i < CONTROL_MAX_CONNS; i++)
		control.conn[i].fd = -1;
	if (name)
		snprintf(control.name, sizeof(control.name), "%s", name);
	else
		snprintf(control.name, sizeof(control.name), "husk-%d", (int)getpid());
	if (fd >= 0)
		rc = name ? bind_name(fd, name) : bind_default(fd);
	if (rc && fd >= 0 && errno == EADDRINUSE && name) {
		close(fd);
		return err_set(e, 125, "the name \"%s\" is taken by a running sandbox; choose another, or see husk ps",
			       name);
	}
	if (!rc)
		rc = listen(fd, 64);
	if (!rc) {
		control.fd = fd;
		return 0;
	}
	if (name) /* asked for by name, so it will be missed */
		say("warning: no control socket: %s; husk ps and the like will not see this sandbox", strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

static bool may_ask(int fd)
{
	struct ucred u;
	socklen_t n = sizeof(u);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) && (u.uid == geteuid() || u.uid == 0);
}

/* One packet, or the connection's end: a client that does not read its answers is not waited for. */
static int send_packet(struct sandbox *s, struct conn *c, const char *text, size_t n, const int *fds, unsigned nfds)
{
	struct iovec v = {(void *)text, n};
	union {
		char buf[CMSG_SPACE(sizeof(int) * CONTROL_MAX_FDS)];
		struct cmsghdr align;
	} u;
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	struct cmsghdr *h;
	ssize_t r;

	if (nfds) {
		memset(&u, 0, sizeof(u));
		m.msg_control = u.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * nfds);
	}
	do {
		r = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (r < 0 && errno == EINTR);
	if (r == (ssize_t)n)
		return 0;
	conn_close(s, c);
	return -1;
}

static int send_error(struct sandbox *s, struct conn *c, const char *error)
{
	char text[1024] = "{\"ok\":false,\"error\":";
	size_t n = strlen(text);

	if (!control_json_quote(text + n, sizeof(text) - n - 2, error))
		strcpy(text + n, "\"unprintable\"");
	strcat(text, "}");
	return send_packet(s, c, text, strlen(text), NULL, 0);
}

static int send_members(struct sandbox *s, struct conn *c, const char *members, bool more,
			const struct control_request *r)
{
	int n = snprintf(packet, sizeof(packet), "{\"ok\":true%s%s%s}", more ? ",\"more\":true" : "",
			 *members ? "," : "", members);

	if (n >= (int)sizeof(packet))
		return send_error(s, c, "the answer does not fit into a packet");
	return send_packet(s, c, packet, n, r ? r->fd : NULL, r ? r->nfds : 0);
}

void control_add(struct control_request *r, const char *fmt, ...)
{
	size_t len = strlen(r->answer), room = r->answer_size - len;
	va_list ap;
	int n;

	if (len) {
		if (room < 2) {
			r->overflow = true;
			return;
		}
		r->answer[len++] = ',';
		r->answer[len] = 0;
		room--;
	}
	va_start(ap, fmt);
	n = vsnprintf(r->answer + len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		r->overflow = true;
}

void control_add_string(struct control_request *r, const char *name, const char *value)
{
	size_t len;

	control_add(r, "\"%s\":", name);
	len = strlen(r->answer);
	if (!control_json_quote(r->answer + len, r->answer_size - len, value))
		r->overflow = true;
}

void control_add_fd(struct control_request *r, int fd, bool close_it)
{
	if (r->nfds == CONTROL_MAX_FDS) {
		r->overflow = true;
		if (close_it)
			close(fd);
		return;
	}
	r->close_fds |= close_it ? 1u << r->nfds : 0;
	r->fd[r->nfds++] = fd;
}

int control_fail(struct control_request *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->error, sizeof(r->error), fmt, ap);
	va_end(ap);
	return -1;
}

int control_reply(struct sandbox *s, int conn, const char *members, const char *error)
{
	struct conn *c = conn_find(conn);

	if (!c)
		return -1;
	if (c->waiting)
		c->waiting--;
	return error ? send_error(s, c, error) : send_members(s, c, members ?: "", false, NULL);
}

int control_notify(struct sandbox *s, int conn, const char *members)
{
	struct conn *c = conn_find(conn);

	return c ? send_members(s, c, members, true, NULL) : -1;
}

bool control_alive(struct sandbox *s, int conn)
{
	return conn_find(conn);
}

static int run_command(struct control_request *r)
{
	char cmd[64];

	if (control_get_string(r->json, "cmd", cmd, sizeof(cmd)))
		return control_fail(r, "\"cmd\" must say what is wanted");
	for (const struct control_command *c = control_commands; c->name; c++)
		if (!strcmp(cmd, c->name))
			return c->fn(r);
	return control_fail(r, "there is no request \"%s\"", cmd);
}

/* request_text holds the request; the handler may have closed the connection, or reused the packet buffers, only through control_*() */
static void serve_request(struct sandbox *s, struct conn *c)
{
	struct control_request r = {
		.s = s, .json = request_text, .answer = answer_text, .answer_size = sizeof(answer_text)};
	int rc;

	r.conn = conn_id(c);
	*answer_text = 0;
	rc = run_command(&r);
	c = conn_find(r.conn);
	if (c && r.on_close)
		c->on_close = r.on_close;
	if (!c)
		; /* it ended meanwhile */
	else if (rc)
		send_error(s, c, *r.error ? r.error : "it failed");
	else if (r.later)
		c->waiting++;
	else if (r.overflow)
		send_error(s, c, "the answer does not fit into a packet");
	else
		send_members(s, c, answer_text, false, &r);
	for (unsigned i = 0; i < r.nfds; i++)
		if (r.close_fds & 1u << i)
			close(r.fd[i]);
}

/* Descriptors that a client sends along are dropped by the host, as there is no room for them. */
static void serve_conn(struct sandbox *s, struct conn *c)
{
	struct iovec v = {request_text, sizeof(request_text) - 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(s, c);
		return;
	}
	c->last = clock_ns();
	request_text[n] = 0;
	if (m.msg_flags & MSG_TRUNC)
		send_error(s, c, "the request is too long");
	else if (!control_json_valid(request_text, n))
		send_error(s, c, "a request is one flat JSON object");
	else
		serve_request(s, c);
}

/* A free place, if need be that of a connection that has been idle. */
static struct conn *free_conn(struct sandbox *s)
{
	struct conn *best = NULL;

	for (struct conn *c = control.conn; c < control.conn + CONTROL_MAX_CONNS; c++) {
		if (c->fd < 0)
			return c;
		if (!c->waiting && !c->on_close && (!best || c->last < best->last))
			best = c;
	}
	if (!best || clock_ns() - best->last < IDLE_NS)
		return NULL;
	conn_close(s, best);
	return best;
}

static void accept_one(struct sandbox *s)
{
	struct conn busy = {.fd = accept4(control.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)}, *c;

	if (busy.fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			control.paused = clock_ns() + PAUSE_NS;
		return;
	}
	if (!may_ask(busy.fd)) {
		close(busy.fd);
		return;
	}
	c = free_conn(s);
	if (!c) {
		if (!send_error(s, &busy, "too many connections; try again"))
			close(busy.fd);
		return;
	}
	c->fd = busy.fd;
	c->count++;
	c->last = clock_ns();
}

unsigned control_poll_fds(struct sandbox *s, struct pollfd *p, unsigned max)
{
	unsigned n = 0;

	if (control.fd < 0)
		return 0;
	if (n < max)
		p[n++] = (struct pollfd){.fd = clock_ns() < control.paused ? -1 : control.fd, .events = POLLIN};
	for (struct conn *c = control.conn; c < control.conn + CONTROL_MAX_CONNS && n < max; c++)
		if (c->fd >= 0)
			p[n++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	return n;
}

/* A descriptor may belong to another connection by the time it is its turn: then it is served a moment early, which does no harm. */
void control_serve(struct sandbox *s, const struct pollfd *p, unsigned n)
{
	control_stats_poll(s);
	for (unsigned i = 0; i < n; i++) {
		if (!p[i].revents || p[i].fd < 0)
			continue;
		if (p[i].fd == control.fd) {
			accept_one(s);
			continue;
		}
		for (struct conn *c = control.conn; c < control.conn + CONTROL_MAX_CONNS; c++)
			if (c->fd == p[i].fd) {
				serve_conn(s, c);
				break;
			}
	}
}

int control_timeout(struct sandbox *s)
{
	int ms = control_stats_timeout(s);

	if (control.fd < 0 || clock_ns() >= control.paused)
		return ms;
	return ms >= 0 && ms < (int)(PAUSE_NS / 1000000) ? ms : (int)(PAUSE_NS / 1000000);
}
