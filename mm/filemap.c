// SPDX-License-Identifier: Apache-2.0
/* The page cache: finding, adding and removing pages; read(2), write(2) and mappings of files that use it. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

/**
 * DOC: page cache
 *
 * mapping->i_pages holds one reference to each page; page->mapping and page->index say where a page is and change with the page locked, under
 * i_pages_lock. A page found there may leave at any time: who needs it to stay locks it and looks at page->mapping again. The data
 * of an uptodate page may be copied with just a reference.
 *
 * A page that is run may be its own text view and be patched (page_is_view()). Such a page serves text only: find_get_page() and the reads do
 * not see it, and who adds a page of the file's data in its place makes it the view of that page.
 *
 * Lock order: page lock, i_pages_lock. Reads take only i_pages_lock, for as long as the lookup of a batch takes.
 */
#define READ_BATCH 16

void address_space_init(struct address_space *m, struct inode *host, const struct address_space_operations *ops)
{
	memset(m, 0, sizeof(*m));
	m->host = host;
	m->a_ops = ops;
	xa_init(&m->i_pages);
	spin_lock_init(&m->i_pages_lock);
	init_rwsem(&m->invalidate_lock);
	INIT_LIST_HEAD(&m->i_mmap);
	INIT_LIST_HEAD(&m->wb_list);
	INIT_LIST_HEAD(&m->dirty_pages);
}

struct page *find_get_page(struct address_space *m, pgoff_t index)
{
	struct page *p;

	spin_lock(&m->i_pages_lock);
	p = xa_load(&m->i_pages, index);
	if (p && unlikely(page_is_view(p)))
		p = NULL;
	if (p)
		get_page(p);
	spin_unlock(&m->i_pages_lock);
	return p;
}

struct page *find_get_any_page(struct address_space *m, pgoff_t index)
{
	struct page *p;

	spin_lock(&m->i_pages_lock);
	p = xa_load(&m->i_pages, index);
	if (p)
		get_page(p);
	spin_unlock(&m->i_pages_lock);
	return p;
}

/* find_get_pages_contig: up to max pages at index, index + 1, ... as long as there is one; each with a reference */
static unsigned int find_get_pages_contig(struct address_space *m, pgoff_t index, unsigned int max, struct page **pages)
{
	unsigned int n = 0;

	spin_lock(&m->i_pages_lock);
	for (; n < max; n++) {
		pages[n] = xa_load(&m->i_pages, index + n);
		if (!pages[n] || unlikely(page_is_view(pages[n])))
			break;
		get_page(pages[n]);
	}
	spin_unlock(&m->i_pages_lock);
	return n;
}

/* find_get_pages_range: up to max pages, text views included, from *index to last; *index becomes the one behind the last found */
unsigned int find_get_pages_range(struct address_space *m, pgoff_t *index, pgoff_t last, unsigned int max,
				  struct page **pages)
{
	unsigned long i = *index;
	unsigned int n = 0;

	spin_lock(&m->i_pages_lock);
	while (n < max && i <= last) {
		struct page *p = xa_find(&m->i_pages, &i, last);

		if (!p)
			break;
		get_page(p);
		pages[n++] = p;
		if (i++ == ~0UL)
			break;
	}
	spin_unlock(&m->i_pages_lock);
	*index = i;
	return n;
}

/**
 * mapping_seek_hole_data - SEEK_DATA and SEEK_HOLE of a file that is all in the cache
 * @pos: where to begin, in bytes. @size: the file's
 *
 * Return: the first position from @pos on that has a page (@data) or none: @pos itself, the start of a page, or @size, for behind
 * the end is a hole. -ENXIO: no data follows.
 */
loff_t mapping_seek_hole_data(struct address_space *m, loff_t pos, loff_t size, bool data)
{
	unsigned long index = pos >> PAGE_SHIFT, end = PFN_UP((u64)size), found = index;

	if (index >= end)
		return data ? -ENXIO : size;
	spin_lock(&m->i_pages_lock);
	if (data) {
		if (!xa_find(&m->i_pages, &found, end - 1))
			found = end;
	} else {
		while (found < end && xa_load(&m->i_pages, found))
			found++;
	}
	spin_unlock(&m->i_pages_lock);
	if (found == index)
		return pos;
	if (found >= end)
		return data ? -ENXIO : size;
	return (loff_t)found << PAGE_SHIFT;
}

struct page *find_lock_page(struct address_space *m, pgoff_t index)
{
	for (;;) {
		struct page *p = find_get_page(m, index);

		if (!p)
			return NULL;
		lock_page(p);
		if (likely(p->mapping == m && p->index == index))
			return p;
		unlock_page(p);
		put_page(p);
	}
}

/*
 * Enters p, in place of what is only a text view and becomes p's. Its lock keeps it in the file for who holds it: -EAGAIN. *view: the view,
 * locked. i_pages_lock is held.
 */
