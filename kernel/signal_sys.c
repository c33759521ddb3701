// SPDX-License-Identifier: Apache-2.0
// System calls about signals.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/pid.h>
#include <husk/task_fs.h>
#include "signal_internal.h"

typedef struct {
	void __user *ss_sp;
	int ss_flags;
	int pad;
	size_t ss_size;
} kstack_t;

#define SA_KNOWN_FLAGS                                                                                                 \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND |              \
	 SA_EXPOSE_TAGBITS | SA_RESTORER)

/* ---- actions and masks ---- */

static int do_sigaction(int sig, const struct k_sigaction *act, struct k_sigaction *old)
{
	struct task_struct *me = current, *t;
	struct k_sigaction *ka;

	if (sig < 1 || sig > _NSIG || (act && sig_kernel_only(sig)))
		return -EINVAL;
	ka = &me->sighand->action[sig - 1];
	spin_lock(&me->sighand->siglock);
	*old = *ka;
	if (act) {
		*ka = *act;
		ka->flags &= SA_KNOWN_FLAGS;
		ka->mask &= ~SIG_KERNEL_ONLY_MASK;
		if (sig_handler_ignored(ka->handler, sig)) { /* pending ones are dropped, blocked or not */
			flush_sigqueue_mask(sigmask(sig), &me->signal->shared_pending);
			for_each_thread (me, t)
				flush_sigqueue_mask(sigmask(sig), &t->pending);
		}
	}
	spin_unlock(&me->sighand->siglock);
	return 0;
}

SYSCALL_DEFINE4(rt_sigaction, int, sig, const struct k_sigaction __user *, uact, struct k_sigaction __user *, uold,
		size_t, size)
{
	struct k_sigaction act, old;
	int r;

	if (size != sizeof(husk_sigset_t))
		return -EINVAL;
	if (uact && copy_from_user(&act, uact, sizeof(act)))
		return -EFAULT;
	r = do_sigaction(sig, uact ? &act : NULL, &old);
	if (!r && uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return r;
}

SYSCALL_DEFINE4(rt_sigprocmask, int, how, const husk_sigset_t __user *, uset, husk_sigset_t __user *, uold, size_t,
		size)
{
	husk_sigset_t old = current->blocked, set;

	if (size != sizeof(husk_sigset_t))
		return -EINVAL;
	if (uset) {
		if (copy_from_user(&set, uset, sizeof(set)))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			set |= old;
			break;
		case SIG_UNBLOCK:
			set = old & ~set;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		set_current_blocked(&set);
	}
	if (uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE2(rt_sigpending, husk_sigset_t __user *, uset, size_t, size)
{
	struct task_struct *me = current;
	husk_sigset_t set;

	if (size > sizeof(set))
		return -EINVAL;
	spin_lock(&me->sighand->siglock);
	set = (me->pending.signal | me->signal->shared_pending.signal) & me->blocked;
	spin_unlock(&me->sighand->siglock);
	return copy_to_user(uset, &set, size) ? -EFAULT : 0;
}

static long wait_for_signal(void)
{
	while (!signal_pending(current)) {
		set_current_state(TASK_INTERRUPTIBLE);
		schedule();
	}
	return -ERESTARTNOHAND;
}

SYSCALL_DEFINE0(pause)
{
	return wait_for_signal();
}

SYSCALL_DEFINE2(rt_sigsuspend, const husk_sigset_t __user *, uset, size_t, size)
{
	struct task_struct *me = current;
	husk_sigset_t set;
	long r;

	if (size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, uset, sizeof(set)))
		return -EFAULT;
	me->saved_sigmask = me->blocked;
	set_current_blocked(&set);
	r = wait_for_signal();
	set_thread_flag(TIF_RESTORE_SIGMASK);
	return r;
}

static int sigtimedwait(husk_sigset_t which, struct kernel_siginfo *info, s64 timeout)
{
	struct task_struct *me = current;
	spinlock_t *lock = &me->sighand->siglock;
	husk_sigset_t mask = ~(which & ~SIG_KERNEL_ONLY_MASK);
	s64 left = timeout;
	int sig;

	spin_lock(lock);
	sig = dequeue_signal(me, &mask, info);
	if (!sig && timeout) {
		/* let the wanted ones wake us, but have senders treat them as blocked */
		me->real_blocked = me->blocked;
		me->blocked &= mask;
		recalc_sigpending();
		spin_unlock(lock);
		set_current_state(TASK_INTERRUPTIBLE);
		left = schedule_timeout(timeout);
		spin_lock(lock);
		__set_task_blocked(me, me->real_blocked);
		me->real_blocked = 0;
		sig = dequeue_signal(me, &mask, info);
	}
	spin_unlock(lock);
	if (sig)
		return sig;
	return timeout && left ? -EINTR : -EAGAIN;
}

SYSCALL_DEFINE4(rt_sigtimedwait, const husk_sigset_t __user *, uset, void __user *, uinfo, const void __user *, uts,
		size_t, size)
{
	s64 timeout = MAX_SCHEDULE_TIMEOUT;
	struct kernel_siginfo info;
	struct timespec64 ts;
	husk_sigset_t set;
	int r;

	if (size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, uset, sizeof(set)))
		return -EFAULT;
	if (uts) {
		if (get_timespec64(&ts, uts))
			return -EFAULT;
		if (!timespec64_valid(&ts))
			return -EINVAL;
		timeout = timespec64_to_ns(&ts);
	}
	r = sigtimedwait(set, &info, timeout);
	if (r > 0 && uinfo && copy_siginfo_to_user(uinfo, &info))
		return -EFAULT;
	return r;
}

/* ---- sending ---- */

static int kill_everyone(int sig, struct kernel_siginfo *info)
{
	struct task_struct *t;
	int r, ret = 0, count = 0;

	for (pid_t nr = 2; (t = find_ge_task(nr, true)); put_task_struct(t)) {
		nr = t->pid + 1;
		if ((t->flags & PF_KTHREAD) || same_thread_group(t, current))
			continue;
		r = group_send_sig_info(sig, info, t);
		count++;
		if (r != -EPERM)
			ret = r;
	}
	return count ? ret : -ESRCH;
}

SYSCALL_DEFINE2(kill, pid_t, pid, int, sig)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = SI_USER};

	si_pid_(&info) = current->tgid;
	si_uid_(&info) = current_uid();
	if (pid > 0) {
		struct task_struct *t = pid == current->tgid ? current->group_leader : find_get_task_by_pid(pid);
		int r;

		if (!t)
			return -ESRCH;
		r = group_send_sig_info(sig, &info, t);
		if (pid != current->tgid)
			put_task_struct(t);
		return r;
	}
	if (pid == INT32_MIN)
		return -ESRCH;
	if (!valid_signal(sig))
		return -EINVAL;
	if (pid == -1)
		return kill_everyone(sig, &info);
	return kill_pgrp(pid ? -pid : current->signal->pgid, sig, 0);
}

