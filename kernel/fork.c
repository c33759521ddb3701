// SPDX-License-Identifier: Apache-2.0
// Making tasks: fork, vfork, clone, clone3.

#include <husk/syscalls.h>
#include <husk/fs.h>
#include <husk/time.h>
#include <husk/ipc.h>
#include <husk/pid.h>
#include <husk/boot.h>
#include <husk/ptrace.h>
#include <husk/trace.h>
#include <husk/task_fs.h>
#include "signal_internal.h"
#include "task_internal.h"

/**
 * DOC: making a task
 *
 * A task is complete and published (pid, lists, parent) before the host is asked for its thread: so the thread needs no start
 * signal, and a kill that comes in between is found pending when it first goes to user mode. When the host gives no thread,
 * release_unstarted() takes it back as if it had died at once.
 *
 * A task has two references of its own: one for being in the lists (release_task drops it), one for running (dropped when its host
 * thread is off its kernel stack, see exit.c).
 */

#define NEW_NAMESPACES                                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |   \
	 CLONE_NEWTIME)
#define TERMINAL_SIGNALS (SM(SIGINT) | SM(SIGQUIT) | SM(SIGHUP) | SM(SIGTERM) | SM(SIGTSTP) | SM(SIGTTIN) | SM(SIGTTOU))

unsigned int max_threads;
static struct kmem_cache *task_cache, *signal_cache, *sighand_cache;

/* Before the first task is made: the boot does that before any initcall. */
static void __cold tasks_init(void)
{
	u64 limit;

	pid_init();
	cred_init();
	signal_init();

	task_cache = kmem_cache_create("task_struct", sizeof(struct task_struct), 64, 0, NULL);
	signal_cache = KMEM_CACHE(signal_struct);
	sighand_cache = KMEM_CACHE(sighand_struct);
	if (!task_cache || !signal_cache || !sighand_cache)
		panic("no memory for tasks");
	/* kernel stacks may take a quarter of RAM */
	limit = max_t(u64, totalram_pages / (4 << THREAD_ORDER), 64);
	max_threads = min_t(u64, boot->max_tasks ?: 32768, limit);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit *r = &init_task.signal->rlim[i];
		u64 most = RLIM_INFINITY;

		if (i == RLIMIT_SIGPENDING || i == RLIMIT_NPROC)
			most = boot->max_tasks ? max_threads
					       : max_threads / 2; /* what was asked for is one user's to have */
		else if (i == RLIMIT_NOFILE)
			most = r->rlim_max;

		r->rlim_cur = min_t(u64, boot->rlimit[i][0], most);
		r->rlim_max = min_t(u64, boot->rlimit[i][1], most);
	}
}

void __put_task_struct(struct task_struct *t)
{
	struct signal_struct *s = t->signal;

	if (t->ti)
		free_thread_info(t->ti);
	kfree(t->ptrace_xstate);
	kfree(t->ptrace_watch);
	put_cred(t->cred);
	if (s && refcount_dec_and_test(&s->refs))
		kmem_cache_free(signal_cache, s);
	kmem_cache_free(task_cache, t);
}

void put_sighand(struct sighand_struct *sh)
{
	if (refcount_dec_and_test(&sh->count)) {
		signalfd_cleanup(sh);
		kmem_cache_free(sighand_cache, sh);
	}
}

struct sighand_struct *alloc_sighand(void)
{
	struct sighand_struct *sh = kmem_cache_alloc(sighand_cache, GFP_KERNEL);

	if (sh) {
		refcount_set(&sh->count, 1);
		spin_lock_init(&sh->siglock);
		init_waitqueue_head(&sh->signalfd_wqh);
	}
	return sh;
}

/* ---- the parts ---- */

static struct task_struct *dup_task_struct(bool kthread)
{
	struct task_struct *me = current, *t;
	struct thread_info *ti;

