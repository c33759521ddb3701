// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE directories: listing them.
 *
 * DOC: listings
 *
 * A directory is read whole, into a struct fuse_listing that stays with the inode until the directory
 * changes (by us, or by its mtime when the attributes are fetched anew). So reading it again costs no
 * request, and an open directory that is being read keeps the listing it began with, which makes
 * deletions in between harmless, and positions plain offsets.
 *
 * READDIRPLUS brings inodes and dentries along. They cost both sides about ten times what a bare name
 * costs, so normally only subdirectories are asked for (whoever walks a tree looks those up next).
 * If lookups of other entries follow (ls -l, tar, grep -r), the second one fetches the whole
 * directory with attributes, and for a while (stat_heat) listings are fetched like that at once.
 */
#include "fuse_i.h"

#define FUSE_READDIR_BUF (64 * 1024)

struct fuse_dir_file {
	struct fuse_listing *listing;
	u32 next; /* where the last call stopped: a record's start */
};

struct fuse_reader {
	struct fuse_conn *fc;
	struct inode *dir;
	struct dentry *parent;
	struct fuse_listing *l;
	u32 cap;
	u64 offset; /* the server's cookie */
	u64 version;
	bool plus, eof;
	struct fuse_ahead *data; /* has data of the entries' files, from page data_at on */
	unsigned long data_at;
};

void fuse_put_listing(struct fuse_listing *l)
{
	if (l && refcount_dec_and_test(&l->refs))
		kvfree(l);
}

void fuse_drop_listing(struct inode *dir)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l, *names;

	spin_lock(&dir->i_lock);
	l = fi->listing;
	names = fi->names;
	fi->listing = fi->names = NULL;
	fi->listing_version++;
	fi->misses = fi->absents = 0;
	clear_bit(FUSE_I_LARGE_DIR, &fi->state);
	clear_bit(FUSE_I_PRIMED, &fi->state);
	spin_unlock(&dir->i_lock);
	fuse_put_listing(l);
	fuse_put_listing(names);
}

struct fuse_listing *fuse_get_fresh_listing(struct inode *dir)
{
	struct fuse_listing *l;

	spin_lock(&dir->i_lock);
	l = get_fuse_inode(dir)->listing;
	if (l)
		refcount_inc(&l->refs);
	spin_unlock(&dir->i_lock);
	return l;
}

static int fuse_add_record(struct fuse_reader *r, u64 ino, unsigned type, const char *name, u32 len)
{
	struct fuse_listing *l = r->l;
	char *p;

	if (!l || l->len + FUSE_REC_HEAD + len > r->cap) {
		u32 cap = r->cap ? r->cap * 2 : 1024 - sizeof(*l);

		if (cap > (1u << 29))
			return -ENOMEM;
		l = krealloc(l, sizeof(*l) + cap, GFP_KERNEL);
		if (!l)
			return -ENOMEM;
		if (!r->l)
			*l = (struct fuse_listing){.refs = REFCOUNT_INIT(1)};
		r->l = l;
		r->cap = cap;
	}
	p = l->data + l->len;
	memcpy(p, &ino, sizeof(ino));
	p[8] = type;
	p[9] = len;
	memcpy(p + FUSE_REC_HEAD, name, len);
	l->len += FUSE_REC_HEAD + len;
	l->entries++;
	return 0;
}

/* The pages that came with a file are its, or nobody's. */
static void fuse_take_data(struct fuse_reader *r, const struct fuse_entry_out *e, struct inode *i)
{
	struct fuse_ahead *a = r->data;
	unsigned long n = DIV_ROUND_UP(e->attr.size, PAGE_SIZE), at = r->data_at;

	if (!a || e->attr.size > HOSTIF_FUSE_DATA_MOST || n > a->npages - at)
		return;
	r->data_at += n;
	if (i)
		fuse_adopt_pages(i, a->pages + at, n, !at);
	else
		for (unsigned long k = 0; k < n; k++)
			put_page(a->pages + at + k);
}

