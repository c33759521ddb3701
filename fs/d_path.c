// SPDX-License-Identifier: Apache-2.0
/* Dentries back to path names: d_path(), getcwd(2). */
#include "internal.h"

struct prepend {
	char *start, *p;
};

static bool prepend(struct prepend *b, const char *s, unsigned len)
{
	if (b->p - b->start < len)
		return false;
	b->p -= len;
	memcpy(b->p, s, len);
	return true;
}

/*
 * Path of (mnt, d) up to root. 0: reached root; 1: the top of the mount tree, but not root; 2: a
 * detached mount; < 0: no room. rename_lock is held; mounts are read under mount_seq by the caller.
 */
static int prepend_path(struct prepend *b, struct dentry *d, struct mount *m, const struct path *root)
{
	while (d != root->dentry || &m->mnt != root->mnt) {
		struct dentry *parent = READ_ONCE(d->d_parent);

		if (d == m->mnt.mnt_root) {
			struct mount *up = READ_ONCE(m->mnt_parent);

			if (up == m)
				return m->mnt_detached || (m->mnt.mnt_flags & MNT_INTERNAL) ? 2 : 1;
			d = READ_ONCE(m->mnt_mountpoint);
			m = up;
			continue;
		}
		if (d == parent)
			return 2;
		if (!prepend(b, d->d_name.name, d->d_name.len) || !prepend(b, "/", 1))
			return -ENAMETOOLONG;
		d = parent;
	}
	return 0;
}

static int path_to_root(struct prepend *b, const struct path *p, const struct path *root)
{
	char *end = b->p;
	unsigned seq;
	int r;

	do {
		seq = smp_load_acquire(&mount_seq) & ~1u;
		b->p = end;
		spin_lock(&rename_lock);
		r = prepend_path(b, p->dentry, real_mount(p->mnt), root);
		spin_unlock(&rename_lock);
		smp_rmb();
	} while (READ_ONCE(mount_seq) != seq && (cpu_relax(), true));
	if (r >= 0 && b->p == end && !prepend(b, "/", 1))
		r = -ENAMETOOLONG;
	return r;
}

static bool d_unlinked(struct dentry *d)
{
	return d_unhashed(d) && !IS_ROOT(d);
}

/**
 * d_path - the name of @p as the current task sees it
 *
 * Returns a place within @buf, or ERR_PTR(-ENAMETOOLONG). " (deleted)" follows names that were
 * removed. A path outside the task's root is shown from the top of its own mount tree.
 */
char *d_path(const struct path *p, char *buf, int len)
{
	struct prepend b = {buf, buf + len};
	struct path root;
	int r;

	if (len < 2)
		return ERR_PTR(-ENAMETOOLONG);
	if (p->dentry->d_op && p->dentry->d_op->d_dname &&
	    (!IS_ROOT(p->dentry) || !p->mnt || p->dentry != p->mnt->mnt_root))
		return p->dentry->d_op->d_dname(p->dentry, buf, len);
	prepend(&b, "", 1);
	if (d_unlinked(p->dentry) && !prepend(&b, " (deleted)", 10))
		return ERR_PTR(-ENAMETOOLONG);
	get_fs_root(current_fs(), &root);
	r = path_to_root(&b, p, &root);
	path_put(&root);
	return r < 0 ? ERR_PTR(r) : b.p;
}

/* dynamic_dname: for d_dname operations: a formatted name at the end of buf. */
char *dynamic_dname(char *buf, int len, const char *fmt, ...)
{
	char tmp[80];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap) + 1;
	va_end(ap);
	if (n > (int)sizeof(tmp) || n > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buf + len - n, tmp, n);
}

/* dentry_path: the path within the dentry's own file system. */
char *dentry_path(struct dentry *d, char *buf, int len)
{
	struct prepend b = {buf, buf + len};
	bool ok;

	if (!prepend(&b, "", 1))
		return ERR_PTR(-ENAMETOOLONG);
	ok = !d_unlinked(d) || prepend(&b, "//deleted", 9);
	spin_lock(&rename_lock);
	if (IS_ROOT(d))
		ok = ok && prepend(&b, "/", 1);
	for (; ok && !IS_ROOT(d); d = d->d_parent)
		ok = prepend(&b, d->d_name.name, d->d_name.len) && prepend(&b, "/", 1);
	spin_unlock(&rename_lock);
	return ok ? b.p : ERR_PTR(-ENAMETOOLONG);
}

SYSCALL_DEFINE2(getcwd, char __user *, ubuf, unsigned long, size)
{
	char *buf = (char *)__get_free_page(GFP_KERNEL);
	struct path pwd, root;
	struct prepend b = {buf, buf + PAGE_SIZE};
	long r;

	if (!buf)
		return -ENOMEM;
	get_fs_pwd(current_fs(), &pwd);
	get_fs_root(current_fs(), &root);
	r = -ENOENT;
	if (d_unlinked(pwd.dentry))
		goto out;
	prepend(&b, "", 1);
	r = path_to_root(&b, &pwd, &root);
	if (r > 0 && !prepend(&b, "(unreachable)", 13))
		r = -ENAMETOOLONG;
	if (r < 0)
		goto out;
	r = buf + PAGE_SIZE - b.p;
	if (r > size)
		r = -ERANGE;
	else if (copy_to_user(ubuf, b.p, r))
		r = -EFAULT;
out:
	path_put(&root);
	path_put(&pwd);
	free_page((unsigned long)buf);
	return r;
}
