/* SPDX-License-Identifier: Apache-2.0 */
/* Internals of the FUSE server: device, nodes, requests. */
#ifndef HOST_FUSE_SRV_H
#define HOST_FUSE_SRV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <linux/fuse.h>
#include "fs_server.h"
#include "virtq.h"

#define FUSE_SRV_IN_MAX 9216 /* header, arguments and strings: what is copied before it is looked at */
#define FUSE_SRV_OUT_MAX (128 * 1024)
#define FUSE_SRV_MAX_WRITE (1024 * 1024)
#define FUSE_SRV_DENTS 32768
#define FUSE_SRV_FD_RESERVE 64	/* descriptors left to the rest of the monitor */
#define FUSE_SRV_FD_CACHE 16384 /* descriptors kept open, of all shares together */

/**
 * struct fs_node - a file of the host that the guest knows
 * @dev, @ino: what it is; every descriptor that is opened for it is checked against these
 * @nlookup: references the guest holds. @children: nodes that name this one as their parent
 * @parent, @name: where it was last seen; name is NULL when it has none any more (deleted, O_TMPFILE): then fd or wfd is all there is
 * @fd: FD_PATH or FD_READ, or -1. @wfd: open for writing (FD_WRITE or FD_RDWR), or -1
 * @writers: OPENs for writing without RELEASE: wfd must stay
 */
struct fs_node {
	uint64_t dev, ino;
	uint64_t nlookup;
	uint32_t slot, gen;
	uint32_t type; /* S_IFMT bits */
	uint32_t children, writers;
	uint64_t used; /* the last request that used its descriptors: they stay open until that ends */
	struct fs_node *parent;
	char *name;
	int fd, wfd;
	uint8_t fd_kind, wfd_kind;
	bool hidden; /* root of a file system of the host's kernel: shown empty */
	bool in_lru;
	int64_t dirpos; /* where fd stands, or -1 */
	struct fs_node *hash_next;
	struct fs_node *lru_prev, *lru_next;
};
enum { FD_NONE, FD_PATH, FD_READ, FD_WRITE, FD_RDWR };

struct fs_dev {
	struct virtq vq;
	struct virtq_chain chain;
	bool readonly, is_root, own_fs;
	char tag[40];
	int stop;
	pthread_t thread;
	struct fs_dev *next;

	struct fs_node *root;
	struct fs_node **slots; /* by slot number */
	uint32_t *gens;
	uint32_t nslots, free_slots_n;
	uint32_t *free_slots;
	struct fs_node **hash;
	uint32_t hash_size, nnodes;
	struct fs_node lru;    /* list head */
	struct fs_node **walk; /* scratch of node_dir_fd() */
	uint32_t walk_max;
	uint64_t *devs; /* st_dev of each index; 0 is the share's own */
	uint32_t ndevs;
	uint64_t attr_sec, entry_sec;
	int proc_fd; /* /proc/self/fd, or -1 */
	int ram_fd;  /* RAM's file, with a position of its own, or -1 */
	bool pieces; /* RAM comes in pieces of many pages */
	bool mapped; /* parts of RAM may be mapped here that are not needed here */

	/* the request at hand */
	uint64_t seq;
	uint64_t opened_seq, opened_size; /* the file opened last by its name: in which request, and how large it was */
	struct fuse_in_header h;
	size_t in_len, in_pos; /* of in[], after the header */
	bool in_place;	       /* the answer's data is in RAM already */
	bool no_reply;
	char in[FUSE_SRV_IN_MAX] __attribute__((aligned(8)));
	char out[FUSE_SRV_OUT_MAX] __attribute__((aligned(8)));
	char dents[FUSE_SRV_DENTS] __attribute__((aligned(8)));
};

/* fs_server.c: arguments of the request, in order. NULL when it is too short or malformed. */
void *fuse_srv_arg(struct fs_dev *d, size_t size);
const char *fuse_srv_str(struct fs_dev *d, size_t max); /* a NUL-terminated string of at most max bytes */
const char *fuse_srv_name(struct fs_dev *d);		/* one component: no '/', not "", ".", ".." */
size_t fuse_srv_room(struct fs_dev *d);			/* bytes of data that the answer may have */
/* serve what is in the queue; the number of requests, or -EPROTO when it is broken */
int fs_dev_process(struct fs_dev *d);
int fs_dev_init(struct fs_dev *d, const struct fs_share *s, struct hostif_queue *q, char *ram, uint64_t ram_size);
void fs_dev_fini(struct fs_dev *d);
void fs_dev_thread_setup(struct fs_dev *d);

/* fuse_node.c */
int nodes_init(struct fs_dev *d, int dir_fd);
void nodes_fini(struct fs_dev *d);
struct fs_node *node_by_id(struct fs_dev *d, uint64_t nodeid);
static inline uint64_t node_id(const struct fs_node *n)
{
	return n->slot | (uint64_t)n->gen << 32;
}
struct fs_node *node_find(struct fs_dev *d, uint64_t dev, uint64_t ino, uint32_t type);
/* node_get: the node of what st describes, seen as name in parent, with one more lookup; NULL when out of memory */
struct fs_node *node_get(struct fs_dev *d, struct fs_node *parent, const char *name, const struct stat *st);
void node_forget(struct fs_dev *d, struct fs_node *n, uint64_t nlookup);
/* node_set_name: it is now name in parent, or (NULL, NULL) has no name. 0, -ENOMEM */
int node_set_name(struct fs_dev *d, struct fs_node *n, struct fs_node *parent, const char *name);
uint64_t node_ino(struct fs_dev *d, uint64_t dev, uint64_t ino);

