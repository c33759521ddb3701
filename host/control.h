/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of a running sandbox: requests of husk ps, top, dump, trace and crash --live, answered by the monitor. */
#ifndef HOST_CONTROL_H
#define HOST_CONTROL_H

#include <stddef.h>
#include <stdint.h>

struct sandbox;

/**
 * DOC: control socket
 *
 * An abstract unix socket (SOCK_SEQPACKET) named "\0husk/UID/NAME": it goes with the monitor and leaves no file. The monitor
 * answers its own user and root only (SO_PEERCRED). A request is one packet: a JSON object whose "cmd" says what is wanted. The
 * answer is one packet: a JSON object with "ok": true, or "ok": false and "error": text; descriptors travel with it (SCM_RIGHTS).
 * A connection stays open for further requests. The monitor's main loop serves it, so a handler must not block.
 */
#define CONTROL_MAX_FDS 4
#define CONTROL_MAX_PACKET 65536

/**
 * struct control_request - one request and the answer being built
 * @json: the request's text, NUL-terminated. @answer: room for the answer's members, without the braces: "\"pid\": 7"
 * @fd: descriptors to send; @close_fds: bit n: close fd[n] once sent. @conn: the connection, for what must answer later (keep it, set @later)
 */
struct control_request {
	struct sandbox *s;
	const char *json;
	char *answer;
	size_t answer_size;
	int fd[CONTROL_MAX_FDS];
	unsigned nfds, close_fds;
	int conn;
	int later;
	char error[256]; /* set it and return -1 */
};
typedef int (*control_fn)(struct control_request *r);
struct control_command {
	const char *name;
	control_fn fn;
};
/* The table is in control.c; each subsystem of the monitor adds a line to it. */

/* A member of a flat JSON object; -1 if it is not there. Strings are unescaped. */
int control_get_string(const char *json, const char *name, char *out, size_t n);
int control_get_number(const char *json, const char *name, int64_t *out);

/* control.c */
int control_open(struct sandbox *s, const char *name); /* before monitor_confine(); the listening descriptor, or -1: goes on without */
void control_accept(struct sandbox *s);		       /* main loop: the listening socket is readable */
unsigned control_poll_fds(struct sandbox *s, void *pollfds, unsigned max); /* adds connections to the main loop's poll set */
void control_serve(struct sandbox *s, const void *pollfds, unsigned n);

#endif
