// SPDX-License-Identifier: Apache-2.0
// Talks to running sandboxes over their control sockets; see host/control.h for the protocol.

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "client.h"

#define MAX_PACKET 65536

static int __attribute__((format(printf, 2, 3))) fail(struct client_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->gone = false;
	return -1;
}

static int __attribute__((format(printf, 2, 0))) gone(struct client_error *e, const char *fmt, const char *name)
{
	snprintf(e->text, sizeof(e->text), fmt, name);
	e->gone = true;
	return -1;
}

static int make_address(const struct client_entry *entry, struct sockaddr_un *a)
{
	int n;

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "husk/%u/%s", (unsigned)entry->uid, entry->name);
	return offsetof(struct sockaddr_un, sun_path) + 1 + n;
}

/* The descriptor, or -1 and errno: EAGAIN when nobody accepts. Another user's socket of a name like ours is no sandbox: ESRCH. */
static int connect_entry(const struct client_entry *entry, pid_t *pid)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;
	struct sockaddr_un a;
	socklen_t len = make_address(entry, &a), n;
	struct ucred u;

	if (fd < 0)
		return -1;
	n = sizeof(u);
	if (!connect(fd, (struct sockaddr *)&a, len) && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n)) {
		if (u.uid == entry->uid) {
			*pid = u.pid;
			return fd;
		}
		errno = ESRCH;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int client_open(const struct client_entry *entry, struct client *c, struct client_error *e)
{
	memset(c, 0, sizeof(*c));
	c->patience_ms = CLIENT_PATIENCE_MS;
	c->uid = entry->uid;
	snprintf(c->name, sizeof(c->name), "%s", entry->name);
	c->fd = connect_entry(entry, &c->pid);
	if (c->fd >= 0)
		return 0;
	c->refused = errno;
	if (errno == ECONNREFUSED || errno == ESRCH)
		return gone(e, "there is no running sandbox \"%s\"; see husk ps", entry->name);
	if (errno == EAGAIN)
		return fail(e, "the sandbox \"%s\" does not answer: its monitor is stopped or overloaded", entry->name);
	return fail(e, "cannot reach the sandbox \"%s\": %s", entry->name, strerror(errno));
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

int client_connect(const char *sandbox, struct client *c, struct client_error *e)
{
	struct client_entry entry;

	c->fd = -1;
	return client_resolve(sandbox, &entry, e) || client_open(&entry, c, e) ? -1 : 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* 0 when it may go on, -1 with ETIMEDOUT */
static int wait_for(int fd, short events, int ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	uint64_t end = now_ms() + ms, now;
	int r;

	do {
		now = now_ms();
		r = poll(&p, 1, now < end ? (int)(end - now) : 0);
	} while (r < 0 && errno == EINTR);
	if (!r)
		errno = ETIMEDOUT;
	return r > 0 ? 0 : -1;
}

static int lost(struct client *c, struct client_error *e)
{
	if (errno == ETIMEDOUT)
		return fail(e, "the sandbox \"%s\" does not answer: its monitor is stopped or overloaded", c->name);
	if (errno == EPIPE || errno == ECONNRESET)
		return gone(e, "the sandbox \"%s\" has ended, or has dropped the connection", c->name);
	return fail(e, "cannot talk to the sandbox \"%s\": %s", c->name, strerror(errno));
}

int client_send(struct client *c, const char *request, struct client_error *e)
{
	size_t n = strlen(request);

	for (;;) {
		if (send(c->fd, request, n, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || wait_for(c->fd, POLLOUT, c->patience_ms))
			return lost(c, e);
	}
}

static void take_fds(struct msghdr *m, struct client_answer *a)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
			if (a->nfds < CLIENT_MAX_FDS)
				a->fd[a->nfds++] = fd;
			else
				close(fd);
		}
	}
}

/* One packet, its text in buf and its descriptors in a. */
static ssize_t receive_packet(struct client *c, char *buf, size_t n, struct client_answer *a)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * CLIENT_MAX_FDS)];
		struct cmsghdr align;
	} u;
	struct iovec v = {buf, n};
	struct msghdr m;
	ssize_t r;

	for (;;) {
		m = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u)};
		r = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC);
		if (r >= 0)
			break;
		if (errno != EINTR && (errno != EAGAIN || wait_for(c->fd, POLLIN, c->patience_ms)))
			return -1;
	}
	take_fds(&m, a);
	errno = r ? EMSGSIZE : ECONNRESET;
	return !r || m.msg_flags & MSG_TRUNC ? -1 : r;
}

/* Another user's sandbox may answer what it likes: nothing of it may command the terminal that it is shown on. */
static void clean_text(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 32 || (unsigned char)*s > 126)
			*s = '?';
}

static void clean(struct json_object *o)
{
	char *s;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			clean(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			clean_text((char *)key);
			clean(value);
		}
	} else if (json_object_is_type(o, json_type_string)) {
		s = strdup(json_object_get_string(o));
		if (s)
			clean_text(s);
		json_object_set_string(o, s ?: "");
		free(s);
	}
}

int client_receive(struct client *c, struct client_answer *a, struct client_error *e)
{
	char *buf = malloc(MAX_PACKET + 1);
	ssize_t n;

	memset(a, 0, sizeof(*a));
	if (!buf)
		return fail(e, "out of memory");
	n = receive_packet(c, buf, MAX_PACKET, a);
	if (n < 0) {
		lost(c, e);
	} else {
		buf[n] = 0;
		a->object = json_tokener_parse(buf);
		if (c->uid != geteuid())
			clean(a->object);
		if (!json_object_is_type(a->object, json_type_object))
			fail(e, "the sandbox \"%s\" answered what is no JSON object", c->name);
		else if (!client_bool(a->object, "ok"))
			fail(e, "%s",
			     *client_string(a->object, "error") ? client_string(a->object, "error") : "it failed");
		else
			n = 0;
	}
	free(buf);
	if (!n)
		return 0;
	client_answer_free(a);
	return -1;
}

int client_call(struct client *c, const char *request, struct client_answer *a,
		void (*progress)(struct json_object *packet, void *arg), void *arg, struct client_error *e)
{
	memset(a, 0, sizeof(*a));
	if (client_send(c, request, e))
		return -1;
	for (;;) {
		if (client_receive(c, a, e))
			return -1;
		if (!client_bool(a->object, "more"))
			return 0;
		if (progress)
			progress(a->object, arg);
		client_answer_free(a);
	}
}

void client_answer_free(struct client_answer *a)
{
	if (a->object)
		json_object_put(a->object);
	for (unsigned i = 0; i < a->nfds; i++)
		if (a->fd[i] >= 0)
			close(a->fd[i]);
	memset(a, 0, sizeof(*a));
}

const char *client_string(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

uint64_t client_number(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_int)
		       ? json_object_get_uint64(v)
		       : 0;
}

bool client_bool(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_boolean) &&
	       json_object_get_boolean(v);
}
