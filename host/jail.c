// SPDX-License-Identifier: Apache-2.0
// The jail: the first host process of a sandbox, stripped of everything but RAM, entering the kernel.

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/rseq.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sandbox.h"

#define PKRU_KERNEL 0x55555550u
#define HWCAP2_FSGSBASE_ 2u

static bool have_pkeys(void)
{
	int k = syscall(SYS_pkey_alloc, 0, 0);

	if (k < 0)
		return false;
	syscall(SYS_pkey_free, k);
	return true;
}

static bool host_at_least(int major, int minor)
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
		return err_set(e, 125, "this machine lacks FSGSBASE, which every platform needs (host kernel 5.9 or newer "
				       "on an x86-64 processor of 2012 or newer)");
	if (*p == PLATFORM_SKAS)
		return err_set(e, 125, "the skas platform is not built yet; use --platform=pku, or none for development");
	if (*p == PLATFORM_NONE)
		return 0;
	if (!have_pkeys())
		return err_set(e, 125, "this machine has no memory protection keys, which the pku platform needs; "
				       "--platform=none runs without the first wall (development only)");
	if (!host_at_least(6, 12))
		return err_set(e, 125, "the host kernel is older than 6.12 and cannot deliver signals to a protected stack, "
				       "which the pku platform needs; --platform=none runs without the first wall "
				       "(development only)");
	*p = PLATFORM_PKU;
	return 0;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = write(fd, text, strlen(text));

		(void)n; /* the wall that needed it reports itself */
		close(fd);
	}
}

