// SPDX-License-Identifier: Apache-2.0
// Slow paths of locks: spin for a moment where there is another CPU, then the host's futex.

#include <husk/lock.h>
#include <husk/sched.h>
#include <husk/time.h>
#include <husk/oops.h>

/**
 * DOC: locks on a preemptible host
 *
 * A lock word lies in RAM and every host process maps the same RAM, so the host's shared futexes serve all of them. A holder may
 * be preempted at any instruction; therefore spinning is bounded (about the cost of a sleep and a wake-up) and useless on one CPU.
 *
 * spinlock_t: 0 free, 1 held, 2 held and perhaps waited for. A waiter always leaves 2 behind when it takes the lock, so no wake-up
 * is lost and an uncontended unlock makes no host call.
 *
 * rw_semaphore: count holds the readers, RW_WRITER while a writer has it, and RW_WAITERS while somebody waits: then nobody
 * takes the fast path and the last to leave hands the lock over under l. A leaving writer lets all waiting readers in at once; the
 * last leaving reader lets one writer in. So readers and writers alternate under contention and neither starves.
 * seq: generation of admitted readers (their futex). wgrant: 1 while a writer was admitted and has not noticed (theirs).
 * writers, waiters: waiting writers and readers, under l.
 */

#define SPIN_TRIES 80
#define RW_WRITER 0x40000000
#define RW_WAITERS 0x20000000

static int max_spin;
static const struct lock_reports *report;

void locking_init(unsigned int ncpus, const struct lock_reports *reports)
{
	max_spin = ncpus > 1 ? SPIN_TRIES : 0;
	report = reports;
}

static inline int spin_tries(void)
{
	return max_spin;
}

int lock_patience = 30;

/* Takes l at last, and leaves 2 in it. @stalled is called once when it did not change hands for lock_patience seconds. */
static void lock_sleep(spinlock_t *l, void (*stalled)(void *lock, unsigned int seconds))
{
	unsigned int seconds = 0;

	for (int i = spin_tries(); i > 0; i--) {
		cpu_relax();
		if (!READ_ONCE(l->v) && __raw_trylock(l))
			return;
	}
	while (__atomic_exchange_n(&l->v, 2, __ATOMIC_ACQUIRE)) {
		/* whole seconds without a wake-up are counted, not the clock: a sandbox that was stopped is not late */
		if (host_sleep(&l->v, 2, NSEC_PER_SEC) != -ETIMEDOUT)
			seconds = 0;
		else if (++seconds == (unsigned int)READ_ONCE(lock_patience))
			stalled(l, seconds);
	}
}

void __lock_slow(spinlock_t *l)
{
	lock_sleep(l, report->spin_stalled);
}

void __mutex_lock_slow(spinlock_t *l)
{
	lock_sleep(l, report->mutex_stalled);
}

void __unlock_slow(spinlock_t *l)
{
	host_futex_wake(&l->v, 1);
}

/* An unlock that found something else than 1 */
void __unlock_contended(spinlock_t *l, u32 was)
{
	if (likely(was == 2))
		__unlock_slow(l);
	else
		report->bad(l, was ? "the lock word is corrupt" : "unlock of a lock that is not held");
}

/* rw_semaphores' own lock: not counted, and not seen by the lock checks */
static inline void raw_lock(spinlock_t *l)
{
	if (unlikely(!__raw_trylock(l)))
		__lock_slow(l);
}

static inline void raw_unlock(spinlock_t *l)
{
	u32 was = __atomic_exchange_n(&l->v, 0, __ATOMIC_RELEASE);

	if (unlikely(was != 1))
		__unlock_contended(l, was);
}

#ifdef LOCK_DEBUG
void __init_rwsem(struct rw_semaphore *s, struct lock_class_key *key)
{
	*s = (struct rw_semaphore){.count = 0};
	lockdep_set_key(&s->l.class, key);
}
#define rw_acquire(s, kind, try)                                                                                       \
	lockdep_acquire(s, &(s)->l.class, kind, try, (unsigned long)__builtin_return_address(0))
#define rw_release(s, kind) lockdep_release(s, kind, (unsigned long)__builtin_return_address(0))
#else
#define rw_acquire(s, kind, try) ((void)0)
#define rw_release(s, kind) ((void)0)
#define lockdep_downgrade(s) ((void)0)
#endif
#undef init_rwsem
void init_rwsem(struct rw_semaphore *s)
{
	*s = (struct rw_semaphore){.count = 0};
}

