// SPDX-License-Identifier: Apache-2.0
// Scheduling calls: yield, affinity, policies, priorities, nice, getcpu.
#include "t.h"
int main(void)
{
	cpu_set_t s;
	CPU_ZERO(&s);
	R(sched_yield());
	R(sched_getaffinity(0, sizeof s, &s));
	int n = CPU_COUNT(&s), first = -1;
	T(n >= 1 && n <= sysconf(_SC_NPROCESSORS_CONF));
	for (int i = CPU_SETSIZE - 1; i >= 0; i--)
		if (CPU_ISSET(i, &s))
			first = i;
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	R(sched_setaffinity(0, sizeof one, &one));
	R(sched_getaffinity(0, sizeof s, &s));
	say("count %d\n", CPU_COUNT(&s));
	unsigned c = 99, node = 99;
	R(syscall(SYS_getcpu, &c, &node, 0));
	T((int)c == first && node < 99);
	T(sched_getcpu() == first);
	CPU_ZERO(&one);
	R(sched_setaffinity(0, sizeof one, &one));
	R(sched_getaffinity(1 << 22, sizeof s, &s));
	R(syscall(SYS_sched_getaffinity, 0, 4, &s));
	R(syscall(SYS_sched_getaffinity, 0, sizeof s, 8));
	CHILD("inherited", {
		sched_getaffinity(0, sizeof s, &s);
		say("%d\n", CPU_COUNT(&s));
	});
	R(sched_getscheduler(0));
	struct sched_param p = {0};
	R(sched_getparam(0, &p));
	say("priority %d\n", p.sched_priority);
	R(sched_setscheduler(0, SCHED_BATCH, &p));
	R(sched_getscheduler(0));
	R(sched_setscheduler(0, SCHED_OTHER, &p));
	R(sched_setscheduler(0, 77, &p));
	p.sched_priority = 5;
	R(sched_setscheduler(0, SCHED_OTHER, &p));
	R(sched_get_priority_max(SCHED_FIFO));
	R(sched_get_priority_min(SCHED_FIFO));
	R(sched_get_priority_max(SCHED_OTHER));
	R(sched_get_priority_max(99));
	CHILD("fifo as an ordinary user", {
		struct rlimit l = {0, 0};
		setrlimit(RLIMIT_RTPRIO, &l);
		nobody();
		R(sched_setscheduler(0, SCHED_FIFO, &p));
	});
	CHILD("nice", {
		nobody();
		errno = 0;
		R(nice(3));
		R(getpriority(PRIO_PROCESS, 0));
		R(setpriority(PRIO_PROCESS, 0, 10));
		R(getpriority(PRIO_PROCESS, 0));
		struct rlimit l = {0, 0};
		setrlimit(RLIMIT_NICE, &l);
		R(setpriority(PRIO_PROCESS, 0, 0));
		R(setpriority(PRIO_PROCESS, 0, 100));
		R(getpriority(PRIO_PROCESS, 0));
		R(getpriority(77, 0));
		R(setpriority(PRIO_PROCESS, 1 << 22, 0));
		CHILD("inherited", R(getpriority(PRIO_PROCESS, 0)));
	});
	struct timespec ts;
	R(sched_rr_get_interval(0, &ts));
	struct {
		unsigned size, policy;
		unsigned long flags;
		int nice;
		unsigned prio;
		unsigned long r, d, q;
		unsigned umin, umax;
	} at = {0};
	R(syscall(SYS_sched_getattr, 0, &at, sizeof at, 0));
	say("policy %u nice %d\n", at.policy, at.nice);
	return 0;
}
