// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: descriptors of nodes, opened when needed and closed when there are too many.
 *
 * DOC: never leaving the share
 *
 * A path is never given to the host: only one component at a time, relative to a descriptor of the
 * directory it was seen in, never following a link, and the result is compared with the device and
 * inode number that the node stands for. A directory without a descriptor is reached again by walking
 * down like this from the nearest ancestor that has one. So whatever guest and host rename meanwhile, a node is itself or
 * ESTALE.
 *
 * Only regular files and directories are ever opened for more than O_PATH, and non-blocking: a device or a FIFO that took a
 * name's place in between is noticed by the comparison and closed again.
 *
 * Descriptors of one share are on a list in the order of use; when all shares together hold too many, those used least
 * recently are closed, except where a name is lost, the guest has the file open for writing, or the request at hand uses it.
 */
#include "fuse_srv.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define WALK_MAX 65536
#define FDS_OF_SHARE 2	 /* the device's own: RAM and /proc/self/fd */
#define FDS_OF_REQUEST 4 /* two directories (rename), and a step down to one of them */
#define FDS_PINNED_MIN 4 /* files open for writing */
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

static int fd_total; /* of all shares; atomic */
static int fd_cache_max, fd_pin_max, fd_hard_max;

static long fds_in_use(long max)
{
	long n = 0;

	for (long fd = 0; fd < max; fd++)
		n += fcntl((int)fd, F_GETFD) >= 0;
	return n;
}

int fd_limits_init(unsigned nshares)
{
	struct rlimit r;
	long max = 1024, spare;

	if (!getrlimit(RLIMIT_NOFILE, &r)) {
		if (r.rlim_cur < r.rlim_max) {
			r.rlim_cur = r.rlim_max;
			setrlimit(RLIMIT_NOFILE, &r);
			getrlimit(RLIMIT_NOFILE, &r);
		}
		max = r.rlim_cur > 1 << 20 ? 1 << 20 : (long)r.rlim_cur;
	}
	/* where there are few, count what is left; the rest of the monitor needs some too, now and then */
	max -= max > 1024 ? FUSE_SRV_FD_RESERVE : fds_in_use(max);
	spare = max < 2 * FUSE_SRV_FD_RESERVE ? max / 4 : FUSE_SRV_FD_RESERVE;
	fd_hard_max = (int)(max - spare - nshares * FDS_OF_SHARE);
	fd_cache_max = fd_hard_max / 4 * 3 < FUSE_SRV_FD_CACHE ? fd_hard_max / 4 * 3 : FUSE_SRV_FD_CACHE;
	fd_pin_max = fd_hard_max - (int)nshares * FDS_OF_REQUEST;
	return fd_pin_max < FDS_PINNED_MIN ? -EMFILE : 0;
}

/* ---- the list of nodes with descriptors ---- */

static void lru_del(struct fs_node *n)
{
	if (!n->in_lru)
		return;
	n->lru_prev->lru_next = n->lru_next;
	n->lru_next->lru_prev = n->lru_prev;
	n->in_lru = false;
}

static void lru_touch(struct fs_dev *d, struct fs_node *n)
{
	n->used = d->seq;
	if (n == d->root || d->lru.lru_next == n)
		return;
	lru_del(n);
	n->lru_next = d->lru.lru_next;
	n->lru_prev = &d->lru;
	d->lru.lru_next->lru_prev = n;
	d->lru.lru_next = n;
	n->in_lru = true;
}

static void drop_fd(int *fd, uint8_t *kind)
{
	if (*fd < 0)
		return;
	close(*fd);
	__atomic_sub_fetch(&fd_total, 1, __ATOMIC_RELAXED);
	*fd = -1;
	*kind = FD_NONE;
}

void node_close(struct fs_dev *d, struct fs_node *n)
{
	lru_del(n);
	drop_fd(&n->fd, &n->fd_kind);
	drop_fd(&n->wfd, &n->wfd_kind);
	n->dirpos = -1;
}

/* Close what can be closed of up to count nodes, the longest unused first. */
static void evict(struct fs_dev *d, int count)
{
	struct fs_node *n = d->lru.lru_prev;

	while (n != &d->lru && count > 0) {
		struct fs_node *prev = n->lru_prev;

		if (n->name && n->used != d->seq) {
			drop_fd(&n->fd, &n->fd_kind);
			n->dirpos = -1;
			if (!n->writers)
				drop_fd(&n->wfd, &n->wfd_kind);
			if (n->wfd < 0)
				lru_del(n);
			count--;
		}
		n = prev;
	}
}

void fd_trim(struct fs_dev *d)
{
	int over = __atomic_load_n(&fd_total, __ATOMIC_RELAXED) - fd_cache_max;

	if (over > 0)
		evict(d, over + 16);
}

bool fd_allowed(struct fs_dev *d, bool pinned)
{
	int max = pinned ? fd_pin_max : fd_hard_max;

	if (__atomic_load_n(&fd_total, __ATOMIC_RELAXED) < max)
		return true;
	evict(d, 64);
	return __atomic_load_n(&fd_total, __ATOMIC_RELAXED) < max;
}

