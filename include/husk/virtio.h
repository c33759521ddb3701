/* SPDX-License-Identifier: Apache-2.0 */
/* Split virtqueues whose device is the monitor (drivers/virtio/virtio_ring.c). */
#ifndef HUSK_VIRTIO_H
#define HUSK_VIRTIO_H

#include <husk/types.h>
#include <hostif/hostif.h>

/* The boot page, in the direct map; set by the first C code that runs (arch/x86/boot.c). */
extern struct hostif_boot *boot;
#define boot_params boot

struct virtqueue;

/* A piece of memory of one request. addr lies in the direct map (slab, page allocator) or in the kernel image. */
struct vq_buf {
	void *addr;
	u32 len;
};

/**
 * virtqueue_init - take a queue that the monitor set up into use
 * @q: in the boot page
 * Return: the queue, or ERR_PTR: -ENODEV where there is none, -EINVAL, -ENOMEM
 */
struct virtqueue *virtqueue_init(struct hostif_queue *q);

/* virtqueue_add, virtqueue_get and virtqueue_used need this lock held (a spinlock: do not sleep under it). */
void virtqueue_lock(struct virtqueue *vq);
bool virtqueue_trylock(struct virtqueue *vq);
void virtqueue_unlock(struct virtqueue *vq);

/**
 * virtqueue_add - publish one chain of descriptors
 * @bufs: first @nout that the device reads, then @nin that it writes
 * @token: what virtqueue_get() returns for it; not NULL
 * Return: 0, or -ENOSPC when the ring is full (reap with virtqueue_get and try again), -EINVAL for a chain no ring can hold
 */
int virtqueue_add(struct virtqueue *vq, struct vq_buf *bufs, unsigned nout, unsigned nin, void *token);

/**
 * virtqueue_kick - ring the doorbell; wakes the monitor when it sleeps. No lock needed; call it after unlocking.
 * Return: true when the monitor slept (the answer takes a host wake-up)
 */
bool virtqueue_kick(struct virtqueue *vq);

/**
 * virtqueue_get - take the next finished chain
 * @len: gets the bytes the device says that it wrote, bounded by the chain's capacity; may be NULL
 * Return: its token, or NULL when nothing is finished
 */
void *virtqueue_get(struct virtqueue *vq, u32 *len);

bool virtqueue_used(struct virtqueue *vq);	    /* something to get? A hint without the lock, exact with it */
unsigned virtqueue_max_chain(struct virtqueue *vq); /* descriptors that one request may have */
unsigned virtqueue_num_free(struct virtqueue *vq);
/* virtqueue_irq: the doorbell's value. Read it, then look for finished chains, then pass it to virtqueue_wait_irq. */
u32 virtqueue_irq(struct virtqueue *vq);

/**
 * virtqueue_wait_irq - sleep until the monitor finished something after @seen_irq was read
 * @timeout_ns: INT64_MAX: for ever. May return early (signals); the caller loops. No lock held.
 */
void virtqueue_wait_irq(struct virtqueue *vq, u32 seen_irq, s64 timeout_ns);
/*
 * virtqueue_wait_used - the same for who waits for one chain, of a device that answers in order: @idx is what virtqueue_last_added() was when that was added.
 * Only with a timeout: it is no more than a hint where others add and wait as well.
 */
void virtqueue_wait_used(struct virtqueue *vq, u32 seen_irq, u16 idx, s64 timeout_ns);
u16 virtqueue_last_added(struct virtqueue *vq); /* locked */

/* virtqueue_spin: busy-wait for a finished chain, or (word not NULL) for *word to become val, at most ns; false at once on a
 * host with one CPU */
bool virtqueue_spin(struct virtqueue *vq, u64 ns, const u32 *word, u32 val);

#endif
