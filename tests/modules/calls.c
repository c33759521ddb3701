// SPDX-License-Identifier: Apache-2.0
// The system calls of modules with good and bad arguments; argv[1] is the file of the module two. Prints "ok".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define init(p, n, a) syscall(SYS_init_module, p, n, a)
#define finit(fd, a, f) syscall(SYS_finit_module, fd, a, f)
#define remove_module(n, f) syscall(SYS_delete_module, n, f)
#define T(what, want)                                                                                                  \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		long r_ = what;                                                                                        \
		int e_ = r_ ? errno : 0;                                                                               \
		if (e_ != (want))                                                                                      \
			printf("line %d: %s: %s, expected %s\n", __LINE__, #what, strerror(e_), strerror(want)),       \
				bad = 1;                                                                               \
	} while (0)

int main(int argc, char **argv)
{
	int fd = open(argv[1], O_RDONLY), wr = open("/tmp/w.ko", O_WRONLY | O_CREAT, 0600), dir = open("/", O_RDONLY),
	    bad = 0, p[2];
	struct stat st;
	char *image, *page = valloc(4096), longname[100], *longargs = malloc(10000);

	fstat(fd, &st);
	image = malloc(st.st_size);
	if (read(fd, image, st.st_size) != st.st_size || pipe(p))
		return 1;
	memset(longname, 'x', 99);
	longname[99] = 0;
	memset(longargs, ' ', 9999);
	longargs[9999] = 0;
	T(finit(-1, "", 0), EBADF);
	T(finit(wr, "", 0), EBADF);
	T(finit(p[0], "", 0), EINVAL);
	T(finit(dir, "", 0), EINVAL);
	T(finit(fd, "", 8), EINVAL);
	T(finit(fd, "", 4), EOPNOTSUPP);
	T(finit(fd, (char *)8, 0), EFAULT);
	T(finit(fd, longargs, 0), E2BIG);
	T(init(NULL, 0, ""), ENOEXEC);
	T(init(image, 63, ""), ENOEXEC);
	T(init((void *)8, st.st_size, ""), EFAULT);
	T(init(image, 1UL << 40, ""), EFBIG);
	T(init(image, st.st_size, (char *)8), EFAULT);
	T(init(page, 4096, ""), ENOEXEC);
	T(init(image, st.st_size / 2, ""), ENOEXEC);
	T(remove_module("two", 0), ENOENT);
	T(remove_module((char *)8, 0), EFAULT);
	T(remove_module(longname, 0), ENOENT);
	T(remove_module("", 0), ENOENT);
	T(init(image, st.st_size, ""), 0);
	T(init(image, st.st_size, ""), EEXIST);
	T(finit(fd, "", 0), EEXIST);
	T(remove_module("two", O_NONBLOCK), 0);
	T(remove_module("two", O_NONBLOCK | O_TRUNC), ENOENT);
	T(finit(fd, "", 3), 0);
	T(remove_module("two", O_TRUNC), 0);
	if (setgid(1) || setuid(1))
		return 1;
	T(init(image, st.st_size, ""), EPERM);
	T(finit(fd, "", 0), EPERM);
	T(remove_module("two", 0), EPERM);
	puts(bad ? "bad" : "ok");
	return bad;
}
