// SPDX-License-Identifier: Apache-2.0
// Copy-on-write across fork: both directions, nested, large, system calls that write into shared pages.
// build: static
#include "t.h"
#define P 4096UL
static int global = 1;
static long sum(char *p, size_t n)
{
	long s = 0;
	for (size_t i = 0; i < n; i += 64)
		s += p[i];
	return s;
}
int main(void)
{
	size_t n = 8 << 20;
	char *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int local = 1, a[2], b[2];
	char c;
	memset(p, 1, n);
	MUST(pipe(a));
	MUST(pipe(b));
	pid_t k = MUST(fork());
	if (!k) {
		read(a[0], &c, 1); // the parent has written by now
		say("child sees %ld %d %d\n", sum(p, n), global, local);
		for (size_t i = 0; i < n; i += 3 * P)
			p[i] = 2;
		global = local = 3;
		write(b[1], "x", 1);
		read(a[0], &c, 1);
		say("child still %ld %d %d\n", sum(p, n), global, local);
		_exit(0);
	}
	for (size_t i = 0; i < n; i += 2 * P)
		p[i] = 5;
	global = local = 9;
	write(a[1], "x", 1);
	read(b[0], &c, 1);
	say("parent sees %ld %d %d\n", sum(p, n), global, local);
	memset(p, 0, n / 2);
	write(a[1], "x", 1);
	say("%s\n", st(reap(k)));
	// Nested: each generation changes one page.
	memset(p, 0, n);
	int depth;
	for (depth = 0; depth < 6; depth++) {
		p[depth * P] = depth + 1;
		fflush(stdout);
		k = MUST(fork());
		if (k) {
			reap(k);
			break;
		}
	}
	say("generation %d sum %ld\n", depth, sum(p, 16 * P));
	if (depth)
		_exit(0);
	// The kernel itself writes to a shared page.
	memset(p, 7, 4 * P);
	k = MUST(fork());
	if (!k) {
		int z = open("/dev/zero", O_RDONLY);
		R(read(z, p, 2 * P));
		say("child %ld\n", sum(p, 4 * P));
		_exit(0);
	}
	reap(k);
	say("parent %ld\n", sum(p, 4 * P));
	// Two hundred forks, each with a write on both sides.
	int bad = 0;
	for (int i = 0; i < 200; i++) {
		global = i;
		k = MUST(fork());
		if (!k) {
			global++;
			p[(i % 100) * P] = 100;
			_exit(global == i + 1 ? 0 : 1);
		}
		global = -i;
		bad += reap(k) != 0 || p[(i % 100) * P] == 100;
	}
	say("bad %d\n", bad);
	// mprotect and fork: a page that was written, made read-only, forked, made writable.
	memset(p, 1, P);
	mprotect(p, P, PROT_READ);
	k = MUST(fork());
	mprotect(p, P, PROT_READ | PROT_WRITE);
	p[0] = k ? 11 : 22;
	if (!k)
		_exit(p[0]);
	say("%s, parent %d\n", st(reap(k)), p[0]);
	return 0;
}
