// SPDX-License-Identifier: Apache-2.0
// Tracing of system calls: switched on and off, which tasks, their birth and end, their signals.

#include <husk/mm.h>
#include <husk/boot.h>
#include <husk/init.h>
#include "internal.h"

/**
 * DOC: who is traced
 *
 * TIF_TRACE says that a task's calls are looked at. It is set for the tasks that the reader named, or all, when tracing is
 * switched on, and inherited; only then does a call take the slow way in arch/x86/syscall.c. A task makes its struct trace_task and gets
 * its ring itself, with its first record, so that nothing is ever allocated on behalf of another.
 *
 * trace_lock -> tasklist_lock. A child gets the flag under tasklist_lock for writing, so that none is missed by who sets it for all.
 */

u32 trace_on;
u64 trace_calls[HOSTIF_TRACE_NR / 64];
struct trace_config trace_config;
struct hostif_trace *trace_dir;
static DEFINE_MUTEX(trace_lock);
static struct kmem_cache *task_cache;

/* ---- on and off ---- */

/* The reader is trusted, but not to be free of errors. */
static void copy_config(void)
{
	struct hostif_trace *d = trace_dir;
	struct trace_config *c = &trace_config;

	memcpy(trace_calls, d->calls, sizeof(trace_calls));
	c->flags = d->flags;
	c->string_limit = clamp_t(u32, d->string_limit, 0, 1 << 20);
	c->nrules = min_t(u32, d->nrules, HOSTIF_TRACE_RULES);
	memcpy(c->rule, d->rule, sizeof(c->rule));
	c->wait_ns = (u64)d->wait_ms * NSEC_PER_MSEC;
	c->generation = d->generation;
}

static bool chosen(const struct task_struct *t)
{
	u32 n = min_t(u32, trace_dir->npids, HOSTIF_TRACE_PIDS);

	if (t->flags & PF_KTHREAD)
		return false;
	for (u32 i = 0; i < n; i++)
		if (trace_dir->pids[i] == t->pid || trace_dir->pids[i] == t->tgid)
			return true;
	return !n;
}

/* Sets or clears the flag of all that it is about; how many tasks have it now. */
static u32 flag_tasks(bool on)
{
	struct task_struct *p, *t;
	u32 n = 0;

	read_lock(&tasklist_lock);
	for_each_process (p)
		for_each_thread (p, t) {
			if (on && chosen(t)) {
				set_tsk_flag(t, TIF_TRACE);
				n++;
			} else {
				clear_tsk_flag(t, TIF_TRACE);
			}
		}
	read_unlock(&tasklist_lock);
	return n;
}

static void switch_off(void)
{
	flag_tasks(false);
	WRITE_ONCE(trace_on, 0);
	__atomic_add_fetch(&trace_dir->room, 1, __ATOMIC_SEQ_CST);
	host_futex_wake(&trace_dir->room, INT32_MAX);
	trace_rings_free();
	smp_store_release(&trace_dir->state, 0);
}

static void switch_on(void)
{
	copy_config();
	WRITE_ONCE(trace_on, 1);
	trace_dir->matched = flag_tasks(true);
	smp_store_release(&trace_dir->state, 1);
}

void trace_reconfigure(void)
{
	bool want;

	if (!trace_dir)
		return;
	mutex_lock(&trace_lock);
	want = smp_load_acquire(&trace_dir->on);
	if (trace_on && (!want || trace_dir->generation != trace_config.generation))
		switch_off();
	if (want && !trace_on)
		switch_on();
	mutex_unlock(&trace_lock);
}

static int trace_init(void)
{
	if (!boot->trace_phys)
		return 0;
	task_cache = KMEM_CACHE(trace_task);
	if (!task_cache || trace_rings_init())
		return -ENOMEM;
	trace_dir = phys_to_virt(boot->trace_phys);
	trace_reconfigure();
	return 0;
}
late_initcall(trace_init);

/* ---- a task's part ---- */

/* Its first record in this trace says who it is. */
static void introduce(struct trace_task *tt, unsigned type)
{
	struct task_struct *me = current;
	struct hostif_trace_rec *r = trace_rec_begin(tt, type);
	u32 used = 0;

	if (!r)
		return;
	memset(r->args, 0, sizeof(r->args));
	r->args[0] = me->ppid;
	trace_blob(tt, r, &used, TRACE_BLOB_STR, 0, me->comm, strnlen(me->comm, TASK_COMM_LEN));
	trace_rec_end(tt, r, used);
}

