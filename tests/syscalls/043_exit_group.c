// SPDX-License-Identifier: Apache-2.0
// exit_group and fatal signals with many threads in every state; exit of one thread only.
#include "t.h"
static int fd[2];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *busy(void *a)
{
	char c;
	switch ((long)a % 5) {
	case 0:
		for (;;)
			__asm__ volatile("pause");
	case 1:
		for (;;)
			pause();
	case 2:
		read(fd[0], &c, 1);
		break;
	case 3:
		pthread_mutex_lock(&m);
		break;
	default:
		for (;;)
			getppid();
	}
	return 0;
}
static void start(void)
{
	pthread_t t;
	pthread_mutex_lock(&m);
	for (long i = 0; i < 10; i++)
		pthread_create(&t, 0, busy, (void *)i);
	ms(5);
}
static void *ends(void *a)
{
	switch ((long)a) {
	case 0:
		exit(3);
	case 1:
		syscall(SYS_exit_group, 4);
	case 2:
		*(volatile int *)8 = 1;
	case 3:
		raise(SIGUSR1);
	case 4:
		kill(getpid(), SIGKILL);
	case 5:
		syscall(SYS_tgkill, getpid(), getpid(), SIGTERM);
	}
	for (;;)
		pause();
}
static void *just_exit(void *a)
{
	syscall(SYS_exit, 55);
	return a;
}
static volatile int stop;
static void *forever(void *a)
{
	while (!stop)
		sched_yield();
	return a;
}
int main(void)
{
	pthread_t t;
	MUST(pipe(fd));
	CHILD("exit_group in the first", {
		start();
		_exit(9);
	});
	CHILD("return from main's thread", {
		start();
		exit(10);
	});
	for (long i = 0; i < 6; i++)
		CHILD("another thread ends it", {
			start();
			pthread_create(&t, 0, ends, (void *)i);
			for (;;)
				pause();
		});
	CHILD("one thread's exit", {
		pthread_create(&t, 0, just_exit, 0);
		pthread_join(t, 0);
		_exit(2);
	});
	CHILD("first thread's raw exit, the last one's status counts", {
		void *late(void *a)
		{
			ms(30);
			syscall(SYS_exit, 21);
			return a;
		}
		pthread_create(&t, 0, late, 0);
		syscall(SYS_exit, 20);
	});
	// A stopped process with threads: all stop, all go on.
	pid_t p = MUST(fork());
	if (!p) {
		for (int i = 0; i < 3; i++)
			pthread_create(&t, 0, forever, 0);
		for (;;)
			pause();
	}
	int s;
	ms(10);
	kill(p, SIGSTOP);
	waitpid(p, &s, WUNTRACED);
	say("%s\n", st(s));
	kill(p, SIGCONT);
	waitpid(p, &s, WCONTINUED);
	say("%s\n", st(s));
	kill(p, SIGKILL);
	say("%s\n", st(reap(p)));
	// Fifty processes with threads, killed as they start.
	int bad = 0;
	for (int i = 0; i < 50; i++) {
		p = MUST(fork());
		if (!p) {
			for (int j = 0; j < 4; j++)
				pthread_create(&t, 0, forever, 0);
			for (;;)
				pause();
		}
		if (i % 3 == 0)
			ms(1);
		kill(p, SIGTERM);
		bad += reap(p) != SIGTERM;
	}
	say("bad %d\n", bad);
	return 0;
}
