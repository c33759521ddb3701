// SPDX-License-Identifier: Apache-2.0
/* Descriptor tables: numbers to open files. */
/*
 * DOC: reading without the lock
 *
 * fget() in a table with several users takes the file's count from any value but 0 and then looks
 * whether the slot still holds that file; files are type-stable (stable.h), so a late increment
 * meets a struct file. A table that was outgrown is kept until the files_struct dies (together they
 * are smaller than the one in use). A table grows by publishing the new array before the new
 * max_fds.
 */
#include "internal.h"
#include <linux/close_range.h>

#define NR_OPEN_MAX (1024 * 1024)
#define NR_OPEN_INIT 64

struct files_full {
	struct files_struct f;
	unsigned long open_init[NR_OPEN_INIT / 64], cloexec_init[NR_OPEN_INIT / 64];
	struct file *fd_init[NR_OPEN_INIT];
};
struct fd_block { /* one allocation: the array, then the two bitmaps */
	void *next;
	unsigned long pad;
	struct file *fd[];
};

/* under file_lock: plain bit operations do */
static inline void bit_on(unsigned nr, unsigned long *map)
{
	map[nr / 64] |= 1UL << (nr % 64);
}
static inline void bit_off(unsigned nr, unsigned long *map)
{
	map[nr / 64] &= ~(1UL << (nr % 64));
}
static inline bool bit_is(unsigned nr, const unsigned long *map)
{
	return map[nr / 64] >> (nr % 64) & 1;
}

static struct files_full *alloc_files(void)
{
	struct files_full *n = kzalloc(sizeof(*n), GFP_KERNEL);

	if (!n)
		return NULL;
	refcount_set(&n->f.count, 1);
	n->f.max_fds = NR_OPEN_INIT;
	n->f.fd = n->fd_init;
	n->f.open_fds = n->open_init;
	n->f.close_on_exec = n->cloexec_init;
	return n;
}

/* Give files a table for at least nr + 1 descriptors. file_lock is held, let go and taken again. 0
 * or -errno. */
static int expand_files(struct files_struct *files, unsigned nr)
{
	unsigned n, old = files->max_fds;
	struct fd_block *b;
	unsigned long *open, *cloexec;

	if (nr >= NR_OPEN_MAX)
		return -EMFILE;
	n = roundup_pow_of_two(max(nr + 1, old * 2));
	spin_unlock(&files->file_lock);
	b = kzalloc(sizeof(*b) + n * sizeof(b->fd[0]) + 2 * (n / 8), GFP_KERNEL);
	spin_lock(&files->file_lock);
	if (!b)
		return -ENOMEM;
	if (nr < files->max_fds) { /* someone else was faster */
		kfree(b);
		return 0;
	}
	old = files->max_fds;
	open = (unsigned long *)&b->fd[n];
	cloexec = open + n / 64;
	memcpy(b->fd, files->fd, old * sizeof(b->fd[0]));
	memcpy(open, files->open_fds, old / 8);
	memcpy(cloexec, files->close_on_exec, old / 8);
	b->next = files->retired;
	files->retired = b;
	smp_store_release(&files->fd, b->fd);
	files->open_fds = open;
	files->close_on_exec = cloexec;
	smp_store_release(&files->max_fds, n);
	return 0;
}

static int alloc_fd(unsigned start, unsigned end, unsigned flags)
{
	struct files_struct *files = current->files;
	unsigned fd;
	int r;

	if (end > NR_OPEN_MAX)
		end = NR_OPEN_MAX;
	spin_lock(&files->file_lock);
again:
	fd = max(start, files->next_fd);
	if (fd < files->max_fds)
		fd = find_next_zero_bit(files->open_fds, files->max_fds, fd);
	r = -EMFILE;
	if (fd >= end)
		goto out;
	if (unlikely(fd >= files->max_fds)) {
		r = expand_files(files, fd);
		if (r)
			goto out;
		goto again;
	}
	if (start <= files->next_fd)
		files->next_fd = fd + 1;
	bit_on(fd, files->open_fds);
	if (flags & O_CLOEXEC)
		bit_on(fd, files->close_on_exec);
	else
		bit_off(fd, files->close_on_exec);
	r = fd;
out:
	spin_unlock(&files->file_lock);
	return r;
}

