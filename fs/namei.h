/* SPDX-License-Identifier: Apache-2.0 */
/* Between namei.c, namei_open.c and namei_ops.c. */
#ifndef FS_NAMEI_H
#define FS_NAMEI_H
#include "internal.h"

#define MAXSYMLINKS 40
#define ND_INTERNAL 2
#define LOOKUP_IS_SCOPED (LOOKUP_BENEATH | LOOKUP_IN_ROOT)
#define LOOKUP_RESTRICTED (LOOKUP_IS_SCOPED | LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS | LOOKUP_NO_XDEV | LOOKUP_REVAL)
enum { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };
#define WALK_TRAILING 1
#define WALK_MORE 2

struct nd_saved {
	struct path link;
	struct delayed_call done;
	const char *name;
};
/* A walk with references: path is where it is, root its root once needed. */
struct nameidata {
	struct path path, root;
	struct qstr last;
	unsigned flags;
	int last_type, dfd, depth, total, jump_error;
	struct nd_saved *stack, internal[ND_INTERNAL];
	struct nameidata *outer;
};

void nd_init(struct nameidata *nd, int dfd, unsigned flags);
void nd_end(struct nameidata *nd);
const char *path_init(struct nameidata *nd, const char *name);
int link_path_walk(const char *name, struct nameidata *nd);
const char *walk_component(struct nameidata *nd, int flags);
const char *step_into(struct nameidata *nd, int flags, struct dentry *d);
int complete_walk(struct nameidata *nd);
int walk_fast(int dfd, const char *name, unsigned flags, struct path *out, struct qstr *last);
int path_parent(int dfd, const char *name, unsigned flags, struct path *parent, struct qstr *last, int *type);
struct dentry *lookup_cached(struct dentry *dir, const struct qstr *name, unsigned flags);
struct dentry *__lookup_hash(const struct qstr *name, struct dentry *base, unsigned flags);

/* may current make d in dir, or take victim out of it? 0 or -errno; dir's i_rwsem is held */
int may_create(struct inode *dir, struct dentry *d);
int may_delete(struct inode *dir, struct dentry *victim, bool isdir);
extern int sysctl_protected_symlinks, sysctl_protected_hardlinks;
#endif
