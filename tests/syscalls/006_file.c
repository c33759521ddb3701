// SPDX-License-Identifier: Apache-2.0
// Open, write, read, seek and remove a small file; read the head of the running program.
#include "t.h"
int main(void)
{
	char b[64] = "";
	int fd = open("/proc/self/exe", O_RDONLY);
	T(fd >= 0 && read(fd, b, 4) == 4 && !memcmp(b, "\177ELF", 4));
	close(fd);
	tmp();
	fd = MUST(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
	R(write(fd, "0123456789", 10));
	R(lseek(fd, 3, SEEK_SET));
	R(read(fd, b, 4));
	b[4] = 0;
	say("read %s\n", b);
	R(lseek(fd, 0, SEEK_CUR));
	R(read(fd, b, 64));
	R(read(fd, b, 64));
	R(close(fd));
	R(close(fd));
	R(read(fd, b, 1));
	R(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
	R(unlink("f"));
	R(unlink("f"));
	R(open("f", O_RDONLY));
	R(open("", O_RDONLY));
	R(access("/bin/sh", X_OK));
	R(access("/no/such", F_OK));
	say("%s", get("/no/such"));
	return 0;
}
