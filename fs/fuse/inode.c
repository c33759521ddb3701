// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE inodes: identity, attributes and their lifetime, forgetting, the super block.
 *
 * DOC: attributes
 *
 * Every answer that carries attributes says how long they hold; until then stat(2) and permission
 * checks use the inode. A change of the server's mtime or size that was not our doing drops the cached
 * pages. Requests race with local writes: attr_version of the connection grows with each local change
 * of a size, is noted before a request is sent, and an answer older than the inode's last local change
 * does not touch the size.
 */
#include "fuse_i.h"

#define FUSE_SUPER_MAGIC 0x65735546

struct fuse_forget_batch {
	struct fuse_batch_forget_in head;
	struct fuse_forget_one one[FUSE_FORGET_BATCH];
};

static struct kmem_cache *fuse_inode_cache;

u64 fuse_deadline(struct fuse_conn *fc, u64 sec, u32 nsec)
{
	u64 ns = ktime_get_ns() - fc->ns0, now = fuse_clock(), ticks = now - fc->clock0;
	u64 per_ms = 2000000;

	if (ns > 10 * NSEC_PER_MSEC)
		per_ms = ticks / (ns / NSEC_PER_MSEC);
	sec = min_t(u64, sec, 1000000);
	return now + sec * 1000 * per_ms + nsec / 1000 * per_ms / 1000;
}

static struct inode *fuse_alloc_inode(struct super_block *sb)
{
	struct fuse_inode *fi = kmem_cache_zalloc(fuse_inode_cache, GFP_KERNEL);

	if (!fi)
		return NULL;
	mutex_init(&fi->readdir_lock);
	mutex_init(&fi->link_lock);
	return &fi->inode;
}

static void fuse_free_inode(struct inode *i)
{
	kmem_cache_free(fuse_inode_cache, get_fuse_inode(i));
}

static struct timespec64 fuse_time(u64 sec, u32 nsec)
{
	return (struct timespec64){sec, nsec < NSEC_PER_SEC ? nsec : 0};
}

static bool same_time(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Everything but the size. i_lock held. */
static void fuse_copy_attr(struct inode *i, const struct fuse_attr *a)
{
	i->i_ino = a->ino;
	i->i_mode = (i->i_mode & S_IFMT) | (a->mode & 07777);
	i->i_nlink = a->nlink;
	i->i_uid = a->uid;
	i->i_gid = a->gid;
	i->i_blocks = a->blocks;
	i->i_atime = fuse_time(a->atime, a->atimensec);
	i->i_mtime = fuse_time(a->mtime, a->mtimensec);
	i->i_ctime = fuse_time(a->ctime, a->ctimensec);
	i->i_blkbits = a->blksize && is_power_of_2(a->blksize) ? ilog2(a->blksize) : PAGE_SHIFT;
}

/* Cached data does not match the server's any more. */
static void fuse_drop_data(struct inode *i, loff_t old_size)
{
	if (S_ISREG(i->i_mode)) {
		if (i_size_read(i) < old_size)
			truncate_pagecache(i, i_size_read(i));
		invalidate_inode_pages(i->i_mapping);
	} else if (S_ISDIR(i->i_mode)) {
		fuse_drop_listing(i);
	}
}

void fuse_change_attr(struct inode *i, const struct fuse_attr *a, u64 deadline, u64 attr_version)
{
	struct fuse_inode *fi = get_fuse_inode(i);
	struct timespec64 old_mtime;
	loff_t old_size;
	bool foreign;

	spin_lock(&i->i_lock);
	if (fi->attr_version > attr_version) { /* overtaken by a local change: leave it to the next request */
		spin_unlock(&i->i_lock);
		return;
	}
	old_mtime = i->i_mtime;
	old_size = i->i_size;
	fuse_copy_attr(i, a);
	if (!S_ISREG(i->i_mode) || !i->i_mapping->nrdirty || a->size > old_size)
		i_size_write(i, a->size);
	foreign = !test_bit(FUSE_I_MTIME_OURS, &fi->state) &&
		  (!same_time(&old_mtime, &i->i_mtime) || old_size != i->i_size);
	clear_bit(FUSE_I_MTIME_OURS, &fi->state);
	clear_bit(FUSE_I_NO_XATTR, &fi->state);
	WRITE_ONCE(fi->attr_deadline, deadline);
	spin_unlock(&i->i_lock);
	if (foreign)
		fuse_drop_data(i, old_size);
}

void fuse_size_changed(struct inode *i, loff_t size, bool grow_only)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_inode *fi = get_fuse_inode(i);

	spin_lock(&i->i_lock);
	fi->attr_version = __atomic_add_fetch(&fc->attr_version, 1, __ATOMIC_SEQ_CST);
	if (!grow_only || size > i->i_size)
		i_size_write(i, size);
	set_bit(FUSE_I_MTIME_OURS, &fi->state);
	fuse_invalidate_attr(i);
	spin_unlock(&i->i_lock);
}

