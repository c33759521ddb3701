// SPDX-License-Identifier: Apache-2.0
// The line discipline's reading side: read(2) of lines and of bytes with VMIN and VTIME, poll, FIONREAD.
#include "n_tty.h"

/* copy_line: the rest of the first line, at most what the reader wants. True when a whole line (or end of file) was taken. */
static bool copy_line(struct tty_struct *tty, struct iov_iter *to, ssize_t *got)
{
	struct n_tty_data *n = &tty->n;
	u32 avail = n->canon_head - n->read_tail;
	size_t want = iov_iter_count(to);
	u32 scan = want + 1 < avail ? want + 1 : avail, len = 0;
	bool end = false;

	while (len < scan && !end)
		end = test_bit((n->read_tail + len++) & MASK, n->line_end);
	u32 eat = len;

	if (end && *slot(n, n->read_tail + len - 1) == TTY_DISABLED_CHAR)
		len--; /* end of file: not a byte */
	if (len > want) {
		len = eat = want;
		end = false;
	}
	for (u32 done = 0; done < len;) {
		u32 at = (n->read_tail + done) & MASK, part = min_t(u32, len - done, N_TTY_BUF_SIZE - at);
		size_t c = copy_to_iter(n->read_buf + at, part, to);

		done += c;
		*got += c;
		if (c < part) {
			if (!*got)
				*got = -EFAULT;
			n->read_tail += done;
			return true;
		}
	}
	n->read_tail += eat;
	return end || !iov_iter_count(to);
}

static ssize_t copy_raw(struct tty_struct *tty, struct iov_iter *to, ssize_t *got)
{
	struct n_tty_data *n = &tty->n;

	while (iov_iter_count(to) && n->read_head != n->read_tail) {
		u32 at = n->read_tail & MASK;
		u32 part = min_t(u32, n->read_head - n->read_tail, N_TTY_BUF_SIZE - at);
		size_t want = min_t(size_t, part, iov_iter_count(to)), c;

		c = copy_to_iter(n->read_buf + at, want, to);
		n->read_tail += c;
		*got += c;
		if (c < want)
			return *got ? *got : -EFAULT;
	}
	/* nothing of a raw buffer is a line should canonical mode come back */
	if ((s32)(n->canon_head - n->read_tail) < 0)
		n->canon_head = n->read_tail;
	return 0;
}

/* take: one pass of read(2) over what is there. True when the read is finished. */
static bool take(struct tty_struct *tty, struct iov_iter *to, ssize_t *got, u32 minimum)
{
	struct n_tty_data *n = &tty->n;
	bool done = false, moved = false;

	mutex_lock(&n->lock);
	if (!input_available(tty, false) && tty_ring_used(&tty->inq))
		moved = n_tty_feed_pending(tty);
	if (input_available(tty, false)) {
		if (n->icanon) {
			done = copy_line(tty, to, got);
		} else {
			ssize_t e = copy_raw(tty, to, got);

			if (e < 0 && !*got)
				*got = e;
			done = e < 0 || *got >= minimum || !iov_iter_count(to);
		}
		if (tty_ring_used(&tty->inq))
			moved |= n_tty_feed_pending(tty);
		moved |= n->throttled;
	}
	mutex_unlock(&n->lock);
	if (moved && tty->ops->unthrottle)
		tty->ops->unthrottle(tty);
	return done;
}

#define TENTH (NSEC_PER_SEC / 10)

/**
 * n_tty_read - read(2) of a terminal
 *
 * VMIN and VTIME as in termios(3). The terminal's job control comes first: a background reader gets SIGTTIN.
 */
ssize_t n_tty_read(struct tty_struct *tty, struct file *f, struct iov_iter *to)
{
	u32 minimum = 1;
	s64 timeout = MAX_SCHEDULE_TIMEOUT, between = 0;
	ssize_t got = 0;
	long r = tty_check_change(tty, SIGTTIN);

	if (r)
		return r;
	if (!tty->n.icanon) {
		minimum = CC_(tty, VMIN);
		if (minimum)
			between = CC_(tty, VTIME) * TENTH;
		else
			timeout = CC_(tty, VTIME) * TENTH;
		if (!minimum)
			minimum = 1;
	}
	while (iov_iter_count(to)) {
		bool was_canon = tty->n.icanon;
		bool avail;

		if (tty_hung_up(f))
			break;
		if (take(tty, to, &got, minimum))
			break;
		/* between bytes of one read, VTIME counts */
		if (got > 0 && between)
			timeout = between;
		if (got > 0 && was_canon)
			break;
		if (test_bit(TTY_OTHER_CLOSED, &tty->flags) && !got) {
			if (input_available(tty, false) || tty_ring_used(&tty->inq))
				continue;
			got = tty_hung_up(f) ? 0 : -EIO;
			break;
		}
		if (!timeout)
			break;
		if (f->f_flags & O_NONBLOCK) {
			if (!got)
				got = -EAGAIN;
			break;
		}
		avail = false;
		s64 left =
			___wait_event(tty->read_wait,
				      (avail = input_available(tty, false) || tty_hung_up(f) ||
					       test_bit(TTY_OTHER_CLOSED, &tty->flags) || was_canon != tty->n.icanon),
				      TASK_INTERRUPTIBLE, timeout);
		if (left < 0) {
			if (!got)
				got = -ERESTARTSYS;
			break;
		}
		if (!avail)
			break; /* the time is over */
		if (timeout != MAX_SCHEDULE_TIMEOUT)
			timeout = max_t(s64, left, 1);
		/* a background process may have been woken */
		if (!got && (r = tty_check_change(tty, SIGTTIN)))
			return r;
	}
	return got;
}

u32 n_tty_poll(struct tty_struct *tty)
{
	u32 mask = 0;

	if (!input_available(tty, true) && tty_ring_used(&tty->inq)) {
		mutex_lock(&tty->n.lock);
		n_tty_feed_pending(tty);
		mutex_unlock(&tty->n.lock);
	}
	if (input_available(tty, true))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

u32 n_tty_inq(struct tty_struct *tty)
{
	struct n_tty_data *n = &tty->n;
	u32 count;

	mutex_lock(&n->lock);
	if (!n->icanon) {
		count = n->read_head - n->read_tail;
	} else {
		count = n->canon_head - n->read_tail;
		for (u32 i = n->read_tail; i != n->canon_head; i++)
			if (test_bit(i & MASK, n->line_end) && *slot(n, i) == TTY_DISABLED_CHAR)
				count--;
	}
	mutex_unlock(&n->lock);
	return count;
}
