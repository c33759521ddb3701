// SPDX-License-Identifier: Apache-2.0
// ptrace requests on a stopped task: its memory, signals, masks, register sets, and what it stopped for.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/ptrace.h>
#include "signal_internal.h"

/* ---- memory ---- */

static long peek_data(struct task_struct *t, unsigned long addr, unsigned long data)
{
	struct mm_struct *mm = get_task_mm(t);
	unsigned long word = 0;
	int n = 0;

	if (mm) {
		n = access_remote_vm(mm, addr, &word, sizeof(word), false);
		mmput(mm);
	}
	return n == sizeof(word) ? put_user(word, (unsigned long *)data) : -EIO;
}

static long poke_data(struct task_struct *t, unsigned long addr, unsigned long data)
{
	struct mm_struct *mm = get_task_mm(t);
	int n = 0;

	if (mm) {
		n = access_remote_vm(mm, addr, &data, sizeof(data), true);
		mmput(mm);
	}
	return n == sizeof(data) ? 0 : -EIO;
}

/* ---- signals ---- */

static long get_siginfo(struct task_struct *t, void __user *u)
{
	struct kernel_siginfo info;
	struct sighand_struct *sh = lock_task_sighand(t);
	long r = -EINVAL;

	if (!sh)
		return -ESRCH;
	if (t->last_siginfo) {
		info = *t->last_siginfo;
		r = 0;
	}
	spin_unlock(&sh->siglock);
	return r ? r : copy_siginfo_to_user(u, &info);
}

static long set_siginfo(struct task_struct *t, const void __user *u)
{
	struct kernel_siginfo info;
	struct sighand_struct *sh;
	long r = copy_siginfo_from_user(&info, u);

	if (r)
		return r;
	sh = lock_task_sighand(t);
	if (!sh)
		return -ESRCH;
	r = -EINVAL;
	if (t->last_siginfo) {
		*t->last_siginfo = info;
		r = 0;
	}
	spin_unlock(&sh->siglock);
	return r;
}

/* The entry with this number in the queue; false: there are fewer. */
static bool peek_one(struct task_struct *t, bool shared, u64 off, struct kernel_siginfo *info)
{
	struct sighand_struct *sh = lock_task_sighand(t);
	struct sigpending *p = shared ? &t->signal->shared_pending : &t->pending;
	struct sigqueue *q;
	bool found = false;

	if (!sh)
		return false;
	list_for_each_entry (q, &p->list, list) {
		if (!off--) {
			*info = q->info;
			found = true;
			break;
		}
	}
	spin_unlock(&sh->siglock);
	return found;
}

static long peek_siginfo(struct task_struct *t, const void __user *uargs, char __user *u)
{
	struct ptrace_peeksiginfo_args a;
	struct kernel_siginfo info;
	int n;

	if (copy_from_user(&a, uargs, sizeof(a)))
		return -EFAULT;
	if ((a.flags & ~PTRACE_PEEKSIGINFO_SHARED) || a.nr < 0)
		return -EINVAL;
	for (n = 0; n < a.nr; n++) {
		if (a.off + n < a.off || !peek_one(t, a.flags & PTRACE_PEEKSIGINFO_SHARED, a.off + n, &info))
			break;
		if (copy_siginfo_to_user(u + n * sizeof(info), &info))
			return n ? n : -EFAULT;
		if (signal_pending(current))
			return n + 1;
	}
	return n;
}

static long get_sigmask(struct task_struct *t, unsigned long size, void __user *u)
{
	husk_sigset_t set = test_tsk_flag(t, TIF_RESTORE_SIGMASK) ? t->saved_sigmask : t->blocked;

	if (size != sizeof(set))
		return -EINVAL;
	return copy_to_user(u, &set, sizeof(set)) ? -EFAULT : 0;
}

static long set_sigmask(struct task_struct *t, unsigned long size, const void __user *u)
{
	struct sighand_struct *sh;
	husk_sigset_t set;

	if (size != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, u, sizeof(set)))
		return -EFAULT;
	sh = lock_task_sighand(t);
	if (!sh)
		return -ESRCH;
	t->blocked = set & ~SIG_KERNEL_ONLY_MASK;
	spin_unlock(&sh->siglock);
	clear_tsk_flag(t, TIF_RESTORE_SIGMASK);
	return 0;
}

/* ---- registers and system calls ---- */

static long regset(struct task_struct *t, bool set, unsigned long type, void __user *uiov)
{
	struct iovec iov;
	size_t len;
	long r;

	if (copy_from_user(&iov, uiov, sizeof(iov)))
		return -EFAULT;
	len = iov.iov_len;
	r = arch_regset(t, type, set, iov.iov_base, &len);
	if (!r && put_user(len, &((struct iovec *)uiov)->iov_len))
		return -EFAULT;
	return r;
}

/* What the task stopped for, in info; its size up to the end of that. */
static size_t syscall_info(struct task_struct *t, struct ptrace_syscall_info *info)
{
	struct sighand_struct *sh;
	u64 args[6];
	int code = 0;
	unsigned long message = 0;
	long ax;

	memset(info, 0, sizeof(*info));
	arch_syscall_info(t, info, args);
	sh = lock_task_sighand(t);
	if (sh) {
		code = t->last_siginfo ? t->last_siginfo->si_code : 0;
		message = t->ptrace_message;
		spin_unlock(&sh->siglock);
	}
	if (code != (SIGTRAP | 0x80) || !message)
		return offsetof(struct ptrace_syscall_info, entry);
	info->op = message;
	if (message == PTRACE_EVENTMSG_SYSCALL_ENTRY) {
		info->entry.nr = task_pt_regs(t)->orig_ax;
		memcpy(info->entry.args, args, sizeof(args));
		return offsetof(struct ptrace_syscall_info, entry) + sizeof(info->entry);
	}
	ax = task_pt_regs(t)->ax;
	info->exit.rval = ax;
	info->exit.is_error = (unsigned long)ax >= (unsigned long)-4095L;
	return offsetof(struct ptrace_syscall_info, exit) + offsetof(__typeof__(info->exit), is_error) + 1;
}

static long get_syscall_info(struct task_struct *t, unsigned long size, void __user *u)
{
	struct ptrace_syscall_info info;
	size_t n = syscall_info(t, &info);

	return copy_to_user(u, &info, min_t(size_t, n, size)) ? -EFAULT : (long)n;
}

static long get_rseq(unsigned long size, void __user *u)
{
	struct ptrace_rseq_configuration c = {0}; /* none is ever registered: rseq(2) is ENOSYS */

	return copy_to_user(u, &c, min_t(size_t, size, sizeof(c))) ? -EFAULT : (long)sizeof(c);
}

long ptrace_request(struct task_struct *t, long request, unsigned long addr, unsigned long data)
{
	void *u = (void *)data;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek_data(t, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke_data(t, addr, data);
	case PTRACE_GETEVENTMSG:
		return put_user(t->ptrace_message, (unsigned long *)u);
	case PTRACE_GETSIGINFO:
		return get_siginfo(t, u);
	case PTRACE_SETSIGINFO:
		return set_siginfo(t, u);
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(t, (void *)addr, u);
	case PTRACE_GETSIGMASK:
		return get_sigmask(t, addr, u);
	case PTRACE_SETSIGMASK:
		return set_sigmask(t, addr, u);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(t, request == PTRACE_SETREGSET, addr, u);
	case PTRACE_GET_SYSCALL_INFO:
		return get_syscall_info(t, addr, u);
	case PTRACE_GET_RSEQ_CONFIGURATION:
		return get_rseq(addr, u);
	}
	return arch_ptrace(t, request, addr, data);
}
