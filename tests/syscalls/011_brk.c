// SPDX-License-Identifier: Apache-2.0
// brk: grow, shrink, zero after regrowth, refuse below the start and absurd sizes.
#include "t.h"
int main(void)
{
	char *start = (char *)syscall(SYS_brk, 0);
	T(start != 0);
	T((char *)syscall(SYS_brk, 0) == start);
	T((char *)syscall(SYS_brk, start + 100000) == start + 100000);
	memset(start, 7, 100000);
	T(start[99999] == 7);
	T((char *)syscall(SYS_brk, start + 10) == start + 10);
	T(start[9] == 7);
	CHILD("touch above brk", {
		char *page = (char *)(((uintptr_t)start + 10 + 4095) & -4096UL) + 4096;
		*(volatile char *)page = 1;
	});
	T((char *)syscall(SYS_brk, start + 200000) == start + 200000);
	int bad = 0;
	for (char *p = (char *)(((uintptr_t)start + 10 + 4095) & -4096UL); p < start + 200000; p++)
		bad += *p != 0;
	say("not zero after regrowth: %d\n", bad);
	T((char *)syscall(SYS_brk, 0x1000UL) == start + 200000);
	T((char *)syscall(SYS_brk, -1UL) == start + 200000);
	T((char *)syscall(SYS_brk, 1UL << 46) == start + 200000);
	// brk does not run into a mapping that lies above it.
	char *m = (char *)(((uintptr_t)start + (1 << 20) + 4095) & -4096UL);
	T(mmap(m, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == m);
	T((char *)syscall(SYS_brk, m + 4096) == start + 200000);
	T((char *)syscall(SYS_brk, start) == start);
	struct rlimit l = {1 << 16, RLIM_INFINITY};
	MUST(setrlimit(RLIMIT_DATA, &l));
	T((char *)syscall(SYS_brk, start + (1 << 19)) == start);
	CHILD("brk in child", {
		char *s = (char *)syscall(SYS_brk, 0);
		T(s == start);
	});
	return 0;
}
