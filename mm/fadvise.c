// SPDX-License-Identifier: Apache-2.0
/* posix_fadvise and readahead. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>
#include <linux/fadvise.h>
#include "internal.h"

/* Drops clean, unmapped pages that lie wholly in [start, end]. */
static void drop_range(struct address_space *m, loff_t start, loff_t end)
{
	pgoff_t index = PFN_UP(start), last = end == INT64_MAX ? ~0UL : PFN_DOWN(end + 1);

	if (end != INT64_MAX && end + 1 >= i_size_read(m->host))
		last = ~0UL;
	if (last == 0 || index > last - 1)
		return;
	invalidate_mapping_pages(m, index, last == ~0UL ? last : last - 1);
}

static int do_fadvise(struct file *f, loff_t off, loff_t len, int advice)
{
	struct address_space *m = f->f_mapping;
	loff_t end = !len || off + len < len ? INT64_MAX : off + len - 1;

	if (S_ISFIFO(file_inode(f)->i_mode))
		return -ESPIPE;
	if (!m || len < 0)
		return -EINVAL;
	switch (advice) {
	case POSIX_FADV_NORMAL:
		f->f_ra.ra_pages = 0;
		break;
	case POSIX_FADV_RANDOM:
		f->f_ra.ra_pages = ~0u;
		break;
	case POSIX_FADV_SEQUENTIAL:
		f->f_ra.ra_pages = 256;
		break;
	case POSIX_FADV_WILLNEED:
		if (!m->in_memory) {
			pgoff_t first = off >> PAGE_SHIFT;

			force_page_cache_readahead(m, f, first, (end >> PAGE_SHIFT) - first + 1);
		}
		break;
	case POSIX_FADV_NOREUSE:
		break;
	case POSIX_FADV_DONTNEED:
		if (!m->in_memory) {
			filemap_fdatawrite(m);
			drop_range(m, off, end);
		}
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

SYSCALL_DEFINE4(fadvise64, int, fd, loff_t, off, size_t, len, int, advice)
{
	struct file *f = fget(fd);
	int err;

	if (!f)
		return -EBADF;
	err = do_fadvise(f, off, len, advice);
	fput(f);
	return err;
}

SYSCALL_DEFINE3(readahead, int, fd, loff_t, off, size_t, count)
{
	struct file *f = fget(fd);
	int err = -EINVAL;

	if (!f)
		return -EBADF;
	if (!(f->f_mode & FMODE_READ))
		err = -EBADF;
	else if (f->f_mapping && f->f_mapping->a_ops &&
		 (S_ISREG(file_inode(f)->i_mode) || S_ISBLK(file_inode(f)->i_mode)))
		err = do_fadvise(f, off, count, POSIX_FADV_WILLNEED);
	fput(f);
	return err;
}
