// SPDX-License-Identifier: Apache-2.0
// The end of tasks: do_exit, zombies, orphans, and the end of the sandbox with its pid 1.

#include <husk/syscalls.h>
#include <husk/proc_mm.h>
#include <husk/fs.h>
#include <husk/time.h>
#include <husk/tty.h>
#include <husk/ipc.h>
#include <husk/pid.h>
#include <husk/boot.h>
#include <husk/ptrace.h>
#include <husk/coredump.h>
#include <husk/trace.h>
#include <husk/stats.h>
#include <husk/task_fs.h>
#include "signal_internal.h"
#include "task_internal.h"

void (*session_leader_exit)(struct task_struct *leader);

/**
 * DOC: the end of a task
 *
 * do_exit() gives everything back, becomes a zombie (or is forgotten at once) and leaves its host thread for ever. Its stack cannot
 * be freed while the host thread is on it, so the task waits in dead_tasks with its last reference until a later fork or exit finds
 * thread_info.host_tid cleared.
 *
 * Orphans go to another thread of their parent, to the nearest subreaper, or to pid 1. In husk pid 1 is mostly an ordinary
 * program that expects no children but its own, as if a real init stood behind it: the kernel reaps what comes to pid 1 from others
 * (orphan_autoreap), unless pid 1 asks for orphans with prctl(PR_SET_CHILD_SUBREAPER).
 *
 * When the last thread of pid 1 ends, everything is killed and the monitor gets its wait status.
 */

#define SHUTDOWN_PATIENCE (1 * NSEC_PER_SEC)

static LIST_HEAD(dead_tasks);
static DEFINE_SPINLOCK(dead_lock);

void reap_dead_stacks(void)
{
	struct task_struct *t, *n;
	LIST_HEAD(gone);

	if (list_empty(&dead_tasks))
		return;
	spin_lock(&dead_lock);
	list_for_each_entry_safe (t, n, &dead_tasks, dead_node)
		if (!READ_ONCE(t->ti->host_tid))
			list_move(&t->dead_node, &gone);
	spin_unlock(&dead_lock);
	list_for_each_entry_safe (t, n, &gone, dead_node)
		put_task_struct(t);
}

/* ---- leaving the address space ---- */

static void complete_vfork_done(struct task_struct *t)
{
	struct completion *vfork;

	task_lock(t);
	vfork = t->vfork_done;
	if (vfork) {
		t->vfork_done = NULL;
		complete(vfork);
	}
	task_unlock(t);
}

static void mm_release(struct task_struct *t, struct mm_struct *mm)
{
	if (t->robust_list)
		exit_robust_list(t);
	if (t->clear_child_tid) {
		/* somebody may wait for it only where the memory is shared */
		if (refcount_read(&mm->mm_users) > 1) {
			(void)put_user(0, t->clear_child_tid);
			futex_wake_user((u32 *)t->clear_child_tid, 1);
		}
		t->clear_child_tid = NULL;
	}
	if (t->vfork_done)
		complete_vfork_done(t);
}

void exec_mm_release(struct task_struct *t, struct mm_struct *mm)
{
	mm_release(t, mm);
}

static void exit_mm_release(struct task_struct *t, struct mm_struct *mm)
{
	mm_release(t, mm);
}

/*
 * An address space is torn down before the parent is told. If the parent sleeps for just that, it does the work itself when it is awake
 * (release_task): its CPU has the page tables' and struct pages' lines since the fork, and its host process has all of the kernel's pages mapped that
 * the new one would fault on. Should it not come to it, the address space goes with the zombie, or when memory is short (kernel/oom_kill.c).
 */
static bool leave_mm_to_parent(struct task_struct *t, struct mm_struct *mm)
{
	return thread_group_leader(t) && thread_group_empty(t) && refcount_read(&mm->mm_users) == 1 && child_awaited(t);
}

static void exit_mm(struct task_struct *t)
{
	struct mm_struct *mm = t->mm;

	if (!mm) {
		complete_vfork_done(t);
		return;
	}
	exit_mm_release(t, mm);
	task_lock(t);
	t->mm = NULL;
	task_unlock(t);
	if (leave_mm_to_parent(t, mm))
		WRITE_ONCE(t->dead_mm, mm);
	else
		mmput(mm);
}

