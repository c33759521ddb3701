// SPDX-License-Identifier: Apache-2.0
/* Path names to dentries: the lock-free walk, the walk with references, openat2's restrictions. */
/*
 * DOC: two walks
 *
 * walk_fast() takes neither lock nor reference until it has the result: it goes from dentry to
 * dentry by the hash, and each step is proved by the sequence numbers of parent and child
 * (dcache.c), the whole by mount_seq and fs->seq. It gives up with -ECHILD at whatever it cannot
 * decide: something not cached, a file system with its own revalidation or permission check, a
 * denied directory, `..` across a mount, long chains of links. Then the same name is walked again
 * from the start by link_path_walk(), which holds a reference on where it is. Only that one has the
 * side effects (cold lookups, atime of links) and all the restrictions of openat2(2).
 */
#include "namei.h"

#define FAST_DEPTH 4
#define FAST_LINK_BYTES 256

int sysctl_protected_symlinks = 1, sysctl_protected_hardlinks = 1;

/* ---- names from user space ---- */
char *getname_flags(const char __user *u, int flags)
{
	char *n = kmalloc(PATH_MAX, GFP_KERNEL);
	long len;

	if (!n)
		return ERR_PTR(-ENOMEM);
	len = strncpy_from_user(n, u, PATH_MAX);
	if (len > 0 && len < PATH_MAX)
		return n;
	if (len == 0 && (flags & LOOKUP_EMPTY))
		return n;
	kfree(n);
	if (len < 0)
		return ERR_PTR(len);
	return ERR_PTR(len ? -ENAMETOOLONG : -ENOENT);
}

char *getname(const char __user *u)
{
	return getname_flags(u, 0);
}

void putname(char *n)
{
	if (!IS_ERR_OR_NULL(n))
		kfree(n);
}

/* fname_get: as getname(), without an allocation where the name is short. */
int fname_get(struct fname *f, const char __user *u, int flags)
{
	long n = strncpy_from_user(f->small, u, sizeof(f->small));

	f->name = f->small;
	if (likely(n > 0 && n < (long)sizeof(f->small)))
		return 0;
	if (n < 0)
		return n;
	if (n == 0)
		return flags & LOOKUP_EMPTY ? 0 : -ENOENT;
	f->name = getname_flags(u, flags);
	return PTR_ERR_OR_ZERO(f->name);
}

/* ---- the lock-free walk ---- */
static inline bool fast_exec_ok(const struct inode *i, umode_t mode)
{
	if (likely((mode & 0111) == 0111))
		return true;
	return READ_ONCE(i->i_uid) == current_fsuid() && (mode & 0100);
}

struct fast {
	struct path cur, root;
	struct inode *inode;
	unsigned seq, mseq, fseq;
	struct fs_struct *fs;
};

static inline bool fast_start(struct fast *w, const struct path *p)
{
	w->cur = *p;
	w->seq = d_seq_begin(w->cur.dentry);
	w->inode = READ_ONCE(w->cur.dentry->d_inode);
	smp_rmb();
	return !(w->seq & 1) && w->inode;
}

static bool fast_dotdot(struct fast *w)
{
	struct dentry *d = w->cur.dentry, *parent;
	unsigned seq;

	if (d == w->root.dentry && w->cur.mnt == w->root.mnt)
		return true;
	if (d == READ_ONCE(w->cur.mnt->mnt_root))
		return false;
	parent = READ_ONCE(d->d_parent);
	seq = d_seq_begin(parent);
	w->inode = READ_ONCE(parent->d_inode);
	if ((seq & 1) || d_seq_retry(d, w->seq) || !w->inode || READ_ONCE(parent->d_mounted))
		return false;
	w->cur.dentry = parent;
	w->seq = seq;
	return true;
}

