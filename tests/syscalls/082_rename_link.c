// SPDX-License-Identifier: Apache-2.0
// rename, renameat2, link, symlink, readlink, unlink, mkdir, rmdir: rules and errors, open files that lose their name.
#include "t.h"
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif
static int links(const char *n)
{
	struct stat s;
	return lstat(n, &s) ? -1 : (int)s.st_nlink;
}
int main(void)
{
	char b[200];
	struct stat s, t;
	tmp();
	put("a", "A");
	put("b", "B");
	mkdir("d", 0755);
	mkdir("e", 0755);
	put("e/x", "X");
	stat("a", &s);
	R(rename("a", "c"));
	stat("c", &t);
	T(s.st_ino == t.st_ino);
	R(rename("c", "b"));
	say("%s\n", get("b"));
	R(rename("none", "b"));
	R(rename("b", "d"));
	R(rename("d", "b"));
	R(rename("d", "e"));
	R(rename("e", "d"));
	R(access("d/x", F_OK));
	R(rename("d", "d/sub"));
	R(rename("d", "d"));
	R(rename("d/.", "z"));
	R(rename("d/..", "z"));
	R(rename("b", "nodir/b"));
	R(rename("b", "b/x"));
	R(rename("", "x"));
	R(rename("b", "g/"));
	R(rename("d", "g/"));
	R(rename("g", "d"));
	// Hard links: rename of one onto the other does nothing.
	R(link("b", "h"));
	R(rename("b", "h"));
	R(links("b"));
	R(link("b", "h"));
	R(link("d", "dl"));
	R(link("none", "x"));
	R(link("b", "nodir/x"));
	R(unlink("h"));
	R(links("b"));
	// renameat2.
	put("p", "P");
	put("q", "Q");
	R(syscall(SYS_renameat2, AT_FDCWD, "p", AT_FDCWD, "q", RENAME_NOREPLACE));
	R(syscall(SYS_renameat2, AT_FDCWD, "p", AT_FDCWD, "r", RENAME_NOREPLACE));
	R(syscall(SYS_renameat2, AT_FDCWD, "r", AT_FDCWD, "q", RENAME_EXCHANGE));
	say("r=%s ", get("r"));
	say("q=%s\n", get("q"));
	R(syscall(SYS_renameat2, AT_FDCWD, "r", AT_FDCWD, "d", RENAME_EXCHANGE));
	R(access("r/x", F_OK));
	R(syscall(SYS_renameat2, AT_FDCWD, "r", AT_FDCWD, "d", RENAME_EXCHANGE));
	R(syscall(SYS_renameat2, AT_FDCWD, "r", AT_FDCWD, "none", RENAME_EXCHANGE));
	R(syscall(SYS_renameat2, AT_FDCWD, "r", AT_FDCWD, "q", RENAME_EXCHANGE | RENAME_NOREPLACE));
	R(syscall(SYS_renameat2, AT_FDCWD, "r", AT_FDCWD, "q", 0x100));
	// Symbolic links.
	R(symlink("target/that is not", "s"));
	memset(b, '#', sizeof b);
	R(readlink("s", b, sizeof b));
	say("%.20s\n", b);
	R(readlink("s", b, 5));
	R(readlink("s", b, 0));
	R(readlink("b", b, 5));
	R(readlink("none", b, 5));
	R(symlink("x", "s"));
	R(symlink("", "empty"));
	R(lstat("s", &s));
	say("size %ld link %d mode %o\n", (long)s.st_size, S_ISLNK(s.st_mode), s.st_mode & 0777);
	R(stat("s", &s));
	R(link("s", "s2"));
	R(readlink("s2", b, sizeof b));
	R(rename("s", "s3"));
	R(unlink("s3"));
	symlink("d", "sd");
	R(rmdir("sd"));
	R(unlink("sd/"));
	R(access("sd/x", F_OK));
	// 40 links in a chain are followed, 41 are not.
	put("l0", "end of chain");
	for (int i = 1; i <= 41; i++) {
		char n[10], o[10];
		snprintf(n, sizeof n, "l%d", i);
		snprintf(o, sizeof o, "l%d", i - 1);
		symlink(o, n);
	}
	say("%s ", get("l40"));
	say("%s\n", get("l41"));
	// unlink of an open file.
	int fd = MUST(open("b", O_RDWR));
	R(unlink("b"));
	R(access("b", F_OK));
	R(pread(fd, b, 10, 0));
	R(write(fd, "still here", 10));
	fstat(fd, &s);
	say("links %d size %ld\n", (int)s.st_nlink, (long)s.st_size);
	put("b", "new one");
	R(pread(fd, b, 10, 0));
	say("%.10s | %s\n", b, get("b"));
	R(unlink("d"));
	R(unlink("none"));
	R(unlink("b/"));
	// mkdir and rmdir.
	R(mkdir("d", 0755));
	R(mkdir("b", 0755));
	R(mkdir("no/dir", 0755));
	R(mkdir("n/", 0755));
	R(mkdir(".", 0755));
	R(mkdir("/", 0755));
	R(rmdir("d"));
	R(unlink("d/x"));
	R(rmdir("d"));
	R(rmdir("d"));
	R(rmdir("b"));
	R(rmdir("n/."));
	R(rmdir("n/.."));
	R(rmdir("/"));
	R(unlinkat(AT_FDCWD, "n", 0));
	R(unlinkat(AT_FDCWD, "n", AT_REMOVEDIR));
	R(unlinkat(AT_FDCWD, "n", 0x8000));
	// A directory that is open and removed.
	mkdir("o", 0755);
	int dd = MUST(open("o", O_RDONLY));
	R(rmdir("o"));
	R(openat(dd, "x", O_RDWR | O_CREAT, 0600));
	R(mkdirat(dd, "x", 0700));
	O(openat(dd, ".", O_RDONLY));
	// linkat.
	R(linkat(AT_FDCWD, "r", AT_FDCWD, "r2", 0));
	symlink("r", "sr");
	R(linkat(AT_FDCWD, "sr", AT_FDCWD, "r3", AT_SYMLINK_FOLLOW));
	R(links("r"));
	R(linkat(AT_FDCWD, "sr", AT_FDCWD, "r4", 0));
	R(links("sr"));
	R(mknod("reg", S_IFREG | 0600, 0));
	R(mknod("reg", S_IFREG | 0600, 0));
	R(mknod("dirn", S_IFDIR | 0600, 0));
	// Overwritten while open and mapped.
	put("v1", "version 1");
	put("v2", "version 2");
	fd = MUST(open("v1", O_RDONLY));
	char *m = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
	R(rename("v2", "v1"));
	say("%s %s\n", m, get("v1"));
	return 0;
}
