// SPDX-License-Identifier: Apache-2.0
// fcntl: its commands, locks, owners and results.
#include <fcntl.h>
#include "printers.h"

static void put_flock(struct dec *d, uint64_t addr, bool with_pid)
{
	const struct flock *l = get(d, addr, sizeof(*l));

	if (null_or_missing(d, addr, l))
		return;
	S("{l_type=");
	put_value(d, (uint32_t)l->l_type, &n_flock_type);
	S(", l_whence=");
	put_value(d, (uint32_t)l->l_whence, &n_seek);
	P(", l_start=%lld, l_len=%lld", (long long)l->l_start, (long long)l->l_len);
	if (with_pid)
		P(", l_pid=%d", l->l_pid);
	S("}");
}

static void put_owner(struct dec *d, uint64_t addr)
{
	const struct {
		int type, pid;
	} *o = d->failed ? NULL : get(d, addr, 8);

	if (null_or_missing(d, addr, o))
		return;
	S("{type=");
	put_value(d, (uint32_t)o->type, &n_owner);
	P(", pid=%d}", o->pid);
}

static bool at_exit(uint32_t cmd)
{
	return cmd == 5 || cmd == F_OFD_GETLK || cmd == F_GETOWN_EX || cmd == 17;
}

static void put_argument(struct dec *d, uint32_t cmd, uint64_t v)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETOWN:
	case F_SETPIPE_SZ:
		text_dec(d->t, v);
		break;
	case F_SETFD:
		put_names(d, v, &n_fd);
		break;
	case F_SETFL:
		put_open_flags(d, (uint32_t)v);
		break;
	case 6:
	case 7:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		put_flock(d, v, false);
		break;
	case 5:
	case F_OFD_GETLK:
		if (d->failed)
			put_addr(d, v);
		else
			put_flock(d, v, true);
		break;
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		put_owner(d, v);
		break;
	case F_NOTIFY:
		put_names(d, v, &n_dn);
		break;
	case F_SETLEASE:
		put_value(d, v, &n_lease);
		break;
	case F_ADD_SEALS:
		put_names(d, v, &n_seal);
		break;
	case F_SETSIG:
		if ((int)v)
			put_signal(d, v);
		else
			text_char(d->t, '0');
		break;
	default:
		put_number(d, v);
	}
}

static bool no_argument(uint32_t cmd)
{
	return cmd == F_GETFD || cmd == F_GETFL || cmd == F_GETOWN || cmd == F_GETSIG || cmd == F_GETLEASE ||
	       cmd == F_GETPIPE_SZ || cmd == F_GET_SEALS;
}

ARG(a_fcntl)
{
	uint32_t cmd = d->a[1];

	put_value(d, cmd, &n_fcntl);
	if (no_argument(cmd) || at_exit(cmd))
		return;
	S(", ");
	put_argument(d, cmd, d->a[2]);
}

ARG(a_fcntl_out)
{
	uint32_t cmd = d->a[1];

	if (!at_exit(cmd))
		return;
	S(", ");
	put_argument(d, cmd, d->a[2]);
}

void r_fcntl(struct dec *d)
{
	uint32_t cmd = d->a[1];
	uint64_t v = d->ret;

	if (d->failed)
		return;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		put_fd(d, v);
		return;
	case F_GETFD:
	case F_GETFL:
	case F_GET_SEALS:
		put_number(d, v);
		if (!v)
			return;
		text_str(d->t, cmd == F_GET_SEALS ? " (seals " : " (flags ");
		if (cmd == F_GETFD)
			put_names(d, v, &n_fd);
		else if (cmd == F_GETFL)
			put_open_flags(d, v);
		else
			put_names(d, v, &n_seal);
		S(")");
		return;
	case F_GETSIG:
		text_dec(d->t, v);
		if (v) {
			S(" (");
			put_signal(d, v);
			S(")");
		}
		return;
	case F_GETLEASE:
		put_number(d, v);
		S(" (");
		put_value(d, v, &n_lease);
		S(")");
		return;
	default:
		text_dec(d->t, v);
	}
}
