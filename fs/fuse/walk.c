// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE directories: listing them before they are asked for.
 *
 * DOC: the next directory of a walk
 *
 * find, tar, cp -r, grep -r and du go down first and in the order of the listings, so once a directory has been listed the next ones are
 * known: its own subdirectories, then those behind it in its parent, and so on upwards. Where the last guess was right,
 * READDIRPLUS of the next few is sent, and the server works on them while the walker works on this one.
 *
 * Such a request (struct fuse_ahead) hangs on the directory's inode. Who lists the directory takes it, waits for it if need be, and goes on behind
 * what it brought. One that nobody took for a second is too old: then, or when the inode goes or its place is needed, the
 * lookups that it brought are given back. Only on read-only shares.
 *
 * fc->walk_lock protects fi->ahead and fc->aheads, the list of those there are, in the order of sending.
 */
#include "fuse_i.h"
#include <husk/mm.h>

#define WALK_NEXT 2		 /* directories ahead */
#define WALK_MOST 4		 /* requests under way or not taken */
#define WALK_STALE_NS 50000000	 /* not taken for that long: its place may be taken */
#define WALK_VALID_NS 1000000000 /* not taken for that long: not believed */
#define WALK_HEAT_MAX 4
#define WALK_UP 8	 /* levels looked at for the next directory */
#define WALK_RECORDS 512 /* records looked at in each, beyond where it is expected */
#define WALK_RING_SPARE 64

static void ahead_free(struct fuse_ahead *a)
{
	if (a->req)
		fuse_put_req(a->req);
	for (unsigned long k = a->used; k < a->npages; k++)
		put_page(a->pages + k);
	kvfree(a->buf);
	kfree(a);
}

/* Have small files come along, where files are read one after the other. */
static void ahead_ask_data(struct fuse_conn *fc, struct fuse_ahead *a)
{
	a->pages = fuse_prefetch_room(fc, &a->npages);
	if (!a->pages)
		return;
	((struct fuse_read_in *)a->req->in.args)->read_flags |= HOSTIF_FUSE_READDIR_DATA;
	a->seg[0] = a->req->one;
	a->seg[1] = (struct vq_buf){page_address(a->pages), a->npages << PAGE_SHIFT};
	a->req->data = a->seg;
	a->req->ndata = 2;
}

static struct fuse_ahead *ahead_alloc(struct fuse_conn *fc, struct inode *dir, bool all)
{
	struct fuse_ahead *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return NULL;
	a->dir = dir;
	a->all = all;
	a->version = fuse_attr_version(fc);
	a->sent_ns = ktime_get_ns();
	a->buf = kvmalloc(FUSE_AHEAD_BUF, GFP_KERNEL);
	if (a->buf)
		a->req = fuse_readdir_req(fc, dir, 0, all, a->buf, FUSE_AHEAD_BUF);
	if (!a->req) {
		ahead_free(a);
		return NULL;
	}
	if (all)
		ahead_ask_data(fc, a);
	return a;
}

int fuse_ahead_wait(struct fuse_conn *fc, struct fuse_ahead *a, u32 *len)
{
	int err = fuse_send_finish(fc, a->req, a->err);

	*len = fuse_data_len(a->req);
	return err;
}

void fuse_ahead_drop(struct fuse_conn *fc, struct fuse_ahead *a)
{
	u32 len;

	if (!a)
		return;
	if (!fuse_ahead_wait(fc, a, &len))
		fuse_forget_entries(fc, a->buf, len);
	ahead_free(a);
}

void fuse_ahead_done(struct fuse_ahead *a, unsigned long used)
{
	a->used = used;
	ahead_free(a);
}

/* Take it off its directory. walk_lock held. */
static void ahead_detach(struct fuse_conn *fc, struct fuse_ahead *a)
{
	get_fuse_inode(a->dir)->ahead = NULL;
	list_del(&a->node);
	fc->naheads--;
}

struct fuse_ahead *fuse_ahead_take(struct fuse_conn *fc, struct inode *dir)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_ahead *a;

	if (likely(!READ_ONCE(fi->ahead)))
		return NULL;
	spin_lock(&fc->walk_lock);
	a = fi->ahead;
	if (a)
		ahead_detach(fc, a);
	spin_unlock(&fc->walk_lock);
	if (a && ktime_get_ns() - a->sent_ns > WALK_VALID_NS) {
		fuse_ahead_drop(fc, a);
		return NULL;
	}
	return a;
}

/* Is there room for another one? If only by giving up an old one, which is *old. */
static bool ahead_room(struct fuse_conn *fc, struct fuse_ahead **old)
{
	bool room = true;

	*old = NULL;
	spin_lock(&fc->walk_lock);
	if (fc->naheads >= WALK_MOST) {
		*old = list_first_entry(&fc->aheads, struct fuse_ahead, node);
		room = ktime_get_ns() - (*old)->sent_ns > WALK_STALE_NS;
		if (room)
			ahead_detach(fc, *old);
		else
			*old = NULL;
	}
	spin_unlock(&fc->walk_lock);
	return room;
}

