/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and what they share: struct task_struct, signal_struct, sighand_struct; pids; wake-ups. */
#ifndef HUSK_SCHED_H
#define HUSK_SCHED_H

#include <husk/kernel.h>
#include <husk/list.h>
#include <husk/rbtree.h>
#include <husk/lock.h>
#include <husk/wait.h>
#include <husk/cred.h>
#include <husk/thread_info.h>
#include <husk/signal.h>
#include <linux/resource.h>
#include <linux/sched.h>

struct mm_struct;
struct files_struct;
struct fs_struct;
struct tty_struct;
struct robust_list_head;
struct timer;

#define TASK_COMM_LEN 16
#define RLIM_NLIMITS_ 16

/* Shared by the threads of a process. */
struct signal_struct {
	refcount_t refs;
	int nr_threads;		      /* live threads; under tasklist_lock */
	struct list_head thread_head; /* task->thread_node; under tasklist_lock */
	struct task_struct *leader;
	wait_queue_head_t wait_chldexit;
	struct sigpending shared_pending; /* under sighand->siglock */
	int group_exit_code;
	struct task_struct *group_exec_task; /* thread in execve waiting for the others to die */
	int notify_count;
	int group_stop_count;
	unsigned flags;	 /* SIGNAL_* */
	pid_t pgid, sid; /* under tasklist_lock */
	bool leader_of_session;
	struct tty_struct *tty; /* controlling terminal; under tasklist_lock; tty holds no ref on us */
	bool is_child_subreaper;
	struct rlimit rlim[RLIM_NLIMITS_]; /* under task_lock(leader) */
	/* CPU and fault counters of threads that are gone, and of reaped children */
	u64 utime, stime, cutime, cstime, min_flt, maj_flt, cmin_flt, cmaj_flt, nvcsw, nivcsw, cnvcsw, cnivcsw;
	u64 maxrss, cmaxrss;
	struct timer *real_timer; /* ITIMER_REAL */
	u64 it_real_incr, it_prof_incr, it_virt_incr, it_prof_expires, it_virt_expires;
	struct list_head posix_timers;
	int next_posix_timer_id;
	short oom_score_adj;
	pid_t tty_old_pgrp; /* foreground group of the terminal the session lost by a hang-up; 0 in a new session */
	atomic_t live;	    /* threads that have not begun to exit */
	struct pid *pgrp, *session; /* pgid and sid as objects; under tasklist_lock */
	struct list_head pgrp_node; /* pgrp->members */
	bool has_child_subreaper;   /* an ancestor may be one */
	bool cpu_timers;	    /* some CPU-time limit or timer is armed: account_cputime() looks */
	struct timer *cpu_tick;	    /* kicks running threads while cpu_timers; see kernel/time/cputimer.c */
	u64 rlim_cpu_next;	    /* when SIGXCPU is due, ns of CPU time */
	u64 inblock, oublock, cinblock, coublock;
	struct core_state *core_state; /* a thread dumps core (husk/coredump.h); under siglock */
};
#define SIGNAL_STOP_STOPPED 1
#define SIGNAL_STOP_CONTINUED 2
#define SIGNAL_GROUP_EXIT 4
#define SIGNAL_CLD_STOPPED 8
#define SIGNAL_CLD_CONTINUED 16
#define SIGNAL_UNKILLABLE 32

struct sighand_struct {
	refcount_t count;
	spinlock_t siglock; /* pending sets, actions, blocked masks, group stop */
	struct k_sigaction action[_NSIG];
	wait_queue_head_t signalfd_wqh;
};

