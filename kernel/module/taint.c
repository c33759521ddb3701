// SPDX-License-Identifier: Apache-2.0
// The letters of tainted kernels and modules.

#include <husk/kernel.h>
#include <husk/module.h>

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
