// SPDX-License-Identifier: Apache-2.0
// Mutexes (normal, recursive, robust, process-shared), conditions, rwlocks, barriers, semaphores, cancel, once.
// build: static
#include "t.h"
#include <semaphore.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t bar;
static sem_t sem;
static long counter, turn, readers_bad;
static void *adder(void *a)
{
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&m);
		counter++;
		pthread_mutex_unlock(&m);
	}
	return a;
}
static void *ping(void *a)
{
	long me = (long)a;
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&m);
		while (turn % 3 != me)
			pthread_cond_wait(&c, &m);
		turn++;
		pthread_cond_broadcast(&c);
		pthread_mutex_unlock(&m);
	}
	return 0;
}
static long pair[2];
static void *rwuser(void *a)
{
	for (int i = 0; i < 2000; i++) {
		if ((long)a == 0 || i % 20 == 0) {
			pthread_rwlock_wrlock(&rw);
			pair[0]++;
			pair[1]++;
		} else {
			pthread_rwlock_rdlock(&rw);
			if (pair[0] != pair[1])
				readers_bad++;
		}
		pthread_rwlock_unlock(&rw);
	}
	return 0;
}
static long phase_sum;
static void *barrier(void *a)
{
	long serial = 0;
	for (int i = 0; i < 50; i++) {
		__atomic_fetch_add(&phase_sum, 1, __ATOMIC_SEQ_CST);
		if (pthread_barrier_wait(&bar) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
		if (__atomic_load_n(&phase_sum, __ATOMIC_SEQ_CST) < (i + 1) * 4)
			say("barrier passed early\n");
		pthread_barrier_wait(&bar);
	}
	(void)a;
	return (void *)serial;
}
static void cleanup(void *a)
{
	say("cleanup %s\n", (char *)a);
}
static void *cancelled(void *a)
{
	pthread_cleanup_push(cleanup, "ran");
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return a;
}
static void *die_holding(void *a)
{
	pthread_mutex_lock(a);
	return 0;
}
static void once(void)
{
	say("once\n");
}
int main(void)
{
	pthread_t t[4];
	void *r;
	for (int i = 0; i < 4; i++)
		pthread_create(t + i, 0, adder, 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	say("counter %ld\n", counter);
	for (long i = 0; i < 3; i++)
		pthread_create(t + i, 0, ping, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	say("turn %ld\n", turn);
	for (long i = 0; i < 4; i++)
		pthread_create(t + i, 0, rwuser, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	say("rw %ld %ld bad %ld\n", pair[0], pair[1], readers_bad);
	pthread_barrier_init(&bar, 0, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(t + i, 0, barrier, 0);
	long serial = 0;
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		serial += (long)r;
	}
	say("serial %ld\n", serial);
	// Timed waits.
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 30000000;
	if (ts.tv_nsec >= 1000000000)
		ts.tv_sec++, ts.tv_nsec -= 1000000000;
	pthread_mutex_lock(&m);
	say("cond timed: %s\n", en(pthread_cond_timedwait(&c, &m, &ts)));
	pthread_mutex_unlock(&m);
	sem_init(&sem, 0, 2);
	R(sem_wait(&sem));
	R(sem_trywait(&sem));
	R(sem_trywait(&sem));
	R(sem_timedwait(&sem, &ts));
	// Kinds of mutex.
	pthread_mutexattr_t at;
	pthread_mutexattr_init(&at);
	pthread_mutexattr_settype(&at, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_t e;
	pthread_mutex_init(&e, &at);
	pthread_mutex_lock(&e);
	say("relock %s, unlock %s, unlock %s\n", en(pthread_mutex_lock(&e)), en(pthread_mutex_unlock(&e)),
	    en(pthread_mutex_unlock(&e)));
	// Robust: the owner's thread ends, then the owner's process dies.
	pthread_mutexattr_init(&at);
	pthread_mutexattr_setrobust(&at, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&at, PTHREAD_PROCESS_SHARED);
	pthread_mutex_t *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutex_init(s, &at);
	pthread_create(t, 0, die_holding, s);
	pthread_join(t[0], 0);
	say("lock after death of a thread: %s\n", en(pthread_mutex_lock(s)));
	say("consistent: %s\n", en(pthread_mutex_consistent(s)));
	pthread_mutex_unlock(s);
	CHILD("holder", {
		pthread_mutex_lock(s);
		kill(getpid(), SIGKILL);
	});
	say("lock after death of a process: %s\n", en(pthread_mutex_lock(s)));
	pthread_mutex_unlock(s);
	say("not made consistent: %s\n", en(pthread_mutex_lock(s)));
	// A waiter is woken by the death.
	pthread_mutex_init(s, &at);
	int p[2];
	char ch;
	MUST(pipe(p));
	pid_t k = MUST(fork());
	if (!k) {
		pthread_mutex_lock(s);
		write(p[1], "x", 1);
		ms(50);
		_exit(0);
	}
	read(p[0], &ch, 1);
	say("waited: %s\n", en(pthread_mutex_lock(s)));
	reap(k);
	// Process-shared condition and mutex.
	struct {
		pthread_mutex_t m;
		pthread_cond_t c;
		int n;
	} *sh = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_condattr_t ca;
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_init(&at);
	pthread_mutexattr_setpshared(&at, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&sh->m, &at);
	pthread_cond_init(&sh->c, &ca);
	k = MUST(fork());
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&sh->m);
		while (sh->n % 2 != (k ? 0 : 1))
			pthread_cond_wait(&sh->c, &sh->m);
		sh->n++;
		pthread_cond_signal(&sh->c);
		pthread_mutex_unlock(&sh->m);
	}
	if (!k)
		_exit(0);
	say("%s ", st(reap(k)));
	say("n %d\n", sh->n);
	// Cancellation, once.
	pthread_create(t, 0, cancelled, 0);
	ms(10);
	pthread_cancel(t[0]);
	pthread_join(t[0], &r);
	T(r == PTHREAD_CANCELED);
	static pthread_once_t o = PTHREAD_ONCE_INIT;
	pthread_once(&o, once);
	pthread_once(&o, once);
	// Priority inheritance is refused or works, but does not break: only its result is used.
	return 0;
}
