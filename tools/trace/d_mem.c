// SPDX-License-Identifier: Apache-2.0
// Memory: mappings' flags, residence; random bytes and CPU masks, which are memory too.
#include <sys/mman.h>
#include "printers.h"

#define V (d->a[i])

ARG(a_mmap_flags)
{
	uint64_t f = (uint32_t)V, huge = f >> 26 & 0x3f, rest = f & ~0xfull & ~(0x3full << 26);

	if (d->o->raw) {
		put_number(d, f);
		return;
	}
	put_value(d, f & 0xf, &n_map_type);
	if (rest) {
		S("|");
		put_names(d, rest, &n_map);
	}
	if (huge)
		P("|%llu<<MAP_HUGE_SHIFT", (unsigned long long)huge);
}

/* mremap's new address: there only when it is moved to it */
ARG(a_mremap_addr)
{
	if ((d->a[3] & (MREMAP_MAYMOVE | MREMAP_FIXED)) != (MREMAP_MAYMOVE | MREMAP_FIXED))
		return;
	S(", ");
	put_addr(d, V);
}

ARG(a_mincore)
{
	uint64_t n = d->a[1] / 4096 + !!(d->a[1] % 4096), max = n, k;
	const uint8_t *m = d->failed || !n ? NULL : get(d, V, 1);

	if (!V || !m) {
		put_addr(d, V);
		return;
	}
	if (!d->o->verbose && max > d->o->string_limit)
		max = d->o->string_limit;
	S("[");
	for (k = 0; k < max && (m = get(d, V + k, 1)); k++)
		P("%s%u", k ? ", " : "", *m & 1);
	if (k < n)
		S(", ...");
	S("]");
}

/* bytes that are not text: each as \x.. */
ARG(a_random)
{
	struct decode_options o = *d->o;
	struct dec h = *d;

	o.hex_strings = 2;
	h.o = &o;
	if (d->failed)
		put_addr(d, V);
	else
		put_buffer(&h, V, d->ret);
}

static void put_cpus(struct dec *d, uint64_t addr, uint64_t bytes)
{
	const uint8_t *m = bytes ? get(d, addr, bytes) : NULL;
	bool any = false;

	if (null_or_missing(d, addr, m))
		return;
	S("[");
	for (uint64_t k = 0; k < bytes * 8; k++) {
		if (!(m[k / 8] & 1 << k % 8))
			continue;
		P("%s%llu", any ? " " : "", (unsigned long long)k);
		any = true;
	}
	S("]");
}

ARG(a_cpu_mask_in)
{
	put_cpus(d, V, (uint32_t)d->a[1]);
}

ARG(a_cpu_mask_out)
{
	if (d->failed)
		put_addr(d, V);
	else
		put_cpus(d, V, d->ret);
}
