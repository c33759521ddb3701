// SPDX-License-Identifier: Apache-2.0
// The jail as the monitor sees it: what this machine can do, starting it, ending it. The child's side is jail_child.c.

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sandbox.h"

#define HWCAP2_FSGSBASE_ 2u

static bool have_pkeys(void)
{
	int k = syscall(SYS_pkey_alloc, 0, 0);

	if (k < 0)
		return false;
	syscall(SYS_pkey_free, k);
	return true;
}

/*
 * Advanced Performance Extensions: a REX2 prefix stands for the byte that the scan for forbidden instructions begins with (arch/x86/scan.c), so where the
 * host switched them on (bit 19 of XCR0) it does not find all of them.
 */
static bool have_apx(void)
{
	unsigned a, b, c, d, lo, hi;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return false;
	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo & 1u << 19;
}

bool host_at_least(int major, int minor)
{
	struct utsname u;
	int a = 0, b = 0;

	uname(&u);
	sscanf(u.release, "%d.%d", &a, &b);
	return a > major || (a == major && b >= minor);
}

int platform_choose(enum platform_kind *p, struct err *e)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_))
		return err_set(e, 125,
			       "this machine lacks FSGSBASE, which every platform needs (host kernel 5.9 or newer "
			       "on an x86-64 processor of 2012 or newer)");
	if (*p == PLATFORM_SKAS)
		return err_set(e, 125,
			       "the skas platform is not built yet; use --platform=pku, or none for development");
	if (*p == PLATFORM_NONE)
		return 0;
	if (!have_pkeys())
		return err_set(e, 125,
			       "this machine has no memory protection keys, which the pku platform needs; "
			       "--platform=none runs without the first wall (development only)");
	if (have_apx())
		return err_set(
			e, 125,
			"this machine has APX, with instructions that the pku platform cannot keep programs from yet; "
			"--platform=none runs without the first wall (development only)");
	if (!host_at_least(6, 12))
		return err_set(e, 125,
			       "the host kernel is older than 6.12 and cannot deliver signals to a protected stack, "
			       "which the pku platform needs; --platform=none runs without the first wall "
			       "(development only)");
	*p = PLATFORM_PKU;
	return 0;
}

static void find_vdso(struct hostif_boot *b)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	uint64_t s, e;

	if (!f) /* no /proc: what cannot be kept is not used */
		return;
	b->vdso = getauxval(AT_SYSINFO_EHDR);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx", &s, &e) != 2)
			continue;
		if (strstr(line, "[vvar") && !b->vdso_start)
			b->vdso_start = s;
		if (strstr(line, "[vdso]"))
			b->vdso_end = e;
	}
	fclose(f);
	if (!b->vdso_start || !b->vdso_end)
		b->vdso = 0;
}

/**
 * DOC: who the jail is
 *
 * Root's jail is not root: it becomes a user and a group that no account has, and no other sandbox. So the host bounds its tasks (it never does
 * root's), and where a namespace is refused it still can neither signal nor trace anybody. A user who is not root may be nobody
 * else, and stays who he is.
 */
#define JAIL_ID_BASE 0x80000000u /* above what distributions, containers and networks give out */
#define JAIL_IDS 0x40000000u

static bool have_caps(uint64_t want)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	return !syscall(SYS_capget, &h, d) && ((d[0].effective | (uint64_t)d[1].effective << 32) & want) == want;
}

static bool map_id(pid_t pid, const char *which, uint32_t id)
{
	char path[64], text[32];
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = snprintf(text, sizeof(text), "0 %u 1", id);
	n = write(fd, text, n) == n;
	close(fd);
	return n;
}

static void name_jail(struct jail *j)
{
	const uint64_t caps = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID | 1ULL << CAP_KILL;
	uint32_t id = 0;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		id = j->pid;
	id = JAIL_ID_BASE + id % JAIL_IDS;
	if (!geteuid() && have_caps(caps) &&
	    (j->missing & JAIL_NO_USERNS || (map_id(j->pid, "gid_map", id) && map_id(j->pid, "uid_map", id)))) {
		j->order->id = id;
		j->renamed = true;
	}
	__atomic_store_n(&j->order->named, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &j->order->named, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/**
 * jail_prepare - start the jail's first process, which builds its walls while the monitor goes on
 * RAM must be there, though empty; jail_start() follows. The process dies with the monitor.
 */
int jail_prepare(struct jail *j, struct ram *r, struct err *e)
{
	static const struct {
		unsigned long flags;
		unsigned missing;
	} tries[] = {
		{CLONE_NEWUSER | CLONE_NEWPID, 0},
		{CLONE_NEWPID, JAIL_NO_USERNS},
		{0, JAIL_NO_USERNS | JAIL_NO_PIDNS},
	};
	int monitor = syscall(SYS_pidfd_open, getpid(), 0);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	long pid = -1;

	j->scoped = jail_can_scope_signals();

	j->order = mmap(NULL, sizeof(*j->order), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (j->order == MAP_FAILED)
		return err_set(e, 125, "cannot start the jail: %s", strerror(errno));
	for (unsigned i = 0; i < sizeof(tries) / sizeof(*tries) && pid < 0; i++) {
		j->missing = tries[i].missing;
		if (j->missing & JAIL_NO_PIDNS)
			prctl(PR_SET_CHILD_SUBREAPER, 1);
		pid = syscall(SYS_clone, tries[i].flags | SIGCHLD, 0, 0, 0, 0);
		if (pid < 0 && errno != EPERM && errno != EINVAL && errno != ENOSPC && errno != EUSERS)
			break;
	}
	if (pid < 0)
		return err_set(e, 125, "cannot start the jail: clone: %s%s", strerror(errno),
			       errno == EAGAIN ? "; see ulimit -u" : "");
	if (!pid)
		jail_main(j, r->fd, r->base, monitor, uid, gid);
	if (monitor >= 0)
		close(monitor);
	j->pid = pid;
	name_jail(j);
	return 0;
}

/* jail_start: the boot page is complete and the image loaded: off it goes */
void jail_start(struct jail *j, struct ram *r, enum platform_kind platform)
{
	struct hostif_boot *b = ram_boot(r);

	find_vdso(b);
	b->platform = platform == PLATFORM_PKU;
	b->features = (j->missing & JAIL_NO_PIDNS ? 0 : HOSTIF_F_PIDNS) | (r->huge ? HOSTIF_F_HUGE : 0) |
		      (j->scoped ? HOSTIF_F_SIGSCOPE : 0);
	j->order->ram = *r;
	j->order->platform = platform;
	__atomic_store_n(&j->order->go, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &j->order->go, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/*
 * Without a pid namespace the jail's orphans come to the monitor, which made itself their reaper. They are all of one process group, which they
 * have no call to leave: one signal ends them, however fast they multiply.
 */
static void kill_orphans(pid_t group)
{
	char path[64], text[4096], *p, *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	kill(-group, SIGKILL);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		if (n <= 0)
			break;
		text[n] = 0;
		for (p = text; *p; p = end) {
			long pid = strtol(p, &end, 10);

			if (end == p)
				break;
			if (pid > 1)
				kill(pid, SIGKILL);
		}
		if (waitpid(-1, NULL, 0) < 0)
			break;
	}
}

void jail_kill(struct jail *j)
{
	if (j->pid <= 0)
		return;
	kill(j->pid, SIGKILL);
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (j->missing & JAIL_NO_PIDNS)
		kill_orphans(j->pid);
	j->pid = -1;
}
