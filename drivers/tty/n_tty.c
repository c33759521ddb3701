// SPDX-License-Identifier: Apache-2.0
// The line discipline's input side: editing, signals, canonical lines. n_tty_read.c reads them.
#include "n_tty.h"

/*
 * DOC: read_buf is a ring of N_TTY_BUF_SIZE bytes with freely running indices:
 *
 *	read_tail <= canon_head <= read_head <= read_tail + N_TTY_BUF_SIZE
 *
 * In canonical mode bytes up to canon_head are complete lines, each ending at a byte whose bit in line_end is set (an
 * end of file is stored as a disabled character with its bit set and not given to the reader); bytes from there to
 * read_head may still be edited. In raw mode canon_head is not looked at. Everything is under n.lock.
 *
 * Input that finds no room waits in tty->inq (64 KiB) and is fed in as the reader makes room, in the reader's context;
 * so no thread is needed, and a writer on a pty master that is ahead of its reader behaves as on Linux.
 */

static void put_byte(struct n_tty_data *n, u8 c)
{
	clear_bit(n->read_head & MASK, n->line_end);
	*slot(n, n->read_head) = c;
	n->read_head++;
}

/* room: bytes that may be received now. A full buffer without a complete line goes on taking (and losing) bytes. */
static int room(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;
	int left = N_TTY_BUF_SIZE - (int)(n->read_head - n->read_tail);

	if (I_(tty, PARMRK))
		left = (left + 2) / 3;
	left--;
	if (left > 0)
		return left;
	return n->icanon && n->canon_head == n->read_tail;
}

static bool buffer_full(struct n_tty_data *n)
{
	return n->read_head - n->read_tail >= N_TTY_BUF_SIZE - 1;
}

/* In an overflowing line the newest byte is replaced, so that a line end always finds its place. */
static void make_place(struct n_tty_data *n)
{
	if (buffer_full(n) && n->read_head != n->canon_head)
		n->read_head--;
}

static void finish_erasing(struct tty_struct *tty)
{
	if (tty->n.erasing) {
		n_tty_echo_raw(tty, '/');
		tty->n.erasing = false;
	}
}

static void mark_canon_column(struct tty_struct *tty)
{
	if (tty->n.canon_head == tty->n.read_head)
		tty->n.canon_column = tty->n.column;
}

static void echo_input(struct tty_struct *tty, u8 c)
{
	if (!L_(tty, ECHO))
		return;
	finish_erasing(tty);
	if (c == '\n') {
		n_tty_echo_raw(tty, c);
	} else {
		mark_canon_column(tty);
		n_tty_echo_char(tty, c);
	}
}

static void store_line_end(struct tty_struct *tty, u8 c)
{
	struct n_tty_data *n = &tty->n;

	make_place(n);
	set_bit(n->read_head & MASK, n->line_end);
	*slot(n, n->read_head) = c;
	n->read_head++;
	n->canon_head = n->read_head;
	wake_up_interruptible_poll(&tty->read_wait, EPOLLIN | EPOLLRDNORM);
}

static void store(struct tty_struct *tty, u8 c)
{
	struct n_tty_data *n = &tty->n;

	if (c == 0xff && I_(tty, PARMRK)) {
		make_place(n);
		put_byte(n, c);
	}
	make_place(n);
	put_byte(n, c);
}

/* erase_tab: how far back the cursor goes over the tab that ended at n->read_head (already removed) */
static void erase_tab(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;
	u32 i = n->read_head, chars = 0;
	bool after_tab = false;

	while (i != n->canon_head) {
		u8 c = *slot(n, --i);

		if (c == '\t') {
			after_tab = true;
			break;
		}
		if (tty_is_cntrl(c)) {
			if (L_(tty, ECHOCTL))
				chars += 2;
		} else if (!tty_is_cont(tty, c)) {
			chars++;
		}
	}
	if (!after_tab)
		chars += n->canon_column;
	for (u32 k = 8 - (chars & 7); k; k--)
		n_tty_echo_verbatim(tty, "\b");
}

static void erase_echo(struct tty_struct *tty, u8 c, bool whole_line, u32 cnt, u8 erase_char)
{
	struct n_tty_data *n = &tty->n;

	if (L_(tty, ECHOPRT)) {
		if (!n->erasing) {
			n_tty_echo_raw(tty, '\\');
			n->erasing = true;
		}
		n_tty_echo_char(tty, c);
		for (u32 k = 1; k < cnt; k++)
			n_tty_echo_raw(tty, *slot(n, n->read_head + k));
	} else if (!whole_line && !L_(tty, ECHOE)) {
		n_tty_echo_char(tty, erase_char);
	} else if (c == '\t') {
		erase_tab(tty);
	} else {
		if (tty_is_cntrl(c) && L_(tty, ECHOCTL))
			n_tty_echo_verbatim(tty, "\b \b");
		if (!tty_is_cntrl(c) || L_(tty, ECHOCTL))
			n_tty_echo_verbatim(tty, "\b \b");
	}
}

