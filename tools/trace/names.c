// SPDX-License-Identifier: Apache-2.0
// Calls' names, numbers and classes, from the system-call table.
#include <stdio.h>
#include <string.h>
#include "decode.h"

static const char *const names[] = {
#define X(nr, name, level, args, limits) [nr] = #name,
#include <syscall_table.h>
#undef X
};
#define COUNT (int)(sizeof(names) / sizeof(names[0]))

const char *decode_name(int nr)
{
	static _Thread_local char b[32];

	if (nr >= 0 && nr < COUNT && names[nr])
		return names[nr];
	snprintf(b, sizeof(b), "syscall_%#x", nr);
	return b;
}

int decode_number(const char *name)
{
	unsigned n;

	for (int nr = 0; nr < COUNT; nr++)
		if (names[nr] && !strcmp(names[nr], name))
			return nr;
	if (sscanf(name, "syscall_%i", (int *)&n) == 1)
		return (int)n;
	return -1;
}

/* Each class: its names between spaces. */
static const struct {
	const char *name, *calls;
} classes[] = {
	{"file", " access acct chdir chmod chown chroot creat execve execveat faccessat faccessat2 fanotify_mark "
		 "fchmodat fchownat fsconfig fspick "
		 "futimesat getcwd getxattr inotify_add_watch lchown lgetxattr link linkat listxattr llistxattr "
		 "lremovexattr lsetxattr lstat mkdir "
		 "mkdirat mknod mknodat mount mount_setattr move_mount name_to_handle_at newfstatat open open_tree "
		 "openat openat2 pivot_root "
		 "quotactl readlink readlinkat removexattr rename renameat renameat2 rmdir setxattr stat statfs statx "
		 "swapoff swapon symlink "
		 "symlinkat truncate umount2 unlink unlinkat uselib utime utimensat utimes "},
	{"process", " clone clone3 execve execveat fork kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo "
		    "tgkill tkill vfork wait4 waitid exit "
		    "exit_group "},
	{"network", " accept accept4 bind connect getpeername getpmsg getsockname getsockopt listen putpmsg recvfrom "
		    "recvmmsg recvmsg sendfile sendmmsg "
		    "sendmsg sendto setsockopt shutdown socket socketpair "},
	{"signal", " io_uring_enter kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask "
		   "rt_sigqueueinfo rt_sigsuspend "
		   "rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4 tgkill tkill rt_sigreturn "},
	{"ipc", " msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget "},
	{"desc", " bpf close copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait "
		 "epoll_pwait2 epoll_wait eventfd "
		 "eventfd2 execveat faccessat faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fchdir fchmod "
		 "fchmodat fchown fchownat "
		 "fcntl fdatasync fgetxattr finit_module flistxattr flock fremovexattr fsconfig fsetxattr fsmount "
		 "fsopen fspick fstat fstatfs fsync "
		 "ftruncate futimesat getdents getdents64 inotify_add_watch inotify_init inotify_init1 "
		 "inotify_rm_watch io_uring_enter "
		 "io_uring_register io_uring_setup ioctl kexec_file_load landlock_add_rule landlock_create_ruleset "
		 "landlock_restrict_self linkat "
		 "lseek memfd_create memfd_secret mkdirat mknodat mmap mount_setattr move_mount mq_getsetattr "
		 "mq_notify mq_open mq_timedreceive "
		 "mq_timedsend name_to_handle_at newfstatat open open_by_handle_at open_tree openat openat2 "
		 "perf_event_open pidfd_getfd pidfd_open "
		 "pidfd_send_signal pipe pipe2 poll ppoll pread64 preadv preadv2 process_madvise process_mrelease "
		 "pselect6 pwrite64 pwritev pwritev2 "
		 "quotactl_fd read readahead readlinkat readv renameat renameat2 select sendfile setns signalfd "
		 "signalfd4 splice statx symlinkat "
		 "sync_file_range syncfs tee timerfd_create timerfd_gettime timerfd_settime unlinkat userfaultfd "
		 "utimensat vmsplice write writev "},
	{"memory", " brk get_mempolicy io_destroy io_setup io_uring_register madvise mbind migrate_pages mincore mlock "
		   "mlock2 mlockall mmap move_pages "
		   "mprotect mremap msync munlock munlockall munmap pkey_mprotect remap_file_pages set_mempolicy "
		   "set_mempolicy_home_node shmat shmdt "},
	{"creds", " capget capset getegid geteuid getgid getgroups getresgid getresuid getuid prctl setfsgid setfsuid "
		  "setgid setgroups setregid "
		  "setresgid setresuid setreuid setuid "},
	{"stat", " stat "},
	{"lstat", " lstat "},
	{"fstat", " fstat newfstatat statx "},
	{"%stat", " fstat lstat newfstatat stat statx "},
	{"statfs", " statfs "},
	{"fstatfs", " fstatfs "},
	{"%statfs", " fstatfs statfs ustat "},
	{"clock", " adjtimex clock_adjtime clock_getres clock_gettime clock_settime gettimeofday settimeofday time "},
	{"pure", " getegid geteuid getgid getpgrp getpid getppid gettid getuid "},
};

int decode_class(const char *cls, int nr)
{
	char key[64];

	if (!strcmp(cls, "net"))
		cls = "network";
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(classes[i].name, cls))
			continue;
		if (nr < 0 || nr >= COUNT || !names[nr])
			return 0;
		snprintf(key, sizeof(key), " %s ", names[nr]);
		return !!strstr(classes[i].calls, key);
	}
	return -1;
}
