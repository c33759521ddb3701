/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of names: each is one set of flags or values, in the order in which strace prints them. */
#ifndef TRACE_TABLES_H
#define TRACE_TABLES_H

#include "impl.h"

#define NAMES_OF(id, unknown, wide, ...)                                                                               \
	static const struct name id##_names[] = {__VA_ARGS__, N_END};                                                  \
	const struct names id = {id##_names, unknown, wide}
#define NAMES(id, unknown, ...) NAMES_OF(id, unknown, false, __VA_ARGS__)
#define NAMES64(id, unknown, ...) NAMES_OF(id, unknown, true, __VA_ARGS__)
/* a name that the installed headers may not have */
#define NV(v, s)                                                                                                       \
	{                                                                                                              \
		v, s                                                                                                   \
	}

/* tables_file.c */
extern const struct names n_open, n_open_mode, n_access, n_at, n_at_access, n_statx_mask, n_statx_attr, n_seek,
	n_rename, n_lock, n_falloc, n_sync_range, n_fadvise, n_xattr, n_mount, n_umount, n_splice, n_rwf, n_memfd,
	n_close_range, n_inotify, n_inotify_init, n_fcntl, n_flock_type, n_fd, n_dn, n_seal, n_owner, n_fs_magic,
	n_st_flags, n_file_type, n_poll, n_epoll, n_epoll_op, n_epoll_create, n_eventfd, n_sfd, n_tfd, n_lease,
	n_resolve, n_lease_get;
/* tables_proc.c */
extern const struct names n_prot, n_map_type, n_map, n_mremap, n_msync, n_mlockall, n_mlock2, n_madvise, n_clone,
	n_clone_unshare, n_setns, n_wait, n_idtype, n_rlimit, n_rusage, n_prio, n_sched, n_sched_flags, n_itimer,
	n_clock, n_timer_flags, n_sigprocmask, n_sa, n_ss, n_si_code, n_si_chld, n_si_segv, n_si_bus, n_si_fpe,
	n_si_ill, n_si_trap, n_si_poll, n_si_sys, n_futex, n_futex_waitv, n_futex_op, n_futex_cmp, n_prctl,
	n_arch_prctl, n_personality, n_membarrier, n_membarrier_flags, n_grnd, n_pidfd, n_cap, n_cap_version, n_syslog,
	n_seccomp, n_seccomp_mode, n_ioprio_who, n_ioprio_class, n_reboot_magic, n_reboot_magic2, n_reboot_cmd,
	n_securebits, n_dumpable, n_tsc, n_ambient, n_none, n_adj, n_adj_status, n_time_state, n_ptrace, n_rseq,
	n_sigev, n_pkey, n_module_init, n_ptrace_options, n_pr_mm, n_pr_vma, n_userfaultfd, n_ipc, n_shmat, n_shmctl,
	n_mce;
/* tables_net.c */
extern const struct names n_seccomp_flags, n_delete_module, n_dirent_type, n_speculation;
extern const struct names n_family, n_sock_type, n_sock_flags, n_msg, n_shutdown, n_level, n_so, n_tcp, n_ip, n_ip6,
	n_ipproto, n_cmsg_socket, n_netlink, n_udp;
/* tables_tty.c */
extern const struct names n_ioctl, n_iflag, n_oflag, n_cflag, n_lflag, n_nldly, n_crdly, n_tabdly, n_bsdly, n_vtdly,
	n_ffdly, n_baud, n_csize, n_tcflush, n_tcxonc, n_ldisc, n_modem, n_pkt;

#endif
