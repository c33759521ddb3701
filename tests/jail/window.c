// SPDX-License-Identifier: Apache-2.0
// First wall: reading, writing and mapping over the kernel window from guest code, by every way there is.
#include "attack.h"
#include <sys/uio.h>

static void read_ram(void)
{
	*(volatile long *)DIRECT_MAP;
}
static void write_ram(void)
{
	*(volatile long *)(DIRECT_MAP + 0x300000) = 1;
}
static void read_text(void)
{
	*(volatile long *)KERNEL_TEXT;
}
static void write_text(void)
{
	*(volatile char *)KERNEL_TEXT = 0xc3;
}
static void read_private(void)
{
	*(volatile long *)PROC_PRIVATE;
}

int main(int argc, char **argv)
{
	char buf[8];
	struct iovec l = {buf, 8}, r = {(void *)DIRECT_MAP, 8};
	int fd, p[2];

	if (argc > 1 && !strcmp(argv[1], "keys")) { /* the key is what stops these */
		must_die("read RAM through the direct map", read_ram);
		must_die("write RAM through the direct map", write_ram);
		must_die("read kernel text", read_text);
		must_die("read the process page", read_private);
	}
	must_die("write kernel text", write_text);
	must_fail("mmap over the window", mmap((void *)DIRECT_MAP, 4096, PROT_READ,
					       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	must_fail("mmap over the gate", mmap((void *)KERNEL_TEXT, 4096, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	must_fail("munmap the window", munmap((void *)DIRECT_MAP, 4096) < 0);
	must_fail("mprotect the window", mprotect((void *)KERNEL_TEXT, 4096, PROT_READ | PROT_WRITE) < 0);
	must_fail("mremap the window", mremap((void *)DIRECT_MAP, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED);
	must_fail("madvise the window", madvise((void *)DIRECT_MAP, 4096, MADV_DONTNEED) < 0);
	must_fail("pkey_mprotect the window", syscall(SYS_pkey_mprotect, DIRECT_MAP, 4096, PROT_READ, 0) < 0);
	must_fail("pkey_alloc", syscall(SYS_pkey_alloc, 0, 0) < 0);
	must_fail("process_vm_readv of the window", process_vm_readv(getpid(), &l, 1, &r, 1, 0) < 0);
	must_fail("process_vm_writev of the window", process_vm_writev(getpid(), &l, 1, &r, 1, 0) < 0);
	fd = open("/proc/self/mem", O_RDWR);
	must_fail("pread /proc/self/mem of the window", fd < 0 || pread(fd, buf, 8, DIRECT_MAP) < 0);
	must_fail("pwrite /proc/self/mem of kernel text", fd < 0 || pwrite(fd, buf, 8, KERNEL_TEXT) < 0);
	if (pipe(p))
		return 2;
	must_fail("write(2) from the window", write(p[1], (void *)DIRECT_MAP, 8) < 0 && errno == EFAULT);
	must_fail("read(2) into the window",
		  write(p[1], "12345678", 8) == 8 && read(p[0], (void *)DIRECT_MAP, 8) < 0 && errno == EFAULT);
	must_fail("sigaltstack in the window", ({
						       stack_t s = {(void *)DIRECT_MAP, 0, 65536};
						       sigaltstack(&s, NULL);
						       0;
					       }) || 1);
	return failures != 0;
}