static int enter_page(struct page *p, struct address_space *m, pgoff_t index, struct page **view)
{
	struct page *old = xa_load(&m->i_pages, index);
	int err;

	*view = NULL;
	if (old && !page_is_view(old))
		return -EEXIST;
	if (old && !trylock_page(old))
		return -EAGAIN;
	err = xa_store(&m->i_pages, index, p, NULL);
	if (err) {
		if (old)
			unlock_page(old);
		return err;
	}
	p->mapping = m;
	m->nrpages += !old;
	if (old) { /* the cache's reference is p's now */
		old->mapping = NULL;
		old->text = NULL;
		old->type = PGT_TEXT;
		p->text = old;
	}
	*view = old;
	return 0;
}

int add_to_page_cache(struct page *p, struct address_space *m, pgoff_t index)
{
	struct page *view;
	int err;

	p->index = index;
	p->private = 0;
	p->rmap = 0;
	p->type = PGT_CACHE;
	if (m->in_memory)
		SetPageSwapbacked(p);
	else
		SetPageReferenced(p); /* what was read ahead is to be used yet: not to be taken before what has been */
	get_page(p);
again:
	spin_lock(&m->i_pages_lock);
	err = enter_page(p, m, index, &view);
	spin_unlock(&m->i_pages_lock);
	if (err == -ENOMEM && reclaim_pages(32))
		goto again; /* the tree's nodes are allocated without waiting */
	if (err) {
		p->type = PGT_KERNEL;
		put_page(p);
		return err;
	}
	if (view) {
		unlock_page(view);
		mod_vm_stat(NR_TEXT_VIEW, 1);
		return 0;
	}
	mod_vm_stat(NR_FILE_PAGES, 1);
	if (m->in_memory)
		mod_vm_stat(NR_SHMEM, 1);
	else
		recycle_added(m, index);
	return 0;
}

void __delete_from_page_cache(struct page *p)
{
	struct address_space *m = p->mapping;

	xa_erase(&m->i_pages, p->index);
	m->nrpages--;
	p->mapping = NULL;
	if (unlikely(!m->nrpages && m->text_runs))
		text_runs_free(m);
	mod_vm_stat(NR_FILE_PAGES, -1);
	if (m->in_memory)
		mod_vm_stat(NR_SHMEM, -1);
}

/* The page is locked and the caller has a reference of its own. */
void delete_from_page_cache(struct page *p)
{
	struct address_space *m = p->mapping;

	if (!m)
		return;
	cancel_dirty_page(p);
	spin_lock(&m->i_pages_lock);
	__delete_from_page_cache(p);
	spin_unlock(&m->i_pages_lock);
	text_ops->page_release(p);
	put_page(p);
}

struct page *find_or_create_page(struct address_space *m, pgoff_t index, gfp_t gfp)
{
	struct page *p, *new = NULL;
	int err;

	for (;;) {
		p = find_lock_page(m, index);
		if (p)
			break;
		if (!new) {
			new = alloc_page(gfp | __GFP_ACCOUNT);
			if (!new)
				return NULL;
			trylock_page(new);
		}
		err = add_to_page_cache(new, m, index);
		if (!err)
			return new;
		if (err == -EAGAIN)
			host_yield();
		else if (err != -EEXIST)
			break;
	}
	if (new) {
		unlock_page(new);
		put_page(new);
	}
	return p;
}

/* Reads a page that is locked and not uptodate; unlocks it. 0 or -errno. */
static int read_page(struct file *f, struct address_space *m, struct page *p)
{
	int err;

	ClearPageError(p);
	if (!m->a_ops->read_folio) {
		unlock_page(p);
		return -EIO;
	}
	err = m->a_ops->read_folio(f, p);
	if (err)
		return err;
	wait_on_page_locked(p);
	return PageUptodate(p) ? 0 : -EIO;
}

/* Makes p uptodate. 0, -errno, or 1: it has left the mapping, look it up again. */
static int make_uptodate(struct file *f, struct address_space *m, struct page *p)
{
	lock_page(p);
	if (p->mapping != m) {
		unlock_page(p);
		return 1;
	}
	if (PageUptodate(p)) {
		unlock_page(p);
		return 0;
	}
	return read_page(f, m, p);
}

/* The page of index, in the cache but not necessarily uptodate, with a reference; ERR_PTR. */
static struct page *get_or_add(struct address_space *m, pgoff_t index)
{
	struct page *p, *found;
	int err;

	for (;;) {
		found = find_get_page(m, index);
		if (found)
			return found;
		p = alloc_page(GFP_USER);
		if (!p)
			return ERR_PTR(-ENOMEM);
		trylock_page(p);
		err = add_to_page_cache(p, m, index);
		unlock_page(p);
		if (!err)
			return p;
		put_page(p);
		if (err == -EAGAIN)
			host_yield(); /* nobody keeps a view locked for long */
		else if (err != -EEXIST)
			return ERR_PTR(err);
	}
}

