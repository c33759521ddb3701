// SPDX-License-Identifier: Apache-2.0
// malloc through brk and mmap, large and small, realloc that moves, calloc zeroed memory.
// build: static
#include "t.h"
int main(void)
{
	unsigned sum = 0, x = 1;
	char *p[500];
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 500; i++) {
			x = x * 1103515245 + 12345;
			size_t n = 1 + x % (i % 50 == 0 ? 400000 : 3000);
			p[i] = malloc(n);
			memset(p[i], i, n);
			sum += p[i][n - 1];
		}
		for (int i = 0; i < 500; i += 2)
			free(p[i]);
		for (int i = 1; i < 500; i += 2) {
			p[i] = realloc(p[i], 5000 + i * 10);
			sum += p[i][0];
			free(p[i]);
		}
	}
	say("sum %u\n", sum);
	char *big = calloc(1, 64 << 20);
	int bad = 0;
	for (size_t i = 0; i < 64 << 20; i += 4096)
		bad += big[i] != 0;
	say("calloc of 64 MiB: %d bytes not zero\n", bad);
	free(big);
	errno = 0;
	void *volatile q = malloc(1UL << 46);
	say("malloc of 64 TiB: %s %s\n", q ? "ok" : "NULL", en(errno));
	return 0;
}
