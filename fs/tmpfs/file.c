// SPDX-License-Identifier: Apache-2.0
/* tmpfs data: reading, writing, holes and faults, straight on the pages. */
/*
 * DOC: pages
 *
 * A page in the cache is always up to date: a new one is filled before it is entered, so readers
 * and writers need a reference but no page lock, and copying from a user buffer that is a mapping
 * of the same file cannot deadlock. Adding is under the inode's alloc_lock, together with the
 * charge to the super block.
 */
#include "tmpfs.h"
#include <linux/falloc.h>
#include <linux/fs.h>

#define SEAL_WRITE_ANY 0x18 /* F_SEAL_WRITE | F_SEAL_FUTURE_WRITE */
#define SEAL_GROW 4
#define RUN 16

static int charge(struct super_block *sb, long n)
{
	struct shmem_sb *s = SHMEM_SB(sb);

	if (atomic64_add_return(n, &s->used_blocks) > s->max_blocks && s->max_blocks) {
		atomic64_sub(n, &s->used_blocks);
		return -ENOSPC;
	}
	return 0;
}

void shmem_recalc(struct inode *i)
{
	struct shmem_inode *si = SHMEM_I(i);
	long freed;

	mutex_lock(&si->alloc_lock);
	freed = (long)si->charged - (long)i->i_data.nrpages;
	if (freed > 0) {
		si->charged -= freed;
		if (i->i_sb->s_fs_info)
			atomic64_sub(freed, &SHMEM_SB(i->i_sb)->used_blocks);
	}
	mutex_unlock(&si->alloc_lock);
}

/* Enter a filled page. 0, -EEXIST, -ENOSPC, -ENOMEM; the caller's reference stays. */
static int add_page(struct inode *i, struct page *p, pgoff_t index)
{
	struct shmem_inode *si = SHMEM_I(i);
	int r;

	SetPageUptodate(p);
	mutex_lock(&si->alloc_lock);
	r = charge(i->i_sb, 1);
	if (!r) {
		lock_page(p);
		r = add_to_page_cache(p, &i->i_data, index);
		unlock_page(p);
		if (r)
			atomic64_dec(&SHMEM_SB(i->i_sb)->used_blocks);
		else
			si->charged++;
	}
	mutex_unlock(&si->alloc_lock);
	return r;
}

/* Fresh pages, allocated in runs so that mappings of them are contiguous, too. */
struct run {
	struct page *next;
	unsigned long left;
};

static struct page *run_take(struct run *r, unsigned long want, gfp_t gfp)
{
	if (!r->left) {
		r->next = alloc_pages_contig(gfp, min(want, (unsigned long)RUN), &r->left);
		if (!r->next) {
			r->left = 0;
			return NULL;
		}
	}
	r->left--;
	return r->next++;
}

static void run_end(struct run *r)
{
	for (; r->left; r->left--)
		put_page(r->next++);
}

struct page *shmem_get_page(struct inode *i, pgoff_t index, bool create)
{
	struct page *p;
	int r;

	for (;;) {
		p = find_get_page(&i->i_data, index);
		if (p || !create)
			return p;
		p = alloc_page(GFP_USER | __GFP_ZERO);
		if (!p)
			return ERR_PTR(-ENOMEM);
		r = add_page(i, p, index);
		if (!r)
			return p;
		put_page(p);
		if (r != -EEXIST)
			return ERR_PTR(r);
	}
}

/* ---- read ---- */
static ssize_t shmem_read_iter(struct kiocb *k, struct iov_iter *to)
{
	struct file *f = k->ki_filp;
	struct inode *i = f->f_mapping->host;
	ssize_t done = 0;

	while (iov_iter_count(to)) {
		loff_t pos = k->ki_pos, size = i_size_read(i);
		unsigned off = offset_in_page(pos);
		struct page *p;
		size_t n, c;

		if (pos >= size)
			break;
		n = min_t(u64, PAGE_SIZE - off, size - pos);
		n = min(n, iov_iter_count(to));
		p = find_get_page(&i->i_data, pos >> PAGE_SHIFT);
		if (p) {
			c = copy_page_to_iter(p, off, n, to);
			put_page(p);
		} else {
			c = iov_iter_zero(n, to);
		}
		k->ki_pos += c;
		done += c;
		if (unlikely(c < n)) {
			if (!done)
				done = -EFAULT;
			break;
		}
		if (unlikely(fatal_signal_pending(current)))
			break;
	}
	file_accessed(f);
	return done;
}

/* ---- write ---- */
/* A new page from the iterator's bytes for [off, off + n). Bytes written or -errno; -EEXIST:
 * someone made it meanwhile. */
static ssize_t write_new(struct inode *i, pgoff_t index, unsigned off, size_t n, struct iov_iter *from, struct run *run)
{
	struct page *p = run_take(run, PFN_UP(off + iov_iter_count(from)), GFP_USER);
	size_t c;
	char *a;
	int r;

	if (!p)
		return -ENOMEM;
	a = page_address(p);
	c = copy_page_from_iter(p, off, n, from);
	if (!c) {
		put_page(p);
		return -EFAULT;
	}
	memset(a, 0, off);
	memset(a + off + c, 0, PAGE_SIZE - off - c);
	r = add_page(i, p, index);
	put_page(p);
	if (r) {
		iov_iter_revert(from, c);
		return r;
	}
	return c;
}

