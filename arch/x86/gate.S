// SPDX-License-Identifier: Apache-2.0
// The gate: the only way from user code into the kernel and back; host signal entry; start and end of threads.
//
// User code can jump to any instruction here. What makes that harmless:
//  - Key-1 memory (all kernel data and stacks) is out of reach until a wrpkru. After each wrpkru comes a check of %eax, so that
//    a jump to the wrpkru itself loads the value that this place wants, or dies.
//  - From the gate's wrpkru on, nothing in a register is believed: the thread is found through the GS base, which must name a slot whose thread belongs
//    to this host process (PROC_PRIVATE page) and whose in_user flag was 1; the flag is taken atomically.
//  - There is no wrgsbase: the GS base is set by a host call, so it always names the thread's own slot.
//  - xrstor is followed by a test of the mask in %eax: bit 9 would have changed PKRU.
//  - Every host call needs the secret.
// Registers saved in the scratch line (GS) while PKRU changes are user-writable by other threads of the same process: they are user registers, nothing more.

#include "asm.h"

	.text

// The gate. %rax: number, %rcx: address to return to; %r11 is free. All else as user code left it.
ENTRY gate_entry
	movq	%rax, %gs:0
	movq	%rdx, %gs:8
	movq	%rcx, %gs:16
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$PKRU_KERNEL, %eax
	SET_PKRU
	cmpl	$PKRU_KERNEL, %eax
	jne	gate_die
	rdgsbase %rcx
	movabsq	$ASM_GATE_SCRATCH, %rdx
	subq	%rdx, %rcx
	cmpq	$(MAX_THREAD_SLOTS << SLOT_SHIFT), %rcx
	jae	gate_die
	testl	$63, %ecx
	jnz	gate_die
	shrq	$3, %rcx
	leaq	gate_table(%rip), %rdx
	movq	(%rdx,%rcx), %rdx
	testq	%rdx, %rdx
	jz	gate_die
	movabsq	ASM_PROC_PRIVATE, %rax
	cmpq	%rax, TI_MM_ID(%rdx)
	jne	gate_die
	xorl	%ecx, %ecx
	xchgl	%ecx, TI_IN_USER(%rdx)
	cmpl	$1, %ecx
	jne	gate_die
	.globl gate_entry_taken
	.hidden gate_entry_taken
gate_entry_taken:
	movq	%rsp, R_SP(%rdx)
	movq	TI_KSTACK(%rdx), %rsp
	movq	%r15, R_R15(%rdx)
	movq	%r14, R_R14(%rdx)
	movq	%r13, R_R13(%rdx)
	movq	%r12, R_R12(%rdx)
	movq	%rbp, R_BP(%rdx)
	movq	%rbx, R_BX(%rdx)
	movq	%r10, R_R10(%rdx)
	movq	%r9, R_R9(%rdx)
	movq	%r8, R_R8(%rdx)
	movq	%rsi, R_SI(%rdx)
	movq	%rdi, R_DI(%rdx)
	movq	%rdx, %rbx
	pushfq
	popq	%rcx
	testl	$FLAGS_CONTROL, %ecx
	jnz	gate_flags
gate_flags_kept:
	movq	%rcx, R_FLAGS(%rbx)
	movq	%rcx, R_R11(%rbx)
	movq	%gs:0, %rax
	movq	%gs:8, %rdx
	movq	%gs:16, %rcx
	movq	%rax, R_ORIG_AX(%rbx)
	movq	%rdx, R_DX(%rbx)
	movq	%rcx, R_CX(%rbx)
	movq	%rcx, R_IP(%rbx)
	xorl	%ebp, %ebp
	movq	%rbx, %rdi
	call	do_syscall_64
	// fast exit: callee-saved registers are user's again but rbx
	movl	$1, %ecx
	xchgl	%ecx, TI_IN_USER(%rbx)
	.globl gate_exit_start
	.hidden gate_exit_start
