// SPDX-License-Identifier: Apache-2.0
// Shared memory between processes: anonymous, shm_open, atomic counters.
#include "t.h"
#include <stdatomic.h>
int main(void)
{
	atomic_int *c = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t k[4];
	for (int i = 0; i < 4; i++)
		if (!(k[i] = MUST(fork()))) {
			for (int j = 0; j < 20000; j++)
				atomic_fetch_add(c, 1);
			((char *)c)[(i + 1) * 8192] = 'a' + i; // pages first touched after the fork
			_exit(0);
		}
	for (int i = 0; i < 4; i++)
		reap(k[i]);
	say("count %d\n", atomic_load(c));
	for (int i = 0; i < 4; i++)
		say("%c", ((char *)c)[(i + 1) * 8192]);
	say("\n");
	char name[64];
	snprintf(name, sizeof name, "/husk-t-%d", getpid());
	int fd = MUST(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
	O(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
	MUST(ftruncate(fd, 8192));
	char *a = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHILD("child opens by name", {
		int g = MUST(shm_open(name, O_RDWR, 0));
		char *b = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, g, 0);
		strcpy(b + 5000, "in shm");
	});
	say("%s\n", a + 5000);
	R(shm_unlink(name));
	O(shm_open(name, O_RDWR, 0));
	say("%s\n", a + 5000);
	// A child's private change of a shared mapping's copy does not exist: mprotect keeps it shared.
	CHILD("mprotect", {
		mprotect(a, 4096, PROT_READ);
		mprotect(a, 4096, PROT_READ | PROT_WRITE);
		a[0] = 'Z';
	});
	say("%c\n", a[0]);
	return 0;
}