/* ---- forgetting a task ---- */

static void unhash_process(struct task_struct *t, bool group_dead)
{
	nr_threads--;
	nr_kthreads -= !!(t->flags & PF_KTHREAD);
	if (group_dead) {
		list_del_init(&t->tasks);
		list_del_init(&t->sibling);
		signal_set_pgrp(t->signal, NULL);
		signal_set_session(t->signal, NULL);
	}
	list_del_init(&t->thread_node);
	detach_pid(t);
}

/* tasklist_lock held for writing */
static void exit_signal_state(struct task_struct *t)
{
	struct signal_struct *s = t->signal;
	struct sighand_struct *sh = t->sighand;
	bool group_dead = thread_group_leader(t);

	task_lock(t);
	spin_lock(&sh->siglock);
	t->sighand = NULL;
	task_unlock(t);
	if (s->notify_count > 0 && !--s->notify_count)
		wake_up_process(s->group_exec_task);
	s->utime += t->utime;
	s->stime += t->stime;
	s->min_flt += t->min_flt;
	s->maj_flt += t->maj_flt;
	s->nvcsw += t->nvcsw;
	s->nivcsw += t->nivcsw;
	s->inblock += t->read_bytes >> 9;
	s->oublock += t->write_bytes >> 9;
	stats_task_gone(t);
	t->utime = t->stime = t->min_flt = t->maj_flt = t->nvcsw = t->nivcsw = 0;
	s->nr_threads--;
	unhash_process(t, group_dead);
	flush_sigqueue(&t->pending);
	if (group_dead) {
		flush_sigqueue(&s->shared_pending);
		s->tty = NULL;
	}
	spin_unlock(&sh->siglock);
	put_sighand(sh);
}

void release_task(struct task_struct *t)
{
	struct task_struct *leader;
	struct mm_struct *mm;
	bool zap_leader;

	do {
		zap_leader = false;
		mm = xchg(&t->dead_mm, NULL);
		if (mm)
			mmput(mm);
		atomic_dec(&t->cred->user->processes);
		write_lock(&tasklist_lock);
		if (unlikely(t->ptrace))
			ptrace_unlink(t);
		exit_signal_state(t);
		leader = t->group_leader;
		/* the leader waited for the last thread before its parent was told */
		if (leader != t && thread_group_empty(leader) && leader->exit_state == EXIT_ZOMBIE) {
			zap_leader = do_notify_parent(leader, leader->exit_signal);
			if (zap_leader)
				leader->exit_state = EXIT_DEAD;
		}
		write_unlock(&tasklist_lock);
		put_task_struct(t);
		t = leader;
	} while (zap_leader);
}

void release_unstarted(struct task_struct *t)
{
	struct signal_struct *s = t->signal;
	struct task_struct *parent;

	if (atomic_dec_and_test(&s->live))
		exit_group_timers(s);
	if (t->mm) {
		mmput(t->mm);
		t->mm = NULL;
	}
	exit_sysvsem(t);
	task_fs->exit_files(t);
	task_fs->exit_fs(t);
	write_lock(&tasklist_lock);
	if (child_reaper == t)
		child_reaper = NULL;
	t->exit_state = EXIT_DEAD;
	parent = t->real_parent;
	wake_up_interruptible_all(&parent->signal->wait_chldexit);
	write_unlock(&tasklist_lock);
	release_task(t);
	put_task_struct(t); /* the reference for running */
}

/* ---- orphans ---- */

static struct task_struct *find_alive_thread(struct task_struct *p)
{
	struct task_struct *t;

	for_each_thread (p, t)
		if (!(t->flags & PF_EXITING))
			return t;
	return NULL;
}

static struct task_struct *find_new_reaper(struct task_struct *father, bool *to_init)
{
	struct task_struct *t, *p;

	*to_init = false;
	t = find_alive_thread(father);
	if (t)
		return t;
	if (father->signal->has_child_subreaper) {
		for (p = father->real_parent; p != &init_task && !same_thread_group(p, child_reaper);
		     p = p->real_parent)
			if (p->signal->is_child_subreaper && (t = find_alive_thread(p)))
				return t;
	}
	*to_init = !child_reaper->signal->is_child_subreaper;
	t = find_alive_thread(child_reaper);
	return t ? t : child_reaper;
}

