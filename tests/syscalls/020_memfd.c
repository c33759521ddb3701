// SPDX-License-Identifier: Apache-2.0
// memfd_create and its seals; shared mappings of it; /proc/self/fd of it.
#include "t.h"
#define P 4096UL
int main(void)
{
	int fd = MUST(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	char b[64] = "", l[64];
	R(fcntl(fd, F_GETFD));
	R(ftruncate(fd, 3 * P));
	R(write(fd, "hello", 5));
	R(lseek(fd, 0, SEEK_END));
	char *m = mmap(0, 3 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say("%s\n", m);
	snprintf(l, sizeof l, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(l, b, sizeof b - 1);
	b[n > 0 ? n : 0] = 0;
	say("%s\n", b);
	struct stat s;
	MUST(fstat(fd, &s));
	say("regular %d links %d size %ld mode %o\n", S_ISREG(s.st_mode), (int)s.st_nlink, (long)s.st_size,
	    s.st_mode & 0777);
	R(fcntl(fd, F_GET_SEALS));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	R(ftruncate(fd, 4 * P));
	R(pwrite(fd, "x", 1, 3 * P));
	R(pwrite(fd, "x", 1, 0));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	R(ftruncate(fd, P));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	R(munmap(m, 3 * P));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	R(pwrite(fd, "y", 1, 0));
	O(mmap(0, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	O(mmap(0, P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	O(mmap(0, P, PROT_READ, MAP_SHARED, fd, 0));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	R(fcntl(fd, F_GET_SEALS));
	int g = MUST(memfd_create("plain", 0));
	R(fcntl(g, F_GET_SEALS));
	R(fcntl(g, F_ADD_SEALS, F_SEAL_GROW));
	O(memfd_create("x", 0x8000));
	O(memfd_create((char *)8, 0));
	char big[300];
	memset(big, 'a', 299);
	big[299] = 0;
	O(memfd_create(big, 0));
	// Opened again through /proc: its own file position.
	snprintf(l, sizeof l, "/proc/self/fd/%d", g);
	MUST(write(g, "0123456789", 10));
	int h = MUST(open(l, O_RDWR));
	R(read(h, b, 4));
	R(lseek(g, 0, SEEK_CUR));
	CHILD("shared with a child", { MUST(pwrite(g, "CHILD", 5, 0)); });
	R(pread(h, b, 5, 0));
	b[5] = 0;
	say("%s\n", b);
	// A program run from a memfd.
	int src = MUST(open("/bin/true", O_RDONLY)), e = MUST(memfd_create("exe", MFD_CLOEXEC));
	char buf[4096];
	ssize_t k;
	while ((k = read(src, buf, sizeof buf)) > 0)
		MUST(write(e, buf, k));
	CHILD("fexecve", {
		fexecve(e, (char *[]){"true", 0}, (char *[]){0});
		_exit(9);
	});
	return 0;
}
