// SPDX-License-Identifier: Apache-2.0
// The table of calls: for each its arguments' printers, how many of them are known before it returns, and its result's form.
#include "printers.h"

/* One argument. */
#define FD                                                                                                             \
	{                                                                                                              \
		a_fd, 0                                                                                                \
	}
#define DFD                                                                                                            \
	{                                                                                                              \
		a_dirfd, 0                                                                                             \
	}
#define INT                                                                                                            \
	{                                                                                                              \
		a_int, 0                                                                                               \
	}
#define UINT                                                                                                           \
	{                                                                                                              \
		a_uint, 0                                                                                              \
	}
#define LONG                                                                                                           \
	{                                                                                                              \
		a_long, 0                                                                                              \
	}
#define SZ                                                                                                             \
	{                                                                                                              \
		a_ulong, 0                                                                                             \
	}
#define HEX                                                                                                            \
	{                                                                                                              \
		a_hex, 0                                                                                               \
	}
#define HEXI                                                                                                           \
	{                                                                                                              \
		a_hexint, 0                                                                                            \
	}
#define ADDR                                                                                                           \
	{                                                                                                              \
		a_addr, 0                                                                                              \
	}
#define PATH                                                                                                           \
	{                                                                                                              \
		a_path, 0                                                                                              \
	}
#define STR                                                                                                            \
	{                                                                                                              \
		a_str, 0                                                                                               \
	}
#define MODE                                                                                                           \
	{                                                                                                              \
		a_mode, 0                                                                                              \
	}
#define PID                                                                                                            \
	{                                                                                                              \
		a_pid, 0                                                                                               \
	}
#define UID                                                                                                            \
	{                                                                                                              \
		a_uid, 0                                                                                               \
	}
#define SIG                                                                                                            \
	{                                                                                                              \
		a_signal, 0                                                                                            \
	}
#define FL(t)                                                                                                          \
	{                                                                                                              \
		a_flags, &(t)                                                                                          \
	}
#define VAL(t)                                                                                                         \
	{                                                                                                              \
		a_value, &(t)                                                                                          \
	}
#define A(f)                                                                                                           \
	{                                                                                                              \
		f, 0                                                                                                   \
	}
#define SET(dist)                                                                                                      \
	{                                                                                                              \
		a_sigset, (void *)(dist)                                                                               \
	}
#define SETO(dist)                                                                                                     \
	{                                                                                                              \
		a_sigset_out, (void *)(dist)                                                                           \
	}
/* one that prints its own comma, or nothing */
#define OWN(f)                                                                                                         \
	{                                                                                                              \
		f, own_comma                                                                                           \
	}

#define COUNT_OF(...) (sizeof((struct spec_arg[]){__VA_ARGS__}) / sizeof(struct spec_arg))
/* C(nr, arguments before the call, form of the result, what follows it, arguments...) */
#define C(nr, before, result, aux, ...) [nr] = {COUNT_OF(__VA_ARGS__), before, result, 1, aux, {__VA_ARGS__}}
/* I: all arguments are known before */
#define I(nr, result, ...) C(nr, COUNT_OF(__VA_ARGS__), result, 0, __VA_ARGS__)
#define Z(nr, result) [nr] = {0, 0, result, 1, 0, {}}

const char own_comma[1];