gate_exit_start:
	testl	$(TIF_EXIT_MASK), TI_FLAGS(%rbx)
	jnz	gate_exit_slow
	movq	R_AX(%rbx), %rax
	movq	R_DX(%rbx), %rdx
	movq	R_IP(%rbx), %rcx
	movq	%rax, %gs:0
	movq	%rdx, %gs:8
	movq	%rcx, %gs:16
	movq	R_R15(%rbx), %r15
	movq	R_R14(%rbx), %r14
	movq	R_R13(%rbx), %r13
	movq	R_R12(%rbx), %r12
	movq	R_BP(%rbx), %rbp
	movq	R_R10(%rbx), %r10
	movq	R_R9(%rbx), %r9
	movq	R_R8(%rbx), %r8
	movq	R_SI(%rbx), %rsi
	movq	R_DI(%rbx), %rdi
	movq	R_FLAGS(%rbx), %r11
	movq	R_SP(%rbx), %rsp
	movq	R_BX(%rbx), %rbx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$PKRU_USER, %eax
	SET_PKRU
	cmpl	$PKRU_USER, %eax
	jne	gate_die
	movq	%gs:16, %rcx
	movq	%gs:8, %rdx
	movq	%gs:0, %rax
	jmp	*%rcx
gate_exit_slow:			// still in the window: the flag is 1 until this store
	movl	$0, TI_IN_USER(%rbx)
	jmp	exit_to_user
	.globl gate_exit_end
	.hidden gate_exit_end
gate_exit_end:
	ud2
gate_die:
	ud2
gate_flags:			// DF, AC and the like: not for kernel code, and back on the way out, which must be the one with iretq
	lock orl $TIF_FULL_EXIT_BIT, TI_FLAGS(%rbx)
	pushq	$2
	popfq
	jmp	gate_flags_kept
END gate_entry

// exit_to_user: %rbx = thread_info, on its kernel stack. Runs pending work, leaves with every register (iretq).
ENTRY exit_to_user
	movq	TI_KSTACK(%rbx), %rsp
	xorl	%ebp, %ebp
	movq	%rbx, %rdi
	call	exit_to_user_work
	movl	$1, %ecx
	xchgl	%ecx, TI_IN_USER(%rbx)
	.globl full_exit_start
	.hidden full_exit_start
full_exit_start:
	testl	$(TIF_EXIT_MASK), TI_FLAGS(%rbx)
	jnz	gate_exit_slow
	movq	R_AX(%rbx), %rax
	movq	R_DX(%rbx), %rdx
	movq	R_CX(%rbx), %rcx
	movq	%rax, %gs:0
	movq	%rdx, %gs:8
	movq	%rcx, %gs:16
	movq	R_IP(%rbx), %rax
	movq	R_CS(%rbx), %rdx
	movq	R_FLAGS(%rbx), %rcx
	movq	%rax, %gs:24
	movq	%rdx, %gs:32
	movq	%rcx, %gs:40
	movq	R_SP(%rbx), %rax
	movq	R_SS(%rbx), %rdx
	movq	%rax, %gs:48
	movq	%rdx, %gs:56
	movq	R_R15(%rbx), %r15
	movq	R_R14(%rbx), %r14
	movq	R_R13(%rbx), %r13
	movq	R_R12(%rbx), %r12
	movq	R_BP(%rbx), %rbp
	movq	R_R11(%rbx), %r11
	movq	R_R10(%rbx), %r10
	movq	R_R9(%rbx), %r9
	movq	R_R8(%rbx), %r8
	movq	R_SI(%rbx), %rsi
	movq	R_DI(%rbx), %rdi
	movq	R_BX(%rbx), %rbx
	rdgsbase %rsp
	addq	$24, %rsp
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$PKRU_USER, %eax
	SET_PKRU
	cmpl	$PKRU_USER, %eax
	jne	gate_die
	movq	%gs:16, %rcx
	movq	%gs:8, %rdx
	movq	%gs:0, %rax
	iretq
	.globl full_exit_end
	.hidden full_exit_end
full_exit_end:
	ud2
END exit_to_user

// Host signal entry (rdi: signal, rsi: siginfo, rdx: ucontext), on the kernel stack, with the host's initial PKRU. User code can jump
// here with any rsp: the thread comes from the GS base, which user code cannot change, and rsp must lie on its own stack.
ENTRY sig_entry
	movq	%rdx, %r8
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$PKRU_KERNEL, %eax
	SET_PKRU
	cmpl	$PKRU_KERNEL, %eax
	jne	gate_die
	rdgsbase %rcx
	movabsq	$ASM_GATE_SCRATCH, %rax
	subq	%rax, %rcx
	cmpq	$(MAX_THREAD_SLOTS << SLOT_SHIFT), %rcx
	jae	sig_lost_gs
	testl	$63, %ecx
	jnz	sig_lost_gs
	shrq	$3, %rcx
	leaq	gate_table(%rip), %rax
	movq	(%rax,%rcx), %r9	// thread_info
