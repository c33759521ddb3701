// SPDX-License-Identifier: Apache-2.0
// Extended state: what xsave covers here, reset for a fresh program. The kernel itself uses general registers only.

#include <husk/mm.h>
#include "arch.h"

u64 xfeature_mask;
unsigned xstate_size;
static u8 init_xstate[16384] __aligned(64); /* all features in their initial state */

void fpu_init(void)
{
	u32 a = 0xd, b, c = 0, d, lo, hi;

	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	xfeature_mask = ((u64)hi << 32 | lo) & ~(1ULL << 9); /* PKRU is the kernel's */
	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	xstate_size = b;
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
