// SPDX-License-Identifier: Apache-2.0
/* Pipes, event files, epoll and local sockets, compiled as in the kernel and run by many threads at once. */
#include "ipc_env.h"
#include <linux/timerfd.h>
#include <asm/poll.h>
#include <asm/ioctls.h>

static char *user_mem;
static size_t user_used;

/* User memory: below TASK_SIZE. Never freed. */
static void *ualloc(size_t n)
{
	size_t at = __atomic_fetch_add(&user_used, ALIGN(n, 64), __ATOMIC_RELAXED);

	CHECK(at + n < (64UL << 20));
	return user_mem + at;
}

static void make_pipe(int *fd, int flags)
{
	int *u = ualloc(8);

	CHECK_EQ(SYS2(pipe2, u, flags), 0);
	fd[0] = u[0];
	fd[1] = u[1];
}

static void make_pair(int *fd, int type)
{
	int *u = ualloc(8);

	CHECK_EQ(SYS4(socketpair, AF_UNIX, type, 0, u), 0);
	fd[0] = u[0];
	fd[1] = u[1];
}

static void close_one(int fd)
{
	CHECK_EQ(SYS1(close, fd), 0);
}

static void close_two(const int *fd)
{
	close_one(fd[0]);
	close_one(fd[1]);
}

static int poll_one(int fd, int events, int timeout)
{
	struct pollfd *p = ualloc(sizeof(*p));
	int n;

	*p = (struct pollfd){fd, (short)events, 0};
	n = (int)SYS3(poll, p, 1, timeout);
	CHECK(n >= 0);
	return n ? p->revents : 0;
}

/* ---- pipes ---- */
static void test_pipe(void)
{
	char *b = ualloc(70000);
	int fd[2], *n = ualloc(4);

	make_pipe(fd, O_NONBLOCK);
	CHECK_EQ(SYS3(read, fd[0], b, 10), -EAGAIN);
	CHECK_EQ(poll_one(fd[0], POLLIN, 0), 0);
	CHECK_EQ(poll_one(fd[1], POLLOUT, 0), POLLOUT);
	CHECK_EQ(SYS3(write, fd[1], memcpy(b, "hello", 5), 5), 5);
	CHECK_EQ(poll_one(fd[0], POLLIN, 0), POLLIN);
	memcpy(b, " world", 6);
	CHECK_EQ(SYS3(write, fd[1], b, 6), 6);
	CHECK_EQ(SYS3(ioctl, fd[0], FIONREAD, n), 0);
	CHECK_EQ(SYS3(read, fd[0], b, 100), *n);
	CHECK(!memcmp(b + *n - 6, " world", 6));
	memset(b, 'x', 70000);
	CHECK_EQ(SYS3(write, fd[1], b, 70000), 65536);
	CHECK_EQ(SYS3(write, fd[1], b, 1), -EAGAIN);
	CHECK_EQ(poll_one(fd[1], POLLOUT, 0), 0);
	CHECK_EQ(SYS3(read, fd[0], b, 70000), 65536);
	close_one(fd[0]);
	CHECK_EQ(poll_one(fd[1], POLLOUT, 0), POLLOUT | POLLERR);
	last_signal = 0;
	CHECK_EQ(SYS3(write, fd[1], b, 1), -EPIPE);
	CHECK_EQ(last_signal, SIGPIPE);
	close_one(fd[1]);
	make_pipe(fd, 0);
	CHECK_EQ(SYS3(write, fd[1], b, 3), 3);
	close_one(fd[1]);
	CHECK_EQ(poll_one(fd[0], POLLIN, 0), POLLIN | POLLHUP);
	CHECK_EQ(SYS3(read, fd[0], b, 10), 3);
	CHECK_EQ(SYS3(read, fd[0], b, 10), 0);
	close_one(fd[0]);
	make_pipe(fd, O_DIRECT | O_NONBLOCK);
	CHECK_EQ(SYS3(write, fd[1], b, 3), 3);
	CHECK_EQ(SYS3(write, fd[1], b, 5), 5);
	CHECK_EQ(SYS3(read, fd[0], b, 2), 2);
	CHECK_EQ(SYS3(read, fd[0], b, 10), 5);
	CHECK_EQ(SYS3(read, fd[0], b, 10), -EAGAIN);
	close_two(fd);
}

#define STRESS_THREADS 4
#define STRESS_BYTES (8 << 20)
static int stress_fd[2];
static u64 sum_in, sum_out, bytes_in, bytes_out;

