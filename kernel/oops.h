/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of crashes, between oops.c, panic.c and lockdep.c. */
#ifndef KERNEL_OOPS_H
#define KERNEL_OOPS_H

#include <husk/oops.h>

void report_end(void);
void show_report(struct host_sigcontext *c, u32 held);
/* panic_reported: panic() when the log has the report already */
void panic_reported(const char *fmt, ...) __printf(1, 2) __noreturn __cold;

#endif
