/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel side of signals (kernel/signal.c; frames in arch/x86/signal_frame.c). */
#ifndef HUSK_SIGNAL_H
#define HUSK_SIGNAL_H

#include <husk/types.h>
#include <husk/list.h>

struct pt_regs;
struct task_struct;

/* asm/signal.h clashes with nothing in a freestanding build; the kernel's set is one 64-bit word */
#ifndef HUSK_HOSTED
typedef struct {
	u64 sig[1];
} sigset_t_;
#define sigset_t husk_sigset_t
#endif
typedef u64 husk_sigset_t;
#undef _NSIG
#define _NSIG 64
#include <husk/signal_abi.h>

static inline u64 sigmask(int sig)
{
	return 1ULL << (sig - 1);
}
static inline bool sigismember(const husk_sigset_t *s, int sig)
{
	return (*s >> (sig - 1)) & 1;
}
static inline void sigaddset(husk_sigset_t *s, int sig)
{
	*s |= sigmask(sig);
}
static inline void sigdelset(husk_sigset_t *s, int sig)
{
	*s &= ~sigmask(sig);
}
static inline void sigemptyset(husk_sigset_t *s)
{
	*s = 0;
}
static inline void sigfillset(husk_sigset_t *s)
{
	*s = ~0ULL;
}

struct sigpending {
	struct list_head list;
	husk_sigset_t signal;
};
struct k_sigaction { /* also the ABI's layout for rt_sigaction on x86-64 */
	void *handler;
	unsigned long flags;
	void *restorer;
	husk_sigset_t mask;
};
struct ksignal {
	struct k_sigaction ka;
	struct kernel_siginfo info;
	int sig;
};

/*
 * Sending. info NULL-like specials as in Linux: SEND_SIG_NOINFO (from user, current's ids), SEND_SIG_PRIV (kernel).
 * All may be called with tasklist_lock held for reading; they take siglock.
 */
#define SEND_SIG_NOINFO ((struct kernel_siginfo *)0)
#define SEND_SIG_PRIV ((struct kernel_siginfo *)1)
int send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *t); /* to the thread */
int group_send_sig_info(int sig, struct kernel_siginfo *info,
			struct task_struct *t); /* to its process, with permission checks */
int do_send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *t, bool group);
int kill_pgrp(pid_t pgid, int sig, int priv); /* takes tasklist_lock; 0 or -ESRCH */
int kill_pid(pid_t pid, int sig, int priv);
int send_sig(int sig, struct task_struct *t, int priv);
void force_sig(int sig);			     /* to current, cannot be blocked or ignored */
void force_sig_fault(int sig, int code, void *addr); /* synchronous fault of current */
void force_sigsegv(int sig);
void recalc_sigpending(void);
void set_current_blocked(husk_sigset_t *set);
void flush_signal_handlers(struct task_struct *t, int force_default);
void signal_wake_up(struct task_struct *t, bool fatal);	       /* under siglock */
int set_user_sigmask(const husk_sigset_t *umask, size_t size); /* for ppoll and the like: sets TIF_RESTORE_SIGMASK */
void restore_saved_sigmask_unless(bool interrupted);
void flush_sigqueue(struct sigpending *q);
int copy_siginfo_to_user(void *uinfo, const struct kernel_siginfo *info);
int copy_siginfo_from_user(struct kernel_siginfo *info, const void *uinfo);

int dequeue_signal(struct task_struct *t, husk_sigset_t *mask,
		   struct kernel_siginfo *info); /* under siglock; for signalfd too */
struct sighand_struct;
struct sighand_struct *lock_task_sighand(struct task_struct *t); /* with siglock taken, or NULL: t is gone */
void exit_signals(struct task_struct *t);
bool do_notify_parent(struct task_struct *t, int sig); /* tasklist_lock held; true: nobody will wait for t */
int zap_other_threads(struct task_struct *t);	       /* under siglock; how many */
bool task_participate_group_stop(struct task_struct *t);
void ignore_signals(struct task_struct *t);
int kill_pgrp_locked(pid_t pgid, int sig, int priv); /* tasklist_lock held */
void force_fatal_sig(int sig);			     /* current dies of it, whatever it handles */
#define JOBCTL_STOP_SIGMASK 0xffffu
#define JOBCTL_STOP_DEQUEUED 0x10000u
#define JOBCTL_STOP_PENDING 0x20000u
#define JOBCTL_STOP_CONSUME 0x40000u
#define JOBCTL_TRAP_STOP 0x80000u    /* ptrace: stop for the tracer, */
#define JOBCTL_TRAP_NOTIFY 0x100000u /* and tell it of a change of the group's state */
#define JOBCTL_TRAPPING 0x200000u    /* PTRACE_ATTACH waits until a stopped task has become a traced one */
#define JOBCTL_LISTENING 0x400000u   /* PTRACE_LISTEN: stopped, but not for wait() */
#define JOBCTL_TRAP_MASK (JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY)
#define JOBCTL_PENDING_MASK (JOBCTL_STOP_PENDING | JOBCTL_TRAP_MASK)

/* A queued signal with its information; a timer owns one of its own (flags SIGQUEUE_PREALLOC). */
struct user_struct;
struct sigqueue {
	struct list_head list;
	int flags;
	struct user_struct *user;
	struct kernel_siginfo info;
};
#define SIGQUEUE_PREALLOC 1
struct sigqueue *sigqueue_alloc(void);
void sigqueue_free(struct sigqueue *q);
int send_sigqueue(struct sigqueue *q, struct task_struct *t,
		  bool group); /* 0 queued or overrun, 1 ignored, -1 no such task */

/* fs/signalfd.c: before a sighand is freed, so that pollers of a signalfd forget its wait queue */
struct sighand_struct;
void signalfd_cleanup(struct sighand_struct *sighand);

/* arch/x86/signal_frame.c */
int setup_rt_frame(struct ksignal *ks, struct pt_regs *regs); /* 0 or -EFAULT */
void do_notify_resume(struct pt_regs *regs);		      /* work on the way to user mode; called by the arch */

#endif