static void stress_writer(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg, i;
	u8 *b = ualloc(20000);
	u64 sum = 0, done = 0;

	while (done < STRESS_BYTES / STRESS_THREADS) {
		long n;

		seed = seed * 1103515245 + 12345;
		n = 1 + (seed >> 8) % (seed & 0x800000 ? 20000 : 50);
		for (i = 0; i < n; i++)
			b[i] = (u8)(seed + i * 7);
		n = SYS3(write, stress_fd[1], b, n);
		CHECK(n > 0);
		for (i = 0; i < n; i++)
			sum += b[i];
		done += n;
	}
	__atomic_fetch_add(&sum_in, sum, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&bytes_in, done, __ATOMIC_SEQ_CST);
}

static void stress_reader(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg * 77;
	u8 *b = ualloc(30000);
	u64 sum = 0, done = 0;
	long n, i;

	for (;;) {
		seed = seed * 1103515245 + 12345;
		n = SYS3(read, stress_fd[0], b, 1 + (seed >> 8) % (seed & 0x800000 ? 30000 : 100));
		CHECK(n >= 0);
		if (!n)
			break;
		for (i = 0; i < n; i++)
			sum += b[i];
		done += n;
	}
	__atomic_fetch_add(&sum_out, sum, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&bytes_out, done, __ATOMIC_SEQ_CST);
}

/* Several writers and readers on one stream; every byte comes out once. */
static void stress_stream(const char *what, bool sock, int readers)
{
	unsigned long w[STRESS_THREADS], r[STRESS_THREADS];
	u64 start = test_now(CLOCK_MONOTONIC);
	int i;

	sum_in = sum_out = bytes_in = bytes_out = 0;
	if (sock) {
		make_pair(stress_fd, SOCK_STREAM);
		swap(stress_fd[0], stress_fd[1]);
	} else {
		make_pipe(stress_fd, 0);
	}
	for (i = 0; i < readers; i++)
		r[i] = test_start(stress_reader, (void *)(i + 1L));
	for (i = 0; i < STRESS_THREADS; i++)
		w[i] = test_start(stress_writer, (void *)(i + 1L));
	for (i = 0; i < STRESS_THREADS; i++)
		test_join(w[i]);
	close_one(stress_fd[1]);
	for (i = 0; i < readers; i++)
		test_join(r[i]);
	close_one(stress_fd[0]);
	CHECK_EQ(bytes_in, bytes_out);
	CHECK_EQ(sum_in, sum_out);
	test_printf("%s: %lu MB/s\n", what, (unsigned long)(bytes_in * 1000 / (test_now(CLOCK_MONOTONIC) - start)));
}

static int echo_fd[2];

static void echo(void *arg)
{
	char *b = ualloc(1);

	while (SYS3(read, echo_fd[0], b, 1) == 1)
		CHECK_EQ(SYS3(write, echo_fd[1], b, 1), 1);
}

static void ping_pong(const char *what, bool sock)
{
	int a[2], b[2], i, rounds = 20000;
	unsigned long t;
	char *c = ualloc(1);
	u64 start;

	if (sock) {
		make_pair(a, SOCK_STREAM);
		echo_fd[0] = echo_fd[1] = a[1];
		b[0] = a[0];
		a[1] = a[0];
	} else {
		make_pipe(a, 0);
		make_pipe(b, 0);
		echo_fd[0] = a[0];
		echo_fd[1] = b[1];
	}
	t = test_start(echo, NULL);
	start = test_now(CLOCK_MONOTONIC);
	for (i = 0; i < rounds; i++) {
		CHECK_EQ(SYS3(write, a[1], c, 1), 1);
		CHECK_EQ(SYS3(read, b[0], c, 1), 1);
	}
	test_printf("%s round trip: %lu ns\n", what, (unsigned long)((test_now(CLOCK_MONOTONIC) - start) / rounds));
	close_one(a[1]);
	test_join(t);
	close_one(echo_fd[0]);
	if (!sock) {
		close_one(echo_fd[1]);
		close_one(b[0]);
	}
}

