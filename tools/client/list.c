// SPDX-License-Identifier: Apache-2.0
// Which sandboxes run, and which of them a word on the command line means.

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client.h"

#define ABSTRACT "@husk/"
#define LISTENING 0x10000 /* __SO_ACCEPTCON in the column of flags */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static int __attribute__((format(printf, 2, 3))) fail(struct client_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->gone = false;
	return -1;
}

/* A line of /proc/net/unix: is it the listening socket of a sandbox? Anybody may choose odd names for sockets. */
static bool parse_line(const char *line, struct client_entry *out)
{
	unsigned flags, type;
	unsigned long uid;
	const char *at;
	char *end;
	size_t n;

	if (sscanf(line, "%*[^:]: %*x %*x %x %x", &flags, &type) != 2 || !(flags & LISTENING) || type != SOCK_SEQPACKET)
		return false;
	at = strstr(line, ABSTRACT);
	if (!at)
		return false;
	at += strlen(ABSTRACT);
	uid = strtoul(at, &end, 10);
	if (end == at || *end != '/' || uid > UINT32_MAX)
		return false;
	n = strspn(++end, LETTERS);
	if (!n || n >= sizeof(out->name) || (end[n] && end[n] != '\n'))
		return false;
	memset(out, 0, sizeof(*out));
	out->uid = uid;
	memcpy(out->name, end, n);
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct client_entry *x = a, *y = b;

	return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid) : strcmp(x->name, y->name);
}

/* Keeps those that are there still and really are their user's. */
static size_t check(struct client_entry *list, size_t n)
{
	struct client_error ignored;
	struct client c;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (client_open(&list[i], &c, &ignored)) {
			if (c.refused != EAGAIN) /* one that is stopped is there all the same */
				continue;
			c.pid = 0;
		}
		list[kept] = list[i];
		list[kept++].pid = c.pid;
		client_close(&c);
	}
	return kept;
}

int client_list(bool all, struct client_entry **list, size_t *n, struct client_error *e)
{
	FILE *f = fopen("/proc/net/unix", "re");
	struct client_entry one, *more;
	char *line = NULL;
	size_t room = 0, size = 0;

	*list = NULL;
	*n = 0;
	if (!f)
		return fail(e, "cannot list the running sandboxes: /proc/net/unix: %s", strerror(errno));
	while (getline(&line, &size, f) > 0) {
		if (!parse_line(line, &one) || (one.uid != geteuid() && (!all || geteuid())))
			continue;
		if (*n == room) {
			room = room ? 2 * room : 16;
			more = realloc(*list, room * sizeof(**list));
			if (!more) {
				free(*list);
				*list = NULL;
				*n = 0;
				free(line);
				fclose(f);
				return fail(e, "out of memory");
			}
			*list = more;
		}
		(*list)[(*n)++] = one;
	}
	free(line);
	fclose(f);
	*n = check(*list, *n);
	if (*n)
		qsort(*list, *n, sizeof(**list), by_pid);
	return 0;
}

/* 3: its name, 2: its pid, 1: its name's beginning */
static int match(const struct client_entry *x, const char *word)
{
	char full[96], pid[16];

	snprintf(full, sizeof(full), "%u/%s", (unsigned)x->uid, x->name);
	snprintf(pid, sizeof(pid), "%d", (int)x->pid);
	if (!strcmp(full, word))
		return 3;
	if (!strcmp(x->name, word))
		return x->uid == geteuid() ? 3 : 2;
	if (x->pid && !strcmp(pid, word))
		return 2;
	return !strncmp(x->name, word, strlen(word)) ? 1 : 0;
}

static int choose(const char *word, const struct client_entry *list, size_t n, struct client_entry *out,
		  struct client_error *e)
{
	int best = 0, count = 0, m;

	for (size_t i = 0; i < n; i++) {
		m = match(&list[i], word);
		if (m && m == best)
			count++;
		if (m > best) {
			best = m;
			count = 1;
			*out = list[i];
		}
	}
	if (!best)
		return fail(e, "there is no running sandbox \"%s\"; see husk ps", word);
	if (count > 1)
		return fail(e, "\"%s\" is the beginning of %d sandboxes' names; see husk ps", word, count);
	return 0;
}

int client_resolve(const char *sandbox, struct client_entry *out, struct client_error *e)
{
	struct client_entry *list;
	size_t n;
	int rc;

	if (!*sandbox)
		return fail(e, "a sandbox's name or pid is wanted; see husk ps");
	if (client_list(!geteuid(), &list, &n, e)) {
		if (strlen(sandbox) >= sizeof(out->name) || strspn(sandbox, LETTERS) != strlen(sandbox))
			return -1;
		memset(out, 0, sizeof(*out)); /* without a list a whole name will do */
		out->uid = geteuid();
		strcpy(out->name, sandbox);
		return 0;
	}
	rc = choose(sandbox, list, n, out, e);
	free(list);
	return rc;
}
