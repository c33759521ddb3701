// SPDX-License-Identifier: Apache-2.0
// Random calls on paths, links and descriptors in a small tree, from fixed seeds: every result must
// be the host's.
#include "t.h"
#include <sys/xattr.h>
#include <linux/openat2.h>
#include <linux/fs.h>

static unsigned long seed;
static int step, fds[4];
static char buf[4096];

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % n;
}

static void component(char *p, int first)
{
	static const char *const names[] = {"l1", "l2", "f", "a long name that is not kept inline in a dentry at all"};
	unsigned k = rnd(12);

	if (k == 0)
		strcat(p, ".");
	else if (k == 1)
		strcat(p, first ? "a" : "..");
	else if (k < 6)
		strcat(p, names[k - 2]);
	else
		strcat(p, (const char[2]){'a' + rnd(4), 0});
}

// A path that does not name anything above the tree.
static char *path(void)
{
	static char ring[8][512];
	static int at;
	char *p = ring[at++ & 7], copy[512];
	int n = 1 + rnd(4), depth = 0;

	*p = 0;
	if (!rnd(12))
		strcat(p, "./");
	for (int i = 0; i < n; i++) {
		if (i)
			strcat(p, rnd(10) ? "/" : "//");
		component(p, !i);
	}
	if (!rnd(8))
		strcat(p, "/");
	strcpy(copy, p);
	for (char *t = strtok(copy, "/"); t; t = strtok(0, "/")) {
		if (!strcmp(t, "..") && --depth < 0)
			return strcpy(p, "a/b");
		if (strcmp(t, ".") && strcmp(t, ".."))
			depth++;
	}
	return p;
}

static void log_result(const char *what, const char *p, const char *q, long arg, long r, int e)
{
	say("%d %s %s %s %ld -> ", step, what, p, q, arg);
	if (r == -1)
		say("%s\n", en(e));
	else
		say("%ld\n", r);
}
#define L(what, p, q, arg, call)                                                                                       \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long r_ = (call);                                                                                      \
		log_result(what, p, q, arg, r_, errno);                                                                \
	} while (0)

static void log_stat(const char *what, const char *p, int r, const struct stat *s)
{
	if (r)
		say("%d %s %s -> %s\n", step, what, p, en(errno));
	else
		say("%d %s %s -> %o %ld %ld\n", step, what, p, s->st_mode, S_ISDIR(s->st_mode) ? 0L : (long)s->st_nlink,
		    S_ISDIR(s->st_mode) ? 0L : (long)s->st_size);
}

static void do_open(const char *p, int k)
{
	static const int flags[] = {O_RDONLY,
				    O_WRONLY,
				    O_RDWR,
				    O_RDWR | O_CREAT,
				    O_WRONLY | O_CREAT | O_EXCL,
				    O_RDWR | O_CREAT | O_TRUNC,
				    O_RDONLY | O_DIRECTORY,
				    O_RDONLY | O_NOFOLLOW,
				    O_PATH,
				    O_PATH | O_NOFOLLOW,
				    O_PATH | O_DIRECTORY,
				    O_WRONLY | O_APPEND | O_CREAT,
				    O_RDONLY | O_TRUNC,
				    O_RDWR | O_TMPFILE,
				    O_RDONLY | O_CREAT | O_NOFOLLOW,
				    O_WRONLY | O_DIRECTORY};
	int fl = flags[rnd(sizeof flags / sizeof *flags)];

	if (fds[k] >= 0)
		close(fds[k]);
	fds[k] = open(p, fl | (fl & O_PATH ? 0 : O_NONBLOCK), 0666);
	say("%d open %s %o -> %s\n", step, p, fl, fds[k] < 0 ? en(errno) : "ok");
}