sig_thread_known:
	movq	%r9, %rcx
	subq	%rsp, %rcx
	cmpq	$ASM_FRAME_DEEPEST, %rcx
	ja	sig_foreign
	xorl	%eax, %eax
	xchgl	%eax, TI_IN_USER(%r9)
	.globl sig_entry_taken
	.hidden sig_entry_taken
sig_entry_taken:
	movq	%r8, %rdx
	movq	%r8, %rbx
	movq	%rsp, %rcx
	movq	%r9, %r8
	xorl	%ebp, %ebp
	testl	%eax, %eax
	movl	%eax, %r9d
	jnz	2f
	pushq	UC_RIP(%rdx)		// kernel code was interrupted: its frames go on behind ours
	pushq	UC_RBP(%rdx)
	movq	%rsp, %rbp
2:	subq	$8, %rsp
	andq	$-16, %rsp
	pushq	$2			// the host clears DF and TF, but not AC
	popfq
	call	sig_dispatch		// rdi, rsi, rdx, rcx: where the host put us, r8: thread_info, r9: in_user
	// interrupted kernel code goes on: the host restores it
	movq	%rbx, %rsp
	movq	host_secret(%rip), %r9
	movl	$15, %eax
	syscall
	ud2
	.globl sig_foreign
	.hidden sig_foreign
sig_foreign:			// r9: thread_info
	movq	%r9, %rdi
	movq	TI_KSTACK(%r9), %rsp
	xorl	%ebp, %ebp
	call	sig_forged
	ud2
// User code loaded a selector into %gs, which changes the base. The host says who this thread is: rsp names a thread_info if it lies on its stack, the
// gate's table confirms that it is one, and its host_tid must be the caller's. Nothing is written before that is known.
	.globl sig_lost_gs, sig_lost_gs_end
	.hidden sig_lost_gs, sig_lost_gs_end
sig_lost_gs:
	movq	%rsp, %r9
	movabsq	$ASM_DIRECT_MAP, %rax
	movq	%r9, %rcx
	subq	%rax, %rcx
	cmpq	ram_bytes(%rip), %rcx
	jae	gate_die
	andq	$-ASM_THREAD_SIZE, %r9
	addq	$(ASM_THREAD_SIZE - ASM_TI_SIZE), %r9
	movl	TI_SLOT(%r9), %ecx
	cmpl	$MAX_THREAD_SLOTS, %ecx
	jae	gate_die
	leaq	gate_table(%rip), %rax
	cmpq	(%rax,%rcx,8), %r9
	jne	gate_die
	movq	%rdi, %r12
	movq	%rsi, %r13
	movq	%r9, %r14
	movq	%rcx, %r15
	movq	host_secret(%rip), %r9
	movl	$186, %eax		// gettid
	syscall
	cmpl	%eax, TI_HOST_TID(%r14)
	jne	gate_die
	movabsq	$ASM_GATE_SCRATCH, %rsi
	shlq	$SLOT_SHIFT, %r15
	addq	%r15, %rsi
	movl	$0x1001, %edi		// ARCH_SET_GS
	movl	$158, %eax
	syscall
	testq	%rax, %rax
	jnz	gate_die
	movq	%r12, %rdi
	movq	%r13, %rsi
	movq	%r14, %r9
	jmp	sig_thread_known
sig_lost_gs_end:
	ud2
END sig_entry

// long host_clone_thread(flags, stack, u32 *ctid, struct thread_info *ti): the child starts in thread_start(ti) on stack
ENTRY host_clone_thread
	pushq	%rbx
	movq	%rcx, %rbx
	movq	%rdx, %r10		// ctid
	xorl	%edx, %edx		// ptid
	xorl	%r8d, %r8d		// tls
	movq	host_secret(%rip), %r9
	movl	$56, %eax
	syscall
	xorl	%r9d, %r9d
	testq	%rax, %rax
	jz	1f
	popq	%rbx
	ret
1:	xorl	%ebp, %ebp
	movq	%rbx, %rdi
	call	thread_start
	ud2
