// SPDX-License-Identifier: Apache-2.0
// The most memory that a process had: its own, after unmapping, of a waited-for child, kept over exec.
#include "t.h"

#define SIZE (40 << 20)

static void touch_and_unmap(void)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, SIZE);
	munmap(p, SIZE);
}

static int big(long kib)
{
	return kib >= SIZE / 1024 && kib < 3 * SIZE / 1024;
}

int main(int argc, char **argv)
{
	struct rusage ru;
	int st;

	if (argc > 1) { // after exec: the process was big once
		getrusage(RUSAGE_SELF, &ru);
		_exit(big(ru.ru_maxrss) ? 0 : 1);
	}
	for (int how = 0; how < 3; how++) {
		pid_t kid = fork();
		if (!kid) {
			if (how == 1) { // still mapped when it ends
				memset(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
				       SIZE);
				_exit(0);
			}
			touch_and_unmap();
			if (how == 2)
				execl("/proc/self/exe", argv[0], "again", NULL);
			getrusage(RUSAGE_SELF, &ru);
			_exit(big(ru.ru_maxrss) ? 0 : 1);
		}
		T(wait4(kid, &st, 0, &ru) == kid);
		say("%d: status %d, child was big: %d\n", how, st, big(ru.ru_maxrss));
	}
	T(getrusage(RUSAGE_CHILDREN, &ru) == 0 && big(ru.ru_maxrss));
	T(getrusage(RUSAGE_SELF, &ru) == 0 && ru.ru_maxrss < SIZE / 1024);
	return 0;
}