static bool will_become_orphaned_pgrp(struct pid *pgrp, struct task_struct *ignored)
{
	struct signal_struct *s;

	if (!pgrp)
		return true;
	list_for_each_entry (s, &pgrp->members, pgrp_node) {
		struct task_struct *p = s->leader;
		struct signal_struct *ps = p->real_parent->signal;

		if (p == ignored || (p->exit_state && thread_group_empty(p)) || p->orphan_autoreap)
			continue;
		if (ps->pgrp != pgrp && ps->sid == s->sid)
			return false;
	}
	return true;
}

bool is_current_pgrp_orphaned(void)
{
	bool r;

	read_lock(&tasklist_lock);
	r = will_become_orphaned_pgrp(current->signal->pgrp, NULL);
	read_unlock(&tasklist_lock);
	return r;
}

static bool has_stopped_jobs(struct pid *pgrp)
{
	struct signal_struct *s;

	list_for_each_entry (s, &pgrp->members, pgrp_node)
		if (s->flags & SIGNAL_STOP_STOPPED)
			return true;
	return false;
}

/* t leaves its group or its parent ends: a group with stopped jobs that nobody can continue any more is hung up. */
static void kill_orphaned_pgrp(struct task_struct *t, struct task_struct *parent)
{
	struct pid *pgrp = t->signal->pgrp;
	struct task_struct *ignored = t;

	if (!parent)
		parent = t->real_parent;
	else
		ignored = NULL;
	if (!pgrp || parent->signal->pgrp == pgrp || parent->signal->sid != t->signal->sid)
		return;
	if (will_become_orphaned_pgrp(pgrp, ignored) && has_stopped_jobs(pgrp)) {
		kill_pgrp_locked(pgrp->nr, SIGHUP, 1);
		kill_pgrp_locked(pgrp->nr, SIGCONT, 1);
	}
}

static void reparent_leader(struct task_struct *father, struct task_struct *p, bool to_init, struct list_head *dead)
{
	if (p->exit_state == EXIT_DEAD)
		return;
	p->exit_signal = SIGCHLD;
	if (to_init)
		p->orphan_autoreap = true;
	if (!p->ptrace && p->exit_state == EXIT_ZOMBIE && thread_group_empty(p) &&
	    do_notify_parent(p, p->exit_signal)) {
		p->exit_state = EXIT_DEAD;
		list_add(&p->exit_node, dead);
	}
	kill_orphaned_pgrp(p, father);
}

static void forget_original_parent(struct task_struct *father, struct list_head *dead)
{
	struct task_struct *reaper, *p, *n, *t;
	bool to_init;

	if (unlikely(!list_empty(&father->ptraced)))
		exit_ptrace(father, dead);
	if (list_empty(&father->children))
		return;
	reaper = find_new_reaper(father, &to_init);
	list_for_each_entry_safe (p, n, &father->children, sibling) {
		for_each_thread (p, t) {
			t->real_parent = reaper;
			if (likely(!t->ptrace))
				t->parent = reaper;
			t->ppid = reaper->tgid;
			if (t->pdeath_signal)
				do_send_sig_info(t->pdeath_signal, SEND_SIG_NOINFO, t, true);
		}
		list_move_tail(&p->sibling, &reaper->children);
		if (!same_thread_group(reaper, father))
			reparent_leader(father, p, to_init, dead);
	}
}

/* ---- do_exit ---- */

/* A zombie now, or dead at once where nobody will wait. Ends with current unable to run user code ever again. */
static void exit_notify(struct task_struct *me, bool group_dead)
{
	struct signal_struct *s = me->signal;
	struct task_struct *t, *n;
	bool autoreap = true;
	struct wake_q wq;
	LIST_HEAD(dead);

	wake_q_begin(&wq);
	write_lock(&tasklist_lock);
	forget_original_parent(me, &dead);
	if (group_dead)
		kill_orphaned_pgrp(me->group_leader, NULL);
	me->exit_state = EXIT_ZOMBIE;
	if (unlikely(me->ptrace)) {
		bool whole = thread_group_leader(me) && thread_group_empty(me) && !ptrace_reparented(me);

		autoreap = do_notify_parent(me, whole ? me->exit_signal : SIGCHLD);
	} else if (thread_group_leader(me))
		autoreap = thread_group_empty(me) && do_notify_parent(me, me->exit_signal);
	if (autoreap) {
		me->exit_state = EXIT_DEAD;
		list_add(&me->exit_node, &dead);
	}
	/* execve in another thread waits for this leader to be a zombie */
	if (s->notify_count < 0)
		wake_up_process(s->group_exec_task);
	write_unlock(&tasklist_lock);
	list_for_each_entry_safe (t, n, &dead, exit_node)
		release_task(t);
	wake_q_end(&wq);
}

