// SPDX-License-Identifier: Apache-2.0
// First wall: ways to get wrpkru executed: files changed while they run, JIT pages written after the scan, races of writing and running,
// two pages put side by side, debugger's writes; and the stub area, which all processes share, must not be writable.
#include "attack.h"
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef void (*code_fn)(void);
static const unsigned char good[] = {0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x1f, 0x00, 0xc3};
static const unsigned char evil[] = {0x31, 0xc0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xef, 0xc3};
static int keys;

static void read_window(void)
{
	volatile long v = *(volatile long *)DIRECT_MAP;

	(void)v;
	_exit(43);
}
/* run code that was evil once it is good no more: death by a signal, or the window stays shut */
static void run(void *p)
{
	((code_fn)p)();
	if (keys)
		read_window();
	_exit(42);
}

static int new_file(const void *code, size_t n)
{
	int fd = memfd_create("x", 0);

	if (fd < 0 || ftruncate(fd, 8192) || pwrite(fd, code, n, 0) != (ssize_t)n)
		_exit(45);
	return fd;
}
static void *map_exec(int fd, int flags)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, flags, fd, 0);

	if (p == MAP_FAILED)
		_exit(42);
	((code_fn)p)();
	return p;
}

static void file_write(void)
{
	int fd = new_file(good, sizeof(good));
	void *p = map_exec(fd, MAP_PRIVATE);

	if (pwrite(fd, evil, sizeof(evil), 0) != sizeof(evil))
		_exit(42);
	run(p);
}
static void file_shared_write(void)
{
	int fd = new_file(good, sizeof(good));
	char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *p;

	w[0] = good[0];
	p = map_exec(fd, MAP_SHARED);
	memcpy(w, evil, sizeof(evil));
	run(p);
}
static void file_shared_rwx(void)
{
	int fd = new_file(good, sizeof(good));
	char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, fd, 0);

	if (w == MAP_FAILED)
		_exit(42);
	((code_fn)w)();
	memcpy(w, evil, sizeof(evil));
	run(w);
}
static void file_mprotect(void)
{
	int fd = new_file(good, sizeof(good));
	char *p = map_exec(fd, MAP_PRIVATE);

	if (mprotect(p, 4096, PROT_READ | PROT_WRITE))
		_exit(42);
	memcpy(p, evil, sizeof(evil));
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC))
		_exit(42);
	run(p);
}
static void file_truncate(void)
{
	int fd = new_file(good, sizeof(good));
	void *p = map_exec(fd, MAP_SHARED);

	if (ftruncate(fd, 0) || ftruncate(fd, 8192) || pwrite(fd, evil, sizeof(evil), 0) != sizeof(evil))
		_exit(42);
	run(p);
}
static void self_mem(void)
{
	int fd = new_file(good, sizeof(good)), m = open("/proc/self/mem", O_RDWR);
	void *p = map_exec(fd, MAP_PRIVATE);

	if (m < 0 || pwrite(m, evil, sizeof(evil), (off_t)p) != sizeof(evil))
		_exit(42);
	run(p);
}
static void vm_writev(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec l = {(void *)evil, sizeof(evil)}, r = {p, sizeof(evil)};

	memcpy(p, good, sizeof(good));
	((code_fn)p)();
	if (process_vm_writev(getpid(), &l, 1, &r, 1, 0) != sizeof(evil))
		_exit(42);
	run(p);
}
static void by_read(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd[2];

	memcpy(p, good, sizeof(good));
	((code_fn)p)();
	if (pipe(fd) || write(fd[1], evil, sizeof(evil)) != sizeof(evil) ||
	    read(fd[0], p, sizeof(evil)) != sizeof(evil))
		_exit(42);
	run(p);
}
static void jit(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(42);
	for (int i = 0; i < 100; i++) {
		memcpy(p, good, sizeof(good));
		((code_fn)p)();
	}
	memcpy(p, evil, sizeof(evil));
	run(p);
}
static void jit_shared(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(42);
	memcpy(p, good, sizeof(good));
	((code_fn)p)();
	memcpy(p, evil, sizeof(evil));
	run(p);
}
/* two mappings of the same shared pages, one to write, one to run; and across fork */
static void two_views(void)
{
	int fd = new_file(good, sizeof(good));
	char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	int st;

	if (w == MAP_FAILED || x == MAP_FAILED)
		_exit(42);
	((code_fn)x)();
	if (!fork()) {
		memcpy(w, evil, sizeof(evil));
		_exit(0);
	}
	wait(&st);
	run(x);
}
static void imm_jump(void)
{
	static const unsigned char code[] = {0xb8, 0x0f, 0x01,
					     0xef, 0xc3, 0xc3}; /* mov $0xc3ef010f,%eax: wrpkru; ret inside */
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 0x90, 4096);
	memcpy(p + 256, code, sizeof(code));
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	((code_fn)(p + 256))(); /* works as it is */
	__asm__ volatile("xor %%eax,%%eax\n\txor %%ecx,%%ecx\n\txor %%edx,%%edx\n\tcall *%0" ::"r"(p + 257)
			 : "rax", "rcx", "rdx", "memory");
	if (keys)
		read_window();
	_exit(42);
}

