/* SPDX-License-Identifier: Apache-2.0 */
/* Basic types, compiler annotations and small macros used by every kernel file. */
#ifndef HUSK_TYPES_H
#define HUSK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifdef HUSK_HOSTED
#include <sys/types.h>
typedef unsigned int umode_t;
#else
typedef long ssize_t;
typedef long off_t;
typedef s64 loff_t;
typedef unsigned int mode_t;
typedef unsigned int umode_t;
typedef int pid_t;
typedef u32 uid_t;
typedef u32 gid_t;
typedef u64 ino_t;
typedef int clockid_t;
typedef u64 dev_t; /* in the kernel: MKDEV(major, minor), new_encode_dev() layout of glibc's st_rdev */
#endif
typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;
typedef u64 phys_addr_t; /* offset in the RAM memfd */
typedef s64 ktime_t;	 /* nanoseconds */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __user
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn __attribute__((noreturn))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __weak __attribute__((weak))
#define __used __attribute__((used))
#define __section(s) __attribute__((section(s)))
#define __maybe_unused __attribute__((unused))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define __cold __attribute__((cold))
#define fallthrough __attribute__((fallthrough))
#define barrier() __asm__ __volatile__("" ::: "memory")
#define cpu_relax() __builtin_ia32_pause()

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define min(a, b)                                                                                                      \
	({                                                                                                             \
		__typeof__(a) _a = (a);                                                                                \
		__typeof__(b) _b = (b);                                                                                \
		_a < _b ? _a : _b;                                                                                     \
	})
#define max(a, b)                                                                                                      \
	({                                                                                                             \
		__typeof__(a) _a = (a);                                                                                \
		__typeof__(b) _b = (b);                                                                                \
		_a > _b ? _a : _b;                                                                                     \
	})
#define min_t(t, a, b)                                                                                                 \
	({                                                                                                             \
		t _a = (a);                                                                                            \
		t _b = (b);                                                                                            \
		_a < _b ? _a : _b;                                                                                     \
	})
#define max_t(t, a, b)                                                                                                 \
	({                                                                                                             \
		t _a = (a);                                                                                            \
		t _b = (b);                                                                                            \
		_a > _b ? _a : _b;                                                                                     \
	})
#define clamp_t(t, v, lo, hi) min_t(t, max_t(t, v, lo), hi)
#define swap(a, b)                                                                                                     \
	do {                                                                                                           \
		__typeof__(a) _t = (a);                                                                                \
		(a) = (b);                                                                                             \
		(b) = _t;                                                                                              \
	} while (0)
#define ALIGN(x, a) (((x) + (__typeof__(x))(a)-1) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define round_up(x, y) ALIGN(x, y)
#define round_down(x, y) ALIGN_DOWN(x, y)
#define BIT(n) (1UL << (n))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define static_assert _Static_assert
#define __stringify_1(x) #x
#define __stringify(x) __stringify_1(x)

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x) ALIGN((unsigned long)(x), PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)

#define PATH_MAX 4096
#define NAME_MAX 255
#define NSEC_PER_SEC 1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_USEC 1000LL
#define USEC_PER_SEC 1000000LL

/* glibc's dev_t encoding, as stat(2) reports it */
#define MKDEV(ma, mi)                                                                                                  \
	((((u64)(ma)&0xfffff000ULL) << 32) | (((u64)(ma)&0xfffULL) << 8) | (((u64)(mi)&0xffffff00ULL) << 12) |         \
	 ((u64)(mi)&0xffULL))
#define MAJOR(d) ((unsigned)((((d) >> 32) & 0xfffff000ULL) | (((d) >> 8) & 0xfffULL)))
#define MINOR(d) ((unsigned)((((d) >> 12) & 0xffffff00ULL) | ((d)&0xffULL)))

/* Errors as pointers: the last page of the address space holds no object. */
#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)
static inline void *ERR_PTR(long e)
{
	return (void *)e;
}
static inline long PTR_ERR(const void *p)
{
	return (long)p;
}
static inline bool IS_ERR(const void *p)
{
	return IS_ERR_VALUE(p);
}
static inline bool IS_ERR_OR_NULL(const void *p)
{
	return !p || IS_ERR_VALUE(p);
}
#define ERR_CAST(p) ((void *)(p))
#define PTR_ERR_OR_ZERO(p) (IS_ERR(p) ? PTR_ERR(p) : 0)

#endif
