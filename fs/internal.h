/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of fs/ share among themselves. */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include <husk/fs.h>
#include <husk/file.h>
#include <husk/mount.h>
#include <husk/syscalls.h>
#include <husk/inotify.h>

/* kernel threads and a task that exits have init's */
static inline struct fs_struct *current_fs(void)
{
	struct fs_struct *fs = current->fs;

	return likely(fs) ? fs : &init_fs;
}

/* dcache.c */
struct dentry *__d_lookup_fast(const struct dentry *parent, u64 hash, const char *name, unsigned len, unsigned *seq);
bool dget_not_dead(struct dentry *d);
void dentry_kill_marked(struct dentry *d);
struct dentry *d_alloc_cursor(struct dentry *parent);
void d_genocide(struct dentry *root);
extern spinlock_t rename_lock;
extern atomic64_t nr_dentries, nr_dentries_unused;

static inline unsigned d_seq_begin(const struct dentry *d)
{
	return smp_load_acquire(&d->d_seq);
}
static inline bool d_seq_retry(const struct dentry *d, unsigned seq)
{
	smp_rmb();
	return READ_ONCE(d->d_seq) != seq;
}
static inline unsigned long load_word(const char *p)
{
	unsigned long w;

	__builtin_memcpy(&w, p, sizeof(w));
	return w;
}

/*
 * name_word: the 8 bytes at p; never touches the next page unless the string reaches it. name_stop:
 * a mask with bit 7 of each byte of w that is NUL or '/' (exact up to and with the lowest one).
 */
static inline unsigned long name_word(const char *p)
{
	unsigned long w = 0;

	if (likely((unsigned long)offset_in_page(p) <= PAGE_SIZE - 8))
		return load_word(p);
	for (int i = 0; i < 8; i++) {
		w |= (unsigned long)(u8)p[i] << (8 * i);
		if (!p[i])
			break;
	}
	return w;
}
#define NAME_ONES 0x0101010101010101UL
static inline unsigned long name_stop(unsigned long w)
{
	unsigned long s = w ^ (NAME_ONES * '/');

	return ((w - NAME_ONES) & ~w & (NAME_ONES << 7)) | ((s - NAME_ONES) & ~s & (NAME_ONES << 7));
}
static inline u64 name_mix(u64 h, unsigned long w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15UL;
	return h ^ (h >> 29);
}

/* hash_component: length of the component at p (up to '/' or NUL), and its hash as in qstr_init().
 */
static inline unsigned hash_component(const char *p, u64 *hash)
{
	const char *start = p;
	u64 h = 0;

	for (;;) {
		unsigned long w = name_word(p), stop = name_stop(w);

		if (stop) {
			unsigned n = __builtin_ctzl(stop) >> 3;

			h = name_mix(h, w & ((1UL << (8 * n)) - 1));
			*hash = h;
			return p - start + n;
		}
		h = name_mix(h, w);
		p += 8;
	}
}

/* inode.c */
void evict_inodes(struct super_block *sb);
unsigned should_remove_suid(const struct inode *i);
extern atomic64_t nr_inodes_stat;

/* super.c */
extern struct list_head super_blocks;
extern struct mutex sb_lock;
int do_remount_sb(struct super_block *sb, unsigned long flags, char *data);
int vfs_get_tree(const char *fstype, unsigned long flags, const char *dev, void *data, struct dentry **root);

/* namei.c */
struct fname {
	char *name;
	char small[200];
};
int fname_get(struct fname *f, const char __user *u, int lookup_flags);
static inline void fname_put(struct fname *f)
{
	if (unlikely(f->name != f->small))
		putname(f->name);
}
int fname_path(int dfd, const char __user *u, unsigned flags, struct path *p);
struct open_flags {
	int open_flag;
	umode_t mode;
	int acc_mode;
	int intent;
	int lookup_flags;
};
int may_open(const struct path *p, int acc_mode, int flag);

/* open.c */

/* file_table.c */
void file_free_empty(struct file *f);
extern atomic64_t nr_files_stat;

/* file.c */
int f_dupfd(unsigned from, struct file *f, unsigned flags);
bool get_close_on_exec(unsigned fd);
void set_close_on_exec(unsigned fd, bool on);

/* namespace.c */
extern struct rw_semaphore namespace_sem;

/* fcntl.c */

int exec_kernel_strings(const char *name, const char *const *argv, const char *const *envp);
#endif
