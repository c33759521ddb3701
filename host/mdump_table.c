// SPDX-License-Identifier: Apache-2.0
// What the dump process must know of the kernel, from the notes of the kernel's file: the sandbox cannot have changed it.

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "mdump.h"
#include "sandbox.h"

#define NOTES_MAX 16384

static void take_note(struct mdump_ctl *c, const Elf64_Nhdr *h, const char *owner, const char *desc)
{
	if (h->n_type == NT_GNU_BUILD_ID && h->n_namesz == 4 && !memcmp(owner, "GNU", 4) &&
	    h->n_descsz <= sizeof(c->build_id)) {
		c->build_id_len = h->n_descsz;
		memcpy(c->build_id, desc, h->n_descsz);
	} else if (h->n_type == NT_HUSK_TABLE && h->n_namesz == sizeof(MDUMP_OWNER) &&
		   !memcmp(owner, MDUMP_OWNER, sizeof(MDUMP_OWNER))) {
		c->nentries = h->n_descsz / sizeof(*c->entry);
		if (c->nentries > MDUMP_MAX_ENTRIES)
			c->nentries = MDUMP_MAX_ENTRIES;
		memcpy(c->entry, desc, c->nentries * sizeof(*c->entry));
	}
}

static void take_notes(struct mdump_ctl *c, const char *p, size_t n)
{
	Elf64_Nhdr h;
	size_t owner, desc;

	while (n >= sizeof(h)) {
		memcpy(&h, p, sizeof(h));
		owner = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		if (owner > n - sizeof(h) || desc > n - sizeof(h) - owner)
			return;
		take_note(c, &h, p + sizeof(h), p + sizeof(h) + owner);
		p += sizeof(h) + owner + desc;
		n -= sizeof(h) + owner + desc;
	}
}

/* A kernel without the table (a test's) has dumps all the same, of everything. */
int mdump_read_table(const char *kernel, struct mdump_ctl *c)
{
	_Alignas(16) static char buf[NOTES_MAX];
	int fd = open(kernel, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr ph[8];
	Elf64_Ehdr eh;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG))
		eh.e_phnum = 0;
	n = pread(fd, ph, sizeof(ph), eh.e_phoff);
	for (unsigned i = 0; i < eh.e_phnum && (i + 1) * sizeof(*ph) <= (size_t)(n < 0 ? 0 : n); i++) {
		if (ph[i].p_type != PT_NOTE || ph[i].p_filesz > sizeof(buf))
			continue;
		if (pread(fd, buf, ph[i].p_filesz, ph[i].p_offset) == (ssize_t)ph[i].p_filesz)
			take_notes(c, buf, ph[i].p_filesz);
	}
	close(fd);
	return 0;
}