	reap_dead_stacks();
	t = kmem_cache_alloc(task_cache, GFP_KERNEL);
	if (!t)
		return NULL;
	ti = alloc_thread_info(t);
	if (!ti) {
		kmem_cache_free(task_cache, t);
		return NULL;
	}
	*t = *me;
#ifdef LOCK_DEBUG
	memset(&t->lockdep, 0, sizeof(t->lockdep));
#endif
	ti->task = t;
	t->ti = ti;
	t->state = TASK_RUNNING;
	t->sleeping = 0;
	refcount_set(&t->usage, 2);
	t->flags = (me->flags & ~(PF_KTHREAD | PF_EXITING | PF_SIGNALED | PF_VFORK | PF_POSTCOREDUMP)) | PF_FORKNOEXEC |
		   (kthread ? PF_KTHREAD : 0);
	t->exit_state = t->exit_code = 0;
	t->dead_mm = NULL;
	t->pdeath_signal = 0;
	t->thread_pid = NULL;
	t->signal = NULL;
	INIT_LIST_HEAD(&t->children);
	INIT_LIST_HEAD(&t->sibling);
	INIT_LIST_HEAD(&t->thread_node);
	INIT_LIST_HEAD(&t->tasks);
	INIT_LIST_HEAD(&t->task_works);
	INIT_LIST_HEAD(&t->dead_node);
	INIT_HLIST_NODE(&t->pid_hash);
	spin_lock_init(&t->alloc_lock);
	INIT_LIST_HEAD(&t->pending.list);
	t->pending.signal = 0;
	t->real_blocked = 0;
	t->jobctl = 0;
	t->robust_list = NULL;
	t->clear_child_tid = t->set_child_tid = NULL;
	t->vfork_done = NULL;
	t->vfork_parent_waiting = NULL;
	t->restart_block.fn = do_no_restart_syscall;
	t->did_exec = t->in_execve = false;
	t->utime = t->stime = t->min_flt = t->maj_flt = t->nvcsw = t->nivcsw = 0;
	t->rchar = t->wchar = t->syscr = t->syscw = t->read_bytes = t->write_bytes = 0;
	t->ptrace = 0;
	INIT_LIST_HEAD(&t->ptraced);
	INIT_LIST_HEAD(&t->ptrace_entry);
	t->ptracer_cred = NULL;
	t->ptrace_message = 0;
	t->last_siginfo = NULL;
	t->ptrace_xstate = NULL;
	t->ptrace_watch = NULL;
	t->ptrace_xstate_dirty = false;
	t->journal_info = NULL;
	t->default_timer_slack_ns = t->timer_slack_ns;
	t->link_count = 0;
	t->kthread_fn = NULL;
	t->kthread_data = NULL;
	t->io_context = NULL;
	t->pagefault_disabled = 0;
	t->nameidata = NULL;
	t->wake_q = NULL;
	t->trace = NULL;
	t->cpu_base = 0;
	t->cpu_total = 0;
	t->orphan_autoreap = false;
	t->start_time = ktime_get_ns();
	t->start_boottime = ktime_get_boottime_ns();
	t->cpu_sampled_at = t->start_time;
	if (t->sched_reset_on_fork) {
		if (t->sched_policy == SCHED_FIFO || t->sched_policy == SCHED_RR) {
			t->sched_policy = SCHED_NORMAL;
			t->rt_priority = 0;
			t->nice = 0;
		} else if (t->nice < 0) {
			t->nice = 0;
		}
		t->sched_reset_on_fork = false;
	}
	return t;
}

static int copy_cred(struct task_struct *t, u64 flags)
{
	struct user_struct *u = current->cred->user;

	if ((u64)atomic_read(&u->processes) >= rlimit(RLIMIT_NPROC) && u->uid && !capable(CAP_SYS_RESOURCE) &&
	    !capable(CAP_SYS_ADMIN))
		return -EAGAIN;
	get_cred(t->cred);
	atomic_inc(&u->processes);
	return 0;
}

