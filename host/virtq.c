// SPDX-License-Identifier: Apache-2.0
/*
 * Virtqueues, device side.
 *
 * DOC: a hostile driver
 *
 * The driver is the guest kernel, which may have been taken over. It can write to the rings and to every
 * buffer at any time, also while the monitor looks at them. So each word is read once, into memory of
 * the monitor's own, and checked there: a descriptor's address and length against RAM, its next
 * against the table, the chain's length against the table's (that ends loops), the available index
 * against the number of requests there can be. Nothing read from RAM is read again later. What
 * cannot be checked (data) is only ever passed on as data.
 */
#include "virtq.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPIN_MIN_NS 20000u
#define SPIN_MAX_NS 200000u
#define SPIN_SPARE_NS 400000u /* with CPUs to spare */
#define SPARE_ASK_NS 1000000

static bool in_ram(const struct virtq *vq, uint64_t addr, uint64_t len)
{
	return addr <= vq->ram_size && len <= vq->ram_size - addr;
}

static bool table_ok(const struct virtq *vq, uint64_t addr, uint64_t len, uint64_t align)
{
	return addr % align == 0 && in_ram(vq, addr, len);
}

int virtq_init(struct virtq *vq, struct hostif_queue *q, char *ram, uint64_t ram_size)
{
	uint64_t desc = q->desc, avail = q->avail, used = q->used;
	uint32_t num = q->num;

	memset(vq, 0, sizeof(*vq));
	vq->ram = ram;
	vq->ram_size = ram_size;
	vq->shared = q;
	vq->num = num;
	vq->spin_ns = SPIN_MAX_NS / 2;
	if (!num || num > 32768 || (num & (num - 1)))
		return -EINVAL;
	if (!table_ok(vq, desc, num * sizeof(struct vring_desc), 16) ||
	    !table_ok(vq, avail, sizeof(struct vring_avail) + num * 2, 2) ||
	    !table_ok(vq, used, sizeof(struct vring_used) + num * sizeof(struct vring_used_elem), 4))
		return -EINVAL;
	vq->desc = (void *)(ram + desc);
	vq->avail = (void *)(ram + avail);
	vq->used = (void *)(ram + used);
	vq->used_idx = vq->used->idx;
	vq->last_avail = vq->used_idx;
	return 0;
}

static uint16_t avail_idx(const struct virtq *vq)
{
	return __atomic_load_n(&vq->avail->idx, __ATOMIC_ACQUIRE);
}

bool virtq_pending(const struct virtq *vq)
{
	return !vq->broken && avail_idx(vq) != vq->last_avail;
}

/* Copy the chain that starts at head. -EINVAL: malformed. */
static int read_chain(struct virtq *vq, uint16_t head, struct virtq_chain *c)
{
	uint32_t i = head;

	c->head = head;
	c->nout = c->nin = 0;
	c->out_len = c->in_len = 0;
	for (uint32_t steps = 0; steps < vq->num; steps++) {
		volatile struct vring_desc *d = &vq->desc[i];
		uint64_t addr = d->addr;
		uint32_t len = d->len;
		uint16_t flags = d->flags, next = d->next;

		if (flags & VRING_DESC_F_INDIRECT || !in_ram(vq, addr, len))
			return -EINVAL;
		if (c->nout + c->nin == VIRTQ_MAX_SEGS)
			return -EINVAL;
		if (len) {
			c->iov[c->nout + c->nin] = (struct iovec){vq->ram + addr, len};
			if (flags & VRING_DESC_F_WRITE) {
				c->nin++;
				c->in_len += len;
			} else if (c->nin) {
				return -EINVAL;
			} else {
				c->nout++;
				c->out_len += len;
			}
		}
		if (!(flags & VRING_DESC_F_NEXT))
			return 0;
		if (next >= vq->num)
			return -EINVAL;
		i = next;
	}
	return -EINVAL; /* a loop */
}

int virtq_pop(struct virtq *vq, struct virtq_chain *c)
{
	while (!vq->broken) {
		uint16_t idx = avail_idx(vq), head;

		if (idx == vq->last_avail)
			return 0;
		if ((uint16_t)(idx - vq->last_avail) > vq->num)
			break;
		head = vq->avail->ring[vq->last_avail & (vq->num - 1)];
		if (head >= vq->num)
			break;
		vq->last_avail++;
		if (!read_chain(vq, head, c))
			return 1;
		virtq_push(vq, head, 0);
		virtq_notify(vq);
	}
	vq->broken = true;
	return -EPROTO;
}

void virtq_push(struct virtq *vq, uint16_t head, uint32_t len)
{
	volatile struct vring_used_elem *e = &vq->used->ring[vq->used_idx & (vq->num - 1)];

	e->id = head;
	e->len = len;
	__atomic_store_n(&vq->used->idx, ++vq->used_idx, __ATOMIC_RELEASE);
}

static long futex(uint32_t *word, int op, uint32_t val, const struct timespec *ts)
{
	return syscall(SYS_futex, word, op, val, ts, NULL, 0);
}

