// SPDX-License-Identifier: Apache-2.0
// getdents64: all of 1000 entries, types, small buffers, rewind, seekdir, deletion and creation while reading, errors.
#include "t.h"
struct de {
	uint64_t ino, off;
	unsigned short len;
	unsigned char type;
	char name[];
};
static int seen[3000];
static int scan(int fd, size_t size, int delete)
{
	char b[32768];
	int n = 0;
	ssize_t r;
	memset(seen, 0, sizeof seen);
	while ((r = syscall(SYS_getdents64, fd, b, size)) > 0)
		for (char *p = b; p < b + r;) {
			struct de *e = (void *)p;
			if (e->name[0] == 'f') {
				int i = atoi(e->name + 1);
				seen[i]++;
				n++;
				if (delete &&i % delete == 0)
					unlinkat(fd, e->name, 0);
			}
			p += e->len;
		}
	if (r < 0)
		say("getdents: %s\n", en(errno));
	return n;
}
static int dups(void)
{
	int d = 0;
	for (int i = 0; i < 3000; i++)
		d += seen[i] > 1;
	return d;
}
int main(void)
{
	char n[20], b[4096];
	tmp();
	mkdir("d", 0755);
	chdir("d");
	for (int i = 0; i < 1000; i++) {
		snprintf(n, sizeof n, "f%d", i);
		put(n, "");
	}
	int fd = MUST(open(".", O_RDONLY | O_DIRECTORY));
	say("all %d", scan(fd, 32768, 0));
	say(" twice %d\n", dups());
	say("at the end %d\n", scan(fd, 32768, 0));
	R(lseek(fd, 0, SEEK_SET));
	say("small buffer %d", scan(fd, 64, 0));
	say(" twice %d\n", dups());
	lseek(fd, 0, SEEK_SET);
	say("deleting each third while reading: %d", scan(fd, 512, 3));
	say(" twice %d\n", dups());
	lseek(fd, 0, SEEK_SET);
	say("left %d\n", scan(fd, 32768, 0));
	lseek(fd, 0, SEEK_SET);
	say("deleting all %d", scan(fd, 300, 1));
	lseek(fd, 0, SEEK_SET);
	say(" left %d\n", scan(fd, 32768, 0));
	// Entries made while reading do not disturb the others.
	for (int i = 0; i < 300; i++) {
		snprintf(n, sizeof n, "f%d", i);
		put(n, "");
	}
	lseek(fd, 0, SEEK_SET);
	syscall(SYS_getdents64, fd, b, 1000);
	for (int i = 1000; i < 1300; i++) {
		snprintf(n, sizeof n, "f%d", i);
		put(n, "");
	}
	scan(fd, 1000, 0);
	say("twice %d\n", dups());
	// seekdir back to a remembered place.
	DIR *d = opendir(".");
	struct dirent *e;
	for (int i = 0; i < 100; i++)
		e = readdir(d);
	long pos = telldir(d);
	e = readdir(d);
	char want[256];
	strcpy(want, e->d_name);
	for (int i = 0; i < 50; i++)
		readdir(d);
	seekdir(d, pos);
	T(!strcmp(readdir(d)->d_name, want));
	rewinddir(d);
	int dots = 0, count = 0;
	while ((e = readdir(d))) {
		count++;
		dots += !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	}
	say("entries %d dots %d\n", count, dots);
	closedir(d);
	// Types and inode numbers.
	chdir("..");
	mkdir("t", 0755);
	chdir("t");
	put("reg", "");
	mkdir("dir", 0755);
	symlink("x", "lnk");
	mkfifo("fifo", 0600);
	int so = socket(AF_UNIX, SOCK_STREAM, 0);
	struct {
		unsigned short f;
		char p[20];
	} sa = {AF_UNIX, "sock"};
	MUST(bind(so, (void *)&sa, sizeof sa));
	d = opendir(".");
	int ok = 0, ino = 0;
	while ((e = readdir(d))) {
		struct stat s;
		fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW);
		ok += e->d_type == DT_UNKNOWN || e->d_type == IFTODT(s.st_mode);
		ino += e->d_ino == s.st_ino;
	}
	say("types %d inodes %d\n", ok, ino);
	closedir(d);
	int f = MUST(open("reg", O_RDONLY)), dd = MUST(open("dir", O_RDONLY));
	R(syscall(SYS_getdents64, f, b, sizeof b));
	R(syscall(SYS_getdents64, dd, b, 10));
	R(syscall(SYS_getdents64, dd, 8, 4096));
	R(syscall(SYS_getdents64, 99, b, sizeof b));
	rmdir("dir");
	R(syscall(SYS_getdents64, dd, b, sizeof b));
	// A tree of depth.
	chdir("..");
	int deep = 0;
	for (; deep < 100; deep++) {
		MUST(mkdir("deeper", 0755));
		MUST(chdir("deeper"));
	}
	char cwd[4096];
	T(getcwd(cwd, sizeof cwd) && strlen(cwd) > 700);
	return 0;
}
