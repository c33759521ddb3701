// SPDX-License-Identifier: Apache-2.0
// abort(): SIGABRT ignored and blocked still kills; buffered output is lost.
#include "t.h"
int main(void)
{
	say("before\n");
	signal(SIGABRT, SIG_IGN);
	block(SIGABRT);
	abort();
}
