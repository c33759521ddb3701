// SPDX-License-Identifier: Apache-2.0
// The jail's seccomp filter: the host calls the kernel may make, each only with the secret. Everything else traps.

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "sandbox.h"

/*
 * The filter is plain BPF, ordered by how often a call is made; 'S' is the 64-bit secret.
 * Layout of one rule: JEQ nr, then checks; each failing check jumps to the trap.
 */
#define ARG_LO(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define ARG_HI(n) (ARG_LO(n) + 4)
#define MAX_INSNS 400

struct prog {
	struct sock_filter f[MAX_INSNS];
	unsigned n;
};

static void emit(struct prog *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->f[p->n++] = (struct sock_filter){code, jt, jf, k};
}
static void load(struct prog *p, unsigned off)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, off, 0, 0);
}
/* go on if A == k, else trap. Traps are near: each rule ends with its own return. */
static void need_eq(struct prog *p, uint32_t k)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
}
static void need_clear(struct prog *p, uint32_t bits)
{
	emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
}
static void need_at_most(struct prog *p, uint32_t k)
{
	emit(p, BPF_JMP | BPF_JGT | BPF_K, k, 0, 1);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
}
/* go on if the argument, all 64 bits of it, is v */
static void need_arg(struct prog *p, unsigned arg, uint64_t v)
{
	load(p, ARG_LO(arg));
	need_eq(p, (uint32_t)v);
	load(p, ARG_HI(arg));
	need_eq(p, v >> 32);
}
static void allow(struct prog *p)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}
static void need_secret6(struct prog *p, uint64_t s)
{
	need_arg(p, 5, s);
}

/* begin a rule: skip it when the number differs; the distance is filled in by rule_end */
static unsigned rule(struct prog *p, uint32_t nr)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 1, 0);
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	return p->n - 1;
}
static void rule_end(struct prog *p, unsigned at)
{
	p->f[at].k = p->n - at - 1;
	/* the accumulator holds an argument in no rule that falls through: rules always return */
}
/* if A == k go to where branch_here() is called, else on */
static unsigned branch(struct prog *p, uint32_t k)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	return p->n - 1;
}
static void branch_here(struct prog *p, unsigned at)
{
	p->f[at].k = p->n - at - 1;
}
static void simple(struct prog *p, uint32_t nr, uint64_t s)
{
	unsigned at = rule(p, nr);

	need_secret6(p, s);
	allow(p);
	rule_end(p, at);
}

static void rule_futex(struct prog *p, uint64_t s)
{
	unsigned at = rule(p, SYS_futex);

	need_secret6(p, s);
	load(p, ARG_LO(1)); /* shared WAIT and WAKE only */
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT, 2, 0);
	need_eq(p, FUTEX_WAKE);
	allow(p);
	rule_end(p, at);
}

/* Anonymous memory is not bounded by RAM's size: so there are two places for it, of a fixed size, and none besides. */
static void allow_private(struct prog *p)
{
	unsigned scratch;

	load(p, ARG_LO(0));
	scratch = branch(p, (uint32_t)HOSTIF_SCRATCH_ADDR);
	need_arg(p, 0, HOSTIF_PRIVATE_ADDR);
	need_arg(p, 1, HOSTIF_PRIVATE_SIZE);
	allow(p);
	branch_here(p, scratch);
	need_arg(p, 0, HOSTIF_SCRATCH_ADDR);
	need_arg(p, 1, HOSTIF_SCRATCH_SIZE);
	allow(p);
}