struct page *read_mapping_page(struct address_space *m, pgoff_t index, struct file *f)
{
	for (;;) {
		struct page *p = get_or_add(m, index);
		int err;

		if (IS_ERR(p) || likely(PageUptodate(p)))
			return p;
		err = make_uptodate(f, m, p);
		if (!err)
			return p;
		put_page(p);
		if (err < 0)
			return ERR_PTR(err);
	}
}

static inline void mark_page_accessed(struct page *p)
{
	if (!PageReferenced(p))
		SetPageReferenced(p);
}

/* ---- reading ---- */

/* Pages for a read at index, the first of them uptodate. How many, or -errno. */
static int read_batch(struct kiocb *k, struct address_space *m, pgoff_t index, unsigned long want, struct page **pages)
{
	struct file *f = k->ki_filp;
	unsigned int n;
	int err;

again:
	n = find_get_pages_contig(m, index, min_t(unsigned long, want, READ_BATCH), pages);
	if (unlikely(!n)) {
		if (k->ki_flags & IOCB_NOWAIT)
			return -EAGAIN;
		page_cache_sync_readahead(m, f, index, want);
		pages[0] = get_or_add(m, index);
		if (IS_ERR(pages[0]))
			return PTR_ERR(pages[0]);
		n = 1;
	}
	if (unlikely(PageReadahead(pages[0])))
		page_cache_async_readahead(m, f, pages[0], index);
	if (likely(PageUptodate(pages[0])))
		return n;
	for (; n > 1; n--)
		put_page(pages[n - 1]);
	err = k->ki_flags & IOCB_NOWAIT ? -EAGAIN : make_uptodate(f, m, pages[0]);
	if (!err)
		return 1;
	put_page(pages[0]);
	if (err > 0)
		goto again;
	return err;
}

static ssize_t filemap_read(struct kiocb *k, struct iov_iter *to)
{
	struct file *f = k->ki_filp;
	struct address_space *m = f->f_mapping;
	struct page *pages[READ_BATCH];
	loff_t pos = k->ki_pos;
	ssize_t done = 0;
	int n, err = 0;

	while (iov_iter_count(to) && !err) {
		loff_t isize = i_size_read(m->host), end;

		if (pos >= isize)
			break;
		end = pos + (loff_t)min_t(u64, iov_iter_count(to), isize - pos);
		n = read_batch(k, m, pos >> PAGE_SHIFT, ((end - 1) >> PAGE_SHIFT) - (pos >> PAGE_SHIFT) + 1, pages);
		if (n < 0) {
			err = n;
			break;
		}
		/* the size may have shrunk while a page was read */
		end = min(end, i_size_read(m->host));
		for (int i = 0; i < n; i++) {
			struct page *p = pages[i];
			size_t off = offset_in_page(pos), chunk, copied;

			if (err || pos >= end || !PageUptodate(p) || (i && PageReadahead(p))) {
				put_page(p);
				end = pos; /* the rest in another batch */
				continue;
			}
			chunk = min_t(size_t, PAGE_SIZE - off, end - pos);
			copied = copy_page_to_iter(p, off, chunk, to);
			mark_page_accessed(p);
			put_page(p);
			pos += copied;
			done += copied;
			if (unlikely(copied < chunk))
				err = -EFAULT;
		}
		if (unlikely(fatal_signal_pending(current)))
			err = -EINTR;
	}
	f->f_ra.prev_pos = pos;
	k->ki_pos = pos;
	return done ? done : err;
}

ssize_t generic_file_read_iter(struct kiocb *k, struct iov_iter *to)
{
	struct file *f = k->ki_filp;
	struct address_space *m = f->f_mapping;
	ssize_t ret;

	if (unlikely(!iov_iter_count(to)))
		return 0;
	if (unlikely((k->ki_flags & IOCB_DIRECT) && m->a_ops->direct_IO)) {
		ret = filemap_write_and_wait_range(m, k->ki_pos, k->ki_pos + iov_iter_count(to) - 1);
		if (!ret)
			ret = m->a_ops->direct_IO(k, to);
	} else {
		ret = filemap_read(k, to);
	}
	file_accessed(f);
	return ret;
}

/* ---- writing ---- */

/*
 * One piece within a page. The user's memory is read with the page locked, so a fault there must not be served (it may be on this very
 * page): then nothing is copied, and the caller brings the memory in first. Bytes written, 0: try again, -errno.
 */
