// SPDX-License-Identifier: Apache-2.0
// Queued real-time signals: order by number, then by time, values, si_code, limits; to a thread.
#include "t.h"
static int got[100], nums[100], n, codes[100];
static pid_t pids[100];
static void h(int s, siginfo_t *i, void *u)
{
	(void)u;
	nums[n] = s;
	codes[n] = i->si_code;
	pids[n] = i->si_pid;
	got[n++] = i->si_value.sival_int;
}
static void show(const char *w)
{
	say("%s:", w);
	for (int i = 0; i < n; i++)
		say(" +%d/%d/%s/%s", nums[i] - SIGRTMIN, got[i],
		    codes[i] == SI_QUEUE   ? "QUEUE"
		    : codes[i] == SI_USER  ? "USER"
		    : codes[i] == SI_TKILL ? "TKILL"
					   : "?",
		    pids[i] == getpid() ? "me" : "other");
	say("\n");
	n = 0;
}
int main(void)
{
	sigset_t m, p;
	struct sigaction a = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
	sigfillset(&a.sa_mask);
	sigemptyset(&m);
	for (int i = 0; i < 5; i++) {
		sigaddset(&m, SIGRTMIN + i);
		sigaction(SIGRTMIN + i, &a, 0);
	}
	sigaddset(&m, SIGUSR1);
	sigaction(SIGUSR1, &a, 0);
	sigprocmask(SIG_BLOCK, &m, 0);
	for (int i = 0; i < 4; i++)
		for (int j = 4; j >= 0; j--)
			MUST(sigqueue(getpid(), SIGRTMIN + j, (union sigval){.sival_int = i * 10 + j}));
	kill(getpid(), SIGRTMIN + 2);
	syscall(SYS_tgkill, getpid(), my_tid(), SIGRTMIN + 2);
	sigpending(&p);
	say("pending %d %d\n", sigismember(&p, SIGRTMIN), sigismember(&p, SIGRTMIN + 5));
	sigprocmask(SIG_UNBLOCK, &m, 0);
	show("queued");
	sigprocmask(SIG_BLOCK, &m, 0);
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 70 + i});
	sigprocmask(SIG_UNBLOCK, &m, 0);
	say("standard signal: %d delivered, value %d\n", n, got[0]);
	n = 0;
	// From a child, through sigwaitinfo.
	sigprocmask(SIG_BLOCK, &m, 0);
	CHILD("sender", {
		for (int i = 0; i < 3; i++)
			MUST(sigqueue(getppid(), SIGRTMIN + 1, (union sigval){.sival_int = 500 + i}));
	});
	siginfo_t si;
	for (int i = 0; i < 3; i++) {
		T(sigwaitinfo(&m, &si) == SIGRTMIN + 1);
		say("value %d uid right %d pid other %d\n", si.si_int, si.si_uid == getuid(), si.si_pid != getpid());
	}
	struct timespec z = {0, 0};
	R(sigtimedwait(&m, &si, &z));
	// Raw rt_sigqueueinfo: code must be negative and not SI_TKILL for others.
	memset(&si, 0, sizeof si);
	si.si_code = SI_USER;
	pid_t k = MUST(fork());
	if (!k)
		for (;;)
			pause();
	R(syscall(SYS_rt_sigqueueinfo, k, SIGRTMIN, &si));
	si.si_code = SI_TKILL;
	R(syscall(SYS_rt_sigqueueinfo, k, SIGRTMIN, &si));
	si.si_code = -50;
	R(syscall(SYS_rt_sigqueueinfo, k, 0, &si));
	R(syscall(SYS_rt_sigqueueinfo, k, 99, &si));
	R(syscall(SYS_rt_sigqueueinfo, 1 << 22, SIGUSR1, &si));
	R(syscall(SYS_rt_sigqueueinfo, k, SIGUSR1, 8));
	R(syscall(SYS_rt_tgsigqueueinfo, k, k, SIGTERM, &si));
	say("%s\n", st(reap(k)));
	// The limit on what may be queued.
	CHILD("limit", {
		struct rlimit l = {5, 5};
		setrlimit(RLIMIT_SIGPENDING, &l);
		nobody();
		int ok = 0;
		while (ok < 100 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
			ok++;
		T(ok <= 5);
		say("%s\n", en(errno));
		R(kill(getpid(), SIGRTMIN + 1)); // kill always gets through
	});
	// A thousand queued and taken in order.
	int bad = 0;
	for (int i = 0; i < 1000; i++)
		MUST(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i}));
	for (int i = 0; i < 1000; i++)
		bad += sigwaitinfo(&m, &si) != SIGRTMIN + 3 || si.si_int != i;
	say("bad %d\n", bad);
	return 0;
}
