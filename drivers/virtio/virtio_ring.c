// SPDX-License-Identifier: Apache-2.0
/*
 * Split virtqueues, driver side: descriptors, doorbells, waiting.
 *
 * DOC: one queue
 *
 * The three tables (descriptors, available ring, used ring) were placed in RAM by the monitor. The
 * kernel never reads back what it wrote to them: the free list and the chains live in @slots, in its
 * own memory, so a look at the shared tables is a write (add) or one read of used->idx (get).
 *
 * Doorbells: adding a chain increments kick and wakes the monitor if kick_sleep says that it sleeps.
 * The monitor increments irq after it published used entries and wakes the sleepers if irq_sleep is
 * not zero. Both sides say that they sleep first, look once more, and then sleep on the value seen,
 * so no wake-up is lost. Who sleeps alone may say for which entry (irq_at), and is not woken for those before it.
 *
 * Spinning: an answer usually comes within a few microseconds while waking a thread costs as much
 * again, so a waiter spins first, but only on a host with more than one CPU and only as long as it
 * has lately paid: every spin in vain halves the budget, every hit restores some of it. While the host has CPUs with nothing to do (the
 * monitor says so) it costs nobody anything, and waking a thread on one of these is dearest.
 */
#include <husk/virtio.h>
#include <husk/kernel.h>
#include <husk/slab.h>
#include <husk/lock.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/platform.h>
#include <linux/virtio_ring.h>

struct vq_slot {
	void *token; /* set in the first slot of a chain in flight */
	u32 cap;     /* bytes that the device may write to the chain */
	u16 next;    /* next of the chain, or of the free list */
	u16 count;   /* descriptors in the chain */
};

struct virtqueue {
	spinlock_t lock;
	u32 num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct hostif_queue *q;
	struct vq_slot *slots;
	u16 free_head, last_used, avail_idx;
	u32 num_free;
	u32 spin_budget; /* ns; racy, a hint */
};

#define SPIN_MIN 20000u
#define SPIN_MAX 200000u
#define SPIN_SPARE 2 /* times what the caller asks for, while the host has CPUs to spare */

/* A buffer's place in RAM: the kernel image is mapped apart from the direct map. */
static phys_addr_t buf_phys(const void *p)
{
	unsigned long a = (unsigned long)p;

	if (a >= KERNEL_BASE && a < GATE_SCRATCH_BASE)
		return HOSTIF_KERNEL_PHYS + (a - KERNEL_BASE);
	return virt_to_phys(p);
}

struct virtqueue *virtqueue_init(struct hostif_queue *q)
{
	struct virtqueue *vq;

