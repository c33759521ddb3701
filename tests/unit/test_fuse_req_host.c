// SPDX-License-Identifier: Apache-2.0
/* The libc half of test_fuse_req.c: RAM, threads on kernel-sized stacks, the share. */
#include <fcntl.h>
#include <ftw.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <linux/virtio_ring.h>
#include "../../host/fs_server.h"

#define RAM_SIZE (64ul << 20)
#define SLOT 32768ul
#define TI_TASK_OFF (21 * 8) /* struct pt_regs comes first */
#define BLOCK 16384ul

void test_setup(char *ram, struct hostif_boot *b, unsigned queue_size);
void test_worker(int id, int rounds);

static char *ram;
static char base[] = "/tmp/husk-req-test.XXXXXX";
static struct block {
	struct block *next;
} * free_blocks;
static pthread_mutex_t alloc_lock = PTHREAD_MUTEX_INITIALIZER;

void test_die(const char *why)
{
	fprintf(stderr, "test_fuse_req: %s\n", why);
	_exit(1);
}
int test_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	return 0;
}
void test_futex_wait(uint32_t *w, uint32_t v, int64_t ns)
{
	struct timespec ts = {ns / 1000000000, ns % 1000000000};

	syscall(SYS_futex, w, FUTEX_WAIT, v, ns == INT64_MAX ? NULL : &ts, NULL, 0);
}
int test_futex_wake(uint32_t *w, uint32_t n)
{
	return syscall(SYS_futex, w, FUTEX_WAKE, n, NULL, NULL, 0);
}
uint64_t test_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}
void test_yield(void)
{
	sched_yield();
}
void *test_ram_alloc(size_t n)
{
	struct block *b;

	if (n > BLOCK)
		test_die("allocation too large");
	pthread_mutex_lock(&alloc_lock);
	b = free_blocks;
	if (b)
		free_blocks = b->next;
	pthread_mutex_unlock(&alloc_lock);
	if (!b)
		test_die("out of memory: requests are not freed");
	memset(b, 0xa5, n);
	return b;
}
void test_ram_free(void *p)
{
	struct block *b = p;

	pthread_mutex_lock(&alloc_lock);
	b->next = free_blocks;
	free_blocks = b;
	pthread_mutex_unlock(&alloc_lock);
}

static struct worker {
	pthread_t t;
	ucontext_t back, ctx;
	char *stack;
	int id, rounds;
} workers[64];
static __thread struct worker *me;

static void on_stack(void)
{
	test_worker(me->id, me->rounds);
	setcontext(&me->back);
}

static void *run(void *arg)
{
	struct worker *w = me = arg;
	static struct {
		char room[16384];
	} task, cred;
	static void *init;

	/* task->cred is found by the kernel half's own layout: fill every word with a pointer to zeroes */
	if (!__atomic_exchange_n(&init, &task, __ATOMIC_SEQ_CST))
		for (size_t i = 0; i < sizeof(task) / 8; i++)
			((void **)&task)[i] = &cred;
	*(void **)(w->stack + SLOT - 1024 + TI_TASK_OFF) = &task;
	getcontext(&w->ctx);
	w->ctx.uc_stack.ss_sp = w->stack;
	w->ctx.uc_stack.ss_size = SLOT - 1024;
	makecontext(&w->ctx, on_stack, 0);
	swapcontext(&w->back, &w->ctx);
	return NULL;
}

static void go(int n, int rounds, const char *what)
{
	uint64_t t = test_now();

	for (int i = 0; i < n; i++) {
		workers[i].id = i;
		workers[i].rounds = rounds;
		pthread_create(&workers[i].t, NULL, run, &workers[i]);
	}
	for (int i = 0; i < n; i++)
		pthread_join(workers[i].t, NULL);
	t = test_now() - t;
	printf("test_fuse_req: %-28s %6.2f us a request\n", what, t / 1e3 / n / rounds);
}

static void files(void)
{
	if (!mkdtemp(base) || chdir(base))
		test_die("no scratch directory");
	for (int i = 0; i < 8; i++) {
		char name[2] = {'a' + i, 0}, text[8192];
		int fd = open(name, O_CREAT | O_WRONLY, 0644);

		memset(text, 'a' + i, sizeof(text));
		if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text))
			test_die("cannot fill the scratch directory");
		close(fd);
	}
}

static int rm(const char *p, const struct stat *st, int f, struct FTW *w)
{
	return remove(p);
}

int main(void)
{
	struct fs_share share = {.tag = "t", .readonly = true};
	struct hostif_boot *b;
	const unsigned num = 32;
	struct hostif_queue *q;

	files();
	share.dir_fd = open(".", O_RDONLY | O_DIRECTORY);
	ram = mmap((void *)0x701000000000, RAM_SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (ram == MAP_FAILED)
		test_die("no RAM");
	b = (void *)ram;
	b->host_ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	q = &b->device[0].queue[0];
	*q = (struct hostif_queue){
		.desc = 1 << 20, .avail = (1 << 20) + 0x4000, .used = (1 << 20) + 0x8000, .num = num};
	for (char *p = ram + (2 << 20); p < ram + RAM_SIZE; p += BLOCK)
		test_ram_free(p);
	for (int i = 0; i < 64; i++)
		workers[i].stack = aligned_alloc(SLOT, SLOT);
	if (fd_limits_init(1) || fs_device_start(&share, q, ram, RAM_SIZE))
		test_die("cannot start the server");
	test_setup(ram, b, num);
	go(1, 30000, "one task");
	go(2, 20000, "two tasks");
	go(8, 5000, "eight tasks");
	go(48, 1000, "48 tasks, 32 descriptors");
	fs_device_stop();
	nftw(base, rm, 8, FTW_DEPTH | FTW_PHYS);
	puts("test_fuse_req: ok");
	return 0;
}
