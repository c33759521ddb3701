// SPDX-License-Identifier: Apache-2.0
/* Identifiers, keys and permissions of System V IPC objects; docs/design/sysvipc.md. */
#include "util.h"

void ipc_init(struct ipc_obj *p, const struct ipc_params *q)
{
	spin_lock_init(&p->lock);
	refcount_set(&p->ref, 1);
	p->deleted = false;
	p->id = -1;
	p->key = q->key;
	INIT_HLIST_NODE(&p->hash);
	p->uid = p->cuid = current_euid();
	p->gid = p->cgid = current_egid();
	p->mode = q->flags & 0777;
}

int ipc_permitted(const struct ipc_obj *p, int want)
{
	uid_t uid = current_euid();
	unsigned asked = (want >> 6 | want >> 3 | want) & 7, granted = p->mode;

	if (uid == p->cuid || uid == p->uid)
		granted >>= 6;
	else if (in_egroup_p(p->cgid) || in_egroup_p(p->gid))
		granted >>= 3;
	return (asked & ~granted) && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

static bool is_owner(const struct ipc_obj *p)
{
	uid_t uid = current_euid();

	return uid == p->cuid || uid == p->uid || capable(CAP_SYS_ADMIN);
}

static struct hlist_head *key_bucket(struct ipc_ids *ids, __kernel_key_t key)
{
	return &ids->keys[((u32)key * 0x9e3779b9u) >> (32 - IPC_HASH_BITS)];
}

static struct ipc_obj *find_key(struct ipc_ids *ids, __kernel_key_t key)
{
	struct ipc_obj *p;

	hlist_for_each_entry (p, key_bucket(ids, key), hash)
		if (p->key == key)
			return p;
	return NULL;
}

void ipc_forget_key(struct ipc_ids *ids, struct ipc_obj *p)
{
	hlist_del_init(&p->hash);
	p->key = IPC_PRIVATE;
}

/* A slot that was used before gets a new sequence number, so that identifiers of removed objects stay invalid. */
static int add(const struct ipc_kind *k, struct ipc_obj *p)
{
	struct ipc_ids *ids = k->ids;
	unsigned slot;

	if (ids->in_use >= READ_ONCE(*k->max))
		return -ENOSPC;
	for (slot = ids->full; slot < IPCMNI && xa_load(&ids->slots, slot); slot++)
		;
	if (slot >= IPCMNI)
		return -ENOSPC;
	if (xa_store(&ids->slots, slot, p, NULL))
		return -ENOMEM;
	ids->full = slot + 1;
	ids->in_use++;
	if (p->key != IPC_PRIVATE)
		hlist_add_head(&p->hash, key_bucket(ids, p->key));
	if ((int)slot <= ids->last)
		ids->seq = (ids->seq + 1) & 0xffff;
	ids->last = slot;
	p->id = ids->seq * IPCMNI + slot;
	return p->id;
}

static long create(const struct ipc_kind *k, const struct ipc_params *q)
{
	struct ipc_obj *p = k->create(q);
	long id;

	if (IS_ERR(p))
		return PTR_ERR(p);
	id = add(k, p);
	if (id < 0)
		k->ids->release(p);
	return id;
}

static long existing(const struct ipc_kind *k, struct ipc_obj *p, const struct ipc_params *q)
{
	long r;

	if ((q->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	spin_lock(&p->lock);
	r = k->check ? k->check(p, q) : 0;
	if (!r)
		r = ipc_permitted(p, q->flags);
	spin_unlock(&p->lock);
	return r ?: p->id;
}

/**
 * ipc_get - shmget(2), semget(2), msgget(2): the identifier of a new or an existing object
 */
long ipc_get(const struct ipc_kind *k, const struct ipc_params *q)
{
	struct ipc_obj *p;
	long r;

	down_write(&k->ids->rwsem);
	p = q->key == IPC_PRIVATE ? NULL : find_key(k->ids, q->key);
	if (p)
		r = existing(k, p, q);
	else if (q->key == IPC_PRIVATE || (q->flags & IPC_CREAT))
		r = create(k, q);
	else
		r = -ENOENT;
	up_write(&k->ids->rwsem);
	return r;
}

struct ipc_obj *ipc_find_slot(struct ipc_ids *ids, int slot)
{
	struct ipc_obj *p;

	if (slot < 0)
		return ERR_PTR(-EINVAL);
	down_read(&ids->rwsem);
	p = xa_load(&ids->slots, IPC_SLOT(slot)); /* an identifier will do, too */
	if (p)
		refcount_inc(&p->ref);
	up_read(&ids->rwsem);
	return p ?: ERR_PTR(-EINVAL);
}

struct ipc_obj *ipc_find(struct ipc_ids *ids, int id)
{
	struct ipc_obj *p = id < 0 ? ERR_PTR(-EINVAL) : ipc_find_slot(ids, IPC_SLOT(id));

	if (!IS_ERR(p) && p->id != id) {
		ipc_put(ids, p);
		return ERR_PTR(-EINVAL);
	}
	return p;
}

struct ipc_obj *ipc_find_owned(struct ipc_ids *ids, int id)
{
	struct ipc_obj *p = id < 0 ? NULL : xa_load(&ids->slots, IPC_SLOT(id));

	if (!p || p->id != id)
		return ERR_PTR(-EINVAL);
	return is_owner(p) ? p : ERR_PTR(-EPERM);
}

void ipc_put(struct ipc_ids *ids, struct ipc_obj *p)
{
	if (refcount_dec_and_test(&p->ref))
		ids->release(p);
}

void ipc_remove(struct ipc_ids *ids, struct ipc_obj *p)
{
	xa_erase(&ids->slots, IPC_SLOT(p->id));
	ids->in_use--;
	ids->full = min_t(unsigned, ids->full, IPC_SLOT(p->id));
	spin_lock(&p->lock);
	p->deleted = true;
	ipc_forget_key(ids, p);
	spin_unlock(&p->lock);
}

int ipc_last_slot(struct ipc_ids *ids)
{
	unsigned long i, last = 0;
	void *p;

	down_read(&ids->rwsem);
	xa_for_each (&ids->slots, i, p)
		last = i;
	up_read(&ids->rwsem);
	return last;
}

void ipc_fill(struct ipc64_perm *out, const struct ipc_obj *p)
{
	*out = (struct ipc64_perm){
		.key = p->key,
		.uid = p->uid,
		.gid = p->gid,
		.cuid = p->cuid,
		.cgid = p->cgid,
		.mode = p->mode,
		.seq = (unsigned)p->id / IPCMNI,
	};
}

int ipc_set(struct ipc_obj *p, const struct ipc64_perm *in)
{
	if (in->uid == (uid_t)-1 || in->gid == (gid_t)-1)
		return -EINVAL;
	p->uid = in->uid;
	p->gid = in->gid;
	p->mode = (p->mode & ~0777) | (in->mode & 0777);
	return 0;
}