static void fuse_init_inode(struct inode *i, const struct fuse_attr *a)
{
	struct fuse_conn *fc = get_fuse_conn(i);

	i->i_mode = a->mode;
	i->i_flags |= S_NOATIME;
	fuse_copy_attr(i, a);
	i_size_write(i, a->size);
	i->i_generation = get_fuse_inode(i)->nodeid >> 32;
	switch (a->mode & S_IFMT) {
	case S_IFREG:
		i->i_op = &fuse_file_inode_operations;
		i->i_fop = fc->readonly ? &fuse_ro_file_operations : &fuse_file_operations;
		i->i_mapping->a_ops = &fuse_aops;
		i->i_mapping->immutable = fc->readonly;
		break;
	case S_IFDIR:
		i->i_op = &fuse_dir_inode_operations;
		i->i_fop = &fuse_dir_operations;
		break;
	case S_IFLNK:
		i->i_op = &fuse_symlink_inode_operations;
		break;
	default:
		i->i_op = &fuse_special_inode_operations;
		/* the server packs major and minor as the kernel's old 32-bit dev_t */
		init_special_inode(i, a->mode,
				   MKDEV((a->rdev & 0xfff00) >> 8, (a->rdev & 0xff) | ((a->rdev >> 12) & 0xfff00)));
	}
}

static int fuse_inode_test(struct inode *i, void *data)
{
	return get_fuse_inode(i)->nodeid == *(u64 *)data;
}

static int fuse_inode_set(struct inode *i, void *data)
{
	get_fuse_inode(i)->nodeid = *(u64 *)data;
	return 0;
}

bool fuse_valid_type(u32 mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) ||
	       S_ISSOCK(mode);
}

/*
 * The inode of an entry that the server sent, with a reference. Takes over the lookup that the server counted; on failure
 * it is given back.
 */
struct inode *fuse_iget(struct super_block *sb, const struct fuse_entry_out *e, u64 attr_version)
{
	struct fuse_conn *fc = sb->s_fs_info;
	u64 nodeid = e->nodeid, deadline = fuse_deadline(fc, e->attr_valid, e->attr_valid_nsec);
	struct inode *i;
	struct fuse_inode *fi;
	bool fresh = false;

	i = iget5_locked(sb, nodeid, fuse_inode_test, fuse_inode_set, &nodeid);
	if (!i) {
		fuse_queue_forget(fc, nodeid, 1, false);
		return NULL;
	}
	fi = get_fuse_inode(i);
	if (i->i_state & I_NEW) {
		fuse_init_inode(i, &e->attr);
		fi->attr_deadline = deadline;
		fi->nlookup = 1;
		unlock_new_inode(i);
		fresh = true;
	} else if ((i->i_mode ^ e->attr.mode) & S_IFMT) { /* a server that reuses node ids: do not mix two objects */
		iput(i);
		fuse_queue_forget(fc, nodeid, 1, false);
		return NULL;
	}
	if (!fresh) {
		spin_lock(&i->i_lock);
		fi->nlookup++;
		spin_unlock(&i->i_lock);
		fuse_change_attr(i, &e->attr, deadline, attr_version);
	}
	return i;
}

