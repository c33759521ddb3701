// SPDX-License-Identifier: Apache-2.0
// Unknown system call numbers, and known ones with absurd arguments.
#include "t.h"
int main(void)
{
	R(syscall(1000000));
	R(syscall(900));
	R(syscall(-1));
	R(syscall(600));
	R(syscall(0x7fffffff));
	R(syscall(SYS_read, -1, 0, 0));
	R(syscall(SYS_close, 1 << 30));
	R(syscall(SYS_lseek, -1, 0, 0));
	R(syscall(SYS_futex, 0, 999, 0, 0, 0, 0));
	R(syscall(SYS_fcntl, 0, 9999, 0));
	R(syscall(SYS_ioctl, -1, 0, 0));
	R(syscall(SYS_prctl, 9999, 0, 0, 0, 0));
	R(syscall(SYS_kill, getpid(), 65));
	R(syscall(SYS_kill, getpid(), -1));
	R(syscall(SYS_rt_sigaction, 0, 0, 0, 8));
	R(syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4));
	R(syscall(SYS_rt_sigprocmask, 77, "aaaaaaaa", 0, 8));
	R(syscall(SYS_clock_gettime, 999, 0));
	R(syscall(SYS_mmap, 0, 0, 0, 0, 0, 0));
	R(syscall(SYS_munmap, 1, 4096));
	R(syscall(SYS_madvise, 0, 4096, 9999));
	R(syscall(SYS_socket, 999, 1, 0));
	R(syscall(SYS_epoll_create, 0));
	R(syscall(SYS_wait4, 0x7ffffffe, 0, 0, 0));
	R(syscall(SYS_wait4, -1, 0, 0x100, 0));
	// The upper half of a 32-bit argument is not looked at.
	R(syscall(SYS_write, 0xdead00000001UL, "x\n", 2UL));
	return 0;
}