/* Is w->inode a directory that may be searched? 1, 0: cannot say, -ENOTDIR */
static inline int fast_may_lookup(struct fast *w)
{
	const struct inode_operations *op = READ_ONCE(w->inode->i_op);
	umode_t mode = READ_ONCE(w->inode->i_mode);
	bool exec = fast_exec_ok(w->inode, mode);

	if (d_seq_retry(w->cur.dentry, w->seq))
		return 0;
	if (unlikely(!S_ISDIR(mode)))
		return -ENOTDIR;
	return exec && !op->permission;
}

/* Step to the child; *mode is its file type. 0, -ENOENT: known not to exist, -ECHILD */
static inline int fast_child(struct fast *w, struct fast *next, const char *name, unsigned len, u64 hash)
{
	const struct dentry_operations *op;
	struct dentry *c;

	next->cur.mnt = w->cur.mnt;
	c = __d_lookup_fast(w->cur.dentry, hash, name, len, &next->seq);
	if (!c)
		return -ECHILD;
	next->inode = READ_ONCE(c->d_inode);
	op = READ_ONCE(c->d_op);
	if (d_seq_retry(c, next->seq) || d_seq_retry(w->cur.dentry, w->seq))
		return -ECHILD;
	if (unlikely(op) && op->d_revalidate && !(op->d_fresh && op->d_fresh(c)))
		return -ECHILD;
	if (!next->inode)
		return -ENOENT;
	while (unlikely(READ_ONCE(c->d_mounted))) {
		struct mount *m = __lookup_mnt(next->cur.mnt, c);

		if (!m)
			break;
		next->cur.mnt = &m->mnt;
		c = READ_ONCE(m->mnt.mnt_root);
		next->seq = d_seq_begin(c);
		next->inode = READ_ONCE(c->d_inode);
		smp_rmb();
		if (READ_ONCE(mount_seq) != w->mseq || (next->seq & 1) || !next->inode)
			return -ECHILD;
	}
	next->cur.dentry = c;
	return 0;
}

/* Copy the body of the link n stands on to buf. Its length, or 0 when that is for the slow walk. */
static unsigned fast_readlink(struct fast *dir, struct fast *n, bool last, char *buf, unsigned room)
{
	const char *body = READ_ONCE(n->inode->i_link);
	u64 size = READ_ONCE(n->inode->i_size);

	if (d_seq_retry(n->cur.dentry, n->seq) || !body || !size || size + 9 > room)
		return 0;
	if ((n->cur.mnt->mnt_flags & MNT_NOSYMFOLLOW) || (last && (READ_ONCE(dir->inode->i_mode) & S_ISVTX)))
		return 0;
	memcpy(buf, body, size);
	memset(buf + size, 0, 8);
	return d_seq_retry(n->cur.dentry, n->seq) ? 0 : size;
}

static int fast_finish(struct fast *w, unsigned flags, struct path *out)
{
	if (flags & LOOKUP_DIRECTORY) {
		umode_t mode = READ_ONCE(w->inode->i_mode);

		if (d_seq_retry(w->cur.dentry, w->seq))
			return -ECHILD;
		if (!S_ISDIR(mode))
			return -ENOTDIR;
	}
	if (!legitimize_mnt(w->cur.mnt, w->mseq))
		return -ECHILD;
	if (!dget_not_dead(w->cur.dentry)) {
		mntput(w->cur.mnt);
		return -ECHILD;
	}
	if (d_seq_retry(w->cur.dentry, w->seq)) {
		path_put(&w->cur);
		return -ECHILD;
	}
	*out = w->cur;
	return 0;
}

