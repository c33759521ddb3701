// SPDX-License-Identifier: Apache-2.0
// Sets on the command line, as strace has them: calls, statuses, signals.

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include "trace.h"

/* One element of a set of calls, added to calls. 0, or -1: there is no such call. */
static int add_regex(const char *pattern, bool *calls, char *msg, size_t n)
{
	char why[128];
	regex_t re;
	int r = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);

	if (r) {
		regerror(r, &re, why, sizeof(why));
		snprintf(msg, n, "\"/%s\": %s", pattern, why);
		return -1;
	}
	r = -1;
	for (int nr = 0; nr < HOSTIF_TRACE_NR; nr++)
		if (strncmp(decode_name(nr), "syscall_", 8) && !regexec(&re, decode_name(nr), 0, NULL, 0)) {
			calls[nr] = true;
			r = 0;
		}
	regfree(&re);
	if (r)
		snprintf(msg, n, "no system call matches \"/%s\"", pattern);
	return r;
}

static int add_class(const char *name, bool *calls)
{
	if (decode_class(name, 0) < 0)
		return -1;
	for (int nr = 0; nr < HOSTIF_TRACE_NR; nr++)
		if (decode_class(name, nr) > 0)
			calls[nr] = true;
	return 0;
}

static int add_name(const char *name, bool *calls)
{
	char *end;
	int nr = decode_number(name);
	unsigned long v;

	if (nr < 0 && isdigit((unsigned char)*name)) {
		v = strtoul(name, &end, 0);
		nr = !*end && v < HOSTIF_TRACE_NR ? (int)v : -1;
	}
	if (nr < 0 || nr >= HOSTIF_TRACE_NR)
		return -1;
	calls[nr] = true;
	return 0;
}

static int add_call(const char *word, bool *calls, char *msg, size_t n)
{
	static const char *const old[] = {"file", "process", "network", "signal", "ipc", "desc", "memory"};
	bool maybe = *word == '?';
	const char *name = word + maybe;

	if (!*name) {
		snprintf(msg, n, "an empty name in a set of system calls");
		return -1;
	}
	if (*name == '/')
		return add_regex(name + 1, calls, msg, n) && !maybe ? -1 : 0;
	if (*name == '%') {
		if (!add_class(name + 1, calls) || maybe)
			return 0;
		snprintf(msg, n, "there is no class of system calls \"%s\"", name);
		return -1;
	}
	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++)
		if (!strcmp(name, old[i]) && decode_number(name) < 0)
			return add_class(name, calls);
	if (!add_name(name, calls) || maybe)
		return 0;
	snprintf(msg, n, "there is no system call \"%s\"", name);
	return -1;
}

int filter_calls(const char *set, bool *calls, char *msg, size_t n)
{
	bool invert = false;
	char *copy, *word, *save;
	int r = 0;

	while (*set == '!') {
		invert = !invert;
		set++;
	}
	memset(calls, 0, HOSTIF_TRACE_NR * sizeof(*calls));
	if (!strcmp(set, "all")) {
		memset(calls, 1, HOSTIF_TRACE_NR * sizeof(*calls));
	} else if (strcmp(set, "none")) {
		copy = strdup(set);
		if (!copy)
			die("out of memory");
		word = strtok_r(copy, ",", &save);
		if (!word)
			r = add_call("", calls, msg, n);
		for (; word && !r; word = strtok_r(NULL, ",", &save))
			r = add_call(word, calls, msg, n);
		free(copy);
	}
	for (int nr = 0; invert && nr < HOSTIF_TRACE_NR; nr++)
		calls[nr] = !calls[nr];
	return r;
}

/* ---- small sets ---- */

/* Each word of set is turned into bits by fn; 0: no such word. "all" and "none" as with calls. */
static int small_set(const char *set, uint64_t all, uint64_t (*fn)(const char *), uint64_t *out, const char *what,
		     char *msg, size_t n)
{
	char *copy = strdup(set), *word, *save, *s = copy;
	bool invert = false;
	uint64_t bits = 0, b;
	int r = 0;

	if (!copy)
		die("out of memory");
	while (*s == '!') {
		invert = !invert;
		s++;
	}
	for (word = strtok_r(s, ",", &save); word && !r; word = strtok_r(NULL, ",", &save)) {
		b = !strcmp(word, "all") ? all : fn(word);
		if (!b && strcmp(word, "none")) {
			snprintf(msg, n, "there is no %s \"%s\"", what, word);
			r = -1;
		}
		bits |= b;
	}
	free(copy);
	*out = invert ? all & ~bits : bits;
	return r;
}

static uint64_t status_bit(const char *word)
{
	static const char *const names[] = {"successful", "failed", "unfinished", "unavailable", "detached"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(word, names[i]))
			return 1u << i;
	return 0;
}

int filter_status(const char *set, unsigned *statuses, char *msg, size_t n)
{
	uint64_t bits;

	if (small_set(set, STATUS_ALL, status_bit, &bits, "status", msg, n))
		return -1;
	*statuses = bits;
	return 0;
}

int filter_signal_number(const char *name)
{
	char *end;
	long v = strtol(name, &end, 10);

	if (isdigit((unsigned char)*name))
		return !*end && v >= 1 && v <= 64 ? (int)v : -1;
	for (int sig = 1; sig <= 64; sig++) {
		const char *s = decode_signal_name(sig);

		if (!strcasecmp(name, s) || (!strncmp(s, "SIG", 3) && !strcasecmp(name, s + 3)))
			return sig;
	}
	return -1;
}

static uint64_t signal_bit(const char *word)
{
	int sig = filter_signal_number(word);

	return sig > 0 ? 1ULL << (sig - 1) : 0;
}

int filter_signals(const char *set, uint64_t *signals, char *msg, size_t n)
{
	return small_set(set, ~0ULL, signal_bit, signals, "signal", msg, n);
}
