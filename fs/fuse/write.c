// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE files: writing.
 *
 * DOC: write-through
 *
 * write(2) copies the user's data into fresh pages, sends them to the server from there, and then brings
 * the page cache up to date: pages that the write fills whole (or to the end of the file) become the
 * page cache's own, parts of pages are copied to the cached page if there is one. User memory is never
 * touched with a page of the file locked, since it may be a mapping of the same page. So the host sees every write
 * when write(2) returns, errors such as ENOSPC are the writer's, and there is nothing to lose.
 *
 * A reader that fills a page meanwhile holds it locked in the cache from before its READ was sent, so
 * the update waits for it and overwrites what it read.
 *
 * Only shared mappings make dirty pages. They are written when the kernel's write-back, fsync,
 * close or munmap of the file asks for it, one page a request, never beyond the file's size.
 */
#include "fuse_i.h"

#define FUSE_WRITE_PAGES 64

void page_drop_text(struct page *p);

struct fuse_write_chunk {
	struct page *page[FUSE_WRITE_PAGES];
	unsigned nr;
	u32 off; /* of the data in the first page */
	u32 len;
};

static void chunk_free(struct fuse_write_chunk *c)
{
	for (unsigned k = 0; k < c->nr; k++)
		put_page(c->page[k]);
	c->nr = 0;
}

/* Take up to a chunk of the user's data, starting at pos in the file. */
static int chunk_fill(struct fuse_write_chunk *c, struct iov_iter *from, loff_t pos, u32 max)
{
	u32 want, n, copied;
	unsigned need;

	c->off = offset_in_page(pos);
	c->nr = 0;
	c->len = 0;
	want = min_t(size_t, iov_iter_count(from), FUSE_WRITE_PAGES * PAGE_SIZE - c->off);
	want = min(want, max);
	need = PFN_UP(c->off + want);
	while (c->nr < need) {
		unsigned long got = 0;
		struct page *p = alloc_pages_contig(GFP_USER, need - c->nr, &got);

		if (!p && !c->nr)
			return -ENOMEM;
		if (!p)
			break;
		for (unsigned long k = 0; k < got; k++)
			c->page[c->nr++] = p + k;
	}
	for (unsigned k = 0; k < c->nr && c->len < want; k++) {
		u32 at = k ? 0 : c->off;

		n = min_t(u32, want - c->len, PAGE_SIZE - at);
		copied = copy_page_from_iter(c->page[k], at, n, from);
		c->len += copied;
		if (copied < n)
			break;
	}
	if (c->len)
		return 0;
	chunk_free(c);
	return -EFAULT;
}

/* Pages to data pieces, neighbours joined; returns pieces used. */
static unsigned fuse_page_bufs(struct vq_buf *v, unsigned max, struct page **pages, unsigned nr, unsigned *taken)
{
	unsigned n = 0, k;

	for (k = 0; k < nr; k++) {
		char *a = page_address(pages[k]);

		if (n && (char *)v[n - 1].addr + v[n - 1].len == a) {
			v[n - 1].len += PAGE_SIZE;
			continue;
		}
		if (n == max)
			break;
		v[n++] = (struct vq_buf){a, PAGE_SIZE};
	}
	*taken = k;
	return n;
}

/* Send it. Bytes written or -errno. */
static int chunk_send(struct fuse_write_chunk *c, struct inode *i, loff_t pos, u32 flags)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req = fuse_get_req(fc, FUSE_WRITE, get_node_id(i));
	struct vq_buf v[FUSE_WRITE_PAGES];
	struct fuse_write_in *in;
	unsigned taken;
	u32 room;
	int ret;

	if (!req)
		return -ENOMEM;
	in = fuse_arg(req, sizeof(*in));
	req->ndata = fuse_page_bufs(v, min_t(unsigned, FUSE_WRITE_PAGES, fc->max_chain - 2), c->page,
				    PFN_UP(c->off + c->len), &taken);
	room = taken * PAGE_SIZE - c->off;
	in->offset = pos;
	in->size = min(c->len, room);
	in->flags = flags;
	v[req->ndata - 1].len -= room - in->size;
	v[0].addr = (char *)v[0].addr + c->off;
	v[0].len -= c->off;
	req->data = v;
	ret = fuse_send(fc, req, sizeof(struct fuse_write_out));
	if (!ret)
		ret = min(req->out.write.size, in->size);
	fuse_put_req(req);
	return ret ? ret : -EIO;
}

/* Copy the bytes [at, at + n) of src to the cached page of the same index, if there is one; whole: src is good in full. */
static bool update_cached(struct address_space *m, pgoff_t index, struct page *src, u32 at, u32 n, bool whole)
{
	struct page *p = find_lock_page(m, index);

	if (!p)
		return false;
	page_drop_text(p);
	if (whole && !PageUptodate(p)) {
		memcpy(page_address(p), page_address(src), PAGE_SIZE);
		SetPageUptodate(p);
	} else {
		memcpy((char *)page_address(p) + at, (char *)page_address(src) + at, n);
	}
	unlock_page(p);
	put_page(p);
	return true;
}