/* kill_plain: a kill that is not shown by erasing each character. True when it was all there is to do. */
static bool kill_plain(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;

	if (!L_(tty, ECHO)) {
		n->read_head = n->canon_head;
		return true;
	}
	if (L_(tty, ECHOK) && L_(tty, ECHOKE) && L_(tty, ECHOE))
		return false;
	n->read_head = n->canon_head;
	finish_erasing(tty);
	n_tty_echo_char(tty, CC_(tty, VKILL));
	if (L_(tty, ECHOK))
		n_tty_echo_raw(tty, '\n');
	return true;
}

static bool is_word(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0xc0;
}

enum erase_kind { ERASE_ONE, ERASE_WORD, ERASE_LINE };

static void eraser(struct tty_struct *tty, enum erase_kind kind)
{
	struct n_tty_data *n = &tty->n;
	bool seen_word = false;

	if (n->read_head == n->canon_head)
		return;
	if (kind == ERASE_LINE && kill_plain(tty))
		return;
	while (n->read_head != n->canon_head) {
		u32 head = n->read_head;
		u8 c;

		do
			c = *slot(n, --head);
		while (tty_is_cont(tty, c) && head != n->canon_head);
		if (tty_is_cont(tty, c))
			break; /* not part of a character */
		if (kind == ERASE_WORD) {
			if (is_word(c))
				seen_word = true;
			else if (seen_word)
				break;
		}
		u32 cnt = n->read_head - head;

		n->read_head = head;
		if (L_(tty, ECHO))
			erase_echo(tty, c, kind != ERASE_ONE, cnt, CC_(tty, VERASE));
		if (kind == ERASE_ONE)
			break;
	}
	if (n->read_head == n->canon_head && L_(tty, ECHO))
		finish_erasing(tty);
}

static void drop_input(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;

	n->read_head = n->read_tail = n->canon_head = 0;
	n->lnext = n->erasing = false;
	memset(n->line_end, 0, sizeof(n->line_end));
}

static void isig(struct tty_struct *tty, int sig, u8 c)
{
	tty_signal_pgrp(tty, sig);
	if (!L_(tty, NOFLSH)) {
		tty->n.echo_len = 0;
		if (tty->ops->flush_buffer)
			tty->ops->flush_buffer(tty);
		drop_input(tty);
		tty_packet_event(tty, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE, 0);
	}
	if (I_(tty, IXON))
		tty_start(tty);
	if (L_(tty, ECHO)) {
		mark_canon_column(tty);
		n_tty_echo_char(tty, c);
	}
}

static bool receive_flow(struct tty_struct *tty, u8 c)
{
	if (!I_(tty, IXON))
		return false;
	if (c == CC_(tty, VSTART)) {
		tty_start(tty);
		return true;
	}
	if (c == CC_(tty, VSTOP)) {
		tty_stop(tty);
		return true;
	}
	return false;
}

static bool receive_signal(struct tty_struct *tty, u8 c)
{
	if (!L_(tty, ISIG))
		return false;
	if (c == CC_(tty, VINTR))
		isig(tty, SIGINT, c);
	else if (c == CC_(tty, VQUIT))
		isig(tty, SIGQUIT, c);
	else if (c == CC_(tty, VSUSP))
		isig(tty, SIGTSTP, c);
	else
		return false;
	return true;
}

static void reprint(struct tty_struct *tty, u8 c)
{
	struct n_tty_data *n = &tty->n;

	finish_erasing(tty);
	n_tty_echo_char(tty, c);
	n_tty_echo_raw(tty, '\n');
	for (u32 i = n->canon_head; i != n->read_head; i++)
		n_tty_echo_char(tty, *slot(n, i));
}

