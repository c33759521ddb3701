// SPDX-License-Identifier: Apache-2.0
// Signal frames keep SSE, AVX and x87 state and mxcsr; the handler starts with its own control words; changes through the frame.
// build: static
#include "t.h"
#include <cpuid.h>
#include <ucontext.h>
static volatile int hits;
static void clobber(int s)
{
	(void)s;
	hits++;
	__asm__ volatile("pcmpeqd %%xmm0,%%xmm0; pcmpeqd %%xmm1,%%xmm1; pcmpeqd %%xmm7,%%xmm7; pcmpeqd "
			 "%%xmm15,%%xmm15; fninit; fldpi; fldpi" ::
				 : "xmm0", "xmm1", "xmm7", "xmm15");
	unsigned csr = 0x1f80 | 0x6000;
	__asm__ volatile("ldmxcsr %0" ::"m"(csr));
}
__attribute__((target("avx"))) static void clobber_avx(int s)
{
	clobber(s);
	__asm__ volatile("vxorps %%ymm1,%%ymm1,%%ymm1; vxorps %%ymm2,%%ymm2,%%ymm2; vxorps %%ymm14,%%ymm14,%%ymm14" ::
				 : "xmm1", "xmm2", "xmm14");
}
static int sse_round(void)
{
	char a[16], b[16];
	memset(a, 0x5a, 16);
	unsigned in = 0x1f80 | 0x2000, out = 0;
	double pi = 0, want = 1.5;
	long pid = getpid(), tid = my_tid(), r = SYS_tgkill;
	__asm__ volatile("ldmxcsr %[in]\n fninit\n fldl %[want]\n movdqu %[a],%%xmm0\n movdqa %%xmm0,%%xmm1\n movdqa "
			 "%%xmm0,%%xmm7\n movdqa %%xmm0,%%xmm15\n"
			 "syscall\n"
			 "pand %%xmm1,%%xmm0\n pand %%xmm7,%%xmm0\n pand %%xmm15,%%xmm0\n movdqu %%xmm0,%[b]\n stmxcsr "
			 "%[out]\n fstpl %[pi]\n fninit\n"
			 : [b] "=m"(b), [out] "=m"(out), [pi] "=m"(pi), "+a"(r)
			 : [a] "m"(a), [in] "m"(in), [want] "m"(want), "D"(pid), "S"(tid), "d"(SIGUSR1)
			 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm7", "xmm15");
	unsigned def = 0x1f80;
	__asm__ volatile("ldmxcsr %0" ::"m"(def));
	return !memcmp(a, b, 16) && out == in && pi == want && r == 0;
}
__attribute__((target("avx"))) static int avx_round(void)
{
	char a[32], b[32];
	for (int i = 0; i < 32; i++)
		a[i] = i * 7 + 1;
	long pid = getpid(), tid = my_tid(), r = SYS_tgkill;
	__asm__ volatile(
		"vmovdqu %[a],%%ymm1\n vmovaps %%ymm1,%%ymm2\n vmovaps %%ymm1,%%ymm14\n"
		"syscall\n"
		"vandps %%ymm1,%%ymm2,%%ymm1\n vandps %%ymm1,%%ymm14,%%ymm1\n vmovdqu %%ymm1,%[b]\n vzeroupper\n"
		: [b] "=m"(b), "+a"(r)
		: [a] "m"(a), "D"(pid), "S"(tid), "d"(SIGUSR1)
		: "rcx", "r11", "memory", "xmm1", "xmm2", "xmm14");
	return !memcmp(a, b, 32) && r == 0;
}
// A loop in registers only, disturbed by a timer.
static int busy_round(void)
{
	double x = 1.0;
	unsigned long n = 0;
	volatile int *hp = &hits;
	int start = *hp;
	while (*hp < start + 20 && n < 4000000000UL) {
		x = x * 1.0000001;
		n++;
		if (x > 2.0)
			x = x / 2.0;
	}
	double y = 1.0;
	for (unsigned long i = 0; i < n; i++) {
		y = y * 1.0000001;
		if (y > 2.0)
			y = y / 2.0;
	}
	return x == y;
}
static unsigned seen_csr;
static unsigned short seen_cw;
static void look(int s)
{
	(void)s;
	__asm__ volatile("stmxcsr %0" : "=m"(seen_csr));
	__asm__ volatile("fnstcw %0" : "=m"(seen_cw));
}
static void change(int s, siginfo_t *i, void *u)
{
	(void)s, (void)i;
	ucontext_t *c = u;
	c->uc_mcontext.gregs[REG_RBX] = 4242;
	if (c->uc_mcontext.fpregs)
		c->uc_mcontext.fpregs->_xmm[5].element[0] = 777;
}
static void skip(int s, siginfo_t *i, void *u)
{
	(void)s, (void)i;
	((ucontext_t *)u)->uc_mcontext.gregs[REG_RIP] += 2; // over ud2
}
static void flags(int s, siginfo_t *i, void *u)
{
	(void)s, (void)i;
	((ucontext_t *)u)->uc_mcontext.gregs[REG_EFL] |= 1; // carry
}
int main(void)
{
	on(SIGUSR1, clobber, 0);
	int ok = 0;
	for (int i = 0; i < 100; i++)
		ok += sse_round();
	say("SSE %d of 100, handlers %d\n", ok, hits);
	unsigned a, b, c = 0, d;
	__get_cpuid(1, &a, &b, &c, &d);
	ok = 100;
	if (c & bit_AVX && c & bit_OSXSAVE) {
		on(SIGUSR1, clobber_avx, 0);
		ok = 0;
		for (int i = 0; i < 100; i++)
			ok += avx_round();
	}
	say("AVX %d of 100\n", ok);
	on(SIGALRM, clobber, 0);
	struct itimerval it = {{0, 1000}, {0, 1000}};
	setitimer(ITIMER_REAL, &it, 0);
	say("loop under a timer %d\n", busy_round());
	it = (struct itimerval){0};
	setitimer(ITIMER_REAL, &it, 0);
	unsigned csr = 0x1f80 | 0x6000;
	unsigned short cw = 0x0c7f;
	__asm__ volatile("ldmxcsr %0; fldcw %1" ::"m"(csr), "m"(cw));
	on(SIGUSR1, look, 0);
	raise(SIGUSR1);
	csr = 0x1f80;
	__asm__ volatile("fninit; ldmxcsr %0" ::"m"(csr));
	T((seen_csr & ~0x3f) == 0x1f80 || (seen_csr & ~0x3f) == (0x1f80 | 0x6000));
	// A handler changes registers through the frame.
	on_info(SIGUSR1, change, 0);
	long rbx = 1, r = SYS_tgkill, pid = getpid(), tid = my_tid();
	unsigned x5 = 0;
	__asm__ volatile("mov $1,%%ebx\n pxor %%xmm5,%%xmm5\n syscall\n mov %%rbx,%0\n movd %%xmm5,%1"
			 : "=r"(rbx), "=r"(x5), "+a"(r)
			 : "D"(pid), "S"(tid), "d"(SIGUSR1)
			 : "rbx", "rcx", "r11", "xmm5", "memory");
	say("rbx %ld xmm5 %u rax %ld\n", rbx, x5, r);
	on_info(SIGILL, skip, 0);
	__asm__ volatile("ud2");
	say("skipped ud2\n");
	on_info(SIGILL, flags, 0);
	on_info(SIGUSR1, flags, 0);
	unsigned char carry = 0;
	r = SYS_tgkill;
	__asm__ volatile("clc\n syscall\n setc %0"
			 : "=r"(carry), "+a"(r)
			 : "D"(pid), "S"(tid), "d"(SIGUSR1)
			 : "rcx", "r11", "memory", "cc");
	say("carry %d\n", carry);
	// getcontext, makecontext, swapcontext.
	static ucontext_t m, u;
	static char stack[65536];
	static int step;
	void co(void)
	{
		step++;
		swapcontext(&u, &m);
		step += 10;
	}
	getcontext(&u);
	u.uc_stack.ss_sp = stack;
	u.uc_stack.ss_size = sizeof stack;
	u.uc_link = &m;
	makecontext(&u, co, 0);
	swapcontext(&m, &u);
	swapcontext(&m, &u);
	say("step %d\n", step);
	// fork and threads inherit the control words; a child's registers are its own.
	csr = 0x1f80 | 0x2000;
	__asm__ volatile("ldmxcsr %0" ::"m"(csr));
	CHILD("fork", {
		unsigned v;
		__asm__ volatile("stmxcsr %0" : "=m"(v));
		say("%x\n", v & ~0x3f);
	});
	return 0;
}
