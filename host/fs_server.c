// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: devices, the service thread, requests.
 *
 * DOC: one request
 *
 * Header and arguments are copied out of RAM once, up to FUSE_SRV_IN_MAX bytes, and only the copy is
 * looked at. A handler takes its arguments in order from the copy and leaves its answer in d->out, from where it goes to
 * the guest's buffers as far as those reach; data of READ and WRITE moves between the host's file and RAM directly. All
 * state of a share belongs to its thread: there are no locks.
 */
#include "fuse_srv.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVE_BATCH 64
#define IDLE_NS 20000000 /* without a request: time to tidy up */

void *fuse_srv_arg(struct fs_dev *d, size_t size)
{
	void *p = d->in + d->in_pos;

	if (size > d->in_len - d->in_pos)
		return NULL;
	d->in_pos += size;
	return p;
}

const char *fuse_srv_str(struct fs_dev *d, size_t max)
{
	const char *p = d->in + d->in_pos, *end;
	size_t room = d->in_len - d->in_pos;

	end = memchr(p, 0, room < max ? room : max);
	if (!end)
		return NULL;
	d->in_pos += end - p + 1;
	return p;
}

const char *fuse_srv_name(struct fs_dev *d)
{
	const char *name = fuse_srv_str(d, 256);

	if (!name || !*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return NULL;
	return name;
}

size_t fuse_srv_room(struct fs_dev *d)
{
	const size_t head = sizeof(struct fuse_out_header);

	return d->chain.in_len > head ? d->chain.in_len - head : 0;
}

static ssize_t srv_init(struct fs_dev *d)
{
	struct fuse_init_in *in = fuse_srv_arg(d, 16); /* older clients send no more */
	struct fuse_init_out *o = (void *)d->out;

	if (!in || in->major != FUSE_KERNEL_VERSION || in->minor < 31)
		return -EPROTO;
	memset(o, 0, sizeof(*o));
	o->major = FUSE_KERNEL_VERSION;
	o->minor = FUSE_KERNEL_MINOR_VERSION;
	o->max_readahead = in->max_readahead;
	o->flags = in->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_DONT_MASK | FUSE_AUTO_INVAL_DATA |
				FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_NO_OPEN_SUPPORT |
				FUSE_NO_OPENDIR_SUPPORT | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_CACHE_SYMLINKS);
	o->max_background = 64;
	o->congestion_threshold = 48;
	o->max_write = FUSE_SRV_MAX_WRITE;
	o->max_pages = FUSE_SRV_MAX_WRITE / 4096;
	o->time_gran = 1;
	return sizeof(*o);
}

static void srv_forget(struct fs_dev *d)
{
	struct fuse_forget_in *in = fuse_srv_arg(d, sizeof(*in));
	struct fs_node *n = node_by_id(d, d->h.nodeid);

	if (in && n && n != d->root)
		node_forget(d, n, in->nlookup);
}

static void srv_batch_forget(struct fs_dev *d)
{
	struct fuse_batch_forget_in *in = fuse_srv_arg(d, sizeof(*in));

	for (uint32_t k = 0; in && k < in->count; k++) {
		struct fuse_forget_one *one = fuse_srv_arg(d, sizeof(*one));
		struct fs_node *n = one ? node_by_id(d, one->nodeid) : NULL;

		if (!one)
			return;
		if (n && n != d->root)
			node_forget(d, n, one->nlookup);
	}
}

typedef ssize_t (*handler_t)(struct fs_dev *d, struct fs_node *n);
static const handler_t handlers[] = {
	[FUSE_LOOKUP] = srv_lookup,	[FUSE_GETATTR] = srv_getattr,	  [FUSE_SETATTR] = srv_setattr,
	[FUSE_READLINK] = srv_readlink, [FUSE_SYMLINK] = srv_symlink,	  [FUSE_MKNOD] = srv_mknod,
	[FUSE_MKDIR] = srv_mkdir,	[FUSE_UNLINK] = srv_unlink,	  [FUSE_RMDIR] = srv_rmdir,
	[FUSE_RENAME] = srv_rename,	[FUSE_LINK] = srv_link,		  [FUSE_OPEN] = srv_open,
	[FUSE_READ] = srv_read,		[FUSE_WRITE] = srv_write,	  [FUSE_STATFS] = srv_statfs,
	[FUSE_RELEASE] = srv_release,	[FUSE_FSYNC] = srv_fsync,	  [FUSE_SETXATTR] = srv_setxattr,
	[FUSE_GETXATTR] = srv_getxattr, [FUSE_LISTXATTR] = srv_listxattr, [FUSE_REMOVEXATTR] = srv_removexattr,
	[FUSE_OPENDIR] = srv_opendir,	[FUSE_READDIR] = srv_readdir,	  [FUSE_FSYNCDIR] = srv_fsync,
	[FUSE_CREATE] = srv_create,	[FUSE_FALLOCATE] = srv_fallocate, [FUSE_READDIRPLUS] = srv_readdirplus,
	[FUSE_RENAME2] = srv_rename2,	[FUSE_LSEEK] = srv_lseek,	  [FUSE_COPY_FILE_RANGE] = srv_copy,
	[FUSE_TMPFILE] = srv_tmpfile,
};

