// SPDX-License-Identifier: Apache-2.0
// MAP_FIXED over parts of mappings, MAP_FIXED_NOREPLACE, mixed kinds beside each other.
#include "t.h"
#define P 4096UL
int main(void)
{
	tmp();
	put("f", "file content");
	int fd = MUST(open("f", O_RDWR));
	char *p = mmap(0, 20 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 20 * P);
	O(mmap(p, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	O(mmap(p + 19 * P, 2 * P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	T(p[0] == 1);
	T(mmap(p + 5 * P, P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == p + 5 * P);
	say("%s\n", p + 5 * P);
	T(p[5 * P - 1] == 1 && p[6 * P] == 1);
	T(mmap(p + 10 * P, 3 * P, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 10 * P);
	T(p[10 * P] == 0 && p[13 * P] == 1);
	// One munmap over several mappings and holes.
	R(munmap(p + 3 * P, 15 * P));
	T(p[3 * P - 1] == 1 && p[18 * P] == 1);
	T(mmap(p + 4 * P, 2 * P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == p + 4 * P);
	R(munmap(p, 20 * P));
	// MAP_FIXED that would wrap or lies outside.
	O(mmap((void *)(-4096UL), P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	O(mmap((void *)0xfffffffffff000UL, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	// A thousand fixed pages in one range, alternating protections, then one range of mprotect over all.
	p = mmap(0, 1000 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int bad = 0;
	for (int i = 0; i < 1000; i++)
		bad += mmap(p + i * P, P, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p + i * P;
	say("bad %d\n", bad);
	R(mprotect(p, 1000 * P, PROT_READ | PROT_WRITE));
	memset(p, 3, 1000 * P);
	long s = 0;
	for (size_t i = 0; i < 1000 * P; i += 512)
		s += p[i];
	say("%ld\n", s);
	return 0;
}
