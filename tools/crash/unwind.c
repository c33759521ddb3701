// SPDX-License-Identifier: Apache-2.0
// One step up a stack by call frame information, for the kernel's .debug_frame and programs' .eh_frame alike.

#include <dwarf.h>
#include <stdlib.h>
#include "crash.h"

#define STACK 32
#define MAX_REG 16

struct machine {
	struct unwind *u;
	u64 s[STACK];
	unsigned n;
	bool failed;
};

static void put(struct machine *m, u64 v)
{
	if (m->n < STACK)
		m->s[m->n++] = v;
	else
		m->failed = true;
}

static u64 take(struct machine *m)
{
	if (m->n)
		return m->s[--m->n];
	m->failed = true;
	return 0;
}

static u64 get_reg(struct machine *m, u64 r)
{
	if (r > MAX_REG || !(m->u->known >> r & 1)) {
		m->failed = true;
		return 0;
	}
	return m->u->reg[r];
}

static u64 deref(struct machine *m, u64 addr)
{
	u64 v = 0;

	if (m->failed || m->u->read(m->u->arg, addr, &v, 8))
		m->failed = true;
	return v;
}

static void binary(struct machine *m, unsigned op)
{
	u64 b = take(m), a = take(m);

	switch (op) {
	case DW_OP_plus:
		put(m, a + b);
		break;
	case DW_OP_minus:
		put(m, a - b);
		break;
	case DW_OP_and:
		put(m, a & b);
		break;
	case DW_OP_or:
		put(m, a | b);
		break;
	case DW_OP_shl:
		put(m, b < 64 ? a << b : 0);
		break;
	case DW_OP_shr:
		put(m, b < 64 ? a >> b : 0);
		break;
	case DW_OP_mul:
		put(m, a * b);
		break;
	case DW_OP_ge:
		put(m, (s64)a >= (s64)b);
		break;
	case DW_OP_gt:
		put(m, (s64)a > (s64)b);
		break;
	case DW_OP_le:
		put(m, (s64)a <= (s64)b);
		break;
	case DW_OP_lt:
		put(m, (s64)a < (s64)b);
		break;
	case DW_OP_eq:
		put(m, a == b);
		break;
	case DW_OP_ne:
		put(m, a != b);
		break;
	default:
		m->failed = true;
	}
}

/* *value: the result is the value itself, not where it lies. No jumps, so it ends. */
static u64 evaluate(struct unwind *u, const Dwarf_Op *op, size_t n, bool *value)
{
	struct machine m = {.u = u};
	u64 v;

	*value = false;
	for (size_t i = 0; i < n && !m.failed; i++, op++) {
		unsigned a = op->atom;

		if (a >= DW_OP_breg0 && a <= DW_OP_breg31)
			put(&m, get_reg(&m, a - DW_OP_breg0) + op->number);
		else if (a == DW_OP_bregx)
			put(&m, get_reg(&m, op->number) + op->number2);
		else if (a >= DW_OP_lit0 && a <= DW_OP_lit31)
			put(&m, a - DW_OP_lit0);
		else if (a >= DW_OP_const1u && a <= DW_OP_consts)
			put(&m, op->number);
		else if (a == DW_OP_call_frame_cfa)
			put(&m, u->cfa);
		else if (a == DW_OP_plus_uconst)
			put(&m, take(&m) + op->number);
		else if (a == DW_OP_deref)
			put(&m, deref(&m, take(&m)));
		else if (a == DW_OP_dup)
			v = take(&m), put(&m, v), put(&m, v);
		else if (a == DW_OP_drop)
			take(&m);
		else if (a == DW_OP_stack_value)
			*value = true;
		else if (a == DW_OP_nop)
			continue;
		else
			binary(&m, a);
	}
	v = take(&m);
	if (m.failed)
		*value = false;
	return m.failed ? 0 : v;
}

static bool restore(struct unwind *u, Dwarf_Frame *f, int reg, struct unwind *up)
{
	Dwarf_Op mem[3], *ops;
	size_t n;
	bool value;
	u64 v;

	if (dwarf_frame_register(f, reg, mem, &ops, &n))
		return false;
	if (!ops) { /* as it was */
		if (u->known >> reg & 1) {
			up->reg[reg] = u->reg[reg];
			up->known |= 1u << reg;
		}
		return true;
	}
	if (!n) /* undefined: for the return address that is the end of the stack */
		return reg != R_IP;
	v = evaluate(u, ops, n, &value);
	if (!value && (!v || u->read(u->arg, v, &v, 8)))
		return reg != R_IP;
	up->reg[reg] = v;
	up->known |= 1u << reg;
	return true;
}

bool unwind_cfi(struct unwind *u, Dwarf_CFI *cfi, u64 pc)
{
	struct unwind up = {.read = u->read, .arg = u->arg};
	Dwarf_Frame *f;
	Dwarf_Op *ops;
	size_t n;
	bool value, ok = true;

	if (!cfi || dwarf_cfi_addrframe(cfi, pc, &f))
		return false;
	ok = !dwarf_frame_cfa(f, &ops, &n) && n;
	if (ok)
		u->cfa = evaluate(u, ops, n, &value);
	ok = ok && u->cfa > u->reg[R_SP];
	for (int r = 0; ok && r <= MAX_REG; r++)
		if (r != R_SP)
			ok = restore(u, f, r, &up);
	free(f);
	if (!ok || !(up.known >> R_IP & 1))
		return false;
	up.reg[R_SP] = u->cfa;
	up.known |= 1u << R_SP;
	*u = up;
	return true;
}
