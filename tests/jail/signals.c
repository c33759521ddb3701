// SPDX-License-Identifier: Apache-2.0
// First wall: forged frames for rt_sigreturn, signal stacks in the window, a GS base that user code changed, 32-bit code, stack pointers
// that lie anywhere. Each may kill the process that tried; none may read the window, and the sandbox goes on.
#include "attack.h"
#include <pthread.h>
#include <stddef.h>
#include <sys/time.h>
#include <ucontext.h>

static int (*edit)(ucontext_t *);
static void on_usr1(int sig, siginfo_t *si, void *uc)
{
	if (edit(uc))
		_exit(44);
}

static void with_frame(int (*fn)(ucontext_t *))
{
	struct sigaction sa = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO};

	edit = fn;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
}

/* reads the window: 43 where that worked */
static void read_window(void)
{
	volatile long v = *(volatile long *)DIRECT_MAP;

	(void)v;
	_exit(43);
}

static int to_kernel(ucontext_t *u)
{
	u->uc_mcontext.gregs[REG_RIP] = KERNEL_TEXT + 0x100;
	return 0;
}
static void frame_kernel_rip(void)
{
	with_frame(to_kernel);
}

static int with_pkru(ucontext_t *u)
{
	unsigned char *x = (unsigned char *)u->uc_mcontext.fpregs;
	unsigned a, b, c, d;

	*(unsigned long *)(x + 512) |= 0x200;
	*(unsigned long *)(x + 472) |= 0x200; /* xfeatures of the software part */
	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(13), "2"(9));
	if (a >= 4 && b >= 576 && b < 8192)
		*(unsigned *)(x + b) = 0;
	return 0;
}
static void frame_pkru(void)
{
	with_frame(with_pkru);
	read_window();
}

static int compact(ucontext_t *u)
{
	unsigned char *x = (unsigned char *)u->uc_mcontext.fpregs;

	*(unsigned long *)(x + 512) = 0x203;
	*(unsigned long *)(x + 520) = 0x8000000000000203UL; /* compacted, PKRU right behind the header */
	memset(x + 576, 0, 64);
	return 0;
}
static void frame_compact(void)
{
	with_frame(compact);
	read_window();
}

static int segments(ucontext_t *u)
{
	((unsigned short *)&u->uc_mcontext.gregs[REG_CSGSFS])[0] = 0x23;
	return 0;
}
static void frame_cs32(void)
{
	with_frame(segments);
	read_window();
}

static int flags(ucontext_t *u)
{
	u->uc_mcontext.gregs[REG_EFL] |= 0x3000 | 0x20000 | 0x4000; /* IOPL, VM, NT */
	return 0;
}
static void frame_flags(void)
{
	unsigned long f;

	with_frame(flags);
	__asm__ volatile("pushfq\n\tpop %0" : "=r"(f));
	if (f & 0x23000)
		_exit(45);
	read_window();
}

static int fp_window(ucontext_t *u)
{
	u->uc_mcontext.fpregs = (void *)(DIRECT_MAP + 0x300000);
	return 0;
}
static void frame_fp_in_window(void)
{
	with_frame(fp_window);
	read_window();
}

static void sigreturn_on_window(void)
{
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::"r"(DIRECT_MAP + 0x300000) : "memory");
	_exit(43);
}

