// SPDX-License-Identifier: Apache-2.0
// execve: arguments, environment, what is kept (pid, descriptors, mask, ignored signals, cwd, umask) and what is not.
// build: static
#include "t.h"
#include <sys/auxv.h>
extern char **environ;
static void h(int s)
{
	(void)s;
}
static int second(int argc, char **argv)
{
	say("argc %d:", argc);
	for (int i = 1; i < argc; i++)
		say(" [%s]", argv[i]);
	say("\nenv:");
	for (char **e = environ; *e; e++)
		say(" [%s]", *e);
	say("\n");
	if (getenv("PID"))
		T(atoi(getenv("PID")) == getpid());
	struct sigaction a;
	sigaction(SIGUSR1, 0, &a);
	say("USR1 %s\n", a.sa_handler == SIG_DFL ? "default" : a.sa_handler == SIG_IGN ? "ignored" : "handler");
	sigaction(SIGUSR2, 0, &a);
	say("USR2 %s\n", a.sa_handler == SIG_DFL ? "default" : a.sa_handler == SIG_IGN ? "ignored" : "handler");
	sigset_t m, p;
	sigprocmask(SIG_BLOCK, 0, &m);
	sigpending(&p);
	say("HUP blocked %d pending %d\n", sigismember(&m, SIGHUP), sigismember(&p, SIGHUP));
	stack_t ss;
	sigaltstack(0, &ss);
	say("altstack %s\n", ss.ss_flags & SS_DISABLE ? "none" : "kept");
	for (int i = 10; i < 13; i++)
		say("fd %d %s\n", i, fcntl(i, F_GETFD) < 0 ? en(errno) : "open");
	char c[200];
	getcwd(c, sizeof c);
	say("cwd %s umask %o\n", c, umask(0));
	char name[17] = "";
	prctl(PR_GET_NAME, name);
	say("name %s\n", name);
	struct rlimit l;
	getrlimit(RLIMIT_FSIZE, &l);
	say("fsize %ld\n", (long)l.rlim_cur);
	T(strstr((char *)getauxval(AT_EXECFN), "/") != NULL);
	struct itimerval it;
	getitimer(ITIMER_REAL, &it);
	T(it.it_value.tv_sec > 500);
	return 21;
}
int main(int argc, char **argv)
{
	static char alt[65536];
	if (argc > 1)
		return second(argc, argv);
	char self[500], pid[30];
	ssize_t n = MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	self[n] = 0;
	pid_t p = MUST(fork());
	if (!p) {
		signal(SIGUSR1, h);
		signal(SIGUSR2, SIG_IGN);
		block(SIGHUP);
		kill(getpid(), SIGHUP);
		stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
		MUST(sigaltstack(&ss, 0));
		MUST(dup2(1, 10));
		MUST(dup3(1, 11, O_CLOEXEC));
		MUST(chdir("/usr"));
		umask(027);
		MUST(prctl(PR_SET_NAME, "renamed"));
		struct rlimit l = {1 << 20, RLIM_INFINITY};
		MUST(setrlimit(RLIMIT_FSIZE, &l));
		struct itimerval it = {{0, 0}, {1000, 0}};
		setitimer(ITIMER_REAL, &it, 0);
		snprintf(pid, sizeof pid, "PID=%d", getpid());
		char *av[] = {"argv zero", "one", "", "three with space", "\xff\n", 0};
		char *ev[] = {"A=1", "EMPTY=", "noequals", pid, 0};
		(void)ev;
		ev[3] = pid;
		// Print without the pid's value: it is checked, then hidden.
		setenv("X", "1", 1);
		execve(self, av, (char *[]){"A=1", "EMPTY=", "noequals", 0});
		_exit(99);
	}
	say("%s\n", st(reap(p)));
	CHILD("same pid", {
		snprintf(pid, sizeof pid, "%d", getpid());
		execl("/bin/sh", "sh", "-c", "test $$ = $0 && echo same", pid, NULL);
	});
	// argv[0] is what we say; the file may be a link; a relative path; the script's directory.
	CHILD("argv0", execl("/bin/sh", "any name", "-c", "echo $0", NULL));
	tmp();
	MUST(symlink("/bin/sh", "link"));
	CHILD("link", execl("./link", "x", "-c", "echo by link", NULL));
	CHILD("relative", {
		MUST(chdir("/bin"));
		execl("sh", "sh", "-c", "pwd -P | sed s,/usr,,", NULL);
	});
	int d = MUST(open("/bin", O_PATH | O_DIRECTORY));
	CHILD("execveat", syscall(SYS_execveat, d, "sh", (char *[]){"sh", "-c", "echo execveat", 0}, environ, 0));
	int f = MUST(open("/bin/sh", O_PATH));
	CHILD("empty path",
	      syscall(SYS_execveat, f, "", (char *[]){"sh", "-c", "echo empty path", 0}, environ, AT_EMPTY_PATH));
	CHILD("no follow", {
		R(syscall(SYS_execveat, AT_FDCWD, "link", (char *[]){"sh", 0}, environ, AT_SYMLINK_NOFOLLOW));
	});
	// A chain of a hundred exec calls in one process.
	CHILD("chain",
	      execl("/bin/sh", "sh", "-c",
		    "i=$1; [ $i = 0 ] && echo end && exit 6; exec \"$0\" -c \"$2\" \"$0\" $((i-1)) \"$2\"", "/bin/sh",
		    "100", "i=$1; [ $i = 0 ] && echo end && exit 6; exec \"$0\" -c \"$2\" \"$0\" $((i-1)) \"$2\"",
		    NULL));
	// Many and long arguments.
	static char *big[3002];
	static char word[101];
	memset(word, 'w', 100);
	for (int i = 0; i < 3000; i++)
		big[i] = word;
	big[0] = "sh";
	big[1] = "-c";
	big[2] = "echo $# ${#2999}; expr \"$*\" : '.*'";
	CHILD("300 kB of arguments", {
		big[2] = "echo $#; expr length \"$*\"";
		execv("/bin/sh", big);
	});
	return 0;
}
