/* SPDX-License-Identifier: Apache-2.0 */
/* Dentries: names of one directory each, and what they mean (fs/dcache.c, dcache_tree.c, d_path.c). By way of husk/fs.h. */
#ifndef HUSK_DCACHE_H
#define HUSK_DCACHE_H

struct qstr {
	u64 hash;
	unsigned int len;
	const char *name;
};

struct dentry_operations {
	int (*d_revalidate)(struct dentry *d, unsigned flags); /* 1 valid, 0 drop it, -errno */
	int (*d_delete)(const struct dentry *d);	       /* 1: do not keep unused */
	void (*d_release)(struct dentry *d);
	void (*d_iput)(struct dentry *d, struct inode *i);
	char *(*d_dname)(struct dentry *d, char *buf, int len);
	struct dentry *(*d_real)(struct dentry *d);
	/* may d be believed without d_revalidate? For the lock-free walk: no reference is held, must not sleep. NULL: no */
	bool (*d_fresh)(const struct dentry *d);
};
#define DNAME_INLINE_LEN 40
struct dentry {
	unsigned int d_flags;
	refcount_t d_count_; /* 0: unused, on the LRU */
	spinlock_t d_lock;
	struct hlist_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode; /* NULL: negative */
	const struct dentry_operations *d_op;
	struct super_block *d_sb;
	u64 d_time;
	void *d_fsdata;
	struct list_head d_lru, d_child, d_subdirs;
	struct hlist_node d_alias;
	unsigned d_mounted; /* mounts on it */
	unsigned d_seq;	    /* odd while changing; names one state of hashing, name, parent, inode */
	char d_iname[DNAME_INLINE_LEN];
	u64 d_dirpos; /* place among the parent's children, for dcache_readdir; grows */
};
#define DCACHE_UNHASHED 1
#define DCACHE_DISCONNECTED 2
#define DCACHE_LRU 4	    /* on the LRU list */
#define DCACHE_REFERENCED 8 /* used since the shrinker last came by */
#define DCACHE_MOUNTED 16   /* d_mounted != 0 */
#define DCACHE_CURSOR 32    /* a readdir position, not an entry */
#define DCACHE_CANT_MOUNT 64
#define DCACHE_GENOCIDE 128 /* kill_litter_super dropped its pin */
#define D_COUNT_DEAD (-0x40000000)
#define d_inode(d) ((d)->d_inode)
#define d_is_negative(d) ((d)->d_inode == NULL)
#define d_is_positive(d) ((d)->d_inode != NULL)
#define d_unhashed(d) hlist_unhashed(&(d)->d_hash)
#define IS_ROOT(d) ((d) == (d)->d_parent)
static inline bool d_is_dir(const struct dentry *d)
{
	return d->d_inode && S_ISDIR(d->d_inode->i_mode);
}
static inline bool d_is_symlink(const struct dentry *d)
{
	return d->d_inode && S_ISLNK(d->d_inode->i_mode);
}

struct qstr qstr_init(const char *name, unsigned len); /* with the hash; the string stays the caller's */

/* ---- making one; NULL when out of memory ---- */
struct dentry *d_alloc(struct dentry *parent, const struct qstr *name); /* unhashed, count 1, holds parent */
struct dentry *d_alloc_name(struct dentry *parent, const char *name);
struct dentry *d_alloc_anon(struct super_block *sb); /* without a name, its own parent */
struct dentry *d_make_root(struct inode *i);	     /* takes over the inode's reference, also where it fails */

/* ---- what a name means; the parent's i_rwsem is held. The inode's reference (NULL: no such name) goes to the dentry ---- */
void d_instantiate(struct dentry *d, struct inode *i); /* d was negative; unhashed ones stay so */
void d_rehash(struct dentry *d);		       /* it can be found from now on */
void d_add(struct dentry *d, struct inode *i);	       /* both */
/* d_splice_alias: d_add() where a directory may be known under another name: that dentry, moved here, with a reference; NULL: d; ERR_PTR */
struct dentry *d_splice_alias(struct inode *i, struct dentry *d);
void d_delete(struct dentry *d); /* the name is gone: negative where nobody else uses d, else unhashed */
/* d takes target's name and place, target is unhashed; or they change places. Both parents' i_rwsem, s_vfs_rename_mutex between directories */
void d_move(struct dentry *d, struct dentry *target);
void d_exchange(struct dentry *a, struct dentry *b);

/* ---- forgetting; any context that may sleep ---- */
void d_drop(struct dentry *d);		       /* it is not found any more; users keep it */
void d_invalidate(struct dentry *d);	       /* d_drop() with all that is cached below and mounted on it */
void shrink_dcache_parent(struct dentry *d);   /* unused ones below d */
void shrink_dcache_sb(struct super_block *sb); /* all unused ones of a super block */
unsigned long shrink_dcache(unsigned long nr); /* unused ones of anybody, oldest first; how many */

/* ---- references and relations ---- */
struct dentry *dget(struct dentry *d);	      /* the caller has one already; NULL is let through */
void dput(struct dentry *d);		      /* may end d and its inode: not under a spinlock. NULL is let through */
struct dentry *dget_parent(struct dentry *d); /* a reference to who is its parent now */
struct dentry *d_find_alias(struct inode *i); /* one of its dentries, a reference; NULL */
struct dentry *d_lookup(struct dentry *parent, const struct qstr *name); /* in the cache alone: a reference; NULL */
bool is_subdir(struct dentry *d, struct dentry *of);			 /* d is of, or below it */
bool d_set_mounted_ok(struct dentry *d);				 /* may something be mounted here? */
int simple_positive(const struct dentry *d);				 /* it has an inode and can be found */
/* d_path: in buf, from its end; "(deleted)" and unreachable as in Linux; ERR_PTR */
char *d_path(const struct path *p, char *buf, int len);

#endif
