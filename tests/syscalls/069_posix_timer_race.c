// SPDX-License-Identifier: Apache-2.0
// timer_settime() by threads that found the timer before timer_delete(): it is not armed any more, and nothing of it stays behind.
#include "t.h"
#define ROUNDS 100000

static volatile int id = -1, stop;

static void *setter(void *unused)
{
	struct itimerspec soon = {{0, 0}, {0, 200000}};

	while (!stop)
		syscall(SYS_timer_settime, id, 0, &soon, NULL);
	return unused;
}

int main(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	pthread_t t[2];
	int deleted = 0, fresh;

	signal(SIGALRM, SIG_IGN);
	for (int i = 0; i < 2; i++)
		T(pthread_create(&t[i], NULL, setter, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &fresh))
			break;
		id = fresh;
		for (volatile int i = 0; i < round % 300; i++)
			;
		deleted += !syscall(SYS_timer_delete, fresh);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	say("deleted all %d\n", deleted == ROUNDS);
	return 0;
}
