// SPDX-License-Identifier: Apache-2.0
// /dev: null, zero, full, random, urandom, tty, fd, shm, ptmx; their reads, writes, seeks, mappings and numbers.
#include "t.h"
#include <sys/sysmacros.h>
static void num(const char *n)
{
	struct stat s;
	if (stat(n, &s))
		say("%s: %s\n", n, en(errno));
	else
		say("%s: %s %u:%u mode %o\n", n,
		    S_ISCHR(s.st_mode)	 ? "chr"
		    : S_ISDIR(s.st_mode) ? "dir"
					 : "other",
		    S_ISCHR(s.st_mode) ? major(s.st_rdev) : 0, S_ISCHR(s.st_mode) ? minor(s.st_rdev) : 0,
		    S_ISCHR(s.st_mode) ? s.st_mode & 0666 : 0);
}
int main(void)
{
	char b[100];
	const char *all[] = {"/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
			     "/dev/urandom", "/dev/tty",  "/dev/shm",  "/dev/pts"};
	for (int i = 0; i < 8; i++)
		num(all[i]);
	int n = MUST(open("/dev/null", O_RDWR)), z = MUST(open("/dev/zero", O_RDWR)),
	    f = MUST(open("/dev/full", O_RDWR)), u = MUST(open("/dev/urandom", O_RDWR)),
	    r = MUST(open("/dev/random", O_RDONLY));
	R(read(n, b, 10));
	R(write(n, b, 10));
	R(lseek(n, 100, SEEK_SET));
	R(ftruncate(n, 0));
	O(open("/dev/null", O_WRONLY | O_TRUNC));
	O(open("/dev/null", O_WRONLY | O_CREAT, 0600));
	memset(b, 1, sizeof b);
	R(read(z, b, 100));
	int nz = 0;
	for (int i = 0; i < 100; i++)
		nz += b[i] != 0;
	say("not zero %d\n", nz);
	R(write(z, b, 10));
	R(read(f, b, 10));
	R(write(f, b, 10));
	R(write(f, b, 0));
	R(read(u, b, 100));
	R(read(r, b, 100));
	R(write(u, b, 10));
	R(read(u, b, 0));
	char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, z, 0);
	T(m != MAP_FAILED && m[5000] == 0);
	m[0] = 1;
	m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, z, 0);
	CHILD("shared zero", m[0] = 9);
	say("%d\n", m[0]);
	O(mmap(0, 4096, PROT_READ, MAP_PRIVATE, n, 0));
	R(ioctl(n, FIONREAD, b) == -1);
	R(isatty(n));
	struct pollfd p[2] = {{n, POLLIN | POLLOUT, 0}, {u, POLLIN, 0}};
	R(poll(p, 2, 0));
	CHILD("no terminal", {
		setsid();
		O(open("/dev/tty", O_RDWR));
	});
	tmp();
	put("f", "0123456789");
	int x = MUST(open("f", O_RDONLY));
	snprintf(b, sizeof b, "/dev/fd/%d", x);
	int y = MUST(open(b, O_RDONLY));
	T(y != x && read(y, b, 4) == 4);
	R(access("/dev/stdin", F_OK));
	snprintf(b, sizeof b, "/dev/shm/husk-t-%d", getpid());
	put(b, "in shm");
	say("%s\n", get(b));
	R(unlink(b));
	R(access("/dev/ptmx", R_OK | W_OK));
	O(open("/dev/no-such-device", O_RDONLY));
	return 0;
}
