/* SPDX-License-Identifier: Apache-2.0 */
/* FUSE requests to a server in the same thread, for hosted tests. */
#ifndef TESTS_FUSE_DRIVER_H
#define TESTS_FUSE_DRIVER_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include "virtq_driver.h"
#include "../../host/fuse_srv.h"

#define FD_IN DRV_DATA
#define FD_OUT (DRV_DATA + 0x40000)
#define FD_OUT_LEN 0x21000

struct fuse_client {
	struct driver v;
	struct fs_dev *dev;
	uint64_t unique;
	size_t in_len;
	uint32_t out_len; /* of the answer's data */
	uint32_t uid, gid;
};

static inline void client_init(struct fuse_client *c, int dir_fd, bool readonly)
{
	struct fs_share s = {.dir_fd = dir_fd, .readonly = readonly, .tag = "test"};

	memset(c, 0, sizeof(*c));
	driver_init(&c->v);
	c->dev = calloc(1, sizeof(*c->dev));
	CHECK(!fd_limits_init(1));
	CHECK(!fs_dev_init(c->dev, &s, c->v.q, c->v.ram, DRV_RAM));
	c->uid = geteuid();
	c->gid = getegid();
}

static inline void client_fini(struct fuse_client *c)
{
	fs_dev_fini(c->dev);
	free(c->dev);
	driver_fini(&c->v);
}

static inline void client_begin(struct fuse_client *c, uint32_t op, uint64_t node)
{
	struct fuse_in_header h = {.opcode = op, .nodeid = node, .unique = ++c->unique, .uid = c->uid, .gid = c->gid};

	memcpy(c->v.ram + FD_IN, &h, sizeof(h));
	c->in_len = sizeof(h);
}

static inline void client_add(struct fuse_client *c, const void *p, size_t n)
{
	memcpy(c->v.ram + FD_IN + c->in_len, p, n);
	c->in_len += n;
}

static inline void client_str(struct fuse_client *c, const char *s)
{
	client_add(c, s, strlen(s) + 1);
}

static inline void *client_out(struct fuse_client *c)
{
	return c->v.ram + FD_OUT + sizeof(struct fuse_out_header);
}

/* Send it; 0 or the server's -errno. answered: false for FORGET */
static inline int client_send(struct fuse_client *c, bool answered)
{
	struct fuse_in_header *h = (void *)(c->v.ram + FD_IN);
	struct fuse_out_header *o = (void *)(c->v.ram + FD_OUT);
	struct vring_used_elem e;

	h->len = c->in_len;
	memset(o, 0xee, sizeof(*o));
	driver_desc(&c->v, 0, FD_IN, c->in_len, answered ? VRING_DESC_F_NEXT : 0, 1);
	driver_desc(&c->v, 1, FD_OUT, FD_OUT_LEN, VRING_DESC_F_WRITE, 0);
	driver_submit(&c->v, 0);
	CHECK(fs_dev_process(c->dev) == 1);
	CHECK(driver_used(&c->v, &e) && e.id == 0);
	if (!answered)
		return 0;
	CHECK(e.len >= sizeof(*o) && o->len == e.len && o->unique == c->unique && o->error <= 0);
	c->out_len = e.len - sizeof(*o);
	return o->error;
}

/* node id, or -errno; 0: a negative entry */
static inline int64_t client_lookup(struct fuse_client *c, uint64_t dir, const char *name)
{
	int err;

	client_begin(c, FUSE_LOOKUP, dir);
	client_str(c, name);
	err = client_send(c, true);
	return err ? err : (int64_t)((struct fuse_entry_out *)client_out(c))->nodeid;
}

#endif