static int send_specific(pid_t tgid, pid_t pid, int sig, struct kernel_siginfo *info)
{
	struct task_struct *t;
	int r = -ESRCH;

	t = find_get_task_by_pid(pid);
	if (!t)
		return -ESRCH;
	if (tgid <= 0 || t->tgid == tgid) {
		r = check_kill_permission(sig, info, t);
		if (!r && sig) {
			r = do_send_sig_info(sig, info, t, false);
			if (r == -ESRCH) /* it ended while we looked: as if the signal came a moment before */
				r = 0;
		}
	}
	put_task_struct(t);
	return r;
}

static int do_tkill(pid_t tgid, pid_t pid, int sig)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = SI_TKILL};

	si_pid_(&info) = current->tgid;
	si_uid_(&info) = current_uid();
	return send_specific(tgid, pid, sig, &info);
}

SYSCALL_DEFINE3(tgkill, pid_t, tgid, pid_t, pid, int, sig)
{
	if (pid <= 0 || tgid <= 0)
		return -EINVAL;
	return do_tkill(tgid, pid, sig);
}

SYSCALL_DEFINE2(tkill, pid_t, pid, int, sig)
{
	if (pid <= 0)
		return -EINVAL;
	return do_tkill(0, pid, sig);
}

/* Nobody, not even root, may pretend that the kernel or kill() sent a signal to another process. */
static bool forged(struct kernel_siginfo *info, pid_t pid)
{
	return (info->si_code >= 0 || info->si_code == SI_TKILL) && current->tgid != pid;
}

