// SPDX-License-Identifier: Apache-2.0
/* Strings that libc does not have: bounded copies, and copies that live in the slab. */
#include <husk/string.h>
#include <husk/errno.h>
#include <husk/slab.h>

ssize_t strscpy(char *d, const char *s, size_t n)
{
	size_t len;

	if (!n)
		return -E2BIG;
	len = strnlen(s, n);
	if (len == n) {
		memcpy(d, s, n - 1);
		d[n - 1] = 0;
		return -E2BIG;
	}
	memcpy(d, s, len + 1);
	return len;
}

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

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/**
 * strim - cut white space off both ends of a string, in place
 * @s: changed: a NUL is written behind its last word
 * Return: its first character that is not white space.
 */
char *strim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && is_space(end[-1]))
		end--;
	*end = 0;
	while (is_space(*s))
		s++;
	return s;
}
