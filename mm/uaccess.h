/* SPDX-License-Identifier: Apache-2.0 */
/* The arch's raw user accessors (arch/x86/gate.S): no range checks; a fault that is not resolved ends them early. */
#ifndef MM_UACCESS_H
#define MM_UACCESS_H

#include <husk/types.h>

unsigned long __copy_user(void *to, const void *from, unsigned long n); /* bytes not copied */
unsigned long __clear_user(void *to, unsigned long n);			/* bytes not cleared */
long __strncpy_user(char *dst, const char *src, long n); /* length without the NUL; n: none found; -EFAULT */
long __strnlen_user(const char *s, long n);		 /* length with the NUL; n + 1: none found; 0: fault */
int __user_cmpxchg_u32(u32 *p, u32 old, u32 new, u32 *prev);

#endif
