// SPDX-License-Identifier: Apache-2.0
// Path names from dentries and mounts, as d_path() makes them.

#include <string.h>
#include <sys/stat.h>
#include "crash.h"

#define MAX_PARTS 512

static void dentry_name(u64 d, char *buf, size_t n)
{
	u64 name = FIELD(d, dentry, d_name.name), len = FIELD(d, dentry, d_name.len);
	char raw[MAX_NAME];

	if (len >= sizeof(raw))
		len = sizeof(raw) - 1;
	*buf = 0;
	if (kread(name, raw, len) == READ_OK)
		printable(buf, n, raw, len);
}

/* Puts "/part" in front of what is at *p. */
static bool prepend(char *buf, char **p, const char *part)
{
	size_t len = strlen(part);

	if ((size_t)(*p - buf) < len + 1)
		return false;
	*p -= len;
	memcpy(*p, part, len);
	*--*p = '/';
	return true;
}

/* mnt: a struct mount, or 0: within the file system only. */
static void walk_up(u64 d, u64 mnt, u64 root, u64 root_mnt, char *buf, size_t n)
{
	char tmp[MAX_PATH], part[4 * MAX_NAME + 1], *p = tmp + sizeof(tmp) - 1;

	*p = 0;
	for (int i = 0; i < MAX_PARTS && is_kernel_address(d) && !(d == root && mnt == root_mnt); i++) {
		u64 parent = FIELD(d, dentry, d_parent);

		if (mnt && d == FIELD(mnt, mount, mnt.mnt_root)) {
			u64 up = FIELD(mnt, mount, mnt_parent);

			if (up == mnt || !is_kernel_address(up))
				break;
			d = FIELD(mnt, mount, mnt_mountpoint);
			mnt = up;
			continue;
		}
		if (d == parent)
			break;
		dentry_name(d, part, sizeof(part));
		if (!prepend(tmp, &p, part))
			break;
		d = parent;
	}
	snprintf(buf, n, "%s", *p ? p : "/");
}

/* offset of struct mount's struct vfsmount, which files name */
static u64 mount_of(u64 vfsmount)
{
	return vfsmount ? vfsmount - FIELD_OFFSET(mount, mnt) : 0;
}

void path_name(u64 vfsmount, u64 dentry, u64 root_vfsmount, u64 root_dentry, char *buf, size_t n)
{
	walk_up(dentry, mount_of(vfsmount), root_dentry, mount_of(root_vfsmount), buf, n);
}

void dentry_path(u64 dentry, char *buf, size_t n)
{
	walk_up(dentry, 0, 0, 0, buf, n);
}

/* Which of the file systems without directories it is: by its type's name. */
static bool special_name(u64 dentry, u64 inode, char *buf, size_t n)
{
	u64 sb = FIELD(dentry, dentry, d_sb), type = sb ? FIELD(sb, super_block, s_type) : 0;
	u64 op = FIELD(dentry, dentry, d_op), ino = inode ? FIELD(inode, inode, i_ino) : 0;
	u64 mode = inode ? FIELD(inode, inode, i_mode) & S_IFMT : 0;
	char fs[32] = "", name[4 * MAX_NAME + 1];

	if (!op || !FIELD(op, dentry_operations, d_dname))
		return false;
	if (type)
		kstring(FIELD(type, file_system_type, name), fs, sizeof(fs));
	dentry_name(dentry, name, sizeof(name));
	if (mode == S_IFIFO)
		snprintf(buf, n, "pipe:[%llu]", (unsigned long long)ino);
	else if (mode == S_IFSOCK)
		snprintf(buf, n, "socket:[%llu]", (unsigned long long)ino);
	else if (!strcmp(fs, "anon_inodefs"))
		snprintf(buf, n, "anon_inode:%s", name);
	else
		snprintf(buf, n, "%s%s%s", *name == '/' ? "" : "/", name, mode == S_IFREG ? " (deleted)" : "");
	return true;
}

void file_name(u64 file, char *buf, size_t n)
{
	u64 d = FIELD(file, file, f_path.dentry), inode = FIELD(file, file, f_inode);

	*buf = 0;
	if (!is_kernel_address(d)) {
		snprintf(buf, n, "(none)");
		return;
	}
	if (!special_name(d, inode, buf, n)) {
		path_name(FIELD(file, file, f_path.mnt), d, 0, 0, buf, n);
		/* unhashed and not a root: its name was removed */
		if (!FIELD(d, dentry, d_hash.pprev) && FIELD(d, dentry, d_parent) != d)
			snprintf(buf + strlen(buf), n - strlen(buf), " (deleted)");
	}
}
