// SPDX-License-Identifier: Apache-2.0
// husk trace: options, the session, and the loop that reads and prints.

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "trace.h"

void trouble(const char *fmt, ...)
{
	va_list ap;

	fputs("husk trace: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("husk trace: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_TRACE);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void print_record(const struct hostif_trace_rec *r, void *arg)
{
	dump_record(arg, r);
}

int main(int argc, char **argv)
{
	struct options o = {.decode.string_limit = 32, .signals = ~0ULL};
	char *run[] = {(char *)"--platform=none", NULL};
	struct session s = {0};
	struct reader *r;

	memset(o.calls, 1, sizeof(o.calls));
	session_start(&s, &o, run, argv + 1);
	r = reader_new(&s);
	while (session_alive(&s))
		if (!reader_sweep(r, false, print_record, stderr))
			reader_wait(r, 10);
	while (reader_sweep(r, true, print_record, stderr))
		;
	return WEXITSTATUS(s.status);
}
