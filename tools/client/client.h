/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the control socket: finds running sandboxes, asks them. For husk-top, husk-trace and husk-crash. */
#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENT_PATIENCE_MS 2000
#define CLIENT_MAX_FDS 4

/* Why something failed: one line for people. @gone: there is no such sandbox, or no longer. */
struct client_error {
	bool gone;
	char text[512];
};

/* A sandbox that listens. Others' and dead ones are not among them. */
struct client_entry {
	char name[64];
	uid_t uid;
	pid_t pid; /* of its monitor */
};

/**
 * struct client - a connection to one sandbox
 * @patience_ms: how long client_call() waits for each packet. @refused: errno of a client_open() that failed
 */
struct client {
	int fd;
	char name[64];
	uid_t uid;
	pid_t pid;
	int patience_ms;
	int refused;
};

/**
 * struct client_answer - what came back
 * @object: the whole answer, freed by client_answer_free() with what is left of @fd; take a descriptor by setting it to -1
 */
struct client_answer {
	struct json_object *object;
	int fd[CLIENT_MAX_FDS];
	unsigned nfds;
};

/* client_list: the caller's sandboxes, or all that it may ask (@all), by pid. An array for free(); -1 with the reason. */
int client_list(bool all, struct client_entry **list, size_t *n, struct client_error *e);
/* client_resolve: SANDBOX on a command line: a name (root: also UID/NAME), the monitor's pid, or what only one name begins with. */
int client_resolve(const char *sandbox, struct client_entry *out, struct client_error *e);
/* client_open: connects to one of a list. client_connect: resolves SANDBOX first. 0, or -1 with the reason. */
int client_open(const struct client_entry *entry, struct client *c, struct client_error *e);
int client_connect(const char *sandbox, struct client *c, struct client_error *e);
void client_close(struct client *c);

/**
 * client_call - ask, and wait for the answer
 * @request: JSON, e.g. "{\"cmd\":\"info\"}". @progress: called with each packet that says "more", or NULL
 * Return: 0; -1 with the reason, which is the sandbox's own where it refused
 */
int client_call(struct client *c, const char *request, struct client_answer *a,
		void (*progress)(struct json_object *packet, void *arg), void *arg, struct client_error *e);
/* client_send, client_receive: the two halves of it, to ask many at once. -1 also when nothing came in time. */
int client_send(struct client *c, const char *request, struct client_error *e);
int client_receive(struct client *c, struct client_answer *a, struct client_error *e);
void client_answer_free(struct client_answer *a);

/* Members of an answer; defaults where they are missing or of another kind: nothing that comes from outside is trusted. */
const char *client_string(struct json_object *o, const char *name); /* "" */
uint64_t client_number(struct json_object *o, const char *name);    /* 0 */
bool client_bool(struct json_object *o, const char *name);

#endif