static void test_splice(void)
{
	char *b = ualloc(9000), *c = ualloc(9000);
	int p[2], q[2], s[2], i;

	make_pipe(p, O_NONBLOCK);
	make_pipe(q, O_NONBLOCK);
	make_pair(s, SOCK_STREAM | SOCK_NONBLOCK);
	for (i = 0; i < 9000; i++)
		b[i] = (char)(i * 31);
	CHECK_EQ(SYS3(write, p[1], b, 9000), 9000);
	CHECK_EQ(SYS4(tee, p[0], q[1], 5000, 0), 5000);
	CHECK_EQ(SYS3(read, q[0], c, 9000), 5000);
	CHECK(!memcmp(b, c, 5000));
	CHECK_EQ(SYS6(splice, p[0], 0, q[1], 0, 100, 0), 100);
	CHECK_EQ(SYS6(splice, p[0], 0, q[1], 0, 20000, 0), 8900);
	CHECK_EQ(SYS6(splice, p[0], 0, q[1], 0, 20000, 0), -EAGAIN);
	CHECK_EQ(SYS6(splice, q[0], 0, s[0], 0, 20000, 0), 9000);
	CHECK_EQ(SYS6(splice, s[1], 0, p[1], 0, 20000, 0), 9000);
	CHECK_EQ(SYS3(read, p[0], c, 9000), 9000);
	CHECK(!memcmp(b, c, 9000));
	CHECK_EQ(SYS6(splice, p[0], 0, p[1], 0, 1, 0), -EINVAL);
	close_two(p);
	close_two(q);
	close_two(s);
}

/* ---- event files ---- */
static void test_eventfd(void)
{
	u64 *v = ualloc(8);
	int fd = (int)SYS2(eventfd2, 3, O_NONBLOCK);

	CHECK(fd >= 0);
	CHECK_EQ(poll_one(fd, POLLIN | POLLOUT, 0), POLLIN | POLLOUT);
	CHECK_EQ(SYS3(read, fd, v, 8), 8);
	CHECK_EQ(*v, 3);
	CHECK_EQ(SYS3(read, fd, v, 8), -EAGAIN);
	*v = UINT64_MAX - 1;
	CHECK_EQ(SYS3(write, fd, v, 8), 8);
	CHECK_EQ(poll_one(fd, POLLIN | POLLOUT, 0), POLLIN);
	*v = 1;
	CHECK_EQ(SYS3(write, fd, v, 8), -EAGAIN);
	*v = UINT64_MAX;
	CHECK_EQ(SYS3(write, fd, v, 8), -EINVAL);
	close_one(fd);
	fd = (int)SYS2(eventfd2, 2, 1 /* EFD_SEMAPHORE */ | O_NONBLOCK);
	CHECK_EQ(SYS3(read, fd, v, 8), 8);
	CHECK_EQ(*v, 1);
	CHECK_EQ(SYS3(read, fd, v, 8), 8);
	CHECK_EQ(SYS3(read, fd, v, 8), -EAGAIN);
	close_one(fd);
}

static void test_timerfd(void)
{
	struct timespec64 *its = ualloc(2 * sizeof(*its));
	u64 *v = ualloc(8);
	int fd = (int)SYS2(timerfd_create, CLOCK_MONOTONIC, 0);

	CHECK(fd >= 0);
	its[0] = ns_to_timespec64(2000000);
	its[1] = ns_to_timespec64(5000000);
	CHECK_EQ(SYS4(timerfd_settime, fd, 0, its, NULL), 0);
	CHECK_EQ(poll_one(fd, POLLIN, 1000), POLLIN);
	CHECK_EQ(SYS3(read, fd, v, 8), 8);
	CHECK(*v >= 1);
	poll_one(-1, 0, 21);
	CHECK_EQ(SYS3(read, fd, v, 8), 8);
	CHECK(*v >= 5);
	CHECK_EQ(SYS2(timerfd_gettime, fd, its), 0);
	CHECK(its[0].tv_nsec == 2000000 && its[1].tv_nsec > 0 && its[1].tv_nsec <= 2000000);
	its[0] = ns_to_timespec64(1000000000);
	its[1] = ns_to_timespec64(test_now(CLOCK_REALTIME) - 2500000000LL);
	close_one(fd);
	fd = (int)SYS2(timerfd_create, CLOCK_REALTIME, O_NONBLOCK);
	CHECK_EQ(SYS4(timerfd_settime, fd, TFD_TIMER_ABSTIME, its, NULL), 0);
	CHECK_EQ(poll_one(fd, POLLIN, 1000), POLLIN);
	poll_one(-1, 0, 20);
	CHECK_EQ(SYS3(read, fd, v, 8), 8);
	CHECK_EQ(*v, 3);
	CHECK_EQ(SYS3(read, fd, v, 8), -EAGAIN);
	close_one(fd);
}

/* ---- epoll ---- */
static long ep_ctl(int ep, int op, int fd, u32 events, u64 data)
{
	struct epoll_event *e = ualloc(sizeof(*e));

	*e = (struct epoll_event){events, data};
	return SYS4(epoll_ctl, ep, op, fd, e);
}

