// SPDX-License-Identifier: Apache-2.0
// execve from a process with threads: the others vanish, the pid stays, from the first thread and from another.
#include "t.h"
static char self[400];
static void *spin(void *a)
{
	for (;;)
		if (a)
			pause();
		else
			sched_yield();
	return 0;
}
static void *execer(void *a)
{
	(void)a;
	char pid[20];
	snprintf(pid, sizeof pid, "%d", getpid());
	execl(self, "x", pid, NULL);
	_exit(1);
}
int main(int argc, char **argv)
{
	if (argc > 1) {
		T(atoi(argv[1]) == getpid() && my_tid() == getpid());
		int n = 0;
		DIR *d = opendir("/proc/self/task");
		for (struct dirent *e; d && (e = readdir(d));)
			n += e->d_name[0] != '.';
		say("threads %d\n", n);
		return 8;
	}
	ssize_t n = MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	self[n] = 0;
	for (int from = 0; from < 2; from++)
		for (int round = 0; round < 3; round++) {
			pid_t p = MUST(fork());
			if (!p) {
				pthread_t t;
				for (long i = 0; i < 6; i++)
					pthread_create(&t, 0, spin, (void *)(i % 3));
				if (from) {
					pthread_create(&t, 0, execer, 0);
					for (;;)
						pause();
				}
				execer(0);
			}
			say("%s\n", st(reap(p)));
		}
	// vfork from a thread that is not the first.
	CHILD("first thread gone", {
		pthread_t t;
		pthread_create(&t, 0, execer, 0);
		pthread_exit(0);
	});
	return 0;
}
