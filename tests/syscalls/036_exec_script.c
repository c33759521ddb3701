// SPDX-License-Identifier: Apache-2.0
// #! scripts: interpreter with and without an argument, nested, too deep, relative, spaces, missing, line too long.
#include "t.h"
static void script(const char *name, const char *text, int mode)
{
	unlink(name);
	put(name, text);
	MUST(chmod(name, mode));
}
static void go(const char *name)
{
	pid_t p = MUST(fork());
	if (!p) {
		execl(name, "argv0", "a1", "a 2", NULL);
		say("%s: %s\n", name, en(errno));
		_exit(100);
	}
	say("%s: %s\n", name, st(reap(p)));
}
int main(void)
{
	tmp();
	char t[600];
	script("plain", "#!/bin/sh\necho \"0=$0 1=$1 2=$2 n=$#\"\nexit 3\n", 0755);
	go("./plain");
	script("arg", "#!/bin/sh -e\necho \"n=$#\"\nfalse\necho not reached\n", 0755);
	go("./arg");
	script("spaces", "#!  \t/bin/echo   one   two  \n", 0755);
	go("./spaces");
	script("nonl", "#!/bin/echo", 0755);
	go("./nonl");
	snprintf(t, sizeof t, "#!%s/plain x\n", tmp_dir);
	script("nested", "#!./plain x\n", 0755);
	go("./nested");
	script("self", "#!./self\n", 0755);
	go("./self");
	char n[20], l[40];
	for (int i = 0; i < 8; i++) {
		snprintf(n, sizeof n, "d%d", i);
		if (i)
			snprintf(l, sizeof l, "#!./d%d\n", i - 1);
		else
			snprintf(l, sizeof l, "#!/bin/echo\n");
		script(n, l, 0755);
	}
	go("./d2");
	go("./d7");
	script("missing", "#!/no/such/interpreter\n", 0755);
	go("./missing");
	script("empty", "#!\n", 0755);
	go("./empty");
	script("dir", "#!/tmp\n", 0755);
	go("./dir");
	script("noexec", "#!./data\n", 0755);
	script("data", "x", 0644);
	go("./noexec");
	script("text", "echo no header\n", 0755);
	go("./text");
	script("zero", "", 0755);
	go("./zero");
	script("mode", "#!/bin/sh\n", 0644);
	go("./mode");
	memset(t, 'a', sizeof t);
	memcpy(t, "#!/", 3);
	t[400] = '\n';
	t[401] = 0;
	script("long", t, 0755);
	go("./long");
	strcpy(t, "#!/bin/echo ");
	memset(t + 12, 'b', 200);
	strcpy(t + 212, "\n");
	script("longarg", t, 0755);
	go("./longarg");
	// By descriptor: the interpreter is given /dev/fd/N.
	script("byfd", "#!/bin/sh\necho \"n=$#\"\ncase $0 in /dev/fd/*) echo devfd;; esac\n", 0755);
	int fd = MUST(open("byfd", O_RDONLY));
	CHILD("fexecve", {
		fexecve(fd, (char *[]){"x", "y", 0}, (char *[]){0});
		say("%s\n", en(errno));
	});
	fd = MUST(open("byfd", O_RDONLY | O_CLOEXEC));
	CHILD("fexecve cloexec", {
		fexecve(fd, (char *[]){"x", "y", 0}, (char *[]){0});
		say("%s\n", en(errno));
	});
	// A shell runs what has no header.
	CHILD("execvp falls back to sh", { execlp("./text", "text", NULL); });
	return 0;
}
