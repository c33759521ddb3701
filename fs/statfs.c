// SPDX-License-Identifier: Apache-2.0
/* statfs(2), fstatfs(2), ustat(2). */
#include "internal.h"
#include <asm/statfs.h>

#define ST_RDONLY 1
#define ST_NOSUID 2
#define ST_NODEV 4
#define ST_NOEXEC 8
#define ST_VALID 0x20
#define ST_NOATIME 0x400
#define ST_NODIRATIME 0x800
#define ST_RELATIME 0x1000
#define ST_NOSYMFOLLOW 0x2000

static long mnt_st_flags(const struct path *p)
{
	static const struct {
		int mnt, st;
	} map[] = {
		{MNT_READONLY, ST_RDONLY},   {MNT_NOSUID, ST_NOSUID},		{MNT_NODEV, ST_NODEV},
		{MNT_NOEXEC, ST_NOEXEC},     {MNT_NOATIME, ST_NOATIME},		{MNT_NODIRATIME, ST_NODIRATIME},
		{MNT_RELATIME, ST_RELATIME}, {MNT_NOSYMFOLLOW, ST_NOSYMFOLLOW},
	};
	unsigned long sbf = p->mnt->mnt_sb->s_flags;
	long fl = ST_VALID;

	for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
		if (p->mnt->mnt_flags & map[i].mnt)
			fl |= map[i].st;
	return fl | (sbf & (SB_RDONLY | SB_NOSUID | SB_NODEV | SB_NOEXEC));
}

int vfs_statfs(const struct path *p, struct kstatfs *st)
{
	struct super_block *sb = p->dentry->d_sb;
	int r;

	memset(st, 0, sizeof(*st));
	if (!sb->s_op || !sb->s_op->statfs)
		return -ENOSYS;
	r = sb->s_op->statfs(p->dentry, st);
	if (r)
		return r;
	if (!st->f_frsize)
		st->f_frsize = st->f_bsize;
	if (!st->f_fsid[0] && !st->f_fsid[1])
		st->f_fsid[0] = (int)sb->s_dev;
	st->f_flags = mnt_st_flags(p);
	return 0;
}

static int do_statfs(const struct path *p, struct statfs __user *u)
{
	struct kstatfs k;
	struct statfs s;
	int r = vfs_statfs(p, &k);

	if (r)
		return r;
	memset(&s, 0, sizeof(s));
	s.f_type = k.f_type;
	s.f_bsize = k.f_bsize;
	s.f_blocks = k.f_blocks;
	s.f_bfree = k.f_bfree;
	s.f_bavail = k.f_bavail;
	s.f_files = k.f_files;
	s.f_ffree = k.f_ffree;
	s.f_fsid.val[0] = k.f_fsid[0];
	s.f_fsid.val[1] = k.f_fsid[1];
	s.f_namelen = k.f_namelen;
	s.f_frsize = k.f_frsize;
	s.f_flags = k.f_flags;
	return copy_to_user(u, &s, sizeof(s)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(statfs, const char __user *, name, struct statfs __user *, u)
{
	struct path p;
	int r = fname_path(AT_FDCWD, name, LOOKUP_FOLLOW, &p);

	if (!r) {
		r = do_statfs(&p, u);
		path_put(&p);
	}
	return r;
}

SYSCALL_DEFINE2(fstatfs, unsigned, fd, struct statfs __user *, u)
{
	struct fd f = fdget_raw(fd);
	int r;

	if (!f.file)
		return -EBADF;
	r = do_statfs(&f.file->f_path, u);
	fdput(f);
	return r;
}

SYSCALL_DEFINE2(ustat, unsigned, dev, void __user *, u)
{
	struct {
		int f_tfree;
		unsigned long f_tinode;
		char f_fname[6], f_fpack[6];
	} out;
	struct super_block *sb;
	struct kstatfs st;
	int r = -EINVAL;

	memset(&out, 0, sizeof(out));
	memset(&st, 0, sizeof(st));
	mutex_lock(&sb_lock);
	list_for_each_entry (sb, &super_blocks, s_list) {
		if (sb->s_dev != dev || !sb->s_root || !sb->s_op->statfs)
			continue;
		r = sb->s_op->statfs(sb->s_root, &st);
		break;
	}
	mutex_unlock(&sb_lock);
	if (r)
		return r;
	out.f_tfree = (int)st.f_bfree;
	out.f_tinode = st.f_ffree;
	return copy_to_user(u, &out, sizeof(out)) ? -EFAULT : 0;
}
