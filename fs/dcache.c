// SPDX-License-Identifier: Apache-2.0
/* The dentry cache: names of one directory each, hashed, counted, and found without a lock. */
/*
 * DOC: dentry life and the lock-free lookup
 *
 * A dentry is referenced (d_count_ > 0), unused (0: on the LRU if hashed), or dead (negative). Only
 * a compare-and-swap from 0 (or 1, by the one holder) to D_COUNT_DEAD kills, so a reference can be
 * taken without a lock from any count that is not negative. While d_delete() turns a dentry
 * negative the count is -1, under d_lock.
 *
 * Memory is type-stable (stable.h) and d_seq only grows: it changes whenever the dentry is hashed,
 * unhashed, renamed, instantiated or killed, and is odd meanwhile. A lock-free reader takes d_seq,
 * reads what it wants, takes a reference if it wants one, and compares d_seq again: unchanged means
 * that all of it was true at once. A hash chain that changes under a reader can make it miss, never
 * loop: it then looks again under the bucket's lock.
 *
 * Lock order: inode->i_lock, d_lock (parent before child), bucket lock or lru_lock. d_parent and
 * d_name change only with rename_lock and the dentry's d_lock held. A child holds a reference on
 * its parent; a dentry holds its inode.
 *
 * The hash table starts small and is replaced by one eight times as large when chains grow: the
 * grower holds every bucket's lock of the old table, and who waited for one looks at dentry_table
 * again.
 */
#include "internal.h"
#include "stable.h"

struct d_bucket {
	struct hlist_head head;
	spinlock_t lock;
};
struct d_table {
	struct d_bucket *bucket;
	unsigned long mask;
	unsigned order;
};

#define D_FIRST_BITS 10
static struct d_bucket first_buckets[1 << D_FIRST_BITS];
static struct d_table first_table = {first_buckets, (1 << D_FIRST_BITS) - 1, 0};
static struct d_table *dentry_table = &first_table;
static DEFINE_MUTEX(grow_lock);

static struct stable_pool dentry_pool = STABLE_POOL(struct dentry, d_lru);
atomic64_t nr_dentries, nr_dentries_unused;
static atomic64_t dir_pos = ATOMIC_INIT(2);

DEFINE_SPINLOCK(rename_lock);
static DEFINE_SPINLOCK(lru_lock);
static LIST_HEAD(lru_list);

struct qstr qstr_init(const char *name, unsigned len)
{
	struct qstr q = {.len = len, .name = name};
	u64 h = 0;
	unsigned i;

	for (i = 0; i + 8 <= len; i += 8)
		h = name_mix(h, load_word(name + i));
	unsigned long w = 0;
	for (unsigned j = 0; i + j < len; j++)
		w |= (unsigned long)(u8)name[i + j] << (8 * j);
	q.hash = name_mix(h, w);
	return q;
}

static inline u64 d_mix(const struct dentry *parent, u64 hash)
{
	u64 h = (hash ^ ((unsigned long)parent >> 4)) * 0x9e3779b97f4a7c15UL;

	return h >> 24;
}

/* The locked bucket of (parent, hash) in the table of the moment. */
static struct d_bucket *lock_bucket(const struct dentry *parent, u64 hash)
{
	u64 h = d_mix(parent, hash);

	for (;;) {
		struct d_table *t = smp_load_acquire(&dentry_table);
		struct d_bucket *b = &t->bucket[h & t->mask];

		spin_lock(&b->lock);
		if (likely(t == READ_ONCE(dentry_table)))
			return b;
		spin_unlock(&b->lock);
	}
}

static inline void bucket_add(struct d_bucket *b, struct dentry *d)
{
	struct hlist_node *first = b->head.first;

	WRITE_ONCE(d->d_hash.next, first);
	if (first)
		first->pprev = &d->d_hash.next;
	smp_store_release(&d->d_hash.pprev, &b->head.first);
	smp_store_release(&b->head.first, &d->d_hash);
}