int fuse_update_attr(struct inode *i)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req = fuse_get_req(fc, FUSE_GETATTR, get_node_id(i));
	u64 version = fuse_attr_version(fc);
	struct fuse_attr_out *o;
	int err;

	if (!req)
		return -ENOMEM;
	fuse_arg(req, sizeof(struct fuse_getattr_in));
	err = fuse_send(fc, req, sizeof(struct fuse_attr_out));
	o = &req->out.attr;
	if (!err && ((i->i_mode ^ o->attr.mode) & S_IFMT))
		err = -ESTALE;
	if (!err)
		fuse_change_attr(i, &o->attr, fuse_deadline(fc, o->attr_valid, o->attr_valid_nsec), version);
	fuse_put_req(req);
	return err;
}

int fuse_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags)
{
	struct inode *i = d_inode(p->dentry);
	bool force = (flags & AT_STATX_SYNC_TYPE) == AT_STATX_FORCE_SYNC;
	int err = 0;

	if (force || (!fuse_attr_fresh(i) && !(flags & AT_STATX_DONT_SYNC)))
		err = fuse_update_attr(i);
	if (!err)
		generic_fillattr(i, st);
	return err;
}

static void fuse_fill_setattr(struct fuse_setattr_in *in, const struct iattr *a)
{
	if (a->ia_valid & ATTR_MODE)
		in->valid |= FATTR_MODE, in->mode = a->ia_mode;
	if (a->ia_valid & ATTR_UID)
		in->valid |= FATTR_UID, in->uid = a->ia_uid;
	if (a->ia_valid & ATTR_GID)
		in->valid |= FATTR_GID, in->gid = a->ia_gid;
	if (a->ia_valid & ATTR_SIZE)
		in->valid |= FATTR_SIZE, in->size = a->ia_size;
	if (a->ia_valid & ATTR_ATIME) {
		in->valid |= FATTR_ATIME | (a->ia_valid & ATTR_ATIME_SET ? 0 : FATTR_ATIME_NOW);
		in->atime = a->ia_atime.tv_sec, in->atimensec = a->ia_atime.tv_nsec;
	}
	/* a truncation sets the mtime on the server by itself */
	if ((a->ia_valid & ATTR_MTIME) && (a->ia_valid & (ATTR_MTIME_SET | ATTR_SIZE)) != ATTR_SIZE) {
		in->valid |= FATTR_MTIME | (a->ia_valid & ATTR_MTIME_SET ? 0 : FATTR_MTIME_NOW);
		in->mtime = a->ia_mtime.tv_sec, in->mtimensec = a->ia_mtime.tv_nsec;
	}
}

int fuse_do_setattr(struct inode *i, struct iattr *a)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req = fuse_get_req(fc, FUSE_SETATTR, get_node_id(i));
	u64 version = fuse_attr_version(fc);
	struct fuse_setattr_in *in;
	struct fuse_attr_out *o;
	int err = 0;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	fuse_fill_setattr(in, a);
	if (in->valid) /* a ctime alone is the server's business */
		err = fuse_send(fc, req, sizeof(struct fuse_attr_out));
	o = &req->out.attr;
	if (!err && in->valid) {
		set_bit(FUSE_I_MTIME_OURS, &get_fuse_inode(i)->state);
		fuse_change_attr(i, &o->attr, fuse_deadline(fc, o->attr_valid, o->attr_valid_nsec), version);
	}
	fuse_put_req(req);
	return err;
}

/* Truncation, i_rwsem held: first no page and no writeback may lie beyond the new end, then the server is told. */
static int fuse_truncate(struct inode *i, struct iattr *a)
{
	loff_t old = i_size_read(i);
	int err = 0;

	if (!S_ISREG(i->i_mode))
		return -EINVAL;
	if (a->ia_size < old) {
		if (i->i_mapping->nrdirty)
			err = filemap_write_and_wait_range(i->i_mapping, 0, a->ia_size);
		if (err)
			return err;
		fuse_size_changed(i, a->ia_size, false);
		truncate_pagecache(i, a->ia_size);
	}
	err = fuse_do_setattr(i, a);
	if (err) {
		if (a->ia_size < old)
			fuse_size_changed(i, old, false);
		return err;
	}
	if (a->ia_size > old)
		fuse_zero_tail(i);
	fuse_size_changed(i, a->ia_size, false);
	return 0;
}

