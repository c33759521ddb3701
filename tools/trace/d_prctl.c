// SPDX-License-Identifier: Apache-2.0
// prctl and arch_prctl: each command has its own arguments and result.
#include <asm/prctl.h>
#include <linux/prctl.h>
#include "printers.h"

#define PR_SET_VMA_ 0x53564d41 /* not in all headers */

static void rest_hex(struct dec *d, int from)
{
	for (int k = from; k < 5; k++) {
		S(", ");
		put_number(d, d->a[k]);
	}
}

/* Commands that write to where their argument points. */
static bool prctl_out(uint32_t cmd)
{
	return cmd == PR_GET_PDEATHSIG || cmd == PR_GET_NAME || cmd == PR_GET_CHILD_SUBREAPER || cmd == PR_GET_TSC ||
	       cmd == PR_GET_UNALIGN || cmd == PR_GET_FPEMU || cmd == PR_GET_FPEXC || cmd == PR_GET_ENDIAN ||
	       cmd == PR_GET_TID_ADDRESS;
}

/* a task's name: no more of it counts than there is room for */
static void put_comm(struct dec *d, uint64_t addr)
{
	struct decode_options o = *d->o;
	struct dec comm = *d;

	if (o.string_limit > 15)
		o.string_limit = 15;
	comm.o = &o;
	put_string(&comm, addr);
}

static void put_in(struct dec *d, uint32_t cmd, uint64_t v)
{
	switch (cmd) {
	case PR_SET_PDEATHSIG:
		if (v > 64)
			text_udec(d->t, v);
		else
			put_signal(d, v);
		break;
	case PR_SET_DUMPABLE:
		put_value(d, v, &n_dumpable);
		break;
	case PR_SET_NAME:
		put_comm(d, v);
		break;
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
		put_value(d, v, &n_cap);
		break;
	case PR_SET_TSC:
		put_value(d, v, &n_tsc);
		break;
	case PR_SET_SECUREBITS:
		put_names(d, v, &n_securebits);
		break;
	case PR_SET_TIMERSLACK:
		text_dec(d->t, v);
		break;
	case PR_SET_UNALIGN:
		put_number(d, v);
		break;
	case PR_SET_PTRACER:
		if (v == UINT64_MAX)
			S("PR_SET_PTRACER_ANY");
		else
			text_udec(d->t, v);
		break;
	default:
		text_udec(d->t, v);
	}
}

/* Which arguments a command has. */
enum shape {
	ALL,	 /* all of them, as numbers */
	NOTHING, /* none */
	ONE,	 /* one, shown by put_in() */
	COUNTED, /* a number, and the rest */
	SPECIAL, /* shown by special() */
};

static enum shape shape_of(uint32_t cmd)
{
	static const struct {
		uint32_t cmd;
		enum shape shape;
	} shapes[] = {
		{PR_GET_DUMPABLE, NOTHING},
		{PR_GET_KEEPCAPS, NOTHING},
		{PR_GET_TIMING, NOTHING},
		{PR_GET_SECCOMP, NOTHING},
		{PR_GET_SECUREBITS, NOTHING},
		{PR_GET_TIMERSLACK, NOTHING},
		{PR_GET_FP_MODE, NOTHING},
		{PR_TASK_PERF_EVENTS_DISABLE, NOTHING},
		{PR_TASK_PERF_EVENTS_ENABLE, NOTHING},
		{PR_SVE_GET_VL, NOTHING},
		{64 /* PR_SME_GET_VL */, NOTHING},
		{PR_SET_PDEATHSIG, ONE},
		{PR_SET_DUMPABLE, ONE},
		{PR_SET_NAME, ONE},
		{PR_SET_KEEPCAPS, ONE},
		{PR_SET_FPEMU, ONE},
		{PR_SET_FPEXC, ONE},
		{PR_SET_TIMING, ONE},
		{PR_SET_ENDIAN, ONE},
		{PR_SET_UNALIGN, ONE},
		{PR_CAPBSET_READ, ONE},
		{PR_CAPBSET_DROP, ONE},
		{PR_SET_TSC, ONE},
		{PR_SET_SECUREBITS, ONE},
		{PR_SET_TIMERSLACK, ONE},
		{PR_SET_CHILD_SUBREAPER, ONE},
		{PR_SET_PTRACER, ONE},
		{PR_SET_NO_NEW_PRIVS, COUNTED},
		{PR_SET_THP_DISABLE, COUNTED},
		{PR_SET_IO_FLUSHER, COUNTED},
		{PR_SET_SECCOMP, SPECIAL},
		{PR_GET_SPECULATION_CTRL, SPECIAL},
		{PR_SET_SPECULATION_CTRL, SPECIAL},
		{PR_MCE_KILL, SPECIAL},
		{PR_SET_MM, SPECIAL},
		{PR_CAP_AMBIENT, SPECIAL},
		{PR_SET_VMA_, SPECIAL},
	};

	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
		if (shapes[k].cmd == cmd)
			return shapes[k].shape;
	return ALL;
}

