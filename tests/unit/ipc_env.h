/* SPDX-License-Identifier: Apache-2.0 */
/* What test_ipc's kernel-side files share: the stand-ins for the rest of the kernel, and system calls as functions. */
#ifndef IPC_ENV_H
#define IPC_ENV_H
#include <husk/net.h>
#include <husk/pipe.h>
#include <linux/un.h>
#include <asm/unistd.h>

void test_printf(const char *fmt, ...) __printf(1, 2);
void test_die(void) __noreturn;
u64 test_now(int clock);
void test_futex_wait(u32 *w, u32 v, s64 ns);
void test_futex_wake(u32 *w, u32 n);
void test_yield(void);
void *test_map(void *at, size_t n); /* at NULL: a user address */
unsigned long test_start(void (*fn)(void *), void *arg);
void test_join(unsigned long t);
void env_init(void);
extern int last_signal;

#define CHECK(c)                                                                                                       \
	do {                                                                                                           \
		if (!(c)) {                                                                                            \
			test_printf("%s:%d: %s\n", __FILE__, __LINE__, #c);                                            \
			test_die();                                                                                    \
		}                                                                                                      \
	} while (0)
#define CHECK_EQ(a, b)                                                                                                 \
	do {                                                                                                           \
		long _x = (long)(a), _y = (long)(b);                                                                   \
		if (_x != _y) {                                                                                        \
			test_printf("%s:%d: %s is %ld, not %s (%ld)\n", __FILE__, __LINE__, #a, _x, #b, _y);           \
			test_die();                                                                                    \
		}                                                                                                      \
	} while (0)

long sys_call6(long (*fn)(struct pt_regs *), long a, long b, long c, long d, long e, long f);
#define SYS6(n, a, b, c, d, e, f)                                                                                      \
	({                                                                                                             \
		long sys_##n(struct pt_regs *);                                                                        \
		sys_call6(sys_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f));                  \
	})
#define SYS5(n, a, b, c, d, e) SYS6(n, a, b, c, d, e, 0)
#define SYS4(n, a, b, c, d) SYS6(n, a, b, c, d, 0, 0)
#define SYS3(n, a, b, c) SYS6(n, a, b, c, 0, 0, 0)
#define SYS2(n, a, b) SYS6(n, a, b, 0, 0, 0, 0)
#define SYS1(n, a) SYS6(n, a, 0, 0, 0, 0, 0)
#endif
