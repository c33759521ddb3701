// SPDX-License-Identifier: Apache-2.0
// RAM: the memfd, what the monitor places in it, and the kernel image.

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sandbox.h"

#define HUGE ((uint64_t)2 << 20)

/*
 * DOC: large folios
 *
 * Memory that the host hands out in large pieces costs a tenth of what single pages cost, to it and to who maps it. A memfd has them
 * only where the whole machine is set so; a tmpfs of our own is asked with an option of its own, and then gives them to fallocate() and write():
 * the kernel decides which (mm/backing.c). Faults would take 2 MiB at once, so who maps RAM says MADV_NOHUGEPAGE. The file system is mounted
 * nowhere and lives as long as its one file, which has no name; its size bounds what the jail can take.
 */
struct maker {
	uint64_t size;
	int fd; /* the file, or -1 */
	uid_t uid;
	gid_t gid;
};

static int make_file(struct maker *m)
{
	int fs = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), mnt = -1;
	char size[24];

	if (fs < 0)
		return -1;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)m->size);
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "huge", "always", 0) &&
	    !syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", size, 0) &&
	    !syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mnt = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	if (mnt < 0)
		return -1;
	m->fd = openat(mnt, "husk-ram", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (m->fd >= 0)
		unlinkat(mnt, "husk-ram", 0);
	close(mnt);
	return m->fd < 0 ? -1 : 0;
}

static void write_map(const char *path, unsigned id)
{
	char text[32];
	int fd = open(path, O_WRONLY | O_CLOEXEC), n = snprintf(text, sizeof(text), "%u %u 1", id, id);

	if (fd >= 0) {
		n = write(fd, text, n); /* in vain: then there will be no file */
		close(fd);
	}
}

/* In a user namespace of its own, but with the monitor's memory and descriptors. */
static int make_file_in_userns(void *arg)
{
	struct maker *m = arg;
	int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = write(fd, "deny", 4);

		(void)n;
		close(fd);
	}
	write_map("/proc/self/uid_map", m->uid);
	write_map("/proc/self/gid_map", m->gid);
	make_file(m);
	_exit(0);
}

/* A file whose memory can be huge pages, or -1. */
static int huge_file(uint64_t size)
{
	struct maker m = {.size = size, .fd = -1, .uid = geteuid(), .gid = getegid()};
	static _Alignas(16) char stack[16384];
	int pid;

	if (!make_file(&m))
		return m.fd;
	pid = clone(make_file_in_userns, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, &m);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	return m.fd;
}

