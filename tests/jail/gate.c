// SPDX-License-Identifier: Apache-2.0
// First wall: jumps into kernel text (every offset of the gate, host syscall instructions without the secret), forged signal
// entries, forged registers. Each must end in a signal for the process that tried, or a failed call; the sandbox goes on.
#include "attack.h"

static unsigned long target;

static void jump(void)
{
	/* registers an attacker would choose: a host write(2) to see whether anything leaks out */
	__asm__ volatile("mov %0, %%r11\n\t"
			 "mov $39, %%eax\n\t"
			 "mov $1, %%edi\n\t"
			 "xor %%esi, %%esi\n\t"
			 "xor %%edx, %%edx\n\t"
			 "lea 1f(%%rip), %%rcx\n\t"
			 "jmp *%%r11\n"
			 "1:" ::"r"(target)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory");
}

int main(int argc, char **argv)
{
	int survived = 0, died = 0;
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 0x900;
	unsigned long step = argc > 2 ? strtoul(argv[2], NULL, 0) : 7;

	for (target = KERNEL_TEXT; target < KERNEL_TEXT + n; target += step) {
		int st = in_child(jump);

		if (WIFSIGNALED(st))
			died++;
		else
			survived++; /* a jump to the gate itself is a system call like any other */
	}
	printf("ok jumps into kernel text: sandbox alive (%s)\n", died ? "most died" : "none died");
	return died == 0;
}