static void rule_mmap(struct prog *p, uint64_t s)
{
	unsigned at = rule(p, SYS_mmap), private;

	load(p, ARG_HI(3));
	need_eq(p, (uint32_t)s);
	load(p, ARG_HI(4));
	need_eq(p, s >> 32);
	load(p, ARG_LO(2)); /* known protections; not write with exec, not exec without read */
	need_clear(p, ~(uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 2);
	need_eq(p, PROT_READ | PROT_EXEC);
	load(p, ARG_LO(3));
	emit(p, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(MAP_POPULATE | MAP_NORESERVE), 0, 0);
	private = branch(p, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
	need_eq(p, MAP_SHARED | MAP_FIXED);
	load(p, ARG_LO(4));
	need_eq(p, HOSTIF_RAM_FD);
	allow(p);
	branch_here(p, private);
	allow_private(p);
	rule_end(p, at);
}

static void rule_prot(struct prog *p, uint32_t nr, uint64_t s)
{
	unsigned at = rule(p, nr);

	need_secret6(p, s);
	load(p, ARG_LO(2));
	need_clear(p, ~(uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 2);
	need_eq(p, PROT_READ | PROT_EXEC);
	allow(p);
	rule_end(p, at);
}

static void rule_clone(struct prog *p, uint64_t s)
{
	unsigned at = rule(p, SYS_clone);

	need_secret6(p, s);
	load(p, ARG_LO(0)); /* threads, forks and siblings: no namespace, no ptrace, no pidfd */
	need_clear(p, ~(uint32_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
				  CLONE_CHILD_SETTID | CLONE_PARENT | 0xff));
	load(p, ARG_HI(0));
	need_eq(p, 0);
	allow(p);
	rule_end(p, at);
}

/* the lower half of the call's argument arg must be want: the host looks at no more of it */
static void rule_arg(struct prog *p, uint32_t nr, unsigned arg, uint32_t want, uint64_t s)
{
	unsigned at = rule(p, nr);

	need_secret6(p, s);
	load(p, ARG_LO(arg));
	need_eq(p, want);
	allow(p);
	rule_end(p, at);
}

/* among the threads of one process: not the kinds that interrupt the whole machine */
static void rule_membarrier(struct prog *p, uint64_t s)
{
	unsigned at = rule(p, SYS_membarrier);

	need_secret6(p, s);
	load(p, ARG_LO(0));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 2, 0);
	need_eq(p, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	allow(p);
	rule_end(p, at);
}

/* the machine's clocks and its own CPU time: not other processes' */
static void rule_clock_gettime(struct prog *p, uint64_t s)
{
	unsigned at = rule(p, SYS_clock_gettime);

	need_secret6(p, s);
	load(p, ARG_LO(0));
	need_at_most(p, CLOCK_TAI);
	allow(p);
	rule_end(p, at);
}

/* RAM's file only, its size as it is: at most that much from at most last_off */
#define BACK_MOST ((uint64_t)4096 << HOSTIF_BACK_ORDER)
static void rule_fallocate(struct prog *p, uint64_t last_off, uint64_t s)
{
	unsigned at = rule(p, SYS_fallocate);

	need_secret6(p, s);
	load(p, ARG_LO(0));
	need_eq(p, HOSTIF_RAM_FD);
	load(p, ARG_LO(1)); /* the mode */
	need_eq(p, 0);
	load(p, ARG_HI(3));
	need_eq(p, 0);
	load(p, ARG_LO(3));
	need_at_most(p, BACK_MOST);
	load(p, ARG_HI(2));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, last_off >> 32, 0, 4);
	load(p, ARG_LO(2));
	need_at_most(p, (uint32_t)last_off);
	allow(p);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, last_off >> 32, 0, 1);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
	allow(p);
	rule_end(p, at);
}

/**
 * jail_seccomp_install - put the filter on the calling process
 * @back_size: size of RAM's file where the kernel may have the host back it piece by piece, else 0
 * @pidns: the jail has a pid namespace of its own, so signals and waits reach nothing outside
 * Returns 0 or -1 with errno. Needs no_new_privs.
 */
int jail_seccomp_install(uint64_t s, bool pidns, enum platform_kind platform, uint64_t back_size)
{
	static struct prog prog, *p = &prog;
	struct sock_fprog fp;

	load(p, offsetof(struct seccomp_data, arch));
	need_eq(p, AUDIT_ARCH_X86_64);
	load(p, offsetof(struct seccomp_data, nr));
	rule_futex(p, s);
	rule_mmap(p, s);
	rule_prot(p, SYS_mprotect, s);
	simple(p, SYS_munmap, s);
	simple(p, SYS_restart_syscall,
	       s); /* the host restarts an interrupted futex wait with it; r9 is still the secret */
	simple(p, SYS_rt_sigreturn, s); /* takes no arguments: r9 is the sixth register all the same */
	rule_clone(p, s);
	simple(p, SYS_exit, s);
	simple(p, SYS_sigaltstack, s);
	rule_arg(p, SYS_arch_prctl, 0, 0x1001 /* ARCH_SET_GS */, s);
	simple(p, SYS_rt_sigprocmask, s);
	simple(p, SYS_gettid, s); /* who a thread is whose GS base was lost */
	simple(p, SYS_tgkill, s);
	rule_arg(p, SYS_madvise, 2, MADV_REMOVE,
		 s); /* gives RAM back; others would have the host compare or move pages */
	rule_membarrier(p, s);
	simple(p, SYS_sched_yield, s);
	rule_arg(p, SYS_sched_setaffinity, 0, 0, s); /* of the calling thread only */
	rule_clock_gettime(p, s);
	simple(p, SYS_wait4, s);
	simple(p, SYS_exit_group, s);
	simple(p, SYS_rt_sigaction, s);
	if (platform == PLATFORM_PKU)
		rule_prot(p, SYS_pkey_mprotect, s);
	if (!pidns)
		rule_arg(p, SYS_prctl, 0, PR_SET_PDEATHSIG, s);
	if (back_size >= BACK_MOST)
		rule_fallocate(p, back_size - BACK_MOST, s);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
	fp = (struct sock_fprog){.len = p->n, .filter = p->f};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fp);
}
