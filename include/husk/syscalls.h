/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYSCALL_DEFINEn: a system call in its topic's own file. Arguments come from pt_regs, so that the table holds one
 * type of function. A call not defined anywhere links to sys_ni_syscall, and the table (arch/x86/syscalls.tbl) says so.
 */
#ifndef HUSK_SYSCALLS_H
#define HUSK_SYSCALLS_H
#include <husk/sched.h>
#define __SC_A1 regs->di
#define __SC_A2 regs->si
#define __SC_A3 regs->dx
#define __SC_A4 regs->r10
#define __SC_A5 regs->r8
#define __SC_A6 regs->r9
#define __SC_BODY(name, decl, call)                                                                                    \
	long sys_##name(struct pt_regs *regs);                                                                         \
	static inline long __do_sys_##name decl;                                                                       \
	long sys_##name(struct pt_regs *regs __maybe_unused)                                                           \
	{                                                                                                              \
		return __do_sys_##name call;                                                                           \
	}                                                                                                              \
	static inline long __do_sys_##name decl
#define SYSCALL_DEFINE0(name) __SC_BODY(name, (void), ())
#define SYSCALL_DEFINE1(name, t1, a1) __SC_BODY(name, (t1 a1), ((t1)__SC_A1))
#define SYSCALL_DEFINE2(name, t1, a1, t2, a2) __SC_BODY(name, (t1 a1, t2 a2), ((t1)__SC_A1, (t2)__SC_A2))
#define SYSCALL_DEFINE3(name, t1, a1, t2, a2, t3, a3)                                                                  \
	__SC_BODY(name, (t1 a1, t2 a2, t3 a3), ((t1)__SC_A1, (t2)__SC_A2, (t3)__SC_A3))
#define SYSCALL_DEFINE4(name, t1, a1, t2, a2, t3, a3, t4, a4)                                                          \
	__SC_BODY(name, (t1 a1, t2 a2, t3 a3, t4 a4), ((t1)__SC_A1, (t2)__SC_A2, (t3)__SC_A3, (t4)__SC_A4))
#define SYSCALL_DEFINE5(name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                                                  \
	__SC_BODY(name, (t1 a1, t2 a2, t3 a3, t4 a4, t5 a5),                                                           \
		  ((t1)__SC_A1, (t2)__SC_A2, (t3)__SC_A3, (t4)__SC_A4, (t5)__SC_A5))
#define SYSCALL_DEFINE6(name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                                          \
	__SC_BODY(name, (t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6),                                                    \
		  ((t1)__SC_A1, (t2)__SC_A2, (t3)__SC_A3, (t4)__SC_A4, (t5)__SC_A5, (t6)__SC_A6))
#endif