/* ---- two pages ---- */
static void fill_pair(unsigned char *a, unsigned char *b, int split)
{
	static const unsigned char seq[3] = {0x0f, 0x01, 0xef};

	memset(a, 0x90, 4096);
	memset(b, 0x90, 4096);
	memcpy(a + 4096 - 64, evil, 6);
	memset(a + 4096 - 58, 0x90, 58);
	memcpy(a + 4096 - split, seq, split);
	memcpy(b, seq + split, 3 - split);
	b[3 - split] = 0xc3;
}
static int split_at = 1;
static void pair_private(void)
{
	unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fill_pair(p, p + 4096, split_at);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	mprotect(p + 4096, 4096, PROT_READ | PROT_EXEC);
	run(p + 4096 - 64);
}
static void pair_file(void)
{
	unsigned char buf[8192];
	unsigned char *p;
	int fd;

	fill_pair(buf, buf + 4096, split_at);
	fd = new_file(buf, 8192);
	p = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		_exit(42);
	run(p + 4096 - 64);
}
static void pair_two_files(void)
{
	unsigned char buf[8192], *p = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int a, b;

	fill_pair(buf, buf + 4096, split_at);
	a = new_file(buf, 4096);
	b = new_file(buf + 4096, 4096);
	if (mmap(p, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, a, 0) == MAP_FAILED ||
	    mmap(p + 4096, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, b, 0) == MAP_FAILED)
		_exit(42);
	run(p + 4096 - 64);
}
static void pair_mremap(void)
{
	unsigned char *p = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile unsigned char v;

	fill_pair(a, b, split_at);
	a[0] = b[64] = 0xc3;
	mprotect(a, 4096, PROT_READ | PROT_EXEC);
	mprotect(b, 4096, PROT_READ | PROT_EXEC);
	((code_fn)a)();
	((code_fn)(b + 64))();
	if (mremap(a, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, p) != p ||
	    mremap(b, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4096) != p + 4096)
		_exit(42);
	v = p[4096];
	(void)v;
	run(p + 4096 - 64);
}

/* ---- races ---- */
static unsigned char *volatile race_page;
static volatile int stop;
static void *writer(void *arg)
{
	while (!stop) {
		memcpy(race_page, evil, sizeof(evil));
		memcpy(race_page, good, sizeof(good));
	}
	return NULL;
}
static void *protector(void *arg)
{
	while (!stop) {
		mprotect(race_page, 4096, PROT_READ | PROT_EXEC);
		mprotect(race_page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	}
	return NULL;
}
static void ignore(int sig)
{
	_exit(42);
}
static void race(void *(*other)(void *), int flags)
{
	pthread_t t[2];

	signal(SIGILL, ignore); /* evil code was met: the wall held */
	race_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags | MAP_ANONYMOUS, -1, 0);
	memcpy(race_page, good, sizeof(good));
	pthread_create(&t[0], NULL, writer, NULL);
	if (other)
		pthread_create(&t[1], NULL, other, NULL);
	for (int i = 0; i < 3000; i++) {
		((code_fn)race_page)();
#ifdef __x86_64__
		if (keys) { /* PKRU as rdpkru shows it */
			unsigned a, d;

			__asm__ volatile("rdpkru" : "=a"(a), "=d"(d) : "c"(0));
			if (!(a & 4))
				_exit(43);
		}
#endif
	}
	stop = 1;
	_exit(42);
}
static void race_write(void)
{
	race(NULL, MAP_PRIVATE);
}
static void race_protect(void)
{
	race(protector, MAP_PRIVATE);
}
static void race_shared(void)
{
	race(NULL, MAP_SHARED);
}