/* After a write: a text view that was made of the old content goes. One in the making holds the
 * page lock. */
static inline void drop_text(struct page *p)
{
	smp_mb();
	if (unlikely(p->text || PageLocked(p))) {
		lock_page(p);
		page_drop_text(p);
		unlock_page(p);
	}
}

static ssize_t write_pages(struct inode *i, loff_t *pos, struct iov_iter *from)
{
	struct run run = {};
	ssize_t done = 0, c = 0;

	while (iov_iter_count(from)) {
		unsigned off = offset_in_page(*pos);
		size_t n = min_t(size_t, PAGE_SIZE - off, iov_iter_count(from));
		struct page *p = find_get_page(&i->i_data, *pos >> PAGE_SHIFT);

		if (p) {
			c = copy_page_from_iter(p, off, n, from);
			drop_text(p);
			put_page(p);
			if (!c)
				c = -EFAULT;
		} else {
			c = write_new(i, *pos >> PAGE_SHIFT, off, n, from, &run);
			if (c == -EEXIST)
				continue;
		}
		if (c < 0)
			break;
		*pos += c;
		done += c;
		if (*pos > i->i_size)
			i_size_write(i, *pos);
		if (unlikely(fatal_signal_pending(current)))
			break;
	}
	run_end(&run);
	return done ? done : c;
}

static ssize_t shmem_write_iter(struct kiocb *k, struct iov_iter *from)
{
	struct file *f = k->ki_filp;
	struct inode *i = f->f_mapping->host;
	struct shmem_inode *si = SHMEM_I(i);
	ssize_t r;

	inode_lock(i);
	r = generic_write_checks(k, from);
	if (r <= 0)
		goto out;
	r = file_remove_privs(f);
	if (r)
		goto out;
	if (unlikely(si->seals & (SEAL_WRITE_ANY | SEAL_GROW))) {
		r = -EPERM;
		if (si->seals & SEAL_WRITE_ANY)
			goto out;
		if (k->ki_pos + iov_iter_count(from) > i->i_size) {
			if (k->ki_pos >= i->i_size)
				goto out;
			iov_iter_truncate(from, i->i_size - k->ki_pos);
		}
	}
	file_update_time(f);
	r = write_pages(i, &k->ki_pos, from);
out:
	inode_unlock(i);
	return r;
}

/* ---- seeking for data and holes ---- */
static loff_t shmem_llseek(struct file *f, loff_t off, int whence)
{
	struct inode *i = f->f_mapping->host;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(f, off, whence, INT64_MAX, i_size_read(i));
	inode_lock(i);
	if (off < 0 || off >= i->i_size)
		off = -ENXIO;
	else
		off = mapping_seek_hole_data(&i->i_data, off, i->i_size, whence == SEEK_DATA);
	if (off >= 0)
		off = vfs_setpos(f, off, INT64_MAX);
	inode_unlock(i);
	return off;
}

/* ---- fallocate ---- */
static long punch(struct inode *i, loff_t off, loff_t len)
{
	struct address_space *m = &i->i_data;
	loff_t first = round_up(off, (loff_t)PAGE_SIZE), last = round_down(off + len, (loff_t)PAGE_SIZE);

	if (SHMEM_I(i)->seals & SEAL_WRITE_ANY)
		return -EPERM;
	if (last > first)
		unmap_mapping_range(m, first, last - first, false);
	truncate_inode_pages_range(m, off, off + len - 1);
	shmem_recalc(i);
	return 0;
}

static long allocate(struct inode *i, loff_t off, loff_t len, bool keep_size)
{
	pgoff_t index = off >> PAGE_SHIFT, end = PFN_UP((u64)off + len);
	struct run run = {};
	loff_t size = i->i_size;
	long r = 0;

	if (!keep_size) {
		r = inode_newsize_ok(i, off + len);
		if (r)
			return r;
	}
	if ((SHMEM_I(i)->seals & SEAL_GROW) && off + len > size)
		return -EPERM;
	if (SHMEM_SB(i->i_sb)->max_blocks && end - index > SHMEM_SB(i->i_sb)->max_blocks)
		return -ENOSPC;
	for (; index < end && !r; index++) {
		struct page *p = find_get_page(&i->i_data, index);

		if (!p) {
			p = run_take(&run, end - index, GFP_USER | __GFP_ZERO);
			if (!p) {
				r = -ENOMEM;
				break;
			}
			r = add_page(i, p, index);
			if (r == -EEXIST)
				r = 0;
		}
		put_page(p);
		if (signal_pending(current))
			r = -EINTR;
	}
	run_end(&run);
	if (!r && !keep_size && off + len > i->i_size)
		i_size_write(i, off + len);
	return r;
}

