// SPDX-License-Identifier: Apache-2.0
// splice and tee where a pipe has no writer or no reader, to files that cannot be spliced to, and the order of their errors.
#include "t.h"
#include <sys/eventfd.h>

static void ends(const char *what, int from, int to)
{
	errno = 0;
	say("%s splice %zd", what, splice(from, NULL, to, NULL, 10, SPLICE_F_NONBLOCK));
	say(" errno %d", errno);
	errno = 0;
	say(" tee %zd", tee(from, to, 10, SPLICE_F_NONBLOCK));
	say(" errno %d\n", errno);
}

int main(void)
{
	int empty[2], closed[2], open_end[2], deaf[2], event = eventfd(0, EFD_NONBLOCK);
	loff_t at = 0;

	signal(SIGPIPE, SIG_IGN);
	T(!pipe2(empty, O_NONBLOCK) && !pipe2(closed, O_NONBLOCK) && !pipe2(open_end, O_NONBLOCK) &&
	  !pipe2(deaf, O_NONBLOCK));
	close(closed[1]);
	close(deaf[0]);
	ends("empty to open", empty[0], open_end[1]);
	ends("empty to deaf", empty[0], deaf[1]);
	ends("ended to open", closed[0], open_end[1]);
	ends("ended to deaf", closed[0], deaf[1]);
	ends("empty to eventfd", empty[0], event);
	ends("ended to eventfd", closed[0], event);
	T(write(empty[1], "12345678", 8) == 8);
	ends("full to deaf", empty[0], deaf[1]);
	ends("full to eventfd", empty[0], event);
	R(splice(empty[1], &at, open_end[0], NULL, 8, 0));
	R(splice(empty[1], NULL, open_end[0], NULL, 8, 0));
	return 0;
}
