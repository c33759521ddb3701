/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of kernel/ that implement signals. */
#ifndef KERNEL_SIGNAL_INTERNAL_H
#define KERNEL_SIGNAL_INTERNAL_H

#include <husk/sched.h>

#define SM(s) (1ULL << ((s)-1))
#define SIG_KERNEL_ONLY_MASK (SM(SIGKILL) | SM(SIGSTOP))
#define SIG_KERNEL_STOP_MASK (SM(SIGSTOP) | SM(SIGTSTP) | SM(SIGTTIN) | SM(SIGTTOU))
#define SIG_KERNEL_IGNORE_MASK (SM(SIGCONT) | SM(SIGCHLD) | SM(SIGWINCH) | SM(SIGURG))
#define SIG_KERNEL_COREDUMP_MASK                                                                                       \
	(SM(SIGQUIT) | SM(SIGILL) | SM(SIGTRAP) | SM(SIGABRT) | SM(SIGFPE) | SM(SIGSEGV) | SM(SIGBUS) | SM(SIGSYS) |   \
	 SM(SIGXCPU) | SM(SIGXFSZ))
#define SYNCHRONOUS_MASK (SM(SIGSEGV) | SM(SIGBUS) | SM(SIGILL) | SM(SIGTRAP) | SM(SIGFPE) | SM(SIGSYS))
#define sig_kernel_only(s) (SM(s) & SIG_KERNEL_ONLY_MASK)
#define sig_kernel_stop(s) (SM(s) & SIG_KERNEL_STOP_MASK)
#define sig_kernel_ignore(s) (SM(s) & SIG_KERNEL_IGNORE_MASK)
#define valid_signal(s) ((unsigned)(s) <= _NSIG)
#define is_si_special(info) ((unsigned long)(info) <= 1)
#define si_fromuser(info) ((info) == SEND_SIG_NOINFO || (!is_si_special(info) && (info)->si_code <= 0))

int send_signal_locked(int sig, struct kernel_siginfo *info, struct task_struct *t, bool group, bool force);
int check_kill_permission(int sig, struct kernel_siginfo *info, struct task_struct *t);
void do_notify_parent_cldstop(struct task_struct *t, bool for_ptracer, int why);
void retarget_shared_pending(struct task_struct *t, husk_sigset_t which);
void flush_sigqueue_mask(husk_sigset_t mask, struct sigpending *q);
void __set_task_blocked(struct task_struct *t, husk_sigset_t set); /* current, siglock held */
void note_sigpending(void);					   /* siglock held */
void __sigqueue_free(struct sigqueue *q);
bool sig_handler_ignored(void *handler, int sig);
void task_clear_jobctl_pending(struct task_struct *t, unsigned mask);
bool task_set_jobctl_pending(struct task_struct *t, unsigned mask);
long do_no_restart_syscall(struct restart_block *r);

#endif
