/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs as the store of shared memory and memfds (fs/tmpfs). */
#ifndef HUSK_SHMEM_H
#define HUSK_SHMEM_H
#include <husk/fs.h>
long shmem_seals(struct file *f, unsigned cmd, unsigned long arg);	  /* F_ADD_SEALS, F_GET_SEALS */
unsigned *shmem_file_seals(struct file *f);				  /* NULL: not a tmpfs file */
atomic_t *shmem_writable_maps(struct file *f);				  /* shared mappings that may be written */
struct page *shmem_get_page(struct inode *i, pgoff_t index, bool create); /* a reference; NULL for a hole; ERR_PTR */
#endif