static int copy_files(struct task_struct *t, u64 flags, bool kthread)
{
	int err = 0;

	if (kthread || !current->files) {
		t->files = current->files ? current->files : NULL;
		if (t->files)
			refcount_inc(&t->files->count);
		return 0;
	}
	if (flags & CLONE_FILES) {
		refcount_inc(&t->files->count);
		return 0;
	}
	t->files = task_fs->dup_files(current->files, &err);
	if (!IS_ERR_OR_NULL(t->files))
		return 0;
	t->files = NULL;
	return err ? err : -ENOMEM;
}

const struct sysvsem_ops *sysvsem_ops;

static int copy_sysvsem(struct task_struct *t, u64 flags)
{
	t->sysvsem = NULL;
	return (flags & CLONE_SYSVSEM) && sysvsem_ops ? sysvsem_ops->share(t) : 0;
}

static int copy_fs(struct task_struct *t, u64 flags)
{
	if (!t->fs)
		return 0;
	if (flags & CLONE_FS) {
		refcount_inc(&t->fs->users);
		return 0;
	}
	t->fs = task_fs->copy_fs(current->fs);
	return t->fs ? 0 : -ENOMEM;
}

static int copy_sighand(struct task_struct *t, u64 flags)
{
	struct sighand_struct *sh, *old = current->sighand;

	if (flags & CLONE_SIGHAND) {
		refcount_inc(&old->count);
		return 0;
	}
	sh = alloc_sighand();
	t->sighand = sh;
	if (!sh)
		return -ENOMEM;
	spin_lock(&old->siglock);
	memcpy(sh->action, old->action, sizeof(sh->action));
	spin_unlock(&old->siglock);
	if (flags & CLONE_CLEAR_SIGHAND)
		flush_signal_handlers(t, 0);
	return 0;
}

static int copy_signal(struct task_struct *t, u64 flags)
{
	struct signal_struct *s, *old = current->signal;

	if (flags & CLONE_THREAD) {
		refcount_inc(&old->refs);
		t->signal = old;
		return 0;
	}
	s = kmem_cache_zalloc(signal_cache, GFP_KERNEL);
	t->signal = s;
	if (!s)
		return -ENOMEM;
	refcount_set(&s->refs, 1);
	s->nr_threads = 1;
	atomic_set(&s->live, 1);
	s->leader = t;
	INIT_LIST_HEAD(&s->thread_head);
	init_waitqueue_head(&s->wait_chldexit);
	INIT_LIST_HEAD(&s->shared_pending.list);
	INIT_LIST_HEAD(&s->posix_timers);
	INIT_LIST_HEAD(&s->pgrp_node);
	task_lock(current->group_leader);
	memcpy(s->rlim, old->rlim, sizeof(s->rlim));
	task_unlock(current->group_leader);
	s->oom_score_adj = old->oom_score_adj;
	s->has_child_subreaper = old->has_child_subreaper || old->is_child_subreaper;
	if (s->rlim[RLIMIT_CPU].rlim_cur != RLIM_INFINITY)
		cpu_timers_arm(s);
	return 0;
}

#define SOON_BELOW_SP 512 /* what the next few calls and their frames take */
/* With a copied address space, current->mm's mmap_lock is held when this returns 0, until dup_mm_done(). */
static int copy_mm(struct task_struct *t, struct kernel_clone_args *a, bool kthread)
{
	unsigned long soon[FORK_SOON] = {0}, sp;
	u64 flags = a->flags;

	t->mm = NULL;
	if (kthread || !current->mm)
		return 0;
	if (flags & CLONE_VM) {
		mmget(current->mm);
		t->mm = current->mm;
		return 0;
	}
	/* on return both write to the stack (the child perhaps to one of its own), and the child the word that it was told */
	sp = a->stack ? a->stack + a->stack_size : task_pt_regs(current)->sp;
	if (sp < TASK_SIZE && sp > SOON_BELOW_SP) {
		soon[0] = sp;
		soon[1] = sp - SOON_BELOW_SP;
	}
	if (flags & CLONE_CHILD_SETTID)
		soon[2] = (unsigned long)a->child_tid;
	t->mm = dup_mm(soon);
	if (!IS_ERR_OR_NULL(t->mm))
		return 0;
	t->mm = NULL;
	return -ENOMEM;
}

