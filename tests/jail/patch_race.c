// SPDX-License-Identifier: Apache-2.0
// Patching under load: threads of several processes run into the same fresh system-call sites, in both forms, at the same time.
// Each round is a new copy of this program, whose sites nobody has met. usage: patch_race [ROUNDS [THREADS [PROCESSES]]]
#include "attack.h"
#include <pthread.h>

#define SITES 100 /* of each form: few enough for the stub area */
typedef long (*site_fn)(long nr);
extern char form_a[], form_b[], form_c[];
__asm__(".text\n.balign 16\n"
	"form_a: .rept 100\n .balign 16\n mov $39,%eax\n syscall\n ret\n .endr\n" // getpid
	".balign 16\nform_b: .rept 100\n .balign 32\n mov %edi,%eax\n nop\n syscall\n cmp $-4096,%rax\n ja 1f\n "
	"ret\n1: neg %rax\n ret\n .endr\n"
	".balign 16\nform_c: .rept 100\n .balign 16\n push %rbx\n mov %edi,%eax\n syscall\n pop %rbx\n mov %rax,%rdx\n "
	"mov %rdx,%rax\n ret\n .endr\n");

static int threads = 4, processes = 2;
static long expected;
static volatile int go;
static pthread_barrier_t bar;

static void *worker(void *arg)
{
	unsigned seed = (long)arg * 7919 + 1;
	long bad = 0;

	for (int pass = 0; pass < 20; pass++) {
		pthread_barrier_wait(&bar);
		for (int k = 0; k < SITES; k++) {
			unsigned i = pass < 10 ? k : (seed = seed * 1103515245 + 12345) >> 8;

			bad += ((site_fn)(form_a + i % SITES * 16))(39) != expected;
			bad += ((site_fn)(form_b + i % SITES * 32))(39) != expected;
			bad += ((site_fn)(form_c + i % SITES * 16))(39) != expected;
			bad += ((site_fn)(form_b + i % SITES * 32))(9999) != ENOSYS;
		}
	}
	return (void *)bad;
}

static int hammer(void)
{
	pthread_t t[64];
	long bad = 0;
	void *r;

	expected = getpid();
	pthread_barrier_init(&bar, NULL, threads);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, worker, (void *)i))
			return 3;
	for (int i = 0; i < threads; i++) {
		pthread_join(t[i], &r);
		bad += (long)r;
	}
	return bad != 0;
}

static int one_round(void)
{
	int bad = 0, st;

	for (int i = 0; i < processes; i++) {
		pid_t p = fork();

		if (!p)
			_exit(hammer());
		if (p < 0)
			return 4;
	}
	for (int i = 0; i < processes; i++) {
		if (wait(&st) < 0 || st) {
			printf("process: status %x\n", st);
			bad = 1;
		}
	}
	return bad;
}

static int copy_self(const char *to)
{
	char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			return -1;
	close(in);
	return close(out);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 20, bad = 0;
	char path[64], t[16], p[16];

	threads = argc > 2 ? atoi(argv[2]) : 4;
	processes = argc > 3 ? atoi(argv[3]) : 2;
	if (!rounds)
		return one_round();
	for (int r = 0; r < rounds; r++) {
		int st = -1;

		snprintf(path, sizeof(path), "/tmp/patch_race.%d.%d", getpid(), r);
		snprintf(t, sizeof(t), "%d", threads);
		snprintf(p, sizeof(p), "%d", processes);
		if (copy_self(path))
			return 2;
		if (!fork()) {
			execl(path, path, "0", t, p, NULL);
			_exit(127);
		}
		wait(&st);
		unlink(path);
		bad += st != 0;
	}
	must_fail("fresh call sites under threads and processes", !bad);
	return bad != 0;
}
