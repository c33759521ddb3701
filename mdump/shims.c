// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: what the compression libraries expect of a C library. They are given all their memory, so nothing here allocates.

#include "sys.h"

typedef int (*compare_fn)(const void *, const void *);

void *malloc(size_t n)
{
	return NULL;
}

void *calloc(size_t n, size_t m)
{
	return NULL;
}

void *realloc(void *p, size_t n)
{
	return NULL;
}

void free(void *p)
{
}

/* No dictionaries are built. */
void qsort(void *base, size_t n, size_t size, compare_fn fn)
{
	__builtin_trap();
}
void qsort_r(void *base, size_t n, size_t size, void *fn, void *arg)
{
	__builtin_trap();
}

__attribute__((noreturn)) void __stack_chk_fail(void)
{
	for (;;)
		sys(exit_group, 70);
}

/* Their threads are refused; they compress in the caller's then. */
int pthread_create(void *t, const void *attr, void *(*fn)(void *), void *arg)
{
	return 11; /* EAGAIN */
}
int pthread_join(u64 t, void **ret)
{
	return 3; /* ESRCH */
}
#define NOTHING(name)                                                                                                  \
	int name(void *a, const void *b)                                                                               \
	{                                                                                                              \
		return 0;                                                                                              \
	}
NOTHING(pthread_mutex_init)
NOTHING(pthread_mutex_destroy)
NOTHING(pthread_mutex_lock)
NOTHING(pthread_mutex_unlock)
NOTHING(pthread_cond_init)
NOTHING(pthread_cond_destroy)
NOTHING(pthread_cond_wait)
NOTHING(pthread_cond_signal)
NOTHING(pthread_cond_broadcast)
