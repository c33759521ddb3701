// SPDX-License-Identifier: Apache-2.0
// Close-on-exec in all its forms: open, pipe2, dup3, fcntl, socket, epoll, and inheritance of the others.
#include "t.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
int main(int argc, char **argv)
{
	if (argc > 1) {
		for (int i = 3; i < 40; i++)
			if (fcntl(i, F_GETFD) >= 0)
				say(" %d", i);
		say("\n");
		char b[8] = "";
		if (fcntl(20, F_GETFD) >= 0) {
			R(lseek(20, 0, SEEK_CUR));
			R(read(20, b, 4));
			say("%s\n", b);
		}
		return argv[1][0] - '0';
	}
	for (int i = 3; i < 40; i++)
		close(i);
	tmp();
	put("f", "0123456789");
	CHILD("exec", {
		int p[2];
		MUST(pipe(p));					      // 3 4 stay
		MUST(pipe2(p, O_CLOEXEC));			      // 5 6 go
		MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));	      // 7 goes
		MUST(open("/dev/null", O_RDONLY));		      // 8 stays
		MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); // 9 goes
		MUST(socket(AF_UNIX, SOCK_STREAM, 0));		      // 10 stays
		MUST(epoll_create1(EPOLL_CLOEXEC));		      // 11 goes
		MUST(eventfd(0, 0));				      // 12 stays
		MUST(dup3(8, 13, O_CLOEXEC));			      // 13 goes
		MUST(dup2(7, 14));				      // 14 stays: dup clears it
		MUST(fcntl(8, F_DUPFD_CLOEXEC, 15));		      // 15 goes
		MUST(fcntl(7, F_DUPFD, 16));			      // 16 stays
		MUST(fcntl(16, F_SETFD, FD_CLOEXEC));		      // 16 goes after all
		MUST(fcntl(7, F_SETFD, 0));			      // 7 stays after all
		int f = MUST(open("f", O_RDONLY));
		MUST(lseek(f, 3, SEEK_SET));
		MUST(dup2(f, 20));			   // 17 20 stay
		MUST(syscall(SYS_close_range, 17, 17, 4)); // 17: CLOSE_RANGE_CLOEXEC
		char self[400];
		ssize_t n = MUST(readlink("/proc/self/exe", self, sizeof self - 1));
		self[n] = 0;
		execl(self, "x", "5", NULL);
	});
	R(syscall(SYS_close_range, 3, 1000, 0));
	R(syscall(SYS_close_range, 5, 3, 0));
	R(syscall(SYS_close_range, 3, 1000, 0x80));
	R(fcntl(3, F_GETFD));
	// A pipe's end is reached only once every copy is closed: exec closes the marked ones.
	int p[2];
	char c;
	MUST(pipe2(p, O_CLOEXEC));
	pid_t k = MUST(fork());
	if (!k) {
		execl("/bin/sleep", "sleep", "100", NULL);
		_exit(1);
	}
	close(p[1]);
	R(read(p[0], &c, 1));
	kill(k, SIGKILL);
	say("%s\n", st(reap(k)));
	return 0;
}