static void grow_table(void)
{
	struct d_table *old = dentry_table, *t;
	unsigned long n = (old->mask + 1) * 8;
	unsigned order = get_order(n * sizeof(struct d_bucket));

	if (!mutex_trylock(&grow_lock))
		return;
	if (old != dentry_table || order > 12)
		goto out;
	t = kmalloc(sizeof(*t), GFP_KERNEL | __GFP_NOWARN);
	if (!t)
		goto out;
	t->bucket = __get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);
	t->mask = n - 1;
	t->order = order;
	if (!t->bucket) {
		kfree(t);
		goto out;
	}
	for (unsigned long i = 0; i <= old->mask; i++)
		spin_lock(&old->bucket[i].lock);
	for (unsigned long i = 0; i <= old->mask; i++) {
		struct hlist_node *p, *next;

		for (p = old->bucket[i].head.first; p; p = next) {
			struct dentry *d = container_of(p, struct dentry, d_hash);

			next = p->next;
			bucket_add(&t->bucket[d_mix(d->d_parent, d->d_name.hash) & t->mask], d);
		}
	}
	smp_store_release(&dentry_table, t);
	for (unsigned long i = 0; i <= old->mask; i++)
		spin_unlock(&old->bucket[i].lock);
	/* the old table stays: lock-free readers and lockers may still hold it (an eighth of the
	 * new one's size) */
out:
	mutex_unlock(&grow_lock);
}

/* ---- allocation ---- */
static struct dentry *__d_alloc(struct super_block *sb, const struct qstr *name)
{
	struct dentry *d = stable_alloc(&dentry_pool);
	char *dname;

	if (unlikely(!d))
		return NULL;
	dname = d->d_iname;
	if (name->len >= DNAME_INLINE_LEN) {
		dname = kmalloc(ALIGN(name->len + 1, 8u), GFP_KERNEL);
		if (!dname) {
			stable_free(&dentry_pool, d);
			return NULL;
		}
	}
	memcpy(dname, name->name, name->len);
	dname[name->len] = 0;
	d->d_name = (struct qstr){name->hash, name->len, dname};
	d->d_flags = 0;
	lock_class(&d->d_lock);
	INIT_HLIST_NODE(&d->d_hash);
	INIT_HLIST_NODE(&d->d_alias);
	d->d_parent = d;
	d->d_inode = NULL;
	d->d_op = sb->s_d_op;
	d->d_sb = sb;
	d->d_time = 0;
	d->d_fsdata = NULL;
	d->d_mounted = 0;
	d->d_dirpos = 0;
	INIT_LIST_HEAD(&d->d_lru);
	INIT_LIST_HEAD(&d->d_child);
	INIT_LIST_HEAD(&d->d_subdirs);
	__atomic_store_n(&d->d_count_.refs.counter, 1, __ATOMIC_RELEASE);
	atomic64_inc(&nr_dentries);
	return d;
}

static void attach_child(struct dentry *d, struct dentry *parent)
{
	spin_lock(&parent->d_lock);
	d->d_dirpos = atomic64_inc_return(&dir_pos);
	list_add_tail(&d->d_child, &parent->d_subdirs);
	spin_unlock(&parent->d_lock);
}

struct dentry *d_alloc(struct dentry *parent, const struct qstr *name)
{
	struct dentry *d = __d_alloc(parent->d_sb, name);

	if (d) {
		d->d_parent = dget(parent);
		attach_child(d, parent);
	}
	return d;
}

struct dentry *d_alloc_name(struct dentry *parent, const char *name)
{
	struct qstr q = qstr_init(name, strlen(name));

	return d_alloc(parent, &q);
}

struct dentry *d_alloc_anon(struct super_block *sb)
{
	struct qstr q = qstr_init("/", 1);

	return __d_alloc(sb, &q);
}

/* d_alloc_pseudo: for files without a name in any directory; never hashed, freed with its last
 * reference. */
struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name)
{
	struct dentry *d = __d_alloc(sb, name);

	if (d)
		d->d_flags |= DCACHE_CANT_MOUNT;
	return d;
}

struct dentry *d_alloc_cursor(struct dentry *parent)
{
	struct qstr q = qstr_init("", 0);
	struct dentry *d = __d_alloc(parent->d_sb, &q);

	if (d) {
		d->d_op = NULL;
		d->d_flags |= DCACHE_CURSOR;
		d->d_parent = dget(parent);
	}
	return d;
}

/* ---- references ---- */
struct dentry *dget(struct dentry *d)
{
	if (d)
		refcount_inc(&d->d_count_);
	return d;
}

