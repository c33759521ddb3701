// SPDX-License-Identifier: Apache-2.0
/* Strings to integers. */
#include <husk/kernel.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 255;
}

/* Skips the prefix that says the base, if one may be there. */
static const char *find_base(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] | 32) == 'x' && digit(s[2]) < 16;

	if (!*base)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return *base == 16 && hex ? s + 2 : s;
}

/* Digits of @base at @s; *end is behind them. 0 or -ERANGE. */
static int parse(const char *s, unsigned int base, unsigned long long *res, const char **end)
{
	unsigned long long v = 0;
	int err = 0, d;

	for (; (d = digit(*s)) < (int)base; s++) {
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			err = -ERANGE;
	}
	*res = v;
	*end = s;
	return err;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	unsigned long long v;
	const char *start, *end;
	int err;

	if (*s == '+')
		s++;
	start = find_base(s, &base);
	err = parse(start, base, &v, &end);
	if (end == start)
		return -EINVAL;
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	if (!err)
		*res = v;
	return err;
}

int kstrtoll(const char *s, unsigned int base, long long *res)
{
	bool neg = *s == '-';
	unsigned long long v;
	int err;

	if (neg && s[1] == '+')
		return -EINVAL;
	err = kstrtoull(neg ? s + 1 : s, base, &v);
	if (err)
		return err;
	if (v > (unsigned long long)INT64_MAX + neg)
		return -ERANGE;
	*res = neg ? (long long)(0 - v) : (long long)v;
	return 0;
}

/**
 * simple_strtoul - a number at the start of a string, with no check of what follows
 * @s: text @end: where it stopped, may be NULL @base: 0: by prefix
 */
unsigned long simple_strtoul(const char *s, char **end, unsigned int base)
{
	unsigned long long v;
	const char *e;

	s = find_base(s, &base);
	parse(s, base, &v, &e);
	if (end)
		*end = (char *)e;
	return v;
}
