// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE files: READs that fill the page cache, and waiting for them.
 *
 * DOC: pages under way
 *
 * The pages of the page cache are a READ's data buffer: the host reads its file straight into them. Where such a request is
 * sent nobody waits for it, whether it is read-ahead or what a reader wants now. The pages are in the cache, locked,
 * until the answer is taken off the ring. There is no interrupt thread: whoever waits for a locked page while such requests are
 * under way works on the ring himself (page_wait_drive). A request's end runs under the queue's lock, so who has had the lock
 * since the answer came sees the page unlocked. A page that could not be read is unlocked as it is; who needs it reads it alone
 * (fuse_read_folio), waits for that, and gets the error.
 *
 * A share's requests are answered in the order they were sent. So when attributes arrive that tell of a change on the host, all
 * pages still under way were asked for after them and need not be dropped (fuse_drop_data).
 */
#include "fuse_i.h"
#include <husk/mm.h>

static struct fuse_conn *read_conns[HOSTIF_MAX_DEVICES];

static bool reads_pending(const struct fuse_conn *fc)
{
	return __atomic_load_n(&fc->reading, __ATOMIC_SEQ_CST);
}

/* Take what is there; wait for more if the page is still locked. alone: no other share has anything under way */
static void drive_conn(struct fuse_conn *fc, struct page *p, bool alone)
{
	u32 irq = virtqueue_irq(fc->vq);

	fuse_reap_unlocked(fc);
	if (!PageLocked(p) || !reads_pending(fc))
		return;
	if (!virtqueue_spin(fc->vq, alone ? FUSE_SPIN_NS : FUSE_SPIN_NS / 10, NULL, 0))
		virtqueue_wait_used(fc->vq, irq, READ_ONCE(p->io_seq), alone ? 10 * NSEC_PER_MSEC : NSEC_PER_MSEC / 10);
}

/* Get on with what p may wait for. False: nothing is under way, or it has come. */
static bool fuse_drive(struct page *p)
{
	struct fuse_conn *busy[HOSTIF_MAX_DEVICES];
	unsigned n = 0;

	for (unsigned k = 0; k < HOSTIF_MAX_DEVICES; k++) {
		struct fuse_conn *fc = smp_load_acquire(&read_conns[k]);

		if (!fc)
			break;
		if (reads_pending(fc))
			busy[n++] = fc;
	}
	for (unsigned k = 0; k < n && PageLocked(p); k++)
		drive_conn(busy[k], p, n == 1);
	return n;
}

void fuse_read_register(struct fuse_conn *fc)
{
	for (unsigned k = 0; k < HOSTIF_MAX_DEVICES; k++) {
		if (!cmpxchg(&read_conns[k], (struct fuse_conn *)NULL, fc))
			break;
	}
	WRITE_ONCE(page_wait_drive, fuse_drive);
}

static void fuse_fill_pages(struct page *p, unsigned nr, u32 got)
{
	for (unsigned k = 0; k < nr; k++) {
		u32 have = got > k * PAGE_SIZE ? min_t(u32, got - k * PAGE_SIZE, PAGE_SIZE) : 0;

		if (have < PAGE_SIZE)
			memset((char *)page_address(p + k) + have, 0, PAGE_SIZE - have);
		SetPageUptodate(p + k);
	}
}

/* Fewer bytes than there should be: the file shrank on the host. */
static void fuse_check_short(struct inode *i, const struct page *first, u32 nr, u32 got)
{
	u64 end = ((u64)first->index << PAGE_SHIFT) + got;

	if (got < nr * PAGE_SIZE && end < (u64)i_size_read(i))
		fuse_invalidate_attr(i);
}

static void release_pages(struct page *p, u32 nr)
{
	for (u32 k = 0; k < nr; k++) {
		unlock_page(p + k);
		put_page(p + k);
	}
}

