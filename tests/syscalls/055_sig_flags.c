// SPDX-License-Identifier: Apache-2.0
// SA_NODEFER, SA_RESETHAND, SA_NOCLDSTOP, SA_NOCLDWAIT, sigsuspend, sigwait, sigtimedwait, SIGCHLD's siginfo.
// build: static
#include "t.h"
static volatile int depth, most, count;
static void nest(int s)
{
	depth++;
	count++;
	if (depth > most)
		most = depth;
	if (count < 4)
		raise(s);
	depth--;
}
static volatile int ci_code[20], ci_status[20], ci_n, ci_ok = 1;
static void chld(int s, siginfo_t *i, void *u)
{
	(void)s, (void)u;
	ci_code[ci_n] = i->si_code;
	ci_status[ci_n] = i->si_status;
	ci_ok &= i->si_uid == getuid() && i->si_signo == SIGCHLD && i->si_pid > 0;
	ci_n++;
}
static void h(int s)
{
	(void)s;
	count++;
}
static void *waiter(void *a)
{
	sigset_t s;
	int sig = 0;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigwait(&s, &sig);
	say("sigwait in a thread: USR1 %d\n", sig == SIGUSR1);
	return a;
}
int main(void)
{
	on(SIGUSR1, nest, 0);
	raise(SIGUSR1);
	say("deferred: most %d count %d\n", most, count);
	most = count = 0;
	on(SIGUSR1, nest, SA_NODEFER);
	raise(SIGUSR1);
	say("nodefer: most %d count %d\n", most, count);
	CHILD("resethand", {
		on(SIGUSR1, h, SA_RESETHAND);
		count = 0;
		raise(SIGUSR1);
		struct sigaction a;
		sigaction(SIGUSR1, 0, &a);
		say("count %d default %d\n", count, a.sa_handler == SIG_DFL);
		raise(SIGUSR1);
	});
	// SIGCHLD with its facts.
	on_info(SIGCHLD, chld, 0);
	pid_t p = MUST(fork());
	if (!p)
		_exit(7);
	T(UNTIL(ci_n == 1));
	reap(p);
	p = MUST(fork());
	if (!p) {
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	T(UNTIL(ci_n == 2));
	kill(p, SIGCONT);
	T(UNTIL(ci_n == 3 && ci_code[2] == CLD_CONTINUED));
	kill(p, SIGTERM);
	reap(p);
	T(UNTIL(ci_n == 4 && ci_code[ci_n - 1] == CLD_KILLED));
	say("exited %d/%d stopped %d/%d last killed %d/%d ok %d\n", ci_code[0] == CLD_EXITED, ci_status[0],
	    ci_code[1] == CLD_STOPPED, ci_status[1] == SIGSTOP, ci_code[ci_n - 1] == CLD_KILLED,
	    ci_status[ci_n - 1] == SIGTERM, ci_ok);
	ci_n = 0;
	on_info(SIGCHLD, chld, SA_NOCLDSTOP);
	p = MUST(fork());
	if (!p) {
		raise(SIGSTOP);
		_exit(1);
	}
	int s;
	waitpid(p, &s, WUNTRACED);
	kill(p, SIGCONT);
	T(UNTIL(ci_n >= 1));
	reap(p);
	say("nocldstop: %d signals, exited %d\n", ci_n, ci_code[0] == CLD_EXITED);
	ci_n = 0;
	on_info(SIGCHLD, chld, SA_NOCLDWAIT);
	p = MUST(fork());
	if (!p)
		_exit(1);
	R(waitpid(p, &s, 0));
	say("nocldwait: signals %d\n", ci_n);
	signal(SIGCHLD, SIG_DFL);
	// sigsuspend: the mask is swapped for the wait only.
	on(SIGUSR1, h, 0);
	block(SIGUSR1);
	count = 0;
	sigset_t m, none, b;
	sigemptyset(&none);
	raise(SIGUSR1);
	R(sigsuspend(&none));
	sigprocmask(SIG_BLOCK, 0, &m);
	say("count %d blocked again %d\n", count, sigismember(&m, SIGUSR1));
	// sigtimedwait: taken without the handler; time-out; from another process; bad time.
	count = 0;
	siginfo_t i;
	struct timespec t0 = {0, 0}, t1 = {0, 30000000}, bad = {0, -1};
	sigemptyset(&b);
	sigaddset(&b, SIGUSR1);
	raise(SIGUSR1);
	T(sigtimedwait(&b, &i, &t0) == SIGUSR1);
	say("count %d code %s\n", count, i.si_code == SI_TKILL ? "TKILL" : "?");
	long long n = now_ns();
	R(sigtimedwait(&b, &i, &t1));
	T(now_ns() - n >= 30000000);
	R(sigtimedwait(&b, &i, &bad));
	pid_t me = getpid();
	p = MUST(fork());
	if (!p) {
		settle(me);
		kill(me, SIGUSR1);
		_exit(0);
	}
	T(sigwaitinfo(&b, &i) == SIGUSR1 && i.si_pid == p && i.si_code == SI_USER);
	reap(p);
	// A thread that waits takes a process-wide signal.
	pthread_t t;
	pthread_create(&t, 0, waiter, 0);
	ms(20);
	kill(getpid(), SIGUSR1);
	pthread_join(t, 0);
	// An unblocked signal interrupts sigtimedwait.
	on(SIGUSR2, h, SA_RESTART);
	p = MUST(fork());
	if (!p) {
		settle(me);
		kill(me, SIGUSR2);
		_exit(0);
	}
	R(sigwaitinfo(&b, &i));
	reap(p);
	return 0;
}
