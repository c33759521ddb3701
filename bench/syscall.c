// SPDX-License-Identifier: Apache-2.0
// Cost of single system calls: getppid, read, open+close, stat, a write that goes nowhere, and the
// clock.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include "bench.h"

/* A file that every Debian has, larger than 4 KiB; read-only in every sandbox. */
static const char target[] = "/usr/bin/env";
static int fd;
static volatile long sink;

static void op_getppid(unsigned long n)
{
	while (n--)
		sink += getppid();
}

static void op_read(unsigned long n)
{
	static char buf[4096];

	while (n--)
		if (pread(fd, buf, sizeof(buf), 0) != (ssize_t)sizeof(buf))
			die("pread");
}

static void op_open_close(unsigned long n)
{
	while (n--) {
		int f = open(target, O_RDONLY | O_CLOEXEC);

		if (f < 0 || close(f))
			die(target);
	}
}

static void op_stat(unsigned long n)
{
	struct stat st;

	while (n--)
		if (stat(target, &st))
			die(target);
}

static void op_write_null(unsigned long n)
{
	while (n--)
		if (write(fd, "x", 1) != 1)
			die("write");
}

static void op_clock(unsigned long n)
{
	while (n--)
		sink += (long)now_ns();
}

static void run_getppid(const char *row)
{
	bench_loop(row, op_getppid);
}

static void run_read(const char *row)
{
	fd = open(target, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(target);
	bench_loop(row, op_read);
	close(fd);
}

static void run_open_close(const char *row)
{
	bench_loop(row, op_open_close);
}

static void run_stat(const char *row)
{
	bench_loop(row, op_stat);
}

static void run_write_null(const char *row)
{
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("/dev/null");
	bench_loop(row, op_write_null);
	close(fd);
}

static void run_clock(const char *row)
{
	bench_loop(row, op_clock);
}

int main(int argc, char **argv)
{
	static const struct bench_row rows[] = {
		{"getppid", run_getppid}, {"read4k", run_read},		  {"open_close", run_open_close},
		{"stat", run_stat},	  {"write_null", run_write_null}, {"clock", run_clock},
	};

	return bench_main(argc, argv, rows, sizeof(rows) / sizeof(*rows));
}
