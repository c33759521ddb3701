/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic integers, reference counts and bit operations, on the compiler's builtins. */
#ifndef HUSK_ATOMIC_H
#define HUSK_ATOMIC_H

#include <husk/types.h>

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	s64 counter;
} atomic64_t;
typedef atomic64_t atomic_long_t;
#define ATOMIC_INIT(i)                                                                                                 \
	{                                                                                                              \
		(i)                                                                                                    \
	}

#define atomic_read(v) __atomic_load_n(&(v)->counter, __ATOMIC_RELAXED)
#define atomic_set(v, i) __atomic_store_n(&(v)->counter, (i), __ATOMIC_RELAXED)
#define atomic_add(i, v) ((void)__atomic_add_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST))
#define atomic_sub(i, v) ((void)__atomic_sub_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST))
#define atomic_inc(v) atomic_add(1, v)
#define atomic_dec(v) atomic_sub(1, v)
#define atomic_add_return(i, v) __atomic_add_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_sub_return(i, v) __atomic_sub_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic_inc_return(v) atomic_add_return(1, v)
#define atomic_dec_return(v) atomic_sub_return(1, v)
#define atomic_dec_and_test(v) (atomic_sub_return(1, v) == 0)
#define atomic_xchg(v, n) __atomic_exchange_n(&(v)->counter, (n), __ATOMIC_SEQ_CST)
#define atomic64_read atomic_read
#define atomic64_set atomic_set
#define atomic64_add atomic_add
#define atomic64_sub atomic_sub
#define atomic64_inc atomic_inc
#define atomic64_dec atomic_dec
#define atomic64_add_return atomic_add_return
#define atomic64_inc_return atomic_inc_return
#define atomic_long_read atomic_read
#define atomic_long_set atomic_set
#define atomic_long_add atomic_add
#define atomic_long_sub atomic_sub
#define atomic_long_inc atomic_inc
#define atomic_long_dec atomic_dec
static inline bool atomic_inc_not_zero(atomic_t *v)
{
	int c = __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
	while (c && !__atomic_compare_exchange_n(&v->counter, &c, c + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	return c != 0;
}

typedef struct {
	atomic_t refs;
} refcount_t;
#define REFCOUNT_INIT(n)                                                                                               \
	{                                                                                                              \
		ATOMIC_INIT(n)                                                                                         \
	}
#define refcount_set(r, n) atomic_set(&(r)->refs, n)
#define refcount_read(r) atomic_read(&(r)->refs)
#define refcount_inc(r) atomic_inc(&(r)->refs)
#define refcount_inc_not_zero(r) atomic_inc_not_zero(&(r)->refs)
#define refcount_dec_and_test(r) atomic_dec_and_test(&(r)->refs)

#define xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define cmpxchg(p, o, n)                                                                                               \
	({                                                                                                             \
		__typeof__(*(p)) _o = (o);                                                                             \
		__atomic_compare_exchange_n((p), &_o, (n), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                 \
		_o;                                                                                                    \
	})
#define smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, n) unsigned long name[BITS_TO_LONGS(n)]
static inline void set_bit(unsigned long nr, void *addr)
{
	__atomic_fetch_or((unsigned long *)addr + nr / 64, 1UL << (nr % 64), __ATOMIC_SEQ_CST);
}
static inline void clear_bit(unsigned long nr, void *addr)
{
	__atomic_fetch_and((unsigned long *)addr + nr / 64, ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST);
}
static inline bool test_bit(unsigned long nr, const void *addr)
{
	return (__atomic_load_n((const unsigned long *)addr + nr / 64, __ATOMIC_RELAXED) >> (nr % 64)) & 1;
}
static inline bool test_and_set_bit(unsigned long nr, void *addr)
{
	return (__atomic_fetch_or((unsigned long *)addr + nr / 64, 1UL << (nr % 64), __ATOMIC_SEQ_CST) >> (nr % 64)) &
	       1;
}
static inline bool test_and_clear_bit(unsigned long nr, void *addr)
{
	return (__atomic_fetch_and((unsigned long *)addr + nr / 64, ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST) >>
		(nr % 64)) &
	       1;
}
#define __set_bit set_bit
#define __clear_bit clear_bit
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long start);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size, unsigned long start);
#define find_first_bit(m, s) find_next_bit(m, s, 0)
#define find_first_zero_bit(m, s) find_next_zero_bit(m, s, 0)
static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}
static inline int ffs64(u64 x)
{
	return __builtin_ffsll((long long)x);
}
static inline int ilog2(u64 x)
{
	return fls64(x) - 1;
}
static inline u64 roundup_pow_of_two(u64 x)
{
	return x <= 1 ? 1 : 1ULL << fls64(x - 1);
}
#define is_power_of_2(x) ((x) != 0 && (((x) & ((x)-1)) == 0))
static inline int get_order(unsigned long size)
{
	return size <= PAGE_SIZE ? 0 : fls64((size - 1) >> PAGE_SHIFT);
}

#endif