int __get_unused_fd_flags(unsigned flags, unsigned long nofile)
{
	return alloc_fd(0, min(nofile, (unsigned long)NR_OPEN_MAX), flags);
}

int get_unused_fd_flags(unsigned flags)
{
	return __get_unused_fd_flags(flags, rlimit(RLIMIT_NOFILE));
}

static void __put_unused_fd(struct files_struct *files, unsigned fd)
{
	bit_off(fd, files->open_fds);
	if (fd < files->next_fd)
		files->next_fd = fd;
}

void put_unused_fd(unsigned fd)
{
	struct files_struct *files = current->files;

	spin_lock(&files->file_lock);
	__put_unused_fd(files, fd);
	spin_unlock(&files->file_lock);
}

void fd_install(unsigned fd, struct file *f)
{
	struct files_struct *files = current->files;

	if (refcount_read(&files->count) == 1) {
		smp_store_release(&files->fd[fd], f);
		return;
	}
	/* the table may be growing under another thread */
	spin_lock(&files->file_lock);
	smp_store_release(&files->fd[fd], f);
	spin_unlock(&files->file_lock);
}

int receive_fd(struct file *f, unsigned flags)
{
	int fd = get_unused_fd_flags(flags);

	if (fd >= 0)
		fd_install(fd, get_file(f));
	return fd;
}

/* ---- lookup ---- */
static struct file *files_get(struct files_struct *files, unsigned fd)
{
	for (;;) {
		unsigned max = smp_load_acquire(&files->max_fds);
		struct file **tab = smp_load_acquire(&files->fd), *f;

		if (fd >= max)
			return NULL;
		f = smp_load_acquire(&tab[fd]);
		if (!f)
			return NULL;
		if (!refcount_inc_not_zero(&f->f_count))
			continue;
		if (likely(READ_ONCE(files->fd) == tab && READ_ONCE(tab[fd]) == f))
			return f;
		fput(f);
	}
}

struct file *fget_raw(unsigned fd)
{
	return files_get(current->files, fd);
}

struct file *fget(unsigned fd)
{
	struct file *f = files_get(current->files, fd);

	if (f && (f->f_mode & FMODE_PATH)) {
		fput(f);
		return NULL;
	}
	return f;
}

struct file *fget_task(struct task_struct *t, unsigned fd)
{
	struct file *f = NULL;

	task_lock(t);
	if (t->files)
		f = files_get(t->files, fd);
	task_unlock(t);
	return f;
}

int iterate_fd(struct files_struct *files, unsigned start, int (*fn)(const void *, struct file *, unsigned),
	       const void *arg)
{
	int r = 0;

	if (!files)
		return 0;
	spin_lock(&files->file_lock);
	for (unsigned fd = start; fd < files->max_fds && !r; fd++)
		if (files->fd[fd])
			r = fn(arg, files->fd[fd], fd);
	spin_unlock(&files->file_lock);
	return r;
}

/* ---- closing ---- */
static struct file *pick_file(struct files_struct *files, unsigned fd)
{
	struct file *f;

	if (fd >= files->max_fds || !(f = files->fd[fd]))
		return NULL;
	WRITE_ONCE(files->fd[fd], NULL);
	__put_unused_fd(files, fd);
	return f;
}

int close_fd(unsigned fd)
{
	struct files_struct *files = current->files;
	struct file *f;

	spin_lock(&files->file_lock);
	f = pick_file(files, fd);
	spin_unlock(&files->file_lock);
	return f ? filp_close(f, files) : -EBADF;
}

SYSCALL_DEFINE1(close, unsigned, fd)
{
	int r = close_fd(fd);

	/* the descriptor is gone: a restart would close someone else's */
	if (unlikely(r == -ERESTARTSYS || r == -ERESTARTNOINTR || r == -ERESTARTNOHAND))
		r = -EINTR;
	return r;
}

