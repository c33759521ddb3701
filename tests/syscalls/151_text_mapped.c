// SPDX-License-Identifier: Apache-2.0
// A program maps the text of a file itself: it reads what the file has, may use every address around it, and can run it.
#include "t.h"
#include <link.h>

// The C library's text: there is a system call in getppid(), which runs wherever it lies.
static pid_t (*const library_call)(void) = getppid;

struct text {
	unsigned long addr, len, off;
	char path[256];
};

static int find_text(struct dl_phdr_info *i, size_t n, void *v)
{
	unsigned long call = (unsigned long)library_call;
	struct text *t = v;

	for (int k = 0; k < i->dlpi_phnum; k++) {
		const ElfW(Phdr) *p = i->dlpi_phdr + k;
		unsigned long a = i->dlpi_addr + p->p_vaddr, start = a & -4096UL;
		if (p->p_type == PT_LOAD && call >= a && call < a + p->p_filesz) {
			t->addr = start;
			t->len = ((a + p->p_filesz + 4095) & -4096UL) - start;
			t->off = p->p_offset & -4096UL;
			snprintf(t->path, sizeof t->path, "%s", i->dlpi_name);
			return 1;
		}
	}
	return 0;
}

static int same(int fd, const char *p, const struct text *t)
{
	char *b = malloc(t->len);
	ssize_t n = pread(fd, b, t->len, t->off);
	int r = n > 0 && !memcmp(b, p, n);

	free(b);
	return r;
}

static char *text_at(int fd, char *where, const struct text *t, int prot, int flags)
{
	char *p = mmap(where, t->len, prot, flags | MAP_FIXED, fd, t->off);

	T(p == where);
	return p;
}

int main(void)
{
	struct text t = {0};
	long me = getpid();
	char *room, *p;
	pid_t (*moved)(void);
	int fd;

	for (int i = 0; i < 3; i++) // the calls in the library's own text are patched now
		T(getppid() >= 0);
	dl_iterate_phdr(find_text, &t);
	fd = MUST(open(t.path, O_RDONLY));
	room = mmap(NULL, 8 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	MUST(room == MAP_FAILED ? -1 : 0);
	MUST(munmap(room, 8 << 20));

	p = text_at(fd, room, &t, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	T(same(fd, p, &t));
	for (size_t off = 0; off < 4 << 20; off += 256 << 10) { // as who keeps account of addresses himself
		char *q = mmap(room + t.len + off, 256 << 10, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (q != room + t.len + off)
			T(!"free memory behind it");
	}
	moved = (void *)(p + ((unsigned long)library_call - t.addr));
	for (int i = 0; i < 3; i++)
		T(moved() == getppid());
	T(same(fd, p, &t));
	MUST(munmap(room, 8 << 20));

	// first readable, executable later; and shared
	p = text_at(fd, room, &t, PROT_READ, MAP_PRIVATE);
	T(same(fd, p, &t));
	T(mprotect(p, t.len, PROT_READ | PROT_EXEC) == 0 && same(fd, p, &t) && moved() == getppid() && same(fd, p, &t));
	MUST(munmap(room, 8 << 20));
	p = text_at(fd, room, &t, PROT_READ | PROT_EXEC, MAP_SHARED);
	T(moved() == getppid() && moved() == getppid());
	CHILD("fork", _exit(moved() == me ? 3 : 4));
	return 0;
}
