// SPDX-License-Identifier: Apache-2.0
/* semctl(2), /proc/sysvipc/sem and the limits of semaphores. */
#include "sem.h"
#include <husk/init.h>
#include <husk/proc_fs.h>

/* ---- the set as a whole ---- */

static long sem_stat(int id, int cmd, void __user *buf)
{
	struct ipc_obj *p = cmd == IPC_STAT ? ipc_find(&sem_ids, id) : ipc_find_slot(&sem_ids, id);
	struct semid64_ds ds = {};
	struct sem_array *a;
	long r;

	if (IS_ERR(p))
		return PTR_ERR(p);
	a = sem_of(p);
	spin_lock(&p->lock);
	r = cmd == SEM_STAT_ANY ? 0 : ipc_permitted(p, 0444);
	ipc_fill(&ds.sem_perm, p);
	ds.sem_otime = a->otime;
	ds.sem_ctime = a->ctime;
	ds.sem_nsems = a->nsems;
	spin_unlock(&p->lock);
	if (!r && copy_to_user(buf, &ds, sizeof(ds)))
		r = -EFAULT;
	if (!r && cmd != IPC_STAT)
		r = p->id;
	ipc_put(&sem_ids, p);
	return r;
}

static long sem_info(int cmd, void __user *buf)
{
	struct seminfo info = {
		.semmni = sem_limits[3],
		.semmns = sem_limits[1],
		.semmsl = sem_limits[0],
		.semopm = sem_limits[2],
		.semvmx = SEMVMX,
		.semmnu = SEMMNU,
		.semmap = SEMMAP,
		.semume = SEMUME,
		.semusz = SEMUSZ,
		.semaem = SEMAEM,
	};

	if (cmd == SEM_INFO) {
		info.semusz = READ_ONCE(sem_ids.in_use);
		info.semaem = atomic_read(&sem_total);
	}
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : ipc_last_slot(&sem_ids);
}

/* rwsem held for writing */
static void sem_rmid(struct sem_array *a)
{
	struct sem_queue *q, *next;

	ipc_remove(&sem_ids, &a->perm);
	sem_undo_remove(a);
	spin_lock(&a->perm.lock);
	list_for_each_entry_safe (q, next, &a->pending, list) {
		list_del_init(&q->list);
		WRITE_ONCE(q->status, -EIDRM);
		wake_up_interruptible(&q->wait);
	}
	spin_unlock(&a->perm.lock);
	ipc_put(&sem_ids, &a->perm);
}

static long sem_change(int id, int cmd, const struct semid64_ds *ds)
{
	struct ipc_obj *p;
	long r = 0;

	down_write(&sem_ids.rwsem);
	p = ipc_find_owned(&sem_ids, id);
	if (IS_ERR(p)) {
		r = PTR_ERR(p);
	} else if (cmd == IPC_RMID) {
		sem_rmid(sem_of(p));
	} else {
		spin_lock(&p->lock);
		r = ipc_set(p, &ds->sem_perm);
		if (!r)
			sem_of(p)->ctime = ipc_seconds();
		spin_unlock(&p->lock);
	}
	up_write(&sem_ids.rwsem);
	return r;
}

/* ---- values ---- */

static int sem_waiters(struct sem_array *a, int num, bool for_zero)
{
	struct sem_queue *q;
	int n = 0;

	list_for_each_entry (q, &a->pending, list)
		n += q->blocking->sem_num == num && !q->blocking->sem_op == for_zero;
	return n;
}

/* Adjustments of semaphores [first, first + n) are forgotten: they were set. */
static void sem_forget_undo(struct sem_array *a, int first, int n)
{
	struct sem_undo *un;

	list_for_each_entry (un, &a->undos, in_set)
		memset(un->adj + first, 0, n * sizeof(un->adj[0]));
}

static void sem_set(struct sem_array *a, int first, const u16 *val, int n)
{
	for (int i = 0; i < n; i++) {
		a->sem[first + i].val = val[i];
		a->sem[first + i].pid = current->tgid;
	}
	sem_forget_undo(a, first, n);
	a->ctime = ipc_seconds();
	sem_wake_pending(a);
}

