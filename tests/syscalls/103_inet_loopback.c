// SPDX-License-Identifier: Apache-2.0
// Sockets of other families that may be missing: only their errors are looked at, in a way that fits both.
#include "t.h"
#include <netinet/in.h>
int main(void)
{
	O(socket(AF_MAX + 5, SOCK_STREAM, 0));
	O(socket(AF_INET, 55, 0));
	O(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8));
	R(getsockname(0, 0, 0));
	R(shutdown(99, 0));
	R(listen(0, 1));
	R(recvmsg(99, 0, 0));
	R(setsockopt(0, SOL_SOCKET, SO_TYPE, 0, 0));
	return 0;
}
