// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: reads a RAM that may hold anything. No pointer in it is followed before it was checked.

#include "sys.h"

bool table_get(const char *name, u64 *value)
{
	for (u32 i = 0; i < config.nentries; i++)
		if (str_eq(config.entry[i].name, name)) {
			*value = config.entry[i].value;
			return true;
		}
	return false;
}

u64 table(const char *name, u64 otherwise)
{
	u64 v = otherwise;

	table_get(name, &v);
	return v;
}

static bool in_ram(u64 off, u64 len)
{
	return off < config.ram_size && len <= config.ram_size - off;
}

bool kva_to_off(u64 va, u64 len, u64 *off)
{
	u64 base = table("NUMBER(KERNEL_BASE)", 0x700000000000ULL),
	    direct = table("NUMBER(DIRECT_MAP_BASE)", 0x701000000000ULL);

	if (va >= direct)
		*off = va - direct;
	else if (va >= base && va - base < config.kernel_phys_end - HOSTIF_KERNEL_PHYS)
		*off = va - base + HOSTIF_KERNEL_PHYS;
	else
		return false;
	return in_ram(*off, len);
}

bool ram_read(u64 off, void *to, size_t n)
{
	if (!in_ram(off, n))
		return false;
	memcpy(to, ram + off, n);
	return true;
}

u64 ram_u64(u64 off)
{
	u64 v = 0;

	ram_read(off, &v, sizeof(v));
	return v;
}

u32 ram_u32(u64 off)
{
	u32 v = 0;

	ram_read(off, &v, sizeof(v));
	return v;
}