/* ---- flags ---- */

static int check_flags(struct kernel_clone_args *a)
{
	u64 f = a->flags;

	if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && child_reaper && current->signal == child_reaper->signal)
		return -EINVAL;
	if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID)))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & (CLONE_DETACHED | CLONE_THREAD)))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if (f & CLONE_INTO_CGROUP)
		return -EOPNOTSUPP;
	if (f & NEW_NAMESPACES) /* husk has one of each */
		return (f & NEW_NAMESPACES & ~CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN) ? -EPERM : -EINVAL;
	return 0;
}

/* ---- putting it together ---- */

/* The new process's place among groups and sessions; pid 1 leads its own. tasklist_lock held. */
static void join_session(struct task_struct *t)
{
	struct signal_struct *s = t->signal, *old = current->signal;

	if (!child_reaper && !(t->flags & PF_KTHREAD)) {
		child_reaper = t;
		signal_set_pgrp(s, t->thread_pid);
		signal_set_session(s, t->thread_pid);
		s->leader_of_session = true;
		return;
	}
	if (t->flags & PF_KTHREAD) /* in no group, out of reach of who signals or asks about pid 1's */
		return;
	s->tty = old->tty;
	signal_set_pgrp(s, old->pgrp);
	signal_set_session(s, old->session);
}

static void set_parent(struct task_struct *t, struct kernel_clone_args *a)
{
	struct task_struct *me = current;

	t->group_leader = t;
	if (a->flags & CLONE_THREAD) {
		t->group_leader = me->group_leader;
		t->exit_signal = -1;
	} else {
		t->exit_signal = a->flags & CLONE_PARENT ? me->group_leader->exit_signal : a->exit_signal;
	}
	if (t->flags & PF_KTHREAD) {
		t->real_parent = &init_task;
	} else if (a->flags & (CLONE_PARENT | CLONE_THREAD)) {
		t->real_parent = me->real_parent;
		t->parent_exec_id = me->parent_exec_id;
		t->orphan_autoreap = me->group_leader->orphan_autoreap;
	} else {
		t->real_parent = me;
		t->parent_exec_id = me->self_exec_id;
	}
	t->parent = t->real_parent;
	t->ppid = t->real_parent->tgid;
}

/* 0, or why current may not have a new task now. Afterwards everybody can find it. */
static int publish(struct task_struct *t, struct kernel_clone_args *a, struct pid *pid)
{
	struct task_struct *me = current;
	struct signal_struct *s = me->signal;
	int err = 0;

	write_lock(&tasklist_lock);
	set_parent(t, a);
	spin_lock(&me->sighand->siglock);
	/* what the terminal sends to the group must reach the child too: handle it first, then fork */
	if (fatal_signal_pending(me) || (s->flags & SIGNAL_GROUP_EXIT))
		err = -EINTR;
	else if (!(a->flags & CLONE_THREAD) && unlikely(s->shared_pending.signal & ~me->blocked & TERMINAL_SIGNALS))
		err = -ERESTARTNOINTR;
	if (err) {
		spin_unlock(&me->sighand->siglock);
		goto out;
	}
	if (a->flags & CLONE_THREAD) {
		s->nr_threads++;
		atomic_inc(&s->live);
	}
	attach_pid(t, pid);
	ptrace_init_task(t, (a->flags & CLONE_PTRACE) || a->trace);
	list_add_tail(&t->thread_node, &t->signal->thread_head);
	if (thread_group_leader(t)) {
		join_session(t);
		list_add_tail(&t->sibling, &t->real_parent->children);
		list_add_tail(&t->tasks, &init_task_list);
	}
	spin_unlock(&me->sighand->siglock);
	trace_fork(t);
	nr_threads++;
	nr_kthreads += !!(t->flags & PF_KTHREAD);
	total_forks++;
out:
	write_unlock(&tasklist_lock);
	return err;
}