static void close_files(struct files_struct *files)
{
	for (unsigned w = 0; w < files->max_fds / 64; w++) {
		unsigned long bits = files->open_fds[w];

		while (bits) {
			unsigned fd = w * 64 + __builtin_ctzl(bits);
			struct file *f = files->fd[fd];

			bits &= bits - 1;
			files->fd[fd] = NULL;
			if (f)
				filp_close(f, files);
		}
	}
}

static void put_files_struct(struct files_struct *files)
{
	struct fd_block *b, *next;

	if (!files || !refcount_dec_and_test(&files->count))
		return;
	close_files(files);
	for (b = files->retired; b; b = next) {
		next = b->next;
		kfree(b);
	}
	if (files != &init_files)
		kfree(container_of(files, struct files_full, f));
}

void exit_files(struct task_struct *t)
{
	struct files_struct *files;

	task_lock(t);
	files = t->files;
	t->files = NULL;
	task_unlock(t);
	put_files_struct(files);
}

void do_close_on_exec(struct files_struct *files)
{
	spin_lock(&files->file_lock);
	for (unsigned w = 0; w < files->max_fds / 64; w++) {
		unsigned long bits = files->close_on_exec[w];

		if (!bits)
			continue;
		files->close_on_exec[w] = 0;
		bits &= files->open_fds[w];
		while (bits) {
			struct file *f = pick_file(files, w * 64 + __builtin_ctzl(bits));

			bits &= bits - 1;
			if (!f)
				continue;
			spin_unlock(&files->file_lock);
			filp_close(f, files);
			spin_lock(&files->file_lock);
		}
	}
	spin_unlock(&files->file_lock);
}

static void cloexec_range(struct files_struct *files, unsigned fd, unsigned max)
{
	spin_lock(&files->file_lock);
	for (max = min(max, files->max_fds - 1); fd <= max; fd++)
		bit_on(fd, files->close_on_exec);
	spin_unlock(&files->file_lock);
}

static void close_range(struct files_struct *files, unsigned fd, unsigned max)
{
	spin_lock(&files->file_lock);
	for (; fd < files->max_fds && fd <= max; fd++) {
		struct file *f;

		if (!(fd % 64) && !files->open_fds[fd / 64]) {
			fd += 63;
			continue;
		}
		f = pick_file(files, fd);
		if (!f)
			continue;
		spin_unlock(&files->file_lock);
		filp_close(f, files);
		spin_lock(&files->file_lock);
	}
	spin_unlock(&files->file_lock);
}

SYSCALL_DEFINE3(close_range, unsigned, fd, unsigned, max, unsigned, flags)
{
	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if (fd > max)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		int r = unshare_files();

		if (r)
			return r;
	}
	if (flags & CLOSE_RANGE_CLOEXEC)
		cloexec_range(current->files, fd, max);
	else
		close_range(current->files, fd, max);
	return 0;
}

/* ---- copies ---- */
static unsigned files_used(const struct files_struct *files)
{
	unsigned w = files->max_fds / 64;

	while (w > 1 && !files->open_fds[w - 1])
		w--;
	return w * 64;
}

struct files_struct *dup_fd(struct files_struct *old, int *err)
{
	struct files_full *full = alloc_files();
	struct files_struct *new;
	unsigned n;

	*err = -ENOMEM;
	if (!full)
		return NULL;
	new = &full->f;
	spin_lock(&old->file_lock);
	while ((n = files_used(old)) > new->max_fds) {
		int r;

		spin_unlock(&old->file_lock);
		spin_lock(&new->file_lock);
		r = expand_files(new, n - 1);
		spin_unlock(&new->file_lock);
		if (r) {
			put_files_struct(new);
			return NULL;
		}
		spin_lock(&old->file_lock);
	}
	for (unsigned w = 0; w < n / 64; w++) {
		unsigned long bits = old->open_fds[w];

		new->open_fds[w] = bits;
		new->close_on_exec[w] = old->close_on_exec[w] & bits;
		for (; bits; bits &= bits - 1) {
			unsigned fd = w * 64 + __builtin_ctzl(bits);
			struct file *f = old->fd[fd];

			if (f)
				new->fd[fd] = get_file(f);
			else /* reserved by another thread, not installed yet */
				bit_off(fd, new->open_fds);
		}
	}
	new->next_fd = 0;
	spin_unlock(&old->file_lock);
	*err = 0;
	return new;
}

