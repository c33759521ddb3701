// SPDX-License-Identifier: Apache-2.0
// Copies of strings and memory that live in the slab; kfree() ends them. NULL when out of memory.
#include <husk/string.h>
#include <husk/kernel.h>
#include <husk/slab.h>

void *kmemdup(const void *s, size_t n, gfp_t gfp)
{
	void *p = kmalloc(n, gfp);

	if (p)
		memcpy(p, s, n);
	return p;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	size_t n = strnlen(s, max);
	char *p = kmalloc(n + 1, gfp);

	if (p) {
		memcpy(p, s, n);
		p[n] = 0;
	}
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? kmemdup(s, strlen(s) + 1, gfp) : NULL;
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = kmalloc(n + 1, gfp);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, n + 1, fmt, ap);
	va_end(ap);
	return p;
}
