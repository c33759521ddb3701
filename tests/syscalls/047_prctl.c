// SPDX-License-Identifier: Apache-2.0
// prctl: name, dumpable, no_new_privs, keepcaps, timer slack, seccomp query, and errors; comm of threads in /proc.
#include "t.h"
static void *named(void *a)
{
	char b[17] = "";
	pthread_setname_np(pthread_self(), "a-thread");
	prctl(PR_GET_NAME, b);
	say("thread %s\n", b);
	char p[64];
	snprintf(p, sizeof p, "/proc/self/task/%d/comm", my_tid());
	say("comm %s", get(p));
	return a;
}
int main(void)
{
	char b[17] = "";
	prctl(PR_GET_NAME, b);
	say("name %s\n", b);
	R(prctl(PR_SET_NAME, "a name that is longer than fifteen"));
	prctl(PR_GET_NAME, b);
	say("name %s\n", b);
	say("comm %s", get("/proc/self/comm"));
	int fd = MUST(open("/proc/self/comm", O_WRONLY));
	R(write(fd, "by file\n", 8) > 0 ? 0 : -1);
	prctl(PR_GET_NAME, b);
	say("name %s|\n", b);
	R(prctl(PR_SET_NAME, ""));
	prctl(PR_GET_NAME, b);
	say("name %s\n", b);
	R(prctl(PR_SET_NAME, 8));
	prctl(PR_SET_NAME, "parent");
	CHILD("inherited", {
		prctl(PR_GET_NAME, b);
		say("%s\n", b);
	});
	pthread_t t;
	pthread_create(&t, 0, named, 0);
	pthread_join(t, 0);
	prctl(PR_GET_NAME, b);
	say("name %s\n", b);
	R(prctl(PR_GET_DUMPABLE));
	R(prctl(PR_SET_DUMPABLE, 0));
	R(prctl(PR_GET_DUMPABLE));
	R(prctl(PR_SET_DUMPABLE, 9));
	R(prctl(PR_SET_DUMPABLE, 1));
	R(prctl(PR_GET_KEEPCAPS));
	R(prctl(PR_SET_KEEPCAPS, 1));
	R(prctl(PR_GET_KEEPCAPS));
	R(prctl(PR_SET_KEEPCAPS, 7));
	R(prctl(PR_GET_TIMERSLACK) > 0);
	R(prctl(PR_SET_TIMERSLACK, 12345));
	R(prctl(PR_GET_TIMERSLACK));
	R(prctl(PR_GET_TIMING));
	R(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	R(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	R(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	CHILD("no_new_privs inherited", R(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)));
	CHILD("kept by exec", execl("/bin/grep", "grep", "NoNewPrivs", "/proc/self/status", NULL));
	R(prctl(PR_GET_PDEATHSIG, 8));
	R(prctl(54321));
	R(prctl(PR_SET_MM, 99, 0, 0, 0) == -1);
	R(syscall(SYS_personality, 0xffffffff));
	unsigned long fs = 0;
	R(syscall(SYS_arch_prctl, 0x1003, &fs)); // ARCH_GET_FS
	T(fs == (unsigned long)pthread_self());
	R(syscall(SYS_arch_prctl, 0x1003, 8));
	R(syscall(SYS_arch_prctl, 0x9999, 8));
	R(syscall(SYS_arch_prctl, 0x1002, 1UL << 63)); // ARCH_SET_FS
	return 0;
}
