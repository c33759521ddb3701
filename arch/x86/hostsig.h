/* SPDX-License-Identifier: Apache-2.0 */
/* What the host pushes for a signal, and the traps it reports. struct host_sigcontext is the host ABI's struct sigcontext. */
#ifndef ARCH_X86_HOSTSIG_H
#define ARCH_X86_HOSTSIG_H

#include <husk/types.h>

struct host_sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	void *fpstate;
	u64 reserved[8];
};
struct host_ucontext {
	u64 flags, link;
	u64 ss_sp;
	u32 ss_flags, pad;
	u64 ss_size;
	struct host_sigcontext mc;
	u64 sigmask;
};
struct host_siginfo {
	int signo, err, code, pad;
	u64 addr;
	int syscall;
	u32 arch;
};

#define PF_PRESENT 1
#define PF_WRITE 2
#define PF_USER 4
#define PF_INSTR 16
#define PF_PK 32
#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_BP 3
#define TRAP_UD 6
#define TRAP_DF 8
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_AC 17

struct thread_info;
/* crash.c: a fault in the kernel that nothing was prepared for; returns where the kernel goes on (a warning) */
void kernel_fault(int sig, const struct host_siginfo *info, struct host_sigcontext *c);
extern u32 crash_stopping; /* a panic stops all threads */
void crash_park(struct thread_info *ti, struct host_sigcontext *c) __noreturn;
void kicks_unblock(void);
bool vdso_clock_trap(struct host_sigcontext *c);

#endif
