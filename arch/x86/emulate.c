// SPDX-License-Identifier: Apache-2.0
// Emulation of simple user instructions whose bytes may not be executable: they spell a forbidden instruction somewhere inside.

#include <husk/mm.h>
#include "arch.h"
#include "insn.h"

enum { F_CF = 1, F_PF = 4, F_AF = 16, F_ZF = 64, F_SF = 128, F_OF = 2048 };
#define F_ARITH (F_CF | F_PF | F_AF | F_ZF | F_SF | F_OF)

struct emu {
	struct pt_regs *r;
	const struct insn *i;
	unsigned size; /* of the operands, in bytes */
	u64 ea;	       /* where the memory operand lies */
	u64 fault;
	bool failed;
};

static u64 *gpr(struct pt_regs *r, unsigned n)
{
	u64 *const reg[16] = {&r->ax, &r->cx, &r->dx,  &r->bx,	&r->sp,	 &r->bp,  &r->si,  &r->di,
			      &r->r8, &r->r9, &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};

	return reg[n & 15];
}

static u64 mask(unsigned size)
{
	return size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

static u64 get_reg(struct emu *e, unsigned n, unsigned size)
{
	if (size == 1 && !e->i->rex && n >= 4) /* ah ch dh bh */
		return *gpr(e->r, n - 4) >> 8 & 0xff;
	return *gpr(e->r, n) & mask(size);
}

static void set_reg(struct emu *e, unsigned n, unsigned size, u64 v)
{
	u64 *p;

	if (size == 1 && !e->i->rex && n >= 4) {
		p = gpr(e->r, n - 4);
		*p = (*p & ~0xff00ULL) | (v & 0xff) << 8;
		return;
	}
	p = gpr(e->r, n);
	*p = size == 8 ? v : size == 4 ? (u32)v : (*p & ~mask(size)) | (v & mask(size));
}

static unsigned reg_field(const struct insn *i)
{
	return (i->modrm >> 3 & 7) | (i->rex & 4) << 1;
}
static unsigned rm_field(const struct insn *i)
{
	return (i->modrm & 7) | (i->rex & 1) << 3;
}
static bool rm_is_reg(const struct insn *i)
{
	return i->modrm >= 0xc0;
}

static u64 effective_address(struct emu *e)
{
	const struct insn *i = e->i;
	u64 a = (s64)i->disp;

	if (i->rip_relative)
		a += e->r->ip + i->len;
	else if ((i->modrm & 7) == 4) {
		unsigned base = (i->sib & 7) | (i->rex & 1) << 3, index = (i->sib >> 3 & 7) | (i->rex & 2) << 2;

		if ((i->sib & 7) != 5 || i->modrm >= 0x40)
			a += *gpr(e->r, base);
		if (index != 4)
			a += *gpr(e->r, index) << (i->sib >> 6);
	} else {
		a += *gpr(e->r, rm_field(i));
	}
	if (i->prefixes & INSN_67)
		a = (u32)a;
	if (i->prefixes & INSN_FS && i->opcode != 0x8d)
		a += rdfsbase();
	return a;
}

static u64 load(struct emu *e, u64 addr, unsigned size)
{
	u64 v = 0;

	if (!e->failed && copy_from_user(&v, (void *)addr, size)) {
		e->failed = true;
		e->fault = addr;
	}
	return v;
}

static void store(struct emu *e, u64 addr, unsigned size, u64 v)
{
	if (!e->failed && copy_to_user((void *)addr, &v, size)) {
		e->failed = true;
		e->fault = addr;
	}
}

static u64 get_rm(struct emu *e, unsigned size)
{
	return rm_is_reg(e->i) ? get_reg(e, rm_field(e->i), size) : load(e, e->ea, size);
}
static void set_rm(struct emu *e, unsigned size, u64 v)
{
	if (rm_is_reg(e->i))
		set_reg(e, rm_field(e->i), size, v);
	else
		store(e, e->ea, size, v);
}

static void set_flags(struct emu *e, unsigned size, u64 res, u64 extra)
{
	u64 f = extra;

	if (e->failed)
		return;
	res &= mask(size);
	if (!res)
		f |= F_ZF;
	if (res >> (8 * size - 1) & 1)
		f |= F_SF;
	if (!__builtin_parity(res & 0xff))
		f |= F_PF;
	e->r->flags = (e->r->flags & ~(u64)F_ARITH) | f;
}

/* op: add or adc sbb and sub xor cmp, as encoded. Returns the result; cmp's is not to be stored. */
static u64 alu(struct emu *e, unsigned op, unsigned size, u64 a, u64 b)
{
	u64 m = mask(size), top = 1ULL << (8 * size - 1), c = (op == 2 || op == 3) && (e->r->flags & F_CF), res, f = 0;

	a &= m;
	b &= m;
	switch (op) {
	case 0:
	case 2:
		res = (a + b + c) & m;
		f = (res < a || (c && res == a) ? F_CF : 0) | (~(a ^ b) & (a ^ res) & top ? F_OF : 0) |
		    ((a ^ b ^ res) & F_AF);
		break;
	case 3:
	case 5:
	case 7:
		res = (a - b - c) & m;
		f = (a < b || (c && a == b) ? F_CF : 0) | ((a ^ b) & (a ^ res) & top ? F_OF : 0) |
		    ((a ^ b ^ res) & F_AF);
		break;
	case 1:
		res = a | b;
		break;
	case 4:
		res = a & b;
		break;
	default:
		res = a ^ b;
		break;
	}
	set_flags(e, size, res, f);
	return res;
}

static bool condition(u64 f, unsigned cc)
{
	bool cf = f & F_CF, zf = f & F_ZF, sf = f & F_SF, of = f & F_OF, pf = f & F_PF, v;

	switch (cc >> 1 & 7) {
	case 0:
		v = of;
		break;
	case 1:
		v = cf;
		break;
	case 2:
		v = zf;
		break;
	case 3:
		v = cf || zf;
		break;
	case 4:
		v = sf;
		break;
	case 5:
		v = pf;
		break;
	case 6:
		v = sf != of;
		break;
	default:
		v = zf || sf != of;
		break;
	}
	return v != (cc & 1);
}

static void push(struct emu *e, u64 v)
{
	store(e, e->r->sp - 8, 8, v);
	if (!e->failed)
		e->r->sp -= 8;
}

static void multiply(struct emu *e, u64 a, u64 b)
{
	unsigned sh = 64 - 8 * e->size;
	s64 x = (s64)(a << sh) >> sh, y = (s64)(b << sh) >> sh, res;
	bool over = __builtin_mul_overflow(x, y, &res);

	over |= (s64)((u64)res << sh) >> sh != res;
	if (e->failed)
		return;
	set_reg(e, reg_field(e->i), e->size, res);
	e->r->flags = (e->r->flags & ~(u64)(F_CF | F_OF)) | (over ? F_CF | F_OF : 0);
}

/* 00-3f and 80-83: the eight arithmetic operations */
static void do_alu(struct emu *e)
{
	const struct insn *i = e->i;
	unsigned form = i->opcode & 7, op = i->opcode >> 3 & 7;
	u64 res;

	if (i->opcode >= 0x80) {
		op = i->modrm >> 3 & 7;
		res = alu(e, op, e->size, get_rm(e, e->size), i->imm);
		if (op != 7)
			set_rm(e, e->size, res);
	} else if (form >= 4) {
		res = alu(e, op, e->size, get_reg(e, 0, e->size), i->imm);
		if (op != 7)
			set_reg(e, 0, e->size, res);
	} else if (form < 2) {
		res = alu(e, op, e->size, get_rm(e, e->size), get_reg(e, reg_field(i), e->size));
		if (op != 7)
			set_rm(e, e->size, res);
	} else {
		res = get_rm(e, e->size);
		if (e->failed)
			return;
		res = alu(e, op, e->size, get_reg(e, reg_field(i), e->size), res);
		if (op != 7)
			set_reg(e, reg_field(i), e->size, res);
	}
}

static void do_inc(struct emu *e)
{
	u64 cf = e->r->flags & F_CF, v = get_rm(e, e->size), old = e->r->flags;

	v = alu(e, e->i->modrm & 8 ? 5 : 0, e->size, v, 1);
	e->r->flags = (e->r->flags & ~(u64)F_CF) | cf;
	set_rm(e, e->size, v);
	if (e->failed)
		e->r->flags = old;
}

static bool group5(struct emu *e, u64 *next)
{
	u64 v;

	switch (e->i->modrm >> 3 & 7) {
	case 0:
	case 1:
		do_inc(e);
		return true;
	case 2:
	case 4:
	case 6:
		v = get_rm(e, 8);
		if ((e->i->modrm >> 3 & 7) == 2)
			push(e, *next);
		if ((e->i->modrm >> 3 & 7) == 6)
			push(e, v);
		else
			*next = v;
		return true;
	}
	return false;
}

static void extend(struct emu *e, unsigned from, bool sign)
{
	u64 v = get_rm(e, from);

	if (sign)
		v = (u64)((s64)(v << (64 - 8 * from)) >> (64 - 8 * from));
	if (!e->failed)
		set_reg(e, reg_field(e->i), e->size, v);
}

static bool two_byte_op(struct emu *e, u64 *next)
{
	const struct insn *i = e->i;
	u64 v;

	switch (i->opcode) {
	case 0x1e: /* endbr and its kin are nops in this form */
	case 0x1f:
		return true;
	case 0x40 ... 0x4f:
		v = get_rm(e, e->size);
		if (!e->failed)
			set_reg(e, reg_field(i), e->size,
				condition(e->r->flags, i->opcode) ? v : get_reg(e, reg_field(i), e->size));
		return true;
	case 0x80 ... 0x8f:
		if (condition(e->r->flags, i->opcode))
			*next += i->imm;
		return true;
	case 0x90 ... 0x9f:
		set_rm(e, 1, condition(e->r->flags, i->opcode));
		return true;
	case 0xaf:
		multiply(e, get_reg(e, reg_field(i), e->size), get_rm(e, e->size));
		return true;
	case 0xb6:
	case 0xb7:
	case 0xbe:
	case 0xbf:
		extend(e, i->opcode & 1 ? 2 : 1, i->opcode & 8);
		return true;
	}
	return false;
}

static bool one_byte_op(struct emu *e, u64 *next)
{
	const struct insn *i = e->i;
	u64 v;

	switch (i->opcode) {
	case 0x00 ... 0x3f:
	case 0x80 ... 0x83:
		do_alu(e);
		return true;
	case 0x50 ... 0x57:
		push(e, *gpr(e->r, (i->opcode & 7) | (i->rex & 1) << 3));
		return true;
	case 0x58 ... 0x5f:
		v = load(e, e->r->sp, 8);
		if (!e->failed) {
			e->r->sp += 8;
			*gpr(e->r, (i->opcode & 7) | (i->rex & 1) << 3) = v;
		}
		return true;
	case 0x63:
		extend(e, 4, true);
		return true;
	case 0x68:
	case 0x6a:
		push(e, i->imm);
		return true;
	case 0x69:
	case 0x6b:
		multiply(e, get_rm(e, e->size), i->imm);
		return true;
	case 0x70 ... 0x7f:
		if (condition(e->r->flags, i->opcode))
			*next += i->imm;
		return true;
	case 0x84:
	case 0x85:
		alu(e, 4, e->size, get_rm(e, e->size), get_reg(e, reg_field(i), e->size));
		return true;
	case 0x88:
	case 0x89:
		set_rm(e, e->size, get_reg(e, reg_field(i), e->size));
		return true;
	case 0x8a:
	case 0x8b:
		v = get_rm(e, e->size);
		if (!e->failed)
			set_reg(e, reg_field(i), e->size, v);
		return true;
	case 0x8d:
		set_reg(e, reg_field(i), e->size, e->ea);
		return true;
	case 0x90:
		return true;
	case 0xa8:
	case 0xa9:
		alu(e, 4, e->size, get_reg(e, 0, e->size), i->imm);
		return true;
	case 0xb0 ... 0xbf:
		set_reg(e, (i->opcode & 7) | (i->rex & 1) << 3, e->size, i->imm);
		return true;
	case 0xc6:
	case 0xc7:
		set_rm(e, e->size, i->imm);
		return true;
	case 0xc3:
		v = load(e, e->r->sp, 8);
		if (!e->failed) {
			e->r->sp += 8;
			*next = v;
		}
		return true;
	case 0xe8:
		push(e, *next);
		*next += i->imm;
		return true;
	case 0xe9:
	case 0xeb:
		*next += i->imm;
		return true;
	case 0xf6:
	case 0xf7:
		alu(e, 4, e->size, get_rm(e, e->size), i->imm);
		return true;
	case 0xfe:
		do_inc(e);
		return true;
	case 0xff:
		return group5(e, next);
	}
	return false;
}

static bool is_xrstor(const struct insn *i)
{
	return i->map == 1 && !i->vex && i->opcode == 0xae && !rm_is_reg(i) && (i->modrm & 0x38) == 0x28 &&
	       !(i->prefixes & (INSN_66 | INSN_REP | INSN_REPNE | INSN_LOCK | INSN_GS));
}

bool insn_emulable(const struct insn *i)
{
	u8 o = i->opcode, sub = i->modrm >> 3 & 7;

	if (is_xrstor(i))
		return true;
	if (i->vex || i->prefixes & (INSN_LOCK | INSN_GS) || i->map > 1)
		return false;
	if (i->map == 1)
		return !(i->prefixes & (INSN_REP | INSN_REPNE) && o != 0x1e) &&
		       (o == 0x1f || (o == 0x1e && rm_is_reg(i)) || (o >= 0x40 && o <= 0x4f) ||
			(o >= 0x80 && o <= 0x9f) || o == 0xaf || o == 0xb6 || o == 0xb7 || o == 0xbe || o == 0xbf);
	if (o < 0x40)
		return true;
	switch (o) {
	case 0x50 ... 0x5f:
	case 0x68:
	case 0x6a:
	case 0xff:
		return !(i->prefixes & INSN_66) && (o != 0xff || (sub != 3 && sub != 5 && sub != 7));
	case 0x63:
	case 0x69:
	case 0x6b:
	case 0x70 ... 0x7f:
	case 0x80:
	case 0x81:
	case 0x83:
	case 0x84:
	case 0x85:
	case 0x88 ... 0x8b:
	case 0xa8:
	case 0xa9:
	case 0xb0 ... 0xbf:
	case 0xe8:
	case 0xe9:
	case 0xeb:
	case 0xc3:
		return true;
	case 0x8d:
		return !rm_is_reg(i);
	case 0x90:
		return !(i->rex & 1);
	case 0xc6:
	case 0xc7:
		return sub == 0;
	case 0xf6:
	case 0xf7:
	case 0xfe:
		return sub < 2;
	}
	return false;
}

static unsigned operand_size(const struct insn *i)
{
	u8 o = i->opcode;
	bool byte = i->map == 0 && !(o & 1) &&
		    ((o < 0x40) || o == 0x80 || o == 0x84 || o == 0x88 || o == 0x8a || o == 0xa8 || o == 0xc6 ||
		     o == 0xf6 || o == 0xfe);

	if (byte || (i->map == 0 && o >= 0xb0 && o <= 0xb7))
		return 1;
	return i->rex & 8 ? 8 : i->prefixes & INSN_66 ? 2 : 4;
}

/* As the processor does it, but for PKRU: an image that would set it is refused before anything is loaded. */
static enum emulated do_xrstor(struct emu *e, u64 *addr)
{
	u64 want = (u64)(u32)e->r->dx << 32 | (u32)e->r->ax;

	*addr = e->ea;
	if (want & 1 << 9)
		return EMU_ILLEGAL;
	if (e->ea & 63 || !access_ok((void *)e->ea, xstate_size))
		return EMU_FAULT;
	return fpu_restore_safe((void *)e->ea, want & xfeature_mask) ? EMU_FAULT : EMU_DONE;
}

enum emulated insn_emulate(struct pt_regs *regs, const struct insn *i, u64 *addr)
{
	struct emu e = {.r = regs, .i = i, .size = operand_size(i)};
	struct pt_regs old = *regs;
	u64 next = regs->ip + i->len;

	if (!insn_emulable(i))
		return EMU_ILLEGAL;
	if (i->modrm_off && !rm_is_reg(i))
		e.ea = effective_address(&e);
	if (is_xrstor(i)) {
		enum emulated r = do_xrstor(&e, addr);

		if (r == EMU_DONE)
			regs->ip = next;
		return r;
	}
	if (!(i->map ? two_byte_op(&e, &next) : one_byte_op(&e, &next)))
		return EMU_ILLEGAL;
	if (e.failed) {
		*regs = old;
		*addr = e.fault;
		return EMU_FAULT;
	}
	regs->ip = next;
	return EMU_DONE;
}