/* Hang it on its directory; false: there is one already */
static bool ahead_attach(struct fuse_conn *fc, struct fuse_ahead *a)
{
	struct fuse_inode *fi = get_fuse_inode(a->dir);
	bool ok;

	spin_lock(&fc->walk_lock);
	ok = !fi->ahead;
	if (ok) {
		fi->ahead = a;
		list_add_tail(&a->node, &fc->aheads);
		fc->naheads++;
	}
	spin_unlock(&fc->walk_lock);
	return ok;
}

static bool ahead_send(struct fuse_conn *fc, struct inode *dir, bool all)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_ahead *a, *old;

	if (READ_ONCE(fi->ahead) || READ_ONCE(fi->listing))
		return true;
	if (virtqueue_num_free(fc->vq) < WALK_RING_SPARE || !ahead_room(fc, &old))
		return false;
	fuse_ahead_drop(fc, old);
	a = ahead_alloc(fc, dir, all);
	if (!a)
		return false;
	a->err = fuse_send_start(fc, a->req, 0);
	if (!ahead_attach(fc, a))
		fuse_ahead_drop(fc, a);
	return true;
}

/* ---- which directories come next ---- */

struct walk {
	struct inode *next[WALK_NEXT]; /* each with a reference */
	unsigned n;
};

/* Subdirectories of d from record `at` on that nobody has listed yet. */
static void add_dirs(struct walk *w, struct dentry *d, const struct fuse_listing *l, u32 at)
{
	for (unsigned k = 0; at < l->len && k < WALK_RECORDS && w->n < WALK_NEXT; at = fuse_record_after(l, at), k++) {
		struct qstr q = fuse_record_name(l, at);
		struct dentry *child;

		if (fuse_record_type(l, at) != DT_DIR || fuse_is_dots(q.name, q.len))
			continue;
		child = d_lookup(d, &q);
		if (!child)
			continue;
		if (d_is_dir(child) && child->d_sb == d->d_sb && !READ_ONCE(get_fuse_inode(d_inode(child))->listing))
			w->next[w->n++] = igrab(d_inode(child));
		if (w->n && !w->next[w->n - 1])
			w->n--;
		dput(child);
	}
}

/* Behind the record of that name in d's listing, or beyond the end. */
static u32 behind_record(struct inode *dir, const struct fuse_listing *l, const struct qstr *name)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	u32 at = READ_ONCE(fi->walk_at);

	if (at >= l->len || READ_ONCE(fi->walk_version) != READ_ONCE(fi->listing_version))
		at = 0;
	for (unsigned k = 0; at < l->len; at = fuse_record_after(l, at), k++) {
		if (fuse_record_is(l, at, name)) {
			WRITE_ONCE(fi->walk_at, at);
			WRITE_ONCE(fi->walk_version, READ_ONCE(fi->listing_version));
			return fuse_record_after(l, at);
		}
		if (k == 4 * WALK_RECORDS)
			break;
	}
	WRITE_ONCE(fi->walk_at, 0);
	return ~0u;
}

static void find_next(struct walk *w, struct dentry *d, const struct fuse_listing *l)
{
	struct dentry *at = dget(d);

	add_dirs(w, d, l, 0);
	for (unsigned up = 0; w->n < WALK_NEXT && up < WALK_UP && !IS_ROOT(at); up++) {
		struct dentry *parent = dget_parent(at);
		struct inode *dir = d_inode(parent);
		struct fuse_listing *pl = dir ? fuse_get_fresh_listing(dir) : NULL;

		if (pl)
			add_dirs(w, parent, pl, behind_record(dir, pl, &at->d_name));
		fuse_put_listing(pl);
		dput(at);
		at = parent;
		if (!pl)
			break;
	}
	dput(at);
}

void fuse_walk_on(struct fuse_conn *fc, struct dentry *d, const struct fuse_listing *l)
{
	struct walk w = {.n = 0};
	bool all = fc->stat_heat > 0;

	if (!fc->readonly || fc->no_plus)
		return;
	if (fc->walk_guess == get_node_id(d_inode(d)))
		fc->walk_heat = min(fc->walk_heat + 1, WALK_HEAT_MAX);
	else if (fc->walk_heat > 0)
		fc->walk_heat--;
	find_next(&w, d, l);
	fc->walk_guess = w.n ? get_node_id(w.next[0]) : 0;
	for (unsigned k = 0; k < w.n && fc->walk_heat > 0; k++)
		if (!ahead_send(fc, w.next[k], all))
			break;
	for (unsigned k = 0; k < w.n; k++)
		iput(w.next[k]);
}