static ssize_t dispatch(struct fs_dev *d)
{
	struct fs_node *n;
	uint32_t op = d->h.opcode;

	switch (op) {
	case FUSE_INIT:
		return srv_init(d);
	case FUSE_DESTROY:
	case FUSE_RELEASEDIR:
		return 0;
	case FUSE_FORGET:
		d->no_reply = true;
		srv_forget(d);
		return 0;
	case FUSE_BATCH_FORGET:
		d->no_reply = true;
		srv_batch_forget(d);
		return 0;
	}
	if (op >= sizeof(handlers) / sizeof(handlers[0]) || !handlers[op])
		return -ENOSYS;
	n = node_by_id(d, d->h.nodeid);
	if (!n)
		return -ESTALE;
	return handlers[op](d, n);
}

/* Serve the request in d->chain; bytes written to its buffers. */
static uint32_t serve(struct fs_dev *d)
{
	struct virtq_chain *c = &d->chain;
	struct fuse_out_header out;
	ssize_t r = -EINVAL;
	size_t len;

	d->seq++;
	d->in_place = d->no_reply = false;
	d->in_pos = 0;
	if (virtq_read(c->iov, c->nout, 0, &d->h, sizeof(d->h)) != sizeof(d->h))
		return 0;
	d->in_len = virtq_read(c->iov, c->nout, sizeof(d->h), d->in, sizeof(d->in));
	/* h.len is the driver's word; the chain's length is what counts, but they must agree */
	if (d->h.len == c->out_len)
		r = dispatch(d);
	fd_trim(d);
	if (d->no_reply)
		return 0;
	if (r > 0 && !d->in_place && (size_t)r > fuse_srv_room(d))
		r = -EIO; /* the driver left too little room for this answer */
	len = sizeof(out) + (r > 0 ? r : 0);
	out = (struct fuse_out_header){.len = len, .error = r < 0 ? r : 0, .unique = d->h.unique};
	if (virtq_write(c->iov + c->nout, c->nin, 0, &out, sizeof(out)) != sizeof(out))
		return 0;
	if (r > 0 && !d->in_place)
		virtq_write(c->iov + c->nout, c->nin, sizeof(out), d->out, r);
	return len;
}

int fs_dev_process(struct fs_dev *d)
{
	int served = 0, r;

	while ((r = virtq_pop(&d->vq, &d->chain)) > 0) {
		virtq_push(&d->vq, d->chain.head, serve(d));
		virtq_notify(&d->vq);
		if (++served == SERVE_BATCH)
			break;
	}
	return r < 0 ? r : served;
}

/* ---- devices ---- */

static struct fs_dev *devices;

/* The position of an open file belongs to who uses it: each share opens RAM's file for itself. */
static int open_ram(struct fs_dev *d, int fd)
{
	char num[16];

	if (fd < 0 || d->proc_fd < 0)
		return -1;
	snprintf(num, sizeof(num), "%d", fd);
	return openat(d->proc_fd, num, O_RDWR | O_CLOEXEC);
}

int fs_dev_init(struct fs_dev *d, const struct fs_share *s, struct hostif_queue *q, char *ram, uint64_t ram_size)
{
	int err;

	d->readonly = s->readonly;
	d->is_root = geteuid() == 0;
	d->attr_sec = d->entry_sec = s->readonly ? 60 : 1;
	d->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	d->ram_fd = open_ram(d, s->ram_fd);
	d->pieces = s->pieces;
	snprintf(d->tag, sizeof(d->tag), "%s", s->tag ? s->tag : "");
	err = virtq_init(&d->vq, q, ram, ram_size);
	return err ? err : nodes_init(d, s->dir_fd);
}

void fs_dev_fini(struct fs_dev *d)
{
	nodes_fini(d);
	if (d->proc_fd >= 0)
		close(d->proc_fd);
	if (d->ram_fd >= 0)
		close(d->ram_fd);
}

void fs_dev_thread_setup(struct fs_dev *d)
{
	d->own_fs = !unshare(CLONE_FS);
	if (d->own_fs)
		umask(0);
}

static void *fs_thread(void *arg)
{
	struct fs_dev *d = arg;

	fs_dev_thread_setup(d);
	while (!__atomic_load_n(&d->stop, __ATOMIC_ACQUIRE) && fs_dev_process(d) >= 0) {
		virtq_wait(&d->vq, d->mapped ? IDLE_NS : -1, &d->stop);
		if (d->mapped && !virtq_pending(&d->vq))
			fs_copy_idle(d);
	}
	if (d->vq.broken)
		fprintf(stderr, "husk: share %s: the guest kernel broke the queue; it is served no more\n", d->tag);
	return NULL;
}

static int fs_thread_start(struct fs_dev *d)
{
	sigset_t all, old;
	char name[16];
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&d->thread, NULL, fs_thread, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	snprintf(name, sizeof(name), "fs %.12s", d->tag);
	pthread_setname_np(d->thread, name);
	return 0;
}

int fs_device_start(const struct fs_share *share, struct hostif_queue *q, char *ram, uint64_t ram_size)
{
	struct fs_dev *d = calloc(1, sizeof(*d)); /* mostly buffers, never touched until needed */
	int err;

	if (!d)
		return -ENOMEM;
	err = fs_dev_init(d, share, q, ram, ram_size);
	if (!err)
		err = fs_thread_start(d);
	if (err) {
		fs_dev_fini(d);
		free(d);
		return err;
	}
	d->next = devices;
	devices = d;
	return 0;
}

void fs_device_stop(void)
{
	struct fs_dev *d, *next;

	for (d = devices; d; d = d->next) {
		__atomic_store_n(&d->stop, 1, __ATOMIC_RELEASE);
		virtq_wake(&d->vq);
	}
	for (d = devices; d; d = next) {
		next = d->next;
		pthread_join(d->thread, NULL);
		fs_dev_fini(d);
		free(d);
	}
	devices = NULL;
}
