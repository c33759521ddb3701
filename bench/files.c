// SPDX-License-Identifier: Apache-2.0
// Cost of small files in a temporary directory ($BENCH_TMP): create+write+unlink, rename, and a
// directory listing.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include "bench.h"

#define LISTED 100

static DIR *dir;

static void op_create(unsigned long n)
{
	while (n--) {
		int f = open("husk-bench-file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (f < 0 || write(f, "hello", 5) != 5 || close(f) || unlink("husk-bench-file"))
			die("husk-bench-file");
	}
}

static void op_rename(unsigned long n)
{
	while (n--)
		if (rename("a", "b") || rename("b", "a"))
			die("rename");
}

static void op_list(unsigned long n)
{
	while (n--) {
		int seen = 0;

		rewinddir(dir);
		while (readdir(dir))
			seen++;
		if (seen < LISTED)
			die("readdir");
	}
}

static void touch(const char *name)
{
	int f = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (f < 0 || close(f))
		die(name);
}

static void run_create(const char *row)
{
	bench_loop(row, op_create);
}

static void run_rename(const char *row)
{
	touch("a");
	bench_loop(row, op_rename);
	unlink("a");
}

static void run_list(const char *row)
{
	char name[32];

	for (int i = 0; i < LISTED; i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		touch(name);
	}
	dir = opendir(".");
	if (!dir)
		die("opendir");
	bench_loop(row, op_list);
	closedir(dir);
	for (int i = 0; i < LISTED; i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		unlink(name);
	}
}

int main(int argc, char **argv)
{
	static const struct bench_row rows[] = {
		{"create_unlink", run_create},
		{"rename_twice", run_rename},
		{"list100", run_list},
	};
	const char *tmp = getenv("BENCH_TMP");
	char path[256];
	int rc;

	snprintf(path, sizeof(path), "%s/husk-bench-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(path) || chdir(path))
		die(path);
	rc = bench_main(argc, argv, rows, sizeof(rows) / sizeof(*rows));
	if (rmdir(path))
		die(path);
	return rc;
}
