// SPDX-License-Identifier: Apache-2.0
// What the benchmark programs share: a clock, a calibrated loop, and the one line that each result
// is printed as.
#ifndef HUSK_BENCH_H
#define HUSK_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Length of one batch; a batch's time is one sample and the median of BATCHES samples is the
 * result. */
#define BATCH_NS 10000000ull
#define BATCHES 7

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The form that bench/run reads: the word "result", the row's name, nanoseconds per operation. */
static inline void report(const char *row, double ns)
{
	printf("result %s %.2f\n", row, ns);
	fflush(stdout);
}

static inline int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), cmp_double);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/*
 * Runs op(n) with n grown until a batch lasts BATCH_NS, then reports the median cost of one
 * operation. op does its work n times; it must leave nothing behind that makes the next batch
 * dearer.
 */
static inline void bench_loop(const char *row, void (*op)(unsigned long n))
{
	double samples[BATCHES];
	unsigned long n = 1;
	uint64_t took;

	for (;;) {
		uint64_t t0 = now_ns();

		op(n);
		took = now_ns() - t0;
		if (took >= BATCH_NS / 2 || n >= 1ul << 30)
			break;
		n = took < BATCH_NS / 64 ? n * 8 : (unsigned long)((double)n * BATCH_NS / took) + 1;
	}
	for (int i = 0; i < BATCHES; i++) {
		uint64_t t0 = now_ns();

		op(n);
		samples[i] = (double)(now_ns() - t0) / (double)n;
	}
	report(row, median(samples, BATCHES));
}

struct bench_row {
	const char *name;
	void (*run)(const char *name);
};

/* Runs the row named by argv[1], or every row. */
static inline int bench_main(int argc, char **argv, const struct bench_row *rows, int n)
{
	int found = 0;

	for (int i = 0; i < n; i++) {
		if (argc > 1 && strcmp(argv[1], rows[i].name))
			continue;
		rows[i].run(rows[i].name);
		found = 1;
	}
	if (!found)
		fprintf(stderr, "%s: no row named %s\n", argv[0], argv[1]);
	return !found;
}

#endif
