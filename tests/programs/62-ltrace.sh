# SPDX-License-Identifier: Apache-2.0
# ltrace inside: library calls of a program with lazy binding, its children, system calls.
. "$(dirname "$0")/common.sh"
need ltrace gcc
cat > p.c <<'X'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	char *p = malloc(100);
	strcpy(p, "some text");
	printf("%s %zu\n", p, strlen(p));
	if (!fork())
		_exit(atoi("5"));
	int s;
	wait(&s);
	free(p);
	puts("end");
	return WEXITSTATUS(s);
}
X
gcc -g -O0 -fno-builtin -fcf-protection=none -no-pie -Wl,-z,lazy -o p p.c || exit 99
norm() { sed -E 's/0x[0-9a-f]+/X/g; s/^[0-9]+ +//; s/ +=/ =/; s/(fork|wait)\(.*/\1/; s/<unfinished.*//; /resumed/d'; }
ltrace -o t ./p; echo "status $?"; norm < t | grep -vE 'SIGCHLD|^[0-9]+ = '
ltrace -f -o t ./p >/dev/null; norm < t | grep -E 'atoi|exited|puts' | sed 's,^atoi.*,atoi,' | sort # another's event may cut a line in two
ltrace -c -o t ./p; grep -cE 'malloc|strcpy|printf' t
ltrace -e strlen+strcpy -o t ./p; norm < t | grep -v SIGCHLD
ltrace -S -o t ./p >/dev/null; grep -cE 'SYS_(write|exit_group)' t
