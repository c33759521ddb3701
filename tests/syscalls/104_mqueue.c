// SPDX-License-Identifier: Apache-2.0
// POSIX message queues: order by priority, attributes, limits, waiting with time limits, notification, names, permissions, poll.
#include "t.h"
#include <mqueue.h>

static volatile sig_atomic_t got, got_value, got_code;
static void handler(int s, siginfo_t *i, void *c)
{
	got++;
	got_value = i->si_value.sival_int;
	got_code = i->si_code;
}
static void nothing(int s)
{
}
static char name[32];

static const char *take(mqd_t q)
{
	static char b[9000];
	char text[8200] = {};
	unsigned prio;
	struct timespec past = {0, 0};
	ssize_t n = mq_timedreceive(q, text, sizeof text, &prio, &past);

	snprintf(b, sizeof b, n < 0 ? "%s" : "%s at %u", n < 0 ? en(errno) : text, prio);
	return b;
}
static void order(mqd_t q)
{
	struct mq_attr a;

	R(mq_send(q, "low", 3, 1));
	R(mq_send(q, "high", 4, 9));
	R(mq_send(q, "low again", 9, 1));
	R(mq_send(q, "", 0, 32767));
	R(mq_send(q, "x", 1, 32768));
	R(mq_send(q, name, 65, 1)); // longer than the queue's messages may be
	MUST(mq_getattr(q, &a));
	say("%ld of %ld, size %ld, flags %ld\n", a.mq_curmsgs, a.mq_maxmsg, a.mq_msgsize, a.mq_flags);
	struct timespec past = {0, 0};
	char small[10];
	R(mq_timedsend(q, "full", 4, 0, &past));
	R(mq_receive(q, small, sizeof small, NULL));
	for (int i = 0; i < 5; i++)
		say("%s\n", take(q));
	struct timespec bad = {0, -1};
	char t[64];
	R(mq_timedreceive(q, t, sizeof t, NULL, &bad));
	a.mq_flags = O_NONBLOCK;
	R(mq_setattr(q, &a, NULL));
	R(mq_receive(q, t, sizeof t, NULL));
	R(fcntl(q, F_GETFL) & O_NONBLOCK);
	a.mq_flags = 0;
	R(mq_setattr(q, &a, &a));
	say("flags were %ld\n", a.mq_flags);
	a.mq_flags = 1;
	R(mq_setattr(q, &a, NULL));
}
static void waiting(mqd_t q)
{
	char t[64] = {};
	pid_t k = MUST(fork());

	if (!k)
		_exit(mq_receive(q, t, sizeof t, NULL) == 5 ? 0 : errno);
	settle(k);
	R(mq_send(q, "hello", 5, 0));
	say("receiver: %s\n", st(reap(k)));
	for (int i = 0; i < 4; i++)
		mq_send(q, "fill", 4, 0);
	k = MUST(fork());
	if (!k)
		_exit(mq_send(q, "more", 4, 0) ? errno : 0);
	settle(k);
	say("%s\n", take(q));
	say("sender: %s\n", st(reap(k)));
	while (strcmp(take(q), "ETIMEDOUT"))
		;
	k = MUST(fork());
	if (!k) {
		on(SIGUSR1, nothing, 0);
		_exit(mq_receive(q, t, sizeof t, NULL) < 0 ? errno : 0);
	}
	settle(k);
	kill(k, SIGUSR1);
	T(WEXITSTATUS(reap(k)) == EINTR);
}
static void notification(mqd_t q)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 42};

	on_info(SIGUSR2, handler, 0);
	R(mq_notify(q, &ev));
	R(mq_notify(q, &ev));
	CHILD("other process", {
		R(mq_notify(q, &ev));
		R(mq_notify(q, NULL)); // not its registration
		R(mq_send(q, "n", 1, 0));
	});
	T(UNTIL(got == 1) && got_value == 42 && got_code == SI_MESGQ);
	R(mq_send(q, "n", 1, 0)); // one notification, and only of a message into an empty queue
	R(mq_notify(q, &ev));
	R(mq_send(q, "n", 1, 0));
	say("%d\n", got);
	R(mq_notify(q, NULL));
	ev.sigev_signo = 99;
	R(mq_notify(q, &ev));
	ev.sigev_notify = 77;
	R(mq_notify(q, &ev));
	while (strcmp(take(q), "ETIMEDOUT"))
		;
}
int main(void)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 64}, wrong = {.mq_maxmsg = 0, .mq_msgsize = 64};
	struct pollfd p = {.events = POLLIN | POLLOUT};
	mqd_t q, r;

	umask(022);
	snprintf(name, sizeof name, "/husk-t-%d", getpid());
	R(mq_open(name, O_RDWR));
	R(mq_open(name, O_RDWR | O_CREAT, 0600, &wrong));
	q = MUST(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, &a));
	R(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, &a));
	R(fcntl(q, F_GETFD));
	R(mq_open("/", O_RDWR | O_CREAT, 0600, NULL));
	R(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL));
	R(mq_unlink("/not there"));
	char longer[300];
	memset(longer, 'a', sizeof longer);
	longer[0] = '/';
	longer[299] = 0;
	R(mq_open(longer, O_RDWR | O_CREAT, 0600, NULL));
	struct stat s;
	MUST(fstat(q, &s));
	say("%o %ld\n", s.st_mode, (long)s.st_size);
	r = MUST(mq_open(name, O_RDONLY));
	R(mq_send(r, "x", 1, 0));
	R(mq_send(0, "x", 1, 0));
	order(q);
	waiting(q);
	notification(q);
	p.fd = q;
	poll(&p, 1, 0);
	say("empty: %s%s\n", p.revents & POLLIN ? "in " : "", p.revents & POLLOUT ? "out" : "");
	for (int i = 0; i < 4; i++)
		mq_send(q, "1234", 4, 0);
	poll(&p, 1, 0);
	say("full: %s%s\n", p.revents & POLLIN ? "in " : "", p.revents & POLLOUT ? "out" : "");
	char text[200] = {};
	R(pread(q, text, sizeof text, 0) > 0);
	say("%s", text);
	if (!geteuid())
		CHILD("others", {
			nobody();
			R(mq_open(name, O_RDWR));
			O(mq_open(name, O_RDONLY));
			R(mq_unlink(name));
			struct mq_attr big = {.mq_maxmsg = 11, .mq_msgsize = 64};
			R(mq_open("/husk-t-big", O_RDWR | O_CREAT, 0600, &big));
		});
	R(mq_unlink(name));
	R(mq_open(name, O_RDWR));
	say("%s\n", take(q)); // it lives as long as it is open
	R(mq_close(q));
	R(mq_close(q));
	CHILD("limit", {
		struct rlimit l = {1000, 1000};
		setrlimit(RLIMIT_MSGQUEUE, &l);
		R(mq_open(name, O_RDWR | O_CREAT, 0600, NULL));
	});
}
