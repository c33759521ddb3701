/* SPDX-License-Identifier: Apache-2.0 */
/* The input ring of the line discipline, for who fills it (n_tty.c, which explains it) and who reads it (n_tty_read.c). */
#ifndef TTY_N_TTY_H
#define TTY_N_TTY_H

#include <husk/tty.h>

#define MASK (N_TTY_BUF_SIZE - 1)

static inline u8 *slot(struct n_tty_data *n, u32 i)
{
	return &n->read_buf[i & MASK];
}

static inline bool input_available(struct tty_struct *tty, bool poll)
{
	struct n_tty_data *n = &tty->n;
	u32 amount = 1;

	if (n->icanon)
		return n->canon_head != n->read_tail;
	if (poll && !CC_(tty, VTIME) && CC_(tty, VMIN))
		amount = CC_(tty, VMIN);
	return n->read_head - n->read_tail >= amount;
}

/* n_tty_feed_pending: moves what waits in tty->inq into the ring as far as there is room; true if something moved. n.lock is held */
bool n_tty_feed_pending(struct tty_struct *tty);
#endif
