// SPDX-License-Identifier: Apache-2.0
// AF_UNIX stream sockets: path and abstract names, accept, backlog, shutdown, peek, options, names, errors.
#include "t.h"
#include <sys/un.h>
static struct sockaddr_un sa;
static socklen_t path(const char *n)
{
	memset(&sa, 0, sizeof sa);
	sa.sun_family = AF_UNIX;
	strcpy(sa.sun_path, n);
	return offsetof(struct sockaddr_un, sun_path) + strlen(n) + 1;
}
static socklen_t abstract_(const char *n)
{
	memset(&sa, 0, sizeof sa);
	sa.sun_family = AF_UNIX;
	snprintf(sa.sun_path + 1, 100, "husk-%d-%s", tmp_owner, n);
	return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(sa.sun_path + 1);
}
#define S ((struct sockaddr *)&sa)
int main(void)
{
	char b[1000];
	struct stat s;
	tmp();
	int l = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), c, a, len;
	socklen_t n;
	R(listen(l, 5));
	n = path("sock");
	R(connect(l, S, n));
	R(bind(l, S, n));
	MUST(stat("sock", &s));
	say("socket %d\n", S_ISSOCK(s.st_mode));
	R(bind(l, S, n));
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	R(bind(c, S, n));
	R(connect(c, S, n)); // not listening yet
	R(accept(l, 0, 0));
	R(listen(l, 5));
	R(connect(c, S, n));
	R(connect(c, S, n));
	struct sockaddr_un peer;
	n = sizeof peer;
	a = MUST(accept(l, (void *)&peer, &n));
	say("peer family %d length %d\n", peer.sun_family, n);
	n = sizeof peer;
	R(getpeername(c, (void *)&peer, &n));
	say("%s %d\n", peer.sun_path, n);
	n = sizeof peer;
	R(getsockname(a, (void *)&peer, &n));
	say("%s %d\n", peer.sun_path, n);
	n = 4;
	memset(&peer, 'x', sizeof peer);
	R(getsockname(a, (void *)&peer, &n));
	say("cut: %d %.3s\n", n, peer.sun_path);
	R(send(c, "hello", 5, 0));
	R(recv(a, b, 3, MSG_PEEK));
	R(recv(a, b, 100, 0));
	R(recv(a, b, 100, MSG_DONTWAIT));
	R(write(a, "back", 4));
	R(read(c, b, 100));
	// Byte stream: boundaries are not kept; WAITALL.
	write(c, "one", 3);
	write(c, "two", 3);
	R(recv(a, b, 100, 0));
	pid_t k = MUST(fork());
	if (!k) {
		write(c, "12345", 5);
		ms(30);
		write(c, "67890", 5);
		_exit(0);
	}
	R(recv(a, b, 10, MSG_WAITALL));
	reap(k);
	R(ioctl(a, FIONREAD, &len));
	// shutdown.
	R(shutdown(c, SHUT_WR));
	R(recv(a, b, 10, 0));
	signal(SIGPIPE, SIG_IGN);
	R(send(c, "x", 1, 0));
	R(send(a, "still", 5, 0));
	R(recv(c, b, 10, 0));
	R(shutdown(c, 77));
	R(close(c));
	R(send(a, "x", 1, MSG_NOSIGNAL));
	CHILD("SIGPIPE", {
		signal(SIGPIPE, SIG_DFL);
		send(a, "x", 1, 0);
	});
	R(recv(a, b, 10, 0));
	close(a);
	// Data sent before close arrives; unread data at close resets.
	int sv[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	write(sv[0], "last words", 10);
	close(sv[0]);
	R(read(sv[1], b, 100));
	R(read(sv[1], b, 100));
	close(sv[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	write(sv[0], "unread", 6);
	close(sv[1]);
	R(read(sv[0], b, 100));
	// Removed name, full backlog.
	R(unlink("sock"));
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	n = path("sock");
	R(connect(c, S, n));
	put("file", "");
	n = path("file");
	R(connect(c, S, n));
	int l2 = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	n = abstract_("x");
	R(bind(l2, S, n));
	R(listen(l2, 0));
	int f1 = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	R(connect(f1, S, n));
	int f2 = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	R(connect(f2, S, n));
	n = sizeof peer;
	memset(&peer, 0, sizeof peer);
	R(getpeername(f1, (void *)&peer, &n) == 0 && peer.sun_path[0] == 0 && peer.sun_path[1] == 'h');
	n = abstract_("x");
	int l3 = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	R(bind(l3, S, n));
	close(l2);
	R(bind(l3, S, n)); // the name is free again
	R(read(f1, b, 1));
	n = abstract_("nobody");
	R(connect(c, S, n));
	// Automatic name.
	int au = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	sa.sun_family = AF_UNIX;
	R(bind(au, S, 2));
	n = sizeof peer;
	R(getsockname(au, (void *)&peer, &n));
	say("automatic: length %d\n", n);
	// Blocking accept, accept4, poll.
	n = abstract_("y");
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(l, S, n));
	MUST(listen(l, 10));
	k = MUST(fork());
	if (!k) {
		settle(getppid());
		MUST(connect(c, S, n));
		write(c, "hi", 2);
		read(c, b, 1);
		_exit(0);
	}
	a = MUST(accept4(l, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK));
	R(fcntl(a, F_GETFD));
	R(fcntl(a, F_GETFL) & O_NONBLOCK);
	struct pollfd pf = {a, POLLIN, 0};
	R(poll(&pf, 1, 60000));
	R(read(a, b, 10));
	R(read(a, b, 10));
	close(a);
	reap(k);
	fcntl(l, F_SETFL, O_NONBLOCK);
	R(accept(l, 0, 0));
	R(accept4(l, 0, 0, 0x10));
	// Options.
	int v;
	n = sizeof v;
	R(getsockopt(l, SOL_SOCKET, SO_TYPE, &v, &n));
	say("type %d\n", v);
	R(getsockopt(l, SOL_SOCKET, SO_DOMAIN, &v, &n));
	say("domain %d\n", v);
	R(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &v, &n));
	say("accepting %d\n", v);
	R(getsockopt(l, SOL_SOCKET, SO_ERROR, &v, &n));
	say("error %d\n", v);
	R(getsockopt(l, SOL_SOCKET, 9999, &v, &n));
	R(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &v, sizeof v));
	v = 20000;
	R(setsockopt(l, SOL_SOCKET, SO_SNDBUF, &v, sizeof v));
	R(getsockopt(l, SOL_SOCKET, SO_SNDBUF, &v, &n));
	T(v >= 20000);
	struct timeval tv = {0, 30000};
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	R(setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	R(recv(sv[0], b, 1, 0));
	O(socket(AF_UNIX, 77, 0));
	O(socket(AF_UNIX, SOCK_STREAM, 77));
	R(send(0, "x", 1, 0));
	R(connect(sv[0], (void *)8, 10));
	sa.sun_family = AF_INET;
	R(connect(c, S, 16));
	R(bind(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), S, 200));
	// A large transfer both ways at once.
	static char big[1 << 20];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	k = MUST(fork());
	if (!k) {
		long tot = 0;
		ssize_t r;
		close(sv[0]);
		while ((r = read(sv[1], big, 65536)) > 0)
			tot += r;
		memset(big, 7, sizeof big);
		for (size_t o = 0; o < sizeof big;)
			o += write(sv[1], big + o, sizeof big - o);
		_exit(tot == 3 << 20 ? 0 : 1);
	}
	close(sv[1]);
	for (size_t t = 0; t < 3 << 20;)
		t += MUST(write(sv[0], big, (3 << 20) - t > sizeof big ? sizeof big : (3 << 20) - t));
	shutdown(sv[0], SHUT_WR);
	long tot = 0;
	ssize_t r;
	while ((r = read(sv[0], b, sizeof b)) > 0)
		tot += r;
	say("%ld %s\n", tot, st(reap(k)));
	return 0;
}
