/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of the kernel log, for who writes it (printk.c) and who reads it (syslog.c). */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <husk/boot.h>
#include <husk/mm.h>

extern wait_queue_head_t log_wait; /* a line was added */

/* boot->log_size bytes, a power of two; boot->log_head counts all that were ever written */
static inline char *log_buf(void)
{
	return (char *)DIRECT_MAP_BASE + boot->log_phys;
}
#endif
