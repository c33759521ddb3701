// SPDX-License-Identifier: Apache-2.0
// Many things at once: processes, threads, pipes, files and memory, with sums checked at the end.
#include "t.h"
static int work(int seed)
{
	unsigned x = seed * 7919 + 1, sum = 0;
	char name[30], b[4096];
	for (int i = 0; i < 40; i++) {
		x = x * 1103515245 + 12345;
		snprintf(name, sizeof name, "w%d-%d", seed, i % 5);
		int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		memset(b, x >> 16, sizeof b);
		write(fd, b, 1 + (x >> 8) % 4096);
		char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		m[0] = 'A' + i % 26;
		munmap(m, 4096);
		pread(fd, b, 1, 0);
		sum += b[0] == 'A' + i % 26;
		close(fd);
		char *a = malloc(50000);
		memset(a, i, 50000);
		sum += a[49999] == (char)i;
		free(a);
		if (i % 10 == 0) {
			int p[2];
			pipe(p);
			pid_t k = fork();
			if (!k) {
				write(p[1], &x, 4);
				_exit(0);
			}
			unsigned y = 0;
			read(p[0], &y, 4);
			sum += y == x;
			waitpid(k, 0, 0);
			close(p[0]);
			close(p[1]);
		}
		if (i % 5 == 4)
			unlink(name);
	}
	return sum;
}
static void *thread(void *a)
{
	return (void *)(long)work((long)a);
}
int main(void)
{
	tmp();
	pid_t k[4];
	for (int i = 0; i < 4; i++)
		if (!(k[i] = MUST(fork()))) {
			pthread_t t[3];
			void *r;
			int sum = 0;
			for (long j = 0; j < 3; j++)
				pthread_create(t + j, 0, thread, (void *)(i * 10 + j));
			for (int j = 0; j < 3; j++) {
				pthread_join(t[j], &r);
				sum += (long)r;
			}
			_exit(sum == 3 * 84 ? 0 : 1);
		}
	for (int i = 0; i < 4; i++)
		say("%s\n", st(reap(k[i])));
	return 0;
}
