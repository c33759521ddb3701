/* SPDX-License-Identifier: Apache-2.0 */
/* What process creation and exit must know of System V semaphores (ipc/sem_undo.c). */
#ifndef HUSK_IPC_H
#define HUSK_IPC_H
#include <husk/sched.h>

/**
 * struct sysvsem_ops - a process's list of semaphore adjustments (SEM_UNDO), task->sysvsem
 * @share: t, a new task, gets current's list (CLONE_SYSVSEM), made if there is none yet. 0 or -ENOMEM
 * @drop: the task has no list any more; the last user's adjustments are made
 */
struct sysvsem_ops {
	int (*share)(struct task_struct *t);
	void (*drop)(struct task_struct *t);
};
extern const struct sysvsem_ops *sysvsem_ops; /* kernel/fork.c; set at boot */
static inline void exit_sysvsem(struct task_struct *t)
{
	if (unlikely(t->sysvsem))
		sysvsem_ops->drop(t);
}
#endif