struct task_struct {
	u32 state;		/* TASK_*; the host futex of a sleeping task */
	u32 sleeping;		/* in (or entering) the host futex wait on state */
	struct thread_info *ti; /* top of the kernel stack slot */
	refcount_t usage;
	unsigned int flags; /* PF_* */
	pid_t pid, tgid;
	int exit_state;						 /* EXIT_ZOMBIE, EXIT_DEAD; under tasklist_lock */
	int exit_code, exit_signal;				 /* exit_signal -1: a thread that is not the leader */
	struct task_struct *real_parent, *parent, *group_leader; /* under tasklist_lock */
	struct list_head children, sibling;			 /* under tasklist_lock */
	struct list_head thread_node;				 /* signal->thread_head */
	struct list_head tasks;					 /* all thread-group leaders; under tasklist_lock */
	struct hlist_node pid_hash;
	struct mm_struct *mm; /* NULL: kernel thread */
	struct mm_struct
		*dead_mm; /* of one that has ended: goes when it is reaped, or memory is short; taken by xchg() */
	struct files_struct *files;
	struct fs_struct *fs;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	const struct cred *cred;		       /* replaced only by the task itself */
	spinlock_t alloc_lock;			       /* task_lock: mm, files, fs pointers, comm, rlim */
	sigset_t blocked, real_blocked, saved_sigmask; /* under siglock */
	struct sigpending pending;
	unsigned long sas_ss_sp;
	size_t sas_ss_size;
	unsigned sas_ss_flags;
	unsigned jobctl;		      /* JOBCTL_*; under siglock */
	int *set_child_tid, *clear_child_tid; /* user addresses */
	struct robust_list_head *robust_list; /* user address */
	struct task_struct *vfork_parent_waiting;
	struct completion *vfork_done;
	struct restart_block {
		long (*fn)(struct restart_block *);
		u64 arg[6];
	} restart_block;
	char comm[TASK_COMM_LEN];
	int pdeath_signal;
	unsigned personality;
	bool no_new_privs, did_exec, in_execve;
	int nice, sched_policy, rt_priority;
	u64 timer_slack_ns, default_timer_slack_ns; /* the latter: the parent's, when it made this one */
	u64 start_time, start_boottime;		    /* ns, CLOCK_MONOTONIC/BOOTTIME */
	u64 utime, stime, min_flt, maj_flt, nvcsw, nivcsw;
	u64 rchar, wchar, syscr, syscw, read_bytes, write_bytes;
	unsigned ptrace; /* PT_* (husk/ptrace.h); under tasklist_lock and siglock */
	void *journal_info;
	int link_count;		     /* symbolic links followed so far */
	struct list_head task_works; /* struct callback_head; under alloc_lock, run on the way to user mode */
	unsigned long cpus_mask;
	int (*kthread_fn)(void *);
	void *kthread_data;
	struct xarray *io_context;
	int pagefault_disabled;	       /* > 0: a kernel-mode fault is not resolved, the user access fails */
	struct nameidata *nameidata;   /* path walk in progress (fs/namei.c) */
	struct wake_q *wake_q;	       /* wake-ups whose host call is put off; husk/wait.h */
	struct pid *thread_pid;	       /* the object of pid */
	pid_t ppid;		       /* real_parent->tgid, for getppid(); 0 for pid 1 */
	s64 cpu_base;		       /* added to host_thread_cputime() */
	u64 cpu_total, cpu_sampled_at; /* last sample of CPU time, and when (CLOCK_MONOTONIC) */
	u32 parent_exec_id, self_exec_id;
	bool sched_reset_on_fork, thp_disabled;
	bool orphan_autoreap; /* reparented to pid 1, which did not ask for orphans: reaped by the kernel */
	unsigned tsc_mode, ioprio, mce_policy;
	struct list_head dead_node;    /* kernel/exit.c: the host thread is not off the stack yet */
	struct list_head exit_node;    /* kernel/exit.c: to be released */
	struct sem_undo_list *sysvsem; /* SEM_UNDO adjustments, or NULL; ipc/sem_undo.c */
	struct list_head *scm_work;    /* files in flight whose release the outermost caller does (net/scm.c) */
	/* ptrace (kernel/ptrace*.c): ptrace is 0 when nobody traces this task, parent is the tracer otherwise */
	struct list_head ptraced,
		ptrace_entry;		     /* tasks that this one traces; in the tracer's list: under tasklist_lock */
	const struct cred *ptracer_cred;     /* of the tracer when it attached */
	unsigned long ptrace_message;	     /* PTRACE_GETEVENTMSG; under siglock, as the next */
	struct kernel_siginfo *last_siginfo; /* of the signal that the tracer is shown; on the stopped task's stack */
	void *ptrace_xstate;		     /* extended state while stopped (arch/x86/ptrace.c); goes with the task */
	void *ptrace_watch;		     /* debug registers (arch/x86/watch.c); goes with the task */
	bool ptrace_xstate_dirty;	     /* the tracer changed it */
	u64 watch_seen;			     /* kernel/watchdog.c: progress at its last round, */
	u32 watch_rounds;		     /* and how many rounds it is the same */
	bool watch_told;		     /* reported as hung */
	struct trace_task *trace;	     /* kernel/trace/; touched by the task itself only */
#ifdef LOCK_DEBUG
	struct lockdep_task lockdep;
#endif
};
#define PF_KTHREAD 1
#define PF_EXITING 2
#define PF_FORKNOEXEC 4
#define PF_SIGNALED 8
#define PF_VFORK 16
#define PF_POSTCOREDUMP 32 /* too late for a core file to have it: kernel/core_wait.c */

#include <husk/platform.h>

/* Lock order: tasklist_lock -> sighand->siglock -> wait-queue locks. task_lock nests inside tasklist_lock. */
extern struct rw_semaphore tasklist_lock;
extern struct task_struct init_task;	/* pid 0: boot, then the idle parent */
extern struct list_head init_task_list; /* task->tasks of every leader */
extern int nr_threads, nr_kthreads;	/* all, and those of the kernel among them; under tasklist_lock */
extern u64 total_forks;
extern struct task_struct *child_reaper; /* guest pid 1 */

