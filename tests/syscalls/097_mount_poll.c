// SPDX-License-Identifier: Apache-2.0
// A change of the mount tree wakes who polls /proc/self/mounts or mountinfo: once for each descriptor.
#include "t.h"
#include <sys/epoll.h>
#include <sys/mount.h>

static const char *now(int fd)
{
	static char b[64];
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI};
	int n = poll(&p, 1, 0);

	snprintf(b, sizeof b, "%d%s%s%s", n, p.revents & POLLIN ? " in" : "", p.revents & POLLPRI ? " pri" : "",
		 p.revents & POLLERR ? " err" : "");
	return b;
}
int main(void)
{
	struct epoll_event ev = {.events = EPOLLPRI};

	if (geteuid()) {
		say("SKIP: needs root\n");
		return 77;
	}
	if (unshare(CLONE_NEWNS) == 0) // where there are namespaces, nobody else sees these mounts
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	tmp();
	MUST(mkdir("m", 0755));
	int a = MUST(open("/proc/self/mounts", O_RDONLY)), b = MUST(open("/proc/self/mountinfo", O_RDONLY)), e;
	say("%s\n", now(a));
	MUST(mount("x", "m", "tmpfs", 0, NULL));
	say("mounts after mount: %s\n", now(a));
	say("again: %s\n", now(a));
	say("mountinfo: %s\n", now(b));
	MUST(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	say("after remount: %s\n", now(b));
	now(a);
	e = MUST(epoll_create1(0));
	MUST(epoll_ctl(e, EPOLL_CTL_ADD, a, &ev));
	R(epoll_wait(e, &ev, 1, 0));
	pid_t k = MUST(fork());
	if (!k) {
		struct pollfd p = {.fd = b, .events = POLLPRI};
		_exit(poll(&p, 1, 60000) == 1 && (p.revents & POLLPRI) ? 0 : 1);
	}
	settle(k);
	MUST(umount("m"));
	say("%s\n", st(reap(k)));
	R(epoll_wait(e, &ev, 1, 1000));
	say("%#x\n", ev.events);
}
