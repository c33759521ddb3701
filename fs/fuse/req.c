// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE requests over a virtqueue: building, sending, waiting for the answer.
 *
 * DOC: waiting
 *
 * There is no interrupt thread. A task that sent a request spins a little and then sleeps; one of the
 * sleepers of a share, the leader, sleeps on the queue's doorbell, the others on their request's state
 * word. Whoever looks at the used ring takes everything that is there: its own answer, background
 * requests (freed), others' (marked done, their owners woken). A leader whose answer has come names
 * one of the followers as its successor. So an answer costs one wake-up, two when it is not the
 * leader's, and none when the spinning paid.
 *
 * A reaper that is not the leader may take the leader's answer: the monitor rings after every batch of
 * answers, and the leader sleeps on the doorbell's value from before it looked, so it wakes up anyway.
 *
 * The wait cannot be interrupted: the request lies in kernel memory that the server writes to, and the
 * server always answers.
 */
#include "fuse_i.h"

#define FUSE_WAKE_MAX 16

static struct kmem_cache *fuse_req_cache;

int fuse_req_init(void)
{
	fuse_req_cache = KMEM_CACHE(fuse_req);
	return fuse_req_cache ? 0 : -ENOMEM;
}

struct fuse_req *fuse_get_req(struct fuse_conn *fc, u32 opcode, u64 nodeid)
{
	return fuse_get_req_gfp(fc, opcode, nodeid, GFP_KERNEL);
}

struct fuse_req *fuse_get_req_gfp(struct fuse_conn *fc, u32 opcode, u64 nodeid, gfp_t gfp)
{
	struct fuse_req *req = kmem_cache_alloc(fuse_req_cache, gfp);

	if (!req)
		return NULL;
	memset(req, 0, offsetof(struct fuse_req, in.args));
	req->in_len = sizeof(req->in.h);
	req->in.h.opcode = opcode;
	req->in.h.nodeid = nodeid;
	req->in.h.unique = __atomic_add_fetch(&fc->unique, 2, __ATOMIC_RELAXED);
	req->in.h.uid = current_fsuid();
	req->in.h.gid = current_fsgid();
	return req;
}

void fuse_put_req(struct fuse_req *req)
{
	kmem_cache_free(fuse_req_cache, req);
}

void *fuse_arg(struct fuse_req *req, size_t size)
{
	void *p = (char *)&req->in + req->in_len;

	BUG_ON(req->in_len + size > sizeof(req->in));
	req->in_len += size;
	memset(p, 0, size);
	return p;
}

void fuse_arg_name(struct fuse_req *req, const char *name, size_t len)
{
	memcpy(fuse_arg(req, len + 1), name, len);
}

/* Descriptors of a request: [header and arguments][data out] [header and answer][data in] */
static int fuse_enqueue(struct fuse_conn *fc, struct fuse_req *req, bool answered)
{
	struct vq_buf v[FUSE_MAX_SEGS + 2];
	unsigned nout = 0, nin = 0;
	int err;

	req->in.h.len = req->in_len;
	v[nout++] = (struct vq_buf){&req->in, req->in_len};
	if (!req->data_in) {
		for (unsigned k = 0; k < req->ndata; k++) {
			v[nout++] = req->data[k];
			req->in.h.len += req->data[k].len;
		}
	}
	if (answered)
		v[nout + nin++] = (struct vq_buf){&req->out, sizeof(req->out.h) + req->out_args + req->out_more};
	if (req->data_in)
		for (unsigned k = 0; k < req->ndata; k++)
			v[nout + nin++] = req->data[k];
	err = virtqueue_add(fc->vq, v, nout, nin, req);
	for (u32 k = 0; !err && k < req->npages; k++) /* for who waits for one of them */
		req->pages[k].io_seq = virtqueue_last_added(fc->vq);
	return err;
}

/* A list of sleepers to wake once the lock is free; their requests may be gone by then, but not their words' pages. */
struct wake_list {
	unsigned n;
	u32 *word[FUSE_WAKE_MAX];
};

static void wake_later(struct wake_list *w, u32 *word)
{
	if (w->n < FUSE_WAKE_MAX)
		w->word[w->n++] = word;
	else
		host_futex_wake(word, 1);
}

static void wake_now(struct wake_list *w)
{
	for (unsigned k = 0; k < w->n; k++)
		host_futex_wake(w->word[k], 1);
}

/* Move everything from the used ring to its owners. Queue lock held; dead gets finished background requests. */
static void fuse_reap(struct fuse_conn *fc, struct wake_list *w, struct list_head *dead)
{
	struct fuse_req *req;
	bool asleep;
	u32 len;

	while ((req = virtqueue_get(fc->vq, &len))) {
		req->out_len = len;
		if (req->background) {
			if (req->end)
				req->end(fc, req);
			list_add(&req->node, dead);
			continue;
		}
		asleep = req->state == FUSE_REQ_ASLEEP;
		if (asleep)
			list_del(&req->node);
		smp_store_release(&req->state, FUSE_REQ_DONE); /* the owner may free it from here on */
		if (asleep)
			wake_later(w, &req->state);
	}
}

static void free_dead(struct list_head *dead)
{
	struct fuse_req *req, *next;

	list_for_each_entry_safe (req, next, dead, node) {
		kfree(req->free_data);
		fuse_put_req(req);
	}
}

