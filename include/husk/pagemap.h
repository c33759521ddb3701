/* SPDX-License-Identifier: Apache-2.0 */
/* The page cache of one object, most often a file (mm/filemap.c, readahead.c, truncate.c, writeback.c). By way of husk/fs.h. */
#ifndef HUSK_PAGEMAP_H
#define HUSK_PAGEMAP_H

#include <husk/mm.h>
#include <husk/xarray.h>

struct file;
struct inode;
struct iov_iter;
struct kiocb;

struct address_space_operations {
	int (*read_folio)(struct file *f, struct page *p); /* locked page; unlocks when done; 0 or -errno */
	/* readahead: pages index..index+nr-1 are in the cache, locked; fills, marks uptodate and unlocks each. Optional. */
	void (*readahead)(struct file *f, struct address_space *m, struct page **pages, unsigned nr, bool text);
	int (*writepage)(struct page *p, struct address_space *m); /* locked, dirty; unlocks */
	/* write_begin/end as in Linux: a locked page ready for [pos, pos+len) */
	int (*write_begin)(struct file *f, struct address_space *m, loff_t pos, unsigned len, struct page **pp,
			   void **fsdata);
	int (*write_end)(struct file *f, struct address_space *m, loff_t pos, unsigned len, unsigned copied,
			 struct page *p, void *fsdata);
	ssize_t (*direct_IO)(struct kiocb *iocb, struct iov_iter *it);
	bool (*dirty_page)(struct address_space *m, struct page *p);
};
struct address_space {
	struct inode *host;
	struct xarray i_pages; /* under i_pages_lock */
	spinlock_t i_pages_lock;
	struct rw_semaphore invalidate_lock;
	struct list_head i_mmap; /* VMAs; under i_mmap_lock */
	struct mutex i_mmap_lock;
	unsigned long nrpages;
	unsigned long nrdirty;
	const struct address_space_operations *a_ops;
	int wb_err;
	bool in_memory;		      /* pages are the only copy: never reclaimed (tmpfs) */
	bool immutable;		      /* no page that is uptodate is ever written (files of a read-only share) */
	void *text;		      /* arch/x86/text.c's data for executed files */
	struct list_head wb_list;     /* dirty mappings */
	struct list_head dirty_pages; /* page->lru; under i_pages_lock */
	struct text_run *text_runs;   /* RAM kept for text views, mm/text_run.c; under i_pages_lock */
};

/*
 * The cache holds one reference to each of its pages. A page is found, and its content read, by whoever has a reference; its lock is
 * for who fills it, writes it back or takes it out. Functions that return a page return it with a reference, the caller's to put_page().
 */
void address_space_init(struct address_space *m, struct inode *host, const struct address_space_operations *ops);

/* ---- finding pages; index in pages ---- */
struct page *find_get_page(struct address_space *m, pgoff_t index);	/* NULL: it is not there */
struct page *find_get_any_page(struct address_space *m, pgoff_t index); /* also one that is a text view only */
struct page *find_lock_page(struct address_space *m, pgoff_t index);	/* locked, and still m's; may wait; NULL */
/* find_or_create_page: locked; a new one is not uptodate. NULL when out of memory */
struct page *find_or_create_page(struct address_space *m, pgoff_t index, gfp_t gfp);
/* read_mapping_page: uptodate, read if need be (f for the file system, or NULL); ERR_PTR */
struct page *read_mapping_page(struct address_space *m, pgoff_t index, struct file *f);
/* mapping_seek_hole_data: SEEK_DATA and SEEK_HOLE of what is all in the cache; bytes */
loff_t mapping_seek_hole_data(struct address_space *m, loff_t pos, loff_t size, bool data);

/* ---- adding and taking out ---- */
/* add_to_page_cache: takes a reference of its own; p is locked. 0, -EEXIST, -ENOMEM; -EAGAIN: a text view at its place is in use */
int add_to_page_cache(struct page *p, struct address_space *m, pgoff_t index);
/* delete_from_page_cache: p is locked, in no page table, and the caller has a reference of its own; the cache drops its */
void delete_from_page_cache(struct page *p);
/* truncate_inode_pages_range: bytes, both inclusive, end -1: to the end. Pages go, out of page tables too; parts of pages are cleared. May wait */
void truncate_inode_pages_range(struct address_space *m, loff_t start, loff_t end);
void truncate_inode_pages(struct address_space *m, loff_t start);
/* what lies behind size goes out of page tables and cache, private copies too; the first sets i_size before. i_rwsem is held */
void truncate_setsize(struct inode *i, loff_t size);
void truncate_pagecache(struct inode *i, loff_t size);
int invalidate_inode_pages(struct address_space *m); /* drops clean, unmapped ones; how many */

/* ---- writing back: 0 or -errno; an error of an earlier page is told once ---- */
bool set_page_dirty(struct page *p);		 /* true: it was clean. Locked, or held in its file otherwise */
int filemap_fdatawrite(struct address_space *m); /* starts with what is dirty now */
/* filemap_write_and_wait_range: bytes, inclusive, end -1: to the end */
int filemap_write_and_wait_range(struct address_space *m, loff_t start, loff_t end);

/* ---- read(2), write(2) and mappings of a file that lives in the cache: for struct file_operations ---- */
ssize_t generic_file_read_iter(struct kiocb *k, struct iov_iter *to);
ssize_t generic_file_write_iter(struct kiocb *k, struct iov_iter *from); /* takes i_rwsem */
int generic_file_mmap(struct file *f, struct vm_area_struct *vma);
vm_fault_t filemap_fault(struct vm_fault *vmf);

#endif
