/* SPDX-License-Identifier: Apache-2.0 */
/* What the three kinds of System V IPC objects share: identifiers, keys, permissions (ipc/util.c). */
#ifndef IPC_UTIL_H
#define IPC_UTIL_H
#include <husk/cred.h>
#include <husk/mm.h>
#include <husk/seq_file.h>
#include <husk/syscalls.h>
#include <husk/time.h>
#include <husk/wait.h>
#include <husk/xarray.h>
#include <linux/ipc.h>

#define IPC_HASH_BITS 8
#define IPCMNI 32768 /* slots of one kind; an identifier is sequence * IPCMNI + slot */

/**
 * struct ipc_obj - the head of every object
 * @lock: the object's content, and what follows here but ref, id and slot. Inside ipc_ids.rwsem and mmap_lock.
 * @deleted: not in the table any more
 */
struct ipc_obj {
	spinlock_t lock;
	refcount_t ref;
	bool deleted;
	int id;
	__kernel_key_t key;
	struct hlist_node hash; /* of the key, unless that is IPC_PRIVATE */
	uid_t uid, cuid;
	gid_t gid, cgid;
	mode_t mode;
};

/**
 * struct ipc_ids - all objects of one kind
 * @rwsem: the table and the keys
 * @keys: objects by key. @full: all slots below it are in use
 * @last: the slot given out last
 * @release: frees an object that nobody refers to
 */
struct ipc_ids {
	struct rw_semaphore rwsem;
	struct xarray slots;
	struct hlist_head keys[1 << IPC_HASH_BITS];
	unsigned full;
	int in_use;
	unsigned seq;
	int last;
	void (*release)(struct ipc_obj *p);
};

struct ipc_params {
	__kernel_key_t key;
	int flags;
	size_t size; /* bytes of a segment, semaphores of a set */
};

/**
 * struct ipc_kind - what get calls do beyond the common
 * @create: a new object, not in the table; ERR_PTR
 * @check: may the existing object be had with these parameters; 0 or -errno; NULL: always
 * @max: most objects
 */
struct ipc_kind {
	struct ipc_ids *ids;
	struct ipc_obj *(*create)(const struct ipc_params *q);
	int (*check)(struct ipc_obj *p, const struct ipc_params *q);
	int *max;
};

long ipc_get(const struct ipc_kind *k, const struct ipc_params *q);
/* a reference to the object with this identifier, not locked; ERR_PTR(-EINVAL) */
struct ipc_obj *ipc_find(struct ipc_ids *ids, int id);
struct ipc_obj *ipc_find_slot(struct ipc_ids *ids, int slot);
/* the object with this identifier, which current may change and remove, without a reference; ERR_PTR(-EINVAL or -EPERM). rwsem held for writing */
struct ipc_obj *ipc_find_owned(struct ipc_ids *ids, int id);
void ipc_put(struct ipc_ids *ids, struct ipc_obj *p);
void ipc_init(struct ipc_obj *p, const struct ipc_params *q);
void ipc_forget_key(struct ipc_ids *ids, struct ipc_obj *p); /* rwsem held for writing, p locked */
void ipc_remove(struct ipc_ids *ids,
		struct ipc_obj *p); /* rwsem held for writing; the table's reference becomes the caller's */
int ipc_permitted(const struct ipc_obj *p, int want); /* want: permission bits; 0 or -EACCES */
int ipc_last_slot(struct ipc_ids *ids);		      /* the highest in use, 0 if none */
void ipc_fill(struct ipc64_perm *out, const struct ipc_obj *p);
int ipc_set(struct ipc_obj *p, const struct ipc64_perm *in); /* IPC_SET's common part; p locked */
static inline long ipc_seconds(void)
{
	return ktime_get_real_ns() / NSEC_PER_SEC;
}
#define IPC_IDS(release_fn)                                                                                            \
	{                                                                                                              \
		.slots = XARRAY_INIT, .last = -1, .release = release_fn                                                \
	}
#define IPC_SLOT(id) ((int)((unsigned)(id) % IPCMNI))
#endif
