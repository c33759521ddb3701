// SPDX-License-Identifier: Apache-2.0
// Loads and removes modules, with the loader's index and with its scan, in turn. usage: loadall ROUNDS MODULE.ko...
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct file {
	char name[64];
	char *image;
	size_t len;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void use_index(int yes)
{
	int fd = open("/proc/sys/kernel/module_symbol_index", O_WRONLY);

	if (fd < 0 || write(fd, yes ? "1\n" : "0\n", 2) != 2) {
		perror("/proc/sys/kernel/module_symbol_index");
		exit(1);
	}
	close(fd);
}

static void read_file(struct file *f, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !(f->image = malloc(st.st_size)) ||
	    read(fd, f->image, st.st_size) != st.st_size) {
		perror(path);
		exit(1);
	}
	close(fd);
	f->len = st.st_size;
	snprintf(f->name, sizeof(f->name), "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	*strchrnul(f->name, '.') = 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* us for loading all of them */
static double load_all(struct file *f, int n)
{
	double t = now();

	for (int i = 0; i < n; i++)
		if (syscall(SYS_init_module, f[i].image, f[i].len, "")) {
			perror(f[i].name);
			exit(1);
		}
	t = now() - t;
	for (int i = n - 1; i >= 0; i--)
		if (syscall(SYS_delete_module, f[i].name, 0)) {
			perror(f[i].name);
			exit(1);
		}
	return t;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[1]) : 0, n = argc - 2;
	struct file *f = calloc(n > 0 ? n : 1, sizeof(*f));
	double *t[2] = {calloc(rounds + 1, sizeof(double)), calloc(rounds + 1, sizeof(double))};

	if (rounds < 1)
		return 2;
	for (int i = 0; i < n; i++)
		read_file(&f[i], argv[2 + i]);
	for (int r = 0; r < rounds; r++)
		for (int index = 0; index < 2; index++) {
			use_index(index);
			t[index][r] = load_all(f, n);
		}
	use_index(1);
	for (int index = 0; index < 2; index++)
		qsort(t[index], rounds, sizeof(double), compare);
	printf("%d modules: scan %.0f us (fastest %.0f), index %.0f us (fastest %.0f); ratio of the medians %.2f, of "
	       "the fastest %.2f\n",
	       n, t[0][rounds / 2], t[0][0], t[1][rounds / 2], t[1][0], t[0][rounds / 2] / t[1][rounds / 2],
	       t[0][0] / t[1][0]);
	return 0;
}
