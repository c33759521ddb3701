// SPDX-License-Identifier: Apache-2.0
// Threads and processes that create, move, link, list and remove in one small tree at once; what
// stays must be consistent.
#include "t.h"

#define SECONDS 3
static volatile int stop;

static void path(unsigned *s, char *p)
{
	int n = 1 + rand_r(s) % 3;

	*p = 0;
	for (int i = 0; i < n; i++) {
		char t[80];
		int k = rand_r(s) % 6;

		snprintf(t, sizeof t, k == 5 ? "%sa name that is not kept inline in a dentry at all %d" : "%sn%d",
			 i ? "/" : "", k == 5 ? rand_r(s) % 2 : k);
		strcat(p, t);
	}
}

static void use(const char *p, int flags)
{
	char b[300] = "";
	struct stat st;
	int f = open(p, flags | O_NONBLOCK, 0666);

	if (f < 0)
		return;
	if ((flags & O_ACCMODE) != O_RDONLY && write(f, b, sizeof b) < 0)
		say("write: %s\n", en(errno));
	if (read(f, b, sizeof b) < 0 && errno != EISDIR && errno != EBADF)
		say("read: %s\n", en(errno));
	if (fstat(f, &st))
		say("fstat: %s\n", en(errno));
	close(f);
}

static void list(const char *p)
{
	DIR *d = opendir(p);

	if (!d)
		return;
	for (int i = 0; i < 100 && readdir(d); i++)
		;
	closedir(d);
}

static void one(unsigned *s)
{
	char p[300], q[300], link_body[300];
	struct stat st;

	path(s, p);
	path(s, q);
	switch (rand_r(s) % 16) {
	case 0:
		mkdir(p, 0777);
		break;
	case 1:
		rmdir(p);
		break;
	case 2:
		unlink(p);
		break;
	case 3:
		rename(p, q);
		break;
	case 4:
		link(p, q);
		break;
	case 5:
		if (symlink(q, p)) // may dangle, may loop
			break;
		break;
	case 6:
		use(p, O_RDWR | O_CREAT);
		break;
	case 7:
		use(p, O_RDONLY);
		break;
	case 8:
		list(p);
		break;
	case 9:
		syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, q, 2);
		break;
	case 10:
		use(".", O_RDWR | O_TMPFILE);
		break;
	case 11:
		if (readlink(p, link_body, sizeof link_body) < 0)
			lstat(p, &st);
		break;
	case 12:
		chmod(p, 0777);
		break;
	case 13:
		strcat(p, "/../n1");
		stat(p, &st);
		break;
	default:
		stat(p, &st);
	}
}

static void *worker(void *a)
{
	unsigned s = (unsigned)(long)a * 7919;

	while (!stop)
		one(&s);
	return 0;
}

// Every name is listed once and can be looked up; link counts are those of the names there are.
static long names;
static double files; // a name is its file's share

// Of one directory; its directories' names are remembered in sub.
static int check_one(int dir, char ***sub)
{
	DIR *d = fdopendir(MUST(openat(dir, ".", O_RDONLY | O_DIRECTORY)));
	struct dirent *e;
	int n = 0;

	*sub = 0;
	while ((e = readdir(d))) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
			say("listed, not there: %s\n", en(errno));
			continue;
		}
		if (S_ISDIR(st.st_mode)) {
			*sub = realloc(*sub, (n + 1) * sizeof **sub);
			(*sub)[n++] = strdup(e->d_name);
			continue;
		}
		names++;
		files += 1.0 / st.st_nlink;
	}
	closedir(d);
	return n;
}

// Down and up again with one descriptor: exchanges may make a tree deeper than there are descriptors. Returns dir, open anew.
static int check(int dir)
{
	char **sub;
	int n = check_one(dir, &sub);

	for (int i = 0; i < n; i++) {
		int child = MUST(openat(dir, sub[i], O_RDONLY | O_DIRECTORY));

		close(dir);
		child = check(child);
		dir = MUST(openat(child, "..", O_RDONLY | O_DIRECTORY));
		close(child);
		free(sub[i]);
	}
	free(sub);
	return dir;
}

int main(void)
{
	MUST(chdir(tmp()));
	MUST(mkdir("tree", 0777));
	MUST(chdir("tree"));
	for (int p = 0; p < 3; p++) {
		if (MUST(fork()))
			continue;
		pthread_t t[3];
		for (long i = 0; i < 3; i++)
			pthread_create(&t[i], 0, worker, (void *)(p * 10 + i + 1));
		sleep(SECONDS);
		stop = 1;
		for (int i = 0; i < 3; i++)
			pthread_join(t[i], 0);
		_exit(0);
	}
	for (int st, i = 0; i < 3; i++) {
		MUST(wait(&st));
		say("worker: %d\n", st);
	}
	check(MUST(open(".", O_RDONLY | O_DIRECTORY)));
	// a whole number of files, but for rounding
	double rest = files - (long)(files + 0.5);
	T(rest < 1e-6 && rest > -1e-6 && files < names + 0.5);
	MUST(chdir(".."));
	T(system("rm -rf tree") == 0);
	T(access("tree", F_OK) == -1);
	return 0;
}
