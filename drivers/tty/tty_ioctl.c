// SPDX-License-Identifier: Apache-2.0
/* Terminal ioctls: settings, flow control, flushing, window size. */
#include <husk/tty.h>
#include <husk/device.h>
#include <asm/ioctls.h>

/* the TCSETS family: how the caller's structure looks, and what happens before */
#define T_TERMIO 1
#define T_TERMIOS 2 /* without speeds */
#define T_WAIT 4
#define T_FLUSH 8

static const u32 bauds[] = {0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
static const u32 high_bauds[] = {0,	  57600,   115200,  230400,  460800,  500000,  576000,	921600,
				 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

static u32 baud_of(u32 cbaud, u32 other)
{
	if (cbaud == BOTHER)
		return other;
	return cbaud & CBAUDEX ? high_bauds[cbaud & 15] : bauds[cbaud & 15];
}

static void set_speeds(struct ktermios *t)
{
	u32 in = (t->c_cflag >> IBSHIFT) & CBAUD;

	t->c_ospeed = baud_of(t->c_cflag & CBAUD, t->c_ospeed);
	t->c_ispeed = in ? baud_of(in, t->c_ispeed) : t->c_ospeed;
}

/* tty_packet_event: tell a master in packet mode what happened to its slave */
void tty_packet_event(struct tty_struct *tty, u8 set, u8 clear)
{
	if (likely(!tty->packet))
		return;
	spin_lock(&tty->flow_lock);
	tty->pktstatus = (tty->pktstatus & ~clear) | set;
	spin_unlock(&tty->flow_lock);
	wake_up_interruptible_poll(&tty->link->read_wait, EPOLLPRI | EPOLLIN);
}

void tty_stop(struct tty_struct *tty)
{
	if (tty->stopped)
		return;
	spin_lock(&tty->flow_lock);
	tty->stopped = true;
	spin_unlock(&tty->flow_lock);
	tty_packet_event(tty, TIOCPKT_STOP, TIOCPKT_START);
}

/* tty_start: output goes on. The caller sees to echo that waits (output_lock may be held here). */
void tty_start(struct tty_struct *tty)
{
	if (!tty->stopped || tty->tco_stopped)
		return;
	spin_lock(&tty->flow_lock);
	tty->stopped = false;
	spin_unlock(&tty->flow_lock);
	tty_packet_event(tty, TIOCPKT_START, TIOCPKT_STOP);
	wake_up_all(&tty->write_wait);
}

static bool std_flow(const struct ktermios *t)
{
	return (t->c_iflag & IXON) && t->c_cc[VSTOP] == 19 && t->c_cc[VSTART] == 17;
}

static void packet_termios(struct tty_struct *tty, const struct ktermios *old)
{
	bool ext = (old->c_lflag | tty->termios.c_lflag) & EXTPROC;
	bool was = std_flow(old), is = std_flow(&tty->termios);

	if (was != is || ext)
		tty_packet_event(tty, (is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP) | (ext ? TIOCPKT_IOCTL : 0),
				 TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
}

/* keep_locked: bits and characters that TIOCSLCKTRMIOS locked stay */
static void keep_locked(struct ktermios *new, const struct ktermios *old, const struct ktermios *lock)
{
#define KEEP(f) new->f = (new->f & ~lock->f) | (old->f & lock->f)
	KEEP(c_iflag);
	KEEP(c_oflag);
	KEEP(c_cflag);
	KEEP(c_lflag);
#undef KEEP
	for (int i = 0; i < NCCS; i++)
		if (lock->c_cc[i])
			new->c_cc[i] = old->c_cc[i];
}

static void tty_set_termios(struct tty_struct *tty, const struct ktermios *new)
{
	struct ktermios old;

	mutex_lock(&tty->n.lock);
	mutex_lock(&tty->output_lock);
	old = tty->termios;
	tty->termios = *new;
	keep_locked(&tty->termios, &old, &tty->termios_locked);
	if (tty->driver->pty_slave)
		tty->termios.c_cflag = (tty->termios.c_cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;
	n_tty_termios_changed(tty, &old);
	if ((old.c_iflag & IXON) && !I_(tty, IXON))
		tty_start(tty);
	n_tty_drain_echo(tty);
	if (tty->ops->flush_chars)
		tty->ops->flush_chars(tty);
	mutex_unlock(&tty->output_lock);
	mutex_unlock(&tty->n.lock);
	packet_termios(tty, &old);
	wake_up_all(&tty->read_wait);
	wake_up_all(&tty->write_wait);
}

static int wait_until_sent(struct tty_struct *tty, struct file *f)
{
	if (!tty->ops->chars_in_buffer || !tty->ops->chars_in_buffer(tty))
		return 0;
	if (tty->ops->wait_room)
		tty->ops->wait_room(tty);
	return wait_event_interruptible(tty->write_wait, !tty->ops->chars_in_buffer(tty) || tty_hung_up(f));
}

static int termio_to_ktermios(struct ktermios *k, const void __user *arg)
{
	struct termio t;

	if (copy_from_user(&t, arg, sizeof(t)))
		return -EFAULT;
	k->c_iflag = (k->c_iflag & 0xffff0000) | t.c_iflag;
	k->c_oflag = (k->c_oflag & 0xffff0000) | t.c_oflag;
	k->c_cflag = (k->c_cflag & 0xffff0000) | t.c_cflag;
	k->c_lflag = (k->c_lflag & 0xffff0000) | t.c_lflag;
	k->c_line = t.c_line;
	memcpy(k->c_cc, t.c_cc, NCC);
	return 0;
}

static long set_termios(struct tty_struct *tty, struct tty_struct *real, struct file *f, const void __user *arg,
			int opt)
{
	struct ktermios k = real->termios;
	long r = tty_check_change(tty, SIGTTOU);

	if (r)
		return r;
	if (opt & T_TERMIO)
		r = termio_to_ktermios(&k, arg);
	else if (copy_from_user(&k, arg, opt & T_TERMIOS ? sizeof(struct termios) : sizeof(struct termios2)))
		r = -EFAULT;
	if (r)
		return r;
	set_speeds(&k);
	if (opt & T_FLUSH)
		n_tty_flush_input(real);
	if (opt & T_WAIT) {
		r = wait_until_sent(real, f);
		if (r)
			return r;
	}
	tty_set_termios(real, &k);
	return 0;
}

static long get_termio(struct tty_struct *tty, void __user *arg)
{
	struct termio t = {tty->termios.c_iflag, tty->termios.c_oflag, tty->termios.c_cflag, tty->termios.c_lflag,
			   tty->termios.c_line};

	memcpy(t.c_cc, tty->termios.c_cc, NCC);
	return copy_to_user(arg, &t, sizeof(t)) ? -EFAULT : 0;
}

static long set_locked(struct tty_struct *tty, const void __user *arg)
{
	struct ktermios k = {};

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&k, arg, sizeof(struct termios)))
		return -EFAULT;
	tty->termios_locked = k;
	return 0;
}

/* termios_ioctl: -ENOIOCTLCMD when cmd is none of the family */
static long termios_ioctl(struct tty_struct *tty, struct tty_struct *real, struct file *f, unsigned cmd,
			  unsigned long a)
{
	void __user *arg = (void __user *)a;

	switch (cmd) {
	case TCGETS:
		return copy_to_user(arg, &real->termios, sizeof(struct termios)) ? -EFAULT : 0;
	case TCGETS2:
		return copy_to_user(arg, &real->termios, sizeof(struct termios2)) ? -EFAULT : 0;
	case TCGETA:
		return get_termio(real, arg);
	case TCSETS:
		return set_termios(tty, real, f, arg, T_TERMIOS);
	case TCSETSW:
		return set_termios(tty, real, f, arg, T_TERMIOS | T_WAIT);
	case TCSETSF:
		return set_termios(tty, real, f, arg, T_TERMIOS | T_WAIT | T_FLUSH);
	case TCSETS2:
		return set_termios(tty, real, f, arg, 0);
	case TCSETSW2:
		return set_termios(tty, real, f, arg, T_WAIT);
	case TCSETSF2:
		return set_termios(tty, real, f, arg, T_WAIT | T_FLUSH);
	case TCSETA:
		return set_termios(tty, real, f, arg, T_TERMIO);
	case TCSETAW:
		return set_termios(tty, real, f, arg, T_TERMIO | T_WAIT);
	case TCSETAF:
		return set_termios(tty, real, f, arg, T_TERMIO | T_WAIT | T_FLUSH);
	case TIOCGLCKTRMIOS:
		return copy_to_user(arg, &real->termios_locked, sizeof(struct termios)) ? -EFAULT : 0;
	case TIOCSLCKTRMIOS:
		return set_locked(real, arg);
	case TIOCGSOFTCAR:
		return put_user((int)!!(real->termios.c_cflag & CLOCAL), (int __user *)arg);
	}
	return -ENOIOCTLCMD;
}

/* send_xchar: a flow control character goes out even while output is stopped */
static void send_xchar(struct tty_struct *tty, u8 c)
{
	if (c == TTY_DISABLED_CHAR)
		return;
	mutex_lock(&tty->output_lock);
	tty->ops->write(tty, &c, 1);
	if (tty->ops->flush_chars)
		tty->ops->flush_chars(tty);
	mutex_unlock(&tty->output_lock);
}

static long flow_control(struct tty_struct *real, unsigned long arg)
{
	switch (arg) {
	case TCOOFF:
		real->tco_stopped = true;
		tty_stop(real);
		return 0;
	case TCOON:
		real->tco_stopped = false;
		tty_start(real);
		n_tty_echo_flush(real);
		return 0;
	case TCIOFF:
		send_xchar(real, CC_(real, VSTOP));
		return 0;
	case TCION:
		send_xchar(real, CC_(real, VSTART));
		return 0;
	}
	return -EINVAL;
}

static void flush_output(struct tty_struct *tty)
{
	mutex_lock(&tty->output_lock);
	tty->n.echo_len = 0;
	if (tty->ops->flush_buffer)
		tty->ops->flush_buffer(tty);
	mutex_unlock(&tty->output_lock);
	tty_packet_event(tty, TIOCPKT_FLUSHWRITE, 0);
}

/* flush: TCFLSH. The input of a pty's master is the output of its slave, and the other way round. */
static long flush(struct tty_struct *tty, struct tty_struct *real, unsigned long arg)
{
	bool master = tty != real;

	if (arg != TCIFLUSH && arg != TCOFLUSH && arg != TCIOFLUSH)
		return -EINVAL;
	if (arg == TCIOFLUSH || (arg == TCIFLUSH) == !master)
		n_tty_flush_input(real);
	if (arg == TCIOFLUSH || (arg == TCOFLUSH) == !master)
		flush_output(real);
	return 0;
}

static long output_ioctl(struct tty_struct *tty, struct tty_struct *real, struct file *f, unsigned cmd,
			 unsigned long arg)
{
	long r = tty_check_change(tty, SIGTTOU);

	if (r)
		return r;
	switch (cmd) {
	case TCXONC:
		return flow_control(real, arg);
	case TCFLSH:
		return flush(tty, real, arg);
	}
	return wait_until_sent(real, f); /* TCSBRK, TCSBRKP: there is no line to send a break on */
}

/**
 * tty_do_resize - a new window size; the foreground group hears of it when it differs
 */
int tty_do_resize(struct tty_struct *tty, const struct winsize *ws)
{
	bool same;

	spin_lock(&tty->flow_lock);
	same = !memcmp(&tty->winsize, ws, sizeof(*ws));
	tty->winsize = *ws;
	spin_unlock(&tty->flow_lock);
	if (!same)
		tty_signal_pgrp(tty, SIGWINCH);
	return 0;
}

static long winsize_ioctl(struct tty_struct *real, unsigned cmd, void __user *arg)
{
	struct winsize ws;

	if (cmd == TIOCSWINSZ)
		return copy_from_user(&ws, arg, sizeof(ws)) ? -EFAULT : tty_do_resize(real, &ws);
	spin_lock(&real->flow_lock);
	ws = real->winsize;
	spin_unlock(&real->flow_lock);
	return copy_to_user(arg, &ws, sizeof(ws)) ? -EFAULT : 0;
}

/* simulate_input: TIOCSTI, into the caller's own terminal unless it is root */
static long simulate_input(struct tty_struct *real, u8 __user *arg)
{
	u8 c;

	if (current->signal->tty != real && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(c, arg))
		return -EFAULT;
	tty_receive(real, &c, 1);
	return 0;
}

static long line_discipline(unsigned cmd, int __user *arg)
{
	int v;

	if (cmd == TIOCGETD)
		return put_user(0, arg); /* N_TTY */
	if (get_user(v, arg))
		return -EFAULT;
	return v ? -EINVAL : 0;
}

static long hangup_ioctl(struct tty_struct *real)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	tty_hangup(real, false);
	return 0;
}

static long inq(struct tty_struct *tty)
{
	return tty->driver->pty_master ? tty_ring_used(&tty->rx) : n_tty_inq(tty);
}

long tty_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct tty_struct *tty = file_tty(f);
	struct tty_struct *real = tty->driver->pty_master ? tty->link : tty;
	long r;

	if (tty_hung_up(f))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	switch (cmd) {
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCSCTTY:
	case TIOCNOTTY:
	case TIOCGSID:
		return tty_jobctrl_ioctl(tty, real, f, cmd, arg);
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		return winsize_ioctl(real, cmd, (void __user *)arg);
	case FIONREAD:
		return put_user((int)inq(tty), (int __user *)arg);
	case TIOCOUTQ:
		return put_user((int)(tty->ops->chars_in_buffer ? tty->ops->chars_in_buffer(tty) : 0),
				(int __user *)arg);
	case TCXONC:
	case TCFLSH:
	case TCSBRK:
	case TCSBRKP:
		return output_ioctl(tty, real, f, cmd, arg);
	case TIOCSTI:
		return simulate_input(real, (u8 __user *)arg);
	case TIOCEXCL:
		set_bit(TTY_EXCLUSIVE, &tty->flags);
		return 0;
	case TIOCNXCL:
		clear_bit(TTY_EXCLUSIVE, &tty->flags);
		return 0;
	case TIOCGEXCL:
		return put_user((int)test_bit(TTY_EXCLUSIVE, &tty->flags), (int __user *)arg);
	case TIOCGDEV:
		return put_user(new_encode_dev(real->dev), (u32 __user *)arg);
	case TIOCGETD:
	case TIOCSETD:
		return line_discipline(cmd, (int __user *)arg);
	case TIOCVHANGUP:
		return hangup_ioctl(real);
	}
	r = termios_ioctl(tty, real, f, cmd, arg);
	if (r == -ENOIOCTLCMD && tty->ops->ioctl)
		r = tty->ops->ioctl(tty, f, cmd, arg);
	return r == -ENOIOCTLCMD ? -ENOTTY : r;
}