static bool others_alive(struct task_struct *me)
{
	struct task_struct *t;
	bool found = false;

	read_lock(&tasklist_lock);
	for_each_process (t)
		if (!(t->flags & PF_KTHREAD) && !same_thread_group(t, me) && !t->exit_state) {
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, true);
			found = true;
		}
	read_unlock(&tasklist_lock);
	return found;
}

/* pid 1 has ended: nothing outlives it. */
static __noreturn void end_sandbox(struct task_struct *me, int status)
{
	u64 end = ktime_get_ns() + SHUTDOWN_PATIENCE;

	while (others_alive(me) && ktime_get_ns() < end) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_timeout(NSEC_PER_MSEC);
	}
	kernel_shutdown(status);
}

void do_exit(long code)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	bool group_dead;

	if (unlikely(me->pid == 0))
		panic("the boot task ended");
	if (unlikely(me->flags & PF_EXITING))
		panic("%s[%d] ended twice", me->comm, me->pid);
	coredump_task_exit(me);
	ptrace_event(PTRACE_EVENT_EXIT, code);
	exit_signals(me);
	me->exit_code = code;
	group_dead = atomic_dec_and_test(&s->live);
	if (group_dead) {
		/* threads that ended one by one: the last one's status is the process's */
		spin_lock(&me->sighand->siglock);
		if (!(s->flags & SIGNAL_GROUP_EXIT)) {
			s->flags = SIGNAL_GROUP_EXIT;
			s->group_exit_code = code;
			s->group_stop_count = 0;
		}
		spin_unlock(&me->sighand->siglock);
		exit_group_timers(s);
		if (child_reaper && s == child_reaper->signal) {
			task_fs->exit_files(me);
			task_fs->exit_fs(me);
			trace_exit(code);
			end_sandbox(me, s->group_exit_code);
		}
		if (me->mm)
			s->maxrss = max_t(u64, s->maxrss, task_max_rss(me->mm));
	}
	exit_mm(me);
	exit_sysvsem(me);
	task_fs->exit_files(me);
	task_fs->exit_fs(me);
	if (group_dead && s->leader_of_session)
		session_leader_exit(me);
	task_works_exit();
	me->cpu_sampled_at = 0;
	account_cputime();
	trace_exit(code);
	exit_notify(me, group_dead);
	reap_dead_stacks();
	spin_lock(&dead_lock);
	WRITE_ONCE(me->state, EXIT_DEAD);
	list_add_tail(&me->dead_node, &dead_tasks);
	spin_unlock(&dead_lock);
	platform->exit_thread();
}

void do_group_exit(int code)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	struct wake_q wq;

	if (s->flags & SIGNAL_GROUP_EXIT) {
		code = s->group_exit_code;
	} else if (s->group_exec_task) {
		code = 0;
	} else {
		wake_q_begin(&wq);
		spin_lock(&me->sighand->siglock);
		if (s->flags & SIGNAL_GROUP_EXIT) {
			code = s->group_exit_code;
		} else if (s->group_exec_task) {
			code = 0;
		} else {
			s->group_exit_code = code;
			s->flags = SIGNAL_GROUP_EXIT;
			zap_other_threads(me);
		}
		spin_unlock(&me->sighand->siglock);
		wake_q_end(&wq);
	}
	do_exit(code);
}

SYSCALL_DEFINE1(exit, int, code)
{
	do_exit((code & 0xff) << 8);
}

SYSCALL_DEFINE1(exit_group, int, code)
{
	do_group_exit((code & 0xff) << 8);
}
