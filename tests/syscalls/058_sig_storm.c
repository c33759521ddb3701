// SPDX-License-Identifier: Apache-2.0
// Signals during system calls, forks, mmaps and locks in numbers: nothing is lost or torn.
// build: static
#include "t.h"
static volatile int hits;
static void h(int s)
{
	(void)s;
	hits++;
}
int main(void)
{
	on(SIGALRM, h, SA_RESTART);
	on(SIGUSR1, h, SA_RESTART);
	struct itimerval it = {{0, 300}, {0, 300}};
	setitimer(ITIMER_REAL, &it, 0);
	int bad = 0, p[2];
	char b[512], c[512];
	MUST(pipe(p));
	for (int i = 0; i < 3000; i++) {
		memset(b, i, sizeof b);
		bad += write(p[1], b, sizeof b) != sizeof b;
		bad += read(p[0], c, sizeof c) != sizeof c;
		bad += memcmp(b, c, sizeof b) != 0;
	}
	say("pipe bad %d\n", bad);
	for (int i = 0; i < 60; i++) {
		pid_t k = fork();
		if (!k)
			_exit(i & 127);
		bad += k < 0 || WEXITSTATUS(reap(k)) != (i & 127);
	}
	say("fork bad %d\n", bad);
	for (int i = 0; i < 500; i++) {
		char *m = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		m[i * 100] = 7;
		bad += m[i * 100] != 7 || m[65535] != 0;
		mprotect(m, 4096, PROT_READ);
		bad += munmap(m, 65536) != 0;
	}
	say("mmap bad %d\n", bad);
	for (int i = 0; i < 20; i++) {
		pid_t k = vfork();
		if (!k) {
			execl("/bin/true", "true", NULL);
			_exit(127);
		}
		bad += reap(k) != 0;
	}
	say("exec bad %d\n", bad);
	it = (struct itimerval){0};
	setitimer(ITIMER_REAL, &it, 0);
	T(hits > 20);
	// Two processes send to each other and count: standard signals merge, real-time ones do not.
	sigset_t m;
	sigemptyset(&m);
	sigaddset(&m, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &m, 0);
	int ready[2];
	MUST(pipe(ready));
	pid_t k = MUST(fork());
	if (!k) {
		pid_t par = getppid();
		siginfo_t i;
		for (int n = 0; n < 500; n++) {
			sigwaitinfo(&m, &i);
			sigqueue(par, SIGRTMIN, (union sigval){.sival_int = i.si_int + 1});
		}
		_exit(0);
	}
	siginfo_t i;
	int v = 0;
	for (int n = 0; n < 500; n++) {
		sigqueue(k, SIGRTMIN, (union sigval){.sival_int = v});
		sigwaitinfo(&m, &i);
		v = i.si_int;
	}
	say("ping-pong %d %s\n", v, st(reap(k)));
	// A busy child under fire from its parent.
	k = MUST(fork());
	if (!k) {
		unsigned long x = 1;
		hits = 0;
		write(ready[1], "x", 1);
		while (hits < 200)
			x = x * 3 + getppid() % 2;
		_exit(0);
	}
	read(ready[0], b, 1);
	while (waitpid(k, &v, WNOHANG) == 0) {
		kill(k, SIGUSR1);
		sched_yield();
	}
	say("%s\n", st(v));
	return 0;
}
