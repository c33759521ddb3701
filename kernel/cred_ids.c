// SPDX-License-Identifier: Apache-2.0
// System calls that read and change user and group ids: one set of rules for both kinds.

#include <husk/syscalls.h>
#include <husk/cred.h>
#include <husk/mm.h>
#include "task_internal.h"

#define NO_ID ((__u32)-1)

/* What differs between users and groups: the capability that lifts the rules, and where the ids stand in struct cred. */
struct id_kind {
	int cap;
	bool users;
};
static const struct id_kind user_ids = {CAP_SETUID, true}, group_ids = {CAP_SETGID, false};

static struct cred_ids *ids_of(struct cred *c, const struct id_kind *k)
{
	return k->users ? &c->users : &c->groups;
}

static const struct cred_ids *current_ids(const struct id_kind *k)
{
	return k->users ? &current->cred->users : &current->cred->groups;
}

/* Whether an unprivileged task may take id, which is one that it has. */
static bool id_among(const struct cred_ids *c, __u32 id)
{
	return id == c->real || id == c->effective || id == c->saved;
}

/* Makes ids current's, with what follows from them: the user's counters, the file access id, capabilities. */
static long commit_ids(const struct id_kind *k, struct cred_ids ids)
{
	struct cred *new = prepare_creds();
	int err = 0;

	if (!new)
		return -ENOMEM;
	ids.fs = ids.effective;
	*ids_of(new, k) = ids;
	if (k->users) {
		if (new->uid != current->cred->uid)
			err = cred_set_user(new);
		if (err) {
			abort_creds(new);
			return err;
		}
		cred_fix_setuid(new, current->cred);
	}
	return commit_creds(new);
}

static long set_id(const struct id_kind *k, __u32 id)
{
	struct cred_ids ids = *current_ids(k);
	bool cap = capable(k->cap);

	if (id == NO_ID)
		return -EINVAL;
	if (!cap && id != ids.real && id != ids.saved)
		return -EPERM;
	if (cap)
		ids.real = ids.saved = id;
	ids.effective = id;
	return commit_ids(k, ids);
}

static long set_reid(const struct id_kind *k, __u32 real, __u32 effective)
{
	const struct cred_ids old = *current_ids(k);
	struct cred_ids ids = old;
	bool cap = capable(k->cap);

	if (real != NO_ID && !cap && real != old.real && real != old.effective)
		return -EPERM;
	if (effective != NO_ID && !cap && !id_among(&old, effective))
		return -EPERM;
	if (real != NO_ID)
		ids.real = real;
	if (effective != NO_ID)
		ids.effective = effective;
	if (real != NO_ID || (effective != NO_ID && effective != old.real))
		ids.saved = ids.effective;
	return commit_ids(k, ids);
}

static long set_resid(const struct id_kind *k, __u32 real, __u32 effective, __u32 saved)
{
	struct cred_ids ids = *current_ids(k);
	const __u32 wanted[] = {real, effective, saved};

	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++)
		if (wanted[i] != NO_ID && !id_among(&ids, wanted[i]) && !capable(k->cap))
			return -EPERM;
	if (real != NO_ID)
		ids.real = real;
	if (effective != NO_ID)
		ids.effective = effective;
	if (saved != NO_ID)
		ids.saved = saved;
	return commit_ids(k, ids);
}

static long get_resid(const struct id_kind *k, __u32 __user *r, __u32 __user *e, __u32 __user *s)
{
	const struct cred_ids *ids = current_ids(k);

	return put_user(ids->real, r) || put_user(ids->effective, e) || put_user(ids->saved, s) ? -EFAULT : 0;
}

/* Returns the id that was, whatever happens (setfsuid(2)). */
static long set_fsid(const struct id_kind *k, __u32 id)
{
	const struct cred_ids *ids = current_ids(k);
	const struct cred *old = current->cred;
	__u32 prev = ids->fs;
	struct cred *new;

	if (id == prev || id == NO_ID || !(id_among(ids, id) || capable(k->cap)))
		return prev;
	new = prepare_creds();
	if (!new)
		return prev;
	ids_of(new, k)->fs = id;
	if (k->users)
		cred_fix_setfsuid(new, old);
	commit_creds(new);
	return prev;
}

SYSCALL_DEFINE0(getuid)
{
	return current_uid();
}
SYSCALL_DEFINE0(geteuid)
{
	return current_euid();
}
SYSCALL_DEFINE0(getgid)
{
	return current_gid();
}
SYSCALL_DEFINE0(getegid)
{
	return current_egid();
}

SYSCALL_DEFINE1(setuid, uid_t, uid)
{
	return set_id(&user_ids, uid);
}
SYSCALL_DEFINE1(setgid, gid_t, gid)
{
	return set_id(&group_ids, gid);
}

SYSCALL_DEFINE2(setreuid, uid_t, ruid, uid_t, euid)
{
	return set_reid(&user_ids, ruid, euid);
}
SYSCALL_DEFINE2(setregid, gid_t, rgid, gid_t, egid)
{
	return set_reid(&group_ids, rgid, egid);
}

SYSCALL_DEFINE3(setresuid, uid_t, ruid, uid_t, euid, uid_t, suid)
{
	return set_resid(&user_ids, ruid, euid, suid);
}
SYSCALL_DEFINE3(setresgid, gid_t, rgid, gid_t, egid, gid_t, sgid)
{
	return set_resid(&group_ids, rgid, egid, sgid);
}

SYSCALL_DEFINE3(getresuid, uid_t __user *, r, uid_t __user *, e, uid_t __user *, s)
{
	return get_resid(&user_ids, r, e, s);
}
SYSCALL_DEFINE3(getresgid, gid_t __user *, r, gid_t __user *, e, gid_t __user *, s)
{
	return get_resid(&group_ids, r, e, s);
}

SYSCALL_DEFINE1(setfsuid, uid_t, uid)
{
	return set_fsid(&user_ids, uid);
}
SYSCALL_DEFINE1(setfsgid, gid_t, gid)
{
	return set_fsid(&group_ids, gid);
}
