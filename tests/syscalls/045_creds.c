// SPDX-License-Identifier: Apache-2.0
// User and group ids: get and set by each call, what an ordinary user may not do, exec and fork keep them.
#include "t.h"
#include <sys/fsuid.h>
static void ids(const char *what)
{
	uid_t r, e, s;
	gid_t a, b, c;
	getresuid(&r, &e, &s);
	getresgid(&a, &b, &c);
	say("%s: %d %d %d  %d %d %d\n", what, r, e, s, a, b, c);
}
static int root;
#define AS_ROOT(...)                                                                                                   \
	do {                                                                                                           \
		if (root) {                                                                                            \
			__VA_ARGS__;                                                                                   \
		}                                                                                                      \
	} while (0)
int main(void)
{
	root = geteuid() == 0;
	T(getuid() == geteuid() && getgid() == getegid());
	// What root could show is shown as an ordinary user would see it: every line is the same for both.
	CHILD("nobody", {
		nobody();
		uid_t u = getuid();
		gid_t g = getgid();
		T(u != 0);
		R(setuid(u));
		R(setgid(g));
		R(setuid(0));
		R(setgid(0));
		R(setreuid(-1, 0));
		R(setregid(0, -1));
		R(setresuid(0, -1, -1));
		R(setresgid(-1, -1, 12345));
		R(setresuid(u, u, u));
		R(setreuid(u, u));
		R(setgroups(0, 0));
		R(setuid(-1));
		R(setresuid(-1, -1, -1));
		T(setfsuid(-1) == (int)u);
		T(setfsuid(0) == (int)u && setfsuid(-1) == (int)u);
		T(setfsgid(-1) == (int)g);
		T(getuid() == u && geteuid() == u);
		R(setpriority(PRIO_PROCESS, 0, -5));
		R(setpriority(PRIO_PROCESS, 0, 5));
		R(chroot("/"));
		R(sethostname("x", 1));
		R(syscall(SYS_mount, "a", "/tmp", "tmpfs", 0, 0));
		if (root) /* else pid 1 is perhaps the user's own */
			R(kill(1, SIGKILL) < 0 && (errno == EPERM || errno == ESRCH));
		R(mknod("/tmp/husk-never", S_IFBLK, 0));
		R(getgroups(-1, 0));
		R(getresuid((void *)8, 0, 0));
		struct timespec ts = {0, 0};
		R(clock_settime(CLOCK_REALTIME, &ts));
	});
	CHILD("root's part", {
		if (root) {
			gid_t g[4] = {7, 3, 5, 3};
			gid_t back[10] = {0};
			int n;
			if (setgroups(4, g) || (n = getgroups(10, back)) != 4)
				say("setgroups\n");
			int sum = 0;
			for (int i = 0; i < 4; i++)
				sum += back[i];
			if (sum != 18)
				say("groups %d\n", sum);
			if (getgroups(2, back) != -1 || errno != EINVAL)
				say("getgroups small\n");
			// Temporarily away and back by the saved id.
			if (setresgid(100, 200, 300) || setresuid(1000, 2000, 3000))
				say("setres\n");
			if (setresuid(-1, 3000, -1) || geteuid() != 3000 || setresuid(-1, 1000, -1) || setuid(0) != -1)
				say("moves\n");
			if (setreuid(2000, -1) != -1)
				say("setreuid to an id that is neither\n");
			if (setuid(3000) || geteuid() != 3000 || getuid() != 1000)
				say("setuid of a non-root sets the effective id only\n");
			uid_t r;
			uid_t e;
			uid_t s;
			getresuid(&r, &e, &s);
			if (r != 1000 || e != 3000 || s != 3000)
				ids("unexpected");
			pid_t p = fork();
			if (!p) {
				if (geteuid() != 3000 || getegid() != 200)
					say("fork\n");
				_exit(0);
			}
			reap(p);
			p = fork();
			if (!p) {
				execl("/bin/grep", "grep", "-q", "^Uid:\t1000\t3000\t3000\t3000$", "/proc/self/status",
				      NULL);
				_exit(9);
			}
			if (reap(p))
				say("exec\n");
		}
		say("done\n");
	});
	CHILD("setuid by root sets all", {
		if (root && (setgid(7) || setuid(1000) || getuid() != 1000 || setuid(0) != -1 || errno != EPERM))
			say("bad\n");
	});
	CHILD("fsuid", {
		tmp_owner = 0;
		if (root) {
			tmp();
			chmod(".", 0777);
			setfsuid(1234);
			put("f", "");
			setfsuid(0);
			struct stat s;
			stat("f", &s);
			if (s.st_uid != 1234)
				say("file belongs to %d\n", s.st_uid);
			chdir("/");
			rm_rf(AT_FDCWD, tmp_dir);
		}
	});
	// Raw calls act on the thread alone, libc's on all.
	CHILD("threads", {
		void *t(void *a)
		{
			return (void *)(long)(a ? (long)syscall(SYS_setresuid, getuid(), getuid(), getuid())
						: (long)getuid());
		}
		pthread_t th;
		void *r;
		pthread_create(&th, 0, t, (void *)1);
		pthread_join(th, &r);
		say("%ld\n", (long)r);
	});
	CHILD("capget", {
		struct {
			unsigned v;
			int pid;
		} hd = {0x20080522, 0};
		unsigned d[6] = {0};
		R(syscall(SYS_capget, &hd, d));
		nobody();
		R(syscall(SYS_capget, &hd, d));
		say("effective %x %x\n", d[0], d[3]);
		hd.v = 1;
		R(syscall(SYS_capget, &hd, d));
		say("version %x\n", hd.v);
	});
	return 0;
}