/* receive_canon: bytes that edit or end a line. True when c was one. */
static bool receive_canon(struct tty_struct *tty, u8 c)
{
	bool iexten = L_(tty, IEXTEN);

	if (c == CC_(tty, VERASE)) {
		eraser(tty, ERASE_ONE);
	} else if (c == CC_(tty, VKILL)) {
		eraser(tty, ERASE_LINE);
	} else if (iexten && c == CC_(tty, VWERASE)) {
		eraser(tty, ERASE_WORD);
	} else if (iexten && c == CC_(tty, VLNEXT)) {
		tty->n.lnext = true;
		if (L_(tty, ECHO)) {
			finish_erasing(tty);
			if (L_(tty, ECHOCTL))
				n_tty_echo_verbatim(tty, "^\b");
		}
	} else if (iexten && L_(tty, ECHO) && c == CC_(tty, VREPRINT)) {
		reprint(tty, c);
	} else if (c == '\n') {
		if (L_(tty, ECHO) || L_(tty, ECHONL))
			n_tty_echo_raw(tty, '\n');
		store_line_end(tty, c);
	} else if (c == CC_(tty, VEOF)) {
		store_line_end(tty, TTY_DISABLED_CHAR);
	} else if (c == CC_(tty, VEOL) || (iexten && c == CC_(tty, VEOL2))) {
		if (L_(tty, ECHO)) {
			mark_canon_column(tty);
			n_tty_echo_char(tty, c);
		}
		if (c == 0xff && I_(tty, PARMRK)) {
			make_place(&tty->n);
			put_byte(&tty->n, c);
		}
		store_line_end(tty, c);
	} else {
		return false;
	}
	return true;
}

static void receive_special(struct tty_struct *tty, u8 c)
{
	if (receive_flow(tty, c) || receive_signal(tty, c))
		return;
	if (tty->stopped && I_(tty, IXON) && I_(tty, IXANY))
		tty_start(tty);
	if (c == '\r') {
		if (I_(tty, IGNCR))
			return;
		if (I_(tty, ICRNL))
			c = '\n';
	} else if (c == '\n' && I_(tty, INLCR)) {
		c = '\r';
	}
	if (tty->n.icanon && receive_canon(tty, c))
		return;
	echo_input(tty, c);
	store(tty, c);
}

