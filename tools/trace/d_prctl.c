// SPDX-License-Identifier: Apache-2.0
// prctl and arch_prctl: each command has its own arguments and result.
#include <asm/prctl.h>
#include <linux/prctl.h>
#include "printers.h"

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

ARG(a_prctl)
{
	uint32_t cmd = d->a[0];
	uint64_t v = d->a[1];

	put_value(d, cmd, &n_prctl);
	switch (cmd) {
	case PR_GET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_GET_TIMERSLACK:
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
	case PR_GET_FP_MODE:
	case PR_SVE_GET_VL:
	case 64:
		return;
	case PR_SET_PDEATHSIG:
	case PR_SET_DUMPABLE:
	case PR_SET_NAME:
	case PR_SET_KEEPCAPS:
	case PR_SET_FPEMU:
	case PR_SET_FPEXC:
	case PR_SET_TIMING:
	case PR_SET_ENDIAN:
	case PR_SET_UNALIGN:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_SET_TSC:
	case PR_SET_SECUREBITS:
	case PR_SET_TIMERSLACK:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_PTRACER:
		S(", ");
		put_in(d, cmd, v);
		return;
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_THP_DISABLE:
	case PR_SET_IO_FLUSHER:
		S(", ");
		text_udec(d->t, v);
		rest_hex(d, 2);
		return;
	case PR_SET_SECCOMP:
		S(", ");
		put_value(d, v, &n_seccomp_mode);
		if (v == 1)
			return;
		if (v == 2) {
			S(", ");
			put_addr(d, d->a[2]);
			return;
		}
		rest_hex(d, 2);
		return;
	case PR_GET_SPECULATION_CTRL:
	case PR_SET_SPECULATION_CTRL:
		S(", ");
		put_value(d, v, &n_speculation);
		if (cmd == PR_SET_SPECULATION_CTRL) {
			S(", ");
			put_number(d, d->a[2]);
		}
		return;
	case PR_MCE_KILL:
		S(", ");
		put_value(d, v, &n_mce);
		rest_hex(d, 2);
		return;
	case PR_SET_MM:
		S(", ");
		put_value(d, v, &n_pr_mm);
		rest_hex(d, 2);
		return;
	case PR_CAP_AMBIENT:
		S(", ");
		put_value(d, v, &n_ambient);
		if (v < 1 || v > 3) {
			rest_hex(d, 2);
			return;
		}
		S(", ");
		put_value(d, d->a[2], &n_cap);
		rest_hex(d, 3);
		return;
	case 0x53564d41:
		S(", ");
		put_value(d, v, &n_pr_vma);
		if (v) {
			rest_hex(d, 2);
			return;
		}
		S(", ");
		put_addr(d, d->a[2]);
		P(", %llu, ", (unsigned long long)d->a[3]);
		put_string(d, d->a[4]);
		return;
	default:
		if (!prctl_out(cmd))
			rest_hex(d, 1);
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
