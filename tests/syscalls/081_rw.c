// SPDX-License-Identifier: Apache-2.0
// pread, pwrite, readv, writev, preadv2, sparse files, lseek with DATA and HOLE, truncate, fallocate, fsync, offsets beyond 4 GiB.
#include "t.h"
#ifndef FALLOC_FL_KEEP_SIZE
#include <linux/falloc.h>
#endif
int main(void)
{
	char b[100] = "", c[100] = "";
	struct stat s;
	tmp();
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	R(pwrite(fd, "0123456789", 10, 0));
	R(lseek(fd, 0, SEEK_CUR));
	R(pread(fd, b, 4, 3));
	say("%s\n", b);
	R(pread(fd, b, 4, 100));
	R(pread(fd, b, 4, -1));
	R(pwrite(fd, b, 4, -1));
	struct iovec v[3] = {{b, 3}, {c, 4}, {b + 50, 50}};
	R(readv(fd, v, 3));
	say("%.3s %.4s %.3s\n", b, c, b + 50);
	R(readv(fd, v, 3));
	R(preadv(fd, v, 2, 5));
	say("%.3s %.2s\n", b, c);
	R(pwritev(fd, (struct iovec[]){{"AB", 2}, {"CDE", 3}}, 2, 8));
	say("%s\n", get("f"));
	R(preadv2(fd, v, 1, 2, 0));
	R(preadv2(fd, v, 1, -1, 0));
	R(pwritev2(fd, (struct iovec[]){{"end", 3}}, 1, 0, RWF_APPEND));
	say("%s\n", get("f"));
	R(preadv2(fd, v, 1, 0, 0x4000));
	R(readv(fd, v, 0));
	R(readv(fd, v, -1));
	R(readv(fd, (struct iovec[]){{b, -1}}, 1));
	R(write(fd, b, 0));
	// Seeking.
	R(lseek(fd, -1, SEEK_SET));
	R(lseek(fd, 5, SEEK_END));
	R(lseek(fd, -100, SEEK_CUR));
	R(lseek(fd, 0, 77));
	R(write(fd, "x", 1));
	R(lseek(fd, 0, SEEK_END));
	R(pread(fd, b, 10, 14));
	for (int i = 0; i < 10; i++)
		say("%02x", (unsigned char)b[i]);
	say("\n");
	// Sparse and large.
	R(pwrite(fd, "far", 3, 5000000000L));
	MUST(fstat(fd, &s));
	say("size %ld\n", (long)s.st_size);
	T(s.st_blocks * 512 < 100000000);
	b[0] = 9;
	R(pread(fd, b, 10, 3000000000L));
	say("%d\n", b[0]);
	R(lseek(fd, 0, SEEK_DATA));
	off_t hole = lseek(fd, 0, SEEK_HOLE), data = lseek(fd, hole, SEEK_DATA);
	T(hole >= 21 && hole <= 5000000003L);
	T(data == -1 || (data > 0 && data <= 5000000000L));
	R(lseek(fd, 6000000000L, SEEK_DATA));
	R(lseek(fd, 6000000000L, SEEK_HOLE));
	// truncate.
	R(ftruncate(fd, 5));
	R(pread(fd, b, 10, 0));
	R(ftruncate(fd, 100));
	R(pread(fd, b, 100, 0));
	int nz = 0;
	for (int i = 5; i < 100; i++)
		nz += b[i] != 0;
	say("not zero %d\n", nz);
	R(ftruncate(fd, -1));
	R(truncate("f", 3));
	say("%s\n", get("f"));
	R(truncate("none", 3));
	R(truncate(".", 3));
	R(ftruncate(0, 3));
	int ro = MUST(open("f", O_RDONLY));
	R(ftruncate(ro, 3));
	// fallocate.
	R(fallocate(fd, 0, 0, 10000));
	MUST(fstat(fd, &s));
	say("size %ld\n", (long)s.st_size);
	R(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000));
	MUST(fstat(fd, &s));
	say("size %ld\n", (long)s.st_size);
	for (int i = 0; i < 10000; i += 10)
		pwrite(fd, "0123456789", 10, i);
	R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 5000));
	R(pread(fd, b, 20, 90));
	say("%.10s %d %d\n", b, b[10], b[19]);
	R(pread(fd, b, 20, 5090));
	say("%d %d %.10s\n", b[0], b[9], b + 10);
	R(fallocate(fd, 0, -1, 5));
	R(fallocate(fd, 0, 0, 0));
	R(fallocate(ro, 0, 0, 10));
	R(fallocate(fd, 0x8000, 0, 10));
	R(posix_fallocate(fd, 0, 20000));
	R(fsync(fd));
	R(fdatasync(fd));
	R(syncfs(fd));
	R(fsync(99));
	int p[2];
	MUST(pipe(p));
	R(fsync(p[0]));
	R(sync_file_range(fd, 0, 100, 0));
	R(readahead(fd, 0, 4096));
	// Larger writes in odd sizes, read back in others, while a mapping looks on.
	int g = MUST(open("g", O_RDWR | O_CREAT, 0600));
	static char big[300000], back[300000];
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = i * 31 >> 3;
	for (size_t o = 0, n = 1; o < sizeof big; o += n, n = n * 3 % 7919 + 1) {
		if (n > sizeof big - o)
			n = sizeof big - o;
		MUST(write(g, big + o, n));
	}
	char *m = mmap(0, sizeof big, PROT_READ, MAP_SHARED, g, 0);
	T(!memcmp(m, big, sizeof big));
	lseek(g, 0, SEEK_SET);
	for (size_t o = 0, n = 5000; o < sizeof big; n = n * 5 % 6007 + 1) {
		ssize_t r = MUST(read(g, back + o, n));
		if (!r)
			break;
		o += r;
	}
	T(!memcmp(back, big, sizeof big));
	pwrite(g, "changed", 7, 123456);
	T(!memcmp(m + 123456, "changed", 7));
	R(read(g, back, 1));
	return 0;
}
