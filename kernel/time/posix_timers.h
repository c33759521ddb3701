/* SPDX-License-Identifier: Apache-2.0 */
/* What CPU timers ask of POSIX timers. */
#ifndef KERNEL_POSIX_TIMERS_H
#define KERNEL_POSIX_TIMERS_H
#include <husk/sched.h>
bool posix_cpu_timers_armed(struct signal_struct *s);
void posix_cpu_timers_check(u64 ut, u64 st); /* current's process has used so much */
#endif