static int fast_components(struct fast *w, const char *name, unsigned flags, struct path *out, struct qstr *last)
{
	const char *rest[FAST_DEPTH];
	char lbuf[FAST_LINK_BYTES];
	unsigned depth = 0, used = 0, links = 0;

	for (;;) {
		struct fast n;
		const char *end;
		unsigned len;
		bool is_last, slash;
		umode_t mode;
		u64 hash;
		int r;

		if (!*name) {
			if (!depth)
				return fast_finish(w, flags, out);
			name = rest[--depth];
		}
		r = fast_may_lookup(w);
		if (unlikely(r <= 0))
			return r ? r : -ECHILD;
		len = hash_component(name, &hash);
		end = name + len;
		slash = *end == '/';
		while (*end == '/')
			end++;
		is_last = !*end && !depth;
		if (unlikely(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))) {
			if (is_last && (flags & LOOKUP_PARENT))
				return -ECHILD;
			if (len == 2 && !fast_dotdot(w))
				return -ECHILD;
			name = end;
			continue;
		}
		if (unlikely(len > NAME_MAX))
			return -ECHILD;
		if (is_last && (flags & LOOKUP_PARENT)) {
			*last = (struct qstr){hash, len, name};
			return fast_finish(w, flags & ~LOOKUP_DIRECTORY, out);
		}
		if (unlikely(slash && is_last && (flags & LOOKUP_CREATE)))
			return -ECHILD; /* an error, whatever is there */
		r = fast_child(w, &n, name, len, hash);
		if (unlikely(r)) {
			if (r == -ENOENT && is_last && (flags & LOOKUP_CREATE))
				return -ECHILD;
			return r;
		}
		mode = READ_ONCE(n.inode->i_mode);
		if (unlikely(S_ISLNK(mode)) && (!is_last || slash || (flags & LOOKUP_FOLLOW))) {
			len = fast_readlink(w, &n, is_last, lbuf + used, sizeof(lbuf) - used);
			if (!len || depth == FAST_DEPTH || ++links > 8)
				return -ECHILD;
			if (*end)
				rest[depth++] = end;
			else if (slash && is_last)
				flags |= LOOKUP_DIRECTORY | LOOKUP_FOLLOW;
			name = lbuf + used;
			used += len + 1;
			if (*name == '/') {
				if (!fast_start(w, &w->root) || READ_ONCE(w->fs->seq) != w->fseq)
					return -ECHILD;
				while (*name == '/')
					name++;
			}
			continue;
		}
		if (d_seq_retry(n.cur.dentry, n.seq))
			return -ECHILD;
		if (slash && is_last)
			flags |= LOOKUP_DIRECTORY;
		w->cur = n.cur;
		w->seq = n.seq;
		w->inode = n.inode;
		name = end;
	}
}

/**
 * walk_fast - resolve @name without locks
 * @last: with LOOKUP_PARENT: the last component, not looked up
 *
 * 0 with references in @out; -ECHILD: use the slow walk; another error is the answer.
 */
int walk_fast(int dfd, const char *name, unsigned flags, struct path *out, struct qstr *last)
{
	struct fast w;
	struct fd f = {};
	int r = -ECHILD;

	w.mseq = smp_load_acquire(&mount_seq);
	w.fs = current_fs();
	w.fseq = smp_load_acquire(&w.fs->seq);
	if ((w.mseq & 1) || (w.fseq & 1) || (flags & LOOKUP_RESTRICTED) || !*name)
		return -ECHILD;
	w.root = w.fs->root;
	if (*name == '/') {
		while (*++name == '/')
			;
		if (!*name && (flags & LOOKUP_PARENT))
			return -ECHILD;
		if (!fast_start(&w, &w.root))
			return -ECHILD;
	} else if (dfd == AT_FDCWD) {
		if (!fast_start(&w, &w.fs->pwd))
			return -ECHILD;
	} else {
		f = fdget_raw(dfd);
		if (!f.file)
			return -EBADF;
		if (!fast_start(&w, &f.file->f_path))
			goto out;
	}
	if (READ_ONCE(w.fs->seq) == w.fseq)
		r = fast_components(&w, name, flags, out, last);
out:
	fdput(f);
	return r;
}

