// SPDX-License-Identifier: Apache-2.0
// Small rules: shared futexes need their memory, O_NOATIME, sizes of huge pages, the default timer slack is the parent's, CPUID faulting
// is told to be missing.
#include "t.h"
#include <asm/prctl.h>
#include <linux/futex.h>
#include <sys/statvfs.h>

#ifndef ARCH_GET_CPUID
#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012
#endif
static long futex(void *a, int op, int val, void *b)
{
	return syscall(SYS_futex, a, op, val, 1, b, 0);
}
int main(void)
{
	char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *cut;
	int fd;

	R(futex(m, FUTEX_WAKE, 1, 0));
	R(futex(none, FUTEX_WAKE, 1, 0));
	R(futex(none, FUTEX_WAKE_PRIVATE, 1, 0));
	R(futex(m, FUTEX_CMP_REQUEUE, 0, none));
	R(futex(m, FUTEX_REQUEUE, 0, m + 4096));
	munmap(none, 4096);
	R(futex(none, FUTEX_WAKE, 1, 0));
	R(futex(none, FUTEX_WAKE_PRIVATE, 1, 0));
	fd = MUST(memfd_create("x", 0));
	MUST(ftruncate(fd, 8192));
	cut = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	R(futex(cut + 4096, FUTEX_WAKE, 1, 0));
	MUST(ftruncate(fd, 4096));
	R(futex(cut + 4096, FUTEX_WAKE, 1, 0));
	R(futex(cut, FUTEX_WAKE, 1, 0));

	// An access time that any reading would move stays with O_NOATIME.
	tmp();
	put("f", "text");
	struct timespec old[2] = {{1000, 0}, {0, UTIME_OMIT}};
	struct stat s;
	char c;
	MUST(utimensat(AT_FDCWD, "f", old, 0));
	fd = MUST(open("f", O_RDONLY | O_NOATIME));
	read(fd, &c, 1);
	close(fd);
	MUST(stat("f", &s));
	say("atime %ld\n", (long)s.st_atime);
	fd = MUST(open("f", O_RDONLY));
	read(fd, &c, 1);
	close(fd);
	MUST(stat("f", &s));
	struct statvfs v;
	MUST(statvfs(".", &v));
	T(s.st_atime > 1000 || (v.f_flag & ST_NOATIME));

	T(mmap(NULL, 4096, PROT_READ, ~0, -1, 0) == MAP_FAILED && errno == EINVAL); // a size of huge pages that is none

	R(prctl(PR_SET_TIMERSLACK, 70000));
	CHILD("child", {
		R(prctl(PR_GET_TIMERSLACK));
		R(prctl(PR_SET_TIMERSLACK, 60000));
		R(prctl(PR_SET_TIMERSLACK, 0));
		R(prctl(PR_GET_TIMERSLACK));
	});
	R(prctl(PR_SET_TIMERSLACK, 0));
	R(prctl(PR_GET_TIMERSLACK));

	R(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0));
	long r = syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1); // machines that have it: 0
	T(r == 0 || errno == ENODEV);
}
