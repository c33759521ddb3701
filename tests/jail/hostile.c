// SPDX-License-Identifier: Apache-2.0
// Second wall: a "kernel" that is hostile. It has the secret and makes every host call with and without it, with several
// sets of arguments, each number in a host process of its own; then the calls that the list allows with arguments that it must not.
// Writes its findings to the kernel log and ends the sandbox with status 0 when only what host/seccomp.c lists got through.

#include "kernel.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NR_MAX 470
#define TRAPPED 0x7472617070656421

static volatile long result[NR_MAX][4]; /* in RAM: shared by all processes of the jail */
static char path[] = "/etc/passwd";
static char sigstack[65536] __attribute__((aligned(64)));
static int bad;

/* ---- log ---- */
static void out(const char *s)
{
	char *ring = (char *)RAM + boot->log_phys;

	for (; *s; s++)
		ring[boot->log_head++ & (boot->log_size - 1)] = *s;
	boot->log_kick++;
	call(__NR_futex, (u64)&boot->log_kick, 1, 1, 0, 0, secret);
}
static void num(long v)
{
	char b[24], *p = b + sizeof(b) - 1;
	bool neg = v < 0;

	*p = 0;
	if (neg)
		v = -v;
	do
		*--p = '0' + v % 10;
	while (v /= 10);
	if (neg)
		*--p = '-';
	out(p);
}
static void line(const char *what, long nr, const char *why)
{
	out("<3>[    0.000000] hostile: ");
	out(what);
	out(" ");
	num(nr);
	out(" ");
	out(why);
	out("\n");
}

/* ---- SIGSYS: the call returns TRAPPED. Nothing else is expected, and nothing shared between processes is written ---- */
#define UC_RAX "144" /* of struct ucontext */
#define STRING(x) STRING_(x)
#define STRING_(x) #x
__asm__(".text\nsig_entry:\n\t"
	"mov %rdx, %rsp\n\t"
	"movabs $" STRING(TRAPPED) ", %rax\n\t"
				   "mov %rax, " UC_RAX "(%rsp)\n\t"
				   "mov secret(%rip), %r9\n\t"
				   "mov $15, %eax\n\t"
				   "syscall\n\tud2");
extern char sig_entry[];
#ifdef HOSTILE_PKU
#error "run with --platform=none: the second wall does not depend on keys"
#endif

static void catch_sigsys(void)
{
	struct {
		void *h;
		u64 flags;
		void *rest;
		u64 mask;
	} sa = {sig_entry, 4 | 0x08000000 | 0x40000000 | 0x04000000, sig_entry, 0};
	struct {
		void *sp;
		int flags, pad;
		u64 size;
	} ss = {sigstack, 0, 0, sizeof(sigstack)};

	call(__NR_sigaltstack, (u64)&ss, 0, 0, 0, 0, secret);
	call(__NR_rt_sigaction, 31, (u64)&sa, 0, 8, 0, secret);
}

