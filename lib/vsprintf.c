// SPDX-License-Identifier: Apache-2.0
/* Formatted text: vsnprintf() and its relatives. */
#include <husk/kernel.h>
#ifndef HUSK_HOSTED
#include <husk/fs.h>
#include <husk/kallsyms.h>

int (*vsnprintf_symbol)(char *buf, unsigned long addr, char kind);
#else
#define vsnprintf husk_vsnprintf
#define snprintf husk_snprintf
#define sprintf husk_sprintf
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...);
int sprintf(char *buf, const char *fmt, ...);
#endif

#define F_LEFT 1
#define F_PLUS 2
#define F_SPACE 4
#define F_ALT 8
#define F_ZERO 16
#define F_SIGN 32
#define F_UPPER 64

struct spec {
	unsigned int flags, base;
	int width, precision; /* -1: none */
};

/* Where the text goes; pos counts on beyond the end, for the return value. */
struct out {
	char *buf;
	size_t size, pos;
};

static inline void put(struct out *o, char c)
{
	if (o->pos < o->size)
		o->buf[o->pos] = c;
	o->pos++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_bytes(struct out *o, const char *s, size_t n)
{
	if (o->pos < o->size)
		memcpy(o->buf + o->pos, s, min(n, o->size - o->pos));
	o->pos += n;
}

static void put_string(struct out *o, const char *s, int len, const struct spec *sp)
{
	if (!(sp->flags & F_LEFT))
		pad(o, ' ', sp->width - len);
	put_bytes(o, s, len);
	if (sp->flags & F_LEFT)
		pad(o, ' ', sp->width - len);
}

static void put_number(struct out *o, u64 v, const struct spec *sp)
{
	static const char digits[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};
	const char *dig = digits[!!(sp->flags & F_UPPER)];
	char tmp[24], prefix[3];
	int n = 0, np = 0, zeros, spaces;

	if (sp->flags & F_SIGN) {
		if ((s64)v < 0) {
			v = 0 - v;
			prefix[np++] = '-';
		} else if (sp->flags & (F_PLUS | F_SPACE)) {
			prefix[np++] = sp->flags & F_PLUS ? '+' : ' ';
		}
	}
	if ((sp->flags & F_ALT) && v && sp->base == 16) {
		prefix[np++] = '0';
		prefix[np++] = sp->flags & F_UPPER ? 'X' : 'x';
	}
	if (sp->base == 10)
		for (; v; v /= 10)
			tmp[n++] = '0' + v % 10;
	else if (sp->base == 16)
		for (; v; v >>= 4)
			tmp[n++] = dig[v & 15];
	else
		for (; v; v >>= 3)
			tmp[n++] = '0' + (v & 7);
	if (!n && sp->precision != 0)
		tmp[n++] = '0';
	if ((sp->flags & F_ALT) && sp->base == 8 && (!n || tmp[n - 1] != '0'))
		tmp[n++] = '0';
	zeros = max(sp->precision - n, 0);
	if (sp->precision < 0 && (sp->flags & F_ZERO) && !(sp->flags & F_LEFT))
		zeros = max(sp->width - np - n, 0);
	spaces = sp->width - np - n - zeros;
	if (!(sp->flags & F_LEFT))
		pad(o, ' ', spaces);
	put_bytes(o, prefix, np);
	pad(o, '0', zeros);
	while (n)
		put(o, tmp[--n]);
	if (sp->flags & F_LEFT)
		pad(o, ' ', spaces);
}

/* %p and its extensions; returns how many letters behind the p belong to it. */
static int put_pointer(struct out *o, const char *ext, const void *p, struct spec *sp)
{
#ifndef HUSK_HOSTED
	if (*ext == 'd') {
		const struct dentry *d = p;

		if (d)
			put_string(o, d->d_name.name, (int)d->d_name.len, sp);
		else
			put_string(o, "(null)", 6, sp);
		return 1;
	}
	if ((*ext == 'S' || *ext == 's' || *ext == 'B') && vsnprintf_symbol) {
		char sym[KSYM_SYMBOL_LEN];

		put_string(o, sym, vsnprintf_symbol(sym, (unsigned long)p, *ext), sp);
		return 1;
	}
#endif
	sp->base = 16;
	if (sp->width < 0 || !(sp->flags & F_ALT)) {
		sp->width = max(sp->width, 16);
		sp->flags |= F_ZERO;
	}
	put_number(o, (uintptr_t)p, sp);
	return *ext == 'x' || *ext == 'K' || *ext == 'S' || *ext == 's' || *ext == 'B';
}

static int number(const char **f)
{
	int n = 0;

	for (; **f >= '0' && **f <= '9'; (*f)++)
		n = n * 10 + (**f - '0');
	return n;
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			sp->flags |= F_LEFT;
			break;
		case '+':
			sp->flags |= F_PLUS;
			break;
		case ' ':
			sp->flags |= F_SPACE;
			break;
		case '#':
			sp->flags |= F_ALT;
			break;
		case '0':
			sp->flags |= F_ZERO;
			break;
		default:
			return f;
		}
	}
}

