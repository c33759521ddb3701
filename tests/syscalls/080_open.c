// SPDX-License-Identifier: Apache-2.0
// open: flag matrix, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_TMPFILE, trailing slashes, long names.
#include "t.h"
int main(void)
{
	char b[100];
	struct stat s;
	tmp();
	put("f", "content");
	mkdir("d", 0755);
	symlink("f", "lf");
	symlink("d", "ld");
	symlink("none", "dangling");
	symlink("loop", "loop");
	O(open("f", O_RDONLY | O_DIRECTORY));
	O(open("d", O_RDONLY | O_DIRECTORY));
	O(open("d", O_WRONLY));
	O(open("d", O_RDWR));
	O(open("d", O_RDONLY | O_CREAT, 0600));
	O(open("f", O_RDONLY | O_NOFOLLOW));
	O(open("lf", O_RDONLY | O_NOFOLLOW));
	O(open("ld", O_RDONLY | O_NOFOLLOW));
	O(open("ld", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	O(open("lf", O_PATH | O_NOFOLLOW));
	O(open("ld/.", O_RDONLY | O_NOFOLLOW));
	O(open("dangling", O_RDONLY));
	O(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
	O(open("loop", O_RDONLY));
	O(open("dangling", O_RDWR | O_CREAT, 0600));
	O(stat("none", &s));
	O(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
	O(open("f/", O_RDONLY));
	O(open("f/x", O_RDONLY));
	O(open("f/..", O_RDONLY));
	O(open("d/", O_RDONLY));
	O(open("new/", O_RDWR | O_CREAT, 0600));
	O(open("nodir/x", O_RDWR | O_CREAT, 0600));
	O(open("d//../d/./../f", O_RDONLY));
	O(open("", O_RDONLY | O_CREAT, 0600));
	char name[300];
	memset(name, 'n', 255);
	name[255] = 0;
	O(open(name, O_RDWR | O_CREAT, 0600));
	strcat(name, "n");
	O(open(name, O_RDWR | O_CREAT, 0600));
	static char path[5000];
	while (strlen(path) < 4090)
		strcat(path, "./");
	strcat(path, "f");
	O(open(path, O_RDONLY));
	strcpy(path + 4090, "./././f");
	O(open(path, O_RDONLY));
	// Modes.
	int fd = MUST(open("m", O_WRONLY | O_CREAT, 06777));
	MUST(fstat(fd, &s));
	say("mode %o\n", s.st_mode & 07777);
	R(read(fd, b, 1));
	int ro = MUST(open("f", O_RDONLY));
	R(write(ro, "x", 1));
	R(ftruncate(ro, 0));
	fd = MUST(open("newro", O_RDWR | O_CREAT, 0));
	R(write(fd, "x", 1)); // the mode of a new file does not bind its creator's descriptor
	// Trunc and append.
	fd = MUST(open("f", O_WRONLY | O_TRUNC));
	MUST(fstat(fd, &s));
	say("size %ld\n", (long)s.st_size);
	fd = MUST(open("a", O_RDWR | O_CREAT | O_APPEND, 0600));
	int g = MUST(open("a", O_RDWR));
	write(fd, "12345", 5);
	pwrite(g, "XY", 2, 0);
	write(fd, "678", 3);
	lseek(fd, 0, SEEK_SET);
	write(fd, "9", 1);
	R(pwrite(fd, "p", 1, 0)); // Linux appends
	say("%s\n", get("a"));
	R(fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE));
	// Concurrent appenders lose nothing.
	for (int i = 0; i < 4; i++)
		if (!MUST(fork())) {
			int h = MUST(open("log", O_WRONLY | O_CREAT | O_APPEND, 0600));
			char line[11];
			for (int j = 0; j < 200; j++) {
				snprintf(line, sizeof line, "%d line %03d", i, j);
				line[10] = '\n';
				write(h, line, 10);
			}
			_exit(0);
		}
	while (wait(0) > 0)
		;
	MUST(stat("log", &s));
	say("log %ld\n", (long)s.st_size);
	// O_PATH.
	int p = MUST(open("f", O_PATH));
	R(read(p, b, 1));
	R(write(p, b, 1));
	R(fstat(p, &s));
	R(fchmod(p, 0600));
	R(ftruncate(p, 0));
	R(lseek(p, 0, SEEK_SET));
	R(fcntl(p, F_GETFL) == O_PATH);
	O(dup(p));
	O(mmap(0, 4096, PROT_READ, MAP_PRIVATE, p, 0));
	snprintf(b, sizeof b, "/proc/self/fd/%d", p);
	O(open(b, O_RDWR));
	int pd = MUST(open("d", O_PATH));
	O(openat(pd, "../f", O_RDONLY));
	O(openat(p, "x", O_RDONLY));
	R(fchdir(pd));
	chdir("..");
	p = MUST(open("lf", O_PATH | O_NOFOLLOW));
	R(readlinkat(p, "", b, sizeof b));
	MUST(fstat(p, &s));
	say("link %d\n", S_ISLNK(s.st_mode));
	// O_TMPFILE.
	int t = MUST(open(".", O_RDWR | O_TMPFILE, 0640));
	MUST(fstat(t, &s));
	say("links %d mode %o\n", (int)s.st_nlink, s.st_mode & 0777);
	write(t, "anonymous", 9);
	snprintf(b, sizeof b, "/proc/self/fd/%d", t);
	R(linkat(AT_FDCWD, b, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	say("%s\n", get("named"));
	t = MUST(open("d", O_RDWR | O_TMPFILE | O_EXCL, 0600));
	snprintf(b, sizeof b, "/proc/self/fd/%d", t);
	R(linkat(AT_FDCWD, b, AT_FDCWD, "named2", AT_SYMLINK_FOLLOW));
	O(open("d", O_RDONLY | O_TMPFILE, 0600));
	O(open("f", O_RDWR | O_TMPFILE, 0600));
	// Directory descriptors.
	R(read(pd, b, 1));
	int dd = MUST(open("d", O_RDONLY));
	R(read(dd, b, 1));
	R(write(dd, b, 1));
	O(openat(99, "f", O_RDONLY));
	O(openat(dd, "f2", O_RDWR | O_CREAT, 0600));
	O(openat(99, "/dev/null", O_RDONLY));
	O(creat("c", 0600));
	// Lowest free number.
	close(3);
	close(5);
	T(open("f", O_RDONLY) == 3 && open("f", O_RDONLY) == 5);
	// openat2.
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_RDONLY, 0, 0x08}; // BENEATH
	O(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how));
	O(syscall(SYS_openat2, dd, "../f", &how, sizeof how));
	O(syscall(SYS_openat2, AT_FDCWD, "/etc", &how, sizeof how));
	how.resolve = 0x04; // NO_SYMLINKS
	O(syscall(SYS_openat2, AT_FDCWD, "lf", &how, sizeof how));
	how.resolve = 0x10; // IN_ROOT
	O(syscall(SYS_openat2, dd, "/../../f2", &how, sizeof how));
	how.resolve = 0;
	how.flags = 1UL << 40;
	O(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof how));
	O(syscall(SYS_openat2, AT_FDCWD, "f", &how, 3));
	return 0;
}
