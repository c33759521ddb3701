// SPDX-License-Identifier: Apache-2.0
// File mappings: private and shared, coherence with read and write, the page at the end, SIGBUS beyond it.
#include "t.h"
#define P 4096UL
static void bus(int s, siginfo_t *i, void *u)
{
	(void)u;
	say("signal %s code %s\n", s == SIGBUS ? "BUS" : "other", i->si_code == BUS_ADRERR ? "ADRERR" : "other");
	_exit(5);
}
int main(void)
{
	tmp();
	char b[100];
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < 5000; i++)
		MUST(write(fd, &(char){'a' + i % 26}, 1));
	char *s = mmap(0, 2 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *p = mmap(0, 2 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	T(s != MAP_FAILED && p != MAP_FAILED);
	T(!memcmp(s, p, 5000));
	int nz = 0;
	for (size_t i = 5000; i < 2 * P; i++)
		nz += s[i] != 0 || p[i] != 0;
	T(nz == 0);
	memcpy(s + 10, "SHARED", 6);
	MUST(pread(fd, b, 16, 5));
	say("read sees %.16s\n", b);
	memcpy(p + 10, "PRIVATE", 7);
	MUST(pread(fd, b, 16, 5));
	say("read sees %.16s\n", b);
	say("shared sees %.16s\n", s + 5);
	MUST(pwrite(fd, "WRITTEN", 7, 4100));
	say("shared sees %.10s private sees %.10s\n", s + 4098, p + 4098);
	MUST(pwrite(fd, "HIDDEN", 6, 10));
	say("private keeps %.10s\n", p + 8);
	// What is written behind the end through the mapping does not make the file longer.
	s[6000] = 'x';
	struct stat sb;
	MUST(fstat(fd, &sb));
	say("size %ld\n", (long)sb.st_size);
	R(msync(s, 2 * P, MS_SYNC));
	// Longer file: the old tail is zero where it was never written with write.
	MUST(ftruncate(fd, 7000));
	MUST(pread(fd, b, 1, 6500));
	say("byte 6500 is %d\n", b[0]);
	CHILD("beyond the end", {
		on_info(SIGBUS, bus, 0);
		char *q = mmap(0, 8 * P, PROT_READ, MAP_SHARED, fd, 0);
		say("%d\n", *(volatile char *)(q + 3 * P));
	});
	CHILD("after truncate", {
		on_info(SIGBUS, bus, 0);
		s[P] = 1;
		MUST(ftruncate(fd, 100));
		say("first page still %c\n", s[0]);
		say("%d\n", *(volatile char *)(s + P));
	});
	say("after truncate the tail of the page is %d\n", s[100]);
	MUST(ftruncate(fd, 5000));
	// Mapping outlives the descriptor and the name.
	close(fd);
	R(unlink("f"));
	say("still %.6s\n", s + 10);
	R(munmap(s, 2 * P));
	R(munmap(p, 2 * P));
	// Rights.
	put("g", "some text");
	int ro = MUST(open("g", O_RDONLY)), wo = MUST(open("g", O_WRONLY)), d = MUST(open(".", O_RDONLY));
	O(mmap(0, P, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
	O(mmap(0, P, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0));
	O(mmap(0, P, PROT_READ, MAP_PRIVATE, wo, 0));
	O(mmap(0, P, PROT_READ, MAP_PRIVATE, d, 0));
	O(mmap(0, P, PROT_READ, MAP_PRIVATE, ro, 100));
	O(mmap(0, P, PROT_READ, MAP_PRIVATE, 99, 0));
	int pi[2];
	MUST(pipe(pi));
	O(mmap(0, P, PROT_READ, MAP_SHARED, pi[0], 0));
	char *m = mmap(0, P, PROT_READ, MAP_SHARED, ro, 0);
	O(mprotect(m, P, PROT_READ | PROT_WRITE));
	// Offset mapping and shared between processes.
	fd = MUST(open("h", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 4 * P));
	char *a = mmap(0, P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * P);
	char *z = mmap(0, 4 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHILD("writer", strcpy(a, "from the child"));
	say("%s\n", z + 2 * P);
	z[2 * P] = 'F';
	say("%s\n", a);
	MUST(pread(fd, b, 15, 2 * P));
	say("%s\n", b);
	return 0;
}
