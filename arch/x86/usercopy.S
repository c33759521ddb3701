// SPDX-License-Identifier: Apache-2.0
// Raw access to user memory, with an exception table: a fault that cannot be resolved ends it early. mm/util.c checks the range.

#include "asm.h"

	.text

// User access, with an exception table: rax = bytes NOT copied
ENTRY __copy_user
	movq	%rdx, %rcx
	cmpq	$64, %rdx
	ja	2f
	shrq	$3, %rcx
	jz	4f
3:	movq	(%rsi), %rax
5:	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rdx
	decq	%rcx
	jnz	3b
4:	testq	%rdx, %rdx
	jz	8f
6:	movb	(%rsi), %al
7:	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rdx
	jnz	6b
8:	xorl	%eax, %eax
	ret
2:	rep movsb
	xorl	%eax, %eax
	ret
11:	movq	%rcx, %rax
	ret
12:	movq	%rdx, %rax
	ret
	.pushsection .ex_table, "a"
	.quad 3b, 6b // the last bytes one by one: exact where the fault is
	.quad 5b, 6b
	.quad 6b, 12b
	.quad 7b, 12b
	.quad 2b, 11b
	.popsection
END __copy_user

ENTRY __clear_user
	movq	%rsi, %rcx
	xorl	%eax, %eax
1:	rep stosb
	xorl	%eax, %eax
	ret
2:	movq	%rcx, %rax
	ret
	.pushsection .ex_table, "a"
	.quad 1b, 2b
	.popsection
END __clear_user

// long __strncpy_user(char *dst, const char *src, long n): length without the NUL, n when there is none in n bytes, -14
ENTRY __strncpy_user
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	jge	3f
2:	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	testb	%cl, %cl
	jz	3f
	incq	%rax
	jmp	1b
3:	ret
4:	movq	$-14, %rax
	ret
	.pushsection .ex_table, "a"
	.quad 2b, 4b
	.popsection
END __strncpy_user

// long __strnlen_user(const char *s, long n): length with the NUL, 0 on a fault, n + 1 when longer
ENTRY __strnlen_user
	xorl	%eax, %eax
1:	cmpq	%rsi, %rax
	jge	3f
2:	cmpb	$0, (%rdi,%rax)
	leaq	1(%rax), %rax
	jnz	1b
	ret
3:	leaq	1(%rsi), %rax
	ret
4:	xorl	%eax, %eax
	ret
	.pushsection .ex_table, "a"
	.quad 2b, 4b
	.popsection
END __strnlen_user

// int __user_cmpxchg_u32(u32 *p, u32 old, u32 new, u32 *prev)
ENTRY __user_cmpxchg_u32
	movl	%esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
	movl	%eax, (%rcx)
	xorl	%eax, %eax
	ret
2:	movl	$-14, %eax
	ret
	.pushsection .ex_table, "a"
	.quad 1b, 2b
	.popsection
END __user_cmpxchg_u32
