// SPDX-License-Identifier: Apache-2.0
/* Unit tests of host/virtq.c: what a good driver does, and what a bad one may try. */
#include <errno.h>
#include "virtq_driver.h"

static struct driver v;
static struct virtq vq;
static struct virtq_chain c;

static void start(void)
{
	driver_init(&v);
	CHECK(!virtq_init(&vq, v.q, v.ram, DRV_RAM));
}

static void end(void)
{
	driver_fini(&v);
}

static void test_init_refuses(void)
{
	struct {
		uint64_t desc, avail, used;
		uint32_t num;
	} bad[] = {
		{DRV_DESC, DRV_AVAIL, DRV_USED, 0},	  {DRV_DESC, DRV_AVAIL, DRV_USED, 3},
		{DRV_DESC, DRV_AVAIL, DRV_USED, 65536},	  {DRV_DESC + 1, DRV_AVAIL, DRV_USED, 16},
		{DRV_DESC, DRV_AVAIL + 1, DRV_USED, 16},  {DRV_DESC, DRV_AVAIL, DRV_USED + 2, 16},
		{DRV_RAM - 16, DRV_AVAIL, DRV_USED, 16},  {DRV_DESC, DRV_RAM, DRV_USED, 16},
		{DRV_DESC, DRV_AVAIL, DRV_RAM - 4, 16},	  {~0ULL & ~15ULL, DRV_AVAIL, DRV_USED, 16},
		{DRV_DESC, DRV_AVAIL, ~0ULL & ~3ULL, 16},
	};

	driver_init(&v);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		*v.q = (struct hostif_queue){
			.desc = bad[i].desc, .avail = bad[i].avail, .used = bad[i].used, .num = bad[i].num};
		CHECK(virtq_init(&vq, v.q, v.ram, DRV_RAM) == -EINVAL);
	}
	driver_fini(&v);
}

