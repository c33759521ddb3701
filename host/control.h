/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of a running sandbox: requests of husk ps, top, dump, trace and crash --live, answered by the monitor. */
#ifndef HOST_CONTROL_H
#define HOST_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sandbox.h"

struct sandbox;

/**
 * DOC: control socket
 *
 * An abstract unix socket (SOCK_SEQPACKET) named "\0husk/UID/NAME": it goes with the monitor and leaves no file. The monitor
 * answers its own user and root only (SO_PEERCRED). A request is one packet: a flat JSON object whose "cmd" says what is wanted. The
 * answer is one packet: a JSON object with "ok": true, or "ok": false and "error": text; descriptors travel with it (SCM_RIGHTS).
 * A connection stays open for further requests. The monitor's main loop serves it, so a handler must not block.
 */
#define CONTROL_MAX_FDS 4
#define CONTROL_MAX_PACKET 65536
#define CONTROL_MAX_CONNS 32
#define CONTROL_NAME_MAX 63

/**
 * struct control_request - one request and the answer being built
 * @json: the request's text, NUL-terminated, checked: one flat object
 * @answer: the answer's members so far, NUL-terminated, without the braces: "\"pid\": 7"; control_add*() append to it
 * @fd: descriptors to send; @close_fds: bit n: close fd[n] once sent, whatever the outcome
 * @conn: names the connection, also after it was closed: for what must answer later (keep it, set @later, control_reply())
 * @on_close: set it to be told when this connection ends; one for each connection, the last one set counts
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
	bool overflow; /* the answer did not fit; the client is told */
	void (*on_close)(struct sandbox *s, int conn);
	char error[256]; /* set it and return -1 */
};
typedef int (*control_fn)(struct control_request *r);
struct control_command {
	const char *name;
	control_fn fn;
};
extern const struct control_command control_commands[]; /* control_table.c: a line for each; a NULL name ends it */

/* control_json.c. A member of the request; -1 if it is not there or of another kind. Strings are unescaped; one that does not fit is -1. */
int control_get_string(const char *json, const char *name, char *out, size_t n);
int control_get_number(const char *json, const char *name, int64_t *out);
int control_get_bool(const char *json, const char *name, bool *out);
bool control_json_valid(const char *json, size_t len); /* one flat object, and nothing after it */
size_t control_json_quote(char *out, size_t n,
			  const char *text); /* with its quotes; bytes it takes, 0 when it does not fit */

/* Members of the answer, with the comma between them. */
void control_add(struct control_request *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* JSON text: "\"pid\":%d" */
void control_add_string(struct control_request *r, const char *name, const char *value);
void control_add_fd(struct control_request *r, int fd, bool close_it);
int control_fail(struct control_request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* -1 */

/*
 * An answer that was put off. @members: as in control_request.answer, or NULL; @error: NULL, or why it failed. control_notify() sends
 * a packet with "more": true before it (progress). 0, or -1 when the connection is gone: nobody waits any longer.
 */
int control_reply(struct sandbox *s, int conn, const char *members, const char *error);
int control_notify(struct sandbox *s, int conn, const char *members);
bool control_alive(struct sandbox *s, int conn);

/* control.c */
bool control_name_valid(const char *name);
/* control_open: before monitor_confine(). @name: NULL for husk-PID. 0, also where the host refuses such sockets and the sandbox goes on without; -1: it is taken. */
int control_open(struct sandbox *s, const char *name, struct err *e);
const char *control_name(struct sandbox *s); /* the sandbox's name */
unsigned control_poll_fds(struct sandbox *s, struct pollfd *p,
			  unsigned max); /* adds the socket and its connections to the main loop's poll set */
void control_serve(struct sandbox *s, const struct pollfd *p,
		   unsigned n);		/* after poll(): what has come, and what is due */
int control_timeout(struct sandbox *s); /* milliseconds until control_serve() has something due; -1: never */

/* control_info.c */
int control_info(struct control_request *r);   /* who and what this sandbox is */
int control_ram(struct control_request *r);    /* RAM's descriptor; "rw": true for a writable one */
int control_kernel(struct control_request *r); /* the descriptor of the kernel's ELF file, as it was loaded */

/* control_stats.c */
int control_stats(struct control_request *r); /* counters, refreshed by the kernel */
int control_kill(struct control_request *r);  /* "pid", "sig": a signal to a task of the guest */
void control_stats_poll(struct sandbox *s);   /* answers what the kernel has answered, or what waited too long */
int control_stats_timeout(struct sandbox *s);

#endif
