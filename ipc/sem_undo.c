// SPDX-License-Identifier: Apache-2.0
/*
 * SEM_UNDO: adjustments that are made when a process ends. A process's list (shared with CLONE_SYSVSEM) has an entry for each set that it
 * used; so has the set. Whoever walks a list whose owners are gone, or frees entries of a set that is gone, holds sem_ids.rwsem, for
 * reading and for writing: so neither frees what the other looks at.
 */
#include "sem.h"
#include <husk/init.h>
#include <husk/ipc.h>

static struct sem_undo_list *own_list(void)
{
	struct sem_undo_list *l = current->sysvsem;

	if (l)
		return l;
	l = kmalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return NULL;
	refcount_set(&l->ref, 1);
	spin_lock_init(&l->lock);
	INIT_LIST_HEAD(&l->undos);
	current->sysvsem = l;
	return l;
}

static struct sem_undo *find(struct sem_undo_list *l, struct sem_array *a)
{
	struct sem_undo *un;

	list_for_each_entry (un, &l->undos, in_list)
		if (un->sma == a)
			return un;
	return NULL;
}

struct sem_undo *sem_undo_get(struct sem_array *a)
{
	struct sem_undo_list *l = own_list();
	struct sem_undo *un, *fresh;

	if (!l)
		return ERR_PTR(-ENOMEM);
	spin_lock(&l->lock);
	un = find(l, a);
	spin_unlock(&l->lock);
	if (un)
		return un;
	fresh = kzalloc(sizeof(*fresh) + a->nsems * sizeof(fresh->adj[0]), GFP_KERNEL);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	spin_lock(&l->lock);
	un = find(l, a);
	if (!un) {
		spin_lock(&a->perm.lock);
		un = a->perm.deleted ? ERR_PTR(-EIDRM) : fresh;
		if (un == fresh) {
			fresh->list = l;
			fresh->sma = a;
			list_add(&fresh->in_list, &l->undos);
			list_add(&fresh->in_set, &a->undos);
		}
		spin_unlock(&a->perm.lock);
	}
	spin_unlock(&l->lock);
	if (un != fresh)
		kfree(fresh);
	return un;
}

/* Nobody adds entries to a removed set, and the lists stay while rwsem is held. */
void sem_undo_remove(struct sem_array *a)
{
	struct sem_undo *un, *next;

	list_for_each_entry_safe (un, next, &a->undos, in_set) {
		spin_lock(&un->list->lock);
		list_del(&un->in_list);
		spin_unlock(&un->list->lock);
		kfree(un);
	}
	INIT_LIST_HEAD(&a->undos);
}

static void undo(struct sem_undo *un)
{
	struct sem_array *a = un->sma;

	spin_lock(&a->perm.lock);
	for (int i = 0; i < a->nsems; i++) {
		if (!un->adj[i])
			continue;
		a->sem[i].val = clamp_t(int, a->sem[i].val + un->adj[i], 0, SEMVMX);
		a->sem[i].pid = current->tgid;
	}
	a->otime = ipc_seconds();
	list_del(&un->in_set);
	sem_wake_pending(a);
	spin_unlock(&a->perm.lock);
	kfree(un);
}

static void sem_undo_drop(struct task_struct *t)
{
	struct sem_undo_list *l = t->sysvsem;
	struct sem_undo *un, *next;

	t->sysvsem = NULL;
	if (!refcount_dec_and_test(&l->ref))
		return;
	down_read(&sem_ids.rwsem);
	list_for_each_entry_safe (un, next, &l->undos, in_list)
		undo(un);
	up_read(&sem_ids.rwsem);
	kfree(l);
}

static int sem_undo_share(struct task_struct *t)
{
	t->sysvsem = own_list();
	if (!t->sysvsem)
		return -ENOMEM;
	refcount_inc(&t->sysvsem->ref);
	return 0;
}

static const struct sysvsem_ops ops = {sem_undo_share, sem_undo_drop};

static int sem_undo_setup(void)
{
	sysvsem_ops = &ops;
	return 0;
}
core_initcall(sem_undo_setup);
