// SPDX-License-Identifier: Apache-2.0
/* User access from C: checked wrappers of the arch's raw accessors. */
#include <husk/mm.h>
#include <linux/futex.h>
#include "uaccess.h"

/* User memory may have to be brought in: not with a spinlock held, unless faults are off. */
#ifdef LOCK_DEBUG
#define might_fault()                                                                                                  \
	do {                                                                                                           \
		if (!current->pagefault_disabled)                                                                      \
			might_sleep("user memory");                                                                    \
	} while (0)
#else
#define might_fault() ((void)0)
#endif

/*
 * The raw accessors are the arch's, with an exception table: a fault that cannot be resolved ends them early.
 * What is checked here is that the range is user memory at all.
 */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	unsigned long left;

	might_fault();
	if (unlikely(!access_ok(from, n)))
		left = n;
	else
		left = __copy_user(to, from, n);
	/* what the caller may look at is never old kernel memory */
	if (unlikely(left))
		memset((char *)to + (n - left), 0, left);
	return left;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	might_fault();
	if (unlikely(!access_ok(to, n)))
		return n;
	return __copy_user(to, from, n);
}

unsigned long clear_user(void __user *to, unsigned long n)
{
	if (unlikely(!access_ok(to, n)))
		return n;
	return __clear_user(to, n);
}

long strncpy_from_user(char *dst, const char __user *src, long n)
{
	unsigned long room;

	if (unlikely(n <= 0))
		return 0;
	if (unlikely((unsigned long)src >= TASK_SIZE))
		return -EFAULT;
	room = TASK_SIZE - (unsigned long)src;
	if (unlikely((unsigned long)n > room)) {
		long r = __strncpy_user(dst, src, room);

		return r == (long)room ? -EFAULT : r;
	}
	return __strncpy_user(dst, src, n);
}

long strnlen_user(const char __user *s, long n)
{
	unsigned long room;
	long r;

	if (unlikely(n <= 0 || (unsigned long)s >= TASK_SIZE))
		return 0;
	room = TASK_SIZE - (unsigned long)s;
	if (likely((unsigned long)n <= room))
		return __strnlen_user(s, n);
	r = __strnlen_user(s, room);
	return r > (long)room ? 0 : r;
}

char *strndup_user(const char __user *s, long n)
{
	long len = strnlen_user(s, n);
	char *p;

	if (!len)
		return ERR_PTR(-EFAULT);
	if (len > n)
		return ERR_PTR(-EINVAL);
	p = memdup_user(s, len);
	if (!IS_ERR(p))
		p[len - 1] = 0; /* it may have changed meanwhile */
	return p;
}

void *memdup_user(const void __user *from, size_t n)
{
	void *p = kmalloc(n, GFP_USER);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, from, n)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

int user_cmpxchg_u32(u32 __user *p, u32 old, u32 new, u32 *prev)
{
	if (unlikely(!access_ok(p, sizeof(*p)) || (unsigned long)p % sizeof(*p)))
		return -EFAULT;
	return __user_cmpxchg_u32(p, old, new, prev);
}

int user_atomic_op_u32(int op, u32 __user *p, u32 arg, u32 *oldp)
{
	u32 old, new, prev;

	if (get_user(old, p))
		return -EFAULT;
	for (;;) {
		switch (op) {
		case FUTEX_OP_SET:
			new = arg;
			break;
		case FUTEX_OP_ADD:
			new = old + arg;
			break;
		case FUTEX_OP_OR:
			new = old | arg;
			break;
		case FUTEX_OP_ANDN:
			new = old & ~arg;
			break;
		case FUTEX_OP_XOR:
			new = old ^ arg;
			break;
		default:
			return -ENOSYS;
		}
		if (user_cmpxchg_u32(p, old, new, &prev))
			return -EFAULT;
		if (prev == old) {
			*oldp = old;
			return 0;
		}
		old = prev;
	}
}