/* The memory's name, or what an unknown command has. */
static void put_vma(struct dec *d)
{
	put_value(d, d->a[1], &n_pr_vma);
	if (d->a[1]) {
		rest_hex(d, 2);
		return;
	}
	S(", ");
	put_addr(d, d->a[2]);
	P(", %llu, ", (unsigned long long)d->a[3]);
	put_string(d, d->a[4]);
}

static void put_seccomp(struct dec *d)
{
	uint64_t mode = d->a[1];

	put_value(d, mode, &n_seccomp_mode);
	if (mode == 2) {
		S(", ");
		put_addr(d, d->a[2]);
	} else if (mode != 1) {
		rest_hex(d, 2);
	}
}

static void put_ambient(struct dec *d)
{
	uint64_t what = d->a[1];

	put_value(d, what, &n_ambient);
	if (what < 1 || what > 3) {
		rest_hex(d, 2);
		return;
	}
	S(", ");
	put_value(d, d->a[2], &n_cap);
	rest_hex(d, 3);
}

static void special(struct dec *d, uint32_t cmd)
{
	switch (cmd) {
	case PR_SET_SECCOMP:
		put_seccomp(d);
		break;
	case PR_GET_SPECULATION_CTRL:
	case PR_SET_SPECULATION_CTRL:
		put_value(d, d->a[1], &n_speculation);
		if (cmd == PR_GET_SPECULATION_CTRL)
			break;
		S(", ");
		put_number(d, d->a[2]);
		break;
	case PR_CAP_AMBIENT:
		put_ambient(d);
		break;
	case PR_SET_VMA_:
		put_vma(d);
		break;
	default:
		put_value(d, d->a[1], cmd == PR_MCE_KILL ? &n_mce : &n_pr_mm);
		rest_hex(d, 2);
	}
}

ARG(a_prctl)
{
	uint32_t cmd = d->a[0];
	enum shape shape = shape_of(cmd);

	put_value(d, cmd, &n_prctl);
	if (shape == NOTHING || prctl_out(cmd))
		return;
	if (shape == ALL) {
		rest_hex(d, 1);
		return;
	}
	S(", ");
	if (shape == ONE) {
		put_in(d, cmd, d->a[1]);
	} else if (shape == COUNTED) {
		text_udec(d->t, d->a[1]);
		rest_hex(d, 2);
	} else {
		special(d, cmd);
	}
}

ARG(a_prctl_out)
{
	uint32_t cmd = d->a[0];
	uint64_t v = d->a[1];

	if (!prctl_out(cmd))
		return;
	S(", ");
	if (d->failed) {
		put_addr(d, v);
	} else if (cmd == PR_GET_NAME) {
		put_string(d, v);
	} else if (cmd == PR_GET_TID_ADDRESS) {
		a_addr_out(d, 1, NULL);
	} else if (cmd == PR_GET_PDEATHSIG) {
		const int *s = get(d, v, 4);

		if (null_or_missing(d, v, s))
			return;
		S("[");
		put_signal(d, *s);
		S("]");
	} else if (cmd == PR_GET_TSC) {
		const int *s = get(d, v, 4);

		if (null_or_missing(d, v, s))
			return;
		S("[");
		put_names(d, *s, &n_tsc);
		S("]");
	} else {
		a_uint_out(d, 1, NULL);
	}
}

void r_prctl(struct dec *d)
{
	uint32_t cmd = d->a[0];

	if (d->failed)
		return;
	if (cmd == PR_GET_DUMPABLE) {
		S(" (");
		put_value(d, d->ret, &n_dumpable);
		S(")");
	} else if (cmd == PR_GET_SECUREBITS && d->ret) {
		S(" (");
		put_names(d, d->ret, &n_securebits);
		S(")");
	}
}

static bool arch_out(uint32_t cmd)
{
	return cmd == ARCH_GET_FS || cmd == ARCH_GET_GS;
}

ARG(a_arch_prctl)
{
	put_value(d, d->a[0], &n_arch_prctl);
	if (arch_out(d->a[0]) || (uint32_t)d->a[0] == 0x1011)
		return;
	S(", ");
	put_number(d, d->a[1]);
}

ARG(a_arch_prctl_out)
{
	if (!arch_out(d->a[0]))
		return;
	S(", ");
	a_addr_out(d, 1, NULL);
}