void virtq_notify(struct virtq *vq)
{
	uint32_t at;

	__atomic_fetch_add(&vq->shared->irq, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&vq->shared->irq_sleep, __ATOMIC_SEQ_CST))
		return;
	at = __atomic_load_n(&vq->shared->irq_at, __ATOMIC_SEQ_CST);
	if (!at || (int16_t)(vq->used_idx - (uint16_t)at) >= 0)
		futex(&vq->shared->irq, FUTEX_WAKE, INT_MAX, NULL);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int cpus(void)
{
	static int n;

	if (!n)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n;
}

/* Do all threads that could run have a CPU? The fourth word of /proc/loadavg counts them, us too. Where it cannot be read: no */
static bool cpu_to_spare(void)
{
	static int fd = -2; /* of all threads; opened twice at worst */
	char buf[64], *p;
	ssize_t n;

	if (fd == -2)
		fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : pread(fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return false;
	buf[n] = 0;
	p = strchr(buf, '/');
	while (p && p > buf && p[-1] >= '0' && p[-1] <= '9')
		p--;
	return p && atoi(p) <= cpus();
}

static bool stopped(const int *stop)
{
	return stop && __atomic_load_n(stop, __ATOMIC_ACQUIRE);
}

/*
 * Nothing came. Waking a thread on an idle CPU takes 20 to 40 us in a virtual machine, and its waker 10, so with CPUs to spare spinning is
 * always worth while. Without, it takes time from those that have something to do: then the next spin is half as long.
 */
static void spun_in_vain(struct virtq *vq, int64_t now)
{
	if (now - vq->spare_asked > SPARE_ASK_NS) {
		vq->spare_asked = now;
		vq->spare = cpu_to_spare();
		__atomic_store_n(&vq->shared->spare, vq->spare, __ATOMIC_RELAXED);
	}
	if (vq->spare)
		return;
	vq->spin_ns /= 2;
	if (vq->spin_ns < SPIN_MIN_NS)
		vq->spin_ns = SPIN_MIN_NS;
}

/* A hit makes the next one longer. */
static bool spin(struct virtq *vq, const int *stop)
{
	int64_t now, end;

	if (cpus() < 2)
		return false;
	end = now_ns() + (vq->spare ? SPIN_SPARE_NS : vq->spin_ns);
	do {
		for (int i = 0; i < 32; i++) {
			if (virtq_pending(vq) || stopped(stop)) {
				vq->spin_ns += vq->spin_ns / 4 + 100;
				if (vq->spin_ns > SPIN_MAX_NS)
					vq->spin_ns = SPIN_MAX_NS;
				return true;
			}
			__builtin_ia32_pause();
		}
		now = now_ns();
	} while (now < end);
	spun_in_vain(vq, now);
	return false;
}

void virtq_wait(struct virtq *vq, int64_t timeout_ns, const int *stop)
{
	struct timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
	uint32_t *kick = &vq->shared->kick, seen;

	if (virtq_pending(vq) || stopped(stop) || (!vq->broken && spin(vq, stop)))
		return;
	seen = __atomic_load_n(kick, __ATOMIC_SEQ_CST);
	__atomic_store_n(&vq->shared->kick_sleep, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!virtq_pending(vq) && !stopped(stop))
		futex(kick, FUTEX_WAIT, seen, timeout_ns < 0 ? NULL : &ts);
	__atomic_store_n(&vq->shared->kick_sleep, 0, __ATOMIC_SEQ_CST);
}

void virtq_wake(struct virtq *vq)
{
	__atomic_fetch_add(&vq->shared->kick, 1, __ATOMIC_SEQ_CST);
	futex(&vq->shared->kick, FUTEX_WAKE, INT_MAX, NULL);
}

/* ---- pieces ---- */

unsigned virtq_slice(const struct iovec *iov, unsigned n, size_t off, size_t len, struct iovec *out, unsigned max)
{
	unsigned k, got = 0;

	for (k = 0; k < n && off >= iov[k].iov_len; k++)
		off -= iov[k].iov_len;
	for (; k < n && len && got < max; k++, off = 0) {
		size_t part = iov[k].iov_len - off;

		if (part > len)
			part = len;
		out[got++] = (struct iovec){(char *)iov[k].iov_base + off, part};
		len -= part;
	}
	return got;
}

static size_t copy_pieces(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len, bool to_ram)
{
	size_t done = 0;

	for (unsigned k = 0; k < n && done < len; k++) {
		size_t part;

		if (off >= iov[k].iov_len) {
			off -= iov[k].iov_len;
			continue;
		}
		part = iov[k].iov_len - off;
		if (part > len - done)
			part = len - done;
		if (to_ram)
			memcpy((char *)iov[k].iov_base + off, (char *)buf + done, part);
		else
			memcpy((char *)buf + done, (char *)iov[k].iov_base + off, part);
		done += part;
		off = 0;
	}
	return done;
}

size_t virtq_read(const struct iovec *iov, unsigned n, size_t off, void *to, size_t len)
{
	return copy_pieces(iov, n, off, to, len, false);
}

size_t virtq_write(const struct iovec *iov, unsigned n, size_t off, const void *from, size_t len)
{
	return copy_pieces(iov, n, off, (void *)from, len, true);
}
