// SPDX-License-Identifier: Apache-2.0
// stat, lstat, fstat, fstatat, statx, statfs, chmod, chown, utimensat, access, faccessat2, umask: fields and errors.
#include "t.h"
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <linux/stat.h>
static void times_(const char *n)
{
	struct stat s;
	MUST(lstat(n, &s));
	say("%s: %ld.%09ld %ld.%09ld\n", n, s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}
static unsigned mode(const char *n)
{
	struct stat s;
	MUST(lstat(n, &s));
	return s.st_mode & 07777;
}
int main(void)
{
	struct stat s, t;
	tmp();
	put("f", "12345");
	mkdir("d", 0750);
	symlink("f", "l");
	time_t now = time(0);
	R(stat("f", &s));
	say("type %o mode %o links %d size %ld\n", s.st_mode & S_IFMT, s.st_mode & 07777, (int)s.st_nlink,
	    (long)s.st_size);
	T(s.st_uid == geteuid() && s.st_gid == getegid() && s.st_ino != 0 && s.st_blksize > 0);
	T(labs(s.st_mtime - now) < 100 && labs(s.st_ctime - now) < 100 && labs(s.st_atime - now) < 100);
	int fd = MUST(open("f", O_RDWR));
	R(fstat(fd, &t));
	T(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
	R(lstat("l", &t));
	T(S_ISLNK(t.st_mode) && t.st_size == 1 && t.st_ino != s.st_ino);
	R(fstatat(AT_FDCWD, "l", &t, 0));
	T(t.st_ino == s.st_ino);
	R(fstatat(fd, "", &t, AT_EMPTY_PATH));
	T(t.st_ino == s.st_ino);
	R(fstatat(fd, "", &t, 0));
	R(fstatat(AT_FDCWD, "f", &t, 0x8000));
	R(stat("none", &t));
	R(stat("f/x", &t));
	R(stat("", &t));
	R(fstat(99, &t));
	R(syscall(SYS_stat, "f", 8));
	R(syscall(SYS_stat, 8, &t));
	MUST(stat("/dev/null", &t));
	say("chr %d %u %u\n", S_ISCHR(t.st_mode), major(t.st_rdev), minor(t.st_rdev));
	MUST(stat(".", &s));
	MUST(stat("d/..", &t));
	T(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
	// statx.
	struct statx x;
	memset(&x, 0xff, sizeof x);
	R(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
	MUST(stat("f", &s));
	T((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS && x.stx_ino == s.st_ino && x.stx_size == 5 &&
	  x.stx_mode == s.st_mode);
	T(x.stx_mtime.tv_sec == s.st_mtim.tv_sec && x.stx_mtime.tv_nsec == (unsigned)s.st_mtim.tv_nsec &&
	  x.stx_nlink == 1);
	T(makedev(x.stx_dev_major, x.stx_dev_minor) == s.st_dev);
	R(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &x));
	R(syscall(SYS_statx, AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	T(S_ISLNK(x.stx_mode));
	R(syscall(SYS_statx, AT_FDCWD, "none", 0, STATX_SIZE, &x));
	R(syscall(SYS_statx, AT_FDCWD, "f", 0x10, STATX_SIZE, &x));
	R(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000u, &x));
	R(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_SIZE, 8));
	// chmod.
	R(chmod("f", 07777));
	R(chmod("f", 0123));
	say("%o\n", mode("f"));
	R(fchmod(fd, 0644));
	R(chmod("l", 0600));
	say("%o\n", mode("f"));
	R(chmod("none", 0600));
	R(fchmodat(AT_FDCWD, "d", 01777, 0));
	say("%o\n", mode("d"));
	R(fchmod(99, 0));
	// Writing takes the set-id bits away from an ordinary user's file.
	CHILD("set-id bits", {
		chmod(".", 0777);
		nobody();
		int g = MUST(open("sid", O_RDWR | O_CREAT, 0777));
		fchmod(g, 06777);
		say("%o ", mode("sid"));
		write(g, "x", 1);
		say("%o\n", mode("sid"));
		R(chown("sid", 0, -1));
		R(chown("sid", -1, getegid()));
		R(chown("sid", -1, -1));
		R(chmod("/", 0777));
	});
	R(chown("f", geteuid(), getegid()));
	R(lchown("l", -1, -1));
	R(fchown(fd, -1, -1));
	R(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
	R(chown("none", -1, -1));
	// Times.
	struct timespec ts[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
	R(utimensat(AT_FDCWD, "f", ts, 0));
	times_("f");
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1] = (struct timespec){5, 0};
	R(utimensat(AT_FDCWD, "f", ts, 0));
	times_("f");
	R(futimens(fd, (struct timespec[]){{77, 1}, {88, 2}}));
	times_("f");
	R(utimensat(AT_FDCWD, "l", (struct timespec[]){{7, 0}, {8, 0}}, AT_SYMLINK_NOFOLLOW));
	times_("l");
	times_("f");
	R(utimensat(AT_FDCWD, "f", 0, 0));
	MUST(stat("f", &s));
	T(labs(s.st_mtime - now) < 100);
	ts[0].tv_nsec = 1000000000;
	R(utimensat(AT_FDCWD, "f", ts, 0));
	R(utimensat(AT_FDCWD, "none", 0, 0));
	R(utimes("f", (struct timeval[]){{11, 500000}, {12, 0}}));
	times_("f");
	R(utimensat(AT_FDCWD, "f", (struct timespec[]){{-5, 0}, {-6, 0}}, 0));
	times_("f");
	// What changes which time.
	utimensat(AT_FDCWD, "f", (struct timespec[]){{77, 0}, {88, 0}}, 0);
	MUST(stat("f", &s));
	chmod("f", 0600);
	MUST(stat("f", &t));
	T(t.st_mtime == 88 && t.st_ctime >= s.st_ctime);
	write(fd, "x", 1);
	MUST(stat("f", &t));
	T(t.st_mtime != 88);
	utimensat(AT_FDCWD, "d", (struct timespec[]){{77, 0}, {88, 0}}, 0);
	put("d/new", "");
	MUST(stat("d", &t));
	T(t.st_mtime != 88);
	// access.
	R(access("f", R_OK | W_OK));
	R(access("f", X_OK));
	R(access("d", X_OK));
	R(access("none", F_OK));
	R(access("f", 0x10));
	R(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	R(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS));
	R(syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH));
	R(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0x8000));
	// umask.
	R(umask(077));
	put("um", "");
	mkdir("umd", 0777);
	say("%o %o\n", mode("um"), mode("umd"));
	umask(0);
	int g = open("um2", O_CREAT | O_WRONLY, 0666);
	close(g);
	mkdir("umd2", 01777);
	say("%o %o\n", mode("um2"), mode("umd2"));
	R(umask(022));
	CHILD("umask inherited", R(umask(0)));
	struct statfs sf;
	R(statfs(".", &sf));
	T(sf.f_bsize > 0 && sf.f_blocks >= sf.f_bfree && sf.f_namelen >= 255);
	R(fstatfs(fd, &sf));
	R(statfs("none", &sf));
	MUST(statfs("/proc", &sf));
	say("proc magic %lx\n", (long)sf.f_type);
	return 0;
}