static void test_epoll(void)
{
	struct epoll_event *ev = ualloc(10 * sizeof(*ev));
	int ep = (int)SYS1(epoll_create1, 0), p[2], q[2], up, i, chain[7];
	char *b = ualloc(10);

	make_pipe(p, O_NONBLOCK);
	make_pipe(q, O_NONBLOCK);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1), 0);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1), -EEXIST);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_DEL, q[0], 0, 1), -ENOENT);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 1), -EINVAL);
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 0);
	CHECK_EQ(SYS3(write, p[1], b, 1), 1);
	for (i = 0; i < 3; i++) /* level */
		CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, -1), 1);
	CHECK(ev->events == EPOLLIN && ev->data == 1);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2), 0);
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 1);
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 0);
	CHECK_EQ(SYS3(write, p[1], b, 1), 1); /* a new edge, though the pipe was not empty */
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 1);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 3), 0);
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 1);
	CHECK_EQ(SYS3(write, p[1], b, 1), 1);
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 0);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 4), 0);
	CHECK_EQ(SYS4(epoll_wait, ep, ev, 10, 0), 1);
	/* nested */
	up = (int)SYS1(epoll_create1, 0);
	CHECK_EQ(ep_ctl(up, EPOLL_CTL_ADD, ep, EPOLLIN, 5), 0);
	CHECK_EQ(ep_ctl(ep, EPOLL_CTL_ADD, up, EPOLLIN, 5), -ELOOP);
	CHECK_EQ(SYS4(epoll_wait, up, ev, 10, 0), 1);
	CHECK_EQ(SYS3(read, p[0], b, 10), 3);
	CHECK_EQ(SYS4(epoll_wait, up, ev, 10, 0), 0);
	CHECK_EQ(poll_one(up, POLLIN, 0), 0);
	CHECK_EQ(SYS3(write, p[1], b, 1), 1);
	CHECK_EQ(poll_one(up, POLLIN, 0), POLLIN);
	CHECK_EQ(ev->data, 5);
	/* the watched file goes */
	close_two(p);
	CHECK_EQ(SYS4(epoll_wait, up, ev, 10, 0), 0);
	close_one(ep);
	close_one(up);
	close_two(q);
	/* depth, built from either end */
	for (i = 0; i < 7; i++)
		chain[i] = (int)SYS1(epoll_create1, 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(ep_ctl(chain[i], EPOLL_CTL_ADD, chain[i + 1], EPOLLIN, 0), 0);
	CHECK_EQ(ep_ctl(chain[4], EPOLL_CTL_ADD, chain[5], EPOLLIN, 0), -ELOOP);
	CHECK_EQ(ep_ctl(chain[6], EPOLL_CTL_ADD, chain[0], EPOLLIN, 0), -ELOOP);
	for (i = 0; i < 7; i++)
		close_one(chain[i]);
}

#define EP_FDS 8
static int storm_ep, storm_fd[EP_FDS];
static bool storm_over;
static u64 storm_taken;

static void storm_waiter(void *arg)
{
	struct epoll_event *ev = ualloc(4 * sizeof(*ev));
	u64 *v = ualloc(8);
	long n;

	while (!READ_ONCE(storm_over)) {
		n = SYS4(epoll_wait, storm_ep, ev, 4, 50);
		CHECK(n >= 0);
		while (n--)
			if (SYS3(read, storm_fd[ev[n].data], v, 8) == 8)
				__atomic_fetch_add(&storm_taken, *v, __ATOMIC_SEQ_CST);
	}
}

static void storm_writer(void *arg)
{
	u64 *v = ualloc(8);
	int i;

	for (i = 0; i < 50000; i++) {
		*v = 1;
		CHECK_EQ(SYS3(write, storm_fd[i % EP_FDS], v, 8), 8);
	}
}

/* Comes and goes: epolls with files that others close. */
static void storm_churn(void *arg)
{
	struct epoll_event *ev = ualloc(4 * sizeof(*ev)), *set = ualloc(sizeof(*set));
	int *fd = ualloc(8), ep, i, s;
	u64 *v = ualloc(8);

	for (i = 0; !READ_ONCE(storm_over); i++) {
		ep = (int)SYS1(epoll_create1, 0);
		CHECK_EQ(SYS4(socketpair, AF_UNIX, SOCK_STREAM, 0, fd), 0);
		*set = (struct epoll_event){EPOLLIN | EPOLLET | EPOLLOUT, 1};
		CHECK_EQ(SYS4(epoll_ctl, ep, EPOLL_CTL_ADD, fd[0], set), 0);
		set->events = EPOLLIN;
		s = storm_fd[i % EP_FDS];
		CHECK_EQ(SYS4(epoll_ctl, ep, EPOLL_CTL_ADD, s, set), 0);
		CHECK_EQ(SYS4(epoll_ctl, storm_ep, EPOLL_CTL_ADD, ep, set), 0);
		SYS3(write, fd[1], v, 8);
		CHECK(SYS4(epoll_wait, ep, ev, 4, 0) >= 1);
		close_one(i & 1 ? ep : fd[0]);
		close_one(i & 1 ? fd[0] : ep);
		close_one(fd[1]);
	}
}

