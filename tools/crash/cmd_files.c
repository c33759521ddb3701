// SPDX-License-Identifier: Apache-2.0
// files, mount: open files of a task, mounts of the system.

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "crash.h"

#define MAX_FDS (1u << 20)

static const char *file_type(u64 inode)
{
	switch (inode ? FIELD(inode, inode, i_mode) & S_IFMT : 0) {
	case S_IFREG:
		return "REG";
	case S_IFDIR:
		return "DIR";
	case S_IFCHR:
		return "CHR";
	case S_IFBLK:
		return "BLK";
	case S_IFIFO:
		return "FIFO";
	case S_IFSOCK:
		return "SOCK";
	case S_IFLNK:
		return "LNK";
	}
	return "UNKN";
}

static void fs_path(u64 path, char *buf, size_t n)
{
	u64 d = FIELD(path, path, dentry);

	*buf = 0;
	if (is_kernel_address(d))
		path_name(FIELD(path, path, mnt), d, 0, 0, buf, n);
}

static void show_file(u64 fd, u64 file, const char *only, bool *head)
{
	char name[MAX_PATH];
	u64 inode = FIELD(file, file, f_inode);

	file_name(file, name, sizeof(name));
	if (only && !strstr(name, only))
		return;
	if (!*head)
		text(" FD     FILE          DENTRY         INODE      TYPE PATH\n");
	*head = true;
	obj(NULL);
	f_uint("fd", "%3llu", fd);
	f_hex("file", " %12llx", file);
	f_hex("dentry", "  %12llx", FIELD(file, file, f_path.dentry));
	f_hex("inode", "  %12llx", inode);
	f_str("type", "  %-4s", file_type(inode));
	f_hex("flags", NULL, FIELD(file, file, f_flags));
	f_int("pos", NULL, (s64)FIELD(file, file, f_pos));
	f_str("path", " %s\n", name);
	end();
}

static void show_table(u64 files, const char *only)
{
	u64 max = FIELD(files, files_struct, max_fds), table = FIELD(files, files_struct, fd);
	u64 *fd;
	bool head = false;
	size_t chunk = 512;

	if (max > MAX_FDS) {
		warn("the table says that it has %llu descriptors; only %u are looked at", (unsigned long long)max,
		     MAX_FDS);
		max = MAX_FDS;
	}
	fd = calloc(chunk, 8);
	if (!fd)
		abort();
	list("files");
	for (u64 i = 0; i < max && !interrupted; i += chunk) {
		size_t n = max - i < chunk ? max - i : chunk;

		if (kread(table + 8 * i, fd, 8 * n) != READ_OK)
			break;
		for (size_t k = 0; k < n; k++)
			if (fd[k])
				show_file(i + k, fd[k], only, &head);
	}
	end();
	if (!head && !only)
		text("No open files\n");
	free(fd);
}

static void show_files(const struct task *t, const char *only)
{
	char root[MAX_PATH] = "", cwd[MAX_PATH] = "";

	task_header(t);
	obj(NULL);
	task_members(t);
	if (t->fs) {
		fs_path(FIELD_ADDR(t->fs, fs_struct, root), root, sizeof(root));
		fs_path(FIELD_ADDR(t->fs, fs_struct, pwd), cwd, sizeof(cwd));
	}
	f_str("root", "ROOT: %s", root);
	f_str("cwd", "    CWD: %s\n", cwd);
	if (t->files)
		show_table(t->files, only);
	else
		text("No open files\n");
	end();
}

int cmd_files(int argc, char **argv)
{
	const char *only = NULL;
	bool any = false;
	int r = 0;

	list("tasks");
	for (int i = 1; i < argc && !r; i++) {
		struct task *t;

		if (!strcmp(argv[i], "-R") && i + 1 < argc) {
			only = argv[++i];
			continue;
		}
		if (*argv[i] == '-') {
			end();
			return usage("files");
		}
		t = task_arg(argv[i]);
		if (t)
			show_files(t, only);
		r = t ? 0 : -1;
		any = true;
	}
	if (!any && current)
		show_files(current, only);
	end();
	return r;
}

/* ---- mount ---- */

static void mount_flags(u64 mnt, u64 sb, char *buf, size_t n)
{
	static const struct {
		u64 flag;
		const char *name;
	} names[] = {{1, ",nosuid"}, {2, ",nodev"}, {4, ",noexec"}, {8, ",noatime"}, {32, ",relatime"}};
	u64 flags = FIELD(mnt, mount, mnt.mnt_flags);

	snprintf(buf, n, "%s", flags & 64 || (sb && FIELD(sb, super_block, s_flags) & 1) ? "ro" : "rw");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].flag)
			strncat(buf, names[i].name, n - strlen(buf) - 1);
}

/* Is the mount below the task's root? Its directory then begins there. */
static void show_mount(u64 m, u64 root_mnt, u64 root_dentry)
{
	u64 sb = FIELD(m, mount, mnt.mnt_sb), type = sb ? FIELD(sb, super_block, s_type) : 0;
	char fs[64] = "?", dev[512] = "", dir[MAX_PATH], flags[128];

	if (type)
		kstring(FIELD(type, file_system_type, name), fs, sizeof(fs));
	if (FIELD(m, mount, mnt_devname))
		kstring(FIELD(m, mount, mnt_devname), dev, sizeof(dev));
	path_name(m + FIELD_OFFSET(mount, mnt), FIELD(m, mount, mnt.mnt_root), root_mnt, root_dentry, dir, sizeof(dir));
	mount_flags(m, sb, flags, sizeof(flags));
	obj(NULL);
	f_hex("mount", "%12llx", m);
	f_hex("superblock", "  %12llx", sb);
	f_int("id", NULL, (s64)FIELD(m, mount, mnt_id));
	f_str("type", "  %-10s", fs);
	f_str("device", " %-12s", dev);
	f_str("directory", " %s", dir);
	f_str("options", "  (%s)\n", flags);
	end();
}

int cmd_mount(int argc, char **argv)
{
	const struct task *t = argc > 1 ? task_arg(argv[1]) : current;
	u64 head = global_addr("mount_list"), root = 0, dentry = 0;
	struct walk w;

	if (argc > 1 && !t)
		return -1;
	if (!head) {
		complain("the kernel has no list of mounts");
		return -1;
	}
	if (t && t->fs) {
		root = FIELD(t->fs, fs_struct, root.mnt);
		dentry = FIELD(t->fs, fs_struct, root.dentry);
	}
	text("   MOUNT        SUPERBLK      TYPE       DEVNAME      DIRNAME\n");
	list("mounts");
	for_each_entry(&w, head, mount, mnt_list, "mounts") show_mount(w.entry, root, dentry);
	end();
	return 0;
}
