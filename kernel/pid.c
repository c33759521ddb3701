// SPDX-License-Identifier: Apache-2.0
// Process numbers: allocation, look-up, who uses them.

#include <husk/pid.h>
#include <husk/boot.h>
#include <husk/slab.h>
#include "task_internal.h"

/**
 * DOC: process numbers
 *
 * A number stays taken while a thread has it, a process is in the group or session of that name; so a group outlives its
 * leader and no new process can be taken for it. Allocation goes round: the next number after the last one given, from
 * RESERVED_PIDS after wrapping. Lock order: tasklist_lock -> pid_lock.
 */

#define PID_HASH_BITS 11
#define RESERVED_PIDS 300

int pid_max = 32768;
static struct hlist_head pid_hash[1 << PID_HASH_BITS];
static unsigned long *pid_map;
static int last_pid = 1; /* pid 1 is asked for by number */
static DEFINE_SPINLOCK(pid_lock);
static struct kmem_cache *pid_cache;

void __cold pid_init(void)
{
	if (boot->max_tasks > 16384)
		pid_max = 4194304;
	pid_cache = KMEM_CACHE(pid);
	pid_map = kzalloc(BITS_TO_LONGS(pid_max) * sizeof(long), GFP_KERNEL);
	if (!pid_cache || !pid_map)
		panic("no memory for process numbers");
	set_bit(0, pid_map);
}

static inline struct hlist_head *pid_bucket(pid_t nr)
{
	return &pid_hash[(u32)nr & ((1u << PID_HASH_BITS) - 1)];
}

static struct pid *lookup_locked(pid_t nr)
{
	struct pid *p;

	hlist_for_each_entry (p, pid_bucket(nr), hash)
		if (p->nr == nr)
			return p;
	return NULL;
}

/* under pid_lock: a free number, marked taken; 0: none */
static pid_t pid_number(pid_t want)
{
	unsigned long nr;

	if (want) {
		if (want >= pid_max || test_bit(want, pid_map))
			return 0;
		nr = want;
	} else {
		nr = find_next_zero_bit(pid_map, pid_max, last_pid + 1);
		if (nr >= (unsigned long)pid_max)
			nr = find_next_zero_bit(pid_map, pid_max, RESERVED_PIDS);
		if (nr >= (unsigned long)pid_max)
			return 0;
		last_pid = nr;
	}
	set_bit(nr, pid_map);
	return nr;
}

struct pid *alloc_pid(pid_t want)
{
	struct pid *p = kmem_cache_alloc(pid_cache, GFP_KERNEL);

	if (!p)
		return ERR_PTR(-ENOMEM);
	refcount_set(&p->count, 1);
	p->task = NULL;
	p->sessions = 0;
	INIT_LIST_HEAD(&p->members);
	init_waitqueue_head(&p->wait_pidfd);
	spin_lock(&pid_lock);
	p->nr = pid_number(want);
	if (p->nr)
		hlist_add_head(&p->hash, pid_bucket(p->nr));
	spin_unlock(&pid_lock);
	if (p->nr)
		return p;
	kmem_cache_free(pid_cache, p);
	return ERR_PTR(want ? -EEXIST : -EAGAIN);
}

void put_pid(struct pid *p)
{
	if (p && refcount_dec_and_test(&p->count))
		kmem_cache_free(pid_cache, p);
}

void pid_release(struct pid *p)
{
	if (p->task || p->sessions || !list_empty(&p->members))
		return;
	spin_lock(&pid_lock);
	hlist_del_init(&p->hash);
	clear_bit(p->nr, pid_map);
	spin_unlock(&pid_lock);
	put_pid(p);
}

void attach_pid(struct task_struct *t, struct pid *p)
{
	spin_lock(&pid_lock);
	t->thread_pid = p;
	p->task = t;
	spin_unlock(&pid_lock);
}

void detach_pid(struct task_struct *t)
{
	struct pid *p = t->thread_pid;

	if (!p)
		return;
	spin_lock(&pid_lock);
	p->task = NULL;
	t->thread_pid = NULL;
	spin_unlock(&pid_lock);
	pid_release(p);
}

/* execve in a thread that is not the leader: it takes over the leader's number */
void exchange_pids(struct task_struct *a, struct task_struct *b)
{
	spin_lock(&pid_lock);
	swap(a->thread_pid, b->thread_pid);
	swap(a->pid, b->pid);
	a->thread_pid->task = a;
	b->thread_pid->task = b;
	spin_unlock(&pid_lock);
}

void signal_set_pgrp(struct signal_struct *s, struct pid *p)
{
	struct pid *old = s->pgrp;

	if (old == p)
		return;
	if (old)
		list_del_init(&s->pgrp_node);
	s->pgrp = p;
	s->pgid = p ? p->nr : 0;
	if (p)
		list_add_tail(&s->pgrp_node, &p->members);
	if (old)
		pid_release(old);
}

void signal_set_session(struct signal_struct *s, struct pid *p)
{
	struct pid *old = s->session;

	if (old == p)
		return;
	s->session = p;
	s->sid = p ? p->nr : 0;
	if (p)
		p->sessions++;
	if (old) {
		old->sessions--;
		pid_release(old);
	}
}

struct pid *find_pid(pid_t nr)
{
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup_locked(nr);
	spin_unlock(&pid_lock);
	return p;
}

struct pid *find_get_pid(pid_t nr)
{
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup_locked(nr);
	if (p)
		get_pid(p);
	spin_unlock(&pid_lock);
	return p;
}

struct task_struct *get_pid_task(struct pid *p)
{
	struct task_struct *t;

	spin_lock(&pid_lock);
	t = p->task;
	if (t)
		get_task_struct(t);
	spin_unlock(&pid_lock);
	return t;
}

struct task_struct *find_task_by_pid(pid_t nr)
{
	struct task_struct *t = NULL;
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup_locked(nr);
	if (p)
		t = p->task;
	spin_unlock(&pid_lock);
	return t;
}

struct task_struct *find_get_task_by_pid(pid_t nr)
{
	struct task_struct *t = NULL;
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup_locked(nr);
	if (p && p->task) {
		t = p->task;
		get_task_struct(t);
	}
	spin_unlock(&pid_lock);
	return t;
}

struct task_struct *find_ge_task(pid_t nr, bool leaders)
{
	unsigned long n = nr < 1 ? 1 : nr;
	struct task_struct *t = NULL;
	struct pid *p;

	spin_lock(&pid_lock);
	for (; (n = find_next_bit(pid_map, pid_max, n)) < (unsigned long)pid_max; n++) {
		p = lookup_locked(n);
		if (!p || !p->task || (leaders && !thread_group_leader(p->task)))
			continue;
		t = p->task;
		get_task_struct(t);
		break;
	}
	spin_unlock(&pid_lock);
	return t;
}
