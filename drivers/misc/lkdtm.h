/* SPDX-License-Identifier: Apache-2.0 */
/* Crash points of the test kernel. */
#ifndef DRIVERS_MISC_LKDTM_H
#define DRIVERS_MISC_LKDTM_H

#include <husk/kernel.h>

struct crashpoint {
	const char *name;
	void (*fn)(void);
	const char *what;
};
#define CRASHPOINT(name, what)                                                                                         \
	{                                                                                                              \
#name, lkdtm_##name, what                                                                              \
	}
extern const struct crashpoint lkdtm_bugs[], lkdtm_locks[], lkdtm_memory[];

#endif
