// SPDX-License-Identifier: Apache-2.0
// A controlling terminal: ^C ^\ ^Z, foreground groups, SIGTTIN and SIGTTOU, SIGWINCH, SIGHUP at hang-up, /dev/tty, a shell.
#include "t.h"
#include <termios.h>
#include <pty.h>
static int m, s, sync_[2];
static volatile int got;
static void h(int sig)
{
	got = sig;
}
static pid_t start(void (*f)(void))
{
	pid_t p = MUST(fork());
	if (!p) {
		close(m);
		setsid();
		MUST(ioctl(s, TIOCSCTTY, 0));
		f();
		_exit(0);
	}
	return p;
}
static void ready(void)
{
	write(sync_[1], "x", 1);
}
static void await(void)
{
	char c;
	read(sync_[0], &c, 1);
}
static void sleeper(void)
{
	ready();
	for (;;)
		pause();
}
static void facts(void)
{
	T(tcgetsid(s) == getpid() && tcgetpgrp(s) == getpgrp());
	int t = open("/dev/tty", O_RDWR);
	T(t >= 0 && isatty(t));
	T(tcgetpgrp(t) == getpid());
	R(ioctl(s, TIOCSCTTY, 0));
	R(tcsetpgrp(s, 1 << 22));
	on(SIGWINCH, h, 0);
	ready();
	T(UNTIL(got == SIGWINCH));
	// A child in the background reads and writes.
	int w;
	pid_t p = MUST(fork());
	if (!p) {
		setpgid(0, 0);
		char c;
		read(s, &c, 1);
		_exit(1);
	}
	MUST(waitpid(p, &w, WUNTRACED));
	say("background read: %s\n", st(w));
	kill(p, SIGKILL);
	reap(p);
	p = MUST(fork());
	if (!p) {
		setpgid(0, 0);
		write(s, "w", 1); // allowed without TOSTOP
		struct termios a;
		tcgetattr(s, &a);
		tcsetattr(s, TCSANOW, &a);
		_exit(1);
	}
	MUST(waitpid(p, &w, WUNTRACED));
	say("background tcsetattr: %s\n", st(w));
	kill(p, SIGKILL);
	reap(p);
	p = MUST(fork());
	if (!p) {
		setpgid(0, 0);
		signal(SIGTTIN, SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
		char c;
		R(read(s, &c, 1));
		R(tcsetpgrp(s, getpgrp()));
		R(tcgetpgrp(s) == getpgrp());
		_exit(2);
	}
	say("%s\n", st(reap(p)));
	signal(SIGTTOU, SIG_IGN);
	R(tcsetpgrp(s, getpgrp()));
	// The foreground changes: ^C goes to the child only.
	p = MUST(fork());
	if (!p) {
		setpgid(0, 0);
		tcsetpgrp(s, getpgrp());
		ready();
		for (;;)
			pause();
	}
	say("child in front: %s\n", st(reap(p)));
	tcsetpgrp(s, getpgrp());
	// Giving up the terminal.
	signal(SIGHUP, SIG_IGN);
	signal(SIGCONT, SIG_IGN);
	R(ioctl(s, TIOCNOTTY));
	O(open("/dev/tty", O_RDWR));
	ready();
}
static void drain(int fd)
{
	char b[4096];
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, b, sizeof b) > 0)
		;
	fcntl(fd, F_SETFL, 0);
}
int main(void)
{
	int w;
	MUST(pipe(sync_));
	const char *keys[] = {"\003", "\034"};
	for (int i = 0; i < 2; i++) {
		MUST(openpty(&m, &s, 0, 0, 0));
		pid_t p = start(sleeper);
		await();
		write(m, keys[i], 1);
		say("key: %s\n", st(reap(p)));
		drain(m);
		close(m);
		close(s);
	}
	// ^Z needs a group that is not orphaned: a job of a session's leader.
	MUST(openpty(&m, &s, 0, 0, 0));
	void job(void)
	{
		int ws;
		pid_t q = MUST(fork());
		if (!q) {
			setpgid(0, 0);
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(s, getpgrp());
			sleeper();
		}
		MUST(waitpid(q, &ws, WUNTRACED));
		say("^Z: %s\n", st(ws));
		kill(q, SIGCONT);
		kill(q, SIGTERM);
		say("then: %s\n", st(reap(q)));
	}
	pid_t p = start(job);
	await();
	write(m, "\032", 1);
	say("%s\n", st(reap(p)));
	close(m);
	close(s);
	MUST(openpty(&m, &s, 0, 0, 0));
	p = start(facts);
	await();
	struct winsize ws = {40, 100, 0, 0};
	ioctl(m, TIOCSWINSZ, &ws);
	await();
	write(m, "\003", 1);
	await();
	say("%s\n", st(reap(p)));
	close(m);
	close(s);
	// The master's end: SIGHUP for the session's leader, EIO for the rest.
	MUST(openpty(&m, &s, 0, 0, 0));
	p = start(sleeper);
	await();
	close(s);
	close(m);
	say("hang-up: %s\n", st(reap(p)));
	// The leader's end: SIGHUP for the foreground group.
	MUST(openpty(&m, &s, 0, 0, 0));
	void leader(void)
	{
		pid_t q = MUST(fork());
		if (!q) {
			on(SIGHUP, h, 0);
			ready();
			char r = UNTIL(got == SIGHUP) ? 'h' : 'n';
			write(sync_[1], &r, 1);
			_exit(0);
		}
		await();
		_exit(3);
	}
	p = start(leader);
	say("%s\n", st(reap(p)));
	char r = 0;
	read(sync_[0], &r, 1);
	say("foreground group: %s\n", r == 'h' ? "SIGHUP" : "nothing");
	close(m);
	close(s);
	// An interactive shell.
	p = forkpty(&m, 0, 0, 0);
	if (!p) {
		setenv("PS1", "", 1);
		execl("/bin/sh", "sh", NULL);
		_exit(1);
	}
	const char *cmd = "stty -echo; echo re''ady; test -t 0 && echo is-a-tty; sleep 100\n";
	write(m, cmd, strlen(cmd));
	char b[5000];
	int n = 0;
	long long t = now_ns();
	b[0] = 0;
	while (!strstr(b, "is-a-tty") || !strstr(b, "ready")) {
		struct pollfd pf = {m, POLLIN, 0};
		if (poll(&pf, 1, 1000) > 0)
			n += read(m, b + n, sizeof b - 1 - n);
		b[n] = 0;
		if (now_ns() - t > 20000000000LL)
			break;
	}
	// Skip the echo of the command itself.
	T(strstr(b, "ready\r\n") != NULL);
	ms(100);
	write(m, "\003", 1);
	ms(50);
	write(m, "exit 5\n", 7);
	while (read(m, b, sizeof b) > 0)
		;
	say("shell: %s\n", st(reap(p)));
	return 0;
}
