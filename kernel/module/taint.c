// SPDX-License-Identifier: Apache-2.0
// Why the kernel may not be what it was built as: a bit for each reason, once set for good.

#include <husk/kernel.h>
#include <husk/module.h>

unsigned long tainted_mask;

void add_taint(unsigned int flag)
{
	__atomic_fetch_or(&tainted_mask, BIT(flag), __ATOMIC_RELAXED);
}

/* The letters that /proc/modules and oopses show, those of Linux. */
size_t taint_letters(unsigned long mask, char *buf)
{
	static const char letters[] = "PFSRMBUDAWCIOELKXTN";
	size_t n = 0;

	for (unsigned int i = 0; letters[i]; i++)
		if (mask & BIT(i))
			buf[n++] = letters[i];
	buf[n] = 0;
	return n;
}
