// SPDX-License-Identifier: Apache-2.0
// ioctl: commands, terminals' modes, and the arguments of the common ones.
#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/fs.h>
#include "printers.h"

/* How a command's argument is shown. */
enum shape {
	HEX,	 /* an address */
	NOTHING, /* none */
	INT,	 /* the number itself */
	INT_IN,	 /* where a number is */
	INT_OUT, /* where a number is put */
	PID_IN,
	PID_OUT,
	UINT_OUT,
	TERMIOS_IN,
	TERMIOS_OUT,
	WINSIZE_IN,
	WINSIZE_OUT,
	FLUSH,
	FLOW,
	LDISC_IN,
	LDISC_OUT,
	SIZE_OUT,
	LONG_HEX_IN,
	LONG_HEX_OUT,
	CHAR_IN,
	FD,
	RANGE,
};

static const struct {
	uint32_t cmd;
	enum shape shape;
} shapes[] = {
	{TCGETS, TERMIOS_OUT},
	{TCSETS, TERMIOS_IN},
	{TCSETSW, TERMIOS_IN},
	{TCSETSF, TERMIOS_IN},
	{TIOCGLCKTRMIOS, TERMIOS_OUT},
	{TIOCSLCKTRMIOS, TERMIOS_IN},
	{TIOCGWINSZ, WINSIZE_OUT},
	{TIOCSWINSZ, WINSIZE_IN},
	{TIOCGPGRP, PID_OUT},
	{TIOCSPGRP, PID_IN},
	{TIOCGSID, PID_OUT},
	{FIONREAD, INT_OUT},
	{FIONBIO, INT_IN},
	{FIOASYNC, INT_IN},
	{TIOCOUTQ, INT_OUT},
	{TIOCGPTN, UINT_OUT},
	{TIOCSPTLCK, INT_IN},
	{TIOCGPTLCK, INT_OUT},
	{TIOCGPKT, INT_OUT},
	{TIOCPKT, INT_IN},
	{TIOCGEXCL, INT_OUT},
	{TIOCGDEV, UINT_OUT},
	{TIOCGETD, LDISC_OUT},
	{TIOCSETD, LDISC_IN},
	{TIOCSIG, INT},
	{TIOCSTI, CHAR_IN},
	{TIOCSCTTY, INT},
	{TCSBRK, INT},
	{TCSBRKP, INT},
	{TCFLSH, FLUSH},
	{TCXONC, FLOW},
	{TIOCEXCL, NOTHING},
	{TIOCNXCL, NOTHING},
	{TIOCNOTTY, NOTHING},
	{TIOCCONS, NOTHING},
	{TIOCSBRK, NOTHING},
	{TIOCCBRK, NOTHING},
	{TIOCVHANGUP, NOTHING},
	{TIOCSSERIAL, NOTHING},
	{FIOCLEX, NOTHING},
	{FIONCLEX, NOTHING},
	{FIOQSIZE, SIZE_OUT},
	{FS_IOC_GETFLAGS, LONG_HEX_OUT},
	{FS_IOC_SETFLAGS, LONG_HEX_IN},
	{FICLONE, FD},
	{FICLONERANGE, RANGE},
	{BLKGETSIZE64, SIZE_OUT},
	{BLKSSZGET, INT_OUT},
	{BLKROGET, INT_OUT},
	{FIGETBSZ, INT_OUT},
};

static enum shape shape_of(uint32_t cmd)
{
	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
		if (shapes[k].cmd == cmd)
			return shapes[k].shape;
	return HEX;
}

static bool is_out(enum shape s)
{
	return s == INT_OUT || s == PID_OUT || s == UINT_OUT || s == TERMIOS_OUT || s == WINSIZE_OUT ||
	       s == LDISC_OUT || s == SIZE_OUT || s == LONG_HEX_OUT;
}

