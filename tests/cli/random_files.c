// SPDX-License-Identifier: Apache-2.0
// A fixed random sequence of operations on a small tree, and what each of them returned: the same on the host and through a sandbox.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NFILES 4
#define MOST 9000 /* bytes of a write, and the largest offset */
#define RENAME_NOREPLACE_ 1

static uint64_t state;
static int open_file[NFILES] = {-1, -1, -1, -1};
static char buf[MOST];

static unsigned rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % n;
}

static unsigned sum(const char *p, ssize_t n)
{
	unsigned s = 0;

	while (n-- > 0)
		s = s * 31 + (unsigned char)*p++;
	return s;
}

static const char *name(char *to)
{
	static const char *const dir[] = {".", "a", "b", "sub", "sub/x"};

	sprintf(to, "%s/%c", dir[rnd(5)], "abcdefxy"[rnd(8)]);
	return to;
}

static void show_stat(const struct stat *s)
{
	if (S_ISDIR(s->st_mode))
		printf("[%o]", s->st_mode);
	else
		printf("[%o %u %lld]", s->st_mode, (unsigned)s->st_nlink, (long long)s->st_size);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void show_tree(const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char path[512], text[64];
		struct stat s;
		ssize_t len;

		if (list[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		printf("%s type %d ", path, list[i]->d_type);
		if (lstat(path, &s)) {
			printf("errno %d\n", errno);
			continue;
		}
		show_stat(&s);
		if (S_ISLNK(s.st_mode)) {
			len = readlink(path, text, sizeof(text));
			printf(" -> %.*s", (int)len, text);
		} else if (S_ISREG(s.st_mode)) {
			int fd = open(path, O_RDONLY);

			len = read(fd, buf, sizeof(buf));
			printf(" %08x", sum(buf, len));
			close(fd);
		}
		putchar('\n');
		if (S_ISDIR(s.st_mode))
			show_tree(path);
		free(list[i]);
	}
}

static int list_one(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned all = 0;
	int n = 0;

	if (!d)
		return -1;
	while ((e = readdir(d))) {
		all += sum(e->d_name, strlen(e->d_name));
		n++;
	}
	closedir(d);
	printf("(%u)", all);
	return n;
}

static int through_mapping(int fd, unsigned to, unsigned from)
{
	struct stat s;
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int r = 0;

	if (m == MAP_FAILED)
		return -1;
	if (!fstat(fd, &s) && s.st_size > 100) {
		m[to % 100] = 'M';
		r = m[from % 100];
	}
	munmap(m, 4096);
	return r;
}

static int reopen(int *fd, const char *path)
{
	if (*fd >= 0)
		close(*fd);
	*fd = open(path, O_RDWR | (rnd(4) ? 0 : O_APPEND) | (rnd(6) ? 0 : O_TRUNC));
	return *fd >= 0 ? 0 : -1;
}

static int create(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | (rnd(2) ? O_EXCL : 0), 0640), r;

	if (fd < 0)
		return -1;
	r = write(fd, "hello", 5);
	close(fd);
	return r;
}

static int on_descriptor(unsigned op, int *fd, const char *path, unsigned x, unsigned y)
{
	struct stat s;
	int r;

	switch (op) {
	case 0:
		return reopen(fd, path);
	case 1:
		memset(buf, 'a' + x % 26, sizeof(buf));
		return pwrite(*fd, buf, x, y);
	case 2:
		r = pread(*fd, buf, x, y);
		printf("<%08x>", sum(buf, r));
		return r;
	case 3:
		return ftruncate(*fd, x);
	case 4:
		r = fstat(*fd, &s);
		if (!r)
			show_stat(&s);
		return r;
	}
	return through_mapping(*fd, x, y);
}

static int on_names(unsigned op, const char *a, const char *b, unsigned x)
{
	static const struct timespec times[2] = {{1000, 0}, {2000, 0}};
	struct stat s;
	int r;

	switch (op) {
	case 0:
		return create(a);
	case 1:
		return unlink(a);
	case 2:
		return rename(a, b);
	case 3:
		return mkdir(a, 0750);
	case 4:
		return rmdir(a);
	case 5:
		return link(a, b);
	case 6:
		return truncate(a, x);
	case 7:
		return symlink(a, b);
	case 8:
		r = lstat(a, &s);
		if (!r)
			show_stat(&s);
		return r;
	case 9:
		return chmod(a, x % 0100 | 0700);
	case 10:
		return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_NOREPLACE_);
	case 11:
		return utimensat(AT_FDCWD, a, times, AT_SYMLINK_NOFOLLOW);
	}
	return list_one(x % 2 ? "sub" : "a");
}

/* usage: random_files SEED ROUNDS DIR */
int main(int argc, char **argv)
{
	int rounds = atoi(argv[2]);

	state = atoi(argv[1]) * 0x9e3779b97f4a7c15u + 1;
	if (argc != 4 || chdir(argv[3]))
		return 1;
	umask(022);
	for (int i = 0; i < rounds; i++) {
		unsigned k = rnd(NFILES), x = rnd(MOST), y = rnd(MOST), op = rnd(19);
		char a[16], b[16];
		int r;

		name(a);
		name(b);
		errno = 0;
		r = op < 6 ? on_descriptor(op, &open_file[k], a, x, y) : on_names(op - 6, a, b, x);
		printf("%d: op %u %s %s file %u: %d errno %d\n", i, op, a, b, k, r, r < 0 ? errno : 0);
		if (i % 500 == 499)
			show_tree(".");
	}
	show_tree(".");
	return 0;
}