static int plain_file(void)
{
	int fd = memfd_create("husk-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x8u /* MFD_NOEXEC_SEAL is not wanted */);

	return fd < 0 ? memfd_create("husk-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

/* All of it, so aligned that 2 MiB in the file are 2 MiB of page table. */
static char *map_aligned(int fd, uint64_t size)
{
	char *room = mmap(NULL, size + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *p;

	if (room == MAP_FAILED)
		return room;
	p = (char *)(((uintptr_t)room + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	return mmap(p, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
}

int ram_create(struct ram *r, uint64_t size, struct err *e)
{
	memset(r, 0, sizeof(*r));
	r->size = size;
	r->kernel_fd = -1;
	r->fd = huge_file(size);
	r->huge = r->fd >= 0;
	if (!r->huge)
		r->fd = plain_file();
	if (r->fd < 0)
		return err_set(e, 125, "cannot create guest memory: memfd_create: %s", err_reason(errno));
	if (ftruncate(r->fd, size))
		return err_set(e, 125, "cannot size guest memory to %llu MiB: %s; %s", (unsigned long long)size >> 20,
			       strerror(errno), errno == EFBIG ? "raise ulimit -f" : "try a smaller --memory");
	if (!r->huge) /* the jail has no call that changes its size; a memfd says so itself */
		fcntl(r->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	r->base = map_aligned(r->fd, size);
	if (r->base == MAP_FAILED)
		return err_set(e, 125,
			       "cannot map %llu MiB of guest memory: %s; try a smaller --memory, or raise ulimit -v",
			       (unsigned long long)size >> 20, strerror(errno));
	if (r->huge)
		madvise(r->base, size, MADV_NOHUGEPAGE);
	r->next = sizeof(struct hostif_boot);
	return 0;
}

void ram_destroy(struct ram *r)
{
	if (r->base && r->base != MAP_FAILED)
		munmap(r->base, r->size);
	if (r->fd > 0)
		close(r->fd);
}

/* ram_alloc: zeroed memory below or above the image, whose place is known by now; the caller looks at next in the end */
uint64_t ram_alloc(struct ram *r, size_t n, size_t align)
{
	uint64_t p = (r->next + align - 1) & ~(uint64_t)(align - 1);

	uint64_t end = ram_boot(r)->kernel_phys_end;

	if (p < end && p + n > HOSTIF_KERNEL_PHYS)
		p = (end + align - 1) & ~(uint64_t)(align - 1);
	r->next = p + n;
	return p;
}

/* Has the host back what it is about to fill in pieces of this size, where it can: without, it would take the largest that fits. */
#define IMAGE_PIECE ((uint64_t)64 << 10)
static void back_range(struct ram *r, uint64_t at, uint64_t end)
{
	for (at &= ~(IMAGE_PIECE - 1); r->huge && at < end && at + 2 * IMAGE_PIECE <= r->size; at += IMAGE_PIECE) {
		bool first =
			!(at & IMAGE_PIECE); /* of two: a page in the second keeps them apart (arch/x86/hostcall.c) */

		if (first)
			r->base[at + IMAGE_PIECE] = 0;
		if (fallocate(r->fd, 0, at, IMAGE_PIECE))
			return;
		if (first)
			fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at + IMAGE_PIECE, 4096);
	}
}

/* Part of the image into RAM. The host copies it from page cache to page cache: cheaper than faults on both sides. */
static int load_part(struct ram *r, int fd, uint64_t phys, const Elf64_Phdr *ph)
{
	uint64_t left = ph->p_filesz;
	off_t off = ph->p_offset;
	ssize_t n;

	if (lseek(r->fd, phys, SEEK_SET) < 0)
		return -1;
	while (left) {
		n = sendfile(r->fd, fd, &off, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* not from this file system */
			n = pread(fd, r->base + phys + (ph->p_filesz - left), left, off);
		if (n <= 0)
			return -1;
		off = ph->p_offset + (ph->p_filesz - left) + n;
		left -= n;
	}
	return 0;
}

static int load_segment(struct ram *r, int fd, const Elf64_Phdr *ph)
{
	uint64_t phys = ph->p_vaddr - KERNEL_BASE_ADDR + HOSTIF_KERNEL_PHYS, end;

	if (ph->p_vaddr < KERNEL_BASE_ADDR || ph->p_filesz > ph->p_memsz || ph->p_memsz > r->size ||
	    phys > r->size - ph->p_memsz || r->nseg == RAM_MAX_SEGS || load_part(r, fd, phys, ph))
		return -1;
	r->seg[r->nseg].vaddr = ph->p_vaddr & ~4095ULL;
	r->seg[r->nseg].off = phys & ~4095ULL;
	r->seg[r->nseg].memsz = ((ph->p_vaddr & 4095) + ph->p_memsz + 4095) & ~4095ULL;
	r->seg[r->nseg].prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
			       (ph->p_flags & PF_X ? PROT_EXEC : 0);
	end = r->seg[r->nseg].off + r->seg[r->nseg].memsz;
	if (end > ram_boot(r)->kernel_phys_end)
		ram_boot(r)->kernel_phys_end = end;
	r->nseg++;
	return 0;
}

/* The program headers must lie in the file's first page: they do, right behind the ELF header. */
static int load_image(struct ram *r, int fd, const char *path, struct err *e)
{
	_Alignas(16) char head[4096];
	const Elf64_Ehdr *eh = (const void *)head;
	const Elf64_Phdr *ph;
	uint64_t end = 0;
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return err_set(e, 125, "cannot read the kernel image %s: %s", path, strerror(errno));
	if (n < (ssize_t)sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_machine != EM_X86_64 ||
	    eh->e_type != ET_EXEC || eh->e_phoff % 8 || eh->e_phoff > (size_t)n ||
	    eh->e_phnum > (n - eh->e_phoff) / sizeof(*ph) || eh->e_entry < KERNEL_BASE_ADDR)
		return err_set(e, 125, "%s is not a husk kernel image", path);
	ph = (const void *)(head + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr - KERNEL_BASE_ADDR + ph[i].p_filesz > end)
			end = ph[i].p_vaddr - KERNEL_BASE_ADDR + ph[i].p_filesz;
	back_range(r, HOSTIF_KERNEL_PHYS, HOSTIF_KERNEL_PHYS + end);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_memsz && load_segment(r, fd, &ph[i]))
			return err_set(e, 125, "%s does not fit: guest memory is too small, or the image is damaged",
				       path);
	r->entry = eh->e_entry;
	return 0;
}

int ram_load_kernel(struct ram *r, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(e, 125, "cannot open the kernel image %s: %s; run make, or set HUSK_KERNEL", path,
			       err_reason(errno));
	rc = load_image(r, fd, path, e);
	if (rc)
		close(fd);
	else
		r->kernel_fd = fd;
	return rc;
}
