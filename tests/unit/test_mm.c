// SPDX-License-Identifier: Apache-2.0
/* cmocka's side of the tests of mm/: the list, the process around them, services of libc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>
#include "mm_unit.h"

extern char *direct_map;
static size_t ram_size;
static unsigned long seed = 1;

__attribute__((noreturn)) void unit_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	_fail(file, line);
	abort();
}

__attribute__((noreturn)) void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("panic: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	unit_fail("panic", 0, "panic");
}

void unit_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

unsigned long unit_rand(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

void unit_ram(unsigned long bytes)
{
	if (ram_size)
		munmap(direct_map, ram_size);
	direct_map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (direct_map == MAP_FAILED)
		abort();
	ram_size = bytes;
}

void unit_drop(void *p, unsigned long len)
{
	madvise(p, len, MADV_DONTNEED);
}

unsigned long long ktime_get_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

#define DECLARE(n) void unit_test_##n(void);
MM_UNIT_TESTS(DECLARE)
#define WRAP(n)                                                                                                        \
	static void n(void **state)                                                                                    \
	{                                                                                                              \
		unit_test_##n();                                                                                       \
	}
MM_UNIT_TESTS(WRAP)
#define ENTRY(n) cmocka_unit_test(n),

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {MM_UNIT_TESTS(ENTRY)};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (getenv("SEED"))
		seed = strtoul(getenv("SEED"), NULL, 0) | 1;
	return cmocka_run_group_tests_name("mm", tests, NULL, NULL);
}
