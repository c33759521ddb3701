/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials and capability checks (kernel/cred.c). Immutable once committed; reference counted. */
#ifndef HUSK_CRED_H
#define HUSK_CRED_H

#include <husk/atomic.h>
#include <linux/capability.h>

struct group_info {
	refcount_t usage;
	int ngroups;
	gid_t gid[];
};
typedef u64 kernel_cap_t;
/* The four ids of a kind, users or groups: real, saved, effective, and that of file access. */
struct cred_ids {
	__u32 real, saved, effective, fs;
};
struct cred {
	refcount_t usage;
	union {
		struct {
			uid_t uid, suid, euid, fsuid;
		};
		struct cred_ids users;
	};
	union {
		struct {
			gid_t gid, sgid, egid, fsgid;
		};
		struct cred_ids groups;
	};
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	unsigned securebits;
	struct group_info *group_info;
	struct user_struct *user; /* of uid: what it has running and queued */
};
/* Counters of a real user id, for RLIMIT_NPROC and RLIMIT_SIGPENDING. */
struct user_struct {
	refcount_t count;
	uid_t uid;
	atomic_t processes, sigpending;
	struct user_struct *next;
	atomic_t inotify_instances, inotify_watches;
	atomic_long_t mq_bytes; /* of message queues, for RLIMIT_MSGQUEUE */
};
void free_uid(struct user_struct *u);
static inline struct user_struct *get_uid(struct user_struct *u)
{
	refcount_inc(&u->count);
	return u;
}
#define CAP_BIT(c) (1ULL << (c))
struct task_struct;
const struct cred *get_task_cred(struct task_struct *t); /* of any task: a reference */
extern struct cred init_cred;
bool has_capability(struct task_struct *t, int cap);
void cap_bprm_creds(struct cred *new, bool setid); /* capabilities over execve */
struct group_info *groups_alloc(int n);
void put_group_info(struct group_info *g);
struct cred *prepare_creds(void); /* a private copy of current's, or NULL */
int commit_creds(struct cred *new);
void abort_creds(struct cred *new);
const struct cred *get_cred(const struct cred *c);
void put_cred(const struct cred *c);
bool in_group_p(gid_t gid); /* fsgid or a supplementary group */
bool in_egroup_p(gid_t gid);
#define current_cred() (current->cred)
#define current_uid() (current->cred->uid)
#define current_euid() (current->cred->euid)
#define current_fsuid() (current->cred->fsuid)
#define current_fsgid() (current->cred->fsgid)
#define current_gid() (current->cred->gid)
#define current_egid() (current->cred->egid)

#endif