/* dget_not_dead: without a reference or lock; the caller checks d_seq afterwards. */
bool dget_not_dead(struct dentry *d)
{
	int c = refcount_read(&d->d_count_);

	while (c >= 0)
		if (__atomic_compare_exchange_n(&d->d_count_.refs.counter, &c, c + 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

static inline bool d_count_cas(struct dentry *d, int from, int to)
{
	return __atomic_compare_exchange_n(&d->d_count_.refs.counter, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static void lru_add(struct dentry *d)
{
	spin_lock(&lru_lock);
	if (!(d->d_flags & DCACHE_LRU)) {
		d->d_flags |= DCACHE_LRU;
		list_add_tail(&d->d_lru, &lru_list);
		atomic64_inc(&nr_dentries_unused);
	}
	spin_unlock(&lru_lock);
}

static void lru_del(struct dentry *d)
{
	spin_lock(&lru_lock);
	if (d->d_flags & DCACHE_LRU) {
		d->d_flags &= ~DCACHE_LRU;
		list_del_init(&d->d_lru);
		atomic64_dec(&nr_dentries_unused);
	}
	spin_unlock(&lru_lock);
}

static void __d_drop(struct dentry *d)
{
	struct d_bucket *b;

	if (d_unhashed(d))
		return;
	b = lock_bucket(d->d_parent, d->d_name.hash);
	WRITE_ONCE(d->d_seq, d->d_seq + 1);
	smp_wmb();
	hlist_del_init(&d->d_hash);
	smp_store_release(&d->d_seq, d->d_seq + 1);
	spin_unlock(&b->lock);
}

static void let_go(struct dentry *d, struct inode *inode)
{
	fsnotify_link_gone(inode);
	if (d->d_op && d->d_op->d_iput)
		d->d_op->d_iput(d, inode);
	else
		iput(inode);
}

/* dentry_kill: d is marked dead, its d_lock held. Returns the parent, whose reference is now the
 * caller's. */
static struct dentry *dentry_kill(struct dentry *d)
{
	struct inode *inode = d->d_inode;
	struct dentry *parent = IS_ROOT(d) ? NULL : d->d_parent;

	__d_drop(d);
	WRITE_ONCE(d->d_seq, d->d_seq + 2);
	if (d->d_flags & DCACHE_LRU)
		lru_del(d);
	spin_unlock(&d->d_lock);
	if (inode) {
		spin_lock(&inode->i_lock);
		hlist_del_init(&d->d_alias);
		spin_unlock(&inode->i_lock);
		WRITE_ONCE(d->d_inode, NULL);
	}
	if (parent) {
		spin_lock(&parent->d_lock);
		if (!list_empty(&d->d_child))
			list_del_init(&d->d_child);
		spin_unlock(&parent->d_lock);
	}
	if (d->d_op && d->d_op->d_release)
		d->d_op->d_release(d);
	if (inode)
		let_go(d, inode);
	if (d->d_name.name != d->d_iname)
		kfree(d->d_name.name);
	stable_free(&dentry_pool, d);
	atomic64_dec(&nr_dentries);
	return parent;
}

/* dentry_kill_marked: for the shrinkers: d's count is D_COUNT_DEAD, d_lock not held. */
void dentry_kill_marked(struct dentry *d)
{
	spin_lock(&d->d_lock);
	dput(dentry_kill(d));
}

/* The last reference seems to go. Returns the parent to put when d was killed. */
static struct dentry *dput_last(struct dentry *d)
{
	spin_lock(&d->d_lock);
	if (atomic_dec_return(&d->d_count_.refs) != 0)
		goto out;
	if (d_unhashed(d) || (d->d_op && d->d_op->d_delete && d->d_op->d_delete(d))) {
		if (d_count_cas(d, 0, D_COUNT_DEAD))
			return dentry_kill(d);
		goto out;
	}
	d->d_flags |= DCACHE_REFERENCED;
	if (!(d->d_flags & DCACHE_LRU))
		lru_add(d);
out:
	spin_unlock(&d->d_lock);
	return NULL;
}

void dput(struct dentry *d)
{
	while (d) {
		int c = refcount_read(&d->d_count_);
		const unsigned both = DCACHE_LRU | DCACHE_REFERENCED;

		if (likely(c > 1)) {
			if (d_count_cas(d, c, c - 1))
				return;
			continue;
		}
		if ((READ_ONCE(d->d_flags) & both) == both && !d_unhashed(d) && !(d->d_op && d->d_op->d_delete)) {
			if (!d_count_cas(d, 1, 0))
				continue;
			if (likely(!d_unhashed(d)))
				return;
			/* unhashed before our reference was dropped: nobody else will come for it
			 */
			spin_lock(&d->d_lock);
			if (d_unhashed(d) && d_count_cas(d, 0, D_COUNT_DEAD)) {
				d = dentry_kill(d);
				continue;
			}
			spin_unlock(&d->d_lock);
			return;
		}
		d = dput_last(d);
	}
}

struct dentry *dget_parent(struct dentry *d)
{
	struct dentry *p;

	spin_lock(&d->d_lock);
	p = dget(d->d_parent);
	spin_unlock(&d->d_lock);
	return p;
}

/* ---- lookup ---- */
static inline bool name_eq(const char *a, const char *b, unsigned len)
{
	for (; len >= 8; len -= 8, a += 8, b += 8)
		if (load_word(a) != load_word(b))
			return false;
	for (; len; len--)
		if (*a++ != *b++)
			return false;
	return true;
}

/**
 * __d_lookup_fast - find a hashed child without lock or reference
 * @parent: by pointer only @seq: d_seq of the result, to be compared after use
 *
 * NULL says nothing: look again with d_lookup().
 */
struct dentry *__d_lookup_fast(const struct dentry *parent, u64 hash, const char *name, unsigned len, unsigned *seqp)
{
	struct d_table *t = smp_load_acquire(&dentry_table);
	struct hlist_node *p = smp_load_acquire(&t->bucket[d_mix(parent, hash) & t->mask].head.first);

	for (int steps = 0; p && steps < 64; p = READ_ONCE(p->next), steps++) {
		struct dentry *d = container_of(p, struct dentry, d_hash);
		const char *dname;
		unsigned seq;

		if (READ_ONCE(d->d_name.hash) != hash)
			continue;
		seq = d_seq_begin(d);
		if (READ_ONCE(d->d_parent) != parent || READ_ONCE(d->d_name.len) != len)
			continue;
		dname = READ_ONCE(d->d_name.name);
		if ((seq & 1) || d_seq_retry(d, seq))
			return NULL;
		if (!name_eq(dname, name, len))
			continue;
		if (!READ_ONCE(d->d_hash.pprev) || d_seq_retry(d, seq))
			return NULL;
		*seqp = seq;
		return d;
	}
	return NULL;
}

static bool dget_hashed(struct dentry *d)
{
	bool ok;

	if (dget_not_dead(d))
		return true;
	if (refcount_read(&d->d_count_) == D_COUNT_DEAD)
		return false;
	/* d_delete() is at work on it */
	spin_lock(&d->d_lock);
	ok = dget_not_dead(d);
	spin_unlock(&d->d_lock);
	return ok;
}

struct dentry *d_lookup(struct dentry *parent, const struct qstr *name)
{
	struct d_bucket *b;
	struct dentry *d, *found;
	unsigned seq;

	d = __d_lookup_fast(parent, name->hash, name->name, name->len, &seq);
	if (d && dget_not_dead(d)) {
		if (likely(!d_seq_retry(d, seq)))
			return d;
		dput(d);
	}
again:
	found = NULL;
	b = lock_bucket(parent, name->hash);
	hlist_for_each_entry (d, &b->head, d_hash) {
		if (d->d_name.hash != name->hash || d->d_parent != parent || d->d_name.len != name->len ||
		    !name_eq(d->d_name.name, name->name, name->len))
			continue;
		if (!dget_not_dead(d)) {
			if (refcount_read(&d->d_count_) == D_COUNT_DEAD)
				continue;
			spin_unlock(&b->lock);
			if (dget_hashed(d))
				dput(d);
			goto again;
		}
		found = d;
		break;
	}
	spin_unlock(&b->lock);
	return found;
}

/* ---- hashing and instantiation ---- */
void d_drop(struct dentry *d)
{
	spin_lock(&d->d_lock);
	__d_drop(d);
	spin_unlock(&d->d_lock);
}

static void __d_rehash(struct dentry *d)
{
	struct d_bucket *b = lock_bucket(d->d_parent, d->d_name.hash);

	WRITE_ONCE(d->d_seq, d->d_seq + 2);
	smp_wmb();
	bucket_add(b, d);
	spin_unlock(&b->lock);
}

void d_rehash(struct dentry *d)
{
	struct d_table *t;

	spin_lock(&d->d_lock);
	if (d_unhashed(d))
		__d_rehash(d);
	spin_unlock(&d->d_lock);
	t = READ_ONCE(dentry_table);
	if (unlikely((unsigned long)atomic64_read(&nr_dentries) > 2 * t->mask))
		grow_table();
}

void d_instantiate(struct dentry *d, struct inode *i)
{
	if (!i)
		return;
	spin_lock(&i->i_lock);
	spin_lock(&d->d_lock);
	hlist_add_head(&d->d_alias, &i->i_dentry);
	WRITE_ONCE(d->d_seq, d->d_seq + 1);
	smp_wmb();
	WRITE_ONCE(d->d_inode, i);
	smp_store_release(&d->d_seq, d->d_seq + 1);
	spin_unlock(&d->d_lock);
	spin_unlock(&i->i_lock);
}

void d_add(struct dentry *d, struct inode *i)
{
	d_instantiate(d, i);
	d_rehash(d);
}

struct dentry *d_make_root(struct inode *i)
{
	struct dentry *d;

	if (!i)
		return NULL;
	d = d_alloc_anon(i->i_sb);
	if (!d) {
		iput(i);
		return NULL;
	}
	d_instantiate(d, i);
	return d;
}

/* d_delete: the name is gone. Sole user: the dentry becomes negative and stays cached; else it is
 * unhashed. */
void d_delete(struct dentry *d)
{
	struct inode *inode = d->d_inode;

	if (!inode) {
		d_drop(d);
		return;
	}
	spin_lock(&inode->i_lock);
	spin_lock(&d->d_lock);
	if (!d_count_cas(d, 1, -1)) {
		__d_drop(d);
		spin_unlock(&d->d_lock);
		spin_unlock(&inode->i_lock);
		return;
	}
	hlist_del_init(&d->d_alias);
	WRITE_ONCE(d->d_seq, d->d_seq + 1);
	smp_wmb();
	WRITE_ONCE(d->d_inode, NULL);
	smp_store_release(&d->d_seq, d->d_seq + 1);
	atomic_set(&d->d_count_.refs, 1);
	spin_unlock(&d->d_lock);
	spin_unlock(&inode->i_lock);
	let_go(d, inode);
}

/* ---- renaming ---- */
static void take_name(struct dentry *d, const struct qstr *q, const char *inl)
{
	d->d_name.hash = q->hash;
	d->d_name.len = q->len;
	if (q->name == inl) {
		memcpy(d->d_iname, inl, DNAME_INLINE_LEN);
		d->d_name.name = d->d_iname;
	} else {
		d->d_name.name = q->name;
	}
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	char buf[DNAME_INLINE_LEN];
	struct qstr qa = a->d_name, qb = b->d_name;

	memcpy(buf, a->d_iname, sizeof(buf));
	if (qa.name == a->d_iname)
		qa.name = buf;
	take_name(a, &qb, b->d_iname);
	take_name(b, &qa, buf);
}

static void detach_child(struct dentry *d)
{
	struct dentry *p = d->d_parent;

	spin_lock(&p->d_lock);
	if (!list_empty(&d->d_child))
		list_del_init(&d->d_child);
	spin_unlock(&p->d_lock);
}

/*
 * Swap names and parents of two dentries; rename_lock held and, by way of the directories' i_rwsem,
 * nobody else adds or renames there. The references on the parents change owner with them.
 */
static void d_swap(struct dentry *d, struct dentry *t, bool rehash_t)
{
	struct dentry *dp = d->d_parent, *tp = t->d_parent;
	struct dentry *first = d < t ? d : t, *second = d < t ? t : d;

	detach_child(d);
	detach_child(t);
	spin_lock(&first->d_lock);
	spin_lock(&second->d_lock);
	__d_drop(d);
	__d_drop(t);
	WRITE_ONCE(d->d_seq, d->d_seq + 1);
	WRITE_ONCE(t->d_seq, t->d_seq + 1);
	smp_wmb();
	swap_names(d, t);
	/* a disconnected d is its own parent and holds no reference on it */
	if (dp == d) {
		d->d_parent = tp;
		t->d_parent = t;
	} else {
		d->d_parent = tp;
		t->d_parent = dp;
	}
	d->d_flags &= ~DCACHE_DISCONNECTED;
	smp_store_release(&d->d_seq, d->d_seq + 1);
	smp_store_release(&t->d_seq, t->d_seq + 1);
	__d_rehash(d);
	if (rehash_t)
		__d_rehash(t);
	spin_unlock(&second->d_lock);
	spin_unlock(&first->d_lock);
	attach_child(d, tp);
	if (t->d_parent != t)
		attach_child(t, t->d_parent);
}

void d_move(struct dentry *d, struct dentry *target)
{
	spin_lock(&rename_lock);
	d_swap(d, target, false);
	spin_unlock(&rename_lock);
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	spin_lock(&rename_lock);
	d_swap(a, b, true);
	spin_unlock(&rename_lock);
}

/* is_subdir, rename_lock held */
static bool __is_subdir(struct dentry *d, struct dentry *of)
{
	for (;; d = d->d_parent) {
		if (d == of)
			return true;
		if (IS_ROOT(d))
			return false;
	}
}

bool is_subdir(struct dentry *d, struct dentry *of)
{
	bool r;

	spin_lock(&rename_lock);
	r = __is_subdir(d, of);
	spin_unlock(&rename_lock);
	return r;
}

struct dentry *d_find_alias(struct inode *i)
{
	struct dentry *d, *found = NULL;

	spin_lock(&i->i_lock);
	hlist_for_each_entry (d, &i->i_dentry, d_alias) {
		if (!S_ISDIR(i->i_mode) && d_unhashed(d) && !IS_ROOT(d))
			continue;
		if (dget_not_dead(d)) {
			found = d;
			break;
		}
	}
	spin_unlock(&i->i_lock);
	return found;
}

/**
 * d_splice_alias - d_add() for file systems whose directories may be known under another name
 * already
 *
 * A directory has one dentry: where it has one, that is moved to @d's place and returned with a
 * reference.
 */
struct dentry *d_splice_alias(struct inode *i, struct dentry *d)
{
	struct dentry *alias = NULL;
	struct mutex *m = &d->d_sb->s_vfs_rename_mutex;
	bool locked = false;

	if (IS_ERR(i))
		return ERR_CAST(i);
	if (i && S_ISDIR(i->i_mode))
		alias = d_find_alias(i);
	if (!alias) {
		d_add(d, i);
		return NULL;
	}
	if (!IS_ROOT(alias) || !(alias->d_flags & DCACHE_DISCONNECTED)) {
		if (!mutex_trylock(m)) {
			dput(alias);
			iput(i);
			return ERR_PTR(-ESTALE);
		}
		locked = true;
	}
	spin_lock(&rename_lock);
	if (__is_subdir(d, alias)) {
		spin_unlock(&rename_lock);
		dput(alias);
		alias = ERR_PTR(-ELOOP);
	} else {
		d_swap(alias, d, false);
		spin_unlock(&rename_lock);
	}
	if (locked)
		mutex_unlock(m);
	iput(i);
	return alias;
}

/* ---- LRU shrinking ---- */
unsigned long shrink_dcache(unsigned long nr)
{
	unsigned long freed = 0, scan = nr * 2 + 16;

	spin_lock(&lru_lock);
	while (scan-- && freed < nr && !list_empty(&lru_list)) {
		struct dentry *d = list_first_entry(&lru_list, struct dentry, d_lru);

		if (!spin_trylock(&d->d_lock)) {
			list_move_tail(&d->d_lru, &lru_list);
			continue;
		}
		if (refcount_read(&d->d_count_) == 0 && (d->d_flags & DCACHE_REFERENCED)) {
			d->d_flags &= ~DCACHE_REFERENCED;
			list_move_tail(&d->d_lru, &lru_list);
			spin_unlock(&d->d_lock);
			continue;
		}
		d->d_flags &= ~(DCACHE_LRU | DCACHE_REFERENCED);
		list_del_init(&d->d_lru);
		atomic64_dec(&nr_dentries_unused);
		if (!d_count_cas(d, 0, D_COUNT_DEAD)) {
			spin_unlock(&d->d_lock); /* in use: comes back with its last dput */
			continue;
		}
		spin_unlock(&lru_lock);
		dput(dentry_kill(d));
		freed++;
		spin_lock(&lru_lock);
	}
	spin_unlock(&lru_lock);
	return freed;
}
