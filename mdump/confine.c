// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: gives up what it will not need before the sandbox runs. What it may do then: docs/security.md.

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include "sys.h"

#define EPERM_ 1
#define CAP(c) (1ULL << (c))

static bool enter_root(void)
{
	if (sys(fchdir, MDUMP_FD_DIR) || sys(chroot, "."))
		return false;
	ctl->confined |= MDUMP_C_CHROOT;
	return true;
}

/*
 * The dump directory becomes the root. Who may not do that becomes somebody who may: the jail's user namespace is his own. The helper that
 * takes registers (stop.c) will be born in the jail's pid namespace.
 */
void confine_early(void)
{
	bool rooted = enter_root();

	if (!rooted && config.flags & MDUMP_F_USERNS && !sys(setns, MDUMP_FD_JAIL, CLONE_NEWUSER))
		rooted = enter_root();
	if (!rooted)
		sys(fchdir, MDUMP_FD_DIR);
	sys(close, MDUMP_FD_DIR);
}

void confine_pidns(void)
{
	if (config.flags & MDUMP_F_PIDNS && sys(setns, MDUMP_FD_JAIL, CLONE_NEWPID))
		config.flags &= ~MDUMP_F_PIDNS; /* then threads are had by their host names, where the host allows it */
}

static void keep_capabilities(u64 keep)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	if (sys(capget, &h, d))
		return;
	keep &= d[0].permitted | (u64)d[1].permitted << 32;
	d[0].effective = d[0].permitted = keep;
	d[1].effective = d[1].permitted = keep >> 32;
	d[0].inheritable = d[1].inheritable = 0;
	sys(capset, &h, d);
}

/* The thread that only waits for the kernel's state. */
void confine_thread(void)
{
	keep_capabilities(0);
	sys(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* ---- seccomp ---- */

static const u16 allowed[] = {
	__NR_write, __NR_read,	  __NR_pread64,		__NR_pwrite64,	__NR_lseek,	__NR_futex,
	__NR_ppoll, __NR_exit,	  __NR_exit_group,	__NR_munmap,	__NR_madvise,	__NR_nanosleep,
	__NR_wait4, __NR_close,	  __NR_clock_gettime,	__NR_ftruncate, __NR_renameat2, __NR_unlinkat,
	__NR_dup2,  __NR_getpgid, __NR_restart_syscall,
};

#define STMT(c, k) ((struct sock_filter)BPF_STMT(c, k))
#define JUMP(c, k, t, f) ((struct sock_filter)BPF_JUMP(c, k, t, f))
#define ALLOW STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM_)
#define LOAD(field) STMT(BPF_LD | BPF_W | BPF_ABS, field)
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))

static struct sock_filter filter[ENTRIES(allowed) * 2 + 64];
static unsigned len;

static void emit(struct sock_filter f)
{
	filter[len++] = f;
}

/* nr is allowed if its argument arg, under mask, is one of n values */
static void allow_if(u32 nr, unsigned arg, u32 mask, const u32 *value, unsigned n)
{
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4 + n));
	emit(LOAD(ARG(arg)));
	emit(STMT(BPF_ALU | BPF_AND | BPF_K, mask));
	for (unsigned i = 0; i < n; i++)
		emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, value[i], n - i, 0));
	emit(REFUSE);
	emit(ALLOW);
}

/* kill: the jail's process group, to stop it and to let it go on */
static void allow_kill(void)
{
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_kill, 0, 7));
	emit(LOAD(ARG(0)));
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)-config.jail_pid, 0, 3));
	emit(LOAD(ARG(1)));
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, 19 /* SIGSTOP */, 2, 0));
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, 18 /* SIGCONT */, 1, 0));
	emit(REFUSE);
	emit(ALLOW);
}

static void install_filter(void)
{
	static const u32 requests[] = {PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GETREGSET, PTRACE_DETACH};
	static const u32 create[] = {O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC};
	static const u32 prot[] = {PROT_READ, PROT_READ | PROT_WRITE};
	static const u32 vfork[] = {CLONE_VM | CLONE_VFORK | 17};
	struct {
		u16 len;
		struct sock_filter *filter;
	} prog;

	emit(LOAD(offsetof(struct seccomp_data, arch)));
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	emit(STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	emit(LOAD(offsetof(struct seccomp_data, nr)));
	for (unsigned i = 0; i < ENTRIES(allowed); i++) {
		emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1));
		emit(ALLOW);
	}
	allow_if(__NR_mmap, 2, ~0u, prot, ENTRIES(prot));
	allow_if(__NR_ptrace, 0, ~0u, requests, ENTRIES(requests));
	allow_if(__NR_openat, 2, ~0u, create, ENTRIES(create));
	allow_if(__NR_clone, 0, ~0u, vfork, ENTRIES(vfork));
	allow_kill();
	emit(STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	prog.len = len;
	prog.filter = filter;
	if (!sys(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog))
		ctl->confined |= MDUMP_C_SECCOMP;
}

void confine_late(void)
{
	u64 keep = CAP(CAP_SYS_PTRACE);

	/* root writes into directories of others; the jail, which it stops, is another user's */
	if (ctl->confined & MDUMP_C_CHROOT)
		keep |= CAP(CAP_DAC_OVERRIDE);
	keep |= CAP(CAP_KILL);
	keep_capabilities(keep);
	if (!sys(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		install_filter();
}
