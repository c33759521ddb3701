// SPDX-License-Identifier: Apache-2.0
// The host's terminal: raw while the guest has it, and given back as it was found.

#include <asm/termbits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "sandbox.h"

/*
 * DOC: whose terminal it is
 *
 * With a terminal on standard input the guest has a terminal of its own, with its own line discipline: echo, line editing and the
 * signals of ^C and ^Z happen there. The host's terminal is a wire to it, so it is put in raw mode, but only
 * while the monitor is the terminal's foreground job. Output processing stays on at the host unless standard output goes
 * to the terminal too: other programs of a pipeline may be writing to it.
 *
 * The glibc termios differs from the kernel's; the kernel's is used throughout, which the guest is given as it is.
 */
static int tty_fd = -1;
static bool tty_raw_output;
static struct termios saved;
static atomic_bool raw;

void terminal_init(int fd, bool raw_output, struct hostif_boot *b)
{
	_Static_assert(sizeof(saved) <= sizeof(b->tty_termios), "room for struct termios");
	uint16_t size[4];

	if (ioctl(fd, TCGETS, &saved))
		return;
	tty_fd = fd;
	tty_raw_output = raw_output;
	memcpy(b->tty_termios, &saved, sizeof(saved));
	b->tty_termios_valid = 1;
	if (terminal_size(size)) {
		b->tty_rows = size[0];
		b->tty_cols = size[1];
		b->tty_xpixel = size[2];
		b->tty_ypixel = size[3];
	}
}

bool terminal_size(uint16_t size[4])
{
	struct winsize w;

	if (tty_fd < 0 || ioctl(tty_fd, TIOCGWINSZ, &w))
		return false;
	size[0] = w.ws_row;
	size[1] = w.ws_col;
	size[2] = w.ws_xpixel;
	size[3] = w.ws_ypixel;
	return true;
}

/* A terminal that is not the controlling one has no jobs: it is always ours. */
static bool is_foreground(void)
{
	pid_t pgrp;

	return ioctl(tty_fd, TIOCGPGRP, &pgrp) || pgrp == getpgrp();
}

void terminal_enter(void)
{
	struct termios t = saved;

	if (tty_fd < 0 || atomic_load(&raw) || !is_foreground())
		return;
	t.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
	t.c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cflag = (t.c_cflag & ~(CSIZE | PARENB)) | CS8;
	if (tty_raw_output)
		t.c_oflag &= ~OPOST;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	atomic_store(&raw, true);
	ioctl(tty_fd, TCSETS, &t);
}

void terminal_leave(void)
{
	sigset_t block, old;

	if (!atomic_exchange(&raw, false))
		return;
	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	sigprocmask(SIG_BLOCK, &block, &old);
	if (is_foreground())
		ioctl(tty_fd, TCSETS, &saved);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

bool terminal_foreground(void)
{
	if (tty_fd < 0)
		return true;
	if (!is_foreground()) {
		atomic_store(&raw, false); /* whoever has it now set it as they like */
		return false;
	}
	terminal_enter();
	return true;
}

bool terminal_is_raw(void)
{
	return atomic_load(&raw) && tty_raw_output;
}
