// SPDX-License-Identifier: Apache-2.0
// The program that the "gcc hello world" row compiles, links and runs.
#include <stdio.h>

int main(void)
{
	puts("hello, world");
	return 0;
}
