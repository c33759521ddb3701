// SPDX-License-Identifier: Apache-2.0
// Forbidden sequences inside innocent instructions: the program must compute what it computes natively, and a jump to the
// sequence must not run it. Also real xrstor, wrgsbase and wrpkru in a file's text.
#include "attack.h"

extern char s_mov[], s_alu[], s_mem[], s_span[], s_page[], s_rip[];
long f_mov(void), f_alu(long a), f_mem(char *p), f_span(long a), f_page(void), f_rip(void);
void f_xrstor(void *area, unsigned mask);
char far_data[0xf02000];
__asm__(".text\n"
	".macro FUNC n\n.globl \\n\n.type \\n,@function\n\\n: .cfi_startproc\n.endm\n"
	".macro ENDF n\n.cfi_endproc\n.size \\n, .-\\n\n.endm\n"
	"FUNC f_mov\n .byte 0xb8\ns_mov: .byte 0x0f,0x01,0xef,0x00\n ret\nENDF f_mov\n"	   // mov $0xef010f,%eax
	"FUNC f_alu\n mov %rdi,%rax\n .byte 0x48,0x05\ns_alu: .byte 0x0f,0x01,0xef,0x00\n" // add $0xef010f,%rax
	" .byte 0x48,0x3d,0x0f,0x01,0xef,0x00\n setg %cl\n movzbl %cl,%ecx\n add %rcx,%rax\n ret\nENDF f_alu\n"
	"FUNC f_mem\n .byte 0x8b,0x87\ns_mem: .byte 0x0f,0x01,0xef,0x00\n ret\nENDF f_mem\n" // mov 0xef010f(%rdi),%eax
	"FUNC f_span\n mov %edi,%eax\n .byte 0xb9,0,0,0\ns_span: .byte 0x0f\n .byte 0x01,0xef\n lea (%rdi,%rcx),%rax\n "
	"ret\nENDF f_span\n" // mov $0x0f000000,%ecx; add %ebp,%edi
	"FUNC f_rip\n .byte 0x48,0x8d,0x05\ns_rip: .byte 0x0f,0x01,0xef,0x00\n ret\nENDF f_rip\n"
	".balign 4096\n.skip 4093\n"
	"FUNC f_page\n .byte 0xb8,0x11\ns_page: .byte 0x0f,0x01,0xef\n ret\nENDF f_page\n" // its bytes lie in two pages
	"FUNC f_xrstor\n mov %esi,%eax\n xor %edx,%edx\n xrstor (%rdi)\n ret\nENDF f_xrstor\n"
	"FUNC f_wrgsbase\n xor %eax,%eax\n wrgsbase %rax\n ret\nENDF f_wrgsbase\n"
	"FUNC f_wrpkru\n xor %eax,%eax\n xor %ecx,%ecx\n xor %edx,%edx\n wrpkru\n ret\nENDF f_wrpkru\n");
void f_wrgsbase(void), f_wrpkru(void);

static void *target;
static void jump_there(void)
{
	__asm__ volatile("xor %%eax,%%eax\n\txor %%ecx,%%ecx\n\txor %%edx,%%edx\n\tcall *%0" ::"r"(target)
			 : "rax", "rcx", "rdx", "memory");
	_exit(*(volatile long *)DIRECT_MAP == 0 ? 42 : 43); /* reads RAM where it worked */
}

static void *xrstor_area;
static unsigned xrstor_mask;
static void do_xrstor(void)
{
	f_xrstor(xrstor_area, xrstor_mask);
	_exit(7);
}
static void do_wrpkru(void)
{
	f_wrpkru();
	_exit(*(volatile long *)DIRECT_MAP == 0 ? 42 : 43);
}

static int signal_of(void (*fn)(void))
{
	int st = in_child(fn);

	return WIFSIGNALED(st) ? WTERMSIG(st) : 1000 + WEXITSTATUS(st);
}

int main(void)
{
	static char *const seq[] = {s_mov, s_alu, s_mem, s_span, s_page, s_rip};
	static unsigned char area[16384] __attribute__((aligned(64)));
	long edi = (int)((long)&edi & 0x7fff);
	unsigned ebp;

	for (int round = 0; round < 3; round++) {
		*(int *)(far_data + 0xef010f) = 77 + round;
		must_fail("mov with a sequence", f_mov() == 0xef010f);
		must_fail("add, cmp with a sequence", f_alu(5) == 0xef0114 + 1 && f_alu(-5) == 0xef010a);
		must_fail("load with a sequence", f_mem(far_data) == 77 + round);
		must_fail("sequence across pages",
			  f_page() == 0xef010f11 - 0x100000000 || (unsigned)f_page() == 0xef010f11);
		must_fail("lea relative to rip", f_rip() == (long)s_rip + 4 + 0xef010f);
		__asm__ volatile("mov %%ebp, %0" : "=r"(ebp));
		__asm__ volatile("push %%rbp\n\tmov $5, %%ebp\n\tmov %1, %%rdi\n\tcall f_span\n\tpop %%rbp"
				 : "=a"(edi)
				 : "r"(100L)
				 : "rdi", "rcx", "memory");
		must_fail("sequence across instructions", edi == 105 + 0x0f000000);
	}
	for (unsigned i = 0; i < sizeof(seq) / sizeof(*seq); i++) {
		int s;

		target = seq[i];
		s = signal_of(jump_there);
		must_fail("a jump to a sequence dies", s < 1000);
	}
	*(unsigned short *)area = 0x37f;
	*(unsigned *)(area + 24) = 0x1f80;
	xrstor_area = area;
	xrstor_mask = 7;
	must_fail("xrstor works", signal_of(do_xrstor) == 1007);
	xrstor_mask = 0x207;
	*(unsigned long *)(area + 512) = 0x200;
	must_fail("xrstor of PKRU does not", signal_of(do_xrstor) < 1000);
	must_fail("wrgsbase is illegal", signal_of(f_wrgsbase) == SIGILL);
	must_fail("wrpkru is illegal", signal_of(do_wrpkru) == SIGILL);
	return failures != 0;
}
