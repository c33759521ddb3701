// SPDX-License-Identifier: Apache-2.0
// Bad pointers and absurd counts: EFAULT, EINVAL, partial transfers at the edge of a mapping, for many calls.
#include "t.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#define B ((void *)8)
#define K ((void *)0xffff888000000000UL)
#define N(x) syscall(SYS_##x)
int main(void)
{
	tmp();
	put("f", "0123456789");
	int fd = MUST(open("f", O_RDWR)), p[2];
	MUST(pipe(p));
	write(p[1], "data", 4);
	for (int i = 0; i < 2; i++) {
		void *b = i ? K : B;
		R(syscall(SYS_read, fd, b, 10));
		R(syscall(SYS_write, fd, b, 10));
		R(syscall(SYS_read, p[0], b, 4));
		R(syscall(SYS_pread64, fd, b, 10, 0));
		R(syscall(SYS_readv, fd, b, 1));
		R(syscall(SYS_open, b, O_RDONLY));
		R(syscall(SYS_openat, AT_FDCWD, b, O_RDONLY));
		R(syscall(SYS_stat, b, b));
		R(syscall(SYS_fstat, fd, b));
		R(syscall(SYS_lstat, "f", b));
		R(syscall(SYS_access, b, 0));
		R(syscall(SYS_pipe, b));
		R(syscall(SYS_getcwd, b, 100));
		R(syscall(SYS_chdir, b));
		R(syscall(SYS_mkdir, b, 0));
		R(syscall(SYS_unlink, b));
		R(syscall(SYS_rename, "f", b));
		R(syscall(SYS_link, b, "x"));
		R(syscall(SYS_symlink, "x", b));
		R(syscall(SYS_readlink, "/proc/self/exe", b, 10));
		R(syscall(SYS_chmod, b, 0));
		R(syscall(SYS_uname, b));
		R(syscall(SYS_sysinfo, b));
		R(syscall(SYS_times, b));
		R(syscall(SYS_getrusage, 0, b));
		R(syscall(SYS_gettimeofday, b, 0));
		R(syscall(SYS_clock_gettime, 0, b));
		R(syscall(SYS_nanosleep, b, 0));
		R(syscall(SYS_rt_sigaction, SIGUSR1, b, 0, 8));
		R(syscall(SYS_rt_sigprocmask, 0, b, 0, 8));
		R(syscall(SYS_sigaltstack, b, 0));
		R(syscall(SYS_poll, b, 1, 0));
		R(syscall(SYS_select, 5, b, 0, 0, 0));
		R(syscall(SYS_getdents64, MUST(open(".", O_RDONLY)), b, 100));
		R(syscall(SYS_getrlimit, 0, b));
		R(syscall(SYS_getgroups, 100, b) <= 0);
		R(syscall(SYS_getresuid, b, b, b));
		R(syscall(SYS_execve, b, 0, 0));
		R(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, b));
		R(syscall(SYS_statfs, b, b));
		R(syscall(SYS_utimensat, AT_FDCWD, b, 0, 0));
		R(syscall(SYS_memfd_create, b, 0));
		R(syscall(SYS_inotify_add_watch, 0, b, 1) == -1);
		R(syscall(SYS_mincore, 0x10000000000, 4096, b));
		R(syscall(SYS_sched_getaffinity, 0, 128, b));
		R(syscall(SYS_futex, b, 1, 1, 0, 0, 0));
		R(syscall(SYS_futex, b, 0, 1, 0, 0, 0));
		R(syscall(SYS_timer_create, 1, b, b));
		R(syscall(SYS_prlimit64, 0, 0, 0, b));
		R(syscall(SYS_ioctl, p[0], FIONREAD, b));
		R(syscall(SYS_fcntl, fd, F_GETLK, b));
		R(syscall(SYS_getitimer, 0, b));
		R(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, b));
		R(syscall(SYS_getrandom, b, 10, 0));
		R(syscall(SYS_prctl, PR_GET_NAME, b));
		R(syscall(SYS_sendmsg, p[0], b, 0));
		R(syscall(SYS_rt_sigtimedwait, b, 0, 0, 8));
		R(syscall(SYS_epoll_ctl, epoll_create1(0), EPOLL_CTL_ADD, p[0], b));
	}
	say("pipe still holds its data: ");
	char c[10];
	R(read(p[0], c, 10));
	// At the edge of a mapping: what is readable goes, the rest does not.
	char *m = mmap((void *)0x200000000, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(m + 4096, 4096);
	memset(m, 'e', 4096);
	R(pwrite(fd, m + 4090, 10, 0));
	R(write(p[1], m + 4090, 10));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	R(read(p[0], c, 10) >= -1);
	R(pread(fd, m + 4092, 10, 0));
	struct iovec v[2] = {{m, 4}, {B, 4}};
	R(pwritev(fd, v, 2, 0));
	strcpy(m + 4094, "f");
	O(open(m + 4094, O_RDONLY)); // the string ends on the last byte
	m[4095] = 'f';
	O(open(m + 4095, O_RDONLY)); // this one does not end
	// Huge counts.
	R(read(fd, c, -1));
	R(write(fd, "x", -1));
	R(syscall(SYS_read, fd, c, 0x7fffffffffffffff));
	lseek(fd, 0, SEEK_END);
	R(syscall(SYS_read, fd, m, 1UL << 40));
	R(readv(fd, (struct iovec[]){{c, 0x7fffffffffffffff}, {c, 10}}, 2));
	R(syscall(SYS_poll, v, 1u << 31, 0));
	R(syscall(SYS_getdents64, fd, c, -1));
	R(syscall(SYS_epoll_wait, epoll_create1(0), c, INT_MAX, 0));
	R(syscall(SYS_mmap, 0, -4096UL, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	R(syscall(SYS_munmap, m, -4096UL));
	R(syscall(SYS_mprotect, m, -4096UL, PROT_READ));
	R(syscall(SYS_mremap, m, 4096, -4096UL, MREMAP_MAYMOVE));
	R(syscall(SYS_select, 1 << 30, 0, 0, 0, &(struct timeval){0, 0}));
	// Negative and large descriptors.
	int bad[] = {-1, -100, 1 << 20, INT_MAX, INT_MIN};
	for (int i = 0; i < 5; i++) {
		R(read(bad[i], c, 1));
		R(close(bad[i]));
		R(fstat(bad[i], (void *)m));
		R(dup(bad[i]));
	}
	return 0;
}
