// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzzes the crash analyser: dumps with damage in their headers, notes, frames and, above all, in the kernel's data that they hold; every
 * command is run on each. No crash, no sanitizer's report, no hang. usage: fuzz_crash KERNEL DUMP [RUNS [SEED [SECONDS-A-RUN]]]
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../../tools/crash/crash.h"

bool live;
volatile bool interrupted;
static u64 rng, seed;
static u8 *original, *copy;
static size_t size;
static int fd;
static unsigned long messages, outputs, current_run;
static const char *current_line = "opening";

/* abort() leaves the place in a debugger or a core file */
static void hang(int sig)
{
	char s[256];
	int n = snprintf(s, sizeof(s), "fuzz_crash: run %lu of seed %llu hangs in \"%s\"\n", current_run,
			 (unsigned long long)seed, current_line);

	if (write(2, s, (size_t)n) != n)
		_exit(3);
	abort();
}

void complain(const char *fmt, ...)
{
	char s[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	messages++;
}

void warn(const char *fmt, ...)
{
	char s[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	messages++;
}

static u64 next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static size_t below(size_t n)
{
	return n ? next() % n : 0;
}

/* A value that tends to hurt, or one from elsewhere in the dump. */
static u64 nasty(void)
{
	static const u64 values[] = {0,
				     1,
				     ~0ull,
				     1ull << 63,
				     0x7fffffff,
				     0xffffffff,
				     4096,
				     0x701000000000,
				     0x700000000000,
				     0x701000000008,
				     0x6b6b6b6b6b6b6b6b,
				     0x6fffffffffff,
				     8};
	u64 v;

	if (below(2))
		return values[below(sizeof(values) / sizeof(*values))];
	memcpy(&v, original + (below(size - 8) & ~7ull), 8);
	return v + (below(4) ? 0 : below(64) * 8);
}

/* One damage. In memory pages pointers are looked for, since those lead somewhere. */
static void damage(void)
{
	size_t head = size < 40000 ? size : 40000, at;
	u64 v;

	switch (below(8)) {
	case 0: /* headers and notes */
		copy[below(head)] ^= 1u << below(8);
		return;
	case 1:
		v = nasty();
		memcpy(copy + (below(head - 8) & ~3ull), &v, 8);
		return;
	case 2:
		copy[below(size)] = (u8)next();
		return;
	default:
		for (int tries = 0; tries < 2000; tries++) {
			at = below(size - 8) & ~7ull;
			memcpy(&v, copy + at, 8);
			if (v >> 40 == 0x70 || v >> 36 == 0x701 || (v && v < 65536))
				break;
		}
		v = nasty();
		memcpy(copy + at, &v, below(4) ? 8 : 4);
	}
}

static void run_commands(void)
{
	static const char *const lines[] = {
		"sys",
		"ps",
		"ps -a",
		"ps -t",
		"ps -p 1",
		"bt -A",
		"bt -a -l",
		"log",
		"foreach files",
		"foreach vm",
		"foreach sig",
		"mount",
		"kmem -i",
		"kmem -s",
		"kmem -f",
		"runq",
		"locks",
		"list init_task_list -o task_struct.tasks -s task_struct.comm",
		"struct task_struct init_task",
		"task 1",
		"search -k 701000000000",
		"kmem -p init_task",
		"p *child_reaper",
		"vtop init_task",
		"set 1",
		"search -u -c bash",
		"vm -p 1",
		"rd init_task 64",
		"dis schedule 3",
		"p child_reaper->signal->leader->comm",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines) && !interrupted; i++) {
		out_json = below(2);
		current_line = lines[i];
		run_line(lines[i]);
	}
}

static void one_run(unsigned long n, unsigned patience)
{
	size_t len = size;
	struct timespec a, b;
	char path[64];

	current_run = n;
	current_line = "opening";
	rng = seed * 0x9e3779b97f4a7c15 + n * 0xda942042e4dd58b5 + 1;
	next();
	memcpy(copy, original, size);
	for (size_t k = n ? 1 + below(n % 5 ? 40 : 400) : 0; k; k--)
		damage();
	if (n && !below(8))
		len = below(size);
	if (ftruncate(fd, 0) || pwrite(fd, copy, len, 0) != (ssize_t)len)
		exit(2);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	clock_gettime(CLOCK_MONOTONIC, &a);
	alarm(patience);
	if (!core_open(path)) {
		core_find_ram_size();
		if (!tasks_load())
			run_commands();
	}
	core_close();
	alarm(0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (getenv("FUZZ_VERBOSE"))
		printf("run %lu: %.2f s\n", n, (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 3 ? strtoul(argv[3], NULL, 0) : 200;
	unsigned patience = argc > 5 ? (unsigned)atoi(argv[5]) : 60;
	struct stat st;
	char *text_ = NULL;
	size_t n;
	int in;

	if (argc < 3 || (in = open(argv[2], O_RDONLY)) < 0 || fstat(in, &st)) {
		fprintf(stderr, "usage: fuzz_crash KERNEL DUMP [RUNS [SEED [SECONDS-A-RUN]]]\n");
		return 2;
	}
	seed = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
	size = (size_t)st.st_size;
	original = malloc(size);
	copy = malloc(size);
	fd = memfd_create("fuzz-crash", 0);
	if (!original || !copy || fd < 0 || read(in, original, size) != (ssize_t)size)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, hang);
	if (kernel_open(argv[1], -1))
		return 2;
	for (unsigned long i = 0; i < runs; i++) {
		out = open_memstream(&text_, &n);
		one_run(i, patience);
		fclose(out);
		outputs += n > 0;
		free(text_);
		if (!i && (n < 10000 || messages > 20)) { /* the dump as it is must be read */
			fprintf(stderr, "the undamaged dump cannot be read (%zu bytes of output, %lu messages)\n", n,
				messages);
			return 1;
		}
	}
	printf("%lu damaged dumps: %lu showed something, %lu messages\n", runs, outputs, messages);
	return 0;
}
