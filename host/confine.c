// SPDX-License-Identifier: Apache-2.0
// The third wall: once the sandbox runs, the monitor gives up what it will not need again.

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sandbox.h"

/*
 * A list of what is refused, not of what is allowed: the back ends use files in every way that a guest may, and a C library
 * may change the calls it makes. What is refused: other programs, other processes, the network, new privileges, mounts,
 * the machine's own state. accept4() stays: the one socket that listens is the control socket, made before. Calls that are allowed
 * without a look at their arguments cost nothing (the host caches that).
 */
static const int refused[] = {
	SYS_execve,
	SYS_execveat,
	SYS_fork,
	SYS_vfork,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_process_madvise,
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_sendto,
	SYS_sendmmsg,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_mount_setattr,
	SYS_setns,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_syslog,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
	SYS_personality,
	SYS_vhangup,
	SYS_open_by_handle_at,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_shmget,
	SYS_shmat,
	SYS_msgget,
	SYS_semget,
	SYS_mq_open,
	SYS_fanotify_init,
	447, /* memfd_secret: not in every libc */
	SYS_lookup_dcookie,
	SYS_nfsservctl,
	SYS_uselib,
	SYS_migrate_pages,
	SYS_move_pages,
};
#define NREFUSED (sizeof(refused) / sizeof(*refused))

#define ARG_LO(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define STMT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, t, f) ((struct sock_filter)BPF_JUMP(code, k, t, f))
#define RET(what) STMT(BPF_RET | BPF_K, what)
#define REFUSE RET(SECCOMP_RET_ERRNO | EPERM)

static void install_filter(void)
{
	struct sock_filter f[NREFUSED * 2 + 40];
	struct sock_fprog prog = {.filter = f};
	unsigned n = 0;

	f[n++] = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	f[n++] = RET(SECCOMP_RET_KILL_PROCESS);
	f[n++] = STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	f[n++] = JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32 */
	f[n++] = RET(SECCOMP_RET_KILL_PROCESS);
	for (unsigned i = 0; i < NREFUSED; i++) {
		f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], 0, 1);
		f[n++] = REFUSE;
	}
	/* threads only; the library falls back to clone, whose flags a filter can see */
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	f[n++] = RET(SECCOMP_RET_ERRNO | ENOSYS);
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
	f[n++] = STMT(BPF_LD | BPF_W | BPF_ABS, ARG_LO(0));
	f[n++] = JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
	f[n++] = RET(SECCOMP_RET_ALLOW);
	f[n++] = REFUSE;
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 4);
	f[n++] = STMT(BPF_LD | BPF_W | BPF_ABS, ARG_LO(0));
	f[n++] = JUMP(BPF_JMP | BPF_JSET | BPF_K, ~(uint32_t)(CLONE_FS | CLONE_FILES), 0, 1);
	f[n++] = REFUSE;
	f[n++] = RET(SECCOMP_RET_ALLOW);
	/* typing into the terminal for the user */
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4);
	f[n++] = STMT(BPF_LD | BPF_W | BPF_ABS, ARG_LO(1));
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0);
	f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1);
	f[n++] = REFUSE;
	f[n++] = RET(SECCOMP_RET_ALLOW);
	prog.len = n;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) && errno != ENOSYS)
		say("warning: the monitor's own seccomp filter was refused; going on without that wall");
}

#define CAP(c) (1ULL << (c))

/*
 * With shares that may be written, root's file capabilities are needed to create files for the guest's users; for
 * reading, only those that pass permissions: the guest kernel checks them itself.
 */
static void drop_capabilities(bool may_write_files, bool may_kill)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	uint64_t keep = CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_DAC_OVERRIDE), now;

	if (may_write_files)
		keep |= CAP(CAP_CHOWN) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) | CAP(CAP_SETUID) | CAP(CAP_SETGID) |
			CAP(CAP_SETFCAP);
	if (may_kill)
		keep |= CAP(CAP_KILL);
	if (syscall(SYS_capget, &h, d))
		return;
	now = (d[0].permitted | (uint64_t)d[1].permitted << 32) & keep;
	if (now == (d[0].permitted | (uint64_t)d[1].permitted << 32))
		return;
	d[0].effective = d[0].permitted = now;
	d[1].effective = d[1].permitted = now >> 32;
	d[0].inheritable = d[1].inheritable = 0;
	syscall(SYS_capset, &h, d);
}

/* Call it before any thread is started: threads inherit it. @may_kill: the jail is another user's than the monitor */
void monitor_confine(bool may_write_files, bool may_kill)
{
	drop_capabilities(may_write_files, may_kill);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return;
	install_filter();
}
