/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of kernel/ that make and end tasks. */
#ifndef KERNEL_TASK_INTERNAL_H
#define KERNEL_TASK_INTERNAL_H

#include <husk/sched.h>

void pid_init(void);
void cred_init(void);
/* What follows from a change of user ids: the user's counters (0 or -EAGAIN), capabilities (capabilities(7)). */
int cred_set_user(struct cred *new);
void cred_fix_setuid(struct cred *new, const struct cred *old);
void cred_fix_setfsuid(struct cred *new, const struct cred *old);
void signal_init(void);
struct task_struct *copy_process(struct kernel_clone_args *a, bool kthread, const char *name);
void put_sighand(struct sighand_struct *sh);
struct sighand_struct *alloc_sighand(void);
void exit_robust_list(struct task_struct *t);
int futex_wake_user(u32 *uaddr, int n); /* private or shared; for clear_child_tid */
void task_works_exit(void);
bool child_awaited(struct task_struct *p);

#endif
