/* SPDX-License-Identifier: Apache-2.0 */
/* Process numbers as objects (kernel/pid.c), and pidfds (fs/pidfd.c). */
#ifndef HUSK_PID_H
#define HUSK_PID_H

#include <husk/sched.h>

/**
 * struct pid - a number in use by a thread, a process group or a session
 * @task: the thread with this number, or NULL. @members: processes of the group (signal->pgrp_node). @sessions: processes in
 * the session. When all are gone the number is free again; the object lives while a pidfd refers to it. All under tasklist_lock;
 * @task also under pid_lock, so that a look-up needs no tasklist_lock.
 */
struct pid {
	refcount_t count;
	pid_t nr;
	struct hlist_node hash;
	struct task_struct *task;
	struct list_head members;
	unsigned int sessions;
	wait_queue_head_t wait_pidfd; /* woken when the process is a zombie */
};
struct pid *
alloc_pid(pid_t want); /* want 0: the next; ERR_PTR(-EAGAIN, -ENOMEM, -EEXIST); one reference, the caller's */
void put_pid(struct pid *p);
static inline struct pid *get_pid(struct pid *p)
{
	refcount_inc(&p->count);
	return p;
}
/* these hold tasklist_lock for writing */
void attach_pid(struct task_struct *t, struct pid *p);
void detach_pid(struct task_struct *t);
void exchange_pids(struct task_struct *a, struct task_struct *b);
void signal_set_pgrp(struct signal_struct *s, struct pid *p); /* p NULL: leaves its group */
void signal_set_session(struct signal_struct *s, struct pid *p);
void pid_release(struct pid *p); /* the number is free if nothing uses it */
struct pid *find_pid(pid_t nr);	 /* tasklist_lock held; no reference */
struct pid *find_get_pid(pid_t nr);
struct task_struct *get_pid_task(struct pid *p); /* a reference, or NULL */
/* find_ge_task: the thread (leaders: process) with the lowest number >= nr, with a reference, or NULL; for /proc and kill(-1) */
struct task_struct *find_ge_task(pid_t nr, bool leaders);
extern int pid_max;

/* fs/pidfd.c */
struct file;
struct pid *pidfd_get_pid(unsigned fd, unsigned *flags); /* a reference; ERR_PTR(-EBADF) */
struct pid *procfd_get_pid(unsigned fd);		 /* of an open directory /proc/PID; the same */
extern struct pid *(*proc_dir_pid)(
	struct file *f); /* set by proc: the process of an open /proc/PID, no reference; NULL */
int pidfd_create_file(struct pid *p, unsigned flags, struct file **ret); /* reserves a descriptor; fd_install() it */

#endif
