/* SPDX-License-Identifier: Apache-2.0 */
/* The formats a dump can have. */
#ifndef CRASH_FORMATS_H
#define CRASH_FORMATS_H

#include "crash.h"

struct core_format {
	const char *magic;
	size_t magic_size;
	int (*open)(void); /* core.fd is open; 0, or -1 with the message given */
};
extern const struct core_format core_formats[]; /* ends with open NULL */
int core_open_elf(void);
void core_close_frames(void);
int core_read_segments(u64 phys, void *buf, size_t n);

#endif
