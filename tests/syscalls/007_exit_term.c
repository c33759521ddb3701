// SPDX-License-Identifier: Apache-2.0
// A program that ends by a signal it sends to itself: the status must tell.
#include "t.h"
int main(void)
{
	say("before\n");
	kill(getpid(), SIGTERM);
	for (;;)
		pause();
}
