// SPDX-License-Identifier: Apache-2.0
// mprotect: faults and their si_code, splitting, errors, and access again after it is allowed again.
// build: static
#include "t.h"
#include <setjmp.h>
#define P 4096UL
static sigjmp_buf jb;
static char *expect;
static void segv(int s, siginfo_t *i, void *u)
{
	(void)u;
	say("%s %s addr %s\n", s == SIGSEGV ? "SEGV" : "other",
	    i->si_code == SEGV_ACCERR	? "ACCERR"
	    : i->si_code == SEGV_MAPERR ? "MAPERR"
					: "other",
	    i->si_addr == expect ? "right" : "wrong");
	siglongjmp(jb, 1);
}
static void try(const char *what, char *p, int kind)
{
	expect = p;
	say("%s: ", what);
	if (sigsetjmp(jb, 1))
		return;
	if (kind == 'r')
		say("read %d\n", *(volatile char *)p);
	if (kind == 'w') {
		*(volatile char *)p = 9;
		say("written\n");
	}
	if (kind == 'x')
		((void (*)(void))p)(), say("executed\n");
}
int main(void)
{
	on_info(SIGSEGV, segv, 0);
	char *p = mmap(0, 8 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 0xc3, 8 * P);
	R(mprotect(p + P, P, PROT_READ));
	R(mprotect(p + 2 * P, P, PROT_NONE));
	R(mprotect(p + 3 * P, P, PROT_READ | PROT_EXEC));
	try("page 0 write", p, 'w');
	try("page 1 read", p + P, 'r');
	try("page 1 write", p + P + 7, 'w');
	try("page 2 read", p + 2 * P, 'r');
	try("page 2 write", p + 3 * P - 1, 'w');
	try("page 3 exec", p + 3 * P, 'x');
	try("page 3 write", p + 3 * P, 'w');
	try("page 4 exec", p + 4 * P, 'x');
	try("page 4 write", p + 4 * P, 'w');
	try("null read", (char *)8, 'r');
	try("null exec", 0, 'x');
	R(munmap(p + 7 * P, P));
	try("unmapped", p + 7 * P, 'w');
	R(mprotect(p, 7 * P, PROT_READ | PROT_WRITE));
	for (int i = 0; i < 7; i++)
		try("all", p + i * P, 'w');
	R(mprotect(p, 8 * P, PROT_READ)); // runs into the hole: ENOMEM, what is before it has changed
	try("before the hole", p + 6 * P, 'w');
	R(mprotect(p + 1, P, PROT_READ));
	R(mprotect(p, P, 0x1000));
	R(mprotect(p, 0, PROT_READ));
	R(mprotect((void *)(1UL << 46), P, PROT_READ));
	R(mprotect(p, P, PROT_WRITE));
	try("write-only page", p, 'w');
	R(mprotect(p, P, PROT_READ | PROT_WRITE | PROT_EXEC));
	*p = (char)0xc3;
	try("rwx", p, 'x');
	// A non-canonical address: a general protection fault.
	expect = 0;
	try("non-canonical", (char *)0x8000000000000000UL, 'r');
	// System calls on such memory give EFAULT, no signal.
	R(mprotect(p, P, PROT_READ));
	int fd[2];
	MUST(pipe(fd));
	MUST(write(fd[1], "abc", 3));
	R(read(fd[0], p, 3));
	R(mprotect(p, P, PROT_NONE));
	R(write(fd[1], p, 3));
	R(mprotect(p, P, PROT_READ | PROT_WRITE));
	R(read(fd[0], p, 3));
	return 0;
}