static bool listed(int nr)
{
	static const short list[] = {__NR_futex,
				     __NR_mmap,
				     __NR_mprotect,
				     __NR_munmap,
				     __NR_rt_sigreturn,
				     __NR_restart_syscall,
				     __NR_clone,
				     __NR_exit,
				     __NR_sigaltstack,
				     __NR_arch_prctl,
				     __NR_rt_sigprocmask,
				     __NR_gettid,
				     __NR_tgkill,
				     __NR_madvise,
				     __NR_membarrier,
				     __NR_sched_yield,
				     __NR_sched_setaffinity,
				     __NR_clock_gettime,
				     __NR_wait4,
				     __NR_exit_group,
				     __NR_rt_sigaction,
				     __NR_fallocate};

	for (unsigned i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (list[i] == nr)
			return true;
	return false;
}

static void probe(int nr)
{
	u64 p = (u64)path, s = secret, lo = secret << 32, hi = secret & 0xffffffff00000000ULL;

	result[nr][0] = call(nr, p, p, p, p, p, 0);			       /* no secret */
	result[nr][1] = call(nr, p, 0, 0, 0, 0, s);			       /* secret, a path */
	result[nr][2] = call(nr, ~0UL, ~0UL, ~0UL, ~0UL, ~0UL, s);	       /* secret, wild */
	result[nr][3] = call(nr, 0, 4096, 7, 0x22 | lo, 0xffffffffUL | hi, s); /* secret everywhere */
}

static void probe_all(void)
{
	for (int nr = 0; nr < NR_MAX; nr++) {
		long pid;
		int st = 0;

		for (int i = 0; i < 4; i++)
			result[nr][i] = TRAPPED;
		pid = call(__NR_clone, 17, 0, 0, 0, 0, secret);
		if (!pid) {
			probe(nr);
			call(__NR_exit_group, 0, 0, 0, 0, 0, secret);
			for (;;)
				;
		}
		if (pid < 0) {
			line("cannot fork for call", nr, "");
			bad++;
			continue;
		}
		call(__NR_wait4, pid, (u64)&st, 0x40000000, 0, 0, secret);
		/*
		 * 335 and 336 (uretprobe, uprobe): Linux lets them past every filter, for uprobes' own trampolines; called from anywhere
		 * else they end in SIGILL or ENXIO.
		 */
		if (result[nr][0] != TRAPPED && !(nr == 336 && result[nr][0] == -6)) {
			line("call", nr, "passed without the secret");
			bad++;
		}
		for (int i = 1; i < 4 && !listed(nr); i++) {
			if (result[nr][i] != TRAPPED && !(nr == 336 && result[nr][i] == -6)) {
				line("call", nr, "passed and is not on the list");
				bad++;
			}
		}
	}
}

#define MUST_TRAP(what, ...)                                                                                           \
	do {                                                                                                           \
		if (call(__VA_ARGS__) != TRAPPED) {                                                                    \
			line(what, 0, "passed");                                                                       \
			bad++;                                                                                         \
		}                                                                                                      \
	} while (0)

/* No process but this one hears a signal: signal 0 asks. */
static void signals_stay_inside(u64 s)
{
	long self = call(__NR_gettid, 0, 0, 0, 0, 0, s);

	if (!(boot->features & (HOSTIF_F_PIDNS | HOSTIF_F_SIGSCOPE)))
		return; /* docs/security.md says so */
	for (long pid = 1; pid < 70000; pid++) {
		if (pid == self || call(__NR_tgkill, pid, pid, 0, 0, 0, s))
			continue;
		line("tgkill of process", pid, "passed");
		bad++;
	}
}

static void bounds(void)
{
	u64 s = secret, lo = secret << 32, hi = secret & 0xffffffff00000000ULL, a = 0x10000000;

	MUST_TRAP("mmap write+exec", __NR_mmap, a, 4096, 7, 0x11 | lo, 3 | hi, 0);
	MUST_TRAP("mmap exec alone", __NR_mmap, a, 4096, 4, 0x11 | lo, 3 | hi, 0);
	MUST_TRAP("mmap anonymous write+exec", __NR_mmap, a, 4096, 6, 0x32 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap of another descriptor", __NR_mmap, a, 4096, 1, 0x11 | lo, 0 | hi, 0);
	MUST_TRAP("mmap private of RAM", __NR_mmap, a, 4096, 1, 0x12 | lo, 3 | hi, 0);
	MUST_TRAP("mmap without FIXED", __NR_mmap, a, 4096, 1, 0x01 | lo, 3 | hi, 0);
	MUST_TRAP("mmap huge pages", __NR_mmap, a, 4096, 1, 0x40032 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap anonymous", __NR_mmap, a, 4096, 3, 0x32 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap anonymous of no access", __NR_mmap, a, 4096, 0, 0x4032 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap anonymous, scratch but longer", __NR_mmap, HOSTIF_SCRATCH_ADDR, 2 * HOSTIF_SCRATCH_SIZE, 3,
		  0x32 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap anonymous, scratch but much longer", __NR_mmap, HOSTIF_SCRATCH_ADDR,
		  HOSTIF_SCRATCH_SIZE + (1UL << 32), 3, 0x32 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap anonymous, scratch but higher", __NR_mmap, HOSTIF_SCRATCH_ADDR + (1UL << 32),
		  HOSTIF_SCRATCH_SIZE, 3, 0x32 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("mmap anonymous, private but longer", __NR_mmap, HOSTIF_PRIVATE_ADDR, HOSTIF_SCRATCH_SIZE, 3,
		  0x32 | lo, 0xffffffff | hi, 0);
	MUST_TRAP("madvise merge with other processes' pages", __NR_madvise, a, 4096, 12, 0, 0, s);
	MUST_TRAP("madvise huge pages", __NR_madvise, a, 4096, 14, 0, 0, s);
	MUST_TRAP("membarrier of all processes", __NR_membarrier, 1, 0, 0, 0, 0, s);
	MUST_TRAP("membarrier of all that registered", __NR_membarrier, 2, 0, 0, 0, 0, s);
	MUST_TRAP("clock of another process", __NR_clock_gettime, ~(1UL << 3) | 2, (u64)path, 0, 0, 0, s);
	MUST_TRAP("mmap with half a secret", __NR_mmap, a, 4096, 1, 0x11 | lo, 3, 0);
	MUST_TRAP("mprotect write+exec", __NR_mprotect, a, 4096, 7, 0, 0, s);
	MUST_TRAP("mprotect exec alone", __NR_mprotect, a, 4096, 4, 0, 0, s);
	MUST_TRAP("mprotect growsdown", __NR_mprotect, a, 4096, 0x01000001, 0, 0, s);
	MUST_TRAP("clone new user namespace", __NR_clone, 0x10000011, 0, 0, 0, 0, s);
	MUST_TRAP("clone new pid namespace", __NR_clone, 0x20000011, 0, 0, 0, 0, s);
	MUST_TRAP("clone ptrace", __NR_clone, 0x2011, 0, 0, 0, 0, s);
	MUST_TRAP("clone pidfd", __NR_clone, 0x1011, 0, 0, 0, 0, s);
	MUST_TRAP("clone untraced high bits", __NR_clone, 0x100000011UL, 0, 0, 0, 0, s);
	MUST_TRAP("futex requeue", __NR_futex, (u64)path, 3, 1, 0, 0, s);
	MUST_TRAP("futex private wait", __NR_futex, (u64)path, 128, 0, 0, 0, s);
	MUST_TRAP("futex lock_pi", __NR_futex, (u64)path, 6, 0, 0, 0, s);
	MUST_TRAP("arch_prctl set fs", __NR_arch_prctl, 0x1002, 0, 0, 0, 0, s);
	MUST_TRAP("arch_prctl cpuid", __NR_arch_prctl, 0x1012, 0, 0, 0, 0, s);
	MUST_TRAP("affinity of another process", __NR_sched_setaffinity, 1, 8, (u64)path, 0, 0, s);
	MUST_TRAP("one bit of the secret wrong", __NR_sched_yield, 0, 0, 0, 0, 0, s ^ 1);
	MUST_TRAP("one high bit of the secret wrong", __NR_sched_yield, 0, 0, 0, 0, 0, s ^ (1UL << 63));
	MUST_TRAP("fallocate of another descriptor", __NR_fallocate, 0, 0, 0, 4096, 0, s);
	MUST_TRAP("fallocate without the secret", __NR_fallocate, 3, 0, 0, 4096, 0, 0);
	MUST_TRAP("fallocate punching a hole", __NR_fallocate, 3, 3, 0, 4096, 0, s);
	MUST_TRAP("fallocate beyond the end", __NR_fallocate, 3, 0, boot->ram_size, 4096, 0, s);
	MUST_TRAP("fallocate across the end", __NR_fallocate, 3, 0, boot->ram_size - 4096, 8192, 0, s);
	MUST_TRAP("fallocate far away", __NR_fallocate, 3, 0, 1UL << 60, 4096, 0, s);
	MUST_TRAP("fallocate before the start", __NR_fallocate, 3, 0, -4096UL, 8192, 0, s);
	MUST_TRAP("fallocate of much", __NR_fallocate, 3, 0, 0, boot->ram_size, 0, s);
	MUST_TRAP("fallocate of very much", __NR_fallocate, 3, 0, 0, 1UL << 40 | 4096, 0, s);
	if ((boot->features & HOSTIF_F_HUGE) &&
	    call(__NR_fallocate, 3, 0, boot->ram_size - (1UL << 20), 1UL << 20, 0, s)) {
		line("fallocate of the last MiB", 0, "did not pass");
		bad++;
	}
	if (call(__NR_tgkill, 1, 1, 0, 0, 0, s) == TRAPPED) {
		line("tgkill of oneself", 0, "trapped");
		bad++;
	}
}

/* The program's argument: what this host is known to bound, or not, and which bomb it is to be. */
static char argument(void)
{
	const char *arg = (const char *)RAM + boot->args;

	if (boot->argc < 2)
		return 0;
	while (*arg++)
		;
	return *arg;
}

/* A host process or thread that sleeps for ever; on no stack. */
__attribute__((used)) static volatile int never;
static long sleeper(u64 flags)
{
	register u64 r10 __asm__("r10") = 0;
	register u64 r8 __asm__("r8") = 0;
	register u64 r9 __asm__("r9") = secret;
	long r;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 2f\n\t"
			 "1: lea never(%%rip), %%rdi\n\t"
			 "xor %%esi, %%esi\n\t"
			 "xor %%edx, %%edx\n\t"
			 "mov $202, %%eax\n\t"
			 "syscall\n\t"
			 "jmp 1b\n"
			 "2:"
			 : "=a"(r), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "0"((long)__NR_clone), "D"(flags), "S"(0UL), "d"(0UL)
			 : "rcx", "r11", "memory");
	return r;
}

/* Tasks without end: how many does the host give? docs/security.md, "Tasks of the host". */
#define BOMB 20000
#define OTHERS 4300 /* where the jail has no count of its own */
static void bomb(void)
{
	bool threads = argument() == 't';
	long n, r = 0, most = 2 * boot->max_tasks + 128 + (boot->features & HOSTIF_F_PIDNS ? 0 : OTHERS);

	if (argument() == 'u')
		return;
	for (n = 1; n < BOMB && r >= 0; n++)
		r = sleeper(threads ? 0x50f00 : 17);
	line(threads ? "threads:" : "processes:", n, r == -11 ? "and no more" : "and more");
	if (n > most || r != -11)
		bad++;
}

__attribute__((noreturn)) void hostile_main(struct hostif_boot *b)
{
	boot = b;
	secret = b->secret;
	catch_sigsys();
	boot->state = HOSTIF_RUNNING;
	signals_stay_inside(secret); /* before there are children */
	probe_all();
	bounds();
	bomb();
	line("calls tried:", NR_MAX, bad ? "some passed" : "only the list passed");
	boot->exit_status = bad ? 1 << 8 : 0;
	boot->state = HOSTIF_EXITED;
	call(__NR_futex, (u64)&boot->state, 1, 1, 0, 0, secret);
	for (;;)
		call(__NR_futex, (u64)&boot->state, 0, HOSTIF_EXITED, 0, 0, secret);
}

__asm__(".section .text.head,\"ax\"\n.globl _start\n_start:\n\tlea hostile_stack+65536(%rip), %rsp\n\tcall "
	"hostile_main\n\tud2\n.text");
__attribute__((used)) static char hostile_stack[65536] __attribute__((aligned(16)));
