// SPDX-License-Identifier: Apache-2.0
// Anonymous mappings: zeroed, private, many sizes, holes, munmap in the middle, errors.
// build: static
#include "t.h"
#define P 4096UL
static char *map(size_t n, int prot)
{
	return mmap(0, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
int main(void)
{
	char *p = map(10 * P, PROT_READ | PROT_WRITE);
	T(p != MAP_FAILED && (uintptr_t)p % P == 0);
	int nz = 0;
	for (size_t i = 0; i < 10 * P; i++)
		nz += p[i] != 0;
	T(nz == 0);
	memset(p, 5, 10 * P);
	R(munmap(p + 4 * P, 2 * P));
	T(p[4 * P - 1] == 5 && p[6 * P] == 5);
	CHILD("read the hole", { say("%d\n", *(volatile char *)(p + 5 * P)); });
	T(mmap(p + 4 * P, 2 * P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 4 * P);
	T(p[4 * P] == 0 && p[6 * P - 1] == 0);
	CHILD("write read-only", { *(volatile char *)(p + 5 * P) = 1; });
	CHILD("write PROT_NONE", {
		char *q = map(P, PROT_NONE);
		*(volatile char *)q = 1;
	});
	CHILD("execute non-executable", { ((void (*)(void))p)(); });
	R(munmap(p, 10 * P));
	R(munmap(p, 10 * P));
	R(munmap(p, 0));
	R(munmap(p + 1, P));
	O(mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	O(mmap(0, P, PROT_READ, MAP_ANONYMOUS, -1, 0));
	O(mmap(0, P, PROT_READ, MAP_PRIVATE, -1, 0));
	O(mmap((void *)1, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	O(mmap(0, 1UL << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	O(mmap(0, -1UL, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	O(mmap((void *)(1UL << 60), P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	       0)); // beyond five levels of page tables, too
	// A hint that is free is taken.
	char *h = map(64 * P, PROT_READ);
	munmap(h, 64 * P);
	T(mmap(h + 8 * P, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == h + 8 * P);
	// One that is taken is not.
	T(mmap(h + 8 * P, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != h + 8 * P);
	// Big, sparse: touch one byte per 2 MiB of 4 GiB that are not reserved.
	char *big = mmap(0, 4UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	T(big != MAP_FAILED);
	for (size_t i = 0; i < 4UL << 30; i += 64UL << 20)
		big[i] = 1;
	long sum = 0;
	for (size_t i = 0; i < 4UL << 30; i += 32UL << 20)
		sum += big[i];
	say("sum %ld\n", sum);
	R(munmap(big, 4UL << 30));
	// Code made at run time.
	unsigned char *c = (unsigned char *)map(P, PROT_READ | PROT_WRITE);
	memcpy(c, "\xb8\x2a\0\0\0\xc3", 6);
	R(mprotect(c, P, PROT_READ | PROT_EXEC));
	say("generated code returns %d\n", ((int (*)(void))c)());
	c = mmap(0, P, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++) {
		memcpy(c, "\xb8\x2a\0\0\0\xc3", 6);
		c[1] = i;
		say("rewritten code returns %d\n", ((int (*)(void))c)());
	}
	// A system call in generated code.
	memcpy(c, "\xb8\x27\0\0\0\x0f\x05\xc3", 8);
	for (int i = 0; i < 3; i++)
		T(((int (*)(void))c)() == getpid());
	// MAP_POPULATE, MAP_STACK, MAP_32BIT.
	T(*(char *)mmap(0, 16 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == 0);
	T((uintptr_t)mmap(0, P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0) < 1UL << 31);
	// Two thousand mappings, every other one removed.
	static char *v[2000];
	for (int i = 0; i < 2000; i++) {
		v[i] = map(P * (1 + i % 3), i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
		if (v[i] == MAP_FAILED)
			say("map %d failed\n", i);
		if (i & 1)
			*v[i] = i;
	}
	for (int i = 0; i < 2000; i += 2)
		munmap(v[i], P * (1 + i % 3));
	sum = 0;
	for (int i = 1; i < 2000; i += 2)
		sum += (unsigned char)*v[i];
	say("sum %ld\n", sum);
	return 0;
}