static void update_page(struct inode *i, pgoff_t index, struct page *src, u32 at, u32 n, loff_t size)
{
	struct address_space *m = i->i_mapping;
	bool whole = !at && (n == PAGE_SIZE || ((loff_t)index << PAGE_SHIFT) + n >= size);

	if (whole && n < PAGE_SIZE)
		memset((char *)page_address(src) + n, 0, PAGE_SIZE - n);
	while (!update_cached(m, index, src, at, n, whole) && whole) {
		int err;

		lock_page(src);
		SetPageUptodate(src);
		err = add_to_page_cache(src, m, index);
		if (err)
			ClearPageUptodate(src);
		unlock_page(src);
		if (err != -EEXIST)
			break;
	}
}

static void chunk_to_cache(struct fuse_write_chunk *c, struct inode *i, loff_t pos, u32 written)
{
	loff_t size = max(i_size_read(i), pos + (loff_t)written);
	pgoff_t index = pos >> PAGE_SHIFT;
	u32 at = c->off;

	for (unsigned k = 0; k < c->nr && written; k++, index++, at = 0) {
		u32 n = min_t(u32, written, PAGE_SIZE - at);

		update_page(i, index, c->page[k], at, n, size);
		written -= n;
	}
}

/* The file grows beyond its last page: what a mapping left behind the old end must not show. i_rwsem held. */
void fuse_zero_tail(struct inode *i)
{
	loff_t old = i_size_read(i);

	if (offset_in_page(old))
		truncate_inode_pages_range(i->i_mapping, old, round_up(old, (loff_t)PAGE_SIZE) - 1);
}

/* i_rwsem held. Bytes written, or -errno when none. */
static ssize_t fuse_perform_write(struct kiocb *k, struct iov_iter *from)
{
	struct inode *i = file_inode(k->ki_filp);
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_write_chunk *c = kmalloc(sizeof(*c), GFP_KERNEL);
	ssize_t done = 0;
	int ret = 0;

	if (!c)
		return -ENOMEM;
	if (k->ki_pos > i_size_read(i))
		fuse_zero_tail(i);
	while (iov_iter_count(from)) {
		ret = chunk_fill(c, from, k->ki_pos, fc->max_write);
		if (ret)
			break;
		ret = chunk_send(c, i, k->ki_pos, k->ki_filp->f_flags);
		if (ret > 0) {
			chunk_to_cache(c, i, k->ki_pos, ret);
			fuse_size_changed(i, k->ki_pos + ret, true);
			k->ki_pos += ret;
			done += ret;
		}
		if (ret < 0 || (u32)ret < c->len)
			iov_iter_revert(from, c->len - max(ret, 0));
		chunk_free(c);
		if (ret < 0)
			break;
	}
	kfree(c);
	return done ? done : ret;
}

ssize_t fuse_file_write_iter(struct kiocb *k, struct iov_iter *from)
{
	struct file *f = k->ki_filp;
	struct inode *i = file_inode(f);
	ssize_t ret = 0;
	loff_t start;

	inode_lock(i);
	/* the end of the file, for O_APPEND and limits; after our own write we know it */
	if (!fuse_attr_fresh(i) && !test_bit(FUSE_I_MTIME_OURS, &get_fuse_inode(i)->state))
		ret = fuse_update_attr(i);
	if (!ret)
		ret = generic_write_checks(k, from);
	start = k->ki_pos;
	if (ret > 0) {
		int err = file_remove_privs(f);

		ret = err ? err : fuse_perform_write(k, from);
	}
	inode_unlock(i);
	if (ret > 0 && (k->ki_flags & (IOCB_DSYNC | IOCB_SYNC))) {
		int err = f->f_op->fsync(f, start, k->ki_pos - 1, !(k->ki_flags & IOCB_SYNC));

		if (err)
			ret = err;
	}
	return ret;
}

/* ---- dirty pages of shared mappings ---- */

int fuse_writepage(struct page *p, struct address_space *m)
{
	struct inode *i = m->host;
	struct fuse_write_chunk c = {.nr = 1};
	loff_t pos = (loff_t)p->index << PAGE_SHIFT, size = i_size_read(i);
	int ret = 0;

	c.page[0] = p;
	if (pos < size) {
		c.len = min_t(u64, PAGE_SIZE, size - pos);
		ret = chunk_send(&c, i, pos, 0);
		fuse_size_changed(i, 0, true);
	}
	if (ret < 0) {
		SetPageError(p);
		WRITE_ONCE(m->wb_err, ret);
	}
	unlock_page(p);
	return ret < 0 ? ret : 0;
}

vm_fault_t fuse_page_mkwrite(struct vm_fault *vmf)
{
	struct page *p = vmf->page;
	struct inode *i = file_inode(vmf->vma->vm_file);

	lock_page(p);
	if (p->mapping != i->i_mapping || ((loff_t)p->index << PAGE_SHIFT) >= i_size_read(i)) {
		unlock_page(p);
		return VM_FAULT_NOPAGE; /* truncated: the access will fault again */
	}
	set_page_dirty(p);
	return VM_FAULT_LOCKED;
}
