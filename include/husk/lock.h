/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks. The host may preempt a task anywhere, so every lock is a futex lock: a short spin, then the
 * host's futex in shared RAM. spinlock_t and struct mutex differ only in what they say about their
 * use: a spinlock's holder does not sleep, touch user memory or take a mutex.
 *
 * Slow paths are in kernel/locking.c.
 */
#ifndef HUSK_LOCK_H
#define HUSK_LOCK_H

#include <husk/atomic.h>
#include <husk/thread_info.h>
#include <husk/lockdep.h>

typedef struct {
	u32 v;
#ifdef LOCK_DEBUG
	u16 class, pad; /* kernel/lockdep.c; 0: not yet known */
#endif
} spinlock_t; /* 0 free, 1 held, 2 held and waited for */
struct mutex {
	spinlock_t l;
};
struct rw_semaphore {
	spinlock_t l;
	u32 seq;
	s32 count;
	u32 writers;
	u32 waiters;
	u32 wgrant;
}; /* see kernel/locking.c */
typedef spinlock_t raw_spinlock_t;
typedef struct rw_semaphore rwlock_t;

#define __SPIN_LOCK_UNLOCKED                                                                                           \
	{                                                                                                              \
		0                                                                                                      \
	}
#define DEFINE_SPINLOCK(x) spinlock_t x = __SPIN_LOCK_UNLOCKED
#define DEFINE_MUTEX(x) struct mutex x = {__SPIN_LOCK_UNLOCKED}
#define DECLARE_RWSEM(x) struct rw_semaphore x = {.count = 0}

void __lock_slow(spinlock_t *l);
void __mutex_lock_slow(spinlock_t *l);
void __unlock_slow(spinlock_t *l);
void __unlock_contended(spinlock_t *l, u32 was);

/* How many locks the task holds: an oops of a task that holds one is the end of the sandbox. */
#if defined(HUSK_HOSTED) || defined(HUSK_UNIT) || defined(HUSK_UNIT_LOCKS)
static inline void lock_held(int n)
{
}
#define __unlock_contended(l, was) __unlock_slow(l)
#define __mutex_lock_slow __lock_slow
#else
static inline void lock_held(int n)
{
	current_thread_info()->lock_depth += n;
}
#endif

/* the lock word alone, for locking.c */
static inline bool __raw_trylock(spinlock_t *l)
{
	u32 z = 0;
	return __atomic_compare_exchange_n(&l->v, &z, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
static inline bool spin_is_locked(spinlock_t *l)
{
	return READ_ONCE(l->v) != 0;
}

static inline bool mutex_is_locked(struct mutex *m)
{
	return spin_is_locked(&m->l);
}

#ifdef LOCK_DEBUG
/* out of line, with checks (kernel/lockdep.c); locks that one line initialises are one class */
void __spin_lock_init(spinlock_t *l, struct lock_class_key *key);
void init_rwsem(struct rw_semaphore *s);
void __init_rwsem(struct rw_semaphore *s, struct lock_class_key *key);
#define spin_lock_init(l)                                                                                              \
	({                                                                                                             \
		static struct lock_class_key __key = {0, #l};                                                          \
		__spin_lock_init(l, &__key);                                                                           \
	})
#define mutex_init(m) spin_lock_init(&(m)->l)
#define init_rwsem(s)                                                                                                  \
	({                                                                                                             \
		static struct lock_class_key __key = {0, #s};                                                          \
		__init_rwsem(s, &__key);                                                                               \
	})
bool spin_trylock(spinlock_t *l);
void spin_lock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
bool mutex_trylock(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
#else
static inline void spin_lock_init(spinlock_t *l)
{
	l->v = 0;
}
static inline bool spin_trylock(spinlock_t *l)
{
	if (!__raw_trylock(l))
		return false;
	lock_held(1);
	return true;
}
static inline void spin_lock(spinlock_t *l)
{
	if (unlikely(!__raw_trylock(l)))
		__lock_slow(l);
	lock_held(1);
}
static inline void spin_unlock(spinlock_t *l)
{
	u32 was = __atomic_exchange_n(&l->v, 0, __ATOMIC_RELEASE);

	lock_held(-1);
	if (unlikely(was != 1)) /* 2: somebody may wait; 0: it was not locked */
		__unlock_contended(l, was);
}
static inline void mutex_init(struct mutex *m)
{
	m->l.v = 0;
}
static inline void mutex_lock(struct mutex *m)
{
	if (unlikely(!__raw_trylock(&m->l)))
		__mutex_lock_slow(&m->l);
	lock_held(1);
}
static inline bool mutex_trylock(struct mutex *m)
{
	return spin_trylock(&m->l);
}
static inline void mutex_unlock(struct mutex *m)
{
	spin_unlock(&m->l);
}
void init_rwsem(struct rw_semaphore *s);
#endif

void down_read(struct rw_semaphore *s);
bool down_read_trylock(struct rw_semaphore *s);
void up_read(struct rw_semaphore *s);
void down_write(struct rw_semaphore *s);
bool down_write_trylock(struct rw_semaphore *s);
void up_write(struct rw_semaphore *s);
void downgrade_write(struct rw_semaphore *s);
#define read_lock down_read
#define read_unlock up_read
#define write_lock down_write
#define write_unlock up_write

#endif
