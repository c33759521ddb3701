// SPDX-License-Identifier: Apache-2.0
// Lengths of x86-64 instructions and the places of their parts. Also compiled as a hosted library for its unit test.

#include "insn.h"

/**
 * DOC: tables
 *
 * One class per opcode of the two large maps: does a ModRM byte follow, and which immediate. The maps 0f 38 and 0f 3a are regular,
 * and so are VEX, EVEX and XOP.
 */
enum { BAD = 0x80, M = 0x10, IB = 1, IZ = 2, IW = 3, IV = 4, ENTER_ = 5, MOFFS = 6, RB = 7, RZ = 8, GRP3 = 9 };

static const u8 one_byte[256] = {
#define ALU M, M, M, M, IB, IZ, BAD, BAD
	ALU,
	ALU,
	ALU,
	ALU,
	ALU,
	ALU,
	ALU,
	ALU,
	/* 40: REX, taken before */
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	/* 50 */ 0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	/* 60 */ BAD,
	BAD,
	BAD,
	M,
	BAD,
	BAD,
	BAD,
	BAD,
	IZ,
	M | IZ,
	IB,
	M | IB,
	0,
	0,
	0,
	0,
	/* 70 */ RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	RB,
	/* 80 */ M | IB,
	M | IZ,
	BAD,
	M | IB,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* 90 */ 0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	BAD,
	0,
	0,
	0,
	0,
	0,
	/* a0 */ MOFFS,
	MOFFS,
	MOFFS,
	MOFFS,
	0,
	0,
	0,
	0,
	IB,
	IZ,
	0,
	0,
	0,
	0,
	0,
	0,
	/* b0 */ IB,
	IB,
	IB,
	IB,
	IB,
	IB,
	IB,
	IB,
	IV,
	IV,
	IV,
	IV,
	IV,
	IV,
	IV,
	IV,
	/* c0 */ M | IB,
	M | IB,
	IW,
	0,
	BAD,
	BAD,
	M | IB,
	M | IZ,
	ENTER_,
	0,
	IW,
	0,
	0,
	IB,
	BAD,
	0,
	/* d0 */ M,
	M,
	M,
	M,
	BAD,
	BAD,
	BAD,
	0,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* e0 */ RB,
	RB,
	RB,
	RB,
	IB,
	IB,
	IB,
	IB,
	RZ,
	RZ,
	BAD,
	RB,
	0,
	0,
	0,
	0,
	/* f0 */ BAD,
	0,
	BAD,
	BAD,
	0,
	0,
	M | GRP3,
	M | GRP3,
	0,
	0,
	0,
	0,
	0,
	0,
	M,
	M,
};

static const u8 two_byte[256] = {
	/* 00 */ M,
	M,
	M,
	M,
	BAD,
	0,
	0,
	0,
	0,
	0,
	BAD,
	0,
	BAD,
	M,
	0,
	M | IB,
	/* 10 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* 20 */ M,
	M,
	M,
	M,
	BAD,
	BAD,
	BAD,
	BAD,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* 30 */ 0,
	0,
	0,
	0,
	0,
	0,
	BAD,
	0,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	BAD,
	/* 40 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* 50 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* 60 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* 70 */ M | IB,
	M | IB,
	M | IB,
	M | IB,
	M,
	M,
	M,
	0,
	M,
	M,
	BAD,
	BAD,
	M,
	M,
	M,
	M,
	/* 80 */ RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	RZ,
	/* 90 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* a0 */ 0,
	0,
	0,
	M,
	M | IB,
	M,
	M,
	M,
	0,
	0,
	0,
	M,
	M | IB,
	M,
	M,
	M,
	/* b0 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M | IB,
	M,
	M,
	M,
	M,
	M,
	/* c0 */ M,
	M,
	M | IB,
	M,
	M | IB,
	M | IB,
	M | IB,
	M,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	/* d0 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* e0 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	/* f0 */ M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
	M,
};

static s64 get_signed(const u8 *p, unsigned n)
{
	u64 v = 0;

	for (unsigned k = 0; k < n; k++)
		v |= (u64)p[k] << 8 * k;
	return n && n < 8 ? (s64)(v << (64 - 8 * n)) >> (64 - 8 * n) : (s64)v;
}

/* prefixes up to the opcode: the offset behind them */
static unsigned decode_prefixes(struct insn *i, const u8 *p, size_t n)
{
	unsigned k = 0;

	for (; k < n && k < 15; k++) {
		switch (p[k]) {
		case 0x66:
			i->prefixes |= INSN_66;
			break;
		case 0x67:
			i->prefixes |= INSN_67;
			break;
		case 0xf0:
			i->prefixes |= INSN_LOCK;
			break;
		case 0xf2:
			i->prefixes |= INSN_REPNE;
			break;
		case 0xf3:
			i->prefixes |= INSN_REP;
			break;
		case 0x64:
			i->prefixes |= INSN_FS;
			break;
		case 0x65:
			i->prefixes |= INSN_GS;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			break;
		default:
			if ((p[k] & 0xf0) != 0x40)
				return k;
			i->rex = p[k];
			continue;
		}
		i->rex = 0; /* only right before the opcode does it count */
	}
	return k;
}