/* ---- the stub area ---- */
extern char site[];
__asm__(".text\n.balign 16\nsite: mov $39,%eax\n syscall\n ret\n");
static unsigned char *stub(void)
{
	static char *page;
	int d;

	for (int i = 0; i < 3; i++)
		((code_fn)site)();
	page = site;
	memcpy(&d, page + 1, 4);
	return (unsigned char)page[0] != 0xe9 ? NULL : (unsigned char *)page + 5 + d;
}
static void stub_write(void)
{
	unsigned char *p = stub();

	if (!p)
		_exit(42);
	*p = 0xc3;
	_exit(43 + keys * 2);
}
static unsigned char *stub_page(void)
{
	return (unsigned char *)((unsigned long)stub() & ~4095UL);
}
static void stub_protect(void)
{
	unsigned char *p = stub_page();

	if (!p || mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC))
		_exit(42);
	*p = 0xc3;
	_exit(46);
}
static void stub_mem(void)
{
	unsigned char *p = stub_page(), c = 0xc3;
	int m = open("/proc/self/mem", O_RDWR);

	if (!p || m < 0 || pwrite(m, &c, 1, (off_t)p) != 1)
		_exit(42);
	_exit(46);
}
static void stub_vm_writev(void)
{
	unsigned char *p = stub_page(), c = 0xc3;
	struct iovec l = {&c, 1}, r = {p, 1};

	_exit(!p || process_vm_writev(getpid(), &l, 1, &r, 1, 0) != 1 ? 42 : 46);
}
static void stub_read_into(void)
{
	unsigned char *p = stub_page();
	int fd[2];

	if (!p || pipe(fd) || write(fd[1], "\xc3", 1) != 1)
		_exit(42);
	_exit(read(fd[0], p, 1) == 1 ? 46 : 42);
}
static void stub_unmap(void)
{
	unsigned char *p = stub_page();

	if (p)
		munmap(p, 4096);
	((code_fn)site)();
	_exit(42);
}
static void stub_remap(void)
{
	unsigned char *p = stub_page();

	if (p)
		mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x20000000);
	((code_fn)site)();
	_exit(42);
}
static void stub_replace(void)
{
	unsigned char *p = stub_page();

	if (p && mmap(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p)
		memcpy(p, evil, sizeof(evil));
	((code_fn)site)();
	_exit(42);
}
static void stub_discard(void)
{
	unsigned char *p = stub_page();

	if (p) {
		madvise(p, 4096, MADV_DONTNEED);
		madvise(p, 4096, MADV_REMOVE);
	}
	((code_fn)site)();
	_exit(42);
}
static void gate_unmap(void)
{
	_exit(munmap((void *)0x7000e0000000, 4096) < 0 && munmap((void *)0x600000000000, 0x200000000000) < 0 ? 42 : 46);
}

static void contained(const char *what, void (*fn)(void))
{
	int st = in_child(fn);
	int ok = WIFSIGNALED(st) || (WIFEXITED(st) && (WEXITSTATUS(st) == 42 || WEXITSTATUS(st) == 0));

	if (!ok)
		printf("status %x: ", st);
	must_fail(what, ok);
}
#define TRY(fn) contained(#fn, fn)

int main(int argc, char **argv)
{
	keys = argc > 1 && !strcmp(argv[1], "keys");
	TRY(file_write);
	TRY(file_shared_write);
	TRY(file_shared_rwx);
	TRY(file_mprotect);
	TRY(file_truncate);
	TRY(self_mem);
	TRY(vm_writev);
	TRY(by_read);
	TRY(jit);
	TRY(jit_shared);
	TRY(two_views);
	TRY(imm_jump);
	for (split_at = 1; split_at < 3; split_at++) {
		TRY(pair_private);
		TRY(pair_file);
		TRY(pair_two_files);
		TRY(pair_mremap);
	}
	TRY(race_write);
	TRY(race_protect);
	TRY(race_shared);
	TRY(stub_write);
	TRY(stub_protect);
	TRY(stub_mem);
	TRY(stub_vm_writev);
	TRY(stub_read_into);
	TRY(stub_unmap);
	TRY(stub_remap);
	TRY(stub_replace);
	TRY(stub_discard);
	TRY(gate_unmap);
	for (int i = 0; i < 3; i++)
		must_fail("this process's own call site still works", ({
				  long r;
				  __asm__ volatile("call site" : "=a"(r)::"rcx", "r11", "memory");
				  r == getpid();
			  }));
	return failures != 0;
}
