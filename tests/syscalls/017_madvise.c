// SPDX-License-Identifier: Apache-2.0
// madvise: DONTNEED on private, shared and file mappings, FREE, WIPEONFORK, DONTFORK, errors.
#include "t.h"
#define P 4096UL
int main(void)
{
	char *p = mmap(0, 16 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 3, 16 * P);
	R(madvise(p + 4 * P, 4 * P, MADV_DONTNEED));
	T(p[4 * P - 1] == 3 && p[4 * P] == 0 && p[8 * P - 1] == 0 && p[8 * P] == 3);
	p[5 * P] = 7;
	T(p[5 * P] == 7);
	char *s = mmap(0, 2 * P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s[0] = 5;
	R(madvise(s, 2 * P, MADV_DONTNEED));
	T(s[0] == 5);
	tmp();
	put("f", "original");
	int fd = MUST(open("f", O_RDWR));
	char *f = mmap(0, P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	strcpy(f, "changed");
	R(madvise(f, P, MADV_DONTNEED));
	say("%s\n", f);
	R(madvise(p, 2 * P, MADV_FREE));
	T(p[0] == 3 || p[0] == 0);
	p[0] = 8;
	T(p[0] == 8);
	O(madvise(f, P, MADV_FREE));
	R(madvise(p, 16 * P, MADV_NORMAL));
	R(madvise(p, 16 * P, MADV_RANDOM));
	R(madvise(p, 16 * P, MADV_SEQUENTIAL));
	R(madvise(p, 16 * P, MADV_WILLNEED));
	R(madvise(p + 1, P, MADV_NORMAL));
	R(madvise(p, 0, MADV_NORMAL));
	R(madvise(p, P, 12345));
	R(madvise(p, P, MADV_WIPEONFORK));
	R(madvise(p + P, P, MADV_DONTFORK));
	p[0] = 1, p[P] = 2, p[2 * P] = 3;
	CHILD("wiped", T(p[0] == 0 && p[2 * P] == 3));
	CHILD("not there", say("%d\n", *(volatile char *)(p + P)));
	R(madvise(p, P, MADV_KEEPONFORK));
	R(madvise(p + P, P, MADV_DOFORK));
	CHILD("kept", T(p[0] == 1 && p[P] == 2));
	R(munmap(p + 8 * P, P));
	R(madvise(p, 16 * P, MADV_DONTNEED)); // ENOMEM for the hole, the rest is done
	T(p[0] == 0 && p[9 * P] == 0);
	R(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	R(posix_fadvise(fd, 0, 0, 99));
	return 0;
}