static void do_openat2(const char *p)
{
	static const unsigned long resolve[] = {
		0, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS};
	struct open_how h = {.flags = rnd(2) ? O_PATH : O_RDONLY | O_NONBLOCK, .resolve = resolve[rnd(6)]};
	int dd = open("a", O_PATH | O_DIRECTORY);
	int r = syscall(SYS_openat2, dd >= 0 && rnd(2) ? dd : AT_FDCWD, p, &h, sizeof h);

	say("%d openat2 %s %lx -> %s\n", step, p, (long)h.resolve, r < 0 ? en(errno) : "ok");
	if (r >= 0)
		close(r);
	if (dd >= 0)
		close(dd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void do_list(const char *p)
{
	char *names[256], line[300];
	DIR *d = opendir(p);
	int n = 0;

	if (!d) {
		say("%d list %s -> %s\n", step, p, en(errno));
		return;
	}
	for (struct dirent *e; n < 256 && (e = readdir(d));) {
		snprintf(line, sizeof line, "%s:%d", e->d_name, e->d_type);
		names[n++] = strdup(line);
	}
	closedir(d);
	qsort(names, n, sizeof *names, by_name);
	say("%d list %s ->", step, p);
	for (int i = 0; i < n; i++) {
		say(" %s", names[i]);
		free(names[i]);
	}
	say("\n");
}

static void do_xattr(const char *p)
{
	static const char *const names[] = {"user.a", "user.b", "trusted.x", "bad", "user."};
	const char *x = names[rnd(5)];
	char v[200];

	switch (rnd(3)) {
	case 0:
		L("setxattr", p, x, 0, setxattr(p, x, buf, rnd(100), rnd(3)));
		break;
	case 1:
		L("getxattr", p, x, 0, getxattr(p, x, v, rnd(2) ? sizeof v : 0));
		break;
	default:
		L("removexattr", p, x, 0, lremovexattr(p, x));
	}
}

static void make_link(void)
{
	static const char *const target[] = {"a", "..", "b/c", "l2", "l1", "../a", "f", "nowhere/x", "./", "a/../b"};
	const char *t = target[rnd(10)];
	char name[16];

	snprintf(name, sizeof name, "%s/%s", rnd(2) ? "a" : ".", rnd(2) ? "l1" : "l2");
	L("symlink", t, name, 0, symlink(t, name));
}

static void on_fd(int fd)
{
	static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
	int off = rnd(20000), len = rnd(4096), m = modes[rnd(3)];
	struct stat s;

	if (fd < 0 || fstat(fd, &s))
		return;
	switch (rnd(9)) {
	case 0:
		L("write", "", "", len, write(fd, buf, len));
		break;
	case 1:
		L("read", "", "", len, read(fd, buf, len));
		break;
	case 2:
		if (S_ISREG(s.st_mode))
			L("lseek", "", "", off, lseek(fd, off, rnd(3)));
		break;
	case 3:
		L("ftruncate", "", "", off, ftruncate(fd, off));
		break;
	case 4:
		log_stat("fstat", "", 0, &s);
		break;
	case 5:
		L("fallocate", "", "", m, fallocate(fd, m, off, len));
		break;
	case 6:
		L("copy_file_range", "", "", len, copy_file_range(fd, 0, fds[rnd(4)], 0, len, 0));
		break;
	case 7:
		L("pwrite", "", "", off, pwrite(fd, buf, 100, off));
		break;
	default:
		L("pread", "", "", off / 2, pread(fd, buf, 100, off / 2));
	}
	memset(buf, 'z', sizeof buf);
}

static void one(void)
{
	char *p = path(), *q = path(), body[300], fdname[64];
	int k = rnd(4), r;
	struct stat s;

	switch (rnd(34)) {
	case 0 ... 2:
		L("mkdir", p, "", 0, mkdir(p, 0700 + rnd(64)));
		break;
	case 3:
		L("rmdir", p, "", 0, rmdir(p));
		break;
	case 4:
	case 5:
		L("unlink", p, "", 0, unlink(p));
		break;
	case 6 ... 8:
		L("rename", p, q, 0, rename(p, q));
		break;
	case 9:
	case 10:
		L("link", p, q, 0, link(p, q));
		break;
	case 11:
		L("symlink", q, p, 0, symlink(q, p));
		break;
	case 12:
		make_link();
		break;
	case 13 ... 16:
		do_open(p, k);
		break;
	case 17:
		L("truncate", p, "", k, truncate(p, k * 3000));
		break;
	case 18:
		r = stat(p, &s);
		log_stat("stat", p, r, &s);
		break;
	case 19:
		r = lstat(p, &s);
		log_stat("lstat", p, r, &s);
		break;
	case 20:
		r = readlink(p, body, sizeof body - 1);
		body[r < 0 ? 0 : r] = 0;
		say("%d readlink %s -> %s\n", step, p, r < 0 ? en(errno) : body);
		break;
	case 21:
	case 22:
		do_list(p);
		break;
	case 23:
		L("chmod", p, "", 0, chmod(p, 0600 + rnd(128)));
		break;
	case 24:
		r = rnd(3);
		L("renameat2", p, q, r, syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, q, r));
		break;
	case 25:
		L("access", p, "", 0, access(p, rnd(8)));
		break;
	case 26:
		do_xattr(p);
		break;
	case 27:
		do_openat2(p);
		break;
	case 28:
		L("mknod", p, "", 0, mknod(p, (rnd(2) ? S_IFIFO : S_IFSOCK) | 0600, 0));
		break;
	case 29:
		snprintf(fdname, sizeof fdname, "/proc/self/fd/%d", fds[k]);
		if (fds[k] >= 0)
			L("link of fd", "", p, 0, linkat(AT_FDCWD, fdname, AT_FDCWD, p, AT_SYMLINK_FOLLOW));
		break;
	default:
		on_fd(fds[k]);
	}
}

int main(void)
{
	MUST(chdir(tmp()));
	memset(buf, 'z', sizeof buf);
	for (unsigned long run = 1; run <= 8; run++) {
		char top[16];

		snprintf(top, sizeof top, "run%lu", run);
		MUST(mkdir(top, 0755));
		MUST(chdir(top));
		// `..` in moved links leads here at most
		for (int i = 0; i < 5; i++) {
			MUST(mkdir("x", 0755));
			MUST(chdir("x"));
		}
		seed = run * 1234567 + 1;
		for (int i = 0; i < 4; i++)
			fds[i] = -1;
		for (step = 0; step < 1500; step++)
			one();
		for (int i = 0; i < 4; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		for (int i = 0; i < 6; i++)
			MUST(chdir(".."));
	}
	return 0;
}
