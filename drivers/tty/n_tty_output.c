// SPDX-License-Identifier: Apache-2.0
/* The line discipline's output side: post-processing, echo, write(2). */
#include <husk/tty.h>

/*
 * DOC: everything here but n_tty_write() runs under output_lock, so that the column is right and a pair such as "\r\n"
 * is not torn apart. Echo for which the driver has no room (or while output is stopped) waits in n.echo, bounded, and
 * leaves before any later output.
 */

static size_t drv_write(struct tty_struct *tty, const u8 *p, size_t n)
{
	if (tty->stopped || tty->tco_stopped)
		return 0;
	return tty->ops->write(tty, p, n);
}

static size_t drv_room(struct tty_struct *tty)
{
	if (tty->stopped || tty->tco_stopped)
		return 0;
	return tty->ops->write_room(tty);
}

/* n_tty_drain_echo: echo that waits goes first */
void n_tty_drain_echo(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;

	if (likely(!n->echo_len))
		return;
	u32 w = drv_write(tty, n->echo, n->echo_len);

	n->echo_len -= w;
	memmove(n->echo, n->echo + w, n->echo_len);
}

void n_tty_echo_flush(struct tty_struct *tty)
{
	mutex_lock(&tty->output_lock);
	n_tty_drain_echo(tty);
	if (tty->ops->flush_chars)
		tty->ops->flush_chars(tty);
	mutex_unlock(&tty->output_lock);
}

/* echo_out: echoed bytes never block: what has no room is kept, what exceeds that is lost */
static void echo_out(struct tty_struct *tty, const u8 *p, u32 len)
{
	struct n_tty_data *n = &tty->n;
	u32 w = 0;

	n_tty_drain_echo(tty);
	if (!n->echo_len)
		w = drv_write(tty, p, len);
	if (w == len)
		return;
	if (!n->echo)
		n->echo = kmalloc(TTY_ECHO_SIZE, GFP_KERNEL);
	if (!n->echo || len - w > TTY_ECHO_SIZE - n->echo_len)
		return;
	memcpy(n->echo + n->echo_len, p + w, len - w);
	n->echo_len += len - w;
}

static const u8 blanks[8] = "        ";

/*
 * post_process: what c becomes, in out (8 bytes), and the new column.
 * Return: number of bytes. Sets *column; called again when there was no room, so it must not change tty.
 */
static u32 post_process(struct tty_struct *tty, u8 c, u8 *out, u32 *column)
{
	u32 n = 1;

	*column = tty->n.column;
	out[0] = c;
	switch (c) {
	case '\n':
		if (O_(tty, ONLRET))
			*column = 0;
		if (O_(tty, ONLCR)) {
			out[0] = '\r';
			out[1] = '\n';
			*column = 0;
			n = 2;
		}
		break;
	case '\r':
		if (O_(tty, ONOCR) && *column == 0)
			return 0;
		if (O_(tty, OCRNL)) {
			out[0] = '\n';
			if (O_(tty, ONLRET))
				*column = 0;
		} else {
			*column = 0;
		}
		break;
	case '\t':
		n = 8 - (*column & 7);
		*column += n;
		if (O_(tty, TABDLY) == XTABS)
			memcpy(out, blanks, n);
		else
			n = 1;
		break;
	case '\b':
		if (*column > 0)
			--*column;
		break;
	default:
		if (tty_is_cntrl(c))
			break;
		if (O_(tty, OLCUC) && c >= 'a' && c <= 'z')
			out[0] = c - ('a' - 'A');
		if (!tty_is_cont(tty, c))
			++*column;
	}
	return n;
}

static void set_column(struct tty_struct *tty, u8 c, u32 column)
{
	tty->n.column = column;
	if (c == '\n' || c == '\r')
		tty->n.canon_column = column;
}

/* n_tty_echo_raw: echo a byte; it is post-processed as any output, but a control character is not shown as ^X */
void n_tty_echo_raw(struct tty_struct *tty, u8 c)
{
	u8 out[8];
	u32 n, column;

	if (!O_(tty, OPOST)) {
		echo_out(tty, &c, 1);
		return;
	}
	n = post_process(tty, c, out, &column);
	set_column(tty, c, column);
	if (n)
		echo_out(tty, out, n);
}

void n_tty_echo_char(struct tty_struct *tty, u8 c)
{
	if (L_(tty, ECHOCTL) && tty_is_cntrl(c) && c != '\t') {
		u8 shown[2] = {'^', c ^ 0100};

		tty->n.column += 2;
		echo_out(tty, shown, 2);
		return;
	}
	n_tty_echo_raw(tty, c);
}

/* n_tty_echo_verbatim: cursor movements such as "\b \b" */
void n_tty_echo_verbatim(struct tty_struct *tty, const char *s)
{
	u32 len = strlen(s);

	for (u32 i = 0; i < len; i++) {
		if (s[i] != '\b')
			tty->n.column++;
		else if (tty->n.column)
			tty->n.column--;
	}
	echo_out(tty, (const u8 *)s, len);
}

static inline bool plain(u8 c)
{
	return c >= 32 || (c != '\n' && c != '\r' && c != '\t' && c != '\b');
}

static void advance_column(struct tty_struct *tty, const u8 *p, size_t n)
{
	u32 column = tty->n.column;

	for (size_t i = 0; i < n; i++)
		if (!tty_is_cntrl(p[i]) && !tty_is_cont(tty, p[i]))
			column++;
	tty->n.column = column;
}

/* post_block: post-process and hand over as much as there is room for; bytes of p used up */
static size_t post_block(struct tty_struct *tty, const u8 *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t run = 0, w;
		u8 out[8];
		u32 k, column;

		if (!O_(tty, OLCUC))
			while (done + run < n && plain(p[done + run]))
				run++;
		if (run) {
			w = drv_write(tty, p + done, run);
			advance_column(tty, p + done, w);
			done += w;
			if (w < run)
				break;
			continue;
		}
		k = post_process(tty, p[done], out, &column);
		if (k && drv_room(tty) < k)
			break;
		set_column(tty, p[done], column);
		if (k)
			drv_write(tty, out, k);
		done++;
	}
	return done;
}

static bool may_go_on(struct tty_struct *tty, struct file *f)
{
	return tty_hung_up(f) || test_bit(TTY_OTHER_CLOSED, &tty->flags) || drv_room(tty) >= TTY_WAKE_ROOM;
}

/**
 * n_tty_write - write(2) of kernel memory to a terminal
 * Return: bytes written; fewer than @n only when interrupted, non-blocking or hung up. write_mutex is held.
 */
ssize_t n_tty_write(struct tty_struct *tty, struct file *f, const u8 *buf, size_t n)
{
	size_t done = 0;

	for (;;) {
		if (tty_hung_up(f) || test_bit(TTY_OTHER_CLOSED, &tty->flags))
			return done ? done : -EIO;
		mutex_lock(&tty->output_lock);
		n_tty_drain_echo(tty);
		if (likely(!tty->n.echo_len)) {
			if (O_(tty, OPOST))
				done += post_block(tty, buf + done, n - done);
			else
				done += drv_write(tty, buf + done, n - done);
		}
		if (tty->ops->flush_chars)
			tty->ops->flush_chars(tty);
		mutex_unlock(&tty->output_lock);
		if (done == n)
			return done;
		if (f->f_flags & O_NONBLOCK)
			return done ? done : -EAGAIN;
		if (tty->ops->wait_room)
			tty->ops->wait_room(tty);
		if (wait_event_interruptible(tty->write_wait, may_go_on(tty, f)))
			return done ? done : -ERESTARTSYS;
	}
}
