/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes, private to arch/x86: safe reads of kernel memory. */
#ifndef ARCH_X86_CRASH_H
#define ARCH_X86_CRASH_H

#include <husk/types.h>

struct thread_info;
struct host_sigcontext;

/* dumpstack.c: a kick asked for it (TA_SNAP) */
void stack_snapshot(struct thread_info *ti, const struct host_sigcontext *c);
/* gate.S: the stack pointer is not where it should be; reports it on another stack */
void stack_lost(struct thread_info *ti, struct host_sigcontext *c) __noreturn;
void stack_lost_report(struct thread_info *ti, struct host_sigcontext *c) __noreturn;
void stack_found(u64 sp, void (*fn)(void *), void *arg) __noreturn;
int copy_nofault(void *to, const void *from, size_t n);

#endif
