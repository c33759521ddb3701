// SPDX-License-Identifier: Apache-2.0
// mlock, munlock, mlockall, mincore, msync: results and errors.
#include "t.h"
#define P 4096UL
int main(void)
{
	unsigned char v[16];
	char *p = mmap(0, 16 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 16 * P);
	R(mincore(p, 16 * P, v));
	int in = 0;
	for (int i = 0; i < 16; i++)
		in += v[i] & 1;
	say("in core %d\n", in);
	R(mlock(p, 4 * P));
	R(munlock(p, 4 * P));
	R(mlock2(p, 4 * P, MLOCK_ONFAULT));
	R(mlock2(p, P, 77));
	R(mlockall(0));
	R(munlockall());
	R(mincore(p + 1, P, v));
	R(mincore(p, P, (void *)8));
	R(msync(p, 16 * P, MS_ASYNC));
	R(msync(p, P, MS_SYNC | MS_ASYNC));
	R(msync(p + 1, P, MS_SYNC));
	R(munmap(p + 8 * P, P));
	R(mincore(p, 16 * P, v));
	R(msync(p, 16 * P, MS_SYNC));
	R(mlock(p, 16 * P));
	R(munlock(p, 8 * P));
	R(munlock(p, 16 * P));
	// The limit holds for an ordinary user.
	CHILD("limit", {
		struct rlimit l = {2 * P, 2 * P};
		MUST(munlockall());
		MUST(setrlimit(RLIMIT_MEMLOCK, &l));
		nobody();
		O(mlock(p, P));
		O(mlock(p, 4 * P));
	});
	return 0;
}
