// SPDX-License-Identifier: Apache-2.0
// sendfile and splice from /proc and /sys, copy_file_range between file systems, the setgid bit of new files of others' groups, uptime.
#include "t.h"
#include <sys/sendfile.h>
#include <sys/sysinfo.h>

static void from(const char *name)
{
	char a[64] = {}, b[64] = {}, c[64] = {};
	int fd = MUST(open(name, O_RDONLY)), p[2];
	off_t at = 3;

	MUST(pipe(p));
	T(pread(fd, a, 10, 0) > 0);
	T(splice(fd, NULL, p[1], NULL, 10, 0) == (ssize_t)strlen(a));
	T(read(p[0], b, sizeof b) > 0 && !strcmp(a, b));
	lseek(fd, 0, SEEK_SET);
	T(sendfile(p[1], fd, &at, 3) >= 0 && at >= 3 && lseek(fd, 0, SEEK_CUR) == 0);
	read(p[0], c, at - 3);
	T(!strncmp(a + 3, c, at - 3));
	close(fd);
	close(p[0]);
	close(p[1]);
}
static const char *created(int fd, const char *name)
{
	static char b[32];
	struct stat s;

	if (fd >= 0)
		close(fd);
	MUST(stat(name, &s));
	snprintf(b, sizeof b, "%o", s.st_mode);
	unlink(name);
	return b;
}
int main(void)
{
	struct sysinfo si;
	long up;

	tmp();
	from("/proc/cpuinfo");
	from("/proc/self/mounts");
	from("/proc/sys/kernel/pid_max");
	from("/sys/devices/system/cpu/online");

	int in = MUST(open("/proc/cpuinfo", O_RDONLY)), out = MUST(open("f", O_RDWR | O_CREAT, 0600)), same;
	R(copy_file_range(in, NULL, out, NULL, 10, 0)); // no file system knows both
	put("g", "0123456789");
	same = MUST(open("g", O_RDONLY));
	R(copy_file_range(same, NULL, out, NULL, 10, 0));
	say("%s\n", get("f"));
	close(in);

	// A directory of a group that the creator is not in: no setgid program comes to be there, whatever the umask takes.
	if (!geteuid()) {
		MUST(mkdir("d", 0777));
		MUST(chown("d", 0, 12345));
		MUST(chmod("d", 02777));
		MUST(chdir("d"));
		CHILD("setgid", {
			nobody();
			for (int mask = 0; mask <= 010; mask += 8) {
				umask(mask);
				say("%s\n", created(creat("x", 02777), "x"));
				say("%s\n", created(creat("x", 02767), "x"));
				mknod("x", S_IFREG | 02777, 0);
				say("%s\n", created(-1, "x"));
				mkdir("x", 02777);
				struct stat s;
				stat("x", &s);
				say("%o\n", s.st_mode);
				rmdir("x");
			}
		});
		MUST(chdir(".."));
	}
	// A setting through a pipe: the one that it has.
	if (!geteuid()) {
		char v[32];
		int p[2], n;
		strcpy(v, get("/proc/sys/kernel/msgmax"));
		MUST(pipe(p));
		n = MUST(write(p[1], v, strlen(v)));
		in = MUST(open("/proc/sys/kernel/msgmax", O_WRONLY));
		T(splice(p[0], NULL, in, NULL, 100, 0) == n);
		T(!strcmp(v, get("/proc/sys/kernel/msgmax")));
	}
	MUST(sysinfo(&si));
	sscanf(get("/proc/uptime"), "%ld", &up);
	T(si.uptime - up >= -1 && si.uptime - up <= 2);
}
