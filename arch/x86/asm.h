/* SPDX-License-Identifier: Apache-2.0 */
/* Constants shared by the arch's C and assembly: offsets in struct thread_info, PKRU values, fixed addresses. */
#ifndef ARCH_X86_ASM_H
#define ARCH_X86_ASM_H

#define PKRU_USER 0x55555554   /* key 0 only */
#define PKRU_KERNEL 0x55555550 /* keys 0 and 1 */

#define ASM_TASK_SIZE 0x700000000000
#define ASM_GATE_SCRATCH 0x7000e0000000
#define ASM_PROC_PRIVATE 0x7000f0002000
#define ASM_DIRECT_MAP 0x701000000000
#define MAX_THREAD_SLOTS 32768
#define SLOT_SHIFT 6
#define ASM_THREAD_SIZE 32768
#define ASM_TI_SIZE 1024
#define ASM_FRAME_DEEPEST (ASM_THREAD_SIZE - ASM_TI_SIZE - 4096 - 1024) /* of a host signal, below thread_info: its handler has room above the guard page */

/* struct pt_regs, at offset 0 of struct thread_info */
#define R_R15 0
#define R_R14 8
#define R_R13 16
#define R_R12 24
#define R_BP 32
#define R_BX 40
#define R_R11 48
#define R_R10 56
#define R_R9 64
#define R_R8 72
#define R_AX 80
#define R_CX 88
#define R_DX 96
#define R_SI 104
#define R_DI 112
#define R_ORIG_AX 120
#define R_IP 128
#define R_CS 136
#define R_FLAGS 144
#define R_SP 152
#define R_SS 160
#define TI_TASK 168
#define TI_FLAGS 176
#define TI_IN_USER 184
#define TI_SLOT 188
#define TI_KSTACK 192
#define TI_MM_ID 200
#define TI_HOST_TID 224

/* struct host_ucontext */
#define UC_RBP 120
#define UC_RIP 168

/* the bits of TI_FLAGS that must be looked at before user code runs */
#define TIF_EXIT_MASK 0x4f
#define TIF_FULL_EXIT_BIT 0x8

/* flags that kernel code must not run with and that a system call keeps: TF, DF, NT, AC */
#define FLAGS_CONTROL 0x44500

#ifdef __ASSEMBLY__
/* clang-format off */
.macro ENTRY name
	.globl \name
	.hidden \name
	.type \name, @function
	.balign 16
\name:
.endm
.macro END name
	.size \name, . - \name
.endm
/* SET_PKRU: wrpkru, or three bytes of nop where the platform has no keys (arch_init patches these) */
.macro SET_PKRU
771:	wrpkru
	.pushsection .pkru_sites, "a"
	.quad 771b
	.popsection
.endm
/* clang-format on */
#endif
#endif