/* Size of the integer argument: -2 hh, -1 h, 0 int, 1 long and everything else of 64 bits. */
static const char *parse_length(const char *f, int *len)
{
	*len = 0;
	if (*f == 'h') {
		*len = f[1] == 'h' ? -2 : -1;
		return f - *len;
	}
	if (*f == 'l') {
		*len = 1;
		return f + (f[1] == 'l' ? 2 : 1);
	}
	if (*f == 'z' || *f == 't' || *f == 'j' || *f == 'L') {
		*len = 1;
		return f + 1;
	}
	return f;
}

static s64 narrow(s64 v, int len, bool sign)
{
	if (len == -2)
		return sign ? (s64)(s8)v : (s64)(u8)v;
	if (len == -1)
		return sign ? (s64)(s16)v : (s64)(u16)v;
	if (!len)
		return sign ? (s64)(s32)v : (s64)(u32)v;
	return v;
}

/**
 * vsnprintf - format into a buffer
 * @buf: may be NULL when @size is 0
 * Return: the length of the whole text, cut or not, without the NUL.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {buf, size, 0};
	const char *f = fmt, *s;
	va_list ap;
	int len;
	char c;
	s64 v;

	va_copy(ap, args);
	while (*f) {
		struct spec sp = {0, 10, 0, -1};

		if (*f != '%') {
			for (s = f; *f && *f != '%'; f++)
				;
			put_bytes(&o, s, f - s);
			continue;
		}
		s = f;
		f = parse_flags(f + 1, &sp);
		if (*f == '*') {
			sp.width = va_arg(ap, int);
			if (sp.width < 0) {
				sp.width = -sp.width;
				sp.flags |= F_LEFT;
			}
			f++;
		} else {
			sp.width = number(&f);
		}
		if (*f == '.') {
			f++;
			if (*f == '*') {
				sp.precision = va_arg(ap, int);
				f++;
			} else {
				sp.precision = number(&f);
			}
		}
		f = parse_length(f, &len);
		switch (c = *f) {
		case '%':
			put(&o, '%');
			break;
		case 'c': {
			char ch = (char)va_arg(ap, int);

			put_string(&o, &ch, 1, &sp);
			break;
		}
		case 's':
			s = va_arg(ap, const char *);
			if (!s)
				s = "(null)";
			put_string(&o, s, (int)(sp.precision < 0 ? strlen(s) : strnlen(s, sp.precision)), &sp);
			break;
		case 'p':
			f += put_pointer(&o, f + 1, va_arg(ap, const void *), &sp);
			break;
		case 'd':
		case 'i':
		case 'u':
		case 'x':
		case 'X':
		case 'o':
			if (c == 'd' || c == 'i')
				sp.flags |= F_SIGN;
			else if (c == 'x' || c == 'X')
				sp.base = 16;
			else if (c == 'o')
				sp.base = 8;
			if (c == 'X')
				sp.flags |= F_UPPER;
			v = len > 0 ? va_arg(ap, s64) : (s64)va_arg(ap, int);
			put_number(&o, (u64)narrow(v, len, sp.flags & F_SIGN), &sp);
			break;
		default: /* not known: as it stands, and what it would have taken stays */
			put_bytes(&o, s, f - s);
			if (!c)
				goto out;
			put(&o, c);
		}
		f++;
	}
out:
	va_end(ap);
	if (size)
		buf[min(o.pos, size - 1)] = 0;
	return (int)o.pos;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (!size)
		return 0;
	return min(n, (int)size - 1);
}

int sprintf(char *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, INT32_MAX, fmt, ap);
	va_end(ap);
	return n;
}
