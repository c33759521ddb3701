// SPDX-License-Identifier: Apache-2.0
/* Waiting for a page's PG_locked and PG_writeback bits. */
#include <husk/mm.h>

/**
 * DOC: page bits as locks
 *
 * Sleepers queue on a hashed table of wait queues. A sleeper sets PG_waiters after it has queued and before it looks at
 * the bit for the last time; the waker clears the bit and looks at PG_waiters in one atomic step. So either the sleeper sees
 * the bit clear or the waker sees the sleeper. Everybody on the queue is woken: it is shared by many pages.
 */
#define PAGE_WAIT_BITS 6
bool (*page_wait_drive)(struct page *p);

static wait_queue_head_t page_wait[1 << PAGE_WAIT_BITS];
static u32 page_wait_ready;
static spinlock_t page_wait_init_lock;

static wait_queue_head_t *page_queue(struct page *p)
{
	unsigned long h = (page_to_pfn(p) * 0x9e3779b97f4a7c15UL) >> (64 - PAGE_WAIT_BITS);

	if (unlikely(!smp_load_acquire(&page_wait_ready))) {
		spin_lock(&page_wait_init_lock);
		if (!page_wait_ready) {
			for (unsigned int i = 0; i < ARRAY_SIZE(page_wait); i++)
				init_waitqueue_head(&page_wait[i]);
			smp_store_release(&page_wait_ready, 1);
		}
		spin_unlock(&page_wait_init_lock);
	}
	return &page_wait[h];
}

static void wake_page(struct page *p)
{
	__atomic_fetch_and(&p->flags, ~(1u << PG_waiters), __ATOMIC_SEQ_CST);
	wake_up_all(page_queue(p));
}

/* Sleeps until the bit is clear, or, to lock, until it was this task that set it. */
static void wait_page_bit(struct page *p, unsigned int bit, bool lock)
{
	wait_queue_head_t *q = page_queue(p);
	struct wait_queue_entry e;
	u32 old;

	while (page_wait_drive && (__atomic_load_n(&p->flags, __ATOMIC_SEQ_CST) & (1u << bit)) && page_wait_drive(p))
		;
	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	for (;;) {
		prepare_to_wait(q, &e, TASK_UNINTERRUPTIBLE);
		__atomic_fetch_or(&p->flags, 1u << PG_waiters, __ATOMIC_SEQ_CST);
		if (lock)
			old = __atomic_fetch_or(&p->flags, 1u << bit, __ATOMIC_SEQ_CST);
		else
			old = __atomic_load_n(&p->flags, __ATOMIC_SEQ_CST);
		if (!(old & (1u << bit)))
			break;
		schedule();
	}
	finish_wait(q, &e);
}

bool trylock_page(struct page *p)
{
	return !TestSetPageLocked(p);
}

void lock_page(struct page *p)
{
	if (unlikely(!trylock_page(p)))
		wait_page_bit(p, PG_locked, true);
}

void unlock_page(struct page *p)
{
	u32 old = __atomic_fetch_and(&p->flags, ~(1u << PG_locked), __ATOMIC_SEQ_CST);

	if (unlikely(old & (1u << PG_waiters)))
		wake_page(p);
}

void wait_on_page_locked(struct page *p)
{
	if (PageLocked(p))
		wait_page_bit(p, PG_locked, false);
}

void wait_on_page_writeback(struct page *p)
{
	if (PageWriteback(p))
		wait_page_bit(p, PG_writeback, false);
}

void end_page_writeback(struct page *p)
{
	u32 old = __atomic_fetch_and(&p->flags, ~(1u << PG_writeback), __ATOMIC_SEQ_CST);

	if (old & (1u << PG_writeback))
		mod_vm_stat(NR_WRITEBACK, -1);
	if (unlikely(old & (1u << PG_waiters)))
		wake_page(p);
}
