// SPDX-License-Identifier: Apache-2.0
// Threads: create and join in numbers, TLS, return values, detached, stacks, ids.
// build: static
#include "t.h"
#include <stdatomic.h>
static __thread int tls = 5;
static __thread char tlsbig[5000];
static atomic_int count;
static pthread_key_t key;
static void destroy(void *p)
{
	atomic_fetch_add((atomic_int *)p, 1);
}
static atomic_int destroyed;
static void *work(void *a)
{
	long n = (long)a;
	if (tls != 5 || tlsbig[4999] != 0)
		say("TLS not fresh\n");
	tls = n;
	memset(tlsbig, n, sizeof tlsbig);
	pthread_setspecific(key, &destroyed);
	for (int i = 0; i < 100; i++) {
		atomic_fetch_add(&count, 1);
		if (i % 10 == 0)
			sched_yield();
	}
	return (void *)(tls == n && tlsbig[77] == (char)n ? n * 2 : -1);
}
static void *big_stack(void *a)
{
	volatile char b[3 << 20];
	for (size_t i = 0; i < sizeof b; i += 4096)
		b[i] = 1;
	return a;
}
static void *ids(void *a)
{
	pid_t *v = a;
	v[0] = getpid();
	v[1] = my_tid();
	return 0;
}
static void *nested(void *a)
{
	long n = (long)a;
	pthread_t t;
	void *r = 0;
	if (n == 0)
		return (void *)100;
	if (pthread_create(&t, 0, nested, (void *)(n - 1)))
		return 0;
	pthread_join(t, &r);
	return (char *)r + 1;
}
static void *forker(void *a)
{
	(void)a;
	pid_t p = fork();
	if (!p)
		_exit(tls == 5 && getpid() == my_tid() ? 12 : 13);
	return (void *)(long)reap(p);
}
int main(void)
{
	pthread_t t[50];
	void *r;
	long sum = 0;
	pthread_key_create(&key, destroy);
	for (int round = 0; round < 4; round++) {
		for (long i = 0; i < 50; i++)
			if (pthread_create(t + i, 0, work, (void *)(i + 1)))
				say("create failed\n");
		for (int i = 0; i < 50; i++) {
			pthread_join(t[i], &r);
			sum += (long)r;
		}
	}
	say("sum %ld count %d destroyed %d, own tls %d\n", sum, count, destroyed, tls);
	// Many short ones, one after the other.
	count = 0;
	for (int i = 0; i < 500; i++) {
		pthread_create(t, 0, work, (void *)1);
		pthread_join(t[0], 0);
	}
	say("count %d\n", count);
	pthread_attr_t at;
	pthread_attr_init(&at);
	pthread_attr_setstacksize(&at, 4 << 20);
	pthread_create(t, &at, big_stack, (void *)9);
	pthread_join(t[0], &r);
	say("big stack %ld\n", (long)r);
	pid_t v[2];
	pthread_create(t, 0, ids, v);
	pthread_join(t[0], 0);
	T(v[0] == getpid() && v[1] != v[0]);
	pthread_create(t, 0, nested, (void *)20);
	pthread_join(t[0], &r);
	say("nested %ld\n", (long)r);
	pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
	count = 0;
	for (int i = 0; i < 20; i++)
		pthread_create(t, &at, work, (void *)1);
	T(UNTIL(count == 2000));
	pthread_create(t, 0, forker, 0);
	pthread_join(t[0], &r);
	say("fork in a thread: %s\n", st((long)r));
	// The first thread ends with pthread_exit, another one ends the process.
	CHILD("pthread_exit of the first", {
		void *last(void *a)
		{
			ms(30);
			_exit(17);
			return a;
		}
		pthread_create(t, 0, last, 0);
		pthread_exit(0);
	});
	CHILD("all end by pthread_exit", {
		for (int i = 0; i < 5; i++)
			pthread_create(t + i, 0, work, (void *)1);
		pthread_exit(0);
	});
	return 0;
}