SYSCALL_DEFINE3(rt_sigqueueinfo, pid_t, pid, int, sig, void __user *, uinfo)
{
	struct kernel_siginfo info;
	struct task_struct *t;
	int r;

	if (copy_siginfo_from_user(&info, uinfo))
		return -EFAULT;
	info.si_signo = sig;
	if (forged(&info, pid))
		return -EPERM;
	t = find_get_task_by_pid(pid);
	if (!t)
		return -ESRCH;
	r = group_send_sig_info(sig, &info, t);
	put_task_struct(t);
	return r;
}

SYSCALL_DEFINE4(rt_tgsigqueueinfo, pid_t, tgid, pid_t, pid, int, sig, void __user *, uinfo)
{
	struct kernel_siginfo info;

	if (copy_siginfo_from_user(&info, uinfo))
		return -EFAULT;
	info.si_signo = sig;
	if (pid <= 0 || tgid <= 0)
		return -EINVAL;
	if ((info.si_code >= 0 || info.si_code == SI_TKILL) && current->pid != pid)
		return -EPERM;
	return send_specific(tgid, pid, sig, &info);
}

int copy_siginfo_to_user(void *uinfo, const struct kernel_siginfo *info)
{
	return copy_to_user(uinfo, info, sizeof(*info)) ? -EFAULT : 0;
}

int copy_siginfo_from_user(struct kernel_siginfo *info, const void *uinfo)
{
	return copy_from_user(info, uinfo, sizeof(*info)) ? -EFAULT : 0;
}

/* ---- alternate stacks ---- */

/* User pointers; either may be NULL. @sp: the user's stack pointer */
static int do_sigaltstack(const void *uss, void *uoss, unsigned long sp)
{
	struct task_struct *me = current;
	kstack_t new, old = {(void *)me->sas_ss_sp, 0, 0, me->sas_ss_size};
	bool on = !(me->sas_ss_flags & SS_AUTODISARM) && sp > me->sas_ss_sp && sp - me->sas_ss_sp <= me->sas_ss_size;

	old.ss_flags = (me->sas_ss_size ? (on ? SS_ONSTACK : 0) : SS_DISABLE) | (me->sas_ss_flags & SS_AUTODISARM);
	if (uss) {
		unsigned mode;

		if (copy_from_user(&new, uss, sizeof(new)))
			return -EFAULT;
		mode = new.ss_flags & ~SS_AUTODISARM;
		if (on)
			return -EPERM;
		if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
			return -EINVAL;
		if (mode == SS_DISABLE) {
			new.ss_sp = NULL;
			new.ss_size = 0;
		} else if (new.ss_size < MINSIGSTKSZ) {
			return -ENOMEM;
		}
		me->sas_ss_sp = (unsigned long)new.ss_sp;
		me->sas_ss_size = new.ss_size;
		me->sas_ss_flags = new.ss_flags;
	}
	if (uoss && copy_to_user(uoss, &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE2(sigaltstack, const void __user *, uss, void __user *, uoss)
{
	return do_sigaltstack(uss, uoss, current_pt_regs()->sp);
}

/* ---- restart ---- */

long do_no_restart_syscall(struct restart_block *r)
{
	return -EINTR;
}

SYSCALL_DEFINE0(restart_syscall)
{
	struct restart_block *r = &current->restart_block;

	return r->fn ? r->fn(r) : -EINTR;
}

SYSCALL_DEFINE4(pidfd_send_signal, int, pidfd, int, sig, void __user *, uinfo, unsigned, flags)
{
	struct kernel_siginfo info = {.si_signo = sig, .si_code = SI_USER};
	struct task_struct *t;
	struct pid *p;
	unsigned ff;
	int r;

	if (flags)
		return -EINVAL;
	p = task_fs->pidfd_pid(pidfd, &ff);
	if (IS_ERR(p))
		p = task_fs->procfd_pid(pidfd);
	if (IS_ERR(p))
		return PTR_ERR(p);
	r = -ESRCH;
	t = get_pid_task(p);
	if (!t)
		goto out;
	if (uinfo) {
		r = -EFAULT;
		if (copy_siginfo_from_user(&info, uinfo))
			goto put;
		r = -EINVAL;
		if (info.si_signo != sig)
			goto put;
		r = -EPERM;
		if ((info.si_code >= 0 || info.si_code == SI_TKILL) && !same_thread_group(t, current))
			goto put;
	} else {
		si_pid_(&info) = current->tgid;
		si_uid_(&info) = current_uid();
	}
	r = group_send_sig_info(sig, &info, t);
put:
	put_task_struct(t);
out:
	put_pid(p);
	return r;
}
