// SPDX-License-Identifier: Apache-2.0
// eventfd: counting, semaphore mode, overflow, blocking on both sides, poll, non-blocking, errors.
#include "t.h"
#include <sys/eventfd.h>
int main(void)
{
	uint64_t v = 5, one = 1, big = UINT64_MAX - 1, max = UINT64_MAX;
	int fd = MUST(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
	R(fcntl(fd, F_GETFD));
	R(fcntl(fd, F_GETFL) & O_NONBLOCK);
	R(read(fd, &v, 8));
	say("value %lu\n", v);
	R(read(fd, &v, 8));
	R(write(fd, &one, 8));
	R(write(fd, &one, 8));
	R(read(fd, &v, 8));
	say("value %lu\n", v);
	R(read(fd, &v, 7));
	R(write(fd, &v, 7));
	R(write(fd, &max, 8));
	R(write(fd, &big, 8));
	R(write(fd, &one, 8));
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	R(poll(&p, 1, 0));
	R(p.revents);
	R(read(fd, &v, 8));
	T(v == big);
	R(poll(&p, 1, 0));
	R(p.revents);
	R(write(fd, (void *)8, 8));
	R(lseek(fd, 0, SEEK_SET));
	R(pread(fd, &v, 8, 0));
	int s = MUST(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
	for (int i = 0; i < 4; i++) {
		v = 0;
		R(read(s, &v, 8));
		say("value %lu\n", v);
	}
	// Blocking.
	int b = MUST(eventfd(0, 0));
	pid_t k = MUST(fork());
	if (!k) {
		_exit(read(b, &v, 8) == 8 ? v : 99);
	}
	settle(k);
	v = 42;
	R(write(b, &v, 8));
	say("%s\n", st(reap(k)));
	R(write(b, &big, 8));
	k = MUST(fork());
	if (!k) {
		v = 5;
		_exit(write(b, &v, 8) == 8 ? 1 : 2);
	}
	settle(k);
	R(read(b, &v, 8));
	say("%s\n", st(reap(k)));
	R(read(b, &v, 8));
	say("value %lu\n", v);
	O(eventfd(0, 0x1234));
	// Four threads as semaphore users.
	s = MUST(eventfd(0, EFD_SEMAPHORE));
	static int es;
	es = s;
	void *take(void *a)
	{
		uint64_t q;
		for (int i = 0; i < 250; i++)
			read(es, &q, 8);
		return a;
	}
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(t + i, 0, take, 0);
	for (int i = 0; i < 100; i++) {
		v = 10;
		write(s, &v, 8);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	p = (struct pollfd){s, POLLIN, 0};
	R(poll(&p, 1, 0));
	return 0;
}
