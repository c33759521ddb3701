// SPDX-License-Identifier: Apache-2.0
// Counts of calls: -c and -C, and how their times are spread.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "print.h"

/*
 * Buckets of a call's times: four to each power of two, so that a percentile is off by at most a fifth. Times are of the wall
 * clock: a guest's system time is not the host's.
 */
#define SUB 4
#define BUCKETS (48 * SUB)

struct row {
	int nr;
	uint64_t calls, errors, ns, min, max;
	uint32_t bucket[BUCKETS];
};
struct summary {
	struct row row[HOSTIF_TRACE_NR];
};

struct summary *summary_new(void)
{
	struct summary *s = calloc(1, sizeof(*s));

	if (!s)
		die("out of memory");
	for (int i = 0; i < HOSTIF_TRACE_NR; i++)
		s->row[i].nr = i;
	return s;
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned log, b;

	if (ns < SUB)
		return ns;
	log = 63 - __builtin_clzll(ns);
	b = (log - 1) * SUB + (ns >> (log - 2) & (SUB - 1));
	return b < BUCKETS ? b : BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t bucket_ns(unsigned b)
{
	unsigned log = b / SUB + 1;

	if (b < SUB)
		return b;
	return (1ULL << log) + ((uint64_t)(b % SUB) << (log - 2)) + (1ULL << (log - 2)) / 2;
}

void summary_count(struct summary *s, int nr, int64_t ret, uint64_t ns)
{
	struct row *r;

	if (nr < 0 || nr >= HOSTIF_TRACE_NR)
		return;
	r = &s->row[nr];
	if (!r->calls++ || ns < r->min)
		r->min = ns;
	if (ns > r->max)
		r->max = ns;
	r->ns += ns;
	if (ret < 0 && ret >= -4095)
		r->errors++;
	r->bucket[bucket_of(ns)]++;
}

static uint64_t percentile(const struct row *r, unsigned percent)
{
	uint64_t want = (r->calls * percent + 99) / 100, seen = 0, ns;

	for (unsigned b = 0; b < BUCKETS; b++) {
		seen += r->bucket[b];
		if (seen >= want) {
			ns = bucket_ns(b);
			return ns > r->max ? r->max : ns < r->min ? r->min : ns;
		}
	}
	return r->max;
}

/* ---- order ---- */

static const char *sort_by;

static int more(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int compare(const void *x, const void *y)
{
	const struct row *a = *(const struct row *const *)x, *b = *(const struct row *const *)y;
	const char *by = sort_by;
	int r = 0;

	if (!strncmp(by, "call", 4) || !strcmp(by, "count"))
		r = more(a->calls, b->calls);
	else if (!strncmp(by, "error", 5))
		r = more(a->errors, b->errors);
	else if (!strcmp(by, "latency") || !strcmp(by, "avg-time"))
		r = more(a->ns / a->calls, b->ns / b->calls);
	else if (!strncmp(by, "max", 3))
		r = more(a->max, b->max);
	else if (!strncmp(by, "min", 3))
		r = more(a->min, b->min);
	else if (!strncmp(by, "time", 4) || !strcmp(by, "total-time"))
		r = more(a->ns, b->ns);
	else if (!strcmp(by, "name") || !strcmp(by, "syscall"))
		return strcmp(decode_name(a->nr), decode_name(b->nr));
	return r ? r : a->nr - b->nr;
}

/* ---- printing ---- */

static void rule(struct text *t, bool histogram)
{
	text_str(t, "------ ----------- ----------- --------- ---------");
	if (histogram)
		text_str(t, " --------- --------- --------- ---------");
	text_str(t, " ----------------\n");
}

static void usecs(struct text *t, uint64_t ns)
{
	text_printf(t, " %9.1f", ns / 1000.0);
}

static void print_row(struct text *t, const struct row *r, uint64_t total, bool histogram, const char *name)
{
	char errors[24] = "";

	if (r->errors)
		snprintf(errors, sizeof(errors), "%" PRIu64, r->errors);
	text_printf(t, "%6.2f %11.6f %11" PRIu64 " %9" PRIu64 " %9s", total ? 100.0 * r->ns / total : 0.0, r->ns / 1e9,
		    r->calls ? r->ns / r->calls / 1000 : 0, r->calls, errors);
	if (histogram && r->calls) {
		usecs(t, percentile(r, 50));
		usecs(t, percentile(r, 90));
		usecs(t, percentile(r, 99));
		usecs(t, r->max);
	}
	text_printf(t, " %s\n", name);
}

/* A bar for each power of two of a call's times. */
static void print_histogram(struct text *t, const struct row *r)
{
	uint64_t count[49] = {0}, most = 0;
	unsigned first = 49, last = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		unsigned log = b < SUB ? 0 : b / SUB;

		count[log] += r->bucket[b];
		if (r->bucket[b]) {
			first = log < first ? log : first;
			last = log;
		}
		most = count[log] > most ? count[log] : most;
	}
	text_printf(t, "\n%s: %" PRIu64 " calls\n", decode_name(r->nr), r->calls);
	for (unsigned log = first; log <= last && log < 49; log++) {
		uint64_t least = log ? 2ULL << log : 0;

		if (least < 1000)
			text_printf(t, "  %10" PRIu64 " ns %9" PRIu64 " ", least, count[log]);
		else
			text_printf(t, "  %10.1f us %9" PRIu64 " ", (double)least / 1000, count[log]);
		for (uint64_t i = 0; most && i < (count[log] * 50 + most - 1) / most; i++)
			text_char(t, '#');
		text_char(t, '\n');
	}
}

void summary_print(struct summary *s, struct text *t, const struct options *o)
{
	struct row *order[HOSTIF_TRACE_NR], total = {0};
	unsigned n = 0;

	for (int i = 0; i < HOSTIF_TRACE_NR; i++) {
		struct row *r = &s->row[i];

		if (!r->calls)
			continue;
		order[n++] = r;
		total.calls += r->calls;
		total.errors += r->errors;
		total.ns += r->ns;
		total.max = r->max > total.max ? r->max : total.max;
		total.min = n == 1 || r->min < total.min ? r->min : total.min;
		for (unsigned b = 0; b < BUCKETS; b++)
			total.bucket[b] += r->bucket[b];
	}
	sort_by = o->summary_sort;
	qsort(order, n, sizeof(*order), compare);
	if (o->summary) {
		text_str(t, "% time     seconds  usecs/call     calls    errors");
		if (o->histogram)
			text_str(t, "    p50 us    p90 us    p99 us    max us");
		text_str(t, " syscall\n");
		rule(t, o->histogram);
		for (unsigned i = 0; i < n; i++)
			print_row(t, order[i], total.ns, o->histogram, decode_name(order[i]->nr));
		rule(t, o->histogram);
		print_row(t, &total, total.ns, o->histogram, "total");
	}
	for (unsigned i = 0; o->histogram && i < n; i++)
		print_histogram(t, order[i]);
	free(s);
}