	if (!q->num)
		return ERR_PTR(-ENODEV);
	if (!is_power_of_2(q->num) || q->num > 32768)
		return ERR_PTR(-EINVAL);
	vq = kzalloc(sizeof(*vq), GFP_KERNEL);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	vq->slots = kcalloc(q->num, sizeof(*vq->slots), GFP_KERNEL);
	if (!vq->slots) {
		kfree(vq);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock_init(&vq->lock);
	vq->q = q;
	vq->num = vq->num_free = q->num;
	vq->desc = phys_to_virt(q->desc);
	vq->avail = phys_to_virt(q->avail);
	vq->used = phys_to_virt(q->used);
	vq->last_used = READ_ONCE(vq->used->idx);
	vq->avail_idx = READ_ONCE(vq->avail->idx);
	vq->spin_budget = SPIN_MAX / 2;
	for (u32 i = 0; i < vq->num; i++)
		vq->slots[i].next = i + 1;
	return vq;
}

void virtqueue_lock(struct virtqueue *vq)
{
	spin_lock(&vq->lock);
}

bool virtqueue_trylock(struct virtqueue *vq)
{
	return spin_trylock(&vq->lock);
}

void virtqueue_unlock(struct virtqueue *vq)
{
	spin_unlock(&vq->lock);
}

int virtqueue_add(struct virtqueue *vq, struct vq_buf *bufs, unsigned nout, unsigned nin, void *token)
{
	unsigned n = nout + nin;
	u16 head = vq->free_head, i = head;
	u32 cap = 0;

	if (!n || n > vq->num)
		return -EINVAL;
	if (n > vq->num_free)
		return -ENOSPC;
	for (unsigned k = 0; k < n; k++) {
		struct vring_desc *d = &vq->desc[i];
		u16 next = vq->slots[i].next;

		d->addr = buf_phys(bufs[k].addr);
		d->len = bufs[k].len;
		d->flags = (k < nout ? 0 : VRING_DESC_F_WRITE) | (k + 1 < n ? VRING_DESC_F_NEXT : 0);
		d->next = next;
		if (k >= nout || !nin) /* a console says how much it took */
			cap += bufs[k].len;
		i = next;
	}
	vq->slots[head].token = token;
	vq->slots[head].cap = cap;
	vq->slots[head].count = n;
	vq->free_head = i;
	vq->num_free -= n;
	vq->avail->ring[vq->avail_idx & (vq->num - 1)] = head;
	smp_store_release(&vq->avail->idx, ++vq->avail_idx);
	return 0;
}

bool virtqueue_kick(struct virtqueue *vq)
{
	struct hostif_queue *q = vq->q;

	__atomic_fetch_add(&q->kick, 1, __ATOMIC_SEQ_CST);
	if (likely(!READ_ONCE(q->kick_sleep)))
		return false;
	if (xchg(&q->kick_sleep, 0)) /* of many ringers one pays for the call */
		host_futex_wake(&q->kick, 1);
	return true;
}

bool virtqueue_used(struct virtqueue *vq)
{
	return smp_load_acquire(&vq->used->idx) != READ_ONCE(vq->last_used);
}

void *virtqueue_get(struct virtqueue *vq, u32 *len)
{
	struct vring_used_elem *e;
	struct vq_slot *s;
	u32 id, last;
	void *token;

	while (virtqueue_used(vq)) {
		e = &vq->used->ring[vq->last_used & (vq->num - 1)];
		id = READ_ONCE(e->id);
		vq->last_used++;
		if (WARN_ON_ONCE(id >= vq->num || !vq->slots[id].token))
			continue;
		s = &vq->slots[id];
		token = s->token;
		s->token = NULL;
		if (len)
			*len = min(READ_ONCE(e->len), s->cap);
		last = id;
		for (u16 k = 1; k < s->count; k++)
			last = vq->slots[last].next;
		vq->slots[last].next = vq->free_head;
		vq->free_head = id;
		vq->num_free += s->count;
		return token;
	}
	return NULL;
}

unsigned virtqueue_max_chain(struct virtqueue *vq)
{
	return vq->num;
}

unsigned virtqueue_num_free(struct virtqueue *vq)
{
	return READ_ONCE(vq->num_free);
}

u32 virtqueue_irq(struct virtqueue *vq)
{
	return __atomic_load_n(&vq->q->irq, __ATOMIC_SEQ_CST);
}

static void sleep_on_irq(struct virtqueue *vq, u32 seen_irq, u32 at, s64 timeout_ns)
{
	struct hostif_queue *q = vq->q;

	spin_lock(&vq->lock);
	/* with company every ring is for somebody */
	__atomic_store_n(&q->irq_at, q->irq_sleep ? 0 : at, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&q->irq_sleep, 1, __ATOMIC_SEQ_CST);
	spin_unlock(&vq->lock);
	/* A signal's kick ends the wait early. The caller comes back at once while the signal is pending, so be kind. */
	if (virtqueue_irq(vq) == seen_irq && host_sleep(&q->irq, seen_irq, timeout_ns) == -EINTR)
		host_yield();
	__atomic_fetch_sub(&q->irq_sleep, 1, __ATOMIC_SEQ_CST);
}

void virtqueue_wait_irq(struct virtqueue *vq, u32 seen_irq, s64 timeout_ns)
{
	sleep_on_irq(vq, seen_irq, 0, timeout_ns);
}

void virtqueue_wait_used(struct virtqueue *vq, u32 seen_irq, u16 idx, s64 timeout_ns)
{
	sleep_on_irq(vq, seen_irq, 1u << 16 | idx, timeout_ns);
}

u16 virtqueue_last_added(struct virtqueue *vq)
{
	return vq->avail_idx;
}

static bool spin_over(struct virtqueue *vq, const u32 *word, u32 val)
{
	return virtqueue_used(vq) || (word && smp_load_acquire(word) == val);
}

bool virtqueue_spin(struct virtqueue *vq, u64 ns, const u32 *word, u32 val)
{
	u32 budget = READ_ONCE(vq->spin_budget);
	bool spare = READ_ONCE(vq->q->spare);
	u64 end;

	if (spin_over(vq, word, val))
		return true;
	if (boot->host_ncpus < 2)
		return false;
	end = ktime_get_ns() + (spare ? SPIN_SPARE * ns : min_t(u64, ns, budget));
	do {
		for (int i = 0; i < 16; i++) {
			cpu_relax();
			if (spin_over(vq, word, val)) {
				WRITE_ONCE(vq->spin_budget, min(budget + budget / 4 + 100, SPIN_MAX));
				return true;
			}
		}
	} while (ktime_get_ns() < end);
	if (!spare)
		WRITE_ONCE(vq->spin_budget, max(budget / 2, SPIN_MIN));
	return false;
}
