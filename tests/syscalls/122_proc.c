// SPDX-License-Identifier: Apache-2.0
// /proc: what programs read of themselves and the system.
#include "t.h"
static const char *field(const char *file, const char *name)
{
	static char b[300];
	char *t = get(file), *p = t;
	size_t n = strlen(name);
	while (p && (strncmp(p, name, n) || p[n] != ':'))
		if ((p = strchr(p, '\n')))
			p++;
	if (!p)
		return "(missing)";
	sscanf(p + n + 1, " %299[^\n]", b);
	return b;
}
static void *thread(void *a)
{
	char p[100], b[10];
	snprintf(p, sizeof p, "/proc/self/task/%d/stat", my_tid());
	T(atoi(get(p)) == my_tid());
	ssize_t n = readlink("/proc/thread-self", p, sizeof p - 1);
	p[n > 0 ? n : 0] = 0;
	int x = 0, y = 0;
	sscanf(p, "%d/task/%d", &x, &y);
	T(x == getpid() && y == my_tid());
	(void)b;
	return a;
}
int main(void)
{
	char b[4096], c[4096];
	ssize_t n = readlink("/proc/self", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(atoi(b) == getpid());
	n = readlink("/proc/self/exe", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(strstr(b, "122_proc") && b[0] == '/');
	struct stat s, t;
	T(stat("/proc/self/exe", &s) == 0 && stat(b, &t) == 0 && s.st_ino == t.st_ino);
	n = readlink("/proc/self/cwd", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(!strcmp(b, getcwd(c, sizeof c)));
	n = readlink("/proc/self/root", b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	say("root %s\n", b);
	// cmdline, environ, comm.
	int fd = MUST(open("/proc/self/cmdline", O_RDONLY));
	n = read(fd, b, sizeof b);
	T(n > 8 && b[n - 1] == 0 && strstr(b, "122_proc"));
	fd = MUST(open("/proc/self/environ", O_RDONLY));
	n = read(fd, b, sizeof b);
	int found = 0;
	for (char *p = b; p < b + n; p += strlen(p) + 1)
		found += !strcmp(p, "LANG=C.UTF-8");
	say("environ %d\n", found);
	say("comm %s", get("/proc/self/comm"));
	CHILD("cmdline of a program",
	      execl("/bin/sh", "name", "-c", "tr '\\0' ' ' < /proc/$$/cmdline; echo", "a b", "", "c", NULL));
	// stat.
	int pid, ppid, pgrp, sid;
	char state, *q = strrchr(get("/proc/self/stat"), ')');
	T(q && sscanf(q + 2, "%c %d %d %d", &state, &ppid, &pgrp, &sid) == 4 && state == 'R' && ppid == getppid() &&
	  pgrp == getpgrp() && sid == getsid(0));
	int fields = 2;
	for (char *p = q + 1; *p; p++)
		fields += *p == ' ';
	say("fields %d\n", fields);
	(void)pid;
	// status.
	T(!strcmp(field("/proc/self/status", "Name"), "122_proc"));
	T(atoi(field("/proc/self/status", "Pid")) == getpid());
	T(atoi(field("/proc/self/status", "Tgid")) == getpid());
	T(atoi(field("/proc/self/status", "PPid")) == getppid());
	say("Threads %s\n", field("/proc/self/status", "Threads"));
	say("State %s\n", field("/proc/self/status", "State"));
	T(atol(field("/proc/self/status", "VmRSS")) > 100);
	T(atol(field("/proc/self/status", "VmSize")) > 1000);
	T(atol(field("/proc/self/status", "VmPeak")) > 1000);
	unsigned u[4];
	T(sscanf(field("/proc/self/status", "Uid"), "%u %u %u %u", u, u + 1, u + 2, u + 3) == 4 && u[0] == getuid() &&
	  u[1] == geteuid());
	block(SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	say("SigPnd %s SigBlk ", field("/proc/self/status", "SigPnd"));
	say("%s SigIgn ", field("/proc/self/status", "SigBlk"));
	say("%s\n", field("/proc/self/status", "SigIgn"));
	// fd.
	tmp();
	put("f", "0123456789");
	int f = MUST(open("f", O_RDONLY | O_CLOEXEC)), p[2];
	MUST(pipe(p));
	MUST(lseek(f, 4, SEEK_SET));
	snprintf(c, sizeof c, "/proc/self/fd/%d", f);
	n = readlink(c, b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(!strncmp(b, tmp_dir, strlen(tmp_dir)) && !strcmp(b + strlen(tmp_dir), "/f"));
	unlink("f");
	n = readlink(c, b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(!strcmp(b + strlen(tmp_dir), "/f (deleted)"));
	int again = open(c, O_RDONLY);
	T(again >= 0 && read(again, b, 3) == 3 && !memcmp(b, "012", 3));
	snprintf(c, sizeof c, "/proc/self/fd/%d", p[0]);
	n = readlink(c, b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(!strncmp(b, "pipe:[", 6));
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(c, sizeof c, "/proc/self/fd/%d", sock);
	n = readlink(c, b, sizeof b);
	b[n > 0 ? n : 0] = 0;
	T(!strncmp(b, "socket:[", 8));
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int count = 0, have = 0;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			count++;
			have += atoi(e->d_name) == f || atoi(e->d_name) == p[0] || atoi(e->d_name) == 1;
		}
	closedir(d);
	T(have == 3 && count > 6);
	snprintf(c, sizeof c, "/proc/self/fdinfo/%d", f);
	say("pos %s flags ", field(c, "pos"));
	say("%s\n", field(c, "flags"));
	// Other processes.
	pid_t k = MUST(fork());
	if (!k)
		for (;;)
			pause();
	settle(k);
	snprintf(c, sizeof c, "/proc/%d/status", k);
	say("child: %s\n", field(c, "State"));
	T(atoi(field(c, "PPid")) == getpid());
	kill(k, SIGSTOP);
	waitpid(k, 0, WUNTRACED);
	say("child: %s\n", field(c, "State"));
	kill(k, SIGKILL);
	siginfo_t si;
	waitid(P_PID, k, &si, WEXITED | WNOWAIT);
	say("child: %s\n", field(c, "State"));
	int keep = open(c, O_RDONLY);
	reap(k);
	R(stat(c, &s));
	R(read(keep, b, 100));
	O(open("/proc/4194304/stat", O_RDONLY));
	d = opendir("/proc");
	found = 0;
	while ((e = readdir(d)))
		found += atoi(e->d_name) == getpid();
	closedir(d);
	say("listed %d\n", found);
	pthread_t th;
	pthread_create(&th, 0, thread, 0);
	pthread_join(th, 0);
	// mounts, system-wide files.
	T(strstr(get("/proc/self/mounts"), " / ") != NULL);
	T(strstr(get("/proc/self/mountinfo"), " / / ") != NULL);
	T(strstr(get("/proc/mounts"), "proc") != NULL);
	T(atol(field("/proc/meminfo", "MemTotal")) > 10000);
	T(atol(field("/proc/meminfo", "MemFree")) > 0 && atol(field("/proc/meminfo", "MemAvailable")) > 0);
	int cpus = 0;
	char *txt = get("/proc/cpuinfo");
	for (char *x = txt; (x = strstr(x, "processor\t:")); x++)
		cpus++;
	T(cpus >= 1 && strstr(txt, "flags"));
	txt = get("/proc/stat");
	T(!strncmp(txt, "cpu ", 4) && strstr(txt, "btime "));
	T(strtod(get("/proc/uptime"), 0) >= 0);
	T(strchr(get("/proc/loadavg"), '/') != NULL);
	T(!strncmp(get("/proc/version"), "Linux version ", 14));
	T(strstr(get("/proc/filesystems"), "tmpfs") != NULL);
	T(atoi(get("/proc/sys/kernel/pid_max")) >= 1000);
	T(!strcmp(get("/proc/sys/kernel/ostype"), "Linux\n"));
	T(atoi(get("/proc/sys/fs/pipe-max-size")) >= 65536);
	T(strlen(get("/proc/sys/kernel/random/boot_id")) == 37);
	strcpy(c, get("/proc/sys/kernel/random/uuid"));
	T(strlen(c) == 37 && strcmp(c, get("/proc/sys/kernel/random/uuid")) != 0);
	T(strstr(get("/proc/self/limits"), "Max open files") != NULL);
	T(strlen(get("/proc/self/cgroup")) >= 0);
	// oom, auxv, mem.
	fd = open("/proc/self/auxv", O_RDONLY);
	T(fd >= 0 && read(fd, b, sizeof b) >= 200);
	static volatile int var = 12345;
	int val = 0;
	fd = open("/proc/self/mem", O_RDONLY);
	T(fd >= 0 && pread(fd, &val, 4, (off_t)(uintptr_t)&var) == 4 && val == 12345);
	R(pread(fd, &val, 4, 8));
	// Writing where one may not.
	O(open("/proc/new", O_RDWR | O_CREAT, 0600));
	R(mkdir("/proc/self/x", 0700));
	R(unlink("/proc/self/stat") == -1);
	return 0;
}