/* ---- the walk with references ---- */
static void set_root(struct nameidata *nd)
{
	if (!nd->root.mnt)
		get_fs_root(current_fs(), &nd->root);
}

void nd_init(struct nameidata *nd, int dfd, unsigned flags)
{
	nd->path = nd->root = (struct path){NULL, NULL};
	nd->flags = flags;
	nd->dfd = dfd;
	nd->depth = nd->total = 0;
	nd->jump_error = 0;
	nd->stack = nd->internal;
	nd->outer = current->nameidata;
	current->nameidata = nd;
}

static void put_link(struct nameidata *nd)
{
	struct nd_saved *s = &nd->stack[--nd->depth];

	do_delayed_call(&s->done);
	path_put(&s->link);
}

void nd_end(struct nameidata *nd)
{
	while (nd->depth)
		put_link(nd);
	if (nd->stack != nd->internal)
		kfree(nd->stack);
	if (nd->path.mnt)
		path_put(&nd->path);
	if (nd->root.mnt)
		path_put(&nd->root);
	current->nameidata = nd->outer;
}

const char *path_init(struct nameidata *nd, const char *name)
{
	nd->last_type = LAST_ROOT;
	if (*name == '/' && !(nd->flags & LOOKUP_IN_ROOT)) {
		if (nd->flags & LOOKUP_BENEATH)
			return ERR_PTR(-EXDEV);
		set_root(nd);
		nd->path = nd->root;
		path_get(&nd->path);
		return name;
	}
	if (nd->dfd == AT_FDCWD) {
		get_fs_pwd(current_fs(), &nd->path);
	} else {
		struct fd f = fdget_raw(nd->dfd);

		if (!f.file)
			return ERR_PTR(-EBADF);
		if (*name && !d_is_dir(f.file->f_path.dentry)) {
			fdput(f);
			return ERR_PTR(-ENOTDIR);
		}
		nd->path = f.file->f_path;
		path_get(&nd->path);
		fdput(f);
	}
	if (nd->flags & LOOKUP_IS_SCOPED) {
		nd->root = nd->path;
		path_get(&nd->root);
	}
	return name;
}

/* Continue at the root: an absolute link. */
static int nd_jump_root(struct nameidata *nd)
{
	if (nd->flags & LOOKUP_BENEATH)
		return -EXDEV;
	set_root(nd);
	if ((nd->flags & LOOKUP_NO_XDEV) && nd->path.mnt != nd->root.mnt)
		return -EXDEV;
	path_get(&nd->root);
	path_put(&nd->path);
	nd->path = nd->root;
	return 0;
}

void nd_jump_link(const struct path *p)
{
	struct nameidata *nd = current->nameidata;

	if (nd->flags & LOOKUP_NO_MAGICLINKS)
		nd->jump_error = -ELOOP;
	else if ((nd->flags & LOOKUP_NO_XDEV) && nd->path.mnt != p->mnt)
		nd->jump_error = -EXDEV;
	else if (nd->flags & LOOKUP_IS_SCOPED)
		nd->jump_error = -EXDEV;
	path_put(&nd->path);
	nd->path = *p;
}

static int d_revalidate(struct dentry *d, unsigned flags)
{
	if (unlikely(d->d_op) && d->d_op->d_revalidate)
		return d->d_op->d_revalidate(d, flags);
	return 1;
}

/* A cached, valid child of dir; NULL: none; ERR_PTR */
struct dentry *lookup_cached(struct dentry *dir, const struct qstr *name, unsigned flags)
{
	struct dentry *d = d_lookup(dir, name);
	int r;

	if (!d)
		return NULL;
	r = d_revalidate(d, flags);
	if (likely(r > 0))
		return d;
	if (!r)
		d_invalidate(d);
	dput(d);
	return r ? ERR_PTR(r) : NULL;
}

/* Ask the file system; dir's i_rwsem held. */
static struct dentry *lookup_real(struct dentry *dir, const struct qstr *name, unsigned flags)
{
	struct inode *i = dir->d_inode;
	struct dentry *d, *old;