static void test_epoll_storm(void)
{
	struct epoll_event *set = ualloc(sizeof(*set));
	unsigned long t[8];
	int i, n = 0;

	storm_ep = (int)SYS1(epoll_create1, 0);
	for (i = 0; i < EP_FDS; i++) {
		storm_fd[i] = (int)SYS2(eventfd2, 0, O_NONBLOCK);
		*set = (struct epoll_event){EPOLLIN | (i & 1 ? EPOLLET : 0), (u64)i};
		CHECK_EQ(SYS4(epoll_ctl, storm_ep, EPOLL_CTL_ADD, storm_fd[i], set), 0);
	}
	for (i = 0; i < 2; i++)
		t[n++] = test_start(storm_waiter, NULL);
	for (i = 0; i < 2; i++)
		t[n++] = test_start(storm_churn, NULL);
	t[n++] = test_start(storm_writer, NULL);
	t[n++] = test_start(storm_writer, NULL);
	test_join(t[4]);
	test_join(t[5]);
	for (i = 0; i < 200 && READ_ONCE(storm_taken) != 100000; i++)
		poll_one(-1, 0, 10);
	CHECK_EQ(storm_taken, 100000);
	WRITE_ONCE(storm_over, true);
	for (i = 0; i < 4; i++)
		test_join(t[i]);
	for (i = 0; i < EP_FDS; i++)
		close_one(storm_fd[i]);
	close_one(storm_ep);
}

