/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphore sets (ipc/sem.c), their control (ipc/sem_ctl.c) and what a process undoes when it ends (ipc/sem_undo.c). */
#ifndef IPC_SEM_H
#define IPC_SEM_H
#include "util.h"
#include <linux/sem.h>

struct semaphore {
	int val;
	pid_t pid; /* of the last operation */
};

/**
 * struct sem_array - a set; all under perm.lock
 * @pending: operations that wait (struct sem_queue), the oldest first
 * @undos: adjustments of all processes (struct sem_undo)
 */
struct sem_array {
	struct ipc_obj perm;
	long otime, ctime;
	int nsems;
	struct list_head pending, undos;
	struct semaphore sem[];
};

/**
 * struct sem_undo - what one process (or what shares its list) takes back of one set when it ends
 * @adj: for each semaphore; under the set's lock
 * @in_list: of the sem_undo_list, under its lock. @in_set: of the set, under the set's lock
 */
struct sem_undo {
	struct list_head in_list, in_set;
	struct sem_undo_list *list;
	struct sem_array *sma;
	short adj[];
};

struct sem_undo_list {
	refcount_t ref;
	spinlock_t lock; /* outside the lock of a set */
	struct list_head undos;
};

/* struct sem_queue - an operation under way, on its task's stack; under the set's lock. status: SEM_WAITING, then the result */
#define SEM_WAITING 1
struct sem_queue {
	struct list_head list;
	struct sembuf *sops;
	unsigned nsops;
	struct sembuf *blocking; /* the operation that cannot be done */
	struct sem_undo *undo;
	pid_t pid;
	int status;
	wait_queue_head_t wait;
};

static inline struct sem_array *sem_of(struct ipc_obj *p)
{
	return container_of(p, struct sem_array, perm);
}
extern struct ipc_ids sem_ids;
extern int sem_limits[4]; /* SEMMSL, SEMMNS, SEMOPM, SEMMNI */
extern atomic_t sem_total;
void sem_wake_pending(struct sem_array *a); /* values changed: does what can be done now; lock held */
/* sem_undo_get: the current process's adjustments of a, made if need be; ERR_PTR(-ENOMEM, -EIDRM) */
struct sem_undo *sem_undo_get(struct sem_array *a);
void sem_undo_remove(struct sem_array *a); /* the set was removed; rwsem held for writing, no lock */
#endif