END host_clone_thread

// void thread_exit_asm(int *host_tid): host signals are blocked; says that the stack is free, then ends the host thread without touching it
ENTRY thread_exit_asm
	movq	host_secret(%rip), %r9
	movl	$0, (%rdi)	// free_thread_info polls; nobody needs a wake
	xorl	%edi, %edi
	movl	$60, %eax
	syscall
	ud2
END thread_exit_asm

// void blank_switch(u64 *sp, u32 *word, u32 *host_tid): hands the calling task over to a blank host process: publishes the stack pointer,
// wakes the blank, and ends this host thread. Returns in the other process.
ENTRY blank_switch
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	host_secret(%rip), %r9
	movq	%rsp, (%rdi)
	movq	%rsi, %rdi
	movl	$1, %eax
	xchgl	%eax, (%rdi)
	movl	$1, %esi		// FUTEX_WAKE
	movl	$1, %edx
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	movl	$202, %eax
	syscall
	xorl	%edi, %edi
	movl	$60, %eax
	syscall
	ud2
END blank_switch

// void blank_resume(u64 sp): the other side of blank_switch
ENTRY blank_resume
	movq	%rdi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
END blank_resume

// void fpu_restore(void *xstate, u64 mask): xrstor without PKRU
ENTRY fpu_restore
	movq	%rsi, %rax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	andl	$0xfffffdff, %eax
	xrstor64 (%rdi)
	testl	$0x200, %eax
	jnz	gate_die
	ret
END fpu_restore

// int fpu_restore_safe(void *xstate, u64 mask): as above, -14 where the processor refuses the image
ENTRY fpu_restore_safe
	movq	%rsi, %rax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	andl	$0xfffffdff, %eax
1:	xrstor64 (%rdi)
	testl	$0x200, %eax
	jnz	gate_die
	xorl	%eax, %eax
	ret
2:	movl	$-14, %eax
	ret
	.pushsection .ex_table, "a"
	.quad 1b, 2b
	.popsection
END fpu_restore_safe

// int fpu_save_user(void *xstate, u64 mask): to user memory; -14 on a fault
ENTRY fpu_save_user
	movq	%rsi, %rax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	andl	$0xfffffdff, %eax
1:	xsave64	(%rdi)
	xorl	%eax, %eax
	ret
2:	movl	$-14, %eax
	ret
	.pushsection .ex_table, "a"
	.quad 1b, 2b
	.popsection
END fpu_save_user

// Boot: the monitor jumps here with rdi = struct hostif_boot in the direct map
	.section .text.head, "ax"
ENTRY _start
	cld
	leaq	early_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	arch_boot
	ud2
END _start

// void stack_lost(struct thread_info *ti, struct host_sigcontext *c): goes on in stack_lost_report() on the stack for that, which waits until it is free
ENTRY stack_lost
1:	movl	$1, %eax
	xchgl	%eax, stack_lost_busy(%rip)
	pause
	testl	%eax, %eax
	jnz	1b
	leaq	stack_lost_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	stack_lost_report
	ud2
END stack_lost

// void stack_found(u64 sp, void (*fn)(void *), void *arg): back to a task's own stack for good
ENTRY stack_found
	movq	%rdi, %rsp
	movl	$0, stack_lost_busy(%rip)
	xorl	%ebp, %ebp
	movq	%rsi, %rax
	movq	%rdx, %rdi
	call	*%rax
	ud2
END stack_found

// Two stacks that no slot holds. The image's writable part begins with them, so that what lies below is read-only: an overflow of the
// boot's stack faults there, one of the other runs into the boot's, which is dead by then.
	.section .stacks, "aw", @nobits
	.balign ASM_THREAD_SIZE	// a slot like any other, with an empty thread_info: `current` is NULL
	.globl early_stack
	.hidden early_stack
early_stack:
	.skip	ASM_THREAD_SIZE - ASM_TI_SIZE
early_stack_top:
	.skip	ASM_TI_SIZE
stack_lost_stack:		// for a task that has no stack left to report it on
	.skip	ASM_THREAD_SIZE - ASM_TI_SIZE
	.globl stack_lost_top
	.hidden stack_lost_top
stack_lost_top:
	.skip	ASM_TI_SIZE
	.bss
stack_lost_busy:
	.long	0
	.section .note.GNU-stack,"",@progbits
