// SPDX-License-Identifier: Apache-2.0
// Boot: initcalls in order, the root file system, the standard mounts, and the program as pid 1.

#include <husk/fs.h>
#include <husk/fuse.h>
#include <husk/boot.h>
#include <husk/init.h>
#include <husk/mount.h>
#include <husk/overlay.h>
#include <husk/task_fs.h>
#include <husk/tty.h>
#include <linux/mount.h>
#include <linux/magic.h>

extern initcall_t __initcall_start[], __initcall_root[], __initcall_end[];
extern char sys_nodename[], sys_domainname[];
int blanks_init(void);

static void phase(int p)
{
	boot->phase_ns[p] = ktime_get_ns();
}

/* The host allows no more processes: nobody's bug, so the monitor is told why the program cannot start. */
static void check_refused(int r)
{
	if (r == -EAGAIN)
		kernel_exec_failed(r);
}

static void do_initcalls(initcall_t *from, initcall_t *to)
{
	for (initcall_t *fn = from; fn < to; fn++) {
		int r = (*fn)();

		check_refused(r);
		if (r)
			pr_warn("initcall %p: error %d\n", (void *)*fn, r);
	}
}

static void must(int r, const char *what)
{
	check_refused(r);
	if (r)
		panic("boot: %s: error %d", what, r);
}

/* A mount point under the root; made in the overlay where the host's tree lacks it. */
static int boot_mkdir(const char *path, umode_t mode)
{
	struct path p;
	struct dentry *d = kern_path_create(AT_FDCWD, path, &p, LOOKUP_DIRECTORY);
	int r;

	if (IS_ERR(d))
		return PTR_ERR(d) == -EEXIST ? 0 : PTR_ERR(d);
	r = vfs_mkdir(d_inode(p.dentry), d, mode);
	done_path_create(&p, d);
	return r;
}

static int boot_mkdir_all(const char *path)
{
	char buf[256];
	int r = 0;

	for (const char *s = strchr(path + 1, '/');; s = strchr(s + 1, '/')) {
		size_t n = s ? (size_t)(s - path) : strlen(path);

		if (n >= sizeof(buf))
			return -ENAMETOOLONG;
		memcpy(buf, path, n);
		buf[n] = 0;
		r = boot_mkdir(buf, 0755);
		if (!s)
			break;
	}
	return r;
}

static void mount_std(const char *type, const char *path, unsigned long flags, char *data)
{
	int r = boot_mkdir(path, 0755);

	if (!r)
		r = do_mount_at(type, path, type, flags, data);
	if (r)
		pr_warn("boot: cannot mount %s on %s: error %d\n", type, path, r);
}

static void mount_root_tree(void)
{
	struct vfsmount *lower = virtiofs_kern_mount(&boot->device[0]);

	if (IS_ERR(lower))
		panic("boot: root file system: error %ld", PTR_ERR(lower));
	if (boot->flags & HOSTIF_B_READ_ONLY)
		must(install_root_mount(lower), "read-only root");
	else
		must(overlay_mount_root(lower, boot->overlay_size ? boot->overlay_size : boot->ram_size / 2),
		     "overlay root");
}

static void mount_shares(void)
{
	for (u32 i = 1; i < boot->ndevices && i < HOSTIF_MAX_DEVICES; i++) {
		struct hostif_device *d = &boot->device[i];
		int r;

		if (d->type != HOSTIF_DEV_FS || !d->mount_point[0])
			continue;
		r = boot_mkdir_all(d->mount_point);
		if (!r || r == -EROFS)
			r = do_mount_at(d->tag, d->mount_point, "virtiofs", d->flags & 1 ? MS_RDONLY : 0, NULL);
		if (r)
			pr_err("boot: cannot mount the share on %s: error %d\n", d->mount_point, r);
	}
}

static void become_user(void)
{
	struct cred *c = prepare_creds();
	struct group_info *gi;
	u32 n = min_t(u32, boot->ngroups, 64);

	if (!c)
		panic("boot: no memory for credentials");
	gi = kzalloc(sizeof(*gi) + n * sizeof(gid_t), GFP_KERNEL);
	if (!gi)
		panic("boot: no memory for groups");
	refcount_set(&gi->usage, 1);
	gi->ngroups = n;
	memcpy(gi->gid, boot->groups, n * sizeof(gid_t));
	c->uid = c->euid = c->suid = c->fsuid = boot->uid;
	c->gid = c->egid = c->sgid = c->fsgid = boot->gid;
	c->group_info = gi;
	if (boot->uid) {
		c->cap_permitted = c->cap_effective = 0;
		c->cap_inheritable = c->cap_ambient = 0;
	}
	commit_creds(c);
	current->fs->umask = boot->umask & 0777;
	current->nice = clamp_t(int, boot->nice, -20, 19);
}

static void enter_cwd(void)
{
	struct path p;

	if (kern_path(boot->cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p)) {
		pr_notice("boot: no directory %s: the program starts in /\n", boot->cwd);
		return;
	}
	set_fs_pwd(current->fs, &p);
	path_put(&p);
}

/* The argument vectors as the monitor packed them. Freed never: pid 1's exec copies them. */
static int unpack_args(const char ***argv, const char ***envp)
{
	const char *s = phys_to_virt(boot->args), *end = s + boot->args_len;
	const char **v = kcalloc(boot->argc + boot->envc + 2, sizeof(*v), GFP_KERNEL);
	u32 n = 0;

	if (!v)
		return -ENOMEM;
	*argv = v;
	*envp = v + boot->argc + 1;
	for (; n < boot->argc + boot->envc && s < end; n++) {
		v[n < boot->argc ? n : n + 1] = s;
		s += strlen(s) + 1;
	}
	return 0;
}

static int kernel_init(void *unused)
{
	const char **argv = NULL, **envp = NULL;
	char mnt_opts[] = "mode=620,ptmxmode=666,gid=5";
	char shm_opts[] = "mode=1777";

	must(blanks_init(), "blank host processes");
	do_initcalls(__initcall_start + 0, __initcall_root);
	phase(HOSTIF_PHASE_VFS);
	mount_root_tree();
	phase(HOSTIF_PHASE_ROOT);
	mount_std("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_std("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_std("devtmpfs", "/dev", MS_NOSUID, NULL);
	mount_std("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, mnt_opts);
	mount_std("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, shm_opts);
	mount_shares();
	do_initcalls(__initcall_root, __initcall_end);
	strscpy(sys_nodename, boot->hostname[0] ? boot->hostname : "husk", 65);
	must(console_open_stdio(), "standard streams");
	become_user();
	/* the kernel's threads, begun above, keep the directories of the boot: a set-id program would not trust shared ones */
	must(unshare_fs_struct(), "directories of pid 1");
	enter_cwd();
	must(unpack_args(&argv, &envp), "arguments");
	boot->state = HOSTIF_RUNNING;
	phase(HOSTIF_PHASE_EXEC);
	return kernel_execve(boot->path, argv, envp);
}

__noreturn void start_kernel(void);
void start_kernel(void)
{
	struct kernel_clone_args a = {.fn = kernel_init};
	pid_t pid;

	phase(HOSTIF_PHASE_MM);
	task_fs = &vfs_task_ops;
	pid = kernel_clone(&a);
	check_refused(pid);
	if (pid != 1)
		panic("boot: cannot start pid 1: %d", pid);
	for (;;)
		host_sleep(&boot->version, boot->version, INT64_MAX); /* pid 0 has nothing to do */
}
