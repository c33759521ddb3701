// SPDX-License-Identifier: Apache-2.0
// Permission checks for an ordinary user: owner, group, other; directories; sticky; what root may.
#include "t.h"
static void as(uid_t u, gid_t g, int ng, gid_t *gs)
{
	MUST(setgroups(ng, gs));
	MUST(setresgid(g, g, g));
	MUST(setresuid(u, u, u));
}
int main(void)
{
	tmp();
	// An ordinary user's own files: the owner's bits count, even where the others allow more.
	CHILD("own", {
		chmod(".", 0777);
		nobody();
		mkdir("mine", 0755);
		chdir("mine");
		put("f", "x");
		chmod("f", 0077);
		O(open("f", O_RDONLY));
		O(open("f", O_WRONLY));
		R(access("f", R_OK));
		chmod("f", 0400);
		O(open("f", O_RDONLY));
		O(open("f", O_RDWR));
		O(open("f", O_RDONLY | O_TRUNC));
		chmod("f", 0200);
		O(open("f", O_RDONLY));
		O(open("f", O_WRONLY));
		mkdir("d", 0700);
		put("d/in", "x");
		chmod("d", 0600);
		O(open("d/in", O_RDONLY));
		O(open("d", O_RDONLY));
		R(access("d/in", F_OK));
		R(chdir("d"));
		R(unlink("d/in"));
		R(mkdir("d/new", 0700));
		chmod("d", 0300);
		O(open("d", O_RDONLY));
		O(open("d/in", O_RDONLY));
		O(open("d/new", O_RDWR | O_CREAT, 0600));
		R(rename("d/new", "d/new2"));
		chmod("d", 0500);
		O(open("d/in", O_RDONLY));
		O(open("d/new3", O_RDWR | O_CREAT, 0600));
		R(unlink("d/in"));
		R(rename("d/in", "x"));
		R(rename("f", "d/f"));
		R(symlink("x", "d/s"));
		R(link("f", "d/l"));
		chmod("d", 0700);
		rm_rf(AT_FDCWD, "d");
		rm_rf(AT_FDCWD, "f");
		O(open("/etc/shadow", O_RDWR));
		O(open("/etc/newfile", O_RDWR | O_CREAT, 0600));
		R(mkdir("/newdir", 0700));
		R(unlink("/etc/passwd"));
		R(rename("/etc/passwd", "/etc/passwd2"));
		R(chmod("/etc/passwd", 0777));
		R(utimensat(AT_FDCWD, "/etc/passwd", 0, 0));
		R(truncate("/etc/passwd", 0));
		R(kill(getppid(), 0) == 0 || errno == EPERM);
	});
	CHILD("by ids", {
		static const char *want = "user: R-\nowner's group: RW\nsupplementary group: RW\nother: --\n"
					  "sticky: EACCES or EPERM\nown in sticky: 0\nroot reads all: 0\n";
		if (geteuid() != 0) {
			say("%s", want);
			_exit(0);
		}
		char res[500] = "";
		char line[80];
		chmod(".", 0777);
		put("f", "x");
		MUST(chown("f", 1001, 2001));
		MUST(chmod("f", 0460));
		mkdir("sticky", 0777);
		chmod("sticky", 01777);
		put("sticky/root", "");
		int p[2];
		MUST(pipe(p));
		struct {
			const char *n;
			uid_t u;
			gid_t g;
			int ng;
			gid_t gs[2];
		} who[] = {{"user", 1001, 2001, 0, {0}},
			   {"owner's group", 1002, 2001, 0, {0}},
			   {"supplementary group", 1002, 2002, 2, {5, 2001}},
			   {"other", 1002, 2002, 1, {5}}};
		for (int i = 0; i < 4; i++) {
			pid_t k = MUST(fork());
			if (!k) {
				as(who[i].u, who[i].g, who[i].ng, who[i].gs);
				int r = open("f", O_RDONLY) >= 0;
				int w = open("f", O_WRONLY) >= 0;
				_exit(r * 2 + w);
			}
			int v = WEXITSTATUS(reap(k));
			snprintf(line, sizeof line, "%s: %s%s\n", who[i].n, v & 2 ? "R" : "-", v & 1 ? "W" : "-");
			strcat(res, line);
		}
		pid_t k = MUST(fork());
		if (!k) {
			as(1003, 1003, 0, 0);
			_exit(unlink("sticky/root") && (errno == EACCES || errno == EPERM) ? 0 : 1);
		}
		strcat(res, reap(k) ? "sticky: removed\n" : "sticky: EACCES or EPERM\n");
		k = MUST(fork());
		if (!k) {
			as(1003, 1003, 0, 0);
			put("sticky/mine", "");
			_exit(unlink("sticky/mine"));
		}
		snprintf(line, sizeof line, "own in sticky: %d\n", WEXITSTATUS(reap(k)));
		strcat(res, line);
		chmod("f", 0);
		int r = open("f", O_RDWR);
		snprintf(line, sizeof line, "root reads all: %d\n", r < 0 ? errno : 0);
		strcat(res, line);
		say("%s", res);
	});
	// set-group-id directories pass their group on.
	CHILD("setgid directory", {
		mkdir("sg", 0755);
		if (geteuid() == 0)
			chown("sg", 0, 4242);
		chmod("sg", 02755);
		struct stat d;
		struct stat f;
		stat("sg", &d);
		put("sg/f", "");
		mkdir("sg/d", 0755);
		stat("sg/f", &f);
		T(f.st_gid == d.st_gid);
		stat("sg/d", &f);
		T(f.st_gid == d.st_gid && (f.st_mode & 02000));
	});
	return 0;
}