static int make_pidfd(struct kernel_clone_args *a, struct pid *pid, struct file **file, int *fd)
{
	*file = NULL;
	*fd = -1;
	if (!(a->flags & CLONE_PIDFD))
		return 0;
	*fd = task_fs->pidfd_prepare(pid, O_RDWR | O_CLOEXEC, file);
	if (*fd < 0)
		return *fd;
	if (put_user(*fd, a->pidfd)) {
		task_fs->pidfd_cancel(*fd, *file);
		return -EFAULT;
	}
	return 0;
}

/**
 * copy_process - make a task and start it
 * @kthread: a kernel thread; @name: its name, or NULL. Returns the task with an extra reference, or ERR_PTR.
 */
struct task_struct *copy_process(struct kernel_clone_args *a, bool kthread, const char *name)
{
	u64 flags = a->flags;
	struct task_struct *t;
	struct file *pidfile;
	struct pid *pid;
	pid_t want = 0;
	int err, pidfd;
	bool copied;

	if (unlikely(!task_cache))
		tasks_init();
	err = check_flags(a);
	if (err)
		return ERR_PTR(err);
	if (!(flags & CLONE_THREAD) && signal_pending(current)) {
		spin_lock(&current->sighand->siglock);
		recalc_sigpending();
		spin_unlock(&current->sighand->siglock);
		if (signal_pending(current))
			return ERR_PTR(-ERESTARTNOINTR);
	}
	/* what was asked for is the guest's to have: the kernel's own threads come on top */
	if (!kthread && READ_ONCE(nr_threads) - READ_ONCE(nr_kthreads) >= (int)max_threads) {
		reap_dead_stacks();
		return ERR_PTR(-EAGAIN);
	}
	t = dup_task_struct(kthread);
	if (!t)
		return ERR_PTR(-ENOMEM);
	if (name)
		strscpy(t->comm, name, sizeof(t->comm));
	err = copy_cred(t, flags);
	if (err)
		goto bad_task;
	err = copy_files(t, flags, kthread);
	if (err)
		goto bad_cred;
	err = copy_fs(t, flags);
	if (err)
		goto bad_files;
	err = copy_sysvsem(t, flags);
	if (err)
		goto bad_fs;
	err = copy_sighand(t, flags);
	if (err)
		goto bad_sysvsem;
	err = copy_signal(t, flags);
	if (err)
		goto bad_sighand;
	if (kthread)
		ignore_signals(t);
	if (a->fn && !kthread) { /* the boot's pid 1 */
		want = child_reaper ? 0 : 1;
		flush_signal_handlers(t, 1);
	} else if (a->set_tid_size) {
		want = a->set_tid[0];
	}
	pid = alloc_pid(want);
	if (IS_ERR(pid)) {
		err = PTR_ERR(pid);
		goto bad_signal;
	}
	t->pid = pid->nr;
	t->tgid = flags & CLONE_THREAD ? current->tgid : t->pid;
	a->pid = t->pid;
	err = make_pidfd(a, pid, &pidfile, &pidfd);
	if (err)
		goto bad_pid;
	if (flags & CLONE_PARENT_SETTID) /* a bad pointer is the caller's trouble, not an error */
		(void)put_user(t->pid, a->parent_tid);
	t->vfork_done = a->vfork;
	t->set_child_tid = flags & CLONE_CHILD_SETTID ? a->child_tid : NULL;
	t->clear_child_tid = flags & CLONE_CHILD_CLEARTID ? a->child_tid : NULL;
	if ((flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
		t->sas_ss_sp = t->sas_ss_size = t->sas_ss_flags = 0;
	t->kthread_fn = a->fn;
	t->kthread_data = a->fn_arg;
	err = copy_mm(t, a, kthread);
	if (err)
		goto bad_pidfd;
	arch_copy_thread(t, a);
	err = publish(t, a, pid);
	if (err)
		goto bad_mm;
	get_task_struct(t);
	copied = t->mm && t->mm != current->mm; /* the child may be gone, and its mm with it, when the call returns */
	err = platform->start_thread(t, a);
	if (copied)
		dup_mm_done();
	if (unlikely(err)) {
		if (pidfile)
			task_fs->pidfd_cancel(pidfd, pidfile);
		release_unstarted(t);
		put_task_struct(t);
		return ERR_PTR(err);
	}
	if (pidfile)
		task_fs->pidfd_install(pidfd, pidfile);
	return t;

bad_mm:
	if (t->mm) {
		if (!(flags & CLONE_VM))
			dup_mm_done();
		mmput(t->mm);
		t->mm = NULL;
	}
bad_pidfd:
	if (pidfile)
		task_fs->pidfd_cancel(pidfd, pidfile);
bad_pid:
	pid_release(pid);
bad_signal:
	if (!(flags & CLONE_THREAD))
		exit_group_timers(t->signal);
bad_sighand:
	put_sighand(t->sighand);
bad_sysvsem:
	exit_sysvsem(t);
bad_fs:
	task_fs->exit_fs(t);
bad_files:
	task_fs->exit_files(t);
bad_cred:
	atomic_dec(&t->cred->user->processes);
	refcount_set(&t->usage, 1);
	put_task_struct(t);
	return ERR_PTR(err);
bad_task:
	get_cred(t->cred);
	refcount_set(&t->usage, 1);
	put_task_struct(t);
	return ERR_PTR(err);
}

/* false: current was killed meanwhile */
static bool wait_for_vfork(struct task_struct *child, struct completion *vfork)
{
	if (!wait_for_completion_killable(vfork))
		return true;
	task_lock(child);
	child->vfork_done = NULL;
	task_unlock(child);
	return false;
}

/* Which event a traced task's new child is to its tracer; 0: none that it asked for. */
static int ptrace_fork_event(struct kernel_clone_args *a)
{
	int event = PTRACE_EVENT_FORK;

	if (a->flags & CLONE_UNTRACED)
		return 0;
	if (a->flags & CLONE_VFORK)
		event = PTRACE_EVENT_VFORK;
	else if ((a->flags & CLONE_THREAD ? 0 : a->exit_signal) != SIGCHLD)
		event = PTRACE_EVENT_CLONE;
	return ptrace_event_enabled(current, event) ? event : 0;
}

pid_t kernel_clone(struct kernel_clone_args *a)
{
	struct completion vfork;
	struct task_struct *t;
	pid_t nr;

	if ((a->flags & CLONE_PIDFD) && (a->flags & CLONE_PARENT_SETTID) && a->pidfd == a->parent_tid)
		return -EINVAL;
	if (a->flags & CLONE_VFORK) {
		init_completion(&vfork);
		a->vfork = &vfork;
	}
	if (unlikely(current->ptrace))
		a->trace = ptrace_fork_event(a);
	t = copy_process(a, false, NULL);
	if (IS_ERR(t))
		return PTR_ERR(t);
	nr = a->pid;
	if (unlikely(a->trace))
		ptrace_event(a->trace, nr);
	if ((a->flags & CLONE_VFORK) && wait_for_vfork(t, &vfork))
		ptrace_event(PTRACE_EVENT_VFORK_DONE, nr);
	put_task_struct(t);
	return nr;
}

/* The new task's first call, on its own stack. */
void schedule_tail(struct task_struct *t)
{
	if (t->set_child_tid)
		(void)put_user(t->pid, t->set_child_tid);
	if (unlikely(test_tsk_flag(t, TIF_TRACE)))
		trace_started();
}

SYSCALL_DEFINE0(fork)
{
	struct kernel_clone_args a = {.exit_signal = SIGCHLD};

	return kernel_clone(&a);
}

SYSCALL_DEFINE0(vfork)
{
	struct kernel_clone_args a = {.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD};

	return kernel_clone(&a);
}

SYSCALL_DEFINE5(clone, unsigned long, flags, unsigned long, sp, int __user *, ptid, int __user *, ctid, unsigned long,
		tls)
{
	struct kernel_clone_args a = {
		.flags = (u32)flags & ~CSIGNAL,
		.pidfd = ptid,
		.child_tid = ctid,
		.parent_tid = ptid,
		.exit_signal = flags & CSIGNAL,
		.stack = sp,
		.tls = tls,
	};

	return kernel_clone(&a);
}

static int clone3_args(struct kernel_clone_args *a, struct clone_args *u, const void __user *uargs, size_t size)
{
	memset(u, 0, sizeof(*u));
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (copy_from_user(u, uargs, min_t(size_t, size, sizeof(*u))))
		return -EFAULT;
	for (size_t i = sizeof(*u); i < size; i++) {
		u8 b;

		if (get_user(b, (u8 *)uargs + i))
			return -EFAULT;
		if (b)
			return -E2BIG;
	}
	if (u->set_tid_size > 1 || (!u->set_tid) != (!u->set_tid_size)) /* one pid namespace */
		return -EINVAL;
	if ((u->exit_signal & ~(u64)CSIGNAL) || !valid_signal(u->exit_signal))
		return -EINVAL;
	if (u->flags & ~(u64)(0xffffffffULL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
		return -EINVAL;
	if (u->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if ((u->flags & (CLONE_THREAD | CLONE_PARENT)) && u->exit_signal)
		return -EINVAL;
	if (!u->stack != !u->stack_size || (u->stack && !access_ok((void *)u->stack, u->stack_size)))
		return -EINVAL;
	*a = (struct kernel_clone_args){
		.flags = u->flags,
		.pidfd = (int *)u->pidfd,
		.child_tid = (int *)u->child_tid,
		.parent_tid = (int *)u->parent_tid,
		.exit_signal = u->exit_signal,
		.stack = u->stack,
		.stack_size = u->stack_size,
		.tls = u->tls,
		.set_tid_size = u->set_tid_size,
	};
	return 0;
}

SYSCALL_DEFINE2(clone3, const void __user *, uargs, size_t, size)
{
	struct kernel_clone_args a;
	struct clone_args u;
	pid_t want;
	int err = clone3_args(&a, &u, uargs, size);

	if (err)
		return err;
	if (a.set_tid_size) {
		if (get_user(want, (pid_t *)u.set_tid))
			return -EFAULT;
		if (want < 1 || want >= pid_max)
			return -EINVAL;
		if (!capable(CAP_CHECKPOINT_RESTORE) && !capable(CAP_SYS_ADMIN))
			return -EPERM;
		a.set_tid = &want;
	}
	return kernel_clone(&a);
}

SYSCALL_DEFINE1(set_tid_address, int __user *, p)
{
	current->clear_child_tid = p;
	return current->pid;
}

SYSCALL_DEFINE1(unshare, unsigned long, flags)
{
	const u64 known =
		CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | NEW_NAMESPACES;
	int err = 0;

	if (flags & ~known)
		return -EINVAL;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) &&
	    (!thread_group_empty(current) || refcount_read(&current->sighand->count) > 1 ||
	     ((flags & CLONE_VM) && refcount_read(&current->mm->mm_users) > 1)))
		return -EINVAL;
	if (flags & NEW_NAMESPACES)
		return (flags & NEW_NAMESPACES & ~CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN) ? -EPERM : -EINVAL;
	if (flags & CLONE_SYSVSEM)
		exit_sysvsem(current);
	if (flags & CLONE_FS)
		err = task_fs->unshare_fs();
	if (!err && (flags & CLONE_FILES))
		err = task_fs->unshare_files();
	return err;
}
