// SPDX-License-Identifier: Apache-2.0
// AF_UNIX datagram and seqpacket sockets: boundaries, truncation, addresses, connect, sendmmsg, full queues, end.
#include "t.h"
#include <sys/un.h>
static struct sockaddr_un sa(const char *n)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, n);
	return a;
}
#define A(x) (struct sockaddr *)&x, sizeof x
int main(void)
{
	char b[1000];
	tmp();
	struct sockaddr_un n1 = sa("one"), n2 = sa("two"), from;
	socklen_t fl = sizeof from;
	int a = MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), c = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	R(sendto(a, "x", 1, 0, A(n2)));
	R(bind(a, A(n1)));
	R(bind(c, A(n2)));
	R(sendto(a, "first message", 13, 0, A(n2)));
	R(sendto(a, "second", 6, 0, A(n2)));
	R(sendto(a, "", 0, 0, A(n2)));
	R(recvfrom(c, b, 5, 0, (void *)&from, &fl));
	say("%.5s from %s\n", b, from.sun_path);
	R(recv(c, b, 3, MSG_PEEK));
	R(recv(c, b, 3, MSG_TRUNC));
	R(recv(c, b, 100, 0));
	R(recv(c, b, 100, MSG_DONTWAIT));
	R(send(a, "x", 1, 0));
	R(connect(a, A(n2)));
	R(send(a, "connected", 9, 0));
	struct iovec v[2] = {{b, 4}, {b + 10, 2}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	R(recvmsg(c, &m, 0));
	say("flags TRUNC %d, %.4s %.2s\n", !!(m.msg_flags & MSG_TRUNC), b, b + 10);
	// Connected elsewhere: only the peer may send.
	int d = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	R(sendto(d, "to one", 6, 0, A(n1)));
	R(connect(c, A(n1)));
	R(sendto(d, "to two", 6, 0, A(n2)));
	struct sockaddr un = {.sa_family = AF_UNSPEC};
	R(connect(c, &un, sizeof un));
	R(sendto(d, "to two", 6, 0, A(n2)));
	fl = sizeof from;
	R(recvfrom(c, b, 100, 0, (void *)&from, &fl));
	say("unnamed sender: length %d\n", fl);
	close(c);
	R(send(a, "x", 1, 0));
	R(listen(a, 1));
	R(accept(a, 0, 0));
	// Full queue.
	int sv[2];
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	fcntl(sv[0], F_SETFL, O_NONBLOCK);
	int k = 0;
	while (send(sv[0], b, 500, 0) == 500)
		k++;
	say("%s\n", en(errno));
	T(k >= 5);
	struct pollfd pf = {sv[0], POLLOUT, 0};
	R(poll(&pf, 1, 0));
	for (int i = 0; i < k; i++)
		recv(sv[1], b, 1000, 0);
	R(poll(&pf, 1, 0));
	R(send(sv[0], b, 1 << 24, 0));
	// mmsg.
	struct mmsghdr mm[3];
	struct iovec mv[3] = {{"aaa", 3}, {"bb", 2}, {"c", 1}};
	memset(mm, 0, sizeof mm);
	for (int i = 0; i < 3; i++)
		mm[i].msg_hdr.msg_iov = mv + i, mm[i].msg_hdr.msg_iovlen = 1;
	R(sendmmsg(sv[0], mm, 3, 0));
	say("%u %u %u\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
	char r3[3][10] = {"", "", ""};
	for (int i = 0; i < 3; i++)
		mv[i] = (struct iovec){r3[i], 9};
	R(recvmmsg(sv[1], mm, 3, MSG_DONTWAIT, 0));
	say("%s %s %s\n", r3[0], r3[1], r3[2]);
	R(recvmmsg(sv[1], mm, 3, MSG_DONTWAIT, 0));
	close(sv[0]);
	R(recv(sv[1], b, 1, MSG_DONTWAIT) <= 0);
	// seqpacket.
	int l = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0)), q = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	struct sockaddr_un n3 = sa("three");
	R(bind(l, A(n3)));
	R(listen(l, 3));
	R(connect(q, A(n3)));
	int e = MUST(accept(l, 0, 0));
	R(send(q, "packet one", 10, 0));
	R(send(q, "two", 3, 0));
	R(recv(e, b, 6, 0));
	R(recv(e, b, 100, 0));
	m = (struct msghdr){.msg_iov = v, .msg_iovlen = 1};
	send(q, "longer than four", 16, 0);
	R(recvmsg(e, &m, 0));
	say("TRUNC %d EOR %d\n", !!(m.msg_flags & MSG_TRUNC), !!(m.msg_flags & MSG_EOR));
	R(send(q, "", 0, 0));
	R(recv(e, b, 10, 0));
	shutdown(q, SHUT_WR);
	R(recv(e, b, 10, 0));
	close(e);
	R(send(q, "x", 1, MSG_NOSIGNAL));
	int t = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	R(connect(t, A(n3)));
	return 0;
}
