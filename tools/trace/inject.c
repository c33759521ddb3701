// SPDX-License-Identifier: Apache-2.0
// --inject and -e fault: from the text to the rule that the kernel follows.

#include <errno.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "trace.h"

#define MAX_ERRNO 4095

static int error_number(const char *s)
{
	char *end;
	long v;

	if (isdigit((unsigned char)*s)) {
		v = strtol(s, &end, 0);
		return !*end && v > 0 && v <= MAX_ERRNO ? (int)v : -1;
	}
	for (int e = 1; e < 134; e++) {
		const char *name = decode_errno(e);

		if (name && !strcasecmp(name, s))
			return e;
	}
	return -1;
}

/* Microseconds, or with a suffix s, ms, us, ns. */
static int duration(const char *s, uint64_t *ns)
{
	static const struct {
		const char *suffix;
		double ns;
	} unit[] = {{"", 1e3}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"ns", 1}};
	char *end;
	double v = strtod(s, &end);

	if (end == s || !(v >= 0))
		return -1;
	for (size_t i = 0; i < sizeof(unit) / sizeof(*unit); i++)
		if (!strcmp(end, unit[i].suffix) && v * unit[i].ns < 1e18) {
			*ns = v * unit[i].ns;
			return 0;
		}
	return -1;
}

/* FIRST, FIRST+, FIRST+STEP, FIRST..LAST, FIRST..LAST+STEP */
static int when(const char *s, struct hostif_trace_rule *r)
{
	char *end;
	unsigned long v;

	if (!isdigit((unsigned char)*s))
		return -1;
	v = strtoul(s, &end, 10);
	if (!v || v > 0xffffffff)
		return -1;
	r->first = v;
	r->last = v;
	r->step = 0;
	if (end[0] == '.' && end[1] == '.') {
		s = end + 2;
		v = strtoul(s, &end, 10);
		if (end == s || v < r->first || v > 0xffffffff)
			return -1;
		r->last = v;
		r->step = 1;
	} else if (*end == '+') {
		r->last = 0;
		r->step = 1;
	}
	if (*end == '+' && *++end) {
		s = end;
		v = strtoul(s, &end, 10);
		if (end == s || !v || v > 0xffffffff)
			return -1;
		r->step = v;
	}
	return *end ? -1 : 0;
}

/* One NAME=VALUE. 0, or -1 with the reason. */
static int clause(char *text, struct hostif_trace_rule *r, char *msg, size_t n)
{
	char *value = strchr(text, '='), *end;
	int v;

	if (value)
		*value++ = 0;
	else
		value = text + strlen(text);
	if ((!strcmp(text, "error") || !strcmp(text, "retval")) && (r->what & TRACE_INJECT_RETURN)) {
		snprintf(msg, n, "\"%s=%s\": a call has one result: one of error= and retval=", text, value);
		return -1;
	}
	if (!strcmp(text, "error") && (v = error_number(value)) > 0) {
		r->what |= TRACE_INJECT_RETURN;
		r->ret = -v;
		return 0;
	}
	if (!strcmp(text, "retval") && *value) {
		errno = 0;
		r->ret = strtoull(value, &end, 0);
		if (!*end && !errno && *value != '-') {
			r->what |= TRACE_INJECT_RETURN;
			return 0;
		}
	}
	if (!strcmp(text, "signal") && (v = filter_signal_number(value)) > 0) {
		r->what |= TRACE_INJECT_SIGNAL;
		r->signal = v;
		return 0;
	}
	if (!strcmp(text, "delay_enter") && !duration(value, &r->delay_enter)) {
		r->what |= TRACE_INJECT_DELAY_ENTER;
		return 0;
	}
	if (!strcmp(text, "delay_exit") && !duration(value, &r->delay_exit)) {
		r->what |= TRACE_INJECT_DELAY_EXIT;
		return 0;
	}
	if (!strcmp(text, "when") && !when(value, r))
		return 0;
	snprintf(msg, n,
		 "\"%s%s%s\" is not understood: error=, retval=, signal=, delay_enter=, delay_exit= or when=", text,
		 *value ? "=" : "", value);
	return -1;
}

int inject_parse(const char *arg, bool fault, struct hostif_trace_rule *r, char *msg, size_t n)
{
	char *copy = strdup(arg), *word, *save;
	bool calls[HOSTIF_TRACE_NR];
	int err = 0;

	if (!copy)
		die("out of memory");
	memset(r, 0, sizeof(*r));
	r->first = r->step = 1;
	word = strtok_r(copy, ":", &save);
	if (!word)
		word = copy;
	err = filter_calls(word, calls, msg, n);
	for (int nr = 0; nr < HOSTIF_TRACE_NR; nr++)
		if (calls[nr])
			r->calls[nr / 64] |= 1ULL << (nr % 64);
	while (!err && (word = strtok_r(NULL, ":", &save)))
		err = clause(word, r, msg, n);
	if (!err && fault && !(r->what & TRACE_INJECT_RETURN)) {
		r->what |= TRACE_INJECT_RETURN;
		r->ret = -ENOSYS;
	}
	if (!err && !r->what) {
		snprintf(msg, n,
			 "\"%s\" says nothing to inject: add error=, retval=, signal=, delay_enter= or delay_exit=",
			 arg);
		err = -1;
	}
	free(copy);
	return err;
}