/* Before the pages are uptodate: what the server knows of them as text */
static void note_plain(struct fuse_req *req, u32 got)
{
	if (!req->out_args)
		return;
	for (u32 k = 0; k < req->npages && (k + 1) * PAGE_SIZE <= got; k++)
		if (req->out.plain.page[k / 64] >> k % 64 & 1)
			SetPagePlain(req->pages + k);
}

/* The answer, or none; under the queue's lock where there was one. The locked pages keep their inode. */
static void fuse_read_end(struct fuse_conn *fc, struct fuse_req *req)
{
	if (req->out_len >= sizeof(req->out.h) && !req->out.h.error) {
		u32 got = fuse_data_len(req);

		fuse_check_short(req->pages->mapping->host, req->pages, req->npages, got);
		note_plain(req, got);
		fuse_fill_pages(req->pages, req->npages, got);
	}
	release_pages(req->pages, req->npages);
	__atomic_fetch_sub(&fc->reading, 1, __ATOMIC_SEQ_CST);
}

static struct fuse_req *fuse_read_req(struct fuse_conn *fc, struct inode *i, struct page *p, u32 nr)
{
	struct fuse_req *req = fuse_get_req(fc, FUSE_READ, get_node_id(i));
	struct fuse_read_in *in;

	if (!req)
		return NULL;
	in = fuse_arg(req, sizeof(*in));
	in->offset = (u64)p->index << PAGE_SHIFT;
	in->size = nr * PAGE_SIZE;
	req->one = (struct vq_buf){page_address(p), in->size};
	req->data = &req->one;
	req->ndata = 1;
	req->data_in = true;
	return req;
}

/*
 * READ into nr locked pages of the cache that lie together in RAM; takes over a reference to each. False: out of memory.
 * text: the server looks through them.
 */
bool fuse_read_async(struct fuse_conn *fc, struct inode *i, struct page *p, u32 nr, bool text)
{
	struct fuse_req *req = fuse_read_req(fc, i, p, nr);

	if (!req) {
		release_pages(p, nr);
		return false;
	}
	req->pages = p;
	req->npages = nr;
	if (text && nr <= HOSTIF_FUSE_PLAIN_PAGES) {
		((struct fuse_read_in *)req->in.args)->read_flags = HOSTIF_FUSE_READ_PLAIN;
		req->out_args = sizeof(req->out.plain);
	}
	req->end = fuse_read_end;
	__atomic_fetch_add(&fc->reading, 1, __ATOMIC_SEQ_CST);
	fuse_send_background(fc, req, true);
	return true;
}

/* One locked page, waited for. 0 or -errno */
static int fuse_read_page(struct inode *i, struct page *p)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req = fuse_read_req(fc, i, p, 1);
	int err;

	if (!req)
		return -ENOMEM;
	err = fuse_send(fc, req, 0);
	if (!err) {
		fuse_check_short(i, p, 1, fuse_data_len(req));
		fuse_fill_pages(p, 1, fuse_data_len(req));
	}
	fuse_put_req(req);
	return err;
}

static int fuse_read_folio(struct file *f, struct page *p)
{
	int err = fuse_read_page(p->mapping->host, p);

	unlock_page(p);
	return err;
}

/* Pages that follow one another in the file, locked: those that do so in RAM as well go together. */
static void fuse_readahead(struct file *f, struct address_space *m, struct page **pages, unsigned nr, bool text)
{
	struct fuse_conn *fc = get_fuse_conn(m->host);
	bool start = !pages[0]->index;

	while (nr) {
		unsigned n = 1, most = min_t(unsigned, nr, fc->max_pages);

		while (n < most && pages[n] == pages[0] + n)
			n++;
		for (unsigned k = 0; k < n; k++)
			get_page(pages[k]);
		fuse_read_async(fc, m->host, pages[0], n, text);
		pages += n;
		nr -= n;
	}
	if (start)
		fuse_prefetch_siblings(fc, m->host); /* while the server is at work */
}

const struct address_space_operations fuse_aops = {
	.read_folio = fuse_read_folio,
	.readahead = fuse_readahead,
	.writepage = fuse_writepage,
};
