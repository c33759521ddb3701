// SPDX-License-Identifier: Apache-2.0
/* Reading overlay directories: straight from the lower one where nothing changed, else from a merged list. */

#include "ovl.h"

struct ovl_name {
	u64 ino;
	unsigned char type, len;
	char name[];
};
struct ovl_dir_file {
	struct file *real; /* the lower directory, or NULL */
	bool merged;	   /* the list below is what is read */
	struct ovl_name **names;
	unsigned count, cap;
};

struct merge_context {
	struct dir_context ctx;
	struct ovl_dir_file *of;
	struct ovl_inode *dir;
	struct dentry *dentry;
	int err;
	bool stop_at_first, found;
};

static int add_name(struct ovl_dir_file *of, const char *name, unsigned len, u64 ino, unsigned type)
{
	struct ovl_name *n;

	if (of->count == of->cap) {
		unsigned cap = of->cap ? of->cap * 2 : 32;
		void *p = krealloc(of->names, cap * sizeof(*of->names), GFP_KERNEL);

		if (!p)
			return -ENOMEM;
		of->names = p;
		of->cap = cap;
	}
	n = kmalloc(sizeof(*n) + len, GFP_KERNEL);
	if (!n)
		return -ENOMEM;
	n->ino = ino;
	n->type = type;
	n->len = len;
	memcpy(n->name, name, len);
	of->names[of->count++] = n;
	return 0;
}

static void drop_names(struct ovl_dir_file *of)
{
	for (unsigned i = 0; i < of->count; i++)
		kfree(of->names[i]);
	kfree(of->names);
	of->names = NULL;
	of->count = of->cap = 0;
}

/* A pinned dentry of this name hides the lower one. */
static bool hidden(struct merge_context *m, const char *name, unsigned len)
{
	struct qstr q = qstr_init(name, len);
	struct dentry *d;
	bool yes;

	if (ovl_whited_out(m->dir, name, len))
		return true;
	if (!m->dir->nr_pinned)
		return false;
	d = d_lookup(m->dentry, &q);
	if (!d)
		return false;
	yes = ovl_pinned(d);
	dput(d);
	return yes;
}

static bool merge_actor(struct dir_context *ctx, const char *name, int len, loff_t off, u64 ino, unsigned type)
{
	struct merge_context *m = container_of(ctx, struct merge_context, ctx);

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	if (hidden(m, name, len))
		return true;
	m->found = true;
	if (m->stop_at_first)
		return false;
	m->err = add_name(m->of, name, len, ino, type);
	return !m->err;
}

static int iterate_lower(struct file *real, struct dir_context *ctx)
{
	struct inode *l = file_inode(real);
	int err;

	real->f_pos = ctx->pos;
	inode_lock_shared(l);
	err = real->f_op->iterate_shared(real, ctx);
	inode_unlock_shared(l);
	return err;
}

static int iterate_lower_all(struct file *real, struct merge_context *m)
{
	loff_t before;
	int err;

	m->ctx.pos = 0;
	do {
		before = m->ctx.pos;
		err = iterate_lower(real, &m->ctx);
	} while (!err && !m->err && m->ctx.pos != before && !(m->stop_at_first && m->found));
	return err ? err : m->err;
}

static int emit_pinned(struct merge_context *m)
{
	struct dentry *d;
	int err = 0;

	spin_lock(&m->dentry->d_lock);
	list_for_each_entry (d, &m->dentry->d_subdirs, d_child) {
		if (!ovl_pinned(d) || !d->d_inode || d_unhashed(d))
			continue;
		m->found = true;
		if (m->stop_at_first)
			break;
		err = add_name(m->of, d->d_name.name, d->d_name.len, d->d_inode->i_ino, S_DT(d->d_inode->i_mode));
		if (err)
			break;
	}
	spin_unlock(&m->dentry->d_lock);
	return err;
}

static struct file *open_lower(struct dentry *d)
{
	struct ovl_inode *oi = OVL_I(d_inode(d));
	struct path p = {OVL_SB(d->d_sb)->lower_mnt, oi->lower};

	if (!oi->lower)
		return NULL;
	return dentry_open(&p, O_RDONLY | O_DIRECTORY, current->cred);
}

int ovl_dir_is_empty(struct dentry *d)
{
	struct merge_context m = {
		.ctx.actor = merge_actor,
		.dir = OVL_I(d_inode(d)),
		.dentry = d,
		.stop_at_first = true,
	};
	struct file *real;
	int err;

	emit_pinned(&m);
	if (m.found)
		return -ENOTEMPTY;
	real = open_lower(d);
	if (IS_ERR_OR_NULL(real))
		return real ? PTR_ERR(real) : 0;
	err = iterate_lower_all(real, &m);
	fput(real);
	return m.found ? -ENOTEMPTY : err;
}

static int build_merged(struct file *f)
{
	struct ovl_dir_file *of = f->private_data;
	struct merge_context m = {
		.ctx.actor = merge_actor,
		.of = of,
		.dir = OVL_I(file_inode(f)),
		.dentry = file_dentry(f),
	};
	int err;

	drop_names(of);
	err = emit_pinned(&m);
	if (!err && of->real)
		err = iterate_lower_all(of->real, &m);
	return err;
}

static int ovl_iterate(struct file *f, struct dir_context *ctx)
{
	struct ovl_dir_file *of = f->private_data;
	struct ovl_inode *oi = OVL_I(file_inode(f));
	int err;

	if (!of->real && oi->lower) {
		struct file *real = open_lower(file_dentry(f));

		if (IS_ERR(real))
			return PTR_ERR(real);
		of->real = real;
	}
	if (ctx->pos == 0) {
		of->merged = !of->real || oi->nr_whiteouts || oi->nr_pinned;
		if (of->merged && (err = build_merged(f)))
			return err;
	}
	if (!of->merged) /* positions are the lower file system's */
		return iterate_lower(of->real, ctx);
	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos - 2 < of->count) {
		struct ovl_name *n = of->names[ctx->pos - 2];

		if (!dir_emit(ctx, n->name, n->len, n->ino, n->type))
			break;
		ctx->pos++;
	}
	return 0;
}

static int ovl_dir_open(struct inode *i, struct file *f)
{
	f->private_data = kzalloc(sizeof(struct ovl_dir_file), GFP_KERNEL);
	return f->private_data ? 0 : -ENOMEM;
}

static int ovl_dir_release(struct inode *i, struct file *f)
{
	struct ovl_dir_file *of = f->private_data;

	if (of->real)
		fput(of->real);
	drop_names(of);
	kfree(of);
	return 0;
}

const struct file_operations ovl_dir_operations = {
	.open = ovl_dir_open,
	.release = ovl_dir_release,
	.iterate_shared = ovl_iterate,
	.read = generic_read_dir,
	.llseek = default_llseek,
	.fsync = noop_fsync,
};
