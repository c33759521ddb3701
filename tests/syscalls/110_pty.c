// SPDX-License-Identifier: Apache-2.0
// Pseudo-terminals: opening, canonical mode, echo, raw mode, control characters, window size, flow, hang-up, ioctls.
#include "t.h"
#include <termios.h>
#include <pty.h>
static int m, s;
/* What comes out of a descriptor: as long as it may take to the number of bytes that are due, and no longer for what is not. */
static void show(const char *w, int fd, int due)
{
	char b[400];
	say("%s:", w);
	struct pollfd p = {fd, POLLIN, 0};
	ssize_t n = 0, r;
	while (poll(&p, 1, n < due ? 30000 : 30) > 0 && (p.revents & POLLIN) && (r = read(fd, b + n, sizeof b - n)) > 0)
		n += r;
	for (ssize_t i = 0; i < n; i++)
		if (isprint((unsigned char)b[i]))
			say("%c", b[i]);
		else
			say("\\%02x", (unsigned char)b[i]);
	say("\n");
}
int main(void)
{
	struct termios t;
	struct winsize w = {0};
	char b[5000];
	m = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	R(isatty(m));
	R(grantpt(m));
	char *name = ptsname(m);
	T(name && !strncmp(name, "/dev/pts/", 9));
	R(open(name, O_RDWR | O_NOCTTY)); // still locked
	R(unlockpt(m));
	s = MUST(open(name, O_RDWR | O_NOCTTY));
	R(isatty(s));
	struct stat st_;
	MUST(fstat(s, &st_));
	T(S_ISCHR(st_.st_mode) && st_.st_uid == getuid());
	char tn[100];
	T(ttyname_r(s, tn, sizeof tn) == 0 && !strcmp(tn, ptsname(m)));
	MUST(tcgetattr(s, &t));
	say("iflag %o oflag %o cflag %o lflag %o\n", t.c_iflag, t.c_oflag, t.c_cflag & 07777, t.c_lflag);
	for (int i = 0; i < 17; i++)
		say("%d ", t.c_cc[i]);
	say("\n");
	// Canonical with echo.
	write(m, "hello\n", 6);
	show("echo", m, 7);
	R(read(s, b, sizeof b));
	say("%.5s\n", b);
	write(m, "abc\177\177XY\n", 8);
	show("erase", m, 13);
	show("line", s, 4);
	write(m, "one two three\027four\n", 19);
	show("word erase", m, 34);
	show("line", s, 13);
	write(m, "all gone\025rest\n", 14);
	show("kill", m, 38);
	show("line", s, 5);
	write(m, "a\nb\nc", 5);
	R(read(s, b, 100));
	R(read(s, b, 100));
	struct pollfd p = {s, POLLIN, 0};
	R(poll(&p, 1, 20));  // no whole line yet
	write(m, "\004", 1); // end of file flushes
	R(read(s, b, 100));
	write(m, "\004", 1);
	R(read(s, b, 100));
	show("echo", m, 7);
	write(m, "a\026\003b\n", 5); // literal next
	show("lnext", m, 8);
	show("line", s, 4);
	write(m, "partial read\n", 13);
	R(read(s, b, 4));
	R(read(s, b, 100));
	show("echo", m, 14);
	// Output processing.
	write(s, "line\nnext\ttab\n", 14);
	show("output", m, 16);
	t.c_oflag &= ~OPOST;
	MUST(tcsetattr(s, TCSANOW, &t));
	write(s, "raw\n", 4);
	show("no OPOST", m, 4);
	// Raw mode.
	cfmakeraw(&t);
	MUST(tcsetattr(s, TCSAFLUSH, &t));
	write(m, "x\r\003\n", 4);
	show("raw, no echo", m, 0);
	show("raw", s, 4);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	MUST(tcsetattr(s, TCSANOW, &t));
	R(read(s, b, 10)); // time-out
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	MUST(tcsetattr(s, TCSANOW, &t));
	pid_t k = MUST(fork());
	if (!k)
		_exit(read(s, b, 10));
	write(m, "1", 1);
	ms(20);
	write(m, "23", 2);
	say("VMIN 3: %s\n", st(reap(k)));
	// ICRNL, INLCR, ISTRIP, ONLCR and the like.
	t.c_iflag |= ICRNL | ISTRIP;
	t.c_oflag |= OPOST | ONLCR;
	t.c_cc[VMIN] = 1;
	tcsetattr(s, TCSANOW, &t);
	write(m, "a\r\xe1", 3);
	show("ICRNL ISTRIP", s, 3);
	// Window size, counts, flush.
	R(ioctl(m, TIOCGWINSZ, &w));
	say("%d %d\n", w.ws_row, w.ws_col);
	w.ws_row = 30;
	w.ws_col = 90;
	R(ioctl(m, TIOCSWINSZ, &w));
	w.ws_row = 0;
	R(ioctl(s, TIOCGWINSZ, &w));
	say("%d %d\n", w.ws_row, w.ws_col);
	int n;
	write(m, "12345", 5);
	T(UNTIL(ioctl(s, FIONREAD, &n) == 0 && n == 5));
	say("%d\n", n);
	R(tcflush(s, TCIFLUSH));
	R(ioctl(s, FIONREAD, &n));
	say("%d\n", n);
	R(tcdrain(s));
	R(tcsendbreak(s, 0));
	R(tcgetpgrp(s));
	R(tcgetsid(s));
	R(ioctl(s, TIOCNOTTY));
	R(tcsetattr(0, TCSANOW, &t));
	R(tcflow(s, TCOOFF));
	R(tcflow(s, TCOON));
	// A large write goes through whole.
	k = MUST(fork());
	if (!k) {
		memset(b, 'q', sizeof b);
		for (int i = 0; i < 20; i++)
			write(s, b, sizeof b);
		_exit(0);
	}
	long tot = 0;
	while (tot < 100000)
		tot += MUST(read(m, b, sizeof b));
	say("%ld %s\n", tot, st(reap(k)));
	// Hang-up both ways.
	close(s);
	p = (struct pollfd){m, POLLIN, 0};
	R(poll(&p, 1, 0));
	say("HUP %d\n", !!(p.revents & POLLHUP));
	R(read(m, b, 10));
	s = MUST(open(ptsname(m), O_RDWR | O_NOCTTY));
	R(poll(&p, 1, 0));
	write(s, "again", 5);
	show("again", m, 5);
	close(m);
	R(read(s, b, 10));
	R(write(s, "x", 1));
	p = (struct pollfd){s, POLLIN, 0};
	R(poll(&p, 1, 0));
	say("HUP %d\n", !!(p.revents & POLLHUP));
	// openpty.
	R(openpty(&m, &s, 0, 0, &(struct winsize){11, 22, 0, 0}));
	R(ioctl(s, TIOCGWINSZ, &w));
	say("%d %d\n", w.ws_row, w.ws_col);
	return 0;
}
