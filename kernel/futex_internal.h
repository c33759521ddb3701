/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by futex.c, futex_robust.c and futex_waitv.c. */
#ifndef KERNEL_FUTEX_INTERNAL_H
#define KERNEL_FUTEX_INTERNAL_H

#include <husk/sched.h>
#include <husk/mm.h>

#define FUTEX_HASH_BITS 9

struct futex_key {
	void *object;
	u64 offset;
}; /* an mm and an address, or an address_space and a byte offset */
struct futex_bucket {
	spinlock_t lock;
	atomic_t waiters;
	struct list_head head;
} __aligned(64);
struct futex_q {
	struct list_head list;
	struct futex_key key;
	struct task_struct *task;
	struct futex_bucket *bucket; /* changes on requeue, under both locks */
	u32 bitset;
	u32 woken; /* set last by whoever takes it off the list */
};

extern struct futex_bucket futex_hash[];
static inline bool futex_match(const struct futex_key *a, const struct futex_key *b)
{
	return a->offset == b->offset && a->object == b->object;
}
int futex_key(u32 *uaddr, bool shared, struct futex_key *key);
struct futex_bucket *futex_bucket(const struct futex_key *key);
int futex_get_value_locked(u32 *val, u32 *uaddr);
int futex_fault_in(u32 *uaddr, bool write);
void futex_queue(struct futex_q *q, struct futex_bucket *b);
bool futex_unqueue(struct futex_q *q);

#endif
