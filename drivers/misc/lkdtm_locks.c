// SPDX-License-Identifier: Apache-2.0
// Crash points: what goes wrong with locks.

#include <husk/mm.h>
#include <husk/sched.h>
#include <husk/time.h>
#include "lkdtm.h"

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);
static DEFINE_MUTEX(mutex_a);
static u32 abba_ready;

static noinline void lkdtm_OOPS_LOCKED(void)
{
	spin_lock(&lock_a);
	BUG();
}

static noinline void lkdtm_SPIN_SELF(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_a);
}

static noinline void lkdtm_MUTEX_SELF(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_a);
}

static noinline int abba_thread(void *unused)
{
	spin_lock(&lock_b);
	WRITE_ONCE(abba_ready, 1);
	spin_lock(&lock_a);
	return 0;
}

static noinline void lkdtm_ABBA(void)
{
	spin_lock(&lock_a);
	kthread_run(abba_thread, NULL, "abba");
	while (!READ_ONCE(abba_ready))
		host_yield();
	spin_lock(&lock_b);
}

static noinline void lkdtm_LIVELOCK(void)
{
	spin_lock(&lock_a);
	for (;;)
		cpu_relax();
}

static noinline void lkdtm_BAD_UNLOCK(void)
{
	spin_unlock(&lock_a);
}

static noinline void lkdtm_BAD_UP_READ(void)
{
	up_read(&current->mm->mmap_lock);
}

static noinline void lkdtm_SLEEP_ATOMIC(void)
{
	spin_lock(&lock_a);
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(NSEC_PER_MSEC);
	spin_unlock(&lock_a);
}

static noinline void lkdtm_ALLOC_ATOMIC(void)
{
	spin_lock(&lock_a);
	kfree(kmalloc(64, GFP_USER));
	spin_unlock(&lock_a);
}

static noinline void lkdtm_USER_ATOMIC(void)
{
	int v = 0;

	spin_lock(&lock_a);
	if (!get_user(v, (int *)current_pt_regs()->sp))
		pr_debug("%d", v);
	spin_unlock(&lock_a);
}

/* one order, then the other: nobody waits, but somebody could */
static noinline void lkdtm_LOCK_ORDER(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

static noinline void lkdtm_LOCK_LEAK(void)
{
	spin_lock(&lock_b);
}

const struct crashpoint lkdtm_locks[] = {
	CRASHPOINT(OOPS_LOCKED, "BUG() with a spinlock held"),
	CRASHPOINT(SPIN_SELF, "takes a spinlock twice"),
	CRASHPOINT(MUTEX_SELF, "takes a mutex twice"),
	CRASHPOINT(ABBA, "two tasks take two spinlocks in opposite order, and meet"),
	CRASHPOINT(LIVELOCK, "spins in the kernel with a lock held"),
	CRASHPOINT(BAD_UNLOCK, "unlocks a lock that is not held"),
	CRASHPOINT(BAD_UP_READ, "up_read() of a semaphore that nobody reads"),
	CRASHPOINT(SLEEP_ATOMIC, "sleeps with a spinlock held"),
	CRASHPOINT(ALLOC_ATOMIC, "allocates with GFP_USER with a spinlock held"),
	CRASHPOINT(USER_ATOMIC, "touches user memory with a spinlock held"),
	CRASHPOINT(LOCK_ORDER, "takes two locks in both orders, without meeting anybody"),
	CRASHPOINT(LOCK_LEAK, "returns to user mode with a lock held"),
	{},
};
