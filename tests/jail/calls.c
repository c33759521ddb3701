// SPDX-License-Identifier: Apache-2.0
// Calls that would matter to the first wall: int 0x80, x32 numbers, rseq, seccomp, keys, GS base, executable memory rules.
#include "attack.h"
#include <asm/prctl.h>

static void int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "0"(20L) : "memory");
	_exit(r == -ENOSYS ? 42 : r > 0 ? 43 : 44);
}

static void wrpkru_private(void)
{
	static const unsigned char code[] = {0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xef, 0xc3};
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p, code, sizeof(code));
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC))
		_exit(42);
	((void (*)(void))p)();
	*(volatile long *)DIRECT_MAP;
	_exit(43);
}

static void wrpkru_file(void)
{
	static const unsigned char code[] = {0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xef, 0xc3};
	int fd = memfd_create("x", 0);
	void *p;

	if (write(fd, code, sizeof(code)) != sizeof(code))
		_exit(45);
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		_exit(42);
	((void (*)(void))p)();
	*(volatile long *)DIRECT_MAP;
	_exit(43);
}

/* Between the prefix that makes it wrgsbase and the rest there can be others, which mean nothing. */
static unsigned char prefix;
static void wrgsbase_behind(void)
{
	const unsigned char code[] = {0xf3, prefix, 0x48, 0x0f, 0xae, 0xd8, 0xc3};
	unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long before, after;

	memset(p, 0x90, 8192);
	memcpy(p + 4093, code, sizeof(code)); /* across two pages */
	memcpy(p + 64, code, sizeof(code));
	if (mprotect(p, 8192, PROT_READ | PROT_EXEC))
		_exit(42);
	/* and back: the gate of a base that is not the thread's kills, which would look like a refusal */
	__asm__ volatile("rdgsbase %0\n\tmov $0x1234000, %%eax\n\tcall *%2\n\trdgsbase %1\n\tmov %0, %%rax\n\tcall *%2"
			 : "=&b"(before), "=&r"(after)
			 : "D"(p + (prefix & 1 ? 4093 : 64))
			 : "rax", "memory");
	_exit(before == after ? 42 : 43);
}

static int denied(int st)
{
	return WIFSIGNALED(st) || (WIFEXITED(st) && WEXITSTATUS(st) == 42);
}

int main(void)
{
	must_fail("int 0x80 is refused", denied(in_child(int80)));
	must_fail("x32 numbers are refused", syscall(0x40000000 + SYS_getpid) < 0);
	must_fail("rseq is refused", syscall(SYS_rseq, NULL, 32, 0, 0) < 0);
	must_fail("ARCH_SET_GS is refused", syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1000) < 0);
	must_fail("wrpkru in private memory", denied(in_child(wrpkru_private)));
	must_fail("wrpkru in a mapped file", denied(in_child(wrpkru_file)));
	for (unsigned i = 0; i < 9; i++) {
		prefix = "\x66\x67\x2e\x36\x3e\x26\x64\x65\x48"[i];
		must_fail("wrgsbase with another prefix", denied(in_child(wrgsbase_behind)));
	}
	must_fail("modify_ldt is refused", syscall(SYS_modify_ldt, 0, NULL, 0) < 0);
	must_fail("userfaultfd is refused", syscall(SYS_userfaultfd, 0) < 0);
	must_fail("ptrace of the kernel's process is refused", syscall(SYS_ptrace, 16, 1, 0, 0) < 0 || getpid() == 1);
	return failures != 0;
}
