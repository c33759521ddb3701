// SPDX-License-Identifier: Apache-2.0
// The system as programs see it: names, memory and load, random numbers, and calls that have no better place.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/boot.h>
#include <husk/time.h>
#include <husk/utsname.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/random.h>

/* ---- names ---- */

static DEFINE_MUTEX(uts_lock);
char sys_nodename[UTS_NAME_MAX] = "husk";
char sys_domainname[UTS_NAME_MAX] = "(none)";

static void uts_set_name(char *which, const char *s, size_t n)
{
	n = min_t(size_t, n, UTS_NAME_MAX - 1);
	mutex_lock(&uts_lock);
	memcpy(which, s, n);
	memset(which + n, 0, UTS_NAME_MAX - n);
	mutex_unlock(&uts_lock);
}

SYSCALL_DEFINE1(uname, struct new_utsname __user *, uname)
{
	struct new_utsname n = {
		.sysname = UTS_SYSNAME,
		.release = UTS_RELEASE,
		.version = UTS_VERSION,
		.machine = UTS_MACHINE,
	};

	mutex_lock(&uts_lock);
	memcpy(n.nodename, sys_nodename, sizeof(n.nodename));
	memcpy(n.domainname, sys_domainname, sizeof(n.domainname));
	mutex_unlock(&uts_lock);
	return copy_to_user(uname, &n, sizeof(n)) ? -EFAULT : 0;
}

static long set_name(char *which, const char __user *name, int len)
{
	char buf[UTS_NAME_MAX];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > UTS_NAME_MAX - 1)
		return -EINVAL;
	if (copy_from_user(buf, name, len))
		return -EFAULT;
	uts_set_name(which, buf, len);
	return 0;
}

SYSCALL_DEFINE2(sethostname, const char __user *, name, int, len)
{
	return set_name(sys_nodename, name, len);
}

SYSCALL_DEFINE2(setdomainname, const char __user *, name, int, len)
{
	return set_name(sys_domainname, name, len);
}

/* ---- memory and load ---- */

SYSCALL_DEFINE1(sysinfo, struct sysinfo __user *, uinfo)
{
	struct sysinfo si = {
		.uptime = (ktime_get_ns() - boot->boot_monotonic_ns) / NSEC_PER_SEC, /* as /proc/uptime has it */
		.totalram = totalram_pages << PAGE_SHIFT,
		.freeram = nr_free_pages() << PAGE_SHIFT,
		.sharedram = atomic_read(&vm_stat[NR_SHMEM]) << PAGE_SHIFT,
		.mem_unit = 1,
	};
	unsigned long loads[3];

	get_avenrun(loads, 0, SI_LOAD_SHIFT - FSHIFT);
	for (int i = 0; i < 3; i++)
		si.loads[i] = loads[i];
	si.procs = min_t(int, READ_ONCE(nr_threads), 65535);
	return copy_to_user(uinfo, &si, sizeof(si)) ? -EFAULT : 0;
}

SYSCALL_DEFINE3(getrandom, char __user *, ubuf, size_t, n, unsigned, flags)
{
	size_t done = 0;
	u8 buf[256];

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	n = min_t(size_t, n, INT32_MAX);
	while (done < n) {
		size_t len = min(n - done, sizeof(buf));

		get_random_bytes(buf, len);
		if (copy_to_user(ubuf + done, buf, len)) {
			done = done ? done : (size_t)-EFAULT;
			break;
		}
		done += len;
		if (!(done & 0xffff) && signal_pending(current))
			break;
	}
	memset(buf, 0, sizeof(buf));
	barrier();
	return done;
}

SYSCALL_DEFINE3(getcpu, unsigned __user *, ucpu, unsigned __user *, unode, void __user *, unused)
{
	unsigned cpu = host_getcpu(), node = 0;

	if ((ucpu && put_user(cpu, ucpu)) || (unode && put_user(node, unode)))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE1(personality, unsigned, persona)
{
	unsigned old = current->personality;

	if (persona != 0xffffffff)
		current->personality = persona;
	return old;
}

SYSCALL_DEFINE2(arch_prctl, int, code, unsigned long, addr)
{
	return arch_prctl_fs(current, code, addr);
}

/* The sandbox ends when its program does, not by the machine's switch. */
SYSCALL_DEFINE4(reboot, int, magic1, int, magic2, unsigned, cmd, void __user *, arg)
{
	return -EPERM;
}

/* No filters yet: what a kernel without them says. */
SYSCALL_DEFINE3(seccomp, unsigned, op, unsigned, flags, void __user *, arg)
{
	return op == 2 /* SECCOMP_GET_ACTION_AVAIL */ ? -EOPNOTSUPP : -EINVAL;
}

SYSCALL_DEFINE2(setns, int, fd, int, type)
{
	return -EINVAL; /* no descriptor names a namespace here */
}

void set_task_comm(struct task_struct *t, const char *name)
{
	char buf[TASK_COMM_LEN] = {};

	strscpy(buf, name, sizeof(buf));
	task_lock(t);
	memcpy(t->comm, buf, sizeof(t->comm));
	task_unlock(t);
}
