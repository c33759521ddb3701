// SPDX-License-Identifier: Apache-2.0
// SCM_RIGHTS, SCM_CREDENTIALS, SO_PEERCRED, SO_PASSCRED: descriptors and identities over sockets, in flight, cut, closed.
#include "t.h"
#include <sys/un.h>
static ssize_t send_fds(int s, const char *t, int *fds, int n)
{
	char c[CMSG_SPACE(300 * sizeof(int))];
	struct iovec v = {(void *)t, strlen(t)};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	memset(c, 0, sizeof c);
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	return sendmsg(s, &m, 0);
}
static int recv_fds(int s, char *t, int *fds, int room, int flags, int *mflags)
{
	char c[CMSG_SPACE(300 * sizeof(int))];
	struct iovec v = {t, 100};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = c,
			   .msg_controllen = room ? CMSG_SPACE(room * sizeof(int)) : 0};
	ssize_t r = recvmsg(s, &m, flags);
	if (mflags)
		*mflags = m.msg_flags;
	if (r < 0)
		return -1;
	t[r] = 0;
	int n = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_type == SCM_RIGHTS) {
			n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(h), n * sizeof(int));
		}
	return n;
}
int main(void)
{
	int sv[2], p[2], fds[300], fl, one = 1;
	char b[200];
	tmp();
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	put("f", "0123456789");
	int f = MUST(open("f", O_RDWR));
	R(send_fds(sv[0], "file", &f, 1));
	R(recv_fds(sv[1], b, fds, 4, 0, &fl));
	say("%s flags %x new %d\n", b, fl, fds[0] != f);
	// The same open file: one offset.
	read(f, b, 4);
	R(lseek(fds[0], 0, SEEK_CUR));
	R(fcntl(fds[0], F_GETFD));
	R(send_fds(sv[0], "cloexec", &f, 1));
	R(recv_fds(sv[1], b, fds, 4, MSG_CMSG_CLOEXEC, 0));
	R(fcntl(fds[0], F_GETFD));
	// Several; less room than sent.
	MUST(pipe(p));
	int three[3] = {f, p[0], p[1]};
	R(send_fds(sv[0], "three", three, 3));
	R(recv_fds(sv[1], b, fds, 10, 0, 0));
	write(fds[2], "through", 7);
	R(read(fds[1], b, 10));
	R(send_fds(sv[0], "cut", three, 3));
	R(recv_fds(sv[1], b, fds, 0, 0, &fl));
	say("%s CTRUNC %d\n", b, !!(fl & MSG_CTRUNC));
	R(send_fds(sv[0], "read", three, 1));
	R(read(sv[1], b, 100)); // plain read drops them
	// Data with descriptors is not merged with what follows.
	R(send_fds(sv[0], "with", &f, 1));
	R(send(sv[0], "without", 7, 0));
	R(recv_fds(sv[1], b, fds, 2, 0, 0));
	say("%s\n", b);
	R(recv_fds(sv[1], b, fds, 2, 0, 0));
	say("%s\n", b);
	int bad = 99;
	R(send_fds(sv[0], "bad", &bad, 1));
	for (int i = 0; i < 300; i++)
		fds[i] = f;
	R(send_fds(sv[0], "253", fds, 253));
	R(recv_fds(sv[1], b, fds, 253, 0, 0));
	for (int i = 0; i < 253; i++)
		close(fds[i]);
	R(send_fds(sv[0], "254", fds, 254));
	// In flight, then the sender closes: still arrives. The pipe ends only when the last copy has gone.
	MUST(pipe(p));
	R(send_fds(sv[0], "flying", &p[1], 1));
	close(p[1]);
	struct pollfd pf = {p[0], POLLIN, 0};
	R(poll(&pf, 1, 0));
	R(recv_fds(sv[1], b, fds, 1, 0, 0));
	write(fds[0], "x", 1);
	R(read(p[0], b, 1));
	R(send_fds(sv[0], "dropped", fds, 1));
	close(fds[0]);
	close(sv[1]);
	close(sv[0]);
	R(read(p[0], b, 1)); // the socket's end dropped it
	// A socket through itself, forgotten: no harm.
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	R(send_fds(sv[0], "self", sv, 2));
	close(sv[0]);
	close(sv[1]);
	// To another process, that outlives the sender's file.
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv));
	pid_t k = MUST(fork());
	if (!k) {
		int g;
		recv_fds(sv[1], b, &g, 1, 0, 0);
		ssize_t n = pread(g, b, 100, 0);
		say("child read %.*s\n", (int)n, b);
		_exit(0);
	}
	unlink("f");
	int sent = send_fds(sv[0], "go", &f, 1); // told when the child has said what it read
	close(f);
	reap(k);
	say("sent %d\n", sent);
	// Credentials.
	struct ucred u;
	socklen_t n = sizeof u;
	R(getsockopt(sv[0], SOL_SOCKET, SO_PEERCRED, &u, &n));
	T(u.pid == getpid() && u.uid == geteuid() && u.gid == getegid());
	R(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
	R(send(sv[0], "x", 1, 0));
	char c[200];
	struct iovec v = {b, 100};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c};
	R(recvmsg(sv[1], &m, 0));
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	T(h && h->cmsg_type == SCM_CREDENTIALS && ((struct ucred *)CMSG_DATA(h))->pid == getpid());
	k = MUST(fork());
	if (!k) {
		send(sv[0], "y", 1, 0);
		_exit(0);
	}
	m.msg_controllen = sizeof c;
	R(recvmsg(sv[1], &m, 0));
	h = CMSG_FIRSTHDR(&m);
	T(h && ((struct ucred *)CMSG_DATA(h))->pid == k);
	reap(k);
	CHILD("lies", {
		nobody();
		u = (struct ucred){getppid(), getuid(), getgid()};
		v.iov_len = 1;
		m.msg_controllen = CMSG_SPACE(sizeof u);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_CREDENTIALS;
		h->cmsg_len = CMSG_LEN(sizeof u);
		memcpy(CMSG_DATA(h), &u, sizeof u);
		R(sendmsg(sv[0], &m, 0));
		u = (struct ucred){getpid(), 0, getgid()};
		memcpy(CMSG_DATA(h), &u, sizeof u);
		R(sendmsg(sv[0], &m, 0));
		u = (struct ucred){getpid(), getuid(), getgid()};
		memcpy(CMSG_DATA(h), &u, sizeof u);
		R(sendmsg(sv[0], &m, 0));
	});
	// Peer of a named socket is who listened, and who connected.
	struct sockaddr_un sa = {AF_UNIX, "s"};
	int l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(l, (void *)&sa, sizeof sa));
	MUST(listen(l, 1));
	k = MUST(fork());
	if (!k) {
		int q = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		MUST(connect(q, (void *)&sa, sizeof sa));
		getsockopt(q, SOL_SOCKET, SO_PEERCRED, &u, &n);
		read(q, b, 1);
		_exit(u.pid == getppid() ? 0 : 1);
	}
	int a = MUST(accept(l, 0, 0));
	getsockopt(a, SOL_SOCKET, SO_PEERCRED, &u, &n);
	T(u.pid == k);
	write(a, "x", 1);
	say("%s\n", st(reap(k)));
	return 0;
}
