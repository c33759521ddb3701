// SPDX-License-Identifier: Apache-2.0
// uname, sysinfo, getrandom, times, getrusage, clock ticks, hostname: sane values.
#include "t.h"
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>
int main(void)
{
	struct utsname u;
	R(uname(&u));
	say("%s %s\n", u.sysname, u.machine);
	int a = 0, b = 0;
	T(sscanf(u.release, "%d.%d", &a, &b) == 2 && a >= 5);
	T(strlen(u.nodename) > 0 && strlen(u.version) > 0);
	char h[100];
	T(gethostname(h, sizeof h) == 0 && !strcmp(h, u.nodename));
	R(syscall(SYS_uname, 8));
	struct sysinfo s;
	R(sysinfo(&s));
	T(s.uptime >= 0 && s.procs >= 1 && s.mem_unit >= 1);
	T(s.totalram > s.freeram && s.freeram > 0);
	T((unsigned long)sysconf(_SC_PHYS_PAGES) * 4096 <= s.totalram * s.mem_unit + 4096);
	unsigned char r[300], z[300];
	R(getrandom(r, 256, 0));
	R(getrandom(z, 256, GRND_NONBLOCK));
	T(memcmp(r, z, 256) != 0);
	R(getrandom(r, 300, GRND_RANDOM) > 0);
	R(getrandom(r, 0, 0));
	R(getrandom(r, 10, 0x100));
	R(getrandom((void *)8, 10, 0));
	R(syscall(SYS_getrandom, r, 10, GRND_RANDOM | 4));
	int seen[256] = {0}, kinds = 0;
	for (int i = 0; i < 20; i++) {
		getrandom(r, 256, 0);
		for (int j = 0; j < 256; j++)
			kinds += !seen[r[j]]++;
	}
	T(kinds > 250);
	struct tms t;
	clock_t c = times(&t);
	T(c != -1 && t.tms_utime >= 0 && t.tms_cutime >= 0);
	// CPU time grows while it is used.
	struct rusage ru, rv;
	R(getrusage(RUSAGE_SELF, &ru));
	long long w = now_ns();
	do
		getrusage(RUSAGE_SELF, &rv);
	while (now_ns() - w < 60000000000LL && (rv.ru_utime.tv_sec * 1000000 + rv.ru_utime.tv_usec +
						rv.ru_stime.tv_sec * 1000000 + rv.ru_stime.tv_usec) -
							       (ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec +
								ru.ru_stime.tv_sec * 1000000 + ru.ru_stime.tv_usec) <
						       30000);
	T(now_ns() - w < 60000000000LL);
	T(rv.ru_maxrss > 500 && rv.ru_minflt > 0);
	CHILD("burner", {
		clock_t e = clock();
		while (clock() - e < 50000)
			;
	});
	getrusage(RUSAGE_CHILDREN, &ru);
	T(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec + ru.ru_utime.tv_sec * 1000000 + ru.ru_stime.tv_sec * 1000000 >=
	  40000);
	times(&t);
	T(t.tms_cutime + t.tms_cstime >= 4);
	R(getrusage(RUSAGE_THREAD, &ru));
	R(getrusage(99, &ru));
	R(getrusage(RUSAGE_SELF, (void *)8));
	// wait4 gives the child's use.
	pid_t p = MUST(fork());
	if (!p) {
		clock_t e = clock();
		while (clock() - e < 30000)
			;
		_exit(0);
	}
	int st_;
	MUST(wait4(p, &st_, 0, &ru));
	T(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec + ru.ru_utime.tv_sec * 1000000 >= 20000);
	say("page size %ld ticks %ld\n", sysconf(_SC_PAGESIZE), sysconf(_SC_CLK_TCK));
	double la[3];
	T(getloadavg(la, 3) == 3);
	return 0;
}
