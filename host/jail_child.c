// SPDX-License-Identifier: Apache-2.0
// The jail's side: the first host process of a sandbox strips itself of everything but RAM and enters the kernel.

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <linux/rseq.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <sys/rseq.h>
#endif
#include <sys/syscall.h>
#include <unistd.h>
#include "sandbox.h"

#define PKRU_KERNEL 0x55555550u

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

/* User and group become id, as a number of this namespace. Raw calls: libc's would ask threads that are not here. */
static int become(uint32_t id)
{
	if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, id, id, id) || syscall(SYS_setresuid, id, id, id))
		return -1;
	return prctl(PR_SET_DUMPABLE, 1); /* the dump process reads registers */
}

/* An empty, read-only root in a mount namespace of its own. 0, or -1 where the host refuses. */
static int empty_root(void)
{
	static const char *const dirs[] = {"/tmp", "/proc", "/dev", "/mnt"};

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
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
	/* the monitor sees the status and says no more */
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
	if (mmap((void *)DIRECT_MAP_ADDR, r->size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, HOSTIF_RAM_FD, 0) != (void *)DIRECT_MAP_ADDR)
		jail_fail("mapping RAM");
	if (r->huge) /* a touch brings a page; larger pieces are asked for */
		madvise((void *)DIRECT_MAP_ADDR, r->size, MADV_NOHUGEPAGE);
	if (key && syscall(SYS_pkey_mprotect, DIRECT_MAP_ADDR, r->size, PROT_READ | PROT_WRITE, key))
		jail_fail("protecting RAM");
}

static void forget_libc(void)
{
#ifdef __GLIBC__ /* others register none */
	void *rseq = (char *)__builtin_thread_pointer() + __rseq_offset;

	syscall(SYS_rseq, rseq, __rseq_size < 32 ? 32 : __rseq_size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
#endif
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

/* One line for all that is missing, unless it is known: the message must be out before the descriptors are closed. */
static void warn_missing(unsigned missing)
{
	static const struct {
		unsigned bit;
		const char *name;
	} walls[] = {
		{JAIL_NO_USERNS, "user namespaces"},	     {JAIL_NO_PIDNS, "pid namespaces"},
		{JAIL_NO_NETNS, "network namespaces"},	     {JAIL_NO_ROOT, "an empty root"},
		{JAIL_NO_OTHERNS, "ipc and uts namespaces"},
	};
	const char *known = getenv("HUSK_WEAK_JAIL");
	char buf[160] = "";
	size_t len = 0;

	if (known && !strcmp(known, "accepted"))
		return;
	for (size_t i = 0; i < sizeof(walls) / sizeof(*walls); i++)
		if (missing & walls[i].bit && len < sizeof(buf))
			len += snprintf(buf + len, sizeof(buf) - len, "%s%s", len ? ", " : "", walls[i].name);
	if (len)
		dprintf(2, "husk: warning: refused by this host: %s; running without that part of the second wall%s\n",
			buf, isatty(2) ? "\r" : "");
}

/* Landlock's attributes with what Debian's header does not have yet (Documentation/userspace-api/landlock.rst, ABI 6: Linux 6.12). */
struct landlock_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};
#define SCOPE_SIGNAL 2u

/* Whether the host can keep a process's signals among its own descendants. */
bool jail_can_scope_signals(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 6;
}

/*
 * The pid namespace keeps the jail's signals inside; where there is none, this does. no_new_privs is set.
 */
static void scope_signals(void)
{
	struct landlock_attr attr = {.scoped = SCOPE_SIGNAL};
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0))
		jail_fail("landlock");
	close(fd);
}

static void wait_word(uint32_t *word)
{
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* From now on it dies with the monitor. A change of user makes the host forget that. */
static void die_with(int monitor)
{
	struct pollfd parent = {.fd = monitor, .events = POLLIN};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&parent, 1, 0) > 0) /* it died before this could be said */
		_exit(125);
}

/* Everything that needs a privilege in the new user namespace, or a descriptor. */
static void build_walls(const struct jail *j, int monitor, uid_t uid, gid_t gid)
{
	struct rlimit none = {0, 0}, cpu;
	unsigned missing = j->missing;
	bool own_user = !(missing & JAIL_NO_USERNS) && host_at_least(5, 14);

	die_with(monitor);
	wait_word(&j->order->named);
	if (!(missing & JAIL_NO_USERNS) && !j->order->id)
		map_ids(uid, gid);
	else if (!(missing & JAIL_NO_USERNS) && become(0))
		jail_fail("becoming a user of its own");
	if (unshare(CLONE_NEWNET))
		missing |= JAIL_NO_NETNS;
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS))
		missing |= JAIL_NO_OTHERNS;
	if (empty_root())
		missing |= JAIL_NO_ROOT;
	warn_missing(missing);
	setsid();
	setrlimit(RLIMIT_CORE, &none);
	if (!getrlimit(
		    RLIMIT_CPU,
		    &cpu)) { /* the guest's kernel keeps the soft one, which it was told; the host's signal would end the sandbox */
		cpu.rlim_cur = cpu.rlim_max;
		setrlimit(RLIMIT_CPU, &cpu);
	}
	prctl(PR_SET_NAME, "husk-jail");
	if (missing & JAIL_NO_USERNS && j->order->id && !become(j->order->id))
		own_user = true;
	die_with(monitor);
	limits_jail(j->most_tasks, own_user);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		jail_fail("no_new_privs");
	if (j->scoped)
		scope_signals();
	drop_capabilities();
}

/* jail_main: the child's side of jail_prepare(). It builds the walls, waits for the word to go, and enters the kernel. */
void jail_main(const struct jail *j, int ram_fd, char *ram_base, int monitor, uid_t uid, gid_t gid)
{
	struct jail_order *order = j->order;
	bool pidns = !(j->missing & JAIL_NO_PIDNS);
	uint64_t secret;

	build_walls(j, monitor, uid, gid);
	if (ram_fd != HOSTIF_RAM_FD && dup2(ram_fd, HOSTIF_RAM_FD) < 0)
		jail_fail("passing RAM");
	fcntl(HOSTIF_RAM_FD, F_SETFD, 0);
	wait_word(&order->go);
	map_window(&order->ram, order->platform);
	secret = ((struct hostif_boot *)ram_base)->secret;
	reset_signals();
	forget_libc();
	close_descriptors();
	/* from here on every libc call would trap */
	if (jail_seccomp_install(secret, pidns, order->platform, order->ram.huge ? order->ram.size : 0))
		_exit(125);
	/* this stack still holds the secret: the kernel unmaps it, with all that was the monitor's, before any guest code */
	enter_kernel(order->ram.entry, DIRECT_MAP_ADDR, order->platform);
}
