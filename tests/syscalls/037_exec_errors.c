// SPDX-License-Identifier: Apache-2.0
// execve errors: ENOENT, EACCES, ENOEXEC, E2BIG, ELOOP, ENOTDIR, EFAULT, ETXTBSY, wrong architecture, cut-off ELF.
#include "t.h"
#include <elf.h>
extern char **environ;
static char *av[] = {"x", 0};
static void go(const char *name)
{
	pid_t p = MUST(fork());
	if (!p) {
		execve(name, av, environ);
		say("%.30s: %s\n", name, en(errno));
		_exit(100);
	}
	int s = reap(p);
	if (!WIFEXITED(s) || WEXITSTATUS(s) != 100)
		say("%.30s: %s\n", name, st(s));
}
int main(void)
{
	tmp();
	go("/no/such");
	go("");
	go("/");
	go("/etc/passwd/x");
	go("/etc/passwd");
	MUST(symlink("loop2", "loop1"));
	MUST(symlink("loop1", "loop2"));
	go("loop1");
	MUST(symlink("nowhere", "dangling"));
	go("dangling");
	put("text", "just text\n");
	chmod("text", 0755);
	go("./text");
	put("short", "\177EL");
	chmod("short", 0755);
	go("./short");
	static char name[5000];
	memset(name, 'n', 4999);
	go(name);
	name[300] = 0;
	go(name);
	// Copies of a real program with one thing wrong.
	static char elf[4 << 20];
	int fd = MUST(open("/bin/true", O_RDONLY));
	ssize_t n = MUST(read(fd, elf, sizeof elf));
	close(fd);
	struct {
		const char *name;
		int off;
		unsigned char v;
	} bad[] = {
		{"machine", 18, 40}, {"class", 4, 7}, {"type", 16, 77}, {"phentsize", 54, 9}, {"phnum0", 56, 0},
	};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		fd = MUST(open(bad[i].name, O_WRONLY | O_CREAT | O_TRUNC, 0755));
		unsigned char was = elf[bad[i].off];
		elf[bad[i].off] = bad[i].v;
		MUST(write(fd, elf, n));
		elf[bad[i].off] = was;
		close(fd);
		if (strcmp(bad[i].name, "class"))
			go(bad[i].name);
	}
	fd = MUST(open("cut", O_WRONLY | O_CREAT, 0755));
	MUST(write(fd, elf, 80));
	close(fd);
	go("./cut");
	// The interpreter does not exist.
	Elf64_Ehdr *e = (void *)elf;
	Elf64_Phdr *ph = (void *)(elf + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++)
		if (ph[i].p_type == PT_INTERP)
			memcpy(elf + ph[i].p_offset, "/lib/nope", 10);
	fd = MUST(open("nointerp", O_WRONLY | O_CREAT, 0755));
	MUST(write(fd, elf, n));
	close(fd);
	go("./nointerp");
	// Rights: no x bit at all is EACCES even for root.
	fd = MUST(open("nox", O_WRONLY | O_CREAT, 0644));
	close(fd);
	go("./nox");
	chmod(".", 0755);
	CHILD("as an ordinary user", {
		put("mine", "#!/bin/sh\necho not run\n");
		chmod("mine", 0700);
		mkdir("locked", 0700);
		put("locked/f", "#!/bin/sh\n");
		chmod("locked/f", 0755);
		chmod("locked", 0);
		if (geteuid() == 0) {
			nobody();
			go("./mine");
		} else
			say("./mine: EACCES\n");
		go("./locked/f");
		chmod("locked", 0700);
	});
	// Busy: open for writing.
	fd = MUST(open("busy", O_RDWR | O_CREAT, 0755));
	MUST(write(fd, "#!/bin/true\n", 12));
	go("./busy");
	close(fd);
	go("./busy");
	// Bad pointers.
	CHILD("efault path", R(syscall(SYS_execve, 8, av, environ)));
	CHILD("efault argv", R(syscall(SYS_execve, "/bin/true", 8, environ)));
	CHILD("efault argv[0]", R(syscall(SYS_execve, "/bin/true", ((char *[]){(char *)8, 0}), environ)));
	CHILD("efault env", R(syscall(SYS_execve, "/bin/true", av, 8)));
	CHILD("null env", R(syscall(SYS_execve, "/bin/true", av, 0)));
	CHILD("null argv", R(syscall(SYS_execve, "/bin/true", 0, environ)));
	// Too big: one argument of more than 128 KiB, and all together more than a quarter of the stack limit.
	static char one[200001];
	memset(one, 'x', 131071);
	CHILD("argument of 128 KiB - 1", R(execl("/bin/true", "true", one, NULL)));
	memset(one, 'x', 131072);
	CHILD("argument of 128 KiB", R(execl("/bin/true", "true", one, NULL)));
	static char *many[300];
	one[100000] = 0;
	for (int i = 0; i < 299; i++)
		many[i] = one;
	CHILD("30 MB of arguments", R(execve("/bin/true", many, environ)));
	many[15] = 0;
	CHILD("1.5 MB of arguments", R(execve("/bin/true", many, environ)));
	CHILD("with a small stack limit", {
		struct rlimit l = {1 << 20, RLIM_INFINITY};
		MUST(setrlimit(RLIMIT_STACK, &l));
		R(execve("/bin/true", many, environ));
	});
	return 0;
}
