// SPDX-License-Identifier: Apache-2.0
/* Inodes: allocation, the inode hash, references and eviction. */
/*
 * DOC: inode life
 *
 * A dentry or an open file holds an inode; with the last reference it is evicted: the dentry cache
 * is the inode cache. Hashed inodes (iget_locked) count down to 0 under their bucket's lock, where
 * I_FREEING is set: a lookup that meets I_FREEING or I_NEW waits on inode_wait and looks again, so
 * that there are never two inodes for one key and a new one is not filled before the old one's
 * pages are written.
 */
#include "internal.h"

#define INODE_HASH_BITS 13
struct i_bucket {
	struct hlist_head head;
	spinlock_t lock;
};
static struct i_bucket inode_table[1 << INODE_HASH_BITS];
static DECLARE_WAIT_QUEUE_HEAD(inode_wait);
static struct kmem_cache *inode_cache;
atomic64_t nr_inodes_stat;

/* Keys that follow one another are neighbours in the table: a few inodes touch a few pages of it. Each file system begins elsewhere. */
static struct i_bucket *inode_bucket(const struct super_block *sb, u64 hash)
{
	u64 h = ((unsigned long)sb >> 6) * 0x9e3779b97f4a7c15UL >> (64 - INODE_HASH_BITS);

	h += hash ^ hash >> INODE_HASH_BITS ^ hash >> 2 * INODE_HASH_BITS;
	return &inode_table[h & (ARRAY_SIZE(inode_table) - 1)];
}

static struct kmem_cache *get_inode_cache(void)
{
	static DEFINE_MUTEX(m);

	if (unlikely(!smp_load_acquire(&inode_cache))) {
		mutex_lock(&m);
		if (!inode_cache)
			smp_store_release(&inode_cache, KMEM_CACHE(inode));
		mutex_unlock(&m);
	}
	return inode_cache;
}

static const struct inode_operations empty_iops;
static int no_open(struct inode *i, struct file *f)
{
	return -ENXIO;
}
const struct file_operations no_open_fops = {.open = no_open};
static const struct address_space_operations empty_aops;

static struct inode *inode_init_always(struct super_block *sb, struct inode *i)
{
	i->i_mode = 0;
	i->i_uid = i->i_gid = 0;
	i->i_flags = 0;
	i->i_op = &empty_iops;
	i->i_fop = &no_open_fops;
	i->i_sb = sb;
	address_space_init(&i->i_data, i, &empty_aops);
	i->i_mapping = &i->i_data;
	i->i_ino = 0;
	i->i_nlink = 1;
	i->i_rdev = 0;
	i->i_size = 0;
	i->i_atime = i->i_mtime = i->i_ctime = i->i_btime = (struct timespec64){0, 0};
	i->i_blocks = 0;
	i->i_blkbits = PAGE_SHIFT;
	spin_lock_init(&i->i_lock);
	init_rwsem(&i->i_rwsem);
	atomic_set(&i->i_count, 1);
	atomic_set(&i->i_writecount, 0);
	i->i_state = 0;
	i->i_hash_key = 0;
	INIT_HLIST_NODE(&i->i_hash);
	INIT_LIST_HEAD(&i->i_sb_list);
	INIT_LIST_HEAD(&i->i_lru);
	INIT_HLIST_HEAD(&i->i_dentry);
	i->i_version = i->i_generation = 0;
	i->i_flctx = NULL;
	i->i_fsnotify_marks = NULL;
	i->i_fsnotify_mask = 0;
	i->i_link = NULL;
	i->i_private = NULL;
	return i;
}

static struct inode *alloc_inode(struct super_block *sb)
{
	struct inode *i;

	if (sb->s_op && sb->s_op->alloc_inode)
		i = sb->s_op->alloc_inode(sb);
	else
		i = kmem_cache_alloc(get_inode_cache(), GFP_KERNEL);
	if (!i)
		return NULL;
	atomic64_inc(&nr_inodes_stat);
	return inode_init_always(sb, i);
}

static void free_inode(struct inode *i)
{
	atomic64_dec(&nr_inodes_stat);
	if (i->i_sb->s_op && i->i_sb->s_op->free_inode)
		i->i_sb->s_op->free_inode(i);
	else
		kmem_cache_free(inode_cache, i);
}

static void sb_list_add(struct inode *i)
{
	struct super_block *sb = i->i_sb;

	spin_lock(&sb->s_inode_lock);
	list_add(&i->i_sb_list, &sb->s_inodes);
	spin_unlock(&sb->s_inode_lock);
}

static void sb_list_del(struct inode *i)
{
	struct super_block *sb = i->i_sb;

	spin_lock(&sb->s_inode_lock);
	if (!list_empty(&i->i_sb_list))
		list_del_init(&i->i_sb_list);
	spin_unlock(&sb->s_inode_lock);
}

struct inode *new_inode(struct super_block *sb)
{
	struct inode *i = alloc_inode(sb);