	if (unlikely(i->i_flags & S_DEAD))
		return ERR_PTR(-ENOENT);
	if (unlikely(!i->i_op->lookup))
		return ERR_PTR(-ENOTDIR);
	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	d = d_alloc(dir, name);
	if (unlikely(!d))
		return ERR_PTR(-ENOMEM);
	old = i->i_op->lookup(i, d, flags);
	if (unlikely(old)) {
		dput(d);
		d = old;
	}
	return d;
}

/* __lookup_hash: cached or not; base's i_rwsem held. */
struct dentry *__lookup_hash(const struct qstr *name, struct dentry *base, unsigned flags)
{
	struct dentry *d = lookup_cached(base, name, flags);

	return d ? d : lookup_real(base, name, flags);
}

/* Unused names may take about an eighth of memory, less when it is short. No lock is held here. */
static inline void prune_names(void)
{
	long unused = atomic64_read(&nr_dentries_unused);

	if (unlikely(unused > (long)(totalram_pages / 4) || (unused > 1024 && nr_free_pages() < totalram_pages / 32)))
		shrink_dcache(64);
}

static struct dentry *lookup_slow(const struct qstr *name, struct dentry *dir, unsigned flags)
{
	struct dentry *d;

	prune_names();
	inode_lock(dir->d_inode);
	d = __lookup_hash(name, dir, flags);
	inode_unlock(dir->d_inode);
	return d;
}

