/* SPDX-License-Identifier: Apache-2.0 */
/* Virtqueues, device side, for a driver that is not to be trusted. */
#ifndef HOST_VIRTQ_H
#define HOST_VIRTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <hostif/hostif.h>

#define VIRTQ_MAX_SEGS 300

/**
 * struct virtq - one queue
 *
 * The addresses were copied and checked once, by virtq_init(); nothing but the doorbell words of @shared is read from the
 * boot page afterwards. One thread at a time may pop and push.
 */
struct virtq {
	char *ram;
	uint64_t ram_size;
	struct hostif_queue *shared;
	uint32_t num;
	volatile struct vring_desc *desc;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	uint16_t last_avail, used_idx;
	bool spare;	     /* it had CPUs with nothing to do */
	bool broken;	     /* the driver broke the protocol: the queue is served no more */
	uint32_t spin_ns;    /* what virtq_wait() spins at present */
	int64_t spare_asked; /* when the host's load was last looked at */
};

/**
 * struct virtq_chain - one request, copied out of the ring
 * @iov: pieces of RAM, checked: @nout that the driver wrote, then @nin to be written
 */
struct virtq_chain {
	uint16_t head;
	unsigned nout, nin;
	size_t out_len, in_len;
	struct iovec iov[VIRTQ_MAX_SEGS];
};

/* 0, or -EINVAL when the tables do not lie within RAM, aligned and of a valid size. Call it before the jail runs. */
int virtq_init(struct virtq *vq, struct hostif_queue *q, char *ram, uint64_t ram_size);

/**
 * virtq_pop - take the next request
 * Return: 1: there is one; 0: none now; -EPROTO: the queue is broken for good. A chain that is malformed but has a valid
 * head (outside RAM, a loop, too long, input before output) is pushed back with length 0, and the next one is looked at.
 */
int virtq_pop(struct virtq *vq, struct virtq_chain *c);
bool virtq_pending(const struct virtq *vq); /* something to pop? */
/* virtq_push: give it back with len bytes written to its in pieces. virtq_notify() tells the driver, once for many. */
void virtq_push(struct virtq *vq, uint16_t head, uint32_t len);
void virtq_notify(struct virtq *vq);

/**
 * virtq_wait - until there may be something to pop, or virtq_wake(), or timeout_ns (< 0: for ever)
 * Spins first, on machines with several CPUs: while there are some to spare, or as long as that has paid lately; stop (may be NULL) ends the wait when not 0.
 */
void virtq_wait(struct virtq *vq, int64_t timeout_ns, const int *stop);
void virtq_wake(struct virtq *vq); /* from another thread */

/* Copy between a buffer and the pieces iov[0..n), from byte off of them on; the bytes copied. */
size_t virtq_read(const struct iovec *iov, unsigned n, size_t off, void *to, size_t len);
size_t virtq_write(const struct iovec *iov, unsigned n, size_t off, const void *from, size_t len);
/* The part of the pieces that begins at off and is at most len long, as an array of at most max; its count. */
unsigned virtq_slice(const struct iovec *iov, unsigned n, size_t off, size_t len, struct iovec *out, unsigned max);

#endif