/* ---- sockets ---- */
static int abstract(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path + 1, name);
	return (int)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static void test_stream(void)
{
	struct sockaddr_un *a = ualloc(sizeof(*a));
	int l = (int)SYS3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c, s, len, *ul = ualloc(4);
	char *b = ualloc(100);

	CHECK_EQ(SYS3(socket, AF_INET, SOCK_STREAM, 0), -EAFNOSUPPORT);
	CHECK_EQ(SYS3(socket, AF_UNIX, SOCK_RDM, 0), -ESOCKTNOSUPPORT);
	len = abstract(a, "stream");
	c = (int)SYS3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(poll_one(c, POLLIN | POLLOUT, 0), POLLOUT | POLLHUP);
	CHECK_EQ(SYS3(connect, c, a, len), -ECONNREFUSED);
	CHECK_EQ(SYS3(bind, l, a, len), 0);
	CHECK_EQ(SYS3(bind, l, a, len), -EINVAL);
	CHECK_EQ(SYS3(bind, c, a, len), -EADDRINUSE);
	CHECK_EQ(SYS3(connect, c, a, len), -ECONNREFUSED);
	CHECK_EQ(SYS2(listen, l, 0), 0);
	CHECK_EQ(SYS4(accept4, l, 0, 0, 0), -EAGAIN);
	CHECK_EQ(SYS3(connect, c, a, len), 0);
	s = (int)SYS3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(SYS3(connect, s, a, len), -EAGAIN);
	close_one(s);
	CHECK_EQ(SYS3(write, c, memcpy(b, "early", 5), 5), 5);
	CHECK_EQ(poll_one(l, POLLIN, 0), POLLIN);
	*ul = sizeof(*a);
	s = (int)SYS4(accept4, l, a, ul, SOCK_NONBLOCK);
	CHECK(s >= 0);
	CHECK_EQ(*ul, 2);
	abstract(a, "stream");
	CHECK_EQ(SYS3(connect, c, a, len), -EISCONN);
	*ul = sizeof(*a);
	CHECK_EQ(SYS3(getsockname, s, a, ul), 0);
	CHECK_EQ(*ul, len);
	CHECK_EQ(SYS6(recvfrom, s, b, 100, MSG_PEEK, 0, 0), 5);
	CHECK_EQ(SYS3(ioctl, s, FIONREAD, ul), 0);
	CHECK_EQ(*ul, 5);
	CHECK_EQ(SYS3(read, s, b, 3), 3);
	CHECK_EQ(SYS3(read, s, b, 100), 2);
	CHECK_EQ(SYS3(read, s, b, 100), -EAGAIN);
	CHECK_EQ(SYS2(shutdown, c, SHUT_WR), 0);
	CHECK_EQ(SYS3(read, s, b, 100), 0);
	CHECK_EQ(poll_one(s, POLLIN | POLLOUT | POLLRDHUP, 0), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(SYS3(write, s, b, 1), 1);
	close_one(s);
	CHECK_EQ(SYS3(read, c, b, 100), 1);
	CHECK_EQ(SYS3(read, c, b, 100), 0);
	close_one(c);
	/* unread data: a reset */
	make_pair(ul = ualloc(8), SOCK_STREAM);
	CHECK_EQ(SYS3(write, ul[0], b, 1), 1);
	close_one(ul[1]);
	CHECK_EQ(SYS3(read, ul[0], b, 1), -ECONNRESET);
	CHECK_EQ(SYS3(read, ul[0], b, 1), 0);
	CHECK_EQ(SYS6(sendto, ul[0], b, 1, MSG_NOSIGNAL, 0, 0), -EPIPE);
	close_one(ul[0]);
	close_one(l);
}

static void test_dgram(void)
{
	struct sockaddr_un *a = ualloc(sizeof(*a)), *from = ualloc(sizeof(*a));
	int r = (int)SYS3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), len = abstract(a, "dgram"), *ul = ualloc(4),
	    i;
	int s = (int)SYS3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), x, p[2];
	char *b = ualloc(300000);

	CHECK_EQ(SYS3(bind, r, a, len), 0);
	CHECK_EQ(SYS3(write, s, b, 1), -ENOTCONN);
	CHECK_EQ(SYS6(sendto, s, b, 7, 0, a, len), 7);
	CHECK_EQ(SYS3(connect, s, a, len), 0);
	CHECK_EQ(SYS3(write, s, b, 9), 9);
	CHECK_EQ(SYS3(write, s, b, 0), 0);
	*ul = sizeof(*from);
	CHECK_EQ(SYS6(recvfrom, r, b, 3, MSG_TRUNC, from, ul), 7);
	CHECK_EQ(*ul, 0);
	CHECK_EQ(SYS3(read, r, b, 100), 9);
	CHECK_EQ(SYS3(read, r, b, 100), 0);
	CHECK_EQ(SYS3(read, r, b, 100), -EAGAIN);
	CHECK_EQ(SYS3(write, s, b, 300000), -EMSGSIZE);
	memset(b, 7, 150000);
	CHECK_EQ(SYS3(write, s, b, 150000), 150000);
	memset(b, 0, 150000);
	CHECK_EQ(SYS3(read, r, b, 300000), 150000);
	for (i = 0; i < 150000; i++)
		CHECK(b[i] == 7);
	/* the sender's name */
	*ul = 2;
	from->sun_family = AF_UNIX;
	CHECK_EQ(SYS3(bind, s, from, 2), 0);
	CHECK_EQ(SYS3(write, s, b, 1), 1);
	*ul = sizeof(*from);
	CHECK_EQ(SYS6(recvfrom, r, b, 3, 0, from, ul), 1);
	CHECK_EQ(*ul, 8);
	/* a connected receiver takes only its peer's */
	x = (int)SYS3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(SYS3(connect, r, from, 8), 0);
	CHECK_EQ(SYS6(sendto, x, b, 1, 0, a, len), -EPERM);
	CHECK_EQ(SYS3(write, s, b, 1), 1);
	close_one(x);
	close_one(r);
	CHECK_EQ(SYS3(write, s, b, 1), -ECONNREFUSED);
	CHECK_EQ(SYS3(write, s, b, 1), -ENOTCONN);
	close_one(s);
	/* a full queue, and who is told when it is not */
	r = (int)SYS3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	s = (int)SYS3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	len = abstract(a, "full");
	CHECK_EQ(SYS3(bind, r, a, len), 0);
	CHECK_EQ(SYS3(connect, s, a, len), 0);
	i = 4;
	memcpy(ul, &(int){4000000}, 4);
	SYS5(setsockopt, s, SOL_SOCKET, SO_SNDBUFFORCE, ul, 4);
	for (i = 0; SYS3(write, s, b, 1) == 1; i++)
		;
	CHECK_EQ(i, 513);
	CHECK_EQ(poll_one(s, POLLOUT, 0), 0);
	CHECK_EQ(SYS3(read, r, b, 100), 1);
	CHECK_EQ(poll_one(s, POLLOUT, 0), POLLOUT);
	close_one(s);
	close_one(r);
	/* sequenced packets */
	make_pair(p, SOCK_SEQPACKET);
	CHECK_EQ(SYS3(write, p[0], b, 5), 5);
	CHECK_EQ(SYS3(write, p[0], b, 6), 6);
	CHECK_EQ(SYS3(read, p[1], b, 3), 3);
	CHECK_EQ(SYS3(read, p[1], b, 100), 6);
	close_one(p[0]);
	CHECK_EQ(SYS3(read, p[1], b, 100), 0);
	CHECK_EQ(SYS3(write, p[1], b, 1), -EPIPE);
	close_one(p[1]);
}