static int follow_dotdot(struct nameidata *nd)
{
	struct dentry *parent;

	set_root(nd);
	for (;;) {
		if (nd->path.dentry == nd->root.dentry && nd->path.mnt == nd->root.mnt)
			return nd->flags & LOOKUP_BENEATH ? -EXDEV : 0;
		if (nd->path.dentry != nd->path.mnt->mnt_root)
			break;
		if (real_mount(nd->path.mnt)->mnt_parent == real_mount(nd->path.mnt))
			return nd->flags & LOOKUP_BENEATH ? -EXDEV : 0;
		if (nd->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
		if (!follow_up(&nd->path))
			return 0;
	}
	parent = dget_parent(nd->path.dentry);
	dput(nd->path.dentry);
	nd->path.dentry = parent;
	if (parent->d_mounted && path_is_mountpoint(&nd->path)) {
		if (nd->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
		follow_down(&nd->path);
	}
	return 0;
}

static int may_follow_link(struct nameidata *nd, const struct inode *link)
{
	const struct inode *dir = nd->path.dentry->d_inode;

	if (!sysctl_protected_symlinks || current_fsuid() == link->i_uid)
		return 0;
	if ((dir->i_mode & (S_ISVTX | 02)) != (S_ISVTX | 02) || dir->i_uid == link->i_uid)
		return 0;
	return -EACCES;
}

static int nd_reserve(struct nameidata *nd)
{
	struct nd_saved *s;

	if (nd->total++ >= MAXSYMLINKS)
		return -ELOOP;
	if (nd->depth < ND_INTERNAL || nd->stack != nd->internal)
		return 0;
	s = kmalloc(MAXSYMLINKS * sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	memcpy(s, nd->internal, sizeof(nd->internal));
	nd->stack = s;
	return 0;
}

/* Enter the link (a path whose references are taken over). The body to go on with, NULL: nothing
 * more, ERR_PTR */
static const char *pick_link(struct nameidata *nd, struct path *link, int flags)
{
	struct inode *i = link->dentry->d_inode;
	struct nd_saved *s;
	const char *body;
	int r = nd_reserve(nd);

	if (r)
		goto err;
	if (flags & WALK_TRAILING) {
		r = may_follow_link(nd, i);
		if (r)
			goto err;
	}
	r = -ELOOP;
	if ((nd->flags & LOOKUP_NO_SYMLINKS) || (link->mnt->mnt_flags & MNT_NOSYMFOLLOW))
		goto err;
	s = &nd->stack[nd->depth++];
	s->link = *link;
	s->done = (struct delayed_call){NULL, NULL};
	s->name = NULL;
	touch_atime(link);
	body = i->i_link;
	if (!body) {
		if (!i->i_op->get_link)
			return ERR_PTR(-ELOOP);
		body = i->i_op->get_link(link->dentry, i, &s->done);
		if (nd->jump_error)
			return ERR_PTR(nd->jump_error);
		if (IS_ERR(body))
			return body;
	}
	if (body && *body == '/') {
		r = nd_jump_root(nd);
		if (r)
			return ERR_PTR(r);
		while (*body == '/')
			body++;
	}
	if (body && *body)
		return body;
	put_link(nd);
	return NULL;
err:
	path_put(link);
	return ERR_PTR(r);
}

/* Go to the child (a reference of ours is taken over): across mounts, into links. */
const char *step_into(struct nameidata *nd, int flags, struct dentry *d)
{
	struct path p = {nd->path.mnt, d};

	if (unlikely(d->d_mounted)) {
		mntget(p.mnt);
		if (follow_down(&p)) {
			if (nd->flags & LOOKUP_NO_XDEV) {
				path_put(&p);
				return ERR_PTR(-EXDEV);
			}
		} else {
			mntput(p.mnt);
		}
	}
	if (d_is_negative(p.dentry)) {
		dput(p.dentry);
		if (p.mnt != nd->path.mnt)
			mntput(p.mnt);
		return ERR_PTR(-ENOENT);
	}
	if (unlikely(d_is_symlink(p.dentry)) && (!(flags & WALK_TRAILING) || (nd->flags & LOOKUP_FOLLOW))) {
		if (p.mnt == nd->path.mnt)
			mntget(p.mnt);
		return pick_link(nd, &p, flags);
	}
	dput(nd->path.dentry);
	if (p.mnt != nd->path.mnt)
		mntput(nd->path.mnt);
	nd->path = p;
	return NULL;
}

const char *walk_component(struct nameidata *nd, int flags)
{
	struct dentry *d;

	if (unlikely(nd->last_type != LAST_NORM)) {
		if (!(flags & WALK_MORE) && nd->depth)
			put_link(nd);
		return nd->last_type == LAST_DOTDOT ? ERR_PTR(follow_dotdot(nd)) : NULL;
	}
	d = lookup_cached(nd->path.dentry, &nd->last, nd->flags);
	if (!d)
		d = lookup_slow(&nd->last, nd->path.dentry, nd->flags);
	if (IS_ERR(d))
		return ERR_CAST(d);
	if (!(flags & WALK_MORE) && nd->depth)
		put_link(nd);
	return step_into(nd, flags, d);
}

/**
 * link_path_walk - walk all components of @name but the last, which ends in nd->last and
 * nd->last_type
 *
 * A component may be a link: its body is walked first, then what was left.
 */
int link_path_walk(const char *name, struct nameidata *nd)
{
	int depth = 0, r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	while (*name == '/')
		name++;
	if (!*name)
		return 0;
	for (;;) {
		const char *link;
		unsigned len;

		r = inode_permission(nd->path.dentry->d_inode, MAY_EXEC);
		if (r)
			return r;
		len = hash_component(name, &nd->last.hash);
		nd->last.name = name;
		nd->last.len = len;
		nd->last_type = LAST_NORM;
		if (name[0] == '.' && len == 1)
			nd->last_type = LAST_DOT;
		else if (name[0] == '.' && len == 2 && name[1] == '.')
			nd->last_type = LAST_DOTDOT;
		name += len;
		while (*name == '/')
			name++;
		if (*name) {
			link = walk_component(nd, WALK_MORE);
		} else {
			if (!depth)
				return 0;
			name = nd->stack[--depth].name;
			link = walk_component(nd, 0);
		}
		if (link) {
			if (IS_ERR(link))
				return PTR_ERR(link);
			nd->stack[depth++].name = name;
			name = link;
			continue;
		}
		if (!d_is_dir(nd->path.dentry))
			return -ENOTDIR;
	}
}

/* complete_walk: has a restricted walk stayed inside? */
int complete_walk(struct nameidata *nd)
{
	struct path p;
	bool inside;

	if (!(nd->flags & LOOKUP_IS_SCOPED))
		return 0;
	p = nd->path;
	path_get(&p);
	while (p.mnt != nd->root.mnt && follow_up(&p))
		;
	inside = p.mnt == nd->root.mnt && is_subdir(p.dentry, nd->root.dentry);
	path_put(&p);
	return inside ? 0 : -EXDEV;
}

static const char *lookup_last(struct nameidata *nd)
{
	if (nd->last_type == LAST_NORM && nd->last.name[nd->last.len])
		nd->flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
	return walk_component(nd, WALK_TRAILING);
}

static int path_lookupat(int dfd, const char *name, unsigned flags, struct path *out)
{
	struct nameidata nd;
	const char *s;
	int r;

	nd_init(&nd, dfd, flags);
	s = path_init(&nd, name);
	while (!(r = link_path_walk(s, &nd)) && (s = lookup_last(&nd)) != NULL)
		;
	if (!r)
		r = complete_walk(&nd);
	if (!r && (nd.flags & LOOKUP_DIRECTORY) && !d_is_dir(nd.path.dentry))
		r = -ENOTDIR;
	if (!r) {
		*out = nd.path;
		nd.path = (struct path){NULL, NULL};
	}
	nd_end(&nd);
	return r;
}

int kern_path_at(int dfd, const char *name, unsigned flags, struct path *p)
{
	int r = walk_fast(dfd, name, flags & ~LOOKUP_PARENT, p, NULL);

	if (r != -ECHILD)
		return r;
	r = path_lookupat(dfd, name, flags, p);
	if (r == -ESTALE)
		r = path_lookupat(dfd, name, flags | LOOKUP_REVAL, p);
	return r;
}

int kern_path(const char *name, unsigned flags, struct path *p)
{
	return kern_path_at(AT_FDCWD, name, flags, p);
}

int fname_path(int dfd, const char __user *u, unsigned flags, struct path *p)
{
	struct fname f;
	int r = fname_get(&f, u, flags);

	if (!r) {
		r = kern_path_at(dfd, f.name, flags, p);
		fname_put(&f);
	}
	return r;
}

int user_path_at(int dfd, const char __user *name, unsigned flags, struct path *p)
{
	return fname_path(dfd, name, flags, p);
}

/**
 * path_parent - the directory that holds (or would hold) the last component of @name
 * @last: name points into @name @type: LAST_*
 */
int path_parent(int dfd, const char *name, unsigned flags, struct path *parent, struct qstr *last, int *type)
{
	struct nameidata nd;
	int r = walk_fast(dfd, name, flags | LOOKUP_PARENT, parent, last);

	*type = LAST_NORM;
	if (r != -ECHILD)
		return r;
	nd_init(&nd, dfd, flags | LOOKUP_PARENT);
	r = link_path_walk(path_init(&nd, name), &nd);
	if (!r)
		r = complete_walk(&nd);
	if (!r) {
		*parent = nd.path;
		nd.path = (struct path){NULL, NULL};
		*last = nd.last;
		*type = nd.last_type;
	}
	nd_end(&nd);
	return r;
}

struct dentry *lookup_one_len(const char *name, struct dentry *base, int len)
{
	struct qstr q = qstr_init(name, len);

	if (!len || memchr(name, '/', len))
		return ERR_PTR(-EACCES);
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return ERR_PTR(-EACCES);
	return __lookup_hash(&q, base, 0);
}
