// SPDX-License-Identifier: Apache-2.0
// timerfd: one-shot, periodic counts, absolute, poll, non-blocking, settime's old value, errors.
#include "t.h"
#include <sys/timerfd.h>
int main(void)
{
	uint64_t v = 0;
	struct itimerspec o, t = {{0, 0}, {0, 20000000}};
	int fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	R(fcntl(fd, F_GETFD));
	R(timerfd_settime(fd, 0, &t, 0));
	long long b = now_ns();
	R(read(fd, &v, 8));
	say("value %lu\n", v);
	T(now_ns() - b >= 19000000);
	R(timerfd_gettime(fd, &o));
	say("left %ld %ld\n", (long)o.it_value.tv_sec, o.it_value.tv_nsec);
	t = (struct itimerspec){{0, 5000000}, {0, 5000000}};
	R(timerfd_settime(fd, 0, &t, 0));
	ms(60);
	R(read(fd, &v, 8));
	T(v >= 10 && v < 100000);
	struct pollfd p = {fd, POLLIN, 0};
	R(poll(&p, 1, 60000));
	R(p.revents);
	R(timerfd_settime(fd, 0, &(struct itimerspec){{0, 0}, {0, 0}}, &o));
	T(o.it_interval.tv_nsec == 5000000);
	R(fcntl(fd, F_SETFL, O_NONBLOCK));
	R(read(fd, &v, 8));
	R(poll(&p, 1, 0));
	R(read(fd, &v, 4));
	R(write(fd, &v, 8));
	R(lseek(fd, 0, SEEK_SET));
	clock_gettime(CLOCK_MONOTONIC, &t.it_value);
	t.it_interval = (struct timespec){0, 0};
	R(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, 0));
	R(poll(&p, 1, 60000));
	R(read(fd, &v, 8));
	say("value %lu\n", v);
	// Blocking read in a child, armed by the parent.
	int g = MUST(timerfd_create(CLOCK_REALTIME, 0));
	pid_t k = MUST(fork());
	if (!k) {
		_exit(read(g, &v, 8) == 8 ? v : 99);
	}
	settle(k);
	t = (struct itimerspec){{0, 0}, {0, 1}};
	R(timerfd_settime(g, 0, &t, 0));
	say("%s\n", st(reap(k)));
	O(timerfd_create(99, 0));
	O(timerfd_create(CLOCK_MONOTONIC, 0x10));
	R(timerfd_settime(0, 0, &t, 0));
	R(timerfd_settime(99, 0, &t, 0));
	R(timerfd_settime(g, 0x80, &t, 0));
	t.it_value.tv_nsec = 1000000000;
	R(timerfd_settime(g, 0, &t, 0));
	R(timerfd_gettime(1, &o));
	return 0;
}
