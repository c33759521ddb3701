// SPDX-License-Identifier: Apache-2.0
// RAM: the memfd, what the monitor places in it, and the kernel image.

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include "sandbox.h"

int ram_create(struct ram *r, uint64_t size, struct err *e)
{
	memset(r, 0, sizeof(*r));
	r->size = size;
	r->fd = memfd_create("husk-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x8u /* MFD_NOEXEC_SEAL is not wanted */);
	if (r->fd < 0)
		r->fd = memfd_create("husk-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (r->fd < 0)
		return err_set(e, 125, "cannot create guest memory: memfd_create: %s", strerror(errno));
	if (ftruncate(r->fd, size))
		return err_set(e, 125, "cannot size guest memory to %llu MiB: %s; %s", (unsigned long long)size >> 20,
			       strerror(errno), errno == EFBIG ? "raise ulimit -f" : "try a smaller --memory");
	fcntl(r->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	r->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, r->fd, 0);
	if (r->base == MAP_FAILED)
		return err_set(e, 125, "cannot map %llu MiB of guest memory: %s; try a smaller --memory, or raise ulimit -v",
			       (unsigned long long)size >> 20, strerror(errno));
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
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return err_set(e, 125, "cannot read the kernel image %s: %s", path, strerror(errno));
	if (n < (ssize_t)sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_machine != EM_X86_64 ||
	    eh->e_type != ET_EXEC || eh->e_phoff % 8 || eh->e_phoff > (size_t)n ||
	    eh->e_phnum > (n - eh->e_phoff) / sizeof(*ph) || eh->e_entry < KERNEL_BASE_ADDR)
		return err_set(e, 125, "%s is not a husk kernel image", path);
	ph = (const void *)(head + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_memsz && load_segment(r, fd, &ph[i]))
			return err_set(e, 125, "%s does not fit: guest memory is too small, or the image is damaged", path);
	r->entry = eh->e_entry;
	return 0;
}

int ram_load_kernel(struct ram *r, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(e, 125, "cannot open the kernel image %s: %s; run make, or set HUSK_KERNEL", path,
			       strerror(errno));
	rc = load_image(r, fd, path, e);
	close(fd);
	return rc;
}