void fuse_reap_unlocked(struct fuse_conn *fc)
{
	struct wake_list w = {0};
	LIST_HEAD(dead);

	virtqueue_lock(fc->vq);
	fuse_reap(fc, &w, &dead);
	virtqueue_unlock(fc->vq);
	wake_now(&w);
	free_dead(&dead);
}

/* The leader steps down: if anyone sleeps, somebody must watch the doorbell. Queue lock held. */
static void fuse_promote(struct fuse_conn *fc, struct wake_list *w)
{
	struct fuse_req *next = list_first_entry_or_null(&fc->followers, struct fuse_req, node);

	if (!next)
		return;
	list_del(&next->node);
	WRITE_ONCE(next->state, FUSE_REQ_LEAD);
	wake_later(w, &next->state);
}

static bool fuse_done(struct fuse_req *req)
{
	return smp_load_acquire(&req->state) == FUSE_REQ_DONE;
}

/* Sleep as the leader: on the doorbell, until our own answer is there. Queue lock held on entry, not on return. */
static void fuse_lead(struct fuse_conn *fc, struct fuse_req *req)
{
	struct wake_list w = {0};
	LIST_HEAD(dead);

	fc->leader = req;
	for (;;) {
		u32 irq = virtqueue_irq(fc->vq);

		fuse_reap(fc, &w, &dead);
		if (fuse_done(req))
			break;
		virtqueue_unlock(fc->vq);
		wake_now(&w);
		w.n = 0;
		virtqueue_wait_irq(fc->vq, irq, INT64_MAX);
		virtqueue_lock(fc->vq);
	}
	fc->leader = NULL;
	fuse_promote(fc, &w);
	virtqueue_unlock(fc->vq);
	wake_now(&w);
	free_dead(&dead);
}

static void fuse_follow(struct fuse_conn *fc, struct fuse_req *req)
{
	WRITE_ONCE(req->state, FUSE_REQ_ASLEEP);
	list_add_tail(&req->node, &fc->followers);
	virtqueue_unlock(fc->vq);
	while (smp_load_acquire(&req->state) == FUSE_REQ_ASLEEP)
		if (host_sleep(&req->state, FUSE_REQ_ASLEEP, INT64_MAX) == -EINTR)
			host_yield();
}

static void fuse_wait(struct fuse_conn *fc, struct fuse_req *req)
{
	while (virtqueue_spin(fc->vq, FUSE_SPIN_NS, &req->state, FUSE_REQ_DONE)) {
		if (!fuse_done(req))
			fuse_reap_unlocked(fc);
		if (fuse_done(req))
			return;
	}
	for (;;) {
		virtqueue_lock(fc->vq);
		if (fuse_done(req)) {
			virtqueue_unlock(fc->vq);
			return;
		}
		if (!fc->leader) {
			fuse_lead(fc, req);
			return;
		}
		fuse_follow(fc, req);
		/*
		 * LEAD: the leader stepped down and named us. If a newcomer took the lead in between, we follow it.
		 */
		if (fuse_done(req))
			return;
	}
}

/* Queue it, waiting for room in the ring if need be. */
static int fuse_submit(struct fuse_conn *fc, struct fuse_req *req, bool answered)
{
	int err;

	for (;;) {
		u32 irq = virtqueue_irq(fc->vq);

		virtqueue_lock(fc->vq);
		err = fuse_enqueue(fc, req, answered);
		virtqueue_unlock(fc->vq);
		if (err != -ENOSPC)
			break;
		virtqueue_kick(fc->vq);
		if (virtqueue_used(fc->vq))
			fuse_reap_unlocked(fc);
		else if (virtqueue_irq(fc->vq) == irq)
			virtqueue_wait_irq(fc->vq, irq, NSEC_PER_MSEC);
	}
	if (!err)
		virtqueue_kick(fc->vq);
	return err;
}

int fuse_send_start(struct fuse_conn *fc, struct fuse_req *req, size_t out_args)
{
	req->out_args = out_args;
	req->in.h.pid = current->tgid;
	return fuse_submit(fc, req, true);
}

int fuse_send_finish(struct fuse_conn *fc, struct fuse_req *req, int err)
{
	if (err)
		return -EIO;
	fuse_wait(fc, req);
	if (req->out_len < sizeof(req->out.h))
		return -EIO;
	err = req->out.h.error;
	if (err > 0 || err < -511)
		return -EIO;
	if (!err && req->out_len < sizeof(req->out.h) + req->out_args)
		return -EIO;
	return err;
}

int fuse_send(struct fuse_conn *fc, struct fuse_req *req, size_t out_args)
{
	return fuse_send_finish(fc, req, fuse_send_start(fc, req, out_args));
}

void fuse_send_background(struct fuse_conn *fc, struct fuse_req *req, bool answered)
{
	req->background = true;
	if (fuse_submit(fc, req, answered)) {
		req->out_len = 0;
		if (req->end)
			req->end(fc, req);
		kfree(req->free_data);
		fuse_put_req(req);
	}
}

int fuse_simple(struct fuse_conn *fc, u32 opcode, u64 nodeid, const char *name, size_t len)
{
	struct fuse_req *req = fuse_get_req(fc, opcode, nodeid);
	int err;

	if (!req)
		return -ENOMEM;
	if (name)
		fuse_arg_name(req, name, len);
	err = fuse_send(fc, req, 0);
	fuse_put_req(req);
	return err;
}