/* ---- files in messages ---- */
static long send_fds(int s, const int *fd, int n)
{
	struct user_msghdr *m = ualloc(sizeof(*m));
	struct cmsghdr *c = ualloc(CMSG_SPACE(n * sizeof(int)));
	struct iovec *iov = ualloc(sizeof(*iov));

	*iov = (struct iovec){ualloc(1), 1};
	*c = (struct cmsghdr){CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(c), fd, n * sizeof(int));
	*m = (struct user_msghdr){.msg_iov = iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = c->cmsg_len};
	return SYS3(sendmsg, s, m, 0);
}

static int recv_fds(int s, int *fd, int max, unsigned int *flags)
{
	struct user_msghdr *m = ualloc(sizeof(*m));
	struct cmsghdr *c = ualloc(CMSG_SPACE(max * sizeof(int)));
	struct iovec *iov = ualloc(sizeof(*iov));
	int n;

	*iov = (struct iovec){ualloc(8), 8};
	*m = (struct user_msghdr){
		.msg_iov = iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = CMSG_SPACE(max * sizeof(int))};
	CHECK_EQ(SYS3(recvmsg, s, m, 0), 1);
	*flags = m->msg_flags;
	if (!m->msg_controllen)
		return 0;
	CHECK(c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS);
	n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fd, CMSG_DATA(c), n * sizeof(int));
	return n;
}

extern atomic64_t nr_files_stat;

static void test_rights(void)
{
	int s[2], p[2], got[4], i, k;
	long before = atomic64_read(&nr_files_stat);
	unsigned int flags;
	char *b = ualloc(10);

	make_pair(s, SOCK_STREAM);
	make_pipe(p, 0);
	CHECK_EQ(send_fds(s[0], p, 2), 1);
	CHECK_EQ(SYS3(write, s[0], b, 1), 1);
	close_two(p);
	CHECK_EQ(recv_fds(s[1], got, 4, &flags), 2);
	CHECK_EQ(flags, 0);
	CHECK_EQ(SYS3(write, got[1], b, 4), 4);
	CHECK_EQ(SYS3(read, got[0], b, 10), 4);
	CHECK_EQ(SYS3(read, s[1], b, 10), 1);
	CHECK_EQ(send_fds(s[0], got, 2), 1);
	CHECK_EQ(recv_fds(s[1], p, 0, &flags), 0);
	CHECK_EQ(flags, MSG_CTRUNC);
	i = 999;
	CHECK_EQ(send_fds(s[0], &i, 1), -EBADF);
	close_two(got);
	close_two(s);
	CHECK_EQ(atomic64_read(&nr_files_stat), before);
	/* cycles: each in the other's queue, in its own, a ring, a long chain */
	for (k = 0; k < 50; k++) {
		int ring[6];

		make_pair(s, k & 1 ? SOCK_STREAM : SOCK_DGRAM);
		CHECK_EQ(send_fds(s[0], &s[1], 1), 1);
		CHECK_EQ(send_fds(s[1], &s[0], 1), 1);
		CHECK_EQ(send_fds(s[0], &s[0], 1), 1);
		close_two(s);
		for (i = 0; i < 6; i += 2)
			make_pair(ring + i, SOCK_STREAM);
		for (i = 0; i < 6; i += 2)
			CHECK_EQ(send_fds(ring[i], &ring[(i + 3) % 6], 1), 1);
		for (i = 0; i < 6; i++)
			close_one(ring[i]);
		make_pair(s, SOCK_STREAM);
		for (i = 0; i < 20; i++) {
			make_pair(p, SOCK_STREAM);
			CHECK_EQ(send_fds(p[0], s, 2), 1);
			close_two(s);
			s[0] = p[0];
			s[1] = p[1];
		}
		close_two(s);
	}
	CHECK_EQ(atomic64_read(&nr_files_stat), before);
}