	if (i) {
		i->i_ino = atomic64_inc_return(&sb->s_next_ino);
		sb_list_add(i);
	}
	return i;
}

/* ---- hash ---- */
void insert_inode_hash(struct inode *i, u64 hash)
{
	struct i_bucket *b = inode_bucket(i->i_sb, hash);

	spin_lock(&b->lock);
	i->i_hash_key = hash;
	hlist_add_head(&i->i_hash, &b->head);
	spin_unlock(&b->lock);
}

void remove_inode_hash(struct inode *i)
{
	struct i_bucket *b;

	if (hlist_unhashed(&i->i_hash))
		return;
	b = inode_bucket(i->i_sb, i->i_hash_key);
	spin_lock(&b->lock);
	hlist_del_init(&i->i_hash);
	spin_unlock(&b->lock);
}

static bool inode_settled(struct i_bucket *b, struct super_block *sb, u64 hash, struct inode *i, unsigned long state)
{
	struct inode *p;
	bool busy = false;

	spin_lock(&b->lock);
	hlist_for_each_entry (p, &b->head, i_hash)
		if (p == i && p->i_sb == sb && p->i_hash_key == hash && (p->i_state & state))
			busy = true;
	spin_unlock(&b->lock);
	return !busy;
}

/* The inode of the key, with a reference, neither new nor going; NULL. b->lock is held on entry and
 * on return. */
static struct inode *find_inode(struct i_bucket *b, struct super_block *sb, u64 hash,
				int (*test)(struct inode *, void *), void *data)
{
	struct inode *i;

again:
	hlist_for_each_entry (i, &b->head, i_hash) {
		if (i->i_hash_key != hash || i->i_sb != sb)
			continue;
		if (i->i_state & I_FREEING) {
			spin_unlock(&b->lock);
			wait_event(inode_wait, inode_settled(b, sb, hash, i, I_FREEING));
			spin_lock(&b->lock);
			goto again;
		}
		if (test && !test(i, data))
			continue;
		ihold(i);
		if (unlikely(READ_ONCE(i->i_state) & I_NEW)) {
			spin_unlock(&b->lock);
			wait_event(inode_wait, !(READ_ONCE(i->i_state) & I_NEW));
			spin_lock(&b->lock);
			if (hlist_unhashed(&i->i_hash)) { /* could not be read */
				spin_unlock(&b->lock);
				iput(i);
				spin_lock(&b->lock);
				goto again;
			}
		}
		return i;
	}
	return NULL;
}

struct inode *iget5_locked(struct super_block *sb, u64 hash, int (*test)(struct inode *, void *),
			   int (*set)(struct inode *, void *), void *data)
{
	struct i_bucket *b = inode_bucket(sb, hash);
	struct inode *i, *new;

	spin_lock(&b->lock);
	i = find_inode(b, sb, hash, test, data);
	spin_unlock(&b->lock);
	if (i)
		return i;
	new = alloc_inode(sb);
	if (!new)
		return NULL;
	spin_lock(&b->lock);
	i = find_inode(b, sb, hash, test, data);
	if (i || (set && set(new, data))) {
		spin_unlock(&b->lock);
		free_inode(new);
		return i;
	}
	if (!set)
		new->i_ino = hash;
	new->i_state = I_NEW;
	new->i_hash_key = hash;
	hlist_add_head(&new->i_hash, &b->head);
	spin_unlock(&b->lock);
	sb_list_add(new);
	return new;
}

struct inode *iget_locked(struct super_block *sb, u64 ino)
{
	return iget5_locked(sb, ino, NULL, NULL, NULL);
}

struct inode *ilookup5(struct super_block *sb, u64 hash, int (*test)(struct inode *, void *), void *data)
{
	struct i_bucket *b = inode_bucket(sb, hash);
	struct inode *i;

	spin_lock(&b->lock);
	i = find_inode(b, sb, hash, test, data);
	spin_unlock(&b->lock);
	return i;
}

void unlock_new_inode(struct inode *i)
{
	__atomic_fetch_and(&i->i_state, ~(unsigned long)I_NEW, __ATOMIC_SEQ_CST);
	if (waitqueue_active(&inode_wait))
		wake_up_all(&inode_wait);
}

void iget_failed(struct inode *i)
{
	remove_inode_hash(i);
	i->i_nlink = 0;
	unlock_new_inode(i);
	iput(i);
}

/* ---- end ---- */
void clear_inode(struct inode *i)
{
	__atomic_fetch_or(&i->i_state, I_FREEING, __ATOMIC_SEQ_CST);
}

static void evict(struct inode *i)
{
	sb_list_del(i);
	if (i->i_sb->s_op && i->i_sb->s_op->evict_inode) {
		i->i_sb->s_op->evict_inode(i);
	} else {
		if (i->i_data.nrpages)
			truncate_inode_pages(&i->i_data, 0);
		clear_inode(i);
	}
	if (!hlist_unhashed(&i->i_hash)) {
		remove_inode_hash(i);
		if (waitqueue_active(&inode_wait))
			wake_up_all(&inode_wait);
	}
	if (i->i_flctx)
		locks_free_lock_context(i);
	fsnotify_inode_delete(i);
	text_ops->mapping_release(&i->i_data);
	free_inode(i);
}

