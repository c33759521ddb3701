/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's side of a virtqueue for hosted tests and fuzzers: RAM in an ordinary buffer, one queue, no threads. */
#ifndef TESTS_VIRTQ_DRIVER_H
#define TESTS_VIRTQ_DRIVER_H

#include <linux/virtio_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../host/virtq.h"

#define DRV_NUM 16
#define DRV_DESC 0x1000
#define DRV_AVAIL 0x1800
#define DRV_USED 0x2000
#define DRV_DATA 0x3000
#define DRV_RAM (DRV_DATA + 0x80000)

struct driver {
	char *ram;
	struct hostif_queue *q;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t seen;
};

static inline void driver_init(struct driver *v)
{
	v->ram = aligned_alloc(4096, DRV_RAM);
	memset(v->ram, 0, DRV_RAM);
	v->q = (void *)v->ram;
	*v->q = (struct hostif_queue){.desc = DRV_DESC, .avail = DRV_AVAIL, .used = DRV_USED, .num = DRV_NUM};
	v->desc = (void *)(v->ram + DRV_DESC);
	v->avail = (void *)(v->ram + DRV_AVAIL);
	v->used = (void *)(v->ram + DRV_USED);
	v->seen = 0;
}

static inline void driver_fini(struct driver *v)
{
	free(v->ram);
}

static inline void driver_desc(struct driver *v, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	v->desc[i] = (struct vring_desc){.addr = addr, .len = len, .flags = flags, .next = next};
}

static inline void driver_submit(struct driver *v, uint16_t head)
{
	v->avail->ring[v->avail->idx % DRV_NUM] = head;
	__atomic_store_n(&v->avail->idx, v->avail->idx + 1, __ATOMIC_RELEASE);
}

/* 1 and the element, or 0 */
static inline int driver_used(struct driver *v, struct vring_used_elem *e)
{
	if (v->used->idx == v->seen)
		return 0;
	*e = v->used->ring[v->seen++ % DRV_NUM];
	return 1;
}

#define CHECK(c)                                                                                                       \
	do {                                                                                                           \
		if (!(c)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c);                                        \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
