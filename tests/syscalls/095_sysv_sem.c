// SPDX-License-Identifier: Apache-2.0
// System V semaphores: all or nothing, waiting for a value and for zero, SEM_UNDO at exit, interruption, time limits, removal.
#include "t.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};
static int set(int id, int n, int v)
{
	return semctl(id, n, SETVAL, (union semun){.val = v});
}
#define OP(n, op, fl)                                                                                                  \
	(struct sembuf)                                                                                                \
	{                                                                                                              \
		n, op, fl                                                                                              \
	}
static int op1(int id, int n, int op, int fl)
{
	struct sembuf s = OP(n, op, fl);
	return semop(id, &s, 1);
}
static void nothing(int s)
{
}
static void values(int id)
{
	unsigned short v[3] = {1, 2, 3}, w[3];

	R(semctl(id, 0, SETALL, (union semun){.array = v}));
	R(semctl(id, 2, GETVAL));
	T(semctl(id, 1, GETPID) == getpid());
	struct sembuf s[] = {OP(0, -1, IPC_NOWAIT), OP(1, -3, IPC_NOWAIT)};
	R(semop(id, s, 2)); // the second cannot be: the first is not done
	R(semctl(id, 0, GETVAL));
	s[1].sem_op = -2;
	R(semop(id, s, 2));
	R(semctl(id, 0, GETALL, (union semun){.array = w}));
	say("%d %d %d\n", w[0], w[1], w[2]);
	struct sembuf same[] = {OP(0, 5, 0), OP(0, -5, 0), OP(0, 0, IPC_NOWAIT)};
	R(semop(id, same, 3));
	R(op1(id, 2, 0, IPC_NOWAIT));
	R(op1(id, 0, -1, IPC_NOWAIT));
	R(op1(id, 3, 1, 0));
	R(op1(id, 0, 32767, 0));
	R(op1(id, 0, 1, 0));
	R(set(id, 0, 32768));
	R(set(id, 0, -1));
	R(set(id, 7, 1));
	R(set(id, 0, 0));
	R(semop(id, s, 0));
	R(semop(id, s, 501));
	R(semop(id, (void *)8, 1));
	R(semop(-1, s, 1));
	R(semctl(id, 0, 99));
	struct timespec t = {0, 20000000}, bad = {0, 1000000000};
	R(semtimedop(id, same + 1, 1, &t));
	R(semtimedop(id, same + 1, 1, &bad));
}
static void waiting(int id)
{
	pid_t a, b;

	MUST(set(id, 0, 0));
	MUST(set(id, 1, 1));
	if (!(a = MUST(fork())))
		_exit(op1(id, 0, -2, 0) ? errno : 0);
	settle(a);
	if (!(b = MUST(fork())))
		_exit(op1(id, 1, 0, 0) ? errno : 0);
	settle(b);
	R(semctl(id, 0, GETNCNT));
	R(semctl(id, 1, GETZCNT));
	R(semctl(id, 0, GETZCNT));
	R(op1(id, 0, 1, 0));
	R(semctl(id, 0, GETNCNT));
	R(op1(id, 0, 1, 0));
	say("%s\n", st(reap(a)));
	R(op1(id, 1, -1, 0));
	say("%s\n", st(reap(b)));
	R(semctl(id, 0, GETVAL));
	// A handler that asks for restarting: semop is not restarted.
	if (!(a = MUST(fork()))) {
		on(SIGUSR1, nothing, SA_RESTART);
		op1(id, 0, -1, 0);
		_exit(errno);
	}
	settle(a);
	kill(a, SIGUSR1);
	T(WEXITSTATUS(reap(a)) == EINTR);
	R(semctl(id, 0, GETNCNT));
}
static void undo(int id)
{
	MUST(set(id, 0, 3));
	CHILD("undo", {
		op1(id, 0, -2, SEM_UNDO);
		op1(id, 0, 1, 0); // stays
		R(semctl(id, 0, GETVAL));
		if (!fork()) { // not inherited
			_exit(0);
		}
		wait(NULL);
		R(semctl(id, 0, GETVAL));
		raise(SIGKILL);
	});
	R(semctl(id, 0, GETVAL));
	CHILD("forgotten when set", {
		op1(id, 0, -2, SEM_UNDO);
		set(id, 0, 9);
	});
	R(semctl(id, 0, GETVAL));
	// An exit wakes who waits for what it gives back.
	int p[2];
	char c;
	MUST(pipe(p));
	MUST(set(id, 2, 1));
	pid_t holder = MUST(fork()), waiter;
	if (!holder) {
		op1(id, 2, -1, SEM_UNDO);
		write(p[1], "", 1);
		pause();
	}
	read(p[0], &c, 1);
	waiter = MUST(fork());
	if (!waiter)
		_exit(op1(id, 2, -1, 0) ? errno : 7);
	settle(waiter);
	R(semctl(id, 2, GETNCNT));
	kill(holder, SIGKILL);
	say("%s\n", st(reap(waiter)));
	say("%s\n", st(reap(holder)));
}
static void *thread(void *p)
{
	op1(*(int *)p, 0, 4, SEM_UNDO);
	return NULL;
}
int main(void)
{
	key_t k = 0x68000000 | (getpid() & 0xffffff);
	int id = MUST(semget(k, 3, IPC_CREAT | IPC_EXCL | 0600)), id2;
	struct semid_ds d;
	pid_t a;

	R(semget(k, 3, IPC_CREAT | IPC_EXCL | 0600));
	T(semget(k, 2, 0) == id);
	R(semget(k, 4, 0));
	R(semget(IPC_PRIVATE, 0, 0600));
	R(semget(IPC_PRIVATE, -1, 0600));
	R(semget(IPC_PRIVATE, 32001, 0600));
	values(id);
	waiting(id);
	undo(id);
	MUST(set(id, 0, 0));
	CHILD("threads share their adjustments", {
		pthread_t t;
		pthread_create(&t, NULL, thread, &id);
		pthread_join(t, NULL);
		R(semctl(id, 0, GETVAL)); // the thread is gone, the process is not
	});
	R(semctl(id, 0, GETVAL));
	R(semctl(id, 0, IPC_STAT, (union semun){.buf = &d}));
	T(d.sem_nsems == 3 && d.sem_otime && d.sem_ctime);
	T(semctl(id, 0, SEM_STAT, (union semun){.buf = &d}) == id); // where a slot is asked for, an identifier does
	if (!geteuid())
		CHILD("others", {
			nobody();
			R(op1(id, 0, 1, 0));
			R(semctl(id, 0, GETVAL));
			R(semctl(id, 0, IPC_RMID));
			R(semctl(id, 0, IPC_SET, (union semun){.buf = &d}));
		});
	if (!(a = MUST(fork())))
		_exit(op1(id, 0, -1, 0) ? errno : 0);
	settle(a);
	R(semctl(id, 0, IPC_RMID));
	T(WEXITSTATUS(reap(a)) == EIDRM);
	R(op1(id, 0, 1, 0));
	id2 = MUST(semget(IPC_PRIVATE, 1, 0600));
	T(id2 != id); // an identifier does not come back soon
	R(op1(id2, 0, 5, SEM_UNDO));
	R(semctl(id2, 0, IPC_RMID)); // with adjustments on it
	return 0;
}
