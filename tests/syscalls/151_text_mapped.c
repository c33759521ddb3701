// SPDX-License-Identifier: Apache-2.0
// A program maps the text of a file itself: it reads what the file has, may use every address around it, and can run it.
#include "t.h"
#include <link.h>

// Somewhere in this text there is a system call; where it lies does not matter to it.
static __attribute__((noinline, used)) long my_call(long nr)
{
	long r;

	asm volatile("syscall" : "=a"(r) : "a"(nr) : "rcx", "r11", "memory");
	return r;
}

struct text {
	unsigned long addr, len, off;
};

static int find_text(struct dl_phdr_info *i, size_t n, void *v)
{
	struct text *t = v;

	for (int k = 0; k < i->dlpi_phnum; k++) {
		const ElfW(Phdr) *p = i->dlpi_phdr + k;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			unsigned long a = i->dlpi_addr + p->p_vaddr;
			*t = (struct text){a & -4096UL, ((a + p->p_filesz + 4095) & -4096UL) - (a & -4096UL),
					   p->p_offset & -4096UL};
			return 1; // the program is the first
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
	int fd = MUST(open("/proc/self/exe", O_RDONLY));
	struct text t = {0};
	char *room, *p;
	long (*moved)(long);
	long me = getpid();

	for (int i = 0; i < 3; i++) // the call in our own text is patched now
		T(my_call(SYS_getpid) == me);
	dl_iterate_phdr(find_text, &t);
	T(t.len > 0);
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
	moved = (void *)(p + ((unsigned long)my_call - t.addr));
	for (int i = 0; i < 3; i++)
		T(moved(SYS_getpid) == me);
	T(same(fd, p, &t));
	T(my_call(SYS_getpid) == me);
	MUST(munmap(room, 8 << 20));

	// first readable, executable later; and shared
	p = text_at(fd, room, &t, PROT_READ, MAP_PRIVATE);
	T(same(fd, p, &t));
	T(mprotect(p, t.len, PROT_READ | PROT_EXEC) == 0 && same(fd, p, &t) && moved(SYS_getpid) == me && same(fd, p, &t));
	MUST(munmap(room, 8 << 20));
	p = text_at(fd, room, &t, PROT_READ | PROT_EXEC, MAP_SHARED);
	T(moved(SYS_getpid) == me && moved(SYS_getpid) == me);
	CHILD("fork", _exit(moved(SYS_getppid) == me ? 3 : 4));
	return 0;
}
