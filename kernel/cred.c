// SPDX-License-Identifier: Apache-2.0
// Credentials: user and group ids, capabilities, supplementary groups; cred_ids.c has the calls that change ids.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <linux/securebits.h>
#include "task_internal.h"

#define CAP_FULL ((2ULL << CAP_LAST_CAP) - 1)
#define CAP_FS_SET                                                                                                     \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) |          \
	 CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MAC_OVERRIDE))
#define issecure(c, x) ((c)->securebits & issecure_mask(x))

static struct group_info init_groups = {.usage = REFCOUNT_INIT(2), .ngroups = 0};
static struct user_struct root_user = {.count = REFCOUNT_INIT(2), .uid = 0};
struct cred init_cred = {
	.usage = REFCOUNT_INIT(4),
	.cap_permitted = CAP_FULL,
	.cap_effective = CAP_FULL,
	.cap_bset = CAP_FULL,
	.group_info = &init_groups,
	.user = &root_user,
};
static struct kmem_cache *cred_cache;

void __cold cred_init(void)
{
	cred_cache = KMEM_CACHE(cred);
	if (!cred_cache)
		panic("no memory for credentials");
}

/* ---- users ---- */

#define UID_HASH 64
static struct user_struct *uid_hash[UID_HASH] = {[0] = &root_user};
static DEFINE_SPINLOCK(uid_lock);

/* Finds the user or makes it: a reference, or NULL when out of memory. */
static struct user_struct *alloc_uid(uid_t uid)
{
	struct user_struct *u, *new = NULL;

again:
	spin_lock(&uid_lock);
	for (u = uid_hash[uid % UID_HASH]; u; u = u->next)
		if (u->uid == uid)
			break;
	if (u) {
		get_uid(u);
	} else if (new) {
		new->next = uid_hash[uid % UID_HASH];
		uid_hash[uid % UID_HASH] = new;
		u = new;
		new = NULL;
	}
	spin_unlock(&uid_lock);
	if (!u) {
		new = kzalloc(sizeof(*new), GFP_KERNEL);
		if (!new)
			return NULL;
		refcount_set(&new->count, 1);
		new->uid = uid;
		goto again;
	}
	kfree(new);
	return u;
}

void free_uid(struct user_struct *u)
{
	struct user_struct **p;

	if (!u || !refcount_dec_and_test(&u->count))
		return;
	spin_lock(&uid_lock);
	if (refcount_read(&u->count)) { /* found again meanwhile */
		spin_unlock(&uid_lock);
		return;
	}
	for (p = &uid_hash[u->uid % UID_HASH]; *p != u; p = &(*p)->next)
		if (!*p) { /* another dropped it at the same time */
			spin_unlock(&uid_lock);
			return;
		}
	*p = u->next;
	spin_unlock(&uid_lock);
	kfree(u);
}

/* ---- groups ---- */

struct group_info *groups_alloc(int n)
{
	struct group_info *g = kmalloc(sizeof(*g) + n * sizeof(gid_t), GFP_KERNEL);

	if (g) {
		refcount_set(&g->usage, 1);
		g->ngroups = n;
	}
	return g;
}

void put_group_info(struct group_info *g)
{
	if (g && refcount_dec_and_test(&g->usage))
		kfree(g);
}

static int gid_cmp(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return x < y ? -1 : x > y;
}