static inline bool rw_cas(struct rw_semaphore *s, s32 *old, s32 new)
{
	return __atomic_compare_exchange_n(&s->count, old, new, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool read_trylock_raw(struct rw_semaphore *s)
{
	s32 c = READ_ONCE(s->count);

	while (!(c & (RW_WRITER | RW_WAITERS)))
		if (rw_cas(s, &c, c + 1))
			return true;
	return false;
}

static bool write_trylock_raw(struct rw_semaphore *s)
{
	s32 c = 0;

	return rw_cas(s, &c, RW_WRITER);
}

/* Under l. A free lock is taken although the flag is set only when nobody waits any more; else the flag is set now. */
static bool rw_take_or_flag(struct rw_semaphore *s, s32 busy, s32 add)
{
	s32 c = READ_ONCE(s->count);

	for (;;) {
		if (!(c & (busy | RW_WAITERS))) {
			if (rw_cas(s, &c, c + add))
				return true;
		} else if (c & RW_WAITERS) {
			return false;
		} else if (rw_cas(s, &c, c | RW_WAITERS)) {
			return false;
		}
	}
}

static noinline void down_read_slow(struct rw_semaphore *s)
{
	u32 gen;

	for (int i = spin_tries(); i > 0; i--) {
		cpu_relax();
		if (read_trylock_raw(s))
			return;
	}
	raw_lock(&s->l);
	if (rw_take_or_flag(s, RW_WRITER, 1)) {
		raw_unlock(&s->l);
		return;
	}
	s->waiters++;
	gen = s->seq;
	raw_unlock(&s->l);
	while (smp_load_acquire(&s->seq) == gen)
		host_sleep(&s->seq, gen, INT64_MAX);
}

static noinline void down_write_slow(struct rw_semaphore *s)
{
	u32 one;

	for (int i = spin_tries(); i > 0; i--) {
		cpu_relax();
		if (!READ_ONCE(s->count) && write_trylock_raw(s))
			return;
	}
	raw_lock(&s->l);
	if (rw_take_or_flag(s, ~RW_WAITERS, RW_WRITER)) {
		raw_unlock(&s->l);
		return;
	}
	s->writers++;
	raw_unlock(&s->l);
	for (;;) {
		one = 1;
		if (__atomic_compare_exchange_n(&s->wgrant, &one, 0, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		host_sleep(&s->wgrant, 0, INT64_MAX);
	}
}

bool down_read_trylock(struct rw_semaphore *s)
{
	if (!read_trylock_raw(s))
		return false;
	lock_held(1);
	rw_acquire(s, LOCK_READ, true);
	return true;
}

bool down_write_trylock(struct rw_semaphore *s)
{
	if (!write_trylock_raw(s))
		return false;
	lock_held(1);
	rw_acquire(s, LOCK_WRITE, true);
	return true;
}

void down_read(struct rw_semaphore *s)
{
	rw_acquire(s, LOCK_READ, false);
	if (unlikely(!read_trylock_raw(s)))
		down_read_slow(s);
	lock_held(1);
}

void down_write(struct rw_semaphore *s)
{
	rw_acquire(s, LOCK_WRITE, false);
	if (unlikely(!write_trylock_raw(s)))
		down_write_slow(s);
	lock_held(1);
}

/* Admit waiting readers (l held; the lock is free or read-held). The host call is the caller's: returns whether to make it. */
static bool admit_readers(struct rw_semaphore *s)
{
	u32 n = s->waiters;

	if (!n)
		return false;
	s->waiters = 0;
	__atomic_add_fetch(&s->count, s->writers ? (s32)n : (s32)n - RW_WAITERS, __ATOMIC_SEQ_CST);
	smp_store_release(&s->seq, s->seq + 1);
	return true;
}

static noinline void rw_release_slow(struct rw_semaphore *s, bool writer)
{
	bool readers = false, admit = false;
	s32 c;

	raw_lock(&s->l);
	if (writer)
		c = __atomic_and_fetch(&s->count, ~RW_WRITER, __ATOMIC_SEQ_CST);
	else
		c = READ_ONCE(s->count);
	if (c != RW_WAITERS) /* somebody else was admitted meanwhile, or nobody waits */
		goto out;
	if (s->waiters && (writer || !s->writers)) {
		readers = admit_readers(s);
	} else if (s->writers) {
		s->writers--;
		c = RW_WRITER | (s->writers || s->waiters ? RW_WAITERS : 0);
		__atomic_store_n(&s->count, c, __ATOMIC_SEQ_CST);
		smp_store_release(&s->wgrant, 1);
		admit = true;
	} else {
		__atomic_and_fetch(&s->count, ~RW_WAITERS, __ATOMIC_SEQ_CST);
	}
out:
	raw_unlock(&s->l);
	if (readers)
		host_futex_wake(&s->seq, INT32_MAX);
	if (admit)
		host_futex_wake(&s->wgrant, 1);
}

void up_read(struct rw_semaphore *s)
{
	s32 c;

	rw_release(s, LOCK_READ);
	c = __atomic_sub_fetch(&s->count, 1, __ATOMIC_RELEASE);
	lock_held(-1);
	if (unlikely(c == RW_WAITERS))
		rw_release_slow(s, false);
	else if (unlikely(c < 0)) {
		__atomic_add_fetch(&s->count, 1, __ATOMIC_RELAXED);
		report->bad(s, "up_read of a semaphore that nobody reads");
	}
}

void up_write(struct rw_semaphore *s)
{
	s32 c = RW_WRITER;

	rw_release(s, LOCK_WRITE);
	lock_held(-1);
	if (unlikely(!(READ_ONCE(s->count) & RW_WRITER)))
		report->bad(s, "up_write of a semaphore that nobody writes");
	if (unlikely(!__atomic_compare_exchange_n(&s->count, &c, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
		rw_release_slow(s, true);
}

void downgrade_write(struct rw_semaphore *s)
{
	bool readers;
	s32 c;

	lockdep_downgrade(s);
	c = __atomic_add_fetch(&s->count, 1 - RW_WRITER, __ATOMIC_SEQ_CST);
	if (likely(!(c & RW_WAITERS)))
		return;
	raw_lock(&s->l);
	readers = admit_readers(s);
	raw_unlock(&s->l);
	if (readers)
		host_futex_wake(&s->seq, INT32_MAX);
}