static const struct spec specs[] = {
	C(0, 1, R_DEC, 0, FD, A(a_buf_out), SZ), /* read */
	I(1, R_DEC, FD, A(a_buf_in), SZ),
	I(2, R_FD, PATH, A(a_open)),
	I(3, R_DEC, FD),
	C(4, 1, R_DEC, 0, PATH, A(a_stat)),
	C(5, 1, R_DEC, 0, FD, A(a_stat)),
	C(6, 1, R_DEC, 0, PATH, A(a_stat)),
	C(7, 3, R_DEC, r_poll, A(a_pollfds), UINT, INT),
	I(8, R_DEC, FD, LONG, VAL(n_seek)),
	I(9, R_HEX, ADDR, SZ, FL(n_prot), A(a_mmap_flags), FD, HEX),
	I(10, R_DEC, ADDR, SZ, FL(n_prot)),
	I(11, R_DEC, ADDR, SZ),
	I(12, R_HEX, ADDR),
	C(13, 2, R_DEC, 0, SIG, A(a_sigaction), A(a_sigaction), SZ),
	C(14, 2, R_DEC, 0, VAL(n_sigprocmask), SET(2), SETO(1), SZ),
	I(15, R_DEC, A(a_sigframe)),
	C(16, 2, R_AUX, r_ioctl, FD, A(a_ioctl), OWN(a_ioctl_out)),
	C(17, 1, R_DEC, 0, FD, A(a_buf_out), SZ, LONG),
	I(18, R_DEC, FD, A(a_buf_in), SZ, LONG),
	C(19, 1, R_DEC, 0, FD, A(a_iov_out), SZ),
	I(20, R_DEC, FD, A(a_iov_in), SZ),
	I(21, R_DEC, PATH, FL(n_access)),
	C(22, 0, R_DEC, 0, A(a_fd_pair)),
	C(23, 5, R_DEC, r_select, INT, A(a_fdset), A(a_fdset), A(a_fdset), A(a_timeval)),
	Z(24, R_DEC),
	I(25, R_HEX, ADDR, SZ, SZ, FL(n_mremap), OWN(a_mremap_addr)),
	I(26, R_DEC, ADDR, SZ, FL(n_msync)),
	C(27, 2, R_DEC, 0, ADDR, SZ, A(a_mincore)),
	I(28, R_DEC, ADDR, SZ, VAL(n_madvise)),
	I(29, R_DEC, HEXI, SZ, A(a_shmget_flags)),
	I(30, R_HEX, INT, ADDR, FL(n_shmat)),
	I(31, R_DEC, INT, VAL(n_shmctl), ADDR),
	I(32, R_FD, FD),
	I(33, R_FD, FD, FD),
	Z(34, R_DEC),
	C(35, 1, R_DEC, 0, A(a_timespec), A(a_timespec_left)),
	C(36, 1, R_DEC, 0, VAL(n_itimer), A(a_itimerval_out)),
	I(37, R_DEC, UINT),
	C(38, 2, R_DEC, 0, VAL(n_itimer), A(a_itimerval), A(a_itimerval_out)),
	Z(39, R_DEC),
	C(40, 2, R_DEC, 0, FD, FD, A(a_offset_io), SZ),
	I(41, R_FD, A(a_family), A(a_sock_type), A(a_protocol)),
	I(42, R_DEC, FD, A(a_sockaddr_in), INT),
	C(43, 1, R_FD, 0, FD, A(a_sockaddr_out), A(a_socklen)),
	I(44, R_DEC, FD, A(a_buf_in), SZ, FL(n_msg), A(a_sockaddr_in), INT),
	C(45, 1, R_DEC, 0, FD, A(a_buf_out), SZ, FL(n_msg), A(a_sockaddr_out), A(a_socklen)),
	I(46, R_DEC, FD, A(a_msg_in), FL(n_msg)),
	C(47, 1, R_DEC, 0, FD, A(a_msg_out), FL(n_msg)),
	I(48, R_DEC, FD, VAL(n_shutdown)),
	I(49, R_DEC, FD, A(a_sockaddr_in), INT),
	I(50, R_DEC, FD, INT),
	C(51, 1, R_DEC, 0, FD, A(a_sockaddr_out), A(a_socklen)),
	C(52, 1, R_DEC, 0, FD, A(a_sockaddr_out), A(a_socklen)),
	C(53, 3, R_DEC, 0, A(a_family), A(a_sock_type), A(a_protocol), A(a_fd_pair)),
	I(54, R_DEC, FD, VAL(n_level), A(a_optname), A(a_opt_in), INT),
	C(55, 3, R_DEC, 0, FD, VAL(n_level), A(a_optname), A(a_opt_out), A(a_optlen_out)),
	C(56, 1, R_DEC, 0, A(a_clone), OWN(a_clone_out)),
	Z(57, R_DEC),
	Z(58, R_DEC),
	I(59, R_DEC, PATH, A(a_argv), A(a_envp)),
	I(60, R_NONE, INT),
	C(61, 1, R_DEC, 0, PID, A(a_status), FL(n_wait), A(a_rusage)),
	I(62, R_DEC, PID, SIG),
	C(63, 0, R_DEC, 0, A(a_uname)),
	I(67, R_DEC, ADDR),
	C(72, 2, R_AUX, r_fcntl, FD, A(a_fcntl), OWN(a_fcntl_out)),
	I(73, R_DEC, FD, FL(n_lock)),
	I(74, R_DEC, FD),
	I(75, R_DEC, FD),
	I(76, R_DEC, PATH, SZ),
	I(77, R_DEC, FD, SZ),
	C(78, 1, R_DEC, 0, FD, A(a_dents), UINT),
	C(79, 0, R_DEC, 0, A(a_cwd), SZ),
	I(80, R_DEC, PATH),
	I(81, R_DEC, FD),
	I(82, R_DEC, PATH, PATH),
	I(83, R_DEC, PATH, MODE),
	I(84, R_DEC, PATH),
	I(85, R_FD, PATH, MODE),
	I(86, R_DEC, PATH, PATH),
	I(87, R_DEC, PATH),
	I(88, R_DEC, PATH, PATH),
	C(89, 1, R_DEC, 0, PATH, A(a_buf_out), SZ),
	I(90, R_DEC, PATH, MODE),
	I(91, R_DEC, FD, MODE),
	I(92, R_DEC, PATH, UID, UID),
	I(93, R_DEC, FD, UID, UID),
	I(94, R_DEC, PATH, UID, UID),
	I(95, R_OCT, MODE),
	C(96, 0, R_DEC, 0, A(a_timeval_out), A(a_timezone)),
	C(97, 1, R_DEC, 0, VAL(n_rlimit), A(a_rlimit_out)),
	C(98, 1, R_DEC, 0, VAL(n_rusage), A(a_rusage)),
	C(99, 0, R_DEC, 0, A(a_sysinfo)),
	C(100, 0, R_UDEC, 0, A(a_times)),
	I(101, R_DEC, A(a_ptrace)),
	Z(102, R_DEC),
	C(103, 1, R_DEC, 0, A(a_syslog), OWN(a_syslog_out)),
	Z(104, R_DEC),
	I(105, R_DEC, UID),
	I(106, R_DEC, UID),
	Z(107, R_DEC),
	Z(108, R_DEC),
	I(109, R_DEC, PID, PID),
	Z(110, R_DEC),
	Z(111, R_DEC),
	Z(112, R_DEC),
	I(113, R_DEC, UID, UID),
	I(114, R_DEC, UID, UID),
	C(115, 1, R_DEC, 0, INT, A(a_groups_out)),
	I(116, R_DEC, INT, A(a_groups_in)),
	I(117, R_DEC, UID, UID, UID),
	C(118, 0, R_DEC, 0, A(a_id_out), A(a_id_out), A(a_id_out)),
	I(119, R_DEC, UID, UID, UID),
	C(120, 0, R_DEC, 0, A(a_id_out), A(a_id_out), A(a_id_out)),
	I(121, R_DEC, PID),
	I(122, R_DEC, UID),
	I(123, R_DEC, UID),
	I(124, R_DEC, PID),
	C(125, 0, R_DEC, 0, A(a_cap_header), A(a_cap_data)),
	I(126, R_DEC, A(a_cap_header), A(a_cap_data)),
	C(127, 0, R_DEC, 0, SETO(1), SZ),
	C(128, 1, R_DEC, r_sigwait, SET(3), A(a_siginfo_out), A(a_timespec), SZ),
	I(129, R_DEC, PID, SIG, A(a_siginfo)),
	I(130, R_DEC, SET(1), SZ),
	C(131, 1, R_DEC, 0, A(a_stack), A(a_stack)),
	I(132, R_DEC, PATH, A(a_utimbuf)),
	I(133, R_DEC, PATH, A(a_mknod)),
	I(134, R_DEC, PATH),
	C(135, 1, R_HEX, r_personality, A(a_personality)),
	C(136, 1, R_DEC, 0, A(a_dev), A(a_ustat)),
	C(137, 1, R_DEC, 0, PATH, A(a_statfs)),
	C(138, 1, R_DEC, 0, FD, A(a_statfs)),
	I(139, R_DEC, HEX, HEX, HEX),
	I(140, R_DEC, VAL(n_prio), INT),
	I(141, R_DEC, VAL(n_prio), INT, INT),
	I(142, R_DEC, PID, A(a_sched_param)),
	C(143, 1, R_DEC, 0, PID, A(a_sched_param)),
	I(144, R_DEC, PID, VAL(n_sched), A(a_sched_param)),
	C(145, 1, R_DEC, r_sched, PID),
	I(146, R_DEC, VAL(n_sched)),
	I(147, R_DEC, VAL(n_sched)),
	C(148, 1, R_DEC, 0, PID, A(a_timespec_out)),
	I(149, R_DEC, ADDR, SZ),
	I(150, R_DEC, ADDR, SZ),
	I(151, R_DEC, FL(n_mlockall)),
	Z(152, R_DEC),
	Z(153, R_DEC),
	I(154, R_DEC, INT, ADDR, SZ),
	I(155, R_DEC, PATH, PATH),
	I(156, R_DEC, ADDR),
	C(157, 1, R_DEC, r_prctl, A(a_prctl), OWN(a_prctl_out)),
	C(158, 1, R_DEC, 0, A(a_arch_prctl), OWN(a_arch_prctl_out)),
	C(159, 0, R_DEC, r_adjtimex, A(a_timex)),
	I(160, R_DEC, VAL(n_rlimit), A(a_rlimit_in)),
	I(161, R_DEC, PATH),
	Z(162, R_DEC),
	I(163, R_DEC, PATH),
	I(164, R_DEC, A(a_timeval), A(a_timezone)),
	I(165, R_DEC, STR, PATH, STR, A(a_mount_flags), STR),
	I(166, R_DEC, PATH, FL(n_umount)),
	I(167, R_DEC, PATH, HEXI),
	I(168, R_DEC, PATH),
	I(169, R_DEC, VAL(n_reboot_magic), VAL(n_reboot_magic2), VAL(n_reboot_cmd), OWN(a_reboot)),
	I(170, R_DEC, A(a_buf_in), UINT),
	I(171, R_DEC, A(a_buf_in), UINT),
	I(172, R_DEC, INT),
	I(173, R_DEC, HEX, HEX, INT),
	I(175, R_DEC, ADDR, SZ, STR),
	I(176, R_DEC, STR, FL(n_delete_module)),
	Z(186, R_DEC),
	I(187, R_DEC, FD, LONG, SZ),
	I(188, R_DEC, PATH, STR, A(a_xattr_in), SZ, FL(n_xattr)),
	I(189, R_DEC, PATH, STR, A(a_xattr_in), SZ, FL(n_xattr)),
	I(190, R_DEC, FD, STR, A(a_xattr_in), SZ, FL(n_xattr)),
	C(191, 2, R_DEC, 0, PATH, STR, A(a_xattr_out), SZ),
	C(192, 2, R_DEC, 0, PATH, STR, A(a_xattr_out), SZ),
	C(193, 2, R_DEC, 0, FD, STR, A(a_xattr_out), SZ),
	C(194, 1, R_DEC, 0, PATH, A(a_xattr_list), SZ),
	C(195, 1, R_DEC, 0, PATH, A(a_xattr_list), SZ),
	C(196, 1, R_DEC, 0, FD, A(a_xattr_list), SZ),
	I(197, R_DEC, PATH, STR),
	I(198, R_DEC, PATH, STR),
	I(199, R_DEC, FD, STR),
	I(200, R_DEC, PID, SIG),
	C(201, 0, R_DEC, r_time, A(a_time_out)),
	I(202, R_DEC, ADDR, A(a_futex)),
	I(203, R_DEC, PID, UINT, A(a_cpu_mask_in)),
	C(204, 2, R_DEC, 0, PID, UINT, A(a_cpu_mask_out)),
	I(205, R_DEC, ADDR),
	I(206, R_DEC, UINT, ADDR),
	I(207, R_DEC, ADDR),
	I(208, R_DEC, ADDR, LONG, LONG, ADDR, ADDR),
	I(209, R_DEC, ADDR, LONG, ADDR),
	I(210, R_DEC, ADDR, ADDR, ADDR),
	I(213, R_FD, INT),
	C(217, 1, R_DEC, 0, FD, A(a_dents), UINT),
	I(218, R_DEC, ADDR),
	I(219, R_DEC, A(a_restart)),
	I(221, R_DEC, FD, LONG, SZ, VAL(n_fadvise)),
	C(222, 2, R_DEC, 0, A(a_clock), A(a_sigevent), A(a_timer_id)),
	C(223, 3, R_DEC, 0, INT, FL(n_timer_flags), A(a_itimerspec), A(a_itimerspec_out)),
	C(224, 1, R_DEC, 0, INT, A(a_itimerspec_out)),
	I(225, R_DEC, INT),
	I(226, R_DEC, INT),
	I(227, R_DEC, A(a_clock), A(a_timespec)),
	C(228, 1, R_DEC, 0, A(a_clock), A(a_timespec_out)),
	C(229, 1, R_DEC, 0, A(a_clock), A(a_timespec_out)),
	C(230, 3, R_DEC, 0, A(a_clock), FL(n_timer_flags), A(a_timespec), A(a_timespec_left_clock)),
	I(231, R_NONE, INT),
	C(232, 1, R_DEC, 0, FD, A(a_epoll_events), INT, INT),
	I(233, R_DEC, FD, VAL(n_epoll_op), FD, A(a_epoll_event)),
	I(234, R_DEC, PID, PID, SIG),
	I(235, R_DEC, PATH, A(a_utimes)),
	C(247, 2, R_DEC, 0, VAL(n_idtype), PID, A(a_siginfo_out), FL(n_wait), A(a_rusage)),
	I(251, R_DEC, VAL(n_ioprio_who), INT, A(a_ioprio)),
	C(252, 2, R_HEX, r_ioprio, VAL(n_ioprio_who), INT),
	Z(253, R_FD),
	I(254, R_DEC, FD, PATH, FL(n_inotify)),
	I(255, R_DEC, FD, INT),
	I(257, R_FD, DFD, PATH, A(a_open)),
	I(258, R_DEC, DFD, PATH, MODE),
	I(259, R_DEC, DFD, PATH, A(a_mknod)),
	I(260, R_DEC, DFD, PATH, UID, UID, FL(n_at)),
	I(261, R_DEC, DFD, PATH, A(a_utimes)),
	C(262, 2, R_DEC, 0, DFD, PATH, A(a_stat), FL(n_at)),
	I(263, R_DEC, DFD, PATH, FL(n_at)),
	I(264, R_DEC, DFD, PATH, DFD, PATH),
	I(265, R_DEC, DFD, PATH, DFD, PATH, FL(n_at)),
	I(266, R_DEC, PATH, DFD, PATH),
	C(267, 2, R_DEC, 0, DFD, PATH, A(a_buf_out), SZ),
	I(268, R_DEC, DFD, PATH, MODE),
	I(269, R_DEC, DFD, PATH, FL(n_access)),
	C(270, 6, R_DEC, r_pselect, INT, A(a_fdset), A(a_fdset), A(a_fdset), A(a_timespec), A(a_pselect_mask)),
	C(271, 5, R_DEC, r_ppoll, A(a_pollfds), UINT, A(a_timespec), SET(1), SZ),
	I(272, R_DEC, FL(n_clone_unshare)),
	I(273, R_DEC, ADDR, SZ),
	C(274, 1, R_DEC, 0, PID, A(a_addr_out), A(a_ulong_out)),
	I(275, R_DEC, FD, A(a_offset_in), FD, A(a_offset_in), SZ, FL(n_splice)),
	I(276, R_DEC, FD, FD, SZ, FL(n_splice)),
	I(277, R_DEC, FD, LONG, LONG, FL(n_sync_range)),
	I(278, R_DEC, FD, A(a_iov_in), SZ, FL(n_splice)),
	I(280, R_DEC, DFD, PATH, A(a_utimens), FL(n_at)),
	C(281, 1, R_DEC, 0, FD, A(a_epoll_events), INT, INT, SET(1), SZ),
	I(282, R_FD, FD, SET(1), SZ),
	I(283, R_FD, A(a_clock), FL(n_tfd)),
	I(284, R_FD, UINT),
	I(285, R_DEC, FD, FL(n_falloc), LONG, LONG),
	C(286, 3, R_DEC, 0, FD, FL(n_tfd), A(a_itimerspec), A(a_itimerspec_out)),
	C(287, 1, R_DEC, 0, FD, A(a_itimerspec_out)),
	C(288, 1, R_FD, 0, FD, A(a_sockaddr_out), A(a_socklen), FL(n_sock_flags)),
	I(289, R_FD, FD, SET(1), SZ, FL(n_sfd)),
	I(290, R_FD, UINT, FL(n_eventfd)),
	I(291, R_FD, FL(n_epoll_create)),
	I(292, R_FD, FD, FD, FL(n_open)),
	C(293, 0, R_DEC, 0, A(a_fd_pair), FL(n_open)),
	I(294, R_FD, FL(n_inotify_init)),
	C(295, 1, R_DEC, 0, FD, A(a_iov_out), SZ, LONG),
	I(296, R_DEC, FD, A(a_iov_in), SZ, LONG),
	I(297, R_DEC, PID, PID, SIG, A(a_siginfo)),
	C(299, 1, R_DEC, r_mmsg, FD, A(a_mmsg_out), UINT, FL(n_msg), A(a_timespec)),
	C(302, 3, R_DEC, 0, PID, VAL(n_rlimit), A(a_rlimit64_in), A(a_rlimit64_out)),
	C(305, 1, R_DEC, r_adjtimex, A(a_clock), A(a_timex)),
	I(306, R_DEC, FD),
	C(307, 1, R_DEC, 0, FD, A(a_mmsg_in), UINT, FL(n_msg)),
	I(308, R_DEC, FD, FL(n_setns)),
	C(309, 0, R_DEC, 0, A(a_uint_out), A(a_uint_out), ADDR),
	C(310, 1, R_DEC, 0, PID, A(a_iov_out), SZ, A(a_iov_addr), SZ, SZ),
	I(311, R_DEC, PID, A(a_iov_in), SZ, A(a_iov_addr), SZ, SZ),
	I(313, R_DEC, FD, STR, FL(n_module_init)),
	I(314, R_DEC, PID, A(a_sched_attr), UINT),
	C(315, 1, R_DEC, 0, PID, A(a_sched_attr), UINT, UINT),
	I(316, R_DEC, DFD, PATH, DFD, PATH, FL(n_rename)),
	I(317, R_DEC, VAL(n_seccomp), A(a_seccomp_flags), ADDR),
	C(318, 0, R_DEC, 0, A(a_random), SZ, FL(n_grnd)),
	I(319, R_FD, STR, A(a_memfd_flags)),
	I(321, R_DEC, HEXI, ADDR, UINT),
	I(322, R_DEC, DFD, PATH, A(a_argv), A(a_envp), FL(n_at)),
	I(323, R_FD, FL(n_userfaultfd)),
	C(324, 3, R_HEX, r_membarrier, VAL(n_membarrier), FL(n_membarrier_flags), OWN(a_membarrier_cpu)),
	I(325, R_DEC, ADDR, SZ, FL(n_mlock2)),
	I(326, R_DEC, FD, A(a_offset_in), FD, A(a_offset_in), SZ, UINT),
	C(327, 1, R_DEC, 0, FD, A(a_iov_out), SZ, LONG, {a_flags_5, &n_rwf}),
	I(328, R_DEC, FD, A(a_iov_in), SZ, LONG, {a_flags_5, &n_rwf}),
	I(329, R_DEC, ADDR, SZ, FL(n_prot), INT),
	I(330, R_DEC, HEX, FL(n_pkey)),
	I(331, R_DEC, INT),
	C(332, 4, R_DEC, 0, DFD, PATH, A(a_statx_flags), FL(n_statx_mask), A(a_statx)),
	I(334, R_DEC, ADDR, HEX, HEX, HEX),
	I(424, R_DEC, FD, SIG, A(a_siginfo), HEXI),
	I(425, R_FD, UINT, ADDR),
	I(434, R_FD, PID, FL(n_pidfd)),
	C(435, 1, R_DEC, 0, A(a_clone3), OWN(a_clone3_out)),
	I(436, R_DEC, UINT, UINT, FL(n_close_range)),
	I(437, R_FD, DFD, PATH, A(a_open_how), SZ),
	I(438, R_FD, FD, INT, HEXI),
	I(439, R_DEC, DFD, PATH, FL(n_access), FL(n_at_access)),
	C(441, 1, R_DEC, 0, FD, A(a_epoll_events), INT, A(a_timespec), SET(1), SZ),
	I(449, R_DEC, A(a_futex_waitv), UINT, HEXI, A(a_timespec), A(a_clock)),
	/* not built: numbers only */
	I(64, R_DEC, HEXI, INT, HEXI),
	I(65, R_DEC, INT, ADDR, UINT),
	I(66, R_DEC, INT, INT, HEXI, ADDR),
	I(68, R_DEC, HEXI, HEXI),
	I(69, R_DEC, INT, ADDR, SZ, HEXI),
	I(70, R_DEC, INT, ADDR, SZ, INT, HEXI),
	I(71, R_DEC, INT, HEXI, ADDR),
	I(174, R_DEC, ADDR, ADDR),
	I(177, R_DEC, ADDR),
	I(178, R_DEC, ADDR, ADDR, ADDR, ADDR, ADDR),
	I(179, R_DEC, HEXI, ADDR, INT, ADDR),
	I(180, R_DEC, ADDR, ADDR, ADDR),
	I(181, R_DEC, ADDR, ADDR, ADDR, ADDR, ADDR),
	I(182, R_DEC, ADDR, ADDR, ADDR, ADDR, ADDR),
	I(183, R_DEC, ADDR, ADDR, ADDR, ADDR, ADDR),
	I(184, R_DEC, ADDR, ADDR, ADDR),
	I(185, R_DEC, ADDR, ADDR, ADDR),
	I(211, R_DEC, ADDR),
	I(212, R_DEC, SZ, ADDR, SZ),
	I(214, R_DEC, ADDR, ADDR, ADDR, ADDR),
	I(215, R_DEC, ADDR, ADDR, ADDR, ADDR),
	I(216, R_DEC, ADDR, SZ, HEX, SZ, HEXI),
	I(220, R_DEC, INT, ADDR, UINT, ADDR),
	I(236, R_DEC, ADDR, ADDR, ADDR, ADDR, ADDR),
	I(237, R_DEC, ADDR, SZ, HEX, ADDR, SZ, HEXI),
	I(238, R_DEC, HEXI, ADDR, SZ),
	I(239, R_DEC, ADDR, ADDR, SZ, ADDR, HEX),
	I(240, R_DEC, ADDR, HEXI, MODE, ADDR),
	I(241, R_DEC, ADDR),
	I(242, R_DEC, INT, ADDR, SZ, UINT, ADDR),
	I(243, R_DEC, INT, ADDR, SZ, ADDR, ADDR),
	I(244, R_DEC, INT, ADDR),
	I(245, R_DEC, INT, ADDR, ADDR),
	I(246, R_DEC, ADDR, SZ, ADDR, HEX),
	I(248, R_DEC, ADDR, ADDR, ADDR, SZ, HEXI),
	I(249, R_DEC, ADDR, ADDR, ADDR, HEXI),
	I(250, R_DEC, HEXI, ADDR, ADDR, ADDR, ADDR),
	I(256, R_DEC, INT, SZ, ADDR, ADDR),
	I(279, R_DEC, INT, SZ, ADDR, ADDR, ADDR, HEXI),
	I(298, R_DEC, ADDR, INT, INT, INT, HEX),
	I(300, R_DEC, HEXI, HEXI),
	I(301, R_DEC, INT, HEXI, HEX, INT, ADDR),
	I(303, R_DEC, INT, ADDR, ADDR, ADDR, HEXI),
	I(304, R_DEC, INT, ADDR, HEXI),
	I(312, R_DEC, INT, INT, HEXI, ADDR, ADDR),
	I(320, R_DEC, INT, INT, SZ, ADDR, HEX),
	I(333, R_DEC, ADDR, INT, INT, ADDR, ADDR, ADDR),
	I(426, R_DEC, INT, UINT, UINT, HEXI, ADDR, SZ),
	I(427, R_DEC, INT, HEXI, ADDR, UINT),
	I(428, R_DEC, INT, ADDR, HEXI),
	I(429, R_DEC, INT, ADDR, INT, ADDR, HEXI),
	I(430, R_DEC, ADDR, HEXI),
	I(431, R_DEC, INT, HEXI, ADDR, ADDR, INT),
	I(432, R_DEC, INT, HEXI, HEXI),
	I(433, R_DEC, INT, ADDR, HEXI),
	I(440, R_DEC, INT, ADDR, SZ, HEXI, HEXI),
	I(442, R_DEC, INT, ADDR, HEXI, ADDR, SZ),
	I(443, R_DEC, INT, HEXI, INT, ADDR),
	I(444, R_DEC, ADDR, SZ, HEXI),
	I(445, R_DEC, INT, HEXI, ADDR, HEXI),
	I(446, R_DEC, INT, HEXI),
	I(447, R_DEC, HEXI),
	I(448, R_DEC, INT, HEXI),
	I(450, R_DEC, ADDR, SZ, SZ, ADDR),
};

static const struct spec plain = {6, 6, R_DEC, 1, 0, {HEX, HEX, HEX, HEX, HEX, HEX}};

const struct spec *spec_of(int nr)
{
	if (nr < 0 || (size_t)nr >= sizeof(specs) / sizeof(specs[0]) || !specs[nr].known)
		return &plain;
	return &specs[nr];
}
