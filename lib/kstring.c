// SPDX-License-Identifier: Apache-2.0
// Strings that libc does not have: bounded copies, white space.
#include <husk/string.h>
#include <husk/errno.h>

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
