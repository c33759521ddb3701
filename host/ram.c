// SPDX-License-Identifier: Apache-2.0
// RAM: the memfd, what the monitor places in it, and the kernel image.

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
		return err_set(e, 125, "cannot size guest memory to %llu bytes: %s; try a smaller --memory",
			       (unsigned long long)size, strerror(errno));
	fcntl(r->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	r->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, r->fd, 0);
	if (r->base == MAP_FAILED)
		return err_set(e, 125, "cannot map guest memory: %s; try a smaller --memory", strerror(errno));
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

/* ram_alloc: zeroed memory below or above the image; never fails within the first megabytes the caller uses */
uint64_t ram_alloc(struct ram *r, size_t n, size_t align)
{
	uint64_t p = (r->next + align - 1) & ~(uint64_t)(align - 1);

	if (p < HOSTIF_KERNEL_PHYS && p + n > HOSTIF_KERNEL_PHYS) {
		uint64_t end = ram_boot(r)->kernel_phys_end;

		p = (end + align - 1) & ~(uint64_t)(align - 1);
	}
	r->next = p + n;
	return p;
}

int ram_load_kernel(struct ram *r, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *img;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph;
	uint64_t end = 0;

	if (fd < 0)
		return err_set(e, 125, "cannot open the kernel image %s: %s; run make, or set HUSK_KERNEL", path,
			       strerror(errno));
	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(*eh) ||
	    (img = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
		close(fd);
		return err_set(e, 125, "cannot read the kernel image %s", path);
	}
	close(fd);
	eh = (void *)img;
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_machine != EM_X86_64 ||
	    eh->e_phoff + eh->e_phnum * sizeof(*ph) > (uint64_t)st.st_size) {
		munmap(img, st.st_size);
		return err_set(e, 125, "%s is not a husk kernel image", path);
	}
	ph = (void *)(img + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		uint64_t phys = ph[i].p_vaddr - KERNEL_BASE_ADDR + HOSTIF_KERNEL_PHYS;

		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		if (ph[i].p_vaddr < KERNEL_BASE_ADDR || phys + ph[i].p_memsz > r->size || r->nseg == 8 ||
		    ph[i].p_offset + ph[i].p_filesz > (uint64_t)st.st_size) {
			munmap(img, st.st_size);
			return err_set(e, 125, "%s does not fit: guest memory is too small or the image is damaged", path);
		}
		memcpy(r->base + phys, img + ph[i].p_offset, ph[i].p_filesz);
		r->seg[r->nseg].vaddr = ph[i].p_vaddr & ~4095ULL;
		r->seg[r->nseg].off = phys & ~4095ULL;
		r->seg[r->nseg].memsz = ((ph[i].p_vaddr & 4095) + ph[i].p_memsz + 4095) & ~4095ULL;
		r->seg[r->nseg].prot = (ph[i].p_flags & PF_R ? PROT_READ : 0) | (ph[i].p_flags & PF_W ? PROT_WRITE : 0) |
				       (ph[i].p_flags & PF_X ? PROT_EXEC : 0);
		if (r->seg[r->nseg].off + r->seg[r->nseg].memsz > end)
			end = r->seg[r->nseg].off + r->seg[r->nseg].memsz;
		r->nseg++;
	}
	r->entry = eh->e_entry;
	ram_boot(r)->kernel_phys_end = end;
	munmap(img, st.st_size);
	return 0;
}
