// SPDX-License-Identifier: Apache-2.0
// System V message queues: types, order, lengths, full and empty queues, interruption, removal, limits.
#include "t.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[9000];
};
static int snd(int id, long type, const char *s, int flags)
{
	struct message m = {.type = type};
	strcpy(m.text, s);
	return msgsnd(id, &m, strlen(s), flags);
}
static const char *rcv(int id, long type, size_t max, int flags)
{
	static struct message m;
	static char b[100];
	ssize_t n = msgrcv(id, &m, max, type, flags | IPC_NOWAIT);

	if (n < 0)
		return en(errno);
	snprintf(b, sizeof b, "%ld: %.*s", m.type, (int)n, m.text);
	return b;
}
static void nothing(int s)
{
}
static void fill(int id)
{
	int n = 0;
	struct message m = {.type = 1};
	struct msqid_ds d;

	while (!msgsnd(id, &m, 1000, IPC_NOWAIT))
		n++;
	say("%d messages, then %s\n", n, en(errno));
	pid_t k = MUST(fork());
	if (!k)
		_exit(msgsnd(id, &m, 1000, 0) ? errno : 0);
	settle(k);
	T(msgrcv(id, &m, 9000, 0, 0) == 1000);
	say("sender: %s\n", st(reap(k)));
	MUST(msgctl(id, IPC_STAT, &d));
	T(d.msg_qnum == (unsigned long)n && d.__msg_cbytes == 1000UL * n && d.msg_lspid == k &&
	  d.msg_lrpid == getpid());
	d.msg_qbytes = 100;
	R(msgctl(id, IPC_SET, &d));
	while (msgrcv(id, &m, 9000, 0, IPC_NOWAIT) >= 0)
		;
	R(msgsnd(id, &m, 101, IPC_NOWAIT));
	R(msgsnd(id, &m, 100, IPC_NOWAIT));
	say("%zd\n", msgrcv(id, &m, 9000, 0, IPC_NOWAIT));
	for (n = 0; !msgsnd(id, &m, 0, IPC_NOWAIT);)
		n++;
	say("%d empty messages\n", n);
}
int main(void)
{
	key_t k = 0x68000000 | (getpid() & 0xffffff);
	int id = MUST(msgget(k, IPC_CREAT | IPC_EXCL | 0600));
	struct message m = {.type = 1};
	struct msqid_ds d;
	pid_t p;

	R(msgget(k, IPC_CREAT | IPC_EXCL));
	T(msgget(k, 0) == id);
	R(msgget(k + 1, 0));
	R(snd(id, 3, "three", 0));
	R(snd(id, 1, "one", 0));
	R(snd(id, 2, "two", 0));
	R(snd(id, 1, "uno", 0));
	R(snd(id, 0, "", 0));
	R(snd(id, -1, "", 0));
	R(msgsnd(id, &m, 8193, 0));
	R(msgsnd(id, &m, -1, 0));
	R(msgsnd(id, (void *)8, 1, 0));
	R(msgsnd(-1, &m, 1, 0));
	R(msgrcv(id, &m, 2, 0, IPC_NOWAIT));
	say("%s\n", rcv(id, 2, 100, MSG_COPY));
	say("%s\n", rcv(id, 9, 100, MSG_COPY));
	say("%s\n", rcv(id, 1, 100, MSG_COPY | MSG_EXCEPT));
	say("%s\n", rcv(id, 3, 100, MSG_EXCEPT));
	say("%s\n", rcv(id, -2, 100, 0)); // the lowest type
	say("%s\n", rcv(id, -1, 100, 0));
	say("%s\n", rcv(id, 0, 2, MSG_NOERROR));
	say("%s\n", rcv(id, 7, 100, 0));
	say("%s\n", rcv(id, 0, 100, 0));
	say("%s\n", rcv(id, 0, 100, 0));
	// Sleepers: by type.
	if (!(p = MUST(fork())))
		_exit(msgrcv(id, &m, 100, 5, 0) == 2 ? 0 : errno);
	settle(p);
	R(snd(id, 4, "no", 0));
	ms(20);
	T(waitpid(p, NULL, WNOHANG) == 0);
	R(snd(id, 5, "55", 0));
	say("receiver: %s\n", st(reap(p)));
	say("%s\n", rcv(id, 0, 100, 0));
	if (!(p = MUST(fork()))) {
		on(SIGUSR1, nothing, SA_RESTART);
		msgrcv(id, &m, 100, 0, 0);
		_exit(errno);
	}
	settle(p);
	kill(p, SIGUSR1);
	T(WEXITSTATUS(reap(p)) == EINTR);
	fill(id);
	if (!geteuid()) {
		CHILD("others", {
			nobody();
			R(snd(id, 1, "x", 0));
			say("%s\n", rcv(id, 0, 100, 0));
			R(msgctl(id, IPC_STAT, &d));
			R(msgctl(id, IPC_RMID, NULL));
		});
	}
	while (msgrcv(id, &m, 9000, 0, IPC_NOWAIT) >= 0)
		;
	if (!(p = MUST(fork())))
		_exit(msgrcv(id, &m, 100, 0, 0) < 0 ? errno : 0);
	settle(p);
	R(snd(id, 1, "left", 0));
	reap(p);
	if (!(p = MUST(fork())))
		_exit(msgrcv(id, &m, 100, 0, 0) < 0 ? errno : 0);
	settle(p);
	R(msgctl(id, IPC_RMID, NULL));
	T(WEXITSTATUS(reap(p)) == EIDRM);
	R(msgctl(id, IPC_STAT, &d));
	R(snd(id, 1, "x", 0));
	return 0;
}
