# SPDX-License-Identifier: Apache-2.0
# strace inside: programs, children and threads, attaching, injected results, what ends a traced program.
. "$(dirname "$0")/common.sh"
need strace gcc
cat > p.c <<'X'
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void h(int s) { (void)s; }
static void *th(void *a) { fchdir(-1); return a; }
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "exec"))
		execl("/bin/true", "true", "an argument", (char *)0);
	if (argc > 1 && !strcmp(argv[1], "raise")) {
		signal(SIGUSR1, h);
		raise(SIGUSR1);
		raise(SIGTERM);
	}
	if (argc > 1 && !strcmp(argv[1], "thread")) {
		pthread_t t;
		pthread_create(&t, 0, th, 0);
		pthread_join(t, 0);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "inject")) {
		long p = getppid();
		int fd = open("/etc/passwd", O_RDONLY);
		printf("%ld %d\n", p, fd < 0 ? errno == EIO : -1);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		char c;
		write(1, "ready\n", 6);
		read(0, &c, 1);
		return 9;
	}
	int fd = open("/nonexistent/file", O_RDWR | O_CREAT | O_EXCL, 0600);
	fd = open("file", O_WRONLY | O_CREAT | O_TRUNC, 0640);
	write(fd, "hello\n\001\0", 8);
	lseek(fd, 3, SEEK_SET);
	close(fd);
	if (!fork()) {
		unlink("file");
		_exit(3);
	}
	int s;
	wait(&s);
	return 4;
}
X
gcc -w -O1 -pthread -o p p.c || exit 99
norm() { sed -E '/resumed/d; s/ *<unfinished \.\.\.>/) = ?/; s/\)\) = \?/) = ?/; s/0x[0-9a-f]+/X/g; s/^[0-9]+ +//; s/\[pid +[0-9]+\] //; s/(si_pid|si_uid|child_tid|parent_tid)=[^,}]*/\1=N/g; s/ = [0-9]{2,}$/ = N/; s/(wait4\(-1, .*\)) +=.*/\1/; s/ +=/ =/; s/si_[us]time=[0-9]+( /\* [0-9.]+ s \*/)?/t/g'; }
strace -o t -e trace=openat,write,lseek,close,unlink,exit_group ./p; echo "status $?"
sed -n '/nonexistent/,$p' t | norm
strace -f -o t -e trace=unlink,exit_group,process ./p; echo "status $?"
grep -E 'unlink|exited|exit_group|SIGCHLD' t | norm | sed 's/ = .*//' | sort
strace -f -o t sh -c 'echo one | cat; (exit 3); true'; grep -E 'execve|\+\+\+|exit_group' t | norm | sed 's/, X \/\*.*//' | sort
strace -o t -e trace=execve,exit_group ./p exec; norm < t | sed 's/, X \/\*.*//'
strace -o t -e trace=none ./p raise; echo "status $?"; norm < t
strace -f -o t -e trace=fchdir,exit_group ./p thread; norm < t | sort
strace -o t -e inject=getppid:retval=77 -e inject=openat:error=EIO:when=5+ -e trace=getppid ./p inject; norm < t
strace -o t -e inject=getppid:signal=USR1 -e trace=getppid ./p inject; echo "status $?"; norm < t
strace -c -o t ./p; grep -cE ' (openat|unlink|wait4|clone)$' t
mkfifo in; ./p wait < in > out & pid=$!
exec 8> in; while ! grep -q ready out; do sleep 0.01; done
rm t; strace -o t -p $pid & tr=$!
while ! grep -q read t 2>/dev/null; do sleep 0.01; done
grep TracerPid /proc/$pid/status | sed -E 's/[0-9]+/N/'
printf x >&8; wait $pid; echo "attached: $?"; wait $tr; echo "strace $?"; norm < t | sed 's/ = 1$/ = N/'
./p wait < in > out2 & pid=$!
while ! grep -q ready out2; do sleep 0.01; done
rm t; strace -o t -p $pid & tr=$!
while ! grep -q read t 2>/dev/null; do sleep 0.01; done
kill -INT $tr; wait $tr; echo "detached: $?"; grep TracerPid /proc/$pid/status; kill $pid; wait $pid; echo "killed: $?"
strace -o t -f gcc -O1 -w -o p2 p.c; echo "gcc under strace: $?"; ./p2; echo $?