#define task_lock(t) spin_lock(&(t)->alloc_lock)
#define task_unlock(t) spin_unlock(&(t)->alloc_lock)
#define for_each_process(p) list_for_each_entry (p, &init_task_list, tasks)
#define for_each_thread(p, t) list_for_each_entry (t, &(p)->signal->thread_head, thread_node)
#define thread_group_leader(t) ((t)->exit_signal >= 0)
#define same_thread_group(a, b) ((a)->signal == (b)->signal)
static inline bool thread_group_empty(struct task_struct *t)
{
	return READ_ONCE(t->signal->nr_threads) == 1;
}
static inline void get_task_struct(struct task_struct *t)
{
	refcount_inc(&t->usage);
}
void __put_task_struct(struct task_struct *t);
static inline void put_task_struct(struct task_struct *t)
{
	if (refcount_dec_and_test(&t->usage))
		__put_task_struct(t);
}
struct task_struct *find_task_by_pid(pid_t pid);     /* under tasklist_lock */
struct task_struct *find_get_task_by_pid(pid_t pid); /* takes a reference; no lock needed */
static inline u64 rlimit(unsigned limit)
{
	return READ_ONCE(current->signal->rlim[limit].rlim_cur);
}
static inline u64 task_rlimit(struct task_struct *t, unsigned l)
{
	return READ_ONCE(t->signal->rlim[l].rlim_cur);
}

bool wake_up_state(struct task_struct *t, unsigned state);
static inline bool wake_up_process(struct task_struct *t)
{
	return wake_up_state(t, TASK_NORMAL);
}

static inline void set_tsk_flag(struct task_struct *t, int f)
{
	set_bit(f, &t->ti->flags);
}
static inline void clear_tsk_flag(struct task_struct *t, int f)
{
	clear_bit(f, &t->ti->flags);
}
static inline bool test_tsk_flag(struct task_struct *t, int f)
{
	return test_bit(f, &t->ti->flags);
}
#define set_thread_flag(f) set_tsk_flag(current, f)
#define clear_thread_flag(f) clear_tsk_flag(current, f)
#define test_thread_flag(f) test_tsk_flag(current, f)
static inline bool signal_pending(struct task_struct *t)
{
	return unlikely(test_tsk_flag(t, TIF_SIGPENDING));
}
/* a SIGKILL waits for t: what it does in the kernel should end */
static inline bool fatal_signal_pending(struct task_struct *t)
{
	return signal_pending(t) && sigismember(&t->pending.signal, SIGKILL);
}
/* may current do what asks for this capability (CAP_*)? */
static inline bool capable(int cap)
{
	return current->cred->cap_effective & CAP_BIT(cap);
}

/* current has work in the kernel that takes long, and gets on with it */
static inline void touch_watchdog(void)
{
	WRITE_ONCE(current->watch_rounds, 0);
}

struct callback_head {
	struct list_head node;
	void (*func)(struct callback_head *);
};
/* task_work_add: func runs in t before it next goes to user mode (or exits); -ESRCH if t is exiting. Kicks t. */
int task_work_add(struct task_struct *t, struct callback_head *w);
void task_work_run(void);

/* kernel/fork.c, exit.c, kthread.c */
struct kernel_clone_args {
	u64 flags;
	int *pidfd;
	int *child_tid;
	int *parent_tid;
	int exit_signal;
	unsigned long stack, stack_size, tls;
	pid_t *set_tid;
	size_t set_tid_size;
	int (*fn)(void *);
	void *fn_arg;
	struct completion *vfork; /* kernel/fork.c */
	pid_t pid;		  /* out: the new task's */
	int trace;		  /* PTRACE_EVENT_* that the tracer gets, and the child with it */
};
pid_t kernel_clone(struct kernel_clone_args *a);
void do_exit(long code) __noreturn;
void do_group_exit(int code) __noreturn;
struct task_struct *kthread_run(int (*fn)(void *), void *data, const char *fmt, ...) __printf(3, 4);
void set_task_comm(struct task_struct *t, const char *name);
void exec_mm_release(struct task_struct *t, struct mm_struct *mm); /* clear_child_tid, robust list, vfork_done */

/* schedule_tail: arch: what a new task calls first on its own stack, before its function or user mode */
void schedule_tail(struct task_struct *t);
void release_task(struct task_struct *t);      /* takes tasklist_lock; forgets a dead task */
void release_unstarted(struct task_struct *t); /* published by fork, but the host gave no thread */
void reap_dead_stacks(void);		       /* frees tasks whose host thread is gone */
int de_thread(struct task_struct *t);	       /* execve: current is the only thread, and the leader; 0 or -EAGAIN */
int unshare_sighand(struct task_struct *me);   /* execve: signal actions of its own; 0 or -ENOMEM */
extern unsigned int max_threads;
bool is_current_pgrp_orphaned(void); /* nobody outside the group could continue it */

/* CPU time, ns. task_cputime: of a thread, as last sampled (exact for current). thread_group_cputime: of a process, dead threads too. */
void task_cputime(struct task_struct *t, u64 *ut, u64 *st);
void thread_group_cputime(struct task_struct *t, u64 *ut, u64 *st); /* under tasklist_lock or siglock */
void account_cputime(void);					    /* samples current, fires CPU timers */
void cputime_rebase_begin(void);				    /* around a move to another host thread */
void cputime_rebase_end(void);
void get_avenrun(unsigned long loads[3], unsigned long offset, int shift); /* fixed point, FSHIFT bits */
#define FSHIFT 11
#define FIXED_1 (1 << FSHIFT)

#endif