static void test_good_chain(void)
{
	struct vring_used_elem e;

	start();
	CHECK(virtq_pop(&vq, &c) == 0);
	memcpy(v.ram + DRV_DATA, "hello", 5);
	driver_desc(&v, 3, DRV_DATA, 5, VRING_DESC_F_NEXT, 7);
	driver_desc(&v, 7, DRV_DATA + 100, 10, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	driver_desc(&v, 1, DRV_DATA + 200, 20, VRING_DESC_F_WRITE, 0);
	driver_submit(&v, 3);
	CHECK(virtq_pending(&vq));
	CHECK(virtq_pop(&vq, &c) == 1);
	CHECK(c.head == 3 && c.nout == 1 && c.nin == 2 && c.out_len == 5 && c.in_len == 30);
	CHECK(c.iov[1].iov_base == v.ram + DRV_DATA + 100);
	CHECK(virtq_write(c.iov + 1, 2, 8, "abcd", 4) == 4);
	CHECK(!memcmp(v.ram + DRV_DATA + 108, "ab", 2) && !memcmp(v.ram + DRV_DATA + 200, "cd", 2));
	virtq_push(&vq, c.head, 12);
	virtq_notify(&vq);
	CHECK(v.q->irq == 1);
	CHECK(driver_used(&v, &e) && e.id == 3 && e.len == 12);
	CHECK(virtq_pop(&vq, &c) == 0);
	end();
}

static void test_wraps(void)
{
	struct vring_used_elem e;

	start();
	for (int i = 0; i < 70000; i++) {
		driver_desc(&v, i % DRV_NUM, DRV_DATA, 1 + i % 100, 0, 0);
		driver_submit(&v, i % DRV_NUM);
		CHECK(virtq_pop(&vq, &c) == 1 && c.out_len == 1 + i % 100);
		virtq_push(&vq, c.head, 0);
		CHECK(driver_used(&v, &e) && e.id == i % DRV_NUM);
	}
	end();
}

/* Malformed chains come back with length 0, and the queue lives on. */
static void expect_returned(uint16_t head)
{
	struct vring_used_elem e;

	driver_submit(&v, head);
	CHECK(virtq_pop(&vq, &c) == 0);
	CHECK(driver_used(&v, &e) && e.id == head && e.len == 0);
	CHECK(!vq.broken);
}

static void test_bad_chains(void)
{
	start();
	driver_desc(&v, 0, DRV_RAM - 4, 5, 0, 0); /* over the end */
	expect_returned(0);
	driver_desc(&v, 0, DRV_RAM + 1, 0, 0, 0);
	expect_returned(0);
	driver_desc(&v, 0, ~0ULL - 2, 8, 0, 0); /* wraps */
	expect_returned(0);
	driver_desc(&v, 0, DRV_DATA, 8, VRING_DESC_F_NEXT, 0); /* itself */
	expect_returned(0);
	driver_desc(&v, 0, DRV_DATA, 8, VRING_DESC_F_NEXT, 1);
	driver_desc(&v, 1, DRV_DATA, 8, VRING_DESC_F_NEXT, 2);
	driver_desc(&v, 2, DRV_DATA, 8, VRING_DESC_F_NEXT, 0); /* a circle */
	expect_returned(0);
	driver_desc(&v, 0, DRV_DATA, 8, VRING_DESC_F_NEXT, DRV_NUM); /* next out of the table */
	expect_returned(0);
	driver_desc(&v, 0, DRV_DATA, 8, VRING_DESC_F_NEXT, 65535);
	expect_returned(0);
	driver_desc(&v, 0, DRV_DATA, 8, VRING_DESC_F_INDIRECT, 0);
	expect_returned(0);
	driver_desc(&v, 0, DRV_DATA, 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	driver_desc(&v, 1, DRV_DATA, 8, 0, 0); /* out after in */
	expect_returned(0);
	/* and a good one still works */
	driver_desc(&v, 0, DRV_DATA, 8, 0, 0);
	driver_submit(&v, 0);
	CHECK(virtq_pop(&vq, &c) == 1 && c.out_len == 8);
	end();
}

static void test_broken(void)
{
	start();
	driver_desc(&v, 0, DRV_DATA, 8, 0, 0);
	driver_submit(&v, DRV_NUM); /* a head that is none */
	CHECK(virtq_pop(&vq, &c) == -EPROTO && vq.broken);
	driver_submit(&v, 0);
	CHECK(virtq_pop(&vq, &c) == -EPROTO && !virtq_pending(&vq));
	end();
	start();
	v.avail->idx = DRV_NUM + 1; /* more requests than there can be */
	CHECK(virtq_pop(&vq, &c) == -EPROTO);
	end();
}

static void test_slice(void)
{
	struct iovec in[3] = {{(void *)0x1000, 10}, {(void *)0x2000, 20}, {(void *)0x3000, 30}}, out[3];

	CHECK(virtq_slice(in, 3, 0, 100, out, 3) == 3 && out[2].iov_len == 30);
	CHECK(virtq_slice(in, 3, 10, 5, out, 3) == 1 && out[0].iov_base == (void *)0x2000 && out[0].iov_len == 5);
	CHECK(virtq_slice(in, 3, 25, 10, out, 3) == 2 && out[0].iov_len == 5 && out[1].iov_len == 5);
	CHECK(virtq_slice(in, 3, 60, 10, out, 3) == 0);
	CHECK(virtq_slice(in, 3, 0, 60, out, 2) == 2);
}

static void test_zero_length(void)
{
	start();
	driver_desc(&v, 0, DRV_DATA, 0, VRING_DESC_F_NEXT, 1);
	driver_desc(&v, 1, DRV_DATA, 4, VRING_DESC_F_WRITE, 0);
	driver_submit(&v, 0);
	CHECK(virtq_pop(&vq, &c) == 1 && c.nout == 0 && c.nin == 1 && c.in_len == 4);
	end();
}

int main(void)
{
	test_init_refuses();
	test_good_chain();
	test_wraps();
	test_bad_chains();
	test_broken();
	test_slice();
	test_zero_length();
	puts("test_virtq: ok");
	return 0;
}