static void put_command(struct dec *d, uint32_t cmd)
{
	static const char *const dir[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"};

	if (put_known(d, cmd, &n_ioctl))
		return;
	P("_IOC(%s, ", dir[cmd >> 30]);
	put_number(d, cmd >> 8 & 0xff);
	S(", ");
	put_number(d, cmd & 0xff);
	S(", ");
	put_number(d, cmd >> 16 & 0x3fff);
	S(")");
}

static void put_flags_if(struct dec *d, uint32_t v, const struct names *n)
{
	if (v)
		put_names(d, v, n);
}

static void put_termios(struct dec *d, const struct termios *t)
{
	S("{c_iflag=");
	put_flags_if(d, t->c_iflag, &n_iflag);
	S(", c_oflag=");
	put_value(d, t->c_oflag & NLDLY, &n_nldly);
	S("|");
	put_value(d, t->c_oflag & CRDLY, &n_crdly);
	S("|");
	put_value(d, t->c_oflag & TABDLY, &n_tabdly);
	S("|");
	put_value(d, t->c_oflag & BSDLY, &n_bsdly);
	S("|");
	put_value(d, t->c_oflag & VTDLY, &n_vtdly);
	S("|");
	put_value(d, t->c_oflag & FFDLY, &n_ffdly);
	S("|");
	put_flags_if(d, t->c_oflag & ~(NLDLY | CRDLY | TABDLY | BSDLY | VTDLY | FFDLY), &n_oflag);
	S(", c_cflag=");
	put_value(d, t->c_cflag & CBAUD, &n_baud);
	if (t->c_cflag & CIBAUD) {
		S("|");
		put_value(d, (t->c_cflag & CIBAUD) >> 16, &n_baud);
		S("<<IBSHIFT");
	}
	S("|");
	put_value(d, t->c_cflag & CSIZE, &n_csize);
	S("|");
	put_flags_if(d, t->c_cflag & ~(CBAUD | CIBAUD | CSIZE), &n_cflag);
	S(", c_lflag=");
	put_flags_if(d, t->c_lflag, &n_lflag);
	if (!d->o->verbose) {
		S(", ...}");
		return;
	}
	S(", c_line=");
	put_value(d, t->c_line, &n_ldisc);
	S(", c_cc=");
	text_quoted(d->t, t->c_cc, sizeof(t->c_cc), &(struct decode_options){.hex_strings = 2});
	S("}");
}

static void put_pointed(struct dec *d, enum shape s, uint64_t v)
{
	static const uint8_t size[] = {[TERMIOS_IN] = sizeof(struct termios),
				       [TERMIOS_OUT] = sizeof(struct termios),
				       [WINSIZE_IN] = 8,
				       [WINSIZE_OUT] = 8,
				       [SIZE_OUT] = 8,
				       [CHAR_IN] = 1,
				       [RANGE] = 32};
	const void *m = d->failed && d->exit ? NULL : get(d, v, s < sizeof(size) && size[s] ? size[s] : 4);
	const int *n = m;

	if (null_or_missing(d, v, m))
		return;
	switch (s) {
	case TERMIOS_IN:
	case TERMIOS_OUT:
		put_termios(d, m);
		break;
	case WINSIZE_IN:
	case WINSIZE_OUT: {
		const struct winsize *w = m;

		P("{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", w->ws_row, w->ws_col, w->ws_xpixel,
		  w->ws_ypixel);
		break;
	}
	case PID_IN:
	case PID_OUT:
		S("[");
		put_pid(d, *n);
		S("]");
		break;
	case UINT_OUT:
		P("[%u]", *n);
		break;
	case SIZE_OUT:
		P("[%llu]", *(const unsigned long long *)m);
		break;
	case LDISC_IN:
	case LDISC_OUT:
		S("[");
		put_value(d, (uint32_t)*n, &n_ldisc);
		S("]");
		break;
	case LONG_HEX_IN:
	case LONG_HEX_OUT:
		S("[");
		put_number(d, (uint32_t)*n);
		S("]");
		break;
	case CHAR_IN:
		S("[");
		put_number(d, *(const uint8_t *)m);
		S("]");
		break;
	case RANGE: {
		const int64_t *r = m;

		S("{src_fd=");
		put_fd(d, r[0]);
		P(", src_offset=%lld, src_length=%lld, dest_offset=%lld}", (long long)r[1], (long long)r[2],
		  (long long)r[3]);
		break;
	}
	default:
		P("[%d]", *n);
	}
}

static void put_argument(struct dec *d, enum shape s, uint64_t v)
{
	S(", ");
	switch (s) {
	case HEX:
		put_number(d, v);
		break;
	case INT:
		text_dec(d->t, (int)v);
		break;
	case FD:
		put_fd(d, v);
		break;
	case FLUSH:
		put_value(d, v, &n_tcflush);
		break;
	case FLOW:
		put_value(d, v, &n_tcxonc);
		break;
	default:
		put_pointed(d, s, v);
	}
}

ARG(a_ioctl)
{
	uint32_t cmd = d->a[1];
	enum shape s = shape_of(cmd);

	put_command(d, cmd);
	if (s != NOTHING && !is_out(s))
		put_argument(d, s, d->a[2]);
}

ARG(a_ioctl_out)
{
	enum shape s = shape_of(d->a[1]);

	if (is_out(s))
		put_argument(d, s, d->a[2]);
}

void r_ioctl(struct dec *d)
{
	if (d->failed)
		return;
	if ((uint32_t)d->a[1] == TIOCGPTPEER)
		put_fd(d, d->ret);
	else
		text_dec(d->t, d->ret);
}