/* Put an entry that came with its attributes into the dentry cache. */
static void fuse_link_entry(struct fuse_reader *r, const struct fuse_entry_out *e, const char *name, u32 len)
{
	struct qstr q = qstr_init(name, len);
	struct dentry *d, *alias;
	struct inode *i;
	u64 deadline;

	if (e->nodeid == FUSE_ROOT_ID || !fuse_valid_type(e->attr.mode) || fuse_is_dots(name, len)) {
		fuse_queue_forget(r->fc, e->nodeid, 1, false);
		return;
	}
	i = fuse_iget(r->dir->i_sb, e, r->version);
	if (e->attr.flags & HOSTIF_FUSE_ATTR_DATA)
		fuse_take_data(r, e, i);
	if (!i)
		return;
	deadline = fuse_deadline(r->fc, e->entry_valid, e->entry_valid_nsec);
	d = d_lookup(r->parent, &q);
	if (d && d_inode(d) == i) {
		d->d_time = deadline;
		iput(i);
		dput(d);
		return;
	}
	if (d) {
		d_invalidate(d);
		dput(d);
	}
	d = d_alloc(r->parent, &q);
	if (!d) {
		iput(i);
		return;
	}
	alias = fuse_splice(r->dir, d, i, deadline);
	if (!IS_ERR_OR_NULL(alias))
		dput(alias);
	dput(d);
}

static int fuse_parse(struct fuse_reader *r, const char *buf, u32 len)
{
	u32 head = r->plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;

	if (!len)
		r->eof = true;
	while (len >= head) {
		const struct fuse_direntplus *dp = r->plus ? (void *)buf : NULL;
		const struct fuse_dirent *de = dp ? &dp->dirent : (void *)buf;
		u32 size = FUSE_REC_ALIGN(head + de->namelen);
		int err;

		if (!de->namelen) {
			r->eof = true;
			return 0;
		}
		if (de->namelen > NAME_MAX || size > len || memchr(de->name, '/', de->namelen))
			return -EIO;
		err = fuse_add_record(r, de->ino, de->type, de->name, de->namelen);
		if (err)
			return err;
		if (dp && dp->entry_out.nodeid)
			fuse_link_entry(r, &dp->entry_out, de->name, de->namelen);
		r->offset = de->off;
		buf += size;
		len -= size;
	}
	return 0;
}

void fuse_forget_entries(struct fuse_conn *fc, const char *buf, u32 len)
{
	const u32 head = FUSE_NAME_OFFSET_DIRENTPLUS;

	while (len >= head) {
		const struct fuse_direntplus *dp = (void *)buf;
		u32 size = FUSE_REC_ALIGN(head + dp->dirent.namelen);

		if (!dp->dirent.namelen || size > len)
			return;
		fuse_queue_forget(fc, dp->entry_out.nodeid, !!dp->entry_out.nodeid, false);
		buf += size;
		len -= size;
	}
}

static struct fuse_req *fuse_list_req(struct fuse_conn *fc, u32 opcode, struct inode *dir, u64 offset, u32 flags,
				      char *buf, u32 size)
{
	struct fuse_req *req = fuse_get_req(fc, opcode, get_node_id(dir));
	struct fuse_read_in *in;

	if (!req)
		return NULL;
	in = fuse_arg(req, sizeof(*in));
	in->offset = offset;
	in->size = size;
	in->read_flags = HOSTIF_FUSE_READDIR_EOF | flags;
	req->one = (struct vq_buf){buf, size};
	req->data = &req->one;
	req->ndata = 1;
	req->data_in = true;
	return req;
}

struct fuse_req *fuse_readdir_req(struct fuse_conn *fc, struct inode *dir, u64 offset, bool all, char *buf, u32 size)
{
	return fuse_list_req(fc, fc->no_plus ? FUSE_READDIR : FUSE_READDIRPLUS, dir, offset,
			     all ? 0 : HOSTIF_FUSE_READDIR_DIRS, buf, size);
}

static int fuse_read_once(struct fuse_reader *r, char *buf, bool all)
{
	struct fuse_req *req = fuse_readdir_req(r->fc, r->dir, r->offset, all, buf, FUSE_READDIR_BUF);
	u32 len;
	int err;

	if (!req)
		return -ENOMEM;
	r->version = fuse_attr_version(r->fc);
	err = fuse_send(r->fc, req, 0);
	len = fuse_data_len(req);
	fuse_put_req(req);
	return err ? err : fuse_parse(r, buf, len);
}

