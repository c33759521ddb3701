// SPDX-License-Identifier: Apache-2.0
// Extended state: what xsave covers here, reset for a fresh program. The kernel itself uses general registers only.

#include <husk/mm.h>
#include "arch.h"

u64 xfeature_mask;
unsigned xstate_size;
static u8 init_xstate[16384] __aligned(64); /* all features in their initial state */

#define XFEATURE_PKRU (1ULL << 9)
#define XFEATURE_TILES (3ULL << 17)
#define XSTATE_HEADER_END 576

/* Bytes of a standard-format image with the features in mask. */
static unsigned xstate_bytes(u64 mask)
{
	unsigned end = XSTATE_HEADER_END;

	for (unsigned i = 2; i < 63; i++) {
		u32 a = 0xd, b, c = i, d;

		if (!(mask >> i & 1))
			continue;
		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		if (b + a > end)
			end = b + a;
	}
	return end;
}

void fpu_init(void)
{
	u64 xcr0;
	u32 lo, hi;

	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	xcr0 = (u64)hi << 32 | lo;
	/* PKRU is the kernel's. AMX tiles are not in a signal frame unless a process asked the host for them, and none here can. */
	xfeature_mask = xcr0 & ~(XFEATURE_PKRU | XFEATURE_TILES);
	xstate_size = xstate_bytes(xcr0 & ~XFEATURE_TILES);
	if (xstate_size > sizeof(init_xstate))
		panic("extended state of %u bytes is larger than expected", xstate_size);
	*(u16 *)init_xstate = 0x37f;	     /* x87 control word */
	*(u32 *)(init_xstate + 24) = 0x1f80; /* mxcsr */
}

/* fpu_reset: a fresh program's extended state */
void fpu_reset(void)
{
	fpu_restore(init_xstate, xfeature_mask);
}
