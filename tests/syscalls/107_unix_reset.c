// SPDX-License-Identifier: Apache-2.0
// A peer that goes with unread data resets the connection: when a stream, packets and datagrams tell, and what is read after it.
#include "t.h"

static void reads(const char *what, int fd)
{
	char b[16];

	for (int i = 0; i < 4; i++) {
		ssize_t n = recv(fd, b, sizeof(b), MSG_DONTWAIT);

		say("%s recv %zd errno %d\n", what, n, n < 0 ? errno : 0);
	}
}

static void reset(const char *what, int type)
{
	int p[2];

	T(!socketpair(AF_UNIX, type, 0, p));
	T(send(p[0], "unread", 6, 0) == 6);
	T(send(p[1], "one", 3, 0) == 3 && send(p[1], "two", 3, 0) == 3);
	close(p[1]);
	reads(what, p[0]);
	T(send(p[0], "x", 1, MSG_NOSIGNAL) < 0);
	say("%s send errno %d\n", what, errno);
	close(p[0]);
}

int main(void)
{
	reset("stream", SOCK_STREAM);
	reset("seqpacket", SOCK_SEQPACKET);
	reset("dgram", SOCK_DGRAM);
	return 0;
}
