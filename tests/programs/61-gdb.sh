# SPDX-License-Identifier: Apache-2.0
# gdb inside: breakpoints, steps, threads, watchpoints, calls of functions, forks, system calls, attaching, core files.
. "$(dirname "$0")/common.sh"
need gdb gcc
cat > p.c <<'X'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int global, counter;
volatile int leave;
struct point { int x, y; double d; } pt = {3, 4, 2.5};
__attribute__((noinline)) int fact(int n)
{
	if (n <= 1)
		return 1;
	return n * fact(n - 1);
}
__attribute__((noinline)) int work(int n)
{
	int s = 0;
	for (int i = 0; i < n; i++) {
		s += i;
		if (i == 3)
			global = s;
	}
	return s;
}
static void *thread(void *a)
{
	long i = (long)a;
	__sync_fetch_and_add(&counter, i);
	return a;
}
static void *spin(void *a)
{
	while (!leave)
		counter++;
	return a;
}
static void on_usr1(int s)
{
	counter += s;
}
int main(int argc, char **argv)
{
	pthread_t t[3];
	char *p;
	if (argc > 1 && !strcmp(argv[1], "spin")) {
		pthread_create(&t[0], 0, spin, 0);
		write(1, "ready\n", 6);
		pthread_join(t[0], 0);
		return 8;
	}
	int a = fact(5);
	int b = work(6);
	p = strdup("text");
	puts(p);
	pid_t pid = fork();
	if (!pid)
		_exit(b);
	int st;
	waitpid(pid, &st, 0);
	printf("%d %d %d\n", a, b, WEXITSTATUS(st));
	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], 0, thread, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	signal(SIGUSR1, on_usr1);
	raise(SIGUSR1);
	getppid();
	printf("%d\n", counter);
	fflush(stdout);
	if (argc > 1)
		*(volatile int *)8 = 1;
	return 7;
}
X
gcc -g -O0 -fno-builtin -pthread -Wl,-z,lazy -o p p.c || exit 99
norm() { sed -E '/pthread_kill|nptl|sysdeps|raise|SIGUSR1\t|^Signal +Stop|^warning|^\[(New|Switching|Thread|Detaching|Current)|libthread_db|No such file|^Download|^$|debuginfod|^Reading symbols|in \.\.\/|^[0-9]+\tin /d; s/0x[0-9a-f]+/X/g; s/\((LWP|process) [0-9]+\)/(\1 N)/g; s/(process|LWP) [0-9]+/\1 N/g; s/Thread [^"]*"/Thread "/; s/X <[a-z_]*\+[0-9]+>/X/g; s/ +/ /g'; }
g() { gdb -nx -batch -ex 'set pagination off' -ex 'set confirm off' -ex 'set debuginfod enabled off' -ex 'handle SIGUSR1 nostop noprint pass' "$@" 2>&1 | norm; }
echo "== breakpoints"
g -ex 'break fact' -ex 'run > out' -ex bt -ex c -ex bt -ex 'info args' -ex delete -ex finish -ex finish -ex 'p pt' -ex 'p &pt.y' -ex 'p fact(4)' -ex 'p work(10)' -ex 'set var pt.x = 99' -ex 'p pt.x' -ex 'p $sp > 0' -ex c ./p
cat out
echo "== steps"
g -ex 'break main' -ex 'run > out' -ex next -ex next -ex step -ex next -ex next -ex 'info locals' -ex stepi -ex stepi -ex stepi -ex 'until 22' -ex finish -ex next -ex next -ex 'p p' -ex 'x/s p' -ex kill ./p
echo "== step through the dynamic linker"
g -ex 'break 55' -ex 'run > out' -ex 'stepi 400' -ex 'p $_exitcode' -ex c ./p
echo "== watchpoints"
g -ex 'break work' -ex 'run > out' -ex 'watch global' -ex c -ex 'p i' -ex 'p global' -ex 'delete 2' -ex 'set can-use-hw-watchpoints 0' -ex 'watch s' -ex c -ex c -ex kill ./p
echo "== conditions, temporary breakpoints, tracing prints"
g -ex 'break 21 if i == 4' -ex 'tbreak fact' -ex 'dprintf 23,"at %d\n", i' -ex 'run > out' -ex c -ex 'p s' -ex 'info breakpoints' -ex c ./p | grep -v 'already hit'
echo "== threads"
g -ex 'break thread' -ex 'run > out' -ex 'p counter <= 3' -ex bt -ex 'thread apply all p $_thread > 0' -ex delete -ex c ./p | sed -E 's/thread \(a=X\)/thread/; /^Thread "p"\)/d; /^Thread [0-9]/d; /^\$[0-9]+ =/d; s/Thread [0-9]+ "/Thread "/; s/^#0 .* in /#0 /; /start_thread|clone/d'
echo "== forks and system calls"
g -ex 'catch fork' -ex 'run > out' -ex delete -ex 'catch syscall getppid' -ex c -ex 'p $orig_rax' -ex c -ex 'p $rax > 0' -ex delete -ex c ./p | grep -vE '^#|sysdeps|^[0-9]+' | sed 's/,.*//'
echo "== follow the child"
g -ex 'set follow-fork-mode child' -ex 'break _exit' -ex 'run > out' -ex 'up' -ex 'p b' -ex c ./p | grep -E '^\$|exited'
echo "== signals"
g -ex 'handle SIGUSR1 stop print pass' -ex 'run > out' -ex 'break on_usr1' -ex c -ex 'p s' -ex 'signal 0' ./p | grep -vE '^#|pthread_kill|raise'
g -ex 'handle SIGUSR1 nostop noprint nopass' -ex 'run > out' ./p; tail -1 out
echo "== a crash"
g -ex 'run x > out' -ex bt -ex 'p $_siginfo.si_signo' -ex 'p $_siginfo._sifields._sigfault.si_addr' -ex 'generate-core-file mycore' -ex kill ./p | sed 's/line [0-9]*/line/'
g -ex 'bt' -ex 'p global' -ex 'p pt' ./p mycore | grep -v '^Core was'
echo "== attach"
./p spin > out & pid=$!
while ! grep -q ready out; do sleep 0.01; done
g -p $pid -ex 'thread apply all -q frame function main' -ex 'p counter > 0' -ex 'set var leave = 1' -ex detach | grep -E '^\$|detached'
wait $pid; echo "left: $?"