void node_set_fd(struct fs_dev *d, struct fs_node *n, int fd, int kind)
{
	drop_fd(&n->fd, &n->fd_kind);
	n->fd = fd;
	n->fd_kind = kind;
	n->dirpos = -1;
	__atomic_add_fetch(&fd_total, 1, __ATOMIC_RELAXED);
	lru_touch(d, n);
}

void node_set_wfd(struct fs_dev *d, struct fs_node *n, int fd, int kind)
{
	drop_fd(&n->wfd, &n->wfd_kind);
	n->wfd = fd;
	n->wfd_kind = kind;
	__atomic_add_fetch(&fd_total, 1, __ATOMIC_RELAXED);
	lru_touch(d, n);
}

/* ---- opening ---- */

int fs_openat(int dirfd, const char *name, int flags, unsigned mode)
{
	static bool no_openat2;
	struct open_how how = {
		.flags = flags | OPEN_FLAGS,
		.mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (flags & O_PATH)
		how.flags = (flags & (O_PATH | O_DIRECTORY)) | O_CLOEXEC | O_NOFOLLOW;
	if (!__atomic_load_n(&no_openat2, __ATOMIC_RELAXED)) {
		fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
		if (fd >= 0)
			return fd;
		if (errno != ENOSYS && errno != EPERM)
			return -errno;
		/* refused, by a container's filter perhaps: one component with O_NOFOLLOW is as good */
	}
	fd = openat(dirfd, name, (int)how.flags, mode);
	if (fd < 0)
		return -errno;
	__atomic_store_n(&no_openat2, true, __ATOMIC_RELAXED);
	return fd;
}

bool fs_is_hidden(int fd)
{
	static const uint32_t magic[] = {
		PROC_SUPER_MAGIC,
		SYSFS_MAGIC,
		CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC,
		DEVPTS_SUPER_MAGIC,
		DEBUGFS_MAGIC,
		TRACEFS_MAGIC,
		SECURITYFS_MAGIC,
		PSTOREFS_MAGIC,
		BPF_FS_MAGIC,
		EFIVARFS_MAGIC,
		SELINUX_MAGIC,
		SMACK_MAGIC,
		NSFS_MAGIC,
		BINFMTFS_MAGIC,
		AAFS_MAGIC,
		0x7655821 /* resctrl */,
		0x62656570 /* configfs */,
		0x65735543 /* fusectl */,
		0x19800202 /* mqueue */,
	};
	struct statfs sf;
	struct stat st;

	if (fstatfs(fd, &sf))
		return true;
	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if ((uint32_t)sf.f_type == magic[i])
			return true;
	/* devtmpfs, and the tmpfs that containers have for /dev, are known by their null */
	return sf.f_type == TMPFS_MAGIC && !fstatat(fd, "null", &st, AT_SYMLINK_NOFOLLOW) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == 0x103;
}

static bool is_node(const struct fs_node *n, const struct stat *st)
{
	return st->st_dev == n->dev && st->st_ino == n->ino && (st->st_mode & S_IFMT) == n->type;
}

bool node_is_at(const struct fs_node *n, int dir, const char *name)
{
	struct stat st;

	return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && is_node(n, &st);
}

/* Open n by its name in the directory pfd and see that it is n. */
static int open_child(struct fs_dev *d, int pfd, struct fs_node *n, int flags)
{
	struct stat st;
	int fd;

	if (!fd_allowed(d, (flags & O_ACCMODE) != O_RDONLY))
		return -EMFILE;
	fd = fs_openat(pfd, n->name, flags, 0);
	if (fd == -EMFILE || fd == -ENFILE) {
		evict(d, 64);
		fd = fs_openat(pfd, n->name, flags, 0);
	}
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return -ESTALE;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !is_node(n, &st)) {
		close(fd);
		return -ESTALE;
	}
	d->opened_size = st.st_size;
	d->opened_seq = d->seq;
	return fd;
}

static int open_dir(struct fs_dev *d, int pfd, struct fs_node *n)
{
	int fd = open_child(d, pfd, n, O_RDONLY | O_DIRECTORY);

	if (fd >= 0) {
		node_set_fd(d, n, fd, FD_READ);
		return fd;
	}
	if (fd != -EACCES && fd != -EPERM)
		return fd;
	fd = open_child(d, pfd, n, O_PATH | O_DIRECTORY);
	if (fd >= 0)
		node_set_fd(d, n, fd, FD_PATH);
	return fd;
}

static int walk_push(struct fs_dev *d, uint32_t depth, struct fs_node *n)
{
	if (depth == d->walk_max) {
		uint32_t max = depth ? depth * 2 : 64;
		struct fs_node **w = max > WALK_MAX ? NULL : realloc(d->walk, max * sizeof(*w));

		if (!w)
			return -ENOMEM;
		d->walk = w;
		d->walk_max = max;
	}
	d->walk[depth] = n;
	return 0;
}

