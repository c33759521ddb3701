// SPDX-License-Identifier: Apache-2.0
// Hello through libc: dynamic linking, stdio on a pipe or file, exit status of main.
// build: static
#include <stdio.h>
int main(void)
{
	printf("hello, %s\n", "world");
	return 3;
}