static void altstack_in_window(void)
{
	stack_t s = {(void *)(DIRECT_MAP + 0x300000), 0, 65536};
	struct sigaction sa = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	edit = to_kernel;
	sigaltstack(&s, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	read_window();
}

static unsigned long where;
static void sp_anywhere(void)
{
	__asm__ volatile("mov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tmov $39,%%eax\n\tsyscall\n\tpush %%rax\n\tmov "
			 "$60,%%eax\n\tmov $42,%%edi\n\tsyscall" ::"r"(where)
			 : "memory");
}
static void sp_fault(void)
{
	__asm__ volatile("mov %0, %%rsp\n\tud2" ::"r"(where) : "memory");
}

/* ---- %gs ---- */
static unsigned short selector;
static void load_gs(void)
{
	long me = getpid();

	for (int i = 0; i < 1000; i++) {
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
		if (syscall(SYS_getpid) != me)
			_exit(45);
	}
	_exit(42);
}
static void gs_fault(void)
{
	__asm__ volatile("mov %0, %%gs\n\tud2" ::"r"(selector));
}
static volatile int ticks;
static void on_alarm(int s)
{
	ticks++;
}
static void gs_kicks(void)
{
	struct itimerval it = {{0, 1000}, {0, 1000}};

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &it, NULL);
	for (long i = 0; ticks < 20 && i < 2000000000; i++)
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
	_exit(42);
}
static void *gs_thread(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
		sched_yield();
	}
	return NULL;
}
static void gs_threads(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, gs_thread, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	_exit(42);
}

/* ---- 32-bit code: int 0x80 and a return ---- */
static void code32(void)
{
	static const unsigned char code[] = {0xb8, 20, 0,    0,	 0, 0xcd, 0x80, 0xb8, 1,    0,
					     0,	   0,  0xbb, 43, 0, 0,	  0,	0xcd, 0x80, 0xf4};
	unsigned char *p =
		mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	memcpy(p, code, sizeof(code));
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	__asm__ volatile("pushq $0x23\n\tpushq $0x10000000\n\tlretq");
}

/* ---- one stack for two threads ---- */
static char shared_stack[65536] __attribute__((aligned(16)));
static void *on_shared(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		long r;

		__asm__ volatile("mov %%rsp, %%rbx\n\tmov %1, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tmov %%rbx, %%rsp"
				 : "=a"(r)
				 : "r"(shared_stack + 60000)
				 : "rbx", "rcx", "r11", "memory");
	}
	return NULL;
}
static void swapped_stacks(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, on_shared, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	_exit(42);
}

static int keys;
/* Without keys the window can be read: only what must hold anyway counts. */
static void contained(const char *what, void (*fn)(void))
{
	int st = in_child(fn);
	int ok = WIFSIGNALED(st) || (WIFEXITED(st) && (WEXITSTATUS(st) == 42 || (!keys && WEXITSTATUS(st) == 43)));

	if (!ok)
		printf("status %x: ", st);
	must_fail(what, ok);
}

int main(int argc, char **argv)
{
	static const unsigned short sel[] = {0, 3, 0x2b, 0x23, 0x33};
	static const unsigned long sp[] = {0,
					   8,
					   DIRECT_MAP + 0x300000,
					   DIRECT_MAP + 0x308000,
					   KERNEL_TEXT + 0x1000,
					   PROC_PRIVATE + 64,
					   0x7000e0000400,
					   0x8000000000000000,
					   0xffffffffffffff00};

	keys = argc > 1 && !strcmp(argv[1], "keys");
	contained("frame with rip in the kernel", frame_kernel_rip);
	contained("frame with PKRU", frame_pkru);
	contained("frame with a compacted PKRU", frame_compact);
	contained("frame with a 32-bit code segment", frame_cs32);
	contained("frame with system flags", frame_flags);
	contained("frame with its FPU state in the window", frame_fp_in_window);
	if (keys)
		contained("rt_sigreturn with the stack in the window", sigreturn_on_window);
	contained("signal stack in the window", altstack_in_window);
	for (unsigned i = 0; i < sizeof(sp) / sizeof(*sp); i++) {
		where = sp[i];
		contained("stack pointer anywhere: calls", sp_anywhere);
		contained("stack pointer anywhere: a fault", sp_fault);
	}
	for (unsigned i = 0; i < sizeof(sel) / sizeof(*sel); i++) {
		selector = sel[i];
		contained("%gs loaded: calls", load_gs);
		contained("%gs loaded: a fault", gs_fault);
		contained("%gs loaded: signals", gs_kicks);
		contained("%gs loaded: threads", gs_threads);
	}
	contained("32-bit code", code32);
	contained("two threads on one stack", swapped_stacks);
	return failures != 0;
}