static ssize_t write_piece(struct file *f, struct address_space *m, struct iov_iter *it, loff_t pos, unsigned bytes)
{
	void *fsdata = NULL;
	struct page *p;
	size_t copied;
	ssize_t ret;

	ret = m->a_ops->write_begin(f, m, pos, bytes, &p, &fsdata);
	if (unlikely(ret < 0))
		return ret;
	current->pagefault_disabled++;
	copied = copy_page_from_iter(p, offset_in_page(pos), bytes, it);
	current->pagefault_disabled--;
	if (unlikely(p->text))
		page_drop_text(p);
	ret = m->a_ops->write_end(f, m, pos, bytes, copied, p, fsdata);
	if (unlikely(ret < (ssize_t)copied))
		iov_iter_revert(it, copied - max_t(ssize_t, ret, 0));
	return ret;
}

static ssize_t generic_perform_write(struct kiocb *k, struct iov_iter *it)
{
	struct file *f = k->ki_filp;
	struct address_space *m = f->f_mapping;
	loff_t pos = k->ki_pos;
	ssize_t done = 0, ret = 0;

	if (!m->a_ops->write_begin)
		return -EINVAL;
	while (iov_iter_count(it)) {
		unsigned bytes = min_t(size_t, PAGE_SIZE - offset_in_page(pos), iov_iter_count(it));

		if (unlikely(fatal_signal_pending(current))) {
			ret = -EINTR;
			break;
		}
		ret = write_piece(f, m, it, pos, bytes);
		if (unlikely(ret < 0))
			break;
		if (unlikely(!ret)) {
			if (fault_in_iov_iter(it, bytes) == bytes) {
				ret = -EFAULT;
				break;
			}
			continue;
		}
		pos += ret;
		done += ret;
		if (unlikely(!m->in_memory))
			balance_dirty_pages(m);
	}
	k->ki_pos = pos;
	return done ? done : ret;
}

ssize_t generic_file_write_iter(struct kiocb *k, struct iov_iter *from)
{
	struct file *f = k->ki_filp;
	struct address_space *m = f->f_mapping;
	struct inode *inode = m->host;
	loff_t start;
	ssize_t ret;
	int err;

	inode_lock(inode);
	ret = generic_write_checks(k, from);
	start = k->ki_pos;
	if (ret > 0) {
		err = file_remove_privs(f);
		if (err) {
			ret = err;
		} else {
			file_update_time(f);
			if ((k->ki_flags & IOCB_DIRECT) && m->a_ops->direct_IO) {
				ret = filemap_write_and_wait_range(m, start, start + ret - 1);
				if (!ret)
					ret = m->a_ops->direct_IO(k, from);
			} else {
				ret = generic_perform_write(k, from);
			}
		}
	}
	inode_unlock(inode);
	if (ret > 0 && (k->ki_flags & (IOCB_DSYNC | IOCB_SYNC)) && f->f_op->fsync) {
		err = f->f_op->fsync(f, start, k->ki_pos - 1, !(k->ki_flags & IOCB_SYNC));
		if (err)
			ret = err;
	}
	return ret;
}

/* ---- mappings ---- */

vm_fault_t filemap_fault(struct vm_fault *vmf)
{
	struct file *f = vmf->vma->vm_file;
	struct address_space *m = f->f_mapping;
	pgoff_t index = vmf->pgoff;
	vm_fault_t major = 0;
	struct page *p;
	int err;

	if (index >= DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE))
		return VM_FAULT_SIGBUS;
	p = find_get_page(m, index);
	if (!p) {
		if (!m->in_memory)
			page_cache_fault_readahead(m, f, index, m->immutable && (vmf->vma->vm_flags & VM_EXEC));
		p = get_or_add(m, index);
		if (IS_ERR(p))
			return PTR_ERR(p) == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
		major = VM_FAULT_MAJOR;
	} else if (PageReadahead(p)) {
		page_cache_async_readahead(m, f, p, index);
	}
	for (;;) {
		lock_page(p);
		if (unlikely(p->mapping != m)) {
			unlock_page(p);
			put_page(p);
			return VM_FAULT_RETRY;
		}
		if (likely(PageUptodate(p)))
			break;
		major = VM_FAULT_MAJOR;
		err = read_page(f, m, p);
		if (err) {
			put_page(p);
			return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
		}
	}
	if (unlikely(index >= DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE))) {
		unlock_page(p);
		put_page(p);
		return VM_FAULT_SIGBUS;
	}
	mark_page_accessed(p);
	vmf->page = p;
	return VM_FAULT_LOCKED | major;
}

static const struct vm_operations_struct generic_file_vm_ops = {
	.fault = filemap_fault,
	.flags = VM_OPS_FAULT_AROUND,
};

int generic_file_mmap(struct file *f, struct vm_area_struct *vma)
{
	if (!f->f_mapping->a_ops->read_folio)
		return -ENOEXEC;
	file_accessed(f);
	vma->vm_ops = &generic_file_vm_ops;
	return 0;
}
