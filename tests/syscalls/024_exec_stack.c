// SPDX-License-Identifier: Apache-2.0
// A program that asks for an executable stack, with code on the stack (gcc's trampolines).
#include "t.h"
static int apply(int (*f)(int), int n)
{
	return f(n);
}
int main(int argc, char **argv)
{
	int base = argc * 10;
	int add(int n)
	{
		return base + n;
	}
	int mul(int n)
	{
		return base * n;
	}
	for (int i = 0; i < 3; i++)
		say("%d %d\n", apply(add, i), apply(mul, i));
	base += 5;
	CHILD("after fork", say("%d\n", apply(add, 1)));
	(void)argv;
	return 0;
}