int unshare_files(void)
{
	struct files_struct *old = current->files, *new;
	int err;

	if (refcount_read(&old->count) == 1)
		return 0;
	new = dup_fd(old, &err);
	if (!new)
		return err;
	task_lock(current);
	current->files = new;
	task_unlock(current);
	put_files_struct(old);
	return 0;
}

/* ---- dup ---- */
/* f_dupfd: for F_DUPFD: the lowest free number from @from on. */
int f_dupfd(unsigned from, struct file *f, unsigned flags)
{
	unsigned long nofile = rlimit(RLIMIT_NOFILE);
	int fd;

	if (from >= nofile)
		return -EINVAL;
	fd = alloc_fd(from, min(nofile, (unsigned long)NR_OPEN_MAX), flags);
	if (fd >= 0)
		fd_install(fd, get_file(f));
	return fd;
}

SYSCALL_DEFINE1(dup, unsigned, fildes)
{
	struct file *f = fget_raw(fildes);
	int fd;

	if (!f)
		return -EBADF;
	fd = get_unused_fd_flags(0);
	if (fd >= 0)
		fd_install(fd, f);
	else
		fput(f);
	return fd;
}

static int do_dup3(unsigned oldfd, unsigned newfd, int flags)
{
	struct files_struct *files = current->files;
	struct file *f, *replaced;
	int r;

	if (newfd >= rlimit(RLIMIT_NOFILE))
		return -EBADF;
	spin_lock(&files->file_lock);
	if (newfd >= files->max_fds) {
		r = expand_files(files, newfd);
		if (r) {
			spin_unlock(&files->file_lock);
			return r == -EMFILE ? -EBADF : r;
		}
	}
	r = -EBADF;
	f = oldfd < files->max_fds ? files->fd[oldfd] : NULL;
	if (!f)
		goto out;
	replaced = files->fd[newfd];
	r = -EBUSY;
	if (!replaced && bit_is(newfd, files->open_fds))
		goto out;
	get_file(f);
	smp_store_release(&files->fd[newfd], f);
	bit_on(newfd, files->open_fds);
	if (flags & O_CLOEXEC)
		bit_on(newfd, files->close_on_exec);
	else
		bit_off(newfd, files->close_on_exec);
	spin_unlock(&files->file_lock);
	if (replaced)
		filp_close(replaced, files);
	return newfd;
out:
	spin_unlock(&files->file_lock);
	return r;
}

SYSCALL_DEFINE3(dup3, unsigned, oldfd, unsigned, newfd, int, flags)
{
	if ((flags & ~O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return do_dup3(oldfd, newfd, flags);
}

SYSCALL_DEFINE2(dup2, unsigned, oldfd, unsigned, newfd)
{
	if (oldfd == newfd) {
		struct fd f = fdget_raw(oldfd);

		if (!f.file)
			return -EBADF;
		fdput(f);
		return newfd;
	}
	return do_dup3(oldfd, newfd, 0);
}

/* get_close_on_exec, set_close_on_exec: the descriptor is known to be open */
bool get_close_on_exec(unsigned fd)
{
	struct files_struct *files = current->files;
	bool r;

	spin_lock(&files->file_lock);
	r = fd < files->max_fds && bit_is(fd, files->close_on_exec);
	spin_unlock(&files->file_lock);
	return r;
}

void set_close_on_exec(unsigned fd, bool on)
{
	struct files_struct *files = current->files;

	spin_lock(&files->file_lock);
	if (fd < files->max_fds && on)
		bit_on(fd, files->close_on_exec);
	else if (fd < files->max_fds)
		bit_off(fd, files->close_on_exec);
	spin_unlock(&files->file_lock);
}
