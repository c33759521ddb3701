// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: its entry, and the start of a thread.

	.section .text.head, "ax"
	.globl _start
_start:
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	mdump_main
	ud2

// int spawn(u64 flags, void *stack_top, void (*fn)(void))
	.text
	.globl spawn
	.type spawn, @function
spawn:
	movq	%rdx, -8(%rsi)
	leaq	-8(%rsi), %rsi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	movl	$56, %eax		// clone
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	popq	%rax
	andq	$-16, %rsp
	call	*%rax
	ud2
	.size spawn, . - spawn
	.section .note.GNU-stack,"",@progbits
