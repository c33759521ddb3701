// SPDX-License-Identifier: Apache-2.0
/* The console as a terminal: the guest's /dev/console on the host's tty. */
#include "virtio_console.h"
#include <husk/device.h>

/*
 * DOC: the monitor has put the host's terminal into raw mode, so this tty does all of the line discipline. A kernel
 * thread has one input buffer with the monitor at all times (^C must be seen with nobody reading) unless the line
 * discipline is full, when it waits for the reader. The end of the input (a terminal that was asked for on a pipe) is the
 * end-of-file character; a host terminal that goes away is an event of its own, console_hangup().
 */

#define TTY_IN_SIZE 4096u
#define CON_OUT_SIZE 65536u

static size_t con_write(struct tty_struct *tty, const u8 *buf, size_t n)
{
	struct vport *p = tty->driver_data;
	size_t w;

	mutex_lock(&p->out_lock);
	if (vport_room(p) < n)
		vport_reap_out(p);
	w = p->gone ? n : vport_put(p, buf, min_t(size_t, n, p->osize));
	mutex_unlock(&p->out_lock);
	return w;
}

static size_t con_room(struct tty_struct *tty)
{
	struct vport *p = tty->driver_data;

	if (p->gone)
		return p->osize;
	if (vport_room(p) < TTY_WAKE_ROOM) {
		mutex_lock(&p->out_lock);
		vport_reap_out(p);
		mutex_unlock(&p->out_lock);
	}
	return vport_room(p);
}

static size_t con_chars(struct tty_struct *tty)
{
	struct vport *p = tty->driver_data;

	mutex_lock(&p->out_lock);
	vport_reap_out(p);
	mutex_unlock(&p->out_lock);
	return p->gone ? 0 : p->osize - vport_room(p);
}

static void con_flush_chars(struct tty_struct *tty)
{
	struct vport *p = tty->driver_data;

	if (READ_ONCE(p->oposted) == READ_ONCE(p->ohead))
		return;
	mutex_lock(&p->out_lock);
	vport_reap_out(p);
	vport_send(p);
	mutex_unlock(&p->out_lock);
}

static void con_wait_room(struct tty_struct *tty)
{
	vport_need_out(tty->driver_data);
}

static void con_unthrottle(struct tty_struct *tty)
{
	struct vport *p = tty->driver_data;

	wake_up(&p->in_kick);
}

static const struct tty_operations con_ops = {
	.write = con_write,
	.write_room = con_room,
	.chars_in_buffer = con_chars,
	.flush_chars = con_flush_chars,
	.wait_room = con_wait_room,
	.unthrottle = con_unthrottle,
};
static const struct tty_driver con_driver = {
	.name = "console",
	.major = TTYAUX_MAJOR,
	.minor_start = 1,
	.ops = &con_ops,
};

static void deliver(struct vport *p, const u8 *buf, u32 len)
{
	u32 done = 0;

	while (done < len) {
		done += tty_receive(p->tty, buf + done, len - done);
		if (done < len)
			wait_event_interruptible(p->in_kick, tty_receive_room(p->tty) > 0);
	}
}

static int con_in_thread(void *arg)
{
	struct vport *p = arg;

	for (;;) {
		u32 seen = virtqueue_irq(p->in), len;

		mutex_lock(&p->in_lock);
		vport_reap_in(p);
		if (!p->posted && !vport_in_ready(p) && vport_post_in(p, TTY_IN_SIZE))
			pr_warn_once("console: no memory for input\n");
		len = p->ilen - p->ioff;
		mutex_unlock(&p->in_lock);
		if (p->eof)
			break;
		if (len) {
			deliver(p, p->ibuf, len);
			p->ioff = p->ilen;
			continue;
		}
		virtqueue_wait_irq(p->in, seen, INT64_MAX);
	}
	deliver(p, &p->tty->termios.c_cc[VEOF], 1);
	return 0;
}

static void initial_settings(struct tty_struct *tty)
{
	struct termios t;

	tty->winsize = (struct winsize){boot->tty_rows, boot->tty_cols, boot->tty_xpixel, boot->tty_ypixel};
	if (!boot->tty_termios_valid)
		return;
	static_assert(sizeof(t) <= sizeof(boot->tty_termios), "termios fits");
	memcpy(&t, boot->tty_termios, sizeof(t));
	tty->termios.c_iflag = t.c_iflag;
	tty->termios.c_oflag = t.c_oflag;
	tty->termios.c_cflag = t.c_cflag;
	tty->termios.c_lflag = t.c_lflag;
	memcpy(tty->termios.c_cc, t.c_cc, NCCS);
	n_tty_reset(tty);
}

int vport_tty_init(struct vport *p)
{
	struct tty_struct *tty;
	int err;

	if (p->tty)
		return 0;
	err = vport_out_init(p, CON_OUT_SIZE);
	if (err == -ENODEV) { /* output goes nowhere */
		p->gone = true;
		p->osize = CON_OUT_SIZE;
		err = 0;
	}
	if (err)
		return err;
	tty = tty_alloc(&con_driver, 0);
	if (!tty)
		return -ENOMEM;
	tty->driver_data = p;
	initial_settings(tty);
	p->tty = tty;
	tty_register_console(tty);
	if (p->in && IS_ERR_OR_NULL(kthread_run(con_in_thread, p, "hvc_in")))
		return -ENOMEM;
	return 0;
}