/* A socket that can still be received is not garbage. */
static void test_gc_keeps(void)
{
	int out[2], a[2], got[2];
	long before = atomic64_read(&nr_files_stat);
	unsigned int flags;

	make_pair(out, SOCK_STREAM);
	make_pair(a, SOCK_STREAM);
	CHECK_EQ(send_fds(a[0], &a[0], 1), 1); /* a[1]'s queue holds a[0] */
	CHECK_EQ(send_fds(out[0], &a[1], 1), 1);
	close_two(a);
	make_pair(a, SOCK_STREAM);
	close_two(a); /* collects */
	CHECK_EQ(recv_fds(out[1], got, 1, &flags), 1);
	CHECK_EQ(recv_fds(got[0], got + 1, 1, &flags), 1);
	close_two(got);
	close_two(out);
	CHECK_EQ(atomic64_read(&nr_files_stat), before);
}

static int server_fd;

static void connector(void *arg)
{
	struct sockaddr_un *a = ualloc(sizeof(*a));
	int len = abstract(a, "server"), i;
	char *b = ualloc(4);

	for (i = 0; i < 3000; i++) {
		int c = (int)SYS3(socket, AF_UNIX, SOCK_STREAM, 0);

		CHECK_EQ(SYS3(connect, c, a, len), 0);
		CHECK_EQ(SYS3(write, c, b, 4), 4);
		CHECK_EQ(SYS3(read, c, b, 4), 4);
		close_one(c);
	}
}

static void acceptor(void *arg)
{
	char *b = ualloc(4);
	int c;

	while ((c = (int)SYS4(accept4, server_fd, 0, 0, 0)) >= 0) {
		CHECK_EQ(SYS3(read, c, b, 4), 4);
		CHECK_EQ(SYS3(write, c, b, 4), 4);
		close_one(c);
	}
	CHECK_EQ(c, -EINVAL);
}

static void test_server(void)
{
	struct sockaddr_un *a = ualloc(sizeof(*a));
	unsigned long t[6];
	int i;

	server_fd = (int)SYS3(socket, AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(SYS3(bind, server_fd, a, abstract(a, "server")), 0);
	CHECK_EQ(SYS2(listen, server_fd, 1), 0);
	for (i = 0; i < 6; i++)
		t[i] = test_start(i < 4 ? connector : acceptor, NULL);
	for (i = 0; i < 4; i++)
		test_join(t[i]);
	CHECK_EQ(SYS2(shutdown, server_fd, SHUT_RDWR), 0);
	test_join(t[4]);
	test_join(t[5]);
	close_one(server_fd);
}

/* Sockets passed around and closed by several threads, for the collector. */
static void passer(void *arg)
{
	int s[2], t[2], i, got[2];
	unsigned int flags;

	for (i = 0; i < 800; i++) {
		make_pair(s, SOCK_STREAM);
		make_pair(t, SOCK_STREAM);
		CHECK_EQ(send_fds(s[0], &s[0], 1), 1);
		CHECK_EQ(send_fds(t[0], &s[1], 1), 1);
		CHECK_EQ(send_fds(s[1], &t[1], 1), 1);
		if (i & 1) {
			CHECK_EQ(recv_fds(t[1], got, 1, &flags), 1);
			CHECK_EQ(recv_fds(got[0], got + 1, 1, &flags), 1);
			close_two(got);
		}
		close_two(s);
		close_two(t);
	}
}

static void test_passing(void)
{
	long before = atomic64_read(&nr_files_stat);
	unsigned long t[3];
	int i, s[2];

	for (i = 0; i < 3; i++)
		t[i] = test_start(passer, NULL);
	for (i = 0; i < 3; i++)
		test_join(t[i]);
	make_pair(s, SOCK_STREAM);
	CHECK_EQ(send_fds(s[0], s, 1), 1);
	close_two(s);
	make_pair(s, SOCK_STREAM);
	close_two(s);
	CHECK_EQ(atomic64_read(&nr_files_stat), before);
}

void tests_run(void);
void tests_run(void)
{
	user_mem = test_map(NULL, 64 << 20);
	test_pipe();
	test_splice();
	test_eventfd();
	test_timerfd();
	test_epoll();
	test_stream();
	test_dgram();
	test_rights();
	test_gc_keeps();
	test_printf("single: ok\n");
	test_server();
	test_passing();
	test_epoll_storm();
	stress_stream("pipe, 4 to 4", false, 4);
	stress_stream("pipe, 4 to 1", false, 1);
	stress_stream("stream socket, 4 to 4", true, 4);
	ping_pong("pipe", false);
	ping_pong("stream socket", true);
	test_printf("ipc: ok\n");
}