/* All values to or from v. Lock not held. */
static long sem_all(struct sem_array *a, int cmd, u16 *v, void __user *buf)
{
	size_t size = a->nsems * sizeof(*v);
	long r = 0;

	if (cmd == SETALL) {
		if (copy_from_user(v, buf, size))
			return -EFAULT;
		for (int i = 0; i < a->nsems; i++)
			if (v[i] > SEMVMX)
				return -ERANGE;
	}
	spin_lock(&a->perm.lock);
	if (a->perm.deleted)
		r = -EIDRM;
	else if (cmd == SETALL)
		sem_set(a, 0, v, a->nsems);
	else
		for (int i = 0; i < a->nsems; i++)
			v[i] = a->sem[i].val;
	spin_unlock(&a->perm.lock);
	if (!r && cmd == GETALL && copy_to_user(buf, v, size))
		r = -EFAULT;
	return r;
}

/* Lock held. */
static long sem_one(struct sem_array *a, int num, int cmd, int arg)
{
	u16 val = arg;

	switch (cmd) {
	case GETVAL:
		return a->sem[num].val;
	case GETPID:
		return a->sem[num].pid;
	case GETNCNT:
		return sem_waiters(a, num, false);
	case GETZCNT:
		return sem_waiters(a, num, true);
	}
	sem_set(a, num, &val, 1); /* SETVAL */
	return 0;
}

static long sem_values(int id, int num, int cmd, unsigned long arg)
{
	bool all = cmd == GETALL || cmd == SETALL;
	struct ipc_obj *p;
	struct sem_array *a;
	u16 *v = NULL;
	long r;

	if (cmd == SETVAL && ((int)arg < 0 || (int)arg > SEMVMX))
		return -ERANGE;
	p = ipc_find(&sem_ids, id);
	if (IS_ERR(p))
		return PTR_ERR(p);
	a = sem_of(p);
	if (all)
		v = kmalloc(a->nsems * sizeof(*v), GFP_KERNEL);
	spin_lock(&p->lock);
	r = !all && (num < 0 || num >= a->nsems) ? -EINVAL : 0;
	if (!r)
		r = ipc_permitted(p, cmd == SETALL || cmd == SETVAL ? 0222 : 0444);
	if (!r && p->deleted)
		r = -EIDRM;
	if (!r && !all)
		r = sem_one(a, num, cmd, arg);
	spin_unlock(&p->lock);
	if (!r && all)
		r = v ? sem_all(a, cmd, v, (void *)arg) : -ENOMEM;
	kfree(v);
	ipc_put(&sem_ids, p);
	return r;
}

SYSCALL_DEFINE4(semctl, int, id, int, num, int, cmd, unsigned long, arg)
{
	struct semid64_ds ds;
	void __user *buf = (void *)arg;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return sem_info(cmd, buf);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return sem_stat(id, cmd, buf);
	case GETALL:
	case SETALL:
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
		return sem_values(id, num, cmd, arg);
	case IPC_SET:
		if (copy_from_user(&ds, buf, sizeof(ds)))
			return -EFAULT;
		return sem_change(id, cmd, &ds);
	case IPC_RMID:
		return sem_change(id, cmd, NULL);
	}
	return -EINVAL;
}

/* ---- /proc ---- */

static int sem_show(struct seq_file *m, void *v)
{
	struct sem_array *a;
	struct ipc_obj *p;
	unsigned long i;

	seq_puts(m, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	down_read(&sem_ids.rwsem);
	xa_for_each (&sem_ids.slots, i, p) {
		a = sem_of(p);
		seq_printf(m, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", p->key, p->id, p->mode, a->nsems,
			   p->uid, p->gid, p->cuid, p->cgid, a->otime, a->ctime);
	}
	up_read(&sem_ids.rwsem);
	return 0;
}

static int limits_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\t%d\t%d\t%d\n", sem_limits[0], sem_limits[1], sem_limits[2], sem_limits[3]);
	return 0;
}

/* Up to four numbers; those not given stay. */
static int limits_store(char *buf, void *data)
{
	static const unsigned long max[4] = {65535, INT32_MAX, 65535, IPCMNI};

	for (int i = 0; i < 4; i++) {
		char *end;
		unsigned long v;

		while (*buf == ' ' || *buf == '\t')
			buf++;
		if (!*buf)
			break;
		v = simple_strtoul(buf, &end, 10);
		if (end == buf || v > max[i])
			return -EINVAL;
		WRITE_ONCE(sem_limits[i], v);
		buf = end;
	}
	return 0;
}

SYSCTL_RW("kernel/sem", 0644, limits_show, limits_store, NULL);

static int sem_setup(void)
{
	proc_create_data("sysvipc/sem", 0444, NULL, sem_show, NULL);
	return 0;
}
device_initcall(sem_setup);