/* What was asked for in advance, if anything. 0 or -errno */
static int fuse_read_ahead_of(struct fuse_reader *r, bool *all)
{
	struct fuse_ahead *a = fuse_ahead_take(r->fc, r->dir);
	u32 len;
	int err;

	if (!a)
		return 0;
	if (*all && !a->all) {
		fuse_ahead_drop(r->fc, a);
		return 0;
	}
	*all = a->all;
	r->version = a->version;
	r->data = a;
	err = fuse_ahead_wait(r->fc, a, &len) ? 0 : fuse_parse(r, a->buf, len); /* who asks again gets the error */
	r->data = NULL;
	fuse_ahead_done(a, r->data_at);
	return err;
}

/* The rest, or all of it. 0 or -errno */
static int fuse_read_rest(struct fuse_reader *r, bool all)
{
	struct fuse_conn *fc = r->fc;
	char *buf = xchg(&fc->readdir_buf, NULL);
	int err = -ENOMEM;

	if (!buf)
		buf = kvmalloc(FUSE_READDIR_BUF, GFP_KERNEL);
	while (buf && !r->eof) {
		err = fuse_read_once(r, buf, all);
		if (err == -ENOSYS && r->plus && !r->l) {
			fc->no_plus = true;
			r->plus = false;
		} else if (err) {
			break;
		}
	}
	if (cmpxchg(&fc->readdir_buf, (char *)NULL, buf))
		kvfree(buf);
	return err;
}

static struct fuse_listing *fuse_fit(struct fuse_reader *r)
{
	struct fuse_listing *fit;

	if (!r->l)
		return kzalloc(sizeof(*fit), GFP_KERNEL);
	if (r->cap - r->l->len < r->cap / 4)
		return r->l;
	fit = kmemdup(r->l, sizeof(*fit) + r->l->len, GFP_KERNEL);
	if (!fit)
		return r->l;
	kvfree(r->l);
	return fit;
}

struct fuse_listing *fuse_list_names(struct inode *dir, u32 size)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	struct fuse_reader r = {.fc = fc, .dir = dir};
	char *buf = kvmalloc(size, GFP_KERNEL);
	struct fuse_req *req = buf ? fuse_list_req(fc, FUSE_READDIR, dir, 0, 0, buf, size) : NULL;
	int err = -ENOMEM;

	if (req) {
		err = fuse_send(fc, req, 0);
		if (!err)
			err = fuse_parse(&r, buf, fuse_data_len(req));
		fuse_put_req(req);
	}
	kvfree(buf);
	if (!err && r.eof) {
		r.l = fuse_fit(&r);
		if (!r.l)
			return ERR_PTR(-ENOMEM);
		refcount_set(&r.l->refs, 1);
		return r.l;
	}
	kvfree(r.l);
	return err ? ERR_PTR(err) : NULL;
}

static void fuse_publish(struct fuse_reader *r, u32 version, bool primed)
{
	struct fuse_inode *fi = get_fuse_inode(r->dir);
	struct fuse_listing *old = NULL;

	spin_lock(&r->dir->i_lock);
	if (fi->listing_version == version) {
		old = fi->listing;
		fi->listing = r->l;
		fi->listing_version++; /* positions remembered elsewhere are not this one's */
		refcount_inc(&r->l->refs);
		if (primed)
			set_bit(FUSE_I_PRIMED, &fi->state);
	}
	spin_unlock(&r->dir->i_lock);
	fuse_put_listing(old);
}

/* Read the whole directory. readdir_lock held. Returns a reference. */
static struct fuse_listing *fuse_fetch_listing(struct inode *dir, struct dentry *parent, bool all)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	struct fuse_reader r = {.fc = fc, .dir = dir, .parent = parent, .plus = !fc->no_plus};
	u32 version = READ_ONCE(get_fuse_inode(dir)->listing_version);
	int err = fuse_read_ahead_of(&r, &all);

	if (!err && !r.eof)
		err = fuse_read_rest(&r, all);
	if (err) {
		kvfree(r.l);
		return ERR_PTR(err);
	}
	r.l = fuse_fit(&r);
	if (!r.l)
		return ERR_PTR(-ENOMEM);
	refcount_set(&r.l->refs, 1);
	fuse_publish(&r, version, all && r.plus);
	return r.l;
}

void fuse_prime_dir(struct inode *dir, struct dentry *parent)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l = NULL;

	mutex_lock(&fi->readdir_lock);
	if (!test_bit(FUSE_I_PRIMED, &fi->state))
		l = fuse_fetch_listing(dir, parent, true);
	mutex_unlock(&fi->readdir_lock);
	if (!IS_ERR(l))
		fuse_put_listing(l);
}

