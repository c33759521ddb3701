// SPDX-License-Identifier: Apache-2.0
/* Fuzzes virtq_pop(): the input is what a hostile driver left in the tables. Every piece that comes out must lie in RAM. */
#include "standalone.h"
#include "../unit/virtq_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct virtq_chain c;
	struct driver v;
	struct virtq vq;
	size_t n = size < DRV_NUM * sizeof(struct vring_desc) ? size : DRV_NUM * sizeof(struct vring_desc);

	driver_init(&v);
	if (virtq_init(&vq, v.q, v.ram, DRV_RAM))
		abort();
	memcpy(v.desc, data, n);
	data += n;
	size -= n;
	/* addresses as they come are hardly ever in RAM */
	for (unsigned i = 0; i < DRV_NUM; i++)
		if (v.desc[i].flags & 0x100)
			v.desc[i].addr %= DRV_RAM + 64, v.desc[i].len %= 4096,
				v.desc[i].flags &= ~VRING_DESC_F_INDIRECT;
	for (unsigned round = 0; round < 8 && size >= 4; round++) {
		unsigned add = data[0] % 20;

		for (unsigned i = 0; i < add; i++)
			v.avail->ring[(uint16_t)(v.avail->idx + i) % DRV_NUM] =
				data[1 + i % 3] % (DRV_NUM + (data[0] > 250));
		v.avail->idx += add;
		data += 4;
		size -= 4;
		while (virtq_pop(&vq, &c) > 0) {
			size_t total = 0;

			for (unsigned i = 0; i < c.nout + c.nin; i++) {
				char *p = c.iov[i].iov_base;

				if (p < v.ram || p > v.ram + DRV_RAM ||
				    c.iov[i].iov_len > (size_t)(v.ram + DRV_RAM - p))
					abort();
				total += c.iov[i].iov_len;
			}
			if (total != c.in_len + c.out_len)
				abort();
			virtq_push(&vq, c.head, 0);
		}
	}
	driver_fini(&v);
	return 0;
}
