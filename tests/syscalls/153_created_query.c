// SPDX-License-Identifier: Apache-2.0
// F_CREATED_QUERY: did this open make the file?
#include "t.h"

#define CREATED_QUERY (1024 + 4)

static void ask(const char *what, const char *name, int flags)
{
	int fd = MUST(open(name, flags, 0644)), copy = dup(fd), r = fcntl(fd, CREATED_QUERY, 0);

	say("%s: %d, copy the same: %d\n", what, r, fcntl(copy, CREATED_QUERY, 0) == r);
	close(copy);
	close(fd);
}

int main(void)
{
	int fd;

	tmp();
	fd = MUST(open(".", O_RDONLY));
	MUST(fcntl(fd, CREATED_QUERY, 0)); // hosts before Linux 6.12 do not have it
	ask("made", "f", O_RDWR | O_CREAT);
	ask("there", "f", O_RDWR | O_CREAT);
	ask("truncated", "f", O_RDWR | O_CREAT | O_TRUNC);
	ask("exclusively made", "g", O_RDWR | O_CREAT | O_EXCL);
	ask("directory", ".", O_RDONLY);
	ask("without a name", ".", O_RDWR | O_TMPFILE);
	symlink("h", "l");
	ask("through a link", "l", O_RDWR | O_CREAT);
	O(fcntl(open("f", O_PATH), CREATED_QUERY, 0));
	return 0;
}
