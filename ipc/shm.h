/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory segments (ipc/shm.c, ipc/shm_ctl.c). */
#ifndef IPC_SHM_H
#define IPC_SHM_H
#include "util.h"
#include <husk/fs.h>
#include <linux/shm.h>

#define SHM_DEST 01000	 /* mode: removed when the last process detaches */
#define SHM_LOCKED 02000 /* mode: SHM_LOCK */

/**
 * struct shmid_kernel - a segment; under perm.lock
 * @file: the memory, an unlinked tmpfs file
 * @nattch: mappings, plus shmat() calls under way
 */
struct shmid_kernel {
	struct ipc_obj perm;
	struct file *file;
	size_t size;
	unsigned long nattch;
	long atim, dtim, ctim;
	pid_t cpid, lpid;
};
static inline struct shmid_kernel *shm_of(struct ipc_obj *p)
{
	return container_of(p, struct shmid_kernel, perm);
}
extern struct ipc_ids shm_ids;
extern atomic_long_t shm_total; /* pages of all segments */
extern unsigned long shm_max, shm_all;
extern int shm_mni;
#define SHM_PAGES(s) (PAGE_ALIGN((s)->size) >> PAGE_SHIFT)
/* shm_destroy: out of the table; rwsem held for writing. */
void shm_destroy(struct shmid_kernel *s);
#endif
