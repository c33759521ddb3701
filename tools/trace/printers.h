/* SPDX-License-Identifier: Apache-2.0 */
/* All printers of arguments and results that the table of calls names, by subject. */
#ifndef TRACE_PRINTERS_H
#define TRACE_PRINTERS_H

#include "tables.h"

/* shared */
void put_number(struct dec *d, uint64_t v); /* 0 or 0x.. */
void put_time_comment(struct dec *d, int64_t sec, int64_t nsec);
void put_open_flags(struct dec *d, uint64_t flags);
void put_symbolic_mode(struct dec *d, uint32_t mode);
void put_caps(struct dec *d, uint64_t set);
void put_rusage(struct dec *d, uint64_t addr);
void put_sockaddr(struct dec *d, uint64_t addr, uint32_t len);
void put_iov(struct dec *d, uint64_t addr, uint64_t n, uint64_t total, bool deep);
bool captured_count(struct dec *d, uint64_t addr, uint64_t *n);
void put_timespec_at(struct dec *d, uint64_t addr);
static inline unsigned long major_of(uint64_t dev)
{
	return (dev >> 8 & 0xfff) | (dev >> 32 & ~0xfffull);
}
static inline unsigned long minor_of(uint64_t dev)
{
	return (dev & 0xff) | (dev >> 12 & ~0xffull);
}

/* d_file.c, d_fcntl.c */
ARG(a_open);
ARG(a_open_how);
ARG(a_mknod);
ARG(a_dev);
ARG(a_stat);
ARG(a_statx);
ARG(a_statfs);
ARG(a_dents);
ARG(a_xattr_in);
ARG(a_xattr_out);
ARG(a_xattr_list);
ARG(a_utimes);
ARG(a_utimens);
ARG(a_utimbuf);
ARG(a_offset_io);
ARG(a_offset_in);
ARG(a_mount_flags);
ARG(a_memfd_flags);
ARG(a_statx_flags);
ARG(a_ustat);
ARG(a_fcntl);
ARG(a_fcntl_out);
void r_fcntl(struct dec *d);

/* d_poll.c */
ARG(a_pollfds);
ARG(a_fdset);
ARG(a_pselect_mask);
ARG(a_epoll_events);
ARG(a_epoll_event);
ARG(a_fd_pair);
ARG(a_iov_in);
ARG(a_iov_out);
ARG(a_iov_addr);
void r_poll(struct dec *d);
void r_ppoll(struct dec *d);
void r_select(struct dec *d);
void r_pselect(struct dec *d);

/* d_mem.c */
ARG(a_mmap_flags);
ARG(a_mremap_addr);
ARG(a_mincore);
ARG(a_random);
ARG(a_cpu_mask_in);
ARG(a_cpu_mask_out);

/* d_proc.c, d_prctl.c, d_sys.c */
ARG(a_argv);
ARG(a_envp);
ARG(a_clone);
ARG(a_clone_out);
ARG(a_clone3);
ARG(a_clone3_out);
ARG(a_status);
ARG(a_rusage);
ARG(a_rlimit_in);
ARG(a_rlimit_out);
ARG(a_rlimit64_in);
ARG(a_rlimit64_out);
ARG(a_sched_param);
ARG(a_sched_attr);
ARG(a_id_out);
ARG(a_uint_out);
ARG(a_int_out);
ARG(a_groups_in);
ARG(a_groups_out);
ARG(a_cap_header);
ARG(a_cap_data);
ARG(a_prctl);
ARG(a_prctl_out);
ARG(a_arch_prctl);
ARG(a_arch_prctl_out);
ARG(a_futex);
ARG(a_futex_waitv);
ARG(a_uname);
ARG(a_sysinfo);
ARG(a_times);
ARG(a_personality);
ARG(a_ioprio);
ARG(a_ulong_out);
ARG(a_addr_out);
ARG(a_syslog);
ARG(a_syslog_out);
ARG(a_seccomp_flags);
ARG(a_reboot);
ARG(a_restart);
ARG(a_timex);
ARG(a_ptrace);
ARG(a_shmget_flags);
ARG(a_membarrier_cpu);
void r_prctl(struct dec *d);
void r_sched(struct dec *d);
void r_personality(struct dec *d);
void r_membarrier(struct dec *d);
void r_ioprio(struct dec *d);
void r_adjtimex(struct dec *d);

/* d_signal.c */
ARG(a_sigaction);
ARG(a_sigset);
ARG(a_sigset_out);
ARG(a_siginfo);
ARG(a_siginfo_out);
ARG(a_stack);
ARG(a_sigframe);
void r_sigwait(struct dec *d);

/* d_time.c */
ARG(a_timespec);
ARG(a_timespec_out);
ARG(a_timespec_left);
ARG(a_timespec_left_clock);
ARG(a_timeval);
ARG(a_timeval_out);
ARG(a_timezone);
ARG(a_itimerval);
ARG(a_itimerspec);
ARG(a_itimerspec_out);
ARG(a_itimerval_out);
ARG(a_sigevent);
ARG(a_timer_id);
ARG(a_time_out);
ARG(a_clock);
void r_time(struct dec *d);

/* d_net.c */
ARG(a_family);
ARG(a_sock_type);
ARG(a_protocol);
ARG(a_sockaddr_in);
ARG(a_sockaddr_out);
ARG(a_socklen);
ARG(a_msg_in);
ARG(a_msg_out);
ARG(a_mmsg_in);
ARG(a_mmsg_out);
ARG(a_optname);
ARG(a_opt_in);
ARG(a_opt_out);
ARG(a_optlen_out);
void r_mmsg(struct dec *d);

/* d_ioctl.c */
ARG(a_ioctl);
ARG(a_ioctl_out);
void r_ioctl(struct dec *d);

#endif
