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
static long names, links;

static void check(int dir)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	while ((e = readdir(d))) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
			say("listed, not there: %s\n", en(errno));
			continue;
		}
		if (S_ISDIR(st.st_mode)) {
			check(MUST(openat(dir, e->d_name, O_RDONLY | O_DIRECTORY)));
			continue;
		}
		names++;
		links += 1000000 / st.st_nlink;
	}
	closedir(d);
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
	// the shares of all names of one file add up to one: a whole number of files, but for
	// rounding
	T((links % 1000000 < 1000 || links % 1000000 > 999000) && links / 1000000 <= names);
	MUST(chdir(".."));
	T(system("rm -rf tree") == 0);
	T(access("tree", F_OK) == -1);
	return 0;
}
