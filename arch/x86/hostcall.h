/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the host, each carrying the secret. The allow-list in host/seccomp.c mirrors this file. */
#ifndef ARCH_X86_HOSTCALL_H
#define ARCH_X86_HOSTCALL_H

#include <husk/types.h>
#include <husk/platform.h>

extern u64 host_secret;

static __always_inline long host_call6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall\n\txorl %%r9d, %%r9d"
			 : "=a"(ret), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}
/* everything but mmap carries the secret in the sixth argument */
static __always_inline long host_call(long nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return host_call6(nr, a, b, c, d, e, host_secret);
}

long host_mmap(unsigned long addr, unsigned long len, int prot, int flags, int fd, u64 off);
long host_munmap(unsigned long addr, unsigned long len);
long host_mprotect(unsigned long addr, unsigned long len, int prot);
long host_pkey_mprotect(unsigned long addr, unsigned long len, int prot, int pkey);
long host_madvise(unsigned long addr, unsigned long len, int advice);
int host_ram_back(unsigned long pfn, unsigned int order, enum ram_other_half other);
long host_sigaltstack(void *ss);
long host_tgkill(int tgid, int tid, int sig);
long host_membarrier_sync_core(void);
int host_gettid(void);
long host_clone_thread(u64 flags, u64 stack, u32 *ctid, void *ti);

#define HOST_KICK_SIGNAL 10 /* SIGUSR1: coalesces in the host, so at most one is pending a thread */

#endif
