// SPDX-License-Identifier: Apache-2.0
// A program that reads address 0, unhandled: the status must tell.
#include "t.h"
int main(void)
{
	say("before\n");
	volatile int *p = (int *)8;
	say("%d\n", *p);
	return 0;
}