static void map_ids(uid_t uid, gid_t gid)
{
	char buf[64];

	write_file("/proc/self/setgroups", "deny");
	snprintf(buf, sizeof(buf), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", buf);
	snprintf(buf, sizeof(buf), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", buf);
}

/* An empty, read-only root. 0, or -1 where the host refuses. */
static int empty_root(void)
{
	static const char *const dirs[] = {"/tmp", "/proc", "/dev", "/mnt"};

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	for (unsigned i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (mount("none", dirs[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0"))
			continue;
		if (chdir(dirs[i]) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
			return -1;
		return 0;
	}
	return -1;
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {{0}};

	for (int c = 0; c <= 63; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0))
			break;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	syscall(SYS_capset, &h, d);
}

static __attribute__((noreturn)) void jail_fail(const char *what)
{
	/* the monitor sees the status; the message reaches its stderr while that is still open */
	dprintf(2, "husk: cannot build the jail: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void map_window(struct ram *r, enum platform_kind platform)
{
	int key = 0;

	if (platform == PLATFORM_PKU) {
		key = syscall(SYS_pkey_alloc, 0, 0);
		if (key != 1)
			jail_fail("protection key 1 is taken");
	}
	for (int i = 0; i < r->nseg; i++) {
		if (mmap((void *)r->seg[i].vaddr, r->seg[i].memsz, r->seg[i].prot, MAP_SHARED | MAP_FIXED_NOREPLACE,
			 HOSTIF_RAM_FD, r->seg[i].off) != (void *)r->seg[i].vaddr)
			jail_fail("mapping the kernel image");
		if (key && syscall(SYS_pkey_mprotect, r->seg[i].vaddr, r->seg[i].memsz, r->seg[i].prot, key))
			jail_fail("protecting the kernel image");
	}
	if (mmap((void *)DIRECT_MAP_ADDR, r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE,
		 HOSTIF_RAM_FD, 0) != (void *)DIRECT_MAP_ADDR)
		jail_fail("mapping RAM");
	if (key && syscall(SYS_pkey_mprotect, DIRECT_MAP_ADDR, r->size, PROT_READ | PROT_WRITE, key))
		jail_fail("protecting RAM");
}

static void forget_libc(void)
{
	void *rseq = (char *)__builtin_thread_pointer() + __rseq_offset;

	syscall(SYS_rseq, rseq, __rseq_size < 32 ? 32 : __rseq_size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	syscall(SYS_set_robust_list, NULL, 24);
	syscall(SYS_set_tid_address, NULL);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < 65; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* every descriptor but RAM; close_range is as old as FSGSBASE in the host, and so always there */
static void close_descriptors(void)
{
	syscall(SYS_close_range, 0, HOSTIF_RAM_FD - 1, 0);
	syscall(SYS_close_range, HOSTIF_RAM_FD + 1, ~0U, 0);
}

static __attribute__((noreturn)) void enter_kernel(uint64_t entry, uint64_t boot, enum platform_kind platform)
{
	if (platform == PLATFORM_PKU)
		__asm__ volatile("wrpkru" ::"a"(PKRU_KERNEL), "c"(0), "d"(0));
	__asm__ volatile("xor %%ebp, %%ebp\n\tjmp *%0" ::"r"(entry), "D"(boot) : "memory");
	__builtin_unreachable();
}

static __attribute__((noreturn)) void jail_main(struct ram *r, enum platform_kind platform, unsigned missing, uid_t uid,
						gid_t gid, pid_t monitor)
{
	struct hostif_boot *b = ram_boot(r);
	uint64_t secret = b->secret, entry = r->entry;
	bool pidns = !(missing & JAIL_NO_PIDNS);
	struct rlimit none = {0, 0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!pidns && getppid() != monitor)
		_exit(125);
	if (!(missing & JAIL_NO_USERNS))
		map_ids(uid, gid);
	if (!(missing & JAIL_NO_MNTNS) && empty_root())
		missing |= JAIL_NO_ROOT;
	setsid();
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NAME, "husk-jail");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		jail_fail("no_new_privs");
	drop_capabilities();
	reset_signals();
	if (r->fd != HOSTIF_RAM_FD && dup2(r->fd, HOSTIF_RAM_FD) < 0)
		jail_fail("passing RAM");
	fcntl(HOSTIF_RAM_FD, F_SETFD, 0);
	map_window(r, platform);
	forget_libc();
	close_descriptors();
	if (jail_seccomp_install(secret, pidns, platform)) /* from here on every libc call would trap */
		jail_fail("seccomp");
	secret = 0;
	enter_kernel(entry, DIRECT_MAP_ADDR, platform);
}

static void find_vdso(struct hostif_boot *b)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	uint64_t s, e;

	b->vdso = getauxval(AT_SYSINFO_EHDR);
	if (!f)
		return;
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

int jail_start(struct jail *j, struct ram *r, enum platform_kind platform, struct err *e)
{
	static const struct {
		unsigned long flags;
		unsigned missing;
	} tries[] = {
		{CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, 0},
		{CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, JAIL_NO_USERNS},
		{0, JAIL_NO_USERNS | JAIL_NO_PIDNS | JAIL_NO_NETNS | JAIL_NO_MNTNS | JAIL_NO_ROOT},
	};
	struct hostif_boot *b = ram_boot(r);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t monitor = getpid();
	long pid = -1;
	unsigned i;

	find_vdso(b);
	b->platform = platform == PLATFORM_PKU;
	for (i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		b->features = tries[i].missing & JAIL_NO_PIDNS ? 0 : HOSTIF_F_PIDNS;
		pid = syscall(SYS_clone, tries[i].flags | SIGCHLD, 0, 0, 0, 0);
		if (pid >= 0)
			break;
		if (errno != EPERM && errno != EINVAL && errno != ENOSPC && errno != EUSERS)
			break;
	}
	if (pid < 0)
		return err_set(e, 125, "cannot start the jail: clone: %s", strerror(errno));
	if (!pid)
		jail_main(r, platform, tries[i].missing, uid, gid, monitor);
	j->pid = pid;
	j->missing = tries[i].missing;
	j->pidfd = syscall(SYS_pidfd_open, pid, 0);
	return 0;
}
