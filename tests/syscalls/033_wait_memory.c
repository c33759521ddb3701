// SPDX-License-Identifier: Apache-2.0
// What a child's memory held is free when wait returns, and while the zombie is not waited for: shared memory, a program that runs.
#include "t.h"
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>
static int shm;
static long attached(void)
{
	struct shmid_ds d;
	MUST(shmctl(shm, IPC_STAT, &d));
	return d.shm_nattch;
}
// A child with the segment attached that ends when go is closed.
static pid_t child(int go[2])
{
	char c;
	pid_t k = MUST(fork());
	if (k)
		return k;
	close(go[1]);
	if (shmat(shm, 0, 0) == (void *)-1)
		_exit(1);
	read(go[0], &c, 1);
	_exit(0);
}
static pid_t waited_for;
static void *wait_for_it(void *arg)
{
	int s = -1;
	pid_t r = waitpid(waited_for, &s, arg ? __WALL : 0);
	return (void *)(long)(r == waited_for ? s : -1);
}
static void drop(int go[2])
{
	close(go[0]);
	close(go[1]);
}
int main(int argc, char **argv)
{
	if (argc > 1) // the program that is written later
		return 0;
	int go[2], go2[2], bad = 0;
	pthread_t t;
	void *r;
	siginfo_t si = {0};
	shm = MUST(shmget(IPC_PRIVATE, 8192, 0600));
	// reaped by a parent that sleeps already, or not yet
	for (int i = 0; i < 40; i++) {
		MUST(pipe(go));
		pid_t k = child(go);
		drop(go);
		bad += reap(k) != 0 || attached() != 0;
	}
	say("after wait: %d still attached\n", bad);
	// the parent waits for another child: this one's memory does not wait with it
	MUST(pipe(go));
	waited_for = child(go);
	MUST(pthread_create(&t, 0, wait_for_it, 0));
	while (!attached())
		sched_yield();
	MUST(pipe(go2));
	pid_t k = child(go2);
	drop(go2);
	MUST(waitid(P_PID, k, &si, WEXITED | WNOWAIT));
	say("a zombie that nobody reaps: %ld attached\n", attached() - 1);
	say("%s\n", st(reap(k)));
	drop(go);
	pthread_join(t, &r);
	say("waited for by a thread: %ld, attached %ld\n", (long)r, attached());
	// by another thread than the one that made it
	MUST(pipe(go));
	waited_for = child(go);
	MUST(pthread_create(&t, 0, wait_for_it, &t));
	drop(go);
	pthread_join(t, &r);
	say("by another thread: %ld, attached %ld\n", (long)r, attached());
	// many at once, any of them
	MUST(pipe(go));
	for (int i = 0; i < 8; i++)
		child(go);
	drop(go);
	for (int i = 0; i < 8; i++)
		MUST(wait(0));
	say("after the last of many: attached %ld\n", attached());
	MUST(shmctl(shm, IPC_RMID, 0));
	// a program may be written when it has ended
	char buf[65536], name[] = "/tmp/wait-memory-XXXXXX";
	int from = MUST(open("/proc/self/exe", O_RDONLY)), to = MUST(mkstemp(name)), n;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		MUST(write(to, buf, n));
	MUST(fchmod(to, 0700));
	close(to);
	bad = 0;
	for (int i = 0; i < 10; i++) {
		MUST(pipe(go));
		k = MUST(fork());
		if (!k) {
			dup2(go[0], 0);
			execl(name, name, "read", NULL);
			_exit(1);
		}
		drop(go);
		bad += reap(k) != 0;
		to = open(name, O_WRONLY);
		bad += to < 0;
		close(to);
	}
	unlink(name);
	say("written after its end: %d failures\n", bad);
	return 0;
}
