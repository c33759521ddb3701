/* SPDX-License-Identifier: Apache-2.0 */
/* What the hostile kernels share: the monitor's words to a kernel, and a host call. */
#ifndef TESTS_JAIL_KERNEL_H
#define TESTS_JAIL_KERNEL_H

#include <hostif/hostif.h>
#include <asm/unistd.h>

typedef uint64_t u64;
#define RAM 0x701000000000UL

static struct hostif_boot *boot;
static u64 secret;

static inline long call(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}
#endif
