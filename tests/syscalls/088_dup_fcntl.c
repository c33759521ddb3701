// SPDX-License-Identifier: Apache-2.0
// dup, dup2, dup3, fcntl: shared offset and flags, own close-on-exec, F_DUPFD, F_SETFL, descriptor numbers, kcmp-like facts.
#include "t.h"
int main(void)
{
	char b[20];
	tmp();
	put("f", "0123456789");
	for (int i = 3; i < 50; i++)
		close(i);
	int a = MUST(open("f", O_RDWR)), c;
	R(a);
	R(dup(a));
	R(dup2(a, 10));
	R(dup2(a, a));
	R(dup2(99, 5));
	R(dup2(99, 99));
	R(dup2(a, -1));
	R(dup2(a, 1 << 30));
	R(dup3(a, a, 0));
	R(dup3(a, 11, O_CLOEXEC));
	R(fcntl(11, F_GETFD));
	R(dup3(a, 12, 0x1));
	R(fcntl(a, F_DUPFD, 20));
	R(fcntl(a, F_DUPFD, 20));
	R(fcntl(a, F_DUPFD_CLOEXEC, 30));
	R(fcntl(30, F_GETFD));
	R(fcntl(a, F_DUPFD, -1));
	// Shared offset.
	R(read(a, b, 3));
	R(lseek(10, 0, SEEK_CUR));
	c = MUST(open("f", O_RDWR));
	R(lseek(c, 0, SEEK_CUR));
	// Shared status flags, own descriptor flags.
	R(fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK));
	R(fcntl(10, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE));
	R(fcntl(c, F_GETFL) & (O_APPEND | O_NONBLOCK));
	R(fcntl(a, F_SETFD, FD_CLOEXEC));
	R(fcntl(10, F_GETFD));
	R(fcntl(a, F_SETFL, O_WRONLY)); // the mode does not change
	R(fcntl(a, F_GETFL) & O_ACCMODE);
	R(fcntl(99, F_GETFD));
	R(fcntl(a, 12345, 0));
	// dup2 closes what was there.
	int p[2];
	MUST(pipe(p));
	R(dup2(a, p[1]) == p[1]);
	R(read(p[0], b, 1));
	// close on a duplicate leaves the other.
	R(close(a));
	R(read(10, b, 1));
	R(close(a));
	R(fcntl(10, F_GETOWN));
	R(fcntl(p[0], F_SETOWN, getpid()));
	R(fcntl(p[0], F_GETOWN) == getpid());
	R(fcntl(10, F_GETSIG));
	// Owner signals: O_ASYNC on a pipe.
	static volatile int n;
	void h(int s)
	{
		(void)s;
		n++;
	}
	MUST(pipe(p));
	on(SIGIO, h, 0);
	R(fcntl(p[0], F_SETOWN, getpid()));
	R(fcntl(p[0], F_SETFL, O_ASYNC));
	write(p[1], "x", 1);
	T(UNTIL(n >= 1));
	// Inherited offset across fork and exec.
	c = MUST(open("f", O_RDONLY));
	CHILD("child reads", read(c, b, 4));
	R(lseek(c, 0, SEEK_CUR));
	CHILD("program reads", {
		dup2(c, 0);
		execl("/bin/sh", "sh", "-c", "read x; echo $x", NULL);
	});
	R(ioctl(c, FIOCLEX));
	R(fcntl(c, F_GETFD));
	R(ioctl(c, FIONCLEX));
	R(fcntl(c, F_GETFD));
	int on_ = 1;
	R(ioctl(p[0], FIONBIO, &on_));
	R(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	R(ioctl(c, TCGETS, b));
	R(isatty(c));
	return 0;
}