/*
 * Open d->walk[depth - 1] in top, the one before it in that, and so on. A directory on the way that this request has no other
 * use for may be closed again as soon as the next one is open: so a walk takes two descriptors, however deep it goes.
 */
static int walk_down(struct fs_dev *d, struct fs_node *top, uint32_t depth)
{
	bool passing = top->used != d->seq;
	int fd = top->fd;

	lru_touch(d, top);
	while (depth) {
		struct fs_node *child = d->walk[--depth];

		fd = open_dir(d, fd, child);
		if (fd < 0)
			return fd;
		if (passing)
			top->used = d->seq - 1;
		passing = true;
		top = child;
	}
	return fd;
}

int node_dir_fd(struct fs_dev *d, struct fs_node *n)
{
	struct fs_node *top = n;
	uint32_t depth = 0;
	int fd;

	if (!S_ISDIR(n->type))
		return -ENOTDIR;
	if (n->fd >= 0) {
		lru_touch(d, n);
		return n->fd;
	}
	while (top->fd < 0) {
		if (!top->name)
			return -ESTALE;
		fd = walk_push(d, depth++, top);
		if (fd < 0)
			return fd;
		top = top->parent;
	}
	return walk_down(d, top, depth);
}

int node_name_fd(struct fs_dev *d, struct fs_node *n)
{
	if (!n->name)
		return -ESTALE;
	return node_dir_fd(d, n->parent);
}

/* Open by name, or, without one, anew from the descriptor that is there. */
static int open_file(struct fs_dev *d, struct fs_node *n, int flags)
{
	char num[16];
	int fd;

	if (n->name) {
		fd = node_name_fd(d, n);
		if (fd < 0)
			return fd;
		return open_child(d, fd, n, flags);
	}
	fd = n->wfd >= 0 ? n->wfd : n->fd;
	if (fd < 0 || d->proc_fd < 0)
		return -ESTALE;
	if (!fd_allowed(d, (flags & O_ACCMODE) != O_RDONLY))
		return -EMFILE;
	snprintf(num, sizeof(num), "%d", fd);
	fd = openat(d->proc_fd, num, flags | (OPEN_FLAGS & ~O_NOFOLLOW));
	return fd < 0 ? -errno : fd;
}

int node_path_fd(struct fs_dev *d, struct fs_node *n)
{
	int fd;

	if (S_ISDIR(n->type))
		return node_dir_fd(d, n);
	fd = n->fd >= 0 ? n->fd : n->wfd;
	if (fd >= 0) {
		lru_touch(d, n);
		return fd;
	}
	fd = open_file(d, n, O_PATH);
	if (fd >= 0)
		node_set_fd(d, n, fd, FD_PATH);
	return fd;
}

int node_read_fd(struct fs_dev *d, struct fs_node *n)
{
	int fd;

	if (S_ISDIR(n->type)) {
		fd = node_dir_fd(d, n);
		return fd < 0 || n->fd_kind == FD_READ ? fd : -EACCES;
	}
	if (!S_ISREG(n->type))
		return -EINVAL;
	fd = n->fd_kind == FD_READ ? n->fd : n->wfd_kind == FD_RDWR ? n->wfd : -1;
	if (fd >= 0) {
		lru_touch(d, n);
		return fd;
	}
	fd = open_file(d, n, O_RDONLY);
	if (fd >= 0)
		node_set_fd(d, n, fd, FD_READ);
	return fd;
}

int node_write_fd(struct fs_dev *d, struct fs_node *n)
{
	int fd, kind = FD_RDWR;

	if (d->readonly)
		return -EROFS;
	if (!S_ISREG(n->type))
		return S_ISDIR(n->type) ? -EISDIR : -EINVAL;
	if (n->wfd >= 0) {
		lru_touch(d, n);
		return n->wfd;
	}
	fd = open_file(d, n, O_RDWR);
	if (fd == -EACCES) {
		kind = FD_WRITE;
		fd = open_file(d, n, O_WRONLY);
	}
	if (fd >= 0)
		node_set_wfd(d, n, fd, kind);
	return fd;
}

int node_stat(struct fs_dev *d, struct fs_node *n, struct stat *st)
{
	int fd = n->fd >= 0 ? n->fd : n->wfd;

	if (fd >= 0) {
		lru_touch(d, n);
		return fstat(fd, st) ? -errno : 0;
	}
	fd = node_name_fd(d, n);
	if (fd < 0)
		return fd;
	if (fstatat(fd, n->name, st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT || errno == ENOTDIR ? -ESTALE : -errno;
	return is_node(n, st) ? 0 : -ESTALE;
}

void node_keep(struct fs_dev *d, struct fs_node *n)
{
	if (n->fd >= 0 || n->wfd >= 0 || !fd_allowed(d, true))
		return;
	if (S_ISREG(n->type) && node_read_fd(d, n) >= 0)
		return;
	node_path_fd(d, n);
}