int fuse_setattr(struct dentry *d, struct iattr *a)
{
	struct inode *i = d_inode(d);
	int err = setattr_prepare(d, a);

	if (err)
		return err;
	if (a->ia_valid & ATTR_SIZE)
		return fuse_truncate(i, a);
	if (S_ISREG(i->i_mode) && i->i_mapping->nrdirty && (a->ia_valid & ATTR_MTIME_SET)) {
		err = filemap_write_and_wait_range(i->i_mapping, 0,
						   INT64_MAX); /* or the writeback would spoil the time */
		if (err)
			return err;
	}
	return fuse_do_setattr(i, a);
}

/* ---- forgetting: batched, without answer ---- */

static void fuse_send_forgets(struct fuse_conn *fc, struct fuse_forget_batch *b)
{
	/* reclaim may have called for this: it must not wait for more reclaim */
	struct fuse_req *req = fuse_get_req_gfp(fc, FUSE_BATCH_FORGET, 0, GFP_ATOMIC);

	if (!req) {
		pr_warn_once("fuse: out of memory: the server keeps some nodes");
		kfree(b);
		return;
	}
	req->data = &req->one;
	req->one = (struct vq_buf){b, sizeof(b->head) + b->head.count * sizeof(b->one[0])};
	req->ndata = 1;
	req->free_data = b;
	fuse_send_background(fc, req, false);
}

void fuse_queue_forget(struct fuse_conn *fc, u64 nodeid, u64 nlookup, bool now)
{
	struct fuse_forget_batch *b, *full = NULL, *spare = NULL;

	if (nodeid == FUSE_ROOT_ID || !nlookup)
		return;
	if (!READ_ONCE(fc->forgets))
		spare = kzalloc(sizeof(*spare), GFP_ATOMIC);
	spin_lock(&fc->forget_lock);
	if (!fc->forgets) {
		fc->forgets = spare;
		spare = NULL;
	}
	b = fc->forgets;
	if (b) {
		b->one[b->head.count++] = (struct fuse_forget_one){nodeid, nlookup};
		if (now || b->head.count == FUSE_FORGET_BATCH) {
			full = b;
			fc->forgets = NULL;
		}
	}
	spin_unlock(&fc->forget_lock);
	kfree(spare);
	if (full)
		fuse_send_forgets(fc, full);
}

static void fuse_evict_inode(struct inode *i)
{
	struct fuse_inode *fi = get_fuse_inode(i);

	truncate_inode_pages(&i->i_data, 0);
	clear_inode(i);
	fuse_drop_listing(i);
	fuse_ahead_drop(get_fuse_conn(i), fuse_ahead_take(get_fuse_conn(i), i));
	if (S_ISLNK(i->i_mode)) {
		kfree(i->i_link);
		i->i_link = NULL;
	}
	/* a deleted file's space is free only when the server has let go of it */
	fuse_queue_forget(get_fuse_conn(i), fi->nodeid, fi->nlookup, i->i_nlink == 0);
}

static int fuse_statfs(struct dentry *d, struct kstatfs *st)
{
	struct fuse_conn *fc = d->d_sb->s_fs_info;
	struct fuse_req *req = fuse_get_req(fc, FUSE_STATFS, get_node_id(d_inode(d)));
	struct fuse_kstatfs *o;
	int err;

	if (!req)
		return -ENOMEM;
	err = fuse_send(fc, req, sizeof(struct fuse_statfs_out));
	o = &req->out.statfs.st;
	if (!err)
		*st = (struct kstatfs){.f_type = FUSE_SUPER_MAGIC,
				       .f_bsize = o->bsize,
				       .f_blocks = o->blocks,
				       .f_bfree = o->bfree,
				       .f_bavail = o->bavail,
				       .f_files = o->files,
				       .f_ffree = o->ffree,
				       .f_namelen = o->namelen,
				       .f_frsize = o->frsize};
	fuse_put_req(req);
	return err;
}

static int fuse_remount(struct super_block *sb, unsigned long *flags, char *data)
{
	struct fuse_conn *fc = sb->s_fs_info;

	return fc->readonly && !(*flags & SB_RDONLY) ? -EROFS : 0;
}

