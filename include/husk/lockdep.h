/* SPDX-License-Identifier: Apache-2.0 */
/* Lock checks of the debug build: order of lock classes, sleeping with a spinlock held. kernel/lockdep.c. */
#ifndef HUSK_LOCKDEP_H
#define HUSK_LOCKDEP_H

#include <husk/types.h>

#if defined(HUSK_DEBUG) && !defined(HUSK_HOSTED) && !defined(HUSK_UNIT) && !defined(HUSK_UNIT_LOCKS)
#define LOCK_DEBUG 1
#endif

/* Where a lock is initialised: all locks from one place are one class, unless the place gives them keys of its own. */
struct lock_class_key {
	u16 class;
	const char *name;
};

#ifdef LOCK_DEBUG
#define LOCKDEP_MAX_HELD 48
enum lock_kind { LOCK_SPIN, LOCK_MUTEX, LOCK_READ, LOCK_WRITE };
struct held_lock {
	const void *lock;
	unsigned long ip;
	u16 class;
	u8 kind;
};
/* A task's part, in task_struct */
struct lockdep_task {
	struct held_lock held[LOCKDEP_MAX_HELD];
	u32 nheld, spins, busy;
};

/* Before a lock is waited for (try: after it was taken). @class: the lock's own word for its class */
void lockdep_acquire(const void *lock, u16 *class, enum lock_kind kind, bool try, unsigned long ip);
void lockdep_release(const void *lock, enum lock_kind kind, unsigned long ip);
void lockdep_downgrade(const void *lock);
void lockdep_set_key(u16 *class, struct lock_class_key *key);
void __might_sleep(const char *what, unsigned long ip);
void lockdep_user_exit(void); /* current goes back to user mode */
void lockdep_show_held(void); /* lines of a report */
void lockdep_busy(int n);     /* a report begins (1), ends (-1): its locks are not looked at */
/* lock_class: for a lock in memory that is never initialised again (stable_alloc) */
#define lock_class(l)                                                                                                  \
	do {                                                                                                           \
		static struct lock_class_key __key = {0, #l};                                                          \
		lockdep_set_key(&(l)->class, &__key);                                                                  \
	} while (0)
#define might_sleep(what) __might_sleep(what, (unsigned long)__builtin_return_address(0))
#else
#define lock_class(l) ((void)0)
static inline void might_sleep(const char *what)
{
}
static inline void lockdep_user_exit(void)
{
}
static inline void lockdep_show_held(void)
{
}
static inline void lockdep_busy(int n)
{
}
#endif
/* Reclaim only tries locks (mm/vmscan.c), so a plain GFP_KERNEL does not sleep; user memory may wait for the OOM killer's victim. */
#define might_sleep_gfp(gfp)                                                                                           \
	do {                                                                                                           \
		if ((gfp) & (__GFP_ACCOUNT | __GFP_NOFAIL))                                                            \
			might_sleep("an allocation that may wait");                                                    \
	} while (0)

#endif
