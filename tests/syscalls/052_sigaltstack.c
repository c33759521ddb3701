// SPDX-License-Identifier: Apache-2.0
// Alternate signal stacks: use, nesting, SS_ONSTACK report, EPERM while on it, SS_AUTODISARM, per thread, errors.
// build: static
#include "t.h"
static char s1[32768] __attribute__((aligned(16))), s2[32768] __attribute__((aligned(16)));
static int on_stack(char *s)
{
	char c;
	return &c >= s && &c < s + 32768;
}
static void h(int s)
{
	stack_t q;
	sigaltstack(0, &q);
	say("%s: on s1 %d, SS_ONSTACK %d\n", s == SIGUSR1 ? "USR1" : "USR2", on_stack(s1), !!(q.ss_flags & SS_ONSTACK));
	if (s == SIGUSR1) {
		stack_t n = {.ss_sp = s2, .ss_size = sizeof s2};
		R(sigaltstack(&n, 0));
		raise(SIGUSR2);
	}
}
static void disarm(int s)
{
	stack_t q;
	sigaltstack(0, &q);
	say("autodisarm: on s1 %d flags %s\n", on_stack(s1), q.ss_flags & SS_DISABLE ? "DISABLE" : "?");
	stack_t n = {.ss_sp = s2, .ss_size = sizeof s2};
	R(sigaltstack(&n, 0));
	(void)s;
}
static void *thread(void *a)
{
	stack_t q;
	sigaltstack(0, &q);
	say("new thread: %s\n", q.ss_flags & SS_DISABLE ? "none" : "some");
	return a;
}
int main(void)
{
	stack_t n = {.ss_sp = s1, .ss_size = sizeof s1}, o;
	R(sigaltstack(0, &o));
	say("at first: %s\n", o.ss_flags == SS_DISABLE ? "disabled" : "enabled");
	R(sigaltstack(&n, 0));
	R(sigaltstack(0, &o));
	T(o.ss_sp == s1 && o.ss_size == sizeof s1 && o.ss_flags == 0);
	on(SIGUSR1, h, SA_ONSTACK);
	on(SIGUSR2, h, SA_ONSTACK);
	raise(SIGUSR1);
	on(SIGUSR2, h, 0);
	raise(SIGUSR2);
	n.ss_size = 100;
	R(sigaltstack(&n, 0));
	n.ss_size = sizeof s1;
	n.ss_flags = 0x1234;
	R(sigaltstack(&n, 0));
	R(sigaltstack((void *)8, 0));
	n.ss_flags = SS_DISABLE;
	R(sigaltstack(&n, 0));
	on(SIGUSR2, h, SA_ONSTACK);
	raise(SIGUSR2);
	n.ss_flags = 1u << 31; // SS_AUTODISARM
	R(sigaltstack(&n, 0));
	on(SIGUSR1, disarm, SA_ONSTACK);
	raise(SIGUSR1);
	sigaltstack(0, &o);
	T(o.ss_sp == s1 && o.ss_size == sizeof s1); // restored by sigreturn
	n.ss_flags = 0;
	sigaltstack(&n, 0);
	pthread_t t;
	pthread_create(&t, 0, thread, 0);
	pthread_join(t, 0);
	CHILD("fork keeps it", {
		sigaltstack(0, &o);
		T(o.ss_sp == s1);
	});
	pid_t p = vfork();
	if (!p)
		_exit(0);
	reap(p);
	sigaltstack(0, &o);
	T(o.ss_sp == s1);
	// An alternate stack that cannot be written: the process is killed.
	CHILD("bad alternate stack", {
		n.ss_sp = mmap(0, 32768, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		sigaltstack(&n, 0);
		on(SIGUSR1, disarm, SA_ONSTACK);
		raise(SIGUSR1);
	});
	// siglongjmp out of a handler on the alternate stack, many times.
	return 0;
}
