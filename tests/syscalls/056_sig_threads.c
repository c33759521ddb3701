// SPDX-License-Identifier: Apache-2.0
// Signals and threads: directed and shared, masks per thread, who takes a process signal, tgkill errors, faults in a thread.
#include "t.h"
#include <semaphore.h>
static volatile pid_t took;
static volatile int n;
static sem_t ready, done;
static void h(int s)
{
	(void)s;
	took = my_tid();
	__atomic_fetch_add(&n, 1, __ATOMIC_SEQ_CST);
	sem_post(&done);
}
static volatile pid_t ids[8];
static volatile int quit;
static void *thread(void *a)
{
	long i = (long)a;
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	if (i != 2)
		pthread_sigmask(SIG_BLOCK, &s, 0);
	else
		pthread_sigmask(SIG_UNBLOCK, &s, 0);
	ids[i] = my_tid();
	sem_post(&ready);
	while (!quit)
		usleep(1000);
	return 0;
}
int main(void)
{
	pthread_t t[4];
	sem_init(&ready, 0, 0);
	sem_init(&done, 0, 0);
	on(SIGUSR1, h, SA_RESTART);
	on(SIGUSR2, h, SA_RESTART);
	block(SIGUSR1);
	for (long i = 0; i < 4; i++)
		pthread_create(t + i, 0, thread, (void *)i);
	for (int i = 0; i < 4; i++)
		while (sem_wait(&ready))
			;
	// Only thread 2 has it unblocked.
	int right = 0;
	for (int i = 0; i < 50; i++) {
		kill(getpid(), SIGUSR1);
		while (sem_wait(&done))
			;
		right += took == ids[2];
	}
	say("taken by the only one that can: %d\n", right);
	right = 0;
	for (int i = 0; i < 40; i++) {
		pthread_kill(t[i % 4], SIGUSR2);
		while (sem_wait(&done))
			;
		right += took == ids[i % 4];
	}
	say("directed: %d\n", right);
	// Directed to a thread that blocks it: pending there only.
	pthread_kill(t[1], SIGUSR1);
	ms(20);
	sigset_t p;
	sigpending(&p);
	say("pending here %d, handlers %d\n", sigismember(&p, SIGUSR1), n);
	R(syscall(SYS_tgkill, getpid(), 1 << 22, SIGUSR1));
	R(syscall(SYS_tgkill, 1 << 22, ids[0], SIGUSR1));
	R(syscall(SYS_tgkill, -1, ids[0], SIGUSR1));
	R(syscall(SYS_tgkill, getpid(), 0, SIGUSR1));
	R(syscall(SYS_tgkill, getpid(), ids[0], 0));
	R(syscall(SYS_tkill, ids[0], 0));
	R(syscall(SYS_tkill, -3, 0));
	R(syscall(SYS_tgkill, getpid(), ids[0], 77));
	// kill with a thread's id reaches its process.
	R(kill(ids[3], 0));
	quit = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	// A fault is the thread's own affair.
	static volatile pid_t faulter, seen;
	void sh(int s)
	{
		(void)s;
		seen = my_tid();
		syscall(SYS_exit, 0);
	}
	void *f(void *a)
	{
		faulter = my_tid();
		*(volatile int *)8 = 1;
		return a;
	}
	on(SIGSEGV, sh, 0);
	pthread_create(t, 0, f, 0);
	pthread_join(t[0], 0);
	T(seen == faulter && seen != getpid());
	return 0;
}
