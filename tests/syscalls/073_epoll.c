// SPDX-License-Identifier: Apache-2.0
// epoll: level, edge, one-shot, MOD and DEL, nesting, closed and duplicated descriptors, EXCLUSIVE, errors.
#include "t.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
static int ep;
static struct epoll_event v[16];
static void wait_(const char *w, int t)
{
	int n = epoll_wait(ep, v, 16, t);
	say("%s: %d", w, n);
	for (int i = 0; i < n; i++)
		say(" %lu:%s%s%s%s", (unsigned long)v[i].data.u64, v[i].events & EPOLLIN ? "I" : "",
		    v[i].events & EPOLLOUT ? "O" : "", v[i].events & EPOLLHUP ? "H" : "",
		    v[i].events & EPOLLERR ? "E" : "");
	say("\n");
}
static int ctl(int op, int fd, unsigned ev, unsigned long d)
{
	struct epoll_event e = {.events = ev, .data.u64 = d};
	return epoll_ctl(ep, op, fd, &e);
}
int main(void)
{
	int a[2], b[2];
	char c;
	ep = MUST(epoll_create1(EPOLL_CLOEXEC));
	MUST(pipe(a));
	MUST(pipe(b));
	R(ctl(EPOLL_CTL_ADD, a[0], EPOLLIN, 1));
	R(ctl(EPOLL_CTL_ADD, a[0], EPOLLIN, 1));
	R(ctl(EPOLL_CTL_MOD, b[0], EPOLLIN, 1));
	R(ctl(EPOLL_CTL_DEL, b[0], 0, 0));
	R(ctl(EPOLL_CTL_ADD, 99, EPOLLIN, 1));
	R(ctl(EPOLL_CTL_ADD, ep, EPOLLIN, 1));
	R(ctl(77, b[0], EPOLLIN, 1));
	R(epoll_ctl(ep, EPOLL_CTL_ADD, b[0], 0));
	R(epoll_ctl(0, EPOLL_CTL_ADD, b[0], v));
	R(epoll_wait(ep, v, 0, 0));
	R(epoll_wait(ep, v, -1, 0));
	R(epoll_wait(0, v, 1, 0));
	R(epoll_wait(99, v, 1, 0));
	O(epoll_create1(5));
	wait_("nothing", 0);
	write(a[1], "xy", 2);
	wait_("level", 0);
	wait_("level again", 0);
	read(a[0], &c, 1);
	wait_("still", 0);
	read(a[0], &c, 1);
	wait_("empty", 0);
	// Edge.
	R(ctl(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLET, 2));
	write(a[1], "x", 1);
	wait_("edge", 0);
	wait_("edge again", 0);
	write(a[1], "y", 1);
	wait_("edge new data", 0);
	R(ctl(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLET, 3));
	wait_("edge after MOD", 0);
	// One-shot.
	R(ctl(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT, 4));
	wait_("oneshot", 0);
	wait_("oneshot again", 0);
	write(a[1], "z", 1);
	wait_("oneshot with new data", 0);
	R(ctl(EPOLL_CTL_MOD, a[0], EPOLLIN | EPOLLONESHOT, 5));
	wait_("oneshot re-armed", 0);
	R(ctl(EPOLL_CTL_DEL, a[0], 0, 0));
	wait_("deleted", 0);
	// HUP and ERR come unasked.
	R(ctl(EPOLL_CTL_ADD, b[0], 0, 6));
	close(b[1]);
	wait_("hang-up", 0);
	// A closed descriptor goes by itself, unless a duplicate is open.
	int d = dup(b[0]);
	close(b[0]);
	wait_("closed, duplicate open", 0);
	close(d);
	wait_("all closed", 0);
	// Order and several.
	int e[5];
	for (int i = 0; i < 5; i++) {
		e[i] = eventfd(i % 2, EFD_NONBLOCK);
		ctl(EPOLL_CTL_ADD, e[i], EPOLLIN, 10 + i);
	}
	wait_("two ready", 0);
	ctl(EPOLL_CTL_MOD, e[0], EPOLLOUT, 20);
	say("maxevents 1: %d\n", epoll_wait(ep, v, 1, 0));
	for (int i = 0; i < 5; i++)
		close(e[i]);
	// Nested.
	int outer = epoll_create1(0), inner = ep;
	struct epoll_event oe = {.events = EPOLLIN, .data.u64 = 30};
	R(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &oe));
	R(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &oe));
	ctl(EPOLL_CTL_ADD, a[0], EPOLLIN, 31);
	ep = outer;
	wait_("outer", 0);
	struct pollfd pf = {inner, POLLIN, 0};
	R(poll(&pf, 1, 0));
	ep = inner;
	while (read(a[0], &c, 1) == 1 && ({
		       struct pollfd q = {a[0], POLLIN, 0};
		       poll(&q, 1, 0);
	       }))
		;
	ep = outer;
	wait_("outer, drained", 0);
	ep = inner;
	// Regular files cannot be added.
	tmp();
	int f = MUST(open("f", O_RDWR | O_CREAT, 0600));
	R(ctl(EPOLL_CTL_ADD, f, EPOLLIN, 1));
	R(ctl(EPOLL_CTL_ADD, MUST(open(".", O_RDONLY)), EPOLLIN, 1));
	// Blocking wait, woken; with time-out.
	pid_t me = getpid(), k = MUST(fork());
	if (!k) {
		settle(me);
		write(a[1], "w", 1);
		_exit(0);
	}
	wait_("woken", 60000);
	reap(k);
	read(a[0], &c, 1);
	long long t = now_ns();
	wait_("time-out", 30);
	T(now_ns() - t >= 30000000);
	// Added while another waits.
	static int fds[2];
	MUST(pipe(fds));
	write(fds[1], "q", 1);
	void *adder(void *x)
	{
		settle(getpid());
		ctl(EPOLL_CTL_ADD, fds[0], EPOLLIN, 40);
		return x;
	}
	pthread_t th;
	pthread_create(&th, 0, adder, 0);
	wait_("added meanwhile", 60000);
	pthread_join(th, 0);
	read(fds[0], &c, 1);
	// Four threads wait for one event at a time: each event is taken once with EPOLLET|ONESHOT.
	static int ev, taken;
	ev = eventfd(0, EFD_NONBLOCK);
	ctl(EPOLL_CTL_ADD, ev, EPOLLIN | EPOLLONESHOT, 50);
	void *worker(void *x)
	{
		for (;;) {
			struct epoll_event one;
			uint64_t val;
			if (epoll_wait(ep, &one, 1, 60000) != 1)
				return x;
			if (read(ev, &val, 8) == 8)
				__atomic_fetch_add(&taken, val, __ATOMIC_SEQ_CST);
			int stop = __atomic_load_n(&taken, __ATOMIC_SEQ_CST) >= 100;
			ctl(EPOLL_CTL_MOD, ev, EPOLLIN | EPOLLONESHOT, 50);
			if (stop) {
				uint64_t o = 1;
				write(ev, &o, 8); // pass it on
				return x;
			}
		}
	}
	pthread_t w[4];
	for (int i = 0; i < 4; i++)
		pthread_create(w + i, 0, worker, 0);
	for (int i = 0; i < 100; i++) {
		uint64_t o = 1;
		write(ev, &o, 8);
		if (i % 10 == 0)
			sched_yield();
	}
	for (int i = 0; i < 4; i++)
		pthread_join(w[i], 0);
	T(taken >= 100);
	R(ctl(EPOLL_CTL_ADD, a[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
	ctl(EPOLL_CTL_DEL, a[0], 0, 0);
	R(ctl(EPOLL_CTL_ADD, a[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
	R(ctl(EPOLL_CTL_MOD, a[0], EPOLLIN, 1));
	R(ctl(EPOLL_CTL_ADD, fds[0], EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
	return 0;
}
