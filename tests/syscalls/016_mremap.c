// SPDX-License-Identifier: Apache-2.0
// mremap: shrink, grow in place and by moving, fixed, old size 0, file mappings, errors.
#include "t.h"
#define P 4096UL
static int filled(char *p, size_t n, int c)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != c)
			return 0;
	return 1;
}
int main(void)
{
	char *p = mmap(0, 64 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	memset(p, 4, 64 * P);
	T(mremap(p, 64 * P, 32 * P, 0) == p);
	T(mremap(p, 32 * P, 48 * P, 0) == p); // the room above is free again
	T(filled(p, 32 * P, 4) && filled(p + 32 * P, 16 * P, 0));
	q = mmap(p + 48 * P, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	T(q == p + 48 * P);
	O(mremap(p, 48 * P, 64 * P, 0));
	q = mremap(p, 48 * P, 256 * P, MREMAP_MAYMOVE);
	T(q != MAP_FAILED && q != p);
	T(filled(q, 32 * P, 4) && filled(q + 32 * P, 224 * P, 0));
	CHILD("old place", *(volatile char *)p = 1);
	memset(q, 6, 256 * P);
	// Fixed, over something that exists.
	char *t = mmap(0, 512 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(t, 9, 512 * P);
	T(mremap(q, 256 * P, 256 * P, MREMAP_MAYMOVE | MREMAP_FIXED, t + 100 * P) == t + 100 * P);
	T(filled(t, 100 * P, 9) && filled(t + 100 * P, 256 * P, 6) && filled(t + 356 * P, 156 * P, 9));
	// A part of a mapping moves away.
	T(mremap(t + 10 * P, 5 * P, 5 * P, MREMAP_MAYMOVE | MREMAP_FIXED, t + 400 * P) == t + 400 * P);
	CHILD("gap", *(volatile char *)(t + 12 * P) = 1);
	T(filled(t + 400 * P, 5 * P, 9) && t[15 * P] == 9);
	O(mremap(t, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, t + 1));
	O(mremap(t, 4 * P, 4 * P, MREMAP_MAYMOVE | MREMAP_FIXED, t + 2 * P));
	O(mremap(t, 4 * P, 4 * P, MREMAP_FIXED, t + 20 * P));
	O(mremap(t + 1, P, P, 0));
	O(mremap(t, P, 0, 0));
	O(mremap(t, P, P, 77));
	munmap(t, 512 * P);
	O(mremap(t, P, 2 * P, MREMAP_MAYMOVE));
	// A shared mapping: old size 0 makes a second view.
	char *s = mmap(0, 4 * P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *s2 = mremap(s, 0, 4 * P, MREMAP_MAYMOVE);
	T(s2 != MAP_FAILED && s2 != s);
	strcpy(s, "twice");
	say("%s\n", s2);
	// File mapping that grows with its file.
	tmp();
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 8 * P));
	MUST(pwrite(fd, "far", 4, 5 * P));
	char *f = mmap(0, 2 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	f = mremap(f, 2 * P, 8 * P, MREMAP_MAYMOVE);
	say("%s\n", f + 5 * P);
	strcpy(f + 7 * P, "back");
	char b[5];
	MUST(pread(fd, b, 5, 7 * P));
	say("%s\n", b);
	// Growth after a fork keeps the two apart.
	p = mmap(0, 4 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 4 * P);
	CHILD("child grows", {
		char *n = mremap(p, 4 * P, 400 * P, MREMAP_MAYMOVE);
		memset(n, 2, 400 * P);
		T(filled(n, 400 * P, 2));
	});
	T(filled(p, 4 * P, 1));
	return 0;
}
