// SPDX-License-Identifier: Apache-2.0
// Futexes: each operation has its own arguments.
#include <linux/futex.h>
#include "printers.h"

static void put_op(struct dec *d, uint32_t op)
{
	uint32_t cmd = op & FUTEX_CMD_MASK;
	bool clock = op & FUTEX_CLOCK_REALTIME;

	if ((op & ~(FUTEX_CMD_MASK | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) ||
	    (clock && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_WAIT_REQUEUE_PI))
		goto unknown;
	for (const struct name *t = n_futex.t; t->s && !d->o->raw; t++)
		if (t->v == cmd) {
			text_str(d->t, t->s);
			if (op & FUTEX_PRIVATE_FLAG)
				text_str(d->t, cmd == FUTEX_FD ? "|FUTEX_PRIVATE_FLAG" : "_PRIVATE");
			if (clock)
				S("|FUTEX_CLOCK_REALTIME");
			return;
		}
unknown:
	text_hex(d->t, op);
	if (!d->o->raw)
		S(" /* FUTEX_??? */");
}

static void put_shifted(struct dec *d, uint32_t v, const char *shift, const struct names *n)
{
	if (put_known(d, v, n)) {
		text_str(d->t, shift);
		return;
	}
	put_number(d, v);
	P("%s /* %s */", shift, n->unknown);
}

static void put_wake_op(struct dec *d, uint32_t v)
{
	if (v >> 31 & 1)
		S("FUTEX_OP_OPARG_SHIFT<<28|");
	put_shifted(d, v >> 28 & 7, "<<28", &n_futex_op);
	S("|");
	put_number(d, v >> 12 & 0xfff);
	S("<<12|");
	put_shifted(d, v >> 24 & 0xf, "<<24", &n_futex_cmp);
	S("|");
	put_number(d, v & 0xfff);
}

static void put_bitset(struct dec *d, uint32_t v)
{
	if (v == UINT32_MAX)
		S("FUTEX_BITSET_MATCH_ANY");
	else
		put_number(d, v);
}

ARG(a_futex)
{
	uint32_t op = d->a[1], val = d->a[2], val3 = d->a[5], val2 = d->a[3];

	put_op(d, op);
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		P(", %u, ", val);
		a_timespec(d, 3, NULL);
		if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
			S(", ");
			put_bitset(d, val3);
		}
		break;
	case FUTEX_WAKE:
	case FUTEX_FD:
		P(", %u", val);
		break;
	case FUTEX_WAKE_BITSET:
		P(", %u, ", val);
		put_bitset(d, val3);
		break;
	case FUTEX_REQUEUE:
		P(", %u, %u, ", val, val2);
		put_addr(d, d->a[4]);
		break;
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		P(", %u, %u, ", val, val2);
		put_addr(d, d->a[4]);
		P(", %u", val3);
		break;
	case FUTEX_WAKE_OP:
		P(", %u, %u, ", val, val2);
		put_addr(d, d->a[4]);
		S(", ");
		put_wake_op(d, val3);
		break;
	case FUTEX_LOCK_PI:
	case 13:
		S(", ");
		a_timespec(d, 3, NULL);
		break;
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
		break;
	case FUTEX_WAIT_REQUEUE_PI:
		P(", %u, ", val);
		a_timespec(d, 3, NULL);
		S(", ");
		put_addr(d, d->a[4]);
		break;
	default:
		P(", %u, ", val);
		put_addr(d, d->a[3]);
		S(", ");
		put_addr(d, d->a[4]);
		S(", ");
		put_number(d, val3);
	}
}

ARG(a_futex_waitv)
{
	const struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} * w;
	uint64_t addr = d->a[i], n = (uint32_t)d->a[i + 1], k;

	if (!addr || !n) {
		put_addr(d, addr);
		return;
	}
	for (k = 0; k < n && (w = get_in(d, addr + k * 24, 24)); k++) {
		text_str(d->t, k ? ", {val=" : "[{val=");
		put_number(d, w->val);
		S(", uaddr=");
		put_addr(d, w->uaddr);
		S(", flags=");
		put_names(d, w->flags, &n_futex_waitv);
		if (w->reserved)
			P(", __reserved=%#x", w->reserved);
		S("}");
	}
	if (!k)
		put_addr(d, addr);
	else if (k < n)
		S(", ...]");
	else
		S("]");
}
