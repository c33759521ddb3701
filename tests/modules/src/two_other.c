// SPDX-License-Identifier: Apache-2.0
// The other file of the module two: a jump table, constants and zeroed data.

#include <husk/kernel.h>

int two_other(void);
static int counted[1000];
static const char *const names[] = {"zero", "one", "two", "three", "four", "five"};

static int choose(unsigned int n)
{
	switch (n) {
	case 0:
		return 11;
	case 1:
		return 35;
	case 2:
		return -7;
	case 3:
		return 1234;
	case 4:
		return 99;
	case 5:
		return 8;
	case 6:
		return 51;
	default:
		return 0;
	}
}

int two_other(void)
{
	int sum = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(counted); i++)
		sum += counted[i]++;
	for (unsigned int i = 0; i < 8; i++)
		sum += choose(i);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		sum += (int)strlen(names[i]);
	return sum; /* 1431 + 23 */
}