static long shmem_fallocate(struct file *f, int mode, loff_t off, loff_t len)
{
	struct inode *i = f->f_mapping->host;
	long r;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	inode_lock(i);
	r = mode & FALLOC_FL_PUNCH_HOLE ? punch(i, off, len) : allocate(i, off, len, mode & FALLOC_FL_KEEP_SIZE);
	if (!r)
		i->i_mtime = i->i_ctime = current_time(i);
	inode_unlock(i);
	return r;
}

/* ---- mappings ---- */
/* Shared anonymous memory: the run of pages around index, as far as there is nothing yet. */
static void add_run(struct inode *i, pgoff_t index)
{
	pgoff_t at = ALIGN_DOWN(index, RUN), end = min_t(u64, at + RUN, PFN_UP((u64)i_size_read(i)));
	struct run run = {};

	for (; at < end; at++) {
		struct page *p = find_get_page(&i->i_data, at);

		if (!p) {
			p = run_take(&run, end - at, GFP_USER | __GFP_ZERO);
			if (!p || add_page(i, p, at)) {
				if (p)
					put_page(p);
				break;
			}
		}
		put_page(p);
	}
	run_end(&run);
}

static vm_fault_t shmem_fault(struct vm_fault *vmf)
{
	struct address_space *m = vmf->vma->vm_file->f_mapping;
	struct inode *i = m->host;
	struct page *p;

	for (;;) {
		if (vmf->pgoff >= PFN_UP((u64)i_size_read(i)))
			return VM_FAULT_SIGBUS;
		p = SHMEM_I(i)->granules ? find_get_page(m, vmf->pgoff) : NULL;
		if (!p) {
			if (SHMEM_I(i)->granules)
				add_run(i, vmf->pgoff);
			p = shmem_get_page(i, vmf->pgoff, true);
		}
		if (IS_ERR(p))
			return PTR_ERR(p) == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
		lock_page(p);
		if (likely(p->mapping == m && vmf->pgoff < PFN_UP((u64)i_size_read(i))))
			break;
		unlock_page(p); /* truncated meanwhile */
		put_page(p);
	}
	vmf->page = p;
	return VM_FAULT_LOCKED;
}

static void shmem_vm_open(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_MAYWRITE)
		atomic_inc(&SHMEM_I(vma->vm_file->f_mapping->host)->writable_maps);
}

static void shmem_vm_close(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_MAYWRITE)
		atomic_dec(&SHMEM_I(vma->vm_file->f_mapping->host)->writable_maps);
}

static const struct vm_operations_struct shmem_vm_ops = {
	.fault = shmem_fault,
	.flags = VM_OPS_FAULT_AROUND,
};
/* of files that may still be sealed: writable shared mappings are counted */
static const struct vm_operations_struct shmem_sealable_vm_ops = {
	.open = shmem_vm_open,
	.close = shmem_vm_close,
	.fault = shmem_fault,
	.flags = VM_OPS_FAULT_AROUND,
};

static int shmem_mmap(struct file *f, struct vm_area_struct *vma)
{
	struct shmem_inode *si = SHMEM_I(f->f_mapping->host);

	if ((vma->vm_flags & VM_SHARED) && (si->seals & SEAL_WRITE_ANY)) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		vma->vm_flags &= ~VM_MAYWRITE;
	}
	file_accessed(f);
	vma->vm_ops = &shmem_vm_ops;
	if ((vma->vm_flags & VM_SHARED) && !(si->seals & 1)) {
		vma->vm_ops = &shmem_sealable_vm_ops;
		shmem_vm_open(vma);
		smp_mb(); /* counted first, then looked: F_SEAL_WRITE does it the other way round */
		if ((READ_ONCE(si->seals) & SEAL_WRITE_ANY) && (vma->vm_flags & VM_WRITE)) {
			shmem_vm_close(vma);
			return -EPERM;
		}
	}
	return 0;
}

/* A hole that the page cache's users (splice, read_mapping_page) want as a page. */
static int shmem_read_folio(struct file *f, struct page *p)
{
	struct inode *i = p->mapping->host;
	struct shmem_inode *si = SHMEM_I(i);
	int r;

	mutex_lock(&si->alloc_lock);
	r = charge(i->i_sb, 1);
	if (!r)
		si->charged++;
	mutex_unlock(&si->alloc_lock);
	if (!r) {
		memset(page_address(p), 0, PAGE_SIZE);
		SetPageUptodate(p);
	}
	unlock_page(p);
	return r;
}

static bool shmem_dirty_page(struct address_space *m, struct page *p)
{
	SetPageDirty(p); /* nothing is ever written back */
	return true;
}

const struct address_space_operations shmem_aops = {
	.read_folio = shmem_read_folio,
	.dirty_page = shmem_dirty_page,
};

const struct file_operations shmem_file_operations = {
	.seals = shmem_seals,
	.open = generic_file_open,
	.llseek = shmem_llseek,
	.read_iter = shmem_read_iter,
	.write_iter = shmem_write_iter,
	.mmap = shmem_mmap,
	.fsync = noop_fsync,
	.splice_read = generic_file_splice_read,
	.splice_write = iter_file_splice_write,
	.fallocate = shmem_fallocate,
};
