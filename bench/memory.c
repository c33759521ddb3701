// SPDX-License-Identifier: Apache-2.0
// Cost of memory: anonymous pages touched for the first time and again after being given back, and
// small mappings.
#define _GNU_SOURCE
#include <sys/mman.h>
#include "bench.h"

#define PAGE 4096ul
#define TOUCH_BYTES (128ul << 20)

static char *map(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* Maps TOUCH_BYTES, writes one byte into each page; only the touching is timed. */
static double touch_once(void)
{
	volatile char *p = map(TOUCH_BYTES);
	uint64_t t0 = now_ns(), t1;

	for (size_t i = 0; i < TOUCH_BYTES; i += PAGE)
		p[i] = 1;
	t1 = now_ns();
	if (munmap((void *)p, TOUCH_BYTES))
		die("munmap");
	return (double)(t1 - t0) / (double)(TOUCH_BYTES / PAGE);
}

static void run_touch_first(const char *row)
{
	report(row, touch_once());
}

static void run_touch_again(const char *row)
{
	double v[3];

	touch_once();
	for (int i = 0; i < 3; i++)
		v[i] = touch_once();
	report(row, median(v, 3));
}

static void op_mmap(unsigned long n)
{
	while (n--) {
		volatile char *p = map(64 << 10);

		p[0] = 1;
		if (munmap((void *)p, 64 << 10))
			die("munmap");
	}
}

static void run_mmap(const char *row)
{
	bench_loop(row, op_mmap);
}

int main(int argc, char **argv)
{
	static const struct bench_row rows[] = {
		{"touch_first", run_touch_first},
		{"touch_again", run_touch_again},
		{"mmap_munmap", run_mmap},
	};

	return bench_main(argc, argv, rows, sizeof(rows) / sizeof(*rows));
}