static void receive_byte(struct tty_struct *tty, u8 c)
{
	struct n_tty_data *n = &tty->n;

	if (I_(tty, ISTRIP))
		c &= 0x7f;
	if (I_(tty, IUCLC) && L_(tty, IEXTEN) && c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (n->lnext) {
		n->lnext = false;
		echo_input(tty, c);
		store(tty, c);
		return;
	}
	if (test_bit(c, n->special)) {
		receive_special(tty, c);
		return;
	}
	if (tty->stopped && I_(tty, IXON) && I_(tty, IXANY))
		tty_start(tty);
	echo_input(tty, c);
	store(tty, c);
}

static size_t receive_raw(struct n_tty_data *n, const u8 *p, size_t len)
{
	size_t done = 0;

	while (done < len) {
		u32 at = n->read_head & MASK;
		u32 chunk = min_t(size_t, len - done, N_TTY_BUF_SIZE - at);

		memcpy(n->read_buf + at, p + done, chunk);
		n->read_head += chunk;
		done += chunk;
	}
	return done;
}

/* receive: into read_buf, as much as has room. n.lock held; takes output_lock for the echo. */
static size_t receive(struct tty_struct *tty, const u8 *p, size_t len)
{
	struct n_tty_data *n = &tty->n;
	size_t done = 0;

	if (n->raw) {
		int r = room(tty);

		done = r > 0 ? receive_raw(n, p, min_t(size_t, len, r)) : 0;
	} else {
		mutex_lock(&tty->output_lock);
		while (done < len && room(tty) > 0)
			receive_byte(tty, p[done++]);
		n_tty_drain_echo(tty);
		if (tty->ops->flush_chars)
			tty->ops->flush_chars(tty);
		mutex_unlock(&tty->output_lock);
	}
	n->throttled = done < len;
	if (!n->icanon && input_available(tty, false))
		wake_up_interruptible_poll(&tty->read_wait, EPOLLIN | EPOLLRDNORM);
	return done;
}

/* feed_pending: the line discipline has room: give it what waits in inq. n.lock held. True if something moved. */
bool n_tty_feed_pending(struct tty_struct *tty)
{
	bool moved = false;

	while (tty_ring_used(&tty->inq)) {
		u8 *p;
		u32 n = tty_ring_peek(&tty->inq, &p);
		u32 done = receive(tty, p, n);

		tty_ring_skip(&tty->inq, done);
		moved |= done > 0;
		if (done < n)
			break;
	}
	return moved;
}

static size_t queue_pending(struct tty_struct *tty, const u8 *p, size_t len)
{
	if (!len)
		return 0;
	if (!tty->inq.buf) {
		tty->inq.buf = kmalloc(TTY_INQ_SIZE, GFP_KERNEL);
		if (!tty->inq.buf)
			return 0;
		tty->inq.size = TTY_INQ_SIZE;
	}
	return tty_ring_put(&tty->inq, p, len);
}

/**
 * tty_receive - input from the driver
 * Return: bytes taken; fewer than @len when the reader is far behind, then ops->unthrottle is called when there is room.
 */
size_t tty_receive(struct tty_struct *tty, const u8 *p, size_t len)
{
	struct n_tty_data *n = &tty->n;
	size_t done = 0;

	mutex_lock(&n->lock);
	n_tty_feed_pending(tty);
	if (!tty_ring_used(&tty->inq))
		done = receive(tty, p, len);
	done += queue_pending(tty, p + done, len - done);
	mutex_unlock(&n->lock);
	return done;
}

size_t tty_receive_room(struct tty_struct *tty)
{
	return TTY_INQ_SIZE - tty_ring_used(&tty->inq);
}

void n_tty_flush_input(struct tty_struct *tty)
{
	mutex_lock(&tty->n.lock);
	drop_input(tty);
	tty->inq.tail = tty->inq.head;
	mutex_unlock(&tty->n.lock);
	tty_packet_event(tty, TIOCPKT_FLUSHREAD, 0);
	if (tty->ops->unthrottle)
		tty->ops->unthrottle(tty);
}

static void build_special(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;
	const u8 *cc = tty->termios.c_cc;

	memset(n->special, 0, sizeof(n->special));
#define SPECIAL(c) set_bit((c), n->special)
	if (I_(tty, IGNCR | ICRNL))
		SPECIAL('\r');
	if (I_(tty, INLCR))
		SPECIAL('\n');
	if (n->icanon) {
		SPECIAL(cc[VERASE]);
		SPECIAL(cc[VKILL]);
		SPECIAL(cc[VEOF]);
		SPECIAL('\n');
		SPECIAL(cc[VEOL]);
		if (L_(tty, IEXTEN)) {
			SPECIAL(cc[VWERASE]);
			SPECIAL(cc[VLNEXT]);
			SPECIAL(cc[VEOL2]);
			if (L_(tty, ECHO))
				SPECIAL(cc[VREPRINT]);
		}
	}
	if (I_(tty, IXON)) {
		SPECIAL(cc[VSTART]);
		SPECIAL(cc[VSTOP]);
	}
	if (L_(tty, ISIG)) {
		SPECIAL(cc[VINTR]);
		SPECIAL(cc[VQUIT]);
		SPECIAL(cc[VSUSP]);
	}
#undef SPECIAL
	clear_bit(TTY_DISABLED_CHAR, n->special);
}

/* n_tty_termios_changed: derived state for the new settings. n.lock and output_lock held. */
void n_tty_termios_changed(struct tty_struct *tty, const struct ktermios *old)
{
	struct n_tty_data *n = &tty->n;
	bool was = n->icanon;

	n->icanon = L_(tty, ICANON) != 0;
	if (!old || was != n->icanon) {
		memset(n->line_end, 0, sizeof(n->line_end));
		if (!n->icanon || n->read_head == n->read_tail) {
			n->canon_head = n->read_tail;
		} else { /* what was raw is one line now */
			set_bit((n->read_head - 1) & MASK, n->line_end);
			n->canon_head = n->read_head;
		}
		n->lnext = n->erasing = false;
	}
	build_special(tty);
	n->raw =
		!n->icanon && !I_(tty, ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK) && !L_(tty, ISIG | ECHO);
}

int n_tty_init(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;

	mutex_init(&n->lock);
	n->read_buf = kmalloc(N_TTY_BUF_SIZE, GFP_KERNEL);
	if (!n->read_buf)
		return -ENOMEM;
	n_tty_reset(tty);
	return 0;
}

void n_tty_free(struct tty_struct *tty)
{
	kfree(tty->n.read_buf);
	kfree(tty->n.echo);
	kfree(tty->inq.buf);
}

/* n_tty_reset: as after the first open */
void n_tty_reset(struct tty_struct *tty)
{
	mutex_lock(&tty->n.lock);
	mutex_lock(&tty->output_lock);
	drop_input(tty);
	tty->inq.tail = tty->inq.head;
	tty->n.echo_len = 0;
	tty->n.column = tty->n.canon_column = 0;
	n_tty_termios_changed(tty, NULL);
	mutex_unlock(&tty->output_lock);
	mutex_unlock(&tty->n.lock);
}
