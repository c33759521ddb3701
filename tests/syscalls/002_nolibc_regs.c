// SPDX-License-Identifier: Apache-2.0
// A nolibc program: system calls keep every register but rax, rcx and r11, and the red zone; argc and alignment on entry.
// cflags: -O1 -nostdlib -static -ffreestanding -fno-stack-protector -fno-pie -no-pie
static long sys3(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
static void puts_(const char *s)
{
	long n = 0;
	while (s[n])
		n++;
	sys3(1, 1, (long)s, n);
}
// Sets registers to known values, makes getppid, and counts those that changed.
long probe(void);
__asm__(".globl probe\nprobe:\n"
	"push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov $0x1111,%ebx\nmov $0x2222,%ebp\nmov $0x3333,%r12d\nmov $0x4444,%r13d\nmov $0x5555,%r14d\nmov "
	"$0x6666,%r15d\n"
	"mov $0x7777,%edi\nmov $0x8888,%esi\nmov $0x9999,%edx\nmov $0xaaaa,%r8d\nmov $0xbbbb,%r9d\nmov $0xcccc,%r10d\n"
	"movq $0x1234567,-8(%rsp)\nmovq $0x7654321,-128(%rsp)\n"
	"std\n"
	"mov $110,%eax\nsyscall\n"
	"pushfq\npop %rax\ncld\nand $0x400,%eax\nxor $0x400,%eax\n" // DF must have been kept
	"cmp $0x1111,%rbx\nje 1f\ninc %eax\n1: cmp $0x2222,%rbp\nje 1f\ninc %eax\n1: cmp $0x3333,%r12\nje 1f\ninc "
	"%eax\n"
	"1: cmp $0x4444,%r13\nje 1f\ninc %eax\n1: cmp $0x5555,%r14\nje 1f\ninc %eax\n1: cmp $0x6666,%r15\nje 1f\ninc "
	"%eax\n"
	"1: cmp $0x7777,%rdi\nje 1f\ninc %eax\n1: cmp $0x8888,%rsi\nje 1f\ninc %eax\n1: cmp $0x9999,%rdx\nje 1f\ninc "
	"%eax\n"
	"1: cmp $0xaaaa,%r8\nje 1f\ninc %eax\n1: cmp $0xbbbb,%r9\nje 1f\ninc %eax\n1: cmp $0xcccc,%r10\nje 1f\ninc "
	"%eax\n"
	"1: cmpq $0x7654321,-128(%rsp)\nje 1f\ninc %eax\n1:\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

__attribute__((used)) void start_c(unsigned long *sp)
{
	puts_((unsigned long)sp % 16 == 0 ? "stack aligned\n" : "stack not aligned\n");
	puts_(sp[0] >= 1 && sp[1] && !((char **)sp)[sp[0] + 1] ? "argc and argv ok\n" : "argc and argv bad\n");
	// The same site again and again: trapped first, patched perhaps afterwards.
	for (int i = 0; i < 5; i++)
		puts_(probe() == 0 ? "registers kept\n" : "registers changed\n");
	puts_(sys3(9999, 1, 2, 3) == -38 ? "ENOSYS\n" : "not ENOSYS\n");
	puts_(sys3(-1UL, 1, 2, 3) == -38 ? "ENOSYS\n" : "not ENOSYS\n");
	puts_(sys3(1, 99, (long)"x", 1) == -9 ? "EBADF\n" : "not EBADF\n");
	puts_(sys3(1, 1, 8, 1) == -14 ? "EFAULT\n" : "not EFAULT\n");
	sys3(60, 300, 0, 0);
}
__asm__(".globl _start\n_start:\nxor %ebp,%ebp\nmov %rsp,%rdi\nand $-16,%rsp\ncall start_c\n");