bool fuse_has_files(const struct fuse_listing *l)
{
	for (u32 at = 0; at < l->len; at = fuse_record_after(l, at))
		if (fuse_record_type(l, at) != DT_DIR)
			return true;
	return false;
}

/* The directory's listing, fetched if there is no fresh one. A reference, or ERR_PTR. */
static struct fuse_listing *fuse_get_listing(struct inode *dir, struct dentry *parent)
{
	struct fuse_conn *fc = get_fuse_conn(dir);
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l;
	bool all;
	int err;

	if (!fuse_attr_fresh(dir)) {
		err = fuse_update_attr(dir);
		if (err)
			return ERR_PTR(err);
	}
	mutex_lock(&fi->readdir_lock);
	l = fuse_get_fresh_listing(dir);
	if (!l) {
		all = fc->stat_heat > 0;
		l = fuse_fetch_listing(dir, parent, all);
		if (!IS_ERR(l)) {
			if (all && fuse_has_files(l))
				fc->stat_heat--;
			if (test_bit(FUSE_I_PRIMED, &fi->state))
				fuse_prefetch_listed(fc, parent, l, READ_ONCE(fi->listing_version));
			fuse_walk_on(fc, parent, l);
		}
	}
	mutex_unlock(&fi->readdir_lock);
	return l;
}

/* Is pos a record's start? Only asked after a seek. */
static bool fuse_valid_pos(struct fuse_listing *l, u64 pos)
{
	u32 at = 0;

	while (at < pos && at < l->len)
		at = fuse_record_after(l, at);
	return at == pos;
}

static int fuse_emit(struct fuse_listing *l, struct dir_context *ctx)
{
	u32 at = ctx->pos;

	while (at < l->len) {
		const char *p = l->data + at;
		u64 ino;
		u8 len = p[9];

		memcpy(&ino, p, sizeof(ino));
		if (!dir_emit(ctx, p + FUSE_REC_HEAD, len, ino, (u8)p[8]))
			break;
		at += FUSE_REC_HEAD + len;
		ctx->pos = at;
	}
	return 0;
}

static int fuse_readdir(struct file *f, struct dir_context *ctx)
{
	struct fuse_dir_file *df = f->private_data;
	struct fuse_listing *l;
	int err;

	if (!df) {
		df = kzalloc(sizeof(*df), GFP_KERNEL);
		if (!df)
			return -ENOMEM;
		f->private_data = df;
	}
	if (!df->listing || ctx->pos == 0) {
		l = fuse_get_listing(file_inode(f), file_dentry(f));
		if (IS_ERR(l))
			return PTR_ERR(l);
		fuse_put_listing(df->listing);
		df->listing = l;
		df->next = 0;
	}
	l = df->listing;
	if (ctx->pos != df->next && (ctx->pos < 0 || ctx->pos >= l->len || !fuse_valid_pos(l, ctx->pos)))
		return 0;
	err = fuse_emit(l, ctx);
	df->next = ctx->pos;
	return err;
}

static int fuse_dir_open(struct inode *i, struct file *f)
{
	return fuse_open_common(i, f, true);
}

static int fuse_dir_release(struct inode *i, struct file *f)
{
	struct fuse_dir_file *df = f->private_data;

	if (df) {
		fuse_put_listing(df->listing);
		kfree(df);
	}
	return 0;
}

static int fuse_dir_fsync(struct file *f, loff_t start, loff_t end, int datasync)
{
	struct inode *i = file_inode(f);
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req;
	struct fuse_fsync_in *in;
	int err;

	if (fc->readonly || fc->no_fsyncdir)
		return 0;
	req = fuse_get_req(fc, FUSE_FSYNCDIR, get_node_id(i));
	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->fsync_flags = datasync ? FUSE_FSYNC_FDATASYNC : 0;
	err = fuse_send(fc, req, 0);
	fuse_put_req(req);
	if (err != -ENOSYS)
		return err;
	fc->no_fsyncdir = true;
	return 0;
}

const struct file_operations fuse_dir_operations = {
	.llseek = generic_file_llseek,
	.iterate_shared = fuse_readdir,
	.open = fuse_dir_open,
	.release = fuse_dir_release,
	.fsync = fuse_dir_fsync,
};
