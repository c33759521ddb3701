/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes, private to arch/x86: safe reads of kernel memory. */
#ifndef ARCH_X86_CRASH_H
#define ARCH_X86_CRASH_H

#include <husk/types.h>

struct thread_info;
struct host_sigcontext;

/* dumpstack.c: a kick asked for it (TA_SNAP) */
void stack_snapshot(struct thread_info *ti, const struct host_sigcontext *c);
int copy_nofault(void *to, const void *from, size_t n);

#endif