/* VEX or EVEX at p[k]: the offset of the opcode, 0 if it is none */
static unsigned decode_vex(struct insn *i, const u8 *p, unsigned k, size_t n)
{
	unsigned payload = p[k] == 0xc5 ? 1 : p[k] == 0x62 ? 3 : 2;

	if (k + payload + 1 >= n || i->rex)
		return 0;
	i->vex = p[k];
	i->map = payload == 1 ? 1 : payload == 3 ? p[k + 1] & 7 : p[k + 1] & 0x1f;
	if (p[k] == 0x8f)
		return i->map <= 10 ? k + payload + 1 : 0;
	if (!i->map || i->map == 4 || i->map > (payload == 3 ? 6 : 3))
		return 0;
	return k + payload + 1;
}

static u8 opcode_class(const struct insn *i)
{
	if (i->vex) {
		if (i->map == 1)
			return i->opcode == 0x77 && i->vex != 0x62
				       ? 0
				       : M | (two_byte[i->opcode] & 0xf & -(two_byte[i->opcode] == (M | IB)));
		return i->map == 3 || i->map == 8 ? M | IB : i->map == 10 ? M | IZ : M;
	}
	return i->map == 0 ? one_byte[i->opcode] : i->map == 1 ? two_byte[i->opcode] : i->map == 2 ? M : M | IB;
}

static unsigned decode_modrm(struct insn *i, const u8 *p, unsigned k, size_t n)
{
	unsigned mod, rm;

	if (k >= n)
		return 0;
	i->modrm_off = k;
	i->modrm = p[k++];
	mod = i->modrm >> 6;
	rm = i->modrm & 7;
	if (mod == 3)
		return k;
	if (rm == 4) {
		if (k >= n)
			return 0;
		i->sib = p[k++];
		if (mod == 0 && (i->sib & 7) == 5)
			i->disp_len = 4;
	} else if (mod == 0 && rm == 5) {
		i->disp_len = 4;
		i->rip_relative = true;
	}
	if (mod)
		i->disp_len = mod == 1 ? 1 : 4;
	if (k + i->disp_len > n)
		return 0;
	i->disp_off = k;
	i->disp = get_signed(p + k, i->disp_len);
	return k + i->disp_len;
}

static unsigned imm_length(const struct insn *i, unsigned kind)
{
	unsigned z = i->prefixes & INSN_66 && !(i->rex & 8) ? 2 : 4;

	switch (kind) {
	case IB:
	case RB:
		return 1;
	case IW:
		return 2;
	case IZ:
		return z;
	case IV:
		return i->rex & 8 ? 8 : z;
	case RZ:
		return 4; /* as Intel has it: no 16-bit branches in 64-bit mode */
	case ENTER_:
		return 3;
	case MOFFS:
		return i->prefixes & INSN_67 ? 4 : 8;
	case GRP3:
		return (i->modrm & 0x38) > 8 ? 0 : i->opcode & 1 ? z : 1;
	}
	return 0;
}

unsigned insn_decode(struct insn *i, const u8 *p, size_t n)
{
	unsigned k;
	u8 c;

	*i = (struct insn){0};
	if (n > 15)
		n = 15;
	k = decode_prefixes(i, p, n);
	if (k >= n)
		return 0;
	if (p[k] == 0xc4 || p[k] == 0xc5 || p[k] == 0x62 ||
	    (p[k] == 0x8f && k + 1 < n && (p[k + 1] & 0x1f) >= 8)) { /* 8f: XOP */
		k = decode_vex(i, p, k, n);
		if (!k)
			return 0;
	} else if (p[k] == 0x0f) {
		i->map = 1;
		if (++k < n && (p[k] == 0x38 || p[k] == 0x3a))
			i->map = p[k++] == 0x38 ? 2 : 3;
	}
	if (k >= n)
		return 0;
	i->opcode = p[k++];
	c = opcode_class(i);
	if (c & BAD)
		return 0;
	if (c & M && !(k = decode_modrm(i, p, k, n)))
		return 0;
	i->imm_len = imm_length(i, c & 0xf);
	if (k + i->imm_len > n)
		return 0;
	i->branch = (c & 0xf) == RB || (c & 0xf) == RZ;
	i->imm_off = k;
	i->imm = get_signed(p + k, i->imm_len);
	i->len = k + i->imm_len;
	return i->len;
}
