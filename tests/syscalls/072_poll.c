// SPDX-License-Identifier: Apache-2.0
// poll, ppoll, select, pselect: events of pipes, files, sockets, bad descriptors, time-outs, signal masks.
#include "t.h"
#include <sys/select.h>
static volatile int n;
static void h(int s)
{
	(void)s;
	n++;
}
static void show(const char *w, int r, struct pollfd *p, int k)
{
	say("%s: %d", w, r);
	for (int i = 0; i < k; i++)
		say(" %s%s%s%s%s%s", p[i].revents & POLLIN ? "I" : "-", p[i].revents & POLLOUT ? "O" : "-",
		    p[i].revents & POLLHUP ? "H" : "-", p[i].revents & POLLERR ? "E" : "-",
		    p[i].revents & POLLNVAL ? "N" : "-", p[i].revents & POLLRDHUP ? "R" : "-");
	say("\n");
}
int main(void)
{
	int a[2], b[2], sv[2];
	char c;
	tmp();
	MUST(pipe(a));
	MUST(pipe(b));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	int f = MUST(open("f", O_RDWR | O_CREAT, 0600)), nul = MUST(open("/dev/null", O_RDWR));
	struct pollfd p[8] = {{a[0], POLLIN, 0},
			      {a[1], POLLOUT, 0},
			      {f, POLLIN | POLLOUT, 0},
			      {nul, POLLIN | POLLOUT, 0},
			      {sv[0], POLLIN | POLLOUT | POLLRDHUP, 0},
			      {99, POLLIN, 0},
			      {-1, POLLIN, 7},
			      {a[1], POLLIN, 0}};
#define P(w, t) show(w, poll(p, 8, t), p, 8)
	P("empty", 0);
	write(a[1], "x", 1);
	write(sv[1], "x", 1);
	P("data", -1);
	close(a[1]);
	shutdown(sv[1], SHUT_WR);
	P("closed", -1);
	read(a[0], &c, 1);
	close(sv[1]);
	P("read", -1);
	close(b[0]);
	struct pollfd q = {b[1], POLLOUT, 0};
	show("no reader", poll(&q, 1, 0), &q, 1);
	long long t = now_ns();
	R(poll(0, 0, 30));
	T(now_ns() - t >= 30000000);
	R(poll((void *)8, 1, 0));
	// Woken from outside.
	MUST(pipe(a));
	pid_t me = getpid(), k = MUST(fork());
	if (!k) {
		settle(me);
		write(a[1], "y", 1);
		_exit(0);
	}
	q = (struct pollfd){a[0], POLLIN, 0};
	show("woken", poll(&q, 1, 60000), &q, 1);
	reap(k);
	read(a[0], &c, 1);
	// ppoll with a mask: the pending signal is taken inside.
	on(SIGUSR1, h, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	sigset_t none;
	sigemptyset(&none);
	struct timespec ts = {5, 0}, zero = {0, 0}, bad = {0, -1};
	R(ppoll(&q, 1, &ts, &none));
	say("handlers %d\n", n);
	R(ppoll(&q, 1, &zero, &none));
	R(ppoll(&q, 1, &bad, &none));
	// select.
	fd_set r, w, e;
	struct timeval tv = {0, 20000};
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(a[0], &r);
	FD_SET(a[1], &w);
	FD_SET(f, &r);
	R(select(64, &r, &w, &e, &tv));
	say("%d %d %d\n", FD_ISSET(a[0], &r) != 0, FD_ISSET(a[1], &w) != 0, FD_ISSET(f, &r) != 0);
	FD_ZERO(&r);
	FD_SET(a[0], &r);
	tv = (struct timeval){0, 20000};
	R(select(64, &r, 0, 0, &tv));
	say("%d left %ld %ld\n", FD_ISSET(a[0], &r) != 0, (long)tv.tv_sec, (long)tv.tv_usec);
	// A table that reaches beyond the descriptor, whatever the caller's was: it is looked at, and not open.
	MUST(dup2(a[0], 200));
	close(200);
	close(99);
	FD_SET(99, &r);
	R(select(100, &r, 0, 0, &tv));
	R(select(-1, &r, 0, 0, &tv));
	tv.tv_sec = -1;
	R(select(0, 0, 0, 0, &tv));
	R(select(64, (void *)8, 0, 0, 0));
	raise(SIGUSR1);
	FD_ZERO(&r);
	R(pselect(0, 0, 0, 0, &ts, &none));
	say("handlers %d\n", n);
	// Three hundred descriptors, one of them ready.
	static struct pollfd many[300];
	int mp[150][2];
	for (int i = 0; i < 150; i++) {
		MUST(pipe(mp[i]));
		many[i] = (struct pollfd){mp[i][0], POLLIN, 0};
	}
	write(mp[77][1], "z", 1);
	R(poll(many, 150, -1));
	for (int i = 0; i < 150; i++)
		if (many[i].revents)
			say("ready %d\n", i);
	return 0;
}
