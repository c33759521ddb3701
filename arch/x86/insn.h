/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths and parts of x86-64 instructions, and the emulation of simple ones. */
#ifndef ARCH_X86_INSN_H
#define ARCH_X86_INSN_H

#include <husk/types.h>

/* struct insn - where the parts of an instruction lie, as offsets from its first byte */
struct insn {
	u8 len;
	u8 map;	     /* 0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a */
	u8 vex;	     /* 0, or the first byte of VEX, EVEX or XOP */
	u8 rex;	     /* 0 if none */
	u8 prefixes; /* INSN_* */
	u8 opcode, modrm, sib;
	u8 modrm_off; /* 0: none */
	u8 disp_off, disp_len;
	u8 imm_off, imm_len;
	bool rip_relative; /* the displacement is from the end of the instruction */
	bool branch;	   /* the immediate is */
	s32 disp;
	s64 imm;
};
#define INSN_66 1
#define INSN_67 2
#define INSN_LOCK 4
#define INSN_REPNE 8
#define INSN_REP 16
#define INSN_FS 32
#define INSN_GS 64

/* insn_decode: the instruction's length, 0 when the bytes are none or n is too few */
unsigned insn_decode(struct insn *i, const u8 *p, size_t n);
/* insn_emulable: insn_emulate() can do it, memory permitting */
bool insn_emulable(const struct insn *i);

enum emulated { EMU_DONE, EMU_ILLEGAL, EMU_FAULT };
struct pt_regs;
/* insn_emulate: what the processor would do with i at regs->ip; EMU_FAULT: *addr could not be accessed */
enum emulated insn_emulate(struct pt_regs *regs, const struct insn *i, u64 *addr);

#endif
