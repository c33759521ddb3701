// SPDX-License-Identifier: Apache-2.0
// vfork: the parent waits for exec or exit; memory is shared until then; posix_spawn.
// build: static
#include "t.h"
#include <spawn.h>
static volatile int shared = 1;
int main(void)
{
	pid_t p = vfork();
	if (!p) {
		shared = 2;
		_exit(3);
	}
	say("shared %d %s\n", shared, st(reap(p)));
	for (int i = 0; i < 20; i++) {
		p = vfork();
		if (!p) {
			execl("/bin/sh", "sh", "-c", "exit $0", i % 2 ? "4" : "5", NULL);
			_exit(127);
		}
		int s = reap(p);
		if (i < 2)
			say("%s\n", st(s));
		if (WEXITSTATUS(s) != (i % 2 ? 4 : 5))
			say("bad\n");
	}
	p = vfork();
	if (!p) {
		execl("/no/such/program", "x", NULL);
		shared = errno;
		_exit(127);
	}
	say("%s errno %s\n", st(reap(p)), en(shared));
	// The parent waits even while the child sleeps; a signal to the parent does not wake it early.
	long long t = now_ns();
	p = vfork();
	if (!p) {
		ms(50);
		shared = 77;
		_exit(0);
	}
	T(shared == 77 && now_ns() - t > 45000000);
	reap(p);
	// A child killed by a signal releases the parent.
	p = vfork();
	if (!p) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	say("%s\n", st(reap(p)));
	// posix_spawn with file actions and attributes.
	int fd[2];
	char b[100];
	MUST(pipe(fd));
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fd[1], 1);
	posix_spawn_file_actions_addclose(&fa, fd[0]);
	posix_spawnattr_t at;
	posix_spawnattr_init(&at);
	sigset_t m;
	sigemptyset(&m);
	posix_spawnattr_setsigmask(&at, &m);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	R(posix_spawn(&p, "/bin/sh", &fa, &at, (char *[]){"sh", "-c", "echo $A; exit 9", 0},
		      (char *[]){"A=from spawn", 0}));
	close(fd[1]);
	ssize_t n = read(fd[0], b, sizeof b);
	say("%.*s%s\n", (int)n, b, st(reap(p)));
	say("spawn of nothing: %s\n", en(posix_spawn(&p, "/no/such", 0, 0, (char *[]){"x", 0}, (char *[]){0})));
	return 0;
}
