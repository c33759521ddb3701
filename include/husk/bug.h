/* SPDX-License-Identifier: Apache-2.0 */
/* BUG() and WARN_ON(): an invalid instruction whose operand says what is wrong, so that every register is in the report. */
#ifndef HUSK_BUG_H
#define HUSK_BUG_H

/*
 * "ud1 entry(%rip), %eax" traps; the kernel's trap handler finds the entry from the instruction's displacement. No table is needed,
 * so this works in loadable modules too. A BUG does not come back; a WARN goes on behind the instruction.
 */
#define BUG_MAGIC 0x4b475542u
#define BUGFLAG_WARN 1
#define BUGFLAG_ONCE 2
#define BUGFLAG_DONE 4
struct bug_entry {
	u32 magic;
	u16 flags;
	u16 line;
	const char *file, *func, *expr; /* expr: NULL for BUG() */
};

#if defined(HUSK_HOSTED) || defined(HUSK_UNIT) || defined(HUSK_UNIT_LOCKS)
#define BUG() panic("BUG at %s:%d/%s()", __FILE__, __LINE__, __func__)
#define __BUG_EXPR(expr) panic("BUG: %s at %s:%d/%s()", expr, __FILE__, __LINE__, __func__)
#define __WARN_EXPR(flags, expr) pr_warn("WARNING: %s at %s:%d/%s()", expr, __FILE__, __LINE__, __func__)
#else
#define __BUG_TRAP(flags, expr)                                                                                        \
	do {                                                                                                           \
		static struct bug_entry __bug = {BUG_MAGIC, flags, __LINE__, __FILE__, __func__, expr};                \
		__asm__ volatile("ud1 %0, %%eax" ::"m"(__bug));                                                        \
	} while (0)
#define __BUG_EXPR(expr)                                                                                               \
	do {                                                                                                           \
		__BUG_TRAP(0, expr);                                                                                   \
		__builtin_unreachable();                                                                               \
	} while (0)
#define __WARN_EXPR(flags, expr) __BUG_TRAP(BUGFLAG_WARN | (flags), expr)
#define BUG() __BUG_EXPR(NULL)
#endif

#define BUG_ON(c)                                                                                                      \
	do {                                                                                                           \
		if (unlikely(c))                                                                                       \
			__BUG_EXPR(#c);                                                                                \
	} while (0)
#define __WARN_ON(c, flags)                                                                                            \
	({                                                                                                             \
		bool _w = !!(c);                                                                                       \
		if (unlikely(_w))                                                                                      \
			__WARN_EXPR(flags, #c);                                                                        \
		unlikely(_w);                                                                                          \
	})
#define WARN_ON(c) __WARN_ON(c, 0)
#define WARN_ON_ONCE(c) __WARN_ON(c, BUGFLAG_ONCE)

#endif