static struct trace_task *make_task(void)
{
	struct trace_task *tt = kmem_cache_zalloc(task_cache, GFP_KERNEL);

	if (tt)
		current->trace = tt;
	return tt;
}

static struct trace_task *get_task(unsigned type)
{
	struct trace_task *tt = current->trace ?: make_task();

	if (unlikely(!tt || (!tt->ring && trace_ring_get(tt)))) {
		__atomic_add_fetch(&trace_dir->lost, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	if (unlikely(tt->generation != READ_ONCE(trace_config.generation))) {
		tt->generation = trace_config.generation;
		tt->in_call = false;
		tt->staged = NULL;
		tt->ring->hdr.lost = tt->ring->lost_told = 0;
		memset(tt->count, 0, sizeof(tt->count));
		introduce(tt, type);
	}
	return tt;
}

struct trace_task *trace_current(void)
{
	struct trace_task *tt = current->trace;

	if (likely(tt && tt->ring && tt->generation == READ_ONCE(trace_config.generation)))
		return tt;
	return READ_ONCE(trace_on) ? get_task(TRACE_ATTACH) : NULL;
}

void __trace_fork(struct task_struct *child)
{
	if (test_thread_flag(TIF_TRACE) && !(child->flags & PF_KTHREAD))
		set_tsk_flag(child, TIF_TRACE);
}

void trace_started(void)
{
	if (unlikely(test_thread_flag(TIF_TRACE)) && READ_ONCE(trace_on))
		get_task(TRACE_NEWTASK);
}

void __trace_exit(int status)
{
	struct task_struct *me = current;
	struct trace_task *tt;
	struct hostif_trace_rec *r;

	tt = test_thread_flag(TIF_TRACE) && READ_ONCE(trace_on) ? get_task(TRACE_NEWTASK) : NULL;
	clear_thread_flag(TIF_TRACE);
	if (tt) {
		r = trace_rec_begin(tt, TRACE_GONE);
		if (r) {
			memset(r->args, 0, sizeof(r->args));
			r->ret = status;
			r->args[0] = !atomic_read(&me->signal->live);
			trace_rec_end(tt, r, 0);
		}
	}
	tt = me->trace;
	if (tt) {
		me->trace = NULL;
		trace_ring_put(tt);
		kmem_cache_free(task_cache, tt);
	}
}

/* ---- signals ---- */

bool __trace_signals(struct task_struct *t)
{
	return READ_ONCE(trace_on) && (trace_config.flags & TRACE_WANT_SIGNALS);
}

/* As the reader's header says: code, pid, uid, status or address, value; or times of a child. */
static void signal_args(u64 *args, int sig, const struct kernel_siginfo *i)
{
	bool child = sig == SIGCHLD && i->si_code > 0;
	bool fault = i->si_code > 0 && i->si_code < SI_KERNEL && sig != SIGCHLD;

	args[0] = (s64)i->si_code;
	args[1] = si_pid_(i);
	args[2] = si_uid_(i);
	args[3] = sig == SIGCHLD ? (u64)si_status_(i) : fault ? si_addr_(i) : 0;
	args[4] = child ? 0 : si_value_(i);
	args[5] = child ? (u32)i->_chld.utime | (u64)i->_chld.stime << 32 : 0;
}

void trace_signal(int sig, const struct kernel_siginfo *info)
{
	struct trace_task *tt = trace_current();
	struct hostif_trace_rec *r = tt ? trace_rec_begin(tt, TRACE_SIGNAL) : NULL;
	u32 used = 0;

	if (!r)
		return;
	signal_args(r->args, sig, info);
	r->nr = sig;
	r->ip = current_pt_regs()->ip;
	if (trace_config.flags & TRACE_WANT_STACKS)
		trace_stacks(tt, r, &used, current_pt_regs());
	trace_rec_end(tt, r, used);
}

void trace_stop(int sig)
{
	struct trace_task *tt = trace_current();
	struct hostif_trace_rec *r = tt ? trace_rec_begin(tt, TRACE_STOP) : NULL;

	if (!r)
		return;
	memset(r->args, 0, sizeof(r->args));
	r->nr = sig;
	r->args[0] = 1;
	trace_rec_end(tt, r, 0);
}
