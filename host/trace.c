// SPDX-License-Identifier: Apache-2.0
// RAM's descriptor for a trace that begins with the guest's first call.

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "run.h"
#include "trace.h"

static int send_hello(struct sandbox *s, int fd)
{
	struct trace_hello hello = {.magic = TRACE_HELLO_MAGIC, .ram_size = s->ram.size, .trace_phys = s->trace_phys};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&hello, sizeof(hello)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &s->ram.fd, sizeof(int));
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == sizeof(hello) ? 0 : -1;
}

int trace_hand_over(struct sandbox *s, struct err *e)
{
	int fd = s->config->trace_fd;
	ssize_t n;
	char go;

	if (fd < 0)
		return 0;
	if (send_hello(s, fd))
		return err_set(e, 125, "cannot send on --trace-fd %d: %s; it must be a socket of husk trace", fd,
			       strerror(errno));
	do
		n = read(fd, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return err_set(e, 125, "the reader at --trace-fd %d is gone", fd);
	close(fd);
	return 0;
}