/* fuse_fd.c: descriptors of nodes. All return one that belongs to the node (valid until the next request), or -errno. */
int node_path_fd(struct fs_dev *d, struct fs_node *n);	/* any */
int node_dir_fd(struct fs_dev *d, struct fs_node *n);	/* to name children from: readable if the host lets us */
int node_read_fd(struct fs_dev *d, struct fs_node *n);	/* a regular file's, or a readable directory's */
int node_write_fd(struct fs_dev *d, struct fs_node *n); /* a regular file's */
int node_name_fd(struct fs_dev *d,
		 struct fs_node *n); /* the parent's: n->name there was n a moment ago. -ESTALE: no name */
bool node_is_at(const struct fs_node *n, int dir, const char *name); /* is name in the directory dir that file, now? */
int node_stat(struct fs_dev *d, struct fs_node *n, struct stat *st);
void node_keep(struct fs_dev *d, struct fs_node *n); /* about to lose its name: hold it open */
void node_set_fd(struct fs_dev *d, struct fs_node *n, int fd, int kind);
void node_set_wfd(struct fs_dev *d, struct fs_node *n, int fd, int kind);
void node_close(struct fs_dev *d, struct fs_node *n);
void fd_trim(struct fs_dev *d);
/* fd_allowed: may another one be opened? Closes some if need be. pinned: one that cannot be closed when others are needed */
bool fd_allowed(struct fs_dev *d, bool pinned);
int fs_openat(int dirfd, const char *name, int flags,
	      unsigned mode); /* one component, links not followed; fd or -errno */
bool fs_is_hidden(int fd);    /* a kernel file system: proc, sysfs, cgroup, ... */

/* fuse_copy.c. Copies size bytes of fd from `at` on to the answer's buffers, `skip` into these; file_end: where the file is known to end. Bytes or -errno */
ssize_t fs_copy_to_ram(struct fs_dev *d, int fd, size_t skip, size_t size, off_t at, uint64_t file_end);
void fs_copy_idle(struct fs_dev *d); /* nothing to do for a moment */

/* fuse_ops.c, fuse_dirops.c, fuse_io.c, fuse_readdir.c, fuse_xattr.c: < 0: -errno, else bytes of the answer in d->out (or in place) */
ssize_t srv_lookup(struct fs_dev *d, struct fs_node *n);
ssize_t srv_getattr(struct fs_dev *d, struct fs_node *n);
ssize_t srv_setattr(struct fs_dev *d, struct fs_node *n);
ssize_t srv_readlink(struct fs_dev *d, struct fs_node *n);
ssize_t srv_statfs(struct fs_dev *d, struct fs_node *n);
ssize_t srv_symlink(struct fs_dev *d, struct fs_node *n);
ssize_t srv_mknod(struct fs_dev *d, struct fs_node *n);
ssize_t srv_mkdir(struct fs_dev *d, struct fs_node *n);
ssize_t srv_create(struct fs_dev *d, struct fs_node *n);
ssize_t srv_tmpfile(struct fs_dev *d, struct fs_node *n);
ssize_t srv_link(struct fs_dev *d, struct fs_node *n);
ssize_t srv_unlink(struct fs_dev *d, struct fs_node *n);
ssize_t srv_rmdir(struct fs_dev *d, struct fs_node *n);
ssize_t srv_rename(struct fs_dev *d, struct fs_node *n);
ssize_t srv_rename2(struct fs_dev *d, struct fs_node *n);
ssize_t srv_open(struct fs_dev *d, struct fs_node *n);
ssize_t srv_opendir(struct fs_dev *d, struct fs_node *n);
ssize_t srv_release(struct fs_dev *d, struct fs_node *n);
ssize_t srv_read(struct fs_dev *d, struct fs_node *n);
ssize_t srv_write(struct fs_dev *d, struct fs_node *n);
ssize_t srv_fsync(struct fs_dev *d, struct fs_node *n);
ssize_t srv_fallocate(struct fs_dev *d, struct fs_node *n);
ssize_t srv_lseek(struct fs_dev *d, struct fs_node *n);
ssize_t srv_copy(struct fs_dev *d, struct fs_node *n);
ssize_t srv_readdir(struct fs_dev *d, struct fs_node *n);
ssize_t srv_readdirplus(struct fs_dev *d, struct fs_node *n);
ssize_t srv_getxattr(struct fs_dev *d, struct fs_node *n);
ssize_t srv_listxattr(struct fs_dev *d, struct fs_node *n);
ssize_t srv_setxattr(struct fs_dev *d, struct fs_node *n);
ssize_t srv_removexattr(struct fs_dev *d, struct fs_node *n);
void srv_fill_attr(struct fs_dev *d, const struct stat *st, struct fuse_attr *a);
void srv_fill_entry(struct fs_dev *d, struct fs_node *n, const struct stat *st, struct fuse_entry_out *e);

#endif
