# SPDX-License-Identifier: Apache-2.0
# valgrind inside: a translator that maps programs' text without running it, keeps its own account of addresses, and catches signals by their place.
. "$(dirname "$0")/common.sh"
need valgrind gcc
cat > p.c <<'X'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int got;
static void handler(int s)
{
	got = s;
}
static void *thread(void *a)
{
	return malloc(10) ? a : NULL;
}
int main(void)
{
	pthread_t t;
	char *p = malloc(10), b[100];
	FILE *f;
	p[10] = 1;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	printf("signal %d\n", got);
	fflush(stdout);
	if (!fork())
		execlp("echo", "echo", "child", NULL);
	wait(NULL);
	f = popen("echo pipe", "r");
	printf("%s", fgets(b, 100, f));
	return pclose(f);
}
X
gcc -g -O0 -pthread -o p p.c 2>/dev/null || exit 99
norm() { sed -E 's/^==[0-9]+== ?//; s/0x[0-9A-Fa-f]+/X/g; s/\([a-z_]+\.[cS]:[0-9]+\)//; s/ [0-9,]+ bytes allocated//'; }
valgrind --leak-check=full --error-exitcode=9 ./p > out 2> err
echo "status $?"; cat out; norm < err
valgrind --tool=none --trace-children=yes ./p 2>/dev/null
echo "status $?"
