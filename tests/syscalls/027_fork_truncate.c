// SPDX-License-Identifier: Apache-2.0
// A file that parent and child have mapped is cut while the child begins: neither sees, or writes to, what was cut off; nor what lies there
// when the pages are something else's.
#include "t.h"
#include <setjmp.h>
#include <stdbool.h>
#define PAGES 16
#define P 4096UL

static sigjmp_buf back;
static volatile int *go;

static void on_bus(int sig)
{
	siglongjmp(back, 1);
}

static volatile char *map_file(int *fd)
{
	volatile char *p;

	*fd = memfd_create("x", 0);
	if (*fd < 0 || ftruncate(*fd, PAGES * P))
		return NULL;
	p = mmap(NULL, PAGES * P, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	for (int i = 0; i < PAGES; i++)
		p[i * P] = 'A';
	return p;
}

/* How many pages can still be written? */
static int writable(volatile char *p)
{
	volatile int n = 0;

	for (volatile int i = 0; i < PAGES; i++) {
		if (sigsetjmp(back, 1))
			continue;
		p[i * P] = 'B';
		n++;
	}
	return n;
}

static int one_round(bool punch)
{
	int fd, st;
	volatile char *p = map_file(&fd);
	pid_t child;

	*go = 0;
	child = fork();
	if (!child) {
		while (!*go)
			sched_yield();
		_exit(punch ? p[0] + p[(PAGES - 1) * P] : writable(p));
	}
	if (punch ? fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGES * P) : ftruncate(fd, 0))
		say("it cannot be cut: %s\n", en(errno));
	*go = 1;
	waitpid(child, &st, 0);
	st = WIFEXITED(st) ? WEXITSTATUS(st) : -1;
	if (!punch)
		st += writable(p);
	munmap((void *)p, PAGES * P);
	close(fd);
	return st;
}

int main(void)
{
	int bad = 0;

	signal(SIGBUS, on_bus);
	go = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 400; i++)
		bad += one_round(i & 1) != 0;
	say("rounds that went wrong: %d\n", bad);
	return 0;
}
