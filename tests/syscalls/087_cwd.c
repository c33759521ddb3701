// SPDX-License-Identifier: Apache-2.0
// chdir, fchdir, getcwd, a removed working directory, chroot, .. at the root, long paths, per-thread and per-process.
#include "t.h"
int main(void)
{
	char b[4096];
	const char *top = tmp();
	R(mkdir("a", 0755));
	R(mkdir("a/b", 0755));
	R(chdir("a/b"));
	T(getcwd(b, sizeof b) && !strncmp(b, top, strlen(top)) && !strcmp(b + strlen(top), "/a/b"));
	R(syscall(SYS_getcwd, b, sizeof b) == (long)strlen(b) + 1);
	R(syscall(SYS_getcwd, b, 3));
	R(syscall(SYS_getcwd, 8, 4096));
	R(chdir("../.."));
	int d = MUST(open("a", O_RDONLY));
	R(fchdir(d));
	R(access("b", F_OK));
	R(chdir("none"));
	put("f", "");
	R(chdir("f"));
	R(fchdir(MUST(open("f", O_RDONLY))));
	R(fchdir(99));
	symlink("b", "l");
	R(chdir("l"));
	getcwd(b, sizeof b);
	say("%s\n", b + strlen(top));
	R(rename("../../a", "../../moved"));
	getcwd(b, sizeof b);
	say("%s\n", b + strlen(top));
	R(readlink("/proc/self/cwd", b, sizeof b) > 0);
	// Removed.
	R(mkdir("gone", 0755));
	R(chdir("gone"));
	R(rmdir("../gone"));
	R(syscall(SYS_getcwd, b, sizeof b));
	R(open("x", O_RDWR | O_CREAT, 0600));
	O(open(".", O_RDONLY));
	R(access("..", F_OK));
	CHILD("program in a removed directory", execl("/bin/sh", "sh", "-c", "echo runs", NULL));
	R(chdir(".."));
	// The root.
	R(chdir("/"));
	R(chdir("../../.."));
	getcwd(b, sizeof b);
	say("%s\n", b);
	CHILD("chroot", {
		MUST(chdir(top));
		mkdir("root", 0755);
		put("root/inside", "in");
		put("outside", "out");
		symlink("/inside", "root/abs");
		if (geteuid() == 0) {
			if (chroot("root") || chdir("/") || strcmp(get("/inside"), "in") || strcmp(get("abs"), "in") ||
			    strcmp(get("../../inside"), "in") || access("/outside", F_OK) == 0 ||
			    access("/../outside", F_OK) == 0 || !getcwd(b, sizeof b) || strcmp(b, "/"))
				say("bad %s\n", en(errno));
			if (chroot("none") == 0 || errno != ENOENT || chroot("inside") == 0 || errno != ENOTDIR)
				say("bad %s\n", en(errno));
			nobody();
		}
		R(chroot("/"));
	});
	MUST(chdir(top));
	CHILD("child's chdir is its own", chdir("/"));
	R(access("moved", F_OK));
	void *t(void *a)
	{
		chdir("moved");
		return a;
	}
	pthread_t th;
	pthread_create(&th, 0, t, 0);
	pthread_join(th, 0);
	R(access("b", F_OK));
	void *u(void *a)
	{
		unshare(CLONE_FS);
		chdir("/");
		return a;
	}
	pthread_create(&th, 0, u, 0);
	pthread_join(th, 0);
	R(access("b", F_OK));
	MUST(chdir("/"));
	return 0;
}