static void fuse_put_super(struct super_block *sb)
{
	struct fuse_conn *fc = sb->s_fs_info;
	struct fuse_forget_batch *b;

	spin_lock(&fc->forget_lock);
	b = fc->forgets;
	fc->forgets = NULL;
	spin_unlock(&fc->forget_lock);
	if (b)
		fuse_send_forgets(fc, b);
	/* no DESTROY: the connection stays with its device, ready for another mount */
}

const struct super_operations fuse_super_operations = {
	.alloc_inode = fuse_alloc_inode,
	.free_inode = fuse_free_inode,
	.evict_inode = fuse_evict_inode,
	.statfs = fuse_statfs,
	.remount_fs = fuse_remount,
	.put_super = fuse_put_super,
};

/* ---- the start of a connection ---- */

static int fuse_send_init(struct fuse_conn *fc)
{
	struct fuse_req *req = fuse_get_req(fc, FUSE_INIT, 0);
	struct fuse_init_in *in;
	struct fuse_init_out *o;
	int err;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	in->major = FUSE_KERNEL_VERSION;
	in->minor = FUSE_KERNEL_MINOR_VERSION;
	in->max_readahead = FUSE_MAX_IO_PAGES * PAGE_SIZE;
	in->flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_DONT_MASK | FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS |
		    FUSE_READDIRPLUS_AUTO | FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT | FUSE_PARALLEL_DIROPS |
		    FUSE_MAX_PAGES | FUSE_CACHE_SYMLINKS;
	err = fuse_send(fc, req, sizeof(struct fuse_init_out));
	o = &req->out.init;
	if (!err && o->major != FUSE_KERNEL_VERSION)
		err = -EPROTO;
	if (!err) {
		fc->max_write = clamp_t(u32, o->max_write, PAGE_SIZE, FUSE_MAX_IO_PAGES * PAGE_SIZE);
		fc->max_pages = o->flags & FUSE_MAX_PAGES ? clamp_t(u32, o->max_pages, 1, FUSE_MAX_IO_PAGES) : 32;
		fc->no_plus = !(o->flags & FUSE_DO_READDIRPLUS);
	}
	fuse_put_req(req);
	return err;
}

static struct inode *fuse_root_inode(struct super_block *sb, struct fuse_conn *fc)
{
	struct fuse_req *req = fuse_get_req(fc, FUSE_GETATTR, FUSE_ROOT_ID);
	struct fuse_entry_out e = {.nodeid = FUSE_ROOT_ID};
	struct inode *i = NULL;
	int err;

	if (!req)
		return ERR_PTR(-ENOMEM);
	fuse_arg(req, sizeof(struct fuse_getattr_in));
	err = fuse_send(fc, req, sizeof(struct fuse_attr_out));
	e.attr = req->out.attr.attr;
	e.attr_valid = req->out.attr.attr_valid;
	e.attr_valid_nsec = req->out.attr.attr_valid_nsec;
	fuse_put_req(req);
	if (err)
		return ERR_PTR(err);
	if (!S_ISDIR(e.attr.mode))
		return ERR_PTR(-ENOTDIR);
	i = fuse_iget(sb, &e, 0);
	return i ? i : ERR_PTR(-ENOMEM);
}

int fuse_fill_super(struct super_block *sb, struct fuse_conn *fc)
{
	struct inode *root;
	int err;

	if (!fuse_inode_cache)
		fuse_inode_cache = KMEM_CACHE(fuse_inode);
	if (!fuse_inode_cache)
		return -ENOMEM;
	sb->s_fs_info = fc;
	sb->s_magic = FUSE_SUPER_MAGIC;
	sb->s_op = &fuse_super_operations;
	sb->s_d_op = &fuse_dentry_operations;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_maxbytes = INT64_MAX;
	sb->s_time_gran = 1;
	if (fc->readonly)
		sb->s_flags |= SB_RDONLY;
	fc->ns0 = ktime_get_ns();
	fc->clock0 = fuse_clock();
	err = fuse_send_init(fc);
	if (err)
		return err;
	root = fuse_root_inode(sb, fc);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}
