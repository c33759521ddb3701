// SPDX-License-Identifier: Apache-2.0
// Faults as signals: SEGV, BUS, FPE, ILL, TRAP with si_code, si_addr, registers, mask; blocked or ignored faults kill.
// build: static
#include "t.h"
#include <setjmp.h>
#include <ucontext.h>
static sigjmp_buf jb;
static volatile void *want_addr;
static volatile int want_rip_check;
static void h(int s, siginfo_t *i, void *u)
{
	ucontext_t *c = u;
	const char *code = "?";
	if (s == SIGSEGV)
		code = i->si_code == SEGV_MAPERR   ? "MAPERR"
		       : i->si_code == SEGV_ACCERR ? "ACCERR"
		       : i->si_code == SI_KERNEL   ? "KERNEL"
						   : "?";
	if (s == SIGBUS)
		code = i->si_code == BUS_ADRERR ? "ADRERR" : i->si_code == BUS_ADRALN ? "ADRALN" : "?";
	if (s == SIGFPE)
		code = i->si_code == FPE_INTDIV	  ? "INTDIV"
		       : i->si_code == FPE_FLTDIV ? "FLTDIV"
		       : i->si_code == FPE_FLTINV ? "FLTINV"
						  : "?";
	if (s == SIGILL)
		code = i->si_code == ILL_ILLOPN ? "ILLOPN" : i->si_code == ILL_ILLOPC ? "ILLOPC" : "?";
	if (s == SIGTRAP)
		code = i->si_code == SI_KERNEL	  ? "KERNEL"
		       : i->si_code == TRAP_BRKPT ? "BRKPT"
		       : i->si_code == TRAP_TRACE ? "TRACE"
						  : "?";
	int page = (int)c->uc_mcontext.gregs[REG_TRAPNO];
	int err = (int)c->uc_mcontext.gregs[REG_ERR];
	if (page == 14)
		err &= ~1; // whether a page happened to be mapped is the memory manager's business
	say("SIG%s %s addr %s trap %d err %d\n", sigabbrev_np(s), code,
	    want_addr == (void *)-1   ? (i->si_addr == (void *)c->uc_mcontext.gregs[REG_RIP] ? "rip" : "not rip")
	    : i->si_addr == want_addr ? "right"
				      : "wrong",
	    page, err);
	siglongjmp(jb, 1);
}
#define TRY(what, addr, ...)                                                                                           \
	do {                                                                                                           \
		want_addr = (void *)(addr);                                                                            \
		say("%s: ", what);                                                                                     \
		if (!sigsetjmp(jb, 1)) {                                                                               \
			__VA_ARGS__;                                                                                   \
			say("nothing\n");                                                                              \
		}                                                                                                      \
	} while (0)
static void plain(int s)
{
	(void)s;
	_exit(50);
}
int main(void)
{
	int all[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	for (int i = 0; i < 5; i++)
		on_info(all[i], h, 0);
	char *ro = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int zero = 0, one = 1, sink;
	TRY("read null", 16, sink = *(volatile int *)16);
	TRY("write null", 24, *(volatile int *)24 = 1);
	TRY("write read-only", ro + 5, *(volatile char *)(ro + 5) = 1);
	TRY("jump to data", ro, ((void (*)(void))ro)());
	TRY("jump to 0", 0, ((void (*)(void))(uintptr_t)zero)());
	TRY("non-canonical", 0, sink = *(volatile int *)0x1234567890abcdefUL);
	TRY("kernel address", 0xffffffff81000000UL, sink = *(volatile int *)0xffffffff81000000UL);
	TRY("division", -1, sink = one / zero);
	TRY("INT_MIN / -1", -1,
	    __asm__ volatile("mov $0x80000000,%%eax; cdq; mov $-1,%%ecx; idiv %%ecx" ::
				     : "eax", "ecx", "edx"));
	TRY("ud2", -1, __asm__ volatile("ud2"));
	TRY("hlt", 0, __asm__ volatile("hlt"));
	TRY("in", 0, __asm__ volatile("inb $0x80,%%al" ::: "al"));
	TRY("cli", 0, __asm__ volatile("cli"));
	TRY("int3", 0, __asm__ volatile("int3"));
	TRY("int 0x20", 0, __asm__ volatile("int $0x20"));
	TRY("sse divide", -1, {
		unsigned csr = 0x1f80 & ~0x200;
		__asm__ volatile("ldmxcsr %0" ::"m"(csr));
		volatile double d = 1.0;
		volatile double z = 0.0;
		d = d / z;
		(void)d;
	});
	unsigned csr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" ::"m"(csr));
	TRY("misaligned movaps", 0, __asm__ volatile("movaps 1(%0),%%xmm0" ::"r"(all)));
	tmp();
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TRY("empty file", m + 7, sink = m[7]);
	(void)sink;
	// The mask during the handler was taken back by siglongjmp.
	sigset_t s;
	sigprocmask(SIG_BLOCK, 0, &s);
	say("blocked %d\n", sigismember(&s, SIGSEGV));
	CHILD("fault while blocked", {
		block(SIGSEGV);
		*(volatile int *)8 = 1;
	});
	CHILD("fault while ignored", {
		signal(SIGSEGV, SIG_IGN);
		*(volatile int *)8 = 1;
	});
	CHILD("sent while ignored", {
		signal(SIGSEGV, SIG_IGN);
		raise(SIGSEGV);
		_exit(3);
	});
	CHILD("fault in the handler", {
		void f(int n)
		{
			(void)n;
			*(volatile int *)8 = 1;
		}
		on(SIGSEGV, f, 0);
		*(volatile int *)8 = 1;
	});
	CHILD("plain handler", {
		on(SIGFPE, plain, 0);
		sink = one / zero;
	});
	CHILD("no stack for the frame", {
		on(SIGSEGV, plain, 0);
		__asm__ volatile("mov $8,%%rsp; push %%rax" ::: "memory");
	});
	CHILD("sent with bad stack", {
		on(SIGALRM, plain, 0);
		struct itimerval t = {{0, 0}, {0, 20000}};
		setitimer(ITIMER_REAL, &t, 0);
		__asm__ volatile("mov $8,%%rsp; 1: jmp 1b" ::: "memory");
	});
	// Returning from a fault handler after repair goes on.
	static char *page;
	void repair(int n)
	{
		(void)n;
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
	}
	page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	on(SIGSEGV, repair, 0);
	page[9] = 5;
	say("repaired %d\n", page[9]);
	for (int i = 0; i < 1000; i++) {
		mprotect(page, 4096, PROT_NONE);
		page[i] = i;
	}
	say("%d\n", page[999]);
	return 0;
}
