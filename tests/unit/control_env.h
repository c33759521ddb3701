/* SPDX-License-Identifier: Apache-2.0 */
/* A sandbox without a jail, for tests of the control socket: RAM that is only memory, a client's end. */
#ifndef UNIT_CONTROL_ENV_H
#define UNIT_CONTROL_ENV_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "../../host/control.h"
#include "../../host/run.h"

static struct sandbox env_sandbox;
static unsigned env_posted; /* events that the kernel was sent */

void say(const char *fmt, ...)
{
}

void events_post(struct sandbox *s, uint32_t bits)
{
	env_posted |= bits;
}

static inline struct sandbox *env_start(const char *name)
{
	static char *argv[] = {(char *)"a \"program\"", (char *)"\xff\x01", NULL};
	static struct sandbox_config config = {.argv = argv, .hostname = "husk"};
	struct sandbox *s = &env_sandbox;
	struct err e;

	s->config = &config;
	s->ram.size = (sizeof(struct hostif_boot) + 4095) & ~4095UL;
	s->ram.fd = memfd_create("ram", MFD_CLOEXEC);
	s->ram.kernel_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (s->ram.fd < 0 || ftruncate(s->ram.fd, s->ram.size))
		abort();
	s->ram.base = mmap(NULL, s->ram.size, PROT_READ | PROT_WRITE, MAP_SHARED, s->ram.fd, 0);
	if (s->ram.base == MAP_FAILED || control_open(s, name, &e))
		abort();
	return s;
}

/* One turn of the monitor's main loop; it never waits. */
static inline void env_turn(void)
{
	struct pollfd p[1 + CONTROL_MAX_CONNS];
	unsigned n = control_poll_fds(&env_sandbox, p, 1 + CONTROL_MAX_CONNS);

	if (poll(p, n, 0) <= 0)
		n = 0;
	control_serve(&env_sandbox, p, n);
}

static inline int env_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "husk/%u/%s", (unsigned)geteuid(),
			 control_name(&env_sandbox));

	if (connect(fd, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 1 + n)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One packet: its length, 0 at the end, -1 if there is none now. Descriptors are counted and closed. */
static inline int env_receive(int fd, char *buf, size_t n, unsigned *fds)
{
	union {
		char room[CMSG_SPACE(sizeof(int) * 8)];
		struct cmsghdr align;
	} u;
	struct iovec v = {buf, n - 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof(u)};
	ssize_t r = recvmsg(fd, &m, MSG_DONTWAIT);
	struct cmsghdr *h;

	*fds = 0;
	if (r < 0)
		return errno == ECONNRESET ? 0 : -1;
	for (h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		for (size_t i = 0; i < (h->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++, ++*fds)
			close(((int *)CMSG_DATA(h))[i]);
	buf[r] = 0;
	return r;
}

#endif
