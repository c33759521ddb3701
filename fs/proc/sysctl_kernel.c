// SPDX-License-Identifier: Apache-2.0
/* The settings below /proc/sys that no subsystem registers itself: names and limits of the system. */
#include "internal.h"
#include "../internal.h"
#include <husk/boot.h>
#include <husk/init.h>
#include <husk/oops.h>
#include <husk/utsname.h>

#define ULL(x) ((unsigned long long)(x))

static int ostype_show(struct seq_file *m, void *v)
{
	seq_puts(m, UTS_SYSNAME "\n");
	return 0;
}

static int osrelease_show(struct seq_file *m, void *v)
{
	seq_puts(m, UTS_RELEASE "\n");
	return 0;
}

static int version_show(struct seq_file *m, void *v)
{
	seq_puts(m, UTS_VERSION "\n");
	return 0;
}

static int arch_show(struct seq_file *m, void *v)
{
	seq_puts(m, UTS_MACHINE "\n");
	return 0;
}

static int proc_version_show(struct seq_file *m, void *v)
{
	seq_puts(m, UTS_SYSNAME " version " UTS_RELEASE " (husk@husk) (" __VERSION__ ") " UTS_VERSION "\n");
	return 0;
}

static void print_uuid(struct seq_file *m, const u8 *u)
{
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			seq_putc(m, '-');
		seq_printf(m, "%02x", u[i]);
	}
	seq_putc(m, '\n');
}

static void make_uuid(u8 *u)
{
	get_random_bytes(u, 16);
	u[6] = (u[6] & 0x0f) | 0x40; /* version 4, random */
	u[8] = (u[8] & 0x3f) | 0x80;
}

static u8 boot_id[16];

static int boot_id_show(struct seq_file *m, void *v)
{
	print_uuid(m, boot_id);
	return 0;
}

static int uuid_show(struct seq_file *m, void *v)
{
	u8 u[16];

	make_uuid(u);
	print_uuid(m, u);
	return 0;
}

/* a number that is what it is: the entry's data is the number itself */
static int fixed_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lld\n", (long long)m->private);
	return 0;
}

static const struct {
	const char *path;
	long long value;
} fixed[] = {
	{"kernel/cap_last_cap", CAP_LAST_CAP},
	{"kernel/ngroups_max", 65536},
	{"kernel/overflowuid", 65534},
	{"kernel/overflowgid", 65534},
	{"kernel/random/entropy_avail", 256},
	{"kernel/random/poolsize", 256},
	{"kernel/sched_rt_period_us", 1000000},
	{"kernel/sched_rt_runtime_us", -1}, /* the host schedules; nothing is throttled here */
	{"kernel/sched_autogroup_enabled", 0},
	{"kernel/unprivileged_userns_clone", 0},
	{"kernel/dmesg_restrict", 0},
	{"kernel/panic", 0},
	{"fs/file-max", INT64_MAX},
	{"fs/overflowuid", 65534},
	{"fs/overflowgid", 65534},
	{"fs/suid_dumpable", 0},
	{"vm/swappiness", 0}, /* there is no swap */
	{"vm/nr_hugepages", 0},
};

static int pid_max_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", pid_max);
	return 0;
}

static int threads_max_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", max_threads);
	return 0;
}

static int pty_max_show(struct seq_file *m, void *v)
{
	seq_puts(m, "4096\n");
	return 0;
}

static int file_nr_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lld\t0\t%lld\n", (long long)atomic64_read(&nr_files_stat), (long long)INT64_MAX);
	return 0;
}

static int inode_nr_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lld\t0\n", (long long)atomic64_read(&nr_inodes_stat));
	return 0;
}

static int inode_state_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lld\t0\t0\t0\t0\t0\t0\n", (long long)atomic64_read(&nr_inodes_stat));
	return 0;
}

static int dentry_state_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lld\t%lld\t45\t0\t0\t0\n", (long long)atomic64_read(&nr_dentries),
		   (long long)atomic64_read(&nr_dentries_unused));
	return 0;
}

static int modprobe_show(struct seq_file *m, void *v)
{
	seq_puts(m, "\n");
	return 0;
}

static int name_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s\n", (char *)m->private);
	return 0;
}

static int name_store(char *buf, void *data)
{
	char name[UTS_NAME_MAX] = {}; /* uname(2) hands out all of it */

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	strscpy(name, buf, sizeof(name));
	memcpy(data, name, sizeof(name));
	return 0;
}

static const struct {
	const char *path;
	int (*show)(struct seq_file *, void *);
} shown[] = {
	{"kernel/ostype", ostype_show},
	{"kernel/osrelease", osrelease_show},
	{"kernel/version", version_show},
	{"kernel/arch", arch_show},
	{"kernel/random/boot_id", boot_id_show},
	{"kernel/random/uuid", uuid_show},
	{"kernel/pid_max", pid_max_show},
	{"kernel/threads-max", threads_max_show},
	{"kernel/pty/max", pty_max_show},
	{"kernel/modprobe", modprobe_show},
	{"fs/file-nr", file_nr_show},
	{"fs/inode-nr", inode_nr_show},
	{"fs/inode-state", inode_state_show},
	{"fs/dentry-state", dentry_state_show},
};

static int tainted_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lu\n", READ_ONCE(tainted_mask));
	return 0;
}

SYSCTL_INT("kernel/panic_on_oops", 0644, panic_on_oops, 0, 1);
SYSCTL_INT("kernel/panic_on_warn", 0644, panic_on_warn, 0, 1);
SYSCTL_INT("kernel/oops_limit", 0644, oops_limit, 0, INT32_MAX);
SYSCTL_INT("kernel/lock_patience", 0644, lock_patience, 0, INT32_MAX);

static void register_crash_settings(void)
{
	register_sysctl_show("kernel/tainted", tainted_show);
}

SYSCTL_RW("kernel/hostname", 0644, name_show, name_store, sys_nodename);
SYSCTL_RW("kernel/domainname", 0644, name_show, name_store, sys_domainname);

static int sysctl_init(void)
{
	make_uuid(boot_id);
	register_crash_settings();
	proc_create_single("version", 0444, NULL, proc_version_show);
	for (unsigned i = 0; i < ARRAY_SIZE(shown); i++)
		register_sysctl_show(shown[i].path, shown[i].show);
	for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++)
		register_sysctl_rw(fixed[i].path, 0444, fixed_show, NULL, (void *)fixed[i].value);
	return 0;
}
subsys_initcall(sysctl_init);