static bool groups_search(const struct group_info *g, gid_t gid)
{
	int lo = 0, hi = g->ngroups;

	if (hi <= 32) { /* also those of the boot, which nobody sorted */
		while (lo < hi)
			if (g->gid[lo++] == gid)
				return true;
		return false;
	}

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (g->gid[mid] == gid)
			return true;
		if (g->gid[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool in_group_p(gid_t gid)
{
	return gid == current_fsgid() || groups_search(current_cred()->group_info, gid);
}

bool in_egroup_p(gid_t gid)
{
	return gid == current_egid() || groups_search(current_cred()->group_info, gid);
}

/* ---- life of a cred ---- */

const struct cred *get_cred(const struct cred *c)
{
	refcount_inc(&((struct cred *)c)->usage);
	return c;
}

void put_cred(const struct cred *cc)
{
	struct cred *c = (struct cred *)cc;

	if (!c || !refcount_dec_and_test(&c->usage))
		return;
	put_group_info(c->group_info);
	free_uid(c->user);
	kmem_cache_free(cred_cache, c);
}

void abort_creds(struct cred *c)
{
	put_cred(c);
}

struct cred *prepare_creds(void)
{
	const struct cred *old = current->cred;
	struct cred *c = kmem_cache_alloc(cred_cache, GFP_KERNEL);

	if (!c)
		return NULL;
	*c = *old;
	refcount_set(&c->usage, 1);
	refcount_inc(&c->group_info->usage);
	get_uid(c->user);
	return c;
}

/* The counters of the real user id that new has now. 0 or -EAGAIN. */
int cred_set_user(struct cred *new)
{
	struct user_struct *u;

	if (new->user->uid == new->uid)
		return 0;
	u = alloc_uid(new->uid);
	if (!u)
		return -EAGAIN;
	free_uid(new->user);
	new->user = u;
	return 0;
}

/* Makes new current's credentials. Others may be looking at the old ones under task_lock. */
int commit_creds(struct cred *new)
{
	struct task_struct *me = current;
	const struct cred *old = me->cred;

	if (me->mm && (old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid ||
		       old->fsgid != new->fsgid || (new->cap_permitted & ~old->cap_permitted))) {
		me->mm->dumpable = 0;
		me->pdeath_signal = 0;
	}
	if (new->user->uid != new->uid && cred_set_user(new))
		pr_warn_once("no memory for the counters of user %u",
			     new->uid); /* they go on counting for the old one */
	if (new->user != old->user) {
		atomic_inc(&new->user->processes);
		atomic_dec(&old->user->processes);
	}
	task_lock(me);
	me->cred = new;
	task_unlock(me);
	put_cred(old);
	return 0;
}

const struct cred *get_task_cred(struct task_struct *t)
{
	const struct cred *c;

	if (t == current)
		return get_cred(t->cred);
	task_lock(t);
	c = get_cred(t->cred);
	task_unlock(t);
	return c;
}

bool has_capability(struct task_struct *t, int cap)
{
	const struct cred *c = get_task_cred(t);
	bool r = c->cap_effective & CAP_BIT(cap);

	put_cred(c);
	return r;
}

/* Capabilities follow when root's ids come or go (capabilities(7), "Effect of user ID changes"). */
void cred_fix_setuid(struct cred *new, const struct cred *old)
{
	bool was = !old->uid || !old->euid || !old->suid, is = !new->uid || !new->euid || !new->suid;

	if (issecure(old, SECURE_NO_SETUID_FIXUP))
		return;
	if (was && !is) {
		if (!issecure(old, SECURE_KEEP_CAPS)) {
			new->cap_permitted = 0;
			new->cap_effective = 0;
		}
		new->cap_ambient = 0;
	}
	if (!old->euid && new->euid)
		new->cap_effective = 0;
	if (old->euid && !new->euid)
		new->cap_effective = new->cap_permitted;
}

void cred_fix_setfsuid(struct cred *new, const struct cred *old)
{
	if (issecure(old, SECURE_NO_SETUID_FIXUP))
		return;
	if (!old->fsuid && new->fsuid)
		new->cap_effective &= ~CAP_FS_SET;
	if (old->fsuid && !new->fsuid)
		new->cap_effective |= new->cap_permitted &CAP_FS_SET;
}

/**
 * cap_bprm_creds - capabilities over execve, from the ids already in new
 * @setid: the file's set-user-id or set-group-id bits were honoured. File capabilities are not built.
 */
void cap_bprm_creds(struct cred *new, bool setid)
{
	const struct cred *old = current->cred;
	bool root = !issecure(new, SECURE_NOROOT) && (!new->euid || !new->uid);

	if (setid)
		new->cap_ambient = 0;
	if (root) {
		new->cap_permitted = old->cap_bset | old->cap_inheritable;
		new->cap_effective = !new->euid ? new->cap_permitted : new->cap_ambient;
	} else {
		new->cap_permitted = new->cap_ambient;
		new->cap_effective = new->cap_ambient;
	}
	new->suid = new->fsuid = new->euid;
	new->sgid = new->fsgid = new->egid;
	new->securebits &= ~issecure_mask(SECURE_KEEP_CAPS);
}

/* ---- system calls ---- */

#define NGROUPS_MAX_ 65536

SYSCALL_DEFINE2(getgroups, int, size, gid_t __user *, list)
{
	const struct group_info *g = current->cred->group_info;

	if (size < 0)
		return -EINVAL;
	if (size) {
		if (g->ngroups > size)
			return -EINVAL;
		if (copy_to_user(list, g->gid, g->ngroups * sizeof(gid_t)))
			return -EFAULT;
	}
	return g->ngroups;
}

SYSCALL_DEFINE2(setgroups, int, size, const gid_t __user *, list)
{
	struct group_info *g;
	struct cred *new;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((unsigned)size > NGROUPS_MAX_)
		return -EINVAL;
	g = groups_alloc(size);
	if (!g)
		return -ENOMEM;
	if (copy_from_user(g->gid, list, size * sizeof(gid_t))) {
		put_group_info(g);
		return -EFAULT;
	}
	for (int i = 0; i < size; i++)
		if (g->gid[i] == (gid_t)-1) {
			put_group_info(g);
			return -EINVAL;
		}
	sort(g->gid, size, sizeof(gid_t), gid_cmp, NULL);
	new = prepare_creds();
	if (!new) {
		put_group_info(g);
		return -ENOMEM;
	}
	put_group_info(new->group_info);
	new->group_info = g;
	return commit_creds(new);
}

/* 0 and the number of words the version has, or -EINVAL after telling the caller which version is wanted */
static int cap_version(struct __user_cap_header_struct __user *uh, struct __user_cap_header_struct *h, unsigned *words)
{
	u32 want = _LINUX_CAPABILITY_VERSION_3;

	if (copy_from_user(h, uh, sizeof(*h)))
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*words = _LINUX_CAPABILITY_U32S_1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*words = _LINUX_CAPABILITY_U32S_3;
		return 0;
	}
	if (put_user(want, &uh->version))
		return -EFAULT;
	return -EINVAL;
}

SYSCALL_DEFINE2(capget, struct __user_cap_header_struct __user *, uh, struct __user_cap_data_struct __user *, ud)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[2];
	struct task_struct *t;
	const struct cred *c;
	unsigned words;
	int err = cap_version(uh, &h, &words);

	if (err)
		return err == -EINVAL && !ud ? 0 : err;
	if (h.pid < 0)
		return -EINVAL;
	t = h.pid ? find_get_task_by_pid(h.pid) : current;
	if (!t)
		return -ESRCH;
	c = get_task_cred(t);
	if (h.pid)
		put_task_struct(t);
	for (unsigned i = 0; i < 2; i++) {
		d[i].effective = c->cap_effective >> (32 * i);
		d[i].permitted = c->cap_permitted >> (32 * i);
		d[i].inheritable = c->cap_inheritable >> (32 * i);
	}
	put_cred(c);
	if (!ud)
		return 0;
	return copy_to_user(ud, d, words * sizeof(d[0])) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(capset, struct __user_cap_header_struct __user *, uh, const struct __user_cap_data_struct __user *, ud)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[2] = {};
	const struct cred *old = current->cred;
	kernel_cap_t e, p, i;
	struct cred *new;
	unsigned words;
	int err = cap_version(uh, &h, &words);

	if (err)
		return err;
	if (h.pid && h.pid != current->pid)
		return -EPERM;
	if (copy_from_user(d, ud, words * sizeof(d[0])))
		return -EFAULT;
	e = (d[0].effective | (u64)d[1].effective << 32) & CAP_FULL;
	p = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_FULL;
	i = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_FULL;
	if (!capable(CAP_SETPCAP) && (i & ~(old->cap_inheritable | old->cap_permitted)))
		return -EPERM;
	if (i & ~(old->cap_inheritable | old->cap_bset))
		return -EPERM;
	if ((p & ~old->cap_permitted) || (e & ~p))
		return -EPERM;
	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	new->cap_effective = e;
	new->cap_permitted = p;
	new->cap_inheritable = i;
	new->cap_ambient &= p &i;
	return commit_creds(new);
}
