/* SPDX-License-Identifier: Apache-2.0 */
/* printk, BUG, formatting and parsing helpers (lib/vsprintf.c, kernel/printk.c). */
#ifndef HUSK_KERNEL_H
#define HUSK_KERNEL_H

#include <husk/types.h>
#include <husk/errno.h>
#include <husk/string.h>

enum {
	LOGLEVEL_EMERG,
	LOGLEVEL_ALERT,
	LOGLEVEL_CRIT,
	LOGLEVEL_ERR,
	LOGLEVEL_WARNING,
	LOGLEVEL_NOTICE,
	LOGLEVEL_INFO,
	LOGLEVEL_DEBUG
};

/**
 * printk - write a line to the kernel log
 * @level: LOGLEVEL_*; dropped when above the sandbox's log level
 * @fmt: vsnprintf() format. Never sleeps on anything but the log's own lock.
 */
void printk(int level, const char *fmt, ...) __printf(2, 3);
void vprintk(int level, const char *fmt, va_list ap);
#ifndef pr_fmt
#define pr_fmt(f) f
#endif
#define pr_err(f, ...) printk(LOGLEVEL_ERR, pr_fmt(f), ##__VA_ARGS__)
#define pr_warn(f, ...) printk(LOGLEVEL_WARNING, pr_fmt(f), ##__VA_ARGS__)
#define pr_notice(f, ...) printk(LOGLEVEL_NOTICE, pr_fmt(f), ##__VA_ARGS__)
#define pr_info(f, ...) printk(LOGLEVEL_INFO, pr_fmt(f), ##__VA_ARGS__)
#define pr_debug(f, ...) printk(LOGLEVEL_DEBUG, pr_fmt(f), ##__VA_ARGS__)
#define pr_once(level, f, ...)                                                                                         \
	do {                                                                                                           \
		static bool _once;                                                                                     \
		if (!__atomic_exchange_n(&_once, true, __ATOMIC_RELAXED))                                              \
			printk(level, f, ##__VA_ARGS__);                                                               \
	} while (0)
#define pr_warn_once(f, ...) pr_once(LOGLEVEL_WARNING, f, ##__VA_ARGS__)

/* panic() stops the whole sandbox and reports to the monitor. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;
#include <husk/bug.h>

#ifdef HUSK_HOSTED
#include <stdio.h>
#include <stdlib.h>
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
#else
/* As in Linux: %d %i %u %x %X %o %c %s %p %l %ll %z %h %hh %*, width, precision, flags - 0 + # space;
 * %pd (struct dentry name), %pS (function+offset/size), %ps (function), %pB (as %pS, for a return address). snprintf returns the length that would be needed; scnprintf what was written. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int sprintf(char *buf, const char *fmt, ...) __printf(2, 3);
/* what prints %pS, %ps and %pB (kind: the letter) into KSYM_SYMBOL_LEN bytes; NULL: the address */
extern int (*vsnprintf_symbol)(char *buf, unsigned long addr, char kind);
#endif
char *kasprintf(gfp_t gfp, const char *fmt, ...) __printf(2, 3); /* kfree() it */
/* 0 or -EINVAL/-ERANGE; the whole string must be a number (a final newline is allowed) */
int kstrtoull(const char *s, unsigned int base, unsigned long long *res);
int kstrtoll(const char *s, unsigned int base, long long *res);
unsigned long simple_strtoul(const char *s, char **end, unsigned int base);
void sort(void *base, size_t num, size_t size, int (*cmp)(const void *, const void *),
	  void (*swp)(void *, void *, int));

/* random numbers: a ChaCha20 generator seeded by the monitor (lib/random.c) */
void get_random_bytes(void *buf, size_t n);
u64 get_random_u64(void);
void random_init(const u64 *seed);		  /* eight words, before the first use */
void add_random_bytes(const void *buf, size_t n); /* writes to /dev/urandom */

#endif