int generic_drop_inode(struct inode *i)
{
	return i->i_nlink == 0 || hlist_unhashed(&i->i_hash);
}

void iput(struct inode *i)
{
	struct i_bucket *b = NULL;
	int c;

	if (!i)
		return;
	c = atomic_read(&i->i_count);
	while (c > 1)
		if (__atomic_compare_exchange_n(&i->i_count.counter, &c, c - 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return;
	if (!hlist_unhashed(&i->i_hash)) {
		b = inode_bucket(i->i_sb, i->i_hash_key);
		spin_lock(&b->lock);
	}
	if (!atomic_dec_and_test(&i->i_count)) {
		if (b)
			spin_unlock(&b->lock);
		return;
	}
	i->i_state |= I_FREEING;
	if (b)
		spin_unlock(&b->lock);
	evict(i);
}

struct inode *igrab(struct inode *i)
{
	return atomic_inc_not_zero(&i->i_count) ? i : NULL;
}

/* evict_inodes: the super block ends; whatever still has users keeps its inode, but says so in the
 * log. */
void evict_inodes(struct super_block *sb)
{
	unsigned n = 0;
	struct inode *i;

	spin_lock(&sb->s_inode_lock);
	list_for_each_entry (i, &sb->s_inodes, i_sb_list)
		n++;
	spin_unlock(&sb->s_inode_lock);
	if (n)
		pr_warn("VFS: %u inodes of %s in use after umount", n, sb->s_id);
}

/* ---- ownership, special files ---- */

/* create_mode: the mode of a new file in dir, less the umask. What the umask takes does not hide that setgid would be for others' group. */
umode_t create_mode(const struct inode *dir, umode_t mode)
{
	if ((dir->i_mode & S_ISGID) && !S_ISDIR(mode) && (mode & (S_ISGID | 010)) == (S_ISGID | 010) &&
	    !in_group_p(dir->i_gid) && !capable(CAP_FSETID))
		mode &= ~S_ISGID;
	return mode & ~(umode_t)current_fs()->umask;
}

void inode_init_owner(struct inode *i, const struct inode *dir, umode_t mode)
{
	i->i_uid = current_fsuid();
	if (dir && (dir->i_mode & S_ISGID)) {
		i->i_gid = dir->i_gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	} else {
		i->i_gid = current_fsgid();
	}
	i->i_mode = mode;
}

static int no_open_sock(struct inode *i, struct file *f)
{
	return -ENXIO;
}
static const struct file_operations sock_no_open_fops = {.open = no_open_sock};
static const struct file_operations no_blkdev_fops = {.open = no_open_sock};

void init_special_inode(struct inode *i, umode_t mode, dev_t rdev)
{
	i->i_mode = mode;
	if (S_ISCHR(mode)) {
		i->i_fop = &def_chr_fops;
		i->i_rdev = rdev;
	} else if (S_ISBLK(mode)) {
		i->i_fop = &no_blkdev_fops;
		i->i_rdev = rdev;
	} else if (S_ISFIFO(mode)) {
		i->i_fop = &def_fifo_fops;
	} else {
		i->i_fop = &sock_no_open_fops;
	}
}

bool inode_owner_or_capable(const struct inode *i)
{
	return current_fsuid() == i->i_uid || capable(CAP_FOWNER);
}

/* ---- permissions ---- */
static int acl_permission_check(const struct inode *i, int mask)
{
	umode_t mode = i->i_mode;

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (current_fsuid() == i->i_uid)
		mode >>= 6;
	else if ((((mode >> 3) ^ mode) & mask) && in_group_p(i->i_gid)) /* else both agree */
		mode >>= 3;
	return (mask & ~mode & 7) ? -EACCES : 0;
}

int generic_permission(struct inode *i, int mask)
{
	int r = acl_permission_check(i, mask);

	if (r != -EACCES)
		return r;
	if (S_ISDIR(i->i_mode)) {
		if (!(mask & MAY_WRITE) && capable(CAP_DAC_READ_SEARCH))
			return 0;
		return capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (mask == MAY_READ && capable(CAP_DAC_READ_SEARCH))
		return 0;
	if (!(mask & MAY_EXEC) || (i->i_mode & 0111))
		if (capable(CAP_DAC_OVERRIDE))
			return 0;
	return -EACCES;
}

int inode_permission(struct inode *i, int mask)
{
	if (mask & MAY_WRITE) {
		umode_t m = i->i_mode;

		if (IS_RDONLY(i) && (S_ISREG(m) || S_ISDIR(m) || S_ISLNK(m)))
			return -EROFS;
		if (i->i_flags & S_IMMUTABLE)
			return -EPERM;
	}
	if (unlikely(i->i_op->permission))
		return i->i_op->permission(i, mask);
	return generic_permission(i, mask);
}
